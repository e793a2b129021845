//! What expressions see: the input, the context object and the variables.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::failure::Trouble;
use crate::path::{JsonPath, NotFound, Root};
use crate::rng::Rng;

/// The variables of an execution, or of a branch or iteration with those around it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Variables {
    own: BTreeMap<String, Arc<Value>>,
    outer: Option<Arc<Variables>>,
}

impl Variables {
    /// No variables of its own; those of `outer` can be read.
    pub fn inside(outer: Arc<Self>) -> Self {
        Self { own: BTreeMap::new(), outer: Some(outer) }
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&Arc<Value>> {
        self.own.get(name).or_else(|| self.outer.as_ref()?.get(name))
    }

    /// Assigns all at once.
    pub fn assign(&mut self, assigned: impl IntoIterator<Item = (String, Value)>) {
        self.own.extend(assigned.into_iter().map(|(name, value)| (name, Arc::new(value))));
    }

    /// All that can be read, by name.
    pub fn visible(&self) -> BTreeMap<&str, &Value> {
        let mut all = self.outer.as_ref().map(|outer| outer.visible()).unwrap_or_default();
        all.extend(self.own.iter().map(|(name, value)| (name.as_str(), &**value)));
        all
    }
}

/// What a JSONPath field is evaluated in.
pub struct Scope<'a> {
    /// What `$` is.
    pub input: &'a Value,
    /// Makes what `$$` is.
    pub context: &'a dyn Fn() -> Value,
    /// What `$name` are.
    pub variables: &'a Variables,
    /// For functions that need chance.
    pub rng: &'a Rng,
}

impl<'a> Scope<'a> {
    /// The same scope with another `$`.
    pub(crate) fn with_input<'b>(&'b self, input: &'b Value) -> Scope<'b>
    where
        'a: 'b,
    {
        Scope { input, context: self.context, variables: self.variables, rng: self.rng }
    }

    pub(crate) fn find(&self, path: &JsonPath) -> Result<Value, NotFound> {
        match path.root() {
            Root::Input => path.get(self.input),
            Root::Context => path.get(&(self.context)()),
            Root::Variable(name) => match self.variables.get(name) {
                Some(value) => path.get(value),
                None => Err(NotFound::Leaf(format!("${name}"))),
            },
        }
    }

    pub(crate) fn exists(&self, path: &JsonPath) -> bool {
        match path.root() {
            Root::Input => path.exists(self.input),
            Root::Context => path.exists(&(self.context)()),
            Root::Variable(name) => self.variables.get(name).is_some_and(|value| path.exists(value)),
        }
    }

    /// A path in a payload template.
    pub(crate) fn path_in_field(&self, path: &JsonPath, field: &str) -> Result<Value, Trouble> {
        self.find(path).map_err(|_| {
            let searched = match path.root() {
                Root::Context => (self.context)().to_string(),
                _ => self.input.to_string(),
            };
            Trouble::runtime(format!(
                "The JSONPath '{path}' specified for the field '{field}' could not be found in the input '{searched}'"
            ))
        })
    }

    /// A path that is a field's whole value, such as `InputPath`.
    pub(crate) fn path(&self, path: &JsonPath) -> Result<Value, Trouble> {
        self.find(path).map_err(|missing| Trouble::runtime(format!("Invalid path '{path}' : {missing}")))
    }
}
