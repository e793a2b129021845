//! Intrinsic functions and pseudo parameters ("Intrinsic function reference").

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use boathouse_aws::ACCOUNT_ID;
use serde_json::{Map, Value};

use super::{TemplateError, cidr};

/// What `Ref` and `Fn::GetAtt` give for resources, and `Fn::ImportValue` for exports.
pub(crate) trait References {
    fn reference(&self, resource: &str) -> Result<Value, TemplateError>;
    fn attribute(&self, resource: &str, attribute: &str) -> Result<Value, TemplateError>;
    fn export(&self, name: &str) -> Result<Value, TemplateError>;
}

/// What is not known before a resource exists, as change sets write it.
pub(crate) const KNOWN_AFTER_APPLY: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

/// References of a stack that does not exist yet: each is a text that names what it stands for.
pub(crate) struct Symbolic;

impl References for Symbolic {
    fn reference(&self, resource: &str) -> Result<Value, TemplateError> {
        Ok(format!("{KNOWN_AFTER_APPLY}[{resource}]").into())
    }

    fn attribute(&self, resource: &str, attribute: &str) -> Result<Value, TemplateError> {
        Ok(format!("{KNOWN_AFTER_APPLY}[{resource}.{attribute}]").into())
    }

    fn export(&self, name: &str) -> Result<Value, TemplateError> {
        Ok(format!("{KNOWN_AFTER_APPLY}[{name}]").into())
    }
}

/// The stack that a template is evaluated for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pseudo {
    pub(crate) stack_name: String,
    pub(crate) stack_id: String,
    pub(crate) region: String,
    pub(crate) notification_arns: Vec<String>,
}

impl Pseudo {
    fn value(&self, name: &str) -> Option<Value> {
        Some(match name {
            "AWS::AccountId" => ACCOUNT_ID.into(),
            "AWS::NotificationARNs" => self.notification_arns.clone().into(),
            "AWS::Partition" => "aws".into(),
            "AWS::Region" => self.region.clone().into(),
            "AWS::StackId" => self.stack_id.clone().into(),
            "AWS::StackName" => self.stack_name.clone().into(),
            "AWS::URLSuffix" => "amazonaws.com".into(),
            _ => return None,
        })
    }
}

/// Everything that an expression can see.
pub(crate) struct Scope<'a> {
    pub(crate) pseudo: &'a Pseudo,
    pub(crate) parameters: &'a BTreeMap<String, Value>,
    pub(crate) mappings: &'a Map<String, Value>,
    pub(crate) conditions: &'a BTreeMap<String, bool>,
    pub(crate) references: &'a dyn References,
}

/// The function that an object calls, with its argument.
pub(crate) fn call_of(value: &Value) -> Option<(&str, &Value)> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    let (name, argument) = members.iter().next()?;
    (name == "Ref" || name.starts_with("Fn::")).then_some((name.as_str(), argument))
}

/// A scalar as text; nothing for lists and objects.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

fn wrong(message: impl Into<String>) -> TemplateError {
    TemplateError(format!("Template error: {}", message.into()))
}

