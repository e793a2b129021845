mod numbers;

use std::sync::Arc;

use chrono::{TimeZone, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{About, Command, Execution, Happening, Input, Limits, Status};
use crate::compile::{self, compile};
use crate::definition::Resource;
use crate::failure::Failure;
use crate::history::{EventType, HistoryEvent, Payload};

struct Anything;

impl compile::Platform for Anything {
    fn express(&self) -> bool {
        false
    }

    fn refuse(&self, _: &Resource) -> Option<String> {
        None
    }
}

/// An execution with everything that happened to it.
struct Run {
    execution: Execution,
    inputs: Vec<Input>,
    events: Vec<HistoryEvent>,
    commands: Vec<Command>,
    now: i64,
}

fn prepare(definition: &Value, input: Value) -> Execution {
    let machine = compile(&definition.to_string(), &Anything).unwrap();
    let about = About {
        id: "arn:aws:states:us-east-1:000000000000:execution:m:e".into(),
        name: "e".into(),
        machine_id: "arn:aws:states:us-east-1:000000000000:stateMachine:m".into(),
        machine_name: "m".into(),
        role: "arn:aws:iam::000000000000:role/r".into(),
        region: "us-east-1".into(),
        started: Utc.timestamp_millis_opt(0).unwrap(),
        limits: Limits { payload: 262_144, events: 25_000, seconds: None },
        redrivable: true,
        history: true,
    };
    Execution::new(Arc::new(machine), about, Payload::new(input))
}

impl Run {
    fn new(definition: &Value, input: Value) -> Self {
        let execution = prepare(definition, input);
        let mut run = Self { execution, inputs: Vec::new(), events: Vec::new(), commands: Vec::new(), now: 1_000_000 };
        run.happen(Happening::Start);
        run
    }

    fn happen(&mut self, what: Happening) {
        let input = Input { at: self.now, seed: self.now as u64, what };
        let outcome = self.execution.step(&input);
        self.inputs.push(input);
        self.events.extend(outcome.events);
        self.commands.extend(outcome.commands);
    }

    /// The tasks that were scheduled and not answered yet.
    fn open(&self) -> Vec<u64> {
        self.execution.open_tasks().iter().map(|open| open.call.task).collect()
    }

    fn succeed(&mut self, output: Value) {
        let task = self.open()[0];
        self.happen(Happening::Succeeded { task, output });
    }

    fn fail(&mut self, error: &str) {
        let task = self.open()[0];
        self.happen(Happening::Failed { task, failure: Failure::new(error, "because") });
    }

    /// Lets time pass until the execution has nothing due.
    fn pass(&mut self, seconds: i64) {
        self.now += seconds * 1000;
        self.happen(Happening::Tick);
    }

    fn output(&self) -> Value {
        match self.execution.status() {
            Status::Succeeded(output) => serde_json::from_str(output.as_str()).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    fn failure(&self) -> Failure {
        match self.execution.status() {
            Status::Failed(failure) | Status::TimedOut(failure) | Status::Aborted(failure) => failure.clone(),
            other => panic!("{other:?}"),
        }
    }

    /// `id<previous:type` of every event.
    fn history(&self) -> Vec<String> {
        let shown = self.events.iter().map(|event| format!("{}<{}:{}", event.id, event.previous, event.kind.name()));
        shown.collect()
    }
}

fn one(state: Value) -> Value {
    json!({"StartAt": "S", "States": {"S": state}})
}

fn end(mut state: Value) -> Value {
    state["End"] = true.into();
    one(state)
}

#[test]
fn pass_moves_data_as_its_paths_say() {
    let input = || json!({"a": {"b": 1}, "c": 2});
    for (state, expected) in [
        (json!({"Type": "Pass"}), input()),
        (json!({"Type": "Pass", "InputPath": "$.a"}), json!({"b": 1})),
        (json!({"Type": "Pass", "InputPath": null}), json!({})),
        (json!({"Type": "Pass", "OutputPath": null}), json!({})),
        (json!({"Type": "Pass", "Result": 7, "ResultPath": "$.r"}), json!({"a": {"b": 1}, "c": 2, "r": 7})),
        (json!({"Type": "Pass", "Result": 7, "ResultPath": null}), input()),
        (
            json!({"Type": "Pass", "Parameters": {"x.$": "$.a.b", "y": [{"z.$": "$.c"}]}}),
            json!({"x": 1, "y": [{"z": 2}]}),
        ),
        (json!({"Type": "Pass", "Parameters": {"n.$": "$$.State.Name"}}), json!({"n": "S"})),
    ] {
        let run = Run::new(&end(state.clone()), input());
        assert_eq!(run.output(), expected, "{state}");
    }
}

#[test]
fn a_chain_has_the_history_that_aws_writes() {
    let definition = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Succeed"}}});
    let run = Run::new(&definition, json!({}));
    assert_eq!(
        run.history(),
        [
            "1<0:ExecutionStarted",
            "2<0:PassStateEntered",
            "3<2:PassStateExited",
            "4<3:SucceedStateEntered",
            "5<4:SucceedStateExited",
            "6<5:ExecutionSucceeded",
        ]
    );
}

#[test]
fn choice_takes_the_first_rule_that_holds() {
    let definition = json!({"StartAt": "C", "States": {
        "C": {"Type": "Choice", "Default": "Other", "Choices": [
            {"And": [{"Variable": "$.n", "NumericGreaterThan": 1}, {"Not": {"Variable": "$.n", "NumericEquals": 3}}], "Next": "Two"},
            {"Or": [{"Variable": "$.n", "NumericEquals": 3}, {"Variable": "$.n", "IsString": true}], "Next": "Three"}]},
        "Two": {"Type": "Pass", "Result": "two", "End": true},
        "Three": {"Type": "Pass", "Result": "three", "End": true},
        "Other": {"Type": "Fail", "Error": "E", "Cause": "C"}}});
    assert_eq!(Run::new(&definition, json!({"n": 2})).output(), json!("two"));
    assert_eq!(Run::new(&definition, json!({"n": 3})).output(), json!("three"));
    assert_eq!(Run::new(&definition, json!({"n": 0})).failure(), Failure::new("E", "C"));
    let missing = Run::new(&definition, json!({})).failure();
    assert_eq!(missing.error.as_deref(), Some("States.Runtime"));
    assert!(missing.cause.unwrap().contains("Invalid path '$.n'"));
}

#[test]
fn no_rule_and_no_default_fails() {
    let definition = json!({"StartAt": "C", "States": {
        "C": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Next": "End"}]},
        "End": {"Type": "Succeed"}}});
    assert_eq!(Run::new(&definition, json!({"n": 2})).failure().error.as_deref(), Some("States.NoChoiceMatched"));
}

#[test]
fn wait_ends_when_its_time_has_come() {
    let mut run = Run::new(&end(json!({"Type": "Wait", "SecondsPath": "$.s"})), json!({"s": 10}));
    assert_eq!(run.execution.next_due(), Some(1_010_000));
    run.pass(9);
    assert_eq!(run.execution.status(), &Status::Running);
    run.pass(1);
    assert_eq!(run.output(), json!({"s": 10}));
    let bad = Run::new(&end(json!({"Type": "Wait", "SecondsPath": "$.s"})), json!({"s": 1.5})).failure();
    assert!(bad.cause.unwrap().ends_with("The SecondsPath parameter cannot be parsed as a long value: $.s == 1.5"));
    let past = end(json!({"Type": "Wait", "Timestamp": "1970-01-01T00:00:01Z"}));
    assert_eq!(Run::new(&past, json!(1)).output(), json!(1));
}

fn task(extra: Value) -> Value {
    let mut state = json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true});
    state.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let catches = extra.get("Catch").is_some();
    let mut states = json!({"T": state});
    if catches {
        states["Caught"] = json!({"Type": "Pass", "End": true});
    }
    json!({"StartAt": "T", "States": states})
}

#[test]
fn a_task_selects_and_places_its_result() {
    let definition = end(json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"P.$": "$.x"}, "ResultSelector": {"r.$": "$.Payload"}, "ResultPath": "$.out", "OutputPath": "$.out"}));
    let mut run = Run::new(&definition, json!({"x": 1}));
    let Command::Call(call) = &run.commands[0] else { panic!("a call is wanted") };
    assert_eq!(call.parameters.value(), &json!({"P": 1}));
    run.succeed(json!({"Payload": "done"}));
    assert_eq!(run.output(), json!({"r": "done"}));
    assert_eq!(run.history()[2..5], ["3<2:TaskScheduled", "4<3:TaskStarted", "5<4:TaskSucceeded"]);
}

