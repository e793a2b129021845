//! Tables that aren't files: what the catalog knows, as rows.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use boathouse_trino_functions::error::TrinoError;
use datafusion::catalog::{Session as PlanSession, TableProvider};
use datafusion::common::Result as PlanResult;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;

/// Where the rows of a generated table come from.
#[async_trait]
pub(crate) trait Rows: fmt::Debug + Send + Sync {
    /// The columns.
    fn schema(&self) -> SchemaRef;

    /// All rows.
    async fn rows(&self) -> Result<RecordBatch, TrinoError>;
}

/// A table whose rows are asked for when a query runs.
#[derive(Debug)]
pub(crate) struct Generated(pub(crate) Box<dyn Rows>);

#[async_trait]
impl TableProvider for Generated {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn PlanSession,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let rows = self.0.rows().await?;
        Ok(MemorySourceConfig::try_new_exec(&[vec![rows]], self.0.schema(), projection.cloned())?)
    }
}
