//! What queries say about columns, to leave out files without reading them.

use std::cmp::Ordering;

use crate::value::Datum;

/// A condition on a row. A condition that is unknown because of NULL doesn't hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Predicate {
    /// Every row.
    #[default]
    True,
    /// No row.
    False,
    /// All of these.
    And(Vec<Predicate>),
    /// One of these.
    Or(Vec<Predicate>),
    /// A column compared with a value of its type.
    Compare {
        /// The column's field id.
        field: i32,
        /// How.
        op: Comparison,
        /// With what.
        value: Datum,
    },
    /// A column that is one of these values.
    In {
        /// The column's field id.
        field: i32,
        /// The values, of its type.
        values: Vec<Datum>,
    },
    /// A column that is NULL.
    IsNull(i32),
    /// A column that is not NULL.
    NotNull(i32),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// What is known of the values of a column in a set of rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Range {
    /// All values are at least this.
    pub(crate) lower: Option<Datum>,
    /// All values are at most this.
    pub(crate) upper: Option<Datum>,
    /// Whether there may be NULLs.
    pub(crate) nulls: bool,
    /// Whether there may be anything else.
    pub(crate) values: bool,
}

impl Predicate {
    /// Both conditions.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::True, other) | (other, Self::True) => other,
            (Self::And(mut all), other) => {
                all.push(other);
                Self::And(all)
            }
            (one, other) => Self::And(vec![one, other]),
        }
    }

    /// Whether a row may fulfil it, if `leaf` says whether a row may fulfil a condition on one column.
    pub(crate) fn may_hold(&self, leaf: &dyn Fn(i32, &Self) -> bool) -> bool {
        match self {
            Self::True => true,
            Self::False => false,
            Self::And(all) => all.iter().all(|one| one.may_hold(leaf)),
            Self::Or(any) => any.iter().any(|one| one.may_hold(leaf)),
            Self::Compare { field, .. } | Self::In { field, .. } | Self::IsNull(field) | Self::NotNull(field) => {
                leaf(*field, self)
            }
        }
    }
}

impl Range {
    /// Whether a value in here may fulfil a condition on this column.
    pub(crate) fn may_hold(&self, condition: &Predicate) -> bool {
        match condition {
            Predicate::IsNull(_) => self.nulls,
            Predicate::NotNull(_) => self.values,
            Predicate::Compare { op, value, .. } => self.values && self.may_compare(*op, value),
            Predicate::In { values, .. } => {
                self.values && values.iter().any(|value| self.may_compare(Comparison::Equal, value))
            }
            _ => true,
        }
    }

    fn may_compare(&self, op: Comparison, value: &Datum) -> bool {
        let lower = self.lower.as_ref().and_then(|lower| lower.compare(value));
        let upper = self.upper.as_ref().and_then(|upper| upper.compare(value));
        match op {
            Comparison::Equal => lower != Some(Ordering::Greater) && upper != Some(Ordering::Less),
            // NaN is no bound, and is unequal to everything.
            Comparison::NotEqual => {
                let is_float = matches!(value, Datum::Float(_) | Datum::Double(_));
                is_float || !(lower == Some(Ordering::Equal) && upper == Some(Ordering::Equal))
            }
            Comparison::Less => !matches!(lower, Some(Ordering::Greater | Ordering::Equal)),
            Comparison::LessOrEqual => lower != Some(Ordering::Greater),
            Comparison::Greater => !matches!(upper, Some(Ordering::Less | Ordering::Equal)),
            Comparison::GreaterOrEqual => upper != Some(Ordering::Less),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(lower: i32, upper: i32) -> Range {
        Range { lower: Some(Datum::Int(lower)), upper: Some(Datum::Int(upper)), nulls: false, values: true }
    }

    fn may(range: &Range, op: Comparison, value: i32) -> bool {
        range.may_hold(&Predicate::Compare { field: 1, op, value: Datum::Int(value) })
    }

    #[test]
    fn bounds_rule_values_out() {
        let range = between(5, 9);
        assert!(may(&range, Comparison::Equal, 5) && may(&range, Comparison::Equal, 9));
        assert!(!may(&range, Comparison::Equal, 4) && !may(&range, Comparison::Equal, 10));
        assert!(may(&range, Comparison::Less, 6) && !may(&range, Comparison::Less, 5));
        assert!(may(&range, Comparison::LessOrEqual, 5) && !may(&range, Comparison::LessOrEqual, 4));
        assert!(may(&range, Comparison::Greater, 8) && !may(&range, Comparison::Greater, 9));
        assert!(may(&range, Comparison::NotEqual, 5) && !may(&between(5, 5), Comparison::NotEqual, 5));
        let values = vec![Datum::Int(1), Datum::Int(7)];
        assert!(range.may_hold(&Predicate::In { field: 1, values }));
    }

    #[test]
    fn nulls_fulfil_nothing_but_is_null() {
        let nothing = Range { lower: None, upper: None, nulls: true, values: false };
        assert!(!may(&nothing, Comparison::NotEqual, 1));
        assert!(nothing.may_hold(&Predicate::IsNull(1)) && !nothing.may_hold(&Predicate::NotNull(1)));
        assert!(!between(1, 2).may_hold(&Predicate::IsNull(1)));
        let unknown = Range { lower: None, upper: None, nulls: true, values: true };
        assert!(may(&unknown, Comparison::Equal, 1));
    }

    #[test]
    fn conditions_are_combined() {
        let is = |field| Predicate::IsNull(field);
        let only_one = |field: i32, _: &Predicate| field == 1;
        assert!(Predicate::Or(vec![is(1), is(2)]).may_hold(&only_one));
        assert!(!is(1).and(is(2)).may_hold(&only_one));
        assert_eq!(Predicate::True.and(is(1)), is(1));
    }
}
