//! Calls whose bodies stream: verified by their headers before the first byte of the body is read.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HOST, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use ring::digest;

use super::record::Record;
use super::{Gateway, MaybeClaim, Signer, limits, received, signer_of, signing_time};
use crate::context::{Ctx, Signed};
use crate::error::AwsError;
use crate::history::CallRecord;
use crate::http_service::{
    ErrorMessage, HttpService, RequestBody, ResponseBody, ServiceAnswer, Trailers, VerifiedRequest, body_failure, full,
};
use crate::principal::Principal;
use crate::protocol::rest_xml;
use crate::sigv2::QueryClaim;
use crate::sigv4::{ChunkSigner, Dialect, Payload, SignatureError, chunked};

const DECODED_LENGTH: &str = "x-amz-decoded-content-length";

/// Who calls, what the body must be, and how the request was signed.
type Authenticated = (Arc<Principal>, Payload, Option<ChunkSigner>, Option<Signer>);

/// What the event history keeps of a request's line: the bucket and the members of the query that tell the operation.
fn parameters(service: &dyn HttpService, ctx: &Ctx, uri: Uri) -> serde_json::Value {
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.uri = uri;
    if let Some(host) = &ctx.wire.host {
        parts.headers.insert(HOST, host.clone());
    }
    let path = service.signed_path(&parts, ctx.region());
    let bucket = path.trim_start_matches('/').split('/').next().filter(|bucket| !bucket.is_empty());
    let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let plain = query.filter(|(name, _)| !name.to_ascii_lowercase().starts_with("x-amz-"));
    let mut members: serde_json::Map<String, serde_json::Value> =
        plain.map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect();
    members.retain(|name, _| !matches!(name.as_str(), "AWSAccessKeyId" | "Signature" | "Expires"));
    members.extend(bucket.map(|bucket| ("bucketName".to_owned(), bucket.into())));
    let host = ctx.wire.host.as_ref().and_then(|host| host.to_str().ok());
    members.extend(host.map(|host| ("Host".to_owned(), host.into())));
    members.into()
}

impl Gateway {
    pub(super) async fn streamed(
        &self,
        service: &dyn HttpService,
        (parts, claim): (Parts, MaybeClaim),
        body: Incoming,
        record: &mut Record,
    ) -> Response<ResponseBody> {
        service.name().clone_into(&mut record.service);
        let (resource, head) = (parts.uri.path().to_owned(), parts.method == Method::HEAD);
        let uri = parts.uri.clone();
        let mut response = match self.admit(service, (parts, claim), body, record) {
            Ok(request) => {
                let ctx = request.ctx.clone();
                let answer = service.call(request).await;
                self.remember(service, &ctx, uri, &answer);
                answer.operation.clone_into(&mut record.operation);
                record.error = answer.error;
                if let Some(principal) = answer.response.extensions().get::<Arc<Principal>>() {
                    record.principal.clone_from(&principal.arn);
                }
                answer.response
            }
            Err(error) => {
                record.error = Some(rest_xml::code(&error).to_owned());
                failed(&error, &resource, head, record)
            }
        };
        let id = |text: String| HeaderValue::try_from(text).expect("invariant: ids are visible ASCII");
        response.headers_mut().insert("x-amz-request-id", id(record.request_id.to_string()));
        response.headers_mut().insert("x-amz-id-2", id(rest_xml::host_id(record.request_id)));
        response
    }

    /// Hands a call that has ended to who keeps such calls.
    fn remember(&self, service: &dyn HttpService, ctx: &Ctx, uri: Uri, answer: &ServiceAnswer) {
        let Some(history) = self.platform.dispatcher.history(service.name(), answer.operation) else { return };
        let principal = answer.response.extensions().get::<Arc<Principal>>();
        let signed = principal.map(|principal| ctx.as_principal(Arc::clone(principal)));
        let parameters = &parameters(service, ctx, uri);
        let message = answer.response.extensions().get::<ErrorMessage>().map_or("", |message| &*message.0);
        let error = answer.error.as_deref().map(|code| (code, message));
        history.note(&CallRecord {
            ctx: signed.as_ref().unwrap_or(ctx),
            service: service.name(),
            operation: answer.operation,
            parameters: Some(parameters),
            answer: None,
            error,
        });
    }

