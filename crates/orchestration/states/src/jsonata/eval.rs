//! Evaluation of the syntax tree, as the reference implementation defines it.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::functions::{self, Builtin};
use super::parser::{Binary, Node, Stage, Step};
use super::value::{Function, List, Val, number_text};
use super::{Bindings, Outcome};

/// Evaluations of nodes that one expression may take: an expression without end is ended.
const MAX_WORK: u64 = 10_000_000;
/// Nested evaluations.
const MAX_DEPTH: usize = 5_000;
/// Items that `[a..b]` makes at most.
const MAX_RANGE: f64 = 1e6;

pub(super) type Result<T = Val> = std::result::Result<T, String>;

/// Variables of a block or a function call.
#[derive(Debug, Default)]
pub(super) struct Frame {
    names: RefCell<HashMap<String, Val>>,
    outer: Option<Rc<Frame>>,
}

impl Frame {
    fn inside(outer: &Rc<Self>) -> Rc<Self> {
        Rc::new(Self { names: RefCell::default(), outer: Some(Rc::clone(outer)) })
    }

    fn bind(&self, name: &str, value: Val) {
        self.names.borrow_mut().insert(name.to_owned(), value);
    }

    fn get(&self, name: &str) -> Option<Val> {
        let own = self.names.borrow().get(name).cloned();
        own.or_else(|| self.outer.as_ref()?.get(name))
    }
}

pub(super) struct Evaluator<'a> {
    pub(super) bindings: Bindings<'a>,
    work: Cell<u64>,
    depth: Cell<usize>,
}

pub(super) fn run(root: &Node, bindings: &Bindings<'_>) -> Result<Outcome> {
    let evaluator = Evaluator { bindings: *bindings, work: Cell::new(0), depth: Cell::new(0) };
    let value = evaluator.evaluate(root, &Val::Undefined, &Rc::new(Frame::default()))?;
    Ok(match value.to_json() {
        _ if value.is_function() => Outcome::Function,
        Some(value) => Outcome::Value(value),
        None => Outcome::Undefined,
    })
}

