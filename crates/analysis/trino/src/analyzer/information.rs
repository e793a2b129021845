//! The catalog as tables: `information_schema` and `"t$partitions"`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, StringArray};
use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use boathouse_trino_functions::error::TrinoError;
use boathouse_trino_functions::types::Type;

use crate::catalog::{Session, TableDefinition, TableKind};
use crate::error::of_datafusion;
use crate::scan::{Generated, Rows, partition_values};

/// The tables of `information_schema`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Schemata,
    Tables,
    Views,
    Columns,
}

impl Kind {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "schemata" => Some(Self::Schemata),
            "tables" => Some(Self::Tables),
            "views" => Some(Self::Views),
            "columns" => Some(Self::Columns),
            _ => None,
        }
    }

    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Schemata => &["catalog_name", "schema_name"],
            Self::Tables => &["table_catalog", "table_schema", "table_name", "table_type"],
            Self::Views => &["table_catalog", "table_schema", "table_name", "view_definition"],
            Self::Columns => &[
                "table_catalog",
                "table_schema",
                "table_name",
                "column_name",
                "ordinal_position",
                "column_default",
                "is_nullable",
                "data_type",
                "comment",
                "extra_info",
            ],
        }
    }
}

fn type_of(column: &str) -> Type {
    if column == "ordinal_position" { Type::Bigint } else { Type::VARCHAR }
}

/// A table of `information_schema`.
pub(super) fn table(name: &str, session: Arc<Session>) -> Option<Generated> {
    Kind::parse(name).map(|kind| Generated(Box::new(Information { kind, session })))
}

/// The columns of such a table.
pub(super) fn columns(name: &str) -> Vec<(String, Type)> {
    let columns = Kind::parse(name).map_or(&[] as &[&str], Kind::columns);
    columns.iter().map(|name| ((*name).to_owned(), type_of(name))).collect()
}

/// `"t$partitions"`: the partition keys' values.
pub(super) fn partitions(definition: Arc<TableDefinition>, session: Arc<Session>) -> Generated {
    Generated(Box::new(Partitions { definition, session }))
}

#[derive(Debug)]
struct Information {
    kind: Kind,
    session: Arc<Session>,
}

impl Information {
    /// The rows as text, one vector for each.
    async fn texts(&self) -> Result<Vec<Vec<Option<String>>>, TrinoError> {
        let catalog = &self.session.catalog;
        let mut rows = Vec::new();
        let text = |value: &str| Some(value.to_owned());
        let name = self.session.catalog_name.as_str();
        let mut databases = catalog.databases().await?;
        if !databases.iter().any(|database| database == "information_schema") {
            databases.push("information_schema".to_owned());
        }
        databases.sort();
        for database in databases {
            if self.kind == Kind::Schemata {
                rows.push(vec![text(name), text(&database)]);
                continue;
            }
            for table in catalog.tables(&database).await? {
                let Some(definition) = catalog.table(&database, &table).await? else {
                    continue;
                };
                let start = [text(name), text(&database), text(&table)];
                match (self.kind, &definition.kind) {
                    (Kind::Columns, _) => rows.extend(columns_of(&start, &definition)),
                    (Kind::Views, TableKind::View { sql, .. }) => rows.push([&start[..], &[text(sql)]].concat()),
                    (Kind::Tables, TableKind::Table) => rows.push([&start[..], &[text("BASE TABLE")]].concat()),
                    (Kind::Tables, TableKind::View { .. }) => rows.push([&start[..], &[text("VIEW")]].concat()),
                    _ => {}
                }
            }
        }
        Ok(rows)
    }
}

fn columns_of(start: &[Option<String>; 3], definition: &TableDefinition) -> Vec<Vec<Option<String>>> {
    let first_key = definition.columns.len();
    let row = |(index, column): (usize, &crate::catalog::ColumnDefinition)| {
        let extra = (index >= first_key).then(|| "partition key".to_owned());
        let rest = [
            Some(column.name.clone()),
            Some((index + 1).to_string()),
            None,
            Some("YES".to_owned()),
            Some(column.ty.to_string()),
            column.comment.clone(),
            extra,
        ];
        [&start[..], &rest[..]].concat()
    };
    definition.all_columns().enumerate().map(row).collect()
}

#[async_trait]
impl Rows for Information {
    fn schema(&self) -> SchemaRef {
        let fields: Vec<_> =
            self.kind.columns().iter().map(|name| Field::new(*name, type_of(name).to_arrow(), true)).collect();
        Arc::new(Schema::new(fields))
    }

    async fn rows(&self) -> Result<RecordBatch, TrinoError> {
        let rows = self.texts().await?;
        let column = |(index, name): (usize, &&str)| -> ArrayRef {
            let values = rows.iter().map(|row| row.get(index).cloned().flatten());
            match type_of(name) {
                Type::Bigint => Arc::new(values.map(|value| value?.parse().ok()).collect::<Int64Array>()),
                _ => Arc::new(values.collect::<StringArray>()),
            }
        };
        let columns = self.kind.columns().iter().enumerate().map(column).collect();
        Ok(RecordBatch::try_new(self.schema(), columns)?)
    }
}

#[derive(Debug)]
struct Partitions {
    definition: Arc<TableDefinition>,
    session: Arc<Session>,
}

#[async_trait]
impl Rows for Partitions {
    fn schema(&self) -> SchemaRef {
        let keys = &self.definition.partition_keys;
        Arc::new(Schema::new(keys.iter().map(|key| Field::new(&key.name, key.ty.to_arrow(), true)).collect::<Vec<_>>()))
    }

    async fn rows(&self) -> Result<RecordBatch, TrinoError> {
        let (count, columns) = partition_values(&self.session, &self.definition).await.map_err(of_datafusion)?;
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        Ok(RecordBatch::try_new_with_options(self.schema(), columns, &options)?)
    }
}
