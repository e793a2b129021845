//! Delimited text: Hive's LazySimpleSerDe and the OpenCSV SerDe.

use std::borrow::Cow;

use boathouse_trino_functions::types::Type;
use memchr::memchr;
use serde_json::{Map, Value};

use super::values::Column;
use crate::catalog::TextFormat;

/// Cuts a line and hands each wanted column its value. `wanted[i]` is the place among `columns` of the line's i-th value.
pub(super) fn read_line(
    format: &TextFormat,
    line: &[u8],
    wanted: &[Option<usize>],
    types: &[Type],
    columns: &mut [Column],
) {
    let mut next = 0;
    let mut take = |raw: &[u8]| {
        if let Some(Some(place)) = wanted.get(next) {
            add(format, raw, &types[*place], &mut columns[*place]);
        }
        next += 1;
        next < wanted.len()
    };
    match format.quote {
        Some(quote) => quoted_values(format, quote, line, take),
        None => {
            let mut rest = Some(line);
            while let Some(line) = rest {
                let (value, after) = cut(line, format.delimiter, format.escape);
                rest = after.filter(|_| take(value));
                if after.is_none() {
                    take(value);
                }
            }
        }
    }
    for place in wanted.iter().skip(next).flatten() {
        columns[*place].null();
    }
}

fn add(format: &TextFormat, raw: &[u8], ty: &Type, column: &mut Column) {
    if format.quote.is_some() {
        return column.text(&String::from_utf8_lossy(raw));
    }
    if format.null_text.as_ref().is_some_and(|null| null.as_bytes() == raw) {
        return column.null();
    }
    match ty {
        Type::Array(_) | Type::Map(..) | Type::Row(_) => column.json(&nested(format, raw, ty, 0)),
        // An empty value is an empty string, and NULL for everything else.
        Type::Varchar(_) | Type::Char(_) | Type::Varbinary => column.text(&unescaped(raw, format.escape)),
        _ if raw.is_empty() => column.null(),
        _ => column.text(unescaped(raw, format.escape).trim()),
    }
}

/// The text up to the next delimiter, and what follows it.
fn cut(line: &[u8], delimiter: u8, escape: Option<u8>) -> (&[u8], Option<&[u8]>) {
    let Some(escape) = escape else {
        return match memchr(delimiter, line) {
            Some(end) => (&line[..end], Some(&line[end + 1..])),
            None => (line, None),
        };
    };
    let mut index = 0;
    while let Some(byte) = line.get(index) {
        if *byte == escape {
            index += 1;
        } else if *byte == delimiter {
            return (&line[..index], Some(&line[index + 1..]));
        }
        index += 1;
    }
    (line, None)
}

