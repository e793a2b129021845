//! The settings of an S3 destination: checked, with their defaults, and ready for use.

use std::sync::LazyLock;
use std::time::Duration;

use chrono_tz::Tz;
use regex::Regex;
use serde_json::{Value, json};

use crate::api::{BufferingHints, CloudWatchLoggingOptions, S3Settings};
use crate::compress::Compression;
use crate::error::FirehoseError;
use crate::prefix::{Template, templates};
use crate::processing::Processing;

/// The buffer's size where none is asked for, in MiB.
const DEFAULT_SIZE: u64 = 5;
/// The buffer's age where none is asked for, in seconds.
const DEFAULT_INTERVAL: u64 = 300;
const MAX_PREFIX: usize = 1024;

static ROLE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^arn:.*:iam::[0-9]{12}:role/[a-zA-Z_0-9+=,.@\-/]+$"));
static BUCKET: LazyLock<Regex> = LazyLock::new(|| pattern(r"^arn:.*:s3:::([A-Za-z0-9_.\-]{1,255})$"));
static EXTENSION: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\.[0-9a-z!\-_.*'()]+$"));
/// The patterns as AWS shows them.
const ROLE_PATTERN: &str = r"arn:.*:iam::\d{12}:role/[a-zA-Z_0-9+=,.@\-_/]+";
const BUCKET_PATTERN: &str = r"arn:.*:s3:::[\w\.\-]{1,255}";
const EXTENSION_PATTERN: &str = r"^$|\.[0-9a-z!\-_.*'()]+";

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("invariant: the pattern is one")
}

/// A destination to deliver to.
#[derive(Debug)]
pub(crate) struct Destination {
    pub(crate) version: u64,
    pub(crate) role: String,
    pub(crate) bucket: String,
    pub(crate) prefix: Template,
    pub(crate) error_prefix: Template,
    pub(crate) zone: Tz,
    /// Bytes of records that make an object.
    pub(crate) size: u64,
    /// How old the oldest record may get.
    pub(crate) interval: Duration,
    pub(crate) compression: Compression,
    pub(crate) extension: String,
    pub(crate) processing: Processing,
    /// Group and stream of CloudWatch Logs.
    pub(crate) logs: Option<(String, String)>,
}

