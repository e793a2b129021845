//! Access control lists ("Access control list (ACL) overview"), for buckets that do not enforce their owner's ownership.
//!
//! There is one account, so a list can only speak of it and of the groups that AWS defines. What a list grants to a group
//! counts as a statement of the bucket's policy: explicit denies win, and S3 Block Public Access can ignore it.

use boathouse_aws::principal::PrincipalKind;
use boathouse_aws::{AwsError, Ctx};
use boathouse_objects::Metadata;
use http::StatusCode;
use s3s::dto::{AccessControlPolicy, Grant, Grantee as WireGrantee, Permission as WirePermission, Type};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::{Call, Store};
use crate::documents;
use crate::error::{Result, internal, invalid_argument, malformed_xml};
use crate::operations::{OWNER_ID, owner};

/// Where a list is kept beside an object.
const KEPT: &str = "acl";
/// The most grants of a list.
const MAX_GRANTS: usize = 100;
/// Who delivers access logs.
pub(crate) const LOG_DELIVERY: &str = "logging.s3.amazonaws.com";
const HEADER: &str = "x-amz-acl";
const GRANT_HEADERS: [(&str, Permission); 5] = [
    ("x-amz-grant-full-control", Permission::FullControl),
    ("x-amz-grant-read", Permission::Read),
    ("x-amz-grant-read-acp", Permission::ReadAcp),
    ("x-amz-grant-write", Permission::Write),
    ("x-amz-grant-write-acp", Permission::WriteAcp),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Grantee {
    Owner,
    AllUsers,
    AuthenticatedUsers,
    LogDelivery,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Permission {
    FullControl,
    Read,
    ReadAcp,
    Write,
    WriteAcp,
}

const GROUPS: [(Grantee, &str); 3] = [
    (Grantee::AllUsers, "http://acs.amazonaws.com/groups/global/AllUsers"),
    (Grantee::AuthenticatedUsers, "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"),
    (Grantee::LogDelivery, "http://acs.amazonaws.com/groups/s3/LogDelivery"),
];

const PERMISSIONS: [(Permission, &str); 5] = [
    (Permission::FullControl, WirePermission::FULL_CONTROL),
    (Permission::Read, WirePermission::READ),
    (Permission::ReadAcp, WirePermission::READ_ACP),
    (Permission::Write, WirePermission::WRITE),
    (Permission::WriteAcp, WirePermission::WRITE_ACP),
];

/// A list of grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Acl(Vec<(Grantee, Permission)>);

/// What a list is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Bucket,
    Object,
}

impl Default for Acl {
    /// The owner's full control.
    fn default() -> Self {
        Self(vec![(Grantee::Owner, Permission::FullControl)])
    }
}

impl Acl {
    fn and(mut self, grantee: Grantee, permission: Permission) -> Self {
        self.0.push((grantee, permission));
        self
    }

    fn canned(name: &str, subject: Subject) -> Result<Self> {
        use {Grantee as G, Permission as P};
        let private = Self::default();
        match (name, subject) {
            ("private", _) | ("bucket-owner-read" | "bucket-owner-full-control", Subject::Object) => Ok(private),
            ("public-read", _) => Ok(private.and(G::AllUsers, P::Read)),
            ("public-read-write", _) => Ok(private.and(G::AllUsers, P::Read).and(G::AllUsers, P::Write)),
            ("authenticated-read", _) => Ok(private.and(G::AuthenticatedUsers, P::Read)),
            ("log-delivery-write", Subject::Bucket) => {
                Ok(private.and(G::LogDelivery, P::Write).and(G::LogDelivery, P::ReadAcp))
            }
            ("aws-exec-read", _) => Err(AwsError::not_implemented("the canned ACL aws-exec-read")),
            _ => Err(invalid_argument("The canned ACL is not valid").with_detail("ArgumentValue", name)),
        }
    }

    /// What a request's headers say; nothing if they say nothing.
    ///
    /// # Errors
    /// `InvalidArgument`, `InvalidRequest`, `UnresolvableGrantByEmailAddress`.
    pub(crate) fn of_headers(call: &Call, subject: Subject) -> Result<Option<Self>> {
        let granted = GRANT_HEADERS.iter().filter_map(|(name, permission)| Some((call.header(name)?, *permission)));
        let granted: Vec<_> = granted.collect();
        match (call.header(HEADER), granted.is_empty()) {
            (None, true) => Ok(None),
            (Some(name), true) => Self::canned(name, subject).map(Some),
            (Some(_), false) => {
                Err(crate::error::invalid_request("Specifying both Canned ACLs and Header Grants is not allowed"))
            }
            (None, false) => {
                let mut grants = Vec::new();
                for (text, permission) in granted {
                    for one in text.split(',').map(str::trim).filter(|one| !one.is_empty()) {
                        grants.push((grantee_of_header(one)?, permission));
                    }
                }
                Self::checked(grants).map(Some)
            }
        }
    }

    pub(crate) fn from_wire(policy: AccessControlPolicy) -> Result<Self> {
        match policy.owner.and_then(|owner| owner.id).as_deref() {
            Some(OWNER_ID) => {}
            Some(_) => return Err(AwsError::access_denied("Access Denied")),
            None => return Err(AwsError::bad_request("MalformedACLError", "The ACL names no owner")),
        }
        let grants = policy.grants.unwrap_or_default().into_iter().map(grant_from_wire).collect::<Result<_>>()?;
        Self::checked(grants)
    }

    fn checked(grants: Vec<(Grantee, Permission)>) -> Result<Self> {
        match grants.len() {
            ..=MAX_GRANTS => Ok(Self(grants)),
            _ => Err(malformed_xml()),
        }
    }

    pub(crate) fn to_wire(&self) -> Option<Vec<Grant>> {
        Some(self.0.iter().map(|(grantee, permission)| grant_to_wire(*grantee, *permission)).collect())
    }

    /// Whether it grants anything to everybody, or to everybody who has any account.
    pub(crate) fn is_public(&self) -> bool {
        self.0.iter().any(|(grantee, _)| matches!(grantee, Grantee::AllUsers | Grantee::AuthenticatedUsers))
    }

    /// Whether it lets the caller do what the action does with the subject.
    fn grants(&self, ctx: &Ctx, action: &str, subject: Subject) -> bool {
        let Some(needed) = needed(action, subject) else { return false };
        self.0.iter().any(|(grantee, permission)| {
            let meant = match grantee {
                // Whether the account's own principals may is IAM's business.
                Grantee::Owner => false,
                Grantee::AllUsers => true,
                Grantee::AuthenticatedUsers => !ctx.principal.is_anonymous(),
                Grantee::LogDelivery => {
                    matches!(&ctx.principal.kind, PrincipalKind::Service { name } if &**name == LOG_DELIVERY)
                }
            };
            meant && (*permission == needed || *permission == Permission::FullControl)
        })
    }

    /// Keeps the list beside an object.
    pub(crate) fn keep(&self, metadata: &mut Metadata) {
        match *self == Self::default() {
            true => drop(metadata.system.remove(KEPT)),
            false => {
                let text = serde_json::to_string(self).expect("invariant: names serialise");
                metadata.system.insert(KEPT.to_owned(), text);
            }
        }
    }

    /// The list that is kept beside an object.
    pub(crate) fn of(metadata: &Metadata) -> Result<Self> {
        let kept = metadata.system.get(KEPT).map(|text| serde_json::from_str(text));
        kept.transpose().map_err(|error| internal(&error)).map(Option::unwrap_or_default)
    }
}

/// The permission that an action needs ("Mapping of ACL permissions and access policy permissions").
fn needed(action: &str, subject: Subject) -> Option<Permission> {
    match (subject, action.strip_prefix("s3:")?) {
        (Subject::Object, "GetObject" | "GetObjectVersion") => Some(Permission::Read),
        (Subject::Object, "GetObjectAcl" | "GetObjectVersionAcl") | (Subject::Bucket, "GetBucketAcl") => {
            Some(Permission::ReadAcp)
        }
        (Subject::Object, "PutObjectAcl" | "PutObjectVersionAcl") | (Subject::Bucket, "PutBucketAcl") => {
            Some(Permission::WriteAcp)
        }
        (Subject::Bucket, "ListBucket" | "ListBucketVersions" | "ListBucketMultipartUploads") => Some(Permission::Read),
        (Subject::Bucket, "PutObject" | "DeleteObject") => Some(Permission::Write),
        _ => None,
    }
}

fn group(uri: &str) -> Result<Grantee> {
    let found = GROUPS.iter().find(|(_, known)| *known == uri).map(|(group, _)| *group);
    found.ok_or_else(|| invalid_argument("Invalid group uri").with_detail("ArgumentValue", uri))
}

fn person(id: &str) -> Result<Grantee> {
    match id {
        OWNER_ID => Ok(Grantee::Owner),
        _ => Err(invalid_argument("Invalid id").with_detail("ArgumentValue", id)),
    }
}

fn by_email() -> AwsError {
    let message = "The email address you provided does not match any account on record.";
    AwsError::bad_request("UnresolvableGrantByEmailAddress", message)
}

/// `id="…"`, `uri="…"` or `emailAddress="…"`.
fn grantee_of_header(text: &str) -> Result<Grantee> {
    let (kind, value) = text.split_once('=').unwrap_or((text, ""));
    let value = value.trim().trim_matches('"');
    match kind.trim() {
        "id" => person(value),
        "uri" => group(value),
        "emailAddress" => Err(by_email()),
        _ => Err(invalid_argument("Argument format not recognized").with_detail("ArgumentValue", text)),
    }
}

fn grant_from_wire(grant: Grant) -> Result<(Grantee, Permission)> {
    let permission = grant.permission.ok_or_else(malformed_xml)?;
    let permission = PERMISSIONS.iter().find(|(_, name)| *name == permission.as_str()).map(|(it, _)| *it);
    let WireGrantee { id, uri, email_address, .. } = grant.grantee.ok_or_else(malformed_xml)?;
    let grantee = match (id, uri, email_address) {
        (Some(id), None, None) => person(&id)?,
        (None, Some(uri), None) => group(&uri)?,
        (None, None, Some(_)) => return Err(by_email()),
        _ => return Err(malformed_xml()),
    };
    let unknown = || AwsError::bad_request("MalformedACLError", "The XML you provided names no permission of an ACL");
    Ok((grantee, permission.ok_or_else(unknown)?))
}

fn grant_to_wire(grantee: Grantee, permission: Permission) -> Grant {
    let uri = GROUPS.iter().find(|(group, _)| *group == grantee).map(|(_, uri)| (*uri).to_owned());
    let kind = if uri.is_some() { Type::GROUP } else { Type::CANONICAL_USER };
    let id = if uri.is_some() { None } else { owner().id };
    let type_ = Type::from_static(kind);
    let grantee = WireGrantee { display_name: None, email_address: None, id, type_, uri };
    let name = PERMISSIONS.iter().find(|(known, _)| *known == permission).map(|(_, name)| *name);
    Grant { grantee: Some(grantee), permission: name.map(WirePermission::from_static) }
}

/// Whether a bucket has no lists because its owner owns everything in it.
pub(crate) fn is_enforced(store: &Store, bucket: &str) -> Result<bool> {
    let ownership: Option<String> = store.document(bucket, documents::OWNERSHIP)?;
    Ok(ownership.as_deref() == Some("BucketOwnerEnforced"))
}

pub(crate) fn not_supported() -> AwsError {
    let message = "The bucket does not allow ACLs";
    AwsError::new("AccessControlListNotSupported", StatusCode::BAD_REQUEST, message)
}

/// The list that a write gives its object, if it gives one.
///
/// # Errors
/// `AccessControlListNotSupported`, `AccessDenied`; those of [`Acl::of_headers`].
pub(crate) fn of_write(store: &Store, call: &Call, bucket: &str, key: &str) -> Result<Option<Acl>> {
    let headers = call.header(HEADER);
    if is_enforced(store, bucket)? {
        let granted = GRANT_HEADERS.iter().any(|(name, _)| call.headers.contains_key(*name));
        return match headers {
            None | Some("private" | "bucket-owner-full-control") if !granted => Ok(None),
            _ => Err(not_supported()),
        };
    }
    let Some(acl) = Acl::of_headers(call, Subject::Object)? else { return Ok(None) };
    // Strangers may write where a list lets everybody write, and then the object is theirs.
    if !call.ctx.principal.is_anonymous() {
        store.allow(&call.ctx, "s3:PutObjectAcl", bucket, Some(key))?;
    }
    check_public(store, bucket, &acl).map(|()| Some(acl))
}

/// Refuses a public list where those are blocked.
pub(crate) fn check_public(store: &Store, bucket: &str, acl: &Acl) -> Result<()> {
    if acl.is_public() && store.public_access(bucket)?.block_public_acls {
        let message =
            "Access Denied: public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access.";
        return Err(AwsError::access_denied(message));
    }
    Ok(())
}

/// A policy with what a list grants to a group as one more statement; nothing if it grants nothing.
pub(crate) fn as_policy(
    store: &Store,
    ctx: &Ctx,
    (action, subject): (&str, Subject),
    (bucket, resource): (&str, &str),
    acl: &Acl,
) -> Result<Option<String>> {
    if !acl.grants(ctx, action, subject) || is_enforced(store, bucket)? {
        return Ok(None);
    }
    if acl.is_public() && store.public_access(bucket)?.ignore_public_acls {
        return Ok(None);
    }
    let policy = store.policy(bucket)?.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let mut statements = match policy.as_ref().map(|policy| &policy["Statement"]) {
        Some(Value::Array(statements)) => statements.clone(),
        Some(one @ Value::Object(_)) => vec![one.clone()],
        _ => Vec::new(),
    };
    statements.push(json!({"Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource}));
    Ok(Some(json!({"Version": "2012-10-17", "Statement": statements}).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canned_lists() {
        assert!(Acl::canned("public-read", Subject::Object).unwrap().is_public());
        assert!(!Acl::canned("log-delivery-write", Subject::Bucket).unwrap().is_public());
        assert_eq!(Acl::canned("bucket-owner-full-control", Subject::Object).unwrap(), Acl::default());
        assert_eq!(Acl::canned("log-delivery-write", Subject::Object).unwrap_err().code, "InvalidArgument");
        assert_eq!(Acl::canned("aws-exec-read", Subject::Bucket).unwrap_err().code, "NotImplemented");
    }

    #[test]
    fn lists_survive_the_wire_and_the_record() {
        let acl = Acl::default().and(Grantee::AllUsers, Permission::ReadAcp);
        let policy = AccessControlPolicy { grants: acl.to_wire(), owner: Some(owner()) };
        assert_eq!(Acl::from_wire(policy).unwrap(), acl);
        let mut metadata = Metadata::default();
        acl.keep(&mut metadata);
        assert_eq!(Acl::of(&metadata).unwrap(), acl);
        Acl::default().keep(&mut metadata);
        assert_eq!((Acl::of(&metadata).unwrap(), metadata), (Acl::default(), Metadata::default()));
    }

    #[test]
    fn grantees_in_headers() {
        let uri = "uri=\"http://acs.amazonaws.com/groups/global/AllUsers\"";
        assert_eq!(grantee_of_header(uri).unwrap(), Grantee::AllUsers);
        assert_eq!(grantee_of_header(&format!("id={OWNER_ID}")).unwrap(), Grantee::Owner);
        assert_eq!(grantee_of_header("id=\"1\"").unwrap_err().code, "InvalidArgument");
        assert_eq!(grantee_of_header("emailAddress=\"a@b\"").unwrap_err().code, "UnresolvableGrantByEmailAddress");
        assert_eq!(grantee_of_header("everybody").unwrap_err().code, "InvalidArgument");
    }

    #[test]
    fn actions_need_permissions() {
        assert_eq!(needed("s3:GetObject", Subject::Object), Some(Permission::Read));
        assert_eq!(needed("s3:PutObject", Subject::Bucket), Some(Permission::Write));
        assert_eq!(needed("s3:PutObject", Subject::Object), None);
        assert_eq!(needed("s3:DeleteBucket", Subject::Bucket), None);
    }
}
