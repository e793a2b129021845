//! Functions: create, read, update, delete, publish.
//!
//! | Module | What it does |
//! |---|---|
//! | `create` | CreateFunction |
//! | `update` | UpdateFunctionCode, UpdateFunctionConfiguration |
//! | `read` | GetFunction, GetFunctionConfiguration, ListFunctions |
//! | `delete` | DeleteFunction |
//! | `versions` | PublishVersion, ListVersionsByFunction |
//! | `shape` | a function as the API shows it |

mod create;
mod delete;
mod read;
pub(crate) mod shape;
mod update;
mod versions;

pub(crate) use create::{CreateFunction, create};
pub(crate) use delete::delete;
pub(crate) use read::{Qualified, get, get_configuration, list};
pub(crate) use update::{UpdateCode, UpdateConfiguration, update_code, update_configuration};
pub(crate) use versions::{ListVersions, PublishVersion, list_versions, publish_version};

use boathouse_aws::Ctx;
use boathouse_aws::access::{AccessRequest, ConditionKeys};

use crate::code::LARGEST_UNPACKED;
use crate::error::LambdaError;
use crate::layers;
use crate::store::{Lambda, LayerUse};

/// The layers that a request names, which the caller must be allowed to use.
fn layer_uses(ctx: &Ctx, state: &Lambda, arns: &[String]) -> Result<Vec<LayerUse>, LambdaError> {
    let keys = ConditionKeys::new();
    let mut uses: Vec<LayerUse> = Vec::with_capacity(arns.len());
    for arn in arns {
        state.authorizer.authorize(ctx, &AccessRequest::new("lambda:GetLayerVersion", arn, &keys))?;
        let layer = layers::by_arn(state, arn)?
            .ok_or_else(|| LambdaError::InvalidParameter(format!("Layer version {arn} does not exist.")))?;
        let same_layer = |used: &LayerUse| {
            used.arn.rsplit_once(':').map(|(layer, _)| layer) == arn.rsplit_once(':').map(|(layer, _)| layer)
        };
        if uses.iter().any(same_layer) {
            let message = format!(
                "Two different versions of the same layer are not allowed to be referenced in the same function. {arn}"
            );
            return Err(LambdaError::InvalidParameter(message));
        }
        uses.push(LayerUse { arn: arn.clone(), size: layer.size, unpacked: layer.unpacked, digest: layer.digest });
    }
    Ok(uses)
}

/// Code and layers together must fit.
fn check_unpacked_size(code: u64, layers: &[LayerUse]) -> Result<(), LambdaError> {
    let total = layers.iter().fold(code, |total, layer| total.saturating_add(layer.unpacked));
    if total <= LARGEST_UNPACKED {
        return Ok(());
    }
    Err(LambdaError::InvalidParameter(format!(
        "Function code combined with layers exceeds the maximum allowed size of {LARGEST_UNPACKED} bytes. The actual \
         size is {total} bytes."
    )))
}
