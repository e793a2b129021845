//! GetConfig: what clients should know before they begin.

use boathouse_aws::access::{AccessRequest, ConditionKeys};
use boathouse_aws::{ACCOUNT_ID, Arn};
use serde_json::json;

use crate::error::RestError;
use crate::{Call, Reply};

/// What means the account's own catalog, as AWS has it.
pub(crate) const DEFAULT_CATALOG: &str = ":";

/// What is there, in the protocol's form.
const ENDPOINTS: [&str; 14] = [
    "GET /v1/{prefix}/namespaces",
    "POST /v1/{prefix}/namespaces",
    "GET /v1/{prefix}/namespaces/{namespace}",
    "HEAD /v1/{prefix}/namespaces/{namespace}",
    "DELETE /v1/{prefix}/namespaces/{namespace}",
    "POST /v1/{prefix}/namespaces/{namespace}/properties",
    "GET /v1/{prefix}/namespaces/{namespace}/tables",
    "POST /v1/{prefix}/namespaces/{namespace}/tables",
    "POST /v1/{prefix}/namespaces/{namespace}/register",
    "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "POST /v1/{prefix}/tables/rename",
];

/// Whether a catalog is the account's own.
pub(crate) fn is_known(catalog: &str) -> bool {
    catalog == DEFAULT_CATALOG || catalog == ACCOUNT_ID
}

impl Call<'_> {
    pub(crate) fn config(&self) -> Result<Reply, RestError> {
        let warehouse = self.query.get("warehouse").filter(|name| !name.is_empty());
        if let Some(unknown) = warehouse.filter(|name| !is_known(name)) {
            let message = format!("There is no catalog {unknown}: the warehouse is the account's id, {ACCOUNT_ID}");
            return Err(RestError::not_found("NoSuchWarehouseException", message));
        }
        let (catalog, keys) = (Arn::new("glue", self.ctx.region(), "catalog").to_string(), ConditionKeys::new());
        let question = AccessRequest::new("glue:GetCatalog", &catalog, &keys);
        self.rest.authorizer.authorize(&self.ctx, &question).map_err(RestError::of_aws)?;
        let mut defaults = json!({"client.region": self.ctx.region(), "s3.region": self.ctx.region()});
        if let Some(endpoint) = &self.endpoint {
            defaults["s3.endpoint"] = json!(endpoint);
            defaults["s3.path-style-access"] = json!("true");
        }
        let overrides = json!({"prefix": format!("catalogs/{ACCOUNT_ID}")});
        Ok(json!({"defaults": defaults, "overrides": overrides, "endpoints": ENDPOINTS}).into())
    }
}
