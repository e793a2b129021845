//! Functions that run when they are invoked.
//!
//! AWS counterpart: AWS Lambda. [`service`] is the API; [`Lambda`] keeps functions, versions, aliases, layers and policies,
//! and a pool of warm instances, each a sandbox (`boathouse-sandbox`) with its own network in which the function speaks to
//! the Runtime API and to the platform's endpoint, and to nothing else.
//!
//! **Runtimes.** `python3.9` to `python3.14` run on this machine's Python with boto3, `nodejs18.x` to `nodejs24.x` on its
//! Node.js (see `boathouse-runtimes`), whichever version that is; the log names it. `provided.al2` and `provided.al2023` run the
//! archive's `bootstrap` (any program that speaks the Runtime API). `Architectures` is kept and shown, but functions run on
//! the machine's own.
//!
//! **Invoking.** Other services call `lambda.Invoke` through the dispatcher with `{FunctionName, Qualifier?, InvocationType?,
//! Payload (base64)?, LogType?}`; a service says by `Ctx::because_of` what it acts for, which the conditions of the
//! function's policy are checked against. Asynchronous events are on disk when they are acknowledged, and survive a crash.
//!
//! **Not here yet**, and refused by name: event sources other than SQS, their filters, function URLs, provisioned concurrency, response streaming,
//! container images, VPC settings, dead-letter topics and destinations of SNS and S3, JSON logs, layer policies, code signing,
//! extensions, SnapStart. Instances that wait are not frozen: threads that a handler left running go on.
//!
//! | Module | What it does |
//! |---|---|
//! | `api`, `settings` | wire types; checks of a function's settings |
//! | `names` | names and ARNs of functions and layers |
//! | `functions` | create, read, update, delete, publish |
//! | `aliases`, `layers`, `tags` | what belongs to functions |
//! | `permissions` | resource policies |
//! | `concurrency`, `event_config`, `dead_letters` | limits; retries and destinations; dead-letter queues |
//! | `event_sources` | queues whose messages functions are given |
//! | `code` | archives: checked, kept, unpacked, handed out again ([`Downloads`]) |
//! | `invoke` | Invoke: now, or from the durable queue |
//! | `instance` | warm instances, the Runtime API, logs |
//! | `runtime` | interpreters, runtime clients, environment |
//! | [`store`] | the rows |
//! | [`worker`] | what goes on without requests |
//! | [`error`] | errors and their AWS codes |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod aliases;
mod api;
mod code;
mod concurrency;
mod dead_letters;
pub mod error;
mod event_config;
mod event_sources;
mod functions;
mod instance;
mod invoke;
mod layers;
mod names;
mod permissions;
mod runtime;
mod settings;
pub mod store;
mod tags;
pub mod worker;

use std::sync::Arc;

use boathouse_aws::service::{Access, any_resource};
use boathouse_aws::{Ctx, Protocol, Route, ServiceTable};

pub use code::Downloads;
pub use error::LambdaError;
pub use store::{Deps, Lambda};

use crate::names::resource;

/// The service that execution roles must trust.
pub(crate) const SERVICE: &str = "lambda.amazonaws.com";
/// Bytes of a request's body ("Lambda quotas": 50 MB of archive as base64 text, and the settings).
const LARGEST_BODY: usize = 69_905_067;

const FUNCTIONS: &str = "/2015-03-31/functions";
const FUNCTION: &str = "/2015-03-31/functions/{FunctionName}";

/// The operations of Lambda.
pub fn service(state: &Arc<Lambda>) -> ServiceTable {
    let keeper = Arc::clone(state);
    let table = ServiceTable::new("lambda", Protocol::RestJson).with_largest_body(LARGEST_BODY);
    let table = table.with_tags(move |arn| tags::of(&keeper, arn));
    let table = with_functions(table, state);
    let table = with_versions(table, state);
    let table = with_invocations(table, state);
    let table = with_event_sources(table, state);
    let table = with_policies_and_tags(table, state);
    let table = with_layers(table, state);
    without(table)
}

/// IAM's question about an input that names a function.
macro_rules! on_function {
    ($input:ty) => {
        Access::On(|ctx: &Ctx, input: &$input| resource(ctx, &input.function_name, None))
    };
    ($input:ty, qualified) => {
        Access::On(|ctx: &Ctx, input: &$input| resource(ctx, &input.function_name, input.qualifier.as_deref()))
    };
}

