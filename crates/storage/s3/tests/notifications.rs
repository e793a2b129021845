//! What buckets tell, to a function and a bus that remember it.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use boathouse_aws::access::{AccessRequest, Authorizer, Credential, CredentialError, CredentialStore};
use boathouse_aws::service::Access;
use boathouse_aws::{AwsError, Ctx, Dispatcher, Platform, Principal, Protocol, ServiceTable, SystemClock};
use boathouse_objects::{Objects, Options};
use boathouse_s3::Background;
use serde_json::{Value, json};

struct Everybody;

impl Authorizer for Everybody {
    fn authorize(&self, _: &Ctx, _: &AccessRequest<'_>) -> Result<(), AwsError> {
        Ok(())
    }
}

impl CredentialStore for Everybody {
    fn find(&self, _: &str, _: Option<&str>) -> Result<Credential, CredentialError> {
        Err(CredentialError::Unknown)
    }
}

/// The destinations: what they heard, and what they answer next.
#[derive(Default)]
struct Ears {
    heard: Mutex<Vec<Value>>,
    answers: Mutex<Vec<AwsError>>,
    tested: Mutex<Vec<String>>,
}

impl Ears {
    fn hear(&self, message: Value) -> Result<Value, AwsError> {
        if let Some(error) = self.answers.lock().unwrap().pop() {
            return Err(error);
        }
        self.heard.lock().unwrap().push(message);
        Ok(json!({"StatusCode": 202, "FailedEntryCount": 0}))
    }

    async fn invoke(ctx: Ctx, ears: Arc<Self>, input: Value) -> Result<Value, AwsError> {
        assert_eq!(ctx.principal.arn, "s3.amazonaws.com");
        let source = ctx.source_arn.as_deref().unwrap().to_owned();
        if input["InvocationType"] == "DryRun" {
            ears.tested.lock().unwrap().push(format!("{} {source}", input["FunctionName"].as_str().unwrap()));
            let refusal = ears.answers.lock().unwrap().pop();
            return refusal.map_or(Ok(json!({"StatusCode": 204})), Err);
        }
        let payload = STANDARD.decode(input["Payload"].as_str().unwrap()).unwrap();
        ears.hear(serde_json::from_slice(&payload).unwrap())
    }

    async fn put_events(_: Ctx, ears: Arc<Self>, input: Value) -> Result<Value, AwsError> {
        ears.hear(input["Entries"][0].clone())
    }
}

impl Ears {
    async fn send_message(ctx: Ctx, ears: Arc<Self>, input: Value) -> Result<Value, AwsError> {
        assert_eq!((&*ctx.principal.arn, ctx.source_arn.as_deref()), ("s3.amazonaws.com", Some("arn:aws:s3:::raw")));
        assert_eq!(input["QueueUrl"], "https://sqs.us-east-1.amazonaws.com/000000000000/q");
        ears.hear(serde_json::from_str(input["MessageBody"].as_str().unwrap()).unwrap())
    }
}

struct Scene {
    ctx: Ctx,
    ears: Arc<Ears>,
    background: Background,
}

impl Scene {
    fn open(directory: &Path) -> Self {
        let objects = Objects::open(directory, &Options::default()).unwrap();
        let s3 =
            boathouse_s3::install(objects, Arc::new(Everybody), Arc::new(Everybody), boathouse_s3::Options::default());
        let ears = Arc::new(Ears::default());
        let lambda = ServiceTable::new("lambda", Protocol::RestJson);
        let lambda = lambda.operation("Invoke", Access::InHandler, &ears, Ears::invoke);
        let events = ServiceTable::new("events", Protocol::AwsJson { version: "1.1", target_prefix: "AWSEvents" });
        let events = events.operation("PutEvents", Access::InHandler, &ears, Ears::put_events);
        let dispatcher = Dispatcher::default();
        let sqs = ServiceTable::new("sqs", Protocol::AwsJson { version: "1.0", target_prefix: "AmazonSQS" });
        let sqs = sqs.operation("SendMessage", Access::InHandler, &ears, Ears::send_message);
        dispatcher.install(vec![s3.table, lambda, events, sqs], Arc::new(Everybody));
        let platform = Platform::new(dispatcher, Arc::new(SystemClock), "us-east-1");
        Self { ctx: platform.context(Arc::new(Principal::root())), ears, background: s3.background }
    }

