//! The actions that a bucket's policy may name ("Actions, resources, and condition keys for Amazon S3"), by what they are
//! done to. A policy with another name, or with none that its resources could be about, is refused as AWS refuses it:
//! a statement that can never match is a mistake.

/// What is done to buckets.
const OF_BUCKETS: [&str; 61] = [
    "createbucket",
    "createbucketmetadatatableconfiguration",
    "deletebucket",
    "deletebucketmetadatatableconfiguration",
    "deletebucketpolicy",
    "deletebucketwebsite",
    "getaccelerateconfiguration",
    "getanalyticsconfiguration",
    "getbucketabac",
    "getbucketacl",
    "getbucketcors",
    "getbucketlocation",
    "getbucketlogging",
    "getbucketmetadatatableconfiguration",
    "getbucketnotification",
    "getbucketobjectlockconfiguration",
    "getbucketownershipcontrols",
    "getbucketpolicy",
    "getbucketpolicystatus",
    "getbucketpublicaccessblock",
    "getbucketrequestpayment",
    "getbuckettagging",
    "getbucketversioning",
    "getbucketwebsite",
    "getencryptionconfiguration",
    "getintelligenttieringconfiguration",
    "getinventoryconfiguration",
    "getlifecycleconfiguration",
    "getmetricsconfiguration",
    "getreplicationconfiguration",
    "listbucket",
    "listbucketmultipartuploads",
    "listbucketversions",
    "listtagsforresource",
    "pausereplication",
    "putaccelerateconfiguration",
    "putanalyticsconfiguration",
    "putbucketabac",
    "putbucketacl",
    "putbucketcors",
    "putbucketlogging",
    "putbucketnotification",
    "putbucketobjectlockconfiguration",
    "putbucketownershipcontrols",
    "putbucketpolicy",
    "putbucketpublicaccessblock",
    "putbucketrequestpayment",
    "putbuckettagging",
    "putbucketversioning",
    "putbucketwebsite",
    "putencryptionconfiguration",
    "putintelligenttieringconfiguration",
    "putinventoryconfiguration",
    "putlifecycleconfiguration",
    "putmetricsconfiguration",
    "putreplicationconfiguration",
    "tagresource",
    "untagresource",
    "updatebucketmetadataannotationtableconfiguration",
    "updatebucketmetadatainventorytableconfiguration",
    "updatebucketmetadatajournaltableconfiguration",
];

/// What is done to objects.
const OF_OBJECTS: [&str; 38] = [
    "abortmultipartupload",
    "bypassgovernanceretention",
    "deleteobject",
    "deleteobjectannotation",
    "deleteobjecttagging",
    "deleteobjectversion",
    "deleteobjectversiontagging",
    "getobject",
    "getobjectacl",
    "getobjectannotation",
    "getobjectattributes",
    "getobjectlegalhold",
    "getobjectretention",
    "getobjecttagging",
    "getobjecttorrent",
    "getobjectversion",
    "getobjectversionacl",
    "getobjectversionattributes",
    "getobjectversionforreplication",
    "getobjectversiontagging",
    "getobjectversiontorrent",
    "initiatereplication",
    "listmultipartuploadparts",
    "listobjectannotations",
    "objectowneroverridetobucketowner",
    "putobject",
    "putobjectacl",
    "putobjectannotation",
    "putobjectlegalhold",
    "putobjectretention",
    "putobjecttagging",
    "putobjectversionacl",
    "putobjectversiontagging",
    "replicatedelete",
    "replicateobject",
    "replicatetags",
    "restoreobject",
    "updateobjectencryption",
];

/// Names and patterns of what is done to access points, jobs, lenses or the account, which a bucket's
/// policy is not about.
const ELSEWHERE: [&str; 10] = [
    "*accessgrant*",
    "*accesspoint*",
    "*job",
    "*jobtagging",
    "*jobs",
    "*storagelens*",
    "getdataaccess",
    "listallmybuckets",
    "*accountpublicaccessblock",
    "updatejob*",
];

/// What a policy's action, which may have wildcards, can be done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) buckets: bool,
    pub(crate) objects: bool,
}

/// The scope of an action; none if S3 has no such action.
pub(crate) fn scope(action: &str) -> Option<Scope> {
    let lower = action.to_ascii_lowercase();
    if lower.chars().all(|it| it == '*') && !lower.is_empty() {
        return Some(Scope { buckets: true, objects: true });
    }
    let pattern = lower.strip_prefix("s3:")?;
    let any = |names: &[&str]| names.iter().any(|name| matches(pattern.as_bytes(), name.as_bytes()));
    let (buckets, objects) = (any(&OF_BUCKETS), any(&OF_OBJECTS));
    let elsewhere = || ELSEWHERE.iter().any(|name| matches(name.as_bytes(), pattern.as_bytes()));
    (buckets || objects || elsewhere()).then_some(Scope { buckets, objects })
}

/// Whether a pattern with `*` and `?` covers the whole text.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read, mut star) = (0, 0, None);
    while read < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[read] => (at, read) = (at + 1, read + 1),
            _ => {
                // The last star takes one byte more.
                let Some((back, taken)) = star else { return false };
                star = Some((back, taken + 1));
                (at, read) = (back + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKETS: Option<Scope> = Some(Scope { buckets: true, objects: false });
    const OBJECTS: Option<Scope> = Some(Scope { buckets: false, objects: true });
    const BOTH: Option<Scope> = Some(Scope { buckets: true, objects: true });

    #[test]
    fn actions_are_known_by_name_and_by_pattern() {
        assert_eq!((scope("s3:GetObject"), scope("S3:getobject"), scope("s3:PutObject*")), (OBJECTS, OBJECTS, OBJECTS));
        assert_eq!(
            (scope("s3:ListBucket"), scope("s3:ListBucket*"), scope("s3:PutBucket?CL")),
            (BUCKETS, BUCKETS, BUCKETS)
        );
        assert_eq!((scope("*"), scope("s3:*"), scope("s3:Get*"), scope("s3:*Object*")), (BOTH, BOTH, BOTH, BOTH));
        assert_eq!(scope("s3:ListAllMyBuckets"), Some(Scope { buckets: false, objects: false }));
        for none in ["s3:ListObjects", "s3:HeadObject", "s3:GetObjects", "s3:", "s3", "", "sqs:SendMessage", "s3:x*"] {
            assert_eq!(scope(none), None, "{none}");
        }
    }

    #[test]
    fn patterns() {
        let is = |pattern: &str, text: &str| matches(pattern.as_bytes(), text.as_bytes());
        assert!(is("a*b*c", "axxbyyc") && is("*", "") && is("a?c", "abc") && is("**a", "aaa"));
        assert!(!is("a*b", "ac") && !is("?", "") && !is("abc", "ab") && !is("ab", "abc"));
    }

    #[test]
    fn names_are_in_order() {
        assert!(OF_OBJECTS.is_sorted() && OF_BUCKETS.is_sorted());
    }
}
