//! Entering, running and leaving states.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::moment::Moment;
use super::view::Extra;
use super::{Action, Current, Execution, Phase, Status, ThreadId};
use crate::choice::{Rule, timestamp};
use crate::definition::{Amount, Kind, Language, State, Text, Transition, Until};
use crate::failure::{Evaluation, Failure, Trouble, names};
use crate::history::{Details, EventType, Payload};
use crate::path::JsonPath;
use crate::template::Template;

/// Milliseconds that a Wait state may wait: what a 32-bit number of seconds holds.
const MAX_WAIT: i64 = i32::MAX as i64 * 1000;

fn entered(kind: &Kind) -> EventType {
    match kind {
        Kind::Pass { .. } => EventType::PassStateEntered,
        Kind::Task(_) => EventType::TaskStateEntered,
        Kind::Choice { .. } => EventType::ChoiceStateEntered,
        Kind::Wait(_) => EventType::WaitStateEntered,
        Kind::Succeed => EventType::SucceedStateEntered,
        Kind::Fail { .. } => EventType::FailStateEntered,
        Kind::Parallel { .. } => EventType::ParallelStateEntered,
        Kind::Map(_) => EventType::MapStateEntered,
    }
}

fn exited(kind: &Kind) -> EventType {
    match kind {
        Kind::Pass { .. } => EventType::PassStateExited,
        Kind::Choice { .. } => EventType::ChoiceStateExited,
        Kind::Wait(_) => EventType::WaitStateExited,
        Kind::Succeed | Kind::Fail { .. } => EventType::SucceedStateExited,
        Kind::Parallel { .. } => EventType::ParallelStateExited,
        Kind::Map(_) => EventType::MapStateExited,
        Kind::Task(_) => EventType::TaskStateExited,
    }
}

/// A state's output, where the state gives one, and the variables that it sets.
type Left = (Option<Value>, Vec<(String, Value)>);

impl Execution {
    pub(super) fn enter(&mut self, moment: &mut Moment, id: ThreadId, name: &str, input: Payload) {
        self.arrive(moment, id, name, input);
        if self.status == Status::Running {
            self.run(moment, id);
        }
    }

    /// The thread is in the state, which has not begun its work.
    pub(super) fn arrive(&mut self, moment: &mut Moment, id: ThreadId, name: &str, input: Payload) {
        let Some(state) = self.thread(id).graph.states.get(name).map(Arc::clone) else {
            let failure = Failure::new(names::RUNTIME, format!("The state '{name}' does not exist"));
            return self.finish(moment, Status::Failed(failure));
        };
        let before = self.thread(id).last;
        let details = Details { name: Some(name.to_owned()), input: self.text(&input), ..Details::default() };
        let event = self.tell(moment, id, entered(&state.kind), details);
        let retries = vec![0; state.retry.len()];
        self.thread_mut(id).current = Some(Current {
            state,
            input,
            entered: event,
            before,
            entered_at: moment.now,
            retries,
            retry_count: 0,
            phase: Phase::Ready,
        });
    }

    pub(super) fn text(&self, payload: &Payload) -> Option<crate::history::Text> {
        self.about.history.then(|| payload.text())
    }

    pub(super) fn run(&mut self, moment: &mut Moment, id: ThreadId) {
        if let Err(trouble) = self.try_run(moment, id) {
            self.trouble(moment, id, trouble);
        }
    }

    fn try_run(&mut self, moment: &mut Moment, id: ThreadId) -> Result<(), Trouble> {
        let state = Arc::clone(&self.current(id).state);
        match &state.kind {
            Kind::Pass { result } => {
                let result = match (state.language, result) {
                    (Language::Jsonata, _) => None,
                    (_, Some(result)) => {
                        self.arguments(moment, id, &state)?;
                        Some((**result).clone())
                    }
                    _ => Some(self.arguments(moment, id, &state)?),
                };
                self.complete(moment, id, result)
            }
            Kind::Succeed => {
                let result = self.plain_input(moment, id, &state)?;
                self.complete(moment, id, result)
            }
            Kind::Fail { error, cause } => {
                let error = error.as_ref().map(|text| self.text_value(moment, id, text, "Error")).transpose()?;
                let cause = cause.as_ref().map(|text| self.text_value(moment, id, text, "Cause")).transpose()?;
                self.fail(moment, id, Failure { error, cause }, false);
                Ok(())
            }
            Kind::Choice { rules, default } => self.choose(moment, id, &state, rules, default.as_deref()),
            Kind::Wait(until) => {
                let until = self.until(moment, id, until)?;
                if until > moment.millis() {
                    self.current_mut(id).phase = Phase::Waiting { until };
                    return Ok(());
                }
                self.waited(moment, id)
            }
            Kind::Task(task) => self.schedule(moment, id, &state, task),
            Kind::Parallel { branches } => self.start_branches(moment, id, &state, branches),
            Kind::Map(map) => self.start_map(moment, id, &state, map),
        }
    }

