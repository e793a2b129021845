//! Whole streams over buckets in memory and a function made here, by a clock that the tests move.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use boathouse_aws::access::{AccessRequest, Authorizer, ServiceRoles};
use boathouse_aws::clock::ManualClock;
use boathouse_aws::service::Access;
use boathouse_aws::stores::ObjectStores;
use boathouse_aws::{AwsError, Clock, Ctx, Dispatcher, Platform, Principal, Protocol, ServiceTable};
use boathouse_journal::{Journal, Options};
use boathouse_metadata::Metadata;
use chrono::TimeDelta;
use futures::TryStreamExt as _;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt as _};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::{Deps, Firehose, worker};

const ROLE: &str = "arn:aws:iam::000000000000:role/deliver";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:upper";

struct Anyone;

impl Authorizer for Anyone {
    fn authorize(&self, _: &Ctx, request: &AccessRequest<'_>) -> Result<(), AwsError> {
        match request.resource.contains("secret") {
            true => Err(AwsError::access_denied(request.action)),
            false => Ok(()),
        }
    }
}

impl ServiceRoles for Anyone {
    fn assume_for_service(&self, role: &str, _: &str, session: &str) -> Result<Arc<Principal>, AwsError> {
        match role.contains("stranger") {
            true => Err(AwsError::access_denied("no trust")),
            false => Ok(Arc::new(Principal::assumed_role("deliver", "AROA", session, None))),
        }
    }
}

#[derive(Clone, Default)]
struct Buckets(Arc<Mutex<HashMap<String, Arc<InMemory>>>>);

impl ObjectStores for Buckets {
    fn bucket(&self, _: &Ctx, bucket: &str) -> Result<Arc<dyn ObjectStore>, AwsError> {
        let found = self.0.lock().get(bucket).cloned();
        found.map(|found| found as Arc<dyn ObjectStore>).ok_or_else(|| AwsError::bad_request("NoSuchBucket", "none"))
    }
}

impl Buckets {
    fn add(&self, name: &str) {
        self.0.lock().insert(name.to_owned(), Arc::default());
    }

