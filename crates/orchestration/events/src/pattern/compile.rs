//! From JSON to a compiled pattern. The reasons for refusal are those of AWS's own rule compiler.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::{Comparison, Fields, Match, Node, Wildcard};

/// What joins alternatives.
const OR: &str = "$or";
/// Names that can't stand inside `$or`, because they would read like comparison operators.
const RESERVED_IN_OR: [&str; 9] =
    ["exactly", "prefix", "suffix", "numeric", "anything-but", "exists", "cidr", "equals-ignore-case", "wildcard"];
/// What numbers of a comparison may be.
const MAX_NUMBER: f64 = 5e9;
/// Objects within objects.
const MAX_DEPTH: usize = 64;

type Compiled<T> = Result<T, String>;

pub(super) fn compile(text: &str) -> Compiled<Fields> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    match value {
        Value::Object(object) => fields(&object, false, 0),
        _ => Err("Filter is not an object".into()),
    }
}

fn fields(object: &Map<String, Value>, in_or: bool, depth: usize) -> Compiled<Fields> {
    if object.is_empty() {
        return Err("Empty objects are not allowed".into());
    }
    if depth > MAX_DEPTH {
        return Err(format!("Objects are nested more than {MAX_DEPTH} deep"));
    }
    let mut compiled = Fields::default();
    for (name, value) in object {
        if name == OR {
            compiled.any.push(alternatives(value, depth)?);
            continue;
        }
        if in_or && RESERVED_IN_OR.contains(&name.as_str()) {
            return Err(format!("{name} is Ruler reserved fieldName which cannot be used inside $or."));
        }
        let node = match value {
            Value::Object(inner) => Node::Object(fields(inner, in_or, depth + 1)?),
            Value::Array(values) if values.is_empty() => return Err("Empty arrays are not allowed".into()),
            Value::Array(values) => Node::Values(values.iter().map(value_match).collect::<Compiled<_>>()?),
            _ => return Err(format!("\"{name}\" must be an object or an array")),
        };
        compiled.all.push((name.clone(), node));
    }
    Ok(compiled)
}

fn alternatives(value: &Value, depth: usize) -> Compiled<Vec<Fields>> {
    let Value::Array(alternatives) = value else {
        return Err("It must be an Array followed with $or.".into());
    };
    if alternatives.len() < 2 {
        return Err("There must have at least 2 Objects in $or relationship.".into());
    }
    let alternative = |value: &Value| match value {
        Value::Object(object) => fields(object, true, depth + 1),
        _ => Err("Only JSON object is allowed in array of $or relationship.".into()),
    };
    alternatives.iter().map(alternative).collect()
}

fn value_match(value: &Value) -> Compiled<Match> {
    match value {
        Value::Object(expression) => expression_match(expression),
        Value::Array(_) => Err("Match value must be String, number, true, false, or null".into()),
        scalar => Ok(Match::Equal(scalar.clone())),
    }
}

fn expression_match(expression: &Map<String, Value>) -> Compiled<Match> {
    let mut members = expression.iter();
    let (operator, operand) = members.next().ok_or("Match expression name not found")?;
    if members.next().is_some() {
        return Err("Only one key allowed in match expression".into());
    }
    match operator.as_str() {
        "exactly" => Ok(Match::Equal(text(operand, "exact")?.into())),
        "prefix" => {
            let (text, ignore_case) = end(operand, "prefix")?;
            Ok(Match::Prefix { text, ignore_case })
        }
        "suffix" => {
            let (text, ignore_case) = end(operand, "suffix")?;
            Ok(Match::Suffix { text, ignore_case })
        }
        "equals-ignore-case" => Ok(Match::EqualIgnoringCase(text(operand, operator)?.to_lowercase())),
        "wildcard" => Ok(Match::Wildcard(wildcard(&text(operand, operator)?)?)),
        "numeric" => numeric(operand),
        "cidr" => cidr(&text(operand, operator)?),
        "exists" => operand
            .as_bool()
            .map(Match::Exists)
            .ok_or_else(|| "exists match pattern must be either true or false.".into()),
        "anything-but" => anything_but(operand),
        other => Err(format!("Unrecognized match type {other}")),
    }
}

fn text(operand: &Value, name: &str) -> Compiled<String> {
    operand.as_str().map(str::to_owned).ok_or_else(|| format!("{name} match pattern must be a string"))
}

/// A prefix or suffix: a text, or one whose case is ignored.
fn end(operand: &Value, name: &str) -> Compiled<(String, bool)> {
    let Value::Object(inner) = operand else {
        return Ok((text(operand, name)?, false));
    };
    match inner.iter().next() {
        Some((operator, text)) if inner.len() == 1 && operator == "equals-ignore-case" => {
            Ok((self::text(text, operator)?.to_lowercase(), true))
        }
        Some(_) if inner.len() > 1 => Err("Only one key allowed in match expression".into()),
        Some((operator, _)) => Err(format!("Unsupported {name} pattern: {operator}")),
        None => Err(format!("{name} expression name not found")),
    }
}

