//! Tags of objects and buckets.

use std::collections::BTreeMap;

use boathouse_aws::AwsError;
use percent_encoding::percent_decode_str;
use s3s::dto::{Tag, Tagging};

use crate::error::{Result, invalid_argument, malformed_xml};
use crate::xml;

/// Tags of an object at most.
pub(crate) const MAX_OBJECT: usize = 10;
/// Tags of a bucket at most.
pub(crate) const MAX_BUCKET: usize = 50;

/// The tags in `x-amz-tagging`, which are coded like a query.
pub(crate) fn from_header(text: Option<&str>) -> Result<BTreeMap<String, String>> {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8().map(|text| text.into_owned())
    };
    let pairs = text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        decode(key).and_then(|key| Ok((key, decode(value)?))).map_err(|_| {
            invalid_argument(
                "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters \
                              without tag name duplicates.",
            )
        })
    });
    checked(pairs.collect::<Result<_>>()?, MAX_OBJECT)
}

/// The tags of a tagging document.
pub(crate) fn from_set(set: Vec<Tag>, limit: usize) -> Result<BTreeMap<String, String>> {
    let pairs = set.into_iter().map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()));
    checked(pairs.collect(), limit)
}

/// The tags in the configuration of a new bucket, which the codec passes over. The document has neither comments nor
/// sections any more.
pub(crate) fn of_new_bucket(document: &[u8]) -> Result<BTreeMap<String, String>> {
    let text = std::str::from_utf8(document).map_err(|_| malformed_xml())?;
    let Some((_, behind)) = text.split_once("<Tags>") else { return Ok(BTreeMap::new()) };
    let (set, _) = behind.split_once("</Tags>").ok_or_else(malformed_xml)?;
    let tagging = format!("<Tagging><TagSet>{set}</TagSet></Tagging>");
    let tagging: Tagging = xml::parsed(tagging.as_bytes()).ok_or_else(malformed_xml)?;
    from_set(tagging.tag_set, MAX_BUCKET)
}

/// The tags as a tagging document has them.
pub(crate) fn to_set(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) }).collect()
}

fn checked(pairs: Vec<(String, String)>, limit: usize) -> Result<BTreeMap<String, String>> {
    let invalid = |message: &str| Err(AwsError::bad_request("InvalidTag", message.to_owned()));
    if pairs.len() > limit {
        let what = if limit == MAX_OBJECT { "Object" } else { "Bucket" };
        return Err(AwsError::bad_request("BadRequest", format!("{what} tags cannot be greater than {limit}")));
    }
    let mut tags = BTreeMap::new();
    for (key, value) in pairs {
        if key.is_empty() || key.chars().count() > 128 || key.starts_with("aws:") || !key.chars().all(allowed) {
            return invalid("The TagKey you have provided is invalid");
        }
        if value.chars().count() > 256 || !value.chars().all(allowed) {
            return invalid("The TagValue you have provided is invalid");
        }
        if tags.insert(key, value).is_some() {
            return invalid("Cannot provide multiple Tags with the same key");
        }
    }
    Ok(tags)
}

fn allowed(c: char) -> bool {
    c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_buckets_may_have_tags() {
        let of = |inner: &str| {
            of_new_bucket(format!("<CreateBucketConfiguration>{inner}</CreateBucketConfiguration>").as_bytes())
        };
        assert!(of("").unwrap().is_empty() && of_new_bucket(b"").unwrap().is_empty());
        let tag = "<Tag><Key>team</Key><Value>a &#43; b</Value></Tag>";
        assert_eq!(of(&format!("<Tags>{tag}</Tags>")).unwrap()["team"], "a + b");
        assert_eq!(of(&format!("<Tags>{tag}{tag}</Tags>")).unwrap_err().code, "InvalidTag");
        for broken in ["<Tags>", "<Tags><Tag></Tags>"] {
            assert_eq!(of(broken).unwrap_err().code, "MalformedXML", "{broken}");
        }
    }

    #[test]
    fn header_tags_are_decoded() {
        let tags = from_header(Some("a=1&b+c=%C3%A9&d")).unwrap();
        assert_eq!(tags, BTreeMap::from([("a", "1"), ("b c", "é"), ("d", "")].map(|(k, v)| (k.into(), v.into()))));
        assert!(from_header(None).unwrap().is_empty());
    }

    #[test]
    fn limits_are_kept() {
        assert_eq!(from_header(Some("a=1&a=2")).unwrap_err().code, "InvalidTag");
        assert_eq!(from_header(Some("aws:a=1")).unwrap_err().code, "InvalidTag");
        assert_eq!(from_header(Some("a=%FF")).unwrap_err().code, "InvalidArgument");
        let many: Vec<String> = (0..11).map(|n| format!("k{n}=v")).collect();
        assert_eq!(from_header(Some(&many.join("&"))).unwrap_err().code, "BadRequest");
        assert_eq!(from_header(Some("a=<")).unwrap_err().code, "InvalidTag");
    }
}
