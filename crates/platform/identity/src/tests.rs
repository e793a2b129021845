//! The identity room as the platform sees it.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use boathouse_aws::access::{
    AccessRequest, Authorizer, ConditionKeys, Credential, CredentialError, CredentialStore, ServiceRoles,
    SessionCredentials, SignIn,
};
use boathouse_aws::{AwsError, Clock, Ctx, Dispatcher, Platform, Principal};
use boathouse_metadata::Metadata;
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::credentials::KeyPair;
use crate::{Identity, IdentityError, iam_service, sts_service};

#[derive(Debug)]
struct TestClock(Mutex<DateTime<Utc>>);

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock()
    }
}

struct Room {
    directory: tempfile::TempDir,
    clock: Arc<TestClock>,
    identity: Arc<Identity>,
    platform: Platform,
}

fn open(directory: &Path, clock: &Arc<TestClock>) -> Result<Arc<Identity>, IdentityError> {
    let metadata = Metadata::open(&directory.join("metadata.db")).unwrap();
    Identity::open(metadata, directory, vec![KeyPair::test()], Arc::clone(clock) as _, false)
}

impl Room {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock(Mutex::new(DateTime::from_timestamp(1_772_323_200, 0).unwrap())));
        let identity = open(directory.path(), &clock).unwrap();
        let dispatcher = Dispatcher::default();
        dispatcher.install(vec![iam_service(&identity), sts_service(&identity)], Arc::clone(&identity) as _);
        let platform = Platform::new(dispatcher, Arc::clone(&clock) as _, "us-east-1");
        Self { directory, clock, identity, platform }
    }

    fn ctx(&self, principal: Arc<Principal>) -> Ctx {
        Ctx { source_ip: Some(IpAddr::from([127, 0, 0, 1])), ..self.platform.context(principal) }
    }

    async fn try_call(&self, principal: Arc<Principal>, operation: &str, input: Value) -> Result<Value, AwsError> {
        let service = if operation == "AssumeRole" || operation == "GetSessionToken" { "sts" } else { "iam" };
        self.ctx(principal).call(service, operation, input).await
    }

    async fn call(&self, operation: &str, input: Value) -> Value {
        self.try_call(Arc::new(Principal::root()), operation, input).await.unwrap()
    }

    /// A user with one inline policy; its key's id.
    async fn user(&self, name: &str, statement: Value) -> String {
        self.call("CreateUser", json!({"UserName": name})).await;
        let document = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
        let policy = json!({"UserName": name, "PolicyName": "own", "PolicyDocument": document});
        self.call("PutUserPolicy", policy).await;
        let key = self.call("CreateAccessKey", json!({"UserName": name})).await;
        key["AccessKey"]["AccessKeyId"].as_str().unwrap().to_owned()
    }

    async fn role(&self, name: &str, principal: Value, condition: Value) -> String {
        let statement =
            json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition});
        let document = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
        let role = json!({"RoleName": name, "AssumeRolePolicyDocument": document});
        self.call("CreateRole", role).await["Role"]["Arn"].as_str().unwrap().to_owned()
    }

    fn find(&self, credentials: &Value) -> Result<Credential, CredentialError> {
        self.identity.find(credentials["AccessKeyId"].as_str().unwrap(), credentials["SessionToken"].as_str())
    }

    fn may(&self, principal: &Arc<Principal>, action: &str, policy: Option<&str>) -> Result<(), String> {
        let keys = ConditionKeys::new();
        let request = AccessRequest::new(action, "arn:aws:s3:::b/k", &keys).with_resource_policy(policy);
        self.identity.authorize(&self.ctx(Arc::clone(principal)), &request).map_err(|error| error.message)
    }
}

fn bucket_policy(effect: &str, principal: Value) -> String {
    let statement = json!({"Effect": effect, "Principal": principal, "Action": "s3:*", "Resource": "arn:aws:s3:::b*"});
    json!({"Version": "2012-10-17", "Statement": statement}).to_string()
}

