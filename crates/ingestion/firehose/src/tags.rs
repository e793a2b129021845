//! Labels of delivery streams: at most 50 each.

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Key;

use crate::api::{Empty, ListTags, Tag, TagStream, Tags, UntagStream};
use crate::error::FirehoseError;
use crate::store::{Firehose, STREAMS, stream_in};

const MAX_TAGS: usize = 50;
const MAX_KEY: usize = 128;
const MAX_VALUE: usize = 256;

/// Checks tags and puts them into an order.
pub(crate) fn checked(tags: Vec<Tag>) -> Result<BTreeMap<String, Option<String>>, FirehoseError> {
    let mut checked = BTreeMap::new();
    for Tag { key, value } in tags {
        if !(1..=MAX_KEY).contains(&key.chars().count()) || key.to_ascii_lowercase().starts_with("aws:") {
            let words = "Member must have 1 to 128 characters and must not begin with aws:";
            return Err(FirehoseError::constraint(key, "tags.member.key", words));
        }
        if let Some(value) = value.as_ref().filter(|value| value.chars().count() > MAX_VALUE) {
            let words = "Member must have length less than or equal to 256";
            return Err(FirehoseError::constraint(value, "tags.member.value", words));
        }
        if checked.insert(key.clone(), value).is_some() {
            return Err(FirehoseError::InvalidArgument(format!("The tag key {key} is there twice")));
        }
    }
    within_limit(&checked)?;
    Ok(checked)
}

fn within_limit(tags: &BTreeMap<String, Option<String>>) -> Result<(), FirehoseError> {
    if tags.len() <= MAX_TAGS {
        return Ok(());
    }
    Err(FirehoseError::LimitExceeded(format!("A delivery stream can have at most {MAX_TAGS} tags")))
}

/// The tags of the stream that an ARN names.
pub(crate) fn of(state: &Firehose, arn: &str) -> BTreeMap<String, String> {
    let stream = arn.rsplit_once(":deliverystream/").and_then(|(_, name)| state.stream(name).ok());
    let tags = stream.map(|stream| stream.tags).unwrap_or_default();
    tags.into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect()
}

pub(crate) async fn tag(_ctx: Ctx, state: Arc<Firehose>, input: TagStream) -> Result<Empty, FirehoseError> {
    let new = checked(input.tags)?;
    let name = input.delivery_stream_name;
    state
        .deps
        .metadata
        .transaction(move |tx| {
            let mut stream = stream_in(tx, &name)?;
            stream.tags.extend(new);
            within_limit(&stream.tags)?;
            tx.put_json(STREAMS, &Key::new([name]), &stream)?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn untag(_ctx: Ctx, state: Arc<Firehose>, input: UntagStream) -> Result<Empty, FirehoseError> {
    let (name, keys) = (input.delivery_stream_name, input.tag_keys);
    state
        .deps
        .metadata
        .transaction(move |tx| {
            let mut stream = stream_in(tx, &name)?;
            stream.tags.retain(|key, _| !keys.contains(key));
            tx.put_json(STREAMS, &Key::new([name]), &stream)?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn list(_ctx: Ctx, state: Arc<Firehose>, input: ListTags) -> Result<Tags, FirehoseError> {
    let limit = input.limit.unwrap_or(MAX_TAGS);
    if !(1..=MAX_TAGS).contains(&limit) {
        return Err(FirehoseError::constraint(limit, "limit", "Member must have value between 1 and 50"));
    }
    let stream = state.stream(&input.delivery_stream_name)?;
    let after = input.exclusive_start_tag_key;
    let rest = stream.tags.into_iter().filter(|(key, _)| after.as_ref().is_none_or(|after| key > after));
    let mut tags: Vec<Tag> = rest.map(|(key, value)| Tag { key, value }).take(limit + 1).collect();
    let has_more_tags = tags.len() > limit;
    tags.truncate(limit);
    Ok(Tags { tags, has_more_tags })
}