/// Where a member stands in the request, as validation messages name it.
#[derive(Clone, Copy)]
pub(crate) struct At(pub(crate) &'static str);

impl At {
    fn member(self, name: &str) -> String {
        format!("{}.{name}", self.0)
    }
}

/// Fills in what was not asked for.
pub(crate) fn with_defaults(settings: S3Settings, extended: bool) -> S3Settings {
    let hints = settings.buffering_hints.unwrap_or_default();
    let extended_only = |text: &str| extended.then(|| text.to_owned());
    S3Settings {
        buffering_hints: Some(BufferingHints {
            size_in_mbs: hints.size_in_mbs.or(Some(DEFAULT_SIZE)),
            interval_in_seconds: hints.interval_in_seconds.or(Some(DEFAULT_INTERVAL)),
        }),
        prefix: settings.prefix.or(Some(String::new())),
        compression_format: settings.compression_format.or(Some("UNCOMPRESSED".into())),
        encryption_configuration: settings
            .encryption_configuration
            .or_else(|| Some(json!({"NoEncryptionConfig": "NoEncryption"}))),
        cloud_watch_logging_options: settings
            .cloud_watch_logging_options
            .or(Some(CloudWatchLoggingOptions { enabled: Some(false), ..CloudWatchLoggingOptions::default() })),
        s3_backup_mode: settings.s3_backup_mode.or(extended_only("Disabled")),
        file_extension: settings.file_extension.or(extended_only("")),
        custom_time_zone: settings.custom_time_zone.or(extended_only("UTC")),
        ..settings
    }
}

/// The settings with those members replaced that `update` has.
pub(crate) fn updated(settings: S3Settings, update: S3Settings) -> S3Settings {
    S3Settings {
        role_arn: update.role_arn.or(settings.role_arn),
        bucket_arn: update.bucket_arn.or(settings.bucket_arn),
        prefix: update.prefix.or(settings.prefix),
        error_output_prefix: update.error_output_prefix.or(settings.error_output_prefix),
        buffering_hints: update.buffering_hints.or(settings.buffering_hints),
        compression_format: update.compression_format.or(settings.compression_format),
        encryption_configuration: update.encryption_configuration.or(settings.encryption_configuration),
        cloud_watch_logging_options: update.cloud_watch_logging_options.or(settings.cloud_watch_logging_options),
        processing_configuration: update.processing_configuration.or(settings.processing_configuration),
        s3_backup_mode: update.s3_backup_mode.or(settings.s3_backup_mode),
        s3_backup_configuration: None,
        s3_backup_update: update.s3_backup_update,
        data_format_conversion_configuration: update
            .data_format_conversion_configuration
            .or(settings.data_format_conversion_configuration),
        dynamic_partitioning_configuration: update
            .dynamic_partitioning_configuration
            .or(settings.dynamic_partitioning_configuration),
        file_extension: update.file_extension.or(settings.file_extension),
        custom_time_zone: update.custom_time_zone.or(settings.custom_time_zone),
    }
}

/// The members of a plain S3 destination; anything else is none of it.
pub(crate) fn plain(settings: S3Settings) -> S3Settings {
    S3Settings {
        processing_configuration: None,
        s3_backup_mode: None,
        s3_backup_configuration: None,
        s3_backup_update: None,
        data_format_conversion_configuration: None,
        dynamic_partitioning_configuration: None,
        file_extension: None,
        custom_time_zone: None,
        ..settings
    }
}

impl Destination {
    /// Checks settings that have their defaults.
    ///
    /// # Errors
    /// [`FirehoseError::Validation`], [`FirehoseError::InvalidArgument`], [`FirehoseError::NotImplemented`].
    pub(crate) fn of(settings: &S3Settings, version: u64, at: At) -> Result<Self, FirehoseError> {
        refuse_missing_features(settings)?;
        let role = required(settings.role_arn.as_deref(), &at.member("roleARN"))?;
        if !ROLE.is_match(role) {
            return Err(unmatched(role, &at.member("roleARN"), ROLE_PATTERN));
        }
        let bucket_arn = required(settings.bucket_arn.as_deref(), &at.member("bucketARN"))?;
        let bucket = BUCKET.captures(bucket_arn).map(|found| found[1].to_owned());
        let bucket = bucket.ok_or_else(|| unmatched(bucket_arn, &at.member("bucketARN"), BUCKET_PATTERN))?;
        let prefix = settings.prefix.as_deref().unwrap_or_default();
        let error_prefix = settings.error_output_prefix.as_deref();
        at_most(prefix, MAX_PREFIX, &at.member("prefix"))?;
        at_most(error_prefix.unwrap_or_default(), MAX_PREFIX, &at.member("errorOutputPrefix"))?;
        let (prefix, error_prefix) = templates(prefix, error_prefix)?;
        let (size, interval) = buffering(settings.buffering_hints.as_ref(), at)?;
        let compression = compression(settings.compression_format.as_deref(), at)?;
        Ok(Self {
            version,
            role: role.to_owned(),
            bucket,
            prefix,
            error_prefix,
            zone: zone(settings.custom_time_zone.as_deref())?,
            size,
            interval,
            compression,
            extension: extension(settings.file_extension.as_deref(), compression, at)?,
            processing: Processing::of(settings.processing_configuration.as_ref(), role)?,
            logs: logs(settings.cloud_watch_logging_options.as_ref())?,
        })
    }
}

fn refuse_missing_features(settings: &S3Settings) -> Result<(), FirehoseError> {
    let enabled = |value: &Option<Value>| {
        value.as_ref().is_some_and(|value| value.get("Enabled").is_none_or(|enabled| enabled == &Value::Bool(true)))
    };
    let encrypted = settings
        .encryption_configuration
        .as_ref()
        .is_some_and(|value| value.get("KMSEncryptionConfig").is_some_and(|key| !key.is_null()));
    let refused = [
        (enabled(&settings.data_format_conversion_configuration), "DataFormatConversionConfiguration"),
        (enabled(&settings.dynamic_partitioning_configuration), "DynamicPartitioningConfiguration"),
        (settings.s3_backup_mode.as_deref().is_some_and(|mode| mode != "Disabled"), "S3BackupMode"),
        (settings.s3_backup_configuration.is_some(), "S3BackupConfiguration"),
        (settings.s3_backup_update.is_some(), "S3BackupUpdate"),
        (encrypted, "EncryptionConfiguration.KMSEncryptionConfig"),
    ];
    match refused.iter().find(|(asked, _)| *asked) {
        Some((_, name)) => Err(FirehoseError::NotImplemented((*name).to_owned())),
        None => Ok(()),
    }
}

fn required<'a>(value: Option<&'a str>, member: &str) -> Result<&'a str, FirehoseError> {
    value.ok_or_else(|| FirehoseError::constraint("null", member, "Member must not be null"))
}

