//! The services by their operations, with a clock that is moved by hand and targets that only take notes.

use std::collections::VecDeque;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use boathouse_aws::access::{AccessRequest, Authorizer, ServiceRoles};
use boathouse_aws::events::PlatformEvent;
use boathouse_aws::service::Access;
use boathouse_aws::{AwsError, Clock, Ctx, Dispatcher, ManualClock, Platform, Principal, Protocol, ServiceTable};
use boathouse_metadata::Metadata;
use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{Deps, Events, events_service, scheduler_service, worker};

const ROLE: &str = "arn:aws:iam::000000000000:role/runner";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";
const MACHINE: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:daily";

/// Allows everything but what is named "forbidden".
struct Judge;

impl Authorizer for Judge {
    fn authorize(&self, _: &Ctx, request: &AccessRequest<'_>) -> Result<(), AwsError> {
        if request.resource.contains("forbidden") {
            return Err(AwsError::access_denied(format!("{} on {}", request.action, request.resource)));
        }
        Ok(())
    }
}

impl ServiceRoles for Judge {
    fn assume_for_service(&self, role: &str, service: &str, session: &str) -> Result<Arc<Principal>, AwsError> {
        if role.contains("untrusting") {
            return Err(AwsError::access_denied(format!("{service} is not trusted")));
        }
        Ok(Arc::new(Principal::assumed_role(role.rsplit('/').next().unwrap(), "AROA", session, None)))
    }
}

/// A call that a target got.
#[derive(Debug)]
struct Call {
    operation: &'static str,
    input: Value,
    principal: String,
    source_arn: Option<Arc<str>>,
}

struct Targets {
    calls: UnboundedSender<Call>,
    /// How the next calls end.
    failures: Mutex<VecDeque<AwsError>>,
}

async fn note(operation: &'static str, ctx: Ctx, targets: Arc<Targets>, input: Value) -> Result<Value, AwsError> {
    let (principal, source_arn) = (ctx.principal.arn.clone(), ctx.source_arn);
    targets.calls.send(Call { operation, input, principal, source_arn }).unwrap();
    targets.failures.lock().pop_front().map_or(Ok(json!({})), Err)
}

fn target_services(targets: &Arc<Targets>) -> Vec<ServiceTable> {
    let table = |name| ServiceTable::new(name, Protocol::AwsJson { version: "1.1", target_prefix: name });
    let lambda = table("lambda")
        .operation("Invoke", Access::Free, targets, |ctx, state, input| note("Invoke", ctx, state, input))
        .operation("GetFunction", Access::Free, targets, |ctx, state, input| note("GetFunction", ctx, state, input));
    let states = table("states").operation("StartExecution", Access::Free, targets, |ctx, state, input| {
        note("StartExecution", ctx, state, input)
    });
    let glue = table("glue")
        .operation("StartJobRun", Access::Free, targets, |ctx, state, input| note("StartJobRun", ctx, state, input));
    let sqs = table("sqs")
        .operation("SendMessage", Access::Free, targets, |ctx, state, input| note("SendMessage", ctx, state, input));
    vec![lambda, states, glue, sqs]
}

struct Bench {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
    platform: Platform,
    calls: UnboundedReceiver<Call>,
    targets: Arc<Targets>,
    state: Arc<Events>,
}

fn start() -> DateTime<Utc> {
    "2026-03-01T00:00:00Z".parse().unwrap()
}

fn open(dir: tempfile::TempDir, clock: Arc<ManualClock>) -> Bench {
    let metadata = Metadata::open(&dir.path().join("metadata.db")).unwrap();
    let platform = Platform::new(Dispatcher::default(), Arc::clone(&clock) as _, "us-east-1");
    let (authorizer, roles) = (Arc::new(Judge) as _, Arc::new(Judge) as _);
    let state = Arc::new(Events::new(Deps { metadata, authorizer, roles, clock: Arc::clone(&clock) as _ }));
    let (sender, calls) = unbounded_channel();
    let targets = Arc::new(Targets { calls: sender, failures: Mutex::default() });
    let mut services = target_services(&targets);
    services.extend([events_service(&state), scheduler_service(&state)]);
    platform.dispatcher.install(services, Arc::new(Judge));
    Bench { dir, clock, platform, calls, targets, state }
}

