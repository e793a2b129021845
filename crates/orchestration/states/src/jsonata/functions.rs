//! The built-in functions: their names, how many arguments they take, and where they are.

mod collections;
mod numbers;
mod strings;
mod time;

use std::rc::Rc;

use super::eval::{Evaluator, Result};
use super::value::{Val, number_text};

pub(super) use strings::{regex_match, string_of};

/// Declares the functions: name, fewest and most arguments, whether the context can be the first argument.
macro_rules! builtins {
    ($($variant:ident $name:literal $least:literal $most:literal $context:literal),* $(,)?) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(in crate::jsonata) enum Builtin { $($variant),* }

        impl Builtin {
            pub(in crate::jsonata) fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            fn counts(self) -> (usize, usize, bool) {
                match self { $(Self::$variant => ($least, $most, $context)),* }
            }
        }
    };
}

builtins! {
    String "string" 1 2 true,
    Length "length" 1 1 true,
    Substring "substring" 2 3 true,
    SubstringBefore "substringBefore" 2 2 true,
    SubstringAfter "substringAfter" 2 2 true,
    Uppercase "uppercase" 1 1 true,
    Lowercase "lowercase" 1 1 true,
    Trim "trim" 1 1 true,
    Pad "pad" 2 3 true,
    Contains "contains" 2 2 true,
    Split "split" 2 3 true,
    Join "join" 1 2 false,
    Match "match" 2 3 true,
    Replace "replace" 3 4 true,
    Base64Encode "base64encode" 1 1 true,
    Base64Decode "base64decode" 1 1 true,
    EncodeUrl "encodeUrl" 1 1 true,
    EncodeUrlComponent "encodeUrlComponent" 1 1 true,
    DecodeUrl "decodeUrl" 1 1 true,
    DecodeUrlComponent "decodeUrlComponent" 1 1 true,
    Eval "eval" 1 2 true,
    Number "number" 1 1 true,
    Abs "abs" 1 1 true,
    Floor "floor" 1 1 true,
    Ceil "ceil" 1 1 true,
    Round "round" 1 2 true,
    Power "power" 2 2 true,
    Sqrt "sqrt" 1 1 true,
    Random "random" 0 1 false,
    FormatNumber "formatNumber" 2 3 true,
    FormatBase "formatBase" 1 2 true,
    FormatInteger "formatInteger" 2 2 true,
    ParseInteger "parseInteger" 2 2 true,
    Sum "sum" 1 1 false,
    Max "max" 1 1 false,
    Min "min" 1 1 false,
    Average "average" 1 1 false,
    Boolean "boolean" 1 1 true,
    Not "not" 1 1 true,
    Exists "exists" 1 1 false,
    Count "count" 1 1 false,
    Append "append" 2 2 false,
    Sort "sort" 1 2 false,
    Reverse "reverse" 1 1 false,
    Shuffle "shuffle" 1 1 false,
    Distinct "distinct" 1 1 false,
    Zip "zip" 1 99 false,
    Keys "keys" 1 1 true,
    Lookup "lookup" 2 2 true,
    Spread "spread" 1 1 true,
    Merge "merge" 1 1 false,
    Sift "sift" 2 2 true,
    Each "each" 2 2 true,
    Error "error" 0 1 false,
    Assert "assert" 1 2 false,
    Type "type" 1 1 false,
    Map "map" 2 2 false,
    Filter "filter" 2 2 false,
    Single "single" 1 2 false,
    Reduce "reduce" 2 3 false,
    Now "now" 0 2 false,
    Millis "millis" 0 0 false,
    FromMillis "fromMillis" 1 3 true,
    ToMillis "toMillis" 1 2 true,
    Partition "partition" 2 2 false,
    Range "range" 3 3 false,
    Hash "hash" 1 2 false,
    Uuid "uuid" 0 0 false,
    Parse "parse" 1 1 false,
}

impl Builtin {
    pub(super) fn arity(self) -> usize {
        match self {
            // As many arguments as a callback gets would confuse these.
            Self::String | Self::Round | Self::Number | Self::Split => 1,
            other => other.counts().1,
        }
    }
}

