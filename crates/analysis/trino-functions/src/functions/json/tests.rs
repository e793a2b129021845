use proptest::prelude::*;

use super::reader::write_whole;
use crate::functions::testing::check;

#[test]
fn parsing() {
    check(&[
        (r#"json_parse('{"b": [1, 2.50, 1e2], "a":null}')"#, r#"{"a":null,"b":[1,2.5,100.0]}"#),
        (r#"json_parse('{"a":1,"a":2}')"#, r#"{"a":2}"#),
        (r#"json_parse('"\u00e4\ud83d\ude00\n\/"')"#, r#""ä😀\n/""#),
        ("json_parse(' true ')", "true"),
        ("json_parse('12345678901234567890')", "12345678901234567890"),
        ("json_parse('')", "INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: ''"),
        ("json_parse('[1,]')", "INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: '[1,]'"),
        ("json_parse('01')", "INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: '01'"),
        ("json_parse('[1] x')", "INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: '[1] x'"),
        ("json_parse(NULL)", "NULL"),
        (r#"json_format(json_parse('{"x": "y"}'))"#, r#"{"x":"y"}"#),
    ]);
}

#[test]
fn paths() {
    let json = r#"'{"a": {"b c": [10, {"x": "ä\"q"}], "0": 1.10}, "n": null, "t": true, "a$b": 5}'"#;
    for (path, whole, scalar) in [
        ("$", r#"{"a":{"b c":[10,{"x":"ä\"q"}],"0":1.1},"n":null,"t":true,"a$b":5}"#, "NULL"),
        ("$.a[\"b c\"][1].x", r#""ä\"q""#, "ä\"q"),
        ("$.a[\"b c\"][0]", "10", "10"),
        ("$.a[\"b c\"][2]", "NULL", "NULL"),
        ("$.a[0]", "1.1", "1.10"),
        ("$.a.0", "1.1", "1.10"),
        ("$.n", "null", "NULL"),
        ("$.t", "true", "true"),
        ("$.a$b", "5", "5"),
        ("$.missing", "NULL", "NULL"),
        ("$.t.x", "NULL", "NULL"),
        (
            "$.a.*",
            "INVALID_FUNCTION_ARGUMENT: Invalid JSON path: '$.a.*'",
            "INVALID_FUNCTION_ARGUMENT: Invalid JSON path: '$.a.*'",
        ),
        ("a", "INVALID_FUNCTION_ARGUMENT: Invalid JSON path: 'a'", "INVALID_FUNCTION_ARGUMENT: Invalid JSON path: 'a'"),
    ] {
        check(&[
            (&format!("json_extract({json}, '{path}')"), whole),
            (&format!("json_extract_scalar({json}, '{path}')"), scalar),
        ]);
    }
    check(&[
        ("json_extract('{bad', '$.a')", "NULL"),
        ("json_extract_scalar(json_parse('[1, \"x\"]'), '$[1]')", "x"),
        ("json_extract(NULL, '$')", "NULL"),
    ]);
}

#[test]
fn arrays_and_sizes() {
    check(&[
        ("json_array_length('[1, [2, 3], {}]')", "3"),
        ("json_array_length('{}')", "NULL"),
        ("json_array_length('[1,')", "NULL"),
        ("json_array_get('[\"a\", [3, 9], null]', 0)", "a"),
        ("json_array_get('[\"a\", [3,  9], null]', -2)", "[3,9]"),
        ("json_array_get('[\"a\", null]', 1)", "NULL"),
        ("json_array_get('[1]', 7)", "NULL"),
        ("json_array_contains('[1, 2.5, \"x\", true]', 1)", "true"),
        ("json_array_contains('[1, 2.5, \"x\", true]', 2.5e0)", "true"),
        ("json_array_contains('[1, 2.5, \"x\", true]', 'x')", "true"),
        ("json_array_contains('[1, 2.5, \"x\", true]', true)", "true"),
        ("json_array_contains('[1, 2.5, \"x\", true]', 'y')", "false"),
        ("json_array_contains('{}', 'y')", "NULL"),
        (r#"json_size('{"x": {"a": 1, "b": 2}}', '$.x')"#, "2"),
        (r#"json_size('{"x": [1, 2, 3]}', '$.x')"#, "3"),
        (r#"json_size('{"x": 1}', '$.x')"#, "0"),
        (r#"json_size('{"x": 1}', '$.y')"#, "NULL"),
        ("is_json_scalar('1')", "true"),
        ("is_json_scalar('null')", "true"),
        ("is_json_scalar('[1]')", "false"),
        ("is_json_scalar('[1')", "INVALID_FUNCTION_ARGUMENT: Invalid JSON value: [1"),
    ]);
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(write_whole(&mut String::new(), &nested(500)).is_ok());
    assert!(write_whole(&mut String::new(), &nested(100_000)).is_err());
}

proptest! {
    /// What is written reads back as the same, and agrees with another reader on what is JSON.
    #[test]
    fn writing_is_stable(text in "[\\[\\]{}:,\"0-9a-e\\\\ .truefalsn-]{0,24}") {
        let mut once = String::new();
        let valid = write_whole(&mut once, &text).is_ok();
        prop_assert_eq!(valid, serde_json::from_str::<serde_json::Value>(&text).is_ok() || valid && text.contains(['e', 'E']));
        if valid {
            let mut twice = String::new();
            prop_assert!(write_whole(&mut twice, &once).is_ok());
            prop_assert_eq!(once, twice);
        }
    }
}
