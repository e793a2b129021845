//! The built-in functions: their names, signatures, and where they are.

mod collections;
mod dates;
mod extras;
mod higher_order;
mod integers;
mod matching;
mod number_picture;
mod numbers;
mod strings;
mod urls;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::LazyLock;

use super::eval::{Evaluator, Result, arity};
use super::syntax::signature::Signature;
use super::value::Val;

pub(super) use matching::{first_match, next_match};
pub(super) use strings::string_of;

/// Declares the functions: name, how many arguments a caller such as `$map` passes, signature.
macro_rules! builtins {
    ($($variant:ident $name:literal $arity:literal $signature:literal),* $(,)?) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(in crate::jsonata) enum Builtin { $($variant),* }

        const ALL: &[(&str, Builtin, usize, &str)] = &[$(($name, Builtin::$variant, $arity, $signature)),*];
    };
}

builtins! {
    String "string" 1 "<x-b?:s>",
    Length "length" 1 "<s-:n>",
    Substring "substring" 3 "<s-nn?:s>",
    SubstringBefore "substringBefore" 2 "<s-s:s>",
    SubstringAfter "substringAfter" 2 "<s-s:s>",
    Uppercase "uppercase" 1 "<s-:s>",
    Lowercase "lowercase" 1 "<s-:s>",
    Trim "trim" 1 "<s-:s>",
    Pad "pad" 3 "<s-ns?:s>",
    Contains "contains" 2 "<s-(sf):b>",
    Split "split" 3 "<s-(sf)n?:a<s>>",
    Join "join" 2 "<a<s>s?:s>",
    Match "match" 3 "<s-f<s:o>n?:a<o>>",
    Replace "replace" 4 "<s-(sf)(sf)n?:s>",
    Base64Encode "base64encode" 1 "<s-:s>",
    Base64Decode "base64decode" 1 "<s-:s>",
    EncodeUrl "encodeUrl" 1 "<s-:s>",
    EncodeUrlComponent "encodeUrlComponent" 1 "<s-:s>",
    DecodeUrl "decodeUrl" 1 "<s-:s>",
    DecodeUrlComponent "decodeUrlComponent" 1 "<s-:s>",
    Number "number" 1 "<(nsb)-:n>",
    Abs "abs" 1 "<n-:n>",
    Floor "floor" 1 "<n-:n>",
    Ceil "ceil" 1 "<n-:n>",
    Round "round" 2 "<n-n?:n>",
    Power "power" 2 "<n-n:n>",
    Sqrt "sqrt" 1 "<n-:n>",
    FormatNumber "formatNumber" 3 "<n-so?:s>",
    FormatBase "formatBase" 2 "<n-n?:s>",
    FormatInteger "formatInteger" 2 "<n-s:s>",
    ParseInteger "parseInteger" 2 "<s-s:n>",
    Sum "sum" 1 "<a<n>:n>",
    Max "max" 1 "<a<n>:n>",
    Min "min" 1 "<a<n>:n>",
    Average "average" 1 "<a<n>:n>",
    Boolean "boolean" 1 "<x-:b>",
    Not "not" 1 "<x-:b>",
    Exists "exists" 1 "<x:b>",
    Count "count" 1 "<a:n>",
    Append "append" 2 "<xx:a>",
    Sort "sort" 2 "<af?:a>",
    Reverse "reverse" 1 "<a:a>",
    Shuffle "shuffle" 1 "<a:a>",
    Distinct "distinct" 1 "<x:x>",
    Zip "zip" 0 "<a+>",
    Keys "keys" 1 "<x-:a<s>>",
    Lookup "lookup" 2 "<x-s:x>",
    Spread "spread" 1 "<x-:a<o>>",
    Merge "merge" 1 "<a<o>:o>",
    Sift "sift" 2 "<o-f?:o>",
    Each "each" 2 "<o-f:a>",
    Error "error" 1 "<s?:x>",
    Assert "assert" 2 "<bs?:x>",
    Type "type" 1 "<x:s>",
    Clone "clone" 1 "<(oa)-:o>",
    Map "map" 2 "<af>",
    Filter "filter" 2 "<af>",
    Single "single" 2 "<af?>",
    Reduce "reduce" 3 "<afj?:j>",
    Now "now" 2 "<s?s?:s>",
    Millis "millis" 0 "<:n>",
    FromMillis "fromMillis" 3 "<n-s?s?:s>",
    ToMillis "toMillis" 2 "<s-s?:n>",
    Partition "partition" 2 "<an?:a>",
    Range "range" 3 "<nnn?:a>",
    Hash "hash" 2 "<ss?:s>",
    Random "random" 1 "<n?:n>",
    Uuid "uuid" 0 "<:s>",
    Parse "parse" 1 "<s?:x>",
}