#[test]
fn retries_wait_longer_each_time_and_run_out() {
    let retry = json!([{"ErrorEquals": ["Busy"], "IntervalSeconds": 2, "BackoffRate": 3, "MaxAttempts": 2, "MaxDelaySeconds": 5}]);
    let mut run = Run::new(&task(json!({"Retry": retry})), json!({}));
    run.fail("Busy");
    assert_eq!(run.execution.next_due(), Some(run.now + 2_000));
    run.pass(2);
    run.fail("Busy");
    assert_eq!(run.execution.next_due(), Some(run.now + 5_000));
    run.pass(5);
    run.fail("Busy");
    assert_eq!(run.failure(), Failure::new("Busy", "because"));
}

#[test]
fn jitter_comes_from_the_seed() {
    let retry = json!([{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 100, "JitterStrategy": "FULL"}]);
    let due = || {
        let mut run = Run::new(&task(json!({"Retry": retry})), json!({}));
        run.fail("Busy");
        run.execution.next_due().unwrap() - run.now
    };
    assert_eq!(due(), due());
    assert!((0..100_000).contains(&due()));
}

#[test]
fn catchers_take_the_errors_that_they_name() {
    let catch = json!([{"ErrorEquals": ["Mine"], "ResultPath": "$.e", "Next": "Caught"},
        {"ErrorEquals": ["States.ALL"], "Next": "Caught"}]);
    let caught = |error: &str| {
        let mut run = Run::new(&task(json!({"Catch": catch})), json!({"a": 1}));
        run.fail(error);
        run.output()
    };
    assert_eq!(caught("Mine"), json!({"a": 1, "e": {"Error": "Mine", "Cause": "because"}}));
    assert_eq!(caught("Other"), json!({"Error": "Other", "Cause": "because"}));
}