    async fn objects(&self, name: &str) -> Vec<(String, String)> {
        let bucket = self.0.lock().get(name).cloned().unwrap();
        let mut found = Vec::new();
        for meta in bucket.list(None).try_collect::<Vec<_>>().await.unwrap() {
            let bytes = bucket.get(&meta.location).await.unwrap().bytes().await.unwrap();
            found.push((meta.location.to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
        found.sort();
        found
    }
}

/// A function that makes text upper case, drops what is `drop`, and fails in the ways that records name.
async fn upper(_: Ctx, calls: Arc<Mutex<usize>>, input: Value) -> Result<Value, AwsError> {
    *calls.lock() += 1;
    let event: Value = serde_json::from_slice(&STANDARD.decode(input["Payload"].as_str().unwrap()).unwrap()).unwrap();
    let mut records = Vec::new();
    for record in event["records"].as_array().unwrap() {
        let id = record["recordId"].as_str().unwrap();
        let data = String::from_utf8(STANDARD.decode(record["data"].as_str().unwrap()).unwrap()).unwrap();
        match data.as_str() {
            "crash" => return Ok(json!({"FunctionError": "Unhandled", "Payload": STANDARD.encode("{}")})),
            "throttle" => return Err(AwsError::bad_request("TooManyRequestsException", "slow down")),
            "drop" => records.push(json!({"recordId": id, "result": "Dropped"})),
            "fail" => records.push(json!({"recordId": id, "result": "ProcessingFailed", "data": ""})),
            "forget" => {}
            text => {
                let data = STANDARD.encode(text.to_uppercase());
                records.push(json!({"recordId": id, "result": "Ok", "data": data}));
            }
        }
    }
    Ok(json!({"StatusCode": 200, "Payload": STANDARD.encode(json!({"records": records}).to_string())}))
}

struct World {
    ctx: Ctx,
    buckets: Buckets,
    clock: Arc<ManualClock>,
    calls: Arc<Mutex<usize>>,
    firehose: Arc<Firehose>,
}

fn world(dir: &Path, buckets: &Buckets) -> World {
    let clock = Arc::new(ManualClock::new("2024-02-29T23:30:00Z".parse().unwrap()));
    let firehose = Arc::new(Firehose::new(Deps {
        metadata: Metadata::open(&dir.join("metadata.db")).unwrap(),
        journal: Journal::open(&dir.join("journal"), &Options::default()).unwrap(),
        stores: Arc::new(buckets.clone()),
        roles: Arc::new(Anyone),
        authorizer: Arc::new(Anyone),
        spool: dir.join("spool"),
    }));
    let calls = Arc::new(Mutex::new(0));
    let lambda = ServiceTable::new("lambda", Protocol::AwsJson { version: "1.1", target_prefix: "L" });
    let lambda = lambda.operation("Invoke", Access::Free, &calls, upper);
    let dispatcher = Dispatcher::default();
    dispatcher.install(vec![crate::service(&firehose), lambda], Arc::new(Anyone));
    let platform = Platform::new(dispatcher, Arc::clone(&clock) as Arc<dyn Clock>, "us-east-1");
    worker::recover(&platform, &firehose).unwrap();
    let ctx = platform.context(Arc::new(Principal::root()));
    World { ctx, buckets: buckets.clone(), clock, calls, firehose }
}

impl World {
    async fn call(&self, operation: &str, input: Value) -> Result<Value, AwsError> {
        self.ctx.call("firehose", operation, input).await
    }

    async fn create(&self, destination: Value) -> Result<Value, AwsError> {
        let mut settings = json!({"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::landing"});
        settings.as_object_mut().unwrap().extend(destination.as_object().unwrap().clone());
        let input = json!({"DeliveryStreamName": "s", "ExtendedS3DestinationConfiguration": settings});
        self.call("CreateDeliveryStream", input).await
    }

    async fn put(&self, texts: &[&str]) -> Value {
        let records: Vec<_> = texts.iter().map(|text| json!({"Data": STANDARD.encode(text)})).collect();
        self.call("PutRecordBatch", json!({"DeliveryStreamName": "s", "Records": records})).await.unwrap()
    }

    async fn objects(&self, bucket: &str, count: usize) -> Vec<(String, String)> {
        for _ in 0..2000 {
            let found = self.buckets.objects(bucket).await;
            if found.len() >= count {
                return found;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("there are only {:?}", self.buckets.objects(bucket).await);
    }

    async fn described(&self) -> Value {
        let described = self.call("DescribeDeliveryStream", json!({"DeliveryStreamName": "s"})).await.unwrap();
        described["DeliveryStreamDescription"].clone()
    }
}

fn hints(seconds: u64) -> Value {
    json!({"SizeInMBs": 1, "IntervalInSeconds": seconds})
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_delivered_when_it_is_time_and_when_there_are_enough() {
    let (dir, buckets) = (tempfile::tempdir().unwrap(), Buckets::default());
    buckets.add("landing");
    let world = world(dir.path(), &buckets);
    world.create(json!({"BufferingHints": hints(60)})).await.unwrap();
    world.put(&["a", "b"]).await;
    world.clock.advance(TimeDelta::seconds(59));
    world.put(&["c"]).await;
    assert_eq!(buckets.objects("landing").await, []);
    world.clock.advance(TimeDelta::seconds(1));
    let found = world.objects("landing", 1).await;
    assert_eq!(found[0].1, "abc");
    assert!(found[0].0.starts_with("2024/02/29/23/s-1-2024-02-29-23-30-00-"), "{}", found[0].0);
    let large = "x".repeat(700_000);
    world.put(&[&large, &large]).await;
    let found = world.objects("landing", 2).await;
    assert_eq!(found[1].1.len(), 700_000, "no object is larger than the buffer");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_and_what_was_decided_is_delivered_after_a_restart() {
    let (dir, buckets) = (tempfile::tempdir().unwrap(), Buckets::default());
    let first = world(dir.path(), &buckets);
    first.create(json!({"BufferingHints": hints(0), "CompressionFormat": "UNCOMPRESSED"})).await.unwrap();
    first.put(&["a"]).await;
    // Decided, and not delivered: there is no bucket.
    while first.firehose.live("s").unwrap().trouble.lock().is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(first.described().await["FailureDescription"]["Details"], "S3.NoSuchBucket: none");
    first.put(&["b", "c"]).await;
    let copy = tempfile::tempdir().unwrap();
    let stream = first.firehose.stream("s").unwrap();
    let intent = first.firehose.progress(stream.id).unwrap().intent.unwrap();
    assert_eq!((intent.first, intent.end), (0, 1));
    std::fs::create_dir(copy.path().join("journal")).unwrap();
    copy_all(dir.path(), copy.path());
    buckets.add("landing");
    let second = world(copy.path(), &buckets);
    let found = second.objects("landing", 2).await;
    let mut bodies: Vec<_> = found.iter().map(|(_, body)| body.as_str()).collect();
    bodies.sort_unstable();
    assert_eq!(bodies, ["a", "bc"]);
    assert!(found.iter().any(|(key, _)| *key == intent.key), "under the name that was decided");
}

/// Copies what a kill would leave.
fn copy_all(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => {
                std::fs::create_dir_all(&target).unwrap();
                copy_all(&entry.path(), &target);
            }
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_helps_a_stream_out_of_a_missing_bucket() {
    let (dir, buckets) = (tempfile::tempdir().unwrap(), Buckets::default());
    buckets.add("other");
    let world = world(dir.path(), &buckets);
    world.create(json!({"BufferingHints": hints(0)})).await.unwrap();
    world.put(&["a"]).await;
    let update = json!({
        "DeliveryStreamName": "s", "CurrentDeliveryStreamVersionId": "1", "DestinationId": "destinationId-000000000001",
        "ExtendedS3DestinationUpdate": {"BucketARN": "arn:aws:s3:::other", "Prefix": "in/"},
    });
    world.call("UpdateDestination", update.clone()).await.unwrap();
    let error = world.call("UpdateDestination", update).await.unwrap_err();
    assert_eq!(error.code, "ConcurrentModificationException");
    let found = world.objects("other", 1).await;
    assert!(found[0].0.starts_with("in/2024/02/29/23/s-2-") && found[0].1 == "a", "{found:?}");
    assert_eq!(world.described().await["VersionId"], "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_are_too_old_are_given_up() {
    let (dir, buckets) = (tempfile::tempdir().unwrap(), Buckets::default());
    let world = world(dir.path(), &buckets);
    world.create(json!({"BufferingHints": hints(0)})).await.unwrap();
    world.put(&["old"]).await;
    while world.firehose.live("s").unwrap().trouble.lock().is_none() {
        tokio::task::yield_now().await;
    }
    world.clock.advance(TimeDelta::hours(24) + TimeDelta::seconds(1));
    while world.firehose.live("s").unwrap().trouble.lock().is_some() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    buckets.add("landing");
    world.put(&["new"]).await;
    assert_eq!(world.objects("landing", 1).await[0].1, "new");
}

fn transforming(retries: &str) -> Value {
    let parameter = |name, value| json!({"ParameterName": name, "ParameterValue": value});
    let parameters = [parameter("LambdaArn", FUNCTION), parameter("NumberOfRetries", retries)];
    let delimiter = json!({"Type": "AppendDelimiterToRecord", "Parameters": [parameter("Delimiter", "\\n")]});
    let processors = json!([{"Type": "Lambda", "Parameters": parameters}, delimiter]);
    json!({"BufferingHints": hints(10), "ProcessingConfiguration": {"Enabled": true, "Processors": processors}})
}

#[tokio::test(flavor = "multi_thread")]
async fn records_go_through_the_function_and_failures_to_the_error_prefix() {
    let (dir, buckets) = (tempfile::tempdir().unwrap(), Buckets::default());
    buckets.add("landing");
    let world = world(dir.path(), &buckets);
    world.create(transforming("0")).await.unwrap();
    world.put(&["one", "drop", "fail", "forget", "two"]).await;
    world.clock.advance(TimeDelta::seconds(10));
    let found = world.objects("landing", 2).await;
    assert_eq!(found[0].1, "ONE\nTWO\n");
    assert!(found[1].0.starts_with("processing-failed/2024/02/29/23/s-1-"), "{}", found[1].0);
    let failures: Vec<Value> = found[1].1.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = failures.iter().map(|it| (it["errorCode"].as_str().unwrap(), it["rawData"].clone())).collect();
    assert_eq!(
        told,
        [
            ("Lambda.ProcessingFailedStatus", json!(STANDARD.encode("fail"))),
            ("Lambda.MissingRecordId", json!(STANDARD.encode("forget")))
        ]
    );
    assert_eq!((&failures[0]["attemptsMade"], &failures[0]["lambdaArn"]), (&json!(1), &json!(FUNCTION)));
    while std::fs::read_dir(dir.path().join("spool")).unwrap().count() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_fails_is_asked_again_and_then_its_records_go_to_the_error_prefix() {
    let (dir, buckets) = (tempfile::tempdir().unwrap(), Buckets::default());
    buckets.add("landing");
    let world = world(dir.path(), &buckets);
    world.create(transforming("2")).await.unwrap();
    world.put(&["one", "crash"]).await;
    world.clock.advance(TimeDelta::seconds(10));
    let found = world.objects("landing", 1).await;
    let failures: Vec<Value> = found[0].1.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(failures.len(), 2, "the whole invocation failed");
    assert!(failures.iter().all(|it| it["errorCode"] == "Lambda.FunctionError" && it["attemptsMade"] == 3));
    assert_eq!(*world.calls.lock(), 3);
    world.put(&["throttle"]).await;
    world.clock.advance(TimeDelta::seconds(10));
    let found = world.objects("landing", 2).await;
    assert!(found.iter().any(|(_, body)| body.contains("Lambda.InvokeLimitExceeded")));
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_must_be_passable_and_trust_firehose() {
    let (dir, buckets) = (tempfile::tempdir().unwrap(), Buckets::default());
    let world = world(dir.path(), &buckets);
    let role = |name: &str| json!({"RoleARN": format!("arn:aws:iam::000000000000:role/{name}")});
    assert_eq!(world.create(role("secret")).await.unwrap_err().code, "AccessDeniedException");
    let error = world.create(role("stranger")).await.unwrap_err();
    assert_eq!(error.code, "InvalidArgumentException");
    assert!(error.message.contains("unable to assume role"));
    assert!(world.described_error().await.contains("not found"));
}

impl World {
    async fn described_error(&self) -> String {
        self.call("DescribeDeliveryStream", json!({"DeliveryStreamName": "s"})).await.unwrap_err().message
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_stream_discards_what_it_has_and_its_name_is_free() {
    let (dir, buckets) = (tempfile::tempdir().unwrap(), Buckets::default());
    buckets.add("landing");
    let world = world(dir.path(), &buckets);
    world.create(json!({"BufferingHints": hints(60)})).await.unwrap();
    assert_eq!(world.create(json!({})).await.unwrap_err().code, "ResourceInUseException");
    world.put(&["lost"]).await;
    world.call("DeleteDeliveryStream", json!({"DeliveryStreamName": "s"})).await.unwrap();
    assert!(world.described_error().await.contains("not found"));
    world.create(json!({"BufferingHints": hints(60)})).await.unwrap();
    world.put(&["kept"]).await;
    world.clock.advance(TimeDelta::seconds(60));
    assert_eq!(world.objects("landing", 1).await[0].1, "kept");
}
