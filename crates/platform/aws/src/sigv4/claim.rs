//! What a request says of its own signature, before anybody believes it.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use http::header::AUTHORIZATION;
use http::request::Parts;
use percent_encoding::percent_decode_str;

use super::{MAX_SKEW, SignatureError};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What clients of the previous scheme send in place of the algorithm is just `AWS`.
const SIGV2: &str = "AWS (Signature Version 2)";
/// Said to who signs in the header and in the query.
pub(crate) const TWICE: &str = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query \
                                string parameter or the Authorization header should be specified";
/// Said to who leaves one out.
const QUERY_INCOMPLETE: &str = "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
                                X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.";
/// A presigned URL lives for at most seven days.
const MAX_EXPIRES: i64 = 604_800;
/// How many letters a day has, as `20130101`.
const DAY_LETTERS: usize = 8;

/// The credential scope: where and when a signing key is good for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The day, as `20130101`.
    pub date: String,
    /// The region that the client signs for.
    pub region: String,
    /// The service's signing name, such as `s3` or `glue`.
    pub service: String,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }
}

/// A request's signature with everything that it names.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Whose key signed.
    pub access_key_id: String,
    /// The scope of the signing key. Any region is accepted as long as the signature is right.
    pub scope: Scope,
    /// The signed headers, lower case.
    pub signed_headers: Vec<String>,
    /// The signature's bytes.
    pub signature: Vec<u8>,
    /// The token of a temporary key.
    pub session_token: Option<String>,
    /// When the client says that it signed.
    pub time: DateTime<Utc>,
    /// For a presigned URL, how long it lives.
    pub expires: Option<TimeDelta>,
}

impl Claim {
    /// The claim of a request; `None` if it is not signed.
    ///
    /// # Errors
    /// [`SignatureError::Malformed`] and [`SignatureError::UnsupportedAlgorithm`].
    pub fn of(parts: &Parts) -> Result<Option<Self>, SignatureError> {
        let query = parts.uri.query().unwrap_or_default();
        if query.split('&').any(|pair| pair.starts_with("AWSAccessKeyId=")) {
            return Err(SignatureError::UnsupportedAlgorithm(SIGV2.into()));
        }
        let query = Members::of_query(query);
        let authorization = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        match (authorization.filter(|text| !text.is_empty()), query.get("Algorithm")) {
            (Some(_), Some(_)) => Err(SignatureError::Unusable(TWICE)),
            (Some(text), None) => Self::from_header(text, parts).map(Some),
            (None, Some(algorithm)) => Self::from_query(algorithm, &query).map(Some).map_err(in_query),
            (None, None) => Ok(None),
        }
    }

    fn from_header(text: &str, parts: &Parts) -> Result<Self, SignatureError> {
        let (algorithm, members) = text.split_once(' ').unwrap_or((text, ""));
        check_algorithm(algorithm)?;
        let plain = || header(parts, "date").map(as_amz_date);
        let time = header(parts, "x-amz-date").map(Cow::Borrowed).or_else(plain);
        let time = time.ok_or_else(|| malformed("the header X-Amz-Date is missing"))?;
        let token = header(parts, "x-amz-security-token").map(str::to_owned);
        Self::build(&Members::of_header(members), &time, token, None)
    }

    fn from_query(algorithm: &str, query: &Members<'_>) -> Result<Self, SignatureError> {
        check_algorithm(algorithm)?;
        if ["Credential", "Signature", "Date", "SignedHeaders", "Expires"].iter().any(|it| query.get(it).is_none()) {
            return Err(malformed(QUERY_INCOMPLETE));
        }
        let expires = Some(lifetime(required(query.get("Expires"), "X-Amz-Expires")?)?);
        let time = required(query.get("Date"), "X-Amz-Date")?;
        let token = query.get("Security-Token").map(str::to_owned);
        Self::build(query, time, token, expires)
    }

