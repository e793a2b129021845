//! Evaluation of the syntax tree, as the reference implementation (jsonata 2.0.6) defines it.

mod calls;
mod frame;
mod group;
mod operators;
mod path;
mod sort;
mod transform;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;

use super::functions::Builtin;
use super::syntax::{Kind, Name, Node, Operator, Program};
use super::value::{Function, List, Object, Val};
use super::{Bindings, Outcome};

pub(super) use calls::arity;
pub(super) use frame::Frame;
pub(super) use operators::{append, numeric};
pub(super) use path::lookup;
pub(super) use sort::merge_sort;
pub(super) use transform::copied;

/// Nested evaluations, as many as Step Functions allows.
const MAX_DEPTH: usize = 100;
/// Evaluations of nodes that one expression may take.
const MAX_WORK: u64 = if cfg!(test) { 200_000 } else { 10_000_000 };
/// Bytes of one value, as Step Functions counts them: 8 for a number, 1 for a character.
const MAX_VALUE: usize = 6_990_506;
/// Bytes of all values that an expression makes, whether or not they are still needed.
const MAX_BUILT: usize = if cfg!(test) { 16 } else { 512 } * 1024 * 1024;

pub(super) type Result<T = Val> = std::result::Result<T, String>;

pub(super) struct Evaluator<'a> {
    pub(super) bindings: Bindings<'a>,
    parents: &'a [Name],
    work: Cell<u64>,
    depth: Cell<usize>,
    built: Cell<usize>,
    /// Arrays and objects of the bindings that were converted, by where they are.
    converted: RefCell<HashMap<*const Value, Val>>,
    /// `$states.context`, made once.
    context: RefCell<Option<Val>>,
}

/// Evaluates; `input` is what `$` and `$$` are.
pub(super) fn run(program: &Program, bindings: &Bindings<'_>, input: Val) -> Result<Outcome> {
    let evaluator = Evaluator {
        bindings: *bindings,
        parents: &program.parents,
        work: Cell::new(0),
        depth: Cell::new(0),
        built: Cell::new(0),
        converted: RefCell::default(),
        context: RefCell::default(),
    };
    let frame = Rc::new(Frame::default());
    frame.bind(&Name::from("$"), input.clone());
    let input = match input {
        Val::Array(_) => Val::Array(List { wrapper: true, ..List::sequence(vec![input]) }),
        other => other,
    };
    let value = evaluator.evaluate(&program.root, &input, &frame)?;
    Ok(match value.to_json() {
        Some(value) => Outcome::Value(value),
        None if value.is_undefined() => Outcome::Undefined,
        None => Outcome::Function,
    })
}

