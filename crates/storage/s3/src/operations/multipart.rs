//! Uploads in parts.

use boathouse_aws::AwsError;
use boathouse_objects::{
    Checksum, ChecksumAlgorithm, ChecksumKind, CompleteUpload, CompletedPart, Metadata, NewUpload, PartInfo,
    UploadInfo, UploadPart,
};
use http::{HeaderMap, StatusCode};
use s3s::S3Response;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumType, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CompletedPart as WirePart, CopyPartResult, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};

use super::{Reply, copy, encryption, etag, lock, object, system, timestamp, versioning};
use crate::call::{Call, Store};
use crate::checksums;
use crate::conditions;
use crate::error::{Result, from_engine, invalid_argument, invalid_request};
use crate::notifications::message;
use crate::{acl, metadata, tags};

/// The most parts of an upload.
const MAX_PARTS: usize = 10_000;

pub(crate) async fn create(
    store: &Store,
    call: &Call,
    input: CreateMultipartUploadInput,
) -> Reply<CreateMultipartUploadOutput> {
    store.allow_write(call, &input.bucket, &input.key)?;
    let tags = tags::from_header(call.header("x-amz-tagging"))?;
    store.allow_tags(call, &input.bucket, &input.key, &tags)?;
    let wanted = input.checksum_algorithm.as_ref().map(|it| it.as_str());
    let checksum = checksum_of_upload(wanted, input.checksum_type.as_ref().map(|it| it.as_str()))?;
    let acl = acl::of_write(store, call, &input.bucket, &input.key)?;
    let mut metadata = Metadata {
        headers: metadata::content_headers(&call.headers),
        user: metadata::user(input.metadata.unwrap_or_default())?,
        tags,
        system: system(call),
    };
    acl.unwrap_or_default().keep(&mut metadata);
    let lock = lock::of_write(store, call, &input.bucket, &input.key)?;
    let new = NewUpload {
        bucket: input.bucket.clone(),
        key: input.key,
        metadata,
        checksum: Some(checksum),
        transient: false,
        seal: encryption::wanted(store, call, &input.bucket)?,
        lock,
    };
    let upload = store.objects.create_upload(new).await.map_err(from_engine)?;
    // What nobody asked for is not announced.
    let announced = wanted.is_some();
    let headers = encryption::headers(call, upload.encryption.as_ref());
    let output = CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(upload.key),
        upload_id: Some(upload.upload_id),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type: announced.then(|| wire_kind(checksum.1)),
        ..CreateMultipartUploadOutput::default()
    };
    Ok(S3Response::with_headers(output, headers))
}

/// The checksum that an upload computes: CRC64NVME unless another is asked for, composite where the algorithm has that.
fn checksum_of_upload(algorithm: Option<&str>, kind: Option<&str>) -> Result<(ChecksumAlgorithm, ChecksumKind)> {
    let Some(name) = algorithm else {
        return match kind {
            None => Ok((ChecksumAlgorithm::Crc64Nvme, ChecksumKind::FullObject)),
            Some(_) => Err(invalid_request(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
            )),
        };
    };
    let algorithm = checksums::by_wire_name(name)?;
    let kind = match kind {
        Some(ChecksumType::FULL_OBJECT) => ChecksumKind::FullObject,
        Some(ChecksumType::COMPOSITE) => ChecksumKind::Composite,
        Some(_) => return Err(invalid_request("Value for x-amz-checksum-type header is invalid.")),
        None if algorithm == ChecksumAlgorithm::Crc64Nvme => ChecksumKind::FullObject,
        None => ChecksumKind::Composite,
    };
    if algorithm.supports(kind) {
        return Ok((algorithm, kind));
    }
    let (kind, name) = (wire_kind(kind), name.to_ascii_lowercase());
    Err(invalid_request(format!(
        "The {} checksum type cannot be used with the {name} checksum algorithm.",
        kind.as_str()
    )))
}

