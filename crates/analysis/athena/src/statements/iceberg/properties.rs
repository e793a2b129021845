//! The table properties that Athena knows of Iceberg tables ("Creating Iceberg tables": Table properties), and where the table's own metadata keeps
//! them.

use std::collections::BTreeMap;

use crate::executions::failure::Failure;

/// Kept under their own names.
pub(crate) const OWN: [&str; 5] = [
    "optimize_rewrite_data_file_threshold",
    "optimize_rewrite_delete_file_threshold",
    "vacuum_min_snapshots_to_keep",
    "vacuum_max_snapshot_age_seconds",
    "vacuum_max_metadata_files_to_keep",
];

/// The property of Iceberg's that says how Parquet files are compressed.
pub(crate) const COMPRESSION: &str = "write.parquet.compression-codec";
/// The property of Iceberg's that says in which format files are written.
pub(crate) const FORMAT: &str = "write.format.default";

fn invalid(message: String) -> Failure {
    Failure::user(1006, format!("INVALID_TABLE_PROPERTY: {message}"))
}

/// A property of Athena's as the table's metadata keeps it; none for what says that it is such a table.
///
/// # Errors
/// There is no such property, or no such value.
pub(crate) fn kept(name: &str, value: &str) -> Result<Option<(String, String)>, Failure> {
    let name = name.to_ascii_lowercase();
    let kept = |name: &str, value: String| Ok(Some((name.to_owned(), value)));
    match name.as_str() {
        "table_type" => Ok(None),
        "format" => match value.to_ascii_lowercase().as_str() {
            "parquet" => kept(FORMAT, "PARQUET".to_owned()),
            other @ ("orc" | "avro") => Err(Failure::unsupported(format_args!("Iceberg tables of {other} files"))),
            other => Err(invalid(format!("Unsupported format: {other}"))),
        },
        "write_compression" | "compression" => match value.to_ascii_lowercase().as_str() {
            codec @ ("zstd" | "gzip" | "snappy" | "lz4") => kept(COMPRESSION, codec.to_owned()),
            "none" | "uncompressed" => kept(COMPRESSION, "uncompressed".to_owned()),
            other => Err(invalid(format!("Unsupported compression codec: {other}"))),
        },
        "write_target_data_file_size_bytes" => number(&name, value).and_then(|number| kept("write.target-file-size-bytes", number)),
        own if OWN.contains(&own) => number(own, value).and_then(|number| kept(own, number)),
        other => Err(invalid(format!("Unsupported table property key: {other}"))),
    }
}

fn number(name: &str, value: &str) -> Result<String, Failure> {
    match value.trim().parse::<u64>() {
        Ok(number) => Ok(number.to_string()),
        Err(_) => Err(invalid(format!("{name} must be a whole number, not '{value}'"))),
    }
}

/// The properties of a new table; what isn't said is as Athena has it.
pub(crate) fn of_new<'a>(given: impl Iterator<Item = (&'a str, &'a str)>) -> Result<BTreeMap<String, String>, Failure> {
    let mut properties = BTreeMap::from([
        (FORMAT.to_owned(), "PARQUET".to_owned()),
        (COMPRESSION.to_owned(), "zstd".to_owned()),
    ]);
    for (name, value) in given {
        properties.extend(kept(name, value)?);
    }
    Ok(properties)
}

/// The properties of a table as Athena shows them.
pub(super) fn shown(properties: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::from([("table_type".to_owned(), "iceberg".to_owned())]);
    for (name, value) in properties {
        let name = match name.as_str() {
            FORMAT => "format",
            COMPRESSION => "write_compression",
            other => other,
        };
        let value = if name == "format" { value.to_lowercase() } else { value.clone() };
        shown.insert(name.to_owned(), value);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn athenas_names_become_icebergs_and_come_back() {
        let given = [("table_type", "ICEBERG"), ("FORMAT", "parquet"), ("write_compression", "SNAPPY"), ("vacuum_min_snapshots_to_keep", "2")];
        let properties = of_new(given.into_iter()).unwrap();
        assert_eq!(properties[COMPRESSION], "snappy");
        assert_eq!(properties["vacuum_min_snapshots_to_keep"], "2");
        let shown = shown(&properties);
        assert_eq!((shown["format"].as_str(), shown["write_compression"].as_str()), ("parquet", "snappy"));
    }

    #[test]
    fn unknown_names_and_values_are_refused() {
        for (name, value, reason) in [
            ("colour", "blue", "colour"),
            ("format", "orc", "orc"),
            ("format", "xml", "xml"),
            ("write_compression", "brotli", "brotli"),
            ("vacuum_min_snapshots_to_keep", "many", "whole number"),
        ] {
            let refused = kept(name, value).unwrap_err();
            assert!(refused.reason().contains(reason), "{}", refused.reason());
        }
    }
}
