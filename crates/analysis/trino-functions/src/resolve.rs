//! Picks the overload of a call, as Trino's function resolver does.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::Lambda;

use crate::error::{ErrorCode, TrinoError};
use crate::functions::{Entry, TABLE};
use crate::signature::{Bindings, Pattern};
use crate::types::Type;
use crate::{Argument, BoundLambda, FunctionKind, LambdaBinder, Typed, cast};

/// The overload that a call means, and its arguments as the overload wants them.
pub(crate) struct Resolution {
    /// The overload.
    pub(crate) entry: Arc<Entry>,
    /// The arguments, coerced.
    pub(crate) args: Vec<Typed>,
    /// The types of each lambda's parameters.
    pub(crate) lambdas: Vec<Vec<Type>>,
    /// The result's type.
    pub(crate) result: Type,
}

/// An overload that takes the arguments.
struct Candidate {
    entry: Arc<Entry>,
    slots: Vec<Slot>,
    result: Type,
    exact: bool,
    /// Whether there are bare NULLs among the arguments.
    nulls: bool,
    /// Whether nothing but these becomes another type.
    casts_only_nulls: bool,
}

impl Candidate {
    fn has_lambdas(&self) -> bool {
        self.slots.iter().any(|slot| matches!(slot, Slot::Lambda(..)))
    }
}

enum Slot {
    Value(Type),
    Lambda(Vec<Type>, Box<BoundLambda>),
}

/// Finds the overload for these arguments.
///
/// # Errors
/// FUNCTION_NOT_FOUND where no overload of one of these kinds takes them.
pub(crate) fn resolve(
    name: &str,
    kinds: &[FunctionKind],
    args: Vec<Argument<'_>>,
    binder: &mut dyn LambdaBinder,
) -> Result<Resolution, TrinoError> {
    let overloads: Vec<_> = TABLE.overloads(name).iter().filter(|entry| kinds.contains(&entry.kind())).collect();
    if overloads.is_empty() {
        return Err(TrinoError::new(ErrorCode::FunctionNotFound, format!("Function '{name}' not registered")));
    }
    let mut candidates = Vec::new();
    for entry in &overloads {
        candidates.extend(candidate(entry, &args, binder, Bindings::default(), MOST_WIDENINGS)?);
    }
    let Some(chosen) = choose(candidates)? else {
        return Err(unexpected(name, &overloads, &args));
    };
    let mut lambdas = Vec::new();
    let mut coerced = Vec::with_capacity(args.len());
    for (arg, slot) in args.into_iter().zip(chosen.slots) {
        match (arg, slot) {
            (Argument::Value(value), Slot::Value(ty)) => coerced.push(cast::coerce(value, &ty)?),
            (_, Slot::Lambda(types, bound)) => {
                lambdas.push(types);
                let BoundLambda { parameters, body, ty } = *bound;
                coerced.push((Expr::Lambda(Lambda::new(parameters, body)), ty));
            }
            (Argument::Lambda(_), Slot::Value(_)) => return Err(unexpected(name, &overloads, &[])),
        }
    }
    Ok(Resolution { entry: chosen.entry, args: coerced, lambdas, result: chosen.result })
}

/// How often lambdas may make a variable's type wider before a call is refused.
const MOST_WIDENINGS: usize = 3;

