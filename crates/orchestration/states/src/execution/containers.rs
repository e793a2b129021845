//! Parallel and Map: threads within threads.

use std::sync::Arc;

use serde_json::Value;

use super::moment::Moment;
use super::view::Extra;
use super::{Action, Children, Execution, Phase, Status, ThreadId};
use crate::definition::{Graph, Items, Kind, Language, MapState, State};
use crate::failure::{Evaluation, Trouble, names};
use crate::history::{Details, EventType, Payload};
use crate::path::Root;
use crate::scope::Variables;

/// Iterations of an inline Map that run at once at most.
const MAX_INLINE_CONCURRENCY: usize = 40;

impl Execution {
    pub(super) fn start_branches(
        &mut self,
        moment: &mut Moment,
        id: ThreadId,
        state: &State,
        branches: &[Arc<Graph>],
    ) -> Result<(), Trouble> {
        let input = Payload::new(self.arguments(moment, id, state)?);
        let started = self.tell(moment, id, EventType::ParallelStateStarted, Details::default());
        let outer = Arc::new(self.thread(id).variables.clone());
        let mut running = Vec::with_capacity(branches.len());
        for (index, branch) in branches.iter().enumerate() {
            let variables = Variables::inside(Arc::clone(&outer));
            let child = self.spawn(Some((id, index)), Arc::clone(branch), variables, started, None);
            running.push(child);
            self.ready.push_back((child, Action::Enter(branch.start.clone(), input.clone())));
        }
        self.current_mut(id).phase = Phase::Children(Box::new(Children {
            results: vec![None; branches.len()],
            pending: branches.len(),
            items: Vec::new(),
            next: 0,
            running,
        }));
        Ok(())
    }

    pub(super) fn start_map(
        &mut self,
        moment: &mut Moment,
        id: ThreadId,
        state: &State,
        map: &MapState,
    ) -> Result<(), Trouble> {
        let items = self.items(moment, id, state, map)?;
        let limit = match &map.max_concurrency {
            Some(amount) => self.amount(moment, id, amount)?,
            None => 0,
        };
        let limit = if limit == 0 { MAX_INLINE_CONCURRENCY } else { usize::try_from(limit).unwrap_or(usize::MAX) };
        let length = items.len();
        self.tell(moment, id, EventType::MapStateStarted, Details { length: Some(length), ..Details::default() });
        self.current_mut(id).phase = Phase::Children(Box::new(Children {
            results: vec![None; length],
            pending: length,
            items: items.into_iter().map(Arc::new).collect(),
            next: 0,
            running: Vec::new(),
        }));
        if length == 0 {
            return self.container_done(moment, id);
        }
        let started = self.thread(id).last;
        for _ in 0..limit.min(MAX_INLINE_CONCURRENCY).min(length) {
            self.start_iteration(moment, id, started)?;
        }
        Ok(())
    }

    fn items(&self, moment: &Moment, id: ThreadId, state: &State, map: &MapState) -> Result<Vec<Value>, Trouble> {
        let jsonata = state.language == Language::Jsonata;
        let (items, path) = match &map.items {
            Items::Input if jsonata => (self.current(id).input.value().clone(), None),
            Items::Input => (self.effective_input(moment, id, state)?, None),
            Items::Path(path) => {
                let input = self.effective_input(moment, id, state)?;
                let extra = Extra { input: Some(&input), ..Extra::default() };
                (self.with_scope(moment, id, extra, |scope| scope.path(path))?, Some(path))
            }
            Items::Jsonata(query) => {
                let items =
                    self.with_bindings(moment, id, Extra::default(), |bindings| query.evaluate_as(bindings, "array"))?;
                (items, None)
            }
            Items::Template(template) => (self.evaluate(moment, id, Extra::default(), template)?, None),
        };
        match items {
            Value::Array(items) => Ok(items),
            other if jsonata => Err(Trouble {
                evaluation: Some(Evaluation { location: None, of_value: false }),
                ..Trouble::new(
                    names::QUERY_EVALUATION_ERROR,
                    format!("Map state input must be an array but was: {other}"),
                )
            }),
            _ => {
                let shown = match path {
                    Some(path) if *path.root() != Root::Context => path.to_string(),
                    _ => "$".to_owned(),
                };
                Err(Trouble::runtime(format!("Reference path \"{shown}\" must point to array.")))
            }
        }
    }

    fn start_iteration(&mut self, moment: &mut Moment, id: ThreadId, previous: u64) -> Result<(), Trouble> {
        let state = Arc::clone(&self.current(id).state);
        let (Kind::Map(map), Phase::Children(children)) = (&state.kind, &mut self.current_mut(id).phase) else {
            return Ok(());
        };
        let index = children.next;
        let Some(item) = children.items.get(index).map(Arc::clone) else { return Ok(()) };
        children.next += 1;
        let input = match &map.selector {
            None => (*item).clone(),
            Some(template) => {
                let effective = match state.language {
                    Language::JsonPath => Some(self.effective_input(moment, id, &state)?),
                    Language::Jsonata => None,
                };
                let extra = Extra { input: effective.as_ref(), item: Some((index, &item)), ..Extra::default() };
                self.evaluate(moment, id, extra, template)?
            }
        };
        let details = Details { index: Some(index), name: Some(state.name.clone()), ..Details::default() };
        let started = self.emit(moment, EventType::MapIterationStarted, previous, details);
        let variables = Variables::inside(Arc::new(self.thread(id).variables.clone()));
        let child = self.spawn(Some((id, index)), Arc::clone(&map.processor), variables, started, Some((index, item)));
        if let Phase::Children(children) = &mut self.current_mut(id).phase {
            children.running.push(child);
        }
        let start = map.processor.start.clone();
        self.ready.push_back((child, Action::Enter(start, Payload::new(input))));
        Ok(())
    }

