//! How many invocations may run at once: reserved per function, and the account's limit.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::{Key, Transaction};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::Empty;
use crate::code::LARGEST_UNPACKED;
use crate::error::LambdaError;
use crate::names::FunctionRef;
use crate::store::{FUNCTIONS, LAYERS, Lambda, StoredFunction, VERSIONS, stored};

/// Bytes of archives that AWS keeps for an account; Boathouse keeps what the disk holds.
const TOTAL_CODE_SIZE: u64 = 80_530_636_800;
const LARGEST_INLINE: u64 = 52_428_800;

/// Names a function.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Named {
    pub(crate) function_name: String,
}

/// PutFunctionConcurrency's input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PutConcurrency {
    pub(crate) function_name: String,
    reserved_concurrent_executions: i64,
}

/// What all functions but `except` have reserved.
fn reserved_by_others(tx: &Transaction<'_>, except: &str) -> Result<u64, LambdaError> {
    let mut sum = 0;
    for entry in tx.scan(FUNCTIONS, &Key::default(), None, usize::MAX >> 1)? {
        let stored: StoredFunction = entry.json()?;
        if stored.latest.name != except {
            sum += stored.reserved.unwrap_or_default();
        }
    }
    Ok(sum)
}

pub(crate) async fn put(ctx: Ctx, state: Arc<Lambda>, input: PutConcurrency) -> Result<Value, LambdaError> {
    let name = FunctionRef::unqualified(&input.function_name)?;
    let wanted = u64::try_from(input.reserved_concurrent_executions).map_err(|_| {
        let constraint = "Member must have value greater than or equal to 0";
        LambdaError::constraint(input.reserved_concurrent_executions, "reservedConcurrentExecutions", constraint)
    })?;
    let (region, limit) = (ctx.region().to_owned(), state.pool.account_limit());
    let least = (limit / 10).min(100);
    let (owned, updated) = (name.clone(), ctx.now());
    let others = state
        .metadata
        .transaction(move |tx| {
            let mut stored = stored(tx, &region, &owned)?;
            let others = reserved_by_others(tx, &owned)?;
            if others + wanted + least > limit {
                return Err(LambdaError::InvalidParameter(format!(
                    "Specified ReservedConcurrentExecutions for function decreases account's \
                     UnreservedConcurrentExecution below its minimum value of [{least}]."
                )));
            }
            stored.reserved = Some(wanted);
            stored.latest.last_modified = updated;
            tx.put_json(FUNCTIONS, &Key::new([&owned]), &stored)?;
            Ok(others)
        })
        .await?;
    state.pool.set_reserved_sum(others + wanted);
    Ok(json!({"ReservedConcurrentExecutions": wanted}))
}

pub(crate) async fn delete(ctx: Ctx, state: Arc<Lambda>, input: Named) -> Result<Empty, LambdaError> {
    let name = FunctionRef::unqualified(&input.function_name)?;
    let region = ctx.region().to_owned();
    let others = state
        .metadata
        .transaction(move |tx| {
            let mut stored = stored(tx, &region, &name)?;
            stored.reserved = None;
            tx.put_json(FUNCTIONS, &Key::new([&name]), &stored)?;
            reserved_by_others(tx, &name)
        })
        .await?;
    state.pool.set_reserved_sum(others);
    Ok(Empty {})
}

pub(crate) async fn get(ctx: Ctx, state: Arc<Lambda>, input: Named) -> Result<Value, LambdaError> {
    let stored = state.function(ctx.region(), &FunctionRef::unqualified(&input.function_name)?)?;
    Ok(match stored.reserved {
        Some(reserved) => json!({"ReservedConcurrentExecutions": reserved}),
        None => json!({}),
    })
}

/// GetAccountSettings' input.
#[derive(Debug, Deserialize)]
pub(crate) struct GetAccountSettings {}

pub(crate) async fn account_settings(_: Ctx, state: Arc<Lambda>, _: GetAccountSettings) -> Result<Value, LambdaError> {
    let sizes = |space, member: &str| -> Result<(u64, u64), LambdaError> {
        let rows = state.metadata.scan(space, &Key::default(), None, usize::MAX >> 1)?;
        let mut total = 0;
        for row in &rows {
            let value: Value = row.json()?;
            total += value.pointer(member).and_then(Value::as_u64).unwrap_or_default();
        }
        Ok((rows.len() as u64, total))
    };
    let (functions, code) = sizes(FUNCTIONS, "/latest/code_size")?;
    let total = code + sizes(VERSIONS, "/code_size")?.1 + sizes(LAYERS, "/size")?.1;
    let limit = state.pool.account_limit();
    Ok(json!({
        "AccountLimit": {
            "TotalCodeSize": TOTAL_CODE_SIZE,
            "CodeSizeUnzipped": LARGEST_UNPACKED,
            "CodeSizeZipped": LARGEST_INLINE,
            "ConcurrentExecutions": limit,
            "UnreservedConcurrentExecutions": limit - state.pool.reserved_sum().min(limit),
        },
        "AccountUsage": {"TotalCodeSize": total, "FunctionCount": functions},
    }))
}
