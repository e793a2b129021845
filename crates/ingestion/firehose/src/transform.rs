//! Records through a Lambda function ("Transform source data in Amazon Data Firehose").

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use boathouse_aws::Ctx;
use boathouse_journal::Record;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::processing::Lambda;
use crate::put::record_id;

/// Bytes of the largest synchronous invocation, and of its answer.
const MAX_PAYLOAD: usize = 6 << 20;
/// What a record adds to an event besides its data.
const ENTRY_OVERHEAD: usize = 160;
/// How long to wait before a function is asked again, at first.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What became of records.
#[derive(Debug, Default)]
pub(crate) struct Transformed {
    /// In the order of the records.
    pub(crate) ok: Vec<Bytes>,
    /// One JSON document for each record that failed.
    pub(crate) failed: Vec<Bytes>,
    /// Why the last one failed.
    pub(crate) failure: Option<Failure>,
}

/// Why a record was not transformed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Failure {
    fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }
}

/// What the function says of one record.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verdict {
    record_id: String,
    result: String,
    data: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Answer {
    records: Vec<Verdict>,
}

/// Sends records through the function, as the context's principal, in batches that it can take.
pub(crate) async fn transform(
    ctx: &Ctx,
    lambda: &Lambda,
    stream_arn: &str,
    stream: Uuid,
    records: &[Record],
) -> Transformed {
    let mut transformed = Transformed::default();
    for batch in batches(records, lambda.batch_bytes) {
        let (attempts, outcome) = invoke(ctx, lambda, stream_arn, stream, batch).await;
        let mut verdicts = match outcome {
            Ok(verdicts) => verdicts,
            Err(failure) => {
                let lost = batch.iter().map(|record| failed_line(ctx, lambda, record, attempts, &failure));
                transformed.failed.extend(lost);
                transformed.failure = Some(failure);
                continue;
            }
        };
        for record in batch {
            match judge(verdicts.remove(&record_id(stream, record.sequence))) {
                Ok(Some(data)) => transformed.ok.push(data),
                Ok(None) => {}
                Err(failure) => {
                    transformed.failed.push(failed_line(ctx, lambda, record, attempts, &failure));
                    transformed.failure = Some(failure);
                }
            }
        }
    }
    transformed
}

/// Cuts records where the next one would make an invocation too large.
fn batches(records: &[Record], bytes: usize) -> Vec<&[Record]> {
    let (mut batches, mut start, mut size, mut payload) = (Vec::new(), 0, 0, 0);
    for (index, record) in records.iter().enumerate() {
        let encoded = record.data.len().div_ceil(3) * 4 + ENTRY_OVERHEAD;
        if index > start && (size + record.data.len() > bytes || payload + encoded > MAX_PAYLOAD - 1024) {
            batches.push(&records[start..index]);
            (start, size, payload) = (index, 0, 0);
        }
        (size, payload) = (size + record.data.len(), payload + encoded);
    }
    if start < records.len() {
        batches.push(&records[start..]);
    }
    batches
}

