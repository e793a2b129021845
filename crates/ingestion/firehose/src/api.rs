//! Wire types of the operations ("Amazon Data Firehose API Reference").
//!
//! Options that AWS has and Boathouse has not are read, so that they can be refused by name.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// Seconds since 1970 with a fraction, as awsJson writes timestamps.
pub type Timestamp = f64;

/// A blob: base64 on the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blob(pub Vec<u8>);

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Blob;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("base64 text")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Blob, E> {
                STANDARD.decode(text).map(Blob).map_err(|error| E::custom(format!("not base64: {error}")))
            }
        }
        deserializer.deserialize_str(Text).map_err(D::Error::custom)
    }
}

/// A label of a stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct Tag {
    pub key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A hint about how much comes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct DirectPutSource {
    #[serde(rename = "ThroughputHintInMBs")]
    pub throughput_hint_in_mbs: u32,
}

/// When a buffer is delivered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct BufferingHints {
    #[serde(rename = "SizeInMBs", skip_serializing_if = "Option::is_none")]
    pub size_in_mbs: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_in_seconds: Option<u64>,
}

/// Where errors are logged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct CloudWatchLoggingOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_group_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_stream_name: Option<String>,
}

/// One setting of a processor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct ProcessorParameter {
    pub parameter_name: String,
    pub parameter_value: String,
}

/// A step that records go through.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct Processor {
    #[serde(rename = "Type")]
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Vec<ProcessorParameter>>,
}

/// The steps that records go through.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct ProcessingConfiguration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processors: Option<Vec<Processor>>,
}

/// An S3 destination, plain or extended: as it is asked for, as it is changed, and as it is described.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct S3Settings {
    #[serde(rename = "RoleARN", skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    #[serde(rename = "BucketARN", skip_serializing_if = "Option::is_none")]
    pub bucket_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_output_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffering_hints: Option<BufferingHints>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression_format: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_configuration: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_watch_logging_options: Option<CloudWatchLoggingOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processing_configuration: Option<ProcessingConfiguration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_backup_mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_backup_configuration: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_backup_update: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_format_conversion_configuration: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dynamic_partitioning_configuration: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_extension: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_time_zone: Option<String>,
}

/// CreateDeliveryStream. Members beyond these are refused by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct CreateDeliveryStream {
    pub delivery_stream_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_stream_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direct_put_source_configuration: Option<DirectPutSource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_destination_configuration: Option<S3Settings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_s3_destination_configuration: Option<S3Settings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// CreateDeliveryStream's answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct Created {
    #[serde(rename = "DeliveryStreamARN")]
    pub delivery_stream_arn: String,
}

/// Names a stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct Named {
    pub delivery_stream_name: String,
}

/// UpdateDestination. Members beyond these are refused by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct UpdateDestination {
    pub delivery_stream_name: String,
    pub current_delivery_stream_version_id: String,
    pub destination_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_destination_update: Option<S3Settings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_s3_destination_update: Option<S3Settings>,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// ListDeliveryStreams.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct ListDeliveryStreams {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_stream_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclusive_start_delivery_stream_name: Option<String>,
}

/// ListDeliveryStreams' answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct StreamNames {
    pub delivery_stream_names: Vec<String>,
    pub has_more_delivery_streams: bool,
}

/// What comes into a stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct SourceDescription {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direct_put_source_description: Option<DirectPutSource>,
}

/// A destination as it is described.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct DestinationDescription {
    pub destination_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_destination_description: Option<S3Settings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_s3_destination_description: Option<S3Settings>,
}

/// What keeps a stream from delivering.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct FailureDescription {
    #[serde(rename = "Type")]
    pub kind: String,
    pub details: String,
}

/// Whether records are encrypted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct EncryptionDescription {
    pub status: String,
}

/// A stream as it is described.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct StreamDescription {
    pub delivery_stream_name: String,
    #[serde(rename = "DeliveryStreamARN")]
    pub delivery_stream_arn: String,
    pub delivery_stream_status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_description: Option<FailureDescription>,
    pub delivery_stream_encryption_configuration: EncryptionDescription,
    pub delivery_stream_type: String,
    pub version_id: String,
    pub create_timestamp: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update_timestamp: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceDescription>,
    pub destinations: Vec<DestinationDescription>,
    pub has_more_destinations: bool,
}

/// DescribeDeliveryStream's answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct Described {
    pub delivery_stream_description: StreamDescription,
}

/// TagDeliveryStream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct TagStream {
    pub delivery_stream_name: String,
    pub tags: Vec<Tag>,
}

/// UntagDeliveryStream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct UntagStream {
    pub delivery_stream_name: String,
    pub tag_keys: Vec<String>,
}

/// ListTagsForDeliveryStream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct ListTags {
    pub delivery_stream_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclusive_start_tag_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// ListTagsForDeliveryStream's answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct Tags {
    pub tags: Vec<Tag>,
    pub has_more_tags: bool,
}

/// A record as it is put.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NewRecord {
    /// At most 1,000 KiB.
    pub data: Blob,
}

/// PutRecord.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct PutRecord {
    pub delivery_stream_name: String,
    pub record: NewRecord,
}

/// PutRecord's answer.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct RecordPut {
    pub record_id: String,
    pub encrypted: bool,
}

/// PutRecordBatch: at most 500 records and 4 MiB.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct PutRecordBatch {
    pub delivery_stream_name: String,
    pub records: Vec<NewRecord>,
}

/// One record's answer: its id, or why it was not taken.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum BatchEntry {
    /// It is durable.
    #[serde(rename_all = "PascalCase")]
    Kept {
        /// What the record is called.
        record_id: String,
    },
    /// It was not taken and may be put again.
    #[serde(rename_all = "PascalCase")]
    Refused {
        /// `ServiceUnavailableException`.
        error_code: &'static str,
        /// For people.
        error_message: String,
    },
}

/// PutRecordBatch's answer, record by record in the order of the request.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct BatchPut {
    pub failed_put_count: usize,
    pub encrypted: bool,
    pub request_responses: Vec<BatchEntry>,
}

/// An answer without members.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Empty {}
