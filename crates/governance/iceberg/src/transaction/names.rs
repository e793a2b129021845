//! The names of the files in a table's metadata folder.

use std::collections::BTreeMap;

/// The property that says where metadata files go, if not beside the data.
const METADATA_PATH: &str = "write.metadata.path";

fn folder(location: &str, properties: &BTreeMap<String, String>) -> String {
    let own = properties.get(METADATA_PATH).map(|path| path.trim_end_matches('/').to_owned());
    own.unwrap_or_else(|| format!("{location}/metadata"))
}

/// A manifest.
pub(super) fn manifest(location: &str, properties: &BTreeMap<String, String>, id: &str, number: usize) -> String {
    format!("{}/{id}-m{number}.avro", folder(location, properties))
}

/// A snapshot's manifest list.
pub(super) fn list(location: &str, properties: &BTreeMap<String, String>, snapshot: i64, id: &str) -> String {
    format!("{}/snap-{snapshot}-{id}.avro", folder(location, properties))
}

/// The metadata file that follows another one.
pub(super) fn metadata(
    location: &str,
    properties: &BTreeMap<String, String>,
    previous: Option<&str>,
    id: String,
) -> String {
    let version = previous.map_or(0, |previous| version(previous).map_or(1, |version| version + 1));
    format!("{}/{version:05}-{id}.metadata.json", folder(location, properties))
}

/// The number that a metadata file's name begins with.
fn version(location: &str) -> Option<u64> {
    let name = location.rsplit('/').next()?;
    name.split_once('-')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_files_are_numbered() {
        let (none, id) = (BTreeMap::new(), || "x".to_owned());
        let first = metadata("s3://b/t", &none, None, id());
        assert_eq!(first, "s3://b/t/metadata/00000-x.metadata.json");
        assert_eq!(metadata("s3://b/t", &none, Some(&first), id()), "s3://b/t/metadata/00001-x.metadata.json");
        let elsewhere = BTreeMap::from([(METADATA_PATH.to_owned(), "s3://c/m/".to_owned())]);
        assert_eq!(metadata("s3://b/t", &elsewhere, Some("s3://c/m/v3.metadata.json"), id()), "s3://c/m/00001-x.metadata.json");
    }
}
