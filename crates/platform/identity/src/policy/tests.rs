//! The policy language as a whole.

use std::sync::Arc;

use boathouse_aws::Principal;
use boathouse_aws::access::ConditionKeys;
use chrono::DateTime;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const ANN: &str = "arn:aws:iam::000000000000:user/eng/ann";

fn ann() -> Principal {
    let mut principal = Principal::user("ann", ANN.into(), "AIDAANN".into());
    principal.tags.insert("Team".into(), "blue".into());
    principal
}

fn policy(kind: PolicyKind, document: Value) -> Policy {
    Policy::parse(&document.to_string(), kind).unwrap()
}

fn one(statement: Value) -> Policy {
    policy(PolicyKind::Identity, json!({"Version": "2012-10-17", "Statement": statement}))
}

/// Asks as `principal`, on 2026-03-01 from 203.0.113.9 over TLS.
fn ask<'a>(principal: &'a Principal, action: &'a str, resource: &'a str, service: &'a ConditionKeys) -> Question<'a> {
    let origin = Origin {
        now: DateTime::from_timestamp(1_772_323_200, 0).unwrap(),
        region: Some("us-east-1"),
        source_ip: Some("203.0.113.9".parse().unwrap()),
        secure_transport: Some(true),
        source_arn: None,
        via: &[],
        wire: None,
        services: None,
        tags: None,
    };
    let holder_arn = (!principal.arn.contains(":user/")).then_some("arn:aws:iam::000000000000:role/Reader");
    let keys = RequestKeys { principal, holder_arn, origin, service, asked: (action, resource) };
    Question { action: action.to_lowercase(), resource, keys }
}

fn keys(pairs: &[(&str, &[&str])]) -> ConditionKeys {
    pairs.iter().map(|(key, values)| ((*key).into(), values.iter().map(|&v| v.into()).collect())).collect()
}

/// Whether this one statement applies to ann's s3:GetObject of `resource`.
fn applies(statement: Value, resource: &str, pairs: &[(&str, &[&str])]) -> bool {
    let (principal, keys) = (ann(), keys(pairs));
    one(statement).verdict(&ask(&principal, "s3:GetObject", resource, &keys)) != Verdict::Silent
}

fn condition(condition: Value, pairs: &[(&str, &[&str])]) -> bool {
    let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition});
    applies(statement, "arn:aws:s3:::b/k", pairs)
}

fn complaint(kind: PolicyKind, text: &str) -> String {
    Policy::parse(text, kind).unwrap_err().to_string()
}

