//! Executions: states, results, idempotence, stops, restarts.

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_query_leaves_its_result_in_s3() {
    let world = world().await;
    let id = world.start("SELECT * FROM (VALUES (1, 'a'), (2, NULL)) AS t (n, s) ORDER BY n").await;
    let execution = world.ended(&id).await;
    assert_eq!(execution["Status"]["State"], "SUCCEEDED", "{}", execution["Status"]);
    assert_eq!((&execution["StatementType"], &execution["SubstatementType"]), (&json!("DML"), &json!("SELECT")));
    let location = execution["ResultConfiguration"]["OutputLocation"].as_str().unwrap();
    assert_eq!(location, format!("s3://results/out/{id}.csv"));
    assert_eq!(world.object(location).await, "\"n\",\"s\"\n\"1\",\"a\"\n\"2\",\n");
    let results = world.ok("GetQueryResults", json!({"QueryExecutionId": id})).await;
    let columns = &results["ResultSet"]["ResultSetMetadata"]["ColumnInfo"];
    assert_eq!((&columns[0]["Type"], &columns[0]["Precision"]), (&json!("integer"), &json!(10)));
    assert_eq!(rows(&results)[2], [Some("2".to_owned()), None]);
    let statistics = &execution["Statistics"];
    assert!(statistics["TotalExecutionTimeInMillis"].is_u64() && statistics["EngineExecutionTimeInMillis"].is_u64());
    let runtime = world.ok("GetQueryRuntimeStatistics", json!({"QueryExecutionId": id})).await;
    assert_eq!(runtime["QueryRuntimeStatistics"]["Rows"]["OutputRows"], 2);
}

#[tokio::test]
async fn results_come_in_pages() {
    let world = world().await;
    let id = world.start("SELECT x FROM UNNEST(sequence(1, 25)) AS t (x)").await;
    assert_eq!(world.ended(&id).await["Status"]["State"], "SUCCEEDED");
    let mut seen = Vec::new();
    let mut request = json!({"QueryExecutionId": id, "MaxResults": 10});
    loop {
        let page = world.ok("GetQueryResults", request.clone()).await;
        seen.extend(rows(&page).into_iter().map(|mut row| row.remove(0).unwrap()));
        match page.get("NextToken") {
            Some(token) => request["NextToken"] = token.clone(),
            None => break,
        }
    }
    let expected: Vec<String> = std::iter::once("x".to_owned()).chain((1..=25).map(|n| n.to_string())).collect();
    assert_eq!(seen, expected);
    let many = world.refused("GetQueryResults", json!({"QueryExecutionId": id, "MaxResults": 1001})).await;
    assert_eq!(many.code, "InvalidRequestException");
}

#[tokio::test]
async fn a_token_starts_one_execution() {
    let world = world().await;
    let request = |sql: &str| {
        json!({"QueryString": sql, "ClientRequestToken": "0123456789abcdef0123456789abcdef",
            "ResultConfiguration": {"OutputLocation": "s3://results/"}})
    };
    let first = world.ok("StartQueryExecution", request("SELECT 1")).await;
    assert_eq!(world.ok("StartQueryExecution", request("SELECT 1")).await, first);
    let other = world.refused("StartQueryExecution", request("SELECT 2")).await;
    assert_eq!(other.message, "Idempotent parameters do not match");
}

