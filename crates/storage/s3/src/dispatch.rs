//! S3's operations in the dispatcher: JSON in the SDK's member names, for services of the same process.
//!
//! A call becomes the request that a client would send and takes its way through the same adapter, so nothing is
//! decided twice: authorisation, limits and refusals are those of the wire. Bodies of objects are whole and short here;
//! whoever moves larger ones streams over HTTP or reads through `ObjectStores`.
//!
//! | Module | What it does |
//! |---|---|
//! | [`operations`] | the operations: where each member of input and output lies on the wire |
//! | [`shape`] | members of documents: JSON ↔ XML |
//! | [`request`], [`answer`] | JSON → request, response → JSON |

mod answer;
mod operations;
mod request;
mod shape;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use boathouse_aws::protocol::rest_xml;
use boathouse_aws::service::Access;
use boathouse_aws::{AwsError, Ctx, Protocol, ServiceTable};
use serde_json::Value;

use self::operations::{OPERATIONS, Operation};
use crate::adapter::Adapter;
use crate::error::Result;

/// The table of the operations that other services can call.
pub(crate) fn table(adapter: &Arc<Adapter>) -> ServiceTable {
    let table = ServiceTable::new("s3", Protocol::RestXml);
    OPERATIONS.iter().fold(table, |table, operation| {
        let handler = move |ctx: Ctx, adapter: Arc<Adapter>, input: Value| call(ctx, adapter, operation, input);
        table.operation(operation.name, Access::InHandler, adapter, handler)
    })
}

async fn call(ctx: Ctx, adapter: Arc<Adapter>, operation: &'static Operation, input: Value) -> Result<Value> {
    carried_out(ctx, &adapter, operation, input).await.map_err(as_on_the_wire)
}

async fn carried_out(ctx: Ctx, adapter: &Adapter, operation: &Operation, input: Value) -> Result<Value> {
    let (parts, body) = request::of(operation, input)?;
    let response = adapter.answer_inside(ctx, parts, body).await?;
    answer::of(operation, response).await
}

/// Errors have the codes that clients of S3 know.
fn as_on_the_wire(error: AwsError) -> AwsError {
    let code = rest_xml::code(&error).to_owned();
    AwsError { code: code.into(), ..error }
}
