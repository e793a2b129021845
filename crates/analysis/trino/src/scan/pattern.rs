//! Lines that a pattern cuts into values: the RegexSerDe, and the Grok SerDe whose patterns have names.

mod grok;

use std::collections::HashMap;

use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use fancy_regex::Regex;

use super::values::Column;
use crate::catalog::{GrokFormat, RegexFormat};

/// A pattern, and where the values of its groups go.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    regex: Regex,
    /// For each group its place among the columns that are read.
    groups: Vec<Option<usize>>,
}

impl Pattern {
    /// The RegexSerDe's: the groups are the table's columns in order, and a line must fit as a whole.
    pub(super) fn of_regex(format: &RegexFormat, wanted: &[Option<usize>]) -> Result<Self, TrinoError> {
        let flag = if format.ignores_case { "(?i)" } else { "" };
        let text = format!("{flag}\\A(?:{})\\z", java(&format.pattern));
        Ok(Self { regex: compile(&text, "input.regex")?, groups: wanted.to_vec() })
    }

    /// The Grok SerDe's: named patterns are columns of that name, wherever in a line they are.
    pub(super) fn of_grok(format: &GrokFormat, columns: &HashMap<String, usize>) -> Result<Self, TrinoError> {
        let expanded = grok::expand(format, columns)?;
        Ok(Self { regex: compile(&java(&expanded.pattern), "input.format")?, groups: expanded.groups })
    }

    /// Adds a line's values; NULL for groups that took no part, and for all if the line doesn't fit.
    pub(super) fn read_line(&self, line: &[u8], columns: &mut [Column]) -> Result<(), TrinoError> {
        let line = String::from_utf8_lossy(line);
        let too_hard = |error| TrinoError::new(ErrorCode::HiveBadData, format!("A line can't be matched: {error}"));
        let found = self.regex.captures(&line).map_err(too_hard)?;
        let mut given = vec![false; columns.len()];
        for (group, place) in self.groups.iter().enumerate() {
            let value = found.as_ref().and_then(|found| found.get(group + 1));
            if let (Some(place), Some(value)) = (*place, value)
                && !given[place]
            {
                given[place] = true;
                columns[place].text(value.as_str());
            }
        }
        columns.iter_mut().zip(given).filter(|(_, given)| !given).for_each(|(column, _)| column.null());
        Ok(())
    }
}

fn compile(text: &str, property: &str) -> Result<Regex, TrinoError> {
    Regex::new(text).map_err(|error| {
        TrinoError::new(ErrorCode::InvalidTableProperty, format!("The pattern of {property} can't be read: {error}"))
    })
}

/// Java's pattern in our words: `\<` and `\>` are plain characters there.
fn java(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match (c, rest.clone().next()) {
            ('\\', Some(plain @ ('<' | '>'))) => {
                rest.next();
                text.push(plain);
            }
            ('\\', Some(next)) => {
                rest.next();
                text.extend(['\\', next]);
            }
            _ => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use arrow::array::{Array, AsArray};
    use boathouse_trino_functions::types::Type;

    use super::super::values::Strictness;
    use super::*;

    fn texts(pattern: &Pattern, line: &str, count: usize) -> Vec<Option<String>> {
        let mut columns: Vec<Column> = (0..count).map(|_| Column::new(&Type::VARCHAR)).collect();
        pattern.read_line(line.as_bytes(), &mut columns).unwrap();
        let arrays = columns.iter_mut().map(|column| column.finish(&Type::VARCHAR, Strictness::Lenient).unwrap());
        arrays.map(|array| array.is_valid(0).then(|| array.as_string::<i32>().value(0).to_owned())).collect()
    }

    fn some(values: &[&str]) -> Vec<Option<String>> {
        values.iter().map(|value| Some((*value).to_owned())).collect()
    }

    #[test]
    fn groups_are_columns() {
        let format = RegexFormat { pattern: r"(\w+) \<([^>]*)\>( x)?".to_owned(), ignores_case: true };
        let pattern = Pattern::of_regex(&format, &[Some(1), Some(0), Some(2)]).unwrap();
        assert_eq!(texts(&pattern, "a <b>", 3), [Some("b".to_owned()), Some("a".to_owned()), None]);
        assert_eq!(texts(&pattern, "a <b> and more", 3), [None, None, None]);
        assert!(Pattern::of_regex(&RegexFormat { pattern: "(".to_owned(), ignores_case: false }, &[]).is_err());
    }

    #[test]
    fn grok_names_columns() {
        let columns = ["ip", "verb", "ms", "clientip", "response"].into_iter().enumerate();
        let columns: HashMap<String, usize> = columns.map(|(place, name)| (name.to_owned(), place)).collect();
        let custom = BTreeMap::from([("TOOK".to_owned(), "%{NUMBER:ms:int}ms".to_owned())]);
        let format = GrokFormat { pattern: "%{IP:ip} %{WORD:Verb} %{TOOK}".to_owned(), custom };
        let pattern = Pattern::of_grok(&format, &columns).unwrap();
        let found = texts(&pattern, ">> 10.1.2.3 GET 17ms", 5);
        assert_eq!(found[..3], some(&["10.1.2.3", "GET", "17"]));
        let apache = GrokFormat { pattern: "%{COMBINEDAPACHELOG}".to_owned(), custom: BTreeMap::new() };
        let pattern = Pattern::of_grok(&apache, &columns).unwrap();
        let line =
            r#"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326 "http://x/" "Mozilla/4""#;
        let found = texts(&pattern, line, 5);
        assert_eq!(
            (found[1].as_deref(), found[3].as_deref(), found[4].as_deref()),
            (Some("GET"), Some("127.0.0.1"), Some("200"))
        );
        let unknown = GrokFormat { pattern: "%{NOPE:ip}".to_owned(), custom: BTreeMap::new() };
        assert!(Pattern::of_grok(&unknown, &columns).unwrap_err().message.contains("NOPE"));
        let endless = BTreeMap::from([("A".to_owned(), "%{A}".to_owned())]);
        assert!(Pattern::of_grok(&GrokFormat { pattern: "%{A}".to_owned(), custom: endless }, &columns).is_err());
    }

    #[test]
    fn every_known_pattern_can_be_read() {
        for name in grok::names() {
            let format = GrokFormat { pattern: format!("%{{{name}:a}}"), custom: BTreeMap::new() };
            Pattern::of_grok(&format, &HashMap::from([("a".to_owned(), 0)]))
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}
