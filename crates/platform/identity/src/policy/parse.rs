//! A document's text → [`Policy`], with IAM's words for what is wrong.

use super::condition::{Condition, Operator};
use super::json::Json;
use super::principal::{PrincipalElement, PrincipalPattern};
use super::template::Template;
use super::{Effect, MalformedPolicy, Policy, PolicyKind, Selection, Statement, glob};

type Parsed<T> = Result<T, MalformedPolicy>;

/// Which version's rules a document follows. Only the newer one knows variables.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    V2008,
    V2012,
}

impl Version {
    fn template(self, text: &str) -> Template {
        match self {
            Self::V2008 => Template::fixed(text),
            Self::V2012 => Template::with_variables(text),
        }
    }
}

fn malformed(message: impl Into<String>) -> MalformedPolicy {
    MalformedPolicy(message.into())
}

fn syntax() -> MalformedPolicy {
    malformed("Syntax errors in policy.")
}

pub(super) fn policy(text: &str, kind: PolicyKind) -> Parsed<Policy> {
    document(&serde_json::from_str(text).map_err(|_| syntax())?, kind)
}

pub(super) fn policies(text: &str, kind: PolicyKind) -> Parsed<Vec<Policy>> {
    let json: Json = serde_json::from_str(text).map_err(|_| syntax())?;
    json.items().iter().map(|each| document(each, kind)).collect()
}

fn document(json: &Json, kind: PolicyKind) -> Parsed<Policy> {
    let Json::Object(members) = json else { return Err(syntax()) };
    let mut version = Version::V2008;
    let mut statements = None;
    for (name, value) in members {
        match name.as_str() {
            "Version" => version = parse_version(value)?,
            "Id" => value.text().map(drop).ok_or_else(syntax)?,
            "Statement" => statements = Some(value.items()),
            _ => return Err(syntax()),
        }
    }
    let statements = statements.filter(|list| !list.is_empty()).ok_or_else(syntax)?;
    check_ids(statements, kind)?;
    let statements = statements.iter().map(|each| statement(each, kind, version)).collect::<Parsed<_>>()?;
    Ok(Policy { statements })
}

fn parse_version(value: &Json) -> Parsed<Version> {
    match value.text() {
        Some("2012-10-17") => Ok(Version::V2012),
        Some("2008-10-17") => Ok(Version::V2008),
        _ => Err(syntax()),
    }
}

fn check_ids(statements: &[Json], kind: PolicyKind) -> Parsed<()> {
    let mut seen = Vec::new();
    for statement in statements {
        let Json::Object(members) = statement else { return Err(syntax()) };
        let Some((_, id)) = members.iter().find(|(name, _)| name == "Sid") else { continue };
        let id = id.text().ok_or_else(syntax)?;
        let plain = id.chars().all(|c| c.is_ascii_alphanumeric());
        if kind != PolicyKind::Resource && !plain {
            return Err(malformed(
                "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the \
                                  regular expression [0-9A-Za-z]*",
            ));
        }
        if seen.contains(&id) && !id.is_empty() {
            return Err(malformed("Statement IDs (SID) in a single policy must be unique."));
        }
        seen.push(id);
    }
    Ok(())
}

fn statement(json: &Json, kind: PolicyKind, version: Version) -> Parsed<Statement> {
    let Json::Object(members) = json else { return Err(syntax()) };
    let (mut effect, mut principal, mut actions, mut resources) = (None, None, None, None);
    let mut conditions = Vec::new();
    for (name, value) in members {
        match name.as_str() {
            "Sid" => {}
            "Effect" => effect = Some(parse_effect(value)?),
            "Principal" => set_once(&mut principal, PrincipalElement::Only(principals(value)?))?,
            "NotPrincipal" => set_once(&mut principal, PrincipalElement::Except(principals(value)?))?,
            "Action" => set_once(&mut actions, Selection::Of(each(value, action)?))?,
            "NotAction" => set_once(&mut actions, Selection::Not(each(value, action)?))?,
            "Resource" => set_once(&mut resources, Selection::Of(each(value, |text| resource(text, version))?))?,
            "NotResource" => set_once(&mut resources, Selection::Not(each(value, |text| resource(text, version))?))?,
            "Condition" => conditions = parse_conditions(value, version)?,
            _ => return Err(syntax()),
        }
    }
    let effect = effect.ok_or_else(syntax)?;
    let actions = actions.ok_or_else(|| malformed("Policy statement must contain actions."))?;
    check_elements(kind, principal.is_some(), resources.is_some())?;
    if kind == PolicyKind::Trust && !speaks_of_sts(&actions) {
        return Err(malformed("AssumeRole policy may only specify STS AssumeRole actions."));
    }
    Ok(Statement { effect, principal, actions, resources, conditions })
}

fn speaks_of_sts(actions: &Selection<Vec<glob::Glyph>>) -> bool {
    let prefix: Vec<_> = glob::glyphs("sts:").collect();
    matches!(actions, Selection::Of(patterns) if patterns.iter().all(|pattern| pattern.starts_with(&prefix)))
}