impl Scope<'_> {
    /// The value of an expression; none for `AWS::NoValue`.
    pub(crate) fn evaluate(&self, value: &Value) -> Result<Option<Value>, TemplateError> {
        if let Some((name, argument)) = call_of(value) {
            return self.call(name, argument);
        }
        match value {
            Value::Array(items) => {
                let kept = items.iter().filter_map(|item| self.evaluate(item).transpose());
                Ok(Some(Value::Array(kept.collect::<Result<_, _>>()?)))
            }
            Value::Object(members) => {
                let mut kept = Map::new();
                for (name, member) in members {
                    if let Some(member) = self.evaluate(member)? {
                        kept.insert(name.clone(), member);
                    }
                }
                Ok(Some(Value::Object(kept)))
            }
            scalar => Ok(Some(scalar.clone())),
        }
    }

    fn call(&self, name: &str, argument: &Value) -> Result<Option<Value>, TemplateError> {
        match name {
            "Ref" => self.reference(argument),
            "Fn::GetAtt" => self.attribute(argument).map(Some),
            "Fn::If" => self.choose(argument),
            "Fn::Sub" => self.substitute(argument).map(|text| Some(text.into())),
            "Fn::Join" => self.join(argument).map(|text| Some(text.into())),
            "Fn::Split" => self.split(argument).map(Some),
            "Fn::Select" => self.select(argument).map(Some),
            "Fn::FindInMap" => self.find(argument).map(Some),
            "Fn::Base64" => {
                let text = self.text(argument, "Fn::Base64 requires a string")?;
                Ok(Some(STANDARD.encode(text).into()))
            }
            "Fn::Cidr" => self.cidr(argument).map(Some),
            "Fn::GetAZs" => self.zones(argument).map(Some),
            "Fn::ImportValue" => {
                let name = self.text(argument, "the attribute in Fn::ImportValue must be a string")?;
                self.references.export(&name).map(Some)
            }
            other => Err(TemplateError(format!("Boathouse does not implement the template function {other} yet"))),
        }
    }

    fn text(&self, value: &Value, otherwise: &str) -> Result<String, TemplateError> {
        self.evaluate(value)?.as_ref().and_then(text_of).ok_or_else(|| wrong(otherwise))
    }

    fn list(&self, value: &Value, otherwise: &str) -> Result<Vec<Value>, TemplateError> {
        match self.evaluate(value)? {
            Some(Value::Array(items)) => Ok(items),
            _ => Err(wrong(otherwise)),
        }
    }

    fn reference(&self, argument: &Value) -> Result<Option<Value>, TemplateError> {
        let name = argument.as_str().ok_or_else(|| wrong("every Ref object must have a single String value."))?;
        if name == "AWS::NoValue" {
            return Ok(None);
        }
        if let Some(value) = self.pseudo.value(name).or_else(|| self.parameters.get(name).cloned()) {
            return Ok(Some(value));
        }
        self.references.reference(name).map(Some)
    }

    fn attribute(&self, argument: &Value) -> Result<Value, TemplateError> {
        let malformed = || {
            wrong(
                "every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute",
            )
        };
        let parts = match argument {
            Value::String(text) => text.split_once('.').map(|(a, b)| (a.to_owned(), Value::from(b))),
            Value::Array(items) => match items.as_slice() {
                [Value::String(resource), attribute] => Some((resource.clone(), attribute.clone())),
                _ => None,
            },
            _ => None,
        };
        let (resource, attribute) = parts.ok_or_else(malformed)?;
        let attribute = self.evaluate(&attribute)?.as_ref().and_then(text_of).ok_or_else(malformed)?;
        self.references.attribute(&resource, &attribute)
    }

    fn choose(&self, argument: &Value) -> Result<Option<Value>, TemplateError> {
        self.evaluate(chosen(argument, self.conditions)?)
    }

    fn substitute(&self, argument: &Value) -> Result<String, TemplateError> {
        let malformed = || {
            wrong(
                "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first \
                 argument, and an optional second argument to specify a mapping of values to replace in the string",
            )
        };
        let (template, variables) = substitution(argument).ok_or_else(malformed)?;
        let mut text = String::new();
        for piece in pieces(template) {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Variable(name) => {
                    let value = match variables.and_then(|variables| variables.get(name)) {
                        Some(given) => self.evaluate(given)?,
                        None => self.named(name)?,
                    };
                    let value = value
                        .as_ref()
                        .and_then(text_of)
                        .ok_or_else(|| wrong(format!("Fn::Sub: the value of ${{{name}}} must be a string")))?;
                    text.push_str(&value);
                }
            }
        }
        Ok(text)
    }

    /// The value of `Name` or `Resource.Attribute`.
    fn named(&self, name: &str) -> Result<Option<Value>, TemplateError> {
        match name.split_once('.') {
            Some((resource, attribute)) => self.references.attribute(resource, attribute).map(Some),
            None => self.reference(&Value::from(name)),
        }
    }

    fn join(&self, argument: &Value) -> Result<String, TemplateError> {
        const RULE: &str = "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of \
                            strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be \
                            joined.";
        let Some([Value::String(delimiter), list]) = argument.as_array().map(Vec::as_slice) else {
            return Err(wrong(RULE));
        };
        let items = self.list(list, RULE)?;
        let texts: Option<Vec<String>> = items.iter().map(text_of).collect();
        Ok(texts.ok_or_else(|| wrong(RULE))?.join(delimiter))
    }

    fn split(&self, argument: &Value) -> Result<Value, TemplateError> {
        const RULE: &str = "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be \
                            split or a function that returns a string to be split.";
        let Some([Value::String(delimiter), text]) = argument.as_array().map(Vec::as_slice) else {
            return Err(wrong(RULE));
        };
        let text = self.text(text, RULE)?;
        Ok(text.split(delimiter.as_str()).map(Value::from).collect())
    }

    fn select(&self, argument: &Value) -> Result<Value, TemplateError> {
        const RULE: &str = "Fn::Select requires a list argument with two elements: an integer index and a list";
        let Some([index, list]) = argument.as_array().map(Vec::as_slice) else { return Err(wrong(RULE)) };
        let index: usize = self.text(index, RULE)?.parse().map_err(|_| wrong(RULE))?;
        let items = self.list(list, RULE)?;
        let missing = || wrong(format!("Fn::Select cannot select nonexistent value at index {index}"));
        items.get(index).cloned().ok_or_else(missing)
    }

    fn find(&self, argument: &Value) -> Result<Value, TemplateError> {
        const RULE: &str = "every Fn::FindInMap object requires three parameters, the map name, map key and the attribute \
                            for return value";
        let Some([map, top, second]) = argument.as_array().map(Vec::as_slice) else { return Err(wrong(RULE)) };
        let names = [self.text(map, RULE)?, self.text(top, RULE)?, self.text(second, RULE)?];
        let found = self.mappings.get(&names[0]).and_then(|map| map.get(&names[1])?.get(&names[2]));
        found.cloned().ok_or_else(|| wrong(format!("Unable to get mapping for {}", names.join("::"))))
    }

    fn cidr(&self, argument: &Value) -> Result<Value, TemplateError> {
        const RULE: &str = "Fn::Cidr requires an IP block, a count and, if given, the number of host bits";
        let Some(arguments) = argument.as_array().filter(|them| (2..=3).contains(&them.len())) else {
            return Err(wrong(RULE));
        };
        let block = self.text(&arguments[0], RULE)?;
        let number = |index: usize| -> Result<u32, TemplateError> {
            self.text(&arguments[index], RULE)?.parse().map_err(|_| wrong(RULE))
        };
        let bits = if arguments.len() == 3 { Some(number(2)?) } else { None };
        let blocks = cidr::blocks(&block, number(1)?, bits).map_err(wrong)?;
        Ok(Value::from(blocks))
    }

    fn zones(&self, argument: &Value) -> Result<Value, TemplateError> {
        let region = self.text(argument, "Fn::GetAZs requires the name of a region")?;
        let region = if region.is_empty() { &self.pseudo.region } else { &region };
        Ok(["a", "b", "c"].iter().map(|zone| Value::from(format!("{region}{zone}"))).collect())
    }

    /// Whether a condition's expression holds.
    pub(crate) fn holds(&self, condition: &Value) -> Result<bool, TemplateError> {
        let members = condition.as_object().filter(|members| members.len() == 1);
        let Some((name, argument)) = members.and_then(|members| members.iter().next()) else {
            return Err(TemplateError::new(
                "Template format error: Every Conditions member must be a condition function.",
            ));
        };
        let several = || {
            let count = argument.as_array().map_or(0, Vec::len);
            let fits = if name == "Fn::Not" { count == 1 } else { (2..=10).contains(&count) };
            let rule = format!(
                "every {name} object requires a list of {} conditions.",
                if name == "Fn::Not" { "1" } else { "2 to 10" }
            );
            argument.as_array().filter(|_| fits).ok_or_else(|| wrong(rule))
        };
        match name.as_str() {
            "Condition" => {
                let name = argument.as_str().unwrap_or_default();
                self.conditions.get(name).copied().ok_or_else(|| unresolved(name))
            }
            "Fn::Equals" => match argument.as_array().map(Vec::as_slice) {
                Some([left, right]) => Ok(comparable(self.evaluate(left)?) == comparable(self.evaluate(right)?)),
                _ => Err(wrong("every Fn::Equals object requires a list of 2 string parameters.")),
            },
            "Fn::Not" => Ok(!self.holds(&several()?[0])?),
            "Fn::And" => several()?.iter().try_fold(true, |all, one| Ok(self.holds(one)? && all)),
            "Fn::Or" => several()?.iter().try_fold(false, |any, one| Ok(self.holds(one)? || any)),
            other => Err(wrong(format!("{other} can't be used in a condition"))),
        }
    }
}

