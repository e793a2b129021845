//! What the functions do. The messages of their failures are for people.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest as _, Md5};
use ring::digest;
use serde_json::Value;

use super::Function;
use crate::rng::{Rng, seeded_range, within};

/// What `States.Hash` and the Base64 functions take at most.
const MAX_TEXT: usize = 10_000;
/// Elements that `States.ArrayRange` makes at most.
const MAX_RANGE: usize = 1_000;

type Outcome = Result<Value, String>;

pub(super) fn call(function: Function, mut arguments: Vec<Value>, rng: &Rng) -> Outcome {
    let counts = match function {
        Function::Format => 1..=usize::MAX,
        Function::Array => 0..=usize::MAX,
        Function::Uuid => 0..=0,
        Function::StringToJson
        | Function::JsonToString
        | Function::ArrayLength
        | Function::ArrayUnique
        | Function::Base64Encode
        | Function::Base64Decode => 1..=1,
        Function::ArrayRange | Function::JsonMerge => 3..=3,
        Function::MathRandom => 2..=3,
        _ => 2..=2,
    };
    if !counts.contains(&arguments.len()) {
        return Err(format!("Invalid number of arguments: {}", arguments.len()));
    }
    let mut next = || if arguments.is_empty() { Value::Null } else { arguments.remove(0) };
    match function {
        Function::Format => format(next(), arguments),
        Function::StringToJson => {
            let text = string(next())?;
            if text.is_empty() {
                Ok(Value::Null)
            } else {
                serde_json::from_str(&text).map_err(|error| error.to_string())
            }
        }
        Function::JsonToString => Ok(next().to_string().into()),
        Function::Array => Ok(Value::Array(arguments)),
        Function::ArrayPartition => partition(array(next())?, next()),
        Function::ArrayContains => Ok(array(next())?.contains(&next()).into()),
        Function::ArrayRange => range(integer(&next())?, integer(&next())?, integer(&next())?),
        Function::ArrayGetItem => item(array(next())?, &next()),
        Function::ArrayLength => Ok(array(next())?.len().into()),
        Function::ArrayUnique => Ok(unique(array(next())?)),
        Function::Base64Encode => Ok(BASE64_STANDARD.encode(short(string(next())?)?).into()),
        Function::Base64Decode => decode(&short(string(next())?)?),
        Function::Hash => hash(next(), &string(next())?),
        Function::JsonMerge => merge(next(), next(), &next()),
        Function::MathRandom => random(&next(), &next(), &next(), rng),
        Function::MathAdd => add(&next(), &next()),
        Function::StringSplit => split(&string(next())?, &string(next())?),
        Function::Uuid => Ok(rng.uuid().to_string().into()),
    }
}

fn string(value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(format!("Expected a string, but got {other}")),
    }
}

fn short(text: String) -> Result<String, String> {
    if text.chars().count() <= MAX_TEXT { Ok(text) } else { Err(format!("Input is longer than {MAX_TEXT} characters")) }
}

fn array(value: Value) -> Result<Vec<Value>, String> {
    match value {
        Value::Array(elements) => Ok(elements),
        other => Err(format!("Expected an array, but got {other}")),
    }
}

fn integer(value: &Value) -> Result<i64, String> {
    let rounded = || value.as_f64().filter(|number| number.abs() < 9e18).map(|number| (number + 0.5).floor() as i64);
    value.as_i64().or_else(rounded).ok_or_else(|| format!("Expected an integer, but got {value}"))
}

/// `{}` stands for the next argument, `\{` and `\}` for braces.
fn format(template: Value, arguments: Vec<Value>) -> Outcome {
    let template = string(template)?;
    let mut arguments = arguments.into_iter();
    let mut text = String::with_capacity(template.len());
    let mut characters = template.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' if matches!(characters.peek(), Some('{' | '}')) => text.extend(characters.next()),
            '{' if characters.peek() == Some(&'}') => {
                characters.next();
                match arguments.next() {
                    Some(Value::String(argument)) => text.push_str(&argument),
                    Some(argument) => text.push_str(&shown(&argument)),
                    None => return Err("number of arguments do not match the occurrences of {}".into()),
                }
            }
            other => text.push(other),
        }
    }
    if arguments.next().is_some() {
        return Err("number of arguments do not match the occurrences of {}".into());
    }
    Ok(text.into())
}

