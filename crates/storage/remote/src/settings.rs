//! What the environment says, under AWS's names.

use std::fmt;

use boathouse_aws::access::Secret;
use boathouse_aws::sigv4::Signer;
use boathouse_objects::{Error, Result};
use http::Uri;

/// Where a bucket is, and how to ask for it.
pub(crate) struct Settings {
    pub(crate) bucket: String,
    pub(crate) prefix: String,
    pub(crate) endpoint: Uri,
    pub(crate) signer: Signer,
    pub(crate) token: Option<String>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.endpoint, self.bucket, self.prefix)
    }
}

impl Settings {
    pub(crate) fn new(url: &str, set: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let (bucket, prefix) = parse(url)?;
        let required = |name: &str| set(name).ok_or_else(|| wrong(format!("{name} is not set, which {url} needs")));
        let region = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(&set);
        let region = region.unwrap_or_else(|| "us-east-1".into());
        let endpoint = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"].into_iter().find_map(&set);
        let endpoint = endpoint.unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
        let signer = Signer {
            access_key_id: required("AWS_ACCESS_KEY_ID")?,
            secret: Secret::new(required("AWS_SECRET_ACCESS_KEY")?),
            region,
            service: "s3".into(),
        };
        Ok(Self { bucket, prefix, endpoint: checked(&endpoint)?, signer, token: set("AWS_SESSION_TOKEN") })
    }
}

fn wrong(why: String) -> Error {
    Error::RemoteConfiguration(why)
}

/// An endpoint is a scheme and a host, no more.
fn checked(endpoint: &str) -> Result<Uri> {
    let uri: Option<Uri> = endpoint.parse().ok();
    let good = |uri: &Uri| {
        let host = uri.host().is_some_and(|host| !host.is_empty());
        let user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        matches!(uri.scheme_str(), Some("http" | "https")) && host && !user && matches!(uri.path(), "" | "/")
    };
    // It may hold a password: it is not repeated.
    uri.filter(good).ok_or_else(|| wrong("the endpoint's URL is not http://host:port or https://host:port".into()))
}

/// Bucket and prefix of a URL.
fn parse(url: &str) -> Result<(String, String)> {
    let wrong = |why: &str| wrong(format!("{url:?} is not s3://bucket or s3://bucket/prefix: {why}"));
    let rest = url.strip_prefix("s3://").ok_or_else(|| wrong("it begins otherwise"))?.trim_end_matches('/');
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let named = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte);
    if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(named) {
        return Err(wrong("this is no bucket's name"));
    }
    if !prefix.is_empty() && prefix.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(wrong("the prefix has an empty or relative part"));
    }
    Ok((bucket.to_owned(), prefix.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_a_bucket_and_perhaps_a_prefix() {
        let parsed = |url| parse(url).unwrap();
        assert_eq!(parsed("s3://lake"), ("lake".into(), String::new()));
        assert_eq!(parsed("s3://lake/"), ("lake".into(), String::new()));
        assert_eq!(parsed("s3://lake/a b/c/"), ("lake".into(), "a b/c".into()));
        for wrong in ["lake", "gs://lake", "s3://", "s3://a", "s3:///x", "s3://La", "s3://lake//x", "s3://lake/../x"] {
            assert!(matches!(parse(wrong), Err(Error::RemoteConfiguration(_))), "{wrong}");
        }
    }

    #[test]
    fn the_environment_says_the_rest() {
        let keys = [("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SECRET_ACCESS_KEY", "hidden")];
        let with = |more: &[(&str, &str)]| {
            let all: Vec<_> =
                keys.iter().chain(more).map(|(name, value)| (name.to_string(), value.to_string())).collect();
            Settings::new("s3://lake/x", move |name| {
                all.iter().find(|(it, _)| it == name).map(|(_, value)| value.clone())
            })
        };
        let aws = with(&[("AWS_DEFAULT_REGION", "eu-west-3")]).unwrap();
        assert_eq!(aws.endpoint.to_string(), "https://s3.eu-west-3.amazonaws.com/");
        assert!(!format!("{aws:?} {:?}", aws.signer).contains("hidden"));
        let own =
            with(&[("AWS_ENDPOINT_URL", "http://a:1"), ("AWS_ENDPOINT_URL_S3", "http://b:2"), ("AWS_REGION", "x")]);
        let own = own.unwrap();
        assert_eq!((own.endpoint.host(), own.endpoint.port_u16(), &own.signer.region[..]), (Some("b"), Some(2), "x"));
        for endpoint in ["ftp://a", "a:1", "http://user:pass@a", "http://a/path", "http://"] {
            let refused = with(&[("AWS_ENDPOINT_URL", endpoint)]).unwrap_err().to_string();
            assert!(refused.contains("endpoint") && !refused.contains("pass"), "{endpoint}: {refused}");
        }
        let none = Settings::new("s3://lake", |_| None).unwrap_err().to_string();
        assert!(none.contains("AWS_ACCESS_KEY_ID is not set"), "{none}");
    }
}