fn with_functions(table: ServiceTable, state: &Arc<Lambda>) -> ServiceTable {
    use functions::{
        CreateFunction, Qualified, UpdateCode, UpdateConfiguration, create, delete, get, get_configuration, list,
        update_code, update_configuration,
    };
    table
        .operation("CreateFunction", on_function!(CreateFunction), state, create)
        .route("CreateFunction", Route::post(FUNCTIONS).status(201))
        .operation("GetFunction", on_function!(Qualified, qualified), state, get)
        .route("GetFunction", Route::get(FUNCTION).query("Qualifier", "Qualifier"))
        .operation("GetFunctionConfiguration", on_function!(Qualified, qualified), state, get_configuration)
        .route(
            "GetFunctionConfiguration",
            Route::get("/2015-03-31/functions/{FunctionName}/configuration").query("Qualifier", "Qualifier"),
        )
        .operation("ListFunctions", Access::On(any_resource), state, list)
        .route(
            "ListFunctions",
            paged(Route::get(FUNCTIONS))
                .query("FunctionVersion", "FunctionVersion")
                .query("MasterRegion", "MasterRegion"),
        )
        .operation("UpdateFunctionCode", on_function!(UpdateCode), state, update_code)
        .route("UpdateFunctionCode", Route::put("/2015-03-31/functions/{FunctionName}/code"))
        .operation("UpdateFunctionConfiguration", on_function!(UpdateConfiguration), state, update_configuration)
        .route("UpdateFunctionConfiguration", Route::put("/2015-03-31/functions/{FunctionName}/configuration"))
        .operation("DeleteFunction", on_function!(Qualified, qualified), state, delete)
        .route("DeleteFunction", Route::delete(FUNCTION).query("Qualifier", "Qualifier").answers_status("StatusCode"))
}

fn paged(route: Route) -> Route {
    route.query("Marker", "Marker").query_number("MaxItems", "MaxItems")
}

fn with_versions(table: ServiceTable, state: &Arc<Lambda>) -> ServiceTable {
    use aliases::{AliasInput, AliasName, ListAliases};
    use functions::{ListVersions, PublishVersion, list_versions, publish_version};
    const VERSIONS: &str = "/2015-03-31/functions/{FunctionName}/versions";
    const ALIASES: &str = "/2015-03-31/functions/{FunctionName}/aliases";
    const ALIAS: &str = "/2015-03-31/functions/{FunctionName}/aliases/{Name}";
    table
        .operation("PublishVersion", on_function!(PublishVersion), state, publish_version)
        .route("PublishVersion", Route::post(VERSIONS).status(201))
        .operation("ListVersionsByFunction", on_function!(ListVersions), state, list_versions)
        .route("ListVersionsByFunction", paged(Route::get(VERSIONS)))
        .operation("CreateAlias", on_function!(AliasInput), state, aliases::create)
        .route("CreateAlias", Route::post(ALIASES).status(201))
        .operation("UpdateAlias", on_function!(AliasInput), state, aliases::update)
        .route("UpdateAlias", Route::put(ALIAS))
        .operation("GetAlias", on_function!(AliasName), state, aliases::get)
        .route("GetAlias", Route::get(ALIAS))
        .operation("DeleteAlias", on_function!(AliasName), state, aliases::delete)
        .route("DeleteAlias", Route::delete(ALIAS).status(204))
        .operation("ListAliases", on_function!(ListAliases), state, aliases::list)
        .route("ListAliases", paged(Route::get(ALIASES)).query("FunctionVersion", "FunctionVersion"))
}