pub(crate) fn wire_kind(kind: ChecksumKind) -> ChecksumType {
    match kind {
        ChecksumKind::FullObject => ChecksumType::from_static(ChecksumType::FULL_OBJECT),
        ChecksumKind::Composite => ChecksumType::from_static(ChecksumType::COMPOSITE),
    }
}

fn number(part: i32) -> Result<u32> {
    let valid = u32::try_from(part).ok().filter(|number| (1..=MAX_PARTS as u32).contains(number));
    valid.ok_or_else(|| invalid_argument("Part number must be an integer between 1 and 10000, inclusive"))
}

pub(crate) async fn upload(store: &Store, call: &Call, input: UploadPartInput) -> Reply<UploadPartOutput> {
    store.allow(&call.ctx, "s3:PutObject", &input.bucket, Some(&input.key))?;
    let announced = object::require_length(call)?;
    let request = UploadPart {
        bucket: input.bucket,
        key: input.key,
        upload_id: input.upload_id,
        number: number(input.part_number)?,
        checksums: announced.algorithm.into_iter().collect(),
        needs_md5: store.entity_tags.need_md5_of_part(&announced),
        key_of_client: encryption::client_key(call)?,
    };
    let trailers = call.trailers.clone();
    let sent = announced.algorithm;
    let upload = upload_of(store, &request)?;
    if let (Some(sent), Some((wanted, ChecksumKind::Composite))) = (sent, upload.checksum)
        && sent != wanted
    {
        let name = |algorithm| checksums::wire_name(algorithm).to_ascii_lowercase();
        return Err(invalid_request(format!(
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            name(wanted),
            name(sent)
        )));
    }
    let encrypted = upload.encryption;
    let written = store.objects.upload_part(request, call.take_body(), move || announced.expectations(&trailers)).await;
    let part = written.map_err(of_part)?;
    let mut headers = HeaderMap::new();
    encryption::tell(call, encrypted.as_ref(), &mut headers);
    metadata::set(&mut headers, "etag", &format!("\"{}\"", part.etag));
    let shown: Vec<Checksum> =
        part.checksums.into_iter().filter(|sum| sent.is_none_or(|it| it == sum.algorithm)).collect();
    object::checksum_headers(&shown, &mut headers);
    headers.remove("x-amz-checksum-type");
    Ok(S3Response::with_headers(UploadPartOutput::default(), headers))
}

pub(crate) async fn upload_copy(store: &Store, call: &Call, input: UploadPartCopyInput) -> Reply<UploadPartCopyOutput> {
    store.allow(&call.ctx, "s3:PutObject", &input.bucket, Some(&input.key))?;
    let at = copy::source(&input.copy_source)?;
    let copied = copy::readable_source(store, call, &at)?;
    let source = {
        let key = encryption::source_client_key(call)?;
        store.objects.get_sealed(&at.bucket, &at.key, Some(copied.version_id()), key.as_ref()).map_err(from_engine)?
    };
    let range = match input.copy_source_range.as_deref() {
        Some(text) => copied_range(text, source.info().size)?,
        None => 0..source.info().size,
    };
    let request = UploadPart {
        bucket: input.bucket,
        key: input.key,
        upload_id: input.upload_id,
        number: number(input.part_number)?,
        checksums: Vec::new(),
        needs_md5: true,
        key_of_client: encryption::client_key(call)?,
    };
    let encrypted = upload_of(store, &request)?.encryption;
    let part = store.objects.copy_part(request, &source, range).await.map_err(of_part)?;
    let mut result = CopyPartResult {
        e_tag: Some(etag(&part.etag)),
        last_modified: Some(timestamp(part.modified_ms)),
        ..CopyPartResult::default()
    };
    for sum in &part.checksums {
        let value = Some(sum.value.clone());
        match sum.algorithm {
            ChecksumAlgorithm::Crc32 => result.checksum_crc32 = value,
            ChecksumAlgorithm::Crc32C => result.checksum_crc32c = value,
            ChecksumAlgorithm::Crc64Nvme => result.checksum_crc64nvme = value,
            ChecksumAlgorithm::Sha1 => result.checksum_sha1 = value,
            ChecksumAlgorithm::Sha256 => result.checksum_sha256 = value,
        }
    }
    let output = UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: versioning::shown(store, &at.bucket, source.info()),
        ..UploadPartCopyOutput::default()
    };
    Ok(S3Response::with_headers(output, encryption::headers(call, encrypted.as_ref())))
}

