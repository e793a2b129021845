//! Namespaces, which are the Data Catalog's databases.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::RestError;
use crate::route::single;
use crate::{Call, Reply};

type Properties = BTreeMap<String, String>;

/// The property that is a database's LocationUri.
const LOCATION: &str = "location";
/// The property that is a database's Description.
const COMMENT: &str = "comment";

#[derive(Debug, Deserialize)]
struct Create {
    namespace: Vec<String>,
    #[serde(default)]
    properties: Option<Properties>,
}

#[derive(Debug, Default, Deserialize)]
struct Update {
    #[serde(default)]
    removals: Vec<String>,
    #[serde(default)]
    updates: Properties,
}

/// A database's properties as the protocol has them.
fn properties(database: &Value) -> Properties {
    let mut properties: Properties = serde_json::from_value(database["Parameters"].clone()).unwrap_or_default();
    for (member, name) in [("LocationUri", LOCATION), ("Description", COMMENT)] {
        if let Some(text) = database[member].as_str() {
            properties.insert(name.to_owned(), text.to_owned());
        }
    }
    properties
}

/// A database as Glue takes it, with these properties and whatever else it has.
fn input(name: &str, mut properties: Properties, rest: Map<String, Value>) -> Value {
    let mut input = Value::Object(rest);
    input["Name"] = json!(name);
    for (member, property) in [("LocationUri", LOCATION), ("Description", COMMENT)] {
        if let Some(text) = properties.remove(property) {
            input[member] = json!(text);
        }
    }
    input["Parameters"] = json!(properties);
    input
}

impl Call<'_> {
    /// A database, or the error that there is none.
    pub(crate) async fn database(&self, name: &str) -> Result<Value, RestError> {
        match self.glue("GetDatabase", json!({"Name": name})).await {
            Ok(mut found) => Ok(found["Database"].take()),
            Err(error) if error.is_missing() => Err(RestError::no_namespace(name)),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn list_namespaces(&self) -> Result<Reply, RestError> {
        if let Some(parent) = self.query.get("parent").filter(|parent| !parent.is_empty()) {
            let levels: Vec<String> = parent.split('\u{1f}').map(str::to_owned).collect();
            self.database(&single(&levels)?).await?;
            return Ok(json!({"namespaces": []}).into());
        }
        let (found, next) = self.pages("GetDatabases", json!({}), "DatabaseList").await?;
        let names: Vec<Value> = found.iter().map(|database| json!([database["Name"]])).collect();
        Ok(json!({"namespaces": names, "next-page-token": next}).into())
    }

    pub(crate) async fn create_namespace(&self) -> Result<Reply, RestError> {
        let Create { namespace, properties } = self.input()?;
        let [name] = namespace.as_slice() else {
            return Err(RestError::bad_request("a namespace of the Data Catalog has exactly one level"));
        };
        let (name, properties) = (name.to_lowercase(), properties.unwrap_or_default());
        let database = input(&name, properties.clone(), Map::new());
        self.glue("CreateDatabase", json!({"DatabaseInput": database})).await?;
        Ok(json!({"namespace": [name], "properties": properties}).into())
    }

    pub(crate) async fn load_namespace(&self, name: &str) -> Result<Reply, RestError> {
        let database = self.database(name).await?;
        Ok(json!({"namespace": [name], "properties": properties(&database)}).into())
    }

    /// Only an empty one goes; Glue itself would take the tables along.
    pub(crate) async fn drop_namespace(&self, name: &str) -> Result<Reply, RestError> {
        self.database(name).await?;
        let tables = self.glue("GetTables", json!({"DatabaseName": name, "MaxResults": 1})).await?;
        if tables["TableList"].as_array().is_some_and(|tables| !tables.is_empty()) {
            return Err(RestError::not_empty(name));
        }
        self.glue("DeleteDatabase", json!({"Name": name})).await?;
        Ok(Reply::empty())
    }

    pub(crate) async fn update_namespace(&self, name: &str) -> Result<Reply, RestError> {
        let Update { removals, updates } = self.input()?;
        if let Some(both) = removals.iter().find(|key| updates.contains_key(*key)) {
            return Err(RestError::unprocessable(format!("the property {both} can't be set and removed")));
        }
        let mut database = self.database(name).await?;
        let mut all = properties(&database);
        let (removed, missing): (Vec<_>, Vec<_>) = removals.into_iter().partition(|key| all.remove(key).is_some());
        let updated: Vec<String> = updates.keys().cloned().collect();
        all.extend(updates);
        let mut rest = database.as_object_mut().map(std::mem::take).unwrap_or_default();
        for known in ["CreateTime", "CatalogId", "LocationUri", "Description", "Parameters"] {
            rest.remove(known);
        }
        let database = input(name, all, rest);
        self.glue("UpdateDatabase", json!({"Name": name, "DatabaseInput": database})).await?;
        Ok(json!({"updated": updated, "removed": removed, "missing": missing}).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_the_databases_members() {
        let glue =
            json!({"Name": "db", "LocationUri": "s3://lake/db", "Description": "ours", "Parameters": {"a": "1"}});
        let read = properties(&glue);
        assert_eq!(
            (read[LOCATION].as_str(), read[COMMENT].as_str(), read["a"].as_str()),
            ("s3://lake/db", "ours", "1")
        );
        let back = input("db", read, Map::from_iter([("CreateTableDefaultPermissions".to_owned(), json!([]))]));
        assert_eq!(back["LocationUri"], "s3://lake/db");
        assert_eq!(back["Parameters"], json!({"a": "1"}));
        assert_eq!(back["CreateTableDefaultPermissions"], json!([]));
    }
}
