//! restXml: the error document that S3 clients read. S3's own requests and answers are coded in the S3 room.

use std::borrow::Cow;

use bytes::Bytes;
use uuid::Uuid;

use crate::error::AwsError;
use crate::protocol::Answer;
use crate::protocol::xml::escape;

/// The answer of a failed call ("REST Error Responses" in the S3 API reference).
pub fn failure(error: &AwsError, resource: &str, request_id: Uuid) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message>\
         <Resource>{}</Resource><RequestId>{request_id}</RequestId></Error>",
        escape(&error.code),
        escape(&error.message),
        escape(resource),
    );
    Answer { status: error.status, content_type: Cow::Borrowed("application/xml"), body: Bytes::from(body) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_messages_is_escaped() {
        let error = AwsError::bad_request("InvalidURI", "<script> & co");
        let answer = failure(&error, "/b/<k>", Uuid::nil());
        let text = std::str::from_utf8(&answer.body).unwrap();
        assert!(text.contains("<Code>InvalidURI</Code><Message>&lt;script&gt; &amp; co</Message>"));
        assert!(text.contains("<Resource>/b/&lt;k&gt;</Resource>"));
    }
}
