//! Failures: retried, caught, or handed to what is around.

use std::sync::Arc;

use serde_json::Value;

use super::moment::Moment;
use super::states::Leaving;
use super::view::Extra;
use super::{Execution, Phase, Status, ThreadId};
use crate::definition::{Catcher, Kind, Language, Retrier, State, Transition};
use crate::failure::{Failure, Trouble, matches, names};
use crate::history::{Details, EventType, Payload};

/// A failure on its way up, and whether a missing heartbeat caused it.
#[derive(Clone)]
struct Falling {
    failure: Failure,
    by_heartbeat: bool,
}

impl Falling {
    fn is(&self, patterns: &[String]) -> bool {
        matches(patterns, self.failure.error.as_deref())
            || self.by_heartbeat && matches(patterns, Some(names::HEARTBEAT_TIMEOUT))
    }
}

impl Execution {
    /// A field could not be evaluated, or a value can't be used.
    pub(super) fn trouble(&mut self, moment: &mut Moment, id: ThreadId, trouble: Trouble) {
        let current = self.current(id);
        let (name, before) = (current.state.name.clone(), current.before);
        let cause = if trouble.verbatim {
            trouble.cause
        } else {
            format!(
                "An error occurred while executing the state '{name}' (entered at the event id #{}). {}",
                current.entered, trouble.cause
            )
        };
        let evaluated = trouble.evaluation.is_some();
        if let Some(evaluation) = trouble.evaluation {
            let previous = if evaluation.of_value { self.thread(id).last } else { before };
            let details = Details {
                error: Some(trouble.error.to_owned()),
                cause: Some(cause.clone()),
                location: evaluation.location,
                state: Some(name),
                ..Details::default()
            };
            let event = self.emit(moment, EventType::EvaluationFailed, previous, details);
            self.thread_mut(id).last = event;
        }
        let falling = Falling { failure: Failure::new(trouble.error, cause), by_heartbeat: false };
        self.fall(moment, id, falling, evaluated);
    }

    /// A state failed.
    pub(super) fn fail(&mut self, moment: &mut Moment, id: ThreadId, failure: Failure, by_heartbeat: bool) {
        self.fall(moment, id, Falling { failure, by_heartbeat }, false);
    }

    /// `announce`: the history tells that the container failed, unless it is retried.
    fn fall(&mut self, moment: &mut Moment, start: ThreadId, falling: Falling, announce: bool) {
        let kept = !self.is_handled(start, &falling);
        let (mut id, mut announce) = (start, announce);
        loop {
            if self.retry(moment, id, &falling) {
                return;
            }
            let state = Arc::clone(&self.current(id).state);
            if announce {
                match state.kind {
                    Kind::Map(_) => drop(self.tell(moment, id, EventType::MapStateFailed, Details::default())),
                    Kind::Parallel { .. } => {
                        self.tell(moment, id, EventType::ParallelStateFailed, Details::default());
                    }
                    _ => {}
                }
            }
            if let Some(catcher) = state.catch.iter().find(|catcher| falling.is(&catcher.errors)) {
                if let Err(trouble) = self.caught(moment, id, &state, catcher, &falling.failure) {
                    self.trouble_in_catch(moment, id, trouble);
                }
                return;
            }
            let Some((parent, index)) = self.thread(id).parent else {
                return self.finish(moment, Status::Failed(falling.failure));
            };
            self.child_failed(moment, parent, id, index, kept);
            (id, announce) = (parent, true);
        }
    }

    /// What goes wrong while catching is not caught by the same state.
    fn trouble_in_catch(&mut self, moment: &mut Moment, id: ThreadId, trouble: Trouble) {
        let cause = format!(
            "An error occurred while executing the state '{}' (entered at the event id #{}). {}",
            self.current(id).state.name,
            self.current(id).entered,
            trouble.cause
        );
        let failure = Failure::new(trouble.error, cause);
        match self.thread(id).parent {
            None => self.finish(moment, Status::Failed(failure)),
            Some((parent, index)) => {
                let falling = Falling { failure, by_heartbeat: false };
                let kept = !self.is_handled(parent, &falling);
                self.child_failed(moment, parent, id, index, kept);
                self.fall(moment, parent, falling, true);
            }
        }
    }

    fn child_failed(&mut self, moment: &mut Moment, parent: ThreadId, child: ThreadId, index: usize, kept: bool) {
        let last = self.thread(child).last;
        let state = Arc::clone(&self.current(parent).state);
        if matches!(state.kind, Kind::Map(_)) {
            let details = Details { index: Some(index), name: Some(state.name.clone()), ..Details::default() };
            self.emit(moment, EventType::MapIterationFailed, last, details);
        }
        self.tell_aborted(moment, parent, Some(child));
        self.thread_mut(parent).last = last;
        // Threads that nothing takes over are kept for a redrive.
        if !kept {
            self.drop_children(moment, parent);
        }
    }

    fn is_handled(&self, id: ThreadId, falling: &Falling) -> bool {
        let current = self.current(id);
        self.retrier(id, falling).is_some()
            || current.state.catch.iter().any(|catcher| falling.is(&catcher.errors))
            || self.thread(id).parent.is_some_and(|(parent, _)| self.is_handled(parent, falling))
    }

    /// The first retrier that stands for the error, if it has attempts left.
    fn retrier(&self, id: ThreadId, falling: &Falling) -> Option<usize> {
        let current = self.current(id);
        let index = current.state.retry.iter().position(|retrier| falling.is(&retrier.errors))?;
        (current.retries[index] < current.state.retry[index].max_attempts).then_some(index)
    }

    fn retry(&mut self, moment: &mut Moment, id: ThreadId, falling: &Falling) -> bool {
        let Some(index) = self.retrier(id, falling) else { return false };
        let now = moment.millis();
        let state = Arc::clone(&self.current(id).state);
        let current = self.current_mut(id);
        let delay = delay(&state.retry[index], current.retries[index], &moment.rng);
        current.retries[index] += 1;
        current.retry_count += 1;
        current.phase = Phase::Backoff { until: now.saturating_add(delay) };
        true
    }

    fn caught(
        &mut self,
        moment: &mut Moment,
        id: ThreadId,
        state: &State,
        catcher: &Catcher,
        failure: &Failure,
    ) -> Result<(), Trouble> {
        let output = failure.output();
        let next = Transition::Next(catcher.next.clone());
        match state.language {
            Language::Jsonata => {
                let extra = Extra { error: Some(&output), ..Extra::default() };
                let leaving = Leaving { assign: &catcher.assign, output: catcher.output.as_ref(), next: &next, extra };
                self.leave(moment, id, state, None, leaving)
            }
            Language::JsonPath => {
                let extra = Extra { input: Some(&output), ..Extra::default() };
                let assigned: Vec<(String, Value)> = self.assigned(moment, id, extra, &catcher.assign)?;
                let combined = self.put_result(id, catcher.result_path.as_ref(), output.clone())?;
                self.exit(moment, id, Payload::new(combined), assigned, &next)
            }
        }
    }
}

/// Milliseconds before attempt `used + 1`.
fn delay(retrier: &Retrier, used: u64, rng: &crate::rng::Rng) -> i64 {
    let seconds = retrier.interval as f64 * retrier.backoff_rate.powf(used as f64);
    let seconds = retrier.max_delay.map_or(seconds, |most| seconds.min(most as f64));
    let seconds = if retrier.full_jitter { seconds * rng.fraction() } else { seconds };
    (seconds * 1000.0).min(1e15) as i64
}