    fn build(
        members: &Members<'_>,
        time: &str,
        session_token: Option<String>,
        expires: Option<TimeDelta>,
    ) -> Result<Self, SignatureError> {
        let (access_key_id, scope) = split_credential(required(members.get("Credential"), "Credential")?)?;
        let signed_headers: Vec<String> =
            required(members.get("SignedHeaders"), "SignedHeaders")?.split(';').map(str::to_owned).collect();
        if !signed_headers.iter().any(|name| name == "host") {
            return Err(malformed("the Host header must be signed"));
        }
        let signature = hex::decode(required(members.get("Signature"), "Signature")?)
            .map_err(|_| malformed("the Signature is not hexadecimal"))?;
        let moment = moment(time).ok_or_else(|| malformed("X-Amz-Date must look like 20130101T000000Z"))?;
        if !time.starts_with(&scope.date) || scope.date.len() != DAY_LETTERS {
            return Err(malformed("the credential's date is not that of X-Amz-Date"));
        }
        Ok(Self { access_key_id, scope, signed_headers, signature, session_token, time: moment, expires })
    }

    /// Refuses requests from the past or the future, and presigned URLs after their end.
    pub(super) fn check_time(&self, now: DateTime<Utc>) -> Result<(), SignatureError> {
        let age = now - self.time;
        match self.expires {
            _ if age < -MAX_SKEW => Err(SignatureError::Skewed),
            Some(expires) if age > expires || expires.is_zero() => Err(SignatureError::Expired),
            None if age > MAX_SKEW => Err(SignatureError::Skewed),
            _ => Ok(()),
        }
    }

    /// Refuses a signature for another service or region, in the words of a REST service such as S3.
    ///
    /// # Errors
    /// [`SignatureError::Malformed`], [`SignatureError::MalformedQuery`], [`SignatureError::Region`].
    pub fn check_scope(&self, service: &str, region: &str) -> Result<(), SignatureError> {
        let (named, actual) = (&self.scope.service, &self.scope.region);
        if named == service && actual == region {
            return Ok(());
        }
        let wrong = format!("incorrect service \"{named}\". This endpoint belongs to \"{service}\".");
        match (self.expires, named == service) {
            (None, true) => Err(SignatureError::Region { actual: actual.clone(), expected: region.to_owned() }),
            (None, false) => Err(malformed(format!("The authorization header is malformed; {wrong}"))),
            (Some(_), true) => Err(SignatureError::MalformedQuery(format!(
                "Error parsing the X-Amz-Credential parameter; the region '{actual}' is wrong; expecting '{region}'"
            ))),
            (Some(_), false) => {
                Err(SignatureError::MalformedQuery(format!("Error parsing the X-Amz-Credential parameter; {wrong}")))
            }
        }
    }

    /// Refuses `x-amz-` headers that somebody could have added to a signed request.
    pub(super) fn check_signed_headers(&self, parts: &Parts) -> Result<(), SignatureError> {
        let unsigned = |name: &&str| name.starts_with("x-amz-") && !self.signed_headers.iter().any(|it| it == name);
        match parts.headers.keys().map(http::HeaderName::as_str).find(unsigned) {
            Some(name) => Err(SignatureError::UnsignedHeader(name.to_owned())),
            None => Ok(()),
        }
    }
}

/// `AKID/20130101/us-east-1/s3/aws4_request`; the key id itself may hold slashes on no known system.
pub(super) fn split_credential(text: &str) -> Result<(String, Scope), SignatureError> {
    match text.split('/').collect::<Vec<_>>().as_slice() {
        [id, date, region, service, "aws4_request"] => {
            let scope = Scope { date: (*date).into(), region: (*region).into(), service: (*service).into() };
            Ok(((*id).to_owned(), scope))
        }
        _ => Err(malformed("the Credential must be KEY/DATE/REGION/SERVICE/aws4_request")),
    }
}

/// The date of HTTP, which may stand in for `X-Amz-Date`, in that header's form; other texts as they are.
fn as_amz_date(text: &str) -> Cow<'_, str> {
    let date = DateTime::parse_from_rfc2822(text).map(|date| date.to_utc().format("%Y%m%dT%H%M%SZ").to_string());
    date.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// How long a presigned URL lives. One that lives for no second is well-formed, and has expired.