#[tokio::test]
async fn mistakes_are_named_before_or_while_running() {
    let world = world().await;
    let nowhere = world.refused("StartQueryExecution", json!({"QueryString": "SELECT 1"})).await;
    assert!(nowhere.message.starts_with("No output location provided."));
    let broken = json!({"QueryString": "SELEC 1", "ResultConfiguration": {"OutputLocation": "s3://results/"}});
    let broken = world.refused("StartQueryExecution", broken).await;
    assert!(broken.message.starts_with("line 1:1: mismatched input 'SELEC'"), "{}", broken.message);
    assert!(broken.details.contains(&("AthenaErrorCode", json!("MALFORMED_QUERY"))));
    assert!(
        world.fails("SELECT nope").await.starts_with("COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved")
    );
    let id = world.start("SELECT 1 / (x - 1) FROM (VALUES 1) AS t (x)").await;
    let execution = world.ended(&id).await;
    assert_eq!(execution["Status"]["StateChangeReason"], "DIVISION_BY_ZERO: Division by zero");
    assert_eq!(execution["Status"]["AthenaError"]["ErrorCategory"], 2);
    let unread = world.refused("GetQueryResults", json!({"QueryExecutionId": id})).await;
    assert_eq!(unread.message, "Query did not finish successfully. Final query state: FAILED");
    let unknown = world.refused("GetQueryExecution", json!({"QueryExecutionId": "x"})).await;
    assert_eq!(unknown.message, "QueryExecution x was not found");
    let input = json!({"QueryString": "SELECT 1", "ResultConfiguration": {"OutputLocation": "s3://missing/"}});
    let id = world.ok("StartQueryExecution", input).await["QueryExecutionId"].as_str().unwrap().to_owned();
    let reason = world.ended(&id).await["Status"]["StateChangeReason"].clone();
    assert!(reason.as_str().unwrap().contains("bucket does not exist"), "{reason}");
}

#[tokio::test]
async fn parameters_take_their_places() {
    let world = world().await;
    let mut input = json!({"QueryString": "SELECT ? + 1 AS n", "ExecutionParameters": ["41"],
        "ResultConfiguration": {"OutputLocation": "s3://results/"}});
    let id = world.ok("StartQueryExecution", input.clone()).await["QueryExecutionId"].as_str().unwrap().to_owned();
    world.ended(&id).await;
    let results = world.ok("GetQueryResults", json!({"QueryExecutionId": id})).await;
    assert_eq!(rows(&results)[1], [Some("42".to_owned())]);
    input["ExecutionParameters"] = json!(["1", "2"]);
    let few = world.refused("StartQueryExecution", input).await;
    assert!(few.message.contains("expected 1 but found 2"));
    world.run("PREPARE plus FROM SELECT ? + ? AS n").await;
    assert_eq!(world.run("EXECUTE plus USING 1, 2").await[1], [Some("3".to_owned())]);
    world.run("DEALLOCATE PREPARE plus").await;
    let mut input = input_of("EXECUTE plus USING 1, 2");
    input["WorkGroup"] = json!("primary");
    assert!(world.refused("StartQueryExecution", input).await.message.contains("plus was not found"));
}

