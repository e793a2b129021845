//! Operation-level tests through the dispatcher, over a real store.

use std::sync::Arc;

use boathouse_aws::access::{AccessRequest, Authorizer};
use boathouse_aws::{AwsError, Ctx, Dispatcher, Platform, Principal, SystemClock};
use boathouse_metadata::Metadata;
use serde_json::{Value, json};

struct Anyone;

impl Authorizer for Anyone {
    fn authorize(&self, _: &Ctx, _: &AccessRequest<'_>) -> Result<(), AwsError> {
        Ok(())
    }
}

fn catalog() -> (tempfile::TempDir, Ctx) {
    let dir = tempfile::tempdir().unwrap();
    let metadata = Metadata::open(&dir.path().join("metadata.db")).unwrap();
    let dispatcher = Dispatcher::default();
    dispatcher.install(vec![crate::service(metadata)], Arc::new(Anyone));
    let platform = Platform::new(dispatcher, Arc::new(SystemClock), "us-east-1");
    (dir, platform.context(Arc::new(Principal::root())))
}

async fn ok(ctx: &Ctx, operation: &str, input: Value) -> Value {
    ctx.call("glue", operation, input).await.unwrap()
}

async fn code(ctx: &Ctx, operation: &str, input: Value) -> String {
    ctx.call("glue", operation, input).await.unwrap_err().code.into_owned()
}

async fn with_table() -> (tempfile::TempDir, Ctx) {
    let (dir, ctx) = catalog();
    ok(&ctx, "CreateDatabase", json!({"DatabaseInput": {"Name": "Lake"}})).await;
    let table = json!({"Name": "Events", "PartitionKeys": [{"Name": "year", "Type": "int"}, {"Name": "day", "Type": "string"}],
        "StorageDescriptor": {"Columns": [{"Name": "id", "Type": "bigint"}], "Location": "s3://b/events/"}});
    ok(&ctx, "CreateTable", json!({"DatabaseName": "lake", "TableInput": table})).await;
    (dir, ctx)
}

#[tokio::test]
async fn names_are_lower_case_and_unique() {
    let (_dir, ctx) = with_table().await;
    let table = ok(&ctx, "GetTable", json!({"DatabaseName": "LAKE", "Name": "EVENTS"})).await;
    assert_eq!(table["Table"]["Name"], "events");
    assert_eq!(table["Table"]["VersionId"], "0");
    assert_eq!(table["Table"]["StorageDescriptor"]["Columns"][0]["Type"], "bigint");
    assert!(table["Table"]["CreateTime"].is_f64());
    let again = json!({"DatabaseInput": {"Name": "lake"}});
    assert_eq!(code(&ctx, "CreateDatabase", again).await, "AlreadyExistsException");
    let missing = ctx.call("glue", "GetTable", json!({"DatabaseName": "lake", "Name": "x"})).await.unwrap_err();
    assert_eq!((missing.code.as_ref(), missing.message.as_str()), ("EntityNotFoundException", "Table x not found."));
    assert_eq!(code(&ctx, "CreateDatabase", json!({"DatabaseInput": {"Name": ""}})).await, "InvalidInputException");
}