#[test]
fn documents_that_break_a_rule_are_refused_in_iams_words() {
    let identity = |statement: &str| {
        complaint(PolicyKind::Identity, &format!(r#"{{"Version": "2012-10-17", "Statement": [{statement}]}}"#))
    };
    let syntax = "Syntax errors in policy.";
    assert_eq!(complaint(PolicyKind::Identity, "{"), syntax);
    assert_eq!(complaint(PolicyKind::Identity, "[]"), syntax);
    assert_eq!(complaint(PolicyKind::Identity, r#"{"Version": "2012-10-17"}"#), syntax);
    assert_eq!(identity(r#"{"Effect": "allow", "Action": "s3:*", "Resource": "*"}"#), syntax);
    assert_eq!(identity(r#"{"Effect": "Allow", "Action": [], "Resource": "*"}"#), syntax);
    assert_eq!(identity(r#"{"Effect": "Allow", "Action": "s3:*", "Action": "*", "Resource": "*"}"#), syntax);
    assert_eq!(identity(r#"{"Effect": "Allow", "Action": "s3:*", "NotAction": "s3:*", "Resource": "*"}"#), syntax);
    assert!(identity(r#"{"Effect": "Allow", "Resource": "*"}"#).contains("must contain actions"));
    assert!(identity(r#"{"Effect": "Allow", "Action": "s3:*"}"#).contains("must contain resources"));
    assert!(identity(r#"{"Effect": "Allow", "Action": "GetObject", "Resource": "*"}"#).contains("by a vendor"));
    assert!(identity(r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "bucket"}"#).contains("ARN format"));
    let same = r#"{"Sid": "a", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}"#;
    assert!(identity(&format!("{same},{same}")).contains("unique"));
    let principal = r#"{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}"#;
    assert!(identity(principal).contains("should not specify a principal"));
    let unknown = r#"{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Like": {"aws:a": "b"}}}"#;
    assert_eq!(identity(unknown), "Invalid Condition type : Like");
    let trust = |statement: &str| complaint(PolicyKind::Trust, &format!(r#"{{"Statement": {statement}}}"#));
    assert!(trust(r#"{"Effect": "Allow", "Action": "sts:AssumeRole"}"#).contains("Principal"));
    assert!(trust(principal).contains("prohibited field Resource"));
    let wild = r#"{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:role/*"}, "Action": "sts:*"}"#;
    assert!(trust(wild).starts_with("Invalid principal in policy"));
}

#[test]
fn actions_ignore_case_and_resources_do_not() {
    let statement = json!({"Effect": "Allow", "Action": "S3:get*", "Resource": "arn:aws:s3:::Raw/*"});
    assert!(applies(statement.clone(), "arn:aws:s3:::Raw/a/b", &[]));
    assert!(!applies(statement, "arn:aws:s3:::raw/a/b", &[]));
    let negated = json!({"Effect": "Allow", "NotAction": "s3:Put*", "NotResource": "arn:aws:s3:::secret/*"});
    assert!(applies(negated.clone(), "arn:aws:s3:::raw/a", &[]));
    assert!(!applies(negated, "arn:aws:s3:::secret/a", &[]));
}

#[test]
fn variables_take_their_text_from_the_request() {
    let on = |resource: &str| json!({"Effect": "Allow", "Action": "*", "Resource": resource});
    assert!(applies(on("arn:aws:s3:::home/${aws:username}/*"), "arn:aws:s3:::home/ann/x", &[]));
    assert!(!applies(on("arn:aws:s3:::home/${aws:username}/*"), "arn:aws:s3:::home/bob/x", &[]));
    assert!(applies(on("arn:aws:s3:::${aws:PrincipalTag/team}/*"), "arn:aws:s3:::blue/x", &[]));
    assert!(!applies(on("arn:aws:s3:::${aws:PrincipalTag/none}/*"), "arn:aws:s3:::/x", &[]));
    assert!(applies(on("arn:aws:s3:::${aws:PrincipalTag/none, 'all'}/*"), "arn:aws:s3:::all/x", &[]));
    assert!(applies(on("arn:aws:s3:::b/${*}"), "arn:aws:s3:::b/*", &[]));
    assert!(!applies(on("arn:aws:s3:::b/${*}"), "arn:aws:s3:::b/x", &[]));
    assert!(applies(on("arn:aws:s3:::b/${$}{x}"), "arn:aws:s3:::b/${x}", &[]));
    assert!(!applies(on("arn:aws:s3:::b/${s3:prefix}"), "arn:aws:s3:::b/anything", &[("s3:prefix", &["*"])]));
    let old = policy(
        PolicyKind::Identity,
        json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::home/${aws:username}"}}),
    );
    let (principal, none) = (ann(), ConditionKeys::new());
    assert_eq!(old.verdict(&ask(&principal, "s3:GetObject", "arn:aws:s3:::home/ann", &none)), Verdict::Silent);
}

#[test]
fn conditions_compare_as_their_operator_says() {
    assert!(condition(json!({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "203.0.113.0/24"]}}), &[]));
    assert!(!condition(json!({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}), &[]));
    assert!(condition(json!({"Bool": {"aws:SecureTransport": true}}), &[]));
    assert!(condition(json!({"DateGreaterThan": {"aws:CurrentTime": "2026-02-28T00:00:00Z"}}), &[]));
    assert!(!condition(json!({"DateLessThan": {"aws:EpochTime": 1_772_323_200}}), &[]));
    assert!(condition(json!({"NumericLessThanEquals": {"s3:max-keys": 10}}), &[("s3:max-keys", &["10"])]));
    assert!(!condition(json!({"NumericLessThan": {"s3:max-keys": "x"}}), &[("s3:max-keys", &["10"])]));
    assert!(condition(json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/eng/*"}}), &[]));
    assert!(condition(json!({"StringEquals": {"aws:requestedregion": "us-east-1"}}), &[]));
    assert!(condition(json!({"StringEqualsIgnoreCase": {"aws:PrincipalTag/Team": "BLUE"}}), &[]));
    assert!(condition(json!({"BinaryEquals": {"x:y": "QUI="}}), &[("x:y", &["QUI="])]));
    assert!(condition(
        json!({"StringLike": {"s3:prefix": ["", "home/${aws:username}/*"]}}),
        &[("s3:prefix", &["home/ann/x"])]
    ));
    assert!(!condition(json!({"StringEquals": {"s3:prefix": "home/*"}}), &[("s3:prefix", &["home/x"])]));
    let both = json!({"StringEquals": {"aws:username": "ann", "aws:PrincipalAccount": "111111111111"}});
    assert!(!condition(both, &[]));
}

#[test]
fn absent_keys_fail_unless_negated_or_if_exists() {
    assert!(!condition(json!({"StringEquals": {"s3:prefix": "a"}}), &[]));
    assert!(condition(json!({"StringNotEquals": {"s3:prefix": "a"}}), &[]));
    assert!(condition(json!({"StringEqualsIfExists": {"s3:prefix": "a"}}), &[]));
    assert!(!condition(json!({"StringEqualsIfExists": {"s3:prefix": "a"}}), &[("s3:prefix", &["b"])]));
    assert!(condition(json!({"Null": {"s3:prefix": "true"}}), &[]));
    assert!(!condition(json!({"Null": {"s3:prefix": true}}), &[("s3:prefix", &["b"])]));
    assert!(condition(json!({"Null": {"s3:prefix": false}}), &[("s3:prefix", &["b"])]));
    assert!(!condition(json!({"StringNotEquals": {"aws:username": "${aws:PrincipalTag/none}"}}), &[]));
}

#[test]
fn variables_without_a_value_never_widen_a_policy() {
    let prefix: &[(&str, &[&str])] = &[("s3:prefix", &["a"])];
    let values = json!(["a", "${aws:PrincipalTag/none}/*"]);
    assert!(condition(json!({"StringLike": {"s3:prefix": values}}), prefix));
    let negated = json!({"StringNotLike": {"s3:prefix": "${aws:PrincipalTag/none}/*"}});
    let elsewhere = "arn:aws:s3:::b/${aws:PrincipalTag/none}/*";
    for (effect, expected) in [("Allow", false), ("Deny", true)] {
        let conditional = json!({"Effect": effect, "Action": "*", "Resource": "*", "Condition": negated});
        assert_eq!(applies(conditional, "arn:aws:s3:::b/k", prefix), expected);
        let excepting = json!({"Effect": effect, "Action": "*", "NotResource": elsewhere});
        assert_eq!(applies(excepting, "arn:aws:s3:::b/k", &[]), expected);
    }
}

#[test]
fn multivalued_keys_are_weighed_by_their_quantifier() {
    let tags = |values: &'static [&'static str]| -> bool {
        condition(json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}), &[("aws:TagKeys", values)])
    };
    assert!(tags(&["a"]) && tags(&["a", "b"]) && tags(&[]) && !tags(&["a", "c"]));
    let any = json!({"ForAnyValue:StringLike": {"aws:TagKeys": "a*"}});
    assert!(condition(any.clone(), &[("aws:TagKeys", &["x", "ab"])]));
    assert!(!condition(any.clone(), &[("aws:TagKeys", &["x"])]));
    assert!(!condition(any, &[]));
    let none = json!({"ForAllValues:StringNotEquals": {"aws:TagKeys": "a"}});
    assert!(condition(none.clone(), &[("aws:TagKeys", &["b"])]));
    assert!(!condition(none, &[("aws:TagKeys", &["a", "b"])]));
}

fn decide(
    principal: &Principal,
    identity: &[Arc<Policy>],
    session: Option<&[Arc<Policy>]>,
    resource: Option<&Policy>,
) -> Decision {
    let none = ConditionKeys::new();
    let question = ask(principal, "s3:GetObject", "arn:aws:s3:::b/k", &none);
    PolicySet { identity, boundary: None, session, resource }.decide(&question)
}

fn bucket_policy(effect: &str, principal: Value) -> Policy {
    let statement = json!({"Effect": effect, "Principal": principal, "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"});
    policy(PolicyKind::Resource, json!({"Version": "2012-10-17", "Statement": statement}))
}

#[test]
fn a_resource_policy_grants_by_how_closely_it_names_the_caller() {
    let silent = Err(Refusal::Implicit(Source::Identity));
    let allow = Arc::new(one(json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})));
    let root = json!({"AWS": "arn:aws:iam::000000000000:root"});
    assert_eq!(decide(&ann(), &[], None, Some(&bucket_policy("Allow", json!({"AWS": ANN})))), Ok(()));
    assert_eq!(decide(&ann(), &[], None, Some(&bucket_policy("Allow", root.clone()))), silent);
    assert_eq!(decide(&ann(), std::slice::from_ref(&allow), None, Some(&bucket_policy("Allow", root.clone()))), Ok(()));
    assert_eq!(decide(&ann(), &[], None, Some(&bucket_policy("Allow", json!({"AWS": "111111111111"})))), silent);
    let denied = Err(Refusal::Explicit(Source::Resource));
    assert_eq!(decide(&ann(), &[allow], None, Some(&bucket_policy("Deny", root))), denied);
    assert_eq!(decide(&Principal::root(), &[], None, Some(&bucket_policy("Deny", json!("*")))), denied);
    assert_eq!(decide(&Principal::root(), &[], None, None), Ok(()));
}

#[test]
fn the_anonymous_need_a_policy_for_everyone() {
    let anonymous = Principal::anonymous();
    let refused = Err(Refusal::Implicit(Source::Resource));
    assert_eq!(decide(&anonymous, &[], None, None), refused);
    assert_eq!(decide(&anonymous, &[], None, Some(&bucket_policy("Allow", json!({"AWS": "000000000000"})))), refused);
    assert_eq!(decide(&anonymous, &[], None, Some(&bucket_policy("Allow", json!("*")))), Ok(()));
}

#[test]
fn a_session_policy_narrows_unless_the_session_itself_is_named() {
    let session = Principal::assumed_role("Reader", "AROAREADER", "daily", None);
    let allow = [Arc::new(one(json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})))];
    let narrow = [Arc::new(one(json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"})))];
    let refused = Err(Refusal::Implicit(Source::Session));
    assert_eq!(decide(&session, &allow, None, None), Ok(()));
    assert_eq!(decide(&session, &allow, Some(&narrow), None), refused);
    let role = json!({"AWS": "arn:aws:iam::000000000000:role/Reader"});
    assert_eq!(decide(&session, &[], Some(&narrow), Some(&bucket_policy("Allow", role.clone()))), refused);
    assert_eq!(decide(&session, &[], None, Some(&bucket_policy("Allow", role))), Ok(()));
    let itself = json!({"AWS": session.arn.clone()});
    assert_eq!(decide(&session, &[], Some(&narrow), Some(&bucket_policy("Allow", itself))), Ok(()));
}

#[test]
fn a_federated_user_has_what_was_passed_of_what_its_user_has() {
    let all = [Arc::new(one(json!({"Effect": "Allow", "Action": "*", "Resource": "*"})))];
    let passed = [Arc::new(one(json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})))];
    let (by_ann, by_root) = (
        Principal::federated_user("guest", Some(("ann", "AIDAANN")), None),
        Principal::federated_user("guest", None, None),
    );
    assert_eq!(decide(&by_ann, &all, Some(&passed), None), Ok(()));
    assert_eq!(decide(&by_ann, &[], Some(&passed), None), Err(Refusal::Implicit(Source::Identity)));
    assert_eq!(decide(&by_ann, &all, Some(&[]), None), Err(Refusal::Implicit(Source::Session)));
    assert_eq!(decide(&by_root, &[], Some(&passed), None), Ok(()));
    assert_eq!(decide(&by_root, &[], Some(&[]), None), Err(Refusal::Implicit(Source::Session)));
    let itself = json!({"AWS": by_root.arn.clone()});
    assert_eq!(decide(&by_root, &[], Some(&[]), Some(&bucket_policy("Allow", itself))), Ok(()));
}

#[test]
fn a_boundary_bounds_all_but_what_a_resource_grants_to_the_user_itself() {
    let none = ConditionKeys::new();
    let (principal, tight) = (ann(), one(json!({"Effect": "Allow", "Action": "glue:*", "Resource": "*"})));
    let all = [Arc::new(one(json!({"Effect": "Allow", "Action": "*", "Resource": "*"})))];
    let ask_with = |identity: &[Arc<Policy>], resource: Option<&Policy>| {
        let question = ask(&principal, "s3:GetObject", "arn:aws:s3:::b/k", &none);
        PolicySet { identity, boundary: Some(&tight), session: None, resource }.decide(&question)
    };
    assert_eq!(ask_with(&all, None), Err(Refusal::Implicit(Source::Boundary)));
    assert_eq!(ask_with(&[], Some(&bucket_policy("Allow", json!({"AWS": ANN})))), Ok(()));
    let root = json!({"AWS": "000000000000"});
    assert_eq!(ask_with(&all, Some(&bucket_policy("Allow", root))), Err(Refusal::Implicit(Source::Boundary)));
    let denying = one(json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*"}));
    let question = ask(&principal, "s3:GetObject", "arn:aws:s3:::b/k", &none);
    let set = PolicySet { identity: &all, boundary: Some(&denying), session: None, resource: None };
    assert_eq!(set.decide(&question), Err(Refusal::Explicit(Source::Boundary)));
}

#[test]
fn not_principal_means_everybody_else() {
    let except = |effect: &str, name: &str| {
        let statement = json!({
            "Effect": effect, "NotPrincipal": {"AWS": name}, "Action": "s3:*", "Resource": "arn:aws:s3:::b/*",
        });
        policy(PolicyKind::Resource, json!({"Version": "2012-10-17", "Statement": statement}))
    };
    let bob = "arn:aws:iam::000000000000:user/bob";
    let allow = [Arc::new(one(json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})))];
    assert_eq!(decide(&ann(), &allow, None, Some(&except("Deny", bob))), Err(Refusal::Explicit(Source::Resource)));
    assert_eq!(decide(&ann(), &allow, None, Some(&except("Deny", ANN))), Ok(()));
    assert_eq!(decide(&ann(), &[], None, Some(&except("Allow", bob))), Ok(()));
    assert_eq!(decide(&ann(), &[], None, Some(&except("Allow", ANN))), Err(Refusal::Implicit(Source::Identity)));
}

/// Whether a condition holds for a caller whose request came as `wire` says, through `via`.
fn holds(principal: &Principal, wire: &boathouse_aws::context::Wire, via: &[&'static str], condition: Value) -> bool {
    let none = ConditionKeys::new();
    let mut question = ask(principal, "s3:GetObject", "arn:aws:s3:::b/k", &none);
    question.keys.origin.wire = Some(wire);
    question.keys.origin.via = via;
    let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition});
    one(statement).verdict(&question) != Verdict::Silent
}

#[test]
fn conditions_see_the_wire_the_session_and_the_services_between() {
    use boathouse_aws::context::{Signed, Wire};
    use boathouse_aws::principal::Session;
    let wire = Wire {
        user_agent: Some(http::HeaderValue::from_static("aws-cli/2.1")),
        referer: Some(http::HeaderValue::from_static("https://a.example/x")),
        signed: Some(Signed { version: "AWS4-HMAC-SHA256", place: "REST-QUERY-STRING", age_ms: Some(1500) }),
        tls_version: Some("1.3"),
        ..Wire::default()
    };
    let mut session = Principal::assumed_role("Reader", "AROAREADER", "daily", None);
    session.session = Some(Arc::new(Session {
        issued: DateTime::from_timestamp(1_772_000_000, 0).unwrap(),
        source_identity: Some("ann".into()),
        federated_provider: Some("arn:aws:iam::000000000000:oidc-provider/id.example".into()),
        federated_keys: [("id.example:sub".to_owned(), vec!["s1".to_owned()])].into(),
        ..Session::default()
    }));
    for condition in [
        json!({"StringLike": {"aws:UserAgent": "aws-cli/*"}}),
        json!({"StringLike": {"aws:Referer": "https://a.example/*"}}),
        json!({"StringEquals": {"s3:authType": "REST-QUERY-STRING", "s3:signatureversion": "AWS4-HMAC-SHA256"}}),
        json!({"NumericGreaterThan": {"s3:signatureAge": 1000}}),
        json!({"NumericGreaterThanEquals": {"s3:TlsVersion": 1.2}}),
        json!({"StringEquals": {"aws:SourceIdentity": "ann"}}),
        json!({"StringEquals": {"ID.example:sub": "s1"}}),
        json!({"StringLike": {"aws:FederatedProvider": "*/id.example"}}),
        json!({"Bool": {"aws:MultiFactorAuthPresent": false}}),
        json!({"DateLessThan": {"aws:TokenIssueTime": "2026-03-01T00:00:00Z"}}),
        json!({"StringEquals": {"aws:PrincipalType": "AssumedRole", "aws:userid": "AROAREADER:daily"}}),
        json!({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::000000000000:role/Reader"}}),
        json!({"Null": {"aws:username": true, "aws:CalledVia": true}}),
        json!({"Bool": {"aws:ViaAWSService": false}}),
    ] {
        assert!(holds(&session, &wire, &[], condition.clone()), "{condition}");
    }
    let through = ["cloudformation", "athena"];
    for condition in [
        json!({"Bool": {"aws:ViaAWSService": true}}),
        json!({"ForAnyValue:StringEquals": {"aws:CalledVia": "athena.amazonaws.com"}}),
        json!({"StringEquals": {"aws:CalledViaFirst": "cloudformation.amazonaws.com"}}),
        json!({"StringEquals": {"aws:CalledViaLast": "athena.amazonaws.com"}}),
    ] {
        assert!(holds(&session, &wire, &through, condition.clone()), "{condition}");
        assert!(!holds(&session, &wire, &[], condition.clone()), "{condition}");
    }
    // Keys of users say nothing of second factors; the usual deny needs BoolIfExists.
    assert!(!holds(&ann(), &wire, &[], json!({"Bool": {"aws:MultiFactorAuthPresent": false}})));
    assert!(holds(&ann(), &wire, &[], json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": false}})));
}

#[test]
fn an_identity_provider_vouches_only_for_its_own() {
    use boathouse_aws::principal::Session;
    let provider = "arn:aws:iam::000000000000:oidc-provider/id.example";
    let vouched = |provider: &str| Principal {
        session: Some(Arc::new(Session { federated_provider: Some(provider.into()), ..Session::default() })),
        ..Principal::anonymous()
    };
    let trust = |principal: Value| {
        let statement = json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRoleWithWebIdentity"});
        policy(PolicyKind::Trust, json!({"Version": "2012-10-17", "Statement": statement}))
    };
    let none = ConditionKeys::new();
    let trusts = |principal: &Principal, trust: &Policy| {
        let question = ask(principal, "sts:AssumeRoleWithWebIdentity", "arn:aws:iam::000000000000:role/R", &none);
        trust.verdict(&question) != Verdict::Silent
    };
    let named = trust(json!({"Federated": provider}));
    assert!(trusts(&vouched(provider), &named));
    assert!(!trusts(&vouched("arn:aws:iam::000000000000:oidc-provider/other"), &named));
    assert!(!trusts(&Principal::anonymous(), &named));
    assert!(!trusts(&Principal::anonymous(), &trust(json!({"Federated": "*"}))));
    assert!(!trusts(&ann(), &named));
}

fn any_statement() -> impl Strategy<Value = Value> {
    let effect = prop_oneof![Just("Allow"), Just("Deny")];
    let action = prop_oneof![Just("Action"), Just("NotAction")];
    let pattern = prop_oneof![Just("*"), Just("s3:Get*"), Just("s3:PutObject"), Just("glue:*")];
    let resource = prop_oneof![Just("Resource"), Just("NotResource")];
    let arn = prop_oneof![Just("*"), Just("arn:aws:s3:::b/*"), Just("arn:aws:s3:::${aws:username}/?")];
    let operator =
        prop_oneof![Just("StringEquals"), Just("StringNotLike"), Just("ForAllValues:StringLike"), Just("Null")];
    let value = prop_oneof![Just("ann"), Just("b*"), Just("true")];
    (effect, action, pattern, resource, arn, operator, value).prop_map(|(effect, action, pattern, resource, arn, operator, value)| {
        json!({"Effect": effect, action: pattern, resource: arn, "Condition": {operator: {"aws:username": value}}})
    })
}

proptest! {
    #[test]
    fn a_deny_never_allows_and_an_allow_never_denies(
        statements in proptest::collection::vec(any_statement(), 1..5),
        extra in any_statement(),
        action in "(s3:(Get|Put)Object|glue:GetTable)",
        resource in "arn:aws:s3:::(b|ann)/[ab]{1,2}",
    ) {
        let (principal, none) = (ann(), ConditionKeys::new());
        let question = ask(&principal, &action, &resource, &none);
        let rank = |statements: &[Value]| match one(json!(statements)).verdict(&question) {
            Verdict::Deny => 0,
            Verdict::Silent => 1,
            Verdict::Allow(_) => 2,
        };
        let before = rank(&statements);
        let more: Vec<_> = statements.iter().cloned().chain([extra.clone()]).collect();
        match (extra["Effect"].as_str(), before) {
            (Some("Deny"), _) => prop_assert!(rank(&more) <= before),
            (_, 0) => prop_assert_eq!(rank(&more), 0),
            _ => prop_assert!(rank(&more) >= before),
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,80}", inside in "[\\{\\}\\[\\]\":,a-zA-Z*$?' ]{0,60}") {
        for text in [text, format!(r#"{{"Statement":{inside}}}"#)] {
            let _ = Policy::parse(&text, PolicyKind::Resource);
        }
    }

    #[test]
    fn no_json_panics(value in any_json(), name in element()) {
        let statement = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "*", name: value});
        let (principal, none) = (ann(), ConditionKeys::new());
        for kind in [PolicyKind::Identity, PolicyKind::Resource, PolicyKind::Trust] {
            let document = json!({"Version": "2012-10-17", "Statement": statement});
            if let Ok(policy) = Policy::parse(&document.to_string(), kind) {
                let _ = policy.verdict(&ask(&principal, "s3:GetObject", "arn:aws:s3:::b/k", &none));
            }
        }
    }
}

fn element() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("Action"),
        Just("Resource"),
        Just("Principal"),
        Just("Condition"),
        Just("Effect"),
        Just("Sid"),
        Just("NotPrincipal"),
        Just("Other"),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("*"),
        Just("AWS"),
        Just("StringLike"),
        Just("NumericEquals"),
        Just("DateLessThan"),
        Just("IpAddress"),
        Just("aws:SourceIp"),
        Just("${aws:username"),
        Just("${,'}"),
        Just("1e999"),
        Just("::/999"),
        Just("arn:::::"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((word.clone(), inner), 0..4)
                .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}
