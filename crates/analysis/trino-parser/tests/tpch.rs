//! The queries of TPC-H in Trino's syntax.

use boathouse_trino_parser::ast::{QueryBodyKind, Statement};
use boathouse_trino_parser::parse_statement;

/// Number, text and columns of each query.
macro_rules! queries {
    ($($number:literal: $columns:literal),* $(,)?) => {
        [$(($number, include_str!(concat!("tpch/q", $number, ".sql")), $columns)),*]
    };
}

#[test]
fn every_query_of_tpch_has_its_columns() {
    let queries = queries![
        "01": 10, "02": 8, "03": 4, "04": 2, "05": 2, "06": 1, "07": 4, "08": 2, "09": 3, "10": 8, "11": 2, "12": 3, "13": 2,
        "14": 1, "15": 5, "16": 4, "17": 1, "18": 6, "19": 1, "20": 2, "21": 2, "22": 3,
    ];
    for (number, text, columns) in queries {
        let statement = parse_statement(text).unwrap_or_else(|error| panic!("query {number}: {error}"));
        let Statement::Query(query) = &statement else { panic!("query {number} is none") };
        let QueryBodyKind::Select(select) = &query.body.kind else { panic!("query {number} selects nothing") };
        assert_eq!(select.items.len(), columns, "query {number}");
    }
}