/// Objects and arrays as AWS's runtime, which is Java, writes them: `{a=1, b=[x]}`.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(elements) => format!("[{}]", elements.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| format!("{name}={}", shown(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn partition(elements: Vec<Value>, size: Value) -> Outcome {
    let size = usize::try_from(integer(&size)?).ok().filter(|size| *size > 0);
    let size = size.ok_or("The chunk size must be a positive integer")?;
    Ok(elements.chunks(size).map(|chunk| Value::from(chunk.to_vec())).collect())
}

fn range(start: i64, end: i64, step: i64) -> Outcome {
    if step == 0 {
        return Err("The step can't be 0".into());
    }
    let within = |value: i128| if step > 0 { value <= i128::from(end) } else { value >= i128::from(end) };
    let values = std::iter::successors(Some(i128::from(start)), |value| Some(value + i128::from(step)));
    let values: Vec<Value> =
        values.take_while(|value| within(*value)).take(MAX_RANGE + 1).map(|v| Value::from(v as i64)).collect();
    if values.len() > MAX_RANGE {
        return Err(format!("The range has more than {MAX_RANGE} elements"));
    }
    Ok(values.into())
}

fn item(mut elements: Vec<Value>, index: &Value) -> Outcome {
    match usize::try_from(integer(index)?) {
        Ok(index) if index < elements.len() => Ok(elements.swap_remove(index)),
        _ => Err(format!("Index {index} is out of bounds")),
    }
}

fn unique(elements: Vec<Value>) -> Value {
    let mut seen = std::collections::HashSet::new();
    elements.into_iter().filter(|element| seen.insert(element.to_string())).collect()
}

fn decode(text: &str) -> Outcome {
    let bytes = BASE64_STANDARD.decode(text).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map(Value::from).map_err(|error| error.to_string())
}

