//! The expression language of GetPartitions: a SQL condition over partition keys.
//!
//! Comparisons, `AND`, `OR`, `NOT`, `BETWEEN`, `IN`, `LIKE`, `IS [NOT] NULL` and parentheses. Values compare by the type
//! of the partition key; Hive's `__HIVE_DEFAULT_PARTITION__` is null. A value that is not of its key's type is
//! null too, so no condition but `IS NULL` holds for it.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::vec::IntoIter;

use crate::api::Column;
use crate::error::CatalogError;

/// How deep conditions may nest; the parser is recursive.
const MAX_DEPTH: usize = 64;
const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// A parsed condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expression(Node);

#[derive(Debug, Clone, PartialEq)]
enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Compare(Operand, Comparison, Operand),
    In(Operand, Vec<Operand>),
    Like(Operand, Operand),
    IsNull(Operand),
}

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Key { index: usize, kind: Kind },
    Literal(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Number,
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl Kind {
    /// Dates, timestamps and texts sort as their texts do.
    fn of(column: &Column) -> Self {
        let hive = column.data_type.as_deref().unwrap_or("string").to_ascii_lowercase();
        match hive.as_str() {
            "tinyint" | "smallint" | "int" | "integer" | "bigint" | "long" => Self::Integer,
            "float" | "double" => Self::Number,
            other if other.starts_with("decimal") => Self::Number,
            _ => Self::Text,
        }
    }

    fn compare(self, left: &str, right: &str) -> Option<Ordering> {
        match self {
            Self::Integer => match (left.trim().parse::<i64>(), right.trim().parse::<i64>()) {
                (Ok(left), Ok(right)) => Some(left.cmp(&right)),
                _ => Self::Number.compare(left, right),
            },
            Self::Number => left.trim().parse::<f64>().ok()?.partial_cmp(&right.trim().parse().ok()?),
            Self::Text => Some(left.cmp(right)),
        }
    }
}

impl Operand {
    fn kind(&self) -> Option<Kind> {
        match self {
            Self::Key { kind, .. } => Some(*kind),
            Self::Literal(_) => None,
        }
    }

    fn value<'a>(&'a self, values: &'a [String]) -> Option<&'a str> {
        match self {
            Self::Key { index, .. } => values.get(*index).map(String::as_str).filter(|value| *value != NULL_PARTITION),
            Self::Literal(text) => Some(text),
        }
    }
}

impl Expression {
    /// Reads a condition over `keys`.
    pub(crate) fn parse(text: &str, keys: &[Column]) -> Result<Self, CatalogError> {
        if text.chars().count() > 2048 {
            return Err(CatalogError::invalid("Expression has more than 2048 characters"));
        }
        let mut parser = Parser { tokens: tokens(text)?.into_iter().peekable(), keys, depth: 0 };
        let node = parser.or()?;
        match parser.tokens.next() {
            None => Ok(Self(node)),
            Some(token) => Err(unexpected(&token)),
        }
    }

    /// Whether the condition is true (neither false nor unknown) for these partition values.
    pub(crate) fn matches(&self, values: &[String]) -> bool {
        self.0.evaluate(values) == Some(true)
    }
}

impl Node {
    /// SQL's three-valued logic: none is unknown.
    fn evaluate(&self, values: &[String]) -> Option<bool> {
        match self {
            Self::And(nodes) => all(nodes.iter().map(|node| node.evaluate(values))),
            Self::Or(nodes) => all(nodes.iter().map(|node| node.evaluate(values).map(|held| !held))).map(|none| !none),
            Self::Not(node) => node.evaluate(values).map(|held| !held),
            Self::Compare(left, comparison, right) => compare(left, right, values).map(|order| comparison.holds(order)),
            Self::In(left, list) => {
                all(list.iter().map(|right| compare(left, right, values).map(Ordering::is_ne))).map(|none| !none)
            }
            Self::Like(left, pattern) => {
                let pattern: Vec<char> = pattern.value(values)?.chars().collect();
                let text: Vec<char> = left.value(values)?.chars().collect();
                Some(like(&text, &pattern))
            }
            Self::IsNull(operand) => Some(operand.value(values).is_none()),
        }
    }
}

fn compare(left: &Operand, right: &Operand, values: &[String]) -> Option<Ordering> {
    let kind = left.kind().or(right.kind()).unwrap_or(Kind::Text);
    kind.compare(left.value(values)?, right.value(values)?)
}

fn all(outcomes: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = true;
    for outcome in outcomes {
        match outcome {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = false,
        }
    }
    known.then_some(true)
}

/// `%` is any text, `_` any character, a backslash takes the next one literally. Linear in text × pattern.
fn like(text: &[char], pattern: &[char]) -> bool {
    let mut states = vec![false; text.len() + 1];
    states[0] = true;
    let mut rest = pattern.iter();
    while let Some(&symbol) = rest.next() {
        if symbol == '%' {
            let first = states.iter().position(|&reached| reached).unwrap_or(states.len());
            states[first..].fill(true);
            continue;
        }
        let (any, wanted) = match symbol {
            '\\' => (false, rest.next().copied().unwrap_or('\\')),
            other => (other == '_', other),
        };
        for at in (0..text.len()).rev() {
            states[at + 1] = states[at] && (any || text[at] == wanted);
        }
        states[0] = false;
    }
    states[text.len()]
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Number(String),
    Symbol(&'static str),
}

impl Token {
    fn is(&self, keyword: &str) -> bool {
        match self {
            Self::Word(word) => word.eq_ignore_ascii_case(keyword),
            Self::Symbol(symbol) => *symbol == keyword,
            _ => false,
        }
    }
}

fn unexpected(token: &Token) -> CatalogError {
    let text = match token {
        Token::Word(text) | Token::Quoted(text) | Token::Number(text) => text,
        Token::Symbol(symbol) => *symbol,
    };
    CatalogError::invalid(format!("Unsupported expression: unexpected {text:?}"))
}

const SYMBOLS: [&str; 10] = ["<=", ">=", "<>", "!=", "=", "<", ">", "(", ")", ","];

fn tokens(text: &str) -> Result<Vec<Token>, CatalogError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            (Token::Symbol(symbol), symbol.len())
        } else if first == '\'' {
            quoted(rest, first).map(|(text, length)| (Token::Quoted(text), length))?
        } else if first == '"' || first == '`' {
            quoted(rest, first).map(|(text, length)| (Token::Word(text), length))?
        } else if first.is_ascii_digit() || matches!(first, '-' | '+' | '.') {
            let more = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.');
            let length = 1 + rest[1..].find(|c| !more(c)).unwrap_or(rest.len() - 1);
            (Token::Number(rest[..length].to_owned()), length)
        } else if first.is_alphanumeric() || first == '_' {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            (Token::Word(rest[..length].to_owned()), length)
        } else {
            return Err(CatalogError::invalid(format!("Unsupported expression: unexpected {first:?}")));
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// The text between quotes, doubled quotes being one, and its length with them.
fn quoted(rest: &str, quote: char) -> Result<(String, usize), CatalogError> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            text.push(c);
        } else if chars.next_if(|(_, next)| *next == quote).is_some() {
            text.push(quote);
        } else {
            return Ok((text, at + 1));
        }
    }
    Err(CatalogError::invalid("Unsupported expression: a quote is not closed"))
}

