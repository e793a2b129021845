//! Intrinsic functions ("Intrinsics for JSONPath states"): `States.Format('{} rows', $.count)` and 17 more.

mod functions;
mod parse;

use serde_json::Value;

use crate::failure::{Trouble, names};
use crate::path::JsonPath;
use crate::scope::Scope;

/// A compiled call of an intrinsic function.
#[derive(Debug, Clone, PartialEq)]
pub struct Intrinsic {
    text: String,
    function: Function,
    arguments: Vec<Argument>,
}

#[derive(Debug, Clone, PartialEq)]
enum Argument {
    Literal(Value),
    Path(JsonPath),
    Call(Intrinsic),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Format,
    StringToJson,
    JsonToString,
    Array,
    ArrayPartition,
    ArrayContains,
    ArrayRange,
    ArrayGetItem,
    ArrayLength,
    ArrayUnique,
    Base64Encode,
    Base64Decode,
    Hash,
    JsonMerge,
    MathRandom,
    MathAdd,
    StringSplit,
    Uuid,
}

const FUNCTIONS: [(&str, Function); 18] = [
    ("Format", Function::Format),
    ("StringToJson", Function::StringToJson),
    ("JsonToString", Function::JsonToString),
    ("Array", Function::Array),
    ("ArrayPartition", Function::ArrayPartition),
    ("ArrayContains", Function::ArrayContains),
    ("ArrayRange", Function::ArrayRange),
    ("ArrayGetItem", Function::ArrayGetItem),
    ("ArrayLength", Function::ArrayLength),
    ("ArrayUnique", Function::ArrayUnique),
    ("Base64Encode", Function::Base64Encode),
    ("Base64Decode", Function::Base64Decode),
    ("Hash", Function::Hash),
    ("JsonMerge", Function::JsonMerge),
    ("MathRandom", Function::MathRandom),
    ("MathAdd", Function::MathAdd),
    ("StringSplit", Function::StringSplit),
    ("UUID", Function::Uuid),
];

impl Intrinsic {
    /// Compiles a call.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        parse::intrinsic(text)
    }

    pub(crate) fn evaluate(&self, scope: &Scope<'_>, field: &str) -> Result<Value, Trouble> {
        let arguments = self.arguments.iter().map(|argument| match argument {
            Argument::Literal(value) => Ok(value.clone()),
            Argument::Path(path) => scope.path_in_field(path, field),
            Argument::Call(call) => call.evaluate(scope, field),
        });
        let arguments = arguments.collect::<Result<Vec<_>, _>>()?;
        functions::call(self.function, arguments, scope.rng).map_err(|problem| {
            let cause = format!("The function '{}' had the following error: {problem}", self.text);
            Trouble::new(names::INTRINSIC_FAILURE, cause)
        })
    }
}
