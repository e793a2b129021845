//! The Data Catalog as the caller: its operations, and how it keeps Iceberg tables.

use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use boathouse_aws::stores::ObjectStores;
use boathouse_aws::{AwsError, Ctx};
use boathouse_iceberg::files::Files;
use boathouse_iceberg::metadata::TableMetadata;
use boathouse_iceberg::schema::{NestedField, PrimitiveType, Type};
use boathouse_iceberg::transaction::Catalog;
use boathouse_iceberg::{Error, Result};
use object_store::ObjectStore;
use object_store::path::Path;
use serde_json::{Value, json};

use crate::Call;
use crate::error::RestError;
use crate::route::TableName;

/// The most that Glue gives at once.
const MOST: u64 = 100;

impl Call<'_> {
    pub(crate) async fn glue(&self, operation: &str, input: Value) -> Result<Value, RestError> {
        self.ctx.call("glue", operation, input).await.map_err(RestError::of_aws)
    }

    /// The page that the query asks for, or everything if it asks for no page; and the token of the next page.
    pub(crate) async fn pages(
        &self,
        operation: &str,
        mut input: Value,
        member: &str,
    ) -> Result<(Vec<Value>, Option<String>), RestError> {
        let asked = self.query.get("pageSize").map(|size| size.parse::<u64>());
        let asked = asked.transpose().map_err(|_| RestError::bad_request("pageSize must be a number"))?;
        input["MaxResults"] = json!(asked.unwrap_or(MOST).clamp(1, MOST));
        if let Some(token) = self.query.get("pageToken").filter(|token| !token.is_empty()) {
            input["NextToken"] = json!(token);
        }
        let mut all = Vec::new();
        loop {
            let mut page = self.glue(operation, input.clone()).await?;
            all.extend(page[member].as_array_mut().map(std::mem::take).unwrap_or_default());
            match page["NextToken"].as_str() {
                Some(token) if asked.is_none() => input["NextToken"] = json!(token),
                token => return Ok((all, token.map(str::to_owned))),
            }
        }
    }
}

/// What says that a table is Iceberg's, and where its state is.
const TABLE_TYPE: &str = "table_type";
const METADATA_LOCATION: &str = "metadata_location";
const PREVIOUS_METADATA_LOCATION: &str = "previous_metadata_location";

/// What Glue says about a table and does not want to hear.
const READ_ONLY: [&str; 8] = [
    "DatabaseName",
    "CreateTime",
    "UpdateTime",
    "CreatedBy",
    "IsRegisteredWithLakeFormation",
    "CatalogId",
    "VersionId",
    "IsMultiDialectView",
];

/// The file that holds an Iceberg table's state; none if it is no Iceberg table.
pub(crate) fn metadata_location(table: &Value) -> Option<&str> {
    let parameters = &table["Parameters"];
    let is_iceberg = parameters[TABLE_TYPE].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("iceberg"));
    parameters[METADATA_LOCATION].as_str().filter(|_| is_iceberg)
}

/// A table as CreateTable and UpdateTable take it, with this state; `table` is what Glue has so far, or `null`.
pub(crate) fn table_input(table: Value, name: &str, location: &str, metadata: &TableMetadata) -> Value {
    let mut input = match table {
        Value::Object(mut members) => {
            members.retain(|member, _| !READ_ONLY.contains(&member.as_str()));
            Value::Object(members)
        }
        _ => json!({"TableType": "EXTERNAL_TABLE"}),
    };
    let previous = metadata_location(&input).map(str::to_owned);
    input["Name"] = json!(name);
    if !input["Parameters"].is_object() {
        input["Parameters"] = json!({});
    }
    input["Parameters"][TABLE_TYPE] = json!("ICEBERG");
    input["Parameters"][METADATA_LOCATION] = json!(location);
    if let Some(previous) = previous {
        input["Parameters"][PREVIOUS_METADATA_LOCATION] = json!(previous);
    }
    if !input["StorageDescriptor"].is_object() {
        input["StorageDescriptor"] = json!({});
    }
    input["StorageDescriptor"]["Location"] = json!(metadata.location);
    input["StorageDescriptor"]["Columns"] = metadata.current_schema().fields.iter().map(column).collect();
    input
}

