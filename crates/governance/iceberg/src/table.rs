//! A table as readers see it.

mod deletes;
mod prune;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};

use crate::error::{Error, Result};
use crate::files::Files;
use crate::kept;
use crate::maintenance::reach;
use crate::manifest::{DataContent, DataFile, FileFormat, ManifestContent, ManifestEntry, ManifestFile};
use crate::metadata::{PartitionColumn, Snapshot, TableMetadata};
use crate::predicate::Predicate;
use deletes::Deletes;
pub(crate) use deletes::may_name;
pub use deletes::{DELETE_FILE_PATH, DELETE_FILE_POS};

/// How many manifests are read at the same time.
const CONCURRENCY: usize = 16;

/// A table at one of its states.
#[derive(Debug, Clone)]
pub struct Table {
    files: Arc<dyn Files>,
    metadata_location: String,
    metadata: Arc<TableMetadata>,
}

/// A file to read, and what is deleted in it.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanFile {
    /// The file, with the values of its partition.
    pub data_file: DataFile,
    /// The place of its rows in the order of changes.
    pub sequence_number: i64,
    /// Files that name rows by their places.
    pub position_deletes: Vec<Arc<DataFile>>,
    /// Files that name rows by their values.
    pub equality_deletes: Vec<Arc<DataFile>>,
}

impl Table {
    /// Reads a table's metadata.
    ///
    /// # Errors
    /// The file can't be read, or holds nothing that is understood.
    pub async fn load(files: Arc<dyn Files>, metadata_location: &str) -> Result<Self> {
        let metadata = kept::metadata(files.as_ref(), metadata_location).await?;
        Ok(Self { files, metadata_location: metadata_location.to_owned(), metadata })
    }

    /// A table whose metadata is known.
    pub fn new(files: Arc<dyn Files>, metadata_location: String, metadata: TableMetadata) -> Self {
        Self { files, metadata_location, metadata: Arc::new(metadata) }
    }

    /// The table's state.
    pub fn metadata(&self) -> &Arc<TableMetadata> {
        &self.metadata
    }

    /// The file that holds the state.
    pub fn metadata_location(&self) -> &str {
        &self.metadata_location
    }

    /// How files are reached.
    pub fn files(&self) -> &Arc<dyn Files> {
        &self.files
    }

    /// A snapshot's manifests.
    ///
    /// # Errors
    /// The list can't be read.
    pub async fn manifests(&self, snapshot: &Snapshot) -> Result<Vec<ManifestFile>> {
        Ok(Arc::unwrap_or_clone(kept::list(self.files.as_ref(), &snapshot.manifest_list).await?))
    }

    /// The columns of the partitions of a manifest's files.
    ///
    /// # Errors
    /// The table has no such spec.
    pub fn partition_columns(&self, spec_id: i32) -> Result<Vec<PartitionColumn>> {
        let spec = self.metadata.spec(spec_id);
        let spec = spec.ok_or_else(|| Error::invalid(format!("The table has no partition spec {spec_id}")))?;
        self.metadata.partition_columns(spec)
    }

    /// A manifest's entries, also of deleted files, with all that they inherit.
    ///
    /// # Errors
    /// The manifest can't be read.
    pub async fn entries(&self, manifest: &ManifestFile) -> Result<Vec<ManifestEntry>> {
        Ok(Arc::unwrap_or_clone(self.shared_entries(manifest).await?))
    }

    async fn shared_entries(&self, manifest: &ManifestFile) -> Result<Arc<Vec<ManifestEntry>>> {
        let columns = self.partition_columns(manifest.partition_spec_id)?;
        kept::entries(self.files.as_ref(), manifest, columns).await
    }

    /// All files of a snapshot: of rows and of deletes.
    ///
    /// # Errors
    /// A manifest can't be read.
    pub async fn live_entries(&self, snapshot: &Snapshot) -> Result<Vec<ManifestEntry>> {
        let manifests = self.manifests(snapshot).await?;
        let manifests: Vec<_> = manifests.into_iter().filter(ManifestFile::has_live_files).collect();
        self.read_all(&manifests, &ManifestEntry::is_live).await
    }

