//! What an execution's history tells ("GetExecutionHistory"), and JSON that is kept with its text.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// A JSON value and, once somebody asked, its text. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Payload(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    value: Value,
    text: OnceLock<Text>,
}

impl Payload {
    /// The value, to be shared.
    pub fn new(value: Value) -> Self {
        Self(Arc::new(Inner { value, text: OnceLock::new() }))
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.0.value
    }

    /// Its JSON text.
    pub fn text(&self) -> Text {
        self.0.text.get_or_init(|| Text(self.0.value.to_string().into())).clone()
    }
}

/// JSON text that many events share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(Arc<str>);

impl Text {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// Declares the event types under their AWS names.
macro_rules! event_types {
    ($($name:ident),* $(,)?) => {
        /// The types of event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "the names are AWS's")]
        pub enum EventType { $($name),* }

        impl EventType {
            /// The type's AWS name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }
        }
    };
}

event_types! {
    ActivityFailed, ActivityScheduled, ActivityStarted, ActivitySucceeded, ActivityTimedOut,
    ChoiceStateEntered, ChoiceStateExited, EvaluationFailed,
    ExecutionAborted, ExecutionFailed, ExecutionRedriven, ExecutionStarted, ExecutionSucceeded, ExecutionTimedOut,
    FailStateEntered,
    LambdaFunctionFailed, LambdaFunctionScheduled, LambdaFunctionStarted, LambdaFunctionSucceeded, LambdaFunctionTimedOut,
    MapIterationAborted, MapIterationFailed, MapIterationStarted, MapIterationSucceeded,
    MapStateAborted, MapStateEntered, MapStateExited, MapStateFailed, MapStateStarted, MapStateSucceeded,
    ParallelStateAborted, ParallelStateEntered, ParallelStateExited, ParallelStateFailed, ParallelStateStarted,
    ParallelStateSucceeded,
    PassStateEntered, PassStateExited,
    SucceedStateEntered, SucceedStateExited,
    TaskFailed, TaskScheduled, TaskStarted, TaskSubmitted, TaskSucceeded, TaskTimedOut,
    TaskStateAborted, TaskStateEntered, TaskStateExited,
    WaitStateAborted, WaitStateEntered, WaitStateExited,
}

/// One event of a history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryEvent {
    /// Its number, from 1.
    pub id: u64,
    /// The event that it follows from.
    pub previous: u64,
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// What sort of event.
    pub kind: EventType,
    /// What there is to tell.
    #[serde(default, skip_serializing_if = "is_default")]
    pub details: Box<Details>,
}

fn is_default(details: &Details) -> bool {
    *details == Details::default()
}

/// Declares the details: every member is optional.
macro_rules! details {
    ($($(#[$doc:meta])* $name:ident: $kind:ty),* $(,)?) => {
        /// What events tell; which members are there depends on the type.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        pub struct Details {
            $($(#[$doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $name: Option<$kind>),*
        }
    };
}

details! {
    /// The state's name.
    name: String,
    /// Input, as JSON text.
    input: Text,
    /// Output, as JSON text.
    output: Text,
    /// Assigned variables, each as JSON text.
    assigned: std::collections::BTreeMap<String, String>,
    /// The execution's role.
    role: String,
    /// Error name.
    error: String,
    /// Cause.
    cause: String,
    /// The field that failed.
    location: String,
    /// The state that failed.
    state: String,
    /// Function or activity ARN, or the integration's action.
    resource: String,
    /// The integration's service.
    resource_type: String,
    /// The integration's parameters, as JSON text.
    parameters: Text,
    /// The region that is called.
    region: String,
    /// Seconds.
    timeout: u64,
    /// Seconds.
    heartbeat: u64,
    /// The role of `Credentials`.
    credentials: String,
    /// Who took the activity.
    worker: String,
    /// The iteration's index.
    index: usize,
    /// The number of items.
    length: usize,
    /// How often the execution was redriven.
    redrives: u32,
}