#[tokio::test]
async fn updates_make_versions_and_compare_and_set() {
    let (_dir, ctx) = with_table().await;
    let update = |version: &str, description: &str| json!({"DatabaseName": "lake", "VersionId": version, "TableInput": {"Name": "events", "Description": description}});
    ok(&ctx, "UpdateTable", update("0", "first")).await;
    assert_eq!(code(&ctx, "UpdateTable", update("0", "late")).await, "ConcurrentModificationException");
    ok(&ctx, "UpdateTable", update("1", "second")).await;
    let named = json!({"DatabaseName": "lake", "TableName": "events"});
    let versions = ok(&ctx, "GetTableVersions", named.clone()).await;
    let ids: Vec<_> = versions["TableVersions"].as_array().unwrap().iter().map(|v| v["VersionId"].clone()).collect();
    assert_eq!(ids, ["2", "1", "0"]);
    let mut seen = Vec::new();
    let mut token = Value::Null;
    loop {
        let mut request = named.clone();
        request["MaxResults"] = json!(1);
        request["NextToken"] = token;
        let page = ok(&ctx, "GetTableVersions", request).await;
        seen.push(page["TableVersions"][0]["VersionId"].clone());
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(seen, ["2", "1", "0"]);
    let errors = json!({"DatabaseName": "lake", "TableName": "events", "VersionIds": ["0", "2", "7"]});
    let errors = ok(&ctx, "BatchDeleteTableVersion", errors).await;
    assert_eq!(errors["Errors"].as_array().unwrap().len(), 2);
}

async fn add_partitions(ctx: &Ctx) {
    let inputs: Vec<_> = (0..50)
        .map(|n| json!({"Values": [(2000 + n / 10).to_string(), format!("d{}", n % 10)], "StorageDescriptor": {"Columns": [{"Name": "id", "Type": "bigint"}]}}))
        .collect();
    let request = json!({"DatabaseName": "lake", "TableName": "events", "PartitionInputList": inputs});
    assert_eq!(ok(ctx, "BatchCreatePartition", request).await, json!({"Errors": []}));
}

#[tokio::test]
async fn partitions_are_listed_filtered_and_paged() {
    let (_dir, ctx) = with_table().await;
    add_partitions(&ctx).await;
    let mut found = 0;
    let mut token = Value::Null;
    loop {
        let request = json!({"DatabaseName": "lake", "TableName": "events", "MaxResults": 4, "NextToken": token,
            "Expression": "year >= 2003 and day in ('d1', 'd2', 'd3')", "ExcludeColumnSchema": true});
        let page = ok(&ctx, "GetPartitions", request).await;
        for partition in page["Partitions"].as_array().unwrap() {
            assert!(partition["StorageDescriptor"]["Columns"].is_null());
            found += 1;
        }
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(found, 6);
    let mut all = 0;
    for number in 0..3 {
        let segment = json!({"DatabaseName": "lake", "TableName": "events", "Segment": {"SegmentNumber": number, "TotalSegments": 3}});
        all += ok(&ctx, "GetPartitions", segment).await["Partitions"].as_array().unwrap().len();
    }
    assert_eq!(all, 50);
    let wrong = json!({"DatabaseName": "lake", "TableName": "events", "Expression": "month = 1"});
    assert_eq!(code(&ctx, "GetPartitions", wrong).await, "InvalidInputException");
}

#[tokio::test]
async fn batches_report_their_failures() {
    let (_dir, ctx) = with_table().await;
    add_partitions(&ctx).await;
    let twice = json!({"DatabaseName": "lake", "TableName": "events",
        "PartitionInputList": [{"Values": ["2000", "d0"]}, {"Values": ["2000"]}, {"Values": ["1999", "d0"]}]});
    let errors = ok(&ctx, "BatchCreatePartition", twice).await;
    let codes: Vec<_> =
        errors["Errors"].as_array().unwrap().iter().map(|e| e["ErrorDetail"]["ErrorCode"].clone()).collect();
    assert_eq!(codes, ["AlreadyExistsException", "InvalidInputException"]);
    let moved = json!({"DatabaseName": "lake", "TableName": "events", "PartitionValueList": ["1999", "d0"],
        "PartitionInput": {"Values": ["1998", "d0"]}});
    ok(&ctx, "UpdatePartition", moved).await;
    let named = |year: &str| json!({"DatabaseName": "lake", "TableName": "events", "PartitionValues": [year, "d0"]});
    assert_eq!(code(&ctx, "GetPartition", named("1999")).await, "EntityNotFoundException");
    ok(&ctx, "DeletePartition", named("1998")).await;
    assert_eq!(code(&ctx, "DeletePartition", named("1998")).await, "EntityNotFoundException");
    let many: Vec<_> = (0..101).map(|n| json!({"Values": [n.to_string(), "x"]})).collect();
    let many = json!({"DatabaseName": "lake", "TableName": "events", "PartitionInputList": many});
    assert_eq!(code(&ctx, "BatchCreatePartition", many).await, "InvalidInputException");
}

#[tokio::test]
async fn deleting_a_database_deletes_what_is_in_it() {
    let (_dir, ctx) = with_table().await;
    add_partitions(&ctx).await;
    ok(&ctx, "DeleteDatabase", json!({"Name": "lake"})).await;
    assert_eq!(code(&ctx, "GetTables", json!({"DatabaseName": "lake"})).await, "EntityNotFoundException");
    let (_other, _) = with_table().await;
    ok(&ctx, "CreateDatabase", json!({"DatabaseInput": {"Name": "lake"}})).await;
    assert_eq!(ok(&ctx, "GetTables", json!({"DatabaseName": "lake"})).await["TableList"], json!([]));
}

#[tokio::test]
async fn tables_are_found_by_pattern_text_and_property() {
    let (_dir, ctx) = with_table().await;
    for name in ["events_raw", "users"] {
        let input = json!({"Name": name, "Parameters": {"classification": "csv"}});
        ok(&ctx, "CreateTable", json!({"DatabaseName": "lake", "TableInput": input})).await;
    }
    let page = ok(&ctx, "GetTables", json!({"DatabaseName": "lake", "Expression": "events.*", "MaxResults": 1})).await;
    assert_eq!(page["TableList"][0]["Name"], "events");
    let next =
        json!({"DatabaseName": "lake", "Expression": "events.*", "MaxResults": 1, "NextToken": page["NextToken"]});
    let next = ok(&ctx, "GetTables", next).await;
    assert_eq!((&next["TableList"][0]["Name"], &next["NextToken"]), (&json!("events_raw"), &Value::Null));
    let search = json!({"SearchText": "e", "Filters": [{"Key": "classification", "Value": "csv"}],
        "SortCriteria": [{"FieldName": "Name", "Sort": "DESC"}]});
    let found = ok(&ctx, "SearchTables", search).await;
    assert_eq!(found["TableList"][0]["Name"], "users");
    assert_eq!(found["TableList"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn tags_come_and_go() {
    let (_dir, ctx) = with_table().await;
    let arn = "arn:aws:glue:us-east-1:000000000000:database/lake";
    ok(&ctx, "TagResource", json!({"ResourceArn": arn, "TagsToAdd": {"a": "1", "b": "2"}})).await;
    ok(&ctx, "UntagResource", json!({"ResourceArn": arn, "TagsToRemove": ["a"]})).await;
    assert_eq!(ok(&ctx, "GetTags", json!({"ResourceArn": arn})).await, json!({"Tags": {"b": "2"}}));
    assert_eq!(code(&ctx, "GetTags", json!({"ResourceArn": "nothing"})).await, "InvalidInputException");
    let missing = "arn:aws:glue:us-east-1:000000000000:database/none";
    let request = json!({"ResourceArn": missing, "TagsToAdd": {"a": "1"}});
    assert_eq!(code(&ctx, "TagResource", request).await, "EntityNotFoundException");
}

#[tokio::test]
async fn options_that_are_not_here_are_refused_by_name() {
    let (_dir, ctx) = with_table().await;
    let request = json!({"DatabaseName": "lake", "AttributesToGet": ["NAME"]});
    let error = ctx.call("glue", "GetTables", request).await.unwrap_err();
    assert!(error.message.contains("AttributesToGet"), "{error}");
    let request = json!({"DatabaseName": "lake", "TableName": "events", "QueryAsOfTime": 1.5});
    let error = ctx.call("glue", "GetPartitions", request).await.unwrap_err();
    assert!(error.message.contains("QueryAsOfTime"), "{error}");
    assert_eq!(code(&ctx, "CreateUserDefinedFunction", json!({})).await, "UnknownOperationException");
}

#[tokio::test]
#[ignore = "a measurement: run with --release --ignored --nocapture"]
async fn a_hundred_thousand_partitions() {
    let (_dir, ctx) = with_table().await;
    let start = std::time::Instant::now();
    for year in 0..1000 {
        let inputs: Vec<_> = (0..100).map(|day| json!({"Values": [year.to_string(), format!("d{day}")],
            "StorageDescriptor": {"Columns": [{"Name": "id", "Type": "bigint"}], "Location": format!("s3://b/events/{year}/{day}/")}})).collect();
        let request = json!({"DatabaseName": "lake", "TableName": "events", "PartitionInputList": inputs});
        assert_eq!(ok(&ctx, "BatchCreatePartition", request).await, json!({"Errors": []}));
    }
    eprintln!("create: {:?}", start.elapsed());
    let start = std::time::Instant::now();
    let one = json!({"DatabaseName": "lake", "TableName": "events", "Expression": "year = 777 and day = 'd7'"});
    assert_eq!(ok(&ctx, "GetPartitions", one).await["Partitions"].as_array().unwrap().len(), 1);
    eprintln!("one by expression: {:?}", start.elapsed());
    let (start, mut found, mut token) = (std::time::Instant::now(), 0, Value::Null);
    loop {
        let page =
            ok(&ctx, "GetPartitions", json!({"DatabaseName": "lake", "TableName": "events", "NextToken": token})).await;
        found += page["Partitions"].as_array().unwrap().len();
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(found, 100_000);
    eprintln!("all: {:?}", start.elapsed());
}
