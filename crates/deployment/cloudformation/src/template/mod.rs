//! Templates: text → declared parts → a plan for one stack.
//!
//! | Module | What it does |
//! |---|---|
//! | `yaml` | text to JSON, short tags written out |
//! | `declaration` | the sections of a template, checked one by one |
//! | `parameters` | values of parameters: defaults, types, constraints |
//! | `functions` | intrinsic functions and pseudo parameters |
//! | `cidr` | `Fn::Cidr` |
//! | `plan` | conditions decided, dependencies found, order checked |

pub(crate) mod cidr;
pub(crate) mod declaration;
pub(crate) mod functions;
pub(crate) mod parameters;
pub(crate) mod plan;
pub(crate) mod yaml;

pub(crate) use declaration::Template;
pub(crate) use plan::Plan;

/// What is wrong with a template or with what was given for its parameters, in CloudFormation's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct TemplateError(pub(crate) String);

impl TemplateError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}
