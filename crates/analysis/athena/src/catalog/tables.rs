//! The Data Catalog as the engine sees it.

use async_trait::async_trait;
use boathouse_aws::AwsError;
use boathouse_trino::catalog::{Catalog, ColumnDefinition, Format, PartitionDefinition, TableDefinition, TableKind};
use boathouse_trino::write::Buckets;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;

use super::entities::{Column, Table};
use super::formats;
use super::glue::Glue;
use super::views::ViewText;

/// Glue's databases, tables and partitions for one caller's queries.
#[derive(Debug, Clone)]
pub(crate) struct GlueCatalog {
    glue: Glue,
}

impl GlueCatalog {
    pub(crate) fn new(glue: Glue) -> Self {
        Self { glue }
    }
}

/// What the catalog's refusal means to a query.
fn refused(error: AwsError) -> TrinoError {
    let code = match error.code.as_ref() {
        "AccessDeniedException" => ErrorCode::PermissionDenied,
        "EntityNotFoundException" => ErrorCode::NotFound,
        _ if error.status.is_server_error() => ErrorCode::GenericInternalError,
        _ => ErrorCode::GenericUserError,
    };
    TrinoError::new(code, error.message)
}

#[async_trait]
impl Catalog for GlueCatalog {
    async fn databases(&self) -> Result<Vec<String>, TrinoError> {
        self.glue.databases().await.map_err(refused)
    }

    async fn tables(&self, database: &str) -> Result<Vec<String>, TrinoError> {
        let tables = self.glue.tables(database).await.map_err(refused)?;
        Ok(tables.into_iter().map(|table| table.name).collect())
    }

    async fn table(&self, database: &str, name: &str) -> Result<Option<TableDefinition>, TrinoError> {
        let found = self.glue.table(database, name).await.map_err(refused)?;
        found.map(|table| definition(database, table)).transpose()
    }

    async fn partitions(
        &self,
        database: &str,
        table: &str,
        filter: Option<&str>,
    ) -> Result<Vec<PartitionDefinition>, TrinoError> {
        let owner = self.glue.table(database, table).await.map_err(refused)?.unwrap_or_default();
        let table_format = formats::of_table(&owner);
        let found = self.glue.partitions(database, table, filter).await.map_err(refused)?;
        let partition = |partition: super::entities::Partition| {
            let own = formats::of_storage(&partition.storage_descriptor, &owner.parameters);
            // A partition without classes of its own is stored as its table is.
            let has_own = partition.storage_descriptor.serde_info.serialization_library.is_some();
            PartitionDefinition {
                format: (has_own && own != table_format).then_some(own),
                location: partition.storage_descriptor.location().to_owned(),
                values: partition.values,
            }
        };
        Ok(found.into_iter().map(partition).collect())
    }
}

fn column(column: &Column) -> Result<ColumnDefinition, TrinoError> {
    Ok(ColumnDefinition {
        name: column.name.to_lowercase(),
        ty: Type::from_hive(&column.ty)?,
        hive_type: column.ty.clone(),
        comment: column.comment.clone(),
    })
}

/// A catalog's table as the engine knows tables.
pub(crate) fn definition(database: &str, table: Table) -> Result<TableDefinition, TrinoError> {
    let named = table.name.to_lowercase();
    if table.is_view() {
        return view(database, named, &table);
    }
    let format = formats::of_table(&table);
    let (columns, count) = (&table.storage_descriptor.bucket_columns, table.storage_descriptor.number_of_buckets);
    let count = u32::try_from(count).ok().filter(|count| *count > 0 && !columns.is_empty());
    let buckets =
        count.map(|count| Buckets { columns: columns.iter().map(|name| name.to_lowercase()).collect(), count });
    Ok(TableDefinition {
        database: database.to_owned(),
        name: named,
        kind: TableKind::Table,
        columns: table.storage_descriptor.columns.iter().map(column).collect::<Result<_, _>>()?,
        partition_keys: table.partition_keys.iter().map(column).collect::<Result<_, _>>()?,
        location: table.storage_descriptor.location().to_owned(),
        format,
        buckets,
        parameters: table.parameters,
    })
}

fn view(database: &str, name: String, table: &Table) -> Result<TableDefinition, TrinoError> {
    let text = table.view_original_text.as_deref().and_then(ViewText::read).ok_or_else(|| {
        let message = format!("View {database}.{name} was not made by Athena");
        TrinoError::new(ErrorCode::InvalidViewDefinition, message)
    })?;
    let columns = text
        .columns
        .iter()
        .map(|column| {
            let ty = Type::parse_trino(&column.ty)?;
            Ok(ColumnDefinition { name: column.name.to_lowercase(), hive_type: column.ty.clone(), ty, comment: None })
        })
        .collect::<Result<_, TrinoError>>()?;
    Ok(TableDefinition {
        database: database.to_owned(),
        name,
        kind: TableKind::View { sql: text.original_sql, database: Some(text.schema) },
        columns,
        partition_keys: Vec::new(),
        location: String::new(),
        format: Format::Parquet,
        buckets: None,
        parameters: table.parameters.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::formats::classes;
    use super::*;

    fn table() -> Table {
        let mut table = Table { name: "T".to_owned(), ..Table::default() };
        table.storage_descriptor.columns = vec![Column::new("A", "array<int>", None)];
        table.storage_descriptor.location = Some("s3://lake/t".to_owned());
        table.storage_descriptor.serde_info.serialization_library = Some(classes("PARQUET").unwrap().serde.to_owned());
        table.partition_keys = vec![Column::new("d", "date", None)];
        table
    }

    #[test]
    fn a_glue_table_has_types_and_a_format() {
        let definition = definition("lake", table()).unwrap();
        assert_eq!(definition.name, "t");
        assert_eq!(definition.columns[0].ty, Type::array(Type::Integer));
        assert_eq!(definition.partition_keys[0].ty, Type::Date);
        assert_eq!(definition.format, Format::Parquet);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let mut iceberg = table();
        iceberg.parameters.insert("table_type".to_owned(), "ICEBERG".to_owned());
        let Format::Unsupported(name) = definition("lake", iceberg.clone()).unwrap().format else {
            panic!("{iceberg:?}")
        };
        assert!(name.contains("metadata_location"));
        let metadata_location = "s3://lake/t/metadata/0.metadata.json".to_owned();
        iceberg.parameters.insert("metadata_location".to_owned(), metadata_location.clone());
        assert_eq!(definition("lake", iceberg).unwrap().format, Format::Iceberg { metadata_location });
        let mut odd = table();
        odd.storage_descriptor.columns[0].ty = "wibble".to_owned();
        assert_eq!(definition("lake", odd).unwrap_err().code, ErrorCode::TypeNotFound);
    }
}
