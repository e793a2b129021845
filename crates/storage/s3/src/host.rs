//! Virtual-hosted requests: the bucket is in the host's name.

use std::net::IpAddr;

/// Names under which the endpoint itself is reached; what stands before them is a bucket.
const BASES: [&str; 3] = ["s3.localhost", "s3.localhost.localdomain", "localhost"];

/// The bucket that a `Host` names, if it names one. `region` is the installation's.
pub(crate) fn bucket<'a>(host: &'a str, region: &str) -> Option<&'a str> {
    let host = without_port(host);
    if host.parse::<IpAddr>().is_ok() || host.starts_with('[') {
        return None;
    }
    let regional = [format!("s3.{region}.localhost"), format!("s3.{region}.amazonaws.com")];
    let bases = regional.iter().map(String::as_str).chain(BASES).chain(["s3.amazonaws.com"]);
    // `s3.localhost` ends with the base `localhost`, but is an endpoint and no bucket.
    let mut endpoints = bases.clone();
    if endpoints.any(|base| base.eq_ignore_ascii_case(host)) {
        return None;
    }
    bases.into_iter().find_map(|base| {
        let (bucket, rest) = host.split_at_checked(host.len().checked_sub(base.len() + 1)?)?;
        let found = rest.strip_prefix('.').is_some_and(|rest| rest.eq_ignore_ascii_case(base));
        (found && !bucket.is_empty()).then_some(bucket)
    })
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.ends_with(':') && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_in_hosts() {
        let of = |host| bucket(host, "us-east-1");
        assert_eq!(of("raw.localhost:4566"), Some("raw"));
        assert_eq!(of("a.b.s3.localhost:4566"), Some("a.b"));
        assert_eq!(of("raw.s3.us-east-1.localhost"), Some("raw"));
        assert_eq!(of("raw.s3.us-east-1.amazonaws.com"), Some("raw"));
        assert_eq!(of("raw.S3.amazonaws.com"), Some("raw"));
    }

    #[test]
    fn endpoints_and_addresses_name_no_bucket() {
        for host in [
            "localhost:4566",
            "127.0.0.1:4566",
            "[::1]:4566",
            "s3.localhost",
            "example.com",
            "",
            "s3.us-east-1.localhost:1",
        ] {
            assert_eq!(bucket(host, "us-east-1"), None, "{host}");
        }
    }
}
