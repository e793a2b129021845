//! The text of a path → [`JsonPath`].

use super::filter::{Comparison, Filter, Operand};
use super::{InvalidPath, JsonPath, Root, Step};

pub(super) fn path(text: &str) -> Result<JsonPath, InvalidPath> {
    let mut parser = Parser { text, at: 0 };
    let root = parser.root()?;
    let steps = parser.steps(|parser| parser.at == parser.text.len())?;
    Ok(JsonPath { text: text.to_owned(), root, steps })
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-' || c == '@' || c == '#' || (!c.is_ascii() && !c.is_whitespace())
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn error<T>(&self, what: &str) -> Result<T, InvalidPath> {
        Err(InvalidPath(format!("{what} at position {} of '{}'", self.at, self.text)))
    }

    fn expect(&mut self, token: &str) -> Result<(), InvalidPath> {
        if self.eat(token) { Ok(()) } else { self.error(&format!("'{token}' expected")) }
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn root(&mut self) -> Result<Root, InvalidPath> {
        self.expect("$")?;
        if self.eat("$") {
            return Ok(Root::Context);
        }
        let name = self.take(|c| c.is_alphanumeric() || c == '_');
        match name.chars().next() {
            None => Ok(Root::Input),
            Some(first) if first.is_numeric() => self.error("a variable's name can't start with a digit"),
            Some(_) => Ok(Root::Variable(name.to_owned())),
        }
    }

    fn steps(&mut self, ended: impl Fn(&Self) -> bool) -> Result<Vec<Step>, InvalidPath> {
        let mut steps = Vec::new();
        while !ended(self) {
            if self.eat("..") {
                steps.push(Step::Descend);
                if self.peek() == Some('[') { self.bracket(&mut steps)? } else { self.member(&mut steps)? }
            } else if self.eat(".") {
                self.member(&mut steps)?;
            } else if self.peek() == Some('[') {
                self.bracket(&mut steps)?;
            } else {
                return self.error("'.' or '[' expected");
            }
        }
        Ok(steps)
    }

    fn member(&mut self, steps: &mut Vec<Step>) -> Result<(), InvalidPath> {
        if self.eat("*") {
            steps.push(Step::Wildcard);
            return Ok(());
        }
        let name = self.take(is_name);
        if name.is_empty() {
            return self.error("a name expected");
        }
        if self.eat("()") {
            if name != "length" && name != "size" {
                return self.error(&format!("the function {name}() is not supported"));
            }
            steps.push(Step::Length);
        } else {
            steps.push(Step::Child(name.to_owned()));
        }
        Ok(())
    }

    fn bracket(&mut self, steps: &mut Vec<Step>) -> Result<(), InvalidPath> {
        self.expect("[")?;
        self.spaces();
        let step = match self.peek() {
            Some('*') => {
                self.at += 1;
                Step::Wildcard
            }
            Some('\'' | '"') => self.names()?,
            Some('?') => {
                self.at += 1;
                self.spaces();
                self.expect("(")?;
                let filter = self.filter_or()?;
                self.expect(")")?;
                Step::Filter(filter)
            }
            _ => self.indices()?,
        };
        self.spaces();
        self.expect("]")?;
        steps.push(step);
        Ok(())
    }

    fn names(&mut self) -> Result<Step, InvalidPath> {
        let mut names = vec![self.quoted()?];
        loop {
            self.spaces();
            if !self.eat(",") {
                break;
            }
            self.spaces();
            names.push(self.quoted()?);
        }
        Ok(if names.len() == 1 { Step::Child(names.remove(0)) } else { Step::Children(names) })
    }

    fn quoted(&mut self) -> Result<String, InvalidPath> {
        let quote = match self.peek() {
            Some(quote @ ('\'' | '"')) => quote,
            _ => return self.error("a quoted name expected"),
        };
        let mut text = String::new();
        let mut escaped = false;
        for (offset, c) in self.rest().char_indices().skip(1) {
            if escaped {
                text.push(c);
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if c == quote {
                self.at += offset + 1;
                return Ok(text);
            } else {
                text.push(c);
            }
        }
        self.error("the quote is not closed")
    }

    fn integer(&mut self) -> Result<Option<i64>, InvalidPath> {
        let text = self.take(|c| c == '-' || c.is_ascii_digit());
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).or_else(|_| self.error("an integer expected"))
    }

    fn indices(&mut self) -> Result<Step, InvalidPath> {
        let first = self.integer()?;
        self.spaces();
        if self.eat(":") {
            let to = self.integer()?;
            self.spaces();
            return Ok(Step::Slice(first, to));
        }
        let Some(first) = first else { return self.error("an index, a name, '*' or a filter expected") };
        let mut indices = vec![first];
        while self.eat(",") {
            self.spaces();
            match self.integer()? {
                Some(index) => indices.push(index),
                None => return self.error("an index expected"),
            }
            self.spaces();
        }
        Ok(if indices.len() == 1 { Step::Index(first) } else { Step::Indices(indices) })
    }

    fn filter_or(&mut self) -> Result<Filter, InvalidPath> {
        let mut filter = self.filter_and()?;
        while self.eat("||") {
            filter = Filter::Or(Box::new(filter), Box::new(self.filter_and()?));
        }
        Ok(filter)
    }

    fn filter_and(&mut self) -> Result<Filter, InvalidPath> {
        let mut filter = self.filter_term()?;
        while self.eat("&&") {
            filter = Filter::And(Box::new(filter), Box::new(self.filter_term()?));
        }
        Ok(filter)
    }

    fn filter_term(&mut self) -> Result<Filter, InvalidPath> {
        self.spaces();
        let filter = if self.peek() == Some('!') && !self.rest().starts_with("!=") {
            self.at += 1;
            Filter::Not(Box::new(self.filter_term()?))
        } else if self.eat("(") {
            let inner = self.filter_or()?;
            self.expect(")")?;
            inner
        } else {
            self.comparison()?
        };
        self.spaces();
        Ok(filter)
    }

    fn comparison(&mut self) -> Result<Filter, InvalidPath> {
        let left = self.operand()?;
        self.spaces();
        for (token, comparison) in [
            ("==", Comparison::Equal),
            ("!=", Comparison::Different),
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("<", Comparison::Less),
            (">", Comparison::More),
            ("=~", Comparison::Matches),
            ("in ", Comparison::In),
            ("nin ", Comparison::NotIn),
        ] {
            if self.eat(token) {
                self.spaces();
                let right = self.operand()?;
                return Ok(Filter::Compare(left, comparison, right));
            }
        }
        Ok(Filter::Exists(left))
    }

    fn operand(&mut self) -> Result<Operand, InvalidPath> {
        let after_path = |parser: &Self| parser.peek().is_none_or(|c| c.is_whitespace() || ")=!<>&|,]".contains(c));
        match self.peek() {
            Some('@') => {
                self.at += 1;
                Ok(Operand::Current(self.steps(after_path)?))
            }
            Some('$') => {
                self.at += 1;
                Ok(Operand::Root(self.steps(after_path)?))
            }
            Some('\'' | '"') => Ok(Operand::Literal(self.quoted()?.into())),
            Some('/') => self.pattern(),
            Some('[') => self.list(),
            _ => self.literal(),
        }
    }

    fn pattern(&mut self) -> Result<Operand, InvalidPath> {
        self.expect("/")?;
        let Some(end) = self.rest().find('/') else { return self.error("the pattern is not closed") };
        let pattern = &self.rest()[..end];
        self.at += end + 1;
        let flags = self.take(|c| c.is_ascii_alphabetic());
        let pattern = if flags.is_empty() { pattern.to_owned() } else { format!("(?{flags}){pattern}") };
        match regex::Regex::new(&format!("^(?:{pattern})$")) {
            Ok(regex) => Ok(Operand::Pattern(regex)),
            Err(_) => self.error("not a regular expression"),
        }
    }

    fn list(&mut self) -> Result<Operand, InvalidPath> {
        self.expect("[")?;
        let mut elements = Vec::new();
        loop {
            self.spaces();
            if self.eat("]") {
                return Ok(Operand::Literal(elements.into()));
            }
            match self.operand()? {
                Operand::Literal(value) => elements.push(value),
                _ => return self.error("a literal expected"),
            }
            self.spaces();
            self.eat(",");
        }
    }

    fn literal(&mut self) -> Result<Operand, InvalidPath> {
        let text = self.take(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        match serde_json::from_str(text) {
            Ok(value) => Ok(Operand::Literal(value)),
            Err(_) => self.error("a path or a literal expected"),
        }
    }
}
