//! Statements on the catalog and on files.

use serde_json::json;

use super::*;

const FLIGHTS: &str = "CREATE EXTERNAL TABLE flights (carrier string COMMENT 'who', delay bigint) \
    PARTITIONED BY (month int) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://lake/flights/'";

async fn flights() -> World {
    let world = world().await;
    world.run(FLIGHTS).await;
    world.put("lake", "flights/month=1/a.csv", "AA,5\nBB,-3\n").await;
    world.put("lake", "flights/month=2/b.csv", "AA,7\n").await;
    world
}

#[tokio::test]
async fn repaired_partitions_can_be_read() {
    let world = flights().await;
    assert!(world.run("SELECT * FROM flights").await.len() == 1);
    let lines = world.lines("MSCK REPAIR TABLE flights").await;
    assert_eq!(lines[0], "Partitions not in metastore:\tflights:month=1\tflights:month=2");
    assert_eq!(lines[1], "Repair: Added partition to metastore flights:month=1");
    assert!(world.lines("MSCK REPAIR TABLE flights").await.is_empty());
    assert_eq!(world.lines("SHOW PARTITIONS flights").await, ["month=1", "month=2"]);
    let rows =
        world.run("SELECT carrier, sum(delay) AS total FROM flights WHERE month < 3 GROUP BY carrier ORDER BY 1").await;
    let texts: Vec<Vec<&str>> =
        rows[1..].iter().map(|row| row.iter().map(|v| v.as_deref().unwrap()).collect()).collect();
    assert_eq!(texts, [vec!["AA", "12"], vec!["BB", "-3"]]);
}

#[tokio::test]
async fn partitions_are_added_moved_and_dropped() {
    let world = flights().await;
    world.run("ALTER TABLE flights ADD PARTITION (month=1) PARTITION (month=9) LOCATION 's3://lake/other/'").await;
    assert!(world.fails("ALTER TABLE flights ADD PARTITION (month=1)").await.contains("Partition already exists"));
    world.run("ALTER TABLE flights ADD IF NOT EXISTS PARTITION (month=1)").await;
    world.run("ALTER TABLE flights PARTITION (month=9) RENAME TO PARTITION (month=8)").await;
    world.run("ALTER TABLE flights PARTITION (month=8) SET LOCATION 's3://lake/flights/month=2/'").await;
    let rows = world.run("SELECT delay FROM flights WHERE month = 8").await;
    assert_eq!(rows[1], [Some("7".to_owned())]);
    world.run("ALTER TABLE flights DROP PARTITION (month < 5)").await;
    assert_eq!(world.lines("SHOW PARTITIONS flights").await, ["month=8"]);
    assert!(world.fails("ALTER TABLE flights DROP PARTITION (month = 5)").await.contains("Partition not found"));
    world.run("ALTER TABLE flights DROP IF EXISTS PARTITION (month = 5)").await;
}

#[tokio::test]
async fn tables_are_shown_and_described() {
    let world = flights().await;
    assert_eq!(world.lines("SHOW TABLES").await, ["flights"]);
    assert_eq!(world.lines("SHOW TABLES IN lake 'x*'").await, Vec::<String>::new());
    assert_eq!(world.lines("SHOW DATABASES").await, ["lake"]);
    let columns: Vec<String> = world.lines("SHOW COLUMNS IN flights").await;
    assert_eq!(columns.iter().map(|name| name.trim_end()).collect::<Vec<_>>(), ["carrier", "delay", "month"]);
    let described = world.lines("DESCRIBE flights").await;
    assert_eq!(described[0], format!("{:<20}\t{:<20}\t{:<20}", "carrier", "string", "who"));
    assert!(described.contains(&"# Partition Information\t \t ".to_owned()));
    let statement = world.lines("SHOW CREATE TABLE flights").await.join("\n");
    world.run("DROP TABLE flights").await;
    world.run(&statement).await;
    assert_eq!(world.lines("SHOW TABLES").await, ["flights"]);
    assert!(world.fails("DESCRIBE nothing").await.contains("Table not found lake.nothing"));
    assert!(world.fails(FLIGHTS).await.contains("AlreadyExistsException"));
    assert!(world.fails("DROP TABLE nothing").await.contains("Table not found"));
    world.run("DROP TABLE IF EXISTS nothing").await;
}