struct Parser<'a> {
    tokens: Peekable<IntoIter<Token>>,
    keys: &'a [Column],
    depth: usize,
}

impl Parser<'_> {
    fn eat(&mut self, keyword: &str) -> bool {
        self.tokens.next_if(|token| token.is(keyword)).is_some()
    }

    fn expect(&mut self, keyword: &str) -> Result<(), CatalogError> {
        match self.tokens.next() {
            Some(token) if token.is(keyword) => Ok(()),
            Some(token) => Err(unexpected(&token)),
            None => Err(CatalogError::invalid(format!("Unsupported expression: {keyword} is missing at the end"))),
        }
    }

    fn or(&mut self) -> Result<Node, CatalogError> {
        let mut nodes = vec![self.and()?];
        while self.eat("OR") {
            nodes.push(self.and()?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::Or(nodes) })
    }

    fn and(&mut self) -> Result<Node, CatalogError> {
        let mut nodes = vec![self.not()?];
        while self.eat("AND") {
            nodes.push(self.not()?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::And(nodes) })
    }

    fn not(&mut self) -> Result<Node, CatalogError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(CatalogError::invalid("Unsupported expression: nested too deeply"));
        }
        let node = if self.eat("NOT") {
            Node::Not(Box::new(self.not()?))
        } else if self.eat("(") {
            let inner = self.or()?;
            self.expect(")")?;
            inner
        } else {
            self.predicate()?
        };
        self.depth -= 1;
        Ok(node)
    }

    fn predicate(&mut self) -> Result<Node, CatalogError> {
        let left = self.operand()?;
        if self.eat("IS") {
            let negated = self.eat("NOT");
            self.expect("NULL")?;
            return Ok(negate(negated, Node::IsNull(left)));
        }
        let negated = self.eat("NOT");
        if self.eat("IN") {
            return Ok(negate(negated, Node::In(left, self.list()?)));
        }
        if self.eat("LIKE") {
            return Ok(negate(negated, Node::Like(left, self.operand()?)));
        }
        if self.eat("BETWEEN") {
            let low = self.operand()?;
            self.expect("AND")?;
            let high = self.operand()?;
            let above = Node::Compare(left.clone(), Comparison::GreaterOrEqual, low);
            let below = Node::Compare(left, Comparison::LessOrEqual, high);
            return Ok(negate(negated, Node::And(vec![above, below])));
        }
        let comparison = self.comparison()?;
        Ok(negate(negated, Node::Compare(left, comparison, self.operand()?)))
    }

    fn comparison(&mut self) -> Result<Comparison, CatalogError> {
        let token = self.tokens.next().ok_or_else(|| CatalogError::invalid("Unsupported expression: it ends early"))?;
        match token {
            Token::Symbol("=") => Ok(Comparison::Equal),
            Token::Symbol("<>" | "!=") => Ok(Comparison::NotEqual),
            Token::Symbol("<") => Ok(Comparison::Less),
            Token::Symbol("<=") => Ok(Comparison::LessOrEqual),
            Token::Symbol(">") => Ok(Comparison::Greater),
            Token::Symbol(">=") => Ok(Comparison::GreaterOrEqual),
            other => Err(unexpected(&other)),
        }
    }

    fn list(&mut self) -> Result<Vec<Operand>, CatalogError> {
        self.expect("(")?;
        let mut list = vec![self.operand()?];
        while self.eat(",") {
            list.push(self.operand()?);
        }
        self.expect(")")?;
        Ok(list)
    }

    fn operand(&mut self) -> Result<Operand, CatalogError> {
        match self.tokens.next() {
            Some(Token::Quoted(text) | Token::Number(text)) => Ok(Operand::Literal(text)),
            Some(Token::Word(word)) => {
                // `date '2024-01-01'` is the literal behind the type's name.
                if matches!(word.to_ascii_lowercase().as_str(), "date" | "timestamp")
                    && let Some(Token::Quoted(text)) = self.tokens.next_if(|token| matches!(token, Token::Quoted(_)))
                {
                    return Ok(Operand::Literal(text));
                }
                let found = self.keys.iter().position(|key| key.name.eq_ignore_ascii_case(&word));
                let index = found.ok_or_else(|| {
                    CatalogError::invalid(format!("Unsupported expression: {word} is not a partition key"))
                })?;
                Ok(Operand::Key { index, kind: Kind::of(&self.keys[index]) })
            }
            Some(token) => Err(unexpected(&token)),
            None => Err(CatalogError::invalid("Unsupported expression: it ends early")),
        }
    }
}