#[tokio::test]
async fn refusals_say_who_what_and_why() {
    let room = Room::new();
    let key = room.user("ann", json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"})).await;
    let ann = room.identity.find(&key, None).unwrap().principal;
    assert_eq!(room.may(&ann, "s3:GetObject", None), Ok(()));
    let start = "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: ";
    assert_eq!(
        room.may(&ann, "s3:PutObject", None).unwrap_err(),
        format!(
            "{start}s3:PutObject on resource: \"arn:aws:s3:::b/k\" because no identity-based policy allows the s3:PutObject action"
        )
    );
    assert_eq!(
        room.may(&ann, "s3:GetObject", Some(&bucket_policy("Deny", json!("*")))).unwrap_err(),
        format!(
            "{start}s3:GetObject on resource: \"arn:aws:s3:::b/k\" with an explicit deny in a resource-based policy"
        )
    );
    assert_eq!(room.may(&ann, "s3:PutObject", Some(&bucket_policy("Allow", json!({"AWS": ann.arn.clone()})))), Ok(()));
}

#[tokio::test]
async fn the_anonymous_and_root_stand_apart() {
    let room = Room::new();
    let (nobody, root) = (Arc::new(Principal::anonymous()), Arc::new(Principal::root()));
    let (open, closed) = (bucket_policy("Allow", json!("*")), bucket_policy("Deny", json!("*")));
    assert_eq!(room.may(&nobody, "s3:GetObject", None).unwrap_err(), "Access Denied");
    assert_eq!(room.may(&nobody, "s3:GetObject", Some(&open)), Ok(()));
    assert_eq!(room.may(&root, "s3:GetObject", Some(&open)), Ok(()));
    assert!(room.may(&root, "s3:GetObject", Some(&closed)).is_err());
    assert_eq!(room.may(&root, "s3:DeleteBucketPolicy", Some(&closed)), Ok(()));
    assert!(room.may(&nobody, "s3:GetObject", Some("{")).unwrap_err().contains("can't be used"));
}

#[tokio::test]
async fn sessions_end() {
    let room = Room::new();
    let role = room.role("Reader", json!({"AWS": "000000000000"}), json!({})).await;
    let input = json!({"RoleArn": role, "RoleSessionName": "daily", "DurationSeconds": 900});
    let credentials = room.call("AssumeRole", input).await["Credentials"].clone();
    let principal = room.find(&credentials).unwrap().principal;
    assert_eq!(principal.arn, "arn:aws:sts::000000000000:assumed-role/Reader/daily");
    *room.clock.0.lock() += TimeDelta::seconds(899);
    assert!(room.find(&credentials).is_ok());
    *room.clock.0.lock() += TimeDelta::seconds(1);
    assert_eq!(room.find(&credentials).unwrap_err(), CredentialError::Expired);
    let without = json!({"AccessKeyId": credentials["AccessKeyId"]});
    assert_eq!(room.find(&without).unwrap_err(), CredentialError::InvalidToken);
}

#[tokio::test]
async fn a_principal_outlives_its_user_without_its_rights() {
    let room = Room::new();
    let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let key = room.user("ann", all.clone()).await;
    let old = room.identity.find(&key, None).unwrap().principal;
    assert_eq!(room.may(&old, "s3:GetObject", None), Ok(()));
    room.call("DeleteAccessKey", json!({"UserName": "ann", "AccessKeyId": key})).await;
    room.call("DeleteUserPolicy", json!({"UserName": "ann", "PolicyName": "own"})).await;
    room.call("DeleteUser", json!({"UserName": "ann"})).await;
    assert!(room.may(&old, "s3:GetObject", None).is_err());
    let key = room.user("ann", all).await;
    let new = room.identity.find(&key, None).unwrap().principal;
    assert_eq!(room.may(&new, "s3:GetObject", None), Ok(()));
    assert!(room.may(&old, "s3:GetObject", None).is_err());
}

#[tokio::test]
async fn services_become_roles_that_trust_them() {
    let room = Room::new();
    let condition = json!({"StringEquals": {"aws:SourceAccount": "000000000000"}});
    let arn = room.role("Crawler", json!({"Service": "glue.amazonaws.com"}), condition).await;
    let policy = json!({"RoleName": "Crawler", "PolicyArn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"});
    room.call("AttachRolePolicy", policy).await;
    for role in ["Crawler", &arn] {
        let principal = room.identity.assume_for_service(role, "glue.amazonaws.com", "crawl").unwrap();
        assert_eq!(principal.arn, "arn:aws:sts::000000000000:assumed-role/Crawler/crawl");
        assert_eq!(room.may(&principal, "s3:GetObject", None), Ok(()));
        assert!(room.may(&principal, "s3:PutObject", None).is_err());
    }
    let code = |role, service| room.identity.assume_for_service(role, service, "s").unwrap_err().code;
    assert_eq!(code("Crawler", "lambda.amazonaws.com"), "AccessDeniedException");
    assert_eq!(code("None", "glue.amazonaws.com"), "EntityNotFoundException");
    assert_eq!(code("arn:aws:iam::000000000000:role/x/Crawler", "glue.amazonaws.com"), "EntityNotFoundException");
}

#[tokio::test]
async fn services_call_on_account_of_a_resource() {
    let room = Room::new();
    let function = "arn:aws:lambda:us-east-1:000000000000:function:f";
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "lambda:InvokeFunction",
        "Principal": {"Service": "s3.amazonaws.com"}, "Resource": function,
        "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::raw"},
                      "StringEquals": {"AWS:SourceAccount": "000000000000"}}}]});
    let policy = policy.to_string();
    let may = |ctx: &Ctx| {
        let keys = ConditionKeys::new();
        let request = AccessRequest::new("lambda:InvokeFunction", function, &keys).with_resource_policy(Some(&policy));
        room.identity.authorize(ctx, &request).is_ok()
    };
    let s3 = room.ctx(Arc::new(Principal::service("s3.amazonaws.com")));
    assert!(may(&s3.because_of("arn:aws:s3:::raw")));
    assert!(!may(&s3.because_of("arn:aws:s3:::other")));
    assert!(!may(&s3));
    assert!(!may(&room.ctx(Arc::new(Principal::service("sns.amazonaws.com"))).because_of("arn:aws:s3:::raw")));
}