/// An engine's error of a part. Another key than its upload's is a wrong parameter: nothing is kept from anybody.
fn of_part(error: boathouse_objects::Error) -> AwsError {
    match error {
        boathouse_objects::Error::ClientKeyWrong => {
            invalid_request("The provided encryption parameters did not match the ones used originally.")
        }
        other => from_engine(other),
    }
}

/// The upload that a part belongs to.
fn upload_of(store: &Store, part: &UploadPart) -> Result<UploadInfo> {
    store.objects.upload(&part.bucket, &part.key, &part.upload_id).map_err(from_engine)
}

/// A checksum of checksums is computed of those that the client knows.
fn require_sums(store: &Store, request: &CompleteUpload) -> Result<()> {
    // Whether the upload is still there is for the engine to say: it knows uploads that have been completed.
    let upload = store.objects.upload(&request.bucket, &request.key, &request.upload_id).ok();
    let Some((algorithm, ChecksumKind::Composite)) = upload.and_then(|upload| upload.checksum) else { return Ok(()) };
    let without = request.parts.iter().find(|part| !part.checksums.iter().any(|sum| sum.algorithm == algorithm));
    match without {
        None => Ok(()),
        Some(part) => Err(invalid_request(format!(
            "The upload was created using a {} checksum. The complete request must include the checksum for each part. It \
             was missing for part {} in the request.",
            checksums::wire_name(algorithm).to_ascii_lowercase(),
            part.number
        ))),
    }
}

/// Both ends must be given, and lie within the source.
pub(crate) fn copied_range(text: &str, size: u64) -> Result<std::ops::Range<u64>> {
    let ends = text.strip_prefix("bytes=").and_then(|ends| ends.split_once('-'));
    let ends = ends.and_then(|(first, last)| Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?)));
    let (first, last) = ends.filter(|(first, last)| first <= last).ok_or_else(|| {
        invalid_argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are \
                          the zero-based offsets of the first and last bytes to copy",
        )
    })?;
    if last >= size {
        return Err(invalid_argument(format!("Range specified is not valid for source object of size: {size}")));
    }
    Ok(first..last + 1)
}

