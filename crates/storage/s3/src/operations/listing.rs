//! ListObjects, ListObjectsV2, ListObjectVersions.

use boathouse_aws::access::ConditionKeys;
use boathouse_objects::{ListRequest, ListVersions, Listing, ObjectInfo, VersionEntry, VersionMark};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::S3Response;
use s3s::dto::{
    ChecksumAlgorithm, ChecksumType, CommonPrefix, DeleteMarkerEntry, EncodingType, ListObjectVersionsInput,
    ListObjectVersionsOutput, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object,
    ObjectStorageClass, ObjectVersion, ObjectVersionStorageClass,
};

use super::multipart::{kind_of, wire_kind};
use super::{Reply, etag, owner, timestamp};
use crate::call::{Call, Store};
use crate::error::{Result, from_engine, invalid_argument};
use crate::{checksums, storage_class, token};

const MAX_KEYS: i32 = 1000;
/// What `encoding-type=url` leaves as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*').remove(b'/');

/// What the three listings have in common.
struct Query {
    bucket: String,
    prefix: String,
    delimiter: Option<String>,
    max_keys: i32,
    encode: bool,
}

impl Query {
    fn new(
        bucket: String,
        prefix: Option<String>,
        delimiter: Option<String>,
        max_keys: Option<i32>,
        encoding: Option<&EncodingType>,
    ) -> Result<Self> {
        let max_keys = max_keys.unwrap_or(MAX_KEYS);
        if max_keys < 0 {
            return Err(invalid_argument("Argument maxKeys must be an integer between 0 and 2147483647"));
        }
        if encoding.is_some_and(|encoding| encoding.as_str() != EncodingType::URL) {
            return Err(invalid_argument("Invalid Encoding Method specified in Request"));
        }
        let delimiter = delimiter.filter(|delimiter| !delimiter.is_empty());
        let (prefix, encode) = (prefix.unwrap_or_default(), encoding.is_some());
        Ok(Self { bucket, prefix, delimiter, max_keys: max_keys.min(MAX_KEYS), encode })
    }

    fn allow(&self, store: &Store, call: &Call, action: &str) -> Result<()> {
        let mut keys = ConditionKeys::new();
        keys.insert("s3:prefix".into(), vec![self.prefix.clone()]);
        keys.insert("s3:max-keys".into(), vec![self.max_keys.to_string()]);
        if let Some(delimiter) = &self.delimiter {
            keys.insert("s3:delimiter".into(), vec![delimiter.clone()]);
        }
        store.allow_if(&call.ctx, action, &self.bucket, None, &keys)
    }

    async fn run(&self, store: &Store, call: &Call, after: Option<String>) -> Result<Listing> {
        self.allow(store, call, "s3:ListBucket")?;
        let request = ListRequest {
            prefix: self.prefix.clone(),
            delimiter: self.delimiter.clone(),
            after: after.filter(|after| !after.is_empty()),
            max_keys: self.max_keys as usize,
        };
        store.objects.list(&self.bucket, request).await.map_err(from_engine)
    }

    fn encoded(&self, text: &str) -> String {
        encoded(self.encode, text)
    }

    fn prefixes(&self, listing: &Listing) -> Option<Vec<CommonPrefix>> {
        let prefixes = listing.common_prefixes.iter().map(|it| CommonPrefix { prefix: Some(self.encoded(it)) });
        Some(prefixes.collect())
    }

    fn objects(&self, listing: &Listing, with_owner: bool) -> Option<Vec<Object>> {
        let objects = listing.objects.iter().map(|(key, info)| Object {
            checksum_algorithm: algorithms(info),
            checksum_type: checksum_type(info),
            e_tag: Some(etag(&info.etag)),
            key: Some(self.encoded(key)),
            last_modified: Some(timestamp(info.modified_ms)),
            owner: with_owner.then(owner),
            size: Some(info.size as i64),
            storage_class: Some(ObjectStorageClass::from(storage_class::of(&info.metadata).to_owned())),
            ..Object::default()
        });
        Some(objects.collect())
    }

    fn encoding(&self) -> Option<EncodingType> {
        self.encode.then(|| EncodingType::from_static(EncodingType::URL))
    }

    fn delimiter(&self) -> Option<String> {
        self.delimiter.as_deref().map(|delimiter| self.encoded(delimiter))
    }
}

/// Text as `encoding-type=url` has it, if that was asked for.
pub(crate) fn encoded(encode: bool, text: &str) -> String {
    if encode { utf8_percent_encode(text, PLAIN).to_string() } else { text.to_owned() }
}

fn algorithms(info: &ObjectInfo) -> Option<Vec<ChecksumAlgorithm>> {
    let names = info.checksums.iter().map(|sum| ChecksumAlgorithm::from_static(checksums::wire_name(sum.algorithm)));
    (!info.checksums.is_empty()).then(|| names.collect())
}

fn checksum_type(info: &ObjectInfo) -> Option<ChecksumType> {
    info.checksums.first().map(|sum| wire_kind(kind_of(sum)))
}

