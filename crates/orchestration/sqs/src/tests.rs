//! The service by its operations, with a clock that is moved by hand and the platform's real judge.

use std::sync::Arc;

use boathouse_aws::{AwsError, Clock, Ctx, Dispatcher, ManualClock, Platform, Principal};
use boathouse_identity::{Identity, iam_service};
use boathouse_metadata::Metadata;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{Sqs, service, sweeper};

struct Bench {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
    platform: Platform,
    state: Arc<Sqs>,
}

fn open(dir: tempfile::TempDir, clock: Arc<ManualClock>) -> Bench {
    let metadata = Metadata::open(&dir.path().join("metadata.db")).unwrap();
    let platform = Platform::new(Dispatcher::default(), Arc::clone(&clock) as _, "us-east-1");
    let identity = Identity::open(metadata.clone(), dir.path(), Vec::new(), Arc::clone(&clock) as _, false).unwrap();
    let state = Arc::new(Sqs::new(metadata, Arc::clone(&identity) as _));
    platform.dispatcher.install(vec![service(&state), iam_service(&identity)], identity);
    Bench { dir, clock, platform, state }
}

fn bench() -> Bench {
    let start: DateTime<Utc> = "2026-03-01T00:00:00Z".parse().unwrap();
    open(tempfile::tempdir().unwrap(), Arc::new(ManualClock::new(start)))
}

fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:us-east-1:000000000000:{queue}")
}

fn bodies(answer: &Value) -> Vec<&str> {
    answer["Messages"].as_array().into_iter().flatten().map(|message| message["Body"].as_str().unwrap()).collect()
}

impl Bench {
    fn ctx(&self) -> Ctx {
        self.platform.context(Arc::new(Principal::root()))
    }

    async fn try_call(&self, operation: &str, input: Value) -> Result<Value, AwsError> {
        self.ctx().call("sqs", operation, input).await
    }

    async fn call(&self, operation: &str, input: Value) -> Value {
        self.try_call(operation, input).await.unwrap()
    }

    async fn refused(&self, operation: &str, input: Value) -> AwsError {
        self.try_call(operation, input).await.unwrap_err()
    }

    async fn create(&self, name: &str, attributes: Value) -> String {
        let created = self.call("CreateQueue", json!({"QueueName": name, "Attributes": attributes})).await;
        created["QueueUrl"].as_str().unwrap().to_owned()
    }

    async fn send(&self, url: &str, body: &str, more: Value) -> Value {
        let mut input = json!({"QueueUrl": url, "MessageBody": body});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.call("SendMessage", input).await
    }

    async fn grouped(&self, url: &str, group: &str, body: &str) {
        self.send(url, body, json!({"MessageGroupId": group, "MessageDeduplicationId": format!("{group}-{body}")}))
            .await;
    }

    async fn receive(&self, url: &str) -> Value {
        self.call("ReceiveMessage", json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "AttributeNames": ["All"]}))
            .await
    }

    async fn delete(&self, url: &str, message: &Value) -> Result<Value, AwsError> {
        self.try_call("DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]})).await
    }

    async fn counts(&self, url: &str) -> [String; 3] {
        let answer = self.call("GetQueueAttributes", json!({"QueueUrl": url, "AttributeNames": ["All"]})).await;
        ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
            .map(|name| answer["Attributes"][name].as_str().unwrap().to_owned())
    }

    fn later(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
    }

    /// What is there after the process has ended.
    fn reopened(self) -> Self {
        let Self { dir, clock, .. } = self;
        open(dir, clock)
    }
}

#[tokio::test]
async fn a_message_is_sent_received_and_deleted() {
    let bench = bench();
    let url = bench.create("q", json!({})).await;
    let sent = bench.send(&url, "hello", json!({})).await;
    assert_eq!(sent["MD5OfMessageBody"], "5d41402abc4b2a76b9719d911017c592");
    let answer = bench.receive(&url).await;
    let message = &answer["Messages"][0];
    assert_eq!(message["MessageId"], sent["MessageId"]);
    assert_eq!(message["Attributes"]["ApproximateReceiveCount"], "1");
    assert_eq!(message["Attributes"]["SentTimestamp"], "1772323200000");
    assert_eq!(bench.receive(&url).await, json!({}));
    bench.delete(&url, message).await.unwrap();
    bench.later(31);
    assert_eq!(bench.receive(&url).await, json!({}));
    bench.delete(&url, message).await.unwrap();
}

