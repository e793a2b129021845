//! Operations that clients expect, refused by name: event source mappings and function URLs come later.

use std::sync::Arc;

use boathouse_aws::Ctx;
use serde_json::Value;

use crate::error::LambdaError;
use crate::store::Lambda;

pub(crate) async fn event_source_mappings(_: Ctx, _: Arc<Lambda>, _: Value) -> Result<Value, LambdaError> {
    Err(LambdaError::NotImplemented("event source mappings (Kinesis, SQS and DynamoDB streams to functions)"))
}

pub(crate) async fn function_urls(_: Ctx, _: Arc<Lambda>, _: Value) -> Result<Value, LambdaError> {
    Err(LambdaError::NotImplemented("function URLs; an HTTP API of API Gateway can invoke the function"))
}

pub(crate) async fn provisioned_concurrency(_: Ctx, _: Arc<Lambda>, _: Value) -> Result<Value, LambdaError> {
    Err(LambdaError::NotImplemented("provisioned concurrency"))
}