#[tokio::test]
async fn the_contexts_database_may_be_quoted() {
    let world = flights().await;
    let input = json!({"QueryString": "DESCRIBE `flights`", "QueryExecutionContext": {"Database": "`Lake`"},
        "ResultConfiguration": {"OutputLocation": "s3://results/"}});
    let id = world.ok("StartQueryExecution", input).await["QueryExecutionId"].as_str().unwrap().to_owned();
    assert_eq!(world.ended(&id).await["Status"]["State"], "SUCCEEDED");
}

#[tokio::test]
async fn tables_change() {
    let world = flights().await;
    world.run("ALTER TABLE flights ADD COLUMNS (origin string)").await;
    world.run("ALTER TABLE flights CHANGE COLUMN delay lateness bigint").await;
    world.run("ALTER TABLE flights SET TBLPROPERTIES ('note'='x')").await;
    assert_eq!(world.lines("SHOW TBLPROPERTIES flights('note')").await, ["x"]);
    let input = json!({"CatalogName": "AwsDataCatalog", "DatabaseName": "lake", "TableName": "flights"});
    let table = world.ok("GetTableMetadata", input).await["TableMetadata"].clone();
    let names: Vec<_> = table["Columns"].as_array().unwrap().iter().map(|column| column["Name"].clone()).collect();
    assert_eq!(names, ["carrier", "lateness", "origin"]);
    world.run("ALTER TABLE flights REPLACE COLUMNS (carrier string)").await;
    assert!(world.fails("ALTER TABLE flights ADD COLUMNS (month int)").await.contains("Duplicate column name: month"));
}

#[tokio::test]
async fn databases_come_and_go() {
    let world = world().await;
    world.run("CREATE DATABASE other COMMENT 'x' LOCATION 's3://lake/other/' WITH DBPROPERTIES ('a'='b')").await;
    world.run("ALTER DATABASE other SET DBPROPERTIES ('c'='d')").await;
    let input = json!({"CatalogName": "AwsDataCatalog", "DatabaseName": "other"});
    let database = world.ok("GetDatabase", input).await["Database"].clone();
    assert_eq!((&database["Description"], &database["Parameters"]), (&json!("x"), &json!({"a": "b", "c": "d"})));
    assert!(world.fails("CREATE DATABASE other").await.contains("Database other already exists"));
    world.run("CREATE DATABASE IF NOT EXISTS other").await;
    world.run("CREATE EXTERNAL TABLE other.t (a int) LOCATION 's3://lake/other/t/'").await;
    assert!(world.fails("DROP DATABASE other").await.contains("Database other is not empty"));
    world.run("DROP DATABASE other CASCADE").await;
    assert!(world.fails("DROP DATABASE other").await.contains("Database does not exist: other"));
    world.run("DROP DATABASE IF EXISTS other").await;
}

#[tokio::test]
async fn views_are_kept_as_athena_keeps_them() {
    let world = flights().await;
    world.run("MSCK REPAIR TABLE flights").await;
    world.run("CREATE VIEW late AS SELECT carrier, delay * 2 AS twice FROM flights WHERE delay > 0").await;
    let rows = world.run("SELECT sum(twice) AS n FROM late").await;
    assert_eq!(rows[1], [Some("24".to_owned())]);
    assert!(world.fails("CREATE VIEW late AS SELECT 1 AS a").await.contains("View already exists"));
    world.run("CREATE OR REPLACE VIEW late AS SELECT 1 AS a").await;
    assert_eq!(world.run("SELECT * FROM late").await[1], [Some("1".to_owned())]);
    assert_eq!(world.lines("SHOW VIEWS").await, ["late"]);
    assert!(world.lines("SHOW CREATE VIEW late").await[0].starts_with("CREATE VIEW lake.late AS"));
    assert!(world.fails("CREATE VIEW flights AS SELECT 1 AS a").await.contains("Table already exists"));
    assert!(world.fails("DROP VIEW flights").await.contains("but a table with that name exists"));
    assert!(world.fails("CREATE VIEW bad AS SELECT 1").await.contains("MISSING_COLUMN_NAME"));
    world.run("DROP VIEW late").await;
    assert!(world.fails("SELECT * FROM late").await.contains("TABLE_NOT_FOUND"));
}