impl Evaluator<'_> {
    pub(super) fn evaluate(&self, node: &Node, input: &Val, frame: &Rc<Frame>) -> Result {
        self.work.set(self.work.get() + 1);
        if self.work.get() > MAX_WORK {
            return Err("D1012: Expression evaluation timeout: Check for infinite loop".into());
        }
        if self.depth.get() > MAX_DEPTH {
            return Err("D1011: Stack overflow error: Check for non-terminating recursive function".into());
        }
        self.depth.set(self.depth.get() + 1);
        let value = stacker::maybe_grow(128 * 1024, 2 * 1024 * 1024, || self.node(node, input, frame));
        self.depth.set(self.depth.get() - 1);
        value.map(Val::unwrapped)
    }

    fn node(&self, node: &Node, input: &Val, frame: &Rc<Frame>) -> Result {
        Ok(match node {
            Node::Null => Val::Null,
            Node::Bool(value) => Val::Bool(*value),
            Node::Number(number) => Val::Number(*number),
            Node::String(text) => Val::text(text.as_str()),
            Node::Regex(regex) => Val::Regex(Rc::new(regex.clone())),
            Node::Variable(name) => self.variable(name, input, frame),
            Node::Name(name) => lookup(input, name),
            Node::Wildcard => wildcard(input),
            Node::Descendants => {
                let mut found = Vec::new();
                descend(input, &mut found);
                Val::sequence(found)
            }
            Node::Path { steps, keep } => self.path(steps, *keep, input, frame)?,
            Node::Array(items) => self.array(items, input, frame)?,
            Node::Range(from, to) => self.range(from, to, input, frame)?,
            Node::Object(pairs) => self.group(pairs, input.clone(), frame)?,
            Node::Group(of, pairs) => {
                let value = self.evaluate(of, input, frame)?;
                if value.is_undefined() { Val::Undefined } else { self.group(pairs, value, frame)? }
            }
            Node::Filter { of, stages, keep } => {
                let value = self.stages(self.evaluate(of, input, frame)?, stages, frame)?;
                if *keep { kept(value) } else { value }
            }
            Node::Negate(of) => match self.evaluate(of, input, frame)? {
                Val::Undefined => Val::Undefined,
                Val::Number(number) => Val::Number(-number),
                other => return Err(format!("D1002: Cannot negate a non-numeric value: {}", shown(&other))),
            },
            Node::Binary(operator, left, right) => self.binary(*operator, left, right, input, frame)?,
            Node::Condition(condition, then, otherwise) => {
                if self.evaluate(condition, input, frame)?.truth() {
                    self.evaluate(then, input, frame)?
                } else {
                    match otherwise {
                        Some(otherwise) => self.evaluate(otherwise, input, frame)?,
                        None => Val::Undefined,
                    }
                }
            }
            Node::Default(left, right) => {
                let value = self.evaluate(left, input, frame)?;
                if value.truth() { value } else { self.evaluate(right, input, frame)? }
            }
            Node::Coalesce(left, right) => {
                let value = self.evaluate(left, input, frame)?;
                if value.is_undefined() { self.evaluate(right, input, frame)? } else { value }
            }
            Node::Bind(name, value) => {
                let value = self.evaluate(value, input, frame)?;
                frame.bind(name, value.clone());
                value
            }
            Node::Block(expressions) => {
                let frame = Frame::inside(frame);
                let mut value = Val::Undefined;
                for expression in expressions {
                    value = self.evaluate(expression, input, &frame)?;
                }
                value
            }
            Node::Lambda { parameters, body } => Val::Function(Rc::new(Function::Lambda {
                parameters: parameters.clone(),
                body: body.clone(),
                frame: Rc::clone(frame),
                input: input.clone(),
            })),
            Node::Call(function, arguments) => {
                let function = self.function(function, input, frame)?;
                let arguments = arguments.iter().map(|argument| self.evaluate(argument, input, frame));
                let arguments = arguments.collect::<Result<Vec<_>>>()?;
                self.call(&function, arguments, input)?
            }
            Node::Partial(function, arguments) => {
                let of = self.function(function, input, frame)?;
                let evaluated = arguments
                    .iter()
                    .map(|argument| argument.as_ref().map(|node| self.evaluate(node, input, frame)).transpose());
                Val::Function(Rc::new(Function::Partial { of, arguments: evaluated.collect::<Result<_>>()? }))
            }
            Node::Apply(left, right) => self.apply(left, right, input, frame)?,
            Node::Sort(terms) => self.sort(input.items(), terms, frame)?,
            Node::Transform { pattern, update, delete } => Val::Function(Rc::new(Function::Transform {
                pattern: pattern.clone(),
                update: update.clone(),
                delete: delete.clone(),
                frame: Rc::clone(frame),
            })),
        })
    }

    fn variable(&self, name: &str, input: &Val, frame: &Rc<Frame>) -> Val {
        if name.is_empty() {
            return input.clone();
        }
        if let Some(value) = frame.get(name) {
            return value;
        }
        if name == "states" {
            let members = ["input", "result", "errorOutput", "context"];
            let found = members.into_iter().filter_map(|member| Some((member.to_owned(), self.states(member)?)));
            return Val::object(found.collect());
        }
        if let Some(value) = self.bindings.variables.get(name) {
            return Val::from(&**value);
        }
        match Builtin::named(name) {
            Some(builtin) => Val::Function(Rc::new(Function::Builtin(builtin))),
            None => Val::Undefined,
        }
    }

    /// A member of `$states`: only what is used is converted.
    fn states(&self, member: &str) -> Option<Val> {
        match member {
            "input" => Some(Val::from(self.bindings.input)),
            "result" => self.bindings.result.map(Val::from),
            "errorOutput" => self.bindings.error.map(Val::from),
            "context" => Some(Val::from(&(self.bindings.context)())),
            _ => None,
        }
    }

    fn path(&self, steps: &[Step], keep: bool, input: &Val, frame: &Rc<Frame>) -> Result {
        let mut current = match (input, steps.first().map(|step| &step.node)) {
            (Val::Array(list), Some(node)) if !matches!(node, Node::Variable(_)) => (*list.items).clone(),
            // Names of nothing are nothing, but `$x` and functions need no input.
            (other, _) => vec![other.clone()],
        };
        let mut from = 0;
        if let [Step { node: Node::Variable(variable), stages }, Step { node: Node::Name(member), stages: after }, ..] =
            steps
            && variable == "states"
            && stages.is_empty()
            && frame.get("states").is_none()
        {
            let value = self.states(member).unwrap_or(Val::Undefined);
            let value = self.stages(value, after, frame)?;
            let whole = steps.len() == 2;
            if whole {
                return Ok(if keep { kept(value) } else { value });
            }
            current = value.items();
            from = 2;
        }
        let mut value = Val::sequence(current.clone());
        for (position, step) in steps.iter().enumerate().skip(from) {
            let last = position + 1 == steps.len();
            value = self.step(step, current, (position == 0 || last, last), frame)?;
            current = value.items();
            if current.is_empty() {
                break;
            }
        }
        Ok(if keep { kept(value) } else { value })
    }

    fn step(&self, step: &Step, input: Vec<Val>, (edge, last): (bool, bool), frame: &Rc<Frame>) -> Result {
        if let Node::Sort(terms) = &step.node {
            let sorted = self.sort(input, terms, frame)?;
            return self.stages(sorted, &step.stages, frame);
        }
        let whole = edge && matches!(step.node, Node::Array(_));
        let mut found = Vec::with_capacity(input.len());
        for item in &input {
            let value = self.evaluate(&step.node, item, frame)?;
            let value = self.stages(value, &step.stages, frame)?;
            match value {
                Val::Undefined => {}
                Val::Array(list) if whole => found.push(Val::Array(List { whole: true, ..list })),
                value => found.push(value),
            }
        }
        if last
            && let [Val::Array(list)] = found.as_slice()
            && !list.sequence
        {
            return Ok(found.remove(0));
        }
        let mut flat = Vec::with_capacity(found.len());
        for value in found {
            match value {
                Val::Array(list) if !list.whole => flat.extend(list.items.iter().cloned()),
                other => flat.push(other),
            }
        }
        Ok(Val::sequence(flat))
    }

    fn stages(&self, value: Val, stages: &[Stage], frame: &Rc<Frame>) -> Result {
        let mut value = value;
        for stage in stages {
            value = match stage {
                Stage::Index(index) => {
                    let items = value.items();
                    match position(*index, items.len()).map(|at| items[at].clone()) {
                        Some(Val::Array(list)) => Val::Array(list),
                        Some(item) => item,
                        None => Val::Undefined,
                    }
                }
                Stage::Predicate(predicate) => self.filter(&value.items(), predicate, frame)?,
            };
        }
        Ok(value)
    }

    fn filter(&self, items: &[Val], predicate: &Node, frame: &Rc<Frame>) -> Result {
        let mut found = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let value = self.evaluate(predicate, item, frame)?;
            let picked = match &value {
                Val::Number(index) => position(*index, items.len()) == Some(at),
                Val::Array(list)
                    if !list.items.is_empty() && list.items.iter().all(|i| matches!(i, Val::Number(_))) =>
                {
                    list.items.iter().any(|index| match index {
                        Val::Number(index) => position(*index, items.len()) == Some(at),
                        _ => false,
                    })
                }
                other => other.truth(),
            };
            if picked {
                found.push(item.clone());
            }
        }
        Ok(Val::sequence(found).unwrapped())
    }

    fn array(&self, nodes: &[Node], input: &Val, frame: &Rc<Frame>) -> Result {
        let mut items = Vec::with_capacity(nodes.len());
        for node in nodes {
            match self.evaluate(node, input, frame)? {
                Val::Undefined => {}
                // Arrays that are written inside stay arrays, other arrays are spread.
                Val::Array(list) if !matches!(node, Node::Array(_)) => items.extend(list.items.iter().cloned()),
                value => items.push(value),
            }
        }
        Ok(Val::array(items))
    }

    fn range(&self, from: &Node, to: &Node, input: &Val, frame: &Rc<Frame>) -> Result {
        let (from, to) = (self.evaluate(from, input, frame)?, self.evaluate(to, input, frame)?);
        let whole = |value: &Val, code: &str, side: &str| match value {
            Val::Undefined => Ok(None),
            Val::Number(number) if number.fract() == 0.0 => Ok(Some(*number)),
            _ => Err(format!("{code}: The {side} side of the range operator (..) must evaluate to an integer")),
        };
        let (from, to) = (whole(&from, "T2003", "left")?, whole(&to, "T2004", "right")?);
        let (Some(from), Some(to)) = (from, to) else { return Ok(Val::Undefined) };
        if from > to {
            return Ok(Val::Undefined);
        }
        if to - from + 1.0 > MAX_RANGE {
            return Err(format!(
                "D2014: The size of the sequence allocated by the range operator (..) must not exceed {MAX_RANGE}"
            ));
        }
        let items = (from as i64..=to as i64).map(|number| Val::Number(number as f64)).collect();
        Ok(Val::Array(List { items: Rc::new(items), sequence: true, keep: true, whole: false }))
    }

    fn group(&self, pairs: &[(Node, Node)], input: Val, frame: &Rc<Frame>) -> Result {
        let items = match &input {
            Val::Array(list) if list.items.is_empty() => vec![Val::Undefined],
            Val::Undefined => vec![Val::Undefined],
            other => other.items(),
        };
        let mut groups: BTreeMap<String, (Vec<Val>, usize)> = BTreeMap::new();
        for item in &items {
            for (index, (key, _)) in pairs.iter().enumerate() {
                let key = match self.evaluate(key, item, frame)? {
                    Val::Undefined => continue,
                    Val::String(key) => key.to_string(),
                    other => {
                        return Err(format!(
                            "T1003: Key in object structure must evaluate to a string; got: {}",
                            shown(&other)
                        ));
                    }
                };
                let group = groups.entry(key.clone()).or_insert_with(|| (Vec::new(), index));
                if group.1 != index {
                    return Err(format!("D1009: Multiple key definitions evaluate to same key: \"{key}\""));
                }
                group.0.extend(if matches!(item, Val::Array(_)) { item.items() } else { vec![item.clone()] });
            }
        }
        let mut members = BTreeMap::new();
        for (key, (mut data, index)) in groups {
            let context = if data.len() == 1 { data.remove(0) } else { Val::sequence(data) };
            let value = self.evaluate(&pairs[index].1, &context, frame)?;
            if !value.is_undefined() {
                members.insert(key, value);
            }
        }
        Ok(Val::object(members))
    }

    fn binary(&self, operator: Binary, left: &Node, right: &Node, input: &Val, frame: &Rc<Frame>) -> Result {
        let a = self.evaluate(left, input, frame)?;
        match operator {
            Binary::And if !a.truth() => return Ok(Val::Bool(false)),
            Binary::Or if a.truth() => return Ok(Val::Bool(true)),
            _ => {}
        }
        let b = self.evaluate(right, input, frame)?;
        Ok(match operator {
            Binary::And | Binary::Or => Val::Bool(b.truth()),
            // Nothing is neither equal to anything nor different from it.
            Binary::Equal | Binary::Different if a.is_undefined() || b.is_undefined() => Val::Bool(false),
            Binary::Equal => Val::Bool(a.same(&b)),
            Binary::Different => Val::Bool(!a.same(&b)),
            Binary::In => Val::Bool(!a.is_undefined() && b.items().iter().any(|item| item.same(&a))),
            Binary::Concatenate => Val::text(format!("{}{}", functions::string_of(&a)?, functions::string_of(&b)?)),
            Binary::Less | Binary::AtMost | Binary::More | Binary::AtLeast => compare(operator, &a, &b)?,
            _ => arithmetic(operator, &a, &b)?,
        })
    }

    /// The function that a call names. A name without `$` is a member, so it gets a hint.
    fn function(&self, node: &Node, input: &Val, frame: &Rc<Frame>) -> Result {
        let value = self.evaluate(node, input, frame)?;
        if value.is_function() {
            return Ok(value);
        }
        if let Node::Path { steps, .. } = node
            && let [Step { node: Node::Name(name), .. }] = steps.as_slice()
            && (Builtin::named(name).is_some() || frame.get(name).is_some())
        {
            return Err(format!("T1005: Attempted to invoke a non-function. Did you mean ${name}?"));
        }
        Err("T1006: Attempted to invoke a non-function".into())
    }

    fn apply(&self, left: &Node, right: &Node, input: &Val, frame: &Rc<Frame>) -> Result {
        let value = self.evaluate(left, input, frame)?;
        if let Node::Call(function, arguments) = right {
            // The left side becomes the first argument.
            let function = self.function(function, input, frame)?;
            let mut all = vec![value];
            for argument in arguments {
                all.push(self.evaluate(argument, input, frame)?);
            }
            return self.call(&function, all, input);
        }
        let function = self.evaluate(right, input, frame)?;
        if !function.is_function() {
            return Err("T2006: The right side of the function application operator ~> must be a function".into());
        }
        if value.is_function() {
            return Ok(Val::Function(Rc::new(Function::Composed(value, function))));
        }
        self.call(&function, vec![value], input)
    }

    /// Calls a function with arguments.
    pub(super) fn call(&self, function: &Val, arguments: Vec<Val>, input: &Val) -> Result {
        let function = match function {
            Val::Function(function) => function,
            Val::Regex(regex) => return functions::regex_match(regex, arguments.first()),
            _ => return Err("T1006: Attempted to invoke a non-function".into()),
        };
        match &**function {
            Function::Builtin(builtin) => functions::call(self, *builtin, arguments, input),
            Function::Lambda { parameters, body, frame, input } => {
                let frame = Frame::inside(frame);
                let mut arguments = arguments.into_iter();
                for parameter in parameters.iter() {
                    frame.bind(parameter, arguments.next().unwrap_or(Val::Undefined));
                }
                self.evaluate(body, input, &frame)
            }
            Function::Partial { of, arguments: fixed } => {
                let mut free = arguments.into_iter();
                let mut all: Vec<Val> = fixed
                    .iter()
                    .map(|argument| argument.clone().or_else(|| free.next()).unwrap_or(Val::Undefined))
                    .collect();
                all.extend(free);
                self.call(of, all, input)
            }
            Function::Composed(first, second) => {
                let value = self.call(first, arguments, input)?;
                self.call(second, vec![value], input)
            }
            Function::Transform { pattern, update, delete, frame } => {
                let of = arguments.into_iter().next().unwrap_or(Val::Undefined);
                self.transform(&of, (pattern, update, delete.as_deref()), frame)
            }
        }
    }

    /// How many arguments a function wants, so that `$map` and its like pass no more.
    pub(super) fn arity(function: &Val) -> usize {
        match function {
            Val::Function(function) => match &**function {
                Function::Builtin(builtin) => builtin.arity(),
                Function::Lambda { parameters, .. } => parameters.len(),
                Function::Partial { arguments, .. } => arguments.iter().filter(|argument| argument.is_none()).count(),
                Function::Composed(first, _) => Self::arity(first),
                Function::Transform { .. } => 1,
            },
            _ => 1,
        }
    }

    /// Changes what `pattern` finds. Values have no identity here, so the changed ones are found again by what they are.
    fn transform(
        &self,
        of: &Val,
        (pattern, update, delete): (&Node, &Node, Option<&Node>),
        frame: &Rc<Frame>,
    ) -> Result {
        if of.is_undefined() {
            return Ok(Val::Undefined);
        }
        let found = self.evaluate(pattern, of, frame)?.items();
        let pointers: Vec<*const BTreeMap<String, Val>> = found
            .iter()
            .filter_map(|value| match value {
                Val::Object(members) => Some(Rc::as_ptr(members)),
                _ => None,
            })
            .collect();
        self.rebuild(of, &pointers, (update, delete), frame)
    }

    fn rebuild(
        &self,
        value: &Val,
        targets: &[*const BTreeMap<String, Val>],
        change: (&Node, Option<&Node>),
        frame: &Rc<Frame>,
    ) -> Result {
        match value {
            Val::Array(list) => {
                let items = list.items.iter().map(|item| self.rebuild(item, targets, change, frame));
                Ok(Val::Array(List { items: Rc::new(items.collect::<Result<_>>()?), ..list.clone() }))
            }
            Val::Object(members) => {
                let mut rebuilt = BTreeMap::new();
                for (name, member) in members.iter() {
                    rebuilt.insert(name.clone(), self.rebuild(member, targets, change, frame)?);
                }
                if targets.contains(&Rc::as_ptr(members)) {
                    match self.evaluate(change.0, value, frame)? {
                        Val::Undefined => {}
                        Val::Object(update) => rebuilt.extend(update.iter().map(|(n, v)| (n.clone(), v.clone()))),
                        _ => return Err(
                            "T2011: The insert/update clause of the transform expression must evaluate to an object"
                                .into(),
                        ),
                    }
                    if let Some(delete) = change.1 {
                        for name in self.evaluate(delete, value, frame)?.items() {
                            match name {
                                Val::String(name) => drop(rebuilt.remove(&*name)),
                                _ => return Err("T2012: The delete clause of the transform expression must evaluate to a string or array of strings".into()),
                            }
                        }
                    }
                }
                Ok(Val::object(rebuilt))
            }
            other => Ok(other.clone()),
        }
    }

    fn sort(&self, items: Vec<Val>, terms: &[(Node, bool)], frame: &Rc<Frame>) -> Result {
        let mut keyed = Vec::with_capacity(items.len());
        for item in items {
            let keys = terms.iter().map(|(term, _)| self.evaluate(term, &item, frame));
            keyed.push((keys.collect::<Result<Vec<_>>>()?, item));
        }
        for column in 0..terms.len() {
            let kinds: Vec<&str> =
                keyed.iter().map(|(keys, _)| keys[column].kind()).filter(|kind| *kind != "undefined").collect();
            if kinds.iter().any(|kind| *kind != "number" && *kind != "string") {
                return Err(
                    "T2008: The expressions within an order-by clause must evaluate to numeric or string values".into(),
                );
            }
            if kinds.windows(2).any(|pair| pair[0] != pair[1]) {
                return Err("T2007: Type mismatch within order-by clause. All values must be of the same type".into());
            }
        }
        keyed.sort_by(|(a, _), (b, _)| {
            let orders = terms.iter().enumerate().map(|(at, (_, descending))| match order(&a[at], &b[at]) {
                Some(order) if *descending => order.reverse(),
                Some(order) => order,
                // What has no key goes last, whichever way is sorted.
                None => a[at].is_undefined().cmp(&b[at].is_undefined()),
            });
            orders.into_iter().find(|order| *order != Ordering::Equal).unwrap_or(Ordering::Equal)
        });
        Ok(Val::sequence(keyed.into_iter().map(|(_, item)| item).collect()))
    }
}