/// A bench whose workers run.
fn bench() -> Bench {
    let bench = open(tempfile::tempdir().unwrap(), Arc::new(ManualClock::new(start())));
    worker::start(&bench.platform, &bench.state);
    worker::hear(&bench.platform, &bench.state);
    bench
}

impl Bench {
    async fn call(&self, service: &str, operation: &str, input: Value) -> Result<Value, AwsError> {
        self.platform.context(Arc::new(Principal::root())).call(service, operation, input).await
    }

    async fn events(&self, operation: &str, input: Value) -> Value {
        self.call("events", operation, input).await.unwrap()
    }

    async fn refused(&self, service: &str, operation: &str, input: Value) -> (String, String) {
        let error = self.call(service, operation, input).await.unwrap_err();
        (error.code.into_owned(), error.message)
    }

    /// A rule with one target.
    async fn rule(&self, name: &str, pattern: Value, mut target: Value) {
        self.events("PutRule", json!({"Name": name, "EventPattern": pattern.to_string()})).await;
        target["Id"] = json!("1");
        self.events("PutTargets", json!({"Rule": name, "Targets": [target]})).await;
    }

    async fn put(&self, source: &str, detail: Value) -> Value {
        let entry = json!({"Source": source, "DetailType": "T", "Detail": detail.to_string()});
        self.events("PutEvents", json!({"Entries": [entry]})).await
    }

    async fn schedule(&self, name: &str, expression: &str, more: Value) -> Result<Value, AwsError> {
        let mut input = json!({
            "Name": name, "ScheduleExpression": expression, "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": MACHINE, "RoleArn": ROLE, "Input": "{\"at\": \"<aws.scheduler.scheduled-time>\"}"},
        });
        for (member, value) in more.as_object().unwrap() {
            input[member] = value.clone();
        }
        self.call("scheduler", "CreateSchedule", input).await
    }

    async fn next(&mut self) -> Call {
        self.calls.recv().await.unwrap()
    }

    /// The scheduled time that the next call names.
    async fn next_time(&mut self) -> String {
        let input = self.next().await.input;
        let payload: Value = serde_json::from_str(input["input"].as_str().unwrap()).unwrap();
        payload["at"].as_str().unwrap().to_owned()
    }

    /// Lets everything that is due be done, and sees that nothing was called.
    async fn nothing_happens(&mut self) {
        for _ in 0..50 {
            tokio::task::yield_now().await;
            std::thread::yield_now();
        }
        let now = self.clock.now();
        assert!(
            self.state.metadata.scan("events-deliveries", &Default::default(), None, 9).unwrap().is_empty(),
            "{now}"
        );
        assert!(self.calls.try_recv().is_err());
    }

    /// Waits until no delivery is due or going on.
    async fn settled(&self) {
        while !self.state.metadata.scan("events-deliveries", &Default::default(), None, 1).unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until the timer of a schedule is set to a time after `after`.
    async fn timer_after(&self, id: &str, after: DateTime<Utc>) -> DateTime<Utc> {
        loop {
            match self.state.timers.get(id).unwrap() {
                Some(timer) if timer.body.scheduled > after => return timer.due,
                _ => tokio::task::yield_now().await,
            }
        }
    }
}