/// Conditions compare texts, whatever was written.
fn comparable(value: Option<Value>) -> Option<Value> {
    value.map(|value| text_of(&value).map_or(value, Value::String))
}

pub(crate) fn unresolved(condition: &str) -> TemplateError {
    TemplateError(format!(
        "Template format error: Unresolved condition dependency {condition} in the Conditions block of the template"
    ))
}

/// The branch that an `Fn::If` takes.
pub(crate) fn chosen<'a>(argument: &'a Value, conditions: &BTreeMap<String, bool>) -> Result<&'a Value, TemplateError> {
    let Some([Value::String(condition), yes, no]) = argument.as_array().map(Vec::as_slice) else {
        return Err(wrong(
            "Fn::If requires a list argument with three elements, the first of which is a condition's name",
        ));
    };
    let holds = conditions.get(condition).ok_or_else(|| unresolved(condition))?;
    Ok(if *holds { yes } else { no })
}

/// The text and the variables of an `Fn::Sub`.
pub(crate) fn substitution(argument: &Value) -> Option<(&str, Option<&Map<String, Value>>)> {
    match argument {
        Value::String(text) => Some((text, None)),
        Value::Array(parts) => match parts.as_slice() {
            [Value::String(text), Value::Object(variables)] => Some((text, Some(variables))),
            _ => None,
        },
        _ => None,
    }
}

