//! The AWS front: what every service of the platform shares on its way from a socket to a handler.
//!
//! AWS counterpart: the common wire behaviour described by "Signature Version 4 signing process", "Smithy protocols"
//! (awsJson, awsQuery, restJson, restXml) and each service's "Common Errors" page.
//!
//! | Module | What it does |
//! |---|---|
//! | [`gateway`] | accepts connections (HTTP/1.1, HTTP/2, TLS), routes requests to services, writes the audit line |
//! | [`http_service`] | the seam to services whose bodies stream, such as S3 |
//! | [`site`] | the seam to web sites on the same port, such as the APIs of API Gateway |
//! | [`documents`] | addresses of our own on it: what no call of AWS's tells |
//! | [`metrics`] | what the gateway counts, for Prometheus |
//! | [`sigv4`] | verifies Signature Version 4 in headers and presigned URLs |
//! | [`sigv2`] | verifies presigned URLs of Signature Version 2, which boto3 makes by default in us-east-1 |
//! | [`protocol`] | turns bodies into operation inputs and outputs or errors into bodies, per wire protocol |
//! | [`dispatcher`] | finds the operation, asks the [`access::Authorizer`], calls the handler; services call each other by it |
//! | [`service`] | the table of a service: operation name → typed async handler |
//! | [`context`] | who calls, when, where: [`context::Ctx`], [`context::Platform`] |
//! | [`clock`] | the time, which tests and demonstrations can drive: [`clock::Clock`] |
//! | [`principal`] | users, roles, services as the callers of operations |
//! | [`access`] | the seams to the identity room: credentials, authorisation, service roles |
//! | [`tags`] | tags of resources and of requests, which policies ask about |
//! | [`history`] | the seam to the event history: calls that have ended |
//! | [`measures`] | what services measure of themselves, for CloudWatch |
//! | [`vitals`] | how the stores are, for the health page and the metrics |
//! | [`stores`] | the seam to the object engine: a bucket as the caller may see it |
//! | [`events`] | what happens inside the platform, told in the process |
//! | [`arn`], [`error`] | Amazon Resource Names; errors as data |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod access;
pub mod arn;
pub mod clock;
pub mod context;
pub mod dispatcher;
pub mod documents;
pub mod error;
pub mod events;
pub mod gateway;
pub mod history;
pub mod http_service;
pub mod measures;
pub mod metrics;
pub mod principal;
pub mod protocol;
pub mod service;
pub mod sigv2;
pub mod sigv4;
pub mod site;
pub mod stores;
pub mod tags;
pub mod vitals;

pub use arn::{ACCOUNT_ID, Arn};
pub use clock::{Clock, ManualClock, ShiftedClock, SystemClock};
pub use context::{Ctx, Platform};
pub use dispatcher::Dispatcher;
pub use error::AwsError;
pub use principal::Principal;
pub use protocol::rest_json::Route;
pub use service::{OperationInput, OperationOutput, Protocol, ServiceTable};