fn unmatched(value: &str, member: &str, pattern: &str) -> FirehoseError {
    FirehoseError::constraint(value, member, format_args!("Member must satisfy regular expression pattern: {pattern}"))
}

fn at_most(value: &str, length: usize, member: &str) -> Result<(), FirehoseError> {
    if value.chars().count() <= length {
        return Ok(());
    }
    Err(FirehoseError::constraint(
        value,
        member,
        format_args!("Member must have length less than or equal to {length}"),
    ))
}

fn buffering(hints: Option<&BufferingHints>, at: At) -> Result<(u64, Duration), FirehoseError> {
    let size = hints.and_then(|hints| hints.size_in_mbs).unwrap_or(DEFAULT_SIZE);
    let interval = hints.and_then(|hints| hints.interval_in_seconds).unwrap_or(DEFAULT_INTERVAL);
    let bound = |value: u64, name: &str, words: &str| {
        FirehoseError::constraint(value, &at.member(&format!("bufferingHints.{name}")), words)
    };
    match (size, interval) {
        (0, _) => Err(bound(size, "sizeInMBs", "Member must have value greater than or equal to 1")),
        (129.., _) => Err(bound(size, "sizeInMBs", "Member must have value less than or equal to 128")),
        (_, 901..) => Err(bound(interval, "intervalInSeconds", "Member must have value less than or equal to 900")),
        _ => Ok((size << 20, Duration::from_secs(interval))),
    }
}

fn compression(name: Option<&str>, at: At) -> Result<Compression, FirehoseError> {
    let name = name.unwrap_or("UNCOMPRESSED");
    Compression::named(name).ok_or_else(|| {
        let words = "Member must satisfy enum value set: [Snappy, UNCOMPRESSED, GZIP, HADOOP_SNAPPY, ZIP]";
        FirehoseError::constraint(name, &at.member("compressionFormat"), words)
    })
}

fn zone(name: Option<&str>) -> Result<Tz, FirehoseError> {
    let name = name.filter(|name| !name.is_empty()).unwrap_or("UTC");
    name.parse().map_err(|_| FirehoseError::InvalidArgument(format!("CustomTimeZone {name} is not a known time zone")))
}

fn extension(asked: Option<&str>, compression: Compression, at: At) -> Result<String, FirehoseError> {
    let Some(extension) = asked.filter(|extension| !extension.is_empty()) else {
        return Ok(compression.extension().to_owned());
    };
    at_most(extension, 128, &at.member("fileExtension"))?;
    if !EXTENSION.is_match(extension) {
        return Err(unmatched(extension, &at.member("fileExtension"), EXTENSION_PATTERN));
    }
    Ok(extension.to_owned())
}