/// Calls `builtin`. A missing first argument is the context where JSONata says so.
pub(super) fn call(evaluator: &Evaluator<'_>, builtin: Builtin, mut arguments: Vec<Val>, context: &Val) -> Result {
    let (least, most, takes_context) = builtin.counts();
    if takes_context && arguments.len() < least {
        arguments.insert(0, context.clone());
    }
    if arguments.len() < least || arguments.len() > most {
        return Err(format!("T0410: Function \"{}\" does not take {} arguments", builtin.name(), arguments.len()));
    }
    let call = Call { evaluator, builtin, arguments };
    match builtin {
        Builtin::Eval => Err("$eval is not available in Step Functions".into()),
        Builtin::Boolean => Ok(match call.at(0) {
            Val::Undefined => Val::Undefined,
            other => Val::Bool(other.truth()),
        }),
        Builtin::Not => Ok(match call.at(0) {
            Val::Undefined => Val::Undefined,
            other => Val::Bool(!other.truth()),
        }),
        Builtin::Exists => Ok(Val::Bool(!call.at(0).is_undefined())),
        Builtin::Error => {
            let message = call.optional_text(0)?.unwrap_or_else(|| "$error() function evaluated".into());
            Err(format!("D3137: {message}"))
        }
        Builtin::Assert => match call.at(0) {
            Val::Bool(true) => Ok(Val::Undefined),
            Val::Bool(false) => {
                let message = call.optional_text(1)?.unwrap_or_else(|| "$assert() statement failed".into());
                Err(format!("D3141: {message}"))
            }
            _ => Err(call.mismatch(1)),
        },
        Builtin::Type => Ok(match call.at(0) {
            Val::Undefined => Val::Undefined,
            other => Val::text(other.kind()),
        }),
        Builtin::Now | Builtin::Millis | Builtin::FromMillis | Builtin::ToMillis => time::call(&call),
        _ => match numbers::call(&call).or_else(|| strings::call(&call)).or_else(|| collections::call(&call)) {
            Some(value) => value,
            None => Err(format!("the function ${} is not supported", builtin.name())),
        },
    }
}

/// One call: the function and its arguments.
struct Call<'a> {
    evaluator: &'a Evaluator<'a>,
    builtin: Builtin,
    arguments: Vec<Val>,
}

impl Call<'_> {
    fn at(&self, index: usize) -> &Val {
        self.arguments.get(index).unwrap_or(&Val::Undefined)
    }

    fn mismatch(&self, position: usize) -> String {
        format!("T0410: Argument {position} of function \"{}\" does not match function signature", self.builtin.name())
    }

    /// Text, or `None` for undefined.
    fn optional_text(&self, index: usize) -> Result<Option<Rc<str>>> {
        match self.at(index) {
            Val::Undefined => Ok(None),
            Val::String(text) => Ok(Some(text.clone())),
            _ => Err(self.mismatch(index + 1)),
        }
    }

    fn text(&self, index: usize) -> Result<Rc<str>> {
        self.optional_text(index)?.ok_or_else(|| self.mismatch(index + 1))
    }

    fn optional_number(&self, index: usize) -> Result<Option<f64>> {
        match self.at(index) {
            Val::Undefined => Ok(None),
            Val::Number(number) => Ok(Some(*number)),
            _ => Err(self.mismatch(index + 1)),
        }
    }

    fn number(&self, index: usize) -> Result<f64> {
        self.optional_number(index)?.ok_or_else(|| self.mismatch(index + 1))
    }

    fn function(&self, index: usize) -> Result<&Val> {
        let value = self.at(index);
        if value.is_function() { Ok(value) } else { Err(self.mismatch(index + 1)) }
    }

    /// Calls back with as many of `arguments` as the function wants.
    fn call_back(&self, function: &Val, arguments: Vec<Val>) -> Result {
        let wanted = Evaluator::arity(function).max(1);
        self.evaluator.call(function, arguments.into_iter().take(wanted).collect(), &Val::Undefined)
    }
}

fn finite(number: f64) -> Result {
    if number.is_finite() {
        Ok(Val::Number(number))
    } else {
        Err(format!("D1001: Number out of range: {}", number_text(number)))
    }
}
