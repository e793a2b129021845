//! Which numbers the row groups of Parquet files have in a column.

use std::ops::RangeInclusive;
use std::sync::Arc;

use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileScanConfig;
use parquet::basic::LogicalType;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;

use super::columns::Footer;
use super::pieces;

/// A row group as far as one of its columns goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowGroup {
    /// How many rows it has.
    pub(crate) rows: u64,
    /// In which range all of the column's values are that are not NULL.
    pub(crate) values: RangeInclusive<i64>,
}

/// All row groups of a scan, for the column with this name in the files, one of whole numbers; none if one of the footers
/// doesn't tell.
pub(crate) fn row_groups(scan: &FileScanConfig, column: &str) -> Option<Vec<RowGroup>> {
    let files = scan.file_groups.iter().flat_map(|group| group.iter());
    files.map(|file| of_file(file, column)).collect::<Option<Vec<_>>>().map(|files| files.concat())
}

fn of_file(file: &PartitionedFile, column: &str) -> Option<Vec<RowGroup>> {
    let footer = &file.extension::<Arc<Footer>>()?.metadata;
    let leaves = footer.file_metadata().schema_descr().columns();
    let leaf = leaves.iter().position(|leaf| leaf.path().parts() == [column])?;
    if matches!(leaves[leaf].logical_type_ref(), Some(LogicalType::Integer(number)) if !number.is_signed) {
        return None;
    }
    let starts = pieces::starts(footer);
    let is_read = |start: u64| {
        let in_range = |range: &datafusion::datasource::listing::FileRange| {
            (range.start..range.end).contains(&i64::try_from(start).unwrap_or(i64::MAX))
        };
        file.range.as_ref().is_none_or(in_range)
    };
    let groups = footer.row_groups().iter().zip(starts).filter(|(_, start)| is_read(*start));
    groups.map(|(group, _)| of_row_group(group, leaf)).collect()
}

fn of_row_group(group: &RowGroupMetaData, leaf: usize) -> Option<RowGroup> {
    let values = match group.column(leaf).statistics()? {
        Statistics::Int32(values) => i64::from(*values.min_opt()?)..=i64::from(*values.max_opt()?),
        Statistics::Int64(values) => *values.min_opt()?..=*values.max_opt()?,
        _ => return None,
    };
    Some(RowGroup { rows: u64::try_from(group.num_rows()).ok()?, values })
}
