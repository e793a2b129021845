//! Parameters: what a template declares and what a caller gives.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Value};

use super::TemplateError;

/// A parameter's longest value.
const MAX_VALUE: usize = 4096;

/// What kind of value a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    TextList,
    NumberList,
}

/// A declared parameter.
#[derive(Debug, Clone)]
pub(crate) struct Declaration {
    pub(crate) type_name: String,
    pub(crate) kind: Kind,
    pub(crate) default: Option<String>,
    pub(crate) no_echo: bool,
    pub(crate) description: Option<String>,
    pub(crate) allowed_values: Vec<String>,
    allowed_pattern: Option<String>,
    constraint: Option<String>,
    length: (Option<f64>, Option<f64>),
    range: (Option<f64>, Option<f64>),
}

impl Declaration {
    /// Reads a member of the section Parameters.
    ///
    /// # Errors
    /// Malformed or unknown members; types that Boathouse does not implement, by name.
    pub(crate) fn read(name: &str, value: &Value) -> Result<Self, TemplateError> {
        let at = |message: String| TemplateError(format!("Template format error: {message}"));
        let Value::Object(members) = value else {
            return Err(at(format!("Every Parameters member must be an object: {name}")));
        };
        const KNOWN: [&str; 11] = [
            "Type",
            "Default",
            "NoEcho",
            "Description",
            "AllowedValues",
            "AllowedPattern",
            "ConstraintDescription",
            "MinLength",
            "MaxLength",
            "MinValue",
            "MaxValue",
        ];
        if let Some(unknown) = members.keys().find(|member| !KNOWN.contains(&member.as_str())) {
            return Err(TemplateError(format!("Invalid template parameter property '{unknown}'")));
        }
        let type_name = members.get("Type").and_then(Value::as_str);
        let type_name =
            type_name.ok_or_else(|| at(format!("Every Parameters object must contain a Type member: {name}")))?;
        let number = |member: &str| number_of(members, member, name);
        Ok(Self {
            kind: kind(type_name, name)?,
            type_name: type_name.to_owned(),
            default: members.get("Default").map(text_of),
            no_echo: members.get("NoEcho").is_some_and(|value| text_of(value) == "true"),
            description: members.get("Description").map(text_of),
            allowed_values: members
                .get("AllowedValues")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .map(text_of)
                .collect(),
            allowed_pattern: members.get("AllowedPattern").map(text_of),
            constraint: members.get("ConstraintDescription").map(text_of),
            length: (number("MinLength")?, number("MaxLength")?),
            range: (number("MinValue")?, number("MaxValue")?),
        })
    }

    /// Checks a given value and answers what `Ref` gives: text, or a list of texts.
    fn value(&self, name: &str, given: &str) -> Result<Value, TemplateError> {
        if given.len() > MAX_VALUE {
            return Err(TemplateError(format!("Parameter '{name}' must contain at most {MAX_VALUE} characters")));
        }
        let single = [given];
        let items: Vec<&str> = match self.kind {
            Kind::Text | Kind::Number => single.to_vec(),
            Kind::TextList | Kind::NumberList if given.is_empty() => Vec::new(),
            Kind::TextList | Kind::NumberList => given.split(',').map(str::trim).collect(),
        };
        for item in &items {
            self.check(name, item)?;
        }
        Ok(match self.kind {
            Kind::Text | Kind::Number => Value::from(given),
            Kind::TextList | Kind::NumberList => Value::from(items),
        })
    }

    fn check(&self, name: &str, item: &str) -> Result<(), TemplateError> {
        let refused = |rule: String| {
            Err(TemplateError(match &self.constraint {
                Some(text) => format!("Parameter {name} failed to satisfy constraint: {text}"),
                None => format!("Parameter '{name}' {rule}"),
            }))
        };
        if !self.allowed_values.is_empty() && !self.allowed_values.iter().any(|allowed| allowed == item) {
            return refused("must be one of AllowedValues".into());
        }
        if let Some(pattern) = &self.allowed_pattern {
            let anchored = Regex::new(&format!("^(?:{pattern})$")).map_err(|_| {
                TemplateError(format!(
                    "Template format error: AllowedPattern of parameter {name} is not a regular expression"
                ))
            })?;
            if !anchored.is_match(item) {
                return refused(format!("must match pattern {pattern}"));
            }
        }
        let length = item.chars().count() as f64;
        match self.length {
            (Some(least), _) if length < least => return refused(format!("must contain at least {least} characters")),
            (_, Some(most)) if length > most => return refused(format!("must contain at most {most} characters")),
            _ => {}
        }
        if !matches!(self.kind, Kind::Number | Kind::NumberList) {
            return Ok(());
        }
        let Ok(number) = item.trim().parse::<f64>() else {
            return Err(TemplateError(format!("Parameter '{name}' must be a number")));
        };
        match self.range {
            (Some(least), _) if number < least => refused(format!("must be a number not less than {least}")),
            (_, Some(most)) if number > most => refused(format!("must be a number not greater than {most}")),
            _ => Ok(()),
        }
    }
}

