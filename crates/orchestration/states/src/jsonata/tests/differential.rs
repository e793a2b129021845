//! Our expressions against what the reference implementation gave for them (`tests/jsonata`).

use std::collections::BTreeMap;

use chrono::{TimeZone, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::jsonata::value::Val;
use crate::jsonata::{Bindings, Expression, Outcome, eval};
use crate::rng::Rng;
use crate::scope::Variables;

const EXPRESSIONS: &str = include_str!("../../../tests/jsonata/expressions.txt");
const RESULTS: &str = include_str!("../../../tests/jsonata/results.json");
const DIFFERENCES: &str = include_str!("../../../tests/jsonata/DIFFERENCES.md");

/// What the reference gave.
#[derive(Deserialize)]
struct Recorded {
    input: String,
    text: String,
    #[serde(default, deserialize_with = "some")]
    value: Option<Value>,
    error: Option<String>,
    #[serde(default)]
    undefined: bool,
}

/// Tells `null` from nothing.
fn some<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn inputs() -> BTreeMap<&'static str, Value> {
    let given = EXPRESSIONS.lines().filter_map(|line| line.strip_prefix('@')?.split_once(' '));
    given.filter_map(|(name, json)| Some((name, serde_json::from_str(json).ok()?))).collect()
}

fn evaluate(text: &str, input: Val) -> Result<Outcome, String> {
    let (rng, variables, none) = (Rng::new(1), Variables::default(), Value::Null);
    let bindings = Bindings {
        input: &none,
        result: None,
        error: None,
        context: &|| Value::Null,
        variables: &variables,
        rng: &rng,
        now: Utc.timestamp_millis_opt(1_510_067_557_121).single().unwrap(),
    };
    eval::run(&Expression::parse(text)?.program, &bindings, input)
}

/// Numbers as the reference has them: all of one kind.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, value)| b.get(name).is_some_and(|other| equal(value, other)))
        }
        _ => a == b,
    }
}

/// Whether ours is what the reference gave. An error without a code of the reference is any error.
fn agrees(recorded: &Recorded, ours: &Result<Outcome, String>) -> bool {
    match (ours, &recorded.error) {
        (Err(ours), Some(code)) => ours.starts_with(code.as_str()),
        (Ok(Outcome::Undefined), None) => recorded.undefined,
        (Ok(Outcome::Function), None) => recorded.value.is_none() && !recorded.undefined,
        (Ok(Outcome::Value(ours)), None) => recorded.value.as_ref().is_some_and(|value| equal(value, ours)),
        _ => false,
    }
}

/// The expressions that are known to differ: the code blocks of the file that says why.
fn known() -> Vec<&'static str> {
    DIFFERENCES.lines().filter_map(|line| line.strip_prefix("    ")).collect()
}

#[test]
fn expressions_give_what_the_reference_gives() {
    let random = std::env::var("JSONATA_RESULTS").ok().map(|path| std::fs::read_to_string(path).unwrap());
    let recorded: Vec<Recorded> = serde_json::from_str(random.as_deref().unwrap_or(RESULTS)).unwrap();
    let (inputs, known) = (inputs(), known());
    let (mut wrong, mut different) = (Vec::new(), Vec::new());
    for case in &recorded {
        let input = inputs.get(case.input.as_str()).map_or(Val::Undefined, Val::from);
        let ours = evaluate(&case.text, input);
        if agrees(case, &ours) {
            continue;
        }
        if known.contains(&case.text.replace('\n', "\\n").as_str()) {
            different.push(case.text.as_str());
            continue;
        }
        let expected = (case.value.as_ref().map(Value::to_string), &case.error, case.undefined);
        wrong.push(format!("{} on {}: {expected:?}, ours {ours:?}", case.text, case.input));
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), recorded.len(), wrong.join("\n"));
    if random.is_none() {
        let gone: Vec<_> =
            known.iter().filter(|text| !different.iter().any(|other| other.replace('\n', "\\n") == **text)).collect();
        assert!(gone.is_empty(), "these agree now: {gone:?}");
    }
}