/// Keeps a single result an array, as `[]` asks.
fn kept(value: Val) -> Val {
    match value {
        Val::Undefined => Val::Undefined,
        Val::Array(list) if list.sequence && list.items.is_empty() => Val::Undefined,
        Val::Array(list) => Val::Array(List { keep: true, ..list }),
        other => Val::Array(List { items: Rc::new(vec![other]), sequence: true, keep: true, whole: false }),
    }
}

fn position(index: f64, count: usize) -> Option<usize> {
    let index = index.floor();
    let index = if index < 0.0 { index + count as f64 } else { index };
    (index >= 0.0 && index < count as f64).then_some(index as usize)
}

pub(super) fn lookup(input: &Val, name: &str) -> Val {
    match input {
        Val::Object(members) => members.get(name).cloned().unwrap_or(Val::Undefined),
        Val::Array(list) => {
            let mut found = Vec::new();
            for item in list.items.iter() {
                match lookup(item, name) {
                    Val::Undefined => {}
                    Val::Array(list) => found.extend(list.items.iter().cloned()),
                    other => found.push(other),
                }
            }
            Val::sequence(found).unwrapped()
        }
        _ => Val::Undefined,
    }
}

fn wildcard(input: &Val) -> Val {
    fn flatten(value: &Val, found: &mut Vec<Val>) {
        match value {
            Val::Array(list) => list.items.iter().for_each(|item| flatten(item, found)),
            other => found.push(other.clone()),
        }
    }
    let mut found = Vec::new();
    match input {
        Val::Object(members) => members.values().for_each(|member| flatten(member, &mut found)),
        Val::Array(list) => {
            for item in list.items.iter() {
                if let Val::Object(members) = item {
                    members.values().for_each(|member| flatten(member, &mut found));
                }
            }
        }
        _ => {}
    }
    Val::sequence(found)
}

