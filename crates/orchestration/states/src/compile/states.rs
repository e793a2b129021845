//! One state: what its type allows, and what it makes of it.

mod choice;
mod containers;
mod failing;
mod task;
mod types;
mod wait;

use std::sync::Arc;

use serde_json::{Map, Value};

use self::types::{Type, foreign};
use super::Compiler;
use crate::definition::{Kind, Language, State, Transition};

type Members = Map<String, Value>;

const MAX_SECONDS: u64 = 99_999_999;

impl Compiler<'_> {
    pub(super) fn state(&mut self, name: &str, definition: &Value, at: &str) -> Option<State> {
        let Some(members) = definition.as_object() else {
            self.schema("A state must be an object", at);
            return None;
        };
        let kind = self.state_type(members, at)?;
        let language = self.state_language(members, at);
        self.allow(members, &kind.fields(), at);
        self.check_language(members, language, at);
        let result_path = self.result_path(members, at);
        let arguments = if language == Language::Jsonata { "Arguments" } else { "Parameters" };
        Some(State {
            name: name.to_owned(),
            input_path: self.nullable_path(members, "InputPath", at),
            output_path: self.nullable_path(members, "OutputPath", at),
            result_path,
            arguments: if kind == Type::Map { None } else { self.template(members, arguments, language, at) },
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

    fn state_type(&mut self, members: &Members, at: &str) -> Option<Type> {
        if !self.require(members, "Type", at) {
            return None;
        }
        let found = members.get("Type").and_then(Value::as_str).and_then(Type::named);
        if found.is_none() {
            let message = format!("The field 'Type' should have one of these values: [{}]", Type::names());
            self.schema(message, &format!("{at}/Type"));
        }
        found
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
        let (fields, other) = foreign(language);
        let set = if language == Language::JsonPath { "JSONPath" } else { "JSONata" };
        for name in fields.iter().filter(|name| members.contains_key(**name)) {
            let message = format!(
                "The QueryLanguage is set to '{set}', but field '{name}' is only supported for the '{other}' QueryLanguage"
            );
            self.schema(message, at);
        }
    }

    fn transition(&mut self, kind: Type, members: &Members, at: &str) -> Transition {
        if !kind.goes_on() {
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

    fn kind(&mut self, kind: Type, members: &Members, language: Language, at: &str) -> Option<Kind> {
        Some(match kind {
            Type::Pass => Kind::Pass { result: members.get("Result").cloned().map(Arc::new) },
            Type::Task => Kind::Task(Box::new(self.task(members, language, at)?)),
            Type::Choice => self.choice(members, language, at)?,
            Type::Wait => Kind::Wait(self.wait(members, language, at)?),
            Type::Succeed => Kind::Succeed,
            Type::Fail => Kind::Fail {
                error: self.text(members, ("Error", "ErrorPath"), language, at),
                cause: self.text(members, ("Cause", "CausePath"), language, at),
            },
            Type::Parallel => self.parallel(members, at)?,
            Type::Map => Kind::Map(Box::new(self.map(members, language, at)?)),
        })
    }

    fn require(&mut self, members: &Members, name: &str, at: &str) -> bool {
        let found = members.contains_key(name);
        if !found {
            self.schema(format!("These fields are required: [{name}]"), at);
        }
        found
    }
}
