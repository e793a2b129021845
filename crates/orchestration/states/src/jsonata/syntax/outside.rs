//! What an expression reads of the document around it. Step Functions gives it none: there is `$states` and there are
//! variables ("JSONata Restrictions" of the States language).

use super::{Call, Kind, Node, Pairs, Program, Stage, Term};

/// Every such reference, as AWS refuses it: in the order of the text, each once.
pub(in crate::jsonata) fn refusals(program: &Program) -> Vec<String> {
    let mut walk = Walk { found: Vec::new() };
    walk.node(&program.root, Place::Top);
    walk.found
}

/// Where a node stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// `$` is the document.
    Top,
    /// `$` is a value that an earlier step or the argument of a transform gave.
    Inside,
}

struct Walk {
    found: Vec<String>,
}

impl Walk {
    fn report(&mut self, message: String) {
        if !self.found.contains(&message) {
            self.found.push(message);
        }
    }

    fn node(&mut self, node: &Node, place: Place) {
        self.kind(&node.kind, place);
        self.nodes(&node.predicates, Place::Inside);
        for stage in &node.stages {
            if let Stage::Filter(predicate) = stage {
                self.node(predicate, Place::Inside);
            }
        }
        if let Some(pairs) = &node.group {
            self.pairs(pairs, Place::Inside);
        }
    }

    fn kind(&mut self, kind: &Kind, place: Place) {
        match kind {
            Kind::Variable(name) if &**name == "$" => self.report("Reference to '$$' is not supported.".into()),
            Kind::Variable(name) if name.is_empty() => self.at_top("$", place),
            Kind::Name(name) => self.at_top(name, place),
            Kind::Path(steps, _) => {
                if let Some((first, rest)) = steps.split_first() {
                    self.node(first, place);
                    self.nodes(rest, Place::Inside);
                }
            }
            Kind::Array(nodes) | Kind::Block(nodes) => self.nodes(nodes, place),
            Kind::Object(pairs) => self.pairs(pairs, place),
            Kind::Negate(of) | Kind::Bind(_, of) => self.node(of, place),
            Kind::Binary(_, left, right) | Kind::Apply(left, right) => {
                self.node(left, place);
                self.node(right, place);
            }
            Kind::Condition(condition, then, otherwise) => {
                self.node(condition, place);
                self.node(then, place);
                if let Some(otherwise) = otherwise {
                    self.node(otherwise, place);
                }
            }
            Kind::Call(call) | Kind::TailCall(call) => self.call(call, place),
            Kind::Partial(procedure, arguments) => {
                self.node(procedure, place);
                arguments.iter().flatten().for_each(|argument| self.node(argument, place));
            }
            // The body sees what is around the function, not what the function is called with.
            Kind::Lambda(lambda) => self.node(&lambda.body, place),
            Kind::Sort(terms) => terms.iter().for_each(|Term { key, .. }| self.node(key, Place::Inside)),
            Kind::Transform(transform) => {
                self.node(&transform.pattern, Place::Inside);
                self.node(&transform.update, Place::Inside);
                if let Some(delete) = &transform.delete {
                    self.node(delete, Place::Inside);
                }
            }
            Kind::Null
            | Kind::Bool(_)
            | Kind::Number(_)
            | Kind::Integer(_)
            | Kind::String(_)
            | Kind::Regex(_)
            | Kind::Variable(_)
            | Kind::Wildcard
            | Kind::Descendants
            | Kind::Parent(_) => {}
        }
    }

    fn at_top(&mut self, name: &str, place: Place) {
        if place == Place::Top {
            self.report(format!("Reference to '{name}' at the top level is not supported."));
        }
    }

    fn nodes(&mut self, nodes: &[Node], place: Place) {
        nodes.iter().for_each(|node| self.node(node, place));
    }

    fn pairs(&mut self, pairs: &Pairs, place: Place) {
        for (key, value) in pairs {
            self.node(key, place);
            self.node(value, place);
        }
    }

    fn call(&mut self, call: &Call, place: Place) {
        self.node(&call.procedure, place);
        self.nodes(&call.arguments, place);
    }
}