fn descend(value: &Val, found: &mut Vec<Val>) {
    match value {
        Val::Undefined => {}
        Val::Array(list) => list.items.iter().for_each(|item| descend(item, found)),
        other => {
            found.push(other.clone());
            if let Val::Object(members) = other {
                members.values().for_each(|member| descend(member, found));
            }
        }
    }
}

pub(super) fn order(a: &Val, b: &Val) -> Option<Ordering> {
    match (a, b) {
        (Val::Number(a), Val::Number(b)) => a.partial_cmp(b),
        (Val::String(a), Val::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn shown(value: &Val) -> String {
    value.to_json().map_or_else(|| "undefined".into(), |value| value.to_string())
}

fn compare(operator: Binary, a: &Val, b: &Val) -> Result {
    let comparable = |value: &Val| matches!(value, Val::Undefined | Val::Number(_) | Val::String(_));
    if !comparable(a) || !comparable(b) {
        return Err(
            "T2010: The expressions either side of the operator must evaluate to numeric or string values".into()
        );
    }
    if a.is_undefined() || b.is_undefined() {
        return Ok(Val::Undefined);
    }
    let Some(order) = order(a, b) else {
        return Err(format!(
            "T2009: The values {} and {} either side of the operator must be of the same data type",
            shown(a),
            shown(b)
        ));
    };
    Ok(Val::Bool(match operator {
        Binary::Less => order == Ordering::Less,
        Binary::AtMost => order != Ordering::Greater,
        Binary::More => order == Ordering::Greater,
        _ => order != Ordering::Less,
    }))
}

fn arithmetic(operator: Binary, a: &Val, b: &Val) -> Result {
    let number = |value: &Val, code: &str, side: &str| match value {
        Val::Undefined => Ok(None),
        Val::Number(number) => Ok(Some(*number)),
        _ => Err(format!("{code}: The {side} side of the arithmetic operator must evaluate to a number")),
    };
    let (a, b) = (number(a, "T2001", "left")?, number(b, "T2002", "right")?);
    let (Some(a), Some(b)) = (a, b) else { return Ok(Val::Undefined) };
    let value = match operator {
        Binary::Add => a + b,
        Binary::Subtract => a - b,
        Binary::Multiply => a * b,
        Binary::Divide => a / b,
        _ => a % b,
    };
    if value.is_finite() {
        Ok(Val::Number(value))
    } else {
        Err(format!("D1001: Number out of range: {}", number_text(value)))
    }
}
