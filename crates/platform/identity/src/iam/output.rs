//! The shapes of answers.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Value, json};

use super::input;
use crate::entities::{Group, Policies, Role, Tags, User};
use crate::error::IamError;

/// What RFC 3986 leaves as it is.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// How many entities a page holds unless the request says otherwise.
const PAGE: u32 = 100;

/// An answer without members.
#[derive(Debug, Serialize)]
pub(crate) struct Empty {}

/// A policy document as answers carry it.
pub(crate) fn encoded(document: &str) -> String {
    utf8_percent_encode(document, UNRESERVED).to_string()
}

/// A list of tags.
pub(crate) fn tags(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

/// The tags, or nothing where there are none.
pub(crate) fn some_tags(given: &Tags) -> Value {
    if given.is_empty() { Value::Null } else { tags(given) }
}

fn boundary(policies: &Policies) -> Value {
    policies.boundary.as_ref().map_or(
        Value::Null,
        |arn| json!({"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn}),
    )
}

/// A user; listings leave the tags out.
pub(crate) fn user(user: &User, listed: bool) -> Value {
    json!({
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.id,
        "Arn": user.arn(),
        "CreateDate": user.created,
        "PermissionsBoundary": boundary(&user.policies),
        "Tags": if listed { Value::Null } else { some_tags(&user.tags) },
    })
}

/// A group.
pub(crate) fn group(group: &Group) -> Value {
    json!({
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": group.id,
        "Arn": group.arn(),
        "CreateDate": group.created,
    })
}

/// A role; listings leave the tags out.
pub(crate) fn role(role: &Role, listed: bool) -> Value {
    json!({
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn(),
        "CreateDate": role.created,
        "AssumeRolePolicyDocument": encoded(&role.trust),
        "Description": role.description,
        "MaxSessionDuration": role.max_session,
        "PermissionsBoundary": boundary(&role.policies),
        "Tags": if listed { Value::Null } else { some_tags(&role.tags) },
    })
}

/// Where a listing goes on, as requests say it.
#[derive(Debug, Default)]
pub(crate) struct Paging {
    pub(crate) marker: Option<String>,
    pub(crate) max_items: Option<u32>,
}

/// One page of `items`, which `key` puts in order, as the list `member`.
pub(crate) fn page<T>(
    member: &str,
    mut items: Vec<T>,
    paging: &Paging,
    key: impl Fn(&T) -> String,
    shape: impl Fn(&T) -> Value,
) -> Result<Value, IamError> {
    let limit = input::within(paging.max_items.unwrap_or(PAGE), "maxItems", 1, 1000)? as usize;
    items.sort_by_key(&key);
    if let Some(marker) = &paging.marker {
        let after = URL_SAFE_NO_PAD.decode(marker).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let after = after.ok_or_else(|| IamError::Validation(format!("Invalid Marker: {marker}")))?;
        items.retain(|item| key(item) > after);
    }
    let more = items.len() > limit;
    items.truncate(limit);
    let marker = items.last().filter(|_| more).map(|last| URL_SAFE_NO_PAD.encode(key(last)));
    let shapes: Value = items.iter().map(shape).collect();
    Ok(json!({member: shapes, "IsTruncated": more, "Marker": marker}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other() {
        let names = || vec!["c".to_owned(), "a".to_owned(), "b".to_owned()];
        let page = |marker| {
            let paging = Paging { marker, max_items: Some(2) };
            super::page("Names", names(), &paging, String::clone, |name| json!(name))
        };
        let first = page(None).unwrap();
        assert_eq!((&first["Names"], &first["IsTruncated"]), (&json!(["a", "b"]), &json!(true)));
        let second = page(first["Marker"].as_str().map(str::to_owned)).unwrap();
        assert_eq!((&second["Names"], &second["IsTruncated"]), (&json!(["c"]), &json!(false)));
        assert!(second["Marker"].is_null());
        assert!(page(Some("%%".into())).is_err());
        let none = Paging { marker: None, max_items: Some(0) };
        assert!(super::page("Names", names(), &none, String::clone, |name| json!(name)).is_err());
    }

    #[test]
    fn documents_are_percent_encoded() {
        assert_eq!(encoded("{\"a\": \"b-_.~*\"}"), "%7B%22a%22%3A%20%22b-_.~%2A%22%7D");
    }
}
