//! Buckets: create, delete, find.

use boathouse_aws::access::AccessRequest;
use boathouse_aws::{ACCOUNT_ID, AwsError, Ctx};
use boathouse_objects::{BucketInfo, BucketLock, NewBucket, Versioning};
use http::StatusCode;
use s3s::S3Response;
use s3s::dto::{
    Bucket, BucketLocationConstraint, CreateBucketInput, CreateBucketOutput, DeleteBucketInput, DeleteBucketOutput,
    GetBucketLocationInput, GetBucketLocationOutput, HeadBucketInput, HeadBucketOutput, ListBucketsInput,
    ListBucketsOutput,
};

use super::{Reply, acl, owner, timestamp};
use crate::acl::{Acl, Subject};
use crate::call::{Call, Store};
use crate::error::{Result, from_engine, invalid_argument, invalid_bucket_name};
use crate::{condition_keys, documents, tags, token};

/// The region whose buckets have no location constraint, and where creating one's own bucket again succeeds.
const FIRST_REGION: &str = "us-east-1";
const MAX_BUCKETS: i32 = 10_000;
const RESERVED_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
const RESERVED_SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

pub(crate) async fn create(store: &Store, call: &Call, input: CreateBucketInput) -> Reply<CreateBucketOutput> {
    let name = input.bucket;
    check_name(&name)?;
    let constraint = input.create_bucket_configuration.as_ref().and_then(|it| it.location_constraint.as_ref());
    check_location(constraint.map(BucketLocationConstraint::as_str), call.ctx.region())?;
    let wanted = input.object_ownership.as_ref().map_or("BucketOwnerEnforced", |it| it.as_str());
    let ownership = acl::ownership(wanted)?;
    let list = Acl::of_headers(call, Subject::Bucket)?.filter(|list| *list != Acl::default());
    if list.is_some() && ownership == "BucketOwnerEnforced" {
        return Err(acl::contradiction());
    }
    if list.as_ref().is_some_and(Acl::is_public) {
        // New buckets block them.
        let message = "Bucket cannot have public ACLs set with BlockPublicAccess enabled";
        return Err(AwsError::bad_request("InvalidBucketAclWithBlockPublicAccessError", message));
    }
    let arn = format!("arn:aws:s3:::{name}");
    let tags = tags::of_new_bucket(call.document.get().map_or(&b""[..], |document| &document[..]))?;
    let keys = condition_keys::of_new_bucket(call, constraint.map(BucketLocationConstraint::as_str), &tags);
    store.authorizer.authorize(&call.ctx, &AccessRequest::new("s3:CreateBucket", &arn, &keys))?;
    if !tags.is_empty() {
        store.authorizer.authorize(&call.ctx, &AccessRequest::new("s3:TagResource", &arn, &keys))?;
    }
    let locks = input.object_lock_enabled_for_bucket.unwrap_or_default();
    if locks {
        store.allow_any(&call.ctx, "s3:PutBucketObjectLockConfiguration", &arn)?;
        store.allow_any(&call.ctx, "s3:PutBucketVersioning", &arn)?;
    }
    let new = NewBucket {
        name: name.clone(),
        owner: ACCOUNT_ID.to_owned(),
        region: call.ctx.region().to_owned(),
        documents: documents::of_new_bucket(ownership, list.as_ref(), &tags, store.encrypts),
        versioning: if locks { Versioning::Enabled } else { Versioning::Off },
        lock: locks.then(BucketLock::default),
    };
    match store.objects.create_bucket_with(new).await {
        Ok(_) => {}
        Err(boathouse_objects::Error::BucketExists(_)) if call.ctx.region() == FIRST_REGION => {}
        Err(error) => return Err(from_engine(error)),
    }
    Ok(S3Response::new(CreateBucketOutput { location: Some(format!("/{name}")) }))
}

/// The rules that the codec does not know.
fn check_name(name: &str) -> Result<()> {
    let reserved = RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || RESERVED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    let ill_joined = name.contains(".-") || name.contains("-.");
    if reserved || ill_joined { Err(invalid_bucket_name(name)) } else { Ok(()) }
}

/// Whether a text looks like a region's name: `eu-west-1`, `us-gov-east-1`, and `EU`, which is the first one in Europe.
fn is_region(text: &str) -> bool {
    let mut words = text.rsplit('-');
    let numbered = words.next().is_some_and(|last| last.len() == 1 && last.bytes().all(|it| it.is_ascii_digit()));
    let words: Vec<&str> = words.collect();
    let named =
        words.len() >= 2 && words.iter().all(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_lowercase()));
    text == "EU" || (numbered && named)
}