impl Evaluator<'_> {
    pub(super) fn evaluate(&self, node: &Node, input: &Val, frame: &Rc<Frame>) -> Result {
        self.tick()?;
        self.depth.set(self.depth.get() + 1);
        let value = stacker::maybe_grow(128 * 1024, 1024 * 1024, || self.node(node, input, frame));
        self.depth.set(self.depth.get() - 1);
        value.map(Val::unwrapped)
    }

    /// Counts a step, and what is nested in what.
    pub(super) fn tick(&self) -> Result<()> {
        self.work.set(self.work.get() + 1);
        if self.work.get() > MAX_WORK {
            return Err("Expression evaluation timeout: Check for infinite loop".into());
        }
        if self.depth.get() >= MAX_DEPTH {
            return Err("Stack overflow error: Check for non-terminating recursive function. \
                        Consider rewriting as tail-recursive"
                .into());
        }
        Ok(())
    }

    /// Counts the bytes of a value that is made.
    pub(super) fn charge(&self, bytes: usize) -> Result<()> {
        self.built.set(self.built.get().saturating_add(bytes));
        if bytes > MAX_VALUE || self.built.get() > MAX_BUILT {
            return Err(too_much());
        }
        Ok(())
    }

    fn node(&self, node: &Node, input: &Val, frame: &Rc<Frame>) -> Result {
        if let Kind::Path(steps, keep) = &node.kind {
            return self.path(node, steps, *keep, input, frame);
        }
        let mut value = self.kind(node, input, frame)?;
        for predicate in &node.predicates {
            value = self.filter(predicate, value, frame)?;
        }
        if let Some(pairs) = &node.group {
            value = self.group(pairs, value, frame)?;
        }
        match value {
            Val::Array(list) if node.keep && list.sequence => Ok(Val::Array(List { keep: true, ..list })),
            other => Ok(other),
        }
    }

    fn kind(&self, node: &Node, input: &Val, frame: &Rc<Frame>) -> Result {
        Ok(match &node.kind {
            Kind::Null => Val::Null,
            Kind::Bool(value) => Val::Bool(*value),
            Kind::Number(number) => Val::Number(*number),
            Kind::Integer(integer) => Val::Integer(*integer),
            Kind::String(text) => Val::text(&**text),
            Kind::Regex(pattern) => Val::function(Function::Regex(pattern.clone())),
            Kind::Variable(name) => self.variable(name, input, frame),
            Kind::Name(name) => lookup(input, name),
            Kind::Wildcard => path::wildcard(input),
            Kind::Descendants => path::descendants(input),
            Kind::Parent(slot) => frame.get(&self.parents[*slot]).unwrap_or(Val::Undefined),
            Kind::Path(steps, keep) => self.path(node, steps, *keep, input, frame)?,
            Kind::Array(items) => self.array(items, node.whole, input, frame)?,
            Kind::Object(pairs) => self.group(pairs, input.clone(), frame)?,
            Kind::Negate(of) => operators::negate(&self.evaluate(of, input, frame)?)?,
            Kind::Binary(operator, left, right) => self.binary(*operator, left, right, input, frame)?,
            Kind::Condition(condition, then, otherwise) => {
                let condition = self.evaluate(condition, input, frame)?;
                operators::numeric(&condition)?;
                if condition.truth() {
                    return self.evaluate(then, input, frame);
                }
                match otherwise {
                    Some(otherwise) => self.evaluate(otherwise, input, frame)?,
                    None => Val::Undefined,
                }
            }
            Kind::Block(expressions) => {
                let frame = Frame::inside(frame);
                let mut value = Val::Undefined;
                for expression in expressions {
                    value = self.evaluate(expression, input, &frame)?;
                }
                value
            }
            Kind::Bind(name, value) => {
                let value = self.evaluate(value, input, frame)?;
                frame.bind(name, value.clone());
                value
            }
            Kind::Call(call) => self.call_node(call, input, frame, None)?,
            Kind::TailCall(call) => Val::function(Function::Thunk(call.clone(), frame.clone(), input.clone())),
            Kind::Partial(procedure, arguments) => self.partial(procedure, arguments, input, frame)?,
            Kind::Lambda(lambda) => calls::closure(lambda, input, frame),
            Kind::Apply(left, right) => self.chain(left, right, input, frame)?,
            Kind::Sort(terms) => self.sort(input.clone(), terms, frame)?,
            Kind::Transform(transform) => Val::function(Function::Transform(transform.clone(), frame.clone())),
        })
    }

    fn array(&self, nodes: &[Node], whole: bool, input: &Val, frame: &Rc<Frame>) -> Result {
        let mut items = Vec::with_capacity(nodes.len());
        for node in nodes {
            match self.evaluate(node, input, frame)? {
                Val::Undefined => {}
                // Arrays that are written inside stay arrays, other arrays are spread.
                Val::Array(list) if !matches!(node.kind, Kind::Array(_)) => items.extend(list.items.iter().cloned()),
                value => items.push(value),
            }
        }
        self.charge(items.len() * 8)?;
        Ok(Val::Array(List { whole, ..List::plain(items) }))
    }

    fn variable(&self, name: &str, input: &Val, frame: &Rc<Frame>) -> Val {
        if name.is_empty() {
            return match input {
                Val::Array(list) if list.wrapper => list.items[0].clone(),
                other => other.clone(),
            };
        }
        if let Some(value) = frame.get(name) {
            return value;
        }
        if name == "states" {
            let members = ["input", "result", "errorOutput", "context"];
            let found = members.into_iter().filter_map(|member| Some((Rc::from(member), self.states(member)?)));
            return Val::object(found.collect::<Object>());
        }
        if let Some(value) = self.bindings.variables.get(name) {
            return self.convert(value);
        }
        match Builtin::named(name) {
            Some(builtin) => Val::function(Function::Builtin(builtin)),
            None => Val::Undefined,
        }
    }

    /// A member of `$states`: only what is used is converted.
    fn states(&self, member: &str) -> Option<Val> {
        if member == "context" {
            let mut made = self.context.borrow_mut();
            return Some(made.get_or_insert_with(|| Val::from(&(self.bindings.context)())).clone());
        }
        self.states_json(member).map(|value| self.convert(value))
    }

    fn states_json(&self, member: &str) -> Option<&Value> {
        match member {
            "input" => Some(self.bindings.input),
            "result" => self.bindings.result,
            "errorOutput" => self.bindings.error,
            _ => None,
        }
    }

    /// A part of the bindings as a value; the same part gives the same value.
    fn convert(&self, value: &Value) -> Val {
        if !matches!(value, Value::Array(_) | Value::Object(_)) {
            return Val::from(value);
        }
        self.converted.borrow_mut().entry(std::ptr::from_ref(value)).or_insert_with(|| Val::from(value)).clone()
    }
}

pub(super) fn too_much() -> String {
    "Expression evaluation memory limit exceeded: Check for excessive memory usage".into()
}

/// Whether `operator` decides without its right side.
fn decided(operator: Operator, left: &Val) -> Option<Val> {
    match operator {
        Operator::And if !left.truth() => Some(Val::Bool(false)),
        Operator::Or if left.truth() => Some(Val::Bool(true)),
        _ => None,
    }
}
