//! Object Lock: default retention of buckets, retention and legal holds of versions ("Locking objects with Object Lock").

use boathouse_aws::AwsError;
use boathouse_aws::access::ConditionKeys;
use boathouse_objects::{BucketLock, DefaultRetention, Lock, LockMode, ObjectInfo, Retention, Versioning};
use chrono::{DateTime, SecondsFormat, Utc};
use http::{HeaderMap, StatusCode};
use s3s::S3Response;
use s3s::dto::{
    DefaultRetention as WireRetention, GetObjectLegalHoldInput, GetObjectLegalHoldOutput,
    GetObjectLockConfigurationInput, GetObjectLockConfigurationOutput, GetObjectRetentionInput,
    GetObjectRetentionOutput, ObjectLockConfiguration, ObjectLockEnabled, ObjectLockLegalHold,
    ObjectLockLegalHoldStatus, ObjectLockRetention, ObjectLockRetentionMode, ObjectLockRule, PutObjectLegalHoldInput,
    PutObjectLegalHoldOutput, PutObjectLockConfigurationInput, PutObjectLockConfigurationOutput,
    PutObjectRetentionInput, PutObjectRetentionOutput,
};

use super::object::At;
use super::{Reply, moment, timestamp};
use crate::call::{Call, Store};
use crate::checksums::Announced;
use crate::error::{Result, from_engine, invalid_argument, invalid_request, malformed_xml, not_found};
use crate::{condition_keys, metadata};

const MODE: &str = "x-amz-object-lock-mode";
const UNTIL: &str = "x-amz-object-lock-retain-until-date";
const HOLD: &str = "x-amz-object-lock-legal-hold";
const BYPASS: &str = "x-amz-bypass-governance-retention";
/// The longest default retention: a hundred years.
const MAX_DAYS: i32 = 36_500;
const MAX_YEARS: i32 = 100;

/// Whether a bucket has Object Lock.
pub(crate) fn is_enabled(store: &Store, bucket: &str) -> Result<bool> {
    Ok(store.objects.bucket(bucket).map_err(from_engine)?.lock.is_some())
}

fn require(store: &Store, bucket: &str) -> Result<()> {
    match is_enabled(store, bucket)? {
        true => Ok(()),
        false => Err(invalid_request("Bucket is missing Object Lock Configuration")),
    }
}

/// Whether a request passes over retention in governance mode, which needs a right of its own.
pub(crate) fn bypasses(store: &Store, call: &Call, bucket: &str, key: &str) -> Result<bool> {
    if !call.header(BYPASS).is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(false);
    }
    store.allow(&call.ctx, "s3:BypassGovernanceRetention", bucket, Some(key)).map(|()| true)
}

fn mode_of(text: &str) -> Option<LockMode> {
    match text {
        ObjectLockRetentionMode::GOVERNANCE => Some(LockMode::Governance),
        ObjectLockRetentionMode::COMPLIANCE => Some(LockMode::Compliance),
        _ => None,
    }
}

fn wire_mode(mode: LockMode) -> &'static str {
    match mode {
        LockMode::Governance => ObjectLockRetentionMode::GOVERNANCE,
        LockMode::Compliance => ObjectLockRetentionMode::COMPLIANCE,
    }
}

/// What IAM can be asked about a retention.
fn retention_keys(call: &Call, retention: &Retention) -> ConditionKeys {
    condition_keys::of_retention(wire_mode(retention.mode), retention.until_ms, call.ctx.now())
}

/// A moment in the future, in milliseconds.
fn future(time: DateTime<Utc>, call: &Call) -> Result<u64> {
    let until = u64::try_from(time.timestamp_millis()).ok().filter(|_| time > call.ctx.now());
    until.ok_or_else(|| invalid_argument("The retain until date must be in the future!"))
}

