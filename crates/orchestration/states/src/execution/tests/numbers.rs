//! Integers keep every digit on their way through a machine, in both query languages.

use serde_json::{Value, json};

use super::{Run, task};

const ODD: i64 = 9_007_199_254_740_993;

fn machine(language: &str, states: Value) -> Value {
    json!({"QueryLanguage": language, "StartAt": "Start", "States": states})
}

#[test]
fn jsonata_carries_large_integers_through_a_machine() {
    let definition = machine(
        "JSONata",
        json!({
            "Start": {"Type": "Pass", "Assign": {"id": "{% $states.input.id %}"},
                "Output": {"id": "{% $states.input.id %}", "all": "{% $states.input %}"}, "Next": "Which"},
            "Which": {"Type": "Choice", "Choices": [
                {"Condition": "{% $states.input.id < 9007199254740993 or $id != $states.input.id %}", "Next": "Wrong"},
                {"Condition": "{% $states.input.id = 9007199254740993 and $id > 9007199254740992 %}", "Next": "Each",
                    "Assign": {"next": "{% $id + 1 %}"}}], "Default": "Wrong"},
            "Each": {"Type": "Map", "Items": "{% [$id, $next, -$id] %}", "ItemSelector": {"n": "{% $states.context.Map.Item.Value %}"},
                "ItemProcessor": {"StartAt": "Item", "States": {"Item": {"Type": "Pass",
                    "Output": "{% $states.input.n + 1 %}", "End": true}}},
                "Assign": {"sums": "{% $states.result %}"}, "Next": "Done"},
            "Done": {"Type": "Pass", "End": true, "Output": {"id": "{% $id %}", "sums": "{% $sums %}",
                "text": "{% 'id-' & $id %}", "input": "{% $states.input %}"}},
            "Wrong": {"Type": "Fail"}
        }),
    );
    let sums = json!([ODD + 1, ODD + 2, 1 - ODD]);
    let run = Run::new(&definition, json!({"id": ODD}));
    assert_eq!(run.output(), json!({"id": ODD, "sums": sums, "text": "id-9007199254740993", "input": sums}));
}

#[test]
fn jsonata_gives_tasks_large_integers_and_takes_theirs() {
    let extra = json!({"QueryLanguage": "JSONata", "Arguments": {"id": "{% $states.input.id %}"},
        "Output": "{% $states.result %}", "End": true});
    let mut run = Run::new(&task(extra), json!({"id": i64::MAX}));
    let call = run.execution.open_tasks()[0].call.clone();
    assert_eq!(call.parameters.text().as_str(), json!({"id": i64::MAX}).to_string());
    run.succeed(json!({"id": i64::MIN}));
    assert_eq!(run.output(), json!({"id": i64::MIN}));
}

#[test]
fn jsonpath_carries_large_integers_through_a_machine() {
    let definition = machine(
        "JSONPath",
        json!({
            "Start": {"Type": "Pass", "Assign": {"id.$": "$.id"}, "Parameters": {"id.$": "$.id", "ids.$": "$.list[?(@ > 9007199254740992)]",
                "text.$": "States.Format('{}', $.id)"}, "Next": "Which"},
            "Which": {"Type": "Choice", "Choices": [
                {"Variable": "$.id", "NumericEquals": 9_007_199_254_740_992_i64, "Next": "Wrong"},
                {"And": [{"Variable": "$.id", "NumericEqualsPath": "$id"}, {"Variable": "$.id", "NumericEquals": ODD},
                    {"Variable": "$.id", "NumericGreaterThan": 9_007_199_254_740_992.0}], "Next": "Each"}], "Default": "Wrong"},
            "Each": {"Type": "Map", "ItemsPath": "$.ids", "ItemSelector": {"n.$": "$$.Map.Item.Value", "id.$": "$id"},
                "ItemProcessor": {"StartAt": "Item", "States": {"Item": {"Type": "Pass", "End": true}}},
                "ResultPath": "$.each", "End": true},
            "Wrong": {"Type": "Fail"}
        }),
    );
    let run = Run::new(&definition, json!({"id": ODD, "list": [ODD - 1, ODD, i64::MAX]}));
    let each = json!([{"n": ODD, "id": ODD}, {"n": i64::MAX, "id": ODD}]);
    let expected = json!({"id": ODD, "ids": [ODD, i64::MAX], "text": "9007199254740993", "each": each});
    assert_eq!(run.output(), expected);
}