#[tokio::test]
async fn a_user_may_not_rename_itself_into_another() {
    let room = Room::new();
    let own = "arn:aws:iam::000000000000:user/ann";
    let key = room.user("ann", json!({"Effect": "Allow", "Action": "iam:UpdateUser", "Resource": own})).await;
    let ann = room.identity.find(&key, None).unwrap().principal;
    let rename = json!({"UserName": "ann", "NewUserName": "boss"});
    let refused = room.try_call(Arc::clone(&ann), "UpdateUser", rename).await.unwrap_err();
    assert!(refused.message.contains("user/boss"), "{refused}");
    let path = json!({"UserName": "ann", "NewPath": "/"});
    room.try_call(ann, "UpdateUser", path).await.unwrap();
}

#[tokio::test]
async fn trust_is_in_a_user_and_not_in_its_name() {
    let room = Room::new();
    let nothing = json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*"});
    let key = room.user("ann", nothing.clone()).await;
    let role = room.role("Reader", json!({"AWS": "arn:aws:iam::000000000000:user/ann"}), json!({})).await;
    let assume = || json!({"RoleArn": role, "RoleSessionName": "daily"});
    let ann = |key: &str| room.identity.find(key, None).unwrap().principal;
    room.try_call(ann(&key), "AssumeRole", assume()).await.unwrap();
    room.call("UpdateUser", json!({"UserName": "ann", "NewUserName": "anna"})).await;
    room.try_call(ann(&key), "AssumeRole", assume()).await.unwrap();
    let usurper = room.user("ann", nothing).await;
    let refused = room.try_call(ann(&usurper), "AssumeRole", assume()).await.unwrap_err();
    assert_eq!(refused.code, "AccessDeniedException");
}

#[tokio::test]
async fn tags_of_the_entity_and_of_the_request_are_condition_keys() {
    let room = Room::new();
    let tagged =
        |condition: Value| json!({"Effect": "Allow", "Action": "iam:*", "Resource": "*", "Condition": condition});
    let by_team = tagged(json!({"StringEquals": {"aws:ResourceTag/team": "blue"}}));
    let only_team = tagged(
        json!({"ForAllValues:StringEquals": {"aws:TagKeys": "team"}, "StringEquals": {"aws:RequestTag/team": "blue"}}),
    );
    let ann = room.identity.find(&room.user("ann", json!([by_team, only_team])).await, None).unwrap().principal;
    let create = |name: &str, key: &str| json!({"UserName": name, "Tags": [{"Key": key, "Value": "blue"}]});
    room.try_call(Arc::clone(&ann), "CreateUser", create("a", "team")).await.unwrap();
    assert!(room.try_call(Arc::clone(&ann), "CreateUser", create("b", "other")).await.is_err());
    room.call("CreateUser", create("b", "other")).await;
    room.try_call(Arc::clone(&ann), "GetUser", json!({"UserName": "a"})).await.unwrap();
    assert!(room.try_call(ann, "GetUser", json!({"UserName": "b"})).await.is_err());
}

