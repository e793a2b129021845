//! Retry and Catch: which errors, and what follows.

use serde_json::Value;

use super::{Compiler, MAX_SECONDS, Members};
use crate::definition::{Catcher, Language, Retrier};
use crate::failure::names;

impl Compiler<'_> {
    pub(super) fn retriers(&mut self, members: &Members, at: &str) -> Vec<Retrier> {
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

    pub(super) fn catchers(&mut self, members: &Members, language: Language, at: &str) -> Vec<Catcher> {
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
}