/// A column with the ids that Iceberg's own catalog over Glue writes.
fn column(field: &NestedField) -> Value {
    let parameters = json!({
        "iceberg.field.id": field.id.to_string(),
        "iceberg.field.optional": (!field.required).to_string(),
        "iceberg.field.current": "true",
    });
    let mut column = json!({"Name": field.name.to_lowercase(), "Type": hive_type(&field.ty), "Parameters": parameters});
    if let Some(comment) = &field.doc {
        column["Comment"] = json!(comment);
    }
    column
}

/// A type as Hive and the Data Catalog write it.
fn hive_type(ty: &Type) -> String {
    match ty {
        Type::Primitive(primitive) => match primitive {
            PrimitiveType::Boolean => "boolean".to_owned(),
            PrimitiveType::Int => "int".to_owned(),
            PrimitiveType::Long => "bigint".to_owned(),
            PrimitiveType::Float => "float".to_owned(),
            PrimitiveType::Double => "double".to_owned(),
            PrimitiveType::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
            PrimitiveType::Date => "date".to_owned(),
            PrimitiveType::Timestamp | PrimitiveType::Timestamptz => "timestamp".to_owned(),
            PrimitiveType::Time | PrimitiveType::String | PrimitiveType::Uuid => "string".to_owned(),
            PrimitiveType::Fixed(_) | PrimitiveType::Binary => "binary".to_owned(),
        },
        Type::Struct(inner) => {
            let fields = inner.fields.iter().map(|field| format!("{}:{}", field.name, hive_type(&field.ty)));
            format!("struct<{}>", fields.collect::<Vec<_>>().join(","))
        }
        Type::List(list) => format!("array<{}>", hive_type(&list.element)),
        Type::Map(map) => format!("map<{},{}>", hive_type(&map.key), hive_type(&map.value)),
    }
}

/// One table's pointer in the Data Catalog: a commit is an UpdateTable of the version that was read.
#[derive(Debug)]
pub(crate) struct Pointer {
    ctx: Ctx,
    table: TableName,
    /// Why Glue refused, which an error of a commit has no room for.
    refused: Mutex<Option<AwsError>>,
}

impl Pointer {
    pub(crate) fn new(ctx: Ctx, table: TableName) -> Self {
        Self { ctx, table, refused: Mutex::new(None) }
    }

    async fn found(&self) -> Result<Value> {
        let input = json!({"DatabaseName": self.table.namespace, "Name": self.table.name});
        let answer = self.ctx.call("glue", "GetTable", input).await;
        Ok(answer.map_err(|error| self.refusal(error))?["Table"].take())
    }

    fn refusal(&self, error: AwsError) -> Error {
        let message = error.message.clone();
        let server = error.status.is_server_error();
        *self.refused.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
        if server { Error::Unknown(message) } else { Error::Catalog(message) }
    }

    /// What a failed commit means to the client.
    pub(crate) fn told(&self, error: Error) -> RestError {
        let refused = self.refused.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        match (error, refused) {
            (Error::Catalog(_) | Error::Unknown(_), Some(refused)) => RestError::of_aws(refused),
            (error, _) => error.into(),
        }
    }
}

#[async_trait]
impl Catalog for Pointer {
    async fn metadata_location(&self) -> Result<String> {
        let table = self.found().await?;
        let location = metadata_location(&table).map(str::to_owned);
        location.ok_or_else(|| Error::Catalog(format!("{} is no Iceberg table any more", self.table.name)))
    }

    async fn swap(&self, expected: &str, location: &str, metadata: &TableMetadata) -> Result<()> {
        let table = self.found().await?;
        if metadata_location(&table) != Some(expected) {
            return Err(Error::Conflict("the table has been changed by somebody else".to_owned()));
        }
        let version = table["VersionId"].clone();
        let input = json!({
            "DatabaseName": self.table.namespace,
            "TableInput": table_input(table, &self.table.name, location, metadata),
            "VersionId": version,
            "SkipArchive": true,
        });
        match self.ctx.call("glue", "UpdateTable", input).await {
            Ok(_) => Ok(()),
            Err(error) if error.code == "ConcurrentModificationException" => Err(Error::Conflict(error.message)),
            Err(error) => Err(self.refusal(error)),
        }
    }
}

