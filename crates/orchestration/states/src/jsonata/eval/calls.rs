//! Functions: what is called, with what, and what comes of it.

use std::rc::Rc;
use std::sync::Arc;

use super::{Evaluator, Frame, Result};
use crate::jsonata::functions;
use crate::jsonata::syntax::{Call, Kind, Lambda, Node};
use crate::jsonata::value::{Closure, Function, Val};

pub(super) fn closure(lambda: &Arc<Lambda>, input: &Val, frame: &Rc<Frame>) -> Val {
    Val::function(Function::Lambda(Closure { lambda: lambda.clone(), frame: frame.clone(), input: input.clone() }))
}

/// How many arguments a function wants, so that `$map` and its like pass no more.
pub(in crate::jsonata) fn arity(function: &Val) -> usize {
    let Val::Function(function) = function else { return 0 };
    match &**function {
        Function::Builtin(builtin) => builtin.arity(),
        Function::Lambda(closure) => closure.lambda.parameters.len(),
        Function::Partial(_, arguments) => arguments.iter().filter(|argument| argument.is_none()).count(),
        Function::Composed(..) | Function::Transform(..) => 1,
        Function::Regex(_) => 2,
        Function::NextMatch(..) | Function::Thunk(..) => 0,
    }
}

/// What a call names its function by.
fn name_of(procedure: &Node) -> &str {
    match &procedure.kind {
        Kind::Variable(name) => name,
        Kind::Path(steps, _) => match steps.first().map(|step| &step.kind) {
            Some(Kind::Name(name) | Kind::Variable(name)) => name,
            _ => "",
        },
        _ => "",
    }
}

impl Evaluator<'_> {
    /// Calls; `first` is what `~>` puts before the arguments.
    pub(super) fn call_node(&self, call: &Call, input: &Val, frame: &Rc<Frame>, first: Option<Val>) -> Result {
        let procedure = self.evaluate(&call.procedure, input, frame)?;
        let name = name_of(&call.procedure);
        if self.is_forgotten_dollar(&call.procedure, &procedure, frame) {
            return Err(format!("T1005: Attempted to invoke a non-function. Did you mean ${name}?"));
        }
        let mut arguments: Vec<Val> = first.into_iter().collect();
        for argument in &call.arguments {
            arguments.push(self.evaluate(argument, input, frame)?);
        }
        self.apply(&procedure, arguments, input)
    }

    /// Whether a name that gives nothing would name a function with a `$` before it.
    fn is_forgotten_dollar(&self, node: &Node, procedure: &Val, frame: &Rc<Frame>) -> bool {
        let path = matches!(node.kind, Kind::Path(..));
        path && procedure.is_undefined() && self.variable(name_of(node), &Val::Undefined, frame).truth()
    }

    pub(super) fn partial(
        &self,
        procedure: &Node,
        arguments: &[Option<Node>],
        input: &Val,
        frame: &Rc<Frame>,
    ) -> Result {
        let given = arguments
            .iter()
            .map(|argument| argument.as_ref().map(|node| self.evaluate(node, input, frame)).transpose())
            .collect::<Result<Vec<_>>>()?;
        let of = self.evaluate(procedure, input, frame)?;
        if self.is_forgotten_dollar(procedure, &of, frame) {
            let name = name_of(procedure);
            return Err(format!("T1007: Attempted to partially apply a non-function. Did you mean ${name}?"));
        }
        if !of.is_function() {
            return Err("T1008: Attempted to partially apply a non-function".into());
        }
        Ok(Val::function(Function::Partial(of, given)))
    }

    pub(super) fn chain(&self, left: &Node, right: &Node, input: &Val, frame: &Rc<Frame>) -> Result {
        let value = self.evaluate(left, input, frame)?;
        if let Kind::Call(call) = &right.kind {
            return self.call_node(call, input, frame, Some(value));
        }
        let function = self.evaluate(right, input, frame)?;
        if !function.is_function() {
            return Err("T2006: The right side of the function application operator ~> must be a function".into());
        }
        if value.is_function() {
            return Ok(Val::function(Function::Composed(value, function)));
        }
        self.apply(&function, vec![value], &Val::Null)
    }

    /// Calls a function, and what it ends with instead of calling it itself.
    pub(in crate::jsonata) fn apply(&self, function: &Val, arguments: Vec<Val>, input: &Val) -> Result {
        let mut value = self.apply_once(function, arguments, input)?;
        loop {
            let Val::Function(function) = &value else { return Ok(value) };
            let Function::Thunk(call, frame, context) = &**function else { return Ok(value) };
            let next = self.evaluate(&call.procedure, context, frame)?;
            let arguments = call.arguments.iter().map(|argument| self.evaluate(argument, context, frame));
            let arguments = arguments.collect::<Result<Vec<_>>>()?;
            value = self.apply_once(&next, arguments, input)?;
        }
    }

    fn apply_once(&self, function: &Val, mut arguments: Vec<Val>, input: &Val) -> Result {
        let Val::Function(function) = function else {
            return Err("T1006: Attempted to invoke a non-function".into());
        };
        match &**function {
            Function::Builtin(builtin) => functions::call(self, *builtin, arguments, input),
            Function::Lambda(closure) => {
                if let Some(signature) = &closure.lambda.signature {
                    arguments = signature.validate("function", arguments, input)?;
                }
                self.enter(closure, arguments)
            }
            Function::Partial(of, given) => {
                let mut free = arguments.into_iter();
                let all = given.iter().map(|argument| argument.clone().or_else(|| free.next()));
                let all = all.map(|argument| argument.unwrap_or(Val::Undefined)).collect();
                match of {
                    // Signatures are not looked at again.
                    Val::Function(inner) if matches!(**inner, Function::Lambda(_)) => {
                        let Function::Lambda(closure) = &**inner else { return Ok(Val::Undefined) };
                        self.enter(closure, all)
                    }
                    other => self.apply(other, all, &Val::Undefined),
                }
            }
            Function::Composed(first, second) => {
                let value = self.apply(first, arguments.into_iter().take(1).collect(), &Val::Null)?;
                self.apply(second, vec![value], &Val::Null)
            }
            Function::Transform(transform, frame) => {
                self.transform(arguments.into_iter().next().unwrap_or(Val::Undefined), transform, frame)
            }
            Function::Regex(pattern) => functions::first_match(pattern, arguments.first()),
            Function::NextMatch(pattern, text, from) => functions::next_match(pattern, text, *from),
            Function::Thunk(..) => Ok(Val::Function(function.clone())),
        }
    }

    fn enter(&self, closure: &Closure, arguments: Vec<Val>) -> Result {
        let frame = Frame::inside(&closure.frame);
        let mut arguments = arguments.into_iter();
        for parameter in &closure.lambda.parameters {
            frame.bind(parameter, arguments.next().unwrap_or(Val::Undefined));
        }
        self.evaluate(&closure.lambda.body, &closure.input, &frame)
    }
}
