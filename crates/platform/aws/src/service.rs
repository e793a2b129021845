//! A service as a table: operation name → typed async handler.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::access::{AccessRequest, Authorizer, ConditionKeys};
use crate::context::Ctx;
use crate::error::AwsError;
use crate::protocol::Dialects;
use crate::protocol::event_stream::EventStream;
use crate::protocol::query::QueryInput;
use crate::protocol::rest_json::{self, Route};
use crate::tags::{RequestTags, ResourceTags};

/// How a service speaks on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// JSON with the operation in `X-Amz-Target: Prefix.Operation`.
    AwsJson {
        /// `1.0` or `1.1`, as in `Content-Type: application/x-amz-json-1.1`.
        version: &'static str,
        /// The part of the target before the dot, such as `AWSGlue`.
        target_prefix: &'static str,
    },
    /// A form with `Action` and `Version`; answers are XML.
    AwsQuery {
        /// The API version, such as `2010-05-08`.
        version: &'static str,
        /// The XML namespace of the answers.
        namespace: &'static str,
    },
    /// JSON with the operation told by method and path: see [`ServiceTable::route`].
    RestJson,
    /// Not from this table: an [`crate::http_service::HttpService`] answers the wire, the table is for calls from inside.
    RestXml,
}

/// An operation's input before it has a type.
#[derive(Debug)]
pub enum OperationInput {
    /// A JSON body; empty stands for `{}`.
    Json(Bytes),
    /// A JSON value from another service or a REST codec.
    Value(serde_json::Value),
    /// The members of a query request.
    Query(QueryInput),
}

impl OperationInput {
    fn decode<I: DeserializeOwned>(self) -> Result<I, AwsError> {
        let decoded = match self {
            Self::Json(body) if body.is_empty() => serde_json::from_slice(b"{}"),
            Self::Json(body) => serde_json::from_slice(&body),
            Self::Value(value) => serde_json::from_value(value),
            Self::Query(query) => return query.decode(),
        };
        decoded.map_err(|error| AwsError::bad_request("SerializationException", error.to_string()))
    }
}

/// An operation's output before it is written in a protocol's shape.
pub type OperationOutput = Box<dyn erased_serde::Serialize + Send + Sync>;

/// What an operation answers.
pub enum Output {
    /// All of it at once.
    Whole(OperationOutput),
    /// One event after the other.
    Stream(EventStream),
}

/// What an operation needs leave for.
pub enum Access<I> {
    /// Nothing: every authenticated caller may call it (`sts:GetCallerIdentity`).
    Free,
    /// The handler asks by itself, because only it knows the resource (`sts:AssumeRole`).
    InHandler,
    /// The IAM action of the operation's own name on these resources; each must be allowed.
    On(fn(&Ctx, &I) -> Vec<String>),
    /// The same, with what the service's own condition keys say of each resource.
    Keyed(fn(&Ctx, &I) -> Vec<(String, ConditionKeys)>),
}

type Handler =
    dyn Fn(Ctx, OperationInput, Arc<dyn Authorizer>) -> BoxFuture<'static, Result<Output, AwsError>> + Send + Sync;

/// All operations of one service.
pub struct ServiceTable {
    /// The name in IAM actions, ARNs and the credential scope, such as `glue`.
    pub name: &'static str,
    /// Its wire protocol.
    pub protocol: Protocol,
    /// The other protocols that it speaks.
    pub(crate) dialects: Option<Dialects>,
    /// The name in the credential scope, where that is another one.
    signing_name: &'static str,
    operations: BTreeMap<&'static str, Box<Handler>>,
    routes: Vec<(&'static str, Route)>,
    unsigned: BTreeSet<&'static str>,
    largest_body: usize,
    tags: Option<Box<ResourceTags>>,
}

/// Bytes of a request's body, unless a service says otherwise.
pub(crate) const LARGEST_BODY: usize = 16 * 1024 * 1024;

impl ServiceTable {
    /// A table without operations.
    pub fn new(name: &'static str, protocol: Protocol) -> Self {
        let (operations, routes, unsigned) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
        Self {
            name,
            protocol,
            dialects: None,
            signing_name: name,
            operations,
            routes,
            unsigned,
            largest_body: LARGEST_BODY,
            tags: None,
        }
    }

    /// Adds an operation. Its IAM action is `name:operation`.
    #[must_use]
    pub fn operation<S, I, O, E, H, F>(
        self,
        operation: &'static str,
        access: Access<I>,
        state: &Arc<S>,
        handler: H,
    ) -> Self
    where
        S: Send + Sync + 'static,
        I: DeserializeOwned + Send + 'static,
        O: Serialize + Send + Sync + 'static,
        E: Into<AwsError>,
        H: Fn(Ctx, Arc<S>, I) -> F + Send + Sync + 'static,
        F: Future<Output = Result<O, E>> + Send + 'static,
    {
        self.insert(operation, access, state, handler, |output| Output::Whole(Box::new(output)))
    }

    /// Adds an operation whose answer goes on. Calls from inside can't have it.
    #[must_use]
    pub fn event_stream<S, I, E, H, F>(
        self,
        operation: &'static str,
        access: Access<I>,
        state: &Arc<S>,
        handler: H,
    ) -> Self
    where
        S: Send + Sync + 'static,
        I: DeserializeOwned + Send + 'static,
        E: Into<AwsError>,
        H: Fn(Ctx, Arc<S>, I) -> F + Send + Sync + 'static,
        F: Future<Output = Result<EventStream, E>> + Send + 'static,
    {
        self.insert(operation, access, state, handler, Output::Stream)
    }