    fn admit(
        &self,
        service: &dyn HttpService,
        (mut parts, claim): (Parts, MaybeClaim),
        body: Incoming,
        record: &mut Record,
    ) -> Result<VerifiedRequest, AwsError> {
        // Before anything can fail: whoever is refused must still be read to get to the answer.
        let raw = received::stream(&parts, body, Arc::clone(&record.bytes_in), self.limits.patience);
        limits::s3_head(&parts)?;
        let (principal, payload, signer, signed) =
            self.authenticate(service, &parts, claim).map_err(|error| error.into_aws(Dialect::S3))?;
        record.principal.clone_from(&principal.arn);
        let ctx = Ctx { service: Some(service.name()), ..self.context(record, principal, &parts, signed) };
        let (body, trailers) = match payload {
            Payload::Unsigned => (raw, Trailers::default()),
            Payload::Sha256(hash) => (hashed(raw, hash), Trailers::default()),
            Payload::Chunked { trailer, .. } => decoded(raw, &mut parts.headers, signer, trailer)?,
        };
        Ok(VerifiedRequest { ctx, parts, body, trailers })
    }

    fn authenticate(
        &self,
        service: &dyn HttpService,
        parts: &Parts,
        claim: MaybeClaim,
    ) -> Result<Authenticated, SignatureError> {
        // A browser asks before a presigned request with the URL of that request, whose signature covers the other method.
        if parts.method == Method::OPTIONS {
            return Ok((Arc::new(Principal::anonymous()), unchained(parts)?, None, None));
        }
        if let Some(claim) = QueryClaim::of(parts)? {
            let path = service.signed_path(parts, &self.platform.region);
            let (credentials, now) = (self.verifier.credentials(), signing_time());
            let principal = claim.verify(parts, &path, credentials, now)?;
            let signed = Signed { version: "AWS", place: "REST-QUERY-STRING", age_ms: None };
            return Ok((principal, unchained(parts)?, None, Some((claim.access_key_id, signed))));
        }
        let Some(claim) = claim? else {
            return Ok((Arc::new(Principal::anonymous()), unchained(parts)?, None, None));
        };
        claim.check_scope(service.name(), &self.platform.region)?;
        let (payload, word) = Payload::of(parts, claim.expires.is_some())?;
        let (principal, key) = self.verifier.verify_with_key(&claim, parts, &word, signing_time())?;
        let chained = matches!(payload, Payload::Chunked { signed: true, .. });
        let signer = chained.then(|| ChunkSigner::new(key, &claim));
        Ok((principal, payload, signer, Some(signer_of(&claim))))
    }
}

/// The body of a request without a signature that its chunks could be chained to.
fn unchained(parts: &Parts) -> Result<Payload, SignatureError> {
    let (payload, _) = Payload::of(parts, true)?;
    if matches!(payload, Payload::Chunked { signed: true, .. }) {
        return Err(SignatureError::Payload("a body with signed chunks needs a request signed in its headers"));
    }
    Ok(payload)
}

fn failed(error: &AwsError, resource: &str, head: bool, record: &Record) -> Response<ResponseBody> {
    let answer = rest_xml::failure(error, resource, record.request_id);
    let mut response = Response::new(full(if head { Bytes::new() } else { answer.body }));
    *response.status_mut() = answer.status;
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/xml"));
    response
}

/// The same body; it fails at its end if it is not the one that was signed.
fn hashed(raw: impl Stream<Item = io::Result<Bytes>> + Send + Unpin + 'static, declared: [u8; 32]) -> RequestBody {
    let context = digest::Context::new(&digest::SHA256);
    let steps = stream::try_unfold((raw, context), move |(mut raw, mut context)| async move {
        if let Some(data) = raw.try_next().await? {
            context.update(&data);
            return Ok(Some((data, (raw, context))));
        }
        let computed = context.finish();
        if computed.as_ref() == declared {
            return Ok(None);
        }
        let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        let error = AwsError::bad_request("XAmzContentSHA256Mismatch", message)
            .with_detail("ClientComputedContentSHA256", hex::encode(declared))
            .with_detail("S3ComputedContentSHA256", hex::encode(computed));
        Err(body_failure(error))
    });
    steps.boxed()
}