    /// A thread has come to its end.
    pub(super) fn ended(&mut self, moment: &mut Moment, id: ThreadId, output: Payload) {
        let Some((parent, index)) = self.thread(id).parent else {
            return self.finish(moment, Status::Succeeded(output.text()));
        };
        let last = self.thread(id).last;
        self.threads.remove(&id);
        let state = Arc::clone(&self.current(parent).state);
        let Phase::Children(children) = &mut self.current_mut(parent).phase else { return };
        children.results[index] = Some(output.value().clone());
        children.pending -= 1;
        children.running.retain(|child| *child != id);
        let done = children.pending == 0;
        self.thread_mut(parent).last = last;
        let outcome = if matches!(state.kind, Kind::Map(_)) {
            let details = Details { index: Some(index), name: Some(state.name.clone()), ..Details::default() };
            self.tell(moment, parent, EventType::MapIterationSucceeded, details);
            if done { self.container_done(moment, parent) } else { self.start_iteration(moment, parent, last) }
        } else if done {
            self.container_done(moment, parent)
        } else {
            Ok(())
        };
        if let Err(trouble) = outcome {
            self.drop_children(moment, parent);
            self.trouble(moment, parent, trouble);
        }
    }

    fn container_done(&mut self, moment: &mut Moment, id: ThreadId) -> Result<(), Trouble> {
        let state = Arc::clone(&self.current(id).state);
        let map = matches!(state.kind, Kind::Map(_));
        let kind = if map { EventType::MapStateSucceeded } else { EventType::ParallelStateSucceeded };
        let previous = self.thread(id).last;
        // The exit follows from the same event as the success.
        self.emit(moment, kind, previous, Details::default());
        let phase = std::mem::replace(&mut self.current_mut(id).phase, Phase::Ready);
        let Phase::Children(children) = phase else { return Ok(()) };
        let results = children.results.into_iter().map(Option::unwrap_or_default).collect();
        self.complete(moment, id, Some(Value::Array(results)))
    }

    /// Ends what runs below a container and forgets it.
    pub(super) fn drop_children(&mut self, moment: &mut Moment, id: ThreadId) {
        let phase = std::mem::replace(&mut self.current_mut(id).phase, Phase::Ready);
        let Phase::Children(children) = phase else { return };
        for child in children.running {
            let Some(current) = self.threads.get(&child).and_then(|thread| thread.current.as_ref()) else {
                self.threads.remove(&child);
                continue;
            };
            if let Some(running) = current.running() {
                moment.commands.push(super::Command::Cancel(Arc::clone(&running.call), running.submitted.clone()));
            }
            if current.has_children() {
                self.drop_children(moment, child);
            }
            self.threads.remove(&child);
        }
        let threads = &self.threads;
        self.ready.retain(|(thread, _)| threads.contains_key(thread));
    }

    /// Tells of everything below a container that its failure ends. `failed` is the child that failed.
    pub(super) fn tell_aborted(&mut self, moment: &mut Moment, id: ThreadId, failed: Option<ThreadId>) {
        let Phase::Children(children) = &self.current(id).phase else { return };
        let map = matches!(self.current(id).state.kind, Kind::Map(_));
        let name = self.current(id).state.name.clone();
        for child in children.running.clone() {
            let Some(thread) = self.threads.get(&child) else { continue };
            let (last, index) = (thread.last, thread.parent.map(|(_, index)| index));
            let kind = thread.current.as_ref().map(|current| {
                (
                    current.has_children(),
                    match &current.state.kind {
                        Kind::Task(_) => Some(EventType::TaskStateAborted),
                        Kind::Wait(_) => Some(EventType::WaitStateAborted),
                        Kind::Parallel { .. } => Some(EventType::ParallelStateAborted),
                        Kind::Map(_) => Some(EventType::MapStateAborted),
                        _ => None,
                    },
                )
            });
            // A failing iteration has been told of; a failing branch's task is told of as ended.
            let told = failed == Some(child) && map;
            if let Some((nested, Some(kind))) = kind.filter(|_| !told) {
                if nested && failed != Some(child) {
                    self.tell_aborted(moment, child, None);
                }
                let is_container = matches!(kind, EventType::ParallelStateAborted | EventType::MapStateAborted);
                if !(failed == Some(child) && is_container) {
                    self.emit(moment, kind, last, Details::default());
                }
            }
            if map && failed != Some(child) {
                let details = Details { index, name: Some(name.clone()), ..Details::default() };
                self.emit(moment, EventType::MapIterationAborted, last, details);
            }
        }
    }
}
