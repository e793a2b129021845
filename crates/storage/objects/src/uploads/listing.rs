//! Which uploads are under way, and which parts they have.

use std::ops::Bound;

use uuid::Uuid;

use super::{Place, decode, name};
use crate::error::{Error, Result};
use crate::index::{Index, Table, successor};
use crate::listing::{Found, SkipScan, text};
use crate::manifest::{self, PartInfo};
use crate::{Objects, UploadInfo, blocking, key_of};

/// Which uploads to list.
#[derive(Debug, Clone, Default)]
pub struct ListUploads {
    /// Only keys that begin so.
    pub prefix: String,
    /// Keys that hold this text behind the prefix are rolled up to one common prefix. Not empty.
    pub delimiter: Option<String>,
    /// Only keys behind this one; with `after_upload` also later uploads of this key.
    pub after_key: Option<String>,
    /// See `after_key`, without which it means nothing.
    pub after_upload: Option<String>,
    /// Uploads and common prefixes together at most.
    pub max_uploads: usize,
}

/// One page of uploads, by key and then by their beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UploadPage {
    /// The uploads.
    pub uploads: Vec<UploadInfo>,
    /// The common prefixes, each once.
    pub common_prefixes: Vec<String>,
    /// The `after_key` and `after_upload` of the next page, if there is one.
    pub next: Option<(String, Option<String>)>,
}

/// One page of the parts of an upload, by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartPage {
    /// The upload.
    pub upload: UploadInfo,
    /// The parts.
    pub parts: Vec<PartInfo>,
    /// The `after` of the next page, if there is one.
    pub next: Option<u32>,
}

const ID_BYTES: usize = 16;

/// The key of an object from the row of an upload, `key, NUL, upload id`.
pub(crate) fn key_of_row(row: &[u8]) -> Result<&str> {
    let key = row.len().checked_sub(ID_BYTES + 1).map(|length| &row[..length]);
    text(key.ok_or_else(|| Error::Corrupt("upload row".into()))?)
}

pub(super) fn id_of_row(row: &[u8]) -> Result<Uuid> {
    let id = row.last_chunk::<ID_BYTES>().ok_or_else(|| Error::Corrupt("upload row".into()))?;
    Ok(Uuid::from_bytes(*id))
}

impl Objects {
    /// One page of the parts of an upload, those with numbers greater than `after`.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::NoSuchUpload`].
    pub fn list_parts(&self, bucket: &str, key: &str, upload_id: &str, after: u32, max: usize) -> Result<PartPage> {
        let upload = self.upload(bucket, key, upload_id)?;
        let place = Place::find(bucket, key, upload_id)?;
        let start = place.part(after);
        let mut rows = self.inner.index.scan(Table::Part, place.id.as_bytes(), Bound::Excluded(&start));
        let page = rows.by_ref().take(max).map(|row| Ok(manifest::decode_one(&row?.1)?.info));
        let parts: Vec<PartInfo> = page.collect::<Result<_>>()?;
        let next = rows.next().and(parts.last()).map(|part| part.number);
        Ok(PartPage { upload, parts, next })
    }

    /// One page of the uploads of a bucket.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub async fn list_uploads(&self, bucket: &str, request: ListUploads) -> Result<UploadPage> {
        self.bucket(bucket)?;
        let (index, bucket) = (self.inner.index.clone(), bucket.to_owned());
        blocking(move || list(&index, &bucket, &request)).await
    }
}

fn list(index: &Index, bucket: &str, request: &ListUploads) -> Result<UploadPage> {
    let scan = SkipScan::new(Table::Upload, bucket, &request.prefix, request.delimiter.as_deref());
    let mut page = UploadPage::default();
    let Some(from) = start(&scan, bucket, request) else { return Ok(page) };
    let mut last = None;
    let more = scan.run(index, from, request.max_uploads, |found| {
        last = Some(match found {
            Found::Prefix(prefix) => {
                page.common_prefixes.push(prefix.to_owned());
                (prefix.to_owned(), None)
            }
            Found::Row { name: row, value } => {
                let (key, id) = (key_of_row(row)?.to_owned(), id_of_row(row)?);
                page.uploads.push(decode(value)?.info(key.clone(), id));
                (key, Some(name(id)))
            }
        });
        Ok(())
    })?;
    page.next = last.filter(|_| more);
    Ok(page)
}

/// Where the page begins; `None` if there can be nothing.
fn start(scan: &SkipScan<'_>, bucket: &str, request: &ListUploads) -> Option<Bound<Vec<u8>>> {
    let Some(key) = request.after_key.as_deref() else { return Some(Bound::Unbounded) };
    let upload = request.after_upload.as_deref().and_then(|id| Uuid::try_parse(id).ok());
    match (scan.behind(key)?, upload) {
        // All uploads of the key lie behind the key itself.
        (Bound::Excluded(_), Some(id)) => Some(Bound::Excluded(Place::new(bucket, key, id).row)),
        (Bound::Excluded(_), None) => successor([key_of(bucket, key), vec![0]].concat()).map(Bound::Included),
        (bound, _) => Some(bound),
    }
}
