//! One state: what its type allows, and what it makes of it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Compiler;
use crate::choice::{Condition, Rule, Test};
use crate::definition::{
    Catcher, Items, Kind, Language, MapState, Pattern, Resource, Retrier, State, Task, Transition, Until,
};
use crate::failure::names;
use crate::template::Template;

type Members = Map<String, Value>;

const TYPES: [&str; 8] = ["Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map"];
/// What only JSONPath states have.
const JSONPATH_ONLY: [&str; 14] = [
    "InputPath",
    "OutputPath",
    "ResultPath",
    "Parameters",
    "ResultSelector",
    "Result",
    "ItemsPath",
    "SecondsPath",
    "TimestampPath",
    "TimeoutSecondsPath",
    "HeartbeatSecondsPath",
    "MaxConcurrencyPath",
    "ErrorPath",
    "CausePath",
];
/// What only JSONata states have.
const JSONATA_ONLY: [&str; 3] = ["Arguments", "Output", "Items"];
/// What belongs to Distributed Map.
const DISTRIBUTED: [&str; 8] = [
    "ItemReader",
    "ItemBatcher",
    "ResultWriter",
    "Label",
    "ToleratedFailureCount",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentage",
    "ToleratedFailurePercentagePath",
];
const MAX_SECONDS: u64 = 99_999_999;

fn allowed(kind: &str) -> &'static [&'static str] {
    match kind {
        "Task" => &[
            "Resource",
            "Parameters",
            "Arguments",
            "ResultSelector",
            "ResultPath",
            "InputPath",
            "OutputPath",
            "Output",
            "Assign",
            "Retry",
            "Catch",
            "Next",
            "End",
            "TimeoutSeconds",
            "TimeoutSecondsPath",
            "HeartbeatSeconds",
            "HeartbeatSecondsPath",
            "Credentials",
        ],
        "Pass" => &["Result", "Parameters", "InputPath", "OutputPath", "ResultPath", "Output", "Assign", "Next", "End"],
        "Choice" => &["Choices", "Default", "InputPath", "OutputPath", "Output", "Assign"],
        "Wait" => &[
            "Seconds",
            "SecondsPath",
            "Timestamp",
            "TimestampPath",
            "InputPath",
            "OutputPath",
            "Output",
            "Assign",
            "Next",
            "End",
        ],
        "Succeed" => &["InputPath", "OutputPath", "Output"],
        "Fail" => &["Error", "Cause", "ErrorPath", "CausePath"],
        "Parallel" => &[
            "Branches",
            "Parameters",
            "Arguments",
            "ResultSelector",
            "ResultPath",
            "InputPath",
            "OutputPath",
            "Output",
            "Assign",
            "Retry",
            "Catch",
            "Next",
            "End",
        ],
        _ => &[
            "ItemProcessor",
            "Iterator",
            "ItemsPath",
            "Items",
            "ItemSelector",
            "Parameters",
            "MaxConcurrency",
            "MaxConcurrencyPath",
            "ResultSelector",
            "ResultPath",
            "InputPath",
            "OutputPath",
            "Output",
            "Assign",
            "Retry",
            "Catch",
            "Next",
            "End",
            "ItemReader",
            "ItemBatcher",
            "ResultWriter",
            "Label",
            "ToleratedFailureCount",
            "ToleratedFailureCountPath",
            "ToleratedFailurePercentage",
            "ToleratedFailurePercentagePath",
        ],
    }
}