#[test]
fn time_outs_and_heartbeats() {
    let mut run = Run::new(&task(json!({"TimeoutSeconds": 5})), json!({}));
    run.pass(5);
    assert_eq!(run.failure().error.as_deref(), Some("States.Timeout"));
    assert!(run.commands.iter().any(|command| matches!(command, Command::Cancel(..))));

    let waits = json!({"Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "HeartbeatSeconds": 5,
        "Parameters": {"t.$": "$$.Task.Token"},
        "Catch": [{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Caught"}]});
    let mut run = Run::new(&task(waits), json!({}));
    run.pass(4);
    let beating = run.open()[0];
    run.happen(Happening::Heartbeat { task: beating });
    run.pass(4);
    assert_eq!(run.execution.status(), &Status::Running);
    run.pass(1);
    assert_eq!(run.output()["Error"], "States.Timeout");
}

#[test]
fn parallel_gathers_its_branches_and_fails_with_the_first() {
    let branch = |name: &str| json!({"StartAt": name, "States": {name: {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true}}});
    let definition = json!({"StartAt": "P", "States": {
        "P": {"Type": "Parallel", "Branches": [branch("A"), branch("B")], "Next": "Done",
              "Catch": [{"ErrorEquals": ["Bad"], "Next": "Done"}]},
        "Done": {"Type": "Pass", "End": true}}});
    let mut run = Run::new(&definition, json!({"i": 1}));
    let open = run.open();
    run.happen(Happening::Succeeded { task: open[1], output: json!("b") });
    run.happen(Happening::Succeeded { task: open[0], output: json!("a") });
    assert_eq!(run.output(), json!(["a", "b"]));

    let mut run = Run::new(&definition, json!({}));
    run.fail("Bad");
    assert_eq!(run.output()["Error"], "Bad");
    assert!(run.execution.open_tasks().is_empty());
    assert!(run.events.iter().any(|event| event.kind == EventType::TaskStateAborted));
}

#[test]
fn map_runs_its_items_and_keeps_their_order() {
    let definition = json!({"StartAt": "M", "States": {"M": {
        "Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 2, "End": true,
        "ItemSelector": {"v.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index", "base.$": "$.base"},
        "ItemProcessor": {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true}}}}}});
    let mut run = Run::new(&definition, json!({"items": ["x", "y", "z"], "base": 9}));
    assert_eq!(run.open().len(), 2);
    let open = run.open();
    run.happen(Happening::Succeeded { task: open[1], output: json!(1) });
    let Some(Command::Call(call)) = run.commands.last() else { panic!("the third item begins") };
    assert_eq!(call.parameters.value(), &json!({"v": "z", "i": 2, "base": 9}));
    run.succeed(json!(0));
    run.succeed(json!(2));
    assert_eq!(run.output(), json!([0, 1, 2]));
    let empty = Run::new(&definition, json!({"items": [], "base": 1}));
    assert_eq!(empty.output(), json!([]));
    let wrong = Run::new(&definition, json!({"items": 1, "base": 1})).failure();
    assert!(wrong.cause.unwrap().ends_with("Reference path \"$.items\" must point to array."));
}

#[test]
fn variables_are_seen_inside_and_assigned_together() {
    let definition = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Assign": {"x": 1, "y": 2}, "Next": "B"},
        "B": {"Type": "Pass", "Assign": {"x.$": "$y", "y.$": "$x"}, "Next": "M"},
        "M": {"Type": "Map", "ItemsPath": "$.l", "End": true, "ItemProcessor": {"StartAt": "I", "States": {
            "I": {"Type": "Pass", "Parameters": {"r.$": "States.Array($x, $y)"}, "End": true}}}}}});
    assert_eq!(Run::new(&definition, json!({"l": [0]})).output(), json!([{"r": [2, 1]}]));
}