/// Buckets with the caller's rights.
pub(crate) struct CallersFiles {
    ctx: Ctx,
    stores: Arc<dyn ObjectStores>,
}

impl fmt::Debug for CallersFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallersFiles").field("principal", &self.ctx.principal.arn).finish_non_exhaustive()
    }
}

impl CallersFiles {
    pub(crate) fn of(call: &Call<'_>) -> Arc<dyn Files> {
        Arc::new(Self { ctx: call.ctx.clone(), stores: Arc::clone(&call.rest.stores) })
    }
}

impl Files for CallersFiles {
    fn open(&self, location: &str) -> Result<(Arc<dyn ObjectStore>, Path)> {
        let rest = ["s3://", "s3a://", "s3n://"].into_iter().find_map(|scheme| location.strip_prefix(scheme));
        let (bucket, key) = rest.and_then(|rest| rest.split_once('/')).unwrap_or_default();
        if bucket.is_empty() {
            return Err(Error::Invalid(format!("{location} is no location in S3")));
        }
        let store = self.stores.bucket(&self.ctx, bucket).map_err(|error| {
            let path = location.to_owned();
            match error.status.as_u16() {
                404 => object_store::Error::NotFound { path, source: Box::new(error) },
                _ => object_store::Error::PermissionDenied { path, source: Box::new(error) },
            }
        })?;
        let path = Path::parse(key).map_err(|error| Error::Invalid(format!("{location}: {error}")))?;
        Ok((store, path))
    }
}

#[cfg(test)]
mod tests {
    use boathouse_iceberg::metadata::{SortOrder, TableCreation, UnboundPartitionSpec};
    use boathouse_iceberg::schema::{ListType, Schema};
    use uuid::Uuid;

    use super::*;

    fn metadata() -> TableMetadata {
        let list = Type::List(Box::new(ListType {
            element_id: 3,
            element_required: false,
            element: Type::Primitive(PrimitiveType::Decimal { precision: 5, scale: 2 }),
        }));
        let fields = vec![
            NestedField::required(1, "Id", Type::Primitive(PrimitiveType::Long)),
            NestedField { doc: Some("prices".to_owned()), ..NestedField::optional(2, "p", list) },
        ];
        TableMetadata::create(TableCreation {
            location: "s3://lake/t".to_owned(),
            schema: Schema::new(0, fields),
            partition_spec: UnboundPartitionSpec::default(),
            sort_order: SortOrder::default(),
            properties: Default::default(),
            uuid: Uuid::nil(),
            now_ms: 1,
        })
        .unwrap()
    }

    #[test]
    fn tables_stand_in_the_catalog_as_iceberg_says() {
        let input = table_input(Value::Null, "t", "s3://lake/t/metadata/1.json", &metadata());
        assert_eq!(metadata_location(&input), Some("s3://lake/t/metadata/1.json"));
        let columns = &input["StorageDescriptor"]["Columns"];
        assert_eq!((columns[0]["Name"].as_str(), columns[0]["Type"].as_str()), (Some("id"), Some("bigint")));
        assert_eq!(columns[0]["Parameters"]["iceberg.field.optional"], "false");
        assert_eq!(
            (columns[1]["Type"].as_str(), columns[1]["Comment"].as_str()),
            (Some("array<decimal(5,2)>"), Some("prices"))
        );
    }

    #[test]
    fn an_update_keeps_what_else_glue_knows() {
        let mut before = table_input(Value::Null, "t", "s3://lake/t/metadata/1.json", &metadata());
        before["Owner"] = json!("me");
        before["VersionId"] = json!("7");
        before["Parameters"]["mine"] = json!("1");
        let after = table_input(before, "t", "s3://lake/t/metadata/2.json", &metadata());
        assert_eq!((after["Owner"].as_str(), after.get("VersionId")), (Some("me"), None));
        assert_eq!(after["Parameters"]["previous_metadata_location"], "s3://lake/t/metadata/1.json");
        assert_eq!(after["Parameters"]["mine"], "1");
        assert_eq!(metadata_location(&json!({"Parameters": {"metadata_location": "x", "table_type": "HIVE"}})), None);
    }
}
