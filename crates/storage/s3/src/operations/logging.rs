//! PutBucketLogging and GetBucketLogging.

use boathouse_aws::AwsError;
use s3s::S3Response;
use s3s::dto::{
    GetBucketLoggingInput, GetBucketLoggingOutput, LoggingEnabled, PartitionDateSource, PartitionedPrefix,
    PutBucketLoggingInput, PutBucketLoggingOutput, SimplePrefix, TargetObjectKeyFormat,
};

use super::Reply;
use crate::call::{Call, Store};
use crate::documents;
use crate::error::{Result, malformed_xml};
use crate::logging::{Keys, Logging};

pub(crate) async fn put(store: &Store, call: &Call, input: PutBucketLoggingInput) -> Reply<PutBucketLoggingOutput> {
    store.allow(&call.ctx, "s3:PutBucketLogging", &input.bucket, None)?;
    match input.bucket_logging_status.logging_enabled {
        None => store.delete_document(&input.bucket, documents::LOGGING).await?,
        Some(wanted) => {
            let logging = checked(store, wanted)?;
            store.put_document(&input.bucket, documents::LOGGING, &logging).await?;
            store.log.switch_on();
        }
    }
    Ok(S3Response::new(PutBucketLoggingOutput {}))
}

fn checked(store: &Store, wanted: LoggingEnabled) -> Result<Logging> {
    if wanted.target_grants.is_some_and(|grants| !grants.is_empty()) {
        return Err(AwsError::not_implemented("TargetGrants of access logs"));
    }
    if store.objects.bucket(&wanted.target_bucket).is_err() {
        let message = "The target bucket for logging does not exist";
        let error = AwsError::bad_request("InvalidTargetBucketForLogging", message);
        return Err(error.with_detail("TargetBucket", wanted.target_bucket));
    }
    let keys = match wanted.target_object_key_format {
        None => Keys::Unsaid,
        Some(TargetObjectKeyFormat { partitioned_prefix: None, simple_prefix: Some(_) }) => Keys::Simple,
        Some(TargetObjectKeyFormat { partitioned_prefix: Some(partitioned), simple_prefix: None }) => {
            match partitioned.partition_date_source.as_ref().map(|it| it.as_str()) {
                None | Some(PartitionDateSource::DELIVERY_TIME) => Keys::ByDelivery,
                Some(PartitionDateSource::EVENT_TIME) => Keys::ByEvent,
                Some(_) => return Err(malformed_xml()),
            }
        }
        Some(_) => return Err(malformed_xml()),
    };
    Ok(Logging { bucket: wanted.target_bucket, prefix: wanted.target_prefix, keys })
}

pub(crate) async fn get(store: &Store, call: &Call, input: GetBucketLoggingInput) -> Reply<GetBucketLoggingOutput> {
    store.allow(&call.ctx, "s3:GetBucketLogging", &input.bucket, None)?;
    let logging: Option<Logging> = store.document(&input.bucket, documents::LOGGING)?;
    let logging_enabled = logging.map(|logging| LoggingEnabled {
        target_bucket: logging.bucket,
        target_grants: None,
        target_object_key_format: key_format(logging.keys),
        target_prefix: logging.prefix,
    });
    Ok(S3Response::new(GetBucketLoggingOutput { logging_enabled }))
}

fn key_format(keys: Keys) -> Option<TargetObjectKeyFormat> {
    let partitioned = |source| TargetObjectKeyFormat {
        partitioned_prefix: Some(PartitionedPrefix {
            partition_date_source: Some(PartitionDateSource::from_static(source)),
        }),
        simple_prefix: None,
    };
    match keys {
        Keys::Unsaid => None,
        Keys::Simple => Some(TargetObjectKeyFormat { partitioned_prefix: None, simple_prefix: Some(SimplePrefix {}) }),
        Keys::ByDelivery => Some(partitioned(PartitionDateSource::DELIVERY_TIME)),
        Keys::ByEvent => Some(partitioned(PartitionDateSource::EVENT_TIME)),
    }
}
