//! Parameters and results: the language writes members in Pascal case and JSON where services want text.

use boathouse_aws::Ctx;
use boathouse_states::Failure;
use boathouse_states::execution::Happening;
use chrono::{SecondsFormat, TimeZone, Utc};
use serde_json::{Map, Value, json};

use super::catalog::Operation;

/// Services whose members begin with a small letter on the wire.
const SMALL: [&str; 2] = ["states", "logs"];
/// Step Functions' text members that may be given as JSON.
const TEXTS: [&str; 4] = ["Input", "Output", "Definition", "Cause"];

/// The parameters as the operation takes them.
pub(super) fn input(operation: &Operation, parameters: &Value) -> Value {
    let mut input = parameters.clone();
    match operation.service.as_str() {
        // What was JSON must be text before its members could be renamed.
        "states" => TEXTS.iter().for_each(|name| stringify(&mut input, name)),
        "events" => {
            let entries = input.get_mut("Entries").and_then(Value::as_array_mut);
            entries.into_iter().flatten().for_each(|entry| stringify(entry, "Detail"));
        }
        "s3" => s3_body(&mut input),
        "sqs" if operation.optimized => stringify(&mut input, "MessageBody"),
        _ => {}
    }
    if SMALL.contains(&operation.service.as_str()) { renamed(&input, &small_letter) } else { input }
}

/// Makes text of a member that is JSON.
fn stringify(value: &mut Value, name: &str) {
    if let Some(member) = value.get_mut(name)
        && !member.is_string()
        && !member.is_null()
    {
        *member = member.to_string().into();
    }
}

/// An object's body is text, or JSON that becomes text; on the wire it is Base64.
fn s3_body(input: &mut Value) {
    use base64::Engine as _;
    let Some(body) = input.get_mut("Body") else { return };
    let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
    *body = base64::prelude::BASE64_STANDARD.encode(text).into();
}

fn small_letter(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn renamed(value: &Value, rename: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (rename(name), renamed(value, rename)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Array(elements) => elements.iter().map(|element| renamed(element, rename)).collect(),
        other => other.clone(),
    }
}

/// The result as the language shows it: Pascal case, times as text (SDK) or milliseconds (optimized), nothing that is null.
pub(super) fn output(operation: &Operation, output: Value) -> Value {
    let small = SMALL.contains(&operation.service.as_str());
    let output = if small { renamed(&output, &capital) } else { output };
    let mut output = tidy(output, operation.optimized);
    if operation.service == "s3" && operation.operation == "GetObject" {
        text_body(&mut output);
    }
    if output.is_null() { json!({}) } else { output }
}

fn text_body(output: &mut Value) {
    use base64::Engine as _;
    let decoded = output["Body"].as_str().and_then(|body| base64::prelude::BASE64_STANDARD.decode(body).ok());
    if let Some(bytes) = decoded {
        output["Body"] = String::from_utf8_lossy(&bytes).into();
    }
}

/// Whether a member of this name is a time when it holds a large number.
fn is_time(name: &str) -> bool {
    ["Date", "Time", "Timestamp", "On", "DateTime", "LastModified"].iter().any(|ending| name.ends_with(ending))
}

fn tidy(value: Value, optimized: bool) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| {
                let value = match value.as_f64() {
                    Some(seconds) if seconds > 1e9 && is_time(&name) => time(seconds, optimized),
                    _ => tidy(value, optimized),
                };
                (name, value)
            });
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Array(elements) => elements.into_iter().map(|element| tidy(element, optimized)).collect(),
        other => other,
    }
}

fn time(seconds: f64, optimized: bool) -> Value {
    let millis = (seconds * 1000.0).round() as i64;
    if optimized {
        return millis.into();
    }
    match Utc.timestamp_millis_opt(millis).single() {
        Some(time) => time.to_rfc3339_opts(SecondsFormat::Millis, true).into(),
        None => seconds.into(),
    }
}

/// What optimized integrations tell of the call itself.
pub(super) fn add_metadata(output: &mut Value, ctx: &Ctx) {
    if let Some(members) = output.as_object_mut() {
        members.insert("SdkHttpMetadata".into(), json!({"HttpStatusCode": 200}));
        members.insert("SdkResponseMetadata".into(), json!({"RequestId": ctx.request_id.to_string()}));
    }
}

