//! Signatures of functions, declared as text and matched against the types of a call.
//!
//! `substr(varchar(x), bigint) -> varchar(x)`, `element_at(map(K, V), K) -> V where K:comparable`,
//! `ceiling(decimal(p, s)) -> decimal(min(38, p - s + min(s, 1)), 0)`, `transform(array(T), function(T, U)) -> array(U)`,
//! `concat(varchar...) -> varchar` (the last type any number of times). Names that begin with a capital letter stand for
//! types, small letters in the parentheses of `varchar`, `char`, `decimal` and `timestamp` for numbers; `any` matches
//! every type and binds nothing.

mod parse;

use std::collections::BTreeMap;

use crate::types::coercion::{as_decimal, can_coerce, common_super_type};
use crate::types::{RowField, Type};

/// The length that stands for an unbounded `varchar` where numbers are computed with.
const UNBOUNDED: i64 = i32::MAX as i64;
const MAX_CHAR: i64 = 65_536;

/// A function's signature.
#[derive(Debug)]
pub(crate) struct Signature {
    /// The function's name in lower case.
    pub(crate) name: String,
    /// The signature as declared.
    pub(crate) text: &'static str,
    parameters: Vec<Pattern>,
    variadic: bool,
    result: Pattern,
    /// The type variables in the order of their names, with what they must be able to do.
    constraints: BTreeMap<String, Constraint>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Constraint {
    None,
    Comparable,
    Orderable,
}

/// What a parameter's type may be.
#[derive(Debug, Clone)]
pub(crate) enum Pattern {
    Exact(Type),
    Any,
    Variable(String),
    Sized(Family, Vec<Number>),
    Array(Box<Pattern>),
    Map(Box<Pattern>, Box<Pattern>),
    Row(Vec<(Option<String>, Pattern)>),
    Function(Vec<Pattern>, Box<Pattern>),
}

/// Types with numbers in parentheses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Family {
    Varchar,
    Char,
    Decimal,
    Time,
    Timestamp,
    TimestampTz,
    TimeTz,
}

/// A number in a type's parentheses.
#[derive(Debug, Clone)]
pub(crate) enum Number {
    Literal(i64),
    Variable(String),
    Sum(Box<Number>, Box<Number>),
    Difference(Box<Number>, Box<Number>),
    Product(Box<Number>, Box<Number>),
    Quotient(Box<Number>, Box<Number>),
    Least(Box<Number>, Box<Number>),
    Greatest(Box<Number>, Box<Number>),
}

/// What a signature's variables stand for in one call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bindings {
    types: BTreeMap<String, Type>,
    numbers: BTreeMap<String, i64>,
}

impl Signature {
    /// Whether the signature has variables of any kind.
    pub(crate) fn is_generic(&self) -> bool {
        self.parameters.iter().any(|parameter| !matches!(parameter, Pattern::Exact(_)))
    }

    /// The pattern of each of `count` arguments; none if it takes another number of them.
    pub(crate) fn patterns(&self, count: usize) -> Option<Vec<&Pattern>> {
        let fixed = self.parameters.len() - usize::from(self.variadic);
        if count < fixed || (count > fixed && !self.variadic) {
            return None;
        }
        Some((0..count).filter_map(|index| self.parameters.get(index).or(self.parameters.last())).collect())
    }

    /// The result's type; none if a variable is not bound or a number is out of range.
    pub(crate) fn result(&self, bindings: &Bindings) -> Option<Type> {
        self.result.substitute(bindings)
    }

    /// Whether the bound types can do what the signature wants of them.
    pub(crate) fn allows(&self, bindings: &Bindings) -> bool {
        self.constraints.iter().all(|(name, constraint)| match (bindings.types.get(name), constraint) {
            (None, _) | (_, Constraint::None) => true,
            (Some(ty), Constraint::Comparable) => ty.is_comparable(),
            (Some(ty), Constraint::Orderable) => ty.is_orderable(),
        })
    }

