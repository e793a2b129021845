//! Writes any serializable output as the XML members of an awsQuery result.

use std::borrow::Cow;

use serde_json::Value;

/// The name of a map's entries; no structure has a list of this name.
pub(crate) const ENTRY: &str = "entry";

/// The members of `output` as XML elements, in no promised order. Absent members are left out, lists hold
/// `<member>` elements. Maps are told apart from structures by their type, [`super::query::Entries`].
pub(crate) fn members(output: &dyn erased_serde::Serialize) -> Result<String, serde_json::Error> {
    let mut text = String::new();
    write_members(&serde_json::to_value(output)?, &mut text);
    Ok(text)
}

fn write_members(value: &Value, out: &mut String) {
    match value {
        Value::Null => {}
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => out.push_str(&escape(text)),
        Value::Array(items) => items.iter().for_each(|item| write_element("member", item, out)),
        Value::Object(fields) => {
            fields.iter().filter(|(_, field)| !field.is_null()).for_each(|(name, field)| match field {
                Value::Array(entries) if name == ENTRY => entries.iter().for_each(|it| write_element(ENTRY, it, out)),
                _ => write_element(name, field, out),
            })
        }
    }
}

fn write_element(name: &str, value: &Value, out: &mut String) {
    out.extend(["<", name, ">"]);
    write_members(value, out);
    out.extend(["</", name, ">"]);
}

/// Text as it may stand between tags. Letters that XML has no room for, or that parsers change, become references.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    let unreadable = |letter: char| letter < ' ' && !matches!(letter, '\t' | '\n');
    let escaped = quick_xml::escape::escape(text);
    if !escaped.contains(unreadable) {
        return escaped;
    }
    let written = escaped.chars().fold(String::with_capacity(escaped.len() + 16), |mut written, letter| {
        match unreadable(letter) {
            true => written.push_str(&format!("&#x{:X};", u32::from(letter))),
            false => written.push(letter),
        }
        written
    });
    written.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_without_room_are_references() {
        assert_eq!(escape("a<\u{1}\r\n"), "a&lt;&#x1;&#xD;\n");
        assert!(matches!(escape("plain"), Cow::Borrowed(_)));
    }
}