fn hash(data: Value, algorithm: &str) -> Outcome {
    let data = match data {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let data = short(data)?;
    let algorithm = match algorithm {
        "MD5" => return Ok(hex::encode(Md5::digest(data.as_bytes())).into()),
        "SHA-1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        "SHA-256" => &digest::SHA256,
        "SHA-384" => &digest::SHA384,
        "SHA-512" => &digest::SHA512,
        other => return Err(format!("Unknown hash algorithm {other}")),
    };
    Ok(hex::encode(digest::digest(algorithm, data.as_bytes())).into())
}

/// AWS merges shallowly only, and wants to be told so by `false`.
fn merge(first: Value, second: Value, deep: &Value) -> Outcome {
    if *deep != Value::Bool(false) {
        return Err("Only shallow merges are supported: the third argument must be false".into());
    }
    match (first, second) {
        (Value::Object(mut first), Value::Object(second)) => {
            first.extend(second);
            Ok(first.into())
        }
        _ => Err("Expected two objects".into()),
    }
}

fn random(start: &Value, end: &Value, seed: &Value, rng: &Rng) -> Outcome {
    let (start, end) = (integer(start)?, integer(end)?);
    if start >= end {
        return Err("The start must be less than the end".into());
    }
    Ok(match seed {
        Value::Null => within(rng, start, end).into(),
        seed => seeded_range(integer(seed)? as u64, start, end).into(),
    })
}

fn add(first: &Value, second: &Value) -> Outcome {
    match integer(first)?.checked_add(integer(second)?) {
        Some(sum) if i32::try_from(sum).is_ok() => Ok(sum.into()),
        _ => Err("The sum is out of range".into()),
    }
}

/// Every character of `delimiters` splits; empty parts are dropped.
fn split(text: &str, delimiters: &str) -> Outcome {
    if delimiters.is_empty() {
        return Ok(vec![Value::from(text)].into());
    }
    Ok(text.split(|c| delimiters.contains(c)).filter(|part| !part.is_empty()).map(Value::from).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::Intrinsic;
    use super::*;
    use crate::rng::Rng;
    use crate::scope::{Scope, Variables};

    fn evaluate(text: &str, input: &Value) -> Result<Value, String> {
        let (variables, rng) = (Variables::default(), Rng::new(7));
        let context = || json!({"Task": {"Token": "t"}});
        let scope = Scope { input, context: &context, variables: &variables, rng: &rng };
        let call = Intrinsic::parse(text)?;
        call.evaluate(&scope, "x.$").map_err(|trouble| trouble.cause)
    }

    #[test]
    fn text_functions() {
        let input = json!({"name": "Ada", "n": 3, "o": {"a": [1, "x"]}});
        for (text, expected) in [
            ("States.Format('Hi {}, {} {}', $.name, $.n, $.o)", json!("Hi Ada, 3 {a=[1, x]}")),
            (r"States.Format('\{{}\}', 1)", json!("{1}")),
            (r"States.Format('it\'s')", json!("it's")),
            ("States.StringToJson('{\"a\":1}')", json!({"a": 1})),
            ("States.JsonToString($.o)", json!("{\"a\":[1,\"x\"]}")),
            ("States.StringSplit('a,b;;c', ',;')", json!(["a", "b", "c"])),
            ("States.Base64Encode('hello')", json!("aGVsbG8=")),
            ("States.Base64Decode('aGVsbG8=')", json!("hello")),
            ("States.Hash('a', 'MD5')", json!("0cc175b9c0f1b6a831c399e269772661")),
            ("States.Hash('a', 'SHA-1')", json!("86f7e437faa5a7fce15d1ddcb9eaeaea377667b8")),
        ] {
            assert_eq!(evaluate(text, &input), Ok(expected), "{text}");
        }
    }

    #[test]
    fn array_functions() {
        let input = json!({"l": [1, 2, 3, 3]});
        for (text, expected) in [
            ("States.Array(1, 'a', $.l[0], null)", json!([1, "a", 1, null])),
            ("States.ArrayPartition($.l, 3)", json!([[1, 2, 3], [3]])),
            ("States.ArrayContains($.l, 2)", json!(true)),
            ("States.ArrayRange(1, 9, 4)", json!([1, 5, 9])),
            ("States.ArrayRange(3, 1, -1)", json!([3, 2, 1])),
            ("States.ArrayGetItem($.l, 1)", json!(2)),
            ("States.ArrayLength($.l)", json!(4)),
            ("States.ArrayUnique($.l)", json!([1, 2, 3])),
            ("States.ArrayLength(States.Array($.l, States.Array()))", json!(2)),
        ] {
            assert_eq!(evaluate(text, &input), Ok(expected), "{text}");
        }
    }

    #[test]
    fn other_functions() {
        let input = json!({"a": {"x": 1, "y": {"p": 1}}, "b": {"y": {"q": 2}}});
        assert_eq!(evaluate("States.JsonMerge($.a, $.b, false)", &input), Ok(json!({"x": 1, "y": {"q": 2}})));
        assert_eq!(evaluate("States.MathAdd(2, -5)", &input), Ok(json!(-3)));
        assert_eq!(evaluate("States.MathRandom(1, 9, 5)", &input), evaluate("States.MathRandom(1, 9, 5)", &input));
        let uuid = evaluate("States.UUID()", &input).unwrap();
        assert_eq!(uuid.as_str().map(|text| (text.len(), text.as_bytes()[14])), Some((36, b'4')));
    }

    #[test]
    fn wrong_calls_say_why() {
        let input = json!({});
        for text in [
            "States.Nothing()",
            "States.Format('{}')",
            "States.Format('a', 1)",
            "States.ArrayGetItem(1, 2)",
            "States.JsonMerge(1, 2, true)",
            "States.Hash('a', 'CRC')",
            "States.Format('a'",
            "States.UUID(1)",
            "States.ArrayPartition(States.Array(1), 0)",
            "States.ArrayRange(1, 5000, 1)",
        ] {
            assert!(evaluate(text, &input).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn base64_comes_back(text in "\\PC{0,60}") {
            let encoded = call(Function::Base64Encode, vec![text.clone().into()], &Rng::new(1)).unwrap();
            prop_assert_eq!(call(Function::Base64Decode, vec![encoded], &Rng::new(1)), Ok(text.into()));
        }

        #[test]
        fn random_numbers_stay_in_range(seed in any::<u64>(), start in -1000i64..1000, span in 1i64..1000) {
            let number = within(&Rng::new(seed), start, start + span);
            prop_assert!((start..start + span).contains(&number));
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in "States\\.[A-Z][a-zA-Z]{0,9}\\PC{0,30}") {
            let _ = Intrinsic::parse(&text);
        }
    }
}