fn with_invocations(table: ServiceTable, state: &Arc<Lambda>) -> ServiceTable {
    use concurrency::{Named, PutConcurrency};
    use event_config::{ListConfigs, PutConfig};
    use functions::Qualified;
    const CONFIG: &str = "/2019-09-25/functions/{FunctionName}/event-invoke-config";
    let configured = |route: Route| route.query("Qualifier", "Qualifier");
    table
        .operation("Invoke", Access::InHandler, state, invoke::invoke)
        .route(
            "Invoke",
            Route::post("/2015-03-31/functions/{FunctionName}/invocations")
                .query("Qualifier", "Qualifier")
                .header("x-amz-invocation-type", "InvocationType")
                .header("x-amz-log-type", "LogType")
                .header("x-amz-client-context", "ClientContext")
                .header("x-amz-durable-execution-name", "DurableExecutionName")
                .header("x-amz-tenant-id", "TenantId")
                .payload("Payload")
                .answers_status("StatusCode")
                .answers_header("FunctionError", "x-amz-function-error")
                .answers_header("LogResult", "x-amz-log-result")
                .answers_header("ExecutedVersion", "x-amz-executed-version")
                .answers_payload("Payload"),
        )
        .operation("InvokeAsync", Access::InHandler, state, invoke::invoke_async)
        .route(
            "InvokeAsync",
            Route::post("/2014-11-13/functions/{FunctionName}/invoke-async")
                .payload("InvokeArgs")
                .answers_status("Status"),
        )
        .operation("PutFunctionConcurrency", on_function!(PutConcurrency), state, concurrency::put)
        .route("PutFunctionConcurrency", Route::put("/2017-10-31/functions/{FunctionName}/concurrency"))
        .operation("DeleteFunctionConcurrency", on_function!(Named), state, concurrency::delete)
        .route(
            "DeleteFunctionConcurrency",
            Route::delete("/2017-10-31/functions/{FunctionName}/concurrency").status(204),
        )
        .operation("GetFunctionConcurrency", on_function!(Named), state, concurrency::get)
        .route("GetFunctionConcurrency", Route::get("/2019-09-30/functions/{FunctionName}/concurrency"))
        .operation("GetAccountSettings", Access::On(any_resource), state, concurrency::account_settings)
        .route("GetAccountSettings", Route::get("/2016-08-19/account-settings"))
        .operation("PutFunctionEventInvokeConfig", on_function!(PutConfig, qualified), state, event_config::put)
        .route("PutFunctionEventInvokeConfig", configured(Route::put(CONFIG)))
        .operation("UpdateFunctionEventInvokeConfig", on_function!(PutConfig, qualified), state, event_config::update)
        .route("UpdateFunctionEventInvokeConfig", configured(Route::post(CONFIG)))
        .operation("GetFunctionEventInvokeConfig", on_function!(Qualified, qualified), state, event_config::get)
        .route("GetFunctionEventInvokeConfig", configured(Route::get(CONFIG)))
        .operation("DeleteFunctionEventInvokeConfig", on_function!(Qualified, qualified), state, event_config::delete)
        .route("DeleteFunctionEventInvokeConfig", configured(Route::delete(CONFIG)).status(204))
        .operation(
            "ListFunctionEventInvokeConfigs",
            Access::On(|ctx: &Ctx, input: &ListConfigs| resource(ctx, &input.named.function_name, None)),
            state,
            event_config::list,
        )
        .route(
            "ListFunctionEventInvokeConfigs",
            paged(Route::get("/2019-09-25/functions/{FunctionName}/event-invoke-config/list")),
        )
}

fn with_event_sources(table: ServiceTable, state: &Arc<Lambda>) -> ServiceTable {
    use event_sources::{Create, create, delete, get, list, update};
    const MAPPINGS: &str = "/2015-03-31/event-source-mappings";
    const MAPPING: &str = "/2015-03-31/event-source-mappings/{UUID}";
    let of_function = Access::Keyed(|ctx: &Ctx, input: &Create| vec![("*".to_owned(), input.keys(ctx))]);
    table
        .operation("CreateEventSourceMapping", of_function, state, create)
        .route("CreateEventSourceMapping", Route::post(MAPPINGS).status(202))
        .operation("ListEventSourceMappings", Access::On(any_resource), state, list)
        .route(
            "ListEventSourceMappings",
            paged(Route::get(MAPPINGS)).query("FunctionName", "FunctionName").query("EventSourceArn", "EventSourceArn"),
        )
        .operation("GetEventSourceMapping", Access::InHandler, state, get)
        .route("GetEventSourceMapping", Route::get(MAPPING))
        .operation("UpdateEventSourceMapping", Access::InHandler, state, update)
        .route("UpdateEventSourceMapping", Route::put(MAPPING).status(202))
        .operation("DeleteEventSourceMapping", Access::InHandler, state, delete)
        .route("DeleteEventSourceMapping", Route::delete(MAPPING).status(202))
}

fn with_policies_and_tags(table: ServiceTable, state: &Arc<Lambda>) -> ServiceTable {
    use functions::Qualified;
    use permissions::{AddPermission, RemovePermission};
    const POLICY: &str = "/2015-03-31/functions/{FunctionName}/policy";
    const TAGS: &str = "/2017-03-31/tags/{Resource}";
    let revised = |route: Route| route.query("Qualifier", "Qualifier").query("RevisionId", "RevisionId");
    table
        .operation("AddPermission", Access::Keyed(AddPermission::asked), state, permissions::add)
        .route("AddPermission", Route::post(POLICY).query("Qualifier", "Qualifier").status(201))
        .operation("RemovePermission", on_function!(RemovePermission, qualified), state, permissions::remove)
        .route(
            "RemovePermission",
            revised(Route::delete("/2015-03-31/functions/{FunctionName}/policy/{StatementId}")).status(204),
        )
        .operation("GetPolicy", on_function!(Qualified, qualified), state, permissions::get)
        .route("GetPolicy", Route::get(POLICY).query("Qualifier", "Qualifier"))
        .operation("TagResource", Access::On(|_, input: &tags::Tag| vec![input.resource.clone()]), state, tags::tag)
        .route("TagResource", Route::post(TAGS).status(204))
        .operation(
            "UntagResource",
            Access::On(|_, input: &tags::Untag| vec![input.resource.clone()]),
            state,
            tags::untag,
        )
        .route("UntagResource", Route::delete(TAGS).query_list("tagKeys", "TagKeys").status(204))
        .operation("ListTags", Access::On(|_, input: &tags::ListTags| vec![input.resource.clone()]), state, tags::list)
        .route("ListTags", Route::get(TAGS))
}