pub(crate) async fn v1(store: &Store, call: &Call, input: ListObjectsInput) -> Reply<ListObjectsOutput> {
    let ListObjectsInput { bucket, delimiter, encoding_type, marker, max_keys, prefix, .. } = input;
    let query = Query::new(bucket, prefix, delimiter, max_keys, encoding_type.as_ref())?;
    let listing = query.run(store, call, marker.clone()).await?;
    let next_marker = listing.next.as_deref().filter(|_| query.delimiter.is_some()).map(|next| query.encoded(next));
    Ok(S3Response::new(ListObjectsOutput {
        name: Some(query.bucket.clone()),
        prefix: Some(query.encoded(&query.prefix)),
        marker: Some(query.encoded(&marker.unwrap_or_default())),
        max_keys: Some(query.max_keys),
        is_truncated: Some(listing.next.is_some()),
        contents: query.objects(&listing, true),
        common_prefixes: query.prefixes(&listing),
        delimiter: query.delimiter(),
        next_marker,
        encoding_type: query.encoding(),
        request_charged: None,
    }))
}

pub(crate) async fn v2(store: &Store, call: &Call, input: ListObjectsV2Input) -> Reply<ListObjectsV2Output> {
    let ListObjectsV2Input { bucket, continuation_token, delimiter, encoding_type, fetch_owner, .. } = input;
    let query = Query::new(bucket, input.prefix, delimiter, input.max_keys, encoding_type.as_ref())?;
    let after = match &continuation_token {
        Some(token) => Some(token::read(token)?),
        None => input.start_after.clone(),
    };
    let listing = query.run(store, call, after).await?;
    Ok(S3Response::new(ListObjectsV2Output {
        name: Some(query.bucket.clone()),
        prefix: Some(query.encoded(&query.prefix)),
        max_keys: Some(query.max_keys),
        key_count: Some((listing.objects.len() + listing.common_prefixes.len()) as i32),
        continuation_token,
        is_truncated: Some(listing.next.is_some()),
        next_continuation_token: listing.next.as_deref().map(token::write),
        contents: query.objects(&listing, fetch_owner.unwrap_or_default()),
        common_prefixes: query.prefixes(&listing),
        delimiter: query.delimiter(),
        encoding_type: query.encoding(),
        start_after: input.start_after.map(|after| query.encoded(&after)),
        request_charged: None,
    }))
}

pub(crate) async fn versions(
    store: &Store,
    call: &Call,
    input: ListObjectVersionsInput,
) -> Reply<ListObjectVersionsOutput> {
    let ListObjectVersionsInput { bucket, delimiter, encoding_type, key_marker, max_keys, prefix, .. } = input;
    let query = Query::new(bucket, prefix, delimiter, max_keys, encoding_type.as_ref())?;
    query.allow(store, call, "s3:ListBucketVersions")?;
    let version = input.version_id_marker.clone().filter(|marker| !marker.is_empty());
    let key = key_marker.clone().filter(|marker| !marker.is_empty());
    if version.is_some() && key.is_none() {
        return Err(invalid_argument("A version-id marker cannot be specified without a key marker."));
    }
    let request = ListVersions {
        prefix: query.prefix.clone(),
        delimiter: query.delimiter.clone(),
        after: key.map(|key| VersionMark { key, version }),
        max_keys: query.max_keys as usize,
    };
    let page = store.objects.list_versions(&query.bucket, request).await.map_err(from_engine)?;
    let (markers, versions): (Vec<_>, Vec<_>) = page.versions.iter().partition(|it| it.info.delete_marker);
    let prefixes = page.common_prefixes.iter().map(|it| CommonPrefix { prefix: Some(query.encoded(it)) });
    Ok(S3Response::new(ListObjectVersionsOutput {
        common_prefixes: Some(prefixes.collect()),
        delete_markers: Some(markers.into_iter().map(|it| marker(&query, it)).collect()),
        delimiter: query.delimiter(),
        encoding_type: query.encoding(),
        is_truncated: Some(page.next.is_some()),
        key_marker: Some(query.encoded(&key_marker.unwrap_or_default())),
        max_keys: Some(query.max_keys),
        name: Some(query.bucket.clone()),
        next_key_marker: page.next.as_ref().map(|next| query.encoded(&next.key)),
        next_version_id_marker: page.next.as_ref().and_then(|next| next.version.clone()),
        prefix: Some(query.encoded(&query.prefix)),
        request_charged: None,
        version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
        versions: Some(versions.into_iter().map(|it| version_entry(&query, it)).collect()),
    }))
}

fn version_entry(query: &Query, VersionEntry { key, info, latest }: &VersionEntry) -> ObjectVersion {
    ObjectVersion {
        checksum_algorithm: algorithms(info),
        checksum_type: checksum_type(info),
        e_tag: Some(etag(&info.etag)),
        is_latest: Some(*latest),
        key: Some(query.encoded(key)),
        last_modified: Some(timestamp(info.modified_ms)),
        owner: Some(owner()),
        size: Some(info.size as i64),
        storage_class: Some(ObjectVersionStorageClass::from(storage_class::of(&info.metadata).to_owned())),
        version_id: Some(info.version_id().to_owned()),
        ..ObjectVersion::default()
    }
}

fn marker(query: &Query, VersionEntry { key, info, latest }: &VersionEntry) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        is_latest: Some(*latest),
        key: Some(query.encoded(key)),
        last_modified: Some(timestamp(info.modified_ms)),
        owner: Some(owner()),
        version_id: Some(info.version_id().to_owned()),
    }
}