/// The body without its coding. The headers are changed to speak of what is handed on.
fn decoded(
    raw: impl Stream<Item = io::Result<Bytes>> + Send + Unpin + 'static,
    headers: &mut HeaderMap,
    signer: Option<ChunkSigner>,
    trailer: bool,
) -> Result<(RequestBody, Trailers), AwsError> {
    let length = headers.remove(DECODED_LENGTH).ok_or_else(|| {
        let message = "You must provide the Content-Length HTTP header.";
        AwsError::new("MissingContentLength", StatusCode::LENGTH_REQUIRED, message)
    })?;
    let expected: u64 = length
        .to_str()
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| AwsError::bad_request("InvalidArgument", format!("{DECODED_LENGTH} must be a number")))?;
    headers.insert(CONTENT_LENGTH, length);
    remove_coding(headers);
    let names = if trailer { chunked::announced(headers) } else { Vec::new() };
    headers.remove("x-amz-trailer");
    let trailers = Trailers::announced(names.clone());
    let decoder = chunked::Decoder::new(expected, signer, trailer.then_some(names));
    let state = (raw, decoder, Bytes::new(), trailers.clone());
    let steps = stream::try_unfold(state, |(mut raw, mut decoder, mut piece, trailers)| async move {
        loop {
            if let Some(data) = decoder.next(&mut piece).map_err(body_failure)? {
                return Ok(Some((data, (raw, decoder, piece, trailers))));
            }
            match raw.try_next().await? {
                Some(next) => piece = next,
                None => {
                    trailers.arrive(decoder.finish().map_err(body_failure)?);
                    return Ok(None);
                }
            }
        }
    });
    Ok((steps.boxed(), trailers))
}

/// Takes `aws-chunked` out of `Content-Encoding`: it is the wire's coding, not the object's.
fn remove_coding(headers: &mut HeaderMap) {
    let codings: Vec<String> = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|coding| coding.trim().to_owned())
        .filter(|coding| !coding.eq_ignore_ascii_case("aws-chunked") && !coding.is_empty())
        .collect();
    headers.remove(CONTENT_ENCODING);
    if let Ok(value) = HeaderValue::from_str(&codings.join(","))
        && !codings.is_empty()
    {
        headers.insert(CONTENT_ENCODING, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http_service::body_error;

    fn pieces(pieces: &[&'static [u8]]) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin + use<> {
        stream::iter(pieces.iter().map(|piece| Ok(Bytes::from_static(piece))).collect::<Vec<_>>())
    }

    async fn collect(body: RequestBody) -> Result<Vec<u8>, String> {
        let read: io::Result<Vec<Bytes>> = body.try_collect().await;
        read.map(|pieces| pieces.concat()).map_err(|error| body_error(&error).unwrap().code.to_string())
    }

    #[tokio::test]
    async fn a_body_is_held_to_its_hash() {
        let hash: [u8; 32] = digest::digest(&digest::SHA256, b"hello").as_ref().try_into().unwrap();
        assert_eq!(collect(hashed(pieces(&[b"hel", b"lo"]), hash)).await.unwrap(), b"hello");
        assert_eq!(collect(hashed(pieces(&[b"hel"]), hash)).await.unwrap_err(), "XAmzContentSHA256Mismatch");
    }

    #[tokio::test]
    async fn a_chunked_body_loses_its_coding_and_hands_trailers_on() {
        let mut headers = HeaderMap::new();
        headers.insert(DECODED_LENGTH, HeaderValue::from_static("5"));
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip,aws-chunked"));
        headers.insert("x-amz-trailer", HeaderValue::from_static("x-amz-checksum-crc32"));
        let coded = pieces(&[b"5\r\nhel", b"lo\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n"]);
        let (body, trailers) = decoded(coded, &mut headers, None, true).unwrap();
        assert_eq!(
            (headers[CONTENT_LENGTH].as_bytes(), headers[CONTENT_ENCODING].as_bytes()),
            (&b"5"[..], &b"gzip"[..])
        );
        assert!(trailers.received().is_none());
        assert_eq!(collect(body).await.unwrap(), b"hello");
        assert_eq!(trailers.received().unwrap()["x-amz-checksum-crc32"], "AAAA");
    }

    #[tokio::test]
    async fn a_chunked_body_needs_its_length_and_its_end() {
        let missing = decoded(pieces(&[]), &mut HeaderMap::new(), None, false).err().unwrap();
        assert_eq!((missing.code.as_ref(), missing.status.as_u16()), ("MissingContentLength", 411));
        let mut headers = HeaderMap::new();
        headers.insert(DECODED_LENGTH, HeaderValue::from_static("5"));
        let (body, _) = decoded(pieces(&[b"5\r\nhel"]), &mut headers, None, false).unwrap();
        assert_eq!(collect(body).await.unwrap_err(), "IncompleteBody");
    }
}
