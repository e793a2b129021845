//! Which files are rewritten into larger ones, or into ones without deletes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::manifest::DataFile;
use crate::table::ScanFile;

/// When files are worth to be rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packing {
    /// Files of fewer bytes are too small.
    pub min_bytes: u64,
    /// Files of more bytes are too large.
    pub max_bytes: u64,
    /// A partition with fewer files to be rewritten is left alone, unless one has too many deletes.
    pub min_files: usize,
    /// A file with so many files of deletes has too many.
    pub max_deletes: usize,
}

impl Packing {
    fn has_too_many_deletes(&self, file: &ScanFile) -> bool {
        let deletes = file.position_deletes.len() + file.equality_deletes.len();
        deletes > 0 && deletes >= self.max_deletes
    }

    fn wants(&self, file: &ScanFile) -> bool {
        let size = u64::try_from(file.data_file.file_size_in_bytes).unwrap_or(0);
        size < self.min_bytes || size > self.max_bytes || self.has_too_many_deletes(file)
    }
}

/// The files among those that are `chosen` that are worth to be rewritten.
pub fn worthwhile<'a>(
    files: &'a [ScanFile],
    chosen: impl Fn(&ScanFile) -> bool,
    packing: &Packing,
) -> Vec<&'a ScanFile> {
    let mut partitions: BTreeMap<String, Vec<&ScanFile>> = BTreeMap::new();
    for file in files.iter().filter(|file| chosen(file) && packing.wants(file)) {
        let key = format!("{}/{:?}", file.data_file.spec_id, file.data_file.partition);
        partitions.entry(key).or_default().push(file);
    }
    let pays = |group: &Vec<&ScanFile>| {
        let too_large =
            |file: &&ScanFile| u64::try_from(file.data_file.file_size_in_bytes).unwrap_or(0) > packing.max_bytes;
        let enough = group.len() > 1 && group.len() >= packing.min_files;
        enough || group.iter().any(|file| packing.has_too_many_deletes(file) || too_large(file))
    };
    partitions.into_values().filter(pays).flatten().collect()
}

/// The files of deletes that apply to no file but these.
pub fn deletes_only_for(files: &[ScanFile], rewritten: &BTreeSet<String>) -> Vec<DataFile> {
    let mut needed = BTreeSet::new();
    let mut found: BTreeMap<String, Arc<DataFile>> = BTreeMap::new();
    for file in files {
        for delete in file.position_deletes.iter().chain(&file.equality_deletes) {
            found.insert(delete.file_path.clone(), Arc::clone(delete));
            if !rewritten.contains(&file.data_file.file_path) {
                needed.insert(delete.file_path.clone());
            }
        }
    }
    found.into_values().filter(|delete| !needed.contains(&delete.file_path)).map(|delete| (*delete).clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::DataContent;

    const PACKING: Packing = Packing { min_bytes: 75, max_bytes: 180, min_files: 3, max_deletes: 2 };

    fn file(path: &str, size: i64, spec_id: i32, deletes: &[&str]) -> ScanFile {
        let delete = |path: &&str| {
            let content = DataContent::PositionDeletes;
            Arc::new(DataFile { content, file_path: (*path).to_owned(), ..DataFile::default() })
        };
        ScanFile {
            data_file: DataFile { file_path: path.into(), file_size_in_bytes: size, spec_id, ..DataFile::default() },
            sequence_number: 1,
            position_deletes: deletes.iter().map(delete).collect(),
            equality_deletes: Vec::new(),
        }
    }

    fn paths(files: &[ScanFile]) -> Vec<&str> {
        worthwhile(files, |_| true, &PACKING).into_iter().map(|file| file.data_file.file_path.as_str()).collect()
    }

    #[test]
    fn small_files_are_packed_when_there_are_enough() {
        let few = [file("a", 10, 0, &[]), file("b", 10, 0, &[]), file("c", 90, 0, &[])];
        assert_eq!(paths(&few), [] as [&str; 0]);
        let enough = [file("a", 10, 0, &[]), file("b", 10, 0, &[]), file("c", 90, 0, &[]), file("d", 20, 0, &[])];
        assert_eq!(paths(&enough), ["a", "b", "d"]);
        let elsewhere = [file("a", 10, 0, &[]), file("b", 10, 0, &[]), file("d", 20, 1, &[])];
        assert_eq!(paths(&elsewhere), [] as [&str; 0]);
    }

    #[test]
    fn deletes_and_size_make_even_one_file_worthwhile() {
        assert_eq!(paths(&[file("a", 90, 0, &["x"])]), [] as [&str; 0]);
        assert_eq!(paths(&[file("a", 90, 0, &["x", "y"])]), ["a"]);
        assert_eq!(paths(&[file("a", 200, 0, &[])]), ["a"]);
    }

    #[test]
    fn deletes_go_with_the_last_file_that_they_apply_to() {
        let files = [file("a", 1, 0, &["x", "y"]), file("b", 1, 0, &["y"])];
        let rewritten = BTreeSet::from(["a".to_owned()]);
        let gone = deletes_only_for(&files, &rewritten);
        assert_eq!(gone.iter().map(|file| file.file_path.as_str()).collect::<Vec<_>>(), ["x"]);
    }
}
