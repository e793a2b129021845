//! `multipart/form-data` (RFC 7578), read as it arrives: the fields before the file whole, the file as a stream.

use std::io;
use std::ops::RangeInclusive;

use boathouse_aws::AwsError;
use boathouse_aws::http_service::{RequestBody, body_failure};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::StatusCode;

use crate::error::{Result, from_engine};

/// What may stand before the file: "the form data and boundaries (excluding the contents of the file) cannot exceed 20 KB".
const MAX_FIELDS: usize = 20 << 10;
/// The longest boundary (RFC 2046).
const MAX_BOUNDARY: usize = 70;
/// How much of what follows the file is read, so that the connection can be used again.
const MAX_EPILOGUE: usize = 64 << 10;

/// The fields of a form up to its file.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    /// Lower-case name and value, in the order they came.
    list: Vec<(String, String)>,
    /// What the file is called where it comes from, without its folder.
    pub(crate) filename: String,
}

impl Fields {
    /// The value of a field, by its lower-case name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.list.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.list.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    #[cfg(test)]
    pub(crate) fn of(list: &[(&str, &str)]) -> Self {
        let list = list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { list, filename: String::new() }
    }
}

/// The boundary that the content type names.
pub(crate) fn boundary(content_type: &str) -> Option<&str> {
    let named = content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        name.eq_ignore_ascii_case("boundary").then(|| value.trim_matches('"'))
    });
    named.filter(|boundary| (1..=MAX_BOUNDARY).contains(&boundary.len()))
}

fn malformed() -> AwsError {
    let message = "The body of your POST request is not well-formed multipart/form-data.";
    AwsError::bad_request("MalformedPOSTRequest", message)
}

/// A form that is being read.
pub(crate) struct Reader {
    body: RequestBody,
    delimiter: Vec<u8>,
    held: BytesMut,
    fields_left: usize,
}

impl Reader {
    pub(crate) fn new(body: RequestBody, boundary: &str) -> Self {
        // As if a line had ended before the form: then its first delimiter is like all others.
        Self {
            body,
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            held: BytesMut::from(&b"\r\n"[..]),
            fields_left: MAX_FIELDS,
        }
    }

    /// The fields before the file; afterwards the file can be read.
    ///
    /// # Errors
    /// `MalformedPOSTRequest`, `MaxPostPreDataLengthExceededError`, `InvalidArgument` without a file.
    pub(crate) async fn fields(&mut self) -> Result<Fields> {
        let mut fields = Fields::default();
        let delimiter = self.delimiter.clone();
        self.until(&delimiter).await?;
        loop {
            let line = self.until(b"\r\n").await?;
            if line.starts_with(b"--") {
                let message = "POST requires exactly one file upload per request.";
                return Err(AwsError::bad_request("InvalidArgument", message).with_detail("ArgumentName", "file"));
            }
            // The line end that was read belongs to the empty line as well, if there are no headers.
            self.held = [b"\r\n", &self.held[..]].concat().as_slice().into();
            let head = self.until(b"\r\n\r\n").await?;
            let (name, filename) = disposition(&head).ok_or_else(malformed)?;
            let name = name.to_ascii_lowercase();
            if name == "file" {
                fields.filename = filename.unwrap_or_default();
                return Ok(fields);
            }
            let value = String::from_utf8(self.until(&delimiter).await?.to_vec()).map_err(|_| malformed())?;
            fields.list.push((name, value));
        }
    }

    /// The bytes before the mark, which is passed over.
    async fn until(&mut self, mark: &[u8]) -> Result<Bytes> {
        let mut from = 0;
        loop {
            if let Some(at) = find(&self.held[from..], mark) {
                let found = self.held.split_to(from + at).freeze();
                let _ = self.held.split_to(mark.len());
                let passed = found.len() + mark.len();
                self.fields_left = self.fields_left.checked_sub(passed).ok_or_else(too_long)?;
                return Ok(found);
            }
            if self.held.len() > self.fields_left {
                return Err(too_long());
            }
            from = self.held.len().saturating_sub(mark.len());
            match self.body.next().await {
                Some(piece) => self.held.extend_from_slice(&piece.map_err(broken)?),
                None => return Err(malformed()),
            }
        }
    }