fn check_location(constraint: Option<&str>, region: &str) -> Result<()> {
    let illegal = |what: &str| {
        let message = format!(
            "The {what} location constraint is incompatible for the region specific endpoint this request was sent to."
        );
        Err(AwsError::bad_request("IllegalLocationConstraintException", message))
    };
    match constraint.filter(|constraint| !constraint.is_empty()) {
        Some(constraint) if (constraint, region) == (FIRST_REGION, FIRST_REGION) || !is_region(constraint) => {
            let message = "The specified location-constraint is not valid";
            Err(AwsError::bad_request("InvalidLocationConstraint", message))
        }
        Some(constraint) if constraint != region => illegal(constraint),
        None if region != FIRST_REGION => illegal("unspecified"),
        _ => Ok(()),
    }
}

pub(crate) async fn delete(store: &Store, call: &Call, input: DeleteBucketInput) -> Reply<DeleteBucketOutput> {
    store.allow(&call.ctx, "s3:DeleteBucket", &input.bucket, None)?;
    store.objects.delete_bucket(&input.bucket).await.map_err(from_engine)?;
    Ok(S3Response::with_status(DeleteBucketOutput {}, StatusCode::NO_CONTENT))
}

pub(crate) async fn head(store: &Store, call: &Call, input: HeadBucketInput) -> Reply<HeadBucketOutput> {
    store.allow(&call.ctx, "s3:ListBucket", &input.bucket, None)?;
    let output = HeadBucketOutput { bucket_region: Some(call.ctx.region().to_owned()), ..HeadBucketOutput::default() };
    Ok(S3Response::new(output))
}

pub(crate) async fn location(
    store: &Store,
    call: &Call,
    input: GetBucketLocationInput,
) -> Reply<GetBucketLocationOutput> {
    store.allow(&call.ctx, "s3:GetBucketLocation", &input.bucket, None)?;
    let region = Some(call.ctx.region()).filter(|region| *region != FIRST_REGION);
    let location_constraint = region.map(|region| BucketLocationConstraint::from(region.to_owned()));
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint }))
}

pub(crate) async fn list(store: &Store, call: &Call, input: ListBucketsInput) -> Reply<ListBucketsOutput> {
    store.allow_any(&call.ctx, "s3:ListAllMyBuckets", "*")?;
    let limit = input.max_buckets.unwrap_or(MAX_BUCKETS);
    if !(1..=MAX_BUCKETS).contains(&limit) {
        return Err(invalid_argument("Argument max-buckets must be an integer between 1 and 10000"));
    }
    let after = input.continuation_token.as_deref().map(token::read).transpose()?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let elsewhere = input.bucket_region.as_ref().is_some_and(|region| region != call.ctx.region());
    let mut names = store.objects.buckets().map_err(from_engine)?;
    names
        .retain(|it| !elsewhere && it.name.starts_with(&prefix) && after.as_ref().is_none_or(|after| it.name > *after));
    let more = names.len() > limit as usize;
    names.truncate(limit as usize);
    let continuation_token = names.last().filter(|_| more).map(|last| token::write(&last.name));
    // The region is told only to those who page or filter, as on AWS.
    let paged = input.max_buckets.is_some() || input.prefix.is_some() || input.bucket_region.is_some();
    let buckets = names.into_iter().map(|it| describe(it, &call.ctx, paged)).collect();
    let output =
        ListBucketsOutput { buckets: Some(buckets), continuation_token, owner: Some(owner()), prefix: input.prefix };
    Ok(S3Response::new(output))
}

fn describe(bucket: BucketInfo, ctx: &Ctx, with_region: bool) -> Bucket {
    Bucket {
        bucket_region: with_region.then(|| ctx.region().to_owned()),
        creation_date: Some(timestamp(bucket.created_ms)),
        name: Some(bucket.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_names_are_refused() {
        assert!(check_name("raw.data-1").is_ok());
        for name in ["xn--a", "sthree-a", "amzn-s3-demo-a", "a-s3alias", "a--x-s3", "a.-b"] {
            assert_eq!(check_name(name).unwrap_err().code, "InvalidBucketName", "{name}");
        }
    }

    #[test]
    fn locations_fit_the_region() {
        assert!(check_location(None, "us-east-1").is_ok());
        assert!(check_location(Some("eu-west-1"), "eu-west-1").is_ok());
        assert_eq!(check_location(Some("us-east-1"), "us-east-1").unwrap_err().code, "InvalidLocationConstraint");
        assert_eq!(check_location(Some("mars"), "us-east-1").unwrap_err().code, "InvalidLocationConstraint");
        for (constraint, region) in [(Some("eu-west-1"), "us-east-1"), (None, "eu-west-1")] {
            let error = check_location(constraint, region).unwrap_err();
            assert_eq!(error.code, "IllegalLocationConstraintException");
        }
    }
}
