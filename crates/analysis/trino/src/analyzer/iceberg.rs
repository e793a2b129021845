//! Iceberg tables in FROM: as of now or then, and what their metadata says.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Int64Type, Schema, TimestampMicrosecondType};
use boathouse_iceberg::metadata::{Snapshot, SnapshotSelector};
use boathouse_iceberg::table::Table;
use boathouse_trino_functions::cast;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use boathouse_trino_parser::ast::{self, TableVersion};
use datafusion::common::DFSchema;
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::physical_expr::create_physical_expr;

use super::scope::{Relation, Scope};
use super::{Analyzer, at};
use crate::catalog::TableDefinition;
use crate::error::of_datafusion;
use crate::iceberg::Information;
use crate::scan::{Generated, IcebergTable};

impl Analyzer<'_> {
    /// The table's state, if it is one of Iceberg's.
    pub(super) fn iceberg_of(&self, definition: &TableDefinition) -> Option<Arc<Table>> {
        let key = (definition.database.clone(), definition.name.clone());
        self.known.iceberg.get(&key).cloned()
    }

    pub(super) fn iceberg_table(
        &mut self,
        definition: &TableDefinition,
        table: Arc<Table>,
        version: Option<&TableVersion>,
    ) -> Result<Relation, TrinoError> {
        let snapshot = version.map(|version| self.snapshot(definition, &table, version)).transpose()?;
        let path = vec![self.session.catalog_name.clone(), definition.database.clone(), definition.name.clone()];
        let (session, statistics) = (Arc::clone(&self.session), Arc::clone(&self.statistics));
        let provider = IcebergTable::new(definition, table, snapshot.as_ref(), session, statistics);
        let columns = provider.columns().collect();
        self.with_hidden(Arc::new(provider), path, columns, IcebergTable::hidden())
    }

    /// `"t$snapshots"` and its kin; none if there is no such table.
    pub(super) fn iceberg_information(
        &mut self,
        definition: &TableDefinition,
        table: Arc<Table>,
        suffix: &str,
    ) -> Option<Result<Relation, TrinoError>> {
        let information = Information::named(suffix, table)?;
        let name = format!("{}${suffix}", definition.name);
        let path = vec![self.session.catalog_name.clone(), definition.database.clone(), name];
        let columns = information.columns();
        Some(self.scanned(Arc::new(Generated(Box::new(information))), path, columns))
    }

    /// The snapshot that is meant.
    fn snapshot(
        &mut self,
        definition: &TableDefinition,
        table: &Table,
        version: &TableVersion,
    ) -> Result<Snapshot, TrinoError> {
        let (TableVersion::Timestamp(expr) | TableVersion::Version(expr)) = version;
        let (selector, missing) = match version {
            TableVersion::Timestamp(_) => {
                let millis = self.instant(expr)?;
                let missing = format!(
                    "No version history table \"{}\".\"{}\" at or before {}",
                    definition.database,
                    definition.name,
                    chrono::DateTime::from_timestamp_millis(millis).unwrap_or_default().format("%Y-%m-%dT%H:%M:%S%.3fZ")
                );
                (SnapshotSelector::AsOf(millis), missing)
            }
            TableVersion::Version(_) => self.version(expr)?,
        };
        let found = table.metadata().select(&selector).cloned();
        found.ok_or_else(|| TrinoError::at(expr.pos, ErrorCode::InvalidArguments, missing))
    }

    /// A point in time, in milliseconds since 1970.
    fn instant(&mut self, expr: &ast::Expr) -> Result<i64, TrinoError> {
        let value = self.expr(expr, &Scope::query(&[], None))?;
        if !matches!(value.1, Type::Date | Type::Timestamp(_) | Type::TimestampTz(_)) {
            let message = format!("Type {} invalid. Temporal pointers must be of type Timestamp, Timestamp with Time Zone, or Date.", value.1);
            return Err(TrinoError::at(expr.pos, ErrorCode::InvalidArguments, message));
        }
        let value = cast::cast(value, &Type::TimestampTz(6)).map_err(at(expr.pos))?;
        let found = constant(&value.0)?;
        let micros = found.as_struct_opt().filter(|found| found.is_valid(0));
        let micros = micros.map(|found| found.column(0).as_primitive::<TimestampMicrosecondType>().value(0));
        let null = || TrinoError::at(expr.pos, ErrorCode::InvalidArguments, "Pointer value cannot be NULL");
        Ok(micros.ok_or_else(null)?.div_euclid(1000))
    }

    /// A snapshot's id, or a branch's or tag's name; and what is said if there is none.
    fn version(&mut self, expr: &ast::Expr) -> Result<(SnapshotSelector, String), TrinoError> {
        let value = self.expr(expr, &Scope::query(&[], None))?;
        let null = || TrinoError::at(expr.pos, ErrorCode::InvalidArguments, "Pointer value cannot be NULL");
        if value.1.is_integer() {
            let value = cast::cast(value, &Type::Bigint).map_err(at(expr.pos))?;
            let found = constant(&value.0)?;
            let id = found.as_primitive_opt::<Int64Type>().filter(|found| found.is_valid(0)).ok_or_else(null)?.value(0);
            return Ok((SnapshotSelector::Id(id), format!("Iceberg snapshot ID does not exists: {id}")));
        }
        if !value.1.is_varchar() {
            let message = format!("Unsupported type for table version: {}", value.1);
            return Err(TrinoError::at(expr.pos, ErrorCode::NotSupported, message));
        }
        let found = constant(&value.0)?;
        let name = found.as_string_opt::<i32>().filter(|found| found.is_valid(0)).ok_or_else(null)?.value(0).to_owned();
        let missing = format!("Cannot find snapshot with reference name: {name}");
        Ok((SnapshotSelector::Reference(name), missing))
    }
}

/// The value of an expression without columns.
fn constant(expr: &datafusion::logical_expr::Expr) -> Result<arrow::array::ArrayRef, TrinoError> {
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)?;
    let computed = create_physical_expr(
        expr,
        &DFSchema::empty(),
        &ExecutionProps::new(),
        &PhysicalPlanningContext::default(),
    );
    computed.and_then(|computed| computed.evaluate(&batch)?.into_array(1)).map_err(of_datafusion)
}
