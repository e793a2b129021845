//! The table of operations: S3's names, the codec's types, our handlers.

use std::sync::Arc;

use s3s::dto;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use crate::call::{Call, Store};
use crate::operations::{
    acl, batch, bucket, configuration, copy, encryption, inventory, lifecycle, listing, lock, logging, multipart,
    notification, object, tagging, unconfigured, uploads, versioning,
};

/// What the codec calls.
pub(crate) struct Front {
    pub(crate) store: Store,
}

macro_rules! operations {
    ($($name:ident: $method:ident($input:ident) -> $output:ident = $handler:path;)*) => {
        /// The implemented operations. The last four are old names of others, with the same requests and answers.
        pub const OPERATIONS: &[&str] = &[
            $(stringify!($name),)*
            "GetBucketLifecycle",
            "GetBucketNotification",
            "PutBucketLifecycle",
            "PutBucketNotification",
        ];

        #[async_trait::async_trait]
        impl s3s::S3 for Front {
            $(async fn $method(&self, mut request: S3Request<dto::$input>) -> S3Result<S3Response<dto::$output>> {
                let call = call_of(&mut request.extensions)?;
                // Set once: one request is one operation.
                let _ = call.operation.set(stringify!($name));
                let outcome = $handler(&self.store, &call, request.input).await;
                if let Some(status) = outcome.as_ref().ok().and_then(|response| response.status) {
                    // The codec has statuses of its own for some operations.
                    let _ = call.status.set(status);
                }
                outcome.map_err(|error| {
                    call.fail(error);
                    S3Error::new(S3ErrorCode::InternalError)
                })
            })*
        }
    };
}