#[tokio::test]
async fn an_explained_query_shows_its_plan() {
    let world = world().await;
    let id = world.start("EXPLAIN SELECT 1 AS n").await;
    let execution = world.ended(&id).await;
    assert_eq!((&execution["Status"]["State"], &execution["StatementType"]), (&json!("SUCCEEDED"), &json!("UTILITY")));
    let results = world.ok("GetQueryResults", json!({"QueryExecutionId": id})).await;
    assert_eq!(results["ResultSet"]["ResultSetMetadata"]["ColumnInfo"][0]["Name"], "Query Plan");
    assert!(!rows(&results).is_empty());
}

#[tokio::test]
async fn what_would_be_written_is_explained_and_not_written() {
    let world = flights().await;
    let plan = world.lines("EXPLAIN CREATE TABLE copy AS SELECT * FROM flights").await.join("\n");
    assert!(plan.starts_with("Output[columnNames = [rows]]") && plan.contains("carrier:varchar"), "{plan}");
    assert!(plan.contains("TableWriter[target = awsdatacatalog:lake:copy]"), "{plan}");
    assert!(world.fails("SELECT * FROM copy").await.contains("TABLE_NOT_FOUND"));
    let plan = world.lines("EXPLAIN (TYPE DISTRIBUTED) INSERT INTO flights SELECT * FROM flights").await.join("\n");
    assert!(plan.contains("TableWriter[target = awsdatacatalog:lake:flights]"), "{plan}");
    assert_eq!(world.lines("EXPLAIN (TYPE VALIDATE) INSERT INTO flights SELECT * FROM flights").await, ["true"]);
    assert!(world.fails("EXPLAIN INSERT INTO nope SELECT 1").await.starts_with("TABLE_NOT_FOUND"));
    assert!(world.fails("EXPLAIN CREATE TABLE flights AS SELECT 1 AS a").await.starts_with("TABLE_ALREADY_EXISTS"));
    assert!(world.fails("EXPLAIN ANALYZE INSERT INTO flights SELECT * FROM flights").await.contains("EXPLAIN ANALYZE"));
}

#[tokio::test]
async fn what_is_not_implemented_is_named() {
    let world = flights().await;
    assert!(world.fails("DELETE FROM flights WHERE delay = 1").await.contains("NOT_SUPPORTED"));
    let reason = world.fails("CREATE TABLE t WITH (bucketed_by = ARRAY['a']) AS SELECT 1 AS a").await;
    assert!(reason.contains("bucketed_by"), "{reason}");
    let exists = world.fails("CREATE TABLE flights AS SELECT 1 AS a").await;
    assert!(exists.starts_with("TABLE_ALREADY_EXISTS"), "{exists}");
    let mismatched = world.fails("INSERT INTO flights VALUES (1, 'x', 2)").await;
    assert!(mismatched.starts_with("TYPE_MISMATCH"), "{mismatched}");
}

#[tokio::test]
async fn a_table_is_made_of_a_query() {
    let world = world().await;
    let create = "CREATE TABLE sums WITH (format = 'PARQUET', partitioned_by = ARRAY['k'], \
        external_location = 's3://lake/sums/') AS SELECT * FROM (VALUES (1, 'a'), (2, 'b'), (3, 'a')) AS t (n, k)";
    let id = world.start(create).await;
    let execution = world.ended(&id).await;
    assert_eq!(execution["Status"]["State"], "SUCCEEDED", "{}", execution["Status"]);
    assert_eq!(execution["ResultConfiguration"]["OutputLocation"], format!("s3://results/out/{id}"));
    let manifest = execution["Statistics"]["DataManifestLocation"].as_str().unwrap();
    assert_eq!(world.object(manifest).await.lines().count(), 2);
    let results = world.ok("GetQueryResults", json!({"QueryExecutionId": id})).await;
    assert_eq!((&results["UpdateCount"], &results["ResultSet"]["Rows"]), (&json!(3), &json!([])));
    assert_eq!(world.lines("SHOW PARTITIONS sums").await, ["k=a", "k=b"]);
    assert_eq!(world.run("SELECT n FROM sums WHERE k = 'b'").await[1], [Some("2".to_owned())]);
    assert!(world.fails(create).await.starts_with("TABLE_ALREADY_EXISTS"));
    world.run(&create.replace("TABLE sums", "TABLE IF NOT EXISTS sums")).await;
    world.run("DROP TABLE sums").await;
    assert!(world.fails(create).await.starts_with("HIVE_PATH_ALREADY_EXISTS"));
}