async fn invoke(
    ctx: &Ctx,
    lambda: &Lambda,
    stream_arn: &str,
    stream: Uuid,
    batch: &[Record],
) -> (u32, Result<HashMap<String, Option<Verdict>>, Failure>) {
    let entry = |record: &Record| {
        json!({
            "recordId": record_id(stream, record.sequence),
            "approximateArrivalTimestamp": record.arrival_ms,
            "data": STANDARD.encode(&record.data),
        })
    };
    let event = json!({
        "invocationId": Uuid::new_v4(),
        "deliveryStreamArn": stream_arn,
        "region": ctx.region(),
        "records": batch.iter().map(entry).collect::<Vec<_>>(),
    });
    let input = json!({
        "FunctionName": lambda.arn,
        "InvocationType": "RequestResponse",
        "Payload": STANDARD.encode(event.to_string()),
    });
    let (mut attempts, mut pause) = (0, FIRST_PAUSE);
    loop {
        attempts += 1;
        let outcome = ask(ctx, &input).await;
        if outcome.is_ok() || attempts > lambda.retries {
            return (attempts, outcome);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn ask(ctx: &Ctx, input: &Value) -> Result<HashMap<String, Option<Verdict>>, Failure> {
    let answer = ctx.call("lambda", "Invoke", input.clone()).await.map_err(|error| {
        let code = match &*error.code {
            "AccessDeniedException" => "Lambda.InvokeAccessDenied",
            "ResourceNotFoundException" => "Lambda.ResourceNotFound",
            "TooManyRequestsException" => "Lambda.InvokeLimitExceeded",
            _ => "Lambda.InvokeFailed",
        };
        Failure::new(code, error.message)
    })?;
    let payload = answer.get("Payload").and_then(Value::as_str).unwrap_or_default();
    let payload = STANDARD.decode(payload).map_err(|_| unreadable("it is not base64"))?;
    if let Some(kind) = answer.get("FunctionError").and_then(Value::as_str) {
        let message = "The Lambda function was successfully invoked but it returned an error result";
        let told = String::from_utf8_lossy(&payload).into_owned();
        return Err(Failure::new("Lambda.FunctionError", format!("{message} ({kind}): {told}")));
    }
    if payload.len() > MAX_PAYLOAD {
        return Err(Failure::new("Lambda.ResponseTooLarge", "The function's answer is larger than 6 MB"));
    }
    let answer: Answer = serde_json::from_slice(&payload).map_err(|error| unreadable(&error.to_string()))?;
    let mut verdicts = HashMap::new();
    for verdict in answer.records {
        let id = verdict.record_id.clone();
        // A record that is answered twice has no answer.
        verdicts.entry(id).and_modify(|slot| *slot = None).or_insert(Some(verdict));
    }
    Ok(verdicts)
}

fn unreadable(why: &str) -> Failure {
    let message = "There was an error parsing returned records from the Lambda function. Ensure that the returned records \
                   follow the status model required by Amazon Data Firehose";
    Failure::new("Lambda.JsonProcessingException", format!("{message}: {why}"))
}

/// The data to deliver, nothing if the record is dropped.
fn judge(verdict: Option<Option<Verdict>>) -> Result<Option<Bytes>, Failure> {
    let Some(verdict) = verdict else {
        let message = "The Lambda function did not return a result for the record ID";
        return Err(Failure::new("Lambda.MissingRecordId", message));
    };
    let Some(verdict) = verdict else {
        let message = "The Lambda function returned more than one result for the record ID";
        return Err(Failure::new("Lambda.DuplicatedRecordId", message));
    };
    match (verdict.result.as_str(), verdict.data) {
        ("Ok", Some(data)) => {
            let data = STANDARD.decode(data).map_err(|_| unreadable("the data of a record is not base64"))?;
            Ok(Some(data.into()))
        }
        ("Ok", None) => Err(unreadable("a record that is Ok has no data")),
        ("Dropped", _) => Ok(None),
        ("ProcessingFailed", _) => {
            let message = "ProcessingFailed status set for record";
            Err(Failure::new("Lambda.ProcessingFailedStatus", message))
        }
        (other, _) => Err(unreadable(&format!("{other} is not a result"))),
    }
}

fn failed_line(ctx: &Ctx, lambda: &Lambda, record: &Record, attempts: u32, failure: &Failure) -> Bytes {
    let line = json!({
        "attemptsMade": attempts,
        "arrivalTimestamp": record.arrival_ms,
        "errorCode": failure.code,
        "errorMessage": failure.message,
        "attemptEndingTimestamp": ctx.now().timestamp_millis(),
        "rawData": STANDARD.encode(&record.data),
        "lambdaArn": lambda.arn,
    });
    format!("{line}\n").into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn batches_keep_order_and_limits(sizes in prop::collection::vec(0_usize..400, 0..60), limit in 100_usize..1000) {
            let record = |(sequence, size): (usize, &usize)| Record {
                sequence: sequence as u64, arrival_ms: 0, key: Bytes::new(), data: vec![0; *size].into(),
            };
            let records: Vec<_> = sizes.iter().enumerate().map(record).collect();
            let batches = batches(&records, limit);
            prop_assert_eq!(&batches.concat(), &records);
            for batch in batches {
                let size: usize = batch.iter().map(|record| record.data.len()).sum();
                prop_assert!(!batch.is_empty() && (size <= limit || batch.len() == 1));
            }
        }
    }

    #[test]
    fn many_small_records_do_not_make_a_payload_too_large() {
        let record = Record { sequence: 0, arrival_ms: 0, key: Bytes::new(), data: Bytes::from_static(b"ten bytes.") };
        let records = vec![record; 100_000];
        let largest = batches(&records, 3 << 20).iter().map(|batch| batch.len()).max().unwrap();
        assert!(largest * (16 + ENTRY_OVERHEAD) < MAX_PAYLOAD);
    }
}
