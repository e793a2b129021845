//! EXPLAIN in Trino's words.

use super::fixture::Fixture;
use super::queries::fixture;
use crate::catalog::Format;
use crate::explain::{Explain, ExplainFormat};

/// The operators of a drawn tree, each by its name.
fn names(text: &str) -> Vec<String> {
    let titles = text.lines().filter(|line| line.contains('[') && !line.contains(": ") && !line.contains(":="));
    let name = |line: &str| line.trim_start_matches([' ', '│', '├', '└', '─']).split('[').next().unwrap().to_owned();
    titles.map(name).collect()
}

async fn logical(fixture: &Fixture, sql: &str) -> String {
    fixture.explain(sql, Explain::Logical, ExplainFormat::Text).await
}

#[tokio::test]
async fn operators_bear_trinos_names() {
    let fixture = fixture().await;
    let plan = logical(&fixture, "SELECT a, count(*) AS n FROM t WHERE b > 1 GROUP BY a ORDER BY n DESC LIMIT 2").await;
    let found = names(&plan);
    for name in ["Output", "Aggregate", "Filter", "TableScan"] {
        assert!(found.iter().any(|found| found.starts_with(name)), "{name} in {plan}");
    }
    assert!(plan.starts_with("Output[columnNames = [a, n]]\n│   Layout: [a:varchar, "), "{plan}");
    for text in [
        "type = PARTIAL, keys = [a]",
        "type = FINAL, keys = [a]",
        "table = awsdatacatalog:db:t",
        "filterPredicate = (\"b\" > 1)",
        "LAYOUT: db.t",
        "b := b:bigint:REGULAR",
        "TopN",
        "orderBy = [",
        " DESC NULLS LAST]",
        "Estimates: {rows: 5 (",
    ] {
        assert!(plan.contains(text), "{text} in {plan}");
    }
    assert!(!plan.contains("Exec["), "{plan}");
    let join = logical(&fixture, "SELECT l.b FROM t l LEFT JOIN t r ON l.b = r.b").await;
    assert!(join.contains("Join[criteria = (\"b\" = \"b\")]") && join.contains("Distribution: "), "{join}");
    let values = logical(&fixture, "VALUES 1, 2").await;
    assert!(values.contains("Values[]") && values.contains("Layout: ["), "{values}");
}

#[tokio::test]
async fn partitions_are_named() {
    let fixture = Fixture::new();
    fixture.table("p", &[("n", "bigint")], &[("d", "varchar")], Format::Json(crate::catalog::JsonFormat::default()));
    for d in ["1994", "1995"] {
        fixture.partition("p", &[d], &format!("s3://lake/p/d={d}"));
        fixture.put(&format!("p/d={d}/f"), "{\"n\": 1}\n").await;
    }
    let plan = logical(&fixture, "SELECT n, d FROM p WHERE d = '1995'").await;
    assert!(plan.contains("d := d:varchar:PARTITION_KEY") && plan.contains(":: [[1995]]"), "{plan}");
}

#[tokio::test]
async fn fragments_end_where_rows_change_threads() {
    let fixture = fixture().await;
    let sql = "SELECT a, sum(b) FROM t GROUP BY a";
    let text = fixture.explain(sql, Explain::Distributed, ExplainFormat::Text).await;
    assert!(text.starts_with("Fragment 0 [HASH]\n    Output layout: [a, "), "{text}");
    assert!(text.contains("RemoteSource[sourceFragmentIds = [1]]") && text.contains("[SOURCE]"), "{text}");
    let json = fixture.explain(sql, Explain::Distributed, ExplainFormat::Json).await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["0"]["name"], &json["0"]["descriptor"]["columnNames"]), (&"Output".into(), &"[a, _col1]".into()));
    assert!(json["1"]["name"].is_string());
    let graph = fixture.explain(sql, Explain::Distributed, ExplainFormat::Graphviz).await;
    assert!(graph.starts_with("digraph distributed_plan {\nsubgraph cluster_0 {") && graph.contains("plannode_1 -> "));
    let tree: serde_json::Value =
        serde_json::from_str(&fixture.explain(sql, Explain::Logical, ExplainFormat::Json).await).unwrap();
    assert_eq!((&tree["name"], &tree["outputs"][0]["symbol"]), (&"Output".into(), &"a".into()));
}

#[tokio::test]
async fn a_query_that_ran_tells_what_it_did() {
    let fixture = fixture().await;
    let sql = "SELECT a FROM t WHERE b > 2";
    let text = fixture.explain(sql, Explain::Analyze, ExplainFormat::Text).await;
    assert!(text.starts_with("Analysis: ") && text.contains(", Execution: "), "{text}");
    for part in ["CPU: ", "Output: 2 rows (", "Input: 5 rows", "Physical Input: "] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let json = fixture.explain(sql, Explain::Analyze, ExplainFormat::Json).await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["fragments"][0]["stageStats"]["outputRows"], "2 rows", "{json}");
    let verbose = fixture.explain(sql, Explain::AnalyzeVerbose, ExplainFormat::Text).await;
    assert!(verbose.contains("metrics:") && verbose.contains("'output_rows' = "), "{verbose}");
}
