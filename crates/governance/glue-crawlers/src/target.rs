//! An S3 target: a checked path, and the patterns that leave files out.

use object_store::path::Path;
use regex::Regex;

use crate::api::S3Target;
use crate::error::CrawlerError;

/// A target that can be crawled.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) bucket: String,
    /// The path below the bucket, with `/` at its end unless it is empty.
    pub(crate) path: String,
    /// The path as the store knows it; none for the whole bucket.
    pub(crate) prefix: Option<Path>,
    /// Files per folder that are looked at; all without.
    pub(crate) sample_size: Option<u32>,
    exclusions: Vec<Regex>,
}

impl Target {
    /// Checks what a client said.
    ///
    /// # Errors
    /// A path that isn't S3's, a pattern that can't be read, an option that is not implemented.
    pub(crate) fn new(target: &S3Target) -> Result<Self, CrawlerError> {
        for (option, name) in [
            (&target.connection_name, "ConnectionName"),
            (&target.event_queue_arn, "EventQueueArn"),
            (&target.dlq_event_queue_arn, "DlqEventQueueArn"),
        ] {
            if option.is_some() {
                return Err(CrawlerError::NotImplemented(name));
            }
        }
        let written = target.path.as_deref().unwrap_or_default();
        let rest = written.strip_prefix("s3://").or_else(|| written.strip_prefix("s3a://")).unwrap_or(written);
        let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
        let has_scheme = written.contains("://") && rest.len() == written.len();
        let invalid = || CrawlerError::InvalidInput(format!("The S3 path {written:?} is not valid."));
        if bucket.is_empty() || has_scheme {
            return Err(invalid());
        }
        if target.sample_size.is_some_and(|size| !(1..=249).contains(&size)) {
            return Err(CrawlerError::InvalidInput("SampleSize must be between 1 and 249".into()));
        }
        let prefix = (!path.is_empty()).then(|| Path::parse(path)).transpose().map_err(|_| invalid())?;
        let path = if path.is_empty() || path.ends_with('/') { path.to_owned() } else { format!("{path}/") };
        let exclusions = target.exclusions.iter().flatten().map(|pattern| glob(pattern)).collect::<Result<_, _>>()?;
        Ok(Self { bucket: bucket.to_owned(), path, prefix, sample_size: target.sample_size, exclusions })
    }

    /// The target as catalog locations begin.
    pub(crate) fn location(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.path)
    }

    /// Whether the file at `path`, relative to the target, is to be looked at: no folder marker, nothing hidden as Hive
    /// understands it, nothing excluded.
    pub(crate) fn includes(&self, path: &str) -> bool {
        let hidden = path.split('/').any(|part| part.starts_with(['_', '.']) || part.ends_with("_$folder$"));
        !path.is_empty() && !hidden && !self.exclusions.iter().any(|pattern| pattern.is_match(path))
    }
}

/// Translates an exclude pattern ("Include and exclude patterns" in the Glue guide): `*`, `**`, `?`, `[a-z]`, `{a,b}`.
fn glob(pattern: &str) -> Result<Regex, CrawlerError> {
    let mut regex = String::from("^");
    let mut rest = pattern.chars().peekable();
    let mut braces = 0;
    while let Some(letter) = rest.next() {
        match letter {
            '*' if rest.next_if_eq(&'*').is_some() => regex.push_str(".*"),
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '{' => {
                braces += 1;
                regex.push_str("(?:");
            }
            '}' if braces > 0 => {
                braces -= 1;
                regex.push(')');
            }
            ',' if braces > 0 => regex.push('|'),
            '[' => {
                regex.push('[');
                if rest.next_if_eq(&'!').is_some() {
                    regex.push('^');
                }
            }
            ']' | '-' => regex.push(letter),
            '\\' => regex.push_str(&regex::escape(&rest.next().unwrap_or('\\').to_string())),
            plain => regex.push_str(&regex::escape(&plain.to_string())),
        }
    }
    regex.push('$');
    Regex::new(&regex).map_err(|_| CrawlerError::InvalidInput(format!("The exclude pattern {pattern:?} is not valid.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(path: &str, exclusions: &[&str]) -> Result<Target, CrawlerError> {
        let exclusions = exclusions.iter().map(|pattern| (*pattern).to_owned()).collect();
        Target::new(&S3Target { path: Some(path.into()), exclusions: Some(exclusions), ..S3Target::default() })
    }

    #[test]
    fn paths_are_read() {
        let found = target("s3://b/data/flights", &[]).unwrap();
        assert_eq!((found.bucket.as_str(), found.path.as_str()), ("b", "data/flights/"));
        assert_eq!(target("s3://b", &[]).unwrap().prefix, None);
        let escaped = target("s3://b/at=10%3A30/Größe/", &[]).unwrap();
        assert_eq!(escaped.prefix.unwrap().as_ref(), "at=10%3A30/Größe");
        assert!(target("s3://b/data//flights/", &[]).is_err());
        assert!(target("http://b/data", &[]).is_err());
        assert!(target("", &[]).is_err());
    }

    #[test]
    fn patterns_leave_files_out() {
        let found = target("s3://b/", &["**.{tmp,bak}", "old/*", "m[!a-c]?"]).unwrap();
        for (path, included) in [
            ("a.csv", true),
            ("deep/a.tmp", false),
            ("old/a.csv", false),
            ("old/deep/a.csv", true),
            ("mdx", false),
            ("max", true),
            ("_SUCCESS", false),
            ("x/.hidden/a.csv", false),
        ] {
            assert_eq!(found.includes(path), included, "{path}");
        }
        assert!(target("s3://b/", &["[z-a]"]).is_err());
    }
}