    async fn call(&self, operation: &str, input: Value) -> Result<Value, AwsError> {
        self.ctx.call("s3", operation, input).await
    }

    async fn bucket(&self, configuration: Value) {
        self.call("CreateBucket", json!({"Bucket": "raw"})).await.unwrap();
        self.configure(configuration).await.unwrap();
    }

    async fn configure(&self, configuration: Value) -> Result<Value, AwsError> {
        let input = json!({"Bucket": "raw", "NotificationConfiguration": configuration});
        self.call("PutBucketNotificationConfiguration", input).await
    }

    async fn put(&self, key: &str) {
        self.call("PutObject", json!({"Bucket": "raw", "Key": key, "Body": "body"})).await.unwrap();
    }

    async fn heard(&self, count: usize) -> Vec<Value> {
        for _ in 0..3000 {
            if self.ears.heard.lock().unwrap().len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.ears.heard.lock().unwrap().clone()
    }
}

const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

fn functions(events: &[&str], prefix: &str) -> Value {
    let filter = json!({"Key": {"FilterRules": [{"Name": "prefix", "Value": prefix}]}});
    json!({"LambdaFunctionConfigurations": [{"Id": "one", "LambdaFunctionArn": ARN, "Events": events, "Filter": filter}]})
}

#[tokio::test]
async fn functions_and_the_bus_hear_what_they_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let scene = Scene::open(dir.path());
    scene.background.start(&scene.ctx.platform);
    let mut configuration = functions(&["s3:ObjectCreated:*"], "in/");
    scene.bucket(configuration.clone()).await;
    assert_eq!(*scene.ears.tested.lock().unwrap(), [format!("{ARN} arn:aws:s3:::raw")]);
    assert_eq!(
        scene.call("GetBucketNotificationConfiguration", json!({"Bucket": "raw"})).await.unwrap(),
        configuration
    );
    scene.put("out/a").await;
    scene.put("in/a b").await;
    let heard = scene.heard(1).await;
    let record = &heard[0]["Records"][0];
    assert_eq!((&record["eventName"], &record["s3"]["configurationId"]), (&json!("ObjectCreated:Put"), &json!("one")));
    assert_eq!((&record["s3"]["object"]["key"], &record["s3"]["object"]["size"]), (&json!("in/a+b"), &json!(4)));
    configuration["EventBridgeConfiguration"] = json!({});
    scene.configure(configuration.clone()).await.unwrap();
    assert_eq!(
        scene.call("GetBucketNotificationConfiguration", json!({"Bucket": "raw"})).await.unwrap(),
        configuration
    );
    scene.call("DeleteObject", json!({"Bucket": "raw", "Key": "out/a"})).await.unwrap();
    let heard = scene.heard(2).await;
    assert_eq!((&heard[1]["Source"], &heard[1]["DetailType"]), (&json!("aws.s3"), &json!("Object Deleted")));
    scene.configure(json!({})).await.unwrap();
    assert_eq!(scene.call("GetBucketNotificationConfiguration", json!({"Bucket": "raw"})).await.unwrap(), json!({}));
    scene.put("in/b").await;
    scene.configure(functions(&["s3:ObjectCreated:Put"], "in/c")).await.unwrap();
    scene.put("in/c").await;
    let heard = scene.heard(3).await;
    assert_eq!(heard[2]["Records"][0]["s3"]["object"]["key"], "in/c", "in/b was nobody's business");
}

fn queues(prefix: &str) -> Value {
    let filter = json!({"Key": {"FilterRules": [{"Name": "prefix", "Value": prefix}]}});
    let arn = "arn:aws:sqs:us-east-1:000000000000:q";
    let events = ["s3:ObjectCreated:*"];
    json!({"QueueConfigurations": [{"Id": "two", "QueueArn": arn, "Events": events, "Filter": filter}]})
}

