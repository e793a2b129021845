//! Integers of more digits than a double keeps.

use serde_json::{Value, json};

use super::{check, evaluate};
use crate::jsonata::Outcome;

const ODD: i64 = 9_007_199_254_740_993;

#[test]
fn integers_that_are_passed_on_keep_every_digit() {
    let input =
        json!({"id": ODD, "list": [ODD, -ODD, i64::MAX, i64::MIN], "o": {"id": ODD}, "n": 1_234_567_890_123_456_i64});
    check(
        &input,
        &[
            ("$states.input.id", json!(ODD)),
            ("$states.input", input.clone()),
            ("$states.input.list", input["list"].clone()),
            ("$states.input.list[$ > 9007199254740993]", json!(i64::MAX)),
            ("$states.input.{'a': [id], 'b': o.id}", json!({"a": [ODD], "b": ODD})),
            ("($x := $states.input.id; $x)", json!(ODD)),
            ("$map($states.input.list, function($v){ $v })", input["list"].clone()),
            ("$states.input.list^($)", json!([i64::MIN, -ODD, ODD, i64::MAX])),
            ("$sort($states.input.list)", json!([i64::MIN, -ODD, ODD, i64::MAX])),
            ("$string($states.input.id)", json!("9007199254740993")),
            ("$string($states.input.o)", json!("{\"id\":9007199254740993}")),
            ("'n' & $states.input.n", json!("n1234567890123456")),
            (
                "$states.input ~> |o|{'more': 1}|",
                json!({"id": ODD, "list": input["list"], "o": {"id": ODD, "more": 1}, "n": 1_234_567_890_123_456_i64}),
            ),
            ("$parse('{\"id\":9007199254740993}')", json!({"id": ODD})),
            ("$number('9007199254740993')", json!(ODD)),
            ("$type($states.input.id)", json!("number")),
            ("$states.input.id ? 'y' : 'n'", json!("y")),
            ("9007199254740993", json!(ODD)),
            ("-9007199254740993", json!(-ODD)),
        ],
    );
}

#[test]
fn integers_are_compared_and_calculated_with_exactly() {
    let input = json!({"id": ODD, "max": i64::MAX, "small": 3, "even": 9_007_199_254_740_992_i64, "half": 0.5});
    check(
        &input,
        &[
            ("$states.input.id = 9007199254740993", json!(true)),
            ("$states.input.id = $states.input.even", json!(false)),
            ("$states.input.id != $states.input.even", json!(true)),
            ("$states.input.id > $states.input.even", json!(true)),
            ("$states.input.even < $states.input.id", json!(true)),
            ("$states.input.id in [$states.input.even, 9007199254740993]", json!(true)),
            ("$distinct([$states.input.id, $states.input.even, $states.input.id])", json!([ODD, ODD - 1])),
            ("$states.input.even / 1 = $states.input.even", json!(true)),
            ("$states.input.even / 1 = $states.input.id", json!(false)),
            ("$states.input.id + 1", json!(ODD + 1)),
            ("$states.input.id - 1 + 1", json!(ODD)),
            ("9007199254740991 + 2", json!(ODD)),
            ("3037000499 * 3037000499", json!(3_037_000_499_i64 * 3_037_000_499)),
            ("$states.input.id % 10", json!(3)),
            ("-$states.input.id", json!(-ODD)),
            ("$states.input.id * $states.input.small", json!(ODD * 3)),
            ("$states.input.id - 9007199254740992", json!(1)),
            ("$sum([$states.input.id, 1])", json!(ODD + 1)),
            ("$max([1, $states.input.id, 2])", json!(ODD)),
            ("$min([$states.input.max, $states.input.id])", json!(ODD)),
            ("$abs(-$states.input.id)", json!(ODD)),
            ("[$floor($states.input.id), $ceil($states.input.id), $round($states.input.id)]", json!([ODD, ODD, ODD])),
            ("$formatBase($states.input.id, 16)", json!("20000000000001")),
            ("[9007199254740993..9007199254740994]", json!([ODD, ODD + 1])),
        ],
    );
}

#[test]
fn what_goes_beyond_64_bits_is_a_double() {
    let input = json!({"max": i64::MAX, "beyond": u64::MAX, "id": ODD, "float": 1e17});
    check(
        &input,
        &[
            ("$states.input.max + 1", json!(9_223_372_036_854_775_808.0)),
            ("$states.input.max * 2", json!(18_446_744_073_709_551_616.0)),
            ("-(-9223372036854775807 - 1)", json!(9_223_372_036_854_775_808.0)),
            ("$states.input.beyond", json!(18_446_744_073_709_551_616.0)),
            ("$states.input.id + 0.5", json!(9_007_199_254_740_992.0)),
            ("$states.input.float + 1", json!(1e17)),
            ("$string(1234567890123456 / 1)", json!("1234567890123460")),
            ("$states.input.id / 0 = $states.input.id", json!(false)),
        ],
    );
    let number = |text| match evaluate(text, &input) {
        Ok(Outcome::Value(Value::Number(number))) => number,
        other => panic!("{other:?}"),
    };
    assert!(number("$states.input.max + 1").is_f64());
    assert!(number("$states.input.id * 1").is_i64());
}