    /// The entries that are wanted of some manifests.
    async fn read_all(
        &self,
        manifests: &[ManifestFile],
        wanted: &(dyn Fn(&ManifestEntry) -> bool + Sync),
    ) -> Result<Vec<ManifestEntry>> {
        let reads: Vec<_> = manifests.iter().map(|manifest| self.shared_entries(manifest)).collect();
        let read: Vec<_> = futures::stream::iter(reads).buffered(CONCURRENCY).try_collect().await?;
        let wanted = |entries: &Arc<Vec<ManifestEntry>>| {
            entries.iter().filter(|entry| wanted(entry)).cloned().collect::<Vec<_>>()
        };
        Ok(read.iter().flat_map(wanted).collect())
    }

    /// All files that the table's metadata names: metadata files, manifest lists, manifests, files of rows and of deletes. Earlier metadata
    /// files may be gone already.
    ///
    /// # Errors
    /// A manifest list or a manifest can't be read.
    pub async fn reachable(&self) -> Result<BTreeSet<String>> {
        let metadata = &self.metadata;
        let mut all = reach::of_metadata(&self.metadata_location, metadata);
        let mut manifests: BTreeMap<String, ManifestFile> = BTreeMap::new();
        for snapshot in &metadata.snapshots {
            all.insert(snapshot.manifest_list.clone());
            let listed = self.manifests(snapshot).await?;
            manifests.extend(listed.into_iter().map(|manifest| (manifest.manifest_path.clone(), manifest)));
        }
        let read: Vec<ManifestFile> = manifests.values().cloned().collect();
        all.extend(manifests.into_keys());
        all.extend(self.read_all(&read, &|_| true).await?.into_iter().map(|entry| entry.data_file.file_path));
        Ok(all)
    }

    /// The files in which a snapshot's rows may fulfil a condition, with the deletes that apply to them. The condition's field ids are the
    /// schema's; whoever reads the files tests it again.
    ///
    /// # Errors
    /// A manifest can't be read, or a file is of a kind that isn't supported.
    pub async fn scan(&self, snapshot: &Snapshot, filter: &Predicate) -> Result<Vec<ScanFile>> {
        let manifests = self.manifests(snapshot).await?;
        let mut specs: HashMap<i32, Vec<PartitionColumn>> = HashMap::new();
        for manifest in &manifests {
            let id = manifest.partition_spec_id;
            specs.insert(id, self.partition_columns(id)?);
        }
        let wanted = |manifest: &&ManifestFile| {
            manifest.has_live_files()
                && prune::manifest_may_match(manifest, &specs[&manifest.partition_spec_id], filter)
        };
        let (of_rows, of_deletes): (Vec<ManifestFile>, Vec<ManifestFile>) =
            manifests.iter().filter(wanted).cloned().partition(|manifest| manifest.content == ManifestContent::Data);
        let schema = self.metadata.current_schema();
        let may_match = |entry: &ManifestEntry| {
            entry.is_live()
                && prune::partition_may_match(&entry.data_file, &specs[&entry.data_file.spec_id], filter)
                && prune::columns_may_match(&entry.data_file, schema, filter)
        };
        let entries = self.read_all(&of_rows, &may_match).await?;
        let deletes = if entries.is_empty() { Vec::new() } else { self.read_all(&of_deletes, &|_| true).await? };
        let deletes = Deletes::new(&self.metadata, deletes)?;
        entries.into_iter().map(|entry| scan_file(entry, &deletes)).collect()
    }
}

fn scan_file(entry: ManifestEntry, deletes: &Deletes) -> Result<ScanFile> {
    let ManifestEntry { sequence_number, data_file, .. } = entry;
    if data_file.content != DataContent::Data || data_file.file_format == FileFormat::Puffin {
        return Err(Error::invalid(format!("{} is no file of rows", data_file.file_path)));
    }
    let sequence_number = sequence_number.unwrap_or(0);
    let position_deletes = deletes.by_position(&data_file, sequence_number);
    let equality_deletes = deletes.by_values(&data_file, sequence_number);
    Ok(ScanFile { data_file, sequence_number, position_deletes, equality_deletes })
}

#[cfg(test)]
mod tests;
