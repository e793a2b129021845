//! Which deletes apply to a file ("Scan Planning").

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::manifest::{DataContent, DataFile, FileFormat, ManifestEntry};
use crate::metadata::{PartitionSpec, TableMetadata};

/// The field id of the column of paths in files of position deletes.
pub const DELETE_FILE_PATH: i32 = 2_147_483_546;
/// The field id of the column of places in files of position deletes.
pub const DELETE_FILE_POS: i32 = 2_147_483_545;

/// The files of deletes of a snapshot with their sequence numbers.
pub(super) struct Deletes {
    by_position: Vec<(i64, Arc<DataFile>)>,
    /// With whether they apply to every partition.
    by_values: Vec<(i64, bool, Arc<DataFile>)>,
}

impl Deletes {
    pub(super) fn new(table: &TableMetadata, entries: Vec<ManifestEntry>) -> Result<Self> {
        let (mut by_position, mut by_values) = (Vec::new(), Vec::new());
        for entry in entries.into_iter().filter(ManifestEntry::is_live) {
            let number = entry.sequence_number.unwrap_or(0);
            let file = Arc::new(entry.data_file);
            if file.file_format == FileFormat::Puffin {
                return Err(Error::Unsupported("deletion vector".to_owned()));
            }
            match file.content {
                DataContent::Data => {}
                DataContent::PositionDeletes => by_position.push((number, file)),
                DataContent::EqualityDeletes => {
                    let everywhere = table.spec(file.spec_id).is_some_and(PartitionSpec::is_unpartitioned);
                    by_values.push((number, everywhere, file));
                }
            }
        }
        Ok(Self { by_position, by_values })
    }

    /// Deletes by position apply to files that were there before, or came at the same time.
    pub(super) fn by_position(&self, file: &DataFile, sequence_number: i64) -> Vec<Arc<DataFile>> {
        let applies = |(number, delete): &&(i64, Arc<DataFile>)| {
            sequence_number <= *number && same_partition(file, delete) && may_name(delete, &file.file_path)
        };
        self.by_position.iter().filter(applies).map(|(_, delete)| Arc::clone(delete)).collect()
    }

    /// Deletes by values apply only to files that were there before.
    pub(super) fn by_values(&self, file: &DataFile, sequence_number: i64) -> Vec<Arc<DataFile>> {
        let applies = |(number, everywhere, delete): &&(i64, bool, Arc<DataFile>)| {
            sequence_number < *number && (*everywhere || same_partition(file, delete))
        };
        self.by_values.iter().filter(applies).map(|(_, _, delete)| Arc::clone(delete)).collect()
    }
}

fn same_partition(file: &DataFile, delete: &DataFile) -> bool {
    file.spec_id == delete.spec_id && file.partition == delete.partition
}

/// Whether a file of position deletes may be about a data file.
pub(crate) fn may_name(delete: &DataFile, path: &str) -> bool {
    if let Some(only) = &delete.referenced_data_file {
        return only == path;
    }
    let path = path.as_bytes();
    let lower = delete.lower_bounds.get(&DELETE_FILE_PATH);
    let upper = delete.upper_bounds.get(&DELETE_FILE_PATH);
    lower.is_none_or(|lower| lower.as_slice() <= path) && upper.is_none_or(|upper| path <= upper.as_slice())
}
