//! What arrives: departures through the stream, files through the API, until all of it lies in landing.

use std::io::Read;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use flate2::read::{GzDecoder, MultiGzDecoder};
use serde_json::{Value, json};

use super::DemoError;
use super::client::{Client, POLL};
use super::deploy::Stack;
use super::records::Records;

/// The most records that one PutRecordBatch takes.
const BATCH: usize = 500;
/// Files above this go by a presigned address.
const SMALL: usize = 100_000;
/// How long deliveries may take before something must be wrong.
const PATIENCE: Duration = Duration::from_secs(60);

const FILES: [(&str, &[u8]); 4] = [
    ("weather", include_bytes!("../../../../examples/nyc-flights/data/weather.csv.gz")),
    ("airports", include_bytes!("../../../../examples/nyc-flights/data/airports.csv.gz")),
    ("planes", include_bytes!("../../../../examples/nyc-flights/data/planes.csv.gz")),
    ("airlines", include_bytes!("../../../../examples/nyc-flights/data/airlines.csv.gz")),
];

/// Puts all records into the stream; those that it refuses for the moment once more.
pub(super) async fn stream(client: &Client, stack: &Stack) -> Result<((), String), DemoError> {
    let (records, name) = (Records::read()?, stack.output("Stream")?);
    for batch in records.lines.chunks(BATCH) {
        let mut waiting: Vec<&String> = batch.iter().collect();
        while !waiting.is_empty() {
            let data: Vec<Value> = waiting.iter().map(|line| json!({"Data": BASE64.encode(line)})).collect();
            let input = json!({"DeliveryStreamName": name, "Records": data});
            let answer = client.json("firehose", "PutRecordBatch", input).await?;
            let refused = |number: usize| !answer["RequestResponses"][number]["ErrorCode"].is_null();
            waiting =
                waiting.into_iter().enumerate().filter(|(number, _)| refused(*number)).map(|(_, line)| line).collect();
        }
    }
    let extra = records.lines.len() - records.departures;
    Ok(((), format!("{} departures, and {extra} records that are broken or repeated", records.departures)))
}

/// Sends the files: small ones in a request's body, large ones to an address that the API hands out.
pub(super) async fn upload(client: &Client, stack: &Stack) -> Result<((), String), DemoError> {
    let api = stack.output("Uploads")?;
    let (mut bytes, mut presigned) = (0, 0);
    for (name, packed) in FILES {
        let mut text = Vec::new();
        GzDecoder::new(packed).read_to_end(&mut text)?;
        bytes += text.len();
        if text.len() <= SMALL {
            client.api(api, &format!("/uploads/{name}"), text.into()).await?;
            continue;
        }
        presigned += 1;
        let answer = client.api(api, &format!("/uploads/{name}/url"), Bytes::new()).await?;
        let answer: Value = serde_json::from_slice(&answer).map_err(|error| DemoError::Client(error.to_string()))?;
        client.put_presigned(answer["url"].as_str().unwrap_or_default(), text.into()).await?;
    }
    let megabytes = bytes as f64 / 1e6;
    Ok(((), format!("{} CSV files, {megabytes:.1} MB, {presigned} of them by presigned addresses", FILES.len())))
}

/// Waits until every record of the stream has been delivered: they are counted in the delivered files.
pub(super) async fn land(client: &Client, stack: &Stack) -> Result<((), String), DemoError> {
    let (expected, bucket) = (Records::read()?.lines.len(), stack.output("LandingBucket")?);
    let (mut seen, mut delivered) = (std::collections::BTreeSet::new(), 0);
    let started = Instant::now();
    while delivered < expected {
        for key in client.list(bucket, "flights/").await? {
            if seen.insert(key.clone()) {
                delivered += lines(&client.get(&format!("{bucket}/{key}")).await?)?;
            }
        }
        if started.elapsed() > PATIENCE {
            let reason = format!("{delivered} of {expected} records were delivered within {} s", PATIENCE.as_secs());
            return Err(DemoError::Failed { what: "the delivery".into(), reason });
        }
        tokio::time::sleep(POLL).await;
    }
    if delivered > expected {
        let reason = format!("{delivered} records were delivered, though only {expected} were sent");
        return Err(DemoError::Failed { what: "the delivery".into(), reason });
    }
    Ok(((), format!("{delivered} records in {} files in s3://{bucket}/flights/", seen.len())))
}

fn lines(packed: &[u8]) -> Result<usize, DemoError> {
    let mut text = Vec::new();
    MultiGzDecoder::new(packed).read_to_end(&mut text)?;
    Ok(text.iter().filter(|byte| **byte == b'\n').count())
}
