//! What a target does, told by its ARN ("Event bus targets available in the EventBridge console", "Managing targets in
//! EventBridge Scheduler").

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use boathouse_aws::{Arn, AwsError, Ctx, Platform};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::SqsParameters;
use crate::delivery::Delivery;
use crate::error::EventsError;
use crate::store::validation;

/// What is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Action {
    /// Invokes a function, asynchronously.
    Lambda { function: String },
    /// Starts an execution.
    StateMachine { arn: String },
    /// Puts a record.
    Firehose { stream: String },
    /// Puts a log event.
    LogGroup { group: String },
    /// Sends the event on to another bus.
    Bus { bus: String },
    /// Sends a message, with these attributes of type String.
    Queue {
        arn: String,
        group: Option<String>,
        #[serde(default)]
        attributes: BTreeMap<String, String>,
    },
    /// Puts an event with the payload as its detail.
    PutEvents { bus: String, source: String, detail_type: String },
    /// Calls an operation with the payload as its input.
    Operation { service: String, operation: String },
}

impl Action {
    /// What the target of a rule or a templated target of a schedule does.
    pub(crate) fn of_target(arn: &str, queue: Option<&SqsParameters>) -> Result<Self, EventsError> {
        let malformed =
            || validation(format!("Parameter {arn} is not valid. Reason: Provided Arn is not in correct format."));
        let parsed: Arn = arn.parse().map_err(|_| malformed())?;
        let resource = parsed.resource.as_str();
        let after = |prefix: &str| resource.strip_prefix(prefix).filter(|rest| !rest.is_empty()).map(str::to_owned);
        let action = match parsed.service.as_str() {
            "lambda" => after("function:").map(|_| Self::Lambda { function: arn.to_owned() }),
            "states" => after("stateMachine:").map(|_| Self::StateMachine { arn: arn.to_owned() }),
            "firehose" => after("deliverystream/").map(|stream| Self::Firehose { stream }),
            "logs" => {
                after("log-group:").map(|group| Self::LogGroup { group: group.trim_end_matches(":*").to_owned() })
            }
            "events" => after("event-bus/").map(|bus| Self::Bus { bus }),
            "sqs" => after("").map(|_| {
                let group = queue.and_then(|parameters| parameters.message_group_id.clone());
                Self::Queue { arn: arn.to_owned(), group, attributes: BTreeMap::new() }
            }),
            other => return Err(EventsError::NotImplemented(format!("targets of service {other} ({arn})"))),
        };
        let action = action.ok_or_else(|| EventsError::NotImplemented(format!("the target {arn}")))?;
        if queue.is_some() && !matches!(action, Self::Queue { .. }) {
            return Err(validation(format!("SqsParameters are for queues as targets, not for {arn}.")));
        }
        Ok(action)
    }

    /// Whether it can be done as a role only: these services have no resource policies.
    pub(crate) fn needs_role(&self) -> bool {
        matches!(self, Self::StateMachine { .. } | Self::Firehose { .. })
    }