#[tokio::test]
async fn a_message_comes_back_after_its_visibility_timeout_and_after_a_restart() {
    let bench = bench();
    let url = bench.create("q", json!({"VisibilityTimeout": "10"})).await;
    bench.send(&url, "m", json!({})).await;
    let first = bench.receive(&url).await;
    let bench = bench.reopened();
    bench.later(9);
    assert_eq!(bench.receive(&url).await, json!({}));
    assert_eq!(bench.counts(&url).await, ["0", "1", "0"]);
    bench.later(1);
    let second = bench.receive(&url).await;
    assert_eq!(second["Messages"][0]["Attributes"]["ApproximateReceiveCount"], "2");
    // The first receive's handle deletes nothing any more.
    bench.delete(&url, &first["Messages"][0]).await.unwrap();
    assert_eq!(bench.counts(&url).await, ["0", "1", "0"]);
    let change = |handle: &Value, timeout: i64| json!({"QueueUrl": url, "ReceiptHandle": handle["Messages"][0]["ReceiptHandle"], "VisibilityTimeout": timeout});
    assert_eq!(bench.refused("ChangeMessageVisibility", change(&first, 5)).await.code, "MessageNotInflight");
    bench.later(1);
    assert!(
        bench.refused("ChangeMessageVisibility", change(&second, 43_200)).await.message.contains("beyond the limit")
    );
    bench.call("ChangeMessageVisibility", change(&second, 0)).await;
    assert_eq!(bodies(&bench.receive(&url).await), ["m"]);
}

#[tokio::test]
async fn delays_and_retention_go_by_the_clock() {
    let bench = bench();
    let url = bench.create("q", json!({"DelaySeconds": "5", "MessageRetentionPeriod": "60"})).await;
    bench.send(&url, "later", json!({})).await;
    bench.send(&url, "now", json!({"DelaySeconds": 0})).await;
    assert_eq!(bench.counts(&url).await, ["1", "0", "1"]);
    assert_eq!(bodies(&bench.receive(&url).await), ["now"]);
    bench.later(5);
    assert_eq!(bodies(&bench.receive(&url).await), ["later"]);
    bench.later(55);
    assert_eq!(bench.receive(&url).await, json!({}));
    bench.send(&url, "swept", json!({})).await;
    bench.later(60);
    assert_eq!(bench.counts(&url).await, ["1", "0", "0"]);
    sweeper::sweep(&bench.state, bench.clock.now().timestamp_micros()).await.unwrap();
    assert_eq!(bench.counts(&url).await, ["0", "0", "0"]);
}

#[tokio::test]
async fn a_long_poll_is_woken_by_a_message_by_a_due_time_and_by_its_end() {
    let bench = Arc::new(bench());
    let url = bench.create("q", json!({"ReceiveMessageWaitTimeSeconds": "20"})).await;
    let poll = || {
        let (bench, url) = (Arc::clone(&bench), url.clone());
        tokio::spawn(async move { bench.receive(&url).await })
    };
    let waiting = poll();
    tokio::task::yield_now().await;
    bench.send(&url, "sent", json!({})).await;
    assert_eq!(bodies(&waiting.await.unwrap()), ["sent"]);
    let waiting = poll();
    bench.send(&url, "due", json!({"DelaySeconds": 10})).await;
    assert!(!waiting.is_finished());
    bench.later(10);
    assert_eq!(bodies(&waiting.await.unwrap()), ["due"]);
    let waiting = poll();
    bench.state.bells.ring("q");
    // Wherever the poll was when it started, twenty seconds end it; both messages are in flight for longer.
    while !waiting.is_finished() {
        bench.later(1);
        tokio::task::yield_now().await;
        if bench.counts(&url).await[1] != "2" {
            break;
        }
    }
    waiting.await.unwrap();
    let waiting = poll();
    let gone = tokio::spawn({
        let (bench, url) = (Arc::clone(&bench), url.clone());
        async move { bench.call("DeleteQueue", json!({"QueueUrl": url})).await }
    });
    gone.await.unwrap();
    assert!(waiting.await.unwrap_err().is_panic(), "a poll at a deleted queue is refused");
}

