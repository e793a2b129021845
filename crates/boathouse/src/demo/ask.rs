//! The work group's saved queries, run as an analyst would.

use serde_json::{Value, json};

use super::DemoError;
use super::client::Client;
use super::deploy::Stack;

/// A query's answer.
pub(super) struct Answer {
    pub(super) title: String,
    pub(super) names: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// Runs every saved query of the stack's work group.
pub(super) async fn saved_queries(client: &Client, stack: &Stack) -> Result<(Vec<Answer>, String), DemoError> {
    let group = stack.output("WorkGroup")?;
    let listed = client.json("athena", "ListNamedQueries", json!({"WorkGroup": group})).await?;
    let mut answers = Vec::new();
    for id in listed["NamedQueryIds"].as_array().into_iter().flatten() {
        let saved = client.json("athena", "GetNamedQuery", json!({"NamedQueryId": id})).await?;
        answers.push(ask(client, group, &saved["NamedQuery"]).await?);
    }
    answers.sort_by(|a, b| a.title.cmp(&b.title));
    let did = format!("{} saved queries of the work group {group}", answers.len());
    Ok((answers, did))
}

async fn ask(client: &Client, group: &str, saved: &Value) -> Result<Answer, DemoError> {
    let title = saved["Description"].as_str().unwrap_or_default().trim_end_matches('.').to_owned();
    let input = json!({
        "QueryString": saved["QueryString"],
        "QueryExecutionContext": {"Database": saved["Database"]},
        "WorkGroup": group,
    });
    let started = client.json("athena", "StartQueryExecution", input).await?;
    let id = json!({"QueryExecutionId": started["QueryExecutionId"]});
    let ended = |answer: &Value| {
        let status = &answer["QueryExecution"]["Status"];
        matches!(status["State"].as_str(), Some("SUCCEEDED" | "FAILED" | "CANCELLED")).then(|| status.clone())
    };
    let status = client.wait("athena", "GetQueryExecution", &id, ended).await?;
    if status["State"] != "SUCCEEDED" {
        let reason = status["StateChangeReason"].as_str().unwrap_or_default().to_owned();
        return Err(DemoError::Failed { what: format!("the query {}", saved["Name"]), reason });
    }
    let answer = client.json("athena", "GetQueryResults", id).await?;
    let rows = answer["ResultSet"]["Rows"].as_array().into_iter().flatten();
    // The first row repeats the names.
    let mut rows = rows.map(|row| {
        let values = row["Data"].as_array().into_iter().flatten();
        values.map(|value| value["VarCharValue"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    });
    let names = rows.next().unwrap_or_default();
    Ok(Answer { title, names, rows: rows.collect() })
}
