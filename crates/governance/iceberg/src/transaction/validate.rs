//! Whether a change still makes sense on a state that others have changed.

use std::collections::{BTreeMap, BTreeSet};

use super::Change;
use crate::error::{Error, Result};
use crate::manifest::{DataContent, DataFile, ManifestContent, ManifestEntry, ManifestFile};
use crate::metadata::Snapshot;
use crate::table::{Table, may_name};

/// Tests a change that was made for one state of a table against another, which follows it.
pub(super) async fn change(base: &Table, now: &Table, branch: &str, change: &Change) -> Result<()> {
    let Change { removed, depends_on, isolated, .. } = change;
    let Some(begun) = head(base, branch) else {
        // There was nothing to depend on.
        return match (removed.first().or(depends_on.first()), isolated, head(now, branch)) {
            (Some(file), ..) => Err(gone(file)),
            (None, Some(_), Some(_)) => Err(Error::Changed("Others have added rows meanwhile".to_owned())),
            _ => Ok(()),
        };
    };
    let Some(current) = head(now, branch) else {
        return if removed.is_empty() && depends_on.is_empty() { Ok(()) } else { Err(Error::Changed("The table was emptied".to_owned())) };
    };
    if current.snapshot_id == begun.snapshot_id {
        return Ok(());
    }
    let manifests = now.manifests(current).await?;
    still_there(now, &manifests, removed.iter().chain(depends_on)).await?;
    let since = begun.sequence_number;
    for manifest in manifests.iter().filter(|manifest| manifest.sequence_number > since && manifest.has_live_files()) {
        let needed: Vec<&DataFile> = match manifest.content {
            ManifestContent::Deletes => depends_on.iter().chain(removed).filter(|file| file.content == DataContent::Data).collect(),
            ManifestContent::Data => Vec::new(),
        };
        if needed.is_empty() && (isolated.is_none() || manifest.content == ManifestContent::Deletes) {
            continue;
        }
        let entries = now.entries(manifest).await?;
        let new = |entry: &&ManifestEntry| entry.is_live() && entry.file_sequence_number.unwrap_or(0) > since;
        if let Some(hit) = entries.iter().filter(new).find(|delete| needed.iter().any(|file| hits(&delete.data_file, file))) {
            let message = format!("Others have deleted rows meanwhile that this change is about: {}", hit.data_file.file_path);
            return Err(Error::Changed(message));
        }
    }
    if let Some(filter) = isolated {
        let found = now.scan(current, filter).await?;
        if let Some(new) = found.iter().find(|file| file.sequence_number > since) {
            let message = format!("Others have added rows meanwhile that this change is about: {}", new.data_file.file_path);
            return Err(Error::Changed(message));
        }
    }
    Ok(())
}

fn head<'a>(table: &'a Table, branch: &str) -> Option<&'a Snapshot> {
    let metadata = table.metadata();
    metadata.refs.get(branch).and_then(|reference| metadata.snapshot(reference.snapshot_id))
}

/// Whether deletes may be about a file of rows.
fn hits(delete: &DataFile, file: &DataFile) -> bool {
    match delete.content {
        DataContent::Data => false,
        DataContent::PositionDeletes => may_name(delete, &file.file_path),
        DataContent::EqualityDeletes => delete.spec_id != file.spec_id || delete.partition == file.partition,
    }
}

fn gone(file: &DataFile) -> Error {
    Error::Changed(format!("Others have removed a file meanwhile that this change is about: {}", file.file_path))
}

/// Finds these files in the manifests of their specs.
async fn still_there<'a>(
    table: &Table,
    manifests: &[ManifestFile],
    files: impl Iterator<Item = &'a DataFile>,
) -> Result<()> {
    let mut missing: BTreeMap<&str, &DataFile> = files.map(|file| (file.file_path.as_str(), file)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let specs: BTreeSet<i32> = missing.values().map(|file| file.spec_id).collect();
    for manifest in manifests.iter().filter(|manifest| manifest.has_live_files()) {
        if missing.is_empty() {
            break;
        }
        if specs.contains(&manifest.partition_spec_id) {
            for entry in table.entries(manifest).await?.iter().filter(|entry| entry.is_live()) {
                missing.remove(entry.data_file.file_path.as_str());
            }
        }
    }
    match missing.into_values().next() {
        Some(file) => Err(gone(file)),
        None => Ok(()),
    }
}