    /// The result of states that only pass their effective input on.
    fn plain_input(&self, moment: &Moment, id: ThreadId, state: &State) -> Result<Option<Value>, Trouble> {
        match state.language {
            Language::Jsonata => Ok(None),
            Language::JsonPath => self.effective_input(moment, id, state).map(Some),
        }
    }

    pub(super) fn waited(&mut self, moment: &mut Moment, id: ThreadId) -> Result<(), Trouble> {
        let state = Arc::clone(&self.current(id).state);
        let result = self.plain_input(moment, id, &state)?;
        self.complete(moment, id, result)
    }

    /// The input after `InputPath`.
    pub(super) fn effective_input(&self, moment: &Moment, id: ThreadId, state: &State) -> Result<Value, Trouble> {
        match &state.input_path {
            None => Ok(Value::Object(Map::new())),
            Some(path) => self.with_scope(moment, id, Extra::default(), |scope| scope.path(path)),
        }
    }

    /// The effective input after `Parameters` or `Arguments`.
    pub(super) fn arguments(&self, moment: &Moment, id: ThreadId, state: &State) -> Result<Value, Trouble> {
        self.arguments_with(moment, id, state, Extra::default())
    }

    pub(super) fn arguments_with(
        &self,
        moment: &Moment,
        id: ThreadId,
        state: &State,
        extra: Extra<'_>,
    ) -> Result<Value, Trouble> {
        match (state.language, &state.arguments) {
            (Language::JsonPath, None) => self.effective_input(moment, id, state),
            (Language::JsonPath, Some(template)) => {
                let input = self.effective_input(moment, id, state)?;
                self.evaluate(moment, id, Extra { input: Some(&input), ..extra }, template)
            }
            (Language::Jsonata, None) => Ok(self.current(id).input.value().clone()),
            (Language::Jsonata, Some(template)) => self.evaluate(moment, id, extra, template),
        }
    }

    fn text_value(&self, moment: &Moment, id: ThreadId, text: &Text, field: &str) -> Result<String, Trouble> {
        let (value, field) = match text {
            Text::Literal(text) => return Ok(text.clone()),
            Text::Jsonata(query) => (
                self.with_bindings(moment, id, Extra::default(), |bindings| query.evaluate_as(bindings, "string"))?,
                field,
            ),
            Text::Path(path, field) => {
                (self.with_scope(moment, id, Extra::default(), |scope| scope.path_in_field(path, field))?, *field)
            }
            Text::Intrinsic(call, field) => {
                (self.with_scope(moment, id, Extra::default(), |scope| call.evaluate(scope, field))?, *field)
            }
        };
        match value {
            Value::String(text) => Ok(text),
            other => Err(Trouble::runtime(format!("The field '{field}' must be a string, but was: {other}"))),
        }
    }

    /// When the Wait state ends, in milliseconds since 1970.
    fn until(&self, moment: &Moment, id: ThreadId, until: &Until) -> Result<i64, Trouble> {
        let look_up = |path: &JsonPath| self.with_scope(moment, id, Extra::default(), |scope| scope.path(path));
        let until = match until {
            Until::Seconds(amount) => moment.millis() + self.amount(moment, id, amount)? as i64 * 1000,
            Until::SecondsPath(path) => {
                let value = look_up(path)?;
                let seconds = value.as_i64().filter(|seconds| *seconds >= 0).ok_or_else(|| {
                    Trouble::runtime(format!(
                        "The SecondsPath parameter cannot be parsed as a long value: {path} == {value}"
                    ))
                })?;
                moment.millis().saturating_add(seconds.saturating_mul(1000))
            }
            Until::Timestamp(text) => {
                let text = self.text_value(moment, id, text, "Timestamp")?;
                let time = timestamp(&text).ok_or_else(|| Trouble {
                    evaluation: Some(Evaluation { location: Some("Timestamp".into()), of_value: true }),
                    ..Trouble::new(
                        names::QUERY_EVALUATION_ERROR,
                        format!("The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: {text}"),
                    )
                })?;
                time.timestamp_millis()
            }
            Until::TimestampPath(path) => {
                let value = look_up(path)?;
                let time = value.as_str().and_then(timestamp).ok_or_else(|| {
                    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    Trouble::runtime(format!(
                        "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time \
                         format string: {path} == {shown}"
                    ))
                })?;
                time.timestamp_millis()
            }
        };
        if until - moment.millis() > MAX_WAIT {
            return Err(Trouble::runtime("Wait state delay is too long."));
        }
        Ok(until)
    }

