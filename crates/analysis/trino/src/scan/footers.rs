//! Footers of Parquet files, kept between queries: the next one needn't read and decode them again.

use std::sync::Arc;

use datafusion::datasource::physical_plan::parquet::metadata::CachedParquetMetaData;
use datafusion::execution::cache::cache_manager::{CachedFileMetadataEntry, FileMetadataCache};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use parquet::arrow::ARROW_SCHEMA_META_KEY;
use parquet::file::metadata::{FileMetaData, ParquetMetaData, ParquetMetaDataBuilder};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// How many bytes all kept footers may take.
const CAPACITY: u64 = 64 << 20;
/// About how many footers that are.
const FOOTERS: usize = 1024;

/// A footer's bucket, its object's path and entity tag: another content is another key.
type Key = (String, Path, String);

#[derive(Clone)]
struct ByMemory;

impl Weighter<Key, Arc<ParquetMetaData>> for ByMemory {
    fn weight(&self, _: &Key, footer: &Arc<ParquetMetaData>) -> u64 {
        footer.memory_size() as u64
    }
}

/// The footers that were read last, whoever read them.
pub(crate) struct Footers(Cache<Key, Arc<ParquetMetaData>, ByMemory>);

impl std::fmt::Debug for Footers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Footers").field("kept", &self.0.len()).finish()
    }
}

impl Default for Footers {
    fn default() -> Self {
        Self(Cache::with_weighter(FOOTERS, CAPACITY, ByMemory))
    }
}

impl Footers {
    /// A kept footer, which goes into the query's own cache. Only for those who may read the object: the store decides.
    pub(super) async fn get(
        &self,
        bucket: &str,
        object: &ObjectMeta,
        store: &dyn ObjectStore,
        own: &FileMetadataCache,
    ) -> object_store::Result<Option<Arc<ParquetMetaData>>> {
        let Some(footer) = key(bucket, object).and_then(|key| self.0.get(&key)) else { return Ok(None) };
        store.head(&object.location).await?;
        know(own, object, &footer);
        Ok(Some(footer))
    }

    /// Keeps a footer that was just read, for this query and those to come.
    pub(super) fn keep(
        &self,
        bucket: &str,
        object: &ObjectMeta,
        own: &FileMetadataCache,
        footer: &Arc<ParquetMetaData>,
    ) {
        know(own, object, footer);
        if let Some(key) = key(bucket, object) {
            self.0.insert(key, Arc::clone(footer));
        }
    }
}

/// Puts a footer where the query's scans will look for it.
fn know(own: &FileMetadataCache, object: &ObjectMeta, footer: &Arc<ParquetMetaData>) {
    let entry = Arc::new(CachedParquetMetaData::new(Arc::clone(footer)));
    own.put(&object.location, CachedFileMetadataEntry::new(object.clone(), entry));
}

/// A footer without the Arrow schema that Arrow's writers leave in it, since only the columns' Parquet types count: whether
/// text was in views or dictionaries when it was written is no concern of who reads it, and costs a conversion.
pub(super) fn without_arrow_schema(footer: Arc<ParquetMetaData>) -> Arc<ParquetMetaData> {
    let file = footer.file_metadata();
    let Some(pairs) = file.key_value_metadata() else { return footer };
    if pairs.iter().all(|pair| pair.key != ARROW_SCHEMA_META_KEY) {
        return footer;
    }
    let rest: Vec<_> = pairs.iter().filter(|pair| pair.key != ARROW_SCHEMA_META_KEY).cloned().collect();
    let file = FileMetaData::new(
        file.version(),
        file.num_rows(),
        file.created_by().map(str::to_owned),
        (!rest.is_empty()).then_some(rest),
        file.schema_descr_ptr(),
        file.column_orders().cloned(),
    );
    let mut old = Arc::unwrap_or_clone(footer).into_builder();
    let new = ParquetMetaDataBuilder::new(file)
        .set_row_groups(old.take_row_groups())
        .set_column_index(old.take_column_index())
        .set_offset_index(old.take_offset_index());
    Arc::new(new.build())
}

fn key(bucket: &str, object: &ObjectMeta) -> Option<Key> {
    Some((bucket.to_owned(), object.location.clone(), object.e_tag.clone()?))
}
