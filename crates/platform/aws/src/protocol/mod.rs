//! Wire protocols: bodies to inputs, outputs and errors to bodies.
//!
//! | Module | Protocol |
//! |---|---|
//! | [`json`] | awsJson 1.0 and 1.1: Athena, Glue, Kinesis, Step Functions |
//! | [`query`] | awsQuery: IAM, STS |
//! | [`rest_json`] | restJson: API Gateway, Lambda, Scheduler |
//! | [`rest_xml`] | the error document of restXml: S3 |

pub mod json;
pub mod query;
pub mod rest_json;
pub mod rest_xml;
mod xml;

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

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
