//! ACLs and object ownership of buckets and objects.

use boathouse_aws::AwsError;
use boathouse_objects::ObjectInfo;
use http::StatusCode;
use s3s::S3Response;
use s3s::dto::{
    AccessControlPolicy, DeleteBucketOwnershipControlsInput, DeleteBucketOwnershipControlsOutput, GetBucketAclInput,
    GetBucketAclOutput, GetBucketOwnershipControlsInput, GetBucketOwnershipControlsOutput, GetObjectAclInput,
    GetObjectAclOutput, ObjectOwnership, OwnershipControls, OwnershipControlsRule, PutBucketAclInput,
    PutBucketAclOutput, PutBucketOwnershipControlsInput, PutBucketOwnershipControlsOutput, PutObjectAclInput,
    PutObjectAclOutput,
};

use super::object::At;
use super::{Reply, owner};
use crate::acl::{self, Acl, Subject};
use crate::call::{Call, Store};
use crate::documents;
use crate::error::{Result, from_engine, invalid_request, malformed_xml, not_found};

const OWNERSHIPS: [&str; 3] =
    [ObjectOwnership::BUCKET_OWNER_ENFORCED, ObjectOwnership::BUCKET_OWNER_PREFERRED, ObjectOwnership::OBJECT_WRITER];

/// Checks the name of an ownership.
pub(crate) fn ownership(name: &str) -> Result<&str> {
    OWNERSHIPS.contains(&name).then_some(name).ok_or_else(malformed_xml)
}

/// A bucket cannot enforce ownership and have a list at once.
pub(crate) fn contradiction() -> AwsError {
    let message = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
    AwsError::bad_request("InvalidBucketAclWithObjectOwnership", message)
}

pub(crate) async fn put_ownership(
    store: &Store,
    call: &Call,
    input: PutBucketOwnershipControlsInput,
) -> Reply<PutBucketOwnershipControlsOutput> {
    store.allow(&call.ctx, "s3:PutBucketOwnershipControls", &input.bucket, None)?;
    let [rule] = input.ownership_controls.rules.as_slice() else { return Err(malformed_xml()) };
    let wanted = ownership(rule.object_ownership.as_str())?.to_owned();
    if wanted == ObjectOwnership::BUCKET_OWNER_ENFORCED && of_bucket(store, &input.bucket)? != Acl::default() {
        return Err(contradiction());
    }
    store.put_document(&input.bucket, documents::OWNERSHIP, &wanted).await?;
    Ok(S3Response::new(PutBucketOwnershipControlsOutput {}))
}

pub(crate) async fn get_ownership(
    store: &Store,
    call: &Call,
    input: GetBucketOwnershipControlsInput,
) -> Reply<GetBucketOwnershipControlsOutput> {
    store.allow(&call.ctx, "s3:GetBucketOwnershipControls", &input.bucket, None)?;
    let ownership: Option<String> = store.document(&input.bucket, documents::OWNERSHIP)?;
    let ownership = ownership.ok_or_else(|| {
        let message = "The bucket ownership controls were not found";
        not_found("OwnershipControlsNotFoundError", message).with_detail("BucketName", input.bucket.as_str())
    })?;
    let rules = vec![OwnershipControlsRule { object_ownership: ObjectOwnership::from(ownership) }];
    let ownership_controls = Some(OwnershipControls { rules });
    Ok(S3Response::new(GetBucketOwnershipControlsOutput { ownership_controls }))
}

pub(crate) async fn delete_ownership(
    store: &Store,
    call: &Call,
    input: DeleteBucketOwnershipControlsInput,
) -> Reply<DeleteBucketOwnershipControlsOutput> {
    store.allow(&call.ctx, "s3:PutBucketOwnershipControls", &input.bucket, None)?;
    store.delete_document(&input.bucket, documents::OWNERSHIP).await?;
    Ok(S3Response::with_status(DeleteBucketOwnershipControlsOutput {}, StatusCode::NO_CONTENT))
}

/// The list of a bucket.
pub(crate) fn of_bucket(store: &Store, bucket: &str) -> Result<Acl> {
    Ok(store.document(bucket, documents::ACL)?.unwrap_or_default())
}

pub(crate) async fn get_bucket(store: &Store, call: &Call, input: GetBucketAclInput) -> Reply<GetBucketAclOutput> {
    store.allow(&call.ctx, "s3:GetBucketAcl", &input.bucket, None)?;
    let acl = shown(store, &input.bucket, of_bucket(store, &input.bucket)?)?;
    Ok(S3Response::new(GetBucketAclOutput { grants: acl.to_wire(), owner: Some(owner()) }))
}

/// Lists that were given before ownership was enforced don't show.
fn shown(store: &Store, bucket: &str, acl: Acl) -> Result<Acl> {
    Ok(if acl::is_enforced(store, bucket)? { Acl::default() } else { acl })
}

pub(crate) async fn get_object(store: &Store, call: &Call, input: GetObjectAclInput) -> Reply<GetObjectAclOutput> {
    let at = At::new(input.bucket, input.key, input.version_id)?;
    let info = at.info(store, call, ("s3:GetObjectAcl", "s3:GetObjectVersionAcl"))?;
    let acl = shown(store, &at.bucket, Acl::of(&info.metadata)?)?;
    Ok(S3Response::new(GetObjectAclOutput { grants: acl.to_wire(), owner: Some(owner()), request_charged: None }))
}

/// The list that a request gives, in its headers or as a document; none where ownership is enforced and it says just that.
fn wanted(
    store: &Store,
    call: &Call,
    bucket: &str,
    document: Option<AccessControlPolicy>,
    subject: Subject,
) -> Result<Option<Acl>> {
    let acl = match (Acl::of_headers(call, subject)?, document) {
        (Some(acl), None) => acl,
        (None, Some(document)) => Acl::from_wire(document)?,
        (Some(_), Some(_)) => return Err(invalid_request("This request does not support content")),
        (None, None) => {
            let message = "Your request was missing a required header";
            return Err(AwsError::bad_request("MissingSecurityHeader", message));
        }
    };
    if acl::is_enforced(store, bucket)? {
        return if acl == Acl::default() { Ok(None) } else { Err(acl::not_supported()) };
    }
    acl::check_public(store, bucket, &acl).map(|()| Some(acl))
}

pub(crate) async fn put_bucket(store: &Store, call: &Call, input: PutBucketAclInput) -> Reply<PutBucketAclOutput> {
    store.allow(&call.ctx, "s3:PutBucketAcl", &input.bucket, None)?;
    if let Some(acl) = wanted(store, call, &input.bucket, input.access_control_policy, Subject::Bucket)? {
        store.put_document(&input.bucket, documents::ACL, &acl).await?;
    }
    Ok(S3Response::new(PutBucketAclOutput {}))
}

pub(crate) async fn put_object(store: &Store, call: &Call, input: PutObjectAclInput) -> Reply<PutObjectAclOutput> {
    let at = At::new(input.bucket, input.key, input.version_id)?;
    at.info(store, call, ("s3:PutObjectAcl", "s3:PutObjectVersionAcl"))?;
    if let Some(acl) = wanted(store, call, &at.bucket, input.access_control_policy, Subject::Object)? {
        let keep = move |info: &mut ObjectInfo| {
            acl.keep(&mut info.metadata);
            Ok(())
        };
        store.objects.amend(&at.bucket, &at.key, at.version.as_deref(), keep).await.map_err(from_engine)?;
    }
    Ok(S3Response::new(PutObjectAclOutput::default()))
}
