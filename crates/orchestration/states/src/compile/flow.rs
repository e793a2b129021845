//! Graphs: their states, where these lead, and whether all of them can be reached and end.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::Compiler;
use crate::definition::{Graph, Kind, State, Transition};

impl Compiler<'_> {
    pub(super) fn graph(&mut self, members: &Map<String, Value>, at: &str) -> Option<Arc<Graph>> {
        let missing: Vec<&str> =
            ["StartAt", "States"].into_iter().filter(|name| !members.contains_key(*name)).collect();
        if !missing.is_empty() {
            self.schema(format!("These fields are required: [{}]", missing.join(", ")), at);
            return None;
        }
        let start = self.string(members, "StartAt", at)?;
        let definitions = members.get("States").and_then(Value::as_object);
        let Some(definitions) = definitions.filter(|states| !states.is_empty()) else {
            self.schema("The field 'States' must be a non-empty object", &format!("{at}/States"));
            return None;
        };
        let known = |compiler: &Self| compiler.diagnostics.len();
        let before = known(self);
        let mut states = HashMap::new();
        for (name, definition) in definitions {
            if name.is_empty() || name.chars().count() > 80 {
                self.schema("State names must have 1 to 80 characters", &format!("{at}/States/{name}"));
            }
            if let Some(state) = self.state(name, definition, &format!("{at}/States/{name}")) {
                states.insert(name.clone(), Arc::new(state));
            }
        }
        // What the states lack says more than what follows from it.
        if states.len() == definitions.len() && known(self) == before {
            self.transitions(&start, &states, at);
        }
        Some(Arc::new(Graph { start, states }))
    }

    fn transitions(&mut self, start: &str, states: &HashMap<String, Arc<State>>, at: &str) {
        if !states.contains_key(start) {
            let message = format!("Missing 'Next' target: {start}");
            self.report("MISSING_TRANSITION_TARGET", message, Some(&format!("{at}/StartAt")));
        }
        let mut names: Vec<&String> = states.keys().collect();
        names.sort();
        for name in &names {
            for (target, place) in targets(&states[*name]) {
                if !states.contains_key(target) {
                    let message = format!("Missing 'Next' target: {target}");
                    self.report("MISSING_TRANSITION_TARGET", message, Some(&format!("{at}/States/{name}{place}")));
                }
            }
        }
        if !states.values().any(|state| ends(state)) {
            self.report("MISSING_END_STATE", "Workflow has no terminal state", None);
            return;
        }
        let reached = reachable(start, states);
        for name in names.into_iter().filter(|name| !reached.contains(name.as_str())) {
            let message = format!("State \"{name}\" is not reachable.");
            self.report("MISSING_TRANSITION_TARGET", message, Some(&format!("{at}/States/{name}")));
        }
    }

    /// Names are unique over the machine, branches and processors included.
    pub(super) fn unique_names(&mut self, root: &Graph) {
        fn walk(graph: &Graph, seen: &mut HashSet<String>, twice: &mut Vec<String>) {
            for (name, state) in &graph.states {
                if !seen.insert(name.clone()) {
                    twice.push(name.clone());
                }
                match &state.kind {
                    Kind::Parallel { branches } => branches.iter().for_each(|branch| walk(branch, seen, twice)),
                    Kind::Map(map) => walk(&map.processor, seen, twice),
                    _ => {}
                }
            }
        }
        let mut twice = Vec::new();
        walk(root, &mut HashSet::new(), &mut twice);
        twice.sort();
        for name in twice {
            self.report("DUPLICATE_STATE_NAME", format!("Duplicate state name: {name}"), Some("/"));
        }
    }
}

fn ends(state: &State) -> bool {
    match state.kind {
        Kind::Succeed | Kind::Fail { .. } => true,
        Kind::Choice { .. } => false,
        _ => state.next == Transition::End,
    }
}

/// Where a state leads, with the place that says so.
fn targets(state: &State) -> Vec<(&str, String)> {
    let mut targets = Vec::new();
    if let Transition::Next(next) = &state.next {
        targets.push((next.as_str(), "/Next".to_owned()));
    }
    for (index, catcher) in state.catch.iter().enumerate() {
        targets.push((catcher.next.as_str(), format!("/Catch[{index}]/Next")));
    }
    if let Kind::Choice { rules, default } = &state.kind {
        for (index, rule) in rules.iter().enumerate() {
            targets.push((rule.next.as_str(), format!("/Choices[{index}]/Next")));
        }
        targets.extend(default.as_deref().map(|default| (default, "/Default".to_owned())));
    }
    targets
}

fn reachable<'s>(start: &'s str, states: &'s HashMap<String, Arc<State>>) -> HashSet<&'s str> {
    let (mut reached, mut open) = (HashSet::new(), vec![start]);
    while let Some(name) = open.pop() {
        if reached.insert(name)
            && let Some(state) = states.get(name)
        {
            open.extend(targets(state).into_iter().map(|(target, _)| target));
        }
    }
    reached
}
