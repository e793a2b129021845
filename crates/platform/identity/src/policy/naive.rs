//! A second evaluator, as simple as can be, that reads documents as JSON and shares no code with the first: both must say
//! the same of whatever policies and questions chance makes.

use std::sync::Arc;

use boathouse_aws::Principal;
use boathouse_aws::access::ConditionKeys;
use chrono::DateTime;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn like(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.first(), text.first()) {
        (None, None) => true,
        (Some(b'*'), _) => like(&pattern[1..], text) || (!text.is_empty() && like(pattern, &text[1..])),
        (Some(b'?'), Some(_)) => like(&pattern[1..], &text[1..]),
        (Some(a), Some(b)) if a == b => like(&pattern[1..], &text[1..]),
        _ => false,
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

/// The request, as plain as can be.
struct Request<'a> {
    action: &'a str,
    resource: &'a str,
    keys: &'a ConditionKeys,
    caller: &'a str,
    role: Option<&'a str>,
}

fn one_test(operator: &str, wanted: &str, found: &str) -> bool {
    match operator {
        "StringEquals" => wanted == found,
        "StringEqualsIgnoreCase" => wanted.eq_ignore_ascii_case(found),
        "StringLike" => like(wanted.as_bytes(), found.as_bytes()),
        "NumericLessThan" => matches!((found.parse::<f64>(), wanted.parse::<f64>()), (Ok(a), Ok(b)) if a < b),
        "Bool" => wanted.eq_ignore_ascii_case(found),
        other => unreachable!("{other}"),
    }
}

fn condition_holds(operator: &str, key: &str, wanted: &[String], request: &Request<'_>) -> bool {
    let found = request.keys.get(key).filter(|values| !values.is_empty());
    let (quantifier, rest) = operator.split_once(':').map_or(("", operator), |(quantifier, rest)| (quantifier, rest));
    if rest == "Null" {
        let absent = if found.is_none() { "true" } else { "false" };
        return wanted.iter().any(|wanted| wanted == absent);
    }
    let (rest, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |rest| (rest, true));
    let negated = rest.contains("Not");
    let plain = rest.replace("Not", "");
    let Some(found) = found else {
        return match quantifier {
            "ForAllValues" => true,
            "ForAnyValue" => if_exists,
            _ => if_exists || negated,
        };
    };
    let hit = |value: &String| wanted.iter().any(|wanted| one_test(&plain, wanted, value));
    match quantifier {
        "ForAllValues" => found.iter().all(|value| hit(value) != negated),
        "ForAnyValue" => found.iter().any(|value| hit(value) != negated),
        _ => found.iter().any(hit) != negated,
    }
}

/// How a statement's principal names the caller: 0 not, 1 by the account, 2 by the role or as everyone, 3 itself.
fn named(principal: &Value, request: &Request<'_>) -> u8 {
    texts(principal.get("AWS").unwrap_or(principal))
        .iter()
        .map(|name| match name.as_str() {
            "*" => 2,
            "arn:aws:iam::000000000000:root" => 1,
            name if name == request.caller => 3,
            name if Some(name) == request.role => 2,
            _ => 0,
        })
        .max()
        .unwrap_or(0)
}

/// 0 silent, 4 denied, else how closely it allows.
fn says(document: &Value, request: &Request<'_>) -> u8 {
    let mut best = 0;
    for statement in document["Statement"].as_array().unwrap() {
        let any =
            |list: &Value, text: &str| texts(list).iter().any(|pattern| like(pattern.as_bytes(), text.as_bytes()));
        let small = |list: &Value| Value::from(texts(list).iter().map(|it| it.to_lowercase()).collect::<Vec<_>>());
        let action = match (statement.get("Action"), statement.get("NotAction")) {
            (Some(list), _) => any(&small(list), &request.action.to_lowercase()),
            (_, Some(list)) => !any(&small(list), &request.action.to_lowercase()),
            _ => unreachable!(),
        };
        let resource = match (statement.get("Resource"), statement.get("NotResource")) {
            (Some(list), _) => any(list, request.resource),
            (_, Some(list)) => !any(list, request.resource),
            _ => unreachable!(),
        };
        let conditions = statement["Condition"].as_object().into_iter().flatten().all(|(operator, tests)| {
            tests
                .as_object()
                .unwrap()
                .iter()
                .all(|(key, wanted)| condition_holds(operator, key, &texts(wanted), request))
        });
        let closeness = match (statement.get("Principal"), statement.get("NotPrincipal")) {
            (Some(principal), _) => named(principal, request),
            (_, Some(principal)) => 2 * u8::from(named(principal, request) == 0),
            _ => 3,
        };
        if action && resource && conditions && closeness > 0 {
            if statement["Effect"] == "Deny" {
                return 4;
            }
            best = best.max(closeness);
        }
    }
    best
}

/// Whether the caller may, by "Policy evaluation logic" within one account.
fn may(
    identity: &[Value],
    boundary: Option<&Value>,
    session: Option<&Value>,
    resource: Option<&Value>,
    request: &Request<'_>,
) -> bool {
    let all = identity.iter().chain(boundary).chain(session).chain(resource);
    if all.clone().any(|document| says(document, request) == 4) {
        return false;
    }
    let granted = resource.map_or(0, |document| says(document, request));
    if granted == 3 {
        return true;
    }
    let by_identity = identity.iter().any(|document| says(document, request) > 0);
    let within = |limit: Option<&Value>| limit.is_none_or(|document| says(document, request) > 0);
    (by_identity || granted == 2) && within(boundary) && within(session)
}