#[tokio::test]
async fn queues_hear_of_changes_after_a_test() {
    let dir = tempfile::tempdir().unwrap();
    let scene = Scene::open(dir.path());
    scene.background.start(&scene.ctx.platform);
    scene.bucket(queues("in/")).await;
    let kept = scene.call("GetBucketNotificationConfiguration", json!({"Bucket": "raw"})).await.unwrap();
    assert_eq!(kept, queues("in/"));
    scene.put("out/a").await;
    scene.put("in/a").await;
    let heard = scene.heard(2).await;
    assert_eq!((&heard[0]["Event"], &heard[0]["Bucket"]), (&json!("s3:TestEvent"), &json!("raw")));
    let record = &heard[1]["Records"][0];
    assert_eq!((&record["s3"]["object"]["key"], &record["s3"]["configurationId"]), (&json!("in/a"), &json!("two")));
}

#[tokio::test]
async fn what_fails_is_told_again_and_what_is_refused_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let scene = Scene::open(dir.path());
    scene.bucket(functions(&["s3:ObjectCreated:*"], "")).await;
    scene.ears.answers.lock().unwrap().push(AwsError::internal("not now"));
    scene.background.start(&scene.ctx.platform);
    scene.put("later").await;
    assert_eq!(scene.heard(1).await[0]["Records"][0]["s3"]["object"]["key"], "later");
    scene.ears.answers.lock().unwrap().push(AwsError::access_denied("never"));
    scene.put("refused").await;
    while !scene.ears.answers.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    scene.put("next").await;
    let heard = scene.heard(2).await;
    assert_eq!((heard.len(), &heard[1]["Records"][0]["s3"]["object"]["key"]), (2, &json!("next")));
}

#[tokio::test]
async fn what_an_earlier_process_left_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let scene = Scene::open(dir.path());
    scene.bucket(functions(&["s3:ObjectCreated:*"], "")).await;
    for key in ["a", "b", "c"] {
        scene.put(key).await;
    }
    drop(scene);
    let scene = Scene::open(dir.path());
    scene.background.start(&scene.ctx.platform);
    assert_eq!(scene.heard(3).await.len(), 3);
}

#[tokio::test]
async fn destinations_are_tested_and_others_refused() {
    let dir = tempfile::tempdir().unwrap();
    let scene = Scene::open(dir.path());
    scene.bucket(json!({})).await;
    scene.ears.answers.lock().unwrap().push(AwsError::access_denied("no"));
    let error = scene.configure(functions(&["s3:ObjectCreated:*"], "")).await.unwrap_err();
    assert_eq!(error.code, "InvalidArgument");
    assert_eq!(error.message, "Unable to validate the following destination configurations");
    assert!(error.details.iter().any(|(_, value)| value.as_str().unwrap_or_default().contains("Not authorized")));
    scene.ears.answers.lock().unwrap().push(AwsError::access_denied("no"));
    let input = json!({"Bucket": "raw", "NotificationConfiguration": functions(&["s3:ObjectCreated:*"], ""),
        "SkipDestinationValidation": true});
    scene.call("PutBucketNotificationConfiguration", input).await.unwrap();
    for (code, reason) in [("AccessDeniedException", "do not allow S3"), ("QueueDoesNotExist", "does not exist")] {
        scene.ears.answers.lock().unwrap().push(AwsError::bad_request(code, "no"));
        let error = scene.configure(queues("")).await.unwrap_err();
        assert_eq!(error.code, "InvalidArgument");
        assert!(
            error.details.iter().any(|(_, value)| value.as_str().unwrap_or_default().contains(reason)),
            "{error:?}"
        );
    }
    let topic = json!({"TopicArn": "arn:aws:sns:us-east-1:000000000000:t", "Events": ["s3:ObjectCreated:*"]});
    let error = scene.configure(json!({"TopicConfigurations": [topic]})).await.unwrap_err();
    assert!(error.code == "NotImplemented" && error.message.contains("SNS"), "{error}");
    let missing = json!({"Bucket": "none", "NotificationConfiguration": {}});
    assert_eq!(scene.call("PutBucketNotificationConfiguration", missing).await.unwrap_err().code, "NoSuchBucket");
}
