//! Text to expression, by descent.

use super::{Expression, Function};
use crate::error::{MetricsError, invalid_query};

/// Characters of an expression.
const MAX_LENGTH: usize = 2048;
/// How deep parentheses and calls may nest.
const MAX_DEPTH: usize = 64;

/// Reads an expression.
///
/// # Errors
/// [`MetricsError::Validation`] with what is wrong; [`MetricsError::NotImplemented`] for functions and queries that are not here.
pub(crate) fn parse(text: &str) -> Result<Expression, MetricsError> {
    if text.trim().is_empty() || text.chars().count() > MAX_LENGTH {
        return Err(invalid_query(format!("an expression has 1 to {MAX_LENGTH} characters")));
    }
    if text.trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("select")) {
        return Err(MetricsError::NotImplemented("Metrics Insights queries".into()));
    }
    let mut parser = Parser { text, rest: text, depth: 0 };
    let expression = parser.sum()?;
    parser.skip();
    if parser.rest.is_empty() { Ok(expression) } else { Err(parser.wrong()) }
}

struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn wrong(&self) -> MetricsError {
        let at = self.text.len() - self.rest.len();
        invalid_query(format!("Error in expression '{}': unexpected text at position {}", self.text, at + 1))
    }

    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn next(&mut self) -> Option<char> {
        self.skip();
        self.rest.chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.next() == Some(wanted);
        if found {
            self.rest = &self.rest[wanted.len_utf8()..];
        }
        found
    }

    fn expect(&mut self, wanted: char) -> Result<(), MetricsError> {
        if self.take(wanted) { Ok(()) } else { Err(self.wrong()) }
    }

    /// The text up to the first character that does not belong to it.
    fn run(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at(end);
        self.rest = rest;
        run
    }

    fn sum(&mut self) -> Result<Expression, MetricsError> {
        self.operations(&['+', '-'], Self::product)
    }

    fn product(&mut self) -> Result<Expression, MetricsError> {
        self.operations(&['*', '/'], Self::signed)
    }

    fn operations(
        &mut self,
        operators: &[char],
        operand: fn(&mut Self) -> Result<Expression, MetricsError>,
    ) -> Result<Expression, MetricsError> {
        let mut left = operand(self)?;
        while let Some(operator) = self.next().filter(|next| operators.contains(next)) {
            self.take(operator);
            left = Expression::Operation(operator, Box::new(left), Box::new(operand(self)?));
        }
        Ok(left)
    }

    fn signed(&mut self) -> Result<Expression, MetricsError> {
        self.deeper(|parser| {
            if parser.take('-') {
                return Ok(Expression::Negative(Box::new(parser.signed()?)));
            }
            let base = parser.operand()?;
            if parser.take('^') {
                return Ok(Expression::Operation('^', Box::new(base), Box::new(parser.signed()?)));
            }
            Ok(base)
        })
    }

    fn deeper<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, MetricsError>) -> Result<T, MetricsError> {
        if self.depth == MAX_DEPTH {
            return Err(invalid_query("the expression nests too deep"));
        }
        self.depth += 1;
        let done = work(self);
        self.depth -= 1;
        done
    }

    fn operand(&mut self) -> Result<Expression, MetricsError> {
        match self.next() {
            Some('(') => {
                self.take('(');
                let inner = self.sum()?;
                self.expect(')')?;
                Ok(inner)
            }
            Some('[') => {
                self.take('[');
                Ok(Expression::List(self.items(']')?))
            }
            Some(quote @ ('"' | '\'')) => {
                self.take(quote);
                let text = self.run(|c| c != quote).to_owned();
                self.expect(quote)?;
                Ok(Expression::Word(text))
            }
            Some(c) if c.is_ascii_digit() || c == '.' => {
                let digits = self.run(|c| c.is_ascii_digit() || c == '.');
                digits.parse().map(Expression::Number).map_err(|_| self.wrong())
            }
            Some(c) if c.is_ascii_alphabetic() => self.named(),
            _ => Err(self.wrong()),
        }
    }

    /// A call, an id or a word.
    fn named(&mut self) -> Result<Expression, MetricsError> {
        let name = self.run(|c| c.is_ascii_alphanumeric() || c == '_');
        if self.take('(') {
            let function = Function::named(name)
                .ok_or_else(|| MetricsError::NotImplemented(format!("the function {name} of metric math")))?;
            return Ok(Expression::Call(function, self.items(')')?));
        }
        if name.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Ok(Expression::Id(name.to_owned()));
        }
        Ok(Expression::Word(name.to_owned()))
    }

    /// What stands between commas up to `end`.
    fn items(&mut self, end: char) -> Result<Vec<Expression>, MetricsError> {
        let mut items = Vec::new();
        if self.take(end) {
            return Ok(items);
        }
        loop {
            items.push(self.sum()?);
            if !self.take(',') {
                self.expect(end)?;
                return Ok(items);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(name: &str) -> Box<Expression> {
        Box::new(Expression::Id(name.into()))
    }

    #[test]
    fn operators_bind_as_in_arithmetic() {
        let product =
            Expression::Operation('*', id("m2"), Box::new(Expression::Negative(Box::new(Expression::Number(1.5)))));
        let expected = Expression::Operation('+', id("m1"), Box::new(product));
        assert_eq!(parse(" m1+m2 * -1.5").unwrap(), expected);
        let grouped = Expression::Operation('/', Box::new(Expression::Operation('-', id("a"), id("b"))), id("c"));
        assert_eq!(parse("(a-b)/c").unwrap(), grouped);
    }

    #[test]
    fn calls_have_their_arguments() {
        let list = Expression::List(vec![*id("a"), *id("b")]);
        assert_eq!(parse("SUM([a, b])").unwrap(), Expression::Call(Function::Sum, vec![list]));
        let fill = Expression::Call(Function::Fill, vec![*id("a"), Expression::Word("REPEAT".into())]);
        assert_eq!(parse("FILL(a, REPEAT)").unwrap(), fill);
        assert_eq!(parse("METRICS()").unwrap(), Expression::Call(Function::Metrics, vec![]));
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for text in ["", "m1 +", "(m1", "m1 m2", "SUM(m1", "1.2.3", "[a,]", "é", &"(".repeat(2000), &"-".repeat(2000)]
        {
            assert!(matches!(parse(text), Err(MetricsError::Validation(_))), "{text}");
        }
        for text in ["SEARCH('x', 'Sum', 300)", "SELECT AVG(x) FROM y", "ANOMALY_DETECTION_BAND(m1)"] {
            assert!(matches!(parse(text), Err(MetricsError::NotImplemented(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[-+*/^()\\[\\], a-zA-Z0-9.'\"é]{0,60}") {
            let _ = parse(&text);
        }
    }
}