fn number_of(members: &Map<String, Value>, member: &str, parameter: &str) -> Result<Option<f64>, TemplateError> {
    let Some(value) = members.get(member) else { return Ok(None) };
    let malformed =
        || TemplateError(format!("Template format error: {member} of parameter {parameter} must be a number."));
    text_of(value).parse().map(Some).map_err(|_| malformed())
}

/// A scalar as text, as parameters hold it.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn kind(type_name: &str, parameter: &str) -> Result<Kind, TemplateError> {
    match type_name {
        "String" => Ok(Kind::Text),
        "Number" => Ok(Kind::Number),
        "CommaDelimitedList" | "List<String>" => Ok(Kind::TextList),
        "List<Number>" => Ok(Kind::NumberList),
        other if other.starts_with("AWS::") || other.starts_with("List<AWS::") => {
            Err(TemplateError(format!("Boathouse does not implement the parameter type {other} yet ({parameter})")))
        }
        other => Err(TemplateError(format!("Template format error: Unrecognized parameter type: {other}"))),
    }
}

/// The values of all declared parameters, as `Ref` gives them.
///
/// # Errors
/// Values that are missing, not declared, or against a constraint.
pub(crate) fn resolve(
    declared: &BTreeMap<String, Declaration>,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Value>, TemplateError> {
    let list = |names: Vec<&str>| names.join(", ");
    let unknown: Vec<&str> = given.keys().map(String::as_str).filter(|name| !declared.contains_key(*name)).collect();
    if !unknown.is_empty() {
        return Err(TemplateError(format!("Parameters: [{}] do not exist in the template", list(unknown))));
    }
    let is_missing = |(name, declaration): &(&String, &Declaration)| {
        declaration.default.is_none() && !given.contains_key(name.as_str())
    };
    let missing: Vec<&str> = declared.iter().filter(is_missing).map(|(name, _)| name.as_str()).collect();
    if !missing.is_empty() {
        return Err(TemplateError(format!("Parameters: [{}] must have values", list(missing))));
    }
    declared
        .iter()
        .map(|(name, declaration)| {
            let value = given.get(name).or(declaration.default.as_ref()).map_or("", String::as_str);
            Ok((name.clone(), declaration.value(name, value)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn declared(value: Value) -> BTreeMap<String, Declaration> {
        value
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, it)| (name.clone(), Declaration::read(name, it).unwrap()))
            .collect()
    }

    fn given(values: &[(&str, &str)]) -> BTreeMap<String, String> {
        values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn defaults_and_lists_are_values() {
        let declared = declared(json!({"A": {"Type": "String", "Default": "x"}, "N": {"Type": "Number", "Default": 3},
                                       "L": {"Type": "CommaDelimitedList"}}));
        let values = resolve(&declared, &given(&[("L", "a, b")])).unwrap();
        assert_eq!(json!(values), json!({"A": "x", "N": "3", "L": ["a", "b"]}));
    }

    #[test]
    fn constraints_hold() {
        let declared = declared(json!({
            "P": {"Type": "String", "Default": "ab", "AllowedPattern": "[a-z]+", "MaxLength": 3},
            "N": {"Type": "Number", "Default": "5", "MinValue": 1, "MaxValue": 9},
            "V": {"Type": "String", "Default": "x", "AllowedValues": ["x", "y"], "ConstraintDescription": "x or y"},
        }));
        for (name, value, message) in [
            ("P", "A", "Parameter 'P' must match pattern [a-z]+"),
            ("P", "abcd", "Parameter 'P' must contain at most 3 characters"),
            ("N", "0", "Parameter 'N' must be a number not less than 1"),
            ("N", "x", "Parameter 'N' must be a number"),
            ("V", "z", "Parameter V failed to satisfy constraint: x or y"),
            ("Q", "z", "Parameters: [Q] do not exist in the template"),
        ] {
            assert_eq!(resolve(&declared, &given(&[(name, value)])).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn missing_values_and_foreign_types_are_named() {
        let lacking = declared(json!({"A": {"Type": "String"}, "B": {"Type": "String"}}));
        let error = resolve(&lacking, &BTreeMap::new()).unwrap_err().to_string();
        assert_eq!(error, "Parameters: [A, B] must have values");
        let error = Declaration::read("S", &json!({"Type": "AWS::SSM::Parameter::Value<String>"})).unwrap_err();
        assert!(error.to_string().contains("AWS::SSM::Parameter::Value<String>"));
    }
}