fn input_of(sql: &str) -> Value {
    json!({"QueryString": sql, "ResultConfiguration": {"OutputLocation": "s3://results/"}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_really_stops() {
    let world = world().await;
    let slow =
        "SELECT sum(sqrt(x * y)) FROM UNNEST(sequence(1, 9999)) a (x) CROSS JOIN UNNEST(sequence(1, 9999)) b (y)";
    let id = world.start(slow).await;
    while world.execution(&id).await["Status"]["State"] == "QUEUED" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.ok("StopQueryExecution", json!({"QueryExecutionId": id})).await;
    let status = world.execution(&id).await["Status"].clone();
    assert_eq!(
        (&status["State"], &status["StateChangeReason"]),
        (&json!("CANCELLED"), &json!("Query cancelled by user"))
    );
    assert!(status["CompletionDateTime"].is_f64());
    // One that has ended stays as it is.
    world.ok("StopQueryExecution", json!({"QueryExecutionId": id})).await;
    assert!(world.refused("StopQueryExecution", json!({"QueryExecutionId": "x"})).await.message.contains("not found"));
}

#[tokio::test]
async fn a_restart_fails_what_was_running_and_keeps_the_rest() {
    let world = world().await;
    world.run("SELECT 1").await;
    let metadata = Metadata::open(&world.dir.path().join("metadata.db")).unwrap();
    let id = world.start("SELECT 7 AS n").await;
    world.ended(&id).await;
    // The row as a killed process leaves it.
    let lost = id.clone();
    metadata
        .transaction_blocking(move |tx| {
            let key = boathouse_metadata::Key::new([&lost]);
            let mut row: crate::executions::Row = tx.get_json(crate::store::EXECUTIONS, &key)?.unwrap();
            row.execution.status.state = crate::executions::row::State::Running;
            row.execution.query_execution_id = "killed".into();
            row.execution.result_configuration.output_location = Some("s3://lake/out/killed.csv".into());
            crate::executions::put(tx, &row)
        })
        .unwrap();
    let again = World { ctx: serve(world.dir.path(), &world.buckets).await, ..world };
    let killed = again.execution("killed").await;
    assert_eq!(killed["Status"]["State"], "FAILED");
    assert_eq!(killed["Status"]["AthenaError"]["Retryable"], true);
    let results = again.ok("GetQueryResults", json!({"QueryExecutionId": id})).await;
    assert_eq!(rows(&results)[1], [Some("7".to_owned())]);
}

/// Everything in a bucket below a prefix.
async fn listed(world: &World, bucket: &str, prefix: &str) -> Vec<String> {
    let found = world.buckets.0[bucket].list_with_delimiter(Some(&Path::parse(prefix).unwrap())).await.unwrap();
    found.objects.into_iter().map(|object| object.location.to_string()).collect()
}

#[tokio::test]
async fn a_restart_takes_back_what_an_insert_had_written() {
    let world = world().await;
    world
        .run("CREATE EXTERNAL TABLE t (n int) PARTITIONED BY (d string) STORED AS PARQUET LOCATION 's3://lake/t/'")
        .await;
    world.run("INSERT INTO t VALUES (1, 'old')").await;
    let before = listed(&world, "lake", "t/d=old").await;
    // What a killed process leaves: a file in an old partition and one in a new partition, and that one in the catalog.
    let id = world.start("INSERT INTO t VALUES (2, 'new'), (3, 'old')").await;
    assert_eq!(world.ended(&id).await["Status"]["State"], "SUCCEEDED");
    assert_eq!((listed(&world, "lake", "t/d=old").await.len(), listed(&world, "lake", "t/d=new").await.len()), (2, 1));
    world.put("lake", "t/d=old/of-somebody-else", "x").await;
    unfinish(
        &world,
        &id,
        "s3://lake/t/",
        serde_json::json!({"Partitions": {"database": "lake", "table": "t",
        "partitions": [[["new"], "s3://lake/t/d=new"]]}}),
    );
    let world = World { ctx: serve(world.dir.path(), &world.buckets).await, ..world };
    assert_eq!(world.execution(&id).await["Status"]["State"], "FAILED");
    assert_eq!(listed(&world, "lake", "t/d=new").await, Vec::<String>::new());
    assert_eq!(listed(&world, "lake", "t/d=old").await, [before, vec!["t/d=old/of-somebody-else".to_owned()]].concat());
    assert_eq!(world.lines("SHOW PARTITIONS t").await, ["d=old"]);
    assert!(!listed(&world, "results", "out").await.iter().any(|key| key.contains(&id)));
}

#[tokio::test]
async fn a_restart_takes_back_a_table_that_was_not_told_of() {
    let world = world().await;
    let sql = "CREATE TABLE made WITH (external_location = 's3://lake/made/') AS SELECT 1 AS n";
    let id = world.start(sql).await;
    assert_eq!(world.ended(&id).await["Status"]["State"], "SUCCEEDED");
    unfinish(&world, &id, "s3://lake/made/", serde_json::json!({"Table": {"database": "lake", "table": "made"}}));
    let world = World { ctx: serve(world.dir.path(), &world.buckets).await, ..world };
    assert_eq!(listed(&world, "lake", "made").await, Vec::<String>::new());
    assert!(world.fails("SELECT * FROM made").await.starts_with("TABLE_NOT_FOUND"));
    world.run(sql).await;
}

/// Makes an execution that has ended one that a killed process leaves.
fn unfinish(world: &World, id: &str, folder: &str, registers: Value) {
    let metadata = Metadata::open(&world.dir.path().join("metadata.db")).unwrap();
    let (id, folder) = (id.to_owned(), folder.to_owned());
    metadata
        .transaction_blocking(move |tx| {
            let key = boathouse_metadata::Key::new([&id]);
            let mut row: crate::executions::Row = tx.get_json(crate::store::EXECUTIONS, &key)?.unwrap();
            row.execution.status.state = crate::executions::row::State::Running;
            let start =
                chrono::DateTime::from_timestamp_millis((row.execution.status.submission_date_time * 1000.0) as i64);
            let prefix = format!("{}_{}", start.unwrap().format("%Y%m%d_%H%M%S"), id.replace('-', ""));
            let writing = serde_json::json!({"folder": folder, "prefix": prefix, "registers": registers});
            tx.put_json(crate::store::WRITINGS, &key, &writing)?;
            crate::executions::put(tx, &row)
        })
        .unwrap();
}

#[tokio::test]
async fn a_statement_that_fails_leaves_what_others_have_written() {
    let world = world().await;
    let sql = "UNLOAD (SELECT 1 / (x - 5000) AS n FROM UNNEST(sequence(1, 6000)) AS t (x)) TO 's3://lake/out/' WITH (format = 'JSON')";
    assert!(world.fails(sql).await.contains("DIVISION_BY_ZERO"));
    assert_eq!(listed(&world, "lake", "out").await, Vec::<String>::new());
    let metadata = Metadata::open(&world.dir.path().join("metadata.db")).unwrap();
    let left = metadata.scan(crate::store::WRITINGS, &boathouse_metadata::Key::default(), None, 9).unwrap();
    assert!(left.is_empty());
}

#[tokio::test]
async fn plans_are_shown_and_queries_checked() {
    let world = world().await;
    let lines = world.lines("EXPLAIN SELECT 1 AS n").await;
    assert_eq!(lines[0], "Output[columnNames = [n]]");
    assert_eq!(world.lines("EXPLAIN (TYPE DISTRIBUTED) SELECT 1 AS n").await[0], "Fragment 0 [SINGLE]");
    assert_eq!(world.lines("EXPLAIN (TYPE VALIDATE) SELECT 1").await, ["true"]);
    assert!(world.fails("EXPLAIN (TYPE VALIDATE) SELECT nope").await.starts_with("COLUMN_NOT_FOUND"));
    assert!(world.fails("EXPLAIN (TYPE IO, FORMAT JSON) SELECT 1").await.contains("only in Athena engine version 2"));
    let json = world.lines("EXPLAIN ANALYZE (FORMAT JSON) SELECT 1 AS n").await.join("\n");
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["fragments"][0]["outputLayout"], "expr_1");
}

#[tokio::test]
async fn young_results_are_reused_on_demand() {
    let world = world().await;
    let mut input = input_of("SELECT 5 AS n");
    input["ResultReuseConfiguration"] =
        json!({"ResultReuseByAgeConfiguration": {"Enabled": true, "MaxAgeInMinutes": 60}});
    let mut seen = Vec::new();
    for _ in 0..2 {
        let id = world.ok("StartQueryExecution", input.clone()).await["QueryExecutionId"].as_str().unwrap().to_owned();
        let execution = world.ended(&id).await;
        seen.push(execution["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"].clone());
        assert_eq!(
            rows(&world.ok("GetQueryResults", json!({"QueryExecutionId": id})).await)[1][0].as_deref(),
            Some("5")
        );
    }
    assert_eq!(seen, [json!(false), json!(true)]);
}

#[tokio::test]
async fn executions_are_listed_newest_first_by_workgroup() {
    let world = world().await;
    let mut started = Vec::new();
    for n in 0..3 {
        started.push(world.start(&format!("SELECT {n}")).await);
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    started.reverse();
    let first = world.ok("ListQueryExecutions", json!({"MaxResults": 2})).await;
    let second = world.ok("ListQueryExecutions", json!({"NextToken": first["NextToken"]})).await;
    let ids = |page: &Value| page["QueryExecutionIds"].as_array().unwrap().clone();
    assert_eq!([ids(&first), ids(&second)].concat(), started);
    let batch = json!({"QueryExecutionIds": [started[0], "missing"]});
    let batch = world.ok("BatchGetQueryExecution", batch).await;
    assert_eq!(batch["QueryExecutions"][0]["QueryExecutionId"], started[0]);
    assert_eq!(batch["UnprocessedQueryExecutionIds"][0]["QueryExecutionId"], "missing");
    let elsewhere = world.refused("ListQueryExecutions", json!({"WorkGroup": "nowhere"})).await;
    assert_eq!(elsewhere.message, "WorkGroup nowhere is not found.");
}
