//! Writes a report.

use std::io::Write as _;

use boathouse_aws::Ctx;
use boathouse_aws::access::ConditionKeys;
use boathouse_objects::{Expectations, KeyHolder, ListVersions, Metadata, ObjectInfo, PutRequest, VersionEntry};
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat};
use flate2::Compression;
use flate2::write::GzEncoder;
use md5::{Digest as _, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use uuid::Uuid;

use super::configuration::Inventory;
use crate::call::Store;
use crate::error::{Result, from_engine, internal};
use crate::notifications::message::{bucket_arn, origin};
use crate::{checksums, storage_class};

/// Rows of one file: so much of a report is in memory at once.
const ROWS: usize = 200_000;
const PAGE: usize = 1000;
/// Keys in reports are coded as in URLs.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*').remove(b'/');

/// A report under way.
struct Report<'a> {
    ctx: Ctx,
    store: &'a Store,
    inventory: &'a Inventory,
    bucket: &'a str,
    /// Where everything of this inventory lies.
    base: String,
    files: Vec<serde_json::Value>,
    rows: GzEncoder<Vec<u8>>,
    count: usize,
}

fn gzip() -> GzEncoder<Vec<u8>> {
    GzEncoder::new(Vec::new(), Compression::fast())
}

/// Lists the bucket and writes what the inventory wants to know.
///
/// # Errors
/// `AccessDenied` if the target's policy does not let S3 write; those of the store.
pub(super) async fn write(ctx: &Ctx, store: &Store, bucket: &str, inventory: &Inventory) -> Result<()> {
    let prefix = inventory.target_prefix.as_ref().map(|prefix| format!("{prefix}/")).unwrap_or_default();
    let mut report = Report {
        ctx: ctx.because_of(&bucket_arn(bucket)),
        store,
        inventory,
        bucket,
        base: format!("{prefix}{bucket}/{}", inventory.id),
        files: Vec::new(),
        rows: gzip(),
        count: 0,
    };
    report.list().await?;
    report.finish().await
}