#[tokio::test]
async fn a_policy_is_found_by_its_whole_arn() {
    let room = Room::new();
    let document = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    room.call("CreatePolicy", json!({"PolicyName": "p", "Path": "/admin/", "PolicyDocument": document})).await;
    let other = json!({"PolicyArn": "arn:aws:iam::000000000000:policy/p", "Tags": [{"Key": "a", "Value": "b"}]});
    let root = || Arc::new(Principal::root());
    assert_eq!(room.try_call(root(), "TagPolicy", other.clone()).await.unwrap_err().code, "NoSuchEntity");
    assert_eq!(room.try_call(root(), "DeletePolicy", other.clone()).await.unwrap_err().code, "NoSuchEntity");
    assert_eq!(room.try_call(root(), "GetPolicy", other).await.unwrap_err().code, "NoSuchEntity");
}

#[tokio::test]
async fn another_key_file_is_refused() {
    let room = Room::new();
    let key = room.user("ann", json!({"Effect": "Allow", "Action": "*", "Resource": "*"})).await;
    let again = open(room.directory.path(), &room.clock).unwrap();
    assert!(again.find(&key, None).is_ok());
    std::fs::write(room.directory.path().join("identity.key"), "00".repeat(32)).unwrap();
    assert!(matches!(open(room.directory.path(), &room.clock), Err(IdentityError::WrongKey)));
}

impl Room {
    fn sign_in(&self, principal: &Arc<Principal>) -> Result<SessionCredentials, AwsError> {
        self.identity.sign_in(&self.ctx(Arc::clone(principal)))
    }

    fn holder(&self, session: &SessionCredentials) -> Result<Arc<Principal>, CredentialError> {
        let found = self.identity.find(&session.access_key_id, Some(&session.session_token))?;
        assert!(found.secret == session.secret);
        Ok(found.principal)
    }
}

#[tokio::test]
async fn who_signs_in_works_as_who_it_is_and_may_call_iam() {
    let room = Room::new();
    let key = room.user("ann", json!({"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*"})).await;
    let ann = room.identity.find(&key, None).unwrap().principal;
    let session = room.holder(&room.sign_in(&ann).unwrap()).unwrap();
    assert_eq!((&session.arn, &session.user_id), (&ann.arn, &ann.user_id));
    room.try_call(Arc::clone(&session), "GetUser", json!({})).await.unwrap();
    assert_eq!(room.try_call(session, "ListUsers", json!({})).await.unwrap_err().code, "AccessDeniedException");
    let root = room.holder(&room.sign_in(&Arc::new(Principal::root())).unwrap()).unwrap();
    assert!(root.is_root() && root.session.as_ref().is_some_and(|session| session.signed_in.is_some()));
}

#[tokio::test]
async fn a_session_of_the_console_is_prolonged_for_twelve_hours() {
    let room = Room::new();
    let mut session = room.sign_in(&Arc::new(Principal::root())).unwrap();
    let began = room.clock.now();
    for minutes in (40..12 * 60).step_by(40) {
        *room.clock.0.lock() = began + TimeDelta::minutes(minutes);
        session = room.sign_in(&room.holder(&session).unwrap()).unwrap();
        assert!(session.expires <= began + TimeDelta::hours(12));
    }
    let root = room.holder(&session).unwrap();
    *room.clock.0.lock() = began + TimeDelta::hours(12);
    assert_eq!(room.holder(&session).unwrap_err(), CredentialError::Expired);
    assert_eq!(room.sign_in(&root).unwrap_err().code, "ExpiredTokenException");
}

#[tokio::test]
async fn other_sessions_do_not_sign_in() {
    let room = Room::new();
    let credentials = room.call("GetSessionToken", json!({})).await["Credentials"].clone();
    let of_sts = room.find(&credentials).unwrap().principal;
    let of_role = Arc::new(Principal::assumed_role("Reader", "AROA1", "daily", None));
    let of_service = Arc::new(Principal::service("glue.amazonaws.com"));
    for principal in [of_sts, of_role, of_service, Arc::new(Principal::anonymous())] {
        assert_eq!(room.sign_in(&principal).unwrap_err().code, "AccessDeniedException", "{}", principal.arn);
    }
}
