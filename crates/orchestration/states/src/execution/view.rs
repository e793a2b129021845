//! What a state's expressions see: the context object, and scopes and bindings around it.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use super::moment::Moment;
use super::{Current, Execution, Thread, ThreadId};
use crate::definition::{Kind, Language};
use crate::failure::Trouble;
use crate::jsonata::Bindings;
use crate::scope::Scope;
use crate::template::{Template, With};

/// What `$states` has beside the input.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Extra<'a> {
    pub(super) result: Option<&'a Value>,
    pub(super) error: Option<&'a Value>,
    /// What `$` is, if not the state's input (JSONPath).
    pub(super) input: Option<&'a Value>,
    pub(super) token: Option<&'a str>,
    pub(super) item: Option<(usize, &'a Value)>,
}

fn time(at: DateTime<Utc>) -> Value {
    at.to_rfc3339_opts(SecondsFormat::Millis, true).into()
}

impl Execution {
    pub(super) fn thread(&self, id: ThreadId) -> &Thread {
        self.threads.get(&id).expect("threads are only removed with everything that names them")
    }

    pub(super) fn thread_mut(&mut self, id: ThreadId) -> &mut Thread {
        self.threads.get_mut(&id).expect("threads are only removed with everything that names them")
    }

    pub(super) fn current(&self, id: ThreadId) -> &Current {
        self.thread(id).current.as_ref().expect("a running thread is in a state")
    }

    pub(super) fn current_mut(&mut self, id: ThreadId) -> &mut Current {
        self.thread_mut(id).current.as_mut().expect("a running thread is in a state")
    }

    /// The context object ("Accessing execution data from the Context object").
    pub(super) fn context(&self, id: ThreadId, extra: Extra<'_>) -> Value {
        if let Some(given) = &self.given_context {
            return given.clone();
        }
        let (about, current) = (&self.about, self.current(id));
        let mut context = json!({
            "Execution": {
                "Id": about.id,
                "Input": self.input.value(),
                "Name": about.name,
                "RoleArn": about.role,
                "StartTime": time(about.started),
            },
            "State": {
                "EnteredTime": time(current.entered_at),
                "Name": current.state.name,
            },
            "StateMachine": {"Id": about.machine_id, "Name": about.machine_name},
        });
        if about.redrivable {
            context["Execution"]["RedriveCount"] = self.redrives.into();
        }
        // Only states that can be retried count.
        if matches!(current.state.kind, Kind::Task(_) | Kind::Parallel { .. } | Kind::Map(_)) {
            context["State"]["RetryCount"] = current.retry_count.into();
        }
        if let Some(token) = extra.token {
            context["Task"] = json!({"Token": token});
        }
        let item = extra.item.map(|(index, value)| (index, value.clone()));
        if let Some((index, value)) = item.or_else(|| self.item(id)) {
            let mut item = Map::new();
            item.insert("Index".into(), index.into());
            item.insert("Value".into(), value);
            context["Map"] = json!({"Item": item});
        }
        context
    }

    /// The item of the iteration that the thread belongs to.
    fn item(&self, id: ThreadId) -> Option<(usize, Value)> {
        let thread = self.thread(id);
        match &thread.item {
            Some((index, value)) => Some((*index, (**value).clone())),
            None => self.item(thread.parent?.0),
        }
    }

    /// Runs `body` with a JSONPath scope.
    pub(super) fn with_scope<T>(
        &self,
        moment: &Moment,
        id: ThreadId,
        extra: Extra<'_>,
        body: impl FnOnce(&Scope<'_>) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let context = || self.context(id, extra);
        let thread = self.thread(id);
        let input = extra.input.unwrap_or_else(|| self.current(id).input.value());
        body(&Scope { input, context: &context, variables: &thread.variables, rng: &moment.rng })
    }

    /// Runs `body` with JSONata bindings.
    pub(super) fn with_bindings<T>(
        &self,
        moment: &Moment,
        id: ThreadId,
        extra: Extra<'_>,
        body: impl FnOnce(&Bindings<'_>) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let context = || self.context(id, extra);
        let thread = self.thread(id);
        body(&Bindings {
            input: self.current(id).input.value(),
            result: extra.result,
            error: extra.error,
            context: &context,
            variables: &thread.variables,
            rng: &moment.rng,
            now: moment.now,
        })
    }

    /// Evaluates a template in the state's language.
    pub(super) fn evaluate(
        &self,
        moment: &Moment,
        id: ThreadId,
        extra: Extra<'_>,
        template: &Template,
    ) -> Result<Value, Trouble> {
        match self.current(id).state.language {
            Language::JsonPath => self
                .with_scope(moment, id, extra, |scope| template.evaluate(&With::Path(scope.with_input(scope.input)))),
            Language::Jsonata => {
                self.with_bindings(moment, id, extra, |bindings| template.evaluate(&With::Jsonata(*bindings)))
            }
        }
    }
}
