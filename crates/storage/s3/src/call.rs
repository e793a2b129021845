//! One call on its way through the front: who asks, what was sent, what is to be answered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use boathouse_aws::access::{AccessRequest, Authorizer, ConditionKeys};
use boathouse_aws::http_service::{RequestBody, ResponseBody, Trailers};
use boathouse_aws::{AwsError, Ctx};
use boathouse_objects::{Metadata, Objects};
use bytes::Bytes;
use futures::StreamExt;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use percent_encoding::percent_decode_str;

use crate::acl::{self, Acl, Subject};
use crate::entity_tags::EntityTags;
use crate::error::Result;
use crate::lifecycle::Bell;
use crate::logging::Log;
use crate::{condition_keys, operations, policy};

/// Shared by the adapter, which makes it and writes the answer, and the operation's handler.
pub(crate) struct Call {
    pub(crate) ctx: Ctx,
    pub(crate) headers: HeaderMap,
    query: String,
    pub(crate) trailers: Trailers,
    pub(crate) operation: OnceLock<&'static str>,
    /// The status that the operation answers with, where it is not the usual one.
    pub(crate) status: OnceLock<StatusCode>,
    /// The document that the request carries.
    pub(crate) document: OnceLock<Bytes>,
    /// Whether a browser's form sent it: then nobody knows the length of the body before its end.
    pub(crate) posted: bool,
    /// Bodies of objects pass beside the protocol's codec, never through it.
    body: Mutex<Option<RequestBody>>,
    reply: Mutex<Option<(StatusCode, ResponseBody)>>,
    failure: Mutex<Option<AwsError>>,
}

impl Call {
    /// A call whose headers are taken out of `parts`; there stays what the protocol's codec may see.
    pub(crate) fn new(ctx: Ctx, parts: &mut Parts, trailers: Trailers, body: Option<RequestBody>) -> Self {
        let visible = visible(&parts.headers);
        let headers = std::mem::replace(&mut parts.headers, visible);
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let (operation, reply, failure) = (OnceLock::new(), Mutex::new(None), Mutex::new(None));
        let (status, document, body) = (OnceLock::new(), OnceLock::new(), Mutex::new(body));
        Self { ctx, headers, query, trailers, operation, status, document, posted: false, body, reply, failure }
    }

    /// The same call, sent by a browser's form.
    pub(crate) fn posted(self) -> Self {
        Self { posted: true, ..self }
    }

    /// The object's bytes as the client sends them.
    pub(crate) fn take_body(&self) -> RequestBody {
        let body = self.body.lock().ok().and_then(|mut body| body.take());
        body.unwrap_or_else(|| futures::stream::empty().boxed())
    }

    pub(crate) fn set_reply(&self, status: StatusCode, body: ResponseBody) {
        if let Ok(mut reply) = self.reply.lock() {
            *reply = Some((status, body));
        }
    }

    pub(crate) fn take_reply(&self) -> Option<(StatusCode, ResponseBody)> {
        self.reply.lock().ok().and_then(|mut reply| reply.take())
    }

    /// Notes what the client is to be told. The first failure is the cause of later ones.
    pub(crate) fn fail(&self, error: AwsError) {
        if let Ok(mut failure) = self.failure.lock() {
            failure.get_or_insert(error);
        }
    }

    pub(crate) fn take_failure(&self) -> Option<AwsError> {
        self.failure.lock().ok().and_then(|mut failure| failure.take())
    }

    /// The decoded value of a query member.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let found = self.query.split('&').filter_map(|pair| pair.split_once('=')).find(|(it, _)| *it == name)?;
        Some(percent_decode_str(&found.1.replace('+', "%20")).decode_utf8_lossy().into_owned())
    }

    /// Whether any query member's name begins so.
    pub(crate) fn asks(&self, beginning: &str) -> bool {
        self.query.split('&').any(|pair| pair.starts_with(beginning))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)?.to_str().ok()
    }
}

/// The first header of a lower-case name. Operations ask for many that hardly anybody sends: a look at the few that were
/// sent takes less time than hashing each name that is asked for.
pub(crate) fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a HeaderValue> {
    headers.iter().find(|(it, _)| it.as_str() == name).map(|(_, value)| value)
}

/// Headers that the codec must not see: the signature is checked already, and conditions and ranges are read from the
/// request itself because the codec refuses what HTTP wants ignored.
const HIDDEN: [&str; 18] = [
    "authorization",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-content-sha256",
    "date",
    "expires",
    "range",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-modified-since",
    "x-amz-copy-source-if-unmodified-since",
    "x-amz-tagging",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key",
];