fn numeric(operand: &Value) -> Compiled<Match> {
    let terms = operand.as_array().ok_or("Value of numeric must be an array.")?;
    let operator = |term: Option<&Value>| -> Compiled<(String, Comparison)> {
        let text = term.and_then(Value::as_str).ok_or_else(|| {
            format!("Invalid member in numeric match: {}", term.map(Value::to_string).unwrap_or_default())
        })?;
        let comparison = match text {
            "=" => Comparison::Equal,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            other => return Err(format!("Unrecognized numeric range operator: {other}")),
        };
        Ok((text.to_owned(), comparison))
    };
    let number = |term: Option<&Value>, operator: &str| -> Compiled<f64> {
        let name = if operator == "=" { "equals" } else { operator };
        let number = term.and_then(Value::as_f64).ok_or_else(|| format!("Value of {name} must be numeric"))?;
        if number.abs() > MAX_NUMBER {
            return Err(format!("Value must be between -{MAX_NUMBER:.1} and {MAX_NUMBER:.1}, inclusive"));
        }
        Ok(number)
    };
    let (sign, comparison) = operator(terms.first())?;
    let mut comparisons = vec![(comparison, number(terms.get(1), &sign)?)];
    let range = matches!(comparison, Comparison::Greater | Comparison::GreaterOrEqual);
    if terms.len() > 2 {
        if !range {
            return Err("Too many elements in numeric expression".into());
        }
        let (sign, comparison) = operator(terms.get(2))?;
        if !matches!(comparison, Comparison::Less | Comparison::LessOrEqual) {
            return Err(format!("Bad numeric range operator: {sign}"));
        }
        comparisons.push((comparison, number(terms.get(3), &sign)?));
        if comparisons[0].1 >= comparisons[1].1 {
            return Err("Bottom must be less than top".into());
        }
    }
    if terms.len() > 4 {
        return Err("Too many terms in numeric range expression".into());
    }
    Ok(Match::Numeric(comparisons))
}

fn cidr(text: &str) -> Compiled<Match> {
    let malformed = |reason: &str| format!("Malformed CIDR, {reason}");
    let (address, bits) = text.split_once('/').ok_or_else(|| malformed("one '/' required"))?;
    let network: IpAddr = address.parse().map_err(|_| malformed("invalid IP address"))?;
    let bits: u8 = bits.parse().map_err(|_| malformed("mask bits must be an integer"))?;
    if bits > if network.is_ipv4() { 32 } else { 128 } {
        return Err(malformed("too many mask bits"));
    }
    Ok(Match::Cidr { network, bits })
}

/// A backslash makes a star or a backslash stand for itself.
fn wildcard(text: &str) -> Compiled<Wildcard> {
    let mut pieces = vec![String::new()];
    let mut previous_star = false;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        let piece = pieces.last_mut().expect("there is always a piece");
        match character {
            '*' if previous_star => return Err(format!("Consecutive wildcard characters at pos {at}")),
            '*' => pieces.push(String::new()),
            '\\' => match characters.next() {
                Some((_, escaped @ ('*' | '\\'))) => piece.push(escaped),
                _ => return Err(format!("Invalid escape character at pos {at}")),
            },
            other => piece.push(other),
        }
        previous_star = character == '*';
    }
    Ok(Wildcard(pieces))
}

fn anything_but(operand: &Value) -> Compiled<Match> {
    let values = |operand: &Value| match operand {
        Value::Array(values) => values.clone(),
        single => vec![single.clone()],
    };
    if let Value::Object(inner) = operand {
        let (operator, operand) = inner.iter().next().ok_or("Anything-But expression name not found")?;
        if inner.len() > 1 {
            return Err("Only one key allowed in match expression".into());
        }
        let one = |value: &Value| anything_but_expression(operator, value);
        return Ok(Match::AnythingBut(values(operand).iter().map(one).collect::<Compiled<_>>()?));
    }
    let values = values(operand);
    if values.iter().any(|value| !value.is_string() && !value.is_number()) {
        return Err(match operand {
            Value::Array(_) => "Inside anything but list, start|null|boolean is not supported.".into(),
            _ => "Value of anything-but must be an array or single string/number value.".into(),
        });
    }
    let uniform = values.iter().all(Value::is_string) || values.iter().all(Value::is_number);
    if !uniform || values.is_empty() {
        let reason = "Inside anything but list, either all values are number or string, mixed type is not supported";
        return Err(reason.into());
    }
    Ok(Match::AnythingBut(values.into_iter().map(Match::Equal).collect()))
}

fn anything_but_expression(operator: &str, value: &Value) -> Compiled<Match> {
    match operator {
        "equals-ignore-case" => {
            value.as_str().map(|text| Match::EqualIgnoringCase(text.to_lowercase())).ok_or_else(|| {
                "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.".into()
            })
        }
        "wildcard" => Ok(Match::Wildcard(wildcard(&text(value, operator)?)?)),
        "prefix" | "suffix" => {
            let text = text(value, "prefix/suffix")?;
            if text.is_empty() {
                return Err("Null prefix/suffix not allowed".into());
            }
            Ok(match operator {
                "prefix" => Match::Prefix { text, ignore_case: false },
                _ => Match::Suffix { text, ignore_case: false },
            })
        }
        other => Err(format!("Unsupported anything-but pattern: {other}")),
    }
}
