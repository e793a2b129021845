//! Data catalogs and what they hold, as the Glue Data Catalog answers it.

use std::sync::Arc;

use boathouse_aws::{AwsError, Ctx};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::Athena;
use crate::error::AthenaError;
use crate::store::page_size;
use crate::workgroups::List;

/// The only catalog.
pub(crate) const CATALOG: &str = "AwsDataCatalog";

/// Refuses every other catalog, so that nobody is answered from one that he did not ask for.
pub(crate) fn check(name: &str) -> Result<(), AthenaError> {
    if name.eq_ignore_ascii_case(CATALOG) {
        return Ok(());
    }
    Err(AthenaError::invalid(format!("DataCatalog {name} was not found")))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Named {
    pub(crate) name: String,
}

fn described() -> Value {
    json!({"Name": CATALOG, "Description": "The Glue Data Catalog", "Type": "GLUE",
           "Parameters": {"catalog-id": boathouse_aws::ACCOUNT_ID}, "Status": "CREATE_COMPLETE"})
}

pub(crate) async fn get(_: Ctx, _: Arc<Athena>, request: Named) -> Result<Value, AthenaError> {
    check(&request.name)?;
    Ok(json!({"DataCatalog": described()}))
}

pub(crate) async fn list(_: Ctx, _: Arc<Athena>, request: List) -> Result<Value, AthenaError> {
    page_size(request.max_results, 50)?;
    let summary = json!({"CatalogName": CATALOG, "Type": "GLUE", "Status": "CREATE_COMPLETE"});
    Ok(json!({"DataCatalogsSummary": [summary]}))
}

/// GetDatabase, ListDatabases, GetTableMetadata, ListTableMetadata.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Browse {
    pub(crate) catalog_name: String,
    database_name: Option<String>,
    table_name: Option<String>,
    expression: Option<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

/// A member that AWS requires.
fn required(value: Option<String>, member: &str) -> Result<String, AthenaError> {
    value.ok_or_else(|| AthenaError::invalid(format!("{member} is required")))
}

/// The catalog's refusals are MetadataException here; what IAM refuses stays what it is.
fn from_glue(error: AwsError) -> AthenaError {
    match error.code.as_ref() {
        "AccessDeniedException" => AthenaError::Aws(error),
        "InvalidInputException" => AthenaError::Invalid(error.message),
        _ => AthenaError::Metadata(error.message),
    }
}

/// The members of a Glue entity that Athena shows under the same names.
fn pick(from: &Value, members: &[&str]) -> Map<String, Value> {
    let present = |member: &str| from.get(member).filter(|value| !value.is_null()).cloned();
    members.iter().filter_map(|member| Some(((*member).to_owned(), present(member)?))).collect()
}

fn database(glue: &Value) -> Value {
    Value::Object(pick(glue, &["Name", "Description", "Parameters"]))
}

fn table(glue: &Value) -> Value {
    let columns = |list: &Value| -> Value {
        let column = |column: &Value| Value::Object(pick(column, &["Name", "Type", "Comment"]));
        list.as_array().map(|list| list.iter().map(column).collect::<Vec<_>>()).unwrap_or_default().into()
    };
    let mut table = pick(glue, &["Name", "CreateTime", "LastAccessTime", "TableType", "Parameters"]);
    let storage = &glue["StorageDescriptor"];
    table.insert("Columns".into(), columns(&storage["Columns"]));
    table.insert("PartitionKeys".into(), columns(&glue["PartitionKeys"]));
    if let Some(parameters) = table.entry("Parameters").or_insert_with(|| json!({})).as_object_mut() {
        let serde = &storage["SerdeInfo"];
        let facts = [
            ("inputformat", &storage["InputFormat"]),
            ("location", &storage["Location"]),
            ("outputformat", &storage["OutputFormat"]),
            ("serde.serialization.lib", &serde["SerializationLibrary"]),
        ];
        for (name, value) in facts.into_iter().filter(|(_, value)| value.is_string()) {
            parameters.insert(name.into(), value.clone());
        }
        for (name, value) in serde["Parameters"].as_object().into_iter().flatten() {
            parameters.insert(format!("serde.param.{name}"), value.clone());
        }
    }
    Value::Object(table)
}

fn list_of(glue: &Value, from: &str, to: &str, entity: fn(&Value) -> Value) -> Value {
    let entities: Vec<Value> = glue[from].as_array().into_iter().flatten().map(entity).collect();
    let mut output = pick(glue, &["NextToken"]);
    output.insert(to.into(), entities.into());
    Value::Object(output)
}

pub(crate) async fn get_database(ctx: Ctx, _: Arc<Athena>, request: Browse) -> Result<Value, AthenaError> {
    check(&request.catalog_name)?;
    let name = required(request.database_name, "DatabaseName")?;
    let glue = ctx.call("glue", "GetDatabase", json!({"Name": name})).await.map_err(from_glue)?;
    Ok(json!({"Database": database(&glue["Database"])}))
}

pub(crate) async fn list_databases(ctx: Ctx, _: Arc<Athena>, request: Browse) -> Result<Value, AthenaError> {
    check(&request.catalog_name)?;
    let size = page_size(request.max_results, 50)?;
    let input = json!({"NextToken": request.next_token, "MaxResults": size});
    let glue = ctx.call("glue", "GetDatabases", input).await.map_err(from_glue)?;
    Ok(list_of(&glue, "DatabaseList", "DatabaseList", database))
}

pub(crate) async fn get_table(ctx: Ctx, _: Arc<Athena>, request: Browse) -> Result<Value, AthenaError> {
    check(&request.catalog_name)?;
    let database = required(request.database_name, "DatabaseName")?;
    let name = required(request.table_name, "TableName")?;
    let input = json!({"DatabaseName": database, "Name": name});
    let glue = ctx.call("glue", "GetTable", input).await.map_err(from_glue)?;
    Ok(json!({"TableMetadata": table(&glue["Table"])}))
}

pub(crate) async fn list_tables(ctx: Ctx, _: Arc<Athena>, request: Browse) -> Result<Value, AthenaError> {
    check(&request.catalog_name)?;
    let database = required(request.database_name, "DatabaseName")?;
    let size = page_size(request.max_results, 50)?;
    let input = json!({"DatabaseName": database, "Expression": request.expression,
                       "NextToken": request.next_token, "MaxResults": size});
    let glue = ctx.call("glue", "GetTables", input).await.map_err(from_glue)?;
    Ok(list_of(&glue, "TableList", "TableMetadataList", table))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glue_table_shows_its_storage_as_parameters() {
        let glue = json!({"Name": "t", "TableType": "EXTERNAL_TABLE", "Parameters": {"a": "b"},
            "PartitionKeys": [{"Name": "d", "Type": "date"}],
            "StorageDescriptor": {"Location": "s3://b/t/", "Columns": [{"Name": "x", "Type": "int", "Parameters": {}}],
                "SerdeInfo": {"SerializationLibrary": "L", "Parameters": {"field.delim": ","}}}});
        let shown = table(&glue);
        assert_eq!(shown["Columns"], json!([{"Name": "x", "Type": "int"}]));
        assert_eq!(shown["PartitionKeys"][0]["Name"], "d");
        let parameters = json!({"a": "b", "location": "s3://b/t/", "serde.serialization.lib": "L",
            "serde.param.field.delim": ","});
        assert_eq!(shown["Parameters"], parameters);
    }

    #[test]
    fn other_catalogs_are_refused() {
        assert!(check("awsdatacatalog").is_ok());
        assert!(check("mysql").is_err());
    }
}