/// One overload against the arguments; none if it doesn't take them.
fn candidate(
    entry: &Arc<Entry>,
    args: &[Argument<'_>],
    binder: &mut dyn LambdaBinder,
    known: Bindings,
    widenings: usize,
) -> Result<Option<Candidate>, TrinoError> {
    let Some(patterns) = entry.signature.patterns(args.len()) else { return Ok(None) };
    let mut bindings = known;
    for (pattern, arg) in patterns.iter().zip(args) {
        let fits = match (pattern, arg) {
            (Pattern::Function(..), Argument::Value(_)) => false,
            (_, Argument::Value((_, ty))) => pattern.bind(ty, &mut bindings),
            (pattern, Argument::Lambda(_)) => matches!(pattern, Pattern::Function(..)),
        };
        if !fits {
            return Ok(None);
        }
    }
    let mut slots = Vec::with_capacity(args.len());
    let (mut exact, mut nulls, mut casts_only_nulls) = (true, false, true);
    for (pattern, arg) in patterns.iter().zip(args) {
        let slot = match (pattern, arg) {
            (Pattern::Function(parameters, result), Argument::Lambda(lambda)) => {
                let types: Option<Vec<_>> = parameters.iter().map(|pattern| pattern.substitute(&bindings)).collect();
                let Some(types) = types else { return Ok(None) };
                let bound = binder.bind(lambda, &types)?;
                // A state such as `''` becomes wider with what is appended to it, and the lambda's parameter with it.
                if let Some(wider) = bindings.widened(result, &bound.ty).filter(|_| widenings > 0) {
                    return candidate(entry, args, binder, wider, widenings - 1);
                }
                lambda_result(bound, result, &mut bindings)?.map(|bound| Slot::Lambda(types, Box::new(bound)))
            }
            (pattern, Argument::Value((_, ty))) => pattern.target(ty, &bindings).map(|target| {
                exact &= &target == ty;
                nulls |= ty == &Type::Unknown;
                casts_only_nulls &= ty == &Type::Unknown || &target == ty;
                Slot::Value(target)
            }),
            (_, Argument::Lambda(_)) => None,
        };
        let Some(slot) = slot else { return Ok(None) };
        slots.push(slot);
    }
    if !entry.signature.allows(&bindings) {
        return Ok(None);
    }
    let result = entry.signature.result(&bindings);
    Ok(result.map(|result| Candidate { entry: Arc::clone(entry), slots, result, exact, nulls, casts_only_nulls }))
}

/// A lambda's body decides a free type variable; where the type is known already, the body must coerce to it.
fn lambda_result(
    bound: BoundLambda,
    wanted: &Pattern,
    bindings: &mut Bindings,
) -> Result<Option<BoundLambda>, TrinoError> {
    if wanted.substitute(bindings).is_none() && !wanted.bind(&bound.ty, bindings) {
        return Ok(None);
    }
    // Where the signature names a type, the body has to have it: nothing is cast, not even a bare NULL.
    if let Pattern::Exact(ty) = wanted
        && ty != &bound.ty
        && !(ty.is_varchar() && bound.ty.is_varchar())
    {
        return Ok(None);
    }
    let Some(target) = wanted.target(&bound.ty, bindings) else { return Ok(None) };
    let (body, ty) = cast::coerce((bound.body, bound.ty), &target)?;
    Ok(Some(BoundLambda { parameters: bound.parameters, body, ty }))
}

/// Exact matches win, those without variables first; then the one that is more specific than all others.
fn choose(mut candidates: Vec<Candidate>) -> Result<Option<Candidate>, TrinoError> {
    let exact = |generic: bool| {
        let fits = |candidate: &Candidate| candidate.exact && candidate.entry.signature.is_generic() == generic;
        candidates.iter().enumerate().filter(|(_, candidate)| fits(candidate)).map(|(index, _)| index).collect()
    };
    for found in [exact(false), exact(true)] {
        let found: Vec<usize> = found;
        match found.as_slice() {
            [] => {}
            [first, rest @ ..] if rest.is_empty() || !candidates[*first].slots.is_empty() => {
                return Ok(Some(candidates.swap_remove(*first)));
            }
            _ => return Err(ambiguous(&candidates)),
        }
    }
    let mut best = most_specific(&candidates);
    let nulls = candidates.first().is_some_and(|candidate| candidate.nulls);
    let lambdas = candidates.first().is_some_and(|candidate| candidate.has_lambdas());
    if best.len() > 1 && nulls && !lambdas {
        // Where only bare NULLs become something else, the other arguments are what was meant.
        let kept: Vec<usize> = (0..candidates.len()).filter(|index| candidates[*index].casts_only_nulls).collect();
        best = if kept.is_empty() { best } else { kept };
    }
    match best.as_slice() {
        [] => Ok(None),
        [first, rest @ ..] if rest.iter().all(|other| candidates[*other].result == candidates[*first].result) => {
            Ok(Some(candidates.swap_remove(*first)))
        }
        _ => {
            let mut index = 0;
            candidates.retain(|_| {
                index += 1;
                best.contains(&(index - 1))
            });
            Err(ambiguous(&candidates))
        }
    }
}

/// Those that no other one is more specific than.
fn most_specific(candidates: &[Candidate]) -> Vec<usize> {
    let mut best: Vec<usize> = Vec::new();
    for (index, candidate) in candidates.iter().enumerate() {
        let related = best.iter_mut().find(|known| {
            more_specific(candidate, &candidates[**known]) || more_specific(&candidates[**known], candidate)
        });
        match related {
            Some(known) if more_specific(candidate, &candidates[*known]) => *known = index,
            Some(_) => {}
            None => best.push(index),
        }
    }
    best
}

fn ambiguous(candidates: &[Candidate]) -> TrinoError {
    let mut message = "Could not choose a best candidate operator. Explicit type casts must be added.\n\
                       Candidates are:\n"
        .to_owned();
    for candidate in candidates {
        let slots = candidate.slots.iter().map(|slot| match slot {
            Slot::Value(ty) => tight(ty),
            Slot::Lambda(..) => "<function>".to_owned(),
        });
        let slots: Vec<_> = slots.collect();
        message.push_str(&format!("\t * ({}):{}\n", slots.join(","), tight(&candidate.result)));
    }
    TrinoError::new(ErrorCode::AmbiguousFunctionCall, message)
}

/// Whether the other overload would take the types that this one asks for: `sum(bigint)` is more specific than
/// `sum(decimal(p, s))`, because that takes a bigint too.
fn more_specific(one: &Candidate, other: &Candidate) -> bool {
    let Some(patterns) = other.entry.signature.patterns(one.slots.len()) else { return false };
    let mut bindings = Bindings::default();
    one.slots.iter().zip(patterns.iter()).all(|(one, pattern)| match one {
        Slot::Value(ty) => pattern.bind(ty, &mut bindings) && pattern.target(ty, &bindings).is_some(),
        Slot::Lambda(..) => true,
    })
}

fn tight(ty: &Type) -> String {
    match ty {
        Type::Map(key, value) => format!("map({},{})", tight(key), tight(value)),
        Type::Array(element) => format!("array({})", tight(element)),
        other => other.to_string(),
    }
}

fn unexpected(name: &str, overloads: &[&Arc<Entry>], args: &[Argument<'_>]) -> TrinoError {
    let types: Vec<_> = args
        .iter()
        .map(|arg| match arg {
            // Maps are written without a blank here.
            Argument::Value((_, ty)) => tight(ty),
            Argument::Lambda(_) => "<function>".to_owned(),
        })
        .collect();
    let expected: BTreeSet<_> = overloads.iter().map(|entry| entry.signature.expected()).collect();
    let expected: Vec<_> = expected.into_iter().collect();
    let message =
        format!("Unexpected parameters ({}) for function {name}. Expected: {}", types.join(", "), expected.join(", "));
    TrinoError::new(ErrorCode::FunctionNotFound, message)
}
