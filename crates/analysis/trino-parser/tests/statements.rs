//! What statements say, what their kinds are, and how broken ones are refused.

use boathouse_trino_parser::ast::*;
use boathouse_trino_parser::{parse, parse_hive_type, parse_statement};

fn statement(text: &str) -> Statement {
    parse_statement(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn failure(text: &str) -> String {
    match parse_statement(text) {
        Ok(tree) => panic!("{text}\nis {tree:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn errors_name_what_would_have_been_right() {
    let cases = [
        (
            "SELECT * FORM t",
            "line 1:10: mismatched input 'FORM'. Expecting: ',', 'EXCEPT', 'FETCH', 'FROM', 'GROUP', 'HAVING', 'INTERSECT', \
             'LIMIT', 'OFFSET', 'ORDER', 'UNION', 'WHERE', 'WINDOW', <EOF>",
        ),
        ("SELECT * FROM", "line 1:14: mismatched input '<EOF>'. Expecting: <relation>"),
        ("SELECT", "line 1:7: mismatched input '<EOF>'. Expecting: <expression>"),
        ("SELECT a FROM t WHERE", "line 1:22: mismatched input '<EOF>'. Expecting: <expression>"),
        ("SELECT 1 ORDER 1", "line 1:16: mismatched input '1'. Expecting: 'BY'"),
        ("SELECT a FROM t GROUP", "line 1:22: mismatched input '<EOF>'. Expecting: 'BY'"),
        ("INSERT t", "line 1:8: mismatched input 't'. Expecting: 'INTO'"),
        ("CREATE TABLE t AS", "line 1:18: mismatched input '<EOF>'. Expecting: <query>"),
        ("CREATE OR REPLACE TABLE t AS SELECT 1", "line 1:19: mismatched input 'TABLE'. Expecting: 'VIEW'"),
        ("DROP FUNCTION f", "line 1:6: mismatched input 'FUNCTION'. Expecting: 'VIEW'"),
        ("ALTER VIEW v", "line 1:7: mismatched input 'VIEW'. Expecting: 'DATABASE', 'SCHEMA', 'TABLE'"),
        ("SELECT 1; SELECT 2", "line 1:11: Only one sql statement is allowed. Got: SELECT 1; SELECT 2"),
        ("GRANT x TO y", "line 1:1: Queries of this type are not supported: GRANT"),
        ("CREATE FUNCTION f", "line 1:8: Queries of this type are not supported: CREATE FUNCTION"),
        (
            "SELECT * FROM t MATCH_RECOGNIZE (SEEK PATTERN (A) DEFINE A AS true)",
            "line 1:34: Pattern search modifier: SEEK is not allowed in MATCH_RECOGNIZE clause",
        ),
        (
            "SELECT * FROM t MATCH_RECOGNIZE (PATTERN (A))",
            "line 1:45: mismatched input ')'. Expecting: 'DEFINE', 'SUBSET'",
        ),
        (
            "SELECT * FROM t MATCH_RECOGNIZE (PATTERN (A{x}) DEFINE A AS true)",
            "line 1:45: mismatched input 'x'. Expecting: <integer>",
        ),
        (
            "SELECT x OVER (ORDER BY b MEASURES b AS x PATTERN (A) DEFINE A AS true) FROM t",
            "line 1:43: mismatched input 'PATTERN'. Expecting: ',', 'GROUPS', 'RANGE', 'ROWS'",
        ),
        ("SELECT * FROM JSON_TABLE(x, 'lax $')", "line 1:15: JSON_TABLE is not supported"),
        (
            "SELECT * FROM TABLE(f(TABLE(t) PARTITION BY a))",
            "line 1:32: What may follow the table argument of a table function is not supported",
        ),
        (
            "SELECT `a` FROM t",
            "line 1:8: backquoted identifiers are not supported; use double quotes to quote identifiers",
        ),
        ("CREATE EXTERNAL TABLE t (a uint)", "line 1:28: mismatched input 'uint'. Expecting: <type>"),
        ("CREATE EXTERNAL TABLE t (a decimal(3,5))", "line 1:39: Invalid decimal type: decimal(3,5)"),
        ("CREATE EXTERNAL TABLE t (a char(256))", "line 1:36: Length 256 is out of range [1, 255]"),
        ("CREATE TABLE t (a int) PARTITIONED BY (void(a))", "line 1:45: Partition transform void is not supported"),
        ("UPDATE t AS x SET a = 1", "line 1:10: mismatched input 'AS'. Expecting: '.', 'SET'"),
        ("UPDATE t SET a.b = 1", "line 1:15: mismatched input '.'. Expecting: '='"),
        ("DELETE t WHERE a", "line 1:8: mismatched input 't'. Expecting: 'FROM'"),
        ("OPTIMIZE t", "line 1:11: mismatched input '<EOF>'. Expecting: '.', 'REWRITE'"),
        ("VACUUM `t` x", "line 1:12: mismatched input 'x'. Expecting: '.', <EOF>"),
        ("MSCK TABLE t", "line 1:6: mismatched input 'TABLE'. Expecting: 'REPAIR'"),
        ("SHOW TABLES IN", "line 1:15: mismatched input '<EOF>'. Expecting: <identifier>"),
        ("DROP TABLE \"t\"", "line 1:12: mismatched input '\"t\"'. Expecting: 'IF', <identifier>"),
    ];
    for (text, message) in cases {
        assert_eq!(failure(text), message);
    }
    assert!(failure("SELEC 1").starts_with("line 1:1: mismatched input 'SELEC'. Expecting: 'ALTER', 'CREATE', "));
    assert!(failure("").starts_with("line 1:1: mismatched input '<EOF>'. Expecting: 'ALTER'"));
    assert!(failure("SELECT 1 + t.*").starts_with("line 1:13: mismatched input '.'"));
    assert!(failure("SELECT a AT TIME ZONE b").contains("Expecting: 'INTERVAL', <string>"));
}

#[test]
fn kinds_are_athenas() {
    let cases = [
        ("SELECT 1", "DML"),
        ("CREATE TABLE t AS SELECT 1", "DML"),
        ("INSERT INTO t SELECT 1", "DML"),
        ("UNLOAD (SELECT 1) TO 's3://b/'", "DML"),
        ("EXECUTE p", "DML"),
        ("UPDATE t SET a = 1", "DML"),
        ("OPTIMIZE t REWRITE DATA USING BIN_PACK", "DML"),
        ("VACUUM t", "DML"),
        ("CREATE TABLE t (a int) LOCATION 's3://b/'", "DDL"),
        ("CREATE VIEW v AS SELECT 1", "DDL"),
        ("MSCK REPAIR TABLE t", "DDL"),
        ("SHOW TABLES", "UTILITY"),
        ("DESCRIBE t", "UTILITY"),
        ("EXPLAIN SELECT 1", "UTILITY"),
    ];
    for (text, kind) in cases {
        assert_eq!(statement(text).kind().as_str(), kind, "{text}");
    }
}

#[test]
fn parameters_are_counted_and_numbered() {
    let parsed =
        parse("SELECT ?, 'a?', \"b?\" FROM t WHERE c = ? -- ?\n LIMIT ?").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(parsed.parameters, 3);
    let Statement::Query(query) = parsed.statement else { panic!("no query") };
    assert!(matches!(query.limit, Some(Limit::Rows(Expr { kind: ExprKind::Parameter(2), .. }))));
    assert_eq!(parse("SHOW TABLES").map(|parsed| parsed.parameters), Ok(0));
}

#[test]
fn the_first_words_choose_the_grammar() {
    for text in [
        "/* x */ CREATE TABLE a.b -- c\n AS SELECT 'a\\'",
        "create table if not exists \"a b\".c with (format = 'ORC') as select 1",
        "CREATE TABLE IF NOT EXISTS t COMMENT 'x' AS SELECT 1",
    ] {
        assert!(matches!(statement(text), Statement::CreateTableAs(_)), "{text}");
    }
    for text in [
        "CREATE TABLE `a`.`b` (c string COMMENT 'it\\'s')",
        "create external table if not exists t comment \"x\" location 's3://b/'",
    ] {
        assert!(matches!(statement(text), Statement::CreateTable(_)), "{text}");
    }
}

#[test]
fn a_prepared_statement_keeps_its_text() {
    let Statement::Prepare(prepare) = statement("PREPARE p FROM\n SELECT  a -- the column\n FROM t  WHERE b = ? ;")
    else {
        panic!("nothing is prepared");
    };
    assert_eq!(prepare.text, "SELECT  a -- the column\n FROM t  WHERE b = ?");
    assert_eq!(prepare.statement, statement("SELECT a FROM t WHERE b = ?"));
}

#[test]
fn a_table_definition_keeps_all_its_parts() {
    let text = r"CREATE EXTERNAL TABLE d.t (a int COMMENT 'one', b array<struct<C:decimal(5)>>) PARTITIONED BY (dt string)
        ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t' NULL DEFINED AS '\\N' STORED AS orc LOCATION 's3://b/t/'";
    let Statement::CreateTable(table) = statement(text) else { panic!("no table") };
    assert!(table.external && !table.if_not_exists && table.clustered_by.is_none() && table.properties.is_empty());
    assert_eq!(table.name, Name { parts: vec![Ident::new("d"), Ident::new("t")] });
    assert_eq!(table.columns[0].comment.as_deref(), Some("one"));
    assert_eq!(table.columns[1].ty.to_string(), "array<struct<C:decimal(5,0)>>");
    assert_eq!(table.columns[1].ty.catalog_text(), "array<struct<c:decimal(5,0)>>");
    assert!(matches!(&table.partitioned_by[..], [PartitionField::Column(column)] if column.name == Ident::new("dt")));
    let delimiters = Delimiters { fields: Some("\t".into()), null: Some("\\N".into()), ..Delimiters::default() };
    assert_eq!(table.row_format, Some(RowFormat::Delimited(delimiters)));
    assert_eq!(table.stored_as, Some(StoredAs::Format(Ident::new("ORC"))));
    assert_eq!(table.location.as_deref(), Some("s3://b/t/"));
}

#[test]
fn partitions_keep_their_values_as_text() {
    let text =
        "ALTER TABLE t ADD PARTITION (a = 1, b = 'x') LOCATION 's3://b/' PARTITION (a = -2, b = date '2020-01-01')";
    let Statement::AlterTable { action: AlterAction::AddPartitions { partitions, .. }, .. } = statement(text) else {
        panic!("no partitions");
    };
    let values: Vec<Vec<&str>> = partitions
        .iter()
        .map(|partition| partition.values.iter().map(|value| value.value.as_str()).collect())
        .collect();
    assert_eq!(values, [["1", "x"], ["-2", "2020-01-01"]]);
    assert_eq!(partitions[0].location.as_deref(), Some("s3://b/"));
}

#[test]
fn show_columns_joins_its_names() {
    let Statement::Show(Show::Columns(name)) = statement("SHOW COLUMNS FROM t IN d") else { panic!("no columns") };
    assert_eq!(name, Name { parts: vec![Ident::new("d"), Ident::new("t")] });
}

#[test]
fn unions_bind_looser_than_intersections() {
    let Statement::Query(query) = statement("SELECT 1 UNION SELECT 2 INTERSECT SELECT 3 UNION ALL SELECT 4") else {
        panic!("no query");
    };
    let QueryBodyKind::SetOperation { op: SetOp::Union, all: true, left, .. } = query.body.kind else {
        panic!("no union")
    };
    let QueryBodyKind::SetOperation { op: SetOp::Union, all: false, right, .. } = left.kind else { panic!("no union") };
    assert!(matches!(right.kind, QueryBodyKind::SetOperation { op: SetOp::Intersect, .. }));
}

#[test]
fn hive_types_are_read_alone() {
    let ty = parse_hive_type("MAP<String, array<varchar(3)>>").map(|ty| ty.to_string());
    assert_eq!(ty.as_deref(), Ok("map<string,array<varchar(3)>>"));
    for text in ["", "array<int", "map<int>", "struct<>", "int int", "varchar", "decimal(39,1)"] {
        assert!(parse_hive_type(text).is_err(), "{text}");
    }
}

/// A thread has 2 MB of stack here, and tokio's threads have as much.
#[test]
fn deep_statements_are_refused_without_overflow() {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
    let texts = [
        deep("(", ")"),
        deep("(SELECT * FROM ", ")"),
        deep("SELECT * FROM (", ")"),
        format!("SELECT * FROM {}", deep("a JOIN ", " ON TRUE")),
        format!("SELECT * FROM {}", deep("a CROSS JOIN ", "")),
        deep("WITH a AS (", ")"),
        deep("SELECT 1 UNION ", ""),
        deep("(SELECT CASE WHEN EXISTS (SELECT f(x -> ARRAY[(1, ", ")])) END)"),
        format!("SELECT CAST(1 AS {}", deep("array(", ")")),
        deep("EXPLAIN ", ""),
        deep("PREPARE a FROM ", ""),
        format!("CREATE TABLE t (a {})", deep("array<", ">")),
    ];
    for text in texts {
        let message = failure(&text);
        assert!(message.ends_with("statement is too deeply nested"), "{}: {message}", &text[..40]);
    }
}
