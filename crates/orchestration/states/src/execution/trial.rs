//! One state by itself, for TestState: no transitions, and a look at its data on the way.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::moment::Moment;
use super::view::Extra;
use super::{About, Action, Call, Command, Execution, Input, Phase, Status, ThreadId};
use crate::definition::{Graph, Items, Kind, Language, Machine, State};
use crate::failure::{Failure, Trouble, matches};
use crate::history::Payload;
use crate::scope::Variables;

/// The only thread.
const ROOT: ThreadId = 0;

/// How a trial stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The state ended and leads there.
    Succeeded {
        /// Its output.
        output: Value,
        /// The next state, unless it is the last.
        next: Option<String>,
    },
    /// The state failed, and one of its catchers took the error.
    Caught {
        /// What it puts out.
        output: Value,
        /// The catcher's state.
        next: String,
    },
    /// The state failed and would be tried again after so many milliseconds.
    Retriable(i64),
    /// The state failed.
    Failed(Failure),
    /// The state waits for its work to be done.
    Waiting,
}

/// A state under test.
#[derive(Debug)]
pub struct Trial {
    execution: Execution,
    caught: bool,
    /// The data on the way: `input`, `afterInputPath` and so on, as JSON.
    pub inspection: Map<String, Value>,
}

impl Trial {
    /// A trial of `state`. `context` stands in for the context object.
    pub fn new(
        state: State,
        about: About,
        input: Value,
        variables: Vec<(String, Value)>,
        context: Option<Value>,
    ) -> Self {
        let name = state.name.clone();
        let states = HashMap::from([(name.clone(), Arc::new(state))]);
        let graph = Arc::new(Graph { start: name, states });
        let machine = Machine { root: Arc::clone(&graph), timeout: None };
        let mut execution = Execution::new(Arc::new(machine), about, Payload::new(input));
        execution.given_context = context;
        let mut known = Variables::default();
        known.assign(variables);
        execution.spawn(None, graph, known, 0, None);
        Self { execution, caught: false, inspection: Map::new() }
    }

    /// Runs the state as far as it comes without help; what it wants called.
    pub fn begin(&mut self, input: &Input) -> Option<Arc<Call>> {
        let mut moment = Moment::new(input);
        let (name, payload) = (self.execution.machine.root.start.clone(), self.execution.input.clone());
        self.execution.arrive(&mut moment, ROOT, &name, payload);
        // A field that fails ends the look; the run says why.
        let seen = self.look_in(&moment);
        if seen.is_ok()
            && let Kind::Pass { result } = &self.execution.current(ROOT).state.kind
        {
            let result = result.as_deref().or_else(|| self.inspection.get("afterParameters")).cloned();
            let _ = result.map_or(Ok(()), |result| self.look_out(&moment, &result));
        }
        self.execution.run(&mut moment, ROOT);
        if let Some(current) = self.execution.thread(ROOT).current.as_ref()
            && let Phase::Waiting { .. } = current.phase
            && let Err(trouble) = self.execution.waited(&mut moment, ROOT)
        {
            self.execution.trouble(&mut moment, ROOT, trouble);
        }
        self.caught = moment.events.iter().any(|event| event.kind == crate::history::EventType::EvaluationFailed);
        moment.commands.into_iter().find_map(|command| match command {
            Command::Call(call) => Some(call),
            Command::Cancel(..) => None,
        })
    }

    /// Every retrier has been used so often.
    pub fn set_retries(&mut self, uses: u64) {
        if let Some(current) = self.execution.threads.get_mut(&ROOT).and_then(|thread| thread.current.as_mut()) {
            current.retries.iter_mut().for_each(|count| *count = uses);
            current.retry_count = uses;
        }
    }

    /// Ends the state's work with a result or a failure.
    pub fn end(&mut self, input: &Input, result: Result<Value, Failure>) {
        let mut moment = Moment::new(input);
        if self.execution.thread(ROOT).current.is_none() || self.execution.status != Status::Running {
            return;
        }
        self.execution.drop_children(&mut moment, ROOT);
        self.execution.current_mut(ROOT).phase = Phase::Ready;
        match result {
            Ok(result) => {
                let _ = self.look_out(&moment, &result);
                if let Err(trouble) = self.execution.complete(&mut moment, ROOT, Some(result)) {
                    self.caught = true;
                    self.execution.trouble(&mut moment, ROOT, trouble);
                }
            }
            Err(failure) => {
                self.caught = true;
                self.execution.fail(&mut moment, ROOT, failure, false);
            }
        }
    }

    /// How the trial stands at `now`, in milliseconds since 1970.
    pub fn verdict(&self, now: i64) -> Verdict {
        match &self.execution.status {
            Status::Succeeded(output) => {
                let output = serde_json::from_str(output.as_str()).unwrap_or_default();
                return Verdict::Succeeded { output, next: None };
            }
            Status::Failed(failure) | Status::TimedOut(failure) | Status::Aborted(failure) => {
                return Verdict::Failed(failure.clone());
            }
            Status::Running => {}
        }
        if let Some((_, Action::Enter(next, output))) = self.execution.ready.iter().find(|(thread, _)| *thread == ROOT)
        {
            let (output, next) = (output.value().clone(), next.clone());
            return if self.caught {
                Verdict::Caught { output, next }
            } else {
                Verdict::Succeeded { output, next: Some(next) }
            };
        }
        match self.execution.thread(ROOT).current.as_ref().map(|current| &current.phase) {
            Some(Phase::Backoff { until }) => Verdict::Retriable(until - now),
            _ => Verdict::Waiting,
        }
    }

