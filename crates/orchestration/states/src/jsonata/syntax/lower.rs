//! The tree as it is written → the tree that is evaluated: steps are joined to paths, bindings and predicates go to
//! their steps, every `%` finds its step, calls in tail position are marked.

use std::sync::Arc;

use super::ancestry::{Ancestry, slots_of, underivable};
use super::raw::{Raw, RawKind};
use super::{Call, Kind, Lambda, Name, Node, Pairs, Program, Stage, Term, Transform};

type Result<T = Node> = std::result::Result<T, String>;

pub(super) fn lower(raw: Raw) -> Result<Program> {
    let mut lowering = Lowering::default();
    let root = lowering.node(raw)?;
    if matches!(root.kind, Kind::Parent(_)) || !root.seeking.is_empty() {
        return Err(underivable());
    }
    Ok(Program { root, parents: lowering.ancestry.names() })
}

#[derive(Default)]
struct Lowering {
    ancestry: Ancestry,
}

/// Notes in `node` the unresolved `%` of one of its parts.
fn adopt(node: &mut Node, part: &Node) {
    node.seeking.extend(slots_of(part));
}

fn name(text: &str) -> Name {
    Arc::from(text)
}

impl Lowering {
    fn node(&mut self, raw: Raw) -> Result {
        let keep = raw.keep;
        let mut node = stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.kind(raw.kind, keep))?;
        node.keep |= keep;
        Ok(node)
    }

    fn kind(&mut self, kind: RawKind, keep: bool) -> Result {
        Ok(match kind {
            RawKind::End => return Err("S0207: Unexpected end of expression".into()),
            RawKind::Null => Node::new(Kind::Null),
            RawKind::Bool(value) => Node::new(Kind::Bool(value)),
            RawKind::Number(number) => Node::new(Kind::Number(number)),
            RawKind::Integer(integer) => Node::new(Kind::Integer(integer)),
            RawKind::String(text) => Node::new(Kind::String(name(&text))),
            RawKind::Regex(pattern) => Node::new(Kind::Regex(pattern)),
            RawKind::Variable(text) => Node::new(Kind::Variable(name(&text))),
            RawKind::Name(text) => {
                let mut step = Node::new(Kind::Name(name(&text)));
                step.keep = keep;
                Node::new(Kind::Path(vec![step], keep))
            }
            RawKind::Wildcard => Node::new(Kind::Wildcard),
            RawKind::Descendants => Node::new(Kind::Descendants),
            RawKind::Parent => Node::new(Kind::Parent(self.ancestry.slot())),
            RawKind::Dot(left, right) => self.dot(*left, *right)?,
            RawKind::Index(of, predicate) => self.index(*of, *predicate)?,
            RawKind::Group(of, pairs) => self.group(*of, pairs)?,
            RawKind::Sort(of, terms) => self.sort(*of, terms)?,
            RawKind::Focus(of, variable) => self.focus(*of, &variable, keep)?,
            RawKind::Position(of, variable) => self.position(*of, &variable)?,
            RawKind::Bind(variable, value) => {
                let value = self.node(*value)?;
                let slots = slots_of(&value);
                let mut node = Node::new(Kind::Bind(name(&variable), Box::new(value)));
                node.seeking = slots;
                node
            }
            RawKind::Apply(left, right) => {
                let (left, right) = (self.node(*left)?, self.node(*right)?);
                let keep = left.keep || right.keep;
                let mut node = Node::new(Kind::Apply(Box::new(left), Box::new(right)));
                node.keep = keep;
                node
            }
            RawKind::Binary(operator, left, right) => {
                let (left, right) = (self.node(*left)?, self.node(*right)?);
                let slots = slots_of(&left).into_iter().chain(slots_of(&right)).collect();
                let mut node = Node::new(Kind::Binary(operator, Box::new(left), Box::new(right)));
                node.seeking = slots;
                node
            }
            RawKind::Negate(of) => self.negate(*of)?,
            RawKind::Array(items) => self.array(items)?,
            RawKind::Object(pairs) => {
                let pairs = self.pairs(pairs)?;
                let mut node = Node::new(Kind::Null);
                for (key, value) in &pairs {
                    adopt(&mut node, key);
                    adopt(&mut node, value);
                }
                node.kind = Kind::Object(pairs);
                node
            }
            RawKind::Call(procedure, arguments) => self.call(*procedure, arguments)?,
            RawKind::Lambda(parameters, signature, body) => {
                let parameters = parameters.iter().map(|parameter| name(parameter)).collect();
                let body = tail(self.node(*body)?);
                Node::new(Kind::Lambda(Arc::new(Lambda { parameters, signature, body })))
            }
            RawKind::Condition(condition, then, otherwise) => {
                let (condition, then) = (self.node(*condition)?, self.node(*then)?);
                let otherwise = otherwise.map(|otherwise| self.node(*otherwise)).transpose()?;
                let mut slots = slots_of(&condition);
                slots.extend(slots_of(&then));
                slots.extend(otherwise.iter().flat_map(slots_of));
                let mut node = Node::new(Kind::Condition(Box::new(condition), Box::new(then), otherwise.map(Box::new)));
                node.seeking = slots;
                node
            }
            RawKind::Transform(pattern, update, delete) => {
                let (pattern, update) = (self.node(*pattern)?, self.node(*update)?);
                let delete = delete.map(|delete| self.node(*delete)).transpose()?;
                Node::new(Kind::Transform(Arc::new(Transform { pattern, update, delete })))
            }
            RawKind::Block(expressions) => self.block(expressions)?,
        })
    }

    fn dot(&mut self, left: Raw, right: Raw) -> Result {
        let left = self.node(left)?;
        let mut path = match left.kind {
            Kind::Path(..) => left,
            Kind::Parent(slot) => {
                let mut path = Node::path_of(left);
                path.seeking = vec![slot];
                path
            }
            _ => Node::path_of(left),
        };
        let mut right = self.node(right)?;
        let Kind::Path(steps, keep) = &mut path.kind else { return Ok(path) };
        match right.kind {
            Kind::Path(rest, _) => steps.extend(rest),
            _ => {
                right.stages.extend(right.predicates.drain(..).map(Stage::Filter));
                steps.push(right);
            }
        }
        for step in steps.iter_mut() {
            match &step.kind {
                Kind::Number(_) | Kind::Integer(_) | Kind::Bool(_) | Kind::Null => {
                    return Err("S0213: The literal value cannot be used as a step within a path expression".to_owned());
                }
                Kind::String(text) => step.kind = Kind::Name(text.clone()),
                _ => {}
            }
        }
        *keep |= steps.iter().any(|step| step.keep);
        let last = steps.len() - 1;
        for edge in [0, last] {
            steps[edge].whole |= matches!(steps[edge].kind, Kind::Array(_));
        }
        self.ancestry.resolve(&mut path)?;
        Ok(path)
    }

    fn index(&mut self, of: Raw, predicate: Raw) -> Result {
        let mut node = self.node(of)?;
        if last_step(&mut node).group.is_some() {
            return Err("S0209: A predicate cannot follow a grouping expression in a step".into());
        }
        let predicate = self.node(predicate)?;
        let in_path = matches!(node.kind, Kind::Path(..));
        let step = last_step(&mut node);
        if !predicate.seeking.is_empty() {
            self.ancestry.predicate(step, &predicate)?;
        }
        if in_path {
            step.stages.push(Stage::Filter(predicate));
        } else {
            step.predicates.push(predicate);
        }
        Ok(node)
    }

    fn group(&mut self, of: Raw, pairs: Vec<(Raw, Raw)>) -> Result {
        let mut node = self.node(of)?;
        if node.group.is_some() {
            return Err("S0210: Each step can only have one grouping expression".into());
        }
        node.group = Some(self.pairs(pairs)?);
        Ok(node)
    }

    fn pairs(&mut self, pairs: Vec<(Raw, Raw)>) -> Result<Pairs> {
        pairs.into_iter().map(|(key, value)| Ok((self.node(key)?, self.node(value)?))).collect()
    }

    fn sort(&mut self, of: Raw, terms: Vec<(bool, Raw)>) -> Result {
        let node = self.node(of)?;
        let mut path = if matches!(node.kind, Kind::Path(..)) { node } else { Node::path_of(node) };
        let mut sort = Node::new(Kind::Null);
        let mut keys = Vec::with_capacity(terms.len());
        for (descending, key) in terms {
            let key = self.node(key)?;
            adopt(&mut sort, &key);
            keys.push(Term { descending, key });
        }
        sort.kind = Kind::Sort(keys);
        if let Kind::Path(steps, _) = &mut path.kind {
            steps.push(sort);
        }
        self.ancestry.resolve(&mut path)?;
        Ok(path)
    }

    fn focus(&mut self, of: Raw, variable: &str, keep: bool) -> Result {
        let mut node = self.node(of)?;
        let step = last_step(&mut node);
        if !step.stages.is_empty() || !step.predicates.is_empty() {
            return Err("S0215: A context variable binding must precede any predicates on a step".into());
        }
        if matches!(step.kind, Kind::Sort(_)) {
            return Err("S0216: A context variable binding must precede the 'order-by' clause on a step".into());
        }
        step.keep |= keep;
        step.focus = Some(name(variable));
        step.tuple = true;
        Ok(node)
    }

    fn position(&mut self, of: Raw, variable: &str) -> Result {
        let mut node = self.node(of)?;
        if !matches!(node.kind, Kind::Path(..)) {
            node.stages.extend(node.predicates.drain(..).map(Stage::Filter));
            node = Node::path_of(node);
        }
        let step = last_step(&mut node);
        if step.stages.is_empty() {
            step.index = Some(name(variable));
        } else {
            step.stages.push(Stage::Index(name(variable)));
        }
        step.tuple = true;
        Ok(node)
    }

    fn negate(&mut self, of: Raw) -> Result {
        let mut of = self.node(of)?;
        match &mut of.kind {
            Kind::Number(number) => {
                *number = -*number;
                return Ok(of);
            }
            Kind::Integer(integer) => {
                *integer = -*integer;
                return Ok(of);
            }
            _ => {}
        }
        let slots = slots_of(&of);
        let mut node = Node::new(Kind::Negate(Box::new(of)));
        node.seeking = slots;
        Ok(node)
    }

    fn array(&mut self, items: Vec<Raw>) -> Result {
        let mut node = Node::new(Kind::Null);
        let mut lowered = Vec::with_capacity(items.len());
        for item in items {
            let item = self.node(item)?;
            adopt(&mut node, &item);
            lowered.push(item);
        }
        node.kind = Kind::Array(lowered);
        Ok(node)
    }

    fn call(&mut self, procedure: Raw, arguments: Vec<Option<Raw>>) -> Result {
        let mut slots = Vec::new();
        let mut lowered = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let argument = argument.map(|argument| self.node(argument)).transpose()?;
            slots.extend(argument.iter().flat_map(slots_of));
            lowered.push(argument);
        }
        let procedure = self.node(procedure)?;
        let kind = if lowered.iter().all(Option::is_some) {
            Kind::Call(Arc::new(Call { procedure, arguments: lowered.into_iter().flatten().collect() }))
        } else {
            Kind::Partial(Box::new(procedure), lowered)
        };
        let mut node = Node::new(kind);
        node.seeking = slots;
        Ok(node)
    }

    fn block(&mut self, expressions: Vec<Raw>) -> Result {
        let mut node = Node::new(Kind::Null);
        let mut lowered = Vec::with_capacity(expressions.len());
        for expression in expressions {
            let expression = self.node(expression)?;
            adopt(&mut node, &expression);
            node.whole |= expression.whole
                || matches!(&expression.kind, Kind::Path(steps, _) if steps.first().is_some_and(|step| step.whole));
            lowered.push(expression);
        }
        node.kind = Kind::Block(lowered);
        Ok(node)
    }
}

/// The last step of a path, or the node itself.
fn last_step(node: &mut Node) -> &mut Node {
    if !matches!(node.kind, Kind::Path(..)) {
        return node;
    }
    match &mut node.kind {
        Kind::Path(steps, _) => steps.last_mut().expect("paths have steps"),
        _ => unreachable!("the node is a path"),
    }
}

/// Marks the calls that a function ends with.
fn tail(mut node: Node) -> Node {
    if matches!(node.kind, Kind::Call(_)) && node.predicates.is_empty() {
        // The reference forgets a grouping here.
        node.group = None;
        node.keep = false;
    }
    node.kind = match node.kind {
        Kind::Call(call) if node.predicates.is_empty() => Kind::TailCall(call),
        Kind::Condition(condition, then, otherwise) => {
            Kind::Condition(condition, Box::new(tail(*then)), otherwise.map(|otherwise| Box::new(tail(*otherwise))))
        }
        Kind::Block(mut expressions) => {
            if let Some(last) = expressions.pop() {
                expressions.push(tail(last));
            }
            Kind::Block(expressions)
        }
        other => other,
    };
    node
}
