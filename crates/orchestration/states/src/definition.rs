//! A compiled state machine: what `compile` makes of a definition.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::choice::Rule;
use crate::path::JsonPath;
use crate::template::{Query, Template};

/// The language of a state's expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// The original one: paths, payload templates, intrinsic functions.
    JsonPath,
    /// Expressions in `{% %}`.
    Jsonata,
}

/// A validated state machine.
#[derive(Debug)]
pub struct Machine {
    /// Its states.
    pub root: Arc<Graph>,
    /// Seconds after which an execution times out.
    pub timeout: Option<u64>,
}

/// States that lead to each other: a machine, a branch or an item processor.
#[derive(Debug)]
pub struct Graph {
    /// The first state's name.
    pub start: String,
    /// All states by name.
    pub states: HashMap<String, Arc<State>>,
}

/// One state.
#[derive(Debug)]
pub struct State {
    /// Its name.
    pub name: String,
    /// Its type and what only that type has.
    pub kind: Kind,
    /// The language of its expressions.
    pub language: Language,
    /// `InputPath`; `None` is the field's `null`.
    pub input_path: Option<JsonPath>,
    /// `OutputPath`; `None` is the field's `null`.
    pub output_path: Option<JsonPath>,
    /// `ResultPath`; `None` is the field's `null`.
    pub result_path: Option<JsonPath>,
    /// `Parameters` or `Arguments`.
    pub arguments: Option<Template>,
    /// `ResultSelector`.
    pub result_selector: Option<Template>,
    /// `Output`.
    pub output: Option<Template>,
    /// `Assign`.
    pub assign: Vec<(String, Template)>,
    /// `Retry`.
    pub retry: Vec<Retrier>,
    /// `Catch`.
    pub catch: Vec<Catcher>,
    /// Where it leads.
    pub next: Transition,
}

/// Where a state leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transition {
    /// To this state.
    Next(String),
    /// Nowhere: the machine, branch or iteration ends.
    End,
}

/// The types of state.
#[derive(Debug)]
pub enum Kind {
    /// Passes its input on.
    Pass {
        /// `Result`.
        result: Option<Arc<Value>>,
    },
    /// Has work done.
    Task(Box<Task>),
    /// Chooses the next state.
    Choice {
        /// In order; the first that holds is taken.
        rules: Vec<Rule>,
        /// Where to go if none holds.
        default: Option<String>,
    },
    /// Waits.
    Wait(Until),
    /// Ends well.
    Succeed,
    /// Ends badly.
    Fail {
        /// The error's name.
        error: Option<Text>,
        /// The cause.
        cause: Option<Text>,
    },
    /// Runs branches side by side.
    Parallel {
        /// The branches.
        branches: Vec<Arc<Graph>>,
    },
    /// Runs a processor for each item.
    Map(Box<MapState>),
}

impl Kind {
    /// The type's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pass { .. } => "Pass",
            Self::Task(_) => "Task",
            Self::Choice { .. } => "Choice",
            Self::Wait(_) => "Wait",
            Self::Succeed => "Succeed",
            Self::Fail { .. } => "Fail",
            Self::Parallel { .. } => "Parallel",
            Self::Map(_) => "Map",
        }
    }
}

/// What only Task states have.
#[derive(Debug)]
pub struct Task {
    /// Who does the work.
    pub resource: Arc<Resource>,
    /// `TimeoutSeconds` or `TimeoutSecondsPath`.
    pub timeout: Option<Amount>,
    /// `HeartbeatSeconds` or `HeartbeatSecondsPath`.
    pub heartbeat: Option<Amount>,
    /// `Credentials.RoleArn`.
    pub credentials: Option<Template>,
}

/// Who does a task's work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// A function, by its ARN: the input is the payload, the payload the result.
    Lambda {
        /// The function's ARN.
        arn: String,
    },
    /// A worker that polls for it.
    Activity {
        /// The activity's ARN.
        arn: String,
    },
    /// An operation of a service.
    Integration {
        /// Such as `lambda` or `aws-sdk:s3`.
        service: String,
        /// Such as `startJobRun`, without the pattern.
        action: String,
        /// How the task ends.
        pattern: Pattern,
    },
}

/// How the task of a service integration ends ("service integration patterns").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// With the call's response.
    RequestResponse,
    /// With the job that the call started.
    Sync,
    /// With the job, whose output is parsed (`.sync:2`).
    Sync2,
    /// When somebody sends the task's token back.
    WaitForTaskToken,
}

