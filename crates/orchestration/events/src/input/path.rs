//! The JSON paths that EventBridge understands: members, elements, `[*]`.

use serde_json::Value;

/// A parsed path, such as `$.detail.items[0].name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(usize),
    Elements,
}

impl Path {
    /// Reads a path; none if it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix('$')?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = step(rest)?;
            steps.push(step);
            rest = after;
        }
        Some(Self(steps))
    }

    /// What the path leads to: a copy, or an array of all that `[*]` leads to.
    pub fn find(&self, event: &Value) -> Option<Value> {
        let mut found = vec![event];
        let mut many = false;
        for step in &self.0 {
            found = match step {
                Step::Member(name) => found.iter().filter_map(|value| value.get(name)).collect(),
                Step::Element(n) => found.iter().filter_map(|value| value.as_array()?.get(*n)).collect(),
                Step::Elements => {
                    many = true;
                    found.iter().filter_map(|value| value.as_array()).flatten().collect()
                }
            };
        }
        match found.as_slice() {
            values if many => Some(values.iter().map(|value| (*value).clone()).collect()),
            [single] => Some((*single).clone()),
            _ => None,
        }
    }
}

fn step(text: &str) -> Option<(Step, &str)> {
    if let Some(rest) = text.strip_prefix('.') {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        let plain = |c: char| c.is_alphanumeric() || "_-".contains(c);
        return (!name.is_empty() && name.chars().all(plain)).then(|| (Step::Member(name.to_owned()), rest));
    }
    let rest = text.strip_prefix('[')?;
    if let Some(quote) = rest.chars().next().filter(|c| "'\"".contains(*c)) {
        let (name, rest) = rest[1..].split_once(quote)?;
        return Some((Step::Member(name.to_owned()), rest.strip_prefix(']')?));
    }
    let (inner, rest) = rest.split_once(']')?;
    match inner {
        "*" => Some((Step::Elements, rest)),
        number => Some((Step::Element(number.parse().ok()?), rest)),
    }
}