    /// Which retrier and which catcher stand for an error.
    pub fn handlers(&self, failure: &Failure) -> (Option<usize>, Option<usize>) {
        let graph = &self.execution.machine.root;
        let Some(state) = graph.states.get(&graph.start) else { return (None, None) };
        let error = failure.error.as_deref();
        let retry = state.retry.iter().position(|retrier| matches(&retrier.errors, error));
        (retry, state.catch.iter().position(|catcher| matches(&catcher.errors, error)))
    }

    fn see(&mut self, name: &str, value: Value) {
        self.inspection.insert(name.to_owned(), value);
    }

    fn look_in(&mut self, moment: &Moment) -> Result<(), Trouble> {
        let state = Arc::clone(&self.execution.current(ROOT).state);
        self.see("input", self.execution.input.value().clone());
        if state.language == Language::Jsonata {
            if state.arguments.is_some() && !matches!(state.kind, Kind::Parallel { .. }) {
                let arguments = self.execution.arguments(moment, ROOT, &state)?;
                self.see("afterArguments", arguments);
            }
            return Ok(());
        }
        // AWS shows nothing of what a Parallel state's branches get, or of an input that a Result replaces.
        if matches!(state.kind, Kind::Parallel { .. } | Kind::Pass { result: Some(_) }) {
            return Ok(());
        }
        let effective = self.execution.effective_input(moment, ROOT, &state)?;
        self.see("afterInputPath", effective.clone());
        if state.arguments.is_some() || matches!(state.kind, Kind::Pass { .. }) {
            let arguments = self.execution.arguments(moment, ROOT, &state)?;
            self.see("afterParameters", arguments);
        }
        if let Kind::Map(map) = &state.kind {
            if let Items::Path(path) = &map.items {
                let extra = Extra { input: Some(&effective), ..Extra::default() };
                let items = self.execution.with_scope(moment, ROOT, extra, |scope| scope.path(path))?;
                if items.is_array() {
                    self.see("afterItemsPath", items);
                }
            }
            if let Some(amount) = &map.max_concurrency {
                let most = self.execution.amount(moment, ROOT, amount)?;
                self.inspection.insert("maxConcurrency".into(), most.into());
            }
        }
        Ok(())
    }

    fn look_out(&mut self, moment: &Moment, result: &Value) -> Result<(), Trouble> {
        let state = Arc::clone(&self.execution.current(ROOT).state);
        if matches!(state.kind, Kind::Task(_) | Kind::Pass { result: Some(_) }) {
            self.see("result", result.clone());
        }
        if state.language == Language::Jsonata {
            return Ok(());
        }
        let extra = Extra { input: Some(result), ..Extra::default() };
        let selected = match &state.result_selector {
            Some(template) => self.execution.evaluate(moment, ROOT, extra, template)?,
            None => result.clone(),
        };
        self.see("afterResultSelector", selected.clone());
        let placed = self.execution.put_result(ROOT, state.result_path.as_ref(), selected)?;
        self.see("afterResultPath", placed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone, Utc};
    use serde_json::json;

    use super::super::{Happening, Limits};
    use super::*;
    use crate::compile::{Platform, compile_state};
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

    fn trial(definition: Value, input: Value) -> (Trial, Input) {
        let state = compile_state("S", &definition, &Anything).unwrap();
        let about = About {
            id: String::new(),
            name: String::new(),
            machine_id: String::new(),
            machine_name: String::new(),
            role: String::new(),
            region: String::new(),
            started: Utc.timestamp_millis_opt(0).unwrap(),
            limits: Limits { payload: 262_144, events: 25_000, seconds: None },
            redrivable: false,
            history: true,
        };
        let mut trial = Trial::new(state, about, input, Vec::new(), None);
        let input = Input { at: 1000, seed: 1, what: Happening::Start };
        trial.begin(&input);
        (trial, input)
    }

    #[test]
    fn a_state_says_where_it_leads_and_what_it_saw() {
        let definition = json!({"Type": "Pass", "InputPath": "$.a", "Parameters": {"x.$": "$.b"}, "Next": "T"});
        let (trial, _) = trial(definition, json!({"a": {"b": 1}}));
        assert_eq!(trial.verdict(1000), Verdict::Succeeded { output: json!({"x": 1}), next: Some("T".into()) });
        assert_eq!(trial.inspection["afterInputPath"], json!({"b": 1}));
        assert_eq!(trial.inspection["afterParameters"], json!({"x": 1}));
    }

    #[test]
    fn failures_are_retried_caught_or_final() {
        let task = |more: Value| {
            let mut state = json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true});
            state.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            state
        };
        let fails = |more: Value| {
            let (mut trial, input) = trial(task(more), json!({}));
            trial.end(&input, Err(Failure::new("E", "C")));
            trial.verdict(1000)
        };
        assert_eq!(fails(json!({})), Verdict::Failed(Failure::new("E", "C")));
        assert_eq!(fails(json!({"Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 4}]})), Verdict::Retriable(4000));
        let caught = fails(json!({"Catch": [{"ErrorEquals": ["E"], "Next": "N"}]}));
        assert_eq!(caught, Verdict::Caught { output: json!({"Error": "E", "Cause": "C"}), next: "N".into() });
        let (mut trial, input) = trial(task(json!({"ResultSelector": {"p.$": "$.q"}})), json!({}));
        trial.end(&input, Ok(json!({"q": 2})));
        assert_eq!(trial.inspection["afterResultSelector"], json!({"p": 2}));
        assert_eq!(trial.verdict(1000), Verdict::Succeeded { output: json!({"p": 2}), next: None });
    }
}
