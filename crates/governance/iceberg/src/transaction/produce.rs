//! Writing a snapshot's manifests and their list.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{Change, Transaction, names, summary};
use crate::error::{Error, Result};
use crate::files;
use crate::manifest::{
    DataContent, DataFile, ManifestContent, ManifestEntry, ManifestFile, ManifestHeader, ManifestWriter, Status, write_list,
};
use crate::metadata::{PartitionColumn, Snapshot};
use crate::table::Table;

/// So many manifests of one spec are merged into one, unless the table's property says otherwise.
const MERGED: usize = 100;
/// The property that says how many manifests are merged.
const MERGED_PROPERTY: &str = "commit.manifest.min-count-to-merge";
/// The property that says whether manifests are merged at all.
const MERGES_PROPERTY: &str = "commit.manifest-merge.enabled";
/// Larger manifests stay as they are.
const LARGEST_MERGED: i64 = 8 << 20;

impl Transaction {
    /// Writes what makes a snapshot out of a change. Each file is noted before it is written.
    pub(super) async fn snapshot(
        &self,
        table: &Table,
        change: &Change,
        attempt: u32,
        now_ms: i64,
        written: &mut Vec<String>,
    ) -> Result<Snapshot> {
        let metadata = table.metadata();
        let parent = metadata.refs.get(&self.branch).and_then(|branch| metadata.snapshot(branch.snapshot_id));
        let snapshot_id = fresh_snapshot_id(table);
        let mut writing = Writing {
            table,
            snapshot_id,
            sequence_number: metadata.last_sequence_number + 1,
            id: self.file_id(attempt),
            manifests: Vec::new(),
            written: &mut *written,
        };
        let before = match parent {
            Some(parent) => table.manifests(parent).await?,
            None => Vec::new(),
        };
        let removed = writing.added_and_kept(before, change).await?;
        writing.merge().await?;
        let Writing { sequence_number, id, manifests, .. } = writing;
        let operation = summary::operation(&change.added, &removed, change.replaces);
        let list = names::list(&metadata.location, &metadata.properties, snapshot_id, &id);
        let snapshot = Snapshot {
            snapshot_id,
            parent_snapshot_id: parent.map(|parent| parent.snapshot_id),
            sequence_number,
            timestamp_ms: now_ms.max(metadata.last_updated_ms),
            manifest_list: list.clone(),
            summary: summary::summary(operation, &change.added, &removed, parent, &self.properties),
            schema_id: Some(metadata.current_schema_id),
        };
        written.push(list.clone());
        files::write(table.files().as_ref(), &list, write_list(&snapshot, &manifests)?).await?;
        Ok(snapshot)
    }
}

fn fresh_snapshot_id(table: &Table) -> i64 {
    loop {
        let bits = Uuid::new_v4().as_u128();
        let id = ((bits >> 64) as i64 ^ bits as i64) & i64::MAX;
        if table.metadata().snapshot(id).is_none() {
            return id;
        }
    }
}

/// The manifests of a snapshot that is being made.
struct Writing<'a> {
    table: &'a Table,
    snapshot_id: i64,
    sequence_number: i64,
    id: String,
    manifests: Vec<ManifestFile>,
    written: &'a mut Vec<String>,
}

