//! Template text, JSON or YAML, as one JSON value in which short function tags (`!Ref`) are written out (`{"Ref": …}`).
//!
//! YAML is read as version 1.1 as far as templates show it: `yes`, `no`, `on` and `off` are booleans; dates stay text.

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};
use serde_json::{Map, Number, Value};

use super::TemplateError;

/// How deep values may nest.
const MAX_DEPTH: usize = 64;

/// Reads a template's text.
///
/// # Errors
/// Text that is neither, with the place; what YAML has and templates must not have: aliases, several documents.
pub(crate) fn read(text: &str) -> Result<Value, TemplateError> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            TemplateError(format!("Template format error: JSON not well-formed. (line {line}, column {column})"))
        });
    }
    let mut reader = Reader { parser: Parser::new_from_str(text) };
    let mut value = Value::Null;
    let mut documents = 0;
    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => break,
            (Event::DocumentStart(_), span) => {
                documents += 1;
                if documents > 1 {
                    return Err(malformed("YAML must hold one document", &span));
                }
                value = reader.value(0)?;
            }
            _ => {}
        }
    }
    Ok(value)
}

struct Reader<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
}

fn malformed(what: &str, span: &Span) -> TemplateError {
    let (line, column) = (span.start.line(), span.start.col() + 1);
    TemplateError(format!("Template format error: YAML not well-formed. (line {line}, column {column}): {what}"))
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), TemplateError> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let marker = error.marker();
                let (line, column) = (marker.line(), marker.col() + 1);
                let message = format!("Template format error: YAML not well-formed. (line {line}, column {column})");
                Err(TemplateError(message))
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, TemplateError> {
        let event = self.next()?;
        self.value_of(event, depth)
    }

    fn value_of(&mut self, (event, span): (Event<'a>, Span), depth: usize) -> Result<Value, TemplateError> {
        if depth > MAX_DEPTH {
            return Err(malformed("values nest too deep", &span));
        }
        match event {
            Event::Scalar(text, style, _, tag) => {
                let value = match (&tag, style) {
                    (None, ScalarStyle::Plain) => plain(&text),
                    _ => Value::String(text.into_owned()),
                };
                tagged(tag.as_deref(), value, &span)
            }
            Event::SequenceStart(_, tag) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break,
                        event => items.push(self.value_of(event, depth + 1)?),
                    }
                }
                tagged(tag.as_deref(), Value::Array(items), &span)
            }
            Event::MappingStart(_, tag) => {
                let members = self.members(depth)?;
                tagged(tag.as_deref(), Value::Object(members), &span)
            }
            Event::Alias(_) => {
                let message = "Template error: YAML aliases are not allowed in CloudFormation templates";
                Err(TemplateError(message.to_owned()))
            }
            _ => Err(malformed("a value is missing", &span)),
        }
    }

    fn members(&mut self, depth: usize) -> Result<Map<String, Value>, TemplateError> {
        let mut members = Map::new();
        loop {
            let name = match self.next()? {
                (Event::MappingEnd, _) => return Ok(members),
                (Event::Scalar(name, ..), span) => (name.into_owned(), span),
                (_, span) => return Err(malformed("a member's name must be text", &span)),
            };
            let value = self.value(depth + 1)?;
            if members.insert(name.0.clone(), value).is_some() {
                return Err(malformed(&format!("duplicate key {}", name.0), &name.1));
            }
        }
    }
}

/// Writes a short function tag out.
fn tagged(tag: Option<&Tag>, value: Value, span: &Span) -> Result<Value, TemplateError> {
    let Some(tag) = tag else { return Ok(value) };
    if tag.handle != "!" {
        return Ok(if tag.suffix == "str" { value } else { core_tag(&tag.suffix, value) });
    }
    let (name, value) = match tag.suffix.as_str() {
        "Ref" | "Condition" => (tag.suffix.clone(), value),
        "GetAtt" => ("Fn::GetAtt".to_owned(), split_attribute(value)),
        "And" | "Base64" | "Cidr" | "Equals" | "FindInMap" | "GetAZs" | "If" | "ImportValue" | "Join" | "Not"
        | "Or" | "Select" | "Split" | "Sub" | "Transform" | "Length" | "ToJsonString" => {
            (format!("Fn::{}", tag.suffix), value)
        }
        other => return Err(malformed(&format!("the tag !{other} is not a function"), span)),
    };
    Ok(Value::Object(Map::from_iter([(name, value)])))
}

fn core_tag(suffix: &str, value: Value) -> Value {
    match (&value, suffix) {
        (Value::String(text), "int" | "float" | "bool" | "null") => plain(text),
        _ => value,
    }
}

/// `Resource.Attribute` names both at once.
fn split_attribute(value: Value) -> Value {
    match value.as_str().and_then(|text| text.split_once('.')) {
        Some((resource, attribute)) => Value::Array(vec![resource.into(), attribute.into()]),
        None => value,
    }
}

/// What an unquoted scalar is.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Value::Bool(false),
        _ => {}
    }
    number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

/// Decimal numbers. With leading zeros they are identifiers, such as account ids, and stay text.
fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let whole = digits.split(['.', 'e', 'E']).next()?;
    let leads_with_zero = whole.len() > 1 && whole.starts_with('0');
    if !digits.starts_with(|first: char| first.is_ascii_digit()) || leads_with_zero {
        return None;
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.trim_start_matches('+').parse::<i64>().ok().map(Number::from);
    }
    let has_digits_only =
        digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'-' | b'+'));
    has_digits_only.then(|| text.parse::<f64>().ok()).flatten().and_then(Number::from_f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn short_tags_are_written_out() {
        let text = "A: !Ref X\nB: !GetAtt X.Arn\nC: !Sub\n  - ${a}\n  - {a: !Join [',', [1, !Ref Y]]}\nD: !If [c, 1, !Ref AWS::NoValue]";
        let expected = json!({
            "A": {"Ref": "X"},
            "B": {"Fn::GetAtt": ["X", "Arn"]},
            "C": {"Fn::Sub": ["${a}", {"a": {"Fn::Join": [",", [1, {"Ref": "Y"}]]}}]},
            "D": {"Fn::If": ["c", 1, {"Ref": "AWS::NoValue"}]},
        });
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn scalars_are_what_they_look_like() {
        let text = "a: 2010-09-09\nb: 012345678901\nc: 1.5\nd: off\ne: \"off\"\nf: 0.0625\ng: '3.9'\nh: -3\ni:\nj: 1.2.3\nk: 0";
        let read = read(text).unwrap();
        let expected = json!({"a": "2010-09-09", "b": "012345678901", "c": 1.5, "d": false, "e": "off", "f": 0.0625,
                              "g": "3.9", "h": -3, "i": null, "j": "1.2.3", "k": 0});
        assert_eq!(read, expected);
    }

    #[test]
    fn mistakes_are_placed() {
        for (text, part) in [
            ("{\"a\": }", "JSON not well-formed. (line 1, column 7)"),
            ("a: [1, 2", "YAML not well-formed. (line"),
            ("a: &x 1\nb: *x", "YAML aliases are not allowed"),
            ("a: 1\na: 2", "duplicate key a"),
            ("a: !Reff b", "!Reff"),
            ("a: 1\n---\nb: 2", "one document"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,80}") {
            let _ = read(&text);
        }

        #[test]
        fn no_layout_panics(text in "[ \\n:!a-cRef\\[\\]{},'\"|>*&-]{0,60}") {
            let _ = read(&text);
        }
    }
}
