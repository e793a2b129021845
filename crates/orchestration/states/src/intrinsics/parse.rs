//! The text of a call → [`Intrinsic`].

use serde_json::Value;

use super::{Argument, FUNCTIONS, Intrinsic};
use crate::path::JsonPath;

/// Calls within calls that are read; deeper text is refused, as AWS refuses more than ten.
const MAX_NESTING: usize = 10;

pub(super) fn intrinsic(text: &str) -> Result<Intrinsic, String> {
    let mut parser = Parser { text, at: 0 };
    let call = parser.call(0)?;
    parser.spaces();
    if parser.at == text.len() { Ok(call) } else { Err(parser.problem("nothing more expected")) }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn problem(&self, what: &str) -> String {
        format!("{what} at position {} of '{}'", self.at, self.text)
    }

    fn spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, token: char) -> bool {
        self.spaces();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len_utf8();
        }
        found
    }

    fn call(&mut self, depth: usize) -> Result<Intrinsic, String> {
        self.spaces();
        if depth >= MAX_NESTING {
            return Err(self.problem("intrinsic functions can't be nested more than ten levels deep"));
        }
        let start = self.at;
        let Some(rest) = self.rest().strip_prefix("States.") else {
            return Err(self.problem("an intrinsic function expected"));
        };
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let name = &rest[..end];
        let Some((_, function)) = FUNCTIONS.iter().find(|(known, _)| *known == name) else {
            return Err(self.problem(&format!("States.{name} is not an intrinsic function")));
        };
        self.at += "States.".len() + end;
        let arguments = self.arguments(depth)?;
        Ok(Intrinsic { text: self.text[start..self.at].to_owned(), function: *function, arguments })
    }

    fn arguments(&mut self, depth: usize) -> Result<Vec<Argument>, String> {
        if !self.eat('(') {
            return Err(self.problem("'(' expected"));
        }
        let mut arguments = Vec::new();
        if self.eat(')') {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.argument(depth)?);
            if self.eat(')') {
                return Ok(arguments);
            }
            if !self.eat(',') {
                return Err(self.problem("',' or ')' expected"));
            }
        }
    }

    fn argument(&mut self, depth: usize) -> Result<Argument, String> {
        self.spaces();
        match self.rest().chars().next() {
            Some('\'') => self.string().map(|text| Argument::Literal(text.into())),
            Some('$') => self.path(),
            Some('S') => self.call(depth + 1).map(Argument::Call),
            _ => self.literal(),
        }
    }

    /// Text between single quotes. `\{` and `\}` stay as they are, for `States.Format` to see.
    fn string(&mut self) -> Result<String, String> {
        let mut text = String::new();
        let mut escaped = false;
        for (offset, c) in self.rest().char_indices().skip(1) {
            match (escaped, c) {
                (true, '{' | '}') => text.extend(['\\', c]),
                (true, '\\' | '\'') => text.push(c),
                (true, other) => text.extend(['\\', other]),
                (false, '\\') => {}
                (false, '\'') => {
                    self.at += offset + 1;
                    return Ok(text);
                }
                (false, other) => text.push(other),
            }
            escaped = !escaped && c == '\\';
        }
        Err(self.problem("the string is not closed"))
    }

    fn path(&mut self) -> Result<Argument, String> {
        let (mut depth, mut quote) = (0i32, None);
        let end = self.rest().char_indices().find(|(_, c)| {
            match (quote, c) {
                (Some(open), c) => {
                    if open == *c {
                        quote = None;
                    }
                    return false;
                }
                (None, '\'' | '"') => quote = Some(*c),
                (None, '(' | '[') => depth += 1,
                (None, ')') if depth == 0 => return true,
                (None, ')' | ']') => depth -= 1,
                (None, ',') => return depth == 0,
                _ => {}
            }
            false
        });
        let text = &self.rest()[..end.map_or(self.rest().len(), |(at, _)| at)];
        self.at += text.len();
        JsonPath::parse(text.trim()).map(Argument::Path).map_err(|error| error.to_string())
    }

    fn literal(&mut self) -> Result<Argument, String> {
        let end = self.rest().find([',', ')', ' ']).unwrap_or(self.rest().len());
        let text = &self.rest()[..end];
        let value: Value = serde_json::from_str(text).map_err(|_| self.problem("a literal expected"))?;
        self.at += end;
        if value.is_string() {
            Err(self.problem("strings stand in single quotes"))
        } else {
            Ok(Argument::Literal(value))
        }
    }
}
