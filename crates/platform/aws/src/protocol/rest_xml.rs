//! restXml: the error document that S3 clients read. S3's own requests and answers are coded in the S3 room.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use crate::error::AwsError;
use crate::protocol::Answer;
use crate::protocol::xml::escape;

/// The answer of a failed call ("REST Error Responses" in the S3 API reference). The details become elements.
pub fn failure(error: &AwsError, resource: &str, request_id: Uuid) -> Answer {
    let mut body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message>",
        escape(code(error)),
        escape(&error.message),
    );
    for (name, value) in &error.details {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        body.extend(["<", name, ">", &escape(&text), "</", name, ">"]);
    }
    let ids = format!("<RequestId>{request_id}</RequestId><HostId>{}</HostId></Error>", host_id(request_id));
    body.extend(["<Resource>", &escape(resource), "</Resource>", &ids]);
    Answer::new(error.status, "application/xml", body)
}

/// The error's code as S3 spells it: without the suffix and names of the JSON services.
pub fn code(error: &AwsError) -> &str {
    match &*error.code {
        "AccessDeniedException" => "AccessDenied",
        "InternalFailure" => "InternalError",
        code => code,
    }
}

/// The value of `x-amz-id-2`, which S3 sends beside the request's id.
pub fn host_id(request_id: Uuid) -> String {
    STANDARD.encode(ring::digest::digest(&ring::digest::SHA256, request_id.as_bytes()))
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

    #[test]
    fn details_and_ids_are_elements_and_codes_are_those_of_s3() {
        let error = AwsError::access_denied("no").with_detail("BucketName", "b&b");
        let answer = failure(&error, "/", Uuid::nil());
        let text = std::str::from_utf8(&answer.body).unwrap();
        assert!(text.contains("<Code>AccessDenied</Code>"), "{text}");
        assert!(text.contains("<BucketName>b&amp;b</BucketName>"), "{text}");
        assert!(text.contains(&format!("<HostId>{}</HostId>", host_id(Uuid::nil()))), "{text}");
    }
}
