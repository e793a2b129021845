//! Calls by the dispatcher, with a judge that allows everything but what it is told to refuse.

use std::sync::{Arc, Mutex};

use boathouse_aws::access::{AccessRequest, Authorizer, Credential, CredentialError, CredentialStore};
use boathouse_aws::{AwsError, Ctx, Dispatcher, Platform, Principal, SystemClock};
use boathouse_objects::{Objects, Options};
use serde_json::{Value, json};

use super::operations::{Input, OPERATIONS};

#[derive(Default)]
struct Judge {
    refused: Mutex<Vec<&'static str>>,
}

impl Authorizer for Judge {
    fn authorize(&self, _: &Ctx, request: &AccessRequest<'_>) -> Result<(), AwsError> {
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
    ctx: Ctx,
    judge: Arc<Judge>,
    _directory: tempfile::TempDir,
}

impl Scene {
    fn new(region: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let objects = Objects::open(directory.path(), &Options::default()).unwrap();
        let judge = Arc::new(Judge::default());
        let s3 = crate::install(
            objects,
            judge.clone(),
            judge.clone(),
            crate::Options { plain_buckets: true, ..crate::Options::default() },
        );
        let dispatcher = Dispatcher::default();
        dispatcher.install(vec![s3.table], judge.clone());
        let platform = Platform::new(dispatcher, Arc::new(SystemClock), region);
        Self { ctx: platform.context(Arc::new(Principal::root())), judge, _directory: directory }
    }

    async fn bucket(region: &str) -> Self {
        let scene = Self::new(region);
        scene.good("CreateBucket", json!({"Bucket": "raw"})).await;
        scene
    }

    async fn call(&self, operation: &str, input: Value) -> Result<Value, AwsError> {
        self.ctx.call("s3", operation, input).await
    }

