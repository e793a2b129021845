//! Spark SQL, as far as it means the same in the engine's dialect, which is Trino's.
//!
//! A query is read by the engine's own parser, so what Spark alone has (`LATERAL VIEW`, `RLIKE`, backslash escapes …) is
//! refused. What both can read but understand differently is refused too, by name: a wrong answer would be worse.
//! Backticks quote identifiers here as in Spark.

use boathouse_trino_parser::ast::{Query, Statement};
use boathouse_trino_parser::lexer::{Dialect, Token, TokenKind, tokenize};

/// Functions that both dialects have and that mean different things, with what to write instead.
const DIFFERENT: [(&str, &str); 17] = [
    ("date_format", "Spark's patterns are others than the engine's: use format_datetime, or year(), month() and day()"),
    ("split", "Spark splits at a regular expression: use it in an own node before"),
    ("regexp_extract", "Spark answers the first group unless told otherwise"),
    ("from_unixtime", "Spark answers text"),
    ("log", "Spark's log(x) is the natural one: use ln(x)"),
    ("date_add", "the arguments differ: use date + INTERVAL"),
    ("date_diff", "the arguments differ"),
    ("greatest", "Spark passes over NULLs"),
    ("least", "Spark passes over NULLs"),
    ("element_at", "out of range is an error in one dialect only"),
    ("sequence", "the types differ"),
    ("rand", "Spark's takes a seed"),
    ("day_of_week", "Spark has dayofweek"),
    ("substring", "positions before 1 differ: use substr in an own node"),
    ("substr", "positions before 1 differ"),
    ("approx_percentile", "the algorithms differ"),
    ("slice", "the bounds differ"),
];
/// Functions of that list whose usual calls mean the same: a first position of 1 or more.
const POSITIONAL: [&str; 2] = ["substring", "substr"];

/// Reads a query.
///
/// # Errors
/// What isn't a query, and what Spark would understand differently.
pub fn read(sql: &str) -> Result<Query, String> {
    let text = backticks(sql)?;
    let tokens = tokenize(&text, Dialect::Trino).map_err(|error| error.to_string())?;
    tokens.iter().enumerate().try_for_each(|(index, token)| same_meaning(&tokens, index, token))?;
    match boathouse_trino_parser::parse(&text).map_err(|error| error.to_string())? {
        parsed if parsed.parameters > 0 => Err("SqlQuery has parameters (?)".to_owned()),
        parsed => match parsed.statement {
            Statement::Query(query) => Ok(*query),
            _ => Err("SqlQuery must be a query".to_owned()),
        },
    }
}

/// Writes Spark's quoted identifiers as the engine's; text in double quotes is refused, because it is a name there.
fn backticks(sql: &str) -> Result<String, String> {
    let mut out = String::with_capacity(sql.len());
    let mut letters = sql.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => {
                out.push('\'');
                for inner in letters.by_ref() {
                    if inner == '\\' {
                        return Err("Boathouse does not implement backslash escapes in Spark SQL's text yet".to_owned());
                    }
                    out.push(inner);
                    if inner == '\'' {
                        break;
                    }
                }
            }
            '"' => {
                return Err(
                    "write text in single quotes: double quotes are text in Spark SQL and names here".to_owned()
                );
            }
            '`' => {
                out.push('"');
                loop {
                    match letters.next() {
                        Some('`') if letters.peek() == Some(&'`') => {
                            letters.next();
                            out.push('`');
                        }
                        Some('`') => break,
                        Some('"') => out.push_str("\"\""),
                        Some(inner) => out.push(inner),
                        None => return Err("a name in backticks does not end".to_owned()),
                    }
                }
                out.push('"');
            }
            other => out.push(other),
        }
    }
    Ok(out)
}

fn symbol(token: Option<&Token>) -> Option<&'static str> {
    match token.map(|token| &token.kind) {
        Some(TokenKind::Symbol(symbol)) => Some(symbol),
        _ => None,
    }
}

fn same_meaning(tokens: &[Token], index: usize, token: &Token) -> Result<(), String> {
    match &token.kind {
        TokenKind::Symbol("/") if !divides_double(tokens, index) => Err(
            "the division / is exact in Spark SQL and cuts off in the engine: write CAST(a AS DOUBLE) / b, the cast first".to_owned(),
        ),
        TokenKind::Symbol("[") if tokens.get(index.wrapping_sub(1)).is_some_and(|before| is_operand(&before.kind)) => {
            Err("subscripts count from 0 in Spark SQL and from 1 in the engine".to_owned())
        }
        TokenKind::Word(word) if symbol(tokens.get(index + 1)) == Some("(") => {
            let name = word.to_lowercase();
            let Some((name, reason)) = DIFFERENT.iter().find(|(different, _)| *different == name) else { return Ok(()) };
            if POSITIONAL.contains(name) && positive_position(&tokens[index + 2..]) {
                return Ok(());
            }
            Err(format!("{name} means something else in Spark SQL: {reason}"))
        }
        TokenKind::Word(word) if word.eq_ignore_ascii_case("order") => nulls_are_placed(tokens, index),
        _ => Ok(()),
    }
}