operations! {
    PutObject: put_object(PutObjectInput) -> PutObjectOutput = object::put;
    GetObject: get_object(GetObjectInput) -> GetObjectOutput = object::get;
    HeadObject: head_object(HeadObjectInput) -> HeadObjectOutput = object::head;
    DeleteObject: delete_object(DeleteObjectInput) -> DeleteObjectOutput = object::delete;
    ListBuckets: list_buckets(ListBucketsInput) -> ListBucketsOutput = bucket::list;
    CreateBucket: create_bucket(CreateBucketInput) -> CreateBucketOutput = bucket::create;
    DeleteBucket: delete_bucket(DeleteBucketInput) -> DeleteBucketOutput = bucket::delete;
    HeadBucket: head_bucket(HeadBucketInput) -> HeadBucketOutput = bucket::head;
    GetBucketLocation: get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = bucket::location;
    ListObjects: list_objects(ListObjectsInput) -> ListObjectsOutput = listing::v1;
    ListObjectsV2: list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = listing::v2;
    ListObjectVersions: list_object_versions(ListObjectVersionsInput) -> ListObjectVersionsOutput = listing::versions;
    DeleteObjects: delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput = batch::delete;
    CopyObject: copy_object(CopyObjectInput) -> CopyObjectOutput = copy::copy;
    CreateMultipartUpload: create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = multipart::create;
    UploadPart: upload_part(UploadPartInput) -> UploadPartOutput = multipart::upload;
    UploadPartCopy: upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput = multipart::upload_copy;
    CompleteMultipartUpload: complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput = multipart::complete;
    AbortMultipartUpload: abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = multipart::abort;
    ListParts: list_parts(ListPartsInput) -> ListPartsOutput = uploads::parts;
    ListMultipartUploads: list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = uploads::list;
    GetObjectTagging: get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput = tagging::get;
    PutObjectTagging: put_object_tagging(PutObjectTaggingInput) -> PutObjectTaggingOutput = tagging::put;
    DeleteObjectTagging: delete_object_tagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput = tagging::delete;
    GetObjectAttributes: get_object_attributes(GetObjectAttributesInput) -> GetObjectAttributesOutput = tagging::attributes;
    GetBucketTagging: get_bucket_tagging(GetBucketTaggingInput) -> GetBucketTaggingOutput = tagging::get_bucket;
    PutBucketTagging: put_bucket_tagging(PutBucketTaggingInput) -> PutBucketTaggingOutput = tagging::put_bucket;
    DeleteBucketTagging: delete_bucket_tagging(DeleteBucketTaggingInput) -> DeleteBucketTaggingOutput = tagging::delete_bucket;
    GetBucketPolicy: get_bucket_policy(GetBucketPolicyInput) -> GetBucketPolicyOutput = configuration::get_policy;
    PutBucketPolicy: put_bucket_policy(PutBucketPolicyInput) -> PutBucketPolicyOutput = configuration::put_policy;
    DeleteBucketPolicy: delete_bucket_policy(DeleteBucketPolicyInput) -> DeleteBucketPolicyOutput = configuration::delete_policy;
    GetBucketPolicyStatus: get_bucket_policy_status(GetBucketPolicyStatusInput) -> GetBucketPolicyStatusOutput = configuration::policy_status;
    GetBucketCors: get_bucket_cors(GetBucketCorsInput) -> GetBucketCorsOutput = configuration::get_cors;
    PutBucketCors: put_bucket_cors(PutBucketCorsInput) -> PutBucketCorsOutput = configuration::put_cors;
    DeleteBucketCors: delete_bucket_cors(DeleteBucketCorsInput) -> DeleteBucketCorsOutput = configuration::delete_cors;
    GetPublicAccessBlock: get_public_access_block(GetPublicAccessBlockInput) -> GetPublicAccessBlockOutput = configuration::get_public_access;
    PutPublicAccessBlock: put_public_access_block(PutPublicAccessBlockInput) -> PutPublicAccessBlockOutput = configuration::put_public_access;
    DeletePublicAccessBlock: delete_public_access_block(DeletePublicAccessBlockInput) -> DeletePublicAccessBlockOutput = configuration::delete_public_access;
    GetBucketOwnershipControls: get_bucket_ownership_controls(GetBucketOwnershipControlsInput) -> GetBucketOwnershipControlsOutput = acl::get_ownership;
    PutBucketOwnershipControls: put_bucket_ownership_controls(PutBucketOwnershipControlsInput) -> PutBucketOwnershipControlsOutput = acl::put_ownership;
    DeleteBucketOwnershipControls: delete_bucket_ownership_controls(DeleteBucketOwnershipControlsInput) -> DeleteBucketOwnershipControlsOutput = acl::delete_ownership;
    GetBucketNotificationConfiguration: get_bucket_notification_configuration(GetBucketNotificationConfigurationInput) -> GetBucketNotificationConfigurationOutput = notification::get;
    PutBucketNotificationConfiguration: put_bucket_notification_configuration(PutBucketNotificationConfigurationInput) -> PutBucketNotificationConfigurationOutput = notification::put;
    GetBucketEncryption: get_bucket_encryption(GetBucketEncryptionInput) -> GetBucketEncryptionOutput = encryption::get;
    PutBucketEncryption: put_bucket_encryption(PutBucketEncryptionInput) -> PutBucketEncryptionOutput = encryption::put;
    DeleteBucketEncryption: delete_bucket_encryption(DeleteBucketEncryptionInput) -> DeleteBucketEncryptionOutput = encryption::delete;
    GetBucketVersioning: get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput = versioning::get;
    PutBucketVersioning: put_bucket_versioning(PutBucketVersioningInput) -> PutBucketVersioningOutput = versioning::put;
    GetObjectLockConfiguration: get_object_lock_configuration(GetObjectLockConfigurationInput) -> GetObjectLockConfigurationOutput = lock::get_configuration;
    PutObjectLockConfiguration: put_object_lock_configuration(PutObjectLockConfigurationInput) -> PutObjectLockConfigurationOutput = lock::put_configuration;
    GetObjectRetention: get_object_retention(GetObjectRetentionInput) -> GetObjectRetentionOutput = lock::get_retention;
    PutObjectRetention: put_object_retention(PutObjectRetentionInput) -> PutObjectRetentionOutput = lock::put_retention;
    GetObjectLegalHold: get_object_legal_hold(GetObjectLegalHoldInput) -> GetObjectLegalHoldOutput = lock::get_legal_hold;
    PutObjectLegalHold: put_object_legal_hold(PutObjectLegalHoldInput) -> PutObjectLegalHoldOutput = lock::put_legal_hold;
    GetBucketLifecycleConfiguration: get_bucket_lifecycle_configuration(GetBucketLifecycleConfigurationInput) -> GetBucketLifecycleConfigurationOutput = lifecycle::get;
    PutBucketLifecycleConfiguration: put_bucket_lifecycle_configuration(PutBucketLifecycleConfigurationInput) -> PutBucketLifecycleConfigurationOutput = lifecycle::put;
    DeleteBucketLifecycle: delete_bucket_lifecycle(DeleteBucketLifecycleInput) -> DeleteBucketLifecycleOutput = lifecycle::delete;
    GetBucketLogging: get_bucket_logging(GetBucketLoggingInput) -> GetBucketLoggingOutput = logging::get;
    PutBucketLogging: put_bucket_logging(PutBucketLoggingInput) -> PutBucketLoggingOutput = logging::put;
    GetBucketInventoryConfiguration: get_bucket_inventory_configuration(GetBucketInventoryConfigurationInput) -> GetBucketInventoryConfigurationOutput = inventory::get;
    PutBucketInventoryConfiguration: put_bucket_inventory_configuration(PutBucketInventoryConfigurationInput) -> PutBucketInventoryConfigurationOutput = inventory::put;
    DeleteBucketInventoryConfiguration: delete_bucket_inventory_configuration(DeleteBucketInventoryConfigurationInput) -> DeleteBucketInventoryConfigurationOutput = inventory::delete;
    ListBucketInventoryConfigurations: list_bucket_inventory_configurations(ListBucketInventoryConfigurationsInput) -> ListBucketInventoryConfigurationsOutput = inventory::list;
    GetBucketRequestPayment: get_bucket_request_payment(GetBucketRequestPaymentInput) -> GetBucketRequestPaymentOutput = unconfigured::request_payment;
    PutBucketRequestPayment: put_bucket_request_payment(PutBucketRequestPaymentInput) -> PutBucketRequestPaymentOutput = unconfigured::put_request_payment;
    GetBucketAccelerateConfiguration: get_bucket_accelerate_configuration(GetBucketAccelerateConfigurationInput) -> GetBucketAccelerateConfigurationOutput = unconfigured::accelerate;
    GetBucketWebsite: get_bucket_website(GetBucketWebsiteInput) -> GetBucketWebsiteOutput = unconfigured::website;
    DeleteBucketWebsite: delete_bucket_website(DeleteBucketWebsiteInput) -> DeleteBucketWebsiteOutput = unconfigured::delete_website;
    GetBucketReplication: get_bucket_replication(GetBucketReplicationInput) -> GetBucketReplicationOutput = unconfigured::replication;
    DeleteBucketReplication: delete_bucket_replication(DeleteBucketReplicationInput) -> DeleteBucketReplicationOutput = unconfigured::delete_replication;
    ListBucketAnalyticsConfigurations: list_bucket_analytics_configurations(ListBucketAnalyticsConfigurationsInput) -> ListBucketAnalyticsConfigurationsOutput = unconfigured::list_analytics;
    GetBucketAnalyticsConfiguration: get_bucket_analytics_configuration(GetBucketAnalyticsConfigurationInput) -> GetBucketAnalyticsConfigurationOutput = unconfigured::analytics;
    DeleteBucketAnalyticsConfiguration: delete_bucket_analytics_configuration(DeleteBucketAnalyticsConfigurationInput) -> DeleteBucketAnalyticsConfigurationOutput = unconfigured::delete_analytics;
    ListBucketMetricsConfigurations: list_bucket_metrics_configurations(ListBucketMetricsConfigurationsInput) -> ListBucketMetricsConfigurationsOutput = unconfigured::list_metrics;
    GetBucketMetricsConfiguration: get_bucket_metrics_configuration(GetBucketMetricsConfigurationInput) -> GetBucketMetricsConfigurationOutput = unconfigured::metrics;
    DeleteBucketMetricsConfiguration: delete_bucket_metrics_configuration(DeleteBucketMetricsConfigurationInput) -> DeleteBucketMetricsConfigurationOutput = unconfigured::delete_metrics;
    ListBucketIntelligentTieringConfigurations: list_bucket_intelligent_tiering_configurations(ListBucketIntelligentTieringConfigurationsInput) -> ListBucketIntelligentTieringConfigurationsOutput = unconfigured::list_tiering;
    GetBucketIntelligentTieringConfiguration: get_bucket_intelligent_tiering_configuration(GetBucketIntelligentTieringConfigurationInput) -> GetBucketIntelligentTieringConfigurationOutput = unconfigured::tiering;
    DeleteBucketIntelligentTieringConfiguration: delete_bucket_intelligent_tiering_configuration(DeleteBucketIntelligentTieringConfigurationInput) -> DeleteBucketIntelligentTieringConfigurationOutput = unconfigured::delete_tiering;
    RestoreObject: restore_object(RestoreObjectInput) -> RestoreObjectOutput = unconfigured::restore;
    GetBucketAcl: get_bucket_acl(GetBucketAclInput) -> GetBucketAclOutput = acl::get_bucket;
    PutBucketAcl: put_bucket_acl(PutBucketAclInput) -> PutBucketAclOutput = acl::put_bucket;
    GetObjectAcl: get_object_acl(GetObjectAclInput) -> GetObjectAclOutput = acl::get_object;
    PutObjectAcl: put_object_acl(PutObjectAclInput) -> PutObjectAclOutput = acl::put_object;
}

fn call_of(extensions: &mut http::Extensions) -> S3Result<Arc<Call>> {
    extensions.remove().ok_or_else(|| S3Error::new(S3ErrorCode::InternalError))
}
