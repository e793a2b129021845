//! Where the statements of a document stand in its text.

use serde_json::{Value, json};

/// A place in a text, counted from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    line: usize,
    column: usize,
}

impl Position {
    /// As answers tell it.
    pub(crate) fn json(self) -> Value {
        json!({"Line": self.line, "Column": self.column})
    }
}

/// From a statement's first brace to behind its last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: Position,
    pub(crate) end: Position,
}

/// The spans of a valid document's statements, in their order.
pub(crate) fn statement_spans(text: &str) -> Vec<Span> {
    let mut walk = Walk { at: Position { line: 1, column: 1 }, depth: 0, text: None, member: String::new() };
    let mut spans = Vec::new();
    let mut open: Option<(usize, Position)> = None;
    let mut escaped = false;
    for c in text.chars() {
        if let Some(string) = &mut walk.text {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => walk.end_text(),
                _ => string.push(c),
            }
            walk.step(c);
            continue;
        }
        let before = walk.at;
        walk.step(c);
        match c {
            '"' => walk.text = Some(String::new()),
            '{' | '[' => {
                walk.depth += 1;
                let is_statement = c == '{' && walk.depth > 1 && walk.member == "Statement";
                if is_statement && open.is_none() {
                    open = Some((walk.depth, before));
                }
            }
            '}' | ']' => {
                if let Some((_, start)) = open.take_if(|(depth, _)| *depth == walk.depth) {
                    spans.push(Span { start, end: walk.at });
                }
                walk.depth = walk.depth.saturating_sub(1);
            }
            ',' if walk.depth == 1 => walk.member.clear(),
            _ => {}
        }
    }
    spans
}

/// Where a reading of a document has come to.
struct Walk {
    at: Position,
    /// Of objects and lists.
    depth: usize,
    /// What has been read of a string.
    text: Option<String>,
    /// The member of the document whose value is being read.
    member: String,
}

impl Walk {
    fn step(&mut self, c: char) {
        if c == '\n' {
            self.at = Position { line: self.at.line + 1, column: 1 };
        } else {
            self.at.column += 1;
        }
    }

    fn end_text(&mut self) {
        let text = self.text.take().unwrap_or_default();
        if self.depth == 1 && self.member.is_empty() {
            self.member = text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<(usize, usize, usize, usize)> {
        let place = |span: &Span| (span.start.line, span.start.column, span.end.line, span.end.column);
        statement_spans(text).iter().map(place).collect()
    }

    #[test]
    fn statements_are_found_where_they_stand() {
        assert_eq!(places(r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow"}}"#), [(1, 37, 1, 55)]);
        let text = "{\n  \"Statement\": [\n    {\"Sid\": \"a}\\\"{\", \"Condition\": {\"Bool\": {\"x\": [\"{\"]}}},\n    {\n    }\n  ],\n  \"Id\": \"Statement\"\n}";
        assert_eq!(places(text), [(3, 5, 3, 58), (4, 5, 5, 6)]);
        assert_eq!(places(r#"{"Id":"Statement","Statement":[{}]}"#), [(1, 32, 1, 34)]);
        assert_eq!(places("{\"Stat"), []);
    }
}
