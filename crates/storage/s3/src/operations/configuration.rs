//! What is configured for a bucket: policy, CORS, public access.

use boathouse_aws::AwsError;
use http::StatusCode;
use s3s::S3Response;
use s3s::dto::*;

use super::Reply;
use crate::call::{Call, Store};
use crate::cors::{self, CorsRule};
use crate::documents::PublicAccess;
use crate::error::not_found;
use crate::{documents, policy};

/// The answer of writes that return nothing.
pub(super) fn done<O>(output: O) -> Reply<O> {
    Ok(S3Response::with_status(output, StatusCode::NO_CONTENT))
}

pub(crate) async fn put_policy(
    store: &Store,
    call: &Call,
    input: PutBucketPolicyInput,
) -> Reply<PutBucketPolicyOutput> {
    store.allow(&call.ctx, "s3:PutBucketPolicy", &input.bucket, None)?;
    policy::check(&input.policy, &input.bucket)?;
    if store.public_access(&input.bucket)?.block_public_policy && policy::is_public(&input.policy) {
        let arn = &call.ctx.principal.arn;
        return Err(AwsError::access_denied(format!(
            "User: {arn} is not authorized to perform: s3:PutBucketPolicy on resource: \"arn:aws:s3:::{}\" because public \
             policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
            input.bucket
        )));
    }
    store.set_policy(&input.bucket, Some(input.policy)).await?;
    done(PutBucketPolicyOutput {})
}

pub(crate) async fn get_policy(
    store: &Store,
    call: &Call,
    input: GetBucketPolicyInput,
) -> Reply<GetBucketPolicyOutput> {
    store.allow(&call.ctx, "s3:GetBucketPolicy", &input.bucket, None)?;
    let policy = store.policy(&input.bucket)?.ok_or_else(|| no_policy(&input.bucket))?;
    Ok(S3Response::new(GetBucketPolicyOutput { policy: Some(policy.to_string()) }))
}

fn no_policy(bucket: &str) -> AwsError {
    not_found("NoSuchBucketPolicy", "The bucket policy does not exist").with_detail("BucketName", bucket)
}

pub(crate) async fn delete_policy(
    store: &Store,
    call: &Call,
    input: DeleteBucketPolicyInput,
) -> Reply<DeleteBucketPolicyOutput> {
    store.allow(&call.ctx, "s3:DeleteBucketPolicy", &input.bucket, None)?;
    store.set_policy(&input.bucket, None).await?;
    done(DeleteBucketPolicyOutput {})
}

pub(crate) async fn policy_status(
    store: &Store,
    call: &Call,
    input: GetBucketPolicyStatusInput,
) -> Reply<GetBucketPolicyStatusOutput> {
    store.allow(&call.ctx, "s3:GetBucketPolicyStatus", &input.bucket, None)?;
    let text = store.policy(&input.bucket)?.ok_or_else(|| no_policy(&input.bucket))?;
    let policy_status = Some(PolicyStatus { is_public: Some(policy::is_public(&text)) });
    Ok(S3Response::new(GetBucketPolicyStatusOutput { policy_status }))
}

pub(crate) async fn put_cors(store: &Store, call: &Call, input: PutBucketCorsInput) -> Reply<PutBucketCorsOutput> {
    store.allow(&call.ctx, "s3:PutBucketCORS", &input.bucket, None)?;
    let rules: Vec<CorsRule> = input.cors_configuration.cors_rules.into_iter().map(from_wire).collect();
    cors::check(&rules)?;
    store.put_document(&input.bucket, documents::CORS, &rules).await?;
    Ok(S3Response::new(PutBucketCorsOutput {}))
}

fn from_wire(rule: CORSRule) -> CorsRule {
    CorsRule {
        id: rule.id,
        origins: rule.allowed_origins,
        methods: rule.allowed_methods,
        headers: rule.allowed_headers.unwrap_or_default(),
        expose: rule.expose_headers.unwrap_or_default(),
        max_age: rule.max_age_seconds,
    }
}

