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
    if !tags.encoded().is_empty() {
        return Err(unsupported("writing tags"));
    }
    let mut metadata = Metadata::default();
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

pub(super) fn from_metadata(metadata: &Metadata) -> Attributes {
    let header =
        |(attribute, name): &(Attribute, &str)| Some((attribute.clone(), metadata.headers.get(*name)?.clone()));
    let headers = HEADERS.iter().filter_map(header);
    let user = metadata.user.iter().map(|(name, value)| (Attribute::Metadata(name.clone().into()), value.clone()));
    headers.chain(user).collect()
}