    /// A number of seconds or of iterations.
    pub(super) fn amount(&self, moment: &Moment, id: ThreadId, amount: &Amount) -> Result<u64, Trouble> {
        match amount {
            Amount::Literal(number) => Ok(*number),
            Amount::Path(path, field) => {
                let value = self.with_scope(moment, id, Extra::default(), |scope| scope.path(path))?;
                value.as_u64().ok_or_else(|| {
                    let shown = Value::from(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
                    let cause =
                        format!("The {field} field refers to value {shown} which is not a valid integer: {path}");
                    Trouble::runtime(cause)
                })
            }
            Amount::Jsonata(query) => {
                let value =
                    self.with_bindings(moment, id, Extra::default(), |bindings| query.evaluate_as(bindings, "number"))?;
                let whole = value
                    .as_u64()
                    .or_else(|| value.as_f64().filter(|n| *n >= 0.0 && n.fract() == 0.0).map(|n| n as u64));
                whole.ok_or_else(|| Trouble {
                    evaluation: Some(Evaluation { location: None, of_value: true }),
                    ..Trouble::new(
                        names::QUERY_EVALUATION_ERROR,
                        format!("A non-negative integer is needed, but was: {value}"),
                    )
                })
            }
        }
    }

    fn choose(
        &mut self,
        moment: &mut Moment,
        id: ThreadId,
        state: &State,
        rules: &[Rule],
        default: Option<&str>,
    ) -> Result<(), Trouble> {
        let effective = self.plain_input(moment, id, state)?;
        let mut chosen: Option<&Rule> = None;
        for rule in rules {
            let holds = match rule.condition.language() {
                Language::JsonPath => {
                    let extra = Extra { input: effective.as_ref(), ..Extra::default() };
                    self.with_scope(moment, id, extra, |scope| rule.condition.holds(scope))?
                }
                Language::Jsonata => self.jsonata_condition(moment, id, rule)?,
            };
            if holds {
                chosen = Some(rule);
                break;
            }
        }
        let next = chosen.map(|rule| rule.next.as_str()).or(default);
        let Some(next) = next else {
            let cause = "Failed to transition out of the state. The state does not point to a next state.";
            return Err(Trouble::new(names::NO_CHOICE_MATCHED, cause));
        };
        let assign = chosen.map_or(&state.assign, |rule| &rule.assign);
        let output = match chosen {
            Some(rule) if rule.output.is_some() => rule.output.as_ref(),
            _ => state.output.as_ref(),
        };
        let next = Transition::Next(next.to_owned());
        self.leave(moment, id, state, effective, Leaving { assign, output, next: &next, extra: Extra::default() })
    }

    fn jsonata_condition(&self, moment: &Moment, id: ThreadId, rule: &Rule) -> Result<bool, Trouble> {
        let crate::choice::Condition::Jsonata(query) = &rule.condition else { return Ok(false) };
        let value =
            self.with_bindings(moment, id, Extra::default(), |bindings| query.evaluate_as(bindings, "boolean"))?;
        Ok(value == Value::Bool(true))
    }

    /// Leaves the state with its result: `None` is a JSONata state without one.
    pub(super) fn complete(&mut self, moment: &mut Moment, id: ThreadId, result: Option<Value>) -> Result<(), Trouble> {
        let state = Arc::clone(&self.current(id).state);
        let (assign, output, next) = (&state.assign, state.output.as_ref(), &state.next);
        self.leave(moment, id, &state, result, Leaving { assign, output, next, extra: Extra::default() })
    }

    /// Works out output and variables, tells of them, and goes on.
    pub(super) fn leave(
        &mut self,
        moment: &mut Moment,
        id: ThreadId,
        state: &State,
        result: Option<Value>,
        leaving: Leaving<'_>,
    ) -> Result<(), Trouble> {
        let (output, assigned) = match state.language {
            Language::JsonPath => {
                self.leave_by_path(moment, id, state, result.unwrap_or(Value::Null), leaving.assign)?
            }
            Language::Jsonata => self.leave_by_jsonata(moment, id, result, &leaving)?,
        };
        let output = match output {
            Some(output) => Payload::new(output),
            None => self.current(id).input.clone(),
        };
        self.exit(moment, id, output, assigned, leaving.next)
    }

    pub(super) fn exit(
        &mut self,
        moment: &mut Moment,
        id: ThreadId,
        output: Payload,
        assigned: Vec<(String, Value)>,
        next: &Transition,
    ) -> Result<(), Trouble> {
        let state = Arc::clone(&self.current(id).state);
        // The text is needed for the history anyway.
        if output.text().as_str().len() > self.about.limits.payload {
            return Err(Trouble::too_large(&state.name));
        }
        let shown: BTreeMap<String, String> =
            assigned.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
        let details = Details {
            name: Some(state.name.clone()),
            output: self.text(&output),
            assigned: (!shown.is_empty()).then_some(shown),
            ..Details::default()
        };
        self.tell(moment, id, exited(&state.kind), details);
        let thread = self.thread_mut(id);
        thread.variables.assign(assigned);
        thread.current = None;
        match next {
            Transition::Next(name) => self.ready.push_back((id, Action::Enter(name.clone(), output))),
            Transition::End => self.ended(moment, id, output),
        }
        Ok(())
    }

    fn leave_by_path(
        &self,
        moment: &Moment,
        id: ThreadId,
        state: &State,
        result: Value,
        assign: &[(String, Template)],
    ) -> Result<Left, Trouble> {
        fn of(input: &Value) -> Extra<'_> {
            Extra { input: Some(input), ..Extra::default() }
        }
        let selected = match &state.result_selector {
            Some(template) => self.evaluate(moment, id, of(&result), template)?,
            None => result,
        };
        let assigned = self.assigned(moment, id, of(&selected), assign)?;
        let has_result = matches!(state.kind, Kind::Pass { .. } | Kind::Task(_) | Kind::Parallel { .. } | Kind::Map(_));
        let combined = if has_result { self.put_result(id, state.result_path.as_ref(), selected)? } else { selected };
        let output = match &state.output_path {
            None => Value::Object(Map::new()),
            Some(path) => self.with_scope(moment, id, of(&combined), |scope| scope.path(path))?,
        };
        Ok((Some(output), assigned))
    }

