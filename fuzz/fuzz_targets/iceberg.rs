//! Metadata files, manifest lists and manifests of any bytes are read or refused; metadata that is read stays the same when it is
//! written.
#![no_main]

use boathouse_iceberg::manifest::{ManifestFile, read_list, read_manifest};
use boathouse_iceberg::metadata::TableMetadata;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = read_list(bytes);
    let _ = read_manifest(bytes, &ManifestFile::default(), &[]);
    if let Ok(table) = TableMetadata::from_json(bytes) {
        let _ = table.current_schema();
        assert_eq!(TableMetadata::from_json(&table.to_json()).ok().as_ref(), Some(&table));
    }
});