fn statement(with_principal: bool) -> impl Strategy<Value = Value> {
    let effect = prop_oneof![3 => Just("Allow"), 1 => Just("Deny")];
    let action = (
        prop_oneof![4 => Just("Action"), 1 => Just("NotAction")],
        patterns(&["*", "s3:*", "s3:Get*", "S3:putobject", "glue:Get?able"]),
    );
    let resources = ["*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/a?", "arn:aws:s3:::b/ab"];
    let resource = (prop_oneof![4 => Just("Resource"), 1 => Just("NotResource")], patterns(&resources));
    let names = ["*", "arn:aws:iam::000000000000:root", ANN, SESSION, ROLE, "arn:aws:iam::000000000000:user/bob"];
    let principal = (prop_oneof![4 => Just("Principal"), 1 => Just("NotPrincipal")], patterns(&names));
    let condition = prop_oneof![2 => Just(json!({})), 3 => conditions()];
    (effect, action, resource, principal, condition).prop_map(
        move |(effect, action, resource, principal, condition)| {
            let mut made =
                json!({"Effect": effect, action.0: action.1, resource.0: resource.1, "Condition": condition});
            if with_principal {
                made[principal.0] = json!({"AWS": principal.1});
            }
            made
        },
    )
}

fn patterns(all: &[&'static str]) -> impl Strategy<Value = Value> + use<> {
    proptest::sample::subsequence(all.to_vec(), 1..=2).prop_map(|list| json!(list))
}

fn conditions() -> impl Strategy<Value = Value> {
    let operators = vec![
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLike",
        "StringEqualsIfExists",
        "StringNotEqualsIfExists",
        "StringEqualsIgnoreCase",
        "ForAnyValue:StringEquals",
        "ForAllValues:StringLike",
        "ForAnyValue:StringNotLike",
        "ForAllValues:StringNotEquals",
        "ForAnyValue:StringEqualsIfExists",
        "NumericLessThan",
        "Bool",
        "Null",
    ];
    let values = patterns(&["a", "A", "a*", "5", "7", "true", "false"]);
    let key = prop_oneof![Just("x:one"), Just("x:many"), Just("x:none")];
    proptest::collection::vec((proptest::sample::select(operators), key, values), 1..3).prop_map(|tests| {
        tests.into_iter().map(|(operator, key, values)| (operator.to_owned(), json!({key: values}))).collect()
    })
}

fn document(with_principal: bool) -> impl Strategy<Value = Value> {
    proptest::collection::vec(statement(with_principal), 1..4)
        .prop_map(|statements| json!({"Version": "2012-10-17", "Statement": statements}))
}

const ANN: &str = "arn:aws:iam::000000000000:user/ann";
const ROLE: &str = "arn:aws:iam::000000000000:role/Reader";
const SESSION: &str = "arn:aws:sts::000000000000:assumed-role/Reader/daily";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn both_evaluators_say_the_same(
        identity in proptest::collection::vec(document(false), 0..3),
        boundary in proptest::option::of(document(false)),
        session in proptest::option::of(document(false)),
        resource in proptest::option::of(document(true)),
        is_session in any::<bool>(),
        action in prop_oneof![Just("s3:GetObject"), Just("s3:PutObject"), Just("glue:GetTable")],
        resource_arn in prop_oneof![Just("arn:aws:s3:::b/ab"), Just("arn:aws:s3:::b/a"), Just("arn:aws:s3:::c/x")],
        one in proptest::sample::select(vec!["a", "A", "ab", "6", "true"]),
        many in proptest::sample::subsequence(vec!["a", "ab", "5", "x"], 0..=3),
    ) {
        let keys = ConditionKeys::from([
            ("x:one".to_owned(), vec![one.to_owned()]),
            ("x:many".to_owned(), many.iter().map(|&value| value.to_owned()).collect()),
        ]);
        let principal = if is_session {
            Principal::assumed_role("Reader", "AROAREADER", "daily", None)
        } else {
            Principal::user("ann", ANN.into(), "AIDAANN".into())
        };
        let session = session.filter(|_| is_session);
        let holder = if is_session { ROLE } else { ANN };
        let parse = |document: &Value, kind| Arc::new(Policy::parse(&document.to_string(), kind).unwrap());
        let own: Vec<_> = identity.iter().map(|each| parse(each, PolicyKind::Identity)).collect();
        let bounding = boundary.as_ref().map(|each| parse(each, PolicyKind::Identity));
        let passed: Option<Vec<_>> = session.as_ref().map(|each| vec![parse(each, PolicyKind::Identity)]);
        let of_resource = resource.as_ref().map(|each| parse(each, PolicyKind::Resource));
        let set = PolicySet {
            identity: &own,
            boundary: bounding.as_deref(),
            session: passed.as_deref(),
            resource: of_resource.as_deref(),
        };
        let origin = Origin::imagined(DateTime::UNIX_EPOCH);
        let question = (action, resource_arn);
        let asked =
            RequestKeys { principal: &principal, holder_arn: Some(holder), origin, service: &keys, asked: question };
        let question = Question { action: action.to_lowercase(), resource: resource_arn, keys: asked };
        let caller = if is_session { SESSION } else { ANN };
        let request = Request { action, resource: resource_arn, keys: &keys, caller, role: is_session.then_some(ROLE) };
        let expected = may(&identity, boundary.as_ref(), session.as_ref(), resource.as_ref(), &request);
        prop_assert_eq!(set.decide(&question).is_ok(), expected);
    }
}
