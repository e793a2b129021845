//! OpenID Connect: tokens of identity providers that the account trusts.
//!
//! AWS counterpart: "Create an OpenID Connect (OIDC) identity provider in IAM". A token's issuer must be a provider of the
//! account; its keys come from the provider's own discovery document (`/.well-known/openid-configuration`), over HTTPS whose
//! certificate the machine's authorities vouch for, or one of the provider's thumbprints.
//!
//! | Module | What it does |
//! |---|---|
//! | `jwt` | a token's text → claims, and the check of its signature |
//! | `fetch` | small JSON documents from the web, within bounds of size and time |
//! | `trust` | whose certificates are believed |
//! | `keys` | the keys of issuers, remembered for minutes |

mod fetch;
mod jwt;
mod keys;
mod trust;

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};

pub(crate) use jwt::Claims;
use jwt::Token;
use keys::Keys;

use crate::entities::OidcProvider;
use crate::error::{IamError, TokenError};
use crate::store::Store;

/// How far an issuer's clock may be ahead, in seconds.
const SKEW: i64 = 300;

/// A token that is believed.
pub(crate) struct Verified {
    pub(crate) claims: Claims,
    pub(crate) provider_arn: String,
    /// For whom the provider made the token: the value that the provider's client ids have.
    pub(crate) audience: String,
    /// The provider's name, with which condition keys begin.
    provider: String,
}

impl Verified {
    /// The claims as condition keys, such as `accounts.example.com:sub`. Where an authorised party is named, that is the
    /// audience, and the audience is `oaud`, as on AWS.
    pub(crate) fn keys(&self) -> BTreeMap<String, Vec<String>> {
        let mut keys: BTreeMap<_, _> =
            self.claims.texts().map(|(name, values)| (format!("{}:{name}", self.provider), values)).collect();
        let audience = keys.remove(&format!("{}:aud", self.provider)).unwrap_or_default();
        match keys.remove(&format!("{}:azp", self.provider)) {
            Some(party) => {
                keys.insert(format!("{}:aud", self.provider), party);
                keys.insert(format!("{}:oaud", self.provider), audience);
            }
            None => drop(keys.insert(format!("{}:aud", self.provider), audience)),
        }
        keys
    }
}

/// What believes tokens.
pub(crate) struct Oidc {
    keys: Keys,
    loopback_http: bool,
}

impl Oidc {
    /// Asks issuers over HTTPS, and with `loopback_http` those on this machine's loopback addresses over HTTP too.
    pub(crate) fn new(loopback_http: bool) -> Self {
        Self { keys: Keys::new(loopback_http), loopback_http }
    }

    /// The provider's name in ARNs and condition keys, from its URL.
    pub(crate) fn provider_name(&self, url: &str) -> Result<String, IamError> {
        let invalid = || {
            IamError::InvalidInput(format!(
                "Invalid Open ID Connect Provider URL {url}. It must begin with https:// and have no query or fragment."
            ))
        };
        fetch::check_url(url, self.loopback_http).map_err(|_| invalid())?;
        let (_, name) = url.split_once("://").ok_or_else(invalid)?;
        if url.len() > 255 || name.contains(['?', '#']) {
            return Err(invalid());
        }
        Ok(name.trim_end_matches('/').to_owned())
    }

    /// What the token says, if a provider of the account stands behind it.
    pub(crate) async fn verify(&self, store: &Store, text: &str) -> Result<Verified, IamError> {
        let token = Token::parse(text)?;
        let claims = token.claims()?;
        let issuer = claims.issuer.trim_end_matches('/');
        let name = issuer.split_once("://").map_or(issuer, |(_, name)| name);
        let provider: Option<OidcProvider> = store.find(name)?;
        let provider = provider.filter(|provider| provider.url.trim_end_matches('/') == issuer).ok_or_else(|| {
            TokenError::invalid(format!("No OpenIDConnect provider found in your account for {}", claims.issuer))
        })?;
        let audience = claims.audience_among(&provider.client_ids);
        let audience = audience.ok_or_else(|| TokenError::invalid("Incorrect token audience"))?;
        check_times(&claims, Utc::now())?;
        self.keys.check(&provider.url, &provider.thumbprints, &token).await?;
        Ok(Verified { provider_arn: provider.arn(), audience, provider: provider.name, claims })
    }
}