fn lifetime(text: &str) -> Result<TimeDelta, SignatureError> {
    match text.parse::<i64>() {
        Err(_) => Err(malformed("X-Amz-Expires should be a number")),
        Ok(..0) => Err(malformed("X-Amz-Expires must be non-negative")),
        Ok(seconds @ 0..=MAX_EXPIRES) => Ok(TimeDelta::seconds(seconds)),
        Ok(_) => Err(malformed(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than \
             604800 seconds",
        )),
    }
}

fn check_algorithm(algorithm: &str) -> Result<(), SignatureError> {
    match algorithm {
        ALGORITHM => Ok(()),
        "AWS" => Err(SignatureError::UnsupportedAlgorithm(SIGV2.into())),
        other if !other.starts_with("AWS4-") => Err(SignatureError::Unusable("Unsupported Authorization Type")),
        other => Err(SignatureError::UnsupportedAlgorithm(other.chars().take(40).collect())),
    }
}

fn required<'a>(value: Option<&'a str>, name: &str) -> Result<&'a str, SignatureError> {
    value.ok_or_else(|| malformed(format!("{name} is missing")))
}

/// The moment that a text such as `20130101T000000Z` names.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
    let part = |text: &str, at: usize| number(text.get(at..at + 2)?);
    if (date.len(), time.len()) != (DAY_LETTERS, 6) {
        return None;
    }
    let year = i32::try_from(number(date.get(..4)?)?).ok()?;
    let day = NaiveDate::from_ymd_opt(year, part(date, 4)?, part(date, 6)?)?;
    Some(day.and_hms_opt(part(time, 0)?, part(time, 2)?, part(time, 4)?)?.and_utc())
}

fn header<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts.headers.get(name).and_then(|value| value.to_str().ok())
}

/// What a signature says of itself, by name; few enough that a search is faster than a map.
struct Members<'a>(Vec<(&'a str, Cow<'a, str>)>);

impl<'a> Members<'a> {
    /// Of an `Authorization` header, behind the algorithm.
    fn of_header(text: &'a str) -> Self {
        let pairs = text.split(',').filter_map(|member| member.trim().split_once('='));
        Self(pairs.map(|(name, value)| (name, value.into())).collect())
    }

    /// Of a presigned URL, without `X-Amz-`.
    fn of_query(text: &'a str) -> Self {
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        let ours = pairs.filter_map(|(name, value)| Some((name.strip_prefix("X-Amz-")?, value)));
        Self(ours.map(|(name, value)| (name, percent_decode_str(value).decode_utf8_lossy())).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        // What comes last counts.
        self.0.iter().rev().find(|(it, _)| *it == name).map(|(_, value)| &**value)
    }
}

fn in_query(error: SignatureError) -> SignatureError {
    match error {
        SignatureError::Malformed(message) => SignatureError::MalformedQuery(message),
        other => other,
    }
}

fn malformed(message: impl Into<String>) -> SignatureError {
    SignatureError::Malformed(message.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_of_urls() {
        assert_eq!(lifetime("0").unwrap(), TimeDelta::zero());
        assert_eq!(lifetime("604800").unwrap(), TimeDelta::days(7));
        let said = |text| lifetime(text).unwrap_err().to_string();
        assert_eq!(said("-1"), "X-Amz-Expires must be non-negative");
        assert!(said("604801").starts_with("X-Amz-Expires must be less than a week"));
        for none in ["", "x", "1.5", "99999999999999999999"] {
            assert_eq!(said(none), "X-Amz-Expires should be a number", "{none}");
        }
    }

    #[test]
    fn moments() {
        assert_eq!(moment("20130102T030405Z"), "2013-01-02T03:04:05Z".parse().ok());
        for wrong in [
            "",
            "20130102",
            "20130102T030405",
            "20131302T030405Z",
            "20130102T030460Z",
            "2013010éT030405Z",
            "+0130102T030405Z",
        ] {
            assert_eq!(moment(wrong), None, "{wrong}");
        }
    }
}