    /// The signature as Trino's messages show it: `element_at(map(K, V), K) K:comparable, V`.
    pub(crate) fn expected(&self) -> String {
        let call = self.text.split("->").next().unwrap_or_default().trim().replace("...", "");
        let constraints: Vec<_> = self
            .constraints
            .iter()
            .map(|(name, constraint)| match constraint {
                Constraint::None => name.clone(),
                Constraint::Comparable => format!("{name}:comparable"),
                Constraint::Orderable => format!("{name}:orderable"),
            })
            .collect();
        format!("{call} {}", constraints.join(", ")).trim_end().to_owned()
    }
}

impl Bindings {
    /// With a variable's type widened so that it takes this one; none if the pattern is no bound variable, or takes it
    /// as it is, or nothing does.
    pub(crate) fn widened(&self, pattern: &Pattern, ty: &Type) -> Option<Self> {
        let Pattern::Variable(name) = pattern else { return None };
        let bound = self.types.get(name)?;
        let common = common_super_type(bound, ty).filter(|common| common != bound)?;
        let mut wider = self.clone();
        wider.types.insert(name.clone(), common);
        Some(wider)
    }
}

impl Pattern {
    /// Lets the variables take in an argument's type; false if it can't be. A variable that is bound already widens to
    /// the type that both coerce to.
    pub(crate) fn bind(&self, ty: &Type, bindings: &mut Bindings) -> bool {
        match (self, ty) {
            (Self::Exact(_) | Self::Any | Self::Function(..), _) => true,
            (Self::Variable(name), _) => {
                let bound = bindings.types.get(name).unwrap_or(&Type::Unknown);
                let Some(common) = common_super_type(bound, ty) else { return false };
                bindings.types.insert(name.clone(), common);
                true
            }
            (Self::Sized(family, numbers), _) => bind_numbers(*family, numbers, ty, bindings),
            (Self::Array(element), Type::Array(ty)) => element.bind(ty, bindings),
            (Self::Map(key, value), Type::Map(key_ty, value_ty)) => {
                key.bind(key_ty, bindings) && value.bind(value_ty, bindings)
            }
            (Self::Row(fields), Type::Row(types)) => {
                fields.len() == types.len()
                    && fields.iter().zip(types.iter()).all(|((_, field), ty)| field.bind(&ty.ty, bindings))
            }
            // A bare NULL leaves inner variables free: they are unknown unless another argument binds them.
            (Self::Array(element), Type::Unknown) => element.bind(&Type::Unknown, bindings),
            (Self::Map(key, value), Type::Unknown) => {
                key.bind(&Type::Unknown, bindings) && value.bind(&Type::Unknown, bindings)
            }
            (Self::Row(fields), Type::Unknown) => fields.iter().all(|(_, field)| field.bind(&Type::Unknown, bindings)),
            _ => false,
        }
    }

    /// The type that the pattern is under these bindings. `any` and functions are none.
    pub(crate) fn substitute(&self, bindings: &Bindings) -> Option<Type> {
        match self {
            Self::Exact(ty) => Some(ty.clone()),
            Self::Any | Self::Function(..) => None,
            Self::Variable(name) => bindings.types.get(name).cloned(),
            Self::Sized(family, numbers) => {
                let numbers: Option<Vec<_>> = numbers.iter().map(|number| number.value(bindings)).collect();
                compose(*family, &numbers?)
            }
            Self::Array(element) => Some(Type::array(element.substitute(bindings)?)),
            Self::Map(key, value) => Some(Type::map(key.substitute(bindings)?, value.substitute(bindings)?)),
            Self::Row(fields) => {
                let field = |(name, pattern): &(Option<String>, Self)| {
                    Some(RowField { name: name.clone(), ty: pattern.substitute(bindings)? })
                };
                fields.iter().map(field).collect::<Option<_>>().map(Type::Row)
            }
        }
    }

    /// What the argument becomes: the substituted type, or its own where `any` is asked for. None if it can't.
    pub(crate) fn target(&self, ty: &Type, bindings: &Bindings) -> Option<Type> {
        if let Self::Any = self {
            return Some(ty.clone());
        }
        self.substitute(bindings).filter(|target| can_coerce(ty, target))
    }
}