/// Events name the execution and its machine among their resources.
pub(super) fn add_resources(input: &mut Value, execution: &str, machine: &str) {
    for entry in input.get_mut("Entries").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(members) = entry.as_object_mut() else { continue };
        let resources = members.entry("Resources").or_insert_with(|| json!([]));
        if let Some(resources) = resources.as_array_mut() {
            resources.extend([execution.into(), machine.into()]);
        }
    }
}

/// The end of a Glue job run.
pub(super) fn glue_ended(task: u64, run: &Value) -> Option<Happening> {
    let output = tidy(run.clone(), true);
    match run["JobRunState"].as_str()? {
        "SUCCEEDED" => Some(Happening::Succeeded { task, output }),
        "FAILED" | "STOPPED" | "TIMEOUT" | "ERROR" | "EXPIRED" => {
            Some(Happening::Failed { task, failure: Failure::new("States.TaskFailed", output.to_string()) })
        }
        _ => None,
    }
}

/// The end of an Athena query.
pub(super) fn athena_ended(task: u64, output: &Value) -> Option<Happening> {
    let shown = tidy(output.clone(), true);
    match output.pointer("/QueryExecution/Status/State")?.as_str()? {
        "SUCCEEDED" => Some(Happening::Succeeded { task, output: shown }),
        "FAILED" | "CANCELLED" => {
            Some(Happening::Failed { task, failure: Failure::new("States.TaskFailed", shown.to_string()) })
        }
        _ => None,
    }
}

/// The end of an execution. `parsed`: input and output as JSON instead of text (`.sync:2`).
pub(super) fn execution_ended(task: u64, description: &Value, parsed: bool) -> Option<Happening> {
    let mut shown = tidy(renamed(description, &capital), true);
    if let Some(members) = shown.as_object_mut() {
        // The integration is older than redriving.
        members.retain(|name, _| !name.starts_with("Redrive"));
    }
    if parsed {
        for name in ["Input", "Output"] {
            if let Some(value) = shown[name].as_str().and_then(|text| serde_json::from_str(text).ok()) {
                shown[name] = value;
            }
        }
    }
    match description["status"].as_str()? {
        "SUCCEEDED" => Some(Happening::Succeeded { task, output: shown }),
        "RUNNING" => None,
        _ => Some(Happening::Failed { task, failure: Failure::new("States.TaskFailed", shown.to_string()) }),
    }
}

#[cfg(test)]
mod tests {
    use boathouse_states::definition::Resource;

    use super::super::catalog;
    use super::*;

    fn operation(text: &str) -> Operation {
        catalog::operation(&Resource::parse(text).unwrap()).unwrap()
    }

    #[test]
    fn members_are_named_as_the_service_wants() {
        let start = operation("arn:aws:states:::states:startExecution");
        let parameters = json!({"StateMachineArn": "a", "Input": {"X": 1}});
        assert_eq!(input(&start, &parameters), json!({"stateMachineArn": "a", "input": "{\"X\":1}"}));
        let answer = json!({"executionArn": "e", "startDate": 1_700_000_000.5, "none": null});
        assert_eq!(output(&start, answer.clone()), json!({"ExecutionArn": "e", "StartDate": 1_700_000_000_500_i64}));
        let send = operation("arn:aws:states:::sqs:sendMessage");
        let parameters = json!({"QueueUrl": "q", "MessageBody": {"a": 1}});
        assert_eq!(input(&send, &parameters), json!({"QueueUrl": "q", "MessageBody": "{\"a\":1}"}));
        let sdk = operation("arn:aws:states:::aws-sdk:sfn:startExecution");
        assert_eq!(output(&sdk, answer)["StartDate"], "2023-11-14T22:13:20.500Z");
    }

    #[test]
    fn jobs_end_when_they_end() {
        assert!(glue_ended(3, &json!({"JobRunState": "RUNNING"})).is_none());
        assert!(matches!(
            glue_ended(3, &json!({"JobRunState": "SUCCEEDED"})),
            Some(Happening::Succeeded { task: 3, .. })
        ));
        assert!(matches!(glue_ended(3, &json!({"JobRunState": "STOPPED"})), Some(Happening::Failed { .. })));
        let done = json!({"status": "SUCCEEDED", "output": "{\"a\":1}"});
        let Some(Happening::Succeeded { output, .. }) = execution_ended(1, &done, true) else { panic!("it ended") };
        assert_eq!(output["Output"], json!({"a": 1}));
    }
}
