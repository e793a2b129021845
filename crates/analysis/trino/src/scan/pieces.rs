//! Cutting Parquet files into pieces of whole row groups, so that threads which are done take over work from others.

use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileGroup;
use parquet::file::metadata::ParquetMetaData;

/// How many pieces a thread has to do on average.
const PIECES: u64 = 8;
/// What makes opening a piece worth while, in bytes.
const SMALLEST: u64 = 4 << 20;

/// A file and where its row groups begin.
pub(super) struct Described {
    pub(super) file: PartitionedFile,
    pub(super) row_groups: Vec<u64>,
}

/// Where the row groups begin, by the page that decides which piece of a file they belong to.
pub(super) fn starts(metadata: &ParquetMetaData) -> Vec<u64> {
    let first_page = |column: &parquet::file::metadata::ColumnChunkMetaData| {
        column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset())
    };
    let columns = metadata.row_groups().iter().filter_map(|group| group.columns().first());
    columns.filter_map(|column| u64::try_from(first_page(column)).ok()).collect()
}

/// The files in pieces, dealt out to so many threads.
pub(super) fn groups(files: Vec<Described>, threads: usize) -> Vec<FileGroup> {
    let total: u64 = files.iter().map(|described| described.file.object_meta.size).sum();
    let size = (total / (threads as u64 * PIECES)).max(SMALLEST);
    let pieces: Vec<PartitionedFile> = files.into_iter().flat_map(|described| cut(described, size)).collect();
    let each = pieces.len().div_ceil(threads).max(1);
    pieces.chunks(each).map(|group| FileGroup::new(group.to_vec())).collect()
}

fn cut(described: Described, size: u64) -> Vec<PartitionedFile> {
    let Described { file, row_groups } = described;
    let end = file.object_meta.size;
    let mut cuts = vec![0];
    for start in row_groups {
        if start >= cuts.last().copied().unwrap_or(0) + size && start < end {
            cuts.push(start);
        }
    }
    if cuts.len() == 1 {
        return vec![file];
    }
    let ends = cuts.iter().skip(1).copied().chain([end]);
    let piece = |(start, end): (u64, u64)| file.clone().with_range(start as i64, end as i64);
    cuts.iter().copied().zip(ends).map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(size: u64, row_groups: &[u64], piece: u64) -> Vec<Option<(i64, i64)>> {
        let file = PartitionedFile::new("a", size);
        let pieces = cut(Described { file, row_groups: row_groups.to_vec() }, piece);
        pieces.into_iter().map(|piece| piece.range.map(|range| (range.start, range.end))).collect()
    }

    #[test]
    fn pieces_are_whole_row_groups_and_miss_nothing() {
        assert_eq!(ranges(100, &[4, 34, 64], 200), [None]);
        assert_eq!(ranges(100, &[4, 34, 64], 30), [Some((0, 34)), Some((34, 64)), Some((64, 100))]);
        assert_eq!(ranges(100, &[4, 34, 64], 40), [Some((0, 64)), Some((64, 100))]);
        assert_eq!(ranges(100, &[], 10), [None]);
    }

    #[test]
    fn every_thread_gets_pieces() {
        let file = || Described {
            file: PartitionedFile::new("a", 100 << 20),
            row_groups: (0..100).map(|mb| mb << 20).collect(),
        };
        let groups = groups(vec![file(), file()], 2);
        assert_eq!(groups.len(), 2);
        assert!(groups.iter().all(|group| group.len() > 4));
    }
}
