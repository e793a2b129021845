//! What an inventory lists, and where to.

use boathouse_aws::{ACCOUNT_ID, AwsError};
use boathouse_objects::Seal;
use s3s::dto::{
    InventoryConfiguration, InventoryDestination, InventoryEncryption, InventoryFilter, InventoryFormat,
    InventoryFrequency, InventoryIncludedObjectVersions, InventoryOptionalField, InventoryS3BucketDestination,
    InventorySchedule, SSEKMS, SSES3,
};
use serde::{Deserialize, Serialize};

use super::DAY_MS;
use crate::error::{Result, invalid_argument, malformed_xml};

/// The longest id.
const MAX_ID: usize = 64;
/// Fields that a report can have besides bucket and key.
const FIELDS: [&str; 10] = [
    "Size",
    "LastModifiedDate",
    "StorageClass",
    "ETag",
    "IsMultipartUploaded",
    "EncryptionStatus",
    "ObjectLockRetainUntilDate",
    "ObjectLockMode",
    "ObjectLockLegalHoldStatus",
    "ChecksumAlgorithm",
];

/// How a report is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Encrypted {
    Managed,
    Kms(String),
}

/// One inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inventory {
    pub(crate) id: String,
    pub(crate) enabled: bool,
    /// The bucket that reports go to, by its name.
    pub(crate) target: String,
    pub(crate) target_prefix: Option<String>,
    account: Option<String>,
    encrypted: Option<Encrypted>,
    pub(crate) all_versions: bool,
    weekly: bool,
    pub(crate) fields: Vec<String>,
    pub(crate) prefix: Option<String>,
    /// When it was put, in milliseconds since the Unix epoch: reports begin with the next midnight.
    pub(crate) since_ms: i64,
}

impl Inventory {
    /// Checks what a client sent.
    ///
    /// # Errors
    /// `InvalidArgument`, `MalformedXML`; `NotImplemented` for other formats and fields.
    pub(crate) fn from_wire(id: &str, wire: InventoryConfiguration, now_ms: i64) -> Result<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if wire.id != id || id.is_empty() || id.len() > MAX_ID || !id.chars().all(plain) {
            return Err(AwsError::bad_request("InvalidConfigurationId", "The specified id is not valid."));
        }
        let destination = wire.destination.s3_bucket_destination;
        match destination.format.as_str() {
            InventoryFormat::CSV => {}
            format @ (InventoryFormat::ORC | InventoryFormat::PARQUET) => {
                return Err(AwsError::not_implemented(format!("inventories in the format {format}")));
            }
            _ => return Err(malformed_xml()),
        }
        if destination.account_id.as_deref().is_some_and(|account| account != ACCOUNT_ID) {
            return Err(AwsError::access_denied("Access Denied"));
        }
        let target = destination.bucket.strip_prefix("arn:aws:s3:::").filter(|name| !name.is_empty());
        let target = target.ok_or_else(|| {
            AwsError::bad_request("InvalidS3DestinationBucket", "Invalid bucket ARN.")
                .with_detail("BucketName", destination.bucket.as_str())
        })?;
        let fields = wire.optional_fields.unwrap_or_default();
        let fields = fields.iter().map(checked).collect::<Result<Vec<_>>>()?;
        Ok(Self {
            id: wire.id,
            enabled: wire.is_enabled,
            target: target.to_owned(),
            target_prefix: destination.prefix.filter(|prefix| !prefix.is_empty()),
            account: destination.account_id,
            encrypted: destination.encryption.map(encrypted).transpose()?,
            all_versions: match wire.included_object_versions.as_str() {
                InventoryIncludedObjectVersions::ALL => true,
                InventoryIncludedObjectVersions::CURRENT => false,
                _ => return Err(malformed_xml()),
            },
            weekly: match wire.schedule.frequency.as_str() {
                InventoryFrequency::DAILY => false,
                InventoryFrequency::WEEKLY => true,
                _ => return Err(malformed_xml()),
            },
            fields,
            prefix: wire.filter.map(|filter| filter.prefix),
            since_ms: now_ms,
        })
    }

    pub(crate) fn to_wire(&self) -> InventoryConfiguration {
        let encryption = self.encrypted.as_ref().map(|encrypted| match encrypted {
            Encrypted::Managed => InventoryEncryption { ssekms: None, sses3: Some(SSES3 {}) },
            Encrypted::Kms(key_id) => {
                InventoryEncryption { ssekms: Some(SSEKMS { key_id: key_id.clone() }), sses3: None }
            }
        });
        let fields = self.fields.iter().map(|field| InventoryOptionalField::from(field.clone())).collect::<Vec<_>>();
        let frequency = if self.weekly { InventoryFrequency::WEEKLY } else { InventoryFrequency::DAILY };
        let versions = match self.all_versions {
            true => InventoryIncludedObjectVersions::ALL,
            false => InventoryIncludedObjectVersions::CURRENT,
        };
        InventoryConfiguration {
            destination: InventoryDestination {
                s3_bucket_destination: InventoryS3BucketDestination {
                    account_id: self.account.clone(),
                    bucket: format!("arn:aws:s3:::{}", self.target),
                    encryption,
                    format: InventoryFormat::from_static(InventoryFormat::CSV),
                    prefix: self.target_prefix.clone(),
                },
            },
            filter: self.prefix.clone().map(|prefix| InventoryFilter { prefix }),
            id: self.id.clone(),
            included_object_versions: InventoryIncludedObjectVersions::from_static(versions),
            is_enabled: self.enabled,
            optional_fields: (!fields.is_empty()).then_some(fields),
            schedule: InventorySchedule { frequency: InventoryFrequency::from_static(frequency) },
        }
    }

    /// The midnight that the newest report is of, at a midnight.
    pub(super) fn due_at(&self, midnight_ms: i64) -> i64 {
        // The first day of the Unix epoch was a Thursday.
        let weekday = (midnight_ms.div_euclid(DAY_MS) + 4).rem_euclid(7);
        if self.weekly { midnight_ms - weekday * DAY_MS } else { midnight_ms }
    }

    pub(super) fn seal(&self) -> Seal {
        match &self.encrypted {
            None => Seal::AsBucket,
            Some(Encrypted::Managed) => Seal::Store,
            Some(Encrypted::Kms(key_id)) => Seal::Named { key_id: key_id.clone(), context: None },
        }
    }
}

