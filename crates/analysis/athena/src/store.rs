//! Where the service's rows live, and what all its operations share.

use boathouse_aws::{Arn, Ctx};
use boathouse_metadata::{Key, Metadata, Page};
use serde::{Deserialize, Serialize};

use crate::error::AthenaError;

/// `(workgroup)` → [`crate::workgroups::WorkGroup`].
pub(crate) const WORKGROUPS: &str = "athena-workgroups";
/// `(id)` → [`crate::named_queries::NamedQuery`].
pub(crate) const NAMED_QUERIES: &str = "athena-named-queries";
/// `(workgroup, id)` → nothing.
pub(crate) const NAMED_QUERIES_OF: &str = "athena-named-queries-of-workgroup";
/// `(workgroup, name)` → [`crate::prepared::PreparedStatement`].
pub(crate) const PREPARED: &str = "athena-prepared-statements";
/// `(arn)` → tags.
pub(crate) const TAGS: &str = "athena-tags";
/// `(id)` → [`crate::executions::Row`].
pub(crate) const EXECUTIONS: &str = "athena-executions";
/// `(workgroup, newest first, id)` → nothing.
pub(crate) const EXECUTIONS_OF: &str = "athena-executions-of-workgroup";
/// `(oldest first, id)` → nothing.
pub(crate) const HISTORY: &str = "athena-history";
/// `(id)` → nothing: executions that have not ended.
pub(crate) const UNFINISHED: &str = "athena-unfinished";
/// `(id)` → [`crate::executions::writing::Writing`], of executions that have not ended.
pub(crate) const WRITINGS: &str = "athena-writings";
/// `(database, table)` → [`crate::lineage`]'s last readers and writers.
pub(crate) const LINEAGE: &str = "athena-lineage";
/// `(ClientRequestToken)` → id.
pub(crate) const TOKENS: &str = "athena-request-tokens";
/// `(hash of statement and context)` → id of the last execution that succeeded.
pub(crate) const REUSABLE: &str = "athena-reusable-results";

/// Seconds since 1970 with a fraction, as awsJson writes timestamps.
pub(crate) type Timestamp = f64;

/// An answer without members.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Empty {}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Tag {
    pub(crate) key: String,
    #[serde(default)]
    pub(crate) value: String,
}

pub(crate) fn now(ctx: &Ctx) -> Timestamp {
    seconds(ctx.now())
}

pub(crate) fn seconds(time: chrono::DateTime<chrono::Utc>) -> Timestamp {
    time.timestamp_millis() as f64 / 1000.0
}

/// The ARN of a workgroup, which is what almost every permission of Athena is about.
pub(crate) fn workgroup_arn(ctx: &Ctx, workgroup: &str) -> String {
    Arn::new("athena", ctx.region(), format!("workgroup/{workgroup}")).to_string()
}

/// The ARN of a data catalog.
pub(crate) fn catalog_arn(ctx: &Ctx, catalog: &str) -> String {
    Arn::new("athena", ctx.region(), format!("datacatalog/{catalog}")).to_string()
}

/// One page below `prefix`, of the asked size within `1..=most`; AWS takes 0 for "as many as you like".
pub(crate) fn page(
    metadata: &Metadata,
    space: &'static str,
    prefix: &Key,
    token: Option<&str>,
    asked: Option<usize>,
    most: usize,
) -> Result<Page, AthenaError> {
    let limit = page_size(asked, most)?;
    Ok(metadata.page(space, prefix, from_token(token)?.as_ref(), limit)?)
}

/// The page size that was asked for.
pub(crate) fn page_size(asked: Option<usize>, most: usize) -> Result<usize, AthenaError> {
    match asked {
        None | Some(0) => Ok(most),
        Some(size) if size <= most => Ok(size),
        Some(_) => Err(AthenaError::invalid(format!("MaxResults is more than maximum allowed length {most}."))),
    }
}

/// The key that a page token stands for: its parts as a JSON list.
fn from_token(token: Option<&str>) -> Result<Option<Key>, AthenaError> {
    let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
    let parts: Vec<String> = serde_json::from_str(token).map_err(|_| AthenaError::invalid("Invalid NextToken"))?;
    Ok(Some(Key::new(parts)))
}

/// The token that stands for a page's end.
pub(crate) fn next_token(page: &Page) -> Option<String> {
    page.next.as_ref().map(|key| serde_json::Value::from(key.parts()).to_string())
}

/// Refuses a text that is shorter or longer than AWS takes.
pub(crate) fn check_length(text: &str, member: &str, least: usize, most: usize) -> Result<(), AthenaError> {
    let length = text.chars().count();
    if (least..=most).contains(&length) {
        return Ok(());
    }
    Err(AthenaError::invalid(format!("{member} must have between {least} and {most} characters, not {length}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_sizes_have_a_limit() {
        assert_eq!(page_size(Some(0), 50).unwrap(), 50);
        assert_eq!(page_size(Some(7), 50).unwrap(), 7);
        assert!(page_size(Some(51), 50).is_err());
    }

    #[test]
    fn tokens_come_back_as_keys_and_foreign_ones_are_refused() {
        let page = Page { entries: Vec::new(), next: Some(Key::new(["a", "b"])) };
        let token = next_token(&page).unwrap();
        assert_eq!(from_token(Some(&token)).unwrap(), Some(Key::new(["a", "b"])));
        assert!(from_token(Some("nonsense")).is_err());
    }
}