impl Writing<'_> {
    /// New manifests of the files that come, then the old ones without the files that go. Answers the latter as the table knew them.
    async fn added_and_kept(&mut self, before: Vec<ManifestFile>, change: &Change) -> Result<Vec<DataFile>> {
        let mut groups: BTreeMap<(i32, bool), Vec<ManifestEntry>> = BTreeMap::new();
        for file in &change.added {
            let is_rows = file.content == DataContent::Data;
            let entry = ManifestEntry {
                snapshot_id: Some(self.snapshot_id),
                sequence_number: change.sequence_number.filter(|_| is_rows),
                ..ManifestEntry::added(file.clone())
            };
            groups.entry((file.spec_id, !is_rows)).or_default().push(entry);
        }
        for ((spec, deletes), entries) in groups {
            let content = if deletes { ManifestContent::Deletes } else { ManifestContent::Data };
            self.write(spec, content, &entries).await?;
        }
        let mut going: BTreeSet<&str> = change.removed.iter().map(|file| file.file_path.as_str()).collect();
        let specs: BTreeSet<i32> = change.removed.iter().map(|file| file.spec_id).collect();
        let mut removed = Vec::with_capacity(change.removed.len());
        for manifest in before.into_iter().filter(ManifestFile::has_live_files) {
            if going.is_empty() || !specs.contains(&manifest.partition_spec_id) {
                self.manifests.push(manifest);
                continue;
            }
            let entries = self.table.entries(&manifest).await?;
            let live: Vec<ManifestEntry> = entries.into_iter().filter(ManifestEntry::is_live).collect();
            if !live.iter().any(|entry| going.contains(entry.data_file.file_path.as_str())) {
                self.manifests.push(manifest);
                continue;
            }
            let kept: Vec<ManifestEntry> = live
                .into_iter()
                .map(|entry| match going.remove(entry.data_file.file_path.as_str()) {
                    true => ManifestEntry { status: Status::Deleted, snapshot_id: Some(self.snapshot_id), ..entry },
                    false => ManifestEntry { status: Status::Existing, ..entry },
                })
                .collect();
            removed.extend(kept.iter().filter(|entry| !entry.is_live()).map(|entry| entry.data_file.clone()));
            self.write(manifest.partition_spec_id, manifest.content, &kept).await?;
        }
        match going.first() {
            Some(path) => Err(Error::Changed(format!("Others have removed a file that this change removes: {path}"))),
            None => Ok(removed),
        }
    }

    async fn write(&mut self, spec_id: i32, content: ManifestContent, entries: &[ManifestEntry]) -> Result<()> {
        let metadata = self.table.metadata();
        let spec = metadata.spec(spec_id);
        let spec = spec.ok_or_else(|| Error::invalid(format!("The table has no partition spec {spec_id}")))?;
        let columns: Vec<PartitionColumn> = metadata.partition_columns(spec)?;
        let header = ManifestHeader { schema: metadata.current_schema(), spec, columns: &columns, content };
        let mut writer = ManifestWriter::new(header, self.snapshot_id);
        for entry in entries {
            writer.add(entry)?;
        }
        let path = names::manifest(&metadata.location, &metadata.properties, &self.id, self.written.len());
        self.written.push(path.clone());
        let manifest = writer.finish(path.clone(), self.sequence_number)?;
        files::write(self.table.files().as_ref(), &path, manifest.content).await?;
        self.manifests.push(manifest.file);
        Ok(())
    }

    /// Many small manifests become one, so that a table of many small commits stays readable.
    async fn merge(&mut self) -> Result<()> {
        let metadata = self.table.metadata();
        let least = metadata.property(MERGED_PROPERTY).unwrap_or(MERGED).max(2);
        if metadata.properties.get(MERGES_PROPERTY).is_some_and(|value| value == "false") || self.manifests.len() < least {
            return Ok(());
        }
        let mut groups: BTreeMap<i32, usize> = BTreeMap::new();
        for manifest in self.manifests.iter().filter(|manifest| is_small(manifest)) {
            *groups.entry(manifest.partition_spec_id).or_default() += 1;
        }
        for (spec, _) in groups.into_iter().filter(|(_, count)| *count >= least) {
            let all = std::mem::take(&mut self.manifests);
            let (merged, kept): (Vec<_>, Vec<_>) =
                all.into_iter().partition(|manifest| manifest.partition_spec_id == spec && is_small(manifest));
            let mut entries = Vec::new();
            for manifest in &merged {
                let own = manifest.added_snapshot_id == self.snapshot_id;
                for entry in self.table.entries(manifest).await? {
                    entries.extend(carried(entry, own, self.snapshot_id));
                }
            }
            self.write(spec, ManifestContent::Data, &entries).await?;
            self.manifests.extend(kept);
            let superfluous = merged.into_iter().map(|manifest| manifest.manifest_path);
            let superfluous: Vec<String> = superfluous.filter(|path| self.written.contains(path)).collect();
            files::delete(self.table.files().as_ref(), &superfluous).await?;
        }
        Ok(())
    }
}

fn is_small(manifest: &ManifestFile) -> bool {
    manifest.content == ManifestContent::Data && manifest.manifest_length < LARGEST_MERGED
}

/// An entry in a merged manifest: what this snapshot did with a file is kept, what earlier ones did is past.
fn carried(entry: ManifestEntry, own: bool, snapshot: i64) -> Option<ManifestEntry> {
    match entry.status {
        Status::Deleted => (entry.snapshot_id == Some(snapshot)).then_some(entry),
        Status::Added if own => Some(entry),
        _ => Some(ManifestEntry { status: Status::Existing, ..entry }),
    }
}
