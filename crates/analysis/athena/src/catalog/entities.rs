//! Glue's entities, as far as Athena looks into them. The rest travels along, so that an update loses nothing.

use std::collections::BTreeMap;

use boathouse_trino::hive_paths;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) type Parameters = BTreeMap<String, String>;

/// A column or partition key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Column {
    pub(crate) name: String,
    #[serde(rename = "Type", default)]
    pub(crate) ty: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<String>,
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

impl Column {
    pub(crate) fn new(name: impl Into<String>, ty: impl Into<String>, comment: Option<String>) -> Self {
        Self { name: name.into(), ty: ty.into(), comment, rest: Map::new() }
    }
}

/// How a table's files are written and read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Serde {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) serialization_library: Option<String>,
    #[serde(default)]
    pub(crate) parameters: Parameters,
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

impl Serde {
    pub(crate) fn new(library: &str, parameters: Parameters) -> Self {
        Self { serialization_library: Some(library.to_owned()), parameters, rest: Map::new() }
    }
}

/// Where and how a table or partition is stored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Storage {
    #[serde(default)]
    pub(crate) columns: Vec<Column>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input_format: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output_format: Option<String>,
    #[serde(default)]
    pub(crate) serde_info: Serde,
    #[serde(default)]
    pub(crate) parameters: Parameters,
    #[serde(default)]
    pub(crate) number_of_buckets: i32,
    #[serde(default)]
    pub(crate) bucket_columns: Vec<String>,
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

impl Storage {
    pub(crate) fn location(&self) -> &str {
        self.location.as_deref().unwrap_or_default()
    }
}

/// A table or view.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Table {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) table_type: Option<String>,
    #[serde(default)]
    pub(crate) storage_descriptor: Storage,
    #[serde(default)]
    pub(crate) partition_keys: Vec<Column>,
    #[serde(default)]
    pub(crate) parameters: Parameters,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) view_original_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) view_expanded_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<String>,
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

/// The parameter that names an Iceberg table's metadata file.
pub(crate) const METADATA_LOCATION: &str = "metadata_location";
/// The parameter that names the file before it.
pub(crate) const PREVIOUS_METADATA_LOCATION: &str = "previous_metadata_location";

/// What Glue says about a table and does not want to hear.
const READ_ONLY: [&str; 8] = [
    "DatabaseName",
    "CreateTime",
    "UpdateTime",
    "CreatedBy",
    "IsRegisteredWithLakeFormation",
    "CatalogId",
    "VersionId",
    "CreationTime",
];

impl Table {
    pub(crate) fn is_view(&self) -> bool {
        self.table_type.as_deref() == Some("VIRTUAL_VIEW")
    }

    pub(crate) fn is_iceberg(&self) -> bool {
        self.parameters.get("table_type").is_some_and(|kind| kind.eq_ignore_ascii_case("iceberg"))
    }

    /// The metadata file that is an Iceberg table's now.
    pub(crate) fn metadata_location(&self) -> Option<&str> {
        self.parameters.get(METADATA_LOCATION).map(String::as_str)
    }

    /// A text that Glue answered beside what Athena knows, such as its version.
    pub(crate) fn other(&self, member: &str) -> Option<&Value> {
        self.rest.get(member)
    }

    /// The table as UpdateTable takes it.
    pub(crate) fn into_input(mut self) -> Self {
        self.rest.retain(|member, _| !READ_ONLY.contains(&member.as_str()));
        self
    }
}

/// A partition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Partition {
    pub(crate) values: Vec<String>,
    #[serde(default)]
    pub(crate) storage_descriptor: Storage,
    #[serde(default)]
    pub(crate) parameters: Parameters,
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

impl Partition {
    /// A partition that is stored as its table is.
    pub(crate) fn of(table: &Table, values: Vec<String>, location: String) -> Self {
        let storage = Storage { location: Some(location), ..table.storage_descriptor.clone() };
        Self { values, storage_descriptor: storage, ..Self::default() }
    }

    /// The partition as UpdatePartition takes it.
    pub(crate) fn into_input(mut self) -> Self {
        self.rest.retain(|member, _| !READ_ONLY.contains(&member.as_str()) && member != "TableName");
        self
    }

    /// `a=1/b=2`, as Hive names folders and partitions.
    pub(crate) fn name(keys: &[Column], values: &[String]) -> String {
        let pair = |(key, value): (&Column, &String)| format!("{}={}", key.name, escaped(value));
        keys.iter().zip(values).map(pair).collect::<Vec<_>>().join("/")
    }
}

/// A partition's value in the name of its folder.
pub(crate) fn escaped(value: &str) -> String {
    if value.is_empty() { "__HIVE_DEFAULT_PARTITION__".to_owned() } else { hive_paths::escaped(value) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_update_keeps_what_athena_does_not_know() {
        let glue = json!({"Name": "t", "Retention": 3, "CreateTime": 1.0, "VersionId": "4", "PartitionKeys": [],
            "StorageDescriptor": {"Location": "s3://b/t", "SkewedInfo": {"a": 1}, "Columns": []}});
        let table: Table = serde_json::from_value(glue).unwrap();
        assert_eq!(table.other("VersionId"), Some(&json!("4")));
        let input = serde_json::to_value(table.into_input()).unwrap();
        assert_eq!(input["Retention"], 3);
        assert_eq!(input["StorageDescriptor"]["SkewedInfo"]["a"], 1);
        assert_eq!(input.get("CreateTime"), None);
        assert_eq!(input.get("VersionId"), None);
    }

    #[test]
    fn partitions_are_named_as_hive_does() {
        let keys = [Column::new("d", "string", None), Column::new("h", "int", None)];
        let name = Partition::name(&keys, &["a/b".to_owned(), "7".to_owned()]);
        assert_eq!(name, "d=a%2Fb/h=7");
    }
}
