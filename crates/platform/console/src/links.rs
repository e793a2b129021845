//! Links that let somebody in once: printed by `boathouse serve` and `boathouse demo` for whoever sees their output.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use ring::error::Unspecified;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

/// How long a link can be used.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(15);
/// Bytes of randomness in a link.
const TOKEN: usize = 32;
/// Links that can be open at once; older ones go.
const OPEN: usize = 64;

/// The links that nobody has used yet. They live as long as the process.
pub struct Links {
    random: SystemRandom,
    /// Tokens are kept and compared as authentication codes, which takes the same time wherever two differ.
    key: hmac::Key,
    open: Mutex<Vec<Link>>,
}

struct Link {
    tag: hmac::Tag,
    expires: DateTime<Utc>,
}

impl Links {
    /// No links.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn new() -> Result<Self, Unspecified> {
        let random = SystemRandom::new();
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &random)?;
        Ok(Self { random, key, open: Mutex::default() })
    }

    /// The token of a new link: 43 characters that need no encoding in an address.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn issue(&self, now: DateTime<Utc>) -> Result<String, Unspecified> {
        let mut bytes = [0; TOKEN];
        self.random.fill(&mut bytes)?;
        let token = URL_SAFE_NO_PAD.encode(bytes);
        let link = Link { tag: hmac::sign(&self.key, token.as_bytes()), expires: now + LIFETIME };
        let mut open = self.open.lock();
        open.retain(|link| link.expires > now);
        if open.len() >= OPEN {
            open.remove(0);
        }
        open.push(link);
        Ok(token)
    }

    /// Whether the token is that of an open link, which it closes.
    pub fn redeem(&self, token: &str, now: DateTime<Utc>) -> bool {
        let mut open = self.open.lock();
        let matches = |link: &Link| hmac::verify(&self.key, token.as_bytes(), link.tag.as_ref()).is_ok();
        let Some(place) = open.iter().position(matches) else { return false };
        open.remove(place).expires > now
    }
}

/// The address of a link at `endpoint`. The token stands behind `#`, so that no request line, log or referrer holds it.
pub fn address(endpoint: &str, token: &str) -> String {
    format!("{endpoint}/_console/login#link={token}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    #[test]
    fn a_link_lets_in_once() {
        let links = Links::new().unwrap();
        let (first, second) = (links.issue(at(0)).unwrap(), links.issue(at(1)).unwrap());
        assert_eq!(first.len(), 43);
        assert!(!links.redeem("", at(1)) && !links.redeem(&first[1..], at(1)));
        assert!(links.redeem(&first, at(14)));
        assert!(!links.redeem(&first, at(14)));
        assert!(links.redeem(&second, at(15)));
    }

    #[test]
    fn a_link_does_not_live_longer_than_a_quarter_of_an_hour() {
        let links = Links::new().unwrap();
        let token = links.issue(at(0)).unwrap();
        assert!(!links.redeem(&token, at(15)));
    }

    #[test]
    fn the_oldest_links_make_room() {
        let links = Links::new().unwrap();
        let tokens: Vec<String> = (0..=OPEN).map(|_| links.issue(at(0)).unwrap()).collect();
        assert!(!links.redeem(&tokens[0], at(0)));
        assert!(links.redeem(&tokens[1], at(0)) && links.redeem(&tokens[OPEN], at(0)));
    }

    #[test]
    fn the_token_stands_where_no_server_sees_it() {
        assert_eq!(address("http://127.0.0.1:4566", "abc"), "http://127.0.0.1:4566/_console/login#link=abc");
    }
}