fn is_operand(kind: &TokenKind) -> bool {
    match kind {
        TokenKind::Word(word) => !word.eq_ignore_ascii_case("array"),
        TokenKind::Quoted(_) => true,
        TokenKind::Symbol(symbol) => matches!(*symbol, ")" | "]"),
        _ => false,
    }
}

/// `CAST(… AS DOUBLE) / b`, `1e0 / b`, `a / 60e0`.
fn divides_double(tokens: &[Token], index: usize) -> bool {
    let before = &tokens[..index];
    let cast = matches!(before, [.., Token { kind: TokenKind::Word(ty), .. }, Token { kind: TokenKind::Symbol(")"), .. }]
        if ty.eq_ignore_ascii_case("double"));
    let literal = |token: Option<&Token>| matches!(token.map(|token| &token.kind), Some(TokenKind::Double(_)));
    cast || literal(before.last()) || literal(tokens.get(index + 1))
}

/// Whether the second argument of a call is a number of 1 or more.
fn positive_position(arguments: &[Token]) -> bool {
    let mut depth = 0;
    for (index, token) in arguments.iter().enumerate() {
        match &token.kind {
            TokenKind::Symbol("(") => depth += 1,
            TokenKind::Symbol(")") if depth == 0 => return false,
            TokenKind::Symbol(")") => depth -= 1,
            TokenKind::Symbol(",") if depth == 0 => {
                let position = arguments.get(index + 1).map(|token| &token.kind);
                return matches!(position, Some(TokenKind::Integer(digits)) if digits.bytes().any(|digit| digit != b'0'));
            }
            _ => {}
        }
    }
    false
}

/// NULLs come first in Spark and last in the engine: an order that decides something must say where they go.
fn nulls_are_placed(tokens: &[Token], index: usize) -> Result<(), String> {
    let (mut depth, mut items, mut placed) = (0_usize, 1, 0);
    for token in &tokens[index + 1..] {
        match &token.kind {
            TokenKind::Symbol("(") => depth += 1,
            TokenKind::Symbol(")") if depth == 0 => break,
            TokenKind::Symbol(")") => depth -= 1,
            TokenKind::Symbol(",") if depth == 0 => items += 1,
            TokenKind::Word(word) if depth == 0 && word.eq_ignore_ascii_case("nulls") => placed += 1,
            TokenKind::Word(word)
                if depth == 0
                    && ["limit", "rows", "range", "groups"].iter().any(|end| word.eq_ignore_ascii_case(end)) =>
            {
                break;
            }
            _ => {}
        }
    }
    if placed == items {
        return Ok(());
    }
    Err("NULLs come first in Spark SQL's order and last in the engine's: write NULLS FIRST or NULLS LAST".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_the_same_is_read() {
        for sql in [
            "SELECT `a b`, count(*) AS n FROM t WHERE c = 'it''s' GROUP BY `a b`",
            "SELECT CAST(a AS DOUBLE) / b, a / 60e0, substr(s, 1, 10), ARRAY[1, 2] FROM t",
            "SELECT row_number() OVER (PARTITION BY k ORDER BY x DESC NULLS LAST) AS n FROM t",
            "WITH u AS (SELECT 1 AS a) SELECT * FROM u JOIN t ON u.a = t.a",
        ] {
            assert_eq!(read(sql).err(), None, "{sql}");
        }
    }

    #[test]
    fn what_spark_understands_differently_is_refused() {
        for (sql, reason) in [
            ("SELECT a / b FROM t", "CAST(a AS DOUBLE)"),
            ("SELECT \"text\" FROM t", "single quotes"),
            ("SELECT 'a\\n' FROM t", "backslash"),
            ("SELECT a[0] FROM t", "count from 0"),
            ("SELECT date_format(d, 'yyyy') FROM t", "date_format"),
            ("SELECT a FROM t ORDER BY a LIMIT 3", "NULLS FIRST"),
            ("SELECT substr(a, 0, 3) FROM t", "substr"),
            ("SELECT a FROM t LATERAL VIEW explode(b) x AS y", "line 1"),
            ("SELECT ? FROM t", "parameters"),
            ("SHOW TABLES", "must be a query"),
        ] {
            let message = read(sql).unwrap_err();
            assert!(message.contains(reason), "{sql}: {message}");
        }
    }
}
