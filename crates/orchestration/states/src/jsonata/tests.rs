mod differential;
mod integers;

use chrono::{TimeZone, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Bindings, Expression, Outcome};
use crate::rng::Rng;
use crate::scope::Variables;

fn evaluate(text: &str, input: &Value) -> Result<Outcome, String> {
    let mut variables = Variables::default();
    variables.assign([("v".to_owned(), json!({"list": [1, 2, 3]}))]);
    let (rng, result) = (Rng::new(1), json!({"Payload": 7}));
    let context = || json!({"State": {"Name": "S"}});
    let now = Utc.timestamp_millis_opt(1_510_067_557_121).single().unwrap();
    let bindings = Bindings {
        input,
        result: Some(&result),
        error: None,
        context: &context,
        variables: &variables,
        rng: &rng,
        now,
    };
    Expression::parse(text)?.evaluate(&bindings)
}

fn check(input: &Value, cases: &[(&str, Value)]) {
    for (text, expected) in cases {
        assert_eq!(evaluate(text, input), Ok(Outcome::Value(expected.clone())), "{text}");
    }
}

#[test]
fn paths_filters_and_sequences() {
    let input = json!({"a": {"b": [{"c": 1, "d": "x"}, {"c": 2, "d": "y"}, {"c": 3}]}, "one": [{"k": 5}], "s": "t"});
    check(
        &input,
        &[
            ("$states.input.a.b.c", json!([1, 2, 3])),
            ("$states.input.a.b[0].c", json!(1)),
            ("$states.input.a.b[-1].c", json!(3)),
            ("$states.input.a.b[c > 1].c", json!([2, 3])),
            ("$states.input.a.b[d = 'y'].c", json!(2)),
            ("$states.input.a.b[d = 'y'].c[]", json!([2])),
            ("$states.input.one.k", json!(5)),
            ("$states.input.one.k[]", json!([5])),
            ("$states.input.a.*.c", json!([1, 2, 3])),
            ("$states.input.**.c", json!([1, 2, 3])),
            ("$states.input.a.b^(>c).c", json!([3, 2, 1])),
            ("$states.input.a.b.{\"n\": c}", json!([{"n": 1}, {"n": 2}, {"n": 3}])),
            ("$states.input.a.b[[0..1]].c", json!([1, 2])),
            ("$states.input.a.b{d: c}", json!({"x": 1, "y": 2})),
            ("$states.result.Payload", json!(7)),
            ("$states.context.State.Name", json!("S")),
            ("$v.list[1]", json!(2)),
            ("[$v.list, 4]", json!([1, 2, 3, 4])),
            ("[[1, 2], 3]", json!([[1, 2], 3])),
            ("$states.input.`s`", json!("t")),
            ("$states.input.a.b.(c * 2)", json!([2, 4, 6])),
            ("$states.input.a.b.[c]", json!([[1], [2], [3]])),
        ],
    );
    assert_eq!(evaluate("$states.input.nothing.at.all", &input), Ok(Outcome::Undefined));
    assert_eq!(evaluate("$nothing", &input), Ok(Outcome::Undefined));
    assert_eq!(evaluate("function($x){$x}", &input), Ok(Outcome::Function));
}

#[test]
fn operators() {
    check(
        &json!({}),
        &[
            ("1 + 2 * 3", json!(7)),
            ("(1 + 2) * 3", json!(9)),
            ("-5 % 3", json!(-2)),
            ("7 / 2", json!(3.5)),
            ("'a' & 1 & true & null", json!("a1truenull")),
            ("1 = 1 and 'a' != 'b'", json!(true)),
            ("nothing != 1 or nothing = 1", json!(false)),
            ("2 in [1, 2]", json!(true)),
            ("1 > 2 ? 'x' : 'y'", json!("y")),
            ("[1..4]", json!([1, 2, 3, 4])),
            ("($x := 3; $x * $x)", json!(9)),
            ("($f := function($n){ $n < 2 ? 1 : $n * $f($n - 1) }; $f(5))", json!(120)),
            ("($add := function($a, $b){$a + $b}; $inc := $add(1, ?); $inc(4))", json!(5)),
            ("'  a b ' ~> $trim ~> $uppercase", json!("A B")),
            ("($both := $trim ~> $uppercase; $both(' x '))", json!("X")),
            ("{'a': 1, 'b': nothing}", json!({"a": 1})),
            ("/* note */ 1", json!(1)),
            ("{'a': {'b': 1}} ~> |a|{'c': 2}, 'b'|", json!({"a": {"c": 2}})),
            ("1e3", json!(1000)),
            ("'\\u00e9\\n'", json!("é\n")),
        ],
    );
}

