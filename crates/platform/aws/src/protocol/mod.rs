//! Wire protocols: bodies to inputs, outputs and errors to bodies.
//!
//! | Module | Protocol |
//! |---|---|
//! | [`json`] | awsJson 1.0 and 1.1: Athena, Glue, Kinesis, Step Functions |
//! | [`query`] | awsQuery: IAM, STS |
//! | [`rest_json`] | restJson: API Gateway, Lambda, Scheduler |
//! | [`rest_xml`] | the error document of restXml: S3 |
//! | [`cbor`] | Smithy RPC v2 CBOR: CloudWatch metrics |
//! | [`event_stream`] | answers that go on, one event after the other: CloudWatch Logs |

pub mod cbor;
pub mod event_stream;
pub mod json;
pub mod query;
pub mod rest_json;
pub mod rest_xml;
mod xml;

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

/// The protocols that a service speaks beside awsJson: the query protocol of old clients and the CBOR of new ones. JSON says less
/// than they do, so this says the rest.
#[derive(Debug, Clone, Copy)]
pub struct Dialects {
    /// The API version of the query protocol, such as `2010-08-01`.
    pub version: &'static str,
    /// The XML namespace of its answers.
    pub namespace: &'static str,
    /// Members of outputs that are times, which JSON has as seconds.
    pub times: &'static [&'static str],
    /// Members of outputs that are maps.
    pub maps: &'static [&'static str],
}

/// A response's parts before they are sent: every protocol answers with a whole, short body.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The `Content-Type`.
    pub content_type: Cow<'static, str>,
    /// Headers beside those that every answer has.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    fn new(status: StatusCode, content_type: impl Into<Cow<'static, str>>, body: impl Into<Bytes>) -> Self {
        Self { status, content_type: content_type.into(), headers: HeaderMap::new(), body: body.into() }
    }
}
