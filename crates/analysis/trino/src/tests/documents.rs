//! JSON documents in columns: read once, whatever is asked about them.

use super::fixture::Fixture;
use crate::catalog::{Format, TextFormat};
use crate::explain::{Explain, ExplainFormat};

const LINES: &str = r#"{"a": " x ", "n": 7, "at": "2013-01-01T05:00:00Z", "in": {"b": [1, 2]}}
{"a": "NA", "n": "soon", "at": "never", "a": "second"}
{"n": 3, "a": "cut o
{"a": "é\"", "n": null}

"#;

async fn fixture() -> Fixture {
    let fixture = Fixture::new();
    fixture.table("t", &[("line", "varchar")], &[], Format::Text(TextFormat::default()));
    fixture.put("t/lines", LINES).await;
    fixture
}

async fn plan(fixture: &Fixture, sql: &str) -> String {
    fixture.explain(sql, Explain::Distributed, ExplainFormat::Text).await
}

/// What a value is in every line, as a job that cleans records writes it.
fn field(name: &str) -> String {
    format!("nullif(nullif(trim(json_extract_scalar(line, '$.{name}')), 'NA'), '')")
}

#[tokio::test]
async fn a_line_is_read_once_for_all_columns_and_rules() {
    let fixture = fixture().await;
    let (a, n, at) = (field("a"), field("n"), field("at"));
    let at = format!("try(CAST(from_iso8601_timestamp({at}) AS timestamp(3)))");
    let sql = format!(
        "SELECT {a} AS a, try_cast({n} AS integer) AS n, {at} AS at, json_extract(line, '$.in.b') AS b, \
         CASE WHEN try(json_parse(line)) IS NULL THEN 'no JSON' WHEN {a} IS NULL THEN 'no a' \
         WHEN {n} IS NOT NULL AND try_cast({n} AS integer) IS NULL THEN 'no number' WHEN {at} IS NULL THEN 'no time' END \
         FROM t"
    );
    let expected = [
        "NULL|3|NULL|NULL|no JSON",
        "NULL|NULL|NULL|NULL|no JSON",
        "NULL|NULL|NULL|NULL|no a",
        "x|7|2013-01-01 05:00:00.000|[1,2]|NULL",
        "é\"|NULL|NULL|NULL|no time",
    ];
    assert_eq!(fixture.sorted(&sql).await, expected);
    let plan = plan(&fixture, &sql).await;
    assert_eq!(plan.matches("json_answers(").count(), 1, "{plan}");
    assert!(!plan.contains("json_extract") && !plan.contains("json_parse") && !plan.contains("try("), "{plan}");
}

#[tokio::test]
async fn filters_and_groups_read_once_too() {
    let fixture = fixture().await;
    let member = |name: &str| format!("json_extract_scalar(line, '$.{name}')");
    let filter = format!("SELECT {} FROM t WHERE {} = '7' AND {} LIKE '2013%'", member("a"), member("n"), member("at"));
    assert_eq!(fixture.rows(&filter).await.unwrap(), [" x "]);
    let plan_of_filter = plan(&fixture, &filter).await;
    assert_eq!(plan_of_filter.matches("json_answers(").count(), 1, "{plan_of_filter}");
    let groups =
        format!("SELECT {} IS NULL, max({}), count({}) FROM t GROUP BY 1", member("at"), member("n"), member("a"));
    assert_eq!(fixture.sorted(&groups).await, ["false|soon|2", "true|3|1"]);
    let plan_of_groups = plan(&fixture, &groups).await;
    assert_eq!(plan_of_groups.matches("json_answers(").count(), 1, "{plan_of_groups}");
    // One path alone is left to its function, and so is one that rows decide.
    let single = format!("SELECT {}, json_extract_scalar(line, '$.' || 'n') FROM t", member("a"));
    assert_eq!(plan(&fixture, &format!("SELECT {} FROM t", member("a"))).await.matches("json_answers(").count(), 0);
    assert_eq!(fixture.rows(&single).await.unwrap().len(), 5);
}

#[tokio::test]
async fn names_of_columns_stay() {
    let fixture = fixture().await;
    fixture.view(
        "v",
        &[("a", "varchar"), ("n", "varchar")],
        "SELECT json_extract_scalar(line, '$.a') AS a, json_extract_scalar(line, '$.n') AS n FROM t",
    );
    assert_eq!(
        fixture.sorted("SELECT x.n, y.a FROM v x JOIN v y ON x.n = y.n WHERE x.a IS NOT NULL").await,
        ["7| x ", "soon|NA"]
    );
    assert_eq!(fixture.rows("SELECT count(*) FROM v WHERE a = 'NA' OR n = '3'").await.unwrap(), ["2"]);
    assert_eq!(
        fixture.sorted("SELECT json_extract_scalar(d, '$.n'), json_extract_scalar(d, '$.a') FROM (SELECT try(json_parse(line)) AS d FROM t)").await,
        ["7| x ", "NULL|NULL", "NULL|NULL", "NULL|é\"", "soon|second"]
    );
}
