//! Whether an event matches.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::{Comparison, Fields, Match, Node, Wildcard};

type Object = Map<String, Value>;

/// Whether `here` matches. `everywhere` are all objects that stand at the same path, in whichever elements of arrays above:
/// a field is absent only where none of them has it.
pub(super) fn object(fields: &Fields, here: Option<&Object>, everywhere: &[&Object]) -> bool {
    let field_matches = |(name, node): &(String, Node)| {
        let value = here.and_then(|here| here.get(name));
        let values = || everywhere.iter().filter_map(|object| object.get(name));
        match node {
            Node::Object(inner) => {
                let all: Vec<&Object> = values().flat_map(objects).collect();
                let candidates: Vec<&Object> = value.into_iter().flat_map(objects).collect();
                match candidates.as_slice() {
                    [] => object(inner, None, &all),
                    candidates => candidates.iter().any(|candidate| object(inner, Some(candidate), &all)),
                }
            }
            Node::Values(matches) => {
                let leaves: Vec<&Value> = value.into_iter().flat_map(scalars).collect();
                matches.iter().any(|matched| match matched {
                    Match::Exists(false) => values().flat_map(scalars).next().is_none(),
                    matched => leaves.iter().any(|leaf| matched.holds(leaf)),
                })
            }
        }
    };
    let holds = |alternative: &Fields| object(alternative, here, everywhere);
    fields.all.iter().all(field_matches) && fields.any.iter().all(|alternatives| alternatives.iter().any(holds))
}

/// The value if it is an object; the objects in it if it is an array.
fn objects(value: &Value) -> Vec<&Object> {
    match value {
        Value::Object(object) => vec![object],
        Value::Array(values) => values.iter().flat_map(objects).collect(),
        _ => Vec::new(),
    }
}

/// The value if it is neither object nor array; such values in it if it is an array.
fn scalars(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(_) => Vec::new(),
        Value::Array(values) => values.iter().flat_map(scalars).collect(),
        scalar => vec![scalar],
    }
}

impl Match {
    fn holds(&self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Self::Equal(wanted) => equal(wanted, value),
            Self::EqualIgnoringCase(wanted) => text.is_some_and(|text| text.to_lowercase() == *wanted),
            Self::Prefix { text: prefix, ignore_case: false } => text.is_some_and(|text| text.starts_with(prefix)),
            Self::Prefix { text: prefix, .. } => text.is_some_and(|text| text.to_lowercase().starts_with(prefix)),
            Self::Suffix { text: suffix, ignore_case: false } => text.is_some_and(|text| text.ends_with(suffix)),
            Self::Suffix { text: suffix, .. } => text.is_some_and(|text| text.to_lowercase().ends_with(suffix)),
            Self::Wildcard(wildcard) => text.is_some_and(|text| wildcard.holds(text)),
            Self::Numeric(comparisons) => value
                .as_f64()
                .is_some_and(|number| comparisons.iter().all(|(comparison, wanted)| comparison.holds(number, *wanted))),
            Self::Cidr { network, bits } => {
                let address = text.and_then(|text| text.parse().ok());
                address.is_some_and(|address| in_network(address, *network, *bits))
            }
            Self::Exists(exists) => *exists,
            Self::AnythingBut(others) => !others.iter().any(|other| other.holds(value)),
        }
    }
}

fn equal(wanted: &Value, value: &Value) -> bool {
    // 5, 5.0 and 5e0 are the same number.
    wanted == value || (wanted.is_number() && value.is_number() && wanted.as_f64() == value.as_f64())
}

impl Comparison {
    fn holds(self, number: f64, wanted: f64) -> bool {
        match self {
            Self::Equal => number == wanted,
            Self::Less => number < wanted,
            Self::LessOrEqual => number <= wanted,
            Self::Greater => number > wanted,
            Self::GreaterOrEqual => number >= wanted,
        }
    }
}

impl Wildcard {
    fn holds(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.0.as_slice() else {
            return self.0.first().is_some_and(|whole| whole == text);
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        for piece in middle {
            match rest.find(piece.as_str()) {
                Some(at) => rest = &rest[at + piece.len()..],
                None => return false,
            }
        }
        rest.ends_with(last.as_str())
    }
}

fn in_network(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let same = |address: u128, network: u128, width: u32| {
        let shift = width - u32::from(bits);
        shift >= 128 || address >> shift == network >> shift
    };
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => same(address.to_bits().into(), network.to_bits().into(), 32),
        (IpAddr::V6(address), IpAddr::V6(network)) => same(address.to_bits(), network.to_bits(), 128),
        _ => false,
    }
}