fn encrypted(wire: InventoryEncryption) -> Result<Encrypted> {
    match (wire.sses3, wire.ssekms) {
        (Some(_), None) => Ok(Encrypted::Managed),
        (None, Some(kms)) => Ok(Encrypted::Kms(kms.key_id)),
        _ => Err(malformed_xml()),
    }
}

fn checked(field: &InventoryOptionalField) -> Result<String> {
    let name = field.as_str();
    match name {
        name if FIELDS.contains(&name) => Ok(name.to_owned()),
        "ReplicationStatus"
        | "IntelligentTieringAccessTier"
        | "BucketKeyStatus"
        | "ObjectAccessControlList"
        | "ObjectOwner"
        | "LifecycleExpirationDate" => Err(AwsError::not_implemented(format!("the inventory field {name}"))),
        _ => Err(invalid_argument("Invalid optional field").with_detail("ArgumentValue", name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire() -> InventoryConfiguration {
        InventoryConfiguration {
            destination: InventoryDestination {
                s3_bucket_destination: InventoryS3BucketDestination {
                    account_id: None,
                    bucket: "arn:aws:s3:::reports".into(),
                    encryption: None,
                    format: InventoryFormat::from_static(InventoryFormat::CSV),
                    prefix: Some("in".into()),
                },
            },
            filter: None,
            id: "daily".into(),
            included_object_versions: InventoryIncludedObjectVersions::from_static("Current"),
            is_enabled: true,
            optional_fields: Some(vec![InventoryOptionalField::from_static("Size")]),
            schedule: InventorySchedule { frequency: InventoryFrequency::from_static("Weekly") },
        }
    }

    #[test]
    fn configurations_come_back_or_are_refused() {
        let inventory = Inventory::from_wire("daily", wire(), 7).unwrap();
        assert_eq!(Inventory::from_wire("daily", inventory.to_wire(), 7).unwrap(), inventory);
        let code = |id: &str, wire| Inventory::from_wire(id, wire, 7).unwrap_err().code.into_owned();
        assert_eq!(code("other", wire()), "InvalidConfigurationId");
        let mut parquet = wire();
        parquet.destination.s3_bucket_destination.format = InventoryFormat::from_static("Parquet");
        assert_eq!(code("daily", parquet), "NotImplemented");
        let mut nowhere = wire();
        nowhere.destination.s3_bucket_destination.bucket = "reports".into();
        assert_eq!(code("daily", nowhere), "InvalidS3DestinationBucket");
        let mut odd = wire();
        odd.optional_fields = Some(vec![InventoryOptionalField::from_static("Colour")]);
        assert_eq!(code("daily", odd), "InvalidArgument");
    }

    #[test]
    fn weeks_begin_on_sunday() {
        let inventory = Inventory::from_wire("daily", wire(), 7).unwrap();
        let day = |text: &str| format!("{text}T00:00:00Z").parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        let sunday = day("2026-03-01").timestamp_millis();
        assert_eq!(inventory.due_at(day("2026-03-01").timestamp_millis()), sunday);
        assert_eq!(inventory.due_at(day("2026-03-07").timestamp_millis()), sunday);
    }
}
