//! The content coding `aws-chunked`: chunks with their sizes and signatures, then trailing headers ("Signature
//! calculations for the Authorization header: transferring a payload in multiple chunks" in the S3 API reference).
//!
//! Data is handed on as it arrives, before its chunk's signature can be checked: whoever stores it must commit only after
//! the end was reached without an error.

use std::mem;

use bytes::{Buf, Bytes};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, header};
use ring::digest;

use super::payload::ChunkSigner;
use crate::error::AwsError;

/// The longest line (chunk header or trailing header) that is read.
const MAX_LINE: usize = 8 * 1024;
/// The most trailing headers.
const MAX_TRAILERS: usize = 16;
const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";

/// Why an `aws-chunked` body is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// The body ended early, or its chunks are not of the announced length.
    #[error("The request body terminated unexpectedly")]
    Incomplete,
    /// A chunk's header can't be read.
    #[error("The chunk header is not well-formed")]
    Malformed,
    /// The trailing headers are not well-formed or not the announced ones.
    #[error("The request contained trailing data that was not well-formed or did not conform to our published schema.")]
    Trailer,
    /// A chunk's or the trailer's signature is wrong.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
         and signing method."
    )]
    Signature,
}

impl From<ChunkError> for AwsError {
    fn from(error: ChunkError) -> Self {
        let (code, status) = match error {
            ChunkError::Incomplete => ("IncompleteBody", StatusCode::BAD_REQUEST),
            ChunkError::Malformed => ("InvalidRequest", StatusCode::BAD_REQUEST),
            ChunkError::Trailer => ("MalformedTrailerError", StatusCode::BAD_REQUEST),
            ChunkError::Signature => ("SignatureDoesNotMatch", StatusCode::FORBIDDEN),
        };
        Self::new(code, status, error.to_string())
    }
}

/// Decodes one body, fed in pieces of any size.
pub struct Decoder {
    state: State,
    line: Vec<u8>,
    /// Decoded bytes still to come.
    expected: u64,
    signer: Option<ChunkSigner>,
    /// The signature and running hash of the present chunk.
    signature: String,
    hash: digest::Context,
    announced: Option<Vec<HeaderName>>,
    trailers: HeaderMap,
    canonical: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In a chunk's header line.
    Size,
    /// In a chunk's data, so many bytes before its end.
    Data(u64),
    /// In the line end behind a chunk's data.
    Gap,
    /// In the lines behind the last chunk.
    Trailer,
    /// Behind the end.
    Done,
}

impl Decoder {
    /// A decoder of a body with `expected` decoded bytes. `signer` checks signed chunks, `announced` holds the names of the
    /// trailing headers if there is a trailer.
    pub fn new(expected: u64, signer: Option<ChunkSigner>, announced: Option<Vec<HeaderName>>) -> Self {
        Self {
            state: State::Size,
            line: Vec::new(),
            expected,
            signer,
            signature: String::new(),
            hash: digest::Context::new(&digest::SHA256),
            announced,
            trailers: HeaderMap::new(),
            canonical: String::new(),
        }
    }

