//! STS, the Security Token Service.

use std::sync::Arc;

use boathouse_aws::service::Access;
use boathouse_aws::{ACCOUNT_ID, AwsError, Ctx, Protocol, ServiceTable};
use serde::{Deserialize, Serialize};

/// The operations of STS.
pub fn service() -> ServiceTable {
    let protocol = Protocol::AwsQuery { version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/" };
    ServiceTable::new("sts", protocol).operation("GetCallerIdentity", Access::Free, &Arc::new(()), get_caller_identity)
}

#[derive(Deserialize)]
struct GetCallerIdentity {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CallerIdentity {
    user_id: String,
    account: &'static str,
    arn: String,
}

async fn get_caller_identity(ctx: Ctx, _: Arc<()>, _: GetCallerIdentity) -> Result<CallerIdentity, AwsError> {
    let principal = &ctx.principal;
    Ok(CallerIdentity { user_id: principal.user_id.clone(), account: ACCOUNT_ID, arn: principal.arn.clone() })
}
