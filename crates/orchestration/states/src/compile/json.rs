//! What is wrong with text that is not JSON, as AWS's parser says it.

/// The code of definitions that are not JSON.
pub(super) const CODE: &str = "INVALID_JSON_DESCRIPTION";

/// A problem of JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonProblem {
    /// What is wrong.
    pub message: String,
    /// Where, as `[Source: (String)"…"; line: 1, column: 4]`.
    pub location: String,
}

/// The problem that `error` found in `text`.
pub fn json_problem(text: &str, error: &serde_json::Error) -> JsonProblem {
    let at = offset(text, error.line(), error.column());
    let (message, end) = describe(text, at, error);
    let before = &text[..end.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(1, |last| last.chars().count() + 1);
    let shown: String = text.chars().take(500).collect();
    JsonProblem { message, location: format!("[Source: (String)\"{shown}\"; line: {line}, column: {column}]") }
}

/// The byte that serde_json's line and column mean.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut at = (start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn describe(text: &str, at: usize, error: &serde_json::Error) -> (String, usize) {
    if error.is_eof() {
        return ("Unexpected end-of-input".into(), text.len());
    }
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let start = text[..at]
        .rfind(|c| !is_word(c))
        .map_or(0, |before| before + text[before..].chars().next().map_or(1, char::len_utf8));
    let word: String = text[start..].chars().take_while(|c| is_word(*c)).collect();
    let key_expected = error.to_string().starts_with("key must be a string");
    if !key_expected && word.chars().next().is_some_and(char::is_alphabetic) {
        let expected = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";
        return (format!("Unrecognized token '{word}': was expecting {expected}"), start + word.len());
    }
    let found = text[at..].chars().next().unwrap_or(' ');
    let expected = if key_expected {
        "was expecting double-quote to start field name"
    } else {
        "expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
    };
    (format!("Unexpected character ('{found}' (code {})): {expected}", found as u32), at + found.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> JsonProblem {
        let error = serde_json::from_str::<serde_json::Value>(text).unwrap_err();
        json_problem(text, &error)
    }

    #[test]
    fn words_and_characters_are_named() {
        let found = problem("not a definition");
        let expected = "Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')";
        assert_eq!(found.message, expected);
        assert_eq!(found.location, "[Source: (String)\"not a definition\"; line: 1, column: 4]");
        let message = problem("{'a': 1}").message;
        assert_eq!(message, "Unexpected character (''' (code 39)): was expecting double-quote to start field name");
        assert_eq!(problem("{\"a\": ").message, "Unexpected end-of-input");
    }
}