    /// The next decoded bytes out of `input`; `None` when it is used up.
    ///
    /// # Errors
    /// See [`ChunkError`].
    pub fn next(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, ChunkError> {
        while !input.is_empty() {
            if let State::Data(left) = self.state {
                let data = input.split_to(usize::try_from(left).map_or(input.len(), |left| left.min(input.len())));
                return Ok(Some(self.data(data, left)));
            }
            if self.state == State::Done {
                return Err(ChunkError::Malformed);
            }
            if let Some(line) = self.take_line(input)? {
                self.line_ended(&line)?;
            }
        }
        Ok(None)
    }

    /// The trailing headers, once all input was fed.
    ///
    /// # Errors
    /// [`ChunkError::Incomplete`] when the end was not reached.
    pub fn finish(self) -> Result<HeaderMap, ChunkError> {
        match self.state {
            State::Done => Ok(self.trailers),
            _ => Err(ChunkError::Incomplete),
        }
    }

    fn data(&mut self, data: Bytes, left: u64) -> Bytes {
        if self.signer.is_some() {
            self.hash.update(&data);
        }
        let left = left - data.len() as u64;
        self.state = if left == 0 { State::Gap } else { State::Data(left) };
        data
    }

    /// A whole line without its end (CR LF, or LF alone), once it has arrived.
    fn take_line(&mut self, input: &mut Bytes) -> Result<Option<String>, ChunkError> {
        let end = input.iter().position(|&byte| byte == b'\n');
        let taken = input.split_to(end.unwrap_or(input.len()));
        if self.line.len() + taken.len() > MAX_LINE {
            return Err(self.malformed());
        }
        self.line.extend_from_slice(&taken);
        if end.is_none() {
            return Ok(None);
        }
        input.advance(1);
        let mut line = mem::take(&mut self.line);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        String::from_utf8(line).map(Some).map_err(|_| self.malformed())
    }

    fn malformed(&self) -> ChunkError {
        if self.state == State::Trailer { ChunkError::Trailer } else { ChunkError::Malformed }
    }

    fn line_ended(&mut self, line: &str) -> Result<(), ChunkError> {
        match self.state {
            State::Size => self.chunk_begins(line),
            State::Gap if line.is_empty() => {
                self.state = State::Size;
                self.check_chunk()
            }
            State::Trailer if line.is_empty() => {
                self.state = State::Done;
                self.check_trailer()
            }
            State::Trailer => self.trailer(line),
            _ => Err(ChunkError::Malformed),
        }
    }

    fn chunk_begins(&mut self, line: &str) -> Result<(), ChunkError> {
        let (size, extensions) = line.split_once(';').unwrap_or((line, ""));
        if size.starts_with('+') {
            return Err(ChunkError::Malformed);
        }
        let size = u64::from_str_radix(size.trim(), 16).map_err(|_| ChunkError::Malformed)?;
        self.expected = self.expected.checked_sub(size).ok_or(ChunkError::Incomplete)?;
        if self.signer.is_some() {
            let signature = extensions.split(';').find_map(|it| it.trim().strip_prefix("chunk-signature="));
            signature.ok_or(ChunkError::Signature)?.clone_into(&mut self.signature);
        }
        if size > 0 {
            self.state = State::Data(size);
            return Ok(());
        }
        if self.expected > 0 {
            return Err(ChunkError::Incomplete);
        }
        self.state = State::Trailer;
        self.check_chunk()
    }

    fn check_chunk(&mut self) -> Result<(), ChunkError> {
        let Some(signer) = &mut self.signer else { return Ok(()) };
        let hash = mem::replace(&mut self.hash, digest::Context::new(&digest::SHA256)).finish();
        if signer.chunk(&hash, &self.signature) { Ok(()) } else { Err(ChunkError::Signature) }
    }

    fn trailer(&mut self, line: &str) -> Result<(), ChunkError> {
        let (name, value) = line.split_once(':').ok_or(ChunkError::Trailer)?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        if name == TRAILER_SIGNATURE {
            value.clone_into(&mut self.signature);
            return self.trailer_signature();
        }
        let name: HeaderName = name.parse().map_err(|_| ChunkError::Trailer)?;
        let known = self.announced.as_ref().is_some_and(|announced| announced.contains(&name));
        if !known || self.trailers.len() == MAX_TRAILERS || self.trailers.contains_key(&name) {
            return Err(ChunkError::Trailer);
        }
        self.canonical.extend([name.as_str(), ":", value, "\n"]);
        self.trailers.insert(name, HeaderValue::from_str(value).map_err(|_| ChunkError::Trailer)?);
        Ok(())
    }

    /// Nothing may follow the signature, so the signer is given up with it.
    fn trailer_signature(&mut self) -> Result<(), ChunkError> {
        let mut signer = self.signer.take().ok_or(ChunkError::Trailer)?;
        let (canonical, announced) = (mem::take(&mut self.canonical), self.announced.take().unwrap_or_default());
        if announced.iter().any(|name| !self.trailers.contains_key(name)) {
            return Err(ChunkError::Trailer);
        }
        if signer.trailer(&canonical, &self.signature) { Ok(()) } else { Err(ChunkError::Signature) }
    }

    fn check_trailer(&self) -> Result<(), ChunkError> {
        match &self.announced {
            // A signed trailer without its signature.
            Some(_) if self.signer.is_some() => Err(ChunkError::Trailer),
            Some(announced) if announced.iter().any(|name| !self.trailers.contains_key(name)) => {
                Err(ChunkError::Trailer)
            }
            _ => Ok(()),
        }
    }
}

/// Names of the trailing headers that a request announces.
pub fn announced(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all("x-amz-trailer").iter().chain(headers.get_all(header::TRAILER));
    let mut names: Vec<HeaderName> = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().to_ascii_lowercase().parse().ok())
        .filter(|name: &HeaderName| name.as_str() != TRAILER_SIGNATURE)
        .collect();
    names.dedup();
    names
}

#[cfg(test)]
#[path = "chunked_tests.rs"]
mod tests;
