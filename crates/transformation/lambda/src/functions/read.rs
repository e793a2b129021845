//! GetFunction, GetFunctionConfiguration and ListFunctions.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Key;
use serde::Deserialize;
use serde_json::{Value, json};

use super::shape;
use crate::api::Page;
use crate::error::LambdaError;
use crate::names::FunctionRef;
use crate::store::{FUNCTIONS, Function, Lambda, StoredFunction, VERSIONS, page};

/// Names a function and perhaps a version or alias of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Qualified {
    pub(crate) function_name: String,
    pub(crate) qualifier: Option<String>,
}

/// The configuration, under the ARN that was asked for.
fn shown(ctx: &Ctx, function: &Function, wanted: &FunctionRef) -> Value {
    let mut shown = shape::configuration(ctx.region(), function);
    shown["FunctionArn"] = wanted.arn(ctx.region()).into();
    shown
}

pub(crate) async fn get(ctx: Ctx, state: Arc<Lambda>, input: Qualified) -> Result<Value, LambdaError> {
    let wanted = FunctionRef::parse(&input.function_name, input.qualifier.as_deref())?;
    let function = state.resolve(ctx.region(), &wanted, 1.0)?;
    let stored = state.function(ctx.region(), &wanted.name)?;
    let mut answer = json!({
        "Configuration": shown(&ctx, &function, &wanted),
        "Code": {"RepositoryType": "S3", "Location": state.location(&function.digest)},
    });
    if !stored.tags.is_empty() {
        answer["Tags"] = json!(stored.tags);
    }
    if let Some(reserved) = stored.reserved {
        answer["Concurrency"] = json!({"ReservedConcurrentExecutions": reserved});
    }
    Ok(answer)
}

pub(crate) async fn get_configuration(ctx: Ctx, state: Arc<Lambda>, input: Qualified) -> Result<Value, LambdaError> {
    let wanted = FunctionRef::parse(&input.function_name, input.qualifier.as_deref())?;
    let function = state.resolve(ctx.region(), &wanted, 1.0)?;
    Ok(shown(&ctx, &function, &wanted))
}

/// ListFunctions' input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListFunctions {
    master_region: Option<String>,
    function_version: Option<String>,
    #[serde(flatten)]
    page: Page,
}

pub(crate) async fn list(ctx: Ctx, state: Arc<Lambda>, input: ListFunctions) -> Result<Value, LambdaError> {
    if input.master_region.is_some_and(|region| region != "ALL") {
        return Err(LambdaError::NotImplemented("MasterRegion"));
    }
    let (functions, marker) = page::<StoredFunction>(&state, FUNCTIONS, &Key::default(), &input.page)?;
    let mut shown = Vec::new();
    match input.function_version.as_deref() {
        None => {
            shown.extend(functions.iter().map(|stored| shape::configuration(ctx.region(), &stored.latest)));
        }
        Some("ALL") => {
            for stored in functions {
                let versions =
                    state.metadata.scan(VERSIONS, &Key::new([&stored.latest.name]), None, usize::MAX >> 1)?;
                shown.push(shape::with_version(ctx.region(), &stored.latest));
                for entry in versions {
                    shown.push(shape::with_version(ctx.region(), &entry.json()?));
                }
            }
        }
        Some(other) => {
            return Err(LambdaError::constraint(other, "functionVersion", "Member must satisfy enum value set: [ALL]"));
        }
    }
    Ok(json!({"Functions": shown, "NextMarker": marker}))
}