#[test]
fn jsonata_states_evaluate_arguments_and_output() {
    let definition = json!({"QueryLanguage": "JSONata", "StartAt": "T", "States": {
        "T": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
              "Arguments": {"P": "{% $states.input.n * 2 %}"}, "Assign": {"got": "{% $states.result.Payload %}"},
              "Output": "{% {'sum': $states.result.Payload + $states.input.n} %}", "Next": "C"},
        "C": {"Type": "Choice", "Default": "No", "Choices": [{"Condition": "{% $got > 5 %}", "Next": "Yes"}]},
        "Yes": {"Type": "Succeed"}, "No": {"Type": "Fail"}}});
    let mut run = Run::new(&definition, json!({"n": 3}));
    let Command::Call(call) = &run.commands[0] else { panic!("a call is wanted") };
    assert_eq!(call.parameters.value(), &json!({"P": 6}));
    run.succeed(json!({"Payload": 6}));
    assert_eq!(run.output(), json!({"sum": 9}));

    let undefined = json!({"QueryLanguage": "JSONata", "StartAt": "P", "States": {
        "P": {"Type": "Pass", "Output": {"r": "{% $nothing %}"}, "End": true}}});
    let run = Run::new(&undefined, json!({}));
    assert_eq!(run.history()[2], "3<0:EvaluationFailed");
    assert_eq!(run.failure().error.as_deref(), Some("States.QueryEvaluationError"));
}

#[test]
fn large_outputs_and_endless_machines_are_ended() {
    let definition = task(json!({"Catch": [{"ErrorEquals": ["States.DataLimitExceeded"], "Next": "Caught"}]}));
    let mut run = Run::new(&definition, json!({}));
    run.succeed(json!("x".repeat(262_145)));
    assert_eq!(run.output()["Error"], "States.DataLimitExceeded");

    let endless = json!({"StartAt": "A", "States": {
        "A": {"Type": "Choice", "Choices": [{"Variable": "$.stop", "IsPresent": true, "Next": "B"}], "Default": "A2"},
        "A2": {"Type": "Pass", "Next": "A"}, "B": {"Type": "Succeed"}}});
    let mut run = Run::new(&endless, json!({}));
    while run.execution.status() == &Status::Running {
        run.pass(0);
    }
    assert!(run.failure().cause.unwrap().contains("maximum number of history events (25000)"));
    assert!(run.execution.events() <= 25_000);
}

#[test]
fn a_stopped_execution_cancels_and_a_failed_one_can_be_redriven() {
    let mut run = Run::new(&task(json!({})), json!({}));
    run.happen(Happening::Stop(Failure::new("Stopped", "by hand")));
    assert_eq!(run.failure(), Failure::new("Stopped", "by hand"));
    assert!(matches!(run.commands.last(), Some(Command::Cancel(..))));

    let mut run = Run::new(&task(json!({})), json!({}));
    run.fail("Broken");
    run.happen(Happening::Redrive);
    assert_eq!(run.execution.status(), &Status::Running);
    run.succeed(json!(1));
    assert_eq!(run.output(), json!(1));
}

