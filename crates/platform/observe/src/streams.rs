//! Log streams: create, delete, describe.

use std::cmp::Reverse;
use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Key;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::{DescribeLogStreams, Empty, LogStream, OrderBy, StreamName};
use crate::error::LogsError;
use crate::files::StreamId;
use crate::put::sequence_token;
use crate::store::{
    Logs, STREAMS, Stream, group_in, invalid, named, now, page_size, place, token, valid_group_name, valid_stream_name,
};
use crate::{policies, stream_arn};

/// Entries of a page.
const PAGE: usize = 50;

pub(crate) async fn create(ctx: Ctx, state: Arc<Logs>, input: StreamName) -> Result<Empty, LogsError> {
    // IAM is asked about creating a stream as about its group.
    policies::authorize(&ctx, &state, "logs:CreateLogStream", &stream_arn(&ctx, &input.log_group_name, ""))?;
    valid_group_name(&input.log_group_name)?;
    valid_stream_name(&input.log_stream_name)?;
    let stream = Stream { id: StreamId(Uuid::new_v4().as_u64_pair().0), creation_time: now(&ctx) };
    state
        .metadata
        .transaction(move |tx| {
            group_in(tx, &input.log_group_name)?;
            let key = Key::new([input.log_group_name, input.log_stream_name]);
            if tx.contains(STREAMS, &key)? {
                return Err(LogsError::AlreadyExists("log stream"));
            }
            tx.put_json(STREAMS, &key, &stream)?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn delete(_: Ctx, state: Arc<Logs>, input: StreamName) -> Result<Empty, LogsError> {
    let stream: Stream = state
        .metadata
        .transaction(move |tx| {
            group_in(tx, &input.log_group_name)?;
            let key = Key::new([input.log_group_name, input.log_stream_name]);
            let stream = tx.get_json(STREAMS, &key)?.ok_or(LogsError::NotFound("log stream"))?;
            tx.delete(STREAMS, &key)?;
            Ok::<_, LogsError>(stream)
        })
        .await?;
    state.files.remove(stream.id).await?;
    Ok(Empty {})
}

pub(crate) async fn describe(ctx: Ctx, state: Arc<Logs>, input: DescribeLogStreams) -> Result<Value, LogsError> {
    let group = named(&input.group)?;
    let size = page_size(input.limit, PAGE)?;
    let order = input.order_by.unwrap_or(OrderBy::LogStreamName);
    if order == OrderBy::LastEventTime && input.log_stream_name_prefix.is_some() {
        return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    state.group(&group)?;
    let found = state.streams(&group, input.log_stream_name_prefix.as_deref().unwrap_or_default())?;
    let logs = state.open_streams(found.iter().map(|(_, stream)| stream.id).collect()).await?;
    let mut streams: Vec<LogStream> = found
        .into_iter()
        .zip(logs)
        .map(|((name, stream), log)| {
            let summary = log.summary();
            LogStream {
                arn: stream_arn(&ctx, &group, &name),
                log_stream_name: name,
                creation_time: stream.creation_time,
                first_event_timestamp: summary.span.map(|(first, _)| first),
                last_event_timestamp: summary.span.map(|(_, last)| last),
                last_ingestion_time: summary.last_ingestion,
                upload_sequence_token: sequence_token(summary.next_sequence),
                stored_bytes: summary.bytes,
            }
        })
        .collect();
    let key = |stream: &LogStream| {
        let time = stream.last_event_timestamp.filter(|_| order == OrderBy::LastEventTime);
        (time, stream.log_stream_name.clone())
    };
    let descending = input.descending == Some(true);
    if descending {
        streams.sort_by_key(|stream| Reverse(key(stream)));
    } else {
        streams.sort_by_key(key);
    }
    if let Some(last) = place::<(Option<i64>, String)>(input.next_token.as_deref())? {
        streams.retain(|stream| if descending { key(stream) < last } else { key(stream) > last });
    }
    let more = streams.len() > size;
    streams.truncate(size);
    let next = streams.last().filter(|_| more).map(|last| token(&key(last)));
    Ok(json!({"logStreams": streams, "nextToken": next}))
}