fn to_wire(rule: &CorsRule) -> CORSRule {
    let unless_empty = |list: &Vec<String>| (!list.is_empty()).then(|| list.clone());
    CORSRule {
        allowed_headers: unless_empty(&rule.headers),
        allowed_methods: rule.methods.clone(),
        allowed_origins: rule.origins.clone(),
        expose_headers: unless_empty(&rule.expose),
        id: rule.id.clone(),
        max_age_seconds: rule.max_age,
    }
}

pub(crate) async fn get_cors(store: &Store, call: &Call, input: GetBucketCorsInput) -> Reply<GetBucketCorsOutput> {
    store.allow(&call.ctx, "s3:GetBucketCORS", &input.bucket, None)?;
    let rules: Option<Vec<CorsRule>> = store.document(&input.bucket, documents::CORS)?;
    let rules = rules.ok_or_else(|| {
        not_found("NoSuchCORSConfiguration", "The CORS configuration does not exist")
            .with_detail("BucketName", input.bucket.as_str())
    })?;
    Ok(S3Response::new(GetBucketCorsOutput { cors_rules: Some(rules.iter().map(to_wire).collect()) }))
}

pub(crate) async fn delete_cors(
    store: &Store,
    call: &Call,
    input: DeleteBucketCorsInput,
) -> Reply<DeleteBucketCorsOutput> {
    store.allow(&call.ctx, "s3:PutBucketCORS", &input.bucket, None)?;
    store.delete_document(&input.bucket, documents::CORS).await?;
    done(DeleteBucketCorsOutput {})
}

pub(crate) async fn put_public_access(
    store: &Store,
    call: &Call,
    input: PutPublicAccessBlockInput,
) -> Reply<PutPublicAccessBlockOutput> {
    store.allow(&call.ctx, "s3:PutBucketPublicAccessBlock", &input.bucket, None)?;
    let wanted = input.public_access_block_configuration;
    let access = PublicAccess {
        block_public_acls: wanted.block_public_acls.unwrap_or_default(),
        ignore_public_acls: wanted.ignore_public_acls.unwrap_or_default(),
        block_public_policy: wanted.block_public_policy.unwrap_or_default(),
        restrict_public_buckets: wanted.restrict_public_buckets.unwrap_or_default(),
    };
    store.put_document(&input.bucket, documents::PUBLIC_ACCESS, &access).await?;
    Ok(S3Response::new(PutPublicAccessBlockOutput {}))
}

pub(crate) async fn get_public_access(
    store: &Store,
    call: &Call,
    input: GetPublicAccessBlockInput,
) -> Reply<GetPublicAccessBlockOutput> {
    store.allow(&call.ctx, "s3:GetBucketPublicAccessBlock", &input.bucket, None)?;
    let access: Option<PublicAccess> = store.document(&input.bucket, documents::PUBLIC_ACCESS)?;
    let access = access.ok_or_else(|| {
        let message = "The public access block configuration was not found";
        not_found("NoSuchPublicAccessBlockConfiguration", message).with_detail("BucketName", input.bucket.as_str())
    })?;
    let public_access_block_configuration = Some(PublicAccessBlockConfiguration {
        block_public_acls: Some(access.block_public_acls),
        ignore_public_acls: Some(access.ignore_public_acls),
        block_public_policy: Some(access.block_public_policy),
        restrict_public_buckets: Some(access.restrict_public_buckets),
    });
    Ok(S3Response::new(GetPublicAccessBlockOutput { public_access_block_configuration }))
}

pub(crate) async fn delete_public_access(
    store: &Store,
    call: &Call,
    input: DeletePublicAccessBlockInput,
) -> Reply<DeletePublicAccessBlockOutput> {
    store.allow(&call.ctx, "s3:PutBucketPublicAccessBlock", &input.bucket, None)?;
    store.delete_document(&input.bucket, documents::PUBLIC_ACCESS).await?;
    done(DeletePublicAccessBlockOutput {})
}
