//! JSON Web Tokens (RFC 7519) with signatures (RFC 7515) of the algorithms that STS takes (RFC 7518): RSA and elliptic curves.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::TokenError;

/// A token that nobody believes yet.
#[derive(Debug)]
pub(super) struct Token<'a> {
    signed: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
    algorithm: Algorithm,
    /// The id of the key that signed, if the token says so.
    pub(super) key_id: Option<String>,
}

/// What signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Es256,
    Es384,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
}

/// A key of an issuer's set (RFC 7517).
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Key {
    kty: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    /// Its id.
    pub(super) kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// What a token says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claims {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(super) expires: i64,
    pub(super) not_before: i64,
    pub(super) issued_at: i64,
    pub(super) all: Map<String, Value>,
}

impl Algorithm {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
        }
    }
}

fn not_a_token() -> TokenError {
    TokenError::invalid(
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
    )
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

impl<'a> Token<'a> {
    /// The parts of a token.
    pub(super) fn parse(text: &'a str) -> Result<Self, TokenError> {
        let (signed, signature) = text.rsplit_once('.').ok_or_else(not_a_token)?;
        let (header, payload) =
            signed.split_once('.').filter(|(_, rest)| !rest.contains('.')).ok_or_else(not_a_token)?;
        let header = decode(header).and_then(|bytes| serde_json::from_slice::<Header>(&bytes).ok());
        let header = header.ok_or_else(not_a_token)?;
        let algorithm = Algorithm::parse(&header.alg).ok_or_else(|| {
            let named: String = header.alg.chars().take(20).collect();
            TokenError::invalid(format!(
                "The signature algorithm {named} is not one of RS256, RS384, RS512, ES256, ES384"
            ))
        })?;
        let signature = decode(signature).ok_or_else(not_a_token)?;
        Ok(Self { signed, payload, signature, algorithm, key_id: header.kid })
    }

    /// What the token says.
    pub(super) fn claims(&self) -> Result<Claims, TokenError> {
        let all = decode(self.payload).and_then(|bytes| serde_json::from_slice::<Map<String, Value>>(&bytes).ok());
        let all = all.ok_or_else(not_a_token)?;
        let missing = |name: &str| TokenError::invalid(format!("Missing a required claim: {name}"));
        let text = |name: &str| {
            let found = all.get(name).and_then(Value::as_str);
            found.map(str::to_owned).ok_or_else(|| missing(name))
        };
        // Seconds may have a fraction.
        let time = |name: &str| all.get(name).and_then(Value::as_f64).map(|seconds| seconds as i64);
        Ok(Claims {
            issuer: text("iss")?,
            subject: text("sub")?,
            expires: time("exp").ok_or_else(|| missing("exp"))?,
            issued_at: time("iat").ok_or_else(|| missing("iat"))?,
            not_before: time("nbf").unwrap_or_default(),
            all,
        })
    }

    /// Whether `key` made the signature; none if the key is not for the token's algorithm.
    pub(super) fn is_signed_by(&self, key: &Key) -> Option<bool> {
        let fits = key.usage.as_deref().is_none_or(|usage| usage == "sig")
            && key.alg.as_deref().is_none_or(|name| name == self.algorithm.name());
        if !fits {
            return None;
        }
        match self.algorithm {
            Algorithm::Rs256 => self.rsa(key, &RSA_PKCS1_2048_8192_SHA256),
            Algorithm::Rs384 => self.rsa(key, &RSA_PKCS1_2048_8192_SHA384),
            Algorithm::Rs512 => self.rsa(key, &RSA_PKCS1_2048_8192_SHA512),
            Algorithm::Es256 => self.ecdsa(key, "P-256", &ECDSA_P256_SHA256_FIXED),
            Algorithm::Es384 => self.ecdsa(key, "P-384", &ECDSA_P384_SHA384_FIXED),
        }
    }

    fn rsa(&self, key: &Key, parameters: &'static RsaParameters) -> Option<bool> {
        if key.kty != "RSA" {
            return None;
        }
        let public = RsaPublicKeyComponents { n: decode(key.n.as_deref()?)?, e: decode(key.e.as_deref()?)? };
        Some(public.verify(parameters, self.signed.as_bytes(), &self.signature).is_ok())
    }

    fn ecdsa(
        &self,
        key: &Key,
        curve: &str,
        algorithm: &'static dyn ring::signature::VerificationAlgorithm,
    ) -> Option<bool> {
        if key.kty != "EC" || key.crv.as_deref() != Some(curve) {
            return None;
        }
        let point = [&[4][..], &decode(key.x.as_deref()?)?, &decode(key.y.as_deref()?)?].concat();
        Some(UnparsedPublicKey::new(algorithm, point).verify(self.signed.as_bytes(), &self.signature).is_ok())
    }
}

impl Claims {
    /// A claim.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.all.get(name)
    }

    /// A claim that is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// The claims that are texts, numbers, truth values or lists of these, as texts.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, Vec<String>)> {
        self.all.iter().filter_map(|(name, value)| Some((name.as_str(), texts(value)?)))
    }

    /// The audience, or the authorised party, that is one of these.
    pub(super) fn audience_among(&self, client_ids: &[String]) -> Option<String> {
        let parties = [self.get("azp"), self.get("aud")];
        let named = parties.into_iter().flatten().filter_map(texts).flatten();
        named.into_iter().find(|party| client_ids.contains(party))
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Bool(_) | Value::Number(_) => Some(vec![value.to_string()]),
        Value::Array(items) => {
            items.iter().map(|item| texts(item).filter(|_| !item.is_array()).and_then(|mut one| one.pop())).collect()
        }
        Value::Null | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use serde_json::json;

    use super::*;

    fn encoded(value: &Value) -> String {
        URL_SAFE_NO_PAD.encode(value.to_string())
    }

    fn signer() -> (EcdsaKeyPair, Key) {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        let point = pair.public_key().as_ref().to_vec();
        let part = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point[range]);
        let key = json!({"kty": "EC", "crv": "P-256", "x": part(1..33), "y": part(33..65), "kid": "k"});
        (pair, serde_json::from_value(key).unwrap())
    }

    fn signed(pair: &EcdsaKeyPair, claims: &Value) -> String {
        let text = format!("{}.{}", encoded(&json!({"alg": "ES256", "kid": "k"})), encoded(claims));
        let signature = pair.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn a_token_is_its_signer_s_and_nobody_else_s() {
        let ((pair, key), (_, other)) = (signer(), signer());
        let text = signed(&pair, &json!({"iss": "i", "sub": "s", "exp": 2.5, "iat": 1, "aud": ["a", "b"]}));
        let token = Token::parse(&text).unwrap();
        assert_eq!(token.key_id.as_deref(), Some("k"));
        assert_eq!(token.is_signed_by(&key), Some(true));
        assert_eq!(token.is_signed_by(&other), Some(false));
        let rsa = Key { kty: "RSA".into(), ..key.clone() };
        assert_eq!(token.is_signed_by(&rsa), None);
        assert_eq!(token.is_signed_by(&Key { usage: Some("enc".into()), ..key.clone() }), None);
        let claims = token.claims().unwrap();
        assert_eq!((claims.issuer.as_str(), claims.subject.as_str(), claims.expires), ("i", "s", 2));
        assert_eq!(claims.audience_among(&["b".into()]).as_deref(), Some("b"));
        assert_eq!(claims.audience_among(&["c".into()]), None);
        let (head, rest) = text.split_once('.').unwrap();
        let (_, signature) = rest.split_once('.').unwrap();
        let forged = format!("{head}.{}.{signature}", encoded(&json!({"iss": "i", "sub": "root", "exp": 9, "iat": 1})));
        assert_eq!(Token::parse(&forged).unwrap().is_signed_by(&key), Some(false));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let unsigned = format!("{}.{}.", encoded(&json!({"alg": "none"})), encoded(&json!({})));
        let symmetric = format!("{}.{}.AAAA", encoded(&json!({"alg": "HS256"})), encoded(&json!({})));
        for text in ["", "a", "a.b", "a.b.c", "a.b.c.d", &unsigned, &symmetric] {
            assert!(matches!(Token::parse(text), Err(TokenError::Invalid(_))), "{text}");
        }
        let empty = format!("{}.{}.AAAA", encoded(&json!({"alg": "RS256"})), encoded(&json!({"iss": "i"})));
        let complaint = Token::parse(&empty).unwrap().claims().unwrap_err().to_string();
        assert_eq!(complaint, "Missing a required claim: sub");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[A-Za-z0-9_.-]{0,80}", header in "\\PC{0,40}") {
            let _ = Token::parse(&text);
            let _ = Token::parse(&format!("{}.{text}", URL_SAFE_NO_PAD.encode(header)));
        }
    }
}