impl Number {
    fn value(&self, bindings: &Bindings) -> Option<i64> {
        let both = |left: &Self, right: &Self| left.value(bindings).zip(right.value(bindings));
        match self {
            Self::Literal(value) => Some(*value),
            Self::Variable(name) => bindings.numbers.get(name).copied(),
            Self::Sum(left, right) => both(left, right).map(|(left, right)| left.saturating_add(right)),
            Self::Difference(left, right) => both(left, right).map(|(left, right)| left - right),
            Self::Product(left, right) => both(left, right).map(|(left, right)| left.saturating_mul(right)),
            Self::Quotient(left, right) => both(left, right).and_then(|(left, right)| left.checked_div(right)),
            Self::Least(left, right) => both(left, right).map(|(left, right)| left.min(right)),
            Self::Greatest(left, right) => both(left, right).map(|(left, right)| left.max(right)),
        }
    }
}

fn bind_numbers(family: Family, numbers: &[Number], ty: &Type, bindings: &mut Bindings) -> bool {
    let Some(mut values) = components(family, ty) else { return false };
    let bound: Option<Vec<_>> = numbers.iter().map(|number| number.value(bindings)).collect();
    if let Some(bound) = bound {
        let common = compose(family, &bound)
            .zip(compose(family, &values))
            .and_then(|(bound, new)| components(family, &common_super_type(&bound, &new)?));
        let Some(common) = common else { return false };
        values = common;
    }
    for (number, value) in numbers.iter().zip(values) {
        if let Number::Variable(name) = number {
            bindings.numbers.insert(name.clone(), value);
        }
    }
    true
}

/// The numbers of a type of the family, or of the type of the family that it coerces to.
fn components(family: Family, ty: &Type) -> Option<Vec<i64>> {
    let one = |value: u8| Some(vec![i64::from(value)]);
    match (family, ty) {
        (Family::Varchar, Type::Unknown) => Some(vec![0]),
        (Family::Char, Type::Unknown) => Some(vec![1]),
        (Family::Decimal, Type::Unknown) => Some(vec![1, 0]),
        (_, Type::Unknown) => Some(vec![3]),
        (Family::Varchar, Type::Varchar(length)) => Some(vec![length.map_or(UNBOUNDED, i64::from)]),
        (Family::Char, Type::Varchar(length)) => Some(vec![length.map_or(MAX_CHAR, i64::from)]),
        (Family::Char, Type::Char(length)) => Some(vec![i64::from(*length)]),
        (Family::Decimal, _) => as_decimal(ty).map(|(precision, scale)| vec![precision.into(), scale.into()]),
        (Family::Time | Family::TimeTz, Type::Time(precision)) => one(*precision),
        (Family::TimeTz, Type::TimeTz(precision)) => one(*precision),
        (Family::Timestamp | Family::TimestampTz, Type::Date) => Some(vec![0]),
        (Family::Timestamp | Family::TimestampTz, Type::Timestamp(precision)) => one(*precision),
        (Family::TimestampTz, Type::TimestampTz(precision)) => one(*precision),
        _ => None,
    }
}

fn compose(family: Family, numbers: &[i64]) -> Option<Type> {
    let small = |value: i64| u8::try_from(value).ok();
    match (family, numbers) {
        (Family::Varchar, [length]) if *length >= UNBOUNDED => Some(Type::VARCHAR),
        (Family::Varchar, [length]) => Some(Type::Varchar(Some(u32::try_from(*length).ok()?))),
        (Family::Char, [length]) => Some(Type::Char((*length).clamp(0, MAX_CHAR) as u32)),
        (Family::Decimal, [precision, scale]) => Some(Type::Decimal(small(*precision)?, small(*scale)?)),
        (Family::Time, [precision]) => Some(Type::Time(small(*precision)?)),
        (Family::TimeTz, [precision]) => Some(Type::TimeTz(small(*precision)?)),
        (Family::Timestamp, [precision]) => Some(Type::Timestamp(small(*precision)?)),
        (Family::TimestampTz, [precision]) => Some(Type::TimestampTz(small(*precision)?)),
        _ => None,
    }
}