#[tokio::test]
async fn messages_received_too_often_go_to_the_dead_letter_queue() {
    let bench = bench();
    let dead = bench.create("dead", json!({})).await;
    let policy = json!({"deadLetterTargetArn": arn("dead"), "maxReceiveCount": 2}).to_string();
    let url = bench.create("q", json!({"RedrivePolicy": policy, "VisibilityTimeout": "1"})).await;
    let sent = bench.send(&url, "poison", json!({})).await;
    for _ in 0..2 {
        assert_eq!(bodies(&bench.receive(&url).await), ["poison"]);
        bench.later(1);
    }
    assert_eq!(bench.receive(&url).await, json!({}));
    let letters = bench.receive(&dead).await;
    let letter = &letters["Messages"][0];
    assert_eq!(letter["MessageId"], sent["MessageId"]);
    assert_eq!(letter["Attributes"]["DeadLetterQueueSourceArn"], arn("q"));
    assert_eq!(letter["Attributes"]["ApproximateReceiveCount"], "3");
    let sources = bench.call("ListDeadLetterSourceQueues", json!({"QueueUrl": dead})).await;
    assert_eq!(sources["queueUrls"], json!([url]));
    // Without its target the message stays.
    bench.call("DeleteQueue", json!({"QueueUrl": dead})).await;
    bench.send(&url, "stays", json!({})).await;
    for _ in 0..4 {
        assert_eq!(bodies(&bench.receive(&url).await), ["stays"]);
        bench.later(1);
    }
}

#[tokio::test]
async fn dead_letters_are_moved_back() {
    let bench = bench();
    let dead = bench.create("dead", json!({})).await;
    let policy = json!({"deadLetterTargetArn": arn("dead"), "maxReceiveCount": 1}).to_string();
    let url = bench.create("q", json!({"RedrivePolicy": policy, "VisibilityTimeout": "0"})).await;
    let other = bench.create("other", json!({})).await;
    let source = json!({"SourceArn": arn("dead")});
    for body in ["1", "2"] {
        bench.send(&url, body, json!({})).await;
    }
    bench.receive(&url).await;
    bench.receive(&url).await;
    assert_eq!(bench.counts(&dead).await, ["2", "0", "0"]);
    let ended = async || loop {
        let listed = bench.call("ListMessageMoveTasks", source.clone()).await;
        if listed["Results"][0]["Status"] != "RUNNING" {
            return listed["Results"][0].clone();
        }
        tokio::task::yield_now().await;
    };
    bench.call("StartMessageMoveTask", source.clone()).await;
    let task = ended().await;
    assert_eq!((&task["Status"], &task["ApproximateNumberOfMessagesMoved"]), (&json!("COMPLETED"), &json!(2)));
    let back = bench.receive(&url).await;
    assert_eq!(bodies(&back), ["1", "2"]);
    assert_eq!(back["Messages"][0]["Attributes"]["ApproximateReceiveCount"], "1");
    // What came from nowhere can only go where it is told to.
    bench.send(&dead, "stray", json!({})).await;
    bench.later(1);
    bench.call("StartMessageMoveTask", source.clone()).await;
    assert_eq!(ended().await["FailureReason"], "CouldNotDetermineMessageSource");
    bench.later(1);
    let elsewhere = json!({"SourceArn": arn("dead"), "DestinationArn": arn("other")});
    bench.call("StartMessageMoveTask", elsewhere).await;
    assert_eq!(ended().await["Status"], "COMPLETED");
    assert_eq!(bodies(&bench.receive(&other).await), ["stray"]);
    let refused = bench.refused("StartMessageMoveTask", json!({"SourceArn": arn("q")})).await;
    assert!(refused.message.contains("must be configured as a Dead Letter Queue"), "{refused}");
    let missing = bench.refused("ListMessageMoveTasks", json!({"SourceArn": arn("none")})).await;
    assert_eq!(missing.code, "ResourceNotFoundException");
    assert!(bench.try_call("CancelMessageMoveTask", json!({"TaskHandle": "none"})).await.is_err());
}

