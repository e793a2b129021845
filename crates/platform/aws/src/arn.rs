//! Amazon Resource Names: `arn:partition:service:region:account:resource`.

use std::fmt;
use std::str::FromStr;

/// The one account of a Boathouse installation.
pub const ACCOUNT_ID: &str = "000000000000";

/// A parsed Amazon Resource Name. Fields may be empty where the service leaves them so (S3 has no region or account).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Arn {
    /// `aws` unless somebody writes another partition.
    pub partition: String,
    /// The service's namespace, such as `glue`.
    pub service: String,
    /// The region, empty for global services.
    pub region: String,
    /// The account, empty for S3.
    pub account: String,
    /// Everything after the fifth colon, such as `table/db/t`.
    pub resource: String,
}

impl Arn {
    /// An ARN in this installation's account.
    pub fn new(service: &str, region: &str, resource: impl Into<String>) -> Self {
        Self {
            partition: "aws".into(),
            service: service.into(),
            region: region.into(),
            account: ACCOUNT_ID.into(),
            resource: resource.into(),
        }
    }

    /// An IAM ARN: global, so without a region.
    pub fn iam(resource: impl Into<String>) -> Self {
        Self::new("iam", "", resource)
    }

    /// The address of the queue that this ARN names, as SQS's operations take it.
    pub fn queue_url(&self) -> String {
        format!("https://sqs.{}.amazonaws.com/{}/{}", self.region, self.account, self.resource)
    }

    /// The ARN of a bucket, or with `key` of an object in it.
    pub fn s3(bucket: &str, key: Option<&str>) -> Self {
        let resource = match key {
            Some(key) => format!("{bucket}/{key}"),
            None => bucket.to_owned(),
        };
        Self { account: String::new(), ..Self::new("s3", "", resource) }
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account, resource } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

/// The text is not an ARN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an ARN: {0}")]
pub struct InvalidArn(pub String);

impl FromStr for Arn {
    type Err = InvalidArn;

    fn from_str(text: &str) -> Result<Self, InvalidArn> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().map(str::to_owned).ok_or_else(|| InvalidArn(text.to_owned()));
        if next()? != "arn" {
            return Err(InvalidArn(text.to_owned()));
        }
        Ok(Self { partition: next()?, service: next()?, region: next()?, account: next()?, resource: next()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_survives_its_text() {
        let text = "arn:aws:states:us-east-1:000000000000:execution:daily:run:1";
        let arn: Arn = text.parse().unwrap();
        assert_eq!(arn.resource, "execution:daily:run:1");
        assert_eq!(arn.to_string(), text);
        assert_eq!(Arn::s3("raw", Some("a/b")).to_string(), "arn:aws:s3:::raw/a/b");
    }

    #[test]
    fn text_that_is_no_arn_is_refused() {
        assert!("arn:aws:s3".parse::<Arn>().is_err());
        assert!("urn:aws:s3:::b".parse::<Arn>().is_err());
    }
}