/// What a write asks for in its headers.
///
/// # Errors
/// `InvalidArgument`, `InvalidRequest` for a bucket without Object Lock; what IAM says.
pub(crate) fn of_write(store: &Store, call: &Call, bucket: &str, key: &str) -> Result<Lock> {
    let retention = match (call.header(MODE), call.header(UNTIL)) {
        (None, None) => None,
        (Some(mode), Some(until)) => {
            let mode = mode_of(mode).ok_or_else(|| invalid_argument("Unknown wormMode directive."))?;
            let until = DateTime::parse_from_rfc3339(until)
                .map_err(|_| invalid_argument("The retain until date must be provided in ISO 8601 format"))?;
            Some(Retention { mode, until_ms: future(until.to_utc(), call)? })
        }
        _ => return Err(invalid_argument(format!("{UNTIL} and {MODE} must both be supplied"))),
    };
    let legal_hold = match call.header(HOLD) {
        None => None,
        Some(ObjectLockLegalHoldStatus::ON) => Some(true),
        Some(ObjectLockLegalHoldStatus::OFF) => Some(false),
        Some(_) => return Err(invalid_argument("Legal Hold must be either of 'ON' or 'OFF'")),
    };
    if retention.is_none() && legal_hold.is_none() {
        return Ok(Lock::default());
    }
    require(store, bucket)?;
    if let Some(retention) = &retention {
        let keys = retention_keys(call, retention);
        store.allow_if(&call.ctx, "s3:PutObjectRetention", bucket, Some(key), &keys)?;
    }
    if legal_hold.is_some() {
        store.allow(&call.ctx, "s3:PutObjectLegalHold", bucket, Some(key))?;
    }
    Ok(Lock { retention, legal_hold })
}

/// A body that is locked must be one that can be checked.
pub(crate) fn require_checkable(lock: Lock, announced: &Announced) -> Result<()> {
    if lock == Lock::default() || announced.is_checkable() {
        return Ok(());
    }
    Err(invalid_request(
        "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters",
    ))
}

/// Says in an answer's headers what locks a version, to those who may know.
pub(crate) fn tell(store: &Store, call: &Call, at: &At, info: &ObjectInfo, headers: &mut HeaderMap) {
    let may = |action| store.allow(&call.ctx, action, &at.bucket, Some(&at.key)).is_ok();
    if let Some(retention) = info.lock.retention
        && may("s3:GetObjectRetention")
    {
        metadata::set(headers, MODE, wire_mode(retention.mode));
        metadata::set(headers, UNTIL, &date(retention.until_ms).to_rfc3339_opts(SecondsFormat::Millis, true));
    }
    if let Some(hold) = info.lock.legal_hold
        && may("s3:GetObjectLegalHold")
    {
        metadata::set(headers, HOLD, wire_hold(hold));
    }
}

fn wire_hold(hold: bool) -> &'static str {
    if hold { ObjectLockLegalHoldStatus::ON } else { ObjectLockLegalHoldStatus::OFF }
}

