//! The steps: raw files, catalogue, accepted (clean, typed, partitioned), master (joined, aggregated), results.

use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::DemoError;
use super::client::Client;
use super::screen::{self, Steps};

/// The real files, as they would land: flights from New York in January 2013, and what belongs to them.
const FILES: [(&str, &[u8]); 5] = [
    ("flights", include_bytes!("../../../../examples/nyc-flights/data/flights.csv.gz")),
    ("weather", include_bytes!("../../../../examples/nyc-flights/data/weather.csv.gz")),
    ("airports", include_bytes!("../../../../examples/nyc-flights/data/airports.csv.gz")),
    ("planes", include_bytes!("../../../../examples/nyc-flights/data/planes.csv.gz")),
    ("airlines", include_bytes!("../../../../examples/nyc-flights/data/airlines.csv.gz")),
];
const BUCKETS: [&str; 4] = ["demo-raw", "demo-accepted", "demo-master", "demo-results"];
const DATABASES: [&str; 3] = ["raw", "accepted", "master"];

/// Clean: `NA` becomes NULL, text becomes numbers and times, duplicates go; one folder a day.
const ACCEPTED: [&str; 3] = [
    "CREATE TABLE accepted.flights
     WITH (format = 'PARQUET', write_compression = 'SNAPPY', external_location = 's3://demo-accepted/flights/',
           partitioned_by = ARRAY['day'])
     AS SELECT DISTINCT carrier, CAST(flight AS integer) AS flight, nullif(tailnum, 'NA') AS tailnum, origin, dest,
            try_cast(dep_delay AS integer) AS dep_delay, try_cast(arr_delay AS integer) AS arr_delay,
            try_cast(air_time AS integer) AS air_time, CAST(distance AS integer) AS distance,
            CAST(from_iso8601_timestamp(time_hour) AS timestamp(3)) AS hour, CAST(day AS integer) AS day
     FROM raw.flights",
    "CREATE TABLE accepted.weather
     WITH (format = 'PARQUET', write_compression = 'SNAPPY', external_location = 's3://demo-accepted/weather/')
     AS SELECT origin, CAST(from_iso8601_timestamp(time_hour) AS timestamp(3)) AS hour,
            max(try_cast(wind_speed AS double)) AS wind, max(try_cast(precip AS double)) AS rain,
            min(try_cast(visib AS double)) AS visibility
     FROM raw.weather GROUP BY 1, 2",
    "CREATE TABLE accepted.airlines
     WITH (format = 'PARQUET', write_compression = 'SNAPPY', external_location = 's3://demo-accepted/airlines/')
     AS SELECT carrier, name FROM raw.airlines",
];

/// Joined and aggregated: what people ask for.
const MASTER: [&str; 3] = [
    "CREATE TABLE master.delays_by_airline
     WITH (format = 'PARQUET', external_location = 's3://demo-master/delays_by_airline/')
     AS SELECT a.name AS airline, count(*) AS flights, count_if(f.dep_delay IS NULL) AS cancelled,
            round(avg(CAST(f.dep_delay AS double)), 1) AS avg_delay, max(f.dep_delay) AS worst_delay
     FROM accepted.flights f JOIN accepted.airlines a ON a.carrier = f.carrier
     GROUP BY a.name",
    "CREATE TABLE master.delays_by_weather
     WITH (format = 'PARQUET', external_location = 's3://demo-master/delays_by_weather/')
     AS SELECT CASE WHEN w.visibility < 3 THEN 'poor visibility' WHEN w.rain > 0 THEN 'rain'
                    WHEN w.wind > 20 THEN 'strong wind' ELSE 'fair' END AS weather,
            count(*) AS flights, round(avg(CAST(f.dep_delay AS double)), 1) AS avg_delay,
            round(100.0e0 * count_if(f.dep_delay IS NULL) / count(*), 2) AS cancelled_percent
     FROM accepted.flights f JOIN accepted.weather w ON w.origin = f.origin AND w.hour = f.hour
     GROUP BY 1",
    "CREATE TABLE master.delays_by_hour
     WITH (format = 'PARQUET', external_location = 's3://demo-master/delays_by_hour/')
     AS SELECT hour(at_timezone(with_timezone(hour, 'UTC'), 'America/New_York')) AS hour_of_day, count(*) AS flights,
            round(avg(CAST(dep_delay AS double)), 1) AS avg_delay
     FROM accepted.flights GROUP BY 1",
];

/// What is shown in the end.
const RESULTS: [(&str, &str); 4] = [
    (
        "From raw to accepted: rows, and departures that are known",
        "SELECT 'raw' AS zone, count(*) AS flights, count(try_cast(dep_delay AS integer)) AS departed FROM raw.flights
         UNION ALL SELECT 'accepted', count(*), count(dep_delay) FROM accepted.flights ORDER BY 1 DESC",
    ),
    (
        "Delays by airline (minutes)",
        "SELECT airline, flights, cancelled, avg_delay, worst_delay FROM master.delays_by_airline
         ORDER BY avg_delay DESC LIMIT 8",
    ),
    (
        "Delays by weather",
        "SELECT weather, flights, avg_delay, cancelled_percent FROM master.delays_by_weather ORDER BY 3 DESC",
    ),
    (
        "Delays by hour of departure, New York time",
        "SELECT hour_of_day, flights, avg_delay FROM master.delays_by_hour ORDER BY 1",
    ),
];

const TRUST: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
    "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}]}"#;