#[test]
fn text_functions() {
    check(
        &json!({}),
        &[
            ("$string([1, 'a'])", json!("[1,\"a\"]")),
            ("$string(0.1 + 0.2)", json!("0.3")),
            ("$length('héé')", json!(3)),
            ("$substring('hello', 1, 3)", json!("ell")),
            ("$substring('hello', -3)", json!("llo")),
            ("$substringBefore('a-b', '-') & $substringAfter('a-b', '-')", json!("ab")),
            ("$pad('x', -3, '0')", json!("00x")),
            ("$contains('abc', /B/i)", json!(true)),
            ("$split('a, b', /,\\s*/)", json!(["a", "b"])),
            ("$join(['a', 'b'], '-')", json!("a-b")),
            ("$match('a1b22', /[0-9]+/).match", json!(["1", "22"])),
            ("$replace('2024-01', /(\\d+)-(\\d+)/, '$2/$1')", json!("01/2024")),
            ("$replace('aaa', 'a', 'b', 2)", json!("bba")),
            ("$base64decode($base64encode('hé'))", json!("hé")),
            ("$encodeUrlComponent('a b/c')", json!("a%20b%2Fc")),
            ("$decodeUrl('a%20b')", json!("a b")),
            ("$hash('a', 'MD5')", json!("0cc175b9c0f1b6a831c399e269772661")),
            ("$parse('{\"a\":[1]}').a", json!([1])),
        ],
    );
}

#[test]
fn number_and_time_functions() {
    check(
        &json!({}),
        &[
            ("$number('12.5')", json!(12.5)),
            ("$number('0x1F')", json!(31)),
            ("$round(2.5) + $round(3.5)", json!(6)),
            ("$round(123.456, 2)", json!(123.46)),
            ("$power(2, 10)", json!(1024)),
            ("$sum([1, 2.5]) + $max([1, 3]) - $min([1, 3])", json!(5.5)),
            ("$average([1, 2, 3])", json!(2)),
            ("$formatNumber(12345.6, '#,###.00')", json!("12,345.60")),
            ("$formatNumber(0.14, '01%')", json!("14%")),
            ("$formatBase(255, 16)", json!("ff")),
            ("$formatInteger(1999, 'I')", json!("MCMXCIX")),
            ("$now()", json!("2017-11-07T15:12:37.121Z")),
            ("$millis()", json!(1_510_067_557_121_i64)),
            ("$fromMillis(1510067557121, '[Y0001]-[M01]-[D01] [H01]:[m01]')", json!("2017-11-07 15:12")),
            ("$toMillis('2017-11-07T15:12:37.121Z')", json!(1_510_067_557_121_i64)),
            ("$toMillis('07/11/2017', '[D01]/[M01]/[Y0001]')", json!(1_510_012_800_000_i64)),
        ],
    );
}

