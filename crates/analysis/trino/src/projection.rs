//! Partition projection: partitions that follow from the table's properties, without a catalog that lists them
//! ("Use partition projection with Amazon Athena", "Supported types for partition projection").

mod dates;
mod kind;

use std::collections::BTreeMap;

use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use chrono::{DateTime, Utc};

use crate::catalog::{ColumnDefinition, TableDefinition};
use crate::hive_paths::escaped;

pub(crate) use kind::{Kind, Value};

type Properties = BTreeMap<String, String>;

/// How the partitions of a table follow from its properties.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Projection {
    /// What each partition key's values are, in the order of the keys.
    pub(crate) keys: Vec<Kind>,
    /// Where a partition is, with `${key}` for the keys' values; Hive's folders if none.
    template: Option<String>,
}

impl Projection {
    /// The projection of a table; none if the table's partitions are those in the catalog.
    ///
    /// # Errors
    /// `INVALID_TABLE_PROPERTY`: a property is missing or can't be read.
    pub(crate) fn of(table: &TableDefinition, now: DateTime<Utc>) -> Result<Option<Self>, TrinoError> {
        if !is_enabled(&table.parameters) {
            return Ok(None);
        }
        let named = format!("{}.{}", table.database, table.name);
        if table.partition_keys.is_empty() {
            let message = format!("Table {named} is configured for partition projection, but has no partition columns");
            return Err(invalid(message));
        }
        let has_type =
            |key: &&ColumnDefinition| !table.parameters.contains_key(&format!("projection.{}.type", key.name));
        let missing: Vec<String> =
            table.partition_keys.iter().filter(has_type).map(|key| format!("`{}`", key.name)).collect();
        if !missing.is_empty() {
            return Err(invalid(format!(
                "Table {named} is configured for partition projection, but the following partition columns are missing \
                 projection configuration: [{}] (table {named})",
                missing.join(", ")
            )));
        }
        let kind = |key: &ColumnDefinition| {
            let properties = Key { name: &key.name, properties: &table.parameters };
            Kind::read(&properties, &key.ty, now)
        };
        let keys = table.partition_keys.iter().map(kind).collect::<Result<Vec<_>, _>>()?;
        Ok(Some(Self { keys, template: template(table, &named)? }))
    }

    /// Where the partition with these values is.
    pub(crate) fn location(&self, table: &TableDefinition, values: &[&str]) -> String {
        let pairs = table.partition_keys.iter().zip(values);
        match &self.template {
            Some(template) => pairs.fold(template.clone(), |location, (key, value)| {
                location.replace(&format!("${{{}}}", key.name), value)
            }),
            None => {
                let folders = pairs.map(|(key, value)| format!("/{}={}", escaped(&key.name), escaped(value)));
                table.location.trim_end_matches('/').to_owned() + &folders.collect::<String>()
            }
        }
    }

    /// What keeps rows that are written into Hive's folders from being found by the projection.
    fn moves(&self, table: &TableDefinition) -> Option<String> {
        if self.template.is_some() {
            return Some("storage.location.template".to_owned());
        }
        let keys = table.partition_keys.iter().zip(&self.keys);
        let moved = |(key, kind): (&ColumnDefinition, &Kind)| match (kind, &key.ty) {
            (_, Type::Varchar(_) | Type::Char(_)) => None,
            (Kind::Integer(integers), _) if integers.digits > 1 => Some(format!("projection.{}.digits", key.name)),
            (Kind::Date(_), _) => Some(format!("projection.{}.format", key.name)),
            _ => None,
        };
        keys.into_iter().find_map(moved)
    }
}

/// Refuses to write into a table whose projection would not find what is written.
///
/// # Errors
/// `NOT_SUPPORTED`, with the property's name; what is wrong with the properties.
pub fn check_writable(table: &TableDefinition, now: DateTime<Utc>) -> Result<(), TrinoError> {
    let Some(property) = Projection::of(table, now)?.and_then(|projection| projection.moves(table)) else {
        return Ok(());
    };
    let message = format!("Writing into tables with partition projection and {property} is not supported");
    Err(TrinoError::new(ErrorCode::NotSupported, message))
}

fn is_enabled(properties: &Properties) -> bool {
    properties.get("projection.enabled").is_some_and(|enabled| enabled.trim().eq_ignore_ascii_case("true"))
}

fn template(table: &TableDefinition, named: &str) -> Result<Option<String>, TrinoError> {
    let Some(template) = table.parameters.get("storage.location.template") else { return Ok(None) };
    let is_missing = |key: &&ColumnDefinition| !template.contains(&format!("${{{}}}", key.name));
    if let Some(key) = table.partition_keys.iter().find(is_missing) {
        let message = format!(
            "Table {named} has a storage.location.template without a placeholder ${{{0}}} for the partition column {0}: \
             {template}",
            key.name
        );
        return Err(invalid(message));
    }
    Ok(Some(template.trim().to_owned()))
}

fn invalid(message: String) -> TrinoError {
    TrinoError::new(ErrorCode::InvalidTableProperty, message)
}

/// The properties of one partition key.
struct Key<'a> {
    name: &'a str,
    properties: &'a Properties,
}

impl Key<'_> {
    fn property(&self, name: &str) -> String {
        format!("projection.{}.{name}", self.name)
    }

    fn optional(&self, name: &str) -> Option<&str> {
        self.properties.get(&self.property(name)).map(String::as_str)
    }

    fn required(&self, name: &str) -> Result<&str, TrinoError> {
        self.optional(name).ok_or_else(|| {
            let message = format!(
                "Partition projection for column {} needs the table property {}",
                self.name,
                self.property(name)
            );
            invalid(message)
        })
    }

    /// A property that is a positive number.
    fn positive(&self, name: &str) -> Result<Option<i64>, TrinoError> {
        let Some(text) = self.optional(name) else { return Ok(None) };
        match text.trim().parse() {
            Ok(number) if number > 0 => Ok(Some(number)),
            _ => Err(self.wrong(name, "a positive integer")),
        }
    }

    /// The two ends of the range.
    fn range(&self) -> Result<(&str, &str), TrinoError> {
        let ends = self.required("range")?.split_once(',').filter(|(_, last)| !last.contains(','));
        ends.map(|(first, last)| (first.trim(), last.trim()))
            .ok_or_else(|| self.wrong("range", "two values with a comma between them"))
    }

    fn wrong(&self, name: &str, expected: &str) -> TrinoError {
        let value = self.optional(name).unwrap_or_default();
        invalid(format!("Invalid value '{value}' for the table property {}: expected {expected}", self.property(name)))
    }
}

#[cfg(test)]
mod tests;