fn check_elements(kind: PolicyKind, principal: bool, resource: bool) -> Parsed<()> {
    match (kind, principal, resource) {
        (PolicyKind::Identity, true, _) => Err(malformed("Policy document should not specify a principal.")),
        (PolicyKind::Resource | PolicyKind::Trust, false, _) => Err(malformed("Missing required field Principal")),
        (PolicyKind::Trust, _, true) => Err(malformed("Has prohibited field Resource")),
        (PolicyKind::Identity, _, false) => Err(malformed("Policy statement must contain resources.")),
        (PolicyKind::Resource, _, false) => Err(malformed("Missing required field Resource")),
        _ => Ok(()),
    }
}

fn set_once<T>(place: &mut Option<T>, value: T) -> Parsed<()> {
    if place.replace(value).is_some() { Err(syntax()) } else { Ok(()) }
}

fn parse_effect(value: &Json) -> Parsed<Effect> {
    match value.text() {
        Some("Allow") => Ok(Effect::Allow),
        Some("Deny") => Ok(Effect::Deny),
        _ => Err(syntax()),
    }
}

/// A text or a list of texts, each read by `read`. An empty list selects nothing, and its negation everything: neither
/// is what an author means.
fn each<T>(value: &Json, read: impl Fn(&str) -> Parsed<T>) -> Parsed<Vec<T>> {
    if value.items().is_empty() {
        return Err(syntax());
    }
    value.items().iter().map(|item| read(item.text().ok_or_else(syntax)?)).collect()
}

/// Actions match without regard to case, so their glyphs are in lower case.
fn action(text: &str) -> Parsed<Vec<glob::Glyph>> {
    if text != "*" {
        let (vendor, name) = text
            .split_once(':')
            .ok_or_else(|| malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."))?;
        if vendor.is_empty() || !vendor.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(malformed(format!("Vendor {vendor} is not valid")));
        }
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == ':') {
            return Err(syntax());
        }
    }
    Ok(glob::glyphs(&text.to_ascii_lowercase()).collect())
}

fn resource(text: &str, version: Version) -> Parsed<Template> {
    let is_arn = text.starts_with("arn:") && text.splitn(6, ':').count() == 6;
    if text == "*" || is_arn {
        return Ok(version.template(text));
    }
    Err(malformed(format!("Resource {text} must be in ARN format or \"*\".")))
}

fn parse_conditions(value: &Json, version: Version) -> Parsed<Vec<Condition>> {
    let Json::Object(operators) = value else { return Err(syntax()) };
    let mut conditions = Vec::new();
    for (name, tests) in operators {
        let operator = Operator::parse(name).ok_or_else(|| malformed(format!("Invalid Condition type : {name}")))?;
        let Json::Object(tests) = tests else { return Err(syntax()) };
        for (key, values) in tests {
            if !key.contains(':') {
                return Err(malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."));
            }
            let values = values.items().iter().map(|value| condition_value(value, version)).collect::<Parsed<_>>()?;
            conditions.push(Condition { operator, key: key.to_lowercase(), values });
        }
    }
    Ok(conditions)
}

fn condition_value(value: &Json, version: Version) -> Parsed<Template> {
    match value {
        Json::Text(text) => Ok(version.template(text)),
        Json::Bool(flag) => Ok(Template::fixed(if *flag { "true" } else { "false" })),
        Json::Number(number) => Ok(Template::fixed(&number.to_string())),
        Json::Null | Json::List(_) | Json::Object(_) => Err(syntax()),
    }
}

fn principals(value: &Json) -> Parsed<Vec<PrincipalPattern>> {
    match value {
        Json::Text(text) if text == "*" => Ok(vec![PrincipalPattern::Everyone]),
        Json::Object(kinds) if !kinds.is_empty() => {
            let mut patterns = Vec::new();
            for (kind, names) in kinds {
                patterns.extend(each(names, |name| principal(kind, name))?);
            }
            Ok(patterns)
        }
        _ => Err(malformed("Invalid principal in policy.")),
    }
}

fn principal(kind: &str, name: &str) -> Parsed<PrincipalPattern> {
    let invalid = || malformed(format!("Invalid principal in policy: \"{kind}\":\"{name}\""));
    match kind {
        "AWS" if name == "*" => Ok(PrincipalPattern::Everyone),
        "AWS" => aws_principal(name).ok_or_else(invalid),
        "Service" if name.contains('.') && !name.contains(['*', '?', '/', ':']) => {
            Ok(PrincipalPattern::Service(name.to_owned()))
        }
        "Federated" if !name.is_empty() => Ok(PrincipalPattern::Federated(name.to_owned())),
        "CanonicalUser" if !name.is_empty() => Ok(PrincipalPattern::Foreign),
        _ => Err(invalid()),
    }
}

fn aws_principal(name: &str) -> Option<PrincipalPattern> {
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    if is_account(name) {
        return Some(PrincipalPattern::Account(name.to_owned()));
    }
    if name.len() >= 16 && name.starts_with("A") && name.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Some(PrincipalPattern::Named(name.to_owned()));
    }
    let parts: Vec<_> = name.splitn(6, ':').collect();
    let ["arn", partition, service @ ("iam" | "sts"), "", account, resource] = parts[..] else { return None };
    if !partition.starts_with("aws") || !is_account(account) || resource.contains(['*', '?']) {
        return None;
    }
    match resource.split_once('/') {
        None if service == "iam" && resource == "root" => Some(PrincipalPattern::Account(account.to_owned())),
        Some(("user" | "role" | "assumed-role" | "federated-user", rest)) if !rest.is_empty() => {
            Some(PrincipalPattern::Named(name.to_owned()))
        }
        _ => None,
    }
}