    /// Does it, as the context's principal.
    pub(crate) async fn run(&self, ctx: &Ctx, delivery: &Delivery, payload: &str, task: &str) -> Result<(), AwsError> {
        match self {
            Self::Lambda { function } => {
                let input =
                    json!({"FunctionName": function, "InvocationType": "Event", "Payload": BASE64.encode(payload)});
                ctx.because_of(&delivery.source_arn).call("lambda", "Invoke", input).await.map(drop)
            }
            Self::StateMachine { arn } => {
                // The task's id makes an execution that was started just before a crash the same one.
                let name = format!("{}_{task}", delivery.event_id);
                let input = json!({"stateMachineArn": arn, "input": payload, "name": name});
                match ctx.call("states", "StartExecution", input).await {
                    Err(error) if error.code == "ExecutionAlreadyExists" => Ok(()),
                    started => started.map(drop),
                }
            }
            Self::Firehose { stream } => {
                let input = json!({"DeliveryStreamName": stream, "Record": {"Data": BASE64.encode(payload)}});
                ctx.call("firehose", "PutRecord", input).await.map(drop)
            }
            Self::Queue { arn, group, attributes } => {
                let input = message(arn, group.as_deref(), attributes, payload)?;
                ctx.because_of(&delivery.source_arn).call("sqs", "SendMessage", input).await.map(drop)
            }
            Self::LogGroup { group } => log(ctx, group, delivery, payload).await,
            Self::Bus { .. } => Err(AwsError::internal("an event is sent on by the bus itself")),
            Self::PutEvents { bus, source, detail_type } => {
                let entry =
                    json!({"EventBusName": bus, "Source": source, "DetailType": detail_type, "Detail": payload});
                let answer = ctx.call("events", "PutEvents", json!({"Entries": [entry]})).await?;
                match &answer["Entries"][0] {
                    entry if entry["ErrorCode"].is_null() => Ok(()),
                    entry => Err(AwsError::bad_request(text(&entry["ErrorCode"]), text(&entry["ErrorMessage"]))),
                }
            }
            Self::Operation { service, operation } => {
                let malformed = |_| AwsError::bad_request("ValidationException", "the target's input is not JSON");
                let input: Value = serde_json::from_str(payload).map_err(malformed)?;
                ctx.call(service, operation, members(service, input)).await.map(drop)
            }
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The input of SendMessage.
fn message(
    arn: &str,
    group: Option<&str>,
    attributes: &BTreeMap<String, String>,
    body: &str,
) -> Result<Value, AwsError> {
    let queue: Arn = arn.parse().map_err(|_| AwsError::internal(format!("{arn} is not an ARN")))?;
    let mut input = json!({"QueueUrl": queue.queue_url(), "MessageBody": body});
    if let Some(group) = group {
        input["MessageGroupId"] = group.into();
    }
    for (name, value) in attributes {
        input["MessageAttributes"][name] = json!({"DataType": "String", "StringValue": value});
    }
    Ok(input)
}

/// Puts the payload into the group, in a stream for each sender and day.
async fn log(ctx: &Ctx, group: &str, delivery: &Delivery, payload: &str) -> Result<(), AwsError> {
    let sender = delivery.source_arn.rsplit(['/', ':']).next().unwrap_or_default();
    let stream = format!("{sender}/{}", ctx.now().format("%Y-%m-%d"));
    let names = json!({"logGroupName": group, "logStreamName": stream});
    let mut input = names.clone();
    input["logEvents"] = json!([{"timestamp": ctx.now().timestamp_millis(), "message": payload}]);
    match ctx.call("logs", "PutLogEvents", input.clone()).await {
        Err(error) if error.code == "ResourceNotFoundException" => {
            match ctx.call("logs", "CreateLogStream", names).await {
                Err(error) if error.code != "ResourceAlreadyExistsException" => Err(error),
                _ => ctx.call("logs", "PutLogEvents", input).await.map(drop),
            }
        }
        put => put.map(drop),
    }
}

/// Services whose members begin with a small letter, which universal targets write with a capital all the same.
const SMALL_LETTERS: [&str; 2] = ["states", "logs"];

fn members(service: &str, input: Value) -> Value {
    if SMALL_LETTERS.contains(&service) { small_letters(input) } else { input }
}

fn small_letters(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| {
                let mut characters = name.chars();
                let first = characters.next().map(|first| first.to_ascii_lowercase());
                let name: String = first.into_iter().chain(characters).collect();
                // The keys of tags are nobody's member names.
                let value = if name == "tags" { value } else { small_letters(value) };
                (name, value)
            })
            .collect(),
        Value::Array(values) => values.into_iter().map(small_letters).collect(),
        scalar => scalar,
    }
}

/// The names of SDK clients where services sign by another name.
const SDK_NAMES: [(&str, &str); 4] =
    [("sfn", "states"), ("eventbridge", "events"), ("cloudwatchlogs", "logs"), ("apigatewayv2", "apigateway")];

/// The operation that `arn:aws:scheduler:::aws-sdk:service:operation` means.
pub(crate) fn universal(platform: &Platform, target: &str) -> Result<Action, String> {
    let (sdk, operation) = target.split_once(':').ok_or("a universal target is aws-sdk:service:operation")?;
    let service = SDK_NAMES.iter().find(|(name, _)| *name == sdk).map_or(sdk, |(_, service)| service);
    let mut characters = operation.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    let operation: String = first.into_iter().chain(characters).collect();
    if ["Get", "List", "Describe"].iter().any(|reading| operation.starts_with(reading)) {
        return Err(format!("{sdk}:{operation} only reads, and can't be a universal target"));
    }
    let table = platform.dispatcher.service(service);
    let table = table.ok_or_else(|| format!("{sdk} is not a service that Boathouse implements"))?;
    if !table.has(&operation) {
        return Err(format!("{sdk}:{operation} is not an operation that Boathouse implements"));
    }
    Ok(Action::Operation { service: service.to_owned(), operation })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_told_by_their_arns() {
        let of = |service: &str, resource: &str| {
            Action::of_target(&Arn::new(service, "us-east-1", resource).to_string(), None)
        };
        assert!(matches!(of("lambda", "function:f").unwrap(), Action::Lambda { .. }));
        assert!(matches!(of("states", "stateMachine:m").unwrap(), Action::StateMachine { .. }));
        assert_eq!(of("firehose", "deliverystream/d").unwrap(), Action::Firehose { stream: "d".into() });
        assert_eq!(of("logs", "log-group:/a/b:*").unwrap(), Action::LogGroup { group: "/a/b".into() });
        assert_eq!(of("events", "event-bus/b").unwrap(), Action::Bus { bus: "b".into() });
        assert!(matches!(of("sqs", "q").unwrap(), Action::Queue { group: None, .. }));
        for service in ["sns", "kinesis", "ecs"] {
            let refused = of(service, "x").unwrap_err().to_string();
            assert!(refused.contains(service), "{refused}");
        }
        assert!(matches!(of("glue", "workflow/w"), Err(EventsError::NotImplemented(_))));
        assert!(matches!(Action::of_target("nonsense", None), Err(EventsError::Validation(_))));
    }

    #[test]
    fn members_of_some_services_begin_with_small_letters() {
        let input = json!({"StateMachineArn": "m", "Tags": [{"Key": "A"}], "LogEvents": [{"Message": "x"}]});
        assert_eq!(
            members("states", input.clone()),
            json!({"stateMachineArn": "m", "tags": [{"Key": "A"}], "logEvents": [{"message": "x"}]})
        );
        assert_eq!(members("glue", input.clone()), input);
    }
}
