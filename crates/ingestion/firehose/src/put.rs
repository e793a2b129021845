//! PutRecord and PutRecordBatch: into the journal, and answered when durable.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_journal as journal;
use boathouse_journal::JournalError;
use uuid::Uuid;

use crate::api::{BatchEntry, BatchPut, NewRecord, PutRecord, PutRecordBatch, RecordPut};
use crate::error::FirehoseError;
use crate::measures;
use crate::store::Firehose;

/// Bytes of the largest record.
pub(crate) const MAX_RECORD: usize = 1000 * 1024;
/// Records of the largest batch.
const MAX_BATCH: usize = 500;
/// Bytes of the largest batch.
const MAX_BATCH_BYTES: usize = 4 << 20;

pub(crate) async fn one(ctx: Ctx, state: Arc<Firehose>, input: PutRecord) -> Result<RecordPut, FirehoseError> {
    check_size(&input.record, "record.data")?;
    let name = input.delivery_stream_name;
    let (stream, first) = append(&ctx, &state, &name, std::slice::from_ref(&input.record)).await?;
    Ok(RecordPut { record_id: record_id(stream, first), encrypted: false })
}

pub(crate) async fn batch(ctx: Ctx, state: Arc<Firehose>, input: PutRecordBatch) -> Result<BatchPut, FirehoseError> {
    let records = input.records;
    if !(1..=MAX_BATCH).contains(&records.len()) {
        let bound = if records.is_empty() { "greater than or equal to 1" } else { "less than or equal to 500" };
        let shown = format!("[{} records]", records.len());
        return Err(FirehoseError::constraint(shown, "records", format_args!("Member must have length {bound}")));
    }
    for (number, record) in records.iter().enumerate() {
        check_size(record, &format!("records.{}.member.data", number + 1))?;
    }
    if records.iter().map(|record| record.data.0.len()).sum::<usize>() > MAX_BATCH_BYTES {
        return Err(FirehoseError::InvalidArgument("Records size exceeds 4 MB limit".into()));
    }
    match append(&ctx, &state, &input.delivery_stream_name, &records).await {
        Ok((stream, first)) => {
            let kept = (first..).take(records.len());
            let kept = kept.map(|sequence| BatchEntry::Kept { record_id: record_id(stream, sequence) });
            Ok(BatchPut { failed_put_count: 0, encrypted: false, request_responses: kept.collect() })
        }
        Err(error @ FirehoseError::Unavailable) => {
            let error_message = error.to_string();
            let refused = BatchEntry::Refused { error_code: "ServiceUnavailableException", error_message };
            let request_responses = vec![refused; records.len()];
            Ok(BatchPut { failed_put_count: records.len(), encrypted: false, request_responses })
        }
        Err(error) => Err(error),
    }
}

fn check_size(record: &NewRecord, member: &str) -> Result<(), FirehoseError> {
    let size = record.data.0.len();
    if size <= MAX_RECORD {
        return Ok(());
    }
    let words = format!("Member must have length less than or equal to {MAX_RECORD}");
    Err(FirehoseError::constraint(format_args!("[{size} bytes]"), member, words))
}

async fn append(ctx: &Ctx, state: &Firehose, name: &str, records: &[NewRecord]) -> Result<(Uuid, u64), FirehoseError> {
    let live = state.live(name)?;
    let arrival_ms = ctx.now().timestamp_millis().unsigned_abs();
    let bytes = records.iter().map(|record| record.data.0.len()).sum();
    let records: Vec<_> = records.iter().map(|it| journal::NewRecord { key: b"", data: &it.data.0 }).collect();
    match state.deps.journal.append(live.shard, arrival_ms, &records).await {
        Ok(first) => {
            measures::taken(&ctx.platform, name, records.len(), bytes);
            Ok((live.shard.stream, first))
        }
        // Deleted in this moment.
        Err(JournalError::UnknownShard(_)) => Err(FirehoseError::NotFound(name.to_owned())),
        Err(error) => Err(error.into()),
    }
}

/// What a record is called: the same in the answer to a put and in the event of a transformation.
pub(crate) fn record_id(stream: Uuid, sequence: u64) -> String {
    format!("{}{sequence:020}", stream.simple())
}
