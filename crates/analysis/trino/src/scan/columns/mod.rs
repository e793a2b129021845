//! Reading Parquet files column by column: what a filter asks about comes first, the rest only of the rows that it leaves.
//!
//! | Module | What it does |
//! |---|---|
//! | `open` | finds the row groups of a file that may hold rows that are asked for |
//! | `rows` | takes the rows of a window through the conditions |
//! | `stream` | decodes row groups window by window |
//!
//! DataFusion plans and prunes such scans ([`ParquetSource`] keeps all that they know of the table); only what decodes, and
//! what filters right above a scan, is ours. Files with anything that our decoder does not read are left to DataFusion's.

mod open;
mod rows;
mod stream;

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::physical_plan::{FileOpener, FileScanConfig, FileSource, ParquetSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::DisplayFormatType;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use object_store::ObjectStore;
use parquet::file::metadata::ParquetMetaData;

pub(crate) use self::rows::Condition;

/// A file's footer and its columns as Arrow has them, which a file to be read carries with it.
#[derive(Debug)]
pub(super) struct Footer {
    pub(super) metadata: Arc<ParquetMetaData>,
    pub(super) schema: SchemaRef,
}

/// Reads the rows of Parquet files that conditions leave.
#[derive(Debug, Clone)]
pub(crate) struct ColumnSource {
    /// The table, what prunes its files, and what is read of it.
    parquet: ParquetSource,
    /// Over what is read.
    conditions: Vec<Condition>,
    /// What is given on of what is read, by its place there.
    kept: Vec<usize>,
    projection: ProjectionExprs,
    batch_size: usize,
}

impl ColumnSource {
    /// Reads what the source reads, and gives on the columns at the places `kept` of the rows that all conditions leave.
    /// The source must have no columns that are in no file.
    pub(crate) fn new(parquet: &ParquetSource, conditions: Vec<Condition>, kept: Vec<usize>) -> Self {
        let projection = {
            let read = outputs(parquet).as_ref();
            ProjectionExprs::new(kept.iter().map(|place| read[*place].clone()).collect::<Vec<_>>())
        };
        Self { parquet: parquet.clone(), conditions, kept, projection, batch_size: 0 }
    }

    /// What all rows are asked, over the columns that are read.
    pub(crate) fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// The columns that are read.
    pub(crate) fn read(&self) -> Result<SchemaRef> {
        self.outputs().project_schema(self.table_schema().table_schema()).map(Arc::new)
    }

    fn outputs(&self) -> &ProjectionExprs {
        outputs(&self.parquet)
    }
}

/// What a source reads.
fn outputs(parquet: &ParquetSource) -> &ProjectionExprs {
    parquet.projection().expect("invariant: a source of Parquet files has a projection")
}

impl FileSource for ColumnSource {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        scan: &FileScanConfig,
        partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        Ok(Arc::new(open::Opener::new(self.clone(), scan.clone(), store, partition)?))
    }

    fn table_schema(&self) -> &TableSchema {
        self.parquet.table_schema()
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(Self { batch_size, ..self.clone() })
    }

    fn filter(&self) -> Option<Arc<dyn PhysicalExpr>> {
        self.parquet.filter()
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection)
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        self.parquet.metrics()
    }

    fn file_type(&self) -> &str {
        self.parquet.file_type()
    }

    fn fmt_extra(&self, format: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        self.parquet.fmt_extra(format, f)?;
        for (index, condition) in self.conditions.iter().enumerate() {
            write!(f, "{}{}", if index == 0 { ", rows where " } else { " AND " }, condition.expr())?;
        }
        Ok(())
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let mut all = self.parquet.apply_expressions(visit)?;
        for condition in &self.conditions {
            all = all.visit_sibling(|| visit(condition.expr()))?;
        }
        Ok(all)
    }
}
