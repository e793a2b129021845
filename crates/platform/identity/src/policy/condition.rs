//! The `Condition` element: which operator, which key, which values ("IAM JSON policy elements: Condition operators").

use super::keys::RequestKeys;
use super::operator::Comparison;
use super::template::Template;

/// How the values of a multivalued key are weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantifier {
    /// No prefix: one match suffices.
    Single,
    /// `ForAnyValue:`; false when the key is absent.
    AnyValue,
    /// `ForAllValues:`; true when the key is absent.
    AllValues,
}

/// An operator as a policy writes it, such as `ForAllValues:StringNotLikeIfExists`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operator {
    quantifier: Quantifier,
    test: Test,
    if_exists: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    Null,
    Compare { comparison: Comparison, negated: bool },
}

impl Operator {
    /// The operator of this name, if IAM has it.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (quantifier, name) = match name.split_once(':') {
            Some(("ForAnyValue", rest)) => (Quantifier::AnyValue, rest),
            Some(("ForAllValues", rest)) => (Quantifier::AllValues, rest),
            Some(_) => return None,
            None => (Quantifier::Single, name),
        };
        if name == "Null" {
            return Some(Self { quantifier, test: Test::Null, if_exists: false });
        }
        let (name, if_exists) = match name.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (comparison, negated) = Comparison::parse(name)?;
        Some(Self { quantifier, test: Test::Compare { comparison, negated }, if_exists })
    }
}

/// One key under one operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    /// The operator.
    pub(crate) operator: Operator,
    /// The key, in lower case.
    pub(crate) key: String,
    /// What the policy compares with; one match suffices.
    pub(crate) values: Vec<Template>,
}

impl Condition {
    /// Whether the request meets the condition. A value whose variable has no value matches nothing; that nothing matches
    /// can't be said of it either, so a negated operator holds `in_doubt`.
    pub(crate) fn holds(&self, keys: &RequestKeys<'_>, in_doubt: bool) -> bool {
        let found = keys.values(&self.key).filter(|values| !values.is_empty());
        let (comparison, negated) = match self.operator.test {
            Test::Null => return self.null_holds(found.is_none(), keys),
            Test::Compare { comparison, negated } => (comparison, negated),
        };
        let Some(found) = found else {
            return match self.operator.quantifier {
                Quantifier::AllValues => true,
                Quantifier::AnyValue => self.operator.if_exists,
                Quantifier::Single => self.operator.if_exists || negated,
            };
        };
        if negated && self.values.iter().any(|value| value.text(keys).is_none()) {
            return in_doubt;
        }
        let matched = |value: &str| self.values.iter().any(|wanted| comparison.matches(wanted, value, keys));
        match self.operator.quantifier {
            Quantifier::Single => found.iter().any(|value| matched(value)) != negated,
            Quantifier::AnyValue => found.iter().any(|value| matched(value) != negated),
            Quantifier::AllValues => found.iter().all(|value| matched(value) != negated),
        }
    }

    fn null_holds(&self, absent: bool, keys: &RequestKeys<'_>) -> bool {
        let wanted = if absent { "true" } else { "false" };
        self.values.iter().filter_map(|value| value.text(keys)).any(|text| text.eq_ignore_ascii_case(wanted))
    }
}