const READ_AND_CATALOGUE: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::demo-raw", "arn:aws:s3:::demo-raw/*"]},
    {"Effect": "Allow", "Action": "glue:*", "Resource": "*"}]}"#;

pub(super) async fn run(client: &Client) -> Result<(), DemoError> {
    let mut steps = Steps::new(5);
    steps.step("land", land(client)).await?;
    steps.step("catalogue", catalogue(client)).await?;
    steps.step("accept", statements(client, &ACCEPTED)).await?;
    steps.step("master", statements(client, &MASTER)).await?;
    let results = steps.step("ask", ask(client)).await?;
    steps.finish();
    for (title, (names, rows)) in results {
        screen::table(title, &names, &rows);
    }
    Ok(())
}

async fn land(client: &Client) -> Result<((), String), DemoError> {
    for bucket in BUCKETS {
        client.put(bucket, bytes::Bytes::new()).await?;
    }
    let mut total = 0;
    for (name, packed) in FILES {
        let mut text = Vec::new();
        GzDecoder::new(packed).read_to_end(&mut text)?;
        total += text.len();
        client.put(&format!("demo-raw/{name}/{name}.csv"), text.into()).await?;
    }
    Ok(((), format!("{} CSV files, {:.1} MB, in s3://demo-raw/", FILES.len(), total as f64 / 1e6)))
}

async fn catalogue(client: &Client) -> Result<((), String), DemoError> {
    client.iam(&[("Action", "CreateRole"), ("RoleName", "demo-crawler"), ("AssumeRolePolicyDocument", TRUST)]).await?;
    let policy = [
        ("Action", "PutRolePolicy"),
        ("RoleName", "demo-crawler"),
        ("PolicyName", "read-raw"),
        ("PolicyDocument", READ_AND_CATALOGUE),
    ];
    client.iam(&policy).await?;
    for database in DATABASES {
        client.json("glue", "CreateDatabase", json!({"DatabaseInput": {"Name": database}})).await?;
    }
    let classifier = json!({"CsvClassifier": {"Name": "with-header", "Delimiter": ",", "ContainsHeader": "PRESENT"}});
    client.json("glue", "CreateClassifier", classifier).await?;
    let crawler = json!({
        "Name": "raw", "Role": "demo-crawler", "DatabaseName": "raw", "Classifiers": ["with-header"],
        "Targets": {"S3Targets": [{"Path": "s3://demo-raw/"}]},
    });
    client.json("glue", "CreateCrawler", crawler).await?;
    client.json("glue", "StartCrawler", json!({"Name": "raw"})).await?;
    let ready = |answer: &Value| {
        let crawler = &answer["Crawler"];
        (crawler["State"] == "READY").then(|| crawler["LastCrawl"].clone())
    };
    let crawl = client.wait("glue", "GetCrawler", &json!({"Name": "raw"}), ready).await?;
    if crawl["Status"] != "SUCCEEDED" || !crawl["ErrorMessage"].is_null() {
        return Err(DemoError::Failed { what: "the crawl".into(), reason: crawl["ErrorMessage"].to_string() });
    }
    let tables = client.json("glue", "GetTables", json!({"DatabaseName": "raw"})).await?;
    let found = tables["TableList"].as_array().map_or(0, Vec::len);
    Ok(((), format!("a crawler found {found} tables")))
}

async fn statements(client: &Client, statements: &[&str]) -> Result<((), String), DemoError> {
    let mut rows = 0;
    for sql in statements {
        let id = execute(client, sql).await?;
        let answer = client.json("athena", "GetQueryResults", json!({"QueryExecutionId": id})).await?;
        rows += answer["UpdateCount"].as_u64().unwrap_or_default();
    }
    Ok(((), format!("{} tables of Parquet, {rows} rows", statements.len())))
}

type ResultTable = (Vec<String>, Vec<Vec<String>>);

async fn ask(client: &Client) -> Result<(Vec<(&'static str, ResultTable)>, String), DemoError> {
    let mut results = Vec::new();
    for (title, sql) in RESULTS {
        let id = execute(client, sql).await?;
        let answer = client.json("athena", "GetQueryResults", json!({"QueryExecutionId": id})).await?;
        let rows = answer["ResultSet"]["Rows"].as_array().into_iter().flatten();
        // The first row repeats the names.
        let mut rows = rows.map(|row| {
            let values = row["Data"].as_array().into_iter().flatten();
            values.map(|value| value["VarCharValue"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        });
        let names = rows.next().unwrap_or_default();
        results.push((title, (names, rows.collect())));
    }
    let did = format!("{} queries over the tables", results.len());
    Ok((results, did))
}

/// Runs a statement to its end and answers its id.
async fn execute(client: &Client, sql: &str) -> Result<String, DemoError> {
    let input = json!({
        "QueryString": sql,
        "ResultConfiguration": {"OutputLocation": "s3://demo-results/"},
    });
    let started = client.json("athena", "StartQueryExecution", input).await?;
    let id = started["QueryExecutionId"].as_str().unwrap_or_default().to_owned();
    let ended = |answer: &Value| {
        let status = &answer["QueryExecution"]["Status"];
        matches!(status["State"].as_str(), Some("SUCCEEDED" | "FAILED" | "CANCELLED")).then(|| status.clone())
    };
    let status = client.wait("athena", "GetQueryExecution", &json!({"QueryExecutionId": id}), ended).await?;
    if status["State"] == "SUCCEEDED" {
        return Ok(id);
    }
    let what = sql.lines().next().unwrap_or_default().to_owned();
    Err(DemoError::Failed { what, reason: status["StateChangeReason"].as_str().unwrap_or_default().to_owned() })
}