    /// The file's bytes. The stream fails if the form breaks off, or if the file is shorter or longer than `allowed`.
    pub(crate) fn file(self, allowed: RangeInclusive<u64>) -> RequestBody {
        let state = File { reader: self, allowed, length: 0, ended: false };
        let steps = futures::stream::try_unfold(state, |mut file| async move {
            let piece = file.next().await.map_err(body_failure_of)?;
            Ok::<_, io::Error>(piece.map(|piece| (piece, file)))
        });
        steps.boxed()
    }
}

struct File {
    reader: Reader,
    allowed: RangeInclusive<u64>,
    length: u64,
    ended: bool,
}

enum Failure {
    Said(AwsError),
    Broken(io::Error),
}

fn body_failure_of(failure: Failure) -> io::Error {
    match failure {
        Failure::Said(error) => body_failure(error),
        Failure::Broken(error) => error,
    }
}

impl File {
    async fn next(&mut self) -> std::result::Result<Option<Bytes>, Failure> {
        if self.ended {
            return self.end().await.map(|()| None);
        }
        loop {
            let Reader { body, delimiter, held, .. } = &mut self.reader;
            let found = find(held, delimiter);
            // What could be the beginning of the delimiter is held back.
            let piece = held.split_to(found.unwrap_or_else(|| held.len().saturating_sub(delimiter.len() - 1))).freeze();
            self.ended = found.is_some();
            self.length += piece.len() as u64;
            if self.length > *self.allowed.end() {
                let message = "Your proposed upload exceeds the maximum allowed size";
                let error = AwsError::bad_request("EntityTooLarge", message);
                let error = error.with_detail("ProposedSize", self.length.to_string());
                return Err(Failure::Said(error.with_detail("MaxSizeAllowed", self.allowed.end().to_string())));
            }
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
            if self.ended {
                return self.end().await.map(|()| None);
            }
            match body.next().await {
                Some(next) => held.extend_from_slice(&next.map_err(Failure::Broken)?),
                None => return Err(Failure::Said(malformed())),
            }
        }
    }

    async fn end(&mut self) -> std::result::Result<(), Failure> {
        if self.length < *self.allowed.start() {
            let message = "Your proposed upload is smaller than the minimum allowed size";
            let error = AwsError::bad_request("EntityTooSmall", message);
            let error = error.with_detail("ProposedSize", self.length.to_string());
            return Err(Failure::Said(error.with_detail("MinSizeAllowed", self.allowed.start().to_string())));
        }
        let mut rest = 0;
        while rest <= MAX_EPILOGUE
            && let Some(piece) = self.reader.body.next().await
        {
            rest += piece.map_err(Failure::Broken)?.len();
        }
        Ok(())
    }
}

fn too_long() -> AwsError {
    let message = "Your POST request fields preceding the upload file were too large.";
    AwsError::bad_request("MaxPostPreDataLengthExceededError", message)
}

fn broken(error: io::Error) -> AwsError {
    match from_engine(boathouse_objects::Error::Body(std::sync::Arc::new(error))) {
        error if error.status == StatusCode::INTERNAL_SERVER_ERROR => malformed(),
        error => error,
    }
}

/// Where the mark, which begins with a carriage return, stands for the first time.
fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| *byte == mark[0]) {
        if bytes[from + at..].starts_with(mark) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

/// The name and the file's name that a part's headers give.
fn disposition(head: &[u8]) -> Option<(String, Option<String>)> {
    let head = std::str::from_utf8(head).ok()?;
    let line = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let (kind, parameters) = line.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return None;
    }
    let (mut name, mut filename) = (None, None);
    let mut rest = parameters;
    while let Some((parameter, value)) = rest.split_once('=') {
        let (value, behind) = quoted(value.trim_start())?;
        match parameter.trim_matches([' ', ';', '\t']).to_ascii_lowercase().as_str() {
            "name" => name = Some(value),
            "filename" => filename = value.rsplit(['/', '\\']).next().map(str::to_owned),
            _ => {}
        }
        rest = behind;
    }
    Some((name?, filename))
}