fn visible(headers: &HeaderMap) -> HeaderMap {
    let visible = headers.iter().filter(|(name, _)| !HIDDEN.contains(&name.as_str()));
    visible.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// What operations work on.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) objects: Objects,
    pub(crate) authorizer: Arc<dyn Authorizer>,
    /// Whether new buckets have what is put into them encrypted.
    pub(crate) encrypts: bool,
    /// What entity tags are made of.
    pub(crate) entity_tags: EntityTags,
    /// What is known of lifecycle rules without a look at the buckets.
    pub(crate) rules: Arc<Bell>,
    /// Access log lines that wait for delivery.
    pub(crate) log: Arc<Log>,
}

impl Store {
    /// Asks IAM and the bucket's policy whether the caller may do `action` with the bucket, or with `key` in it.
    ///
    /// # Errors
    /// `NoSuchBucket` before anything else, as on AWS; `AccessDenied`.
    pub(crate) fn allow(&self, ctx: &Ctx, action: &str, bucket: &str, key: Option<&str>) -> Result<()> {
        self.allow_if(ctx, action, bucket, key, &ConditionKeys::new())
    }

    /// As [`Store::allow`], with condition keys of the request.
    pub(crate) fn allow_if(
        &self,
        ctx: &Ctx,
        action: &str,
        bucket: &str,
        key: Option<&str>,
        keys: &ConditionKeys,
    ) -> Result<()> {
        let asked = self.ask(ctx, (action, bucket, key), keys, None);
        match asked {
            // Who may anyhow is not held up by a look at lists.
            Err(error) if !ctx.principal.is_root() => {
                let resource = format!("arn:aws:s3:::{bucket}");
                let acl = operations::acl::of_bucket(self, bucket)?;
                let subject = (action, Subject::Bucket);
                let named = key.map_or(resource.clone(), |key| format!("{resource}/{key}"));
                match acl::as_policy(self, ctx, subject, (bucket, &named), &acl)? {
                    Some(policy) => self.ask(ctx, (action, bucket, key), keys, Some(&policy)),
                    None => Err(error),
                }
            }
            outcome => outcome,
        }
    }

    /// Asks whether the caller may do `action` with an object, whose own list and tags count too.
    pub(crate) fn allow_object(
        &self,
        (call, action): (&Call, &str),
        (bucket, key, version): (&str, &str, Option<&str>),
        keys: &ConditionKeys,
        metadata: Option<&Metadata>,
    ) -> Result<()> {
        let (ctx, about) = (&call.ctx, (action, bucket, Some(key)));
        let mut keys = keys.clone();
        keys.extend(condition_keys::of_object(metadata, version));
        let asked = self.ask(ctx, about, &keys, None);
        let (Err(error), Some(metadata)) = (&asked, metadata.filter(|_| !ctx.principal.is_root())) else {
            return asked;
        };
        let resource = format!("arn:aws:s3:::{bucket}/{key}");
        let acl = Acl::of(metadata)?;
        match acl::as_policy(self, ctx, (action, Subject::Object), (bucket, &resource), &acl)? {
            Some(policy) => self.ask(ctx, about, &keys, Some(&policy)),
            None => Err(error.clone()),
        }
    }

    /// Asks for leave to give a new object tags, if it is to have any.
    pub(crate) fn allow_tags(
        &self,
        call: &Call,
        bucket: &str,
        key: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<()> {
        match tags.is_empty() {
            true => Ok(()),
            false => self.allow_if(&call.ctx, "s3:PutObjectTagging", bucket, Some(key), &condition_keys::of_tags(tags)),
        }
    }

    /// One question to IAM, with the bucket's policy or with `instead` of it.
    fn ask(
        &self,
        ctx: &Ctx,
        (action, bucket, key): (&str, &str, Option<&str>),
        keys: &ConditionKeys,
        instead: Option<&str>,
    ) -> Result<()> {
        let policy = self.policy(bucket)?;
        let policy = policy.as_deref();
        let resource = match key {
            Some(key) => format!("arn:aws:s3:::{bucket}/{key}"),
            None => format!("arn:aws:s3:::{bucket}"),
        };
        // A public policy counts only for the account's own principals while public access is restricted.
        let ignored = ctx.principal.is_anonymous()
            && policy.is_some_and(policy::is_public)
            && self.public_access(bucket)?.restrict_public_buckets;
        let request = AccessRequest::new(action, &resource, keys);
        let request = request.with_resource_policy(instead.or(policy.filter(|_| !ignored)));
        self.authorizer.authorize(ctx, &request)
    }

    /// Asks for leave to write an object, with what the request's headers say.
    pub(crate) fn allow_write(&self, call: &Call, bucket: &str, key: &str) -> Result<()> {
        self.allow_if(&call.ctx, "s3:PutObject", bucket, Some(key), &condition_keys::of_write(call)?)
    }

    /// Asks for an action that is about no bucket.
    pub(crate) fn allow_any(&self, ctx: &Ctx, action: &str, resource: &str) -> Result<()> {
        self.authorizer.authorize(ctx, &AccessRequest::new(action, resource, &ConditionKeys::new()))
    }
}