#[test]
fn definitions_are_refused_in_aws_words() {
    let found = |definition: Value| -> Vec<String> {
        compile(&definition.to_string(), &Anything).unwrap_err().iter().map(ToString::to_string).collect()
    };
    assert_eq!(found(json!({"StartAt": "A"})), ["SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /"]);
    assert_eq!(
        found(one(json!({"Type": "Pass", "Next": "Nowhere"}))),
        [
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: Nowhere at /States/S/Next",
            "MISSING_END_STATE: Workflow has no terminal state",
        ]
    );
    assert_eq!(
        found(end(json!({"Type": "Wait", "Seconds": 1, "ResultPath": null}))),
        ["SCHEMA_VALIDATION_FAILED: Field 'ResultPath' is not supported at /States/S"]
    );
    let output =
        "The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported for the 'JSONata' QueryLanguage";
    assert_eq!(
        found(end(json!({"Type": "Pass", "Output": 1}))),
        [format!("SCHEMA_VALIDATION_FAILED: {output} at /States/S")]
    );
    let distributed = json!({"Type": "Map", "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "A",
        "States": {"A": {"Type": "Succeed"}}}});
    assert!(found(end(distributed))[0].contains("Distributed Map"));
    let unreachable = json!({"StartAt": "A", "States": {"A": {"Type": "Succeed"}, "B": {"Type": "Succeed"}}});
    assert_eq!(found(unreachable), ["MISSING_TRANSITION_TARGET: State \"B\" is not reachable. at /States/B"]);
    assert_eq!(
        found(end(json!({"Type": "Pass", "Parameters": {"x.$": "nonsense"}}))),
        [
            "SCHEMA_VALIDATION_FAILED: The value for the field 'x.$' must be a valid JSONPath or a valid intrinsic function call \
         at /States/S/Parameters"
        ]
    );
}

/// A machine with a Map of tasks that fail, are retried and caught, for replays.
fn eventful() -> Value {
    json!({"StartAt": "M", "States": {
        "M": {"Type": "Map", "ItemsPath": "$.l", "MaxConcurrency": 2, "Next": "W", "ItemProcessor": {"StartAt": "T", "States": {
            "T": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "TimeoutSeconds": 30,
                  "Retry": [{"ErrorEquals": ["Again"], "JitterStrategy": "FULL"}],
                  "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.e", "Next": "U"}], "Next": "U"},
            "U": {"Type": "Pass", "Parameters": {"id.$": "States.UUID()", "r.$": "States.MathRandom(1, 1000)"}, "End": true}}}},
        "W": {"Type": "Wait", "Seconds": 3, "End": true}}})
}

proptest! {
    /// The same inputs give the same history, wherever a crash cuts them.
    #[test]
    fn replaying_gives_the_same_history(choices in prop::collection::vec(0u8..4, 1..25)) {
        let mut run = Run::new(&eventful(), json!({"l": [{"a": 1}, {"a": 2}, {"a": 3}]}));
        for choice in choices {
            match (choice, run.open().is_empty()) {
                (0, false) => run.succeed(json!({"ok": true})),
                (1, false) => run.fail("Again"),
                (2, false) => run.fail("Fatal"),
                _ => run.pass(2),
            }
        }
        let mut again = prepare(&eventful(), json!({"l": [{"a": 1}, {"a": 2}, {"a": 3}]}));
        let mut events = Vec::new();
        for input in &run.inputs {
            let text = serde_json::to_string(input).unwrap();
            events.extend(again.step(&serde_json::from_str(&text).unwrap()).events);
        }
        prop_assert_eq!(&events, &run.events);
        prop_assert_eq!(again.status(), run.execution.status());
        prop_assert_eq!(again.next_due(), run.execution.next_due());
        let text = serde_json::to_string(&events).unwrap();
        prop_assert_eq!(serde_json::from_str::<Vec<HistoryEvent>>(&text).unwrap(), events);
    }

    /// Whatever is cut out of a definition or put into it, it is compiled or refused.
    #[test]
    fn damaged_definitions_are_told(at in 0usize..700, length in 0usize..60, put in "[\\[\\]{}\",:$a-zA-Z0-9. ]{0,8}") {
        let mut text = eventful().to_string();
        let at = at.min(text.len());
        text.replace_range(at..(at + length).min(text.len()), &put);
        let _ = compile(&text, &Anything);
    }
}
