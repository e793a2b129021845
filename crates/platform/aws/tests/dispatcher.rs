//! Operations called through the dispatcher: decoded, authorised, handled; each step can refuse.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use boathouse_aws::access::{AccessRequest, Authorizer};
use boathouse_aws::service::Access;
use boathouse_aws::{AwsError, Ctx, Dispatcher, Platform, Principal, Protocol, ServiceTable, SystemClock};
use serde::{Deserialize, Serialize};
use serde_json::json;

struct Shelf;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetBook {
    title: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Book {
    title: String,
    reader: String,
}

async fn get_book(ctx: Ctx, _shelf: Arc<Shelf>, input: GetBook) -> Result<Book, AwsError> {
    if input.title == "missing" {
        return Err(AwsError::bad_request("EntityNotFoundException", "no such book"));
    }
    Ok(Book { title: input.title, reader: ctx.principal.arn.clone() })
}

/// Root may read everything, others only the book that carries their user name.
struct OwnBooks;

impl Authorizer for OwnBooks {
    fn authorize(&self, ctx: &Ctx, request: &AccessRequest<'_>) -> Result<(), AwsError> {
        let own = format!("arn:aws:library:::{}", ctx.principal.user_id);
        if ctx.principal.is_root() || request.resource == own {
            return Ok(());
        }
        Err(AwsError::access_denied(format!("{} on {}", request.action, request.resource)))
    }
}

fn context(principal: Principal) -> Ctx {
    let dispatcher = Dispatcher::default();
    let protocol = Protocol::AwsJson { version: "1.1", target_prefix: "Library" };
    let resources = |_: &Ctx, input: &GetBook| vec![format!("arn:aws:library:::{}", input.title)];
    let table =
        ServiceTable::new("library", protocol).operation("GetBook", Access::On(resources), &Arc::new(Shelf), get_book);
    dispatcher.install(vec![table], Arc::new(OwnBooks));
    Platform::new(dispatcher, Arc::new(SystemClock), "us-east-1").context(Arc::new(principal))
}

fn user(name: &str) -> Principal {
    Principal::user(name, format!("arn:aws:iam::000000000000:user/{name}"), name.into())
}

#[tokio::test]
async fn a_call_reaches_its_handler_with_the_caller() {
    let book = context(user("ada")).call("library", "GetBook", json!({"Title": "ada"})).await.unwrap();
    assert_eq!(book, json!({"Title": "ada", "Reader": "arn:aws:iam::000000000000:user/ada"}));
}

#[tokio::test]
async fn a_denied_call_never_reaches_its_handler() {
    let denied = context(user("ada")).call("library", "GetBook", json!({"Title": "missing"})).await.unwrap_err();
    assert_eq!((denied.code.as_ref(), denied.status.as_u16()), ("AccessDeniedException", 403));
    assert_eq!(denied.message, "library:GetBook on arn:aws:library:::missing");
}

#[tokio::test]
async fn the_handlers_error_comes_back_as_it_is() {
    let error = context(Principal::root()).call("library", "GetBook", json!({"Title": "missing"})).await.unwrap_err();
    assert_eq!(error.code, "EntityNotFoundException");
}

#[tokio::test]
async fn a_missing_member_is_named() {
    let error = context(Principal::root()).call("library", "GetBook", json!({})).await.unwrap_err();
    assert_eq!(error.code, "SerializationException");
    assert!(error.message.contains("Title"), "{error}");
}

#[tokio::test]
async fn unknown_operations_and_services_are_named() {
    let ctx = context(Principal::root());
    for (service, operation) in [("library", "BurnBook"), ("brewery", "GetBeer")] {
        let error = ctx.call(service, operation, json!({})).await.unwrap_err();
        assert_eq!(error.code, "UnknownOperationException");
        assert!(error.message.contains(service) && error.message.contains(operation), "{error}");
    }
}
