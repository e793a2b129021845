//! Texts that a Parquet file keeps as places in dictionaries.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileScanConfig;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

/// How many bytes a row group's dictionary may take for it to be worth a look at each of its texts.
const LARGEST: i64 = 16 << 10;

/// The columns of a file whose texts all stand in small dictionaries.
#[derive(Debug)]
pub(crate) struct Dictionaries {
    /// The file's schema, in which these columns have dictionaries.
    schema: SchemaRef,
    /// Their places in the table.
    columns: BTreeSet<usize>,
}

impl Dictionaries {
    /// What the footer says, if there are such columns. `renamed` has the table's columns under the file's names.
    pub(super) fn of(footer: &ParquetMetaData, file: &Schema, renamed: &Schema) -> Option<Self> {
        let columns: BTreeSet<usize> = (0..renamed.fields().len())
            .filter(|index| {
                let field = renamed.field(*index);
                let is_text = |field: &Field| *field.data_type() == DataType::Utf8;
                is_text(field)
                    && file.field_with_name(field.name()).is_ok_and(is_text)
                    && is_in_dictionaries(footer, field.name())
            })
            .collect();
        if columns.is_empty() {
            return None;
        }
        let names: BTreeSet<&String> = columns.iter().map(|index| renamed.field(*index).name()).collect();
        let fields = file.fields().iter().map(|field| match names.contains(field.name()) {
            true => Arc::new(field.as_ref().clone().with_data_type(dictionary())),
            false => Arc::clone(field),
        });
        let schema = Schema::new_with_metadata(fields.collect::<Vec<_>>(), file.metadata().clone());
        Some(Self { schema: Arc::new(schema), columns })
    }

    /// The places in the table of the columns that have dictionaries in all files of a scan.
    pub(crate) fn shared(scan: &FileScanConfig) -> BTreeSet<usize> {
        let files = scan.file_groups.iter().flat_map(|group| group.iter());
        let columns = files.map(|file| file.extension::<Arc<Self>>().map(|found| found.columns.clone()));
        columns.reduce(|all, next| all?.intersection(&next?).copied().map(Some).collect()).flatten().unwrap_or_default()
    }

    /// The file, to be read with its dictionaries.
    pub(crate) fn kept(file: &PartitionedFile) -> PartitionedFile {
        match file.extension::<Arc<Self>>() {
            Some(found) => file.clone().with_arrow_schema(Arc::clone(&found.schema)),
            None => file.clone(),
        }
    }
}

/// The type of texts in a dictionary.
pub(crate) fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

fn is_in_dictionaries(footer: &ParquetMetaData, name: &str) -> bool {
    let leaves = footer.file_metadata().schema_descr().columns();
    let Some(leaf) = leaves.iter().position(|leaf| leaf.path().parts() == [name]) else { return false };
    footer.row_groups().iter().all(|group| is_in_dictionary(group.column(leaf)))
}

fn is_in_dictionary(chunk: &ColumnChunkMetaData) -> bool {
    let is_small = |at: i64| (0..LARGEST).contains(&(chunk.data_page_offset() - at));
    boathouse_parquet::is_in_dictionary(chunk) && chunk.dictionary_page_offset().is_some_and(is_small)
}
