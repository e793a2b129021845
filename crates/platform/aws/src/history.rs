//! The seam to the event history: what was called, by whom, and how it ended.

use serde_json::Value;

use crate::context::Ctx;

/// A call that has ended.
#[derive(Debug, Clone, Copy)]
pub struct CallRecord<'a> {
    /// Who called, when, from where, through which services.
    pub ctx: &'a Ctx,
    /// The service's name, such as `iam`.
    pub service: &'a str,
    /// The operation's name, such as `CreateRole`.
    pub operation: &'a str,
    /// The request's members, with everything that it held; none if it was too large.
    pub parameters: Option<&'a Value>,
    /// The answer's members, if the call succeeded and its answer is kept.
    pub answer: Option<&'a Value>,
    /// The error's code and message, if the call failed.
    pub error: Option<(&'a str, &'a str)>,
}

/// Keeps what was called. Asked on the way of every call, so it answers quickly.
pub trait CallHistory: Send + Sync {
    /// Whether calls of this operation are kept, so that nothing is put together for those that are not.
    fn keeps(&self, service: &str, operation: &str) -> bool;

    /// Whether the answers of this operation are kept with its calls.
    fn keeps_answer(&self, service: &str, operation: &str) -> bool;

    /// Keeps a call before its answer goes out.
    fn note(&self, call: &CallRecord<'_>);
}
