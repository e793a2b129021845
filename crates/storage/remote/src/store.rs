//! The operations.

use std::fmt::Write as _;
use std::ops::Range;

use async_trait::async_trait;
use boathouse_objects::{Error, RemoteBytes, RemoteFailure, RemoteObject, RemoteStore, Result};
use bytes::Bytes;
use futures::stream::StreamExt as _;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_MATCH, IF_NONE_MATCH, RANGE};
use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use tokio::runtime::Handle;

use crate::answer::{Fields, elements};
use crate::http::{Answer, Host};
use crate::request::{Ask, Asker, meaning};
use crate::settings::Settings;

/// How much of a list or another answer is read: a page of 1,000 keys, each byte of which is escaped.
const DOCUMENT: usize = 8 << 20;

/// One bucket of another store.
pub(crate) struct S3Store {
    asker: Asker,
}

impl S3Store {
    pub(crate) fn new(settings: Settings, io: Handle) -> Result<Self> {
        let host = Host::new(&settings.endpoint, io)?;
        Ok(Self { asker: Asker::new(settings, host) })
    }

    /// The document that a request is answered with. Some stores say in one with status 200 that it failed after all.
    async fn document(&self, ask: Ask<'_>) -> Result<String> {
        let again = Ask::new(ask.method.clone(), ask.key);
        let document = self.asker.ask(ask).await?.text(DOCUMENT).await;
        let document =
            document.map_err(|error| self.asker.failed(&again, RemoteFailure::Unavailable, &error.to_string()))?;
        match elements(&document, "Error").pop() {
            Some(error) => {
                let code = error.get("Code").map_or("", String::as_str);
                Err(self.asker.failed(&again, meaning(StatusCode::OK, code), code))
            }
            None => Ok(document),
        }
    }

    fn odd(&self, method: Method, key: &str, what: &str) -> Error {
        self.asker.failed(&Ask::new(method, key), RemoteFailure::Refused, what)
    }
}

/// Waits for the end of an answer that says nothing more.
async fn done(answer: Answer) {
    // What fails here costs no more than the connection.
    let _ = answer.text(DOCUMENT).await;
}

fn header<'a>(answer: &'a Answer, name: &http::HeaderName) -> Option<&'a str> {
    answer.head.headers().get(name)?.to_str().ok()
}

#[async_trait]
impl RemoteStore for S3Store {
    async fn get(&self, key: &str, range: Option<Range<u64>>, if_match: Option<&str>) -> Result<RemoteBytes> {
        let mut ask = Ask::new(Method::GET, key);
        if let Some(range) = &range {
            ask.headers.push((RANGE, format!("bytes={}-{}", range.start, range.end - 1)));
        }
        ask.headers.extend(if_match.map(|tag| (IF_MATCH, tag.to_owned())));
        let answer = self.asker.ask(ask).await?;
        if let Some(range) = range {
            let begins =
                header(&answer, &CONTENT_RANGE).is_some_and(|it| it.starts_with(&format!("bytes {}-", range.start)));
            if answer.head.status() != StatusCode::PARTIAL_CONTENT || !begins {
                return Err(self.odd(Method::GET, key, "the answer is not the range that was asked for"));
            }
        }
        let failed = |error: std::io::Error| Error::Remote {
            failure: RemoteFailure::Unavailable,
            what: format!("a body broke off: {error}"),
        };
        Ok(answer.pieces().map(move |piece| piece.map_err(failed)).boxed())
    }

    async fn size(&self, key: &str) -> Result<u64> {
        let answer = self.asker.ask(Ask::new(Method::HEAD, key)).await?;
        let size = header(&answer, &CONTENT_LENGTH).and_then(|length| length.parse().ok());
        done(answer).await;
        size.ok_or_else(|| self.odd(Method::HEAD, key, "the answer has no length"))
    }