fn with_layers(table: ServiceTable, state: &Arc<Lambda>) -> ServiceTable {
    use layers::{LayerVersion, ListLayerVersions, PublishLayer};
    const LAYERS: &str = "/2018-10-31/layers";
    const VERSIONS: &str = "/2018-10-31/layers/{LayerName}/versions";
    const VERSION: &str = "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}";
    let filtered = |route: Route| {
        paged(route)
            .query("CompatibleRuntime", "CompatibleRuntime")
            .query("CompatibleArchitecture", "CompatibleArchitecture")
    };
    table
        .operation(
            "PublishLayerVersion",
            Access::On(|ctx: &Ctx, input: &PublishLayer| names::layer_resource(ctx, &input.layer_name)),
            state,
            layers::publish,
        )
        .route("PublishLayerVersion", Route::post(VERSIONS).status(201))
        .operation(
            "GetLayerVersion",
            Access::On(|ctx: &Ctx, input: &LayerVersion| vec![input.resource(ctx.region())]),
            state,
            layers::get,
        )
        .route("GetLayerVersion", Route::get(VERSION))
        .operation(
            "DeleteLayerVersion",
            Access::On(|ctx: &Ctx, input: &LayerVersion| vec![input.resource(ctx.region())]),
            state,
            layers::delete,
        )
        .route("DeleteLayerVersion", Route::delete(VERSION).status(204))
        .operation("ListLayers", Access::InHandler, state, layers::list)
        .route("ListLayers", filtered(Route::get(LAYERS)).query("find", "Find").query("Arn", "Arn"))
        .operation(
            "ListLayerVersions",
            Access::On(|ctx: &Ctx, input: &ListLayerVersions| names::layer_resource(ctx, &input.layer_name)),
            state,
            layers::list_versions,
        )
        .route("ListLayerVersions", filtered(Route::get(VERSIONS)))
}

/// Operations that clients may well expect, so that they are refused by name.
fn without(table: ServiceTable) -> ServiceTable {
    const URL: &str = "/2021-10-31/functions/{FunctionName}/url";
    const PROVISIONED: &str = "/2019-09-30/functions/{FunctionName}/provisioned-concurrency";
    const LAYER_POLICY: &str = "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy";
    const SIGNING: &str = "/2020-06-30/functions/{FunctionName}/code-signing-config";
    [
        ("CreateFunctionUrlConfig", Route::post(URL)),
        ("UpdateFunctionUrlConfig", Route::put(URL)),
        ("GetFunctionUrlConfig", Route::get(URL)),
        ("DeleteFunctionUrlConfig", Route::delete(URL)),
        ("ListFunctionUrlConfigs", Route::get("/2021-10-31/functions/{FunctionName}/urls")),
        ("PutProvisionedConcurrencyConfig", Route::put(PROVISIONED)),
        ("GetProvisionedConcurrencyConfig", Route::get(PROVISIONED)),
        ("DeleteProvisionedConcurrencyConfig", Route::delete(PROVISIONED)),
        (
            "InvokeWithResponseStream",
            Route::post("/2021-11-15/functions/{FunctionName}/response-streaming-invocations"),
        ),
        ("AddLayerVersionPermission", Route::post(LAYER_POLICY)),
        ("GetLayerVersionPolicy", Route::get(LAYER_POLICY)),
        ("GetFunctionCodeSigningConfig", Route::get(SIGNING)),
        ("PutFunctionCodeSigningConfig", Route::put(SIGNING)),
        ("CreateCodeSigningConfig", Route::post("/2020-04-22/code-signing-configs")),
        ("GetRuntimeManagementConfig", Route::get("/2021-07-20/functions/{FunctionName}/runtime-management-config")),
        ("PutRuntimeManagementConfig", Route::put("/2021-07-20/functions/{FunctionName}/runtime-management-config")),
        ("GetFunctionRecursionConfig", Route::get("/2024-08-31/functions/{FunctionName}/recursion-config")),
        ("PutFunctionRecursionConfig", Route::put("/2024-08-31/functions/{FunctionName}/recursion-config")),
    ]
    .into_iter()
    .fold(table, |table, (operation, route)| table.missing(operation, route))
}
