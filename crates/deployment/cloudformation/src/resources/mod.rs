//! Resource types: each is one declaration of its properties, its name, and the calls that make, change and remove it.
//!
//! Everything goes through the dispatcher, as the stack's caller or role: a type adds no capability of its own.
//!
//! | Module | What it does |
//! |---|---|
//! | `schema` | properties: names, types, what is required, what can't change |
//! | `names` | physical names |
//! | `subject` | what a declaration's functions see |
//! | `shapes` | helpers that bring properties into the shape of an operation's input |
//! | `apigateway`, `athena`, `cloudformation`, `events`, `firehose`, `glue`, `iam`, `lambda`, `logs`, `s3`, `sqs`, `states` | the types of each service |
//! | `archive` | zip archives for code that stands in the template |

mod apigateway;
mod archive;
mod athena;
mod cloudformation;
mod events;
mod firehose;
mod glue;
mod iam;
mod lambda;
mod logs;
pub(crate) mod names;
mod s3;
pub(crate) mod schema;
mod shapes;
mod sqs;
mod states;
pub(crate) mod subject;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value;

use schema::Schema;
use subject::Subject;

/// A resource type.
pub(crate) struct ResourceType {
    /// Such as `AWS::S3::Bucket`.
    pub(crate) name: &'static str,
    /// See [`schema`].
    pub(crate) schema: &'static str,
    /// How its name is found.
    pub(crate) naming: Naming,
    /// The calls that make it, in order. The first one's answer is what `physical` and `attributes` see.
    pub(crate) create: &'static [Call],
    /// The calls that change it. Types without are made anew instead.
    pub(crate) update: &'static [Call],
    /// The calls that remove it.
    pub(crate) delete: &'static [Call],
    /// The call that reads it, for types that can be read by name.
    pub(crate) read: Option<Read>,
    /// The value of `Ref`, which is the physical id.
    pub(crate) physical: fn(&Subject<'_>) -> Option<String>,
    /// What `Fn::GetAtt` gives.
    pub(crate) attributes: &'static [Attribute],
}

/// An attribute's name and value.
pub(crate) type Attribute = (&'static str, fn(&Subject<'_>) -> Value);

/// How a resource gets its name.
pub(crate) enum Naming {
    /// From this property (a path with dots), or else generated.
    Property(&'static str, Style),
    /// The same, but several can have one name: a new one can take an old one's place under it.
    Label(&'static str, Style),
    /// It always has a generated one.
    Generated(Style),
}

/// What a generated name may look like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) longest: usize,
    /// No capitals.
    pub(crate) lower: bool,
    /// What stands between its parts.
    pub(crate) separator: char,
}

/// Names of up to this many letters.
pub(crate) const fn plain(longest: usize) -> Style {
    Style { longest, lower: false, separator: '-' }
}

/// Calls of one operation.
pub(crate) struct Call {
    pub(crate) service: &'static str,
    pub(crate) operation: &'static str,
    /// The inputs of the calls: none when there is nothing to do.
    pub(crate) inputs: fn(&Subject<'_>) -> Result<Vec<Value>, String>,
}

/// How a resource is read.
pub(crate) struct Read {
    pub(crate) service: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) input: fn(&Subject<'_>) -> Value,
    /// What an answer tells.
    pub(crate) state: fn(&Subject<'_>, &Value) -> State,
}

/// How far a resource is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// It can be used.
    Ready,
    /// It is being made, changed or removed.
    Busy,
    /// It is not there.
    Absent,
    /// It will never be ready.
    Failed(String),
}

/// For services whose resources are ready when their call returns.
pub(crate) fn ready(_: &Subject<'_>, _: &Value) -> State {
    State::Ready
}

/// The name is the physical id.
pub(crate) fn by_name(subject: &Subject<'_>) -> Option<String> {
    Some(subject.name.to_owned())
}

/// A call with one input.
macro_rules! call {
    ($service:literal, $operation:literal, |$subject:ident| $input:expr) => {
        $crate::resources::Call { service: $service, operation: $operation, inputs: |$subject| Ok(vec![$input]) }
    };
}

/// Calls with any number of inputs.
macro_rules! calls {
    ($service:literal, $operation:literal, |$subject:ident| $inputs:expr) => {
        $crate::resources::Call { service: $service, operation: $operation, inputs: |$subject| Ok($inputs) }
    };
}

pub(crate) use {call, calls};

/// A type with its schema read.
pub(crate) struct Known {
    pub(crate) kind: &'static ResourceType,
    pub(crate) schema: Schema,
}

/// The type of a name.
pub(crate) fn find(name: &str) -> Option<&'static Known> {
    static TYPES: OnceLock<BTreeMap<&'static str, Known>> = OnceLock::new();
    let types = TYPES.get_or_init(|| {
        let tables = [
            apigateway::TYPES,
            athena::TYPES,
            cloudformation::TYPES,
            events::TYPES,
            firehose::TYPES,
            glue::TYPES,
            iam::TYPES,
            lambda::TYPES,
            logs::TYPES,
            s3::TYPES,
            sqs::TYPES,
            states::TYPES,
        ];
        let all = tables.into_iter().flatten();
        all.map(|kind| (kind.name, Known { kind, schema: Schema::parse(kind.schema) })).collect()
    });
    types.get(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_is_read() {
        let role = find("AWS::IAM::Role").unwrap();
        assert!(role.schema.property("RoleName").unwrap().replaces);
        assert!(find("AWS::EC2::Instance").is_none());
    }
}