/// Reads a token and a key as anybody may send them, for the target in `fuzz/`: whatever they are, nothing panics. Answers
/// whether the key signed the token.
pub fn read_token(text: &str, key: &str) -> bool {
    let Ok(token) = Token::parse(text) else { return false };
    if let Ok(claims) = token.claims() {
        let named = claims.audience_among(&["app".to_owned()]);
        let (audience, provider) = (named.unwrap_or_default(), "id.example.com".to_owned());
        let _ = check_times(&claims, DateTime::UNIX_EPOCH);
        let _ = Verified { claims, provider_arn: String::new(), audience, provider }.keys();
    }
    serde_json::from_str(key).is_ok_and(|key| token.is_signed_by(&key) == Some(true))
}

/// Issuers go by the machines' clocks, as signatures do, wherever the platform's own has been set.
fn check_times(claims: &Claims, now: DateTime<Utc>) -> Result<(), TokenError> {
    if now.timestamp() >= claims.expires {
        let text = |seconds| {
            DateTime::from_timestamp(seconds, 0)
                .map(|time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true))
                .unwrap_or_default()
        };
        return Err(TokenError::Expired(format!(
            "Token expired: current date/time {} must be before the expiration date/time {}",
            text(now.timestamp()),
            text(claims.expires)
        )));
    }
    if claims.not_before.max(claims.issued_at) > now.timestamp() + SKEW {
        return Err(TokenError::RejectedClaim("The token is not valid yet (nbf, iat)".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_named_by_their_url() {
        let oidc = Oidc::new(false);
        assert_eq!(oidc.provider_name("https://id.example.com/realms/a").unwrap(), "id.example.com/realms/a");
        assert_eq!(oidc.provider_name("https://id.example.com/").unwrap(), "id.example.com");
        for wrong in
            ["http://id.example.com", "http://127.0.0.1:1", "id.example.com", "https://", "https://a/?b", "ftp://a"]
        {
            assert!(oidc.provider_name(wrong).is_err(), "{wrong}");
        }
        let dev = Oidc::new(true);
        assert_eq!(dev.provider_name("http://127.0.0.1:81/x").unwrap(), "127.0.0.1:81/x");
        assert!(dev.provider_name("http://id.example.com").is_err());
    }

    #[test]
    fn whatever_a_token_is_no_key_guesses_its_signature() {
        let head = "eyJhbGciOiJFUzI1NiJ9"; // {"alg":"ES256"}
        let key = r#"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}"#;
        for token in ["", "a.b.c", &format!("{head}.e30.AAAA"), &format!("{head}..")] {
            assert!(!read_token(token, key) && !read_token(token, "{}"), "{token}");
        }
    }

    #[test]
    fn tokens_have_their_time() {
        let claims = |expires, not_before| Claims { expires, not_before, ..Claims::default() };
        let now = DateTime::from_timestamp(1000, 0).unwrap();
        assert!(check_times(&claims(1001, 1300), now).is_ok());
        assert!(matches!(check_times(&claims(1000, 0), now), Err(TokenError::Expired(_))));
        assert!(matches!(check_times(&claims(2000, 1301), now), Err(TokenError::RejectedClaim(_))));
    }

    #[test]
    fn an_authorised_party_takes_the_audience_s_place() {
        let members = serde_json::json!({"aud": "a", "azp": "b", "sub": "s", "amr": ["x", "y"], "n": 1, "o": {}});
        let claims = Claims { all: members.as_object().unwrap().clone(), ..Claims::default() };
        let verified = Verified { claims, provider_arn: String::new(), audience: "a".into(), provider: "id".into() };
        let keys = verified.keys();
        assert_eq!((&*keys["id:aud"], &*keys["id:oaud"]), (&["b".to_owned()][..], &["a".to_owned()][..]));
        assert_eq!(keys["id:amr"], ["x", "y"]);
        assert_eq!(keys["id:n"], ["1"]);
        assert!(!keys.contains_key("id:o") && !keys.contains_key("id:azp"));
    }
}
