//! The keys of issuers, remembered for minutes. An issuer that changes its keys is asked again when a token names one that
//! is not known, though not at every such token: the call needs no signature, so anybody can make it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::sync::Mutex;

use super::fetch::{self, FetchError};
use super::jwt::{Key, Token};
use crate::error::TokenError;

/// How long keys are believed without asking again.
const FRESH: Duration = Duration::from_secs(300);
/// How long nobody is asked again after an answer that did not help.
const PAUSE: Duration = Duration::from_secs(5);
/// Keys of one issuer.
const MOST_KEYS: usize = 200;
/// Issuers that are remembered; an account has at most a hundred providers.
const MOST_ISSUERS: usize = 200;

/// The keys of all issuers.
pub(super) struct Keys {
    loopback_http: bool,
    issuers: Mutex<HashMap<String, Arc<Mutex<Known>>>>,
}

/// What is known of one issuer.
#[derive(Default)]
struct Known {
    keys: Vec<Key>,
    asked: Option<Instant>,
    /// Why the last attempt brought none.
    failure: Option<TokenError>,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

impl Keys {
    pub(super) fn new(loopback_http: bool) -> Self {
        Self { loopback_http, issuers: Mutex::default() }
    }

    /// Checks a token's signature with the issuer's keys, which a server with these thumbprints may tell too.
    pub(super) async fn check(
        &self,
        issuer: &str,
        thumbprints: &[String],
        token: &Token<'_>,
    ) -> Result<(), TokenError> {
        let known = {
            let mut issuers = self.issuers.lock().await;
            if issuers.len() >= MOST_ISSUERS && !issuers.contains_key(issuer) {
                issuers.clear();
            }
            Arc::clone(issuers.entry(issuer.to_owned()).or_default())
        };
        // One who asks is enough: others wait for the answer.
        let mut known = known.lock().await;
        let good_for = if known.failure.is_none() { FRESH } else { PAUSE };
        if known.asked.is_none_or(|asked| asked.elapsed() > good_for) {
            self.ask(issuer, thumbprints, &mut known).await;
        }
        if let Some(failure) = &known.failure {
            return Err(failure.clone());
        }
        if let Some(outcome) = known.judge(token) {
            return outcome;
        }
        if known.asked.is_none_or(|asked| asked.elapsed() > PAUSE) {
            self.ask(issuer, thumbprints, &mut known).await;
        }
        known.judge(token).unwrap_or_else(|| Err(no_key()))
    }

    async fn ask(&self, issuer: &str, thumbprints: &[String], known: &mut Known) {
        known.asked = Some(Instant::now());
        match self.fetch(issuer, thumbprints).await {
            Ok(keys) => (known.keys, known.failure) = (keys, None),
            // What was known before is not believed for longer than its time.
            Err(failure) => (known.keys, known.failure) = (Vec::new(), Some(failure)),
        }
    }

    async fn fetch(&self, issuer: &str, thumbprints: &[String]) -> Result<Vec<Key>, TokenError> {
        let base = issuer.trim_end_matches('/');
        let url = format!("{base}/.well-known/openid-configuration");
        let discovery: Discovery = fetch::json(&url, self.loopback_http, thumbprints).await.map_err(unreachable)?;
        if discovery.issuer.trim_end_matches('/') != base {
            let message = format!("The discovery document of {issuer} is that of another issuer");
            return Err(TokenError::RejectedClaim(message));
        }
        let set = fetch::json(&discovery.jwks_uri, self.loopback_http, thumbprints).await;
        let set: KeySet = set.map_err(unreachable)?;
        // Keys of sorts that nobody here knows stand beside the others.
        let readable = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
        Ok(readable.take(MOST_KEYS).collect())
    }
}

impl Known {
    /// What the keys say of a token; none if none of them is the token's.
    fn judge(&self, token: &Token<'_>) -> Option<Result<(), TokenError>> {
        let named = |key: &&Key| token.key_id.is_none() || key.kid == token.key_id;
        let mut verdicts = self.keys.iter().filter(named).filter_map(|key| token.is_signed_by(key)).peekable();
        verdicts.peek()?;
        let mismatch = || TokenError::invalid("The web identity token's signature is not that of its issuer");
        Some(if verdicts.any(|right| right) { Ok(()) } else { Err(mismatch()) })
    }
}

fn no_key() -> TokenError {
    TokenError::invalid(
        "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity \
         documentation for requirements",
    )
}

fn unreachable(error: FetchError) -> TokenError {
    tracing::warn!(%error, "an identity provider could not be asked for its keys");
    match error {
        FetchError::Refused { .. } => {
            TokenError::RejectedClaim(format!("The identity provider reported an error: {error}"))
        }
        FetchError::Document(_) | FetchError::Url(_) => no_key(),
        FetchError::Io(_) => TokenError::Unreachable(format!(
            "The identity provider (IdP) that was asked to verify the incoming identity token could not be reached: {error}"
        )),
    }
}