    /// The state's input with the result at `path`.
    pub(super) fn put_result(&self, id: ThreadId, path: Option<&JsonPath>, result: Value) -> Result<Value, Trouble> {
        let input = self.current(id).input.value();
        let Some(path) = path else { return Ok(input.clone()) };
        if path.to_string() == "$" {
            return Ok(result);
        }
        let mut combined = input.clone();
        path.set(&mut combined, result)
            .map_err(|error| Trouble::new(names::RESULT_PATH_MATCH_FAILURE, error.to_string()))?;
        Ok(combined)
    }

    fn leave_by_jsonata(
        &self,
        moment: &Moment,
        id: ThreadId,
        result: Option<Value>,
        leaving: &Leaving<'_>,
    ) -> Result<Left, Trouble> {
        let extra = Extra { result: result.as_ref(), ..leaving.extra };
        let assigned = self.assigned(moment, id, extra, leaving.assign)?;
        let output = match leaving.output {
            Some(template) => Some(self.evaluate(moment, id, extra, template)?),
            None => leaving.extra.error.cloned().or(result),
        };
        Ok((output, assigned))
    }

    /// All assignments see the variables as they were before.
    pub(super) fn assigned(
        &self,
        moment: &Moment,
        id: ThreadId,
        extra: Extra<'_>,
        assign: &[(String, Template)],
    ) -> Result<Vec<(String, Value)>, Trouble> {
        assign.iter().map(|(name, template)| Ok((name.clone(), self.evaluate(moment, id, extra, template)?))).collect()
    }
}

/// How a state is left.
pub(super) struct Leaving<'a> {
    pub(super) assign: &'a [(String, Template)],
    pub(super) output: Option<&'a Template>,
    pub(super) next: &'a Transition,
    pub(super) extra: Extra<'a>,
}