fn negate(negated: bool, node: Node) -> Node {
    if negated { Node::Not(Box::new(node)) } else { node }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys() -> Vec<Column> {
        [("year", "int"), ("day", "string")]
            .map(|(name, kind)| Column { name: name.into(), data_type: Some(kind.into()), ..Column::default() })
            .into()
    }

    fn holds(text: &str, year: &str, day: &str) -> bool {
        Expression::parse(text, &keys()).unwrap().matches(&[year.to_owned(), day.to_owned()])
    }

    #[test]
    fn values_compare_by_their_keys_type() {
        assert!(holds("year > 9", "10", "a"));
        assert!(holds("year = '09'", "9", "a"));
        assert!(!holds("day > '9'", "10", "10"));
        assert!(holds("YEAR BETWEEN 9 AND 11 AND day IN ('a', 'b')", "10", "b"));
        assert!(holds("NOT (year < 9 OR day LIKE 'x%')", "10", "b"));
        assert!(holds("day like '_o%' and day not like '%a'", "1", "foo"));
        assert!(holds("day = 'it''s'", "1", "it's"));
        assert!(holds("5 < year", "10", "a"));
    }

    #[test]
    fn null_is_neither_equal_nor_different() {
        assert!(holds("year IS NULL", NULL_PARTITION, "a"));
        assert!(!holds("year = 1", NULL_PARTITION, "a"));
        assert!(!holds("year <> 1", NULL_PARTITION, "a"));
        assert!(holds("year IS NOT NULL", "1", "a"));
        assert!(!holds("NOT year = 1", "not a number", "a"));
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for text in ["year", "year =", "month = 1", "year = 1 year", "(year = 1", "day = 'x", "year IN ()", "é§"] {
            assert!(Expression::parse(text, &keys()).is_err(), "{text}");
        }
        assert!(Expression::parse(&"(".repeat(1000), &keys()).is_err());
    }

    proptest! {
        #[test]
        fn the_parser_never_panics(text in "\\PC{0,60}|[a-z'\"()<>=!, 0-9.]{0,60}") {
            if let Ok(expression) = Expression::parse(&text, &keys()) {
                expression.matches(&["1".into(), "a".into()]);
            }
        }

        #[test]
        fn logic_is_sqls(year in -20i64..20, low in -20i64..20, high in -20i64..20, day in "[ab]{0,3}", other in "[ab]{0,3}") {
            let text = format!("year between {low} and {high} or not (day <> '{other}') and year != {low}");
            let expected = (low <= year && year <= high) || (day == other && year != low);
            prop_assert_eq!(holds(&text, &year.to_string(), &day), expected);
        }

        #[test]
        fn like_is_a_regular_expression(text in "[ab]{0,6}", pattern in "[ab%_]{0,5}") {
            let regex = regex::Regex::new(&format!("^{}$", pattern.replace('%', ".*").replace('_', "."))).unwrap();
            let (text_chars, pattern): (Vec<_>, Vec<_>) = (text.chars().collect(), pattern.chars().collect());
            prop_assert_eq!(like(&text_chars, &pattern), regex.is_match(&text));
        }
    }
}