fn logs(options: Option<&CloudWatchLoggingOptions>) -> Result<Option<(String, String)>, FirehoseError> {
    let Some(options) = options.filter(|options| options.enabled == Some(true)) else { return Ok(None) };
    let named = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
    match (named(&options.log_group_name), named(&options.log_stream_name)) {
        (Some(group), Some(stream)) => Ok(Some((group, stream))),
        _ => {
            let message = "CloudWatchLoggingOptions needs LogGroupName and LogStreamName when it is enabled";
            Err(FirehoseError::InvalidArgument(message.into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> S3Settings {
        S3Settings {
            role_arn: Some("arn:aws:iam::000000000000:role/deliver".into()),
            bucket_arn: Some("arn:aws:s3:::landing".into()),
            ..S3Settings::default()
        }
    }

    fn checked(settings: S3Settings) -> Result<Destination, String> {
        Destination::of(&with_defaults(settings, true), 1, At("extendedS3DestinationConfiguration"))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_are_those_of_aws() {
        let destination = checked(settings()).unwrap();
        assert_eq!((destination.size, destination.interval.as_secs()), (5 << 20, 300));
        assert_eq!((destination.bucket.as_str(), destination.extension.as_str()), ("landing", ""));
        let gzip = checked(S3Settings { compression_format: Some("GZIP".into()), ..settings() }).unwrap();
        assert_eq!(gzip.extension, ".gz");
    }

    #[test]
    fn values_out_of_bounds_are_refused_in_the_words_of_aws() {
        let hints = |size, interval| {
            let hints = BufferingHints { size_in_mbs: Some(size), interval_in_seconds: Some(interval) };
            checked(S3Settings { buffering_hints: Some(hints), ..settings() }).map(drop)
        };
        assert!(hints(1, 0).is_ok(), "zero buffering");
        assert_eq!(
            hints(129, 60).unwrap_err(),
            "1 validation error detected: Value '129' at 'extendedS3DestinationConfiguration.bufferingHints.sizeInMBs' \
             failed to satisfy constraint: Member must have value less than or equal to 128"
        );
        assert!(hints(0, 60).unwrap_err().contains("greater than or equal to 1"));
        assert!(hints(5, 901).unwrap_err().contains("intervalInSeconds"));
        for (wrong, message) in [
            (S3Settings { role_arn: None, ..settings() }, "Member must not be null"),
            (S3Settings { role_arn: Some("deliver".into()), ..settings() }, "regular expression pattern"),
            (S3Settings { bucket_arn: Some("landing".into()), ..settings() }, "regular expression pattern"),
            (S3Settings { compression_format: Some("LZ4".into()), ..settings() }, "enum value set"),
            (S3Settings { file_extension: Some("json".into()), ..settings() }, "fileExtension"),
            (S3Settings { custom_time_zone: Some("Mars/Olympus".into()), ..settings() }, "CustomTimeZone"),
            (S3Settings { prefix: Some("x".repeat(1025)), ..settings() }, "less than or equal to 1024"),
        ] {
            let error = checked(wrong).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn missing_features_are_refused_by_name_and_may_be_switched_off() {
        let on = Some(json!({"Enabled": true}));
        for (wrong, name) in [
            (
                S3Settings { data_format_conversion_configuration: on.clone(), ..settings() },
                "DataFormatConversionConfiguration",
            ),
            (S3Settings { dynamic_partitioning_configuration: on, ..settings() }, "DynamicPartitioningConfiguration"),
            (S3Settings { s3_backup_mode: Some("Enabled".into()), ..settings() }, "S3BackupMode"),
            (
                S3Settings { encryption_configuration: Some(json!({"KMSEncryptionConfig": {}})), ..settings() },
                "KMSEncryptionConfig",
            ),
        ] {
            assert!(checked(wrong).unwrap_err().contains(name));
        }
        let off = Some(json!({"Enabled": false}));
        assert!(checked(S3Settings { data_format_conversion_configuration: off, ..settings() }).is_ok());
    }

    #[test]
    fn an_update_replaces_what_it_names() {
        let old = with_defaults(S3Settings { prefix: Some("in/".into()), ..settings() }, true);
        let update = S3Settings { compression_format: Some("GZIP".into()), ..S3Settings::default() };
        let new = updated(old.clone(), update);
        assert_eq!(new.prefix.as_deref(), Some("in/"));
        assert_eq!(new.compression_format.as_deref(), Some("GZIP"));
        assert_eq!(new.buffering_hints, old.buffering_hints);
    }
}
