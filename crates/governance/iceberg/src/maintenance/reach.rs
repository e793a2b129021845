//! Which files a table's snapshots lead to.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt};

use crate::error::Result;
use crate::manifest::{ManifestEntry, ManifestFile};
use crate::metadata::{Snapshot, TableMetadata};
use crate::table::Table;

/// How many manifests are read at the same time.
const CONCURRENCY: usize = 16;

/// Whether files count that a snapshot has deleted itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// Only what the snapshots' rows are made of.
    Live,
    /// All that the snapshots' manifests name.
    Named,
}

/// The files that these snapshots lead to: lists, manifests, files of rows and deletes.
///
/// # Errors
/// A list or manifest can't be read.
pub async fn of_snapshots(table: &Table, snapshots: &[Snapshot], counting: Counting) -> Result<BTreeSet<String>> {
    let mut files = BTreeSet::new();
    for snapshot in snapshots {
        let manifests = table.manifests(snapshot).await?;
        files.insert(snapshot.manifest_list.clone());
        // Snapshots share most of their manifests.
        let new: Vec<ManifestFile> =
            manifests.into_iter().filter(|manifest| !files.contains(&manifest.manifest_path)).collect();
        let reads: Vec<_> = new.iter().map(|manifest| table.entries(manifest)).collect();
        let entries: Vec<Vec<ManifestEntry>> = futures::stream::iter(reads).buffered(CONCURRENCY).try_collect().await?;
        files.extend(new.into_iter().map(|manifest| manifest.manifest_path));
        let counted = entries.into_iter().flatten().filter(|entry| counting == Counting::Named || entry.is_live());
        files.extend(counted.map(|entry| entry.data_file.file_path));
    }
    Ok(files)
}

/// The files that the metadata itself names: the earlier metadata, statistics.
pub fn of_metadata(location: &str, metadata: &TableMetadata) -> BTreeSet<String> {
    let earlier = metadata.metadata_log.iter().map(|entry| entry.metadata_file.clone());
    let statistics = metadata.statistics.iter().chain(&metadata.partition_statistics);
    let statistics = statistics.map(|file| file.statistics_path.clone());
    earlier.chain(statistics).chain([location.to_owned()]).collect()
}
