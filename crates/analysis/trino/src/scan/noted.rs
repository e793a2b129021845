//! What the scans of a plan read, for EXPLAIN: DataFusion's operators know files and columns, and no tables.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::Session as PlanSession;
use datafusion::common::ScalarValue;
use parking_lot::Mutex;

use super::DataFile;
use crate::catalog::TableDefinition;

/// A table as one scan reads it.
#[derive(Debug, Clone)]
pub(crate) struct Scanned {
    pub(crate) table: Arc<TableDefinition>,
    /// The values of the keys of the partitions that are read, each once.
    pub(crate) partitions: Vec<Vec<ScalarValue>>,
    /// The size of the files.
    pub(crate) bytes: u64,
}

/// The scans of a plan, by the schema that was made for each.
#[derive(Debug, Default)]
pub(crate) struct Noted(Mutex<Vec<(SchemaRef, Scanned)>>);

impl Noted {
    /// What the scan with this very schema reads.
    pub(crate) fn find(&self, schema: &SchemaRef) -> Option<Scanned> {
        let noted = self.0.lock();
        noted.iter().find(|(known, _)| Arc::ptr_eq(known, schema)).map(|(_, scanned)| scanned.clone())
    }
}

/// Notes a scan, if the session wants to know.
pub(super) fn note(state: &dyn PlanSession, schema: &SchemaRef, table: &Arc<TableDefinition>, files: &[DataFile]) {
    let Some(noted) = state.config().get_extension::<Noted>() else { return };
    let keys = table.partition_keys.len();
    let mut partitions: Vec<Vec<ScalarValue>> = Vec::new();
    for file in files {
        let values = &file.constants[..keys];
        if keys > 0 && !partitions.iter().any(|known| known == values) {
            partitions.push(values.to_vec());
        }
    }
    let bytes = files.iter().map(|file| file.meta.size).sum();
    noted.0.lock().push((Arc::clone(schema), Scanned { table: Arc::clone(table), partitions, bytes }));
}
