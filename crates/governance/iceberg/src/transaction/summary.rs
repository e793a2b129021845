//! What a snapshot says of its changes ("Optional Snapshot Summary Fields").

use std::collections::{BTreeMap, BTreeSet};

use crate::manifest::{DataContent, DataFile};
use crate::metadata::{Operation, Snapshot, Summary};

/// Counts of files, rows and bytes.
#[derive(Debug, Default)]
struct Counts {
    data_files: i64,
    records: i64,
    bytes: i64,
    delete_files: i64,
    position_delete_files: i64,
    equality_delete_files: i64,
    position_deletes: i64,
    equality_deletes: i64,
}

impl Counts {
    fn of(files: &[DataFile]) -> Self {
        let mut counts = Self::default();
        for file in files {
            counts.bytes += file.file_size_in_bytes;
            match file.content {
                DataContent::Data => {
                    counts.data_files += 1;
                    counts.records += file.record_count;
                }
                DataContent::PositionDeletes => {
                    counts.delete_files += 1;
                    counts.position_delete_files += 1;
                    counts.position_deletes += file.record_count;
                }
                DataContent::EqualityDeletes => {
                    counts.delete_files += 1;
                    counts.equality_delete_files += 1;
                    counts.equality_deletes += file.record_count;
                }
            }
        }
        counts
    }

    /// The names of the totals with the counts that change them.
    fn totals(&self) -> [(&'static str, i64); 6] {
        [
            ("total-data-files", self.data_files),
            ("total-records", self.records),
            ("total-files-size", self.bytes),
            ("total-delete-files", self.delete_files),
            ("total-position-deletes", self.position_deletes),
            ("total-equality-deletes", self.equality_deletes),
        ]
    }
}

/// The kind of a change.
pub(super) fn operation(added: &[DataFile], removed: &[DataFile], replaces: bool) -> Operation {
    let adds_rows = added.iter().any(|file| file.content == DataContent::Data);
    let deletes = !removed.is_empty() || added.iter().any(|file| file.content != DataContent::Data);
    match (replaces, adds_rows, deletes) {
        (true, ..) => Operation::Replace,
        (_, true, true) => Operation::Overwrite,
        (_, false, true) => Operation::Delete,
        (_, _, false) => Operation::Append,
    }
}

/// The summary of a snapshot that follows a parent.
pub(super) fn summary(
    operation: Operation,
    added: &[DataFile],
    removed: &[DataFile],
    parent: Option<&Snapshot>,
    said: &BTreeMap<String, String>,
) -> Summary {
    let (plus, minus) = (Counts::of(added), Counts::of(removed));
    let mut properties = said.clone();
    let changes = [
        ("added-data-files", plus.data_files),
        ("added-records", plus.records),
        ("added-files-size", plus.bytes),
        ("added-delete-files", plus.delete_files),
        ("added-position-delete-files", plus.position_delete_files),
        ("added-equality-delete-files", plus.equality_delete_files),
        ("added-position-deletes", plus.position_deletes),
        ("added-equality-deletes", plus.equality_deletes),
        ("deleted-data-files", minus.data_files),
        ("deleted-records", minus.records),
        ("removed-files-size", minus.bytes),
        ("removed-delete-files", minus.delete_files),
        ("removed-position-delete-files", minus.position_delete_files),
        ("removed-equality-delete-files", minus.equality_delete_files),
        ("removed-position-deletes", minus.position_deletes),
        ("removed-equality-deletes", minus.equality_deletes),
    ];
    let changes = changes.into_iter().filter(|(_, count)| *count > 0);
    properties.extend(changes.map(|(name, count)| (name.to_owned(), count.to_string())));
    let partitions: BTreeSet<String> =
        added.iter().chain(removed).map(|file| format!("{} {:?}", file.spec_id, file.partition)).collect();
    properties.insert("changed-partition-count".to_owned(), partitions.len().to_string());
    for ((name, plus), (_, minus)) in plus.totals().into_iter().zip(minus.totals()) {
        // Without the parent's total there is none, except at the beginning.
        let before = match parent {
            None => Some(0),
            Some(parent) => parent.summary.properties.get(name).and_then(|total| total.parse::<i64>().ok()),
        };
        if let Some(before) = before {
            properties.insert(name.to_owned(), (before + plus - minus).to_string());
        }
    }
    Summary { operation, properties }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: DataContent, record_count: i64) -> DataFile {
        DataFile { content, record_count, file_size_in_bytes: 10, ..DataFile::default() }
    }

    #[test]
    fn changes_have_their_kind() {
        let (rows, deletes) = (file(DataContent::Data, 1), file(DataContent::PositionDeletes, 1));
        let of = |added: &[&DataFile], removed: &[&DataFile], replaces| {
            let copy = |files: &[&DataFile]| files.iter().map(|file| (*file).clone()).collect::<Vec<_>>();
            operation(&copy(added), &copy(removed), replaces)
        };
        assert_eq!(of(&[&rows], &[], false), Operation::Append);
        assert_eq!(of(&[&rows, &deletes], &[], false), Operation::Overwrite);
        assert_eq!(of(&[&deletes], &[], false), Operation::Delete);
        assert_eq!(of(&[], &[&rows], false), Operation::Delete);
        assert_eq!(of(&[&rows], &[&rows], true), Operation::Replace);
    }

    #[test]
    fn totals_follow_the_parents() {
        let first = summary(Operation::Append, &[file(DataContent::Data, 5)], &[], None, &BTreeMap::new());
        assert_eq!(first.properties["total-records"], "5");
        let parent = Snapshot {
            snapshot_id: 1,
            parent_snapshot_id: None,
            sequence_number: 1,
            timestamp_ms: 0,
            manifest_list: String::new(),
            summary: first,
            schema_id: None,
        };
        let (added, removed) = ([file(DataContent::PositionDeletes, 2)], [file(DataContent::Data, 3)]);
        let next = summary(Operation::Overwrite, &added, &removed, Some(&parent), &BTreeMap::new()).properties;
        assert_eq!((next["total-records"].as_str(), next["total-position-deletes"].as_str()), ("2", "2"));
        assert_eq!((next["deleted-data-files"].as_str(), next["total-files-size"].as_str()), ("1", "10"));
        assert!(!next.contains_key("added-data-files"));
    }
}
