//! Wire types that several operations share ("Lambda API reference: Data types").

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dead_letters::DeadLetterConfig;

/// Names and texts in the order of names.
pub(crate) type Texts = BTreeMap<String, String>;

/// Where the code of a function is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Code {
    /// The archive itself, as base64 text.
    pub(crate) zip_file: Option<String>,
    pub(crate) s3_bucket: Option<String>,
    pub(crate) s3_key: Option<String>,
    pub(crate) s3_object_version: Option<String>,
    pub(crate) image_uri: Option<String>,
    #[serde(rename = "SourceKMSKeyArn")]
    pub(crate) source_kms_key_arn: Option<String>,
}

/// `Environment`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Environment {
    #[serde(default)]
    pub(crate) variables: Texts,
}

/// `EphemeralStorage`: MB of `/tmp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EphemeralStorage {
    pub(crate) size: u64,
}

impl Default for EphemeralStorage {
    fn default() -> Self {
        Self { size: 512 }
    }
}

/// `LoggingConfig`; only text logs are implemented.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LoggingConfig {
    pub(crate) log_format: Option<String>,
    pub(crate) log_group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) application_log_level: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) system_log_level: Option<String>,
}

/// The settings of a function that CreateFunction and UpdateFunctionConfiguration share.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Settings {
    pub(crate) runtime: Option<String>,
    pub(crate) role: Option<String>,
    pub(crate) handler: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) timeout: Option<i64>,
    pub(crate) memory_size: Option<i64>,
    pub(crate) environment: Option<Environment>,
    pub(crate) layers: Option<Vec<String>>,
    pub(crate) ephemeral_storage: Option<EphemeralStorage>,
    pub(crate) logging_config: Option<LoggingConfig>,
    pub(crate) dead_letter_config: Option<DeadLetterConfig>,
    // What AWS has and Boathouse has not is read, so that it can be refused by name.
    pub(crate) vpc_config: Option<Value>,
    #[serde(rename = "KMSKeyArn")]
    pub(crate) kms_key_arn: Option<String>,
    pub(crate) tracing_config: Option<Value>,
    pub(crate) file_system_configs: Option<Vec<Value>>,
    pub(crate) image_config: Option<Value>,
    pub(crate) snap_start: Option<Value>,
    pub(crate) capacity_provider_config: Option<Value>,
    pub(crate) durable_config: Option<Value>,
}

/// A list's page.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Page {
    pub(crate) marker: Option<String>,
    pub(crate) max_items: Option<usize>,
}

/// An answer without members.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Empty {}