/// A piece of a text with variables.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Text(&'a str),
    Variable(&'a str),
}

/// Takes a text with `${variables}` apart. `${!x}` stands for `${x}` itself.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((inside, tail)) = after.split_once('}') else { break };
        found.push(Piece::Text(before));
        if let Some(literal) = inside.strip_prefix('!') {
            let brace = &rest[before.len()..before.len() + 2];
            let literal_end = &after[1..1 + literal.len() + 1];
            found.extend([Piece::Text(brace), Piece::Text(literal_end)]);
        } else {
            found.push(Piece::Variable(inside.trim()));
        }
        rest = tail;
    }
    found.push(Piece::Text(rest));
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    struct Fixed;

    impl References for Fixed {
        fn reference(&self, resource: &str) -> Result<Value, TemplateError> {
            Ok(format!("{resource}-id").into())
        }

        fn attribute(&self, resource: &str, attribute: &str) -> Result<Value, TemplateError> {
            Ok(format!("{resource}/{attribute}").into())
        }

        fn export(&self, name: &str) -> Result<Value, TemplateError> {
            Err(TemplateError(format!("No export named {name} found.")))
        }
    }

    fn with_scope<T>(test: impl Fn(&Scope<'_>) -> T) -> T {
        let pseudo = Pseudo {
            stack_name: "s".into(),
            stack_id: "arn:aws:cloudformation:us-east-1:000000000000:stack/s/1".into(),
            region: "us-east-1".into(),
            notification_arns: Vec::new(),
        };
        let parameters = BTreeMap::from([("P".to_owned(), json!("value")), ("L".to_owned(), json!(["a", "b"]))]);
        let mappings = json!({"M": {"us-east-1": {"k": "found"}}});
        let conditions = BTreeMap::from([("yes".to_owned(), true), ("no".to_owned(), false)]);
        test(&Scope {
            pseudo: &pseudo,
            parameters: &parameters,
            mappings: mappings.as_object().unwrap(),
            conditions: &conditions,
            references: &Fixed,
        })
    }

    #[test]
    fn functions_give_their_values() {
        for (expression, expected) in [
            (json!({"Ref": "P"}), json!("value")),
            (json!({"Ref": "Bucket"}), json!("Bucket-id")),
            (json!({"Ref": "AWS::AccountId"}), json!("000000000000")),
            (json!({"Fn::GetAtt": ["A", "B"]}), json!("A/B")),
            (json!({"Fn::GetAtt": "A.B.C"}), json!("A/B.C")),
            (json!({"Fn::Sub": "x-${P}-${A.B}-${!P}-${AWS::Region}$"}), json!("x-value-A/B-${P}-us-east-1$")),
            (json!({"Fn::Sub": ["${a}${P}", {"a": {"Ref": "Q"}}]}), json!("Q-idvalue")),
            (json!({"Fn::Join": ["-", ["a", 1, {"Ref": "P"}]]}), json!("a-1-value")),
            (json!({"Fn::Join": ["-", {"Ref": "L"}]}), json!("a-b")),
            (json!({"Fn::Select": ["1", {"Fn::Split": [",", "x,y"]}]}), json!("y")),
            (json!({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "k"]}), json!("found")),
            (json!({"Fn::Base64": "hi"}), json!("aGk=")),
            (json!({"Fn::GetAZs": ""}), json!(["us-east-1a", "us-east-1b", "us-east-1c"])),
            (json!({"Fn::If": ["no", 1, {"k": {"Ref": "AWS::NoValue"}, "m": 2}]}), json!({"m": 2})),
            (json!([1, {"Fn::If": ["yes", {"Ref": "AWS::NoValue"}, 2]}, 3]), json!([1, 3])),
            (json!({"Fn::Cidr": ["10.0.0.0/24", 2, 5]}), json!(["10.0.0.0/27", "10.0.0.32/27"])),
        ] {
            let value = with_scope(|scope| scope.evaluate(&expression)).unwrap();
            assert_eq!(value, Some(expected), "{expression}");
        }
    }

    #[test]
    fn misused_functions_are_explained() {
        for (expression, part) in [
            (json!({"Fn::Select": [5, ["a"]]}), "Fn::Select cannot select nonexistent value at index 5"),
            (json!({"Fn::FindInMap": ["M", "x", "k"]}), "Unable to get mapping for M::x::k"),
            (json!({"Fn::Join": ["-", "x"]}), "every Fn::Join object requires two parameters"),
            (json!({"Fn::Transform": {"Name": "AWS::Include"}}), "Fn::Transform"),
            (json!({"Fn::ImportValue": "x"}), "No export named x found."),
            (json!({"Fn::If": ["maybe", 1, 2]}), "Unresolved condition dependency maybe"),
            (json!({"Fn::Sub": [1]}), "Fn::Sub"),
        ] {
            let error = with_scope(|scope| scope.evaluate(&expression)).unwrap_err().to_string();
            assert!(error.contains(part), "{expression}: {error}");
        }
    }

    #[test]
    fn conditions_are_decided() {
        for (condition, expected) in [
            (json!({"Fn::Equals": [{"Ref": "P"}, "value"]}), true),
            (json!({"Fn::Equals": [true, "true"]}), true),
            (json!({"Fn::Not": [{"Condition": "no"}]}), true),
            (json!({"Fn::And": [{"Condition": "yes"}, {"Condition": "no"}]}), false),
            (json!({"Fn::Or": [{"Condition": "yes"}, {"Condition": "no"}]}), true),
        ] {
            assert_eq!(with_scope(|scope| scope.holds(&condition)).unwrap(), expected, "{condition}");
        }
        let error = with_scope(|scope| scope.holds(&json!({"Fn::And": [{"Condition": "yes"}]}))).unwrap_err();
        assert!(error.to_string().contains("2 to 10"), "{error}");
    }

    proptest! {
        #[test]
        fn a_text_without_variables_is_itself(text in "[^$]{0,30}") {
            let expression = json!({"Fn::Sub": text.clone()});
            prop_assert_eq!(with_scope(|scope| scope.evaluate(&expression)).unwrap(), Some(json!(text)));
        }

        #[test]
        fn no_text_panics(text in "[${}!a.\u{e9}]{0,20}") {
            let _ = pieces(&text);
        }
    }
}
