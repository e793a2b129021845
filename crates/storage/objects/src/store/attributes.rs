//! Between the attributes of `object_store` and what the engine stores beside the bytes.

use object_store::{Attribute, Attributes, TagSet};

use super::unsupported;
use crate::Metadata;

const HEADERS: [(Attribute, &str); 5] = [
    (Attribute::ContentDisposition, "content-disposition"),
    (Attribute::ContentEncoding, "content-encoding"),
    (Attribute::ContentLanguage, "content-language"),
    (Attribute::ContentType, "content-type"),
    (Attribute::CacheControl, "cache-control"),
];

pub(super) fn to_metadata(attributes: &Attributes, tags: &TagSet) -> object_store::Result<Metadata> {
    let pairs = tags.encoded().split('&').filter_map(|pair| pair.split_once('='));
    let tags = pairs.map(|(name, value)| Some((decoded(name)?, decoded(value)?))).collect::<Option<_>>();
    let tags = tags.ok_or_else(|| unsupported("writing tags that are not text"))?;
    let mut metadata = Metadata { tags, ..Metadata::default() };
    for (attribute, value) in attributes {
        let header = HEADERS.iter().find(|(known, _)| known == attribute);
        match (header, attribute) {
            (Some((_, header)), _) => metadata.headers.insert((*header).to_owned(), value.to_string()),
            (None, Attribute::Metadata(name)) => metadata.user.insert(name.to_string(), value.to_string()),
            (None, other) => return Err(unsupported(&format!("writing the attribute {other:?}"))),
        };
    }
    Ok(metadata)
}

/// Undoes the encoding of forms, in which `object_store` keeps tags.
fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (high, low) = (digit(bytes.next()?)?, digit(bytes.next()?)?);
                (high * 16 + low) as u8
            }
            other => other,
        });
    }
    String::from_utf8(out).ok()
}

pub(super) fn from_metadata(metadata: &Metadata) -> Attributes {
    let header =
        |(attribute, name): &(Attribute, &str)| Some((attribute.clone(), metadata.headers.get(*name)?.clone()));
    let headers = HEADERS.iter().filter_map(header);
    let user = metadata.user.iter().map(|(name, value)| (Attribute::Metadata(name.clone().into()), value.clone()));
    headers.chain(user).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tags_survive_their_encoding(pairs in prop::collection::btree_map(".+", ".*", 0..4)) {
            let mut tags = TagSet::default();
            pairs.iter().for_each(|(name, value)| tags.push(name, value));
            let stored: BTreeMap<_, _> = to_metadata(&Attributes::new(), &tags).unwrap().tags;
            prop_assert_eq!(stored, pairs);
        }
    }

    #[test]
    fn a_broken_encoding_is_refused() {
        assert_eq!(decoded("a%2"), None);
        assert_eq!(decoded("%ff"), None);
        assert_eq!(decoded("a+%2B").as_deref(), Some("a +"));
    }
}
