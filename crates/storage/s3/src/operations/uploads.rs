//! ListParts and ListMultipartUploads.

use boathouse_aws::access::ConditionKeys;
use boathouse_objects::{ListUploads, PartInfo, UploadInfo};
use s3s::S3Response;
use s3s::dto::{
    ChecksumAlgorithm, CommonPrefix, EncodingType, Initiator, ListMultipartUploadsInput, ListMultipartUploadsOutput,
    ListPartsInput, ListPartsOutput, MultipartUpload, Part, StorageClass,
};

use super::listing::encoded;
use super::multipart::wire_kind;
use super::{Reply, etag, owner, timestamp};
use crate::call::{Call, Store};
use crate::error::{Result, from_engine, invalid_argument};
use crate::{checksums, storage_class};

const MAX: i32 = 1000;

fn limit(given: Option<i32>, name: &str) -> Result<i32> {
    match given.unwrap_or(MAX) {
        ..0 => Err(invalid_argument(format!("Argument {name} must be an integer between 0 and 2147483647"))),
        limit => Ok(limit.min(MAX)),
    }
}

fn initiator() -> Option<Initiator> {
    Some(Initiator { display_name: None, id: owner().id })
}

fn algorithm(upload: &UploadInfo) -> Option<ChecksumAlgorithm> {
    upload.checksum.map(|(algorithm, _)| ChecksumAlgorithm::from_static(checksums::wire_name(algorithm)))
}

pub(crate) async fn parts(store: &Store, call: &Call, input: ListPartsInput) -> Reply<ListPartsOutput> {
    store.allow(&call.ctx, "s3:ListMultipartUploadParts", &input.bucket, Some(&input.key))?;
    let max = limit(input.max_parts, "max-parts")?;
    let after = input.part_number_marker.unwrap_or_default();
    let from = u32::try_from(after)
        .map_err(|_| invalid_argument("Argument part-number-marker must be an integer between 0 and 2147483647"))?;
    let page = store.objects.list_parts(&input.bucket, &input.key, &input.upload_id, from, max as usize);
    let page = page.map_err(from_engine)?;
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        checksum_algorithm: algorithm(&page.upload),
        checksum_type: page.upload.checksum.map(|(_, kind)| wire_kind(kind)),
        initiator: initiator(),
        owner: Some(owner()),
        is_truncated: Some(page.next.is_some()),
        max_parts: Some(max),
        part_number_marker: Some(after),
        next_part_number_marker: page.next.or(page.parts.last().map(|last| last.number)).map(|next| next as i32),
        parts: Some(page.parts.iter().map(part).collect()),
        storage_class: Some(StorageClass::from(storage_class::of(&page.upload.metadata).to_owned())),
        ..ListPartsOutput::default()
    }))
}

fn part(info: &PartInfo) -> Part {
    let value = |name: &str| {
        let found = info.checksums.iter().find(|sum| checksums::wire_name(sum.algorithm) == name);
        found.map(|sum| sum.value.clone())
    };
    Part {
        checksum_crc32: value("CRC32"),
        checksum_crc32c: value("CRC32C"),
        checksum_crc64nvme: value("CRC64NVME"),
        checksum_sha1: value("SHA1"),
        checksum_sha256: value("SHA256"),
        e_tag: Some(etag(&info.etag)),
        last_modified: Some(timestamp(info.modified_ms)),
        part_number: Some(info.number as i32),
        size: Some(info.size as i64),
    }
}

pub(crate) async fn list(
    store: &Store,
    call: &Call,
    input: ListMultipartUploadsInput,
) -> Reply<ListMultipartUploadsOutput> {
    let max = limit(input.max_uploads, "max-uploads")?;
    let prefix = input.prefix.unwrap_or_default();
    let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
    let keys: ConditionKeys = [("s3:prefix".to_owned(), vec![prefix.clone()])].into();
    store.allow_if(&call.ctx, "s3:ListBucketMultipartUploads", &input.bucket, None, &keys)?;
    let request = ListUploads {
        prefix: prefix.clone(),
        delimiter: delimiter.clone(),
        after_key: input.key_marker.clone().filter(|marker| !marker.is_empty()),
        after_upload: input.upload_id_marker.clone().filter(|marker| !marker.is_empty()),
        max_uploads: max as usize,
    };
    let page = store.objects.list_uploads(&input.bucket, request).await.map_err(from_engine)?;
    let encode = input.encoding_type.as_ref().is_some_and(|encoding| encoding.as_str() == EncodingType::URL);
    let text = |text: &str| encoded(encode, text);
    let uploads = page.uploads.iter().map(|upload| MultipartUpload {
        checksum_algorithm: algorithm(upload),
        checksum_type: upload.checksum.map(|(_, kind)| wire_kind(kind)),
        initiated: Some(timestamp(upload.initiated_ms)),
        initiator: initiator(),
        key: Some(text(&upload.key)),
        owner: Some(owner()),
        storage_class: Some(StorageClass::from(storage_class::of(&upload.metadata).to_owned())),
        upload_id: Some(upload.upload_id.clone()),
    });
    let prefixes = page.common_prefixes.iter().map(|it| CommonPrefix { prefix: Some(text(it)) });
    let (next_key, next_upload) = page.next.clone().map_or((None, None), |(key, upload)| (Some(key), upload));
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        common_prefixes: Some(prefixes.collect()),
        delimiter: delimiter.as_deref().map(text),
        is_truncated: Some(page.next.is_some()),
        key_marker: Some(text(&input.key_marker.unwrap_or_default())),
        max_uploads: Some(max),
        next_key_marker: next_key.as_deref().map(text),
        next_upload_id_marker: next_upload,
        prefix: Some(text(&prefix)),
        upload_id_marker: Some(input.upload_id_marker.unwrap_or_default()),
        uploads: Some(uploads.collect()),
        encoding_type: input.encoding_type,
        request_charged: None,
    }))
}