fn payload(call: &Call) -> Value {
    serde_json::from_slice(&BASE64.decode(call.input["Payload"].as_str().unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn matching_events_are_delivered() {
    let mut bench = bench();
    bench.rule("big", json!({"detail": {"n": [{"numeric": [">", 5]}]}}), json!({"Arn": FUNCTION})).await;
    let answer = bench.put("shop", json!({"n": 7})).await;
    assert_eq!(answer["FailedEntryCount"], 0);
    bench.put("shop", json!({"n": 3})).await;
    let call = bench.next().await;
    assert_eq!((call.operation, call.principal.as_str()), ("Invoke", "events.amazonaws.com"));
    assert_eq!(call.input["InvocationType"], "Event");
    assert_eq!(call.source_arn.as_deref(), Some("arn:aws:events:us-east-1:000000000000:rule/big"));
    let event = payload(&call);
    assert_eq!(event["id"], answer["Entries"][0]["EventId"]);
    assert_eq!((&event["source"], &event["time"]), (&json!("shop"), &json!("2026-03-01T00:00:00Z")));
    assert_eq!(event["detail"], json!({"n": 7}));
    bench.settled().await;
    bench.nothing_happens().await;
}

#[tokio::test]
async fn targets_act_as_their_roles_and_get_what_their_input_says() {
    let mut bench = bench();
    let transformer = json!({"InputPathsMap": {"n": "$.detail.n"}, "InputTemplate": "{\"number\": <n>}"});
    let target = json!({"Arn": MACHINE, "RoleArn": ROLE, "InputTransformer": transformer});
    bench.rule("r", json!({"source": ["shop"]}), target).await;
    bench.put("shop", json!({"n": 1})).await;
    let call = bench.next().await;
    assert_eq!(call.operation, "StartExecution");
    assert!(call.principal.contains("assumed-role/runner/"), "{}", call.principal);
    assert_eq!(call.input["input"], "{\"number\": 1}");
    assert_eq!(call.input["stateMachineArn"], MACHINE);
}

#[tokio::test]
async fn failed_deliveries_are_tried_again_and_given_up_at_last() {
    let mut bench = bench();
    let target = json!({"Arn": FUNCTION, "RetryPolicy": {"MaximumRetryAttempts": 2}});
    bench.rule("r", json!({"source": ["shop"]}), target).await;
    bench.targets.failures.lock().extend((0..3).map(|_| AwsError::internal("not now")));
    bench.put("shop", json!({})).await;
    for _ in 0..3 {
        bench.next().await;
        // The next attempt waits for the clock; a given-up one is gone.
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        bench.clock.advance(TimeDelta::minutes(1));
    }
    bench.settled().await;
    bench.nothing_happens().await;
    bench.targets.failures.lock().push_back(AwsError::new("ResourceNotFoundException", StatusCode::NOT_FOUND, "gone"));
    bench.put("shop", json!({})).await;
    bench.next().await;
    bench.settled().await;
    bench.clock.advance(TimeDelta::hours(1));
    bench.nothing_happens().await;
}

/// The values of a message's attributes.
fn attribute<'a>(call: &'a Call, name: &str) -> &'a str {
    call.input["MessageAttributes"][name]["StringValue"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn events_that_can_not_be_delivered_go_to_the_dead_letter_queue() {
    let mut bench = bench();
    let config = json!({"Arn": "arn:aws:sqs:us-east-1:000000000000:dead"});
    let target = json!({"Arn": FUNCTION, "Input": "{}", "DeadLetterConfig": config,
        "RetryPolicy": {"MaximumRetryAttempts": 0}});
    bench.rule("r", json!({"source": ["shop"]}), target).await;
    let gone = AwsError::new("ResourceNotFoundException", StatusCode::NOT_FOUND, "no such function");
    for (failure, code, condition) in
        [(gone, "NO_RESOURCE", ""), (AwsError::internal("not now"), "INTERNAL_ERROR", "MaximumRetryAttempts")]
    {
        bench.targets.failures.lock().push_back(failure);
        let answer = bench.put("shop", json!({"n": 1})).await;
        assert_eq!(bench.next().await.operation, "Invoke");
        let letter = bench.next().await;
        assert_eq!((letter.operation, letter.principal.as_str()), ("SendMessage", "events.amazonaws.com"));
        assert_eq!(letter.input["QueueUrl"], "https://sqs.us-east-1.amazonaws.com/000000000000/dead");
        let rule = "arn:aws:events:us-east-1:000000000000:rule/r";
        assert_eq!((attribute(&letter, "RULE_ARN"), letter.source_arn.as_deref()), (rule, Some(rule)));
        assert_eq!((attribute(&letter, "TARGET_ARN"), attribute(&letter, "ERROR_CODE")), (FUNCTION, code));
        assert_eq!(attribute(&letter, "EXHAUSTED_RETRY_CONDITION"), condition);
        assert_eq!(attribute(&letter, "RETRY_ATTEMPTS"), "0");
        // The event as it came, not what the target would have got.
        let event: Value = serde_json::from_str(letter.input["MessageBody"].as_str().unwrap()).unwrap();
        assert_eq!(event["id"], answer["Entries"][0]["EventId"]);
    }
    bench.settled().await;
    bench.nothing_happens().await;
}

#[tokio::test]
async fn a_dead_letter_waits_for_its_queue_without_calling_the_target_again() {
    let mut bench = bench();
    let config = json!({"Arn": "arn:aws:sqs:us-east-1:000000000000:dead"});
    bench.rule("r", json!({"source": ["shop"]}), json!({"Arn": FUNCTION, "DeadLetterConfig": config})).await;
    let gone = AwsError::new("ResourceNotFoundException", StatusCode::NOT_FOUND, "gone");
    bench.targets.failures.lock().extend([gone, AwsError::internal("the queue has a bad day")]);
    bench.put("shop", json!({})).await;
    assert_eq!(bench.next().await.operation, "Invoke");
    assert_eq!(bench.next().await.operation, "SendMessage");
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    bench.clock.advance(TimeDelta::minutes(1));
    assert_eq!(bench.next().await.operation, "SendMessage");
    bench.settled().await;
    bench.nothing_happens().await;
}

#[tokio::test]
async fn queues_are_targets_of_rules_and_schedules() {
    let mut bench = bench();
    let queue = "arn:aws:sqs:us-east-1:000000000000:q.fifo";
    let target = json!({"Arn": queue, "Input": "{\"a\": 1}", "SqsParameters": {"MessageGroupId": "g"}});
    bench.rule("r", json!({"source": ["shop"]}), target.clone()).await;
    bench.put("shop", json!({})).await;
    let call = bench.next().await;
    let url = "https://sqs.us-east-1.amazonaws.com/000000000000/q.fifo";
    assert_eq!(call.input, json!({"QueueUrl": url, "MessageBody": "{\"a\": 1}", "MessageGroupId": "g"}));
    let shown = bench.events("ListTargetsByRule", json!({"Rule": "r"})).await;
    assert_eq!(shown["Targets"][0]["SqsParameters"], target["SqsParameters"]);
    let dead = json!({"Arn": "arn:aws:sqs:us-east-1:000000000000:dead"});
    let mut target = json!({"Arn": queue, "RoleArn": ROLE, "Input": "tick", "DeadLetterConfig": dead});
    target["SqsParameters"] = json!({"MessageGroupId": "g"});
    bench.targets.failures.lock().push_back(AwsError::access_denied("no"));
    bench.schedule("s", "rate(1 day)", json!({"Target": target})).await.unwrap();
    assert_eq!(bench.next().await.input["MessageBody"], "tick");
    let letter = bench.next().await;
    assert!(letter.principal.contains("assumed-role/runner/"), "{}", letter.principal);
    assert_eq!((&letter.input["MessageBody"], attribute(&letter, "TARGET_ARN")), (&json!("tick"), queue));
    assert_eq!(attribute(&letter, "ERROR_CODE"), "AccessDeniedException");
    assert_eq!(attribute(&letter, "SCHEDULED_TIME"), "2026-03-01T00:00:00Z");
    assert!(attribute(&letter, "SCHEDULE_ARN").ends_with("schedule/default/s"));
}

#[tokio::test]
async fn what_was_acknowledged_is_delivered_after_a_restart() {
    let bench = open(tempfile::tempdir().unwrap(), Arc::new(ManualClock::new(start())));
    bench.rule("r", json!({"source": ["shop"]}), json!({"Arn": FUNCTION})).await;
    bench.put("shop", json!({"n": 1})).await;
    let Bench { dir, clock, state, platform, .. } = bench;
    drop((state, platform));
    let mut again = open(dir, clock);
    worker::start(&again.platform, &again.state);
    assert_eq!(payload(&again.next().await)["detail"], json!({"n": 1}));
}

#[tokio::test]
async fn what_the_platform_tells_arrives_on_the_default_bus() {
    let mut bench = bench();
    bench.rule("r", json!({"source": ["aws.glue"]}), json!({"Arn": FUNCTION})).await;
    let detail = json!({"jobName": "clean", "state": "SUCCEEDED"});
    let told = PlatformEvent::new(start(), "aws.glue", "Glue Job State Change", detail.clone());
    let teller = bench.platform.events.clone();
    bench.state.metadata.transaction(move |tx| teller.tell(tx, told)).await.unwrap();
    let event = payload(&bench.next().await);
    assert_eq!((&event["detail"], &event["detail-type"]), (&detail, &json!("Glue Job State Change")));
    // Customers can't pretend to be a service.
    let refused = bench.put("aws.glue", detail.clone()).await;
    assert_eq!(refused["Entries"][0]["ErrorCode"], "NotAuthorizedForSourceException");
    let entry = json!({"Source": "aws.glue", "DetailType": "T", "Detail": detail.to_string()});
    let service = bench.platform.context(Arc::new(Principal::service("glue.amazonaws.com")));
    service.call("events", "PutEvents", json!({"Entries": [entry]})).await.unwrap();
    assert_eq!(payload(&bench.next().await)["detail-type"], "T");
}

#[tokio::test]
async fn events_are_sent_on_to_another_bus_once() {
    let mut bench = bench();
    bench.events("CreateEventBus", json!({"Name": "orders"})).await;
    let bus = |name: &str| format!("arn:aws:events:us-east-1:000000000000:event-bus/{name}");
    bench.rule("on", json!({"source": ["shop"]}), json!({"Arn": bus("orders")})).await;
    let pattern = json!({"source": ["shop"]}).to_string();
    bench.events("PutRule", json!({"Name": "back", "EventBusName": "orders", "EventPattern": pattern})).await;
    let targets = json!([{"Id": "f", "Arn": FUNCTION}, {"Id": "back", "Arn": bus("default")}]);
    bench.events("PutTargets", json!({"Rule": "back", "EventBusName": bus("orders"), "Targets": targets})).await;
    let answer = bench.put("shop", json!({"n": 1})).await;
    let call = bench.next().await;
    assert_eq!(call.source_arn.as_deref(), Some("arn:aws:events:us-east-1:000000000000:rule/orders/back"));
    assert_eq!(payload(&call)["id"], answer["Entries"][0]["EventId"]);
    bench.settled().await;
    bench.nothing_happens().await;
}

#[tokio::test]
async fn entries_are_judged_one_by_one() {
    let bench = bench();
    let entry = |source: &str, detail: &str| json!({"Source": source, "DetailType": "T", "Detail": detail});
    let mut elsewhere = entry("shop", "{}");
    elsewhere["EventBusName"] = json!("nowhere");
    let entries = json!([entry("shop", "{}"), entry("", "{}"), entry("shop", "[1]"), entry("shop", "{"), elsewhere]);
    let answer = bench.events("PutEvents", json!({"Entries": entries})).await;
    assert_eq!(answer["FailedEntryCount"], 4);
    let codes: Vec<&str> =
        answer["Entries"].as_array().unwrap().iter().map(|entry| entry["ErrorCode"].as_str().unwrap_or("")).collect();
    assert_eq!(codes, ["", "InvalidArgument", "MalformedDetail", "MalformedDetail", "InvalidArgument"]);
    let big = "x".repeat(1_048_576);
    let (code, message) = bench
        .refused("events", "PutEvents", json!({"Entries": [entry("shop", &format!("{{\"x\":\"{big}\"}}"))]}))
        .await;
    assert_eq!((code.as_str(), message.contains("over the limit")), ("ValidationException", true));
    let many: Vec<Value> = (0..11).map(|_| entry("shop", "{}")).collect();
    assert_eq!(bench.refused("events", "PutEvents", json!({"Entries": many})).await.0, "ValidationException");
    let mut forbidden = entry("shop", "{}");
    forbidden["EventBusName"] = json!("forbidden");
    assert_eq!(bench.refused("events", "PutEvents", json!({"Entries": [forbidden]})).await.0, "AccessDeniedException");
}

#[tokio::test]
async fn scheduled_rules_fire_by_the_clock() {
    let mut bench = bench();
    bench.events("PutRule", json!({"Name": "hourly", "ScheduleExpression": "rate(1 hour)"})).await;
    bench.events("PutTargets", json!({"Rule": "hourly", "Targets": [{"Id": "1", "Arn": FUNCTION}]})).await;
    bench.nothing_happens().await;
    for hour in 1..4 {
        bench.clock.advance(TimeDelta::hours(1));
        let event = payload(&bench.next().await);
        assert_eq!((&event["source"], &event["detail-type"]), (&json!("aws.events"), &json!("Scheduled Event")));
        assert_eq!(event["time"], format!("2026-03-01T0{hour}:00:00Z"));
        bench.timer_after("rule/hourly", bench.clock.now()).await;
    }
    bench.settled().await;
    bench.events("DisableRule", json!({"Name": "hourly"})).await;
    bench.clock.advance(TimeDelta::days(1));
    bench.nothing_happens().await;
    bench.events("EnableRule", json!({"Name": "hourly"})).await;
    bench.clock.advance(TimeDelta::hours(1));
    assert_eq!(payload(&bench.next().await)["time"], "2026-03-02T04:00:00Z");
}

#[tokio::test]
async fn a_daily_schedule_runs_through_a_year_in_no_time() {
    let mut bench = bench();
    let zone = json!({"ScheduleExpressionTimezone": "America/New_York"});
    bench.schedule("daily", "cron(30 2 * * ? *)", zone).await.unwrap();
    let mut times = Vec::new();
    for day in 1..=365 {
        let now = start() + TimeDelta::days(day);
        bench.clock.set(now);
        // In spring one night has no 2:30.
        if bench.timer_after("schedule/default/daily", now - TimeDelta::days(1)).await <= now {
            times.push(bench.next_time().await);
            bench.timer_after("schedule/default/daily", now).await;
        }
    }
    assert_eq!(times.len(), 364);
    assert_eq!(times[0], "2026-03-01T07:30:00Z");
    assert_eq!(times[7..9], ["2026-03-09T06:30:00Z", "2026-03-10T06:30:00Z"]);
    assert_eq!(times.last().unwrap(), "2027-02-28T07:30:00Z");
}

#[tokio::test]
async fn of_missed_times_one_is_made_up() {
    let bench = open(tempfile::tempdir().unwrap(), Arc::new(ManualClock::new(start())));
    bench.schedule("daily", "cron(0 3 * * ? *)", json!({})).await.unwrap();
    let Bench { dir, clock, state, platform, .. } = bench;
    drop((state, platform));
    clock.advance(TimeDelta::days(10));
    let mut again = open(dir, clock);
    worker::start(&again.platform, &again.state);
    assert_eq!(again.next_time().await, "2026-03-10T03:00:00Z");
    again.settled().await;
    again.nothing_happens().await;
    again.clock.advance(TimeDelta::hours(3));
    assert_eq!(again.next_time().await, "2026-03-11T03:00:00Z");
}

#[tokio::test]
async fn schedules_end() {
    let mut bench = bench();
    let once = json!({"ActionAfterCompletion": "DELETE"});
    bench.schedule("once", "at(2026-03-01T12:00:00)", once).await.unwrap();
    let ending = json!({"EndDate": "2026-03-02T18:00:00Z", "StartDate": "2026-03-02T00:00:00Z"});
    bench.schedule("ending", "rate(12 hours)", ending).await.unwrap();
    bench.clock.advance(TimeDelta::hours(12));
    assert_eq!(bench.next_time().await, "2026-03-01T12:00:00Z");
    bench.settled().await;
    for time in ["2026-03-02T00:00:00Z", "2026-03-02T12:00:00Z"] {
        bench.clock.set(time.parse().unwrap());
        assert_eq!(bench.next_time().await, time);
        bench.settled().await;
    }
    bench.clock.advance(TimeDelta::days(3));
    bench.nothing_happens().await;
    let code = bench.refused("scheduler", "GetSchedule", json!({"Name": "once"})).await.0;
    assert_eq!(code, "ResourceNotFoundException");
    let ending = bench.call("scheduler", "GetSchedule", json!({"Name": "ending"})).await.unwrap();
    assert_eq!((&ending["State"], &ending["EndDate"]), (&json!("ENABLED"), &json!(1_772_474_400.0)));
}

#[tokio::test]
async fn flexible_windows_fire_within_the_window() {
    let mut bench = bench();
    let window = json!({"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 60}});
    bench.schedule("flexible", "cron(0 3 * * ? *)", window).await.unwrap();
    let scheduled: DateTime<Utc> = "2026-03-01T03:00:00Z".parse().unwrap();
    let due = bench.timer_after("schedule/default/flexible", start()).await;
    assert!(scheduled <= due && due < scheduled + TimeDelta::hours(1));
    bench.clock.set(due);
    assert_eq!(bench.next_time().await, "2026-03-01T03:00:00Z");
}

#[tokio::test]
async fn universal_targets_call_any_operation() {
    let mut bench = bench();
    let input = "{\"JobName\": \"clean\", \"Arguments\": {\"--try\": \"<aws.scheduler.attempt-number>\"}}";
    let target = json!({"Arn": "arn:aws:scheduler:::aws-sdk:glue:startJobRun", "RoleArn": ROLE, "Input": input});
    bench.schedule("job", "rate(1 day)", json!({"Target": target})).await.unwrap();
    let call = bench.next().await;
    assert_eq!((call.operation, &call.input["Arguments"]["--try"]), ("StartJobRun", &json!("1")));
    assert!(call.principal.contains("assumed-role/runner/"));
    let target = json!({"Arn": "arn:aws:scheduler:::aws-sdk:sfn:startExecution", "RoleArn": ROLE,
        "Input": json!({"StateMachineArn": MACHINE, "Input": "{}"}).to_string()});
    bench.schedule("run", "rate(1 day)", json!({"Target": target})).await.unwrap();
    assert_eq!(bench.next().await.input, json!({"stateMachineArn": MACHINE, "input": "{}"}));
    for (operation, reason) in [
        ("glue:startCrawl", "glue:StartCrawl is not an operation that Boathouse implements"),
        ("lambda:getFunction", "only reads"),
        ("sns:publish", "sns is not a service"),
    ] {
        let target = json!({"Arn": format!("arn:aws:scheduler:::aws-sdk:{operation}"), "RoleArn": ROLE});
        let error = bench.schedule("no", "rate(1 day)", json!({"Target": target})).await.unwrap_err();
        assert!(error.code == "ValidationException" && error.message.contains(reason), "{error}");
    }
}

#[tokio::test]
async fn a_schedule_puts_events() {
    let mut bench = bench();
    bench.rule("r", json!({"source": ["clock"]}), json!({"Arn": FUNCTION})).await;
    let bus = "arn:aws:events:us-east-1:000000000000:event-bus/default";
    let parameters = json!({"Source": "clock", "DetailType": "Tick"});
    let target = json!({"Arn": bus, "RoleArn": ROLE, "Input": "{\"n\": 1}", "EventBridgeParameters": parameters});
    bench.schedule("tick", "rate(1 day)", json!({"Target": target})).await.unwrap();
    let event = payload(&bench.next().await);
    assert_eq!((&event["detail-type"], &event["detail"]), (&json!("Tick"), &json!({"n": 1})));
}

#[tokio::test]
async fn an_update_replaces_the_timer() {
    let mut bench = bench();
    bench.schedule("s", "cron(0 3 * * ? *)", json!({})).await.unwrap();
    let target = json!({"Arn": MACHINE, "RoleArn": ROLE, "Input": "{\"at\": \"<aws.scheduler.scheduled-time>\"}"});
    let update = json!({"Name": "s", "ScheduleExpression": "cron(0 5 * * ? *)",
        "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": target});
    bench.call("scheduler", "UpdateSchedule", update).await.unwrap();
    bench.clock.advance(TimeDelta::hours(4));
    bench.nothing_happens().await;
    bench.clock.advance(TimeDelta::hours(1));
    assert_eq!(bench.next_time().await, "2026-03-01T05:00:00Z");
    bench.settled().await;
    bench.call("scheduler", "DeleteSchedule", json!({"Name": "s"})).await.unwrap();
    bench.clock.advance(TimeDelta::days(2));
    bench.nothing_happens().await;
}

#[tokio::test]
async fn what_schedules_can_not_be_is_refused() {
    let bench = bench();
    for (expression, more, reason) in [
        ("cron(0 3 * * * *)", json!({}), "one of day of month and day of week must be ?"),
        ("at(2020-01-01T00:00:00)", json!({}), "in the past"),
        ("at(2027-03-14T02:30:00)", json!({"ScheduleExpressionTimezone": "America/New_York"}), "skip this time"),
        ("rate(1 day)", json!({"ScheduleExpressionTimezone": "Mars/Olympus"}), "Mars/Olympus"),
        ("rate(1 day)", json!({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}), "MaximumWindowInMinutes"),
        ("rate(1 day)", json!({"KmsKeyArn": "arn:aws:kms:us-east-1:000000000000:key/k"}), "KmsKeyArn"),
        ("rate(1 day)", json!({"StartDate": 2e9, "EndDate": 1.9e9}), "StartDate must come before"),
        ("rate(1 day)", json!({"EndDate": 1e9}), "EndDate must be in the future"),
        ("rate(1 day)", json!({"State": "PAUSED"}), "State must be one of"),
    ] {
        let error = bench.schedule("s", expression, more).await.unwrap_err();
        assert!(error.code == "ValidationException" && error.message.contains(reason), "{expression}: {error}");
    }
    for (target, reason) in [
        (json!({"Arn": "arn:aws:sns:us-east-1:000000000000:t", "RoleArn": ROLE}), "sns"),
        (json!({"Arn": MACHINE, "RoleArn": "arn:aws:iam::000000000000:role/untrusting"}), "must allow AWS EventBridge"),
        (json!({"Arn": MACHINE, "RoleArn": ROLE, "DeadLetterConfig": {"Arn": "q"}}), "DeadLetterConfig"),
        (json!({"Arn": MACHINE, "RoleArn": ROLE, "Input": "no json"}), "not valid JSON"),
        (json!({"Arn": MACHINE, "RoleArn": ROLE, "RetryPolicy": {"MaximumRetryAttempts": 186}}), "between 0 and 185"),
    ] {
        let error = bench.schedule("s", "rate(1 day)", json!({"Target": target})).await.unwrap_err();
        assert!(error.code == "ValidationException" && error.message.contains(reason), "{error}");
    }
    let forbidden = json!({"Target": {"Arn": MACHINE, "RoleArn": "arn:aws:iam::000000000000:role/forbidden"}});
    assert_eq!(bench.schedule("s", "rate(1 day)", forbidden).await.unwrap_err().code, "AccessDeniedException");
    assert!(bench.call("scheduler", "GetSchedule", json!({"Name": "s"})).await.is_err());
}

#[tokio::test]
async fn what_rules_and_targets_can_not_be_is_refused() {
    let bench = bench();
    for (input, code, reason) in [
        (json!({"Name": "r"}), "ValidationException", "EventPattern or ScheduleExpression must be specified"),
        (json!({"Name": "r", "EventPattern": "{}"}), "InvalidEventPatternException", "Empty objects are not allowed"),
        (json!({"Name": "r", "ScheduleExpression": "at(2030-01-01T00:00:00)"}), "ValidationException", "not valid"),
        (json!({"Name": "a b", "ScheduleExpression": "rate(1 day)"}), "ValidationException", "'name'"),
        (
            json!({"Name": "r", "EventBusName": "b", "ScheduleExpression": "rate(1 day)"}),
            "ValidationException",
            "only on",
        ),
        (
            json!({"Name": "r", "EventBusName": "b", "EventPattern": "{\"a\":[1]}"}),
            "ResourceNotFoundException",
            "bus b",
        ),
    ] {
        let refused = bench.refused("events", "PutRule", input).await;
        assert!(refused.0 == code && refused.1.contains(reason), "{refused:?}");
    }
    bench.events("PutRule", json!({"Name": "r", "EventPattern": "{\"a\":[1]}"})).await;
    for (target, reason) in [
        (json!({"Arn": "arn:aws:sns:us-east-1:000000000000:t"}), "sns"),
        (json!({"Arn": MACHINE}), "RoleArn is required"),
        (json!({"Arn": FUNCTION, "SqsParameters": {"MessageGroupId": "g"}}), "SqsParameters"),
        (json!({"Arn": FUNCTION, "DeadLetterConfig": {"Arn": "q"}}), "DeadLetterConfig"),
        (json!({"Arn": FUNCTION, "Input": "no json"}), "not valid JSON"),
        (json!({"Arn": FUNCTION, "Input": "{}", "InputPath": "$"}), "Only one of"),
        (json!({"Arn": FUNCTION, "RetryPolicy": {"MaximumEventAgeInSeconds": 59}}), "between 60 and 86400"),
    ] {
        let mut target = target;
        target["Id"] = json!("t");
        let refused = bench.refused("events", "PutTargets", json!({"Rule": "r", "Targets": [target]})).await;
        assert!(refused.0 == "ValidationException" && refused.1.contains(reason), "{refused:?}");
    }
    let many: Vec<Value> = (0..6).map(|n| json!({"Id": n.to_string(), "Arn": FUNCTION})).collect();
    let code = bench.refused("events", "PutTargets", json!({"Rule": "r", "Targets": many})).await.0;
    assert_eq!(code, "LimitExceededException");
    assert_eq!(bench.events("ListTargetsByRule", json!({"Rule": "r"})).await["Targets"], json!([]));
}