    async fn good(&self, operation: &str, input: Value) -> Value {
        self.call(operation, input).await.unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    async fn code(&self, operation: &str, input: Value) -> String {
        self.call(operation, input).await.unwrap_err().code.into_owned()
    }
}

#[tokio::test]
async fn objects_come_back_as_text_or_base64_with_what_is_stored_beside_them() {
    let scene = Scene::bucket("us-east-1").await;
    let put = json!({"Bucket": "raw", "Key": "a b/é+1%", "Body": "text", "ContentType": "text/plain",
        "Metadata": {"origin": "test"}, "Tagging": "a=1"});
    let etag = scene.good("PutObject", put).await["ETag"].clone();
    let got = scene.good("GetObject", json!({"Bucket": "raw", "Key": "a b/é+1%"})).await;
    assert_eq!(got["Body"], "text");
    assert_eq!((&got["ETag"], &got["ContentType"], &got["ContentLength"]), (&etag, &json!("text/plain"), &json!(4)));
    assert_eq!((&got["Metadata"]["origin"], &got["TagCount"]), (&json!("test"), &json!(1)));
    assert!(got["LastModified"].as_str().unwrap().ends_with('Z'));
    let head = scene.good("HeadObject", json!({"Bucket": "raw", "Key": "a b/é+1%"})).await;
    assert_eq!((head["ContentLength"].clone(), head.get("Body")), (json!(4), None));
    let part = scene.good("GetObject", json!({"Bucket": "raw", "Key": "a b/é+1%", "Range": "bytes=1-2"})).await;
    assert_eq!((&part["Body"], &part["ContentRange"]), (&json!("ex"), &json!("bytes 1-2/4")));
    let document = json!({"Bucket": "raw", "Key": "state.json", "Body": {"n": [1, 2]}});
    scene.good("PutObject", document).await;
    let got = scene.good("GetObject", json!({"Bucket": "raw", "Key": "state.json"})).await;
    assert_eq!(got["Body"], r#"{"n":[1,2]}"#);
}

#[tokio::test]
async fn copies_listings_and_deletions() {
    let scene = Scene::bucket("us-east-1").await;
    for key in ["in/<a>&b", "in/c", "top"] {
        scene.good("PutObject", json!({"Bucket": "raw", "Key": key, "Body": "x"})).await;
    }
    let copy = json!({"Bucket": "raw", "Key": "in/d", "CopySource": "raw/top"});
    assert_eq!(
        scene.good("CopyObject", copy).await["CopyObjectResult"]["ETag"],
        "\"9dd4e461268c8034f5c8564e155c67a6\""
    );
    let list = scene.good("ListObjectsV2", json!({"Bucket": "raw", "Delimiter": "/", "MaxKeys": "10"})).await;
    assert_eq!(list["CommonPrefixes"], json!([{"Prefix": "in/"}]));
    assert_eq!((&list["KeyCount"], &list["IsTruncated"], &list["MaxKeys"]), (&json!(2), &json!(false), &json!(10)));
    let list = scene.good("ListObjectsV2", json!({"Bucket": "raw", "Prefix": "in/", "MaxKeys": 1})).await;
    assert_eq!((&list["Contents"][0]["Key"], &list["Contents"][0]["Size"]), (&json!("in/<a>&b"), &json!(1)));
    let next = json!({"Bucket": "raw", "ContinuationToken": list["NextContinuationToken"], "Prefix": "in/"});
    assert_eq!(scene.good("ListObjectsV2", next).await["Contents"].as_array().unwrap().len(), 2);
    let delete = json!({"Bucket": "raw", "Delete": {"Objects": [{"Key": "in/<a>&b"}, {"Key": "in/c"}, {"Key": "no"}]}});
    assert_eq!(scene.good("DeleteObjects", delete).await["Deleted"].as_array().unwrap().len(), 3);
    scene.good("DeleteObject", json!({"Bucket": "raw", "Key": "top"})).await;
    assert_eq!(scene.code("HeadObject", json!({"Bucket": "raw", "Key": "top"})).await, "NoSuchKey");
    let none = scene.good("ListObjectsV2", json!({"Bucket": "raw", "Prefix": "zzz"})).await;
    assert_eq!(none.get("Contents"), None);
    assert_eq!(scene.code("DeleteBucket", json!({"Bucket": "raw"})).await, "BucketNotEmpty");
}

#[tokio::test]
async fn configurations_come_back_as_they_were_put() {
    let scene = Scene::bucket("us-east-1").await;
    let tags = json!({"Bucket": "raw", "Tagging": {"TagSet": [{"Key": "team", "Value": "a b"}]}});
    scene.good("PutBucketTagging", tags.clone()).await;
    assert_eq!(scene.good("GetBucketTagging", json!({"Bucket": "raw"})).await["TagSet"], tags["Tagging"]["TagSet"]);
    let rule = json!({"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["*"], "MaxAgeSeconds": 60});
    scene.good("PutBucketCors", json!({"Bucket": "raw", "CORSConfiguration": {"CORSRules": [rule]}})).await;
    assert_eq!(scene.good("GetBucketCors", json!({"Bucket": "raw"})).await["CORSRules"], json!([rule]));
    let block = json!({"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": "false",
        "RestrictPublicBuckets": false});
    scene.good("PutPublicAccessBlock", json!({"Bucket": "raw", "PublicAccessBlockConfiguration": block})).await;
    let got = scene.good("GetPublicAccessBlock", json!({"Bucket": "raw"})).await;
    assert_eq!(got["PublicAccessBlockConfiguration"]["BlockPublicAcls"], true);
    assert_eq!(got["PublicAccessBlockConfiguration"]["BlockPublicPolicy"], false);
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"},
        "Action": "s3:GetObject", "Resource": "arn:aws:s3:::raw/*"}]});
    scene.good("PutBucketPolicy", json!({"Bucket": "raw", "Policy": policy})).await;
    let text = scene.good("GetBucketPolicy", json!({"Bucket": "raw"})).await["Policy"].as_str().unwrap().to_owned();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), policy);
    let owned = json!({"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]});
    scene.good("PutBucketOwnershipControls", json!({"Bucket": "raw", "OwnershipControls": owned})).await;
    assert_eq!(scene.good("GetBucketOwnershipControls", json!({"Bucket": "raw"})).await["OwnershipControls"], owned);
    let buckets = scene.good("ListBuckets", json!({})).await;
    assert_eq!(buckets["Buckets"][0]["Name"], "raw");
    scene.good("DeleteBucket", json!({"Bucket": "raw"})).await;
    assert_eq!(scene.code("HeadBucket", json!({"Bucket": "raw"})).await, "NoSuchBucket");
}

#[tokio::test]
async fn locations_are_those_of_the_region() {
    let scene = Scene::new("eu-west-1");
    let elsewhere = "IllegalLocationConstraintException";
    assert_eq!(scene.code("CreateBucket", json!({"Bucket": "raw"})).await, elsewhere);
    let location = |name: &str| json!({"Bucket": "raw", "CreateBucketConfiguration": {"LocationConstraint": name}});
    assert_eq!(scene.code("CreateBucket", location("eu-north-1")).await, elsewhere);
    scene.good("CreateBucket", location("eu-west-1")).await;
    assert_eq!(scene.good("GetBucketLocation", json!({"Bucket": "raw"})).await["LocationConstraint"], "eu-west-1");
    assert_eq!(scene.good("HeadBucket", json!({"Bucket": "raw"})).await["BucketRegion"], "eu-west-1");
    let first = Scene::bucket("us-east-1").await;
    assert_eq!(first.good("GetBucketLocation", json!({"Bucket": "raw"})).await, json!({}));
}

#[tokio::test]
async fn refusals_name_what_is_refused() {
    let scene = Scene::bucket("us-east-1").await;
    let error = scene.call("PutBucketWebsite", json!({"Bucket": "raw"})).await.unwrap_err();
    assert!(error.message.contains("s3:PutBucketWebsite"), "{error}");
    let unknown = json!({"Bucket": "raw", "Key": "k", "ObjectLockMode": "GOVERNANCE"});
    let error = scene.call("PutObject", unknown).await.unwrap_err();
    assert!(error.code == "NotImplemented" && error.message.contains("PutObject.ObjectLockMode"), "{error}");
    let lifecycle = json!({"Bucket": "raw", "Tagging": {"TagSet": [], "Rules": []}});
    assert!(scene.call("PutBucketTagging", lifecycle).await.unwrap_err().message.contains("Tagging.Rules"));
    let missing = scene.call("GetObject", json!({"Bucket": "raw"})).await.unwrap_err();
    assert!(missing.message.contains("Key"), "{missing}");
    let acl = json!({"Bucket": "raw", "Key": "k", "ACL": "public-read"});
    assert_eq!(scene.code("PutObject", acl).await, "AccessControlListNotSupported");
    let odd = json!({"Bucket": "raw", "Key": "k", "ContentType": "a\nb"});
    assert_eq!(scene.code("PutObject", odd).await, "InvalidArgument");
    for name in ["a/b", "", "UPPER"] {
        assert_eq!(scene.code("CreateBucket", json!({"Bucket": name})).await, "InvalidBucketName", "{name}");
    }
    assert_eq!(scene.code("ListBuckets", json!([])).await, "SerializationException");
    let wrong = json!({"Bucket": "raw", "Tagging": {"TagSet": "a=1"}});
    assert_eq!(scene.code("PutBucketTagging", wrong).await, "InvalidArgument");
}

#[tokio::test]
async fn objects_beyond_256_kib_are_refused_and_smaller_ones_are_whole() {
    let scene = Scene::bucket("us-east-1").await;
    for (size, fits) in [(256 * 1024, true), (256 * 1024 + 1, false)] {
        scene.good("PutObject", json!({"Bucket": "raw", "Key": "k", "Body": "x".repeat(size)})).await;
        match scene.call("GetObject", json!({"Bucket": "raw", "Key": "k"})).await {
            Ok(got) => assert!(fits && got["Body"].as_str().unwrap().len() == size),
            Err(error) => {
                assert!(!fits && error.code == "EntityTooLarge" && error.message.contains("262144"), "{error}")
            }
        }
    }
}

#[tokio::test]
async fn iam_is_asked_as_on_the_wire() {
    let scene = Scene::bucket("us-east-1").await;
    *scene.judge.refused.lock().unwrap() = vec!["s3:PutObject", "s3:ListAllMyBuckets"];
    assert_eq!(scene.code("PutObject", json!({"Bucket": "raw", "Key": "k", "Body": "x"})).await, "AccessDenied");
    assert_eq!(scene.code("ListBuckets", json!({})).await, "AccessDenied");
}

#[test]
fn every_operation_is_one_of_the_wire() {
    for operation in OPERATIONS {
        assert!(crate::OPERATIONS.contains(&operation.name), "{}", operation.name);
        assert!(!matches!(operation.input, Input::Body) || operation.method == "PUT");
    }
}

#[tokio::test]
async fn what_asks_for_encryption_says_so() {
    let scene = Scene::bucket("us-east-1").await;
    let put = |key: &str| json!({"Bucket": "raw", "Key": key, "Body": "secret"});
    let mut asked = put("asked");
    asked["ServerSideEncryption"] = json!("AES256");
    assert_eq!(scene.good("PutObject", asked).await["ServerSideEncryption"], "AES256");
    let got = scene.good("GetObject", json!({"Bucket": "raw", "Key": "asked"})).await;
    assert_eq!((&got["Body"], &got["ServerSideEncryption"]), (&json!("secret"), &json!("AES256")));
    assert_eq!(scene.good("PutObject", put("plain")).await.get("ServerSideEncryption"), None);
    let copy =
        |to: &str| json!({"Bucket": "raw", "Key": to, "CopySource": "raw/plain", "ServerSideEncryption": "AES256"});
    scene.good("CopyObject", copy("copied")).await;
    scene.good("CopyObject", copy("plain")).await;
    for key in ["copied", "plain"] {
        let head = scene.good("HeadObject", json!({"Bucket": "raw", "Key": key})).await;
        assert_eq!((&head["ServerSideEncryption"], &head["ContentLength"]), (&json!("AES256"), &json!(6)), "{key}");
    }
    assert_eq!(
        scene.code("GetBucketEncryption", json!({"Bucket": "raw"})).await,
        "ServerSideEncryptionConfigurationNotFoundError"
    );
    let rules = json!({"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]});
    let wanted = json!({"Bucket": "raw", "ServerSideEncryptionConfiguration": rules});
    scene.good("PutBucketEncryption", wanted).await;
    let told = scene.good("GetBucketEncryption", json!({"Bucket": "raw"})).await;
    let rule = &told["ServerSideEncryptionConfiguration"]["Rules"][0];
    assert_eq!(rule["ApplyServerSideEncryptionByDefault"], rules["Rules"][0]["ApplyServerSideEncryptionByDefault"]);
    assert_eq!(rule["BucketKeyEnabled"], false);
    assert_eq!(scene.good("PutObject", put("later")).await["ServerSideEncryption"], "AES256");
    let mut kms = put("kms");
    kms["ServerSideEncryption"] = json!("aws:kms");
    let key = scene.good("PutObject", kms).await["SSEKMSKeyId"].clone();
    assert_eq!(key, "arn:aws:kms:us-east-1:000000000000:alias/aws/s3");
    scene.good("DeleteBucketEncryption", json!({"Bucket": "raw"})).await;
    // The store of these tests does not encrypt by itself.
    assert_eq!(scene.good("PutObject", put("last")).await.get("ServerSideEncryption"), None);
}

#[tokio::test]
async fn versions_and_rules_are_put_and_told() {
    let scene = Scene::bucket("us-east-1").await;
    let enabled = json!({"Bucket": "raw", "VersioningConfiguration": {"Status": "Enabled"}});
    scene.good("PutBucketVersioning", enabled).await;
    assert_eq!(scene.good("GetBucketVersioning", json!({"Bucket": "raw"})).await["Status"], "Enabled");
    let put = json!({"Bucket": "raw", "Key": "k", "Body": "1"});
    let version = scene.good("PutObject", put.clone()).await["VersionId"].clone();
    scene.good("PutObject", put).await;
    let got = scene.good("GetObject", json!({"Bucket": "raw", "Key": "k", "VersionId": version})).await;
    assert_eq!((&got["Body"], &got["VersionId"]), (&json!("1"), &version));
    let rules =
        json!({"Rules": [{"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "a/"}, "Expiration": {"Days": 1}}]});
    let rules = json!({"Bucket": "raw", "LifecycleConfiguration": rules});
    scene.good("PutBucketLifecycleConfiguration", rules.clone()).await;
    let told = scene.good("GetBucketLifecycleConfiguration", json!({"Bucket": "raw"})).await;
    assert_eq!(told["Rules"], rules["LifecycleConfiguration"]["Rules"]);
    scene.good("DeleteBucketLifecycle", json!({"Bucket": "raw"})).await;
    let missing = scene.code("GetBucketLifecycleConfiguration", json!({"Bucket": "raw"})).await;
    assert_eq!(missing, "NoSuchLifecycleConfiguration");
}
