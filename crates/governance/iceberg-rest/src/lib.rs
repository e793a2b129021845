//! The Iceberg REST catalog over the Data Catalog's tables, for PyIceberg, Spark, Trino, DuckDB and others.
//!
//! AWS counterpart: "AWS Glue REST APIs for Apache Iceberg specifications", at `/iceberg` of Glue's own endpoint and signed
//! as Glue's calls are. Databases and tables are the Data Catalog's: every call becomes calls of `glue` as whoever asks, so
//! IAM decides as it does there; metadata files are read and written with the caller's rights in S3. A commit is one
//! UpdateTable with the version that it builds on.
//!
//! Beyond AWS's endpoint it stages tables (`stage-create`), renames and registers them, and drops them with their files where
//! that is asked for (`purgeRequested`). Several tables in one transaction, views, credentials for clients and planning of scans
//! are refused.
//!
//! | Module | What it does |
//! |---|---|
//! | `route` | paths → operations |
//! | `config`, `namespaces`, `tables`, `commit` | the operations |
//! | `glue` | tables as the Data Catalog keeps them |
//! | `error` | errors in the protocol's shape |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod commit;
mod config;
mod error;
mod glue;
mod namespaces;
mod route;
mod tables;

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_aws::access::Authorizer;
use boathouse_aws::http_service::{ServiceAnswer, full};
use boathouse_aws::site::{Site, SiteRequest};
use boathouse_aws::stores::ObjectStores;
use boathouse_aws::{AwsError, Ctx};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use http::request::Parts;
use http::{Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::RestError;
use crate::route::{Operation, Route};

/// The catalog's site.
pub struct IcebergRest {
    stores: Arc<dyn ObjectStores>,
    authorizer: Arc<dyn Authorizer>,
}

impl IcebergRest {
    /// A catalog whose metadata files are in these stores.
    pub fn new(stores: Arc<dyn ObjectStores>, authorizer: Arc<dyn Authorizer>) -> Self {
        Self { stores, authorizer }
    }
}

/// One call.
struct Call<'a> {
    rest: &'a IcebergRest,
    ctx: Ctx,
    query: BTreeMap<String, String>,
    body: Bytes,
    /// Where the client reaches the server, such as `http://127.0.0.1:4566`.
    endpoint: Option<String>,
}

impl Call<'_> {
    /// The body as JSON of some shape.
    fn input<T: DeserializeOwned>(&self) -> Result<T, RestError> {
        serde_json::from_slice(&self.body)
            .map_err(|error| RestError::bad_request(format!("the request's body: {error}")))
    }

    fn says(&self, name: &str) -> bool {
        self.query.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// An answer; without a body it has none.
struct Reply {
    status: StatusCode,
    body: Option<Value>,
}

impl From<Value> for Reply {
    fn from(body: Value) -> Self {
        Self { status: StatusCode::OK, body: Some(body) }
    }
}

impl Reply {
    fn empty() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None }
    }
}

impl Site for IcebergRest {
    fn name(&self) -> &'static str {
        "glue"
    }

    /// A bucket may be called `iceberg` too: its objects' requests are signed for S3, or not at all.
    fn owns(&self, parts: &Parts) -> bool {
        let path = parts.uri.path();
        if !path.starts_with(route::BASE) {
            return false;
        }
        match parts.headers.get(AUTHORIZATION) {
            Some(value) => value.to_str().is_ok_and(|text| text.contains("/glue/aws4_request")),
            None => parts.uri.query().is_none_or(|query| !query.contains("X-Amz-")) && route::is_certain(path),
        }
    }

    fn call(&self, request: SiteRequest) -> BoxFuture<'_, ServiceAnswer> {
        Box::pin(async move {
            let (operation, outcome) = self.answer(request).await;
            told(operation, outcome)
        })
    }

    fn unreadable(&self, error: &AwsError) -> ServiceAnswer {
        told("Unknown", Err(RestError::of_aws(error.clone())))
    }
}

impl IcebergRest {
    async fn answer(&self, request: SiteRequest) -> (&'static str, Result<Reply, RestError>) {
        let SiteRequest { ctx, parts, body, signer } = request;
        let route = match Route::of(&parts) {
            Ok(route) => route,
            Err(error) => return ("Unknown", Err(error)),
        };
        let operation = route.operation.name();
        if let Err(error) = signer {
            return (operation, Err(RestError::of_aws(error)));
        }
        if ctx.principal.is_anonymous() {
            return (operation, Err(RestError::forbidden("Missing Authentication Token")));
        }
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        let scheme = if ctx.secure_transport { "https" } else { "http" };
        let endpoint = host.map(|host| format!("{scheme}://{host}"));
        let call = Call { rest: self, ctx, query: query(&parts), body, endpoint };
        (operation, call.run(route).await)
    }
}

impl Call<'_> {
    async fn run(&self, route: Route) -> Result<Reply, RestError> {
        if !config::is_known(&route.catalog) {
            return Err(RestError::not_found(
                "NoSuchCatalogException",
                format!("There is no catalog {}", route.catalog),
            ));
        }
        match route.operation {
            Operation::GetConfig => self.config(),
            Operation::ListNamespaces => self.list_namespaces().await,
            Operation::CreateNamespace => self.create_namespace().await,
            Operation::LoadNamespace(name) => self.load_namespace(&name).await,
            Operation::NamespaceExists(name) => self.load_namespace(&name).await.map(|_| Reply::empty()),
            Operation::DropNamespace(name) => self.drop_namespace(&name).await,
            Operation::UpdateNamespace(name) => self.update_namespace(&name).await,
            Operation::ListTables(namespace) => self.list_tables(&namespace).await,
            Operation::CreateTable(namespace) => self.create_table(&namespace).await,
            Operation::RegisterTable(namespace) => self.register_table(&namespace).await,
            Operation::LoadTable(table) => self.load_table(&table).await,
            Operation::TableExists(table) => self.table_exists(&table).await,
            Operation::UpdateTable(table) => self.commit(&table).await,
            Operation::DropTable(table) => self.drop_table(&table).await,
            Operation::RenameTable => self.rename_table().await,
        }
    }
}

fn query(parts: &Parts) -> BTreeMap<String, String> {
    form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
}

fn told(operation: &'static str, outcome: Result<Reply, RestError>) -> ServiceAnswer {
    let (reply, error) = match outcome {
        Ok(reply) => (reply, None),
        Err(error) => (Reply { status: error.status, body: Some(error.body()) }, Some(error.kind.to_owned())),
    };
    let body = reply.body.map(|body| body.to_string()).unwrap_or_default();
    let has_body = !body.is_empty();
    let mut response = Response::new(full(body));
    *response.status_mut() = reply.status;
    if has_body {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    ServiceAnswer { response, operation, error }
}
