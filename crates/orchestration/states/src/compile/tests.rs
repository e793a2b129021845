use serde_json::{Value, json};

use super::{Platform, diagnose};
use crate::definition::Resource;

struct Anything;

impl Platform for Anything {
    fn express(&self) -> bool {
        false
    }

    fn refuse(&self, _: &Resource) -> Option<String> {
        None
    }
}

fn diagnostics(states: &Value) -> Vec<String> {
    let start = states.as_object().unwrap().keys().next().unwrap();
    let definition = json!({"QueryLanguage": "JSONata", "StartAt": start, "States": states});
    diagnose(&definition.to_string(), &Anything).1.iter().map(ToString::to_string).collect()
}

/// What is said of a Pass state with this output.
fn of_output(output: &Value) -> Vec<String> {
    diagnostics(&json!({"E": {"Type": "Pass", "Output": output, "End": true}}))
}

fn of(expression: &str) -> Vec<String> {
    of_output(&json!(format!("{{% {expression} %}}")))
}

fn top(name: &str, at: &str) -> String {
    format!("UNSUPPORTED_JSONATA_EXPRESSION: Reference to '{name}' at the top level is not supported. at {at}")
}

#[test]
fn there_is_no_document_around_an_expression() {
    let at = "/States/E/Output";
    for (expression, name) in [
        ("phone", "phone"),
        ("phone[0].x", "phone"),
        ("`a b`", "a b"),
        ("$", "$"),
        ("$.phone", "$"),
        ("$[0]", "$"),
        ("{'a': phone}", "phone"),
        ("{phone: 1}", "phone"),
        ("[1, phone]", "phone"),
        ("-phone", "phone"),
        ("$x := phone", "phone"),
        ("(1; phone)", "phone"),
        ("$states.input.a ? phone : 1", "phone"),
        ("1 ? 2 : phone", "phone"),
        ("$sum(phone)", "phone"),
        ("$map($states.input.a, function($x){ phone })", "phone"),
        ("phone ~> $sum", "phone"),
        ("phone^(x)", "phone"),
        ("phone{a: b}", "phone"),
        ("phone = 1 and phone = 2", "phone"),
    ] {
        assert_eq!(of(expression), [top(name, at)], "{expression}");
    }
    assert_eq!(of("aaa + bbb"), [top("aaa", at), top("bbb", at)]);
    let root = format!("UNSUPPORTED_JSONATA_EXPRESSION: Reference to '$$' is not supported. at {at}");
    assert_eq!(of("$$"), [root.as_str()]);
    assert_eq!(of("$$.a"), [root.as_str()]);
    assert_eq!(of("$states.input.a[b = $$.c]"), [root]);
}

#[test]
fn values_on_a_path_have_names() {
    for expression in [
        "$states.input.phone",
        "$states.input.items[phone > 3]",
        "$states.input.items[$.phone > 3 and $ != 1]",
        "$states.input.items.(phone)",
        "$states.input.items.{'a': phone, b: $}",
        "$states.input.items{name: $sum(value)}",
        "$states.input.items^(<phone)",
        "$states.input.items@$i.phone[$i.x = y]",
        "$states.input.items#$i[$i = phone]",
        "$states.input ~> |items|{'a': phone}, 'b'|",
        "$map($states.input.a, function($x){ $x.phone })",
        "$map($states.input.a, $string)",
        "$phone",
        "($f := $sum(?); $f($phone))",
        "'phone'",
        "/phone/",
    ] {
        assert_eq!(of(expression), Vec::<String>::new(), "{expression}");
    }
}

#[test]
fn expressions_that_are_none_are_refused_in_the_words_of_jsonata() {
    for (expression, message) in [
        ("$a[1,2)", "Expected \"]\", got \",\""),
        ("\"unterminated", "String literal must be terminated by a matching quote"),
        ("1 +", "Unexpected end of expression"),
        ("$match(\"a\", /abc", "No terminating / in regular expression"),
    ] {
        assert_eq!(
            of(expression),
            [format!("INVALID_JSONATA_EXPRESSION: {message} at /States/E/Output")],
            "{expression}"
        );
    }
}

#[test]
fn every_expression_is_told_with_its_place() {
    assert_eq!(
        of_output(&json!({"a": {"b": ["{% x %}"]}, "c": "{% 1 + %}"})),
        [
            top("x", "/States/E/Output/a/b[0]"),
            "INVALID_JSONATA_EXPRESSION: Unexpected end of expression at /States/E/Output/c".into()
        ]
    );
    let end = json!({"Type": "Pass", "End": true});
    let inner = json!({"StartAt": "I", "States": {"I": {"Type": "Pass", "Output": "{% x %}", "End": true}}});
    let task = json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": {"Payload": {"Next": "{% x %}"}},
        "TimeoutSeconds": "{% x %}", "Catch": [{"ErrorEquals": ["States.ALL"], "Output": {"v": "{% x %}"}, "Next": "F"}], "End": true});
    for (states, places) in [
        (json!({"E": {"Type": "Pass", "Assign": {"v": "{% x %}"}, "End": true}}), vec!["/States/E/Assign/v"]),
        (
            json!({"C": {"Type": "Choice", "Choices": [{"Condition": "{% x = 1 %}", "Next": "E", "Assign": {"v": "{% x %}"}}]}, "E": end}),
            vec!["/States/C/Choices[0]/Condition", "/States/C/Choices[0]/Assign/v"],
        ),
        (
            json!({"C": {"Type": "Choice", "Choices": [{"Condition": true, "Next": "E", "Output": "{% x %}"}]}, "E": end}),
            vec!["/States/C/Choices[0]/Output"],
        ),
        (json!({"E": {"Type": "Wait", "Seconds": "{% x %}", "End": true}}), vec!["/States/E/Seconds"]),
        (json!({"E": {"Type": "Fail", "Cause": "{% x %}"}}), vec!["/States/E/Cause"]),
        (
            json!({"M": {"Type": "Map", "Items": "{% $states.input %}", "ItemProcessor": inner, "End": true}}),
            vec!["/States/M/ItemProcessor/States/I/Output"],
        ),
        (
            json!({"P": {"Type": "Parallel", "Branches": [inner], "End": true}}),
            vec!["/States/P/Branches[0]/States/I/Output"],
        ),
        (
            json!({"E": task, "F": end}),
            vec!["/States/E/Arguments/Payload/Next", "/States/E/Catch[0]/Output/v", "/States/E/TimeoutSeconds"],
        ),
    ] {
        let expected: Vec<String> = places.into_iter().map(|place| top("x", place)).collect();
        assert_eq!(diagnostics(&states), expected, "{states}");
    }
    let kept = json!({"E": {"Type": "Pass", "Comment": "{% x %}", "End": true}});
    assert_eq!(diagnostics(&kept), Vec::<String>::new());
}
