//! The rules for values in requests, in the words of IAM's request validation.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::entities::Tags;
use crate::error::IamError;

/// How many tags a user, role, policy or session may have.
const MAX_TAGS: usize = 50;

/// One tag as requests and answers write it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

fn too_long(text: &str, member: &str, most: usize) -> Result<(), IamError> {
    if text.chars().count() <= most {
        return Ok(());
    }
    let constraint = format!("Member must have length less than or equal to {most}");
    Err(IamError::constraint(text, member, &constraint))
}

fn matches_all(text: &str, member: &str, pattern: &str, allowed: impl Fn(char) -> bool) -> Result<(), IamError> {
    if !text.is_empty() && text.chars().all(allowed) {
        return Ok(());
    }
    let constraint = format!("Member must satisfy regular expression pattern: {pattern}");
    Err(IamError::constraint(text, member, &constraint))
}

/// Checks a name of at most `most` characters.
pub(crate) fn name(text: &str, member: &str, most: usize) -> Result<(), IamError> {
    too_long(text, member, most)?;
    matches_all(text, member, r"[\w+=,.@-]+", |c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c))
}

/// The path, `/` unless one is given.
pub(crate) fn path(given: Option<String>) -> Result<String, IamError> {
    let path = given.unwrap_or_else(|| "/".to_owned());
    too_long(&path, "path", 512)?;
    if path != "/" && !(path.len() > 2 && path.starts_with('/') && path.ends_with('/')) {
        return Err(IamError::Validation(
            "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric \
             characters and/or / characters."
                .into(),
        ));
    }
    matches_all(&path, "path", r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)", |c| c.is_ascii_graphic())?;
    Ok(path)
}

/// Checks a description.
pub(crate) fn description(text: &str) -> Result<(), IamError> {
    too_long(text, "description", 1000)?;
    if text.is_empty() {
        return Ok(());
    }
    let pattern = r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*";
    matches_all(text, "description", pattern, |c| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}'))
}

/// The tags of a request; keys are unique without regard to case.
pub(crate) fn tags(given: Vec<Tag>) -> Result<Tags, IamError> {
    let mut seen = BTreeSet::new();
    for tag in &given {
        tag_key(&tag.key)?;
        too_long(&tag.value, "tags.member.value", 256)?;
        if !tag.value.is_empty() {
            matches_all(&tag.value, "tags.member.value", r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", is_tag_letter)?;
        }
        if !seen.insert(tag.key.to_lowercase()) {
            return Err(IamError::InvalidInput(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.".into(),
            ));
        }
    }
    within_tag_quota(given.len())?;
    Ok(given.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

/// Adds tags; a key that differs in case only replaces the present one.
pub(crate) fn add_tags(present: &mut Tags, more: Tags) -> Result<(), IamError> {
    override_tags(present, more);
    within_tag_quota(present.len())
}

/// Adds tags over those with the same keys.
pub(crate) fn override_tags(present: &mut Tags, more: Tags) {
    for (key, value) in more {
        present.retain(|old, _| !old.eq_ignore_ascii_case(&key));
        present.insert(key, value);
    }
}

fn within_tag_quota(count: usize) -> Result<(), IamError> {
    if count <= MAX_TAGS {
        return Ok(());
    }
    Err(IamError::LimitExceeded(format!("The number of tags has reached the maximum limit: {MAX_TAGS}")))
}

fn tag_key(key: &str) -> Result<(), IamError> {
    too_long(key, "tags.member.key", 128)?;
    matches_all(key, "tags.member.key", r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+", is_tag_letter)?;
    if key.to_ascii_lowercase().starts_with("aws:") {
        return Err(IamError::InvalidInput("Invalid tag key. AWS reserved tag keys can't be set".into()));
    }
    Ok(())
}

fn is_tag_letter(c: char) -> bool {
    c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
}

/// A number within bounds.
pub(crate) fn within(value: u32, member: &str, least: u32, most: u32) -> Result<u32, IamError> {
    if value < least {
        let constraint = format!("Member must have value greater than or equal to {least}");
        return Err(IamError::constraint(&value.to_string(), member, &constraint));
    }
    if value > most {
        let constraint = format!("Member must have value less than or equal to {most}");
        return Err(IamError::constraint(&value.to_string(), member, &constraint));
    }
    Ok(value)
}

/// How many characters of a policy count against its quota: all but white space.
pub(crate) fn policy_size(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_have_their_letters() {
        assert!(name("ann.b+c=d,e@f-g_1", "userName", 64).is_ok());
        for wrong in ["", "a b", "a/b", "é", &"x".repeat(65)] {
            assert!(name(wrong, "userName", 64).is_err(), "{wrong}");
        }
        assert_eq!(path(None).unwrap(), "/");
        assert_eq!(path(Some("/a/b/".into())).unwrap(), "/a/b/");
        for wrong in ["a", "/a", "a/", "//", "/a b/"] {
            assert!(path(Some(wrong.into())).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tags_are_unique_and_few() {
        let tag = |key: &str| Tag { key: key.into(), value: "v".into() };
        assert!(tags(vec![tag("a"), tag("b c")]).is_ok());
        assert!(tags(vec![tag("a"), tag("A")]).is_err());
        assert!(tags(vec![tag("aws:x")]).is_err());
        assert!(tags(vec![tag("\0")]).is_err());
        assert!(tags((0..51).map(|n| tag(&n.to_string())).collect()).is_err());
    }
}