#[tokio::test]
async fn a_slow_move_goes_on_after_a_restart_and_can_be_cancelled() {
    let bench = bench();
    let dead = bench.create("dead", json!({})).await;
    let policy = json!({"deadLetterTargetArn": arn("dead"), "maxReceiveCount": 1}).to_string();
    bench.create("q", json!({"RedrivePolicy": policy})).await;
    for body in ["1", "2", "3"] {
        bench.send(&dead, body, json!({})).await;
    }
    let slow = json!({"SourceArn": arn("dead"), "DestinationArn": arn("q"), "MaxNumberOfMessagesPerSecond": 1});
    let handle = bench.call("StartMessageMoveTask", slow.clone()).await["TaskHandle"].clone();
    assert!(bench.refused("StartMessageMoveTask", slow).await.message.contains("already a task running"));
    while bench.counts(&dead).await[0] != "2" {
        tokio::task::yield_now().await;
    }
    let bench = bench.reopened();
    crate::moves::recover(&bench.platform, &bench.state).unwrap();
    while bench.counts(&dead).await[0] != "1" {
        tokio::task::yield_now().await;
    }
    let cancelled = bench.call("CancelMessageMoveTask", json!({"TaskHandle": handle})).await;
    assert_eq!(cancelled["ApproximateNumberOfMessagesMoved"], 2);
    bench.later(5);
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.counts(&dead).await[0], "1");
}

