//! Which of S3's condition keys a bucket policy may use: what requests carry is `condition_keys`' business.

use boathouse_aws::AwsError;

use crate::error::Result;

/// Keys that requests carry, in lower case; those that end in a slash go on with the name of a tag.
const KNOWN: [&str; 37] = [
    "s3:delimiter",
    "s3:existingobjecttag/",
    "s3:max-keys",
    "s3:prefix",
    "s3:requestobjecttag/",
    "s3:requestobjecttagkeys",
    "s3:resourceaccount",
    "s3:versionid",
    "s3:if-match",
    "s3:if-none-match",
    "s3:x-amz-acl",
    "s3:x-amz-copy-source",
    "s3:x-amz-grant-full-control",
    "s3:x-amz-grant-read",
    "s3:x-amz-grant-read-acp",
    "s3:x-amz-grant-write",
    "s3:x-amz-grant-write-acp",
    "s3:x-amz-metadata-directive",
    "s3:x-amz-content-sha256",
    "s3:authtype",
    "s3:signatureage",
    "s3:signatureversion",
    "s3:tlsversion",
    "s3:object-lock-mode",
    "s3:object-lock-remaining-retention-days",
    "s3:object-lock-legal-hold",
    "s3:object-lock-retain-until-date",
    "s3:x-amz-server-side-encryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:x-amz-server-side-encryption-customer-algorithm",
    "s3:x-amz-storage-class",
    "s3:x-amz-website-redirect-location",
    // Of things that are refused or that no request has here: they match nothing, which is what they mean.
    "s3:accesspointnetworkorigin",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "s3:accessgrantsinstancearn",
    "s3:jobsuspendedcause",
];
/// Keys of AWS that would be taken for absent though requests have them: policies with these are refused.
const REFUSED: [&str; 4] = [
    "s3:locationconstraint",
    "s3:inventoryaccessibleoptionalfields",
    "s3:destinationregion",
    "s3:objectcreationoperation",
];

/// Checks a key of a bucket policy's condition.
///
/// # Errors
/// `NotImplemented`, `MalformedPolicy`.
pub(crate) fn check(key: &str) -> Result<()> {
    let lower = key.to_ascii_lowercase();
    let known = |it: &str| lower == it || (it.ends_with('/') && lower.starts_with(it));
    match lower.starts_with("s3:") {
        true if REFUSED.contains(&lower.as_str()) => {
            Err(AwsError::not_implemented(format!("the condition key {key} in a bucket policy")))
        }
        true if !KNOWN.iter().any(|it| known(it)) => {
            Err(AwsError::bad_request("MalformedPolicy", "Policy has an invalid condition key"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_honoured_refused_or_unknown() {
        assert!(
            check("s3:ExistingObjectTag/Team").is_ok() && check("aws:SourceIp").is_ok() && check("s3:Prefix").is_ok()
        );
        assert_eq!(check("s3:objectCreationOperation").unwrap_err().code, "NotImplemented");
        assert_eq!(check("s3:weather").unwrap_err().code, "MalformedPolicy");
    }
}