    async fn put(&self, key: &str, body: Bytes, create: bool) -> Result<()> {
        let mut ask = Ask { body, ..Ask::new(Method::PUT, key) };
        ask.headers.extend(create.then(|| (IF_NONE_MATCH, "*".to_owned())));
        let answer = self.asker.ask(ask).await?;
        done(answer).await;
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<()> {
        let answer = self.asker.ask(Ask::new(Method::DELETE, key)).await?;
        done(answer).await;
        Ok(())
    }

    async fn list(&self, prefix: &str, after: &str) -> Result<Vec<RemoteObject>> {
        let query = [("list-type", "2"), ("encoding-type", "url"), ("prefix", prefix), ("start-after", after)];
        let listed = self.document(Ask { query: &query, ..Ask::new(Method::GET, "") }).await?;
        let objects = elements(&listed, "Contents").into_iter().map(object).collect::<Option<Vec<_>>>();
        objects.ok_or_else(|| self.odd(Method::GET, "", "the list can't be read"))
    }

    async fn begin(&self, key: &str) -> Result<String> {
        let begun = self.document(Ask { query: &[("uploads", "")], ..Ask::new(Method::POST, key) }).await?;
        let upload = elements(&begun, "InitiateMultipartUploadResult").pop().and_then(|mut it| it.remove("UploadId"));
        upload.ok_or_else(|| self.odd(Method::POST, key, "the answer names no upload"))
    }

    async fn put_part(&self, key: &str, upload: &str, number: u32, body: Bytes) -> Result<String> {
        let number = number.to_string();
        let query = [("partNumber", &number[..]), ("uploadId", upload)];
        let answer = self.asker.ask(Ask { query: &query, body, ..Ask::new(Method::PUT, key) }).await?;
        let etag = header(&answer, &ETAG).map(str::to_owned);
        done(answer).await;
        etag.ok_or_else(|| self.odd(Method::PUT, key, "the answer has no entity tag"))
    }

    async fn complete(&self, key: &str, upload: &str, etags: &[String]) -> Result<()> {
        let mut document = String::from("<CompleteMultipartUpload>");
        for (at, etag) in etags.iter().enumerate() {
            let etag = quick_xml::escape::escape(etag);
            let number = at + 1;
            let _ = write!(document, "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
        }
        document.push_str("</CompleteMultipartUpload>");
        let ask = Ask { query: &[("uploadId", upload)], body: document.into(), ..Ask::new(Method::POST, key) };
        self.document(ask).await.map(drop)
    }

    async fn abort(&self, key: &str, upload: &str) -> Result<()> {
        let ask = Ask { query: &[("uploadId", upload)], ..Ask::new(Method::DELETE, key) };
        let answer = self.asker.ask(ask).await?;
        done(answer).await;
        Ok(())
    }
}

/// An object of a list; keys are encoded as in a form.
fn object(mut fields: Fields) -> Option<RemoteObject> {
    let key = fields.remove("Key")?.replace('+', " ");
    let modified = chrono::DateTime::parse_from_rfc3339(fields.get("LastModified")?).ok()?;
    Some(RemoteObject {
        key: percent_decode_str(&key).decode_utf8().ok()?.into_owned(),
        size: fields.get("Size")?.parse().ok()?,
        etag: fields.remove("ETag").filter(|etag| !etag.is_empty()),
        modified_ms: modified.timestamp_millis().max(0) as u64,
    })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    /// What a server is to say, one answer after the other; nothing closes the connection.
    type Script = Vec<Option<String>>;

    fn answer(status: &str, headers: &str, body: &str) -> Option<String> {
        Some(format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len()))
    }

    /// A server; answers the store that asks it, and the heads of all requests, in the order of their connections.
    fn serve(script: Script) -> (S3Store, Arc<Mutex<Vec<Vec<String>>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard: Arc<Mutex<Vec<Vec<String>>>> = Arc::default();
        let ears = Arc::clone(&heard);
        std::thread::spawn(move || {
            let mut script = script.into_iter();
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                ears.lock().push(Vec::new());
                while let Some(head) = head(&mut stream) {
                    ears.lock().last_mut().unwrap().push(head);
                    match script.next() {
                        Some(Some(said)) => stream.get_mut().write_all(said.as_bytes()).unwrap(),
                        Some(None) => break,
                        None => return,
                    }
                }
            }
        });
        let environment = move |name: &str| match name {
            "AWS_ENDPOINT_URL" => Some(format!("http://{address}")),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("key".to_owned()),
            "AWS_SESSION_TOKEN" => Some("token".to_owned()),
            _ => None,
        };
        let settings = Settings::new("s3://bucket/prefix", environment).unwrap();
        (S3Store::new(settings, Handle::current()).unwrap(), heard)
    }

