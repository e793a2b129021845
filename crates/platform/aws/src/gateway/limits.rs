//! What one client may take of the server: connections, time for a body, room for headers.

use std::time::Duration;

use http::request::Parts;
use http::{HeaderMap, StatusCode};

use crate::error::AwsError;

/// What clients may take of a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections served at the same time. One more is answered 503 `SlowDown`, or closed where TLS would have to be
    /// spoken for that.
    pub connections: usize,
    /// How long the server waits for the next 8 KiB of a body that streams, or for its end, before it gives the client up.
    pub patience: Duration,
}

impl Default for Limits {
    /// 10,000 connections, 30 seconds.
    fn default() -> Self {
        Self { connections: 10_000, patience: Duration::from_secs(30) }
    }
}

/// Bytes that must come, or be taken, in the time that a peer is waited for.
pub(super) const LEAST: usize = 8 << 10;

/// Measures whether a peer that is waited for brings enough. Time in which nobody waits does not count.
#[derive(Debug)]
pub(super) struct Pace {
    patience: Duration,
    waited: Duration,
    brought: usize,
}

impl Pace {
    pub(super) fn new(patience: Duration) -> Self {
        Self { patience, waited: Duration::ZERO, brought: 0 }
    }

    /// How much longer the peer is waited for.
    pub(super) fn left(&self) -> Duration {
        self.patience.saturating_sub(self.waited)
    }

    /// Notes that so many bytes came after such a wait.
    pub(super) fn came(&mut self, waited: Duration, bytes: usize) {
        self.waited += waited;
        self.brought += bytes;
    }

    /// Whether the peer has earned another wait, now that this one is over.
    pub(super) fn goes_on(&mut self) -> bool {
        let earned = self.brought >= LEAST;
        (self.waited, self.brought) = (Duration::ZERO, 0);
        earned
    }
}

/// Bytes of names and values that a request to S3 may have in its headers.
const MOST_OF_S3: usize = 8 << 10;
/// The same of all other services.
const MOST: usize = 64 << 10;

/// Refuses a request to S3 with too much in its headers. The token of a session does not count: it is as long as we made it.
pub(super) fn s3_head(parts: &Parts) -> Result<(), AwsError> {
    if size_of(&parts.headers) <= MOST_OF_S3 {
        return Ok(());
    }
    let message = "Your request header section exceeds the maximum allowed size.";
    Err(AwsError::bad_request("RequestHeaderSectionTooLarge", message)
        .with_detail("MaxSizeAllowed", MOST_OF_S3.to_string()))
}

/// Refuses a request to any other service with too much in its headers.
pub(super) fn head(parts: &Parts) -> Result<(), AwsError> {
    if size_of(&parts.headers) <= MOST {
        return Ok(());
    }
    let message = format!("the request's headers are larger than {MOST} bytes");
    Err(AwsError::new("RequestHeaderFieldsTooLarge", StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, message))
}

fn size_of(headers: &HeaderMap) -> usize {
    let counted = headers.iter().filter(|(name, _)| name.as_str() != "x-amz-security-token");
    counted.map(|(name, value)| name.as_str().len() + value.len()).sum()
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn who_brings_enough_is_waited_for_again() {
        let mut pace = Pace::new(Duration::from_secs(30));
        pace.came(Duration::from_secs(20), LEAST);
        assert_eq!(pace.left(), Duration::from_secs(10));
        pace.came(Duration::from_secs(20), 1);
        assert_eq!(pace.left(), Duration::ZERO);
        assert!(pace.goes_on(), "it has brought enough");
        assert_eq!(pace.left(), Duration::from_secs(30));
        for _ in 0..30 {
            pace.came(Duration::from_secs(1), 1);
        }
        assert!(!pace.goes_on(), "a byte a second is not enough");
        assert!(!pace.goes_on(), "and nothing is not either");
    }

    #[test]
    fn headers_have_a_size() {
        let of = |length: usize, name: &str| {
            let request = Request::builder().header(name, "a".repeat(length)).body(()).unwrap();
            request.into_parts().0
        };
        assert!(s3_head(&of(8 << 10, "x-amz-security-token")).is_ok());
        assert!(s3_head(&of((8 << 10) - 1, "a")).is_ok());
        assert_eq!(s3_head(&of(8 << 10, "a")).unwrap_err().code, "RequestHeaderSectionTooLarge");
        assert!(head(&of(60 << 10, "a")).is_ok());
        assert_eq!(head(&of(64 << 10, "a")).unwrap_err().status.as_u16(), 431);
    }
}