pub(crate) async fn complete(
    store: &Store,
    call: &Call,
    input: CompleteMultipartUploadInput,
) -> Reply<CompleteMultipartUploadOutput> {
    store.allow(&call.ctx, "s3:PutObject", &input.bucket, Some(&input.key))?;
    let listed = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    if listed.is_empty() || listed.len() > MAX_PARTS {
        let message = "The XML you provided was not well-formed or did not validate against our published schema";
        return Err(AwsError::bad_request("MalformedXML", message));
    }
    let request = CompleteUpload {
        bucket: input.bucket.clone(),
        key: input.key.clone(),
        upload_id: input.upload_id,
        parts: listed.into_iter().map(announced_part).collect::<Result<_>>()?,
        checksum: checksums::given(&call.headers),
        size: input.mpu_object_size.and_then(|size| u64::try_from(size).ok()),
        condition: conditions::of_write(&call.headers)?,
        origin: Some(message::origin(&call.ctx)),
    };
    require_sums(store, &request)?;
    let done = store.objects.complete_upload(request).await;
    let info = done.map_err(|error| match error {
        boathouse_objects::Error::IncompleteBody { expected, actual } => invalid_request(format!(
            "The provided 'x-amz-mp-object-size' header value {expected} does not match what was computed: {actual}"
        )),
        other => object::conditional(call, other),
    })?;
    let host = call.header("host").unwrap_or_default();
    let scheme = if call.ctx.secure_transport { "https" } else { "http" };
    let version_id = versioning::shown(store, &input.bucket, &info);
    let mut output = CompleteMultipartUploadOutput {
        location: Some(format!("{scheme}://{host}/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(etag(&info.etag)),
        version_id,
        ..CompleteMultipartUploadOutput::default()
    };
    super::fill_checksums!(output, &info);
    Ok(S3Response::with_headers(output, encryption::headers(call, info.encryption.as_ref())))
}

fn announced_part(part: WirePart) -> Result<CompletedPart> {
    let mut sums = Vec::new();
    let mut add = |algorithm, value: Option<String>| sums.extend(value.map(|value| Checksum { algorithm, value }));
    add(ChecksumAlgorithm::Crc32, part.checksum_crc32);
    add(ChecksumAlgorithm::Crc32C, part.checksum_crc32c);
    add(ChecksumAlgorithm::Crc64Nvme, part.checksum_crc64nvme);
    add(ChecksumAlgorithm::Sha1, part.checksum_sha1);
    add(ChecksumAlgorithm::Sha256, part.checksum_sha256);
    let number = number(part.part_number.unwrap_or_default())?;
    let etag = part.e_tag.map(s3s::dto::ETag::into_value).unwrap_or_default();
    Ok(CompletedPart { number, etag, checksums: sums })
}

pub(crate) async fn abort(
    store: &Store,
    call: &Call,
    input: AbortMultipartUploadInput,
) -> Reply<AbortMultipartUploadOutput> {
    store.allow(&call.ctx, "s3:AbortMultipartUpload", &input.bucket, Some(&input.key))?;
    store.objects.abort_upload(&input.bucket, &input.key, &input.upload_id).await.map_err(from_engine)?;
    Ok(S3Response::with_status(AbortMultipartUploadOutput::default(), StatusCode::NO_CONTENT))
}

/// Whether a checksum was computed of its parts' checksums.
pub(crate) fn kind_of(sum: &Checksum) -> ChecksumKind {
    // Base64 has no dash.
    if sum.value.contains('-') { ChecksumKind::Composite } else { ChecksumKind::FullObject }
}

/// A part as an element of a document.
pub(crate) fn part_element(part: &PartInfo) -> String {
    let sums = part.checksums.iter().map(|sum| {
        let name = checksums::wire_name(sum.algorithm);
        format!("<Checksum{name}>{}</Checksum{name}>", sum.value)
    });
    let sums: String = sums.collect();
    format!("<Part>{sums}<PartNumber>{}</PartNumber><Size>{}</Size></Part>", part.number, part.size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_have_their_kinds() {
        use {ChecksumAlgorithm as A, ChecksumKind as K};
        assert_eq!(checksum_of_upload(None, None).unwrap(), (A::Crc64Nvme, K::FullObject));
        assert_eq!(checksum_of_upload(Some("CRC32"), None).unwrap(), (A::Crc32, K::Composite));
        assert_eq!(checksum_of_upload(Some("CRC32"), Some("FULL_OBJECT")).unwrap(), (A::Crc32, K::FullObject));
        for (algorithm, kind) in [
            (Some("SHA1"), Some("FULL_OBJECT")),
            (Some("CRC64NVME"), Some("COMPOSITE")),
            (None, Some("COMPOSITE")),
            (Some("MD4"), None),
        ] {
            assert_eq!(
                checksum_of_upload(algorithm, kind).unwrap_err().code,
                "InvalidRequest",
                "{algorithm:?} {kind:?}"
            );
        }
    }

    #[test]
    fn copied_ranges_lie_within_the_source() {
        assert_eq!(copied_range("bytes=0-9", 10).unwrap(), 0..10);
        for text in ["bytes=0-10", "bytes=3-", "bytes=-3", "0-1", "bytes=5-4"] {
            assert_eq!(copied_range(text, 10).unwrap_err().code, "InvalidArgument", "{text}");
        }
    }

    #[test]
    fn part_numbers_have_their_limits() {
        assert_eq!(number(10_000).unwrap(), 10_000);
        assert!(number(0).is_err() && number(10_001).is_err() && number(-1).is_err());
    }
}
