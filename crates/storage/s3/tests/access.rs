//! What IAM is asked, and that its refusal stops the call.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use boathouse_aws::access::{AccessRequest, Authorizer, Credential, CredentialError, CredentialStore};
use boathouse_aws::http_service::{Trailers, VerifiedRequest};
use boathouse_aws::{AwsError, Ctx, Dispatcher, Platform, Principal, SystemClock};
use boathouse_objects::{Objects, Options};
use boathouse_s3::S3;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http::Request;
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt};

/// Refuses the actions it is told to, and remembers all questions.
#[derive(Default)]
struct Judge {
    refused: Mutex<Vec<&'static str>>,
    asked: Mutex<Vec<String>>,
}

impl Authorizer for Judge {
    fn authorize(&self, ctx: &Ctx, request: &AccessRequest<'_>) -> Result<(), AwsError> {
        let policy = request.resource_policy.unwrap_or("no policy");
        let question = format!("{} {} {} {policy}", ctx.principal.arn, request.action, request.resource);
        self.asked.lock().unwrap().push(question);
        let refused = self.refused.lock().unwrap().contains(&request.action);
        if refused { Err(AwsError::access_denied("no")) } else { Ok(()) }
    }
}

impl CredentialStore for Judge {
    fn find(&self, _: &str, _: Option<&str>) -> Result<Credential, CredentialError> {
        Err(CredentialError::Unknown)
    }
}

struct Scene {
    s3: S3,
    judge: Arc<Judge>,
    _directory: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let objects = Objects::open(directory.path(), &Options::default()).unwrap();
        let judge = Arc::new(Judge::default());
        Self {
            s3: boathouse_s3::install(objects, judge.clone(), judge.clone(), boathouse_s3::Options::default()),
            judge,
            _directory: directory,
        }
    }

    fn refuse(&self, actions: &[&'static str]) {
        *self.judge.refused.lock().unwrap() = actions.to_vec();
    }

    async fn call(&self, principal: Principal, method: &str, uri: &str, body: &'static str) -> u16 {
        let request = Request::builder().method(method).uri(uri).header("host", "127.0.0.1");
        let (parts, ()) = request.header("content-length", body.len()).body(()).unwrap().into_parts();
        let body = futures::stream::iter([Ok(Bytes::from_static(body.as_bytes()))]).boxed();
        let request = VerifiedRequest { ctx: context(principal), parts, body, trailers: Trailers::default() };
        self.s3.http.call(request).await.response.status().as_u16()
    }
}

fn context(principal: Principal) -> Ctx {
    let (dispatcher, clock) = (Dispatcher::default(), Arc::new(SystemClock));
    Platform::new(dispatcher, clock, "us-east-1").context(Arc::new(principal))
}

const PUBLIC: &str =
    r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::raw/*"}}"#;
const RESTRICTED: &str = "<PublicAccessBlockConfiguration><RestrictPublicBuckets>true</RestrictPublicBuckets>\
     </PublicAccessBlockConfiguration>";

#[tokio::test]
async fn a_refusal_stops_the_call() {
    let scene = Scene::new();
    assert_eq!(scene.call(Principal::root(), "PUT", "/raw", "").await, 200);
    assert_eq!(scene.call(Principal::root(), "PUT", "/raw/k", "body").await, 200);
    scene.refuse(&["s3:PutObject", "s3:GetObject"]);
    assert_eq!(scene.call(Principal::root(), "PUT", "/raw/other", "body").await, 403);
    assert_eq!(scene.call(Principal::root(), "GET", "/raw/k", "").await, 403);
    scene.refuse(&[]);
    assert_eq!(scene.call(Principal::root(), "GET", "/raw/other", "").await, 404);
    scene.refuse(&["s3:ListBucket"]);
    assert_eq!(scene.call(Principal::root(), "GET", "/raw/other", "").await, 403);
}

#[tokio::test]
async fn the_buckets_policy_is_passed_on_unless_public_access_is_restricted() {
    let scene = Scene::new();
    scene.call(Principal::root(), "PUT", "/raw", "").await;
    assert_eq!(scene.call(Principal::root(), "PUT", "/raw?policy", PUBLIC).await, 403);
    assert_eq!(scene.call(Principal::root(), "DELETE", "/raw?publicAccessBlock", "").await, 204);
    assert_eq!(scene.call(Principal::root(), "PUT", "/raw?policy", PUBLIC).await, 204);
    assert_eq!(scene.call(Principal::root(), "PUT", "/raw/k", "body").await, 200);
    scene.call(Principal::anonymous(), "GET", "/raw/k", "").await;
    let asked = scene.judge.asked.lock().unwrap().join("\n");
    assert!(asked.contains(&format!("anonymous s3:GetObject arn:aws:s3:::raw/k {PUBLIC}")), "{asked}");
    assert_eq!(scene.call(Principal::root(), "PUT", "/raw?publicAccessBlock", RESTRICTED).await, 200);
    scene.refuse(&["s3:GetObject"]);
    assert_eq!(scene.call(Principal::anonymous(), "GET", "/raw/k", "").await, 403);
    let last = scene.judge.asked.lock().unwrap().last().unwrap().clone();
    assert_eq!(last, "anonymous s3:GetObject arn:aws:s3:::raw/k no policy");
}

#[tokio::test]
async fn stores_ask_for_every_call() {
    let scene = Scene::new();
    scene.call(Principal::root(), "PUT", "/raw", "").await;
    let store = scene.s3.stores.bucket(&context(Principal::root()), "raw").unwrap();
    let key = Path::from("a/b");
    store.put(&key, "bytes".into()).await.unwrap();
    assert_eq!(store.get(&key).await.unwrap().bytes().await.unwrap(), "bytes");
    assert_eq!(store.list(None).try_collect::<Vec<_>>().await.unwrap().len(), 1);
    scene.refuse(&["s3:PutObject", "s3:GetObject", "s3:ListBucket", "s3:DeleteObject"]);
    assert!(matches!(store.put(&key, "other".into()).await, Err(Error::PermissionDenied { .. })));
    assert!(matches!(store.get(&key).await, Err(Error::PermissionDenied { .. })));
    assert!(matches!(store.delete(&key).await, Err(Error::PermissionDenied { .. })));
    assert!(store.list(None).try_collect::<Vec<_>>().await.is_err());
    let missing = scene.s3.stores.bucket(&context(Principal::root()), "none").err().unwrap();
    assert_eq!(missing.code, "NoSuchBucket");
}
