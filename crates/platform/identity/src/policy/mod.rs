//! The policy language of IAM: documents, their rules, and what they say about a request.
//!
//! AWS counterpart: "IAM JSON policy reference" and "Policy evaluation logic" in the IAM user guide.
//!
//! | Module | What it does |
//! |---|---|
//! | `json` | JSON that refuses members written twice |
//! | `parse` | a document's text → [`Policy`], or why it is malformed |
//! | `glob`, `template` | wildcards; policy variables |
//! | `condition`, `operator` | the `Condition` element |
//! | `principal` | the `Principal` element |
//! | `keys` | the condition keys of a request |
//! | `asked` | the condition keys that a document asks about |
//! | `places` | where a document's statements stand in its text |
//! | `evaluate` | what one policy, and all policies together, say about a request |

mod asked;
mod condition;
mod evaluate;
mod glob;
mod json;
mod keys;
#[cfg(test)]
mod naive;
mod operator;
mod parse;
mod places;
mod principal;
mod template;
#[cfg(test)]
mod tests;

pub(crate) use asked::asked_keys;
pub(crate) use evaluate::{Decision, PolicySet, Question, Refusal, Source, Verdict};
pub(crate) use keys::{Origin, RequestKeys};
pub(crate) use places::statement_spans;

use std::collections::BTreeMap;

use condition::Condition;
use glob::Glyph;
use principal::PrincipalElement;
use template::Template;

/// Where a policy stands, which decides the elements it must and may not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// Attached to a user, group or role, or passed for a session: no `Principal`.
    Identity,
    /// Attached to a resource such as a bucket: has a `Principal`.
    Resource,
    /// Attached to a role, saying who may assume it: has a `Principal` and no `Resource`.
    Trust,
}

/// A valid policy document, ready to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    statements: Vec<Statement>,
}

/// `Allow` or `Deny`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Statement {
    effect: Effect,
    principal: Option<PrincipalElement>,
    actions: Selection<Vec<Glyph>>,
    /// None in trust policies, which speak of their role alone.
    resources: Option<Selection<Template>>,
    conditions: Vec<Condition>,
}

/// An element with a `Not…` twin.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Selection<T> {
    /// Any of these.
    Of(Vec<T>),
    /// Anything but these.
    Not(Vec<T>),
}

/// Why a document is no policy (`MalformedPolicyDocument`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MalformedPolicy(pub(crate) String);

impl Policy {
    /// Reads and checks a document.
    ///
    /// # Errors
    /// [`MalformedPolicy`] with IAM's words for what is wrong.
    pub fn parse(text: &str, kind: PolicyKind) -> Result<Self, MalformedPolicy> {
        parse::policy(text, kind)
    }

    /// Reads and checks a document or a list of documents.
    pub(crate) fn parse_list(text: &str, kind: PolicyKind) -> Result<Vec<Self>, MalformedPolicy> {
        parse::policies(text, kind)
    }

    /// The ARNs and ids of the users, roles and sessions that the policy names as principals.
    pub(crate) fn named_principals(&self) -> impl Iterator<Item = &str> {
        self.statements.iter().filter_map(|statement| statement.principal.as_ref()).flat_map(PrincipalElement::names)
    }

    /// Whether a statement allows any action of a service.
    pub(crate) fn allows_something_of(&self, service: &str) -> bool {
        let colon = Glyph::Char(':');
        let of_service = |pattern: &Vec<Glyph>| match pattern.iter().position(|glyph| *glyph == colon) {
            Some(end) => glob::matches(&pattern[..end], service),
            None => glob::matches(pattern, service),
        };
        self.statements.iter().filter(|statement| statement.effect == Effect::Allow).any(|statement| {
            match &statement.actions {
                Selection::Of(patterns) => patterns.iter().any(of_service),
                Selection::Not(patterns) => !patterns.iter().any(|pattern| *pattern == [Glyph::Any]),
            }
        })
    }

    /// The policy with unique ids in the place of the principals' ARNs that have one in `ids`.
    pub(crate) fn bound_to(mut self, ids: &BTreeMap<String, String>) -> Self {
        self.statements.iter_mut().filter_map(|statement| statement.principal.as_mut()).for_each(|each| each.bind(ids));
        self
    }
}
