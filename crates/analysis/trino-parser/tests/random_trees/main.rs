//! Any tree → text → the same tree.

mod choices;

use boathouse_trino_parser::ast::Statement;
use boathouse_trino_parser::{lexer, parse_expression, parse_statement};
use choices::Choices;
use proptest::prelude::*;

fn choices() -> impl Strategy<Value = Choices> {
    prop::collection::vec(any::<u32>(), 0..1000).prop_map(Choices::new)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn expressions_come_back(mut choices in choices()) {
        let expr = choices.expr(4);
        let text = expr.to_string();
        prop_assert_eq!(parse_expression(&text), Ok(expr), "{}", text);
    }

    #[test]
    fn queries_come_back(mut choices in choices()) {
        let statement = Statement::Query(Box::new(choices.query(4)));
        let text = statement.to_string();
        prop_assert_eq!(parse_statement(&text), Ok(statement), "{}", text);
    }

    #[test]
    fn definitions_come_back(mut choices in choices()) {
        let statement = choices.definition();
        let text = statement.to_string();
        prop_assert_eq!(parse_statement(&text), Ok(statement), "{}", text);
    }

    #[test]
    fn any_text_is_a_statement_or_refused(text in any::<String>(), bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        for text in [text.as_str(), &String::from_utf8_lossy(&bytes)] {
            if let Err(error) = parse_statement(text) {
                prop_assert!(!error.message.is_empty());
            }
        }
    }

    #[test]
    fn any_tokens_are_a_statement_or_refused(
        first in prop::sample::select(vec!["SELECT", "CREATE TABLE", "ALTER TABLE", "SHOW", "WITH", "MERGE", "CREATE"]),
        rest in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..25),
    ) {
        let text = format!("{first} {}", rest.join(" "));
        match parse_statement(&text) {
            Ok(statement) => {
                let printed = statement.to_string();
                prop_assert_eq!(parse_statement(&printed), Ok(statement), "{}", printed);
            }
            Err(error) => prop_assert!(!error.message.is_empty()),
        }
        prop_assert!(lexer::tokenize(&text, lexer::Dialect::Trino).is_ok());
    }
}

const WORDS: [&str; 60] = [
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP",
    "BY",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "1",
    "a",
    "b",
    "t",
    "*",
    ",",
    "(",
    ")",
    ".",
    "=",
    "+",
    "-",
    "||",
    "AS",
    "AND",
    "NOT",
    "IN",
    "IS",
    "NULL",
    "'x'",
    "?",
    "JOIN",
    "ON",
    "CROSS",
    "UNION",
    "ALL",
    "TABLE",
    "VALUES",
    "CASE",
    "WHEN",
    "THEN",
    "END",
    "OVER",
    "PARTITION",
    "ROWS",
    "UNNEST",
    "LATERAL",
    "EXISTS",
    "[",
    "]",
    "->",
    "ADD",
    "SET",
    "LOCATION",
    "int",
    "STORED",
    "TABLES",
    "LIKE",
    "USING",
    "MATCHED",
    "ARRAY",
    "ROW",
];
