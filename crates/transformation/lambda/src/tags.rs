//! Tags of functions.

use std::sync::Arc;

use boathouse_aws::{Arn, Ctx};
use boathouse_metadata::Key;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{Empty, Texts};
use crate::error::LambdaError;
use crate::names::FunctionRef;
use crate::store::{FUNCTIONS, Lambda, stored};

/// Tags of a function.
const MOST_TAGS: usize = 50;

/// Checks keys and values ("Using tags on Lambda functions").
pub(crate) fn check(tags: &Texts) -> Result<(), LambdaError> {
    for (key, value) in tags {
        let fits = (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256;
        if !fits || key.starts_with("aws:") {
            let message = format!(
                "The tag {key:?} is not valid: keys have 1 to 128 characters and don't begin with aws:, values have at \
                 most 256"
            );
            return Err(LambdaError::InvalidParameter(message));
        }
    }
    if tags.len() > MOST_TAGS {
        return Err(LambdaError::InvalidParameter(format!("A function can't have more than {MOST_TAGS} tags.")));
    }
    Ok(())
}

/// The function that a tagged resource is.
fn function_of(resource: &str) -> Result<String, LambdaError> {
    let is_function = resource.parse::<Arn>().is_ok_and(|arn| arn.resource.starts_with("function:"));
    if !is_function {
        return Err(LambdaError::NotImplemented("tags of resources other than functions"));
    }
    FunctionRef::unqualified(resource)
}

/// The tags of the function that an ARN names, also by one of its versions or aliases.
pub(crate) fn of(state: &Lambda, arn: &str) -> Texts {
    let found = FunctionRef::parse(arn, None).and_then(|it| state.function(&state.platform.region, &it.name));
    found.map(|function| function.tags).unwrap_or_default()
}

/// TagResource's input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Tag {
    pub(crate) resource: String,
    tags: Texts,
}

pub(crate) async fn tag(ctx: Ctx, state: Arc<Lambda>, input: Tag) -> Result<Empty, LambdaError> {
    let name = function_of(&input.resource)?;
    let tags = input.tags;
    change(&ctx, &state, name, move |present| present.extend(tags)).await
}

/// UntagResource's input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Untag {
    pub(crate) resource: String,
    tag_keys: Vec<String>,
}

pub(crate) async fn untag(ctx: Ctx, state: Arc<Lambda>, input: Untag) -> Result<Empty, LambdaError> {
    let name = function_of(&input.resource)?;
    change(&ctx, &state, name, move |present| present.retain(|key, _| !input.tag_keys.contains(key))).await
}

async fn change(
    ctx: &Ctx,
    state: &Lambda,
    name: String,
    change: impl FnOnce(&mut Texts) + Send + 'static,
) -> Result<Empty, LambdaError> {
    let region = ctx.region().to_owned();
    state
        .metadata
        .transaction(move |tx| {
            let mut stored = stored(tx, &region, &name)?;
            change(&mut stored.tags);
            check(&stored.tags)?;
            tx.put_json(FUNCTIONS, &Key::new([name]), &stored)?;
            Ok(Empty {})
        })
        .await
}

/// ListTags' input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListTags {
    pub(crate) resource: String,
}

pub(crate) async fn list(ctx: Ctx, state: Arc<Lambda>, input: ListTags) -> Result<Value, LambdaError> {
    let stored = state.function(ctx.region(), &function_of(&input.resource)?)?;
    Ok(json!({"Tags": stored.tags}))
}
