//! The types of states: what their fields are called.

use crate::definition::Language;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Task,
    Wait,
    Pass,
    Succeed,
    Fail,
    Choice,
    Parallel,
    Map,
}

const TYPES: [(&str, Type); 8] = [
    ("Task", Type::Task),
    ("Wait", Type::Wait),
    ("Pass", Type::Pass),
    ("Succeed", Type::Succeed),
    ("Fail", Type::Fail),
    ("Choice", Type::Choice),
    ("Parallel", Type::Parallel),
    ("Map", Type::Map),
];

type Fields = &'static [&'static str];

const EVERYWHERE: Fields = &["Type", "Comment", "QueryLanguage"];
/// What selects from the input and makes the output.
const IN_AND_OUT: Fields = &["InputPath", "OutputPath", "Output"];
const ASSIGN: Fields = &["Assign"];
const ONWARD: Fields = &["Next", "End"];
/// What states have whose result comes from elsewhere.
const RESULT: Fields = &["Parameters", "ResultSelector", "ResultPath", "Retry", "Catch"];
const ARGUMENTS: Fields = &["Arguments"];

/// What belongs to Distributed Map.
pub(super) const DISTRIBUTED: Fields = &[
    "ItemReader",
    "ItemBatcher",
    "ResultWriter",
    "Label",
    "ToleratedFailureCount",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentage",
    "ToleratedFailurePercentagePath",
];
/// What only JSONPath states have.
const JSONPATH_ONLY: Fields = &[
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
const JSONATA_ONLY: Fields = &["Arguments", "Output", "Items"];

impl Type {
    pub(super) fn named(name: &str) -> Option<Self> {
        TYPES.iter().find(|(own, _)| *own == name).map(|(_, found)| *found)
    }

    pub(super) fn names() -> String {
        TYPES.map(|(name, _)| name).join(", ")
    }

    /// The fields that a state of this type may have, whatever its query language.
    pub(super) fn fields(self) -> Vec<&'static str> {
        const TASK: Fields = &[
            "Resource",
            "TimeoutSeconds",
            "TimeoutSecondsPath",
            "HeartbeatSeconds",
            "HeartbeatSecondsPath",
            "Credentials",
        ];
        const WAIT: Fields = &["Seconds", "SecondsPath", "Timestamp", "TimestampPath"];
        const PASS: Fields = &["Result", "Parameters", "ResultPath"];
        const FAIL: Fields = &["Error", "Cause", "ErrorPath", "CausePath"];
        const CHOICE: Fields = &["Choices", "Default"];
        const MAP: Fields = &[
            "ItemProcessor",
            "Iterator",
            "ItemsPath",
            "Items",
            "ItemSelector",
            "MaxConcurrency",
            "MaxConcurrencyPath",
        ];
        let groups: &[Fields] = match self {
            Self::Task => &[EVERYWHERE, TASK, ARGUMENTS, RESULT, IN_AND_OUT, ASSIGN, ONWARD],
            Self::Wait => &[EVERYWHERE, WAIT, IN_AND_OUT, ASSIGN, ONWARD],
            Self::Pass => &[EVERYWHERE, PASS, IN_AND_OUT, ASSIGN, ONWARD],
            Self::Succeed => &[EVERYWHERE, IN_AND_OUT],
            Self::Fail => &[EVERYWHERE, FAIL],
            Self::Choice => &[EVERYWHERE, CHOICE, IN_AND_OUT, ASSIGN],
            Self::Parallel => &[EVERYWHERE, &["Branches"], ARGUMENTS, RESULT, IN_AND_OUT, ASSIGN, ONWARD],
            Self::Map => &[EVERYWHERE, MAP, DISTRIBUTED, RESULT, IN_AND_OUT, ASSIGN, ONWARD],
        };
        groups.concat()
    }

    /// Whether `Next` or `End` says where the state leads.
    pub(super) fn goes_on(self) -> bool {
        !matches!(self, Self::Choice | Self::Succeed | Self::Fail)
    }
}

/// The fields that states of the other query language have, and that language.
pub(super) fn foreign(language: Language) -> (Fields, &'static str) {
    match language {
        Language::JsonPath => (JSONATA_ONLY, "JSONata"),
        Language::Jsonata => (JSONPATH_ONLY, "JSONPath"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_its_name_and_fields() {
        for (name, found) in TYPES {
            assert_eq!(Type::named(name), Some(found));
            let mut fields = found.fields();
            let count = fields.len();
            fields.sort_unstable();
            fields.dedup();
            assert_eq!(fields.len(), count, "{name}");
        }
        assert_eq!(Type::named("Loop"), None);
    }
}