impl Pattern {
    /// As it stands behind the action.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::RequestResponse => "",
            Self::Sync => ".sync",
            Self::Sync2 => ".sync:2",
            Self::WaitForTaskToken => ".waitForTaskToken",
        }
    }
}

impl Resource {
    /// Reads a `Resource` field.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", _, service, region, _, rest] = parts.as_slice() else { return None };
        match (*service, *region, *rest) {
            ("lambda", _, rest) if rest.starts_with("function:") => Some(Self::Lambda { arn: text.to_owned() }),
            ("states", region, rest) if !region.is_empty() && rest.starts_with("activity:") => {
                Some(Self::Activity { arn: text.to_owned() })
            }
            ("states", "", rest) => {
                let (service, action) = match rest.strip_prefix("aws-sdk:") {
                    Some(sdk) => {
                        let (service, action) = sdk.split_once(':')?;
                        (format!("aws-sdk:{service}"), action)
                    }
                    None => {
                        let (service, action) = rest.split_once(':')?;
                        (service.to_owned(), action)
                    }
                };
                let (action, pattern) = match action.split_once('.') {
                    None => (action, Pattern::RequestResponse),
                    Some((action, "sync")) => (action, Pattern::Sync),
                    Some((action, "sync:2")) => (action, Pattern::Sync2),
                    Some((action, "waitForTaskToken")) => (action, Pattern::WaitForTaskToken),
                    Some(_) => return None,
                };
                Some(Self::Integration { service, action: action.to_owned(), pattern })
            }
            _ => None,
        }
    }
}

/// A number that may have to be looked up.
#[derive(Debug, Clone)]
pub enum Amount {
    /// Written in the definition.
    Literal(u64),
    /// Found in the input; with the field's name.
    Path(JsonPath, &'static str),
    /// Computed.
    Jsonata(Query),
}

/// A string that may have to be looked up.
#[derive(Debug, Clone)]
pub enum Text {
    /// Written in the definition.
    Literal(String),
    /// Found in the input; with the field's name.
    Path(JsonPath, &'static str),
    /// Made by an intrinsic function; with the field's name.
    Intrinsic(crate::intrinsics::Intrinsic, &'static str),
    /// Computed.
    Jsonata(Query),
}

/// How long a Wait state waits.
#[derive(Debug)]
pub enum Until {
    /// `Seconds`, literal or JSONata.
    Seconds(Amount),
    /// `SecondsPath`.
    SecondsPath(JsonPath),
    /// `Timestamp`, literal or JSONata.
    Timestamp(Text),
    /// `TimestampPath`.
    TimestampPath(JsonPath),
}

/// What only Map states have.
#[derive(Debug)]
pub struct MapState {
    /// The states that each item goes through.
    pub processor: Arc<Graph>,
    /// Where the items are.
    pub items: Items,
    /// `ItemSelector`, or the old `Parameters`.
    pub selector: Option<Template>,
    /// How many items at once; none or 0 is as many as possible.
    pub max_concurrency: Option<Amount>,
}

/// Where a Map state's items are.
#[derive(Debug)]
pub enum Items {
    /// The whole input, which must be an array.
    Input,
    /// `ItemsPath`.
    Path(JsonPath),
    /// `Items` as a JSONata expression.
    Jsonata(Query),
    /// `Items` as an array with expressions in it.
    Template(Template),
}

/// One retrier.
#[derive(Debug)]
pub struct Retrier {
    /// `ErrorEquals`.
    pub errors: Vec<String>,
    /// `IntervalSeconds`.
    pub interval: u64,
    /// `MaxAttempts`.
    pub max_attempts: u64,
    /// `BackoffRate`.
    pub backoff_rate: f64,
    /// `MaxDelaySeconds`.
    pub max_delay: Option<u64>,
    /// `JitterStrategy` is `FULL`.
    pub full_jitter: bool,
}

/// One catcher.
#[derive(Debug)]
pub struct Catcher {
    /// `ErrorEquals`.
    pub errors: Vec<String>,
    /// `ResultPath`; `None` is the field's `null`.
    pub result_path: Option<JsonPath>,
    /// `Output`.
    pub output: Option<Template>,
    /// `Assign`.
    pub assign: Vec<(String, Template)>,
    /// `Next`.
    pub next: String,
}
