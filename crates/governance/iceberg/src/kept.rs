//! What was read of tables before: metadata files, manifest lists and manifests do not change once they are written, so
//! the next reader needn't fetch and decode them again.

use std::sync::Arc;

use object_store::ObjectStoreExt;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::error::Result;
use crate::files::Files;
use crate::manifest::{DataFile, ManifestEntry, ManifestFile, read_list, read_manifest};
use crate::metadata::{PartitionColumn, TableMetadata};

/// How many bytes all that is kept may take.
const CAPACITY: u64 = 64 << 20;
/// About how many files that are.
const FILES: usize = 4096;
/// How much memory a byte of JSON becomes.
const JSON: u64 = 3;

/// The files that were read last, decoded, whoever read them.
pub struct Kept(Cache<String, Entry, ByMemory>);

#[derive(Clone)]
struct Entry {
    /// The object's entity tag: another content has another one.
    version: String,
    content: Content,
    memory: u64,
}

#[derive(Clone)]
enum Content {
    Metadata(Arc<TableMetadata>),
    List(Arc<Vec<ManifestFile>>),
    Manifest(Arc<Manifest>),
}

/// A manifest's entries, and what they were decoded with.
struct Manifest {
    of: ManifestFile,
    columns: Vec<PartitionColumn>,
    entries: Arc<Vec<ManifestEntry>>,
}

#[derive(Clone)]
struct ByMemory;

impl Weighter<String, Entry> for ByMemory {
    fn weight(&self, location: &String, entry: &Entry) -> u64 {
        entry.memory + location.len() as u64
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("files", &self.0.len()).finish()
    }
}

impl Default for Kept {
    fn default() -> Self {
        Self(Cache::with_weighter(FILES, CAPACITY, ByMemory))
    }
}

/// A file's content: as it was decoded before if it is the same file still and may be read, which the store says, or as
/// it is decoded now.
async fn decoded<T>(
    files: &dyn Files,
    location: &str,
    known: impl FnOnce(&Content) -> Option<T>,
    decode: impl FnOnce(&[u8]) -> Result<(T, Content, u64)>,
) -> Result<T> {
    let (store, path) = files.open(location)?;
    let kept = files.kept();
    if let Some(entry) = kept.and_then(|kept| kept.0.get(location))
        && let Some(known) = known(&entry.content)
        && store.head(&path).await?.e_tag.as_ref() == Some(&entry.version)
    {
        return Ok(known);
    }
    let found = store.get(&path).await?;
    let version = found.meta.e_tag.clone();
    let (value, content, memory) = decode(&found.bytes().await?)?;
    if let Some((kept, version)) = kept.zip(version) {
        kept.0.insert(location.to_owned(), Entry { version, content, memory });
    }
    Ok(value)
}

/// A table's metadata.
pub(crate) async fn metadata(files: &dyn Files, location: &str) -> Result<Arc<TableMetadata>> {
    let known = |content: &Content| match content {
        Content::Metadata(metadata) => Some(Arc::clone(metadata)),
        Content::List(_) | Content::Manifest(_) => None,
    };
    let decode = |bytes: &[u8]| {
        let metadata = Arc::new(TableMetadata::from_json(bytes)?);
        Ok((Arc::clone(&metadata), Content::Metadata(metadata), bytes.len() as u64 * JSON))
    };
    decoded(files, location, known, decode).await
}

/// A manifest list.
pub(crate) async fn list(files: &dyn Files, location: &str) -> Result<Arc<Vec<ManifestFile>>> {
    let known = |content: &Content| match content {
        Content::List(list) => Some(Arc::clone(list)),
        Content::Metadata(_) | Content::Manifest(_) => None,
    };
    let decode = |bytes: &[u8]| {
        let list = Arc::new(read_list(bytes)?);
        let memory = list.iter().map(of_manifest).sum();
        Ok((Arc::clone(&list), Content::List(list), memory))
    };
    decoded(files, location, known, decode).await
}

/// A manifest's entries, with all that they inherit.
pub(crate) async fn entries(
    files: &dyn Files,
    manifest: &ManifestFile,
    columns: Vec<PartitionColumn>,
) -> Result<Arc<Vec<ManifestEntry>>> {
    let known = |content: &Content| match content {
        // The columns' types may have changed, and lists may say other things of the same manifest.
        Content::Manifest(known) if known.columns == columns && known.of == *manifest => {
            Some(Arc::clone(&known.entries))
        }
        Content::Metadata(_) | Content::List(_) | Content::Manifest(_) => None,
    };
    let decode = |bytes: &[u8]| {
        let entries = Arc::new(read_manifest(bytes, manifest, &columns)?);
        let memory = entries.iter().map(|entry| of_file(&entry.data_file)).sum::<u64>() + of_manifest(manifest);
        let known = Manifest { of: manifest.clone(), columns: columns.clone(), entries: Arc::clone(&entries) };
        Ok((entries, Content::Manifest(Arc::new(known)), memory))
    };
    decoded(files, &manifest.manifest_path, known, decode).await
}

/// About how many bytes the description of a manifest takes.
fn of_manifest(manifest: &ManifestFile) -> u64 {
    let bounds = manifest.partitions.iter().flat_map(|part| [&part.lower_bound, &part.upper_bound]).flatten();
    let bounds: usize = bounds.map(Vec::len).sum();
    let fields = size_of_val(manifest.partitions.as_slice());
    (size_of::<ManifestFile>() + manifest.manifest_path.len() + fields + bounds) as u64
}

/// About how many bytes the description of a file takes.
fn of_file(file: &DataFile) -> u64 {
    let counts = [&file.column_sizes, &file.value_counts, &file.null_value_counts, &file.nan_value_counts];
    let counts: usize = counts.iter().map(|counts| counts.len() * 16).sum();
    let bounds = file.lower_bounds.values().chain(file.upper_bounds.values());
    let bounds: usize = bounds.map(|bound| bound.len() + 48).sum();
    (size_of::<ManifestEntry>() + file.file_path.len() + counts + bounds) as u64
}