impl Report<'_> {
    async fn list(&mut self) -> Result<()> {
        let mut after = None;
        loop {
            let prefix = self.inventory.prefix.clone().unwrap_or_default();
            let request = ListVersions { prefix, after, max_keys: PAGE, ..ListVersions::default() };
            let page = self.store.objects.list_versions(self.bucket, request).await.map_err(from_engine)?;
            for entry in &page.versions {
                if self.inventory.all_versions || (entry.latest && !entry.info.delete_marker) {
                    let line = self.row(entry);
                    self.rows.write_all(line.as_bytes()).map_err(|error| internal(&error))?;
                    self.count += 1;
                }
            }
            if self.count >= ROWS {
                self.flush().await?;
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    fn row(&self, VersionEntry { key, info, latest }: &VersionEntry) -> String {
        let key = utf8_percent_encode(key, PLAIN).to_string();
        let mut fields = vec![self.bucket.to_owned(), key];
        if self.inventory.all_versions {
            let version = info.version.clone().unwrap_or_default();
            fields.extend([version, latest.to_string(), info.delete_marker.to_string()]);
        }
        fields.extend(self.inventory.fields.iter().map(|field| field_of(info, field)));
        let quoted: Vec<String> = fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
        quoted.join(",") + "\n"
    }

    fn schema(&self) -> String {
        let mut names = vec!["Bucket", "Key"];
        if self.inventory.all_versions {
            names.extend(["VersionId", "IsLatest", "IsDeleteMarker"]);
        }
        names.extend(self.inventory.fields.iter().map(String::as_str));
        names.join(", ")
    }

    async fn flush(&mut self) -> Result<()> {
        let rows = std::mem::replace(&mut self.rows, gzip());
        self.count = 0;
        let body = Bytes::from(rows.finish().map_err(|error| internal(&error))?);
        let key = format!("{}/data/{}.csv.gz", self.base, Uuid::new_v4());
        let md5 = hex::encode(Md5::digest(&body));
        self.files.push(json!({"key": key, "size": body.len(), "MD5checksum": md5}));
        self.put(&key, "application/gzip", body).await
    }

    async fn finish(&mut self) -> Result<()> {
        if self.count > 0 || self.files.is_empty() {
            self.flush().await?;
        }
        let now = self.ctx.now();
        let target = &self.inventory.target;
        let manifest = json!({
            "sourceBucket": self.bucket,
            "destinationBucket": bucket_arn(target),
            "version": "2016-11-30",
            "creationTimestamp": now.timestamp_millis().to_string(),
            "fileFormat": "CSV",
            "fileSchema": self.schema(),
            "files": self.files,
        });
        let manifest = Bytes::from(serde_json::to_string_pretty(&manifest).map_err(|error| internal(&error))?);
        let names = self.files.iter().filter_map(|file| file["key"].as_str());
        let links: Vec<String> = names.map(|key| format!("s3://{target}/{key}")).collect();
        let hive = format!("{}/hive/dt={}/symlink.txt", self.base, now.format("%Y-%m-%d-%H-%M"));
        self.put(&hive, "text/plain", Bytes::from(links.join("\n"))).await?;
        let folder = format!("{}/{}", self.base, now.format("%Y-%m-%dT%H-%MZ"));
        let checksum = Bytes::from(hex::encode(Md5::digest(&manifest)));
        self.put(&format!("{folder}/manifest.json"), "application/json", manifest).await?;
        // Whoever waits for this one finds everything else.
        self.put(&format!("{folder}/manifest.checksum"), "text/plain", checksum).await
    }

    async fn put(&self, key: &str, content_type: &str, body: Bytes) -> Result<()> {
        let target = &self.inventory.target;
        self.store.allow_if(&self.ctx, "s3:PutObject", target, Some(key), &ConditionKeys::new())?;
        let mut metadata = Metadata::default();
        metadata.headers.insert("content-type".to_owned(), content_type.to_owned());
        let request = PutRequest {
            bucket: target.clone(),
            key: key.to_owned(),
            metadata,
            origin: Some(origin(&self.ctx)),
            seal: self.inventory.seal(),
            ..PutRequest::default()
        };
        let body = futures::stream::iter([Ok(body)]);
        self.store.objects.put(request, body, Expectations::default).await.map(drop).map_err(from_engine)
    }
}

fn time(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A field of a version; delete markers have few.
fn field_of(info: &ObjectInfo, field: &str) -> String {
    if info.delete_marker && field != "LastModifiedDate" {
        return String::new();
    }
    let retention = info.lock.retention;
    match field {
        "Size" => info.size.to_string(),
        "LastModifiedDate" => time(info.modified_ms),
        "StorageClass" => storage_class::of(&info.metadata).to_owned(),
        "ETag" => info.etag.clone(),
        "IsMultipartUploaded" => info.part_count().is_some().to_string(),
        "EncryptionStatus" => match info.encryption.as_ref().map(|encryption| &encryption.holder) {
            None => "NOT-SSE",
            Some(KeyHolder::Store) => "SSE-S3",
            Some(KeyHolder::Named { .. }) => "SSE-KMS",
            Some(KeyHolder::Client) => "SSE-C",
        }
        .to_owned(),
        "ObjectLockRetainUntilDate" => retention.map(|it| time(it.until_ms)).unwrap_or_default(),
        "ObjectLockMode" => retention.map(|it| format!("{:?}", it.mode).to_uppercase()).unwrap_or_default(),
        "ObjectLockLegalHoldStatus" => match info.lock.legal_hold {
            Some(true) => "ON".to_owned(),
            Some(false) => "OFF".to_owned(),
            None => String::new(),
        },
        "ChecksumAlgorithm" => {
            let names: Vec<&str> = info.checksums.iter().map(|sum| checksums::wire_name(sum.algorithm)).collect();
            names.join(",")
        }
        _ => String::new(),
    }
}
