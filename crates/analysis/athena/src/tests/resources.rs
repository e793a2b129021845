//! Workgroups, named queries, prepared statements, tags, data catalogs.

use serde_json::json;

use super::*;

#[tokio::test]
async fn workgroups_have_settings_that_win() {
    let world = world().await;
    let configuration = json!({"ResultConfiguration": {"OutputLocation": "s3://results/team/"},
        "EnforceWorkGroupConfiguration": true, "BytesScannedCutoffPerQuery": 10_000_000});
    let create = json!({"Name": "team", "Configuration": configuration, "Tags": [{"Key": "k", "Value": "v"}]});
    world.ok("CreateWorkGroup", create.clone()).await;
    assert_eq!(world.refused("CreateWorkGroup", create).await.message, "WorkGroup is already created");
    let group = world.ok("GetWorkGroup", json!({"WorkGroup": "team"})).await["WorkGroup"].clone();
    assert_eq!(
        (&group["State"], &group["Configuration"]["EngineVersion"]["EffectiveEngineVersion"]),
        (&json!("ENABLED"), &json!("Athena engine version 3"))
    );
    let start = json!({"QueryString": "SELECT 1", "WorkGroup": "team",
        "ResultConfiguration": {"OutputLocation": "s3://results/own/"}});
    let id = world.ok("StartQueryExecution", start.clone()).await["QueryExecutionId"].as_str().unwrap().to_owned();
    let location = world.ended(&id).await["ResultConfiguration"]["OutputLocation"].clone();
    assert_eq!(location, format!("s3://results/team/{id}.csv"));
    let update = json!({"WorkGroup": "team", "State": "DISABLED",
        "ConfigurationUpdates": {"RemoveBytesScannedCutoffPerQuery": true}});
    world.ok("UpdateWorkGroup", update).await;
    assert_eq!(world.refused("StartQueryExecution", start).await.message, "WorkGroup team is disabled.");
    let names: Vec<_> = world.ok("ListWorkGroups", json!({})).await["WorkGroups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["Name"].clone())
        .collect();
    assert_eq!(names, ["primary", "team"]);
    assert_eq!(
        world.refused("DeleteWorkGroup", json!({"WorkGroup": "team"})).await.message,
        "WorkGroup team is not empty"
    );
    world.ok("DeleteWorkGroup", json!({"WorkGroup": "team", "RecursiveDeleteOption": true})).await;
    assert_eq!(
        world.refused("GetWorkGroup", json!({"WorkGroup": "team"})).await.message,
        "WorkGroup team is not found."
    );
    assert!(world.refused("DeleteWorkGroup", json!({"WorkGroup": "primary"})).await.message.contains("primary"));
}

#[tokio::test]
async fn settings_that_would_not_work_are_refused() {
    let world = world().await;
    for configuration in [
        json!({"ManagedQueryResultsConfiguration": {"Enabled": true}}),
        json!({"EngineVersion": {"SelectedEngineVersion": "Athena engine version 2"}}),
        json!({"ResultConfiguration": {"OutputLocation": "/tmp"}}),
        json!({"BytesScannedCutoffPerQuery": 5}),
    ] {
        let input = json!({"Name": "odd", "Configuration": configuration});
        assert_eq!(world.refused("CreateWorkGroup", input).await.code, "InvalidRequestException");
    }
}

#[tokio::test]
async fn named_queries_live_and_die() {
    let world = world().await;
    let create = json!({"Name": "n", "Database": "lake", "QueryString": "SELECT 1",
        "ClientRequestToken": "0123456789abcdef0123456789abcdef"});
    let id = world.ok("CreateNamedQuery", create.clone()).await["NamedQueryId"].clone();
    assert_eq!(world.ok("CreateNamedQuery", create).await["NamedQueryId"], id);
    world.ok("UpdateNamedQuery", json!({"NamedQueryId": id, "Name": "m", "QueryString": "SELECT 2"})).await;
    let query = world.ok("GetNamedQuery", json!({"NamedQueryId": id})).await["NamedQuery"].clone();
    assert_eq!(
        (&query["Name"], &query["QueryString"], &query["WorkGroup"]),
        (&json!("m"), &json!("SELECT 2"), &json!("primary"))
    );
    assert_eq!(world.ok("ListNamedQueries", json!({})).await["NamedQueryIds"], json!([id]));
    let batch = world.ok("BatchGetNamedQuery", json!({"NamedQueryIds": [id, "x"]})).await;
    assert_eq!(batch["UnprocessedNamedQueryIds"][0]["NamedQueryId"], "x");
    world.ok("DeleteNamedQuery", json!({"NamedQueryId": id})).await;
    assert_eq!(world.refused("GetNamedQuery", json!({"NamedQueryId": id})).await.code, "InvalidRequestException");
}

#[tokio::test]
async fn prepared_statements_belong_to_a_workgroup() {
    let world = world().await;
    let create = json!({"StatementName": "Plus", "WorkGroup": "primary", "QueryStatement": "SELECT ? + 1"});
    world.ok("CreatePreparedStatement", create.clone()).await;
    assert!(world.refused("CreatePreparedStatement", create).await.message.contains("already exists"));
    let get = json!({"StatementName": "plus", "WorkGroup": "primary"});
    let found = world.ok("GetPreparedStatement", get.clone()).await["PreparedStatement"].clone();
    assert_eq!((&found["WorkGroupName"], &found["QueryStatement"]), (&json!("primary"), &json!("SELECT ? + 1")));
    let list = world.ok("ListPreparedStatements", json!({"WorkGroup": "primary"})).await;
    assert_eq!(list["PreparedStatements"][0]["StatementName"], "Plus");
    world.ok("DeletePreparedStatement", get.clone()).await;
    let missing = world.refused("GetPreparedStatement", get).await;
    assert_eq!(missing.code, "ResourceNotFoundException");
}

#[tokio::test]
async fn workgroups_carry_tags() {
    let world = world().await;
    let arn = "arn:aws:athena:us-east-1:000000000000:workgroup/primary";
    world
        .ok(
            "TagResource",
            json!({"ResourceARN": arn, "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]}),
        )
        .await;
    world.ok("UntagResource", json!({"ResourceARN": arn, "TagKeys": ["a"]})).await;
    let tags = world.ok("ListTagsForResource", json!({"ResourceARN": arn})).await;
    assert_eq!(tags["Tags"], json!([{"Key": "b", "Value": "2"}]));
    let missing = arn.replace("primary", "none");
    assert_eq!(
        world.refused("ListTagsForResource", json!({"ResourceARN": missing})).await.code,
        "ResourceNotFoundException"
    );
}

#[tokio::test]
async fn the_data_catalog_is_glues() {
    let world = world().await;
    let list = world.ok("ListDataCatalogs", json!({})).await;
    assert_eq!(list["DataCatalogsSummary"][0]["CatalogName"], "AwsDataCatalog");
    let databases = world.ok("ListDatabases", json!({"CatalogName": "AwsDataCatalog"})).await;
    assert_eq!(databases["DatabaseList"][0]["Name"], "lake");
    let missing = json!({"CatalogName": "AwsDataCatalog", "DatabaseName": "none"});
    assert_eq!(world.refused("GetDatabase", missing).await.code, "MetadataException");
    assert_eq!(world.refused("GetDataCatalog", json!({"Name": "x"})).await.code, "InvalidRequestException");
}