    fn insert<S, I, O, E, H, F>(
        mut self,
        operation: &'static str,
        access: Access<I>,
        state: &Arc<S>,
        handler: H,
        erase: fn(O) -> Output,
    ) -> Self
    where
        S: Send + Sync + 'static,
        I: DeserializeOwned + Send + 'static,
        O: 'static,
        E: Into<AwsError>,
        H: Fn(Ctx, Arc<S>, I) -> F + Send + Sync + 'static,
        F: Future<Output = Result<O, E>> + Send + 'static,
    {
        let state = Arc::clone(state);
        let action = format!("{}:{operation}", self.name);
        let handler = Arc::new(handler);
        let access = Arc::new(access);
        let erased = move |ctx: Ctx, input: OperationInput, authorizer: Arc<dyn Authorizer>| {
            let (state, handler, access, action) =
                (Arc::clone(&state), Arc::clone(&handler), Arc::clone(&access), action.clone());
            let call: BoxFuture<'static, Result<Output, AwsError>> = Box::pin(async move {
                let input: I = input.decode()?;
                authorize(&ctx, &*authorizer, &action, &access, &input)?;
                handler(ctx, state, input).await.map(erase).map_err(Into::into)
            });
            call
        };
        let replaced = self.operations.insert(operation, Box::new(erased));
        assert!(replaced.is_none(), "operation {operation} is registered twice");
        self
    }

    /// Says for which name requests are signed, where that is not the service's own (CloudWatch's is `monitoring`).
    #[must_use]
    pub fn signed_as(self, signing_name: &'static str) -> Self {
        Self { signing_name, ..self }
    }

    /// The name in the credential scope.
    pub(crate) fn signing_name(&self) -> &'static str {
        self.signing_name
    }

    /// Speaks the query protocol and CBOR too.
    #[must_use]
    pub fn with_dialects(self, dialects: Dialects) -> Self {
        Self { dialects: Some(dialects), ..self }
    }

    /// Says by which method and path requests of a restJson service reach `operation`, which must be in the table.
    #[must_use]
    pub fn route(mut self, operation: &'static str, route: Route) -> Self {
        assert!(self.has(operation), "the route of {operation} leads to no operation");
        self.routes.push((operation, route));
        self
    }

    /// Says which requests mean an operation that is not there, so that they are refused by its name.
    #[must_use]
    pub fn missing(mut self, operation: &'static str, route: Route) -> Self {
        assert!(!self.has(operation), "{operation} is in the table");
        self.routes.push((operation, route));
        self
    }

    /// Lets `operation`, which must be in the table, be called without a signature, by the anonymous principal.
    #[must_use]
    pub fn unsigned(mut self, operation: &'static str) -> Self {
        assert!(self.has(operation), "{operation} is no operation");
        self.unsigned.insert(operation);
        self
    }

    /// Whether `operation` may be called without a signature.
    pub(crate) fn takes_unsigned(&self, operation: &str) -> bool {
        self.unsigned.contains(operation)
    }

    /// Whether any operation may be called without a signature.
    pub(crate) fn has_unsigned(&self) -> bool {
        !self.unsigned.is_empty()
    }

    /// Says the tags of the service's resources, by ARN, for policies that ask about them.
    #[must_use]
    pub fn with_tags(self, tags: impl Fn(&str) -> BTreeMap<String, String> + Send + Sync + 'static) -> Self {
        Self { tags: Some(Box::new(tags)), ..self }
    }

    /// The tags of a resource of this service.
    pub fn tags_of(&self, arn: &str) -> BTreeMap<String, String> {
        self.tags.as_ref().map(|tags| tags(arn)).unwrap_or_default()
    }

    /// Takes bodies of up to `bytes`, as services do whose requests carry archives.
    #[must_use]
    pub fn with_largest_body(self, bytes: usize) -> Self {
        Self { largest_body: bytes, ..self }
    }

    /// Bytes that the body of a request may have.
    pub(crate) fn largest_body(&self) -> usize {
        self.largest_body
    }

    /// The operation and the route that a request to a restJson service means.
    pub(crate) fn routed(&self, method: &Method, path: &str) -> Option<&(&'static str, Route)> {
        rest_json::find(&self.routes, method, path)
    }

    /// The names of the implemented operations, in order.
    pub fn operation_names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.operations.keys().copied()
    }

    /// Whether the service implements `operation`.
    pub fn has(&self, operation: &str) -> bool {
        self.operations.contains_key(operation)
    }

    pub(crate) async fn call(
        &self,
        ctx: Ctx,
        operation: &str,
        input: OperationInput,
        authorizer: Arc<dyn Authorizer>,
    ) -> Result<Output, AwsError> {
        let Some(handler) = self.operations.get(operation) else {
            let message = format!("{}:{operation} is not an operation that Boathouse implements", self.name);
            return Err(AwsError::bad_request("UnknownOperationException", message));
        };
        let tags = Arc::new(RequestTags::of(self.name, operation, &input));
        handler(Ctx { tags, ..ctx }, input, authorizer).await
    }
}

fn authorize<I>(
    ctx: &Ctx,
    authorizer: &dyn Authorizer,
    action: &str,
    access: &Access<I>,
    input: &I,
) -> Result<(), AwsError> {
    let ask = |resource: &str, keys| authorizer.authorize(ctx, &AccessRequest::new(action, resource, keys));
    match access {
        Access::Free | Access::InHandler => Ok(()),
        Access::On(resources) => {
            let keys = ConditionKeys::new();
            resources(ctx, input).iter().try_for_each(|resource| ask(resource, &keys))
        }
        Access::Keyed(resources) => resources(ctx, input).iter().try_for_each(|(resource, keys)| ask(resource, keys)),
    }
}

/// The resource list of operations that know no resource: `*`.
pub fn any_resource<I>(_: &Ctx, _: &I) -> Vec<String> {
    vec!["*".to_owned()]
}
