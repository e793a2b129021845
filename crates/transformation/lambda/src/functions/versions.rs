//! Published versions: snapshots of code and configuration that never change.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::{Key, Transaction};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::shape;
use crate::api::Page;
use crate::code::shown_digest;
use crate::error::LambdaError;
use crate::names::{FunctionRef, LATEST};
use crate::store::{
    FUNCTIONS, Function, Lambda, StoredFunction, VERSIONS, check_revision, new_revision, page, stored, version_key,
};

/// Writes the present `$LATEST` as the next version, unless nothing has changed since the last one.
pub(super) fn publish(
    tx: &Transaction<'_>,
    stored: &mut StoredFunction,
    description: Option<String>,
    now: DateTime<Utc>,
) -> Result<Function, LambdaError> {
    let name = stored.latest.name.clone();
    if stored.published > 0 {
        let last: Option<Function> = tx.get_json(VERSIONS, &version_key(&name, &stored.published.to_string()))?;
        if let Some(last) = last.filter(|last| same(last, &stored.latest)) {
            return Ok(last);
        }
    }
    stored.published += 1;
    let version = Function {
        version: stored.published.to_string(),
        description: description.unwrap_or_else(|| stored.latest.description.clone()),
        revision: new_revision(),
        last_modified: now,
        ..stored.latest.clone()
    };
    tx.put_json(VERSIONS, &version_key(&name, &version.version), &version)?;
    // Publishing is a change of the function, too.
    stored.latest.revision = new_revision();
    Ok(version)
}

fn same(version: &Function, latest: &Function) -> bool {
    let comparable = |function: &Function| Function {
        version: String::new(),
        description: String::new(),
        revision: String::new(),
        last_modified: DateTime::UNIX_EPOCH,
        ..function.clone()
    };
    comparable(version) == comparable(latest)
}

/// PublishVersion's input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PublishVersion {
    pub(crate) function_name: String,
    code_sha256: Option<String>,
    description: Option<String>,
    revision_id: Option<String>,
    publish_to: Option<String>,
}

pub(crate) async fn publish_version(ctx: Ctx, state: Arc<Lambda>, input: PublishVersion) -> Result<Value, LambdaError> {
    let name = FunctionRef::unqualified(&input.function_name)?;
    if input.publish_to.is_some() {
        return Err(LambdaError::NotImplemented("PublishTo"));
    }
    let (region, now) = (ctx.region().to_owned(), ctx.now());
    let version = state
        .metadata
        .transaction(move |tx| {
            let mut stored = stored(tx, &region, &name)?;
            check_revision(input.revision_id.as_deref(), &stored.latest.revision)?;
            let present = shown_digest(&stored.latest.digest);
            if let Some(expected) = input.code_sha256.filter(|expected| *expected != present) {
                return Err(LambdaError::InvalidParameter(format!(
                    "CodeSHA256 ({expected}) is different from current CodeSHA256 in $LATEST ({present}). Please try \
                     again with the CodeSHA256 in $LATEST."
                )));
            }
            let version = publish(tx, &mut stored, input.description, now)?;
            tx.put_json(FUNCTIONS, &Key::new([&name]), &stored)?;
            Ok(version)
        })
        .await?;
    Ok(shape::configuration(ctx.region(), &version))
}

/// ListVersionsByFunction's input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListVersions {
    pub(crate) function_name: String,
    #[serde(flatten)]
    page: Page,
}

pub(crate) async fn list_versions(ctx: Ctx, state: Arc<Lambda>, input: ListVersions) -> Result<Value, LambdaError> {
    let name = FunctionRef::unqualified(&input.function_name)?;
    let stored = state.function(ctx.region(), &name)?;
    let (versions, marker) = page::<Function>(&state, VERSIONS, &Key::new([&name]), &input.page)?;
    // The first page begins with what is not published yet.
    let latest = input.page.marker.is_none().then_some(stored.latest);
    debug_assert!(latest.as_ref().is_none_or(|latest| latest.version == LATEST));
    let shown: Vec<Value> =
        latest.iter().chain(&versions).map(|version| shape::with_version(ctx.region(), version)).collect();
    Ok(json!({"Versions": shown, "NextMarker": marker}))
}
