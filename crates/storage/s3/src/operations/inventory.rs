//! PutBucketInventoryConfiguration and its kin.

use boathouse_aws::AwsError;
use http::StatusCode;
use s3s::S3Response;
use s3s::dto::{
    DeleteBucketInventoryConfigurationInput, DeleteBucketInventoryConfigurationOutput,
    GetBucketInventoryConfigurationInput, GetBucketInventoryConfigurationOutput,
    ListBucketInventoryConfigurationsInput, ListBucketInventoryConfigurationsOutput,
    PutBucketInventoryConfigurationInput, PutBucketInventoryConfigurationOutput,
};

use super::Reply;
use crate::call::{Call, Store};
use crate::error::not_found;
use crate::inventory::configuration::Inventory;
use crate::inventory::{self, document, done};
use crate::token;

/// Inventories of a bucket at most.
const MAX: usize = 1000;
/// Inventories of a page.
const PAGE: usize = 100;

pub(super) fn missing(id: &str) -> AwsError {
    not_found("NoSuchConfiguration", "The specified configuration does not exist.").with_detail("Id", id)
}

pub(crate) async fn put(
    store: &Store,
    call: &Call,
    input: PutBucketInventoryConfigurationInput,
) -> Reply<PutBucketInventoryConfigurationOutput> {
    store.allow(&call.ctx, "s3:PutInventoryConfiguration", &input.bucket, None)?;
    let now_ms = call.ctx.now().timestamp_millis();
    let wanted = Inventory::from_wire(&input.id, input.inventory_configuration, now_ms)?;
    if store.objects.bucket(&wanted.target).is_err() {
        let error = AwsError::bad_request("InvalidS3DestinationBucket", "The destination bucket does not exist.");
        return Err(error.with_detail("BucketName", wanted.target));
    }
    let others = inventory::all(store, &input.bucket)?;
    if others.len() >= MAX && others.iter().all(|it| it.id != wanted.id) {
        let message =
            "You are attempting to create a new configuration but have already reached the 1,000-configuration limit.";
        return Err(AwsError::bad_request("TooManyConfigurations", message));
    }
    store.put_document(&input.bucket, &document(&wanted.id), &wanted).await?;
    Ok(S3Response::with_status(PutBucketInventoryConfigurationOutput {}, StatusCode::NO_CONTENT))
}

pub(crate) async fn get(
    store: &Store,
    call: &Call,
    input: GetBucketInventoryConfigurationInput,
) -> Reply<GetBucketInventoryConfigurationOutput> {
    store.allow(&call.ctx, "s3:GetInventoryConfiguration", &input.bucket, None)?;
    let found: Option<Inventory> = store.document(&input.bucket, &document(&input.id))?;
    let inventory_configuration = Some(found.ok_or_else(|| missing(&input.id))?.to_wire());
    Ok(S3Response::new(GetBucketInventoryConfigurationOutput { inventory_configuration }))
}

pub(crate) async fn list(
    store: &Store,
    call: &Call,
    input: ListBucketInventoryConfigurationsInput,
) -> Reply<ListBucketInventoryConfigurationsOutput> {
    store.allow(&call.ctx, "s3:GetInventoryConfiguration", &input.bucket, None)?;
    let after = input.continuation_token.as_deref().map(token::read).transpose()?.unwrap_or_default();
    let mut found = inventory::all(store, &input.bucket)?;
    found.retain(|it| it.id > after);
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    Ok(S3Response::new(ListBucketInventoryConfigurationsOutput {
        continuation_token: input.continuation_token,
        next_continuation_token: found.last().filter(|_| more).map(|last| token::write(&last.id)),
        inventory_configuration_list: Some(found.iter().map(Inventory::to_wire).collect()),
        is_truncated: Some(more),
    }))
}

pub(crate) async fn delete(
    store: &Store,
    call: &Call,
    input: DeleteBucketInventoryConfigurationInput,
) -> Reply<DeleteBucketInventoryConfigurationOutput> {
    store.allow(&call.ctx, "s3:PutInventoryConfiguration", &input.bucket, None)?;
    if store.document::<Inventory>(&input.bucket, &document(&input.id))?.is_none() {
        return Err(missing(&input.id));
    }
    store.delete_document(&input.bucket, &document(&input.id)).await?;
    store.delete_document(&input.bucket, &done(&input.id)).await?;
    Ok(S3Response::with_status(DeleteBucketInventoryConfigurationOutput {}, StatusCode::NO_CONTENT))
}