impl Compiler<'_> {
    pub(super) fn state(&mut self, name: &str, definition: &Value, at: &str) -> Option<State> {
        let Some(members) = definition.as_object() else {
            self.schema("A state must be an object", at);
            return None;
        };
        let kind = match members.get("Type").map(Value::as_str) {
            None => {
                self.schema("These fields are required: [Type]", at);
                return None;
            }
            Some(Some(kind)) if TYPES.contains(&kind) => kind,
            Some(_) => {
                let message = format!("The field 'Type' should have one of these values: [{}]", TYPES.join(", "));
                self.schema(message, &format!("{at}/Type"));
                return None;
            }
        };
        let language = self.state_language(members, at);
        let mut known = vec!["Type", "Comment", "QueryLanguage"];
        known.extend(allowed(kind));
        self.allow(members, &known, at);
        self.check_language(members, language, at);
        let result_path = self.result_path(members, at);
        let arguments = if language == Language::Jsonata { "Arguments" } else { "Parameters" };
        Some(State {
            name: name.to_owned(),
            input_path: self.nullable_path(members, "InputPath", at),
            output_path: self.nullable_path(members, "OutputPath", at),
            result_path,
            arguments: if kind == "Map" { None } else { self.template(members, arguments, language, at) },
            result_selector: self.template(members, "ResultSelector", language, at),
            output: self.template(members, "Output", language, at),
            assign: self.assign(members, language, at),
            retry: self.retriers(members, at),
            catch: self.catchers(members, language, at),
            next: self.transition(kind, members, at),
            kind: self.kind(kind, members, language, at)?,
            language,
        })
    }

    fn state_language(&mut self, members: &Members, at: &str) -> Language {
        let language = self.language(members, self.machine_language, at);
        if self.machine_language == Language::Jsonata && language == Language::JsonPath {
            self.schema("'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine", at);
            return Language::Jsonata;
        }
        language
    }

    fn check_language(&mut self, members: &Members, language: Language, at: &str) {
        let (set, foreign, other): (_, &[&str], _) = match language {
            Language::JsonPath => ("JSONPath", &JSONATA_ONLY, "JSONata"),
            Language::Jsonata => ("JSONata", &JSONPATH_ONLY, "JSONPath"),
        };
        for name in foreign.iter().filter(|name| members.contains_key(**name)) {
            let message = format!(
                "The QueryLanguage is set to '{set}', but field '{name}' is only supported for the '{other}' QueryLanguage"
            );
            self.schema(message, at);
        }
    }

    fn transition(&mut self, kind: &str, members: &Members, at: &str) -> Transition {
        if matches!(kind, "Choice" | "Succeed" | "Fail") {
            return Transition::End;
        }
        self.either(members, &["Next", "End"], at);
        if let Some(next) = self.string(members, "Next", at) {
            return Transition::Next(next);
        }
        match members.get("End") {
            Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) | None if !members.contains_key("Next") => {
                self.schema("There should be exactly one of the following fields: [Next, End]", at);
            }
            Some(Value::Bool(false)) | None => {}
            Some(_) => self.schema("Expected value of type Boolean at field 'End'", &format!("{at}/End")),
        }
        Transition::End
    }

    fn kind(&mut self, kind: &str, members: &Members, language: Language, at: &str) -> Option<Kind> {
        Some(match kind {
            "Pass" => Kind::Pass { result: members.get("Result").cloned().map(Arc::new) },
            "Task" => Kind::Task(Box::new(self.task(members, language, at)?)),
            "Choice" => self.choice(members, language, at)?,
            "Wait" => Kind::Wait(self.wait(members, language, at)?),
            "Succeed" => Kind::Succeed,
            "Fail" => Kind::Fail {
                error: self.text(members, ("Error", "ErrorPath"), language, at),
                cause: self.text(members, ("Cause", "CausePath"), language, at),
            },
            "Parallel" => self.parallel(members, at)?,
            _ => Kind::Map(Box::new(self.map(members, language, at)?)),
        })
    }

    fn require(&mut self, members: &Members, name: &str, at: &str) -> bool {
        let found = members.contains_key(name);
        if !found {
            self.schema(format!("These fields are required: [{name}]"), at);
        }
        found
    }

    fn task(&mut self, members: &Members, language: Language, at: &str) -> Option<Task> {
        if !self.require(members, "Resource", at) {
            return None;
        }
        let text = self.string(members, "Resource", at)?;
        let place = format!("{at}/Resource");
        let Some(resource) = Resource::parse(&text) else {
            self.schema("Value is not a valid resource ARN", &place);
            return None;
        };
        self.check_resource(&resource, &place);
        Some(Task {
            resource: Arc::new(resource),
            timeout: self.amount(members, ("TimeoutSeconds", "TimeoutSecondsPath"), language, at, (1, MAX_SECONDS)),
            heartbeat: self.amount(
                members,
                ("HeartbeatSeconds", "HeartbeatSecondsPath"),
                language,
                at,
                (1, MAX_SECONDS),
            ),
            credentials: self.credentials(members, language, at),
        })
    }

    fn credentials(&mut self, members: &Members, language: Language, at: &str) -> Option<Template> {
        let value = members.get("Credentials")?;
        if value.get("RoleArn").or_else(|| value.get("RoleArn.$")).is_none() {
            self.schema("The field 'RoleArn' is required but was missing", &format!("{at}/Credentials"));
            return None;
        }
        self.template(members, "Credentials", language, at)
    }

    fn check_resource(&mut self, resource: &Resource, at: &str) {
        if self.platform.express() {
            match resource {
                Resource::Activity { .. } => self.schema("Express state machine does not support Activity ARN", at),
                Resource::Integration { pattern, .. } if *pattern != Pattern::RequestResponse => {
                    let suffix = if *pattern == Pattern::WaitForTaskToken { ".waitForTaskToken" } else { ".sync" };
                    // AWS's own message ends in a blank.
                    self.schema(format!("Express state machine does not support '{suffix}' service integration "), at);
                }
                _ => {}
            }
        }
        // What no express machine can do needs no second reason.
        if self.diagnostics.last().is_some_and(|found| found.location.as_deref() == Some(at)) {
            return;
        }
        if let Some(reason) = self.platform.refuse(resource) {
            self.schema(reason, at);
        }
    }

    fn wait(&mut self, members: &Members, language: Language, at: &str) -> Option<Until> {
        let names = ["Seconds", "SecondsPath", "Timestamp", "TimestampPath"];
        let given: Vec<&str> = names.into_iter().filter(|name| members.contains_key(*name)).collect();
        let [name] = given.as_slice() else {
            let message = format!("There should be exactly one of the following fields: [{}]", names.join(", "));
            self.schema(message, at);
            return None;
        };
        Some(match *name {
            "Seconds" => {
                Until::Seconds(self.amount(members, ("Seconds", "SecondsPath"), language, at, (0, MAX_SECONDS))?)
            }
            "SecondsPath" => Until::SecondsPath(self.path(members, "SecondsPath", at)?),
            "TimestampPath" => Until::TimestampPath(self.path(members, "TimestampPath", at)?),
            _ => {
                let text = self.text(members, ("Timestamp", "TimestampPath"), language, at)?;
                if let crate::definition::Text::Literal(literal) = &text
                    && crate::choice::timestamp(literal).is_none()
                {
                    let message =
                        "The value for the field 'Timestamp' must be a valid ISO-8601 extended offset date-time";
                    self.schema(message, &format!("{at}/Timestamp"));
                }
                Until::Timestamp(text)
            }
        })
    }

    fn choice(&mut self, members: &Members, language: Language, at: &str) -> Option<Kind> {
        if !self.require(members, "Choices", at) {
            return None;
        }
        let place = format!("{at}/Choices");
        let Some(choices) = members.get("Choices").and_then(Value::as_array).filter(|rules| !rules.is_empty()) else {
            self.schema("The field 'Choices' must be a non-empty array", &place);
            return None;
        };
        let rules = choices.iter().enumerate();
        let rules: Vec<Option<Rule>> = rules.map(|(index, rule)| self.rule(rule, language, index, at)).collect();
        let default = self.string(members, "Default", at);
        Some(Kind::Choice { rules: rules.into_iter().collect::<Option<_>>()?, default })
    }

    fn rule(&mut self, rule: &Value, language: Language, index: usize, state: &str) -> Option<Rule> {
        let at = &format!("{state}/Choices[{index}]");
        let Some(members) = rule.as_object() else {
            self.schema("A choice rule must be an object", at);
            return None;
        };
        if !self.require(members, "Next", at) {
            return None;
        }
        let condition = match language {
            Language::Jsonata => {
                self.allow(members, &["Condition", "Next", "Assign", "Output", "Comment"], at);
                if !self.require(members, "Condition", at) {
                    return None;
                }
                let text = match members.get("Condition") {
                    Some(Value::Bool(constant)) => format!("{{% {constant} %}}"),
                    _ => self.string(members, "Condition", at)?,
                };
                self.query(&text, &format!("Choices[{index}]/Condition"), state).map(Condition::Jsonata)
            }
            Language::JsonPath => self.condition(members, at, true),
        };
        let next = self.string(members, "Next", at);
        let assign = self.assign(members, language, at);
        let output = if language == Language::Jsonata { self.template(members, "Output", language, at) } else { None };
        Some(Rule { condition: condition?, next: next?, assign, output })
    }

    fn condition(&mut self, members: &Members, at: &str, outermost: bool) -> Option<Condition> {
        let mut known = vec!["Comment"];
        if outermost {
            known.extend(["Next", "Assign"]);
        }
        for (name, many) in [("And", true), ("Or", true), ("Not", false)] {
            let Some(value) = members.get(name) else { continue };
            known.push(name);
            self.allow(members, &known, at);
            let inner = |compiler: &mut Self, value: &Value, at: &str| match value.as_object() {
                Some(members) => compiler.condition(members, at, false),
                None => {
                    compiler.schema("A choice rule must be an object", at);
                    None
                }
            };
            if !many {
                return Some(Condition::Not(Box::new(inner(self, value, &format!("{at}/{name}"))?)));
            }
            let Some(list) = value.as_array().filter(|list| !list.is_empty()) else {
                self.schema(format!("The field '{name}' must be a non-empty array"), &format!("{at}/{name}"));
                return None;
            };
            let list: Vec<Option<Condition>> = list
                .iter()
                .enumerate()
                .map(|(index, value)| inner(self, value, &format!("{at}/{name}[{index}]")))
                .collect();
            let list = list.into_iter().collect::<Option<Vec<_>>>()?;
            return Some(if name == "And" { Condition::And(list) } else { Condition::Or(list) });
        }
        self.comparison(members, known, at)
    }

    fn comparison<'m>(&mut self, members: &'m Members, mut known: Vec<&'m str>, at: &str) -> Option<Condition> {
        if !self.require(members, "Variable", at) {
            return None;
        }
        let variable = self.path(members, "Variable", at)?;
        known.push("Variable");
        let tests: Vec<(&String, Result<Test, String>)> =
            members.iter().filter_map(|(name, value)| Some((name, Test::parse(name, value)?))).collect();
        known.extend(tests.iter().map(|(name, _)| name.as_str()));
        let others: Members = members
            .iter()
            .filter(|(name, _)| !known.contains(&name.as_str()))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        self.allow(&others, &[], at);
        let count = tests.len();
        let mut tests = tests.into_iter();
        match (tests.next(), count) {
            (Some((_, Ok(test))), 1) => Some(Condition::Test(variable, test)),
            (Some((name, Err(problem))), 1) => {
                self.schema(problem, &format!("{at}/{name}"));
                None
            }
            _ => {
                self.schema("A choice rule must have exactly one comparison operator", at);
                None
            }
        }
    }

    fn parallel(&mut self, members: &Members, at: &str) -> Option<Kind> {
        if !self.require(members, "Branches", at) {
            return None;
        }
        let place = format!("{at}/Branches");
        let Some(branches) = members.get("Branches").and_then(Value::as_array).filter(|list| !list.is_empty()) else {
            self.schema("The field 'Branches' must be a non-empty array", &place);
            return None;
        };
        let compiled: Vec<_> = branches
            .iter()
            .enumerate()
            .map(|(index, branch)| {
                let at = format!("{place}[{index}]");
                let Some(members) = branch.as_object() else {
                    self.schema("A branch must be an object", &at);
                    return None;
                };
                self.allow(members, &["Comment", "StartAt", "States"], &at);
                self.graph(members, &at)
            })
            .collect();
        Some(Kind::Parallel { branches: compiled.into_iter().collect::<Option<_>>()? })
    }

    fn map(&mut self, members: &Members, language: Language, at: &str) -> Option<MapState> {
        self.either(members, &["ItemProcessor", "Iterator"], at);
        self.either(members, &["ItemSelector", "Parameters"], at);
        let name = if members.contains_key("Iterator") { "Iterator" } else { "ItemProcessor" };
        if !self.require(members, name, at) {
            return None;
        }
        self.refuse_distributed(members, name, at);
        let place = format!("{at}/{name}");
        let Some(processor) = members.get(name).and_then(Value::as_object) else {
            self.schema("An item processor must be an object", &place);
            return None;
        };
        self.allow(processor, &["Comment", "StartAt", "States", "ProcessorConfig"], &place);
        let selector = if members.contains_key("Parameters") { "Parameters" } else { "ItemSelector" };
        Some(MapState {
            items: self.items(members, language, at)?,
            selector: self.template(members, selector, language, at),
            max_concurrency: self.amount(
                members,
                ("MaxConcurrency", "MaxConcurrencyPath"),
                language,
                at,
                (0, u64::MAX),
            ),
            processor: self.graph(processor, &place)?,
        })
    }

    fn refuse_distributed(&mut self, members: &Members, processor: &str, at: &str) {
        let mode = members.get(processor).and_then(|processor| processor.pointer("/ProcessorConfig/Mode"));
        if mode.and_then(Value::as_str) == Some("DISTRIBUTED") {
            let message = "Boathouse does not implement Distributed Map (ProcessorConfig.Mode 'DISTRIBUTED') yet";
            self.schema(message, &format!("{at}/{processor}/ProcessorConfig/Mode"));
        }
        for name in DISTRIBUTED.iter().filter(|name| members.contains_key(**name)) {
            let message =
                format!("Boathouse does not implement Distributed Map, which the field '{name}' belongs to, yet");
            self.schema(message, at);
        }
    }

    fn items(&mut self, members: &Members, language: Language, at: &str) -> Option<Items> {
        if language == Language::JsonPath {
            return match members.get("ItemsPath") {
                None => Some(Items::Input),
                Some(_) => self.path(members, "ItemsPath", at).map(Items::Path),
            };
        }
        match members.get("Items") {
            None => Some(Items::Input),
            Some(Value::String(text)) => self.query(text, "Items", at).map(Items::Jsonata),
            Some(_) => self.template(members, "Items", language, at).map(Items::Template),
        }
    }

    fn errors(&mut self, members: &Members, last: bool, at: &str) -> Vec<String> {
        if !self.require(members, "ErrorEquals", at) {
            return Vec::new();
        }
        let place = format!("{at}/ErrorEquals");
        let errors: Option<Vec<String>> = members
            .get("ErrorEquals")
            .and_then(Value::as_array)
            .filter(|list| !list.is_empty())
            .and_then(|list| list.iter().map(|error| error.as_str().map(str::to_owned)).collect());
        let Some(errors) = errors else {
            self.schema("The field 'ErrorEquals' must be a non-empty array of strings", &place);
            return Vec::new();
        };
        if errors.iter().any(|error| error == names::ALL) {
            if errors.len() > 1 {
                self.schema("'States.ALL' must be the only element of 'ErrorEquals'", &place);
            }
            if !last {
                self.schema("'States.ALL' must be in the last element of the array", &place);
            }
        }
        errors
    }

    fn objects<'m>(&mut self, members: &'m Members, name: &str, at: &str) -> Vec<&'m Members> {
        let Some(value) = members.get(name) else { return Vec::new() };
        let list: Option<Vec<&Members>> = value.as_array().and_then(|list| list.iter().map(Value::as_object).collect());
        list.unwrap_or_else(|| {
            self.schema(format!("The field '{name}' must be an array of objects"), &format!("{at}/{name}"));
            Vec::new()
        })
    }

    fn retriers(&mut self, members: &Members, at: &str) -> Vec<Retrier> {
        let list = self.objects(members, "Retry", at);
        let count = list.len();
        let compiled = list.into_iter().enumerate().map(|(index, retrier)| {
            let at = format!("{at}/Retry[{index}]");
            let known = [
                "ErrorEquals",
                "IntervalSeconds",
                "MaxAttempts",
                "BackoffRate",
                "MaxDelaySeconds",
                "JitterStrategy",
                "Comment",
            ];
            self.allow(retrier, &known, &at);
            let backoff_rate = retrier.get("BackoffRate").map_or(Some(2.0), Value::as_f64);
            if backoff_rate.is_none_or(|rate| rate < 1.0) {
                self.schema("Minimum value is 1.0", &format!("{at}/BackoffRate"));
            }
            let jitter = retrier.get("JitterStrategy");
            if jitter.is_some_and(|jitter| !matches!(jitter.as_str(), Some("FULL" | "NONE"))) {
                let message = "The field 'JitterStrategy' should have one of these values: [FULL, NONE]";
                self.schema(message, &format!("{at}/JitterStrategy"));
            }
            let interval = self.whole(retrier, "IntervalSeconds", &at, 1, MAX_SECONDS).unwrap_or(1);
            let max_delay = self.whole(retrier, "MaxDelaySeconds", &at, 1, 31_622_400);
            if max_delay.is_some_and(|delay| delay <= interval) {
                self.schema(
                    "'MaxDelaySeconds' must be greater than 'IntervalSeconds'",
                    &format!("{at}/MaxDelaySeconds"),
                );
            }
            Retrier {
                errors: self.errors(retrier, index + 1 == count, &at),
                interval,
                max_attempts: self.whole(retrier, "MaxAttempts", &at, 0, MAX_SECONDS).unwrap_or(3),
                backoff_rate: backoff_rate.unwrap_or(2.0),
                max_delay,
                full_jitter: jitter.and_then(Value::as_str) == Some("FULL"),
            }
        });
        compiled.collect()
    }

    fn catchers(&mut self, members: &Members, language: Language, at: &str) -> Vec<Catcher> {
        let list = self.objects(members, "Catch", at);
        let count = list.len();
        let compiled = list.into_iter().enumerate().map(|(index, catcher)| {
            let at = format!("{at}/Catch[{index}]");
            let known: &[&str] = match language {
                Language::JsonPath => &["ErrorEquals", "Next", "ResultPath", "Assign", "Comment"],
                Language::Jsonata => &["ErrorEquals", "Next", "Output", "Assign", "Comment"],
            };
            self.allow(catcher, known, &at);
            self.require(catcher, "Next", &at);
            Catcher {
                errors: self.errors(catcher, index + 1 == count, &at),
                result_path: self.result_path(catcher, &at),
                output: if language == Language::Jsonata {
                    self.template(catcher, "Output", language, &at)
                } else {
                    None
                },
                assign: self.assign(catcher, language, &at),
                next: self.string(catcher, "Next", &at).unwrap_or_default(),
            }
        });
        compiled.collect()
    }
}