#[test]
fn collections_and_higher_order_functions() {
    check(
        &json!({"o": {"a": 1, "b": 2}}),
        &[
            ("$map([1, 2], function($v, $i){ $v * 10 + $i })", json!([10, 21])),
            ("$map([1], function($v){ $v })", json!(1)),
            ("$filter([1, 2, 3], function($v){ $v > 1 })", json!([2, 3])),
            ("$reduce([1, 2, 3], function($a, $b){ $a + $b })", json!(6)),
            ("$single([1, 2], function($v){ $v = 2 })", json!(2)),
            ("$sort([3, 1, 2])", json!([1, 2, 3])),
            ("$sort([{'k': 2}, {'k': 1}], function($a, $b){ $a.k > $b.k }).k", json!([1, 2])),
            ("$reverse([1, 2])", json!([2, 1])),
            ("$distinct([1, 1, 2])", json!([1, 2])),
            ("$zip([1, 2], [3, 4])", json!([[1, 3], [2, 4]])),
            ("$keys($states.input.o)", json!(["a", "b"])),
            ("$lookup($states.input.o, 'b')", json!(2)),
            ("$spread($states.input.o)", json!([{"a": 1}, {"b": 2}])),
            ("$merge([{'a': 1}, {'b': 2}])", json!({"a": 1, "b": 2})),
            ("$sift($states.input.o, function($v){ $v > 1 })", json!({"b": 2})),
            ("$each($states.input.o, function($v, $k){ $k & $v })", json!(["a1", "b2"])),
            ("$count([1, 2]) + $count(nothing)", json!(2)),
            ("$append([1], [2])", json!([1, 2])),
            ("$exists(nothing)", json!(false)),
            ("$type([1])", json!("array")),
            ("$boolean([0, 1])", json!(true)),
            ("$partition([1, 2, 3], 2)", json!([[1, 2], [3]])),
            ("$range(0, 10, 5)", json!([0, 5, 10])),
            ("$random(5) = $random(5)", json!(true)),
            ("$length($uuid())", json!(36)),
        ],
    );
}

#[test]
fn mistakes_are_told() {
    for text in ["1 +", "(1", "[1, 2", "{'a' 1}", "$f(", "'abc", "%", "a ?? b", "1 ~> 2", "$eval('1')", "$error('x')"] {
        assert!(evaluate(text, &json!({})).is_err(), "{text}");
    }
    for text in
        ["1 + 'a'", "$uppercase(1)", "-'a'", "1 < 'a'", "$number('x')", "$sum(['a'])", "'a'()", "$assert(false)"]
    {
        assert!(evaluate(text, &json!({})).is_err(), "{text}");
    }
    let endless = |text| evaluate(text, &json!({})).unwrap_err();
    assert!(endless("($f := function(){ $f() + 1 }; $f())").starts_with("Stack overflow error"));
    assert!(endless("($f := function(){ $f() }; $f())").starts_with("Expression evaluation timeout"));
    assert!(endless("($f := function($s){ $f($s & $s) }; $f('x'))").starts_with("Expression evaluation memory"));
    assert!(endless("[1..900000]").starts_with("Expression evaluation memory"));
    assert!(endless("[1..1000].$pad('', 6000000)").starts_with("Expression evaluation memory"));
}

const TOKENS: [&str; 48] = [
    "$states",
    ".input",
    ".a",
    ".b",
    ".t",
    "a",
    "b",
    "$x",
    "$",
    "$$",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "'k':",
    ",",
    ";",
    ":=",
    "@$x",
    "#$i",
    "%",
    "*",
    "**",
    "^(",
    ">",
    "1",
    "-",
    "0.5",
    "'é'",
    "/[a-z]+/i",
    " ? ",
    " : ",
    " ~> ",
    " & ",
    " in ",
    "..",
    "$map(",
    "$match(",
    "$fromMillis(0,",
    "$formatNumber(1,",
    "$toMillis('2017',",
    "function($x){",
    "$x($x)",
    "|",
    "?",
    "null",
];

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused(text in "[ -~]{0,40}|\\PC{0,40}") {
        let _ = evaluate(&text, &json!({"a": [1, {"b": 2}]}));
    }

    #[test]
    fn any_tokens_end(tokens in prop::collection::vec(prop::sample::select(TOKENS.to_vec()), 1..24)) {
        let _ = evaluate(&tokens.concat(), &json!({"a": [1, {"b": 2}], "t": "žl🐎"}));
    }

    #[test]
    fn json_literals_mean_themselves(number in -1e9f64..1e9, text in "[a-z ]{0,8}", flag in any::<bool>()) {
        let value = json!({"n": number, "t": text, "l": [flag, null, [], {}]});
        prop_assert_eq!(evaluate(&value.to_string(), &json!({})), Ok(Outcome::Value(value)));
    }

    #[test]
    fn sums_agree(numbers in prop::collection::vec(-1000i64..1000, 1..20)) {
        let expected: i64 = numbers.iter().sum();
        prop_assert_eq!(evaluate("$sum($states.input)", &json!(numbers)), Ok(Outcome::Value(json!(expected))));
    }
}