    /// The head of a request, whose body is passed over.
    fn head(stream: &mut BufReader<std::net::TcpStream>) -> Option<String> {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                std::io::copy(&mut stream.take(length), &mut std::io::sink()).unwrap();
                return Some(head);
            }
            head.push_str(&line);
        }
    }

    async fn whole(bytes: RemoteBytes) -> Result<Vec<u8>> {
        let pieces: Vec<Result<Bytes>> = bytes.collect().await;
        Ok(pieces.into_iter().collect::<Result<Vec<_>>>()?.concat())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_may_succeed_is_tried_again_on_connections_that_are_kept() {
        let (store, heard) = serve(vec![
            answer("500 Internal Server Error", "", "<Error><Code>InternalError</Code></Error>"),
            None,
            answer("200 OK", "", ""),
            answer("206 Partial Content", "content-range: bytes 1-3/9\r\n", "bcd"),
            answer("404 Not Found", "", "<Error><Code>NoSuchKey</Code></Error>"),
        ]);
        store.put("a b", Bytes::from_static(b"body"), true).await.unwrap();
        assert_eq!(whole(store.get("k", Some(1..4), Some("\"e\"")).await.unwrap()).await.unwrap(), b"bcd");
        let missing = store.get("k", None, None).await.err();
        assert!(matches!(missing, Some(Error::Remote { failure: RemoteFailure::Missing, .. })), "{missing:?}");
        let heard = heard.lock().clone();
        assert_eq!(heard.iter().map(Vec::len).collect::<Vec<_>>(), [2, 3], "two connections");
        let put = heard[0][0].to_ascii_lowercase();
        for part in ["put /bucket/a%20b http/1.1", "if-none-match: *", "x-amz-security-token: token", "credential=key/"]
        {
            assert!(put.contains(part), "{part}: {put}");
        }
        let get = heard[1][1].to_ascii_lowercase();
        assert!(get.contains("range: bytes=1-3") && get.contains("if-match: \"e\""), "{get}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn answers_that_are_none_are_failures() {
        let (store, _) = serve(vec![
            answer("200 OK", "", "whole"),
            answer("403 Forbidden", "", "<Error><Code>AccessDenied</Code><Message>No.</Message></Error>"),
            answer("200 OK", "", "<Error><Code>AccessDenied</Code></Error>"),
            answer("200 OK", "", "nonsense"),
        ]);
        let refused = |error: Option<Error>, part: &str| match error {
            Some(Error::Remote { failure: RemoteFailure::Refused, what }) => assert!(what.contains(part), "{what}"),
            other => panic!("{other:?}"),
        };
        refused(store.get("k", Some(0..9), None).await.err(), "not the range");
        refused(store.put("k", Bytes::new(), false).await.err(), "403 Forbidden AccessDenied No.");
        refused(store.complete("k", "u", &["\"e\"".into()]).await.err(), "AccessDenied");
        refused(store.begin("k").await.err(), "names no upload");
    }

    #[test]
    fn objects_of_lists_are_read() {
        let list = "<ListBucketResult><Contents><Key>a+b%2B%C3%A9</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified>\
                    <ETag>&quot;e&quot;</ETag><Size>7</Size></Contents></ListBucketResult>";
        let found = elements(list, "Contents").into_iter().map(object).collect::<Option<Vec<_>>>().unwrap();
        assert_eq!(found[0].key, "a b+é");
        assert_eq!((found[0].size, found[0].etag.as_deref()), (7, Some("\"e\"")));
        assert_eq!(found[0].modified_ms % 1000, 678);
        assert!(object(Fields::new()).is_none());
    }
}