fn unescaped(raw: &[u8], escape: Option<u8>) -> Cow<'_, str> {
    let Some(escape) = escape.filter(|escape| raw.contains(escape)) else {
        return String::from_utf8_lossy(raw);
    };
    let mut plain = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter();
    while let Some(byte) = bytes.next() {
        match bytes.as_slice().first() {
            Some(escaped) if *byte == escape => {
                plain.push(*escaped);
                bytes.next();
            }
            _ => plain.push(*byte),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}

/// The separator of a nested value: collections and map keys have their own on the outside, then come control characters.
fn separator(format: &TextFormat, depth: usize) -> u8 {
    match depth {
        0 => format.collection_delimiter,
        1 => format.map_key_delimiter,
        // Hive counts on from its third separator, which is the character 3.
        deeper => deeper as u8 + 2,
    }
}

fn nested(format: &TextFormat, raw: &[u8], ty: &Type, depth: usize) -> Value {
    if format.null_text.as_ref().is_some_and(|null| null.as_bytes() == raw) {
        return Value::Null;
    }
    let parts = |raw| {
        let mut rest = Some(raw).filter(|raw: &&[u8]| !raw.is_empty());
        std::iter::from_fn(move || {
            let (value, after) = cut(rest?, separator(format, depth), format.escape);
            rest = after;
            Some(value)
        })
    };
    match ty {
        Type::Array(element) => Value::Array(parts(raw).map(|part| nested(format, part, element, depth + 1)).collect()),
        Type::Map(_, value) => {
            let entry = |part| {
                let (key, text) = cut(part, separator(format, depth + 1), format.escape);
                let value = text.map_or(Value::Null, |text| nested(format, text, value, depth + 2));
                (unescaped(key, format.escape).into_owned(), value)
            };
            Value::Object(parts(raw).map(entry).collect::<Map<_, _>>())
        }
        Type::Row(fields) => {
            let values = parts(raw).zip(fields.iter());
            Value::Array(values.map(|(part, field)| nested(format, part, &field.ty, depth + 1)).collect())
        }
        _ => Value::String(unescaped(raw, format.escape).into_owned()),
    }
}

/// Cuts a line as the OpenCSV parser does: quotes may stand anywhere, a doubled or escaped quote is one.
fn quoted_values(format: &TextFormat, quote: u8, line: &[u8], mut take: impl FnMut(&[u8]) -> bool) {
    let (mut value, mut inside, mut index) = (Vec::new(), false, 0);
    while let Some(byte) = line.get(index) {
        let after = line.get(index + 1);
        let is_special = |byte: &u8| *byte == quote || Some(*byte) == format.escape;
        if *byte == quote {
            if inside && after == Some(&quote) {
                value.push(quote);
                index += 1;
            } else {
                inside = !inside;
            }
        } else if Some(*byte) == format.escape && inside && after.is_some_and(is_special) {
            value.extend(after);
            index += 1;
        } else if *byte == format.delimiter && !inside {
            if !take(&value) {
                return;
            }
            value.clear();
        } else {
            value.push(*byte);
        }
        index += 1;
    }
    take(&value);
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};

    use super::super::values::Strictness;
    use super::*;

    fn texts(format: &TextFormat, line: &str, count: usize) -> Vec<Option<String>> {
        let types = vec![Type::VARCHAR; count];
        let mut columns: Vec<Column> = types.iter().map(Column::new).collect();
        let wanted: Vec<_> = (0..count).map(Some).collect();
        read_line(format, line.as_bytes(), &wanted, &types, &mut columns);
        let values = columns.iter_mut().map(|column| column.finish(&Type::VARCHAR, Strictness::Lenient).unwrap());
        values.map(|array| array.is_valid(0).then(|| array.as_string::<i32>().value(0).to_owned())).collect()
    }

    fn some(values: &[&str]) -> Vec<Option<String>> {
        values.iter().map(|value| Some((*value).to_owned())).collect()
    }

    #[test]
    fn lazy_simple_escapes_and_pads() {
        let format = TextFormat { delimiter: b',', escape: Some(b'\\'), ..TextFormat::default() };
        assert_eq!(texts(&format, r"a\,b,c", 2), some(&["a,b", "c"]));
        assert_eq!(texts(&format, "a", 2), [Some("a".to_owned()), None]);
        assert_eq!(texts(&format, r"\N,", 2), [None, Some(String::new())]);
        assert_eq!(texts(&format, "a,b,c", 2), some(&["a", "b"]));
    }

    #[test]
    fn open_csv_understands_quotes() {
        let format = TextFormat::open_csv();
        assert_eq!(texts(&format, r#""a,b",c"d"e,"x""y""#, 3), some(&["a,b", "cde", "x\"y"]));
        assert_eq!(texts(&format, r#""a\"b",\N"#, 2), some(&["a\"b", r"\N"]));
    }

    #[test]
    fn collections_have_their_own_separators() {
        let format = TextFormat { delimiter: b',', ..TextFormat::default() };
        let value = nested(&format, b"a\x03\x31\x02b\x03\x32", &Type::map(Type::VARCHAR, Type::Integer), 0);
        assert_eq!(value, serde_json::json!({"a": "1", "b": "2"}));
    }
}
