//! Answers that go on: one message after the other in one body ("Amazon Event Stream Specification" in Smithy).
//!
//! A message is framed by its length and checksums. Services that speak awsJson begin with the message `initial-response`;
//! then come events, each with JSON of its own, and perhaps an exception, which is the last message.

use std::io;

use bytes::{BufMut, Bytes, BytesMut};
use crc_fast::{CrcAlgorithm, checksum};
use futures::stream::{self, BoxStream, Stream, StreamExt};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde::Serialize;
use serde_json::json;

use crate::error::AwsError;
use crate::http_service::ResponseBody;
use crate::service::OperationOutput;

/// The content type of an answer that goes on.
pub const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";
/// Two lengths and the checksum of both.
const PRELUDE: usize = 12;
/// A checksum.
const CHECKSUM: usize = 4;
/// The type of a header's value that is text.
const TEXT: u8 = 7;

/// One event of an answer.
pub struct Event {
    name: &'static str,
    members: OperationOutput,
}

impl Event {
    /// The event that the answer's shape calls `name`.
    pub fn new(name: &'static str, members: impl Serialize + Send + Sync + 'static) -> Self {
        Self { name, members: Box::new(members) }
    }
}

/// The events of an answer, in their order. An error is told as an exception and ends it.
pub struct EventStream(BoxStream<'static, Result<Event, AwsError>>);

impl EventStream {
    /// An answer of these events. It is dropped when the client leaves.
    pub fn new(events: impl Stream<Item = Result<Event, AwsError>> + Send + 'static) -> Self {
        Self(events.boxed())
    }

    /// The body of the answer, which ends with the events, or once `stopped` is ready.
    pub(crate) fn into_body(self, stopped: impl Future<Output = ()> + Send + 'static) -> ResponseBody {
        let first = stream::once(async { message("event", "initial-response", b"{}") });
        let messages = first.chain(self.0.map(told)).take_until(stopped);
        StreamBody::new(messages.map(|message| Ok::<_, io::Error>(Frame::data(message)))).boxed_unsync()
    }
}

fn told(event: Result<Event, AwsError>) -> Bytes {
    let written = event.and_then(|event| {
        let unwritable = |error| AwsError::internal(format!("the event can't be written: {error}"));
        Ok((event.name, serde_json::to_vec(&*event.members).map_err(unwritable)?))
    });
    match written {
        Ok((name, payload)) => message("event", name, &payload),
        Err(error) => message("exception", &error.code, json!({"message": error.message}).to_string().as_bytes()),
    }
}

fn message(kind: &str, name: &str, payload: &[u8]) -> Bytes {
    let name_header = if kind == "exception" { ":exception-type" } else { ":event-type" };
    frame(&[(name_header, name), (":content-type", "application/json"), (":message-type", kind)], payload)
}

/// A message with these headers and this payload.
fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Bytes {
    let mut head = BytesMut::new();
    for (name, value) in headers {
        head.put_u8(name.len() as u8);
        head.put_slice(name.as_bytes());
        head.put_u8(TEXT);
        head.put_u16(value.len() as u16);
        head.put_slice(value.as_bytes());
    }
    let length = PRELUDE + head.len() + payload.len() + CHECKSUM;
    let mut frame = BytesMut::with_capacity(length);
    frame.put_u32(length as u32);
    frame.put_u32(head.len() as u32);
    frame.put_u32(crc(&frame));
    frame.put_slice(&head);
    frame.put_slice(payload);
    frame.put_u32(crc(&frame));
    frame.freeze()
}

fn crc(bytes: &[u8]) -> u32 {
    checksum(CrcAlgorithm::Crc32IsoHdlc, bytes) as u32
}

#[cfg(test)]
mod tests {
    use bytes::Buf;
    use proptest::prelude::*;

    use super::*;

    /// A message as a client reads it.
    #[derive(Debug, PartialEq)]
    struct Message {
        headers: Vec<(String, String)>,
        payload: Vec<u8>,
    }

    /// The first message of `bytes`, which are left without it; none if they are no whole message.
    fn read(bytes: &mut Bytes) -> Option<Message> {
        let length = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
        let mut whole = bytes.get(..length).filter(|whole| whole.len() >= PRELUDE + CHECKSUM)?;
        let sum = |end: usize| Some(u32::from_be_bytes(whole.get(end..end + CHECKSUM)?.try_into().ok()?));
        if sum(8)? != crc(&whole[..8]) || sum(length - CHECKSUM)? != crc(&whole[..length - CHECKSUM]) {
            return None;
        }
        let head_length = (&whole[4..]).get_u32() as usize;
        whole = &whole[PRELUDE..length - CHECKSUM];
        let (mut head, payload) = whole.split_at_checked(head_length)?;
        let mut headers = Vec::new();
        while head.has_remaining() {
            let name = head.split_off(..1 + usize::from(head[0]))?[1..].to_vec();
            assert_eq!(head.get_u8(), TEXT);
            let length = usize::from(head.get_u16());
            let value = head.split_off(..length)?.to_vec();
            headers.push((String::from_utf8(name).ok()?, String::from_utf8(value).ok()?));
        }
        let message = Message { headers, payload: payload.to_vec() };
        bytes.advance(length);
        Some(message)
    }

    #[test]
    fn a_message_is_the_one_of_the_specification() {
        // "{'foo':'bar'}" with the header content-type, from the test vectors of AWS's SDKs.
        let expected = "0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e\
                        7b27666f6f273a27626172277d8d9c08b1";
        let written = frame(&[("content-type", "application/json")], b"{'foo':'bar'}");
        assert_eq!(hex::encode(written), expected);
    }

    #[tokio::test]
    async fn an_answer_begins_with_its_initial_response_and_ends_with_its_exception() {
        let failure = AwsError::bad_request("SessionTimeoutException", "three hours are over");
        let events = stream::iter([Ok(Event::new("sessionStart", json!({"sessionId": "s"}))), Err(failure)]);
        let body = EventStream::new(events).into_body(std::future::pending());
        let mut bytes = body.collect().await.unwrap().to_bytes();
        let mut next = || read(&mut bytes).unwrap();
        let header = |message: &Message| message.headers[0].clone();
        let of = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(header(&next()), of(":event-type", "initial-response"));
        let start = next();
        assert_eq!(
            (header(&start), &*start.payload),
            (of(":event-type", "sessionStart"), &br#"{"sessionId":"s"}"#[..])
        );
        let end = next();
        assert_eq!(header(&end), of(":exception-type", "SessionTimeoutException"));
        assert_eq!(end.payload, br#"{"message":"three hours are over"}"#);
        assert!(bytes.is_empty());
    }

    #[tokio::test]
    async fn an_answer_ends_when_the_server_stops() {
        let body = EventStream::new(stream::pending()).into_body(std::future::ready(()));
        assert!(body.collect().await.unwrap().to_bytes().is_empty());
    }

    proptest! {
        #[test]
        fn what_is_framed_is_read_back(
            headers in proptest::collection::vec(("[a-z:-]{1,40}", ".{0,80}"), 0..6),
            payload in proptest::collection::vec(any::<u8>(), 0..300),
            damaged in any::<prop::sample::Index>(),
        ) {
            let borrowed: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
            let mut written = frame(&borrowed, &payload);
            let mut other = written.to_vec();
            let at = damaged.index(other.len());
            other[at] ^= 1;
            prop_assert!(read(&mut other.into()).is_none(), "a damaged byte is noticed");
            prop_assert_eq!(read(&mut written), Some(Message { headers, payload }));
            prop_assert!(written.is_empty());
        }
    }
}
