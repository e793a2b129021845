//! What policies say about a request: one alone, and all that apply together.

use std::sync::Arc;

use boathouse_aws::principal::PrincipalKind;

use super::keys::RequestKeys;
use super::principal::Closeness;
use super::template::Template;
use super::{Effect, Glyph, Policy, Selection, Statement, glob};

/// May this caller do this to that?
#[derive(Debug, Clone)]
pub(crate) struct Question<'a> {
    /// The action in lower case.
    pub(crate) action: String,
    /// The resource's ARN, or `*`.
    pub(crate) resource: &'a str,
    /// Who asks, from where, and what else is known.
    pub(crate) keys: RequestKeys<'a>,
}

/// What one policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A statement denies it.
    Deny,
    /// A statement allows it and none denies it; for policies with principals, how closely it names the caller.
    Allow(Closeness),
    /// Nothing.
    Silent,
}

impl Policy {
    /// What the policy says about the question.
    pub(crate) fn verdict(&self, question: &Question<'_>) -> Verdict {
        let mut verdict = Verdict::Silent;
        for statement in &self.statements {
            let Some(closeness) = statement.applies(question) else { continue };
            match (statement.effect, verdict) {
                (Effect::Deny, _) => return Verdict::Deny,
                (Effect::Allow, Verdict::Allow(present)) => verdict = Verdict::Allow(present.max(closeness)),
                (Effect::Allow, _) => verdict = Verdict::Allow(closeness),
            }
        }
        verdict
    }

    /// The statements, by their places among the policy's, that bring a decision about: none where nothing allows.
    pub(crate) fn deciding(&self, question: &Question<'_>, decision: Decision) -> Vec<usize> {
        let effect = match decision {
            Ok(()) => Effect::Allow,
            Err(Refusal::Explicit(_)) => Effect::Deny,
            Err(Refusal::Implicit(_)) => return Vec::new(),
        };
        let speaks = |statement: &Statement| statement.effect == effect && statement.applies(question).is_some();
        let statements = self.statements.iter().enumerate();
        statements.filter(|(_, statement)| speaks(statement)).map(|(place, _)| place).collect()
    }
}

impl Statement {
    fn applies(&self, question: &Question<'_>) -> Option<Closeness> {
        let keys = &question.keys;
        let closeness = match &self.principal {
            Some(element) => element.closeness(keys)?,
            None => Closeness::Direct,
        };
        // What can't be told must neither allow nor keep from denying.
        let in_doubt = self.effect == Effect::Deny;
        let applies = self.names_action(&question.action)
            && self.names_resource(question, in_doubt)
            && self.conditions.iter().all(|condition| condition.holds(keys, in_doubt));
        applies.then_some(closeness)
    }

    fn names_action(&self, action: &str) -> bool {
        let among = |patterns: &[Vec<Glyph>]| patterns.iter().any(|pattern| glob::matches(pattern, action));
        match &self.actions {
            Selection::Of(patterns) => among(patterns),
            Selection::Not(patterns) => !among(patterns),
        }
    }

    fn names_resource(&self, question: &Question<'_>, in_doubt: bool) -> bool {
        let keys = &question.keys;
        let among = |list: &[Template]| list.iter().any(|template| template.is_like(question.resource, keys));
        match &self.resources {
            None => true,
            Some(Selection::Of(list)) => among(list),
            Some(Selection::Not(list)) if list.iter().any(|template| template.text(keys).is_none()) => in_doubt,
            Some(Selection::Not(list)) => !among(list),
        }
    }
}

/// Every policy that has a say in a question.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PolicySet<'a> {
    /// Of the user with its groups, or of the role.
    pub(crate) identity: &'a [Arc<Policy>],
    /// The permissions boundary of the user or role.
    pub(crate) boundary: Option<&'a Policy>,
    /// Passed when the session began.
    pub(crate) session: Option<&'a [Arc<Policy>]>,
    /// Of the resource.
    pub(crate) resource: Option<&'a Policy>,
}

/// The sort of policy that decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Identity,
    Boundary,
    Session,
    Resource,
}

impl Source {
    /// The sort with its article, as refusals name it.
    pub(crate) fn with_article(self) -> &'static str {
        match self {
            Self::Identity => "an identity-based policy",
            Self::Boundary => "a permissions boundary",
            Self::Session => "a session policy",
            Self::Resource => "a resource-based policy",
        }
    }

    /// The sort without an article.
    pub(crate) fn name(self) -> &'static str {
        let text = self.with_article();
        text.split_once(' ').map_or(text, |(_, name)| name)
    }
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A statement denies it.
    Explicit(Source),
    /// No statement of a policy that must allow it does.
    Implicit(Source),
}

/// The answer.
pub(crate) type Decision = Result<(), Refusal>;

impl PolicySet<'_> {
    /// Weighs all policies as IAM does within one account: a deny anywhere wins; then the identity's or the resource's
    /// policy must allow, within the boundary and the session policy unless the resource names the caller itself.
    pub(crate) fn decide(&self, question: &Question<'_>) -> Decision {
        let resource = self.resource.map_or(Verdict::Silent, |policy| policy.verdict(question));
        let boundary = self.boundary.map(|policy| policy.verdict(question));
        let identity = any(self.identity, question);
        let session = self.session.map(|policies| any(policies, question));
        let verdicts = [
            (Some(identity), Source::Identity),
            (Some(resource), Source::Resource),
            (boundary, Source::Boundary),
            (session, Source::Session),
        ];
        if let Some((_, source)) = verdicts.into_iter().find(|(verdict, _)| *verdict == Some(Verdict::Deny)) {
            return Err(Refusal::Explicit(source));
        }
        let granted = match resource {
            Verdict::Allow(closeness) => Some(closeness),
            _ => None,
        };
        match question.keys.principal.kind {
            PrincipalKind::Root => return Ok(()),
            PrincipalKind::Anonymous | PrincipalKind::Service { .. } => {
                return granted.map(drop).ok_or(Refusal::Implicit(Source::Resource));
            }
            PrincipalKind::User { .. } | PrincipalKind::AssumedRole { .. } | PrincipalKind::FederatedUser { .. } => {}
        }
        if granted == Some(Closeness::Direct) {
            return Ok(());
        }
        // Whom root vouches for may what root may, within the policies that were passed.
        let by_root = matches!(question.keys.principal.kind, PrincipalKind::FederatedUser { user: None, .. });
        if !matches!(identity, Verdict::Allow(_)) && granted != Some(Closeness::Role) && !by_root {
            return Err(Refusal::Implicit(Source::Identity));
        }
        for (verdict, source) in [(boundary, Source::Boundary), (session, Source::Session)] {
            if verdict == Some(Verdict::Silent) {
                return Err(Refusal::Implicit(source));
            }
        }
        Ok(())
    }
}

/// What policies that add up say together.
fn any(policies: &[Arc<Policy>], question: &Question<'_>) -> Verdict {
    let mut verdict = Verdict::Silent;
    for policy in policies {
        match policy.verdict(question) {
            Verdict::Deny => return Verdict::Deny,
            Verdict::Silent => {}
            allowed @ Verdict::Allow(_) => verdict = allowed,
        }
    }
    verdict
}
