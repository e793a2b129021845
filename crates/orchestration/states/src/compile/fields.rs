//! Fields of one kind each: numbers, texts, paths, templates.

use serde_json::{Map, Value};

use super::Compiler;
use crate::definition::{Amount, Language, Text};
use crate::intrinsics::Intrinsic;
use crate::path::JsonPath;
use crate::template::{Query, Refusal, Template, delimited};

type Members = Map<String, Value>;

/// Names that `Assign` can't bind.
const MAX_VARIABLE_NAME: usize = 80;

impl Compiler<'_> {
    /// A whole number between two bounds.
    pub(super) fn whole(&mut self, members: &Members, name: &str, at: &str, least: u64, most: u64) -> Option<u64> {
        let value = members.get(name)?;
        let place = format!("{at}/{name}");
        let whole = value.as_i64().or_else(|| value.as_f64().filter(|n| n.fract() == 0.0).map(|n| n as i64));
        match whole {
            None => self.schema(format!("The field '{name}' must be an integer"), &place),
            Some(number) if number < 0 || (number as u64) < least => {
                self.schema(format!("Minimum value is {least}"), &place);
            }
            Some(number) if number as u64 > most => self.schema(format!("Maximum value is {most}"), &place),
            Some(number) => return Some(number as u64),
        }
        None
    }

    pub(super) fn string(&mut self, members: &Members, name: &str, at: &str) -> Option<String> {
        let value = members.get(name)?;
        if value.as_str().is_none() {
            self.schema(format!("Expected value of type String at field '{name}'"), &format!("{at}/{name}"));
        }
        value.as_str().map(str::to_owned)
    }

    /// Only one of the two may be there.
    pub(super) fn either(&mut self, members: &Members, names: &[&str], at: &str) {
        if names.iter().filter(|name| members.contains_key(**name)).count() > 1 {
            self.schema(format!("There should only be one of the following fields: [{}]", names.join(", ")), at);
        }
    }

    pub(super) fn path(&mut self, members: &Members, name: &str, at: &str) -> Option<JsonPath> {
        let text = self.string(members, name, at)?;
        match JsonPath::parse(&text) {
            Ok(path) => Some(path),
            Err(_) => {
                self.schema(
                    format!("The value for the field '{name}' must be a valid JSONPath"),
                    &format!("{at}/{name}"),
                );
                None
            }
        }
    }

    /// A path field whose `null` means something: `None` is that `null`.
    pub(super) fn nullable_path(&mut self, members: &Members, name: &str, at: &str) -> Option<JsonPath> {
        match members.get(name) {
            None => JsonPath::parse("$").ok(),
            Some(Value::Null) => None,
            Some(_) => self.path(members, name, at),
        }
    }

    pub(super) fn result_path(&mut self, members: &Members, at: &str) -> Option<JsonPath> {
        let path = self.nullable_path(members, "ResultPath", at);
        if path.as_ref().is_some_and(|path| !path.is_reference()) {
            self.schema("Value is not a Reference Path", &format!("{at}/ResultPath"));
        }
        path
    }

    /// `name` as a number or a JSONata expression, or `namePath`.
    pub(super) fn amount(
        &mut self,
        members: &Members,
        names: (&'static str, &'static str),
        language: Language,
        at: &str,
        bounds: (u64, u64),
    ) -> Option<Amount> {
        let (name, by_path) = names;
        self.either(members, &[name, by_path], at);
        match (language, members.get(name)) {
            (Language::Jsonata, Some(Value::String(text))) => self.query(text, name, at).map(Amount::Jsonata),
            (_, Some(_)) => self.whole(members, name, at, bounds.0, bounds.1).map(Amount::Literal),
            (Language::JsonPath, None) => {
                let path = self.path(members, by_path, at)?;
                Some(Amount::Path(path, by_path))
            }
            (Language::Jsonata, None) => None,
        }
    }

    /// `name` as text or JSONata expression, or `namePath` as path or intrinsic call.
    pub(super) fn text(
        &mut self,
        members: &Members,
        names: (&'static str, &'static str),
        language: Language,
        at: &str,
    ) -> Option<Text> {
        let (name, by_path) = names;
        self.either(members, &[name, by_path], at);
        if let Some(text) = self.string(members, name, at) {
            return match (language, delimited(&text)) {
                (Language::Jsonata, Some(_)) => self.query(&text, name, at).map(Text::Jsonata),
                _ => Some(Text::Literal(text)),
            };
        }
        let text = members.get(by_path)?.as_str().unwrap_or_default().to_owned();
        let compiled = if text.starts_with('$') {
            JsonPath::parse(&text).ok().map(|path| Text::Path(path, by_path))
        } else {
            Intrinsic::parse(&text).ok().map(|call| Text::Intrinsic(call, by_path))
        };
        if compiled.is_none() {
            let message = format!(
                "The value for the field '{by_path}' must be a valid JSONPath or a valid intrinsic function call"
            );
            self.schema(message, &format!("{at}/{by_path}"));
        }
        compiled
    }

    /// A JSONata expression in its delimiters.
    pub(super) fn query(&mut self, text: &str, location: &str, at: &str) -> Option<Query> {
        let Some(expression) = delimited(text) else {
            let message = format!("The value for the field '{location}' must be a JSONata expression in {{% %}}");
            self.schema(message, &format!("{at}/{location}"));
            return None;
        };
        match Query::parse(expression, location) {
            Ok(query) => Some(query),
            Err(refused) => self.refuse(refused, at),
        }
    }

    fn refuse<T>(&mut self, refused: Vec<Refusal>, at: &str) -> Option<T> {
        for Refusal { code, message, location } in refused {
            self.report(code, message, Some(&format!("{at}/{location}")));
        }
        None
    }

    pub(super) fn template(&mut self, members: &Members, name: &str, language: Language, at: &str) -> Option<Template> {
        let value = members.get(name)?;
        match language {
            Language::JsonPath => match Template::jsonpath(value) {
                Ok(template) => Some(template),
                Err(problem) => {
                    self.schema(problem, &format!("{at}/{name}"));
                    None
                }
            },
            Language::Jsonata => match Template::jsonata(value, name) {
                Ok(template) => Some(template),
                Err(refused) => self.refuse(refused, at),
            },
        }
    }

    pub(super) fn assign(&mut self, members: &Members, language: Language, at: &str) -> Vec<(String, Template)> {
        let Some(value) = members.get("Assign") else { return Vec::new() };
        let place = format!("{at}/Assign");
        let Some(assigned) = value.as_object() else {
            self.schema("Expected value of type Object at field 'Assign'", &place);
            return Vec::new();
        };
        for name in assigned.keys().map(|name| name.strip_suffix(".$").unwrap_or(name)) {
            let starts = name.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
            if !starts
                || name.chars().count() > MAX_VARIABLE_NAME
                || !name.chars().all(|c| c.is_alphanumeric() || c == '_')
            {
                self.schema(format!("Variable name '{name}' is not valid"), &place);
            }
            if name == "states" {
                self.schema("Variable name 'states' is reserved", &place);
            }
        }
        match self.template(members, "Assign", language, at) {
            Some(Template::Object(members)) => members,
            Some(Template::Constant(value)) => {
                let members = value.as_object().into_iter().flatten();
                members.map(|(name, value)| (name.clone(), Template::Constant(value.clone().into()))).collect()
            }
            _ => Vec::new(),
        }
    }
}