static NAMED: LazyLock<HashMap<&str, Builtin>> =
    LazyLock::new(|| ALL.iter().map(|(name, builtin, ..)| (*name, *builtin)).collect());

static SIGNATURES: LazyLock<Vec<Signature>> = LazyLock::new(|| {
    ALL.iter().map(|(_, _, _, text)| Signature::parse(text).expect("signatures of functions are right")).collect()
});

impl Builtin {
    pub(super) fn named(name: &str) -> Option<Self> {
        NAMED.get(name).copied()
    }

    fn name(self) -> &'static str {
        ALL[self as usize].0
    }

    pub(super) fn arity(self) -> usize {
        ALL[self as usize].2
    }
}

/// Calls `builtin` after its signature has put the arguments right.
pub(super) fn call(evaluator: &Evaluator<'_>, builtin: Builtin, arguments: Vec<Val>, context: &Val) -> Result {
    let arguments = SIGNATURES[builtin as usize].validate(builtin.name(), arguments, context)?;
    let call = Call { evaluator, builtin, arguments };
    let value = strings::call(&call)
        .or_else(|| matching::call(&call))
        .or_else(|| urls::call(&call))
        .or_else(|| numbers::call(&call))
        .or_else(|| collections::call(&call))
        .or_else(|| higher_order::call(&call))
        .or_else(|| dates::call(&call))
        .unwrap_or_else(|| extras::call(&call))?;
    evaluator.charge(match &value {
        Val::String(text) => text.len(),
        Val::Array(list) => list.items.len() * 8,
        _ => 0,
    })?;
    Ok(value)
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
    fn text(&self, index: usize) -> Result<Option<Rc<str>>> {
        match self.at(index) {
            Val::Undefined => Ok(None),
            Val::String(text) => Ok(Some(text.clone())),
            _ => Err(self.mismatch(index + 1)),
        }
    }

    fn number(&self, index: usize) -> Result<Option<f64>> {
        match self.at(index) {
            Val::Undefined => Ok(None),
            Val::Number(number) => Ok(Some(*number)),
            Val::Integer(integer) => Ok(Some(*integer as f64)),
            _ => Err(self.mismatch(index + 1)),
        }
    }

    fn function(&self, index: usize) -> Result<&Val> {
        let value = self.at(index);
        if value.is_function() { Ok(value) } else { Err(self.mismatch(index + 1)) }
    }

    /// The items of an array argument, `None` for undefined.
    fn items(&self, index: usize) -> Option<Rc<Vec<Val>>> {
        match self.at(index) {
            Val::Undefined => None,
            Val::Array(list) => Some(list.items.clone()),
            other => Some(Rc::new(vec![other.clone()])),
        }
    }

    /// Calls back with as many of three arguments as the function wants.
    fn call_back(&self, function: &Val, value: Val, place: impl FnOnce() -> Val, all: &Val) -> Result {
        let wanted = arity(function);
        let mut arguments = vec![value];
        if wanted >= 2 {
            arguments.push(place());
        }
        if wanted >= 3 {
            arguments.push(all.clone());
        }
        self.evaluator.apply(function, arguments, &Val::Null)
    }
}
