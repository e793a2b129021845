//! Wire protocols: bodies to inputs, outputs and errors to bodies.
//!
//! | Module | Protocol |
//! |---|---|
//! | [`json`] | awsJson 1.0 and 1.1: Athena, Glue, Kinesis, Step Functions |
//! | [`query`] | awsQuery: IAM, STS |
//! | [`rest_xml`] | the error document of restXml: S3 |

pub mod json;
pub mod query;
pub mod rest_xml;
mod xml;

use std::borrow::Cow;

use bytes::Bytes;
use http::StatusCode;

/// A response's parts before they are sent: every protocol answers with a whole, short body.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The `Content-Type`.
    pub content_type: Cow<'static, str>,
    /// The body.
    pub body: Bytes,
}