#[tokio::test]
async fn a_failed_create_leaves_nothing() {
    let world = world().await;
    let create = "CREATE TABLE t WITH (external_location = 's3://lake/t/') AS \
        SELECT 1 / (x - 3) AS n FROM UNNEST(sequence(1, 5)) AS t (x)";
    assert!(world.fails(create).await.starts_with("DIVISION_BY_ZERO"));
    assert!(world.lines("SHOW TABLES").await.is_empty());
    assert_eq!(futures::StreamExt::count(world.buckets.0["lake"].list(None)).await, 0);
    assert!(world.fails("CREATE TABLE t AS SELECT 1").await.starts_with("MISSING_COLUMN_NAME"));
    assert!(world.fails("CREATE TABLE none.t AS SELECT 1 AS a").await.starts_with("SCHEMA_NOT_FOUND"));
    world.run("CREATE TABLE t AS SELECT 1 AS a WITH NO DATA").await;
    assert_eq!(world.run("SELECT * FROM t").await.len(), 1);
}

#[tokio::test]
async fn rows_are_inserted_and_partitions_appear() {
    let world = flights().await;
    world.run("MSCK REPAIR TABLE flights").await;
    world.run("INSERT INTO flights VALUES ('CC', 9, 3), ('CC', 1, 1)").await;
    world.run("INSERT INTO flights (month, carrier) VALUES (3, 'DD')").await;
    assert_eq!(world.lines("SHOW PARTITIONS flights").await, ["month=1", "month=2", "month=3"]);
    let rows = world.run("SELECT carrier, delay FROM flights WHERE month = 3 ORDER BY carrier").await;
    assert_eq!(rows[1..], [[Some("CC".to_owned()), Some("9".to_owned())], [Some("DD".to_owned()), None]]);
    assert!(world.fails("INSERT INTO flights (nope) VALUES 1").await.starts_with("COLUMN_NOT_FOUND"));
    assert!(world.fails("INSERT INTO nothing VALUES 1").await.starts_with("TABLE_NOT_FOUND"));
    world.run("ALTER TABLE flights PARTITION (month=3) SET LOCATION 's3://lake/elsewhere/'").await;
    assert!(world.fails("INSERT INTO flights VALUES ('EE', 1, 3)").await.starts_with("NOT_SUPPORTED"));
}

#[tokio::test]
async fn rows_are_unloaded() {
    let world = world().await;
    let unload =
        "UNLOAD (SELECT 1 AS a, 'x' AS b) TO 's3://lake/unloaded/' WITH (format = 'JSON', compression = 'NONE')";
    let id = world.start(unload).await;
    let execution = world.ended(&id).await;
    assert_eq!(execution["Status"]["State"], "SUCCEEDED", "{}", execution["Status"]);
    let manifest = world.object(execution["Statistics"]["DataManifestLocation"].as_str().unwrap()).await;
    assert_eq!(world.object(manifest.trim()).await.trim(), r#"{"a":1,"b":"x"}"#);
    assert!(world.fails(unload).await.starts_with("HIVE_PATH_ALREADY_EXISTS"));
    let orc = unload.replace("JSON", "ORC").replace("unloaded", "orc");
    let id = world.start(&orc).await;
    assert_eq!(world.ended(&id).await["Status"]["State"], "SUCCEEDED");
    assert!(world.fails(&orc.replace("NONE", "GZIP").replace("/orc/", "/gzip/")).await.contains("ORC"));
}
