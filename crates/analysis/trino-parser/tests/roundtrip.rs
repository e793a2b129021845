//! Statements → tree → text → tree.

use boathouse_trino_parser::ast::Statement;
use boathouse_trino_parser::parse_statement;

fn corpus() -> impl Iterator<Item = &'static str> {
    include_str!("corpus.sql").split(";\n").map(str::trim).filter(|text| !text.is_empty())
}

#[test]
fn every_statement_comes_back_from_its_text() {
    let mut count = 0;
    for text in corpus() {
        let tree = parse_statement(text).unwrap_or_else(|error| panic!("{text}\n{error}"));
        let printed = tree.to_string();
        let again = parse_statement(&printed).unwrap_or_else(|error| panic!("{text}\n{printed}\n{error}"));
        assert_eq!(without_text(tree), without_text(again), "{text}\n{printed}");
        count += 1;
    }
    assert!(count > 130);
}

/// PREPARE keeps the text as it was written, which the printed one need not be.
fn without_text(statement: Statement) -> Statement {
    match statement {
        Statement::Prepare(mut prepare) => {
            prepare.text.clear();
            Statement::Prepare(prepare)
        }
        statement => statement,
    }
}

/// Nothing of a statement may make the parser panic: neither its beginning, nor all but one of its words.
#[test]
fn broken_statements_are_refused_or_read() {
    let mut refused = 0;
    for text in corpus() {
        let words: Vec<&str> = text.split(' ').collect();
        for index in 0..words.len() {
            let beginning = words[..index].join(" ");
            let gap = [&words[..index], &words[index + 1..]].concat().join(" ");
            refused += usize::from(parse_statement(&beginning).is_err()) + usize::from(parse_statement(&gap).is_err());
        }
    }
    assert!(refused > 1000);
}
