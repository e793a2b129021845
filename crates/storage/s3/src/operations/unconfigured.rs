//! What a bucket can be configured for on AWS and not here: reads answer as AWS does of a bucket that is not configured, and
//! deletes as if there were nothing. Tools such as Terraform read all of this of every bucket. Writes are refused by name.

use boathouse_aws::AwsError;
use http::StatusCode;
use s3s::S3Response;
use s3s::dto::*;

use super::Reply;
use super::configuration::done;
use super::inventory::missing;
use super::object::At;
use crate::call::{Call, Store};
use crate::error::{Result, malformed_xml, not_found};
use crate::storage_class;

fn allow(store: &Store, call: &Call, action: &str, bucket: &str) -> Result<()> {
    store.allow(&call.ctx, action, bucket, None)
}

pub(crate) async fn request_payment(
    store: &Store,
    call: &Call,
    input: GetBucketRequestPaymentInput,
) -> Reply<GetBucketRequestPaymentOutput> {
    allow(store, call, "s3:GetBucketRequestPayment", &input.bucket)?;
    let payer = Some(Payer::from_static(Payer::BUCKET_OWNER));
    Ok(S3Response::new(GetBucketRequestPaymentOutput { payer }))
}

/// The owner pays anyhow; that others do is refused.
pub(crate) async fn put_request_payment(
    store: &Store,
    call: &Call,
    input: PutBucketRequestPaymentInput,
) -> Reply<PutBucketRequestPaymentOutput> {
    allow(store, call, "s3:PutBucketRequestPayment", &input.bucket)?;
    match input.request_payment_configuration.payer.as_str() {
        Payer::BUCKET_OWNER => Ok(S3Response::new(PutBucketRequestPaymentOutput {})),
        Payer::REQUESTER => Err(AwsError::not_implemented("buckets whose requesters pay")),
        _ => Err(malformed_xml()),
    }
}

pub(crate) async fn accelerate(
    store: &Store,
    call: &Call,
    input: GetBucketAccelerateConfigurationInput,
) -> Reply<GetBucketAccelerateConfigurationOutput> {
    allow(store, call, "s3:GetAccelerateConfiguration", &input.bucket)?;
    Ok(S3Response::new(GetBucketAccelerateConfigurationOutput::default()))
}

pub(crate) async fn website(store: &Store, call: &Call, input: GetBucketWebsiteInput) -> Reply<GetBucketWebsiteOutput> {
    allow(store, call, "s3:GetBucketWebsite", &input.bucket)?;
    let error = not_found("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration");
    Err(error.with_detail("BucketName", input.bucket))
}

pub(crate) async fn delete_website(
    store: &Store,
    call: &Call,
    input: DeleteBucketWebsiteInput,
) -> Reply<DeleteBucketWebsiteOutput> {
    allow(store, call, "s3:DeleteBucketWebsite", &input.bucket)?;
    done(DeleteBucketWebsiteOutput {})
}

pub(crate) async fn replication(
    store: &Store,
    call: &Call,
    input: GetBucketReplicationInput,
) -> Reply<GetBucketReplicationOutput> {
    allow(store, call, "s3:GetReplicationConfiguration", &input.bucket)?;
    let error = not_found("ReplicationConfigurationNotFoundError", "The replication configuration was not found");
    Err(error.with_detail("BucketName", input.bucket))
}

pub(crate) async fn delete_replication(
    store: &Store,
    call: &Call,
    input: DeleteBucketReplicationInput,
) -> Reply<DeleteBucketReplicationOutput> {
    allow(store, call, "s3:PutReplicationConfiguration", &input.bucket)?;
    done(DeleteBucketReplicationOutput {})
}

/// Three kinds of configuration that a bucket can have many of, by their ids: there are none.
macro_rules! none_of {
    ($(
        $read:literal, $write:literal:
        $list:ident($list_input:ident) -> $list_output:ident,
        $get:ident($get_input:ident) -> $get_output:ident,
        $delete:ident($delete_input:ident) -> $delete_output:ident;
    )*) => {
        $(
            pub(crate) async fn $list(store: &Store, call: &Call, input: $list_input) -> Reply<$list_output> {
                allow(store, call, $read, &input.bucket)?;
                Ok(S3Response::new($list_output { is_truncated: Some(false), ..$list_output::default() }))
            }

            pub(crate) async fn $get(store: &Store, call: &Call, input: $get_input) -> Reply<$get_output> {
                allow(store, call, $read, &input.bucket)?;
                Err(missing(&input.id))
            }

            pub(crate) async fn $delete(store: &Store, call: &Call, input: $delete_input) -> Reply<$delete_output> {
                allow(store, call, $write, &input.bucket)?;
                Err(missing(&input.id))
            }
        )*
    };
}

none_of! {
    "s3:GetAnalyticsConfiguration", "s3:PutAnalyticsConfiguration":
        list_analytics(ListBucketAnalyticsConfigurationsInput) -> ListBucketAnalyticsConfigurationsOutput,
        analytics(GetBucketAnalyticsConfigurationInput) -> GetBucketAnalyticsConfigurationOutput,
        delete_analytics(DeleteBucketAnalyticsConfigurationInput) -> DeleteBucketAnalyticsConfigurationOutput;
    "s3:GetMetricsConfiguration", "s3:PutMetricsConfiguration":
        list_metrics(ListBucketMetricsConfigurationsInput) -> ListBucketMetricsConfigurationsOutput,
        metrics(GetBucketMetricsConfigurationInput) -> GetBucketMetricsConfigurationOutput,
        delete_metrics(DeleteBucketMetricsConfigurationInput) -> DeleteBucketMetricsConfigurationOutput;
    "s3:GetIntelligentTieringConfiguration", "s3:PutIntelligentTieringConfiguration":
        list_tiering(ListBucketIntelligentTieringConfigurationsInput) -> ListBucketIntelligentTieringConfigurationsOutput,
        tiering(GetBucketIntelligentTieringConfigurationInput) -> GetBucketIntelligentTieringConfigurationOutput,
        delete_tiering(DeleteBucketIntelligentTieringConfigurationInput) -> DeleteBucketIntelligentTieringConfigurationOutput;
}

/// No object is in an archive: those storage classes are refused.
pub(crate) async fn restore(store: &Store, call: &Call, input: RestoreObjectInput) -> Reply<RestoreObjectOutput> {
    let at = At::new(input.bucket, input.key, input.version_id)?;
    let info = at.info(store, call, ("s3:RestoreObject", "s3:RestoreObject"))?;
    let message = "Restore is not allowed, as object's storage class is not GLACIER";
    let error = AwsError::new("InvalidObjectState", StatusCode::FORBIDDEN, message);
    Err(error.with_detail("StorageClass", storage_class::of(&info.metadata)))
}