#[tokio::test]
async fn dead_letter_targets_must_be_there_of_the_same_type_and_open() {
    let bench = bench();
    bench.create("closed", json!({"RedriveAllowPolicy": r#"{"redrivePermission":"denyAll"}"#})).await;
    bench.create("d.fifo", json!({"FifoQueue": "true"})).await;
    for (target, reason) in [("missing", "does not exist"), ("d.fifo", "same type"), ("closed", "does not allow")] {
        let policy = json!({"deadLetterTargetArn": arn(target), "maxReceiveCount": 2}).to_string();
        let input = json!({"QueueName": "q", "Attributes": {"RedrivePolicy": policy}});
        let refused = bench.refused("CreateQueue", input).await;
        assert_eq!(refused.query_code, Some("InvalidParameterValue"));
        assert!(refused.message.contains(reason), "{refused}");
    }
}

#[tokio::test]
async fn groups_keep_their_order_and_do_not_wait_for_each_other() {
    let bench = bench();
    let url = bench.create("q.fifo", json!({"FifoQueue": "true"})).await;
    for (group, body) in [("a", "1"), ("a", "2"), ("b", "3")] {
        bench.grouped(&url, group, body).await;
    }
    let one = json!({"QueueUrl": url, "MaxNumberOfMessages": 1});
    let first = bench.call("ReceiveMessage", one.clone()).await;
    assert_eq!(bodies(&first), ["1"]);
    assert_eq!(bodies(&bench.call("ReceiveMessage", one.clone()).await), ["3"]);
    assert_eq!(bench.receive(&url).await, json!({}), "both groups have a message in flight");
    bench.delete(&url, &first["Messages"][0]).await.unwrap();
    assert_eq!(bodies(&bench.receive(&url).await), ["2"]);
    bench.later(30);
    let again = bench.receive(&url).await;
    assert_eq!(bodies(&again), ["2", "3"]);
    bench.later(30);
    let refused = bench.delete(&url, &again["Messages"][0]).await.unwrap_err();
    assert!(refused.message.contains("has expired"), "{refused}");
}

#[tokio::test]
async fn a_fifo_queue_takes_a_message_once_in_five_minutes() {
    let bench = bench();
    let url = bench.create("q.fifo", json!({"FifoQueue": "true", "ContentBasedDeduplication": "true"})).await;
    let group = json!({"MessageGroupId": "g"});
    let first = bench.send(&url, "m", group.clone()).await;
    let bench = bench.reopened();
    bench.later(299);
    let again = bench.send(&url, "m", group.clone()).await;
    assert_eq!((&again["MessageId"], &again["SequenceNumber"]), (&first["MessageId"], &first["SequenceNumber"]));
    bench.later(1);
    let new = bench.send(&url, "m", group).await;
    assert_ne!(new["MessageId"], first["MessageId"]);
    assert!(new["SequenceNumber"].as_str() > first["SequenceNumber"].as_str());
    assert_eq!(bodies(&bench.receive(&url).await), ["m", "m"]);
}

#[tokio::test]
async fn deduplication_by_group_and_the_delay_of_a_fifo_queue() {
    let bench = bench();
    let attributes = json!({"FifoQueue": "true", "DeduplicationScope": "messageGroup", "DelaySeconds": "60"});
    let url = bench.create("q.fifo", attributes).await;
    for group in ["a", "b", "a"] {
        bench.send(&url, group, json!({"MessageGroupId": group, "MessageDeduplicationId": "same"})).await;
    }
    assert_eq!(bench.counts(&url).await, ["0", "0", "2"]);
    assert_eq!(bench.receive(&url).await, json!({}));
    bench.later(1);
    // Other than with standard queues, the new delay counts for messages that are there already.
    bench.call("SetQueueAttributes", json!({"QueueUrl": url, "Attributes": {"DelaySeconds": "1"}})).await;
    assert_eq!(bodies(&bench.receive(&url).await), ["a", "b"]);
}

#[tokio::test]
async fn a_dead_letter_frees_its_group() {
    let bench = bench();
    bench.create("dead.fifo", json!({"FifoQueue": "true"})).await;
    let policy = json!({"deadLetterTargetArn": arn("dead.fifo"), "maxReceiveCount": 1}).to_string();
    let url = bench.create("q.fifo", json!({"FifoQueue": "true", "RedrivePolicy": policy})).await;
    bench.grouped(&url, "g", "1").await;
    bench.grouped(&url, "g", "2").await;
    let one = json!({"QueueUrl": url, "MaxNumberOfMessages": 1});
    assert_eq!(bodies(&bench.call("ReceiveMessage", one.clone()).await), ["1"]);
    bench.later(30);
    assert_eq!(bodies(&bench.call("ReceiveMessage", one).await), ["2"]);
}

#[tokio::test]
async fn creating_twice_is_creating_once() {
    let bench = bench();
    let url = bench.create("q", json!({"DelaySeconds": "1"})).await;
    assert_eq!(bench.create("q", json!({"DelaySeconds": "1"})).await, url);
    assert_eq!(bench.create("q", json!({})).await, url);
    let refused = bench.refused("CreateQueue", json!({"QueueName": "q", "Attributes": {"DelaySeconds": "2"}})).await;
    assert_eq!((&*refused.code, refused.query_code), ("QueueNameExists", Some("QueueAlreadyExists")));
    assert!(refused.message.contains("DelaySeconds"), "{refused}");
    bench.call("DeleteQueue", json!({"QueueUrl": url})).await;
    assert_eq!(bench.refused("CreateQueue", json!({"QueueName": "q"})).await.code, "QueueDeletedRecently");
    assert_eq!(bench.refused("ReceiveMessage", json!({"QueueUrl": url})).await.code, "QueueDoesNotExist");
    bench.later(60);
    bench.create("q", json!({"DelaySeconds": "2"})).await;
}

#[tokio::test]
async fn a_purge_empties_the_queue_and_the_sweeper_the_disk() {
    let bench = bench();
    let url = bench.create("q", json!({})).await;
    bench.send(&url, "before", json!({})).await;
    bench.send(&url, "before", json!({})).await;
    let input = json!({"QueueUrl": url, "MaxNumberOfMessages": 1});
    let taken = bench.call("ReceiveMessage", input).await;
    bench.call("PurgeQueue", json!({"QueueUrl": url})).await;
    bench.send(&url, "after", json!({})).await;
    bench.delete(&url, &taken["Messages"][0]).await.unwrap();
    assert_eq!(bodies(&bench.receive(&url).await), ["after"]);
    assert_eq!(bench.refused("PurgeQueue", json!({"QueueUrl": url})).await.code, "PurgeQueueInProgress");
    let rows = |space| bench.state.metadata.scan(space, &Default::default(), None, 99).unwrap().len();
    assert_eq!(rows("sqs-messages"), 3);
    sweeper::sweep(&bench.state, bench.clock.now().timestamp_micros()).await.unwrap();
    assert_eq!((rows("sqs-messages"), rows("sqs-due"), rows("sqs-garbage")), (1, 1, 0));
}

#[tokio::test]
async fn batches_tell_the_good_from_the_bad() {
    let bench = bench();
    let url = bench.create("q", json!({"MaximumMessageSize": "1024"})).await;
    let entries = json!([
        {"Id": "a", "MessageBody": "good"},
        {"Id": "b", "MessageBody": "x".repeat(1025)},
        {"Id": "c", "MessageBody": "late", "DelaySeconds": 901},
    ]);
    let answer = bench.call("SendMessageBatch", json!({"QueueUrl": url, "Entries": entries})).await;
    assert_eq!(answer["Successful"][0]["Id"], "a");
    let failed: Vec<_> =
        answer["Failed"].as_array().unwrap().iter().map(|entry| (&entry["Id"], &entry["Code"])).collect();
    let invalid = json!("InvalidParameterValue");
    assert_eq!(failed, [(&json!("b"), &invalid), (&json!("c"), &invalid)]);
    let received = bench.receive(&url).await;
    let handle = &received["Messages"][0]["ReceiptHandle"];
    let entries = json!([{"Id": "a", "ReceiptHandle": handle}, {"Id": "b", "ReceiptHandle": "nonsense"}]);
    let answer = bench.call("DeleteMessageBatch", json!({"QueueUrl": url, "Entries": entries})).await;
    assert_eq!(answer["Successful"], json!([{"Id": "a"}]));
    assert_eq!(answer["Failed"][0]["Code"], "ReceiptHandleIsInvalid");
    let entries: Vec<_> = (0..2).map(|n| json!({"Id": n.to_string(), "MessageBody": "x".repeat(600_000)})).collect();
    let refused = bench.refused("SendMessageBatch", json!({"QueueUrl": url, "Entries": entries})).await;
    assert_eq!(refused.code, "BatchRequestTooLong");
}

#[tokio::test]
async fn attributes_are_shown_as_asked_for() {
    let bench = bench();
    let url = bench.create("q", json!({})).await;
    let attributes = json!({
        "app.a": {"DataType": "String", "StringValue": "1"},
        "app.b": {"DataType": "Number", "StringValue": "2"},
        "other": {"DataType": "Binary", "BinaryValue": "AQI="},
    });
    let trace = json!({"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}});
    let sent = bench.send(&url, "m", json!({"MessageAttributes": attributes, "MessageSystemAttributes": trace})).await;
    assert!(sent["MD5OfMessageSystemAttributes"].is_string());
    let mut receive = json!({"QueueUrl": url, "VisibilityTimeout": 0, "MessageAttributeNames": ["All"]});
    let all = bench.call("ReceiveMessage", receive.clone()).await;
    assert_eq!(all["Messages"][0]["MessageAttributes"], attributes);
    assert_eq!(all["Messages"][0]["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"]);
    assert!(all["Messages"][0].get("Attributes").is_none());
    receive["MessageAttributeNames"] = json!(["app.*"]);
    receive["MessageSystemAttributeNames"] = json!(["AWSTraceHeader"]);
    let some = bench.call("ReceiveMessage", receive.clone()).await;
    assert_eq!(some["Messages"][0]["MessageAttributes"].as_object().unwrap().len(), 2);
    assert_eq!(some["Messages"][0]["Attributes"], json!({"AWSTraceHeader": "Root=1"}));
    receive["MessageSystemAttributeNames"] = json!(["Colour"]);
    assert_eq!(bench.refused("ReceiveMessage", receive).await.code, "InvalidAttributeName");
}

#[tokio::test]
async fn only_whom_the_policy_names_may_send() {
    let bench = bench();
    let url = bench.create("q", json!({})).await;
    let service = bench.platform.context(Arc::new(Principal::service("events.amazonaws.com")));
    let rule = "arn:aws:events:us-east-1:000000000000:rule/r";
    let message = json!({"QueueUrl": url, "MessageBody": "m"});
    let refused = service.because_of(rule).call("sqs", "SendMessage", message.clone()).await.unwrap_err();
    assert_eq!(refused.code, "AccessDeniedException");
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": arn("q"), "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }]});
    let attributes = json!({"Policy": policy.to_string()});
    bench.call("SetQueueAttributes", json!({"QueueUrl": url, "Attributes": attributes})).await;
    service.because_of(rule).call("sqs", "SendMessage", message.clone()).await.unwrap();
    let other = service.because_of("arn:aws:events:us-east-1:000000000000:rule/other");
    assert!(other.call("sqs", "SendMessage", message.clone()).await.is_err());
    assert!(service.because_of(rule).call("sqs", "ReceiveMessage", json!({"QueueUrl": url})).await.is_err());
    // Root repairs a policy that locks everybody out.
    let deny = json!({"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": arn("q")}]});
    let attributes = json!({"Policy": deny.to_string()});
    bench.call("SetQueueAttributes", json!({"QueueUrl": url, "Attributes": attributes})).await;
    assert_eq!(bench.refused("SendMessage", message.clone()).await.code, "AccessDeniedException");
    bench.call("SetQueueAttributes", json!({"QueueUrl": url, "Attributes": {"Policy": ""}})).await;
    bench.call("SendMessage", message).await;
}