fn date(ms: u64) -> DateTime<Utc> {
    i64::try_from(ms).ok().and_then(DateTime::from_timestamp_millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

pub(crate) async fn put_configuration(
    store: &Store,
    call: &Call,
    input: PutObjectLockConfigurationInput,
) -> Reply<PutObjectLockConfigurationOutput> {
    store.allow(&call.ctx, "s3:PutBucketObjectLockConfiguration", &input.bucket, None)?;
    let wanted = input.object_lock_configuration.ok_or_else(malformed_xml)?;
    if wanted.object_lock_enabled.as_ref().is_none_or(|it| it.as_str() != ObjectLockEnabled::ENABLED) {
        return Err(malformed_xml());
    }
    let default = wanted.rule.map(|rule| default_of(rule.default_retention)).transpose()?;
    let bucket = store.objects.bucket(&input.bucket).map_err(from_engine)?;
    if bucket.versioning != Versioning::Enabled {
        let message = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration";
        return Err(AwsError::new("InvalidBucketState", StatusCode::CONFLICT, message));
    }
    store.objects.set_lock(&input.bucket, BucketLock { default }).await.map_err(from_engine)?;
    Ok(S3Response::new(PutObjectLockConfigurationOutput::default()))
}

fn default_of(wire: Option<WireRetention>) -> Result<DefaultRetention> {
    let wire = wire.ok_or_else(malformed_xml)?;
    let mode = wire.mode.as_ref().and_then(|mode| mode_of(mode.as_str())).ok_or_else(malformed_xml)?;
    let length = |given: i32, most: i32| match given {
        ..=0 => Err(invalid_argument("Default retention period must be a positive integer value.")),
        given if given > most => Err(invalid_argument("Default retention period is too large.")),
        given => Ok(given as u32),
    };
    match (wire.days, wire.years) {
        (Some(days), None) => Ok(DefaultRetention { mode, days: length(days, MAX_DAYS)?, years: 0 }),
        (None, Some(years)) => Ok(DefaultRetention { mode, days: 0, years: length(years, MAX_YEARS)? }),
        _ => Err(malformed_xml()),
    }
}

pub(crate) async fn get_configuration(
    store: &Store,
    call: &Call,
    input: GetObjectLockConfigurationInput,
) -> Reply<GetObjectLockConfigurationOutput> {
    store.allow(&call.ctx, "s3:GetBucketObjectLockConfiguration", &input.bucket, None)?;
    let lock = store.objects.bucket(&input.bucket).map_err(from_engine)?.lock.ok_or_else(|| {
        let message = "Object Lock configuration does not exist for this bucket";
        not_found("ObjectLockConfigurationNotFoundError", message).with_detail("BucketName", input.bucket.as_str())
    })?;
    let given = |number: u32| (number > 0).then_some(number as i32);
    let rule = lock.default.map(|default| ObjectLockRule {
        default_retention: Some(WireRetention {
            days: given(default.days),
            mode: Some(ObjectLockRetentionMode::from_static(wire_mode(default.mode))),
            years: given(default.years),
        }),
    });
    let object_lock_enabled = Some(ObjectLockEnabled::from_static(ObjectLockEnabled::ENABLED));
    let object_lock_configuration = Some(ObjectLockConfiguration { object_lock_enabled, rule });
    Ok(S3Response::new(GetObjectLockConfigurationOutput { object_lock_configuration }))
}

pub(crate) async fn put_retention(
    store: &Store,
    call: &Call,
    input: PutObjectRetentionInput,
) -> Reply<PutObjectRetentionOutput> {
    let at = At::new(input.bucket, input.key, input.version_id)?;
    let wanted = retention_of(call, input.retention);
    let keys = wanted.as_ref().ok().and_then(Option::as_ref).map(|wanted| retention_keys(call, wanted));
    let keys = keys.unwrap_or_default();
    store.allow_if(&call.ctx, "s3:PutObjectRetention", &at.bucket, Some(&at.key), &keys)?;
    require(store, &at.bucket)?;
    let wanted = wanted?;
    let bypass = bypasses(store, call, &at.bucket, &at.key)?;
    let now_ms = u64::try_from(call.ctx.now().timestamp_millis()).unwrap_or_default();
    let retain = move |info: &mut ObjectInfo| info.lock.retain(wanted, now_ms, bypass);
    store.objects.amend(&at.bucket, &at.key, at.version.as_deref(), retain).await.map_err(from_engine)?;
    Ok(S3Response::new(PutObjectRetentionOutput::default()))
}

/// An empty retention takes away what there is.
fn retention_of(call: &Call, wire: Option<ObjectLockRetention>) -> Result<Option<Retention>> {
    let wire = wire.ok_or_else(malformed_xml)?;
    match (wire.mode, wire.retain_until_date) {
        (None, None) => Ok(None),
        (Some(mode), Some(until)) => {
            let mode = mode_of(mode.as_str()).ok_or_else(malformed_xml)?;
            let until = moment(&until).ok_or_else(malformed_xml)?;
            Ok(Some(Retention { mode, until_ms: future(until, call)? }))
        }
        _ => Err(malformed_xml()),
    }
}

pub(crate) async fn get_retention(
    store: &Store,
    call: &Call,
    input: GetObjectRetentionInput,
) -> Reply<GetObjectRetentionOutput> {
    let at = At::new(input.bucket, input.key, input.version_id)?;
    let info = locked(store, call, &at, "s3:GetObjectRetention")?;
    let retention = info.lock.retention.ok_or_else(unlocked)?;
    let retention = Some(ObjectLockRetention {
        mode: Some(ObjectLockRetentionMode::from_static(wire_mode(retention.mode))),
        retain_until_date: Some(timestamp(retention.until_ms)),
    });
    Ok(S3Response::new(GetObjectRetentionOutput { retention }))
}

/// The version that a question about locks is about.
fn locked(store: &Store, call: &Call, at: &At, action: &'static str) -> Result<ObjectInfo> {
    store.allow(&call.ctx, action, &at.bucket, Some(&at.key))?;
    require(store, &at.bucket)?;
    store.objects.head_version(&at.bucket, &at.key, at.version.as_deref()).map_err(from_engine)
}

fn unlocked() -> AwsError {
    not_found("NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration")
}

pub(crate) async fn put_legal_hold(
    store: &Store,
    call: &Call,
    input: PutObjectLegalHoldInput,
) -> Reply<PutObjectLegalHoldOutput> {
    let at = At::new(input.bucket, input.key, input.version_id)?;
    store.allow(&call.ctx, "s3:PutObjectLegalHold", &at.bucket, Some(&at.key))?;
    require(store, &at.bucket)?;
    let status = input.legal_hold.and_then(|hold| hold.status).ok_or_else(malformed_xml)?;
    let hold = match status.as_str() {
        ObjectLockLegalHoldStatus::ON => true,
        ObjectLockLegalHoldStatus::OFF => false,
        _ => return Err(malformed_xml()),
    };
    let set = move |info: &mut ObjectInfo| {
        info.lock.legal_hold = Some(hold);
        Ok(())
    };
    store.objects.amend(&at.bucket, &at.key, at.version.as_deref(), set).await.map_err(from_engine)?;
    Ok(S3Response::new(PutObjectLegalHoldOutput::default()))
}

pub(crate) async fn get_legal_hold(
    store: &Store,
    call: &Call,
    input: GetObjectLegalHoldInput,
) -> Reply<GetObjectLegalHoldOutput> {
    let at = At::new(input.bucket, input.key, input.version_id)?;
    let info = locked(store, call, &at, "s3:GetObjectLegalHold")?;
    let hold = info.lock.legal_hold.ok_or_else(unlocked)?;
    let status = Some(ObjectLockLegalHoldStatus::from_static(wire_hold(hold)));
    Ok(S3Response::new(GetObjectLegalHoldOutput { legal_hold: Some(ObjectLockLegalHold { status }) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(mode: &'static str, days: Option<i32>, years: Option<i32>) -> Option<WireRetention> {
        Some(WireRetention { days, mode: Some(ObjectLockRetentionMode::from_static(mode)), years })
    }

    #[test]
    fn default_retention_has_one_length() {
        let default = default_of(wire("GOVERNANCE", Some(3), None)).unwrap();
        assert_eq!(default, DefaultRetention { mode: LockMode::Governance, days: 3, years: 0 });
        let code = |wire| default_of(wire).unwrap_err().code.into_owned();
        assert_eq!(code(wire("COMPLIANCE", None, None)), "MalformedXML");
        assert_eq!(code(wire("COMPLIANCE", Some(1), Some(1))), "MalformedXML");
        assert_eq!(code(wire("COMPLIANCE", Some(0), None)), "InvalidArgument");
        assert_eq!(code(wire("COMPLIANCE", None, Some(101))), "InvalidArgument");
        assert_eq!(code(wire("ABIDANCE", Some(1), None)), "MalformedXML");
        assert_eq!(code(None), "MalformedXML");
    }
}