/// A value, quoted or not, and what stands behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let Some(text) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        return Some((text[..end].trim().to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match letters.next()?.1 {
                escaped @ ('"' | '\\') => value.push(escaped),
                other => value.extend(['\\', other]),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use boathouse_aws::http_service::body_error;
    use futures::TryStreamExt;
    use proptest::prelude::*;

    use super::*;

    fn body(text: &[u8], piece: usize) -> RequestBody {
        let pieces: Vec<_> = text.chunks(piece.max(1)).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        futures::stream::iter(pieces).boxed()
    }

    async fn read(
        text: &[u8],
        piece: usize,
        allowed: RangeInclusive<u64>,
    ) -> std::result::Result<(Fields, Vec<u8>), String> {
        let mut reader = Reader::new(body(text, piece), "xyz");
        let fields = reader.fields().await.map_err(|error| error.code.into_owned())?;
        let read: io::Result<Vec<Bytes>> = reader.file(allowed).try_collect().await;
        let pieces = read.map_err(|error| body_error(&error).unwrap().code.to_string())?;
        Ok((fields, pieces.concat()))
    }

    fn form(file: &[u8]) -> Vec<u8> {
        let head = "--xyz\r\nContent-Disposition: form-data; name=\"Key\"\r\n\r\na/${filename}\r\n--xyz\r\n\
                    Content-Disposition: form-data; name=\"file\"; filename=\"C:\\dir\\x\\\"y.txt\"\r\nContent-Type: text/plain\r\n\r\n";
        [head.as_bytes(), file, b"\r\n--xyz--\r\n"].concat()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn files_come_through_in_any_pieces(file in prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), any::<u8>()], 0..300), piece in 1..64_usize) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (fields, read) = runtime.block_on(read(&form(&file), piece, 0..=u64::MAX)).unwrap();
            prop_assert_eq!(read, file);
            prop_assert_eq!(fields.get("key"), Some("a/${filename}"));
            prop_assert_eq!(fields.filename, "x\"y.txt");
        }

        #[test]
        fn garbage_is_refused_without_a_panic(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let text = [b"--xyz\r\n", &text[..]].concat();
            prop_assert!(runtime.block_on(read(&text, 7, 0..=u64::MAX)).is_err());
        }
    }

    #[tokio::test]
    async fn sizes_have_their_limits() {
        assert_eq!(read(&form(b"12345"), 9, 0..=4).await.unwrap_err(), "EntityTooLarge");
        assert_eq!(read(&form(b"12345"), 9, 6..=9).await.unwrap_err(), "EntityTooSmall");
        assert_eq!(read(&form(b"12345"), 9, 5..=5).await.unwrap().1, b"12345");
        let long = form(b"")
            .iter()
            .flat_map(|byte| if *byte == b'{' { vec![b'x'; 30_000] } else { vec![*byte] })
            .collect::<Vec<_>>();
        assert_eq!(read(&long, 1000, 0..=1).await.unwrap_err(), "MaxPostPreDataLengthExceededError");
    }

    #[tokio::test]
    async fn broken_forms_are_refused() {
        let whole = form(b"file");
        assert_eq!(read(&whole[..whole.len() - 12], 9, 0..=9).await.unwrap_err(), "MalformedPOSTRequest");
        let without = b"--xyz\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk\r\n--xyz--\r\n";
        assert_eq!(read(without, 9, 0..=9).await.unwrap_err(), "InvalidArgument");
        assert_eq!(read(b"--xyz\r\nX: y\r\n\r\nk\r\n--xyz--\r\n", 9, 0..=9).await.unwrap_err(), "MalformedPOSTRequest");
    }

    #[test]
    fn boundaries() {
        assert_eq!(boundary("multipart/form-data; boundary=\"a b\""), Some("a b"));
        assert_eq!(boundary("multipart/form-data; charset=utf-8; Boundary=x"), Some("x"));
        assert_eq!(boundary("multipart/form-data"), None);
    }
}