#[tokio::test]
async fn permissions_are_statements_of_the_policy() {
    let bench = bench();
    let url = bench.create("q", json!({})).await;
    let add = |label: &str, actions: Value| json!({"QueueUrl": url, "Label": label, "AWSAccountIds": ["111122223333"], "Actions": actions});
    bench.call("AddPermission", add("l", json!(["SendMessage"]))).await;
    let shown = bench.call("GetQueueAttributes", json!({"QueueUrl": url, "AttributeNames": ["Policy"]})).await;
    let policy: Value = serde_json::from_str(shown["Attributes"]["Policy"].as_str().unwrap()).unwrap();
    assert_eq!(policy["Statement"][0]["Principal"]["AWS"], json!(["arn:aws:iam::111122223333:root"]));
    assert!(bench.refused("AddPermission", add("l", json!(["SendMessage"]))).await.message.contains("Already exists"));
    assert!(bench.refused("AddPermission", add("m", json!(["DeleteQueue"]))).await.message.contains("owner"));
    bench.call("RemovePermission", json!({"QueueUrl": url, "Label": "l"})).await;
    let refused = bench.refused("RemovePermission", json!({"QueueUrl": url, "Label": "l"})).await;
    assert!(refused.message.contains("can't find label"), "{refused}");
}

#[tokio::test]
async fn lists_come_in_pages() {
    let bench = bench();
    for name in ["a1", "a2", "a3", "b1"] {
        bench.create(name, json!({})).await;
    }
    let all = bench.call("ListQueues", json!({"QueueNamePrefix": "a"})).await;
    assert_eq!(all["QueueUrls"].as_array().unwrap().len(), 3);
    let first = bench.call("ListQueues", json!({"QueueNamePrefix": "a", "MaxResults": 2})).await;
    assert_eq!(first["QueueUrls"].as_array().unwrap().len(), 2);
    let token = &first["NextToken"];
    let rest = bench.call("ListQueues", json!({"QueueNamePrefix": "a", "MaxResults": 2, "NextToken": token})).await;
    assert_eq!(rest["QueueUrls"].as_array().unwrap().len(), 1);
    assert!(rest.get("NextToken").is_none());
    assert!(bench.refused("ListQueues", json!({"MaxResults": 1001})).await.message.contains("MaxResults"));
}
