//! PutBucketLifecycleConfiguration and its kin.

use http::StatusCode;
use s3s::S3Response;
use s3s::dto::{
    DeleteBucketLifecycleInput, DeleteBucketLifecycleOutput, GetBucketLifecycleConfigurationInput,
    GetBucketLifecycleConfigurationOutput, PutBucketLifecycleConfigurationInput, PutBucketLifecycleConfigurationOutput,
    TransitionDefaultMinimumObjectSize,
};

use super::Reply;
use crate::call::{Call, Store};
use crate::documents;
use crate::error::malformed_xml;
use crate::lifecycle::rules::{self, Rules};

/// What AWS answers those who said nothing.
const MINIMUM: &str = "all_storage_classes_128K";

fn minimum(rules: &Rules) -> Option<TransitionDefaultMinimumObjectSize> {
    let minimum = rules.minimum.clone().unwrap_or_else(|| MINIMUM.to_owned());
    Some(TransitionDefaultMinimumObjectSize::from(minimum))
}

pub(crate) async fn put(
    store: &Store,
    call: &Call,
    input: PutBucketLifecycleConfigurationInput,
) -> Reply<PutBucketLifecycleConfigurationOutput> {
    store.allow(&call.ctx, "s3:PutLifecycleConfiguration", &input.bucket, None)?;
    let wire = input.lifecycle_configuration.ok_or_else(malformed_xml)?;
    let wanted = input.transition_default_minimum_object_size.map(|it| it.as_str().to_owned());
    let rules = Rules::from_wire(wire.rules, wanted)?;
    store.put_document(&input.bucket, documents::LIFECYCLE, &rules).await?;
    store.rules.ring();
    let transition_default_minimum_object_size = minimum(&rules);
    Ok(S3Response::new(PutBucketLifecycleConfigurationOutput { transition_default_minimum_object_size }))
}

pub(crate) async fn get(
    store: &Store,
    call: &Call,
    input: GetBucketLifecycleConfigurationInput,
) -> Reply<GetBucketLifecycleConfigurationOutput> {
    store.allow(&call.ctx, "s3:GetLifecycleConfiguration", &input.bucket, None)?;
    let rules: Rules = store
        .document(&input.bucket, documents::LIFECYCLE)?
        .ok_or_else(|| rules::missing().with_detail("BucketName", input.bucket.as_str()))?;
    Ok(S3Response::new(GetBucketLifecycleConfigurationOutput {
        transition_default_minimum_object_size: minimum(&rules),
        rules: Some(rules.to_wire()),
    }))
}

pub(crate) async fn delete(
    store: &Store,
    call: &Call,
    input: DeleteBucketLifecycleInput,
) -> Reply<DeleteBucketLifecycleOutput> {
    store.allow(&call.ctx, "s3:PutLifecycleConfiguration", &input.bucket, None)?;
    store.delete_document(&input.bucket, documents::LIFECYCLE).await?;
    Ok(S3Response::with_status(DeleteBucketLifecycleOutput {}, StatusCode::NO_CONTENT))
}
