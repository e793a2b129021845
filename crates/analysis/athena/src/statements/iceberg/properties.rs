//! The table properties that Athena knows of Iceberg tables ("Creating Iceberg tables": Table properties), and where the table's own metadata keeps
//! them.

use std::collections::BTreeMap;

use boathouse_iceberg::manifest::FileFormat;

use crate::executions::failure::Failure;

/// Kept under their own names.
pub(crate) const OWN: [&str; 7] = [
    "optimize_rewrite_data_file_threshold",
    "optimize_rewrite_delete_file_threshold",
    "optimize_rewrite_min_data_file_size_bytes",
    "optimize_rewrite_max_data_file_size_bytes",
    "vacuum_min_snapshots_to_keep",
    "vacuum_max_snapshot_age_seconds",
    "vacuum_max_metadata_files_to_keep",
];

/// How Parquet files are compressed where a statement doesn't say it.
const PARQUET_CODEC: &str = "zstd";
/// The property of Iceberg's that says in which format files are written.
pub(crate) const FORMAT: &str = "write.format.default";
/// The property of Iceberg's that says how large data files become, in bytes.
pub(super) const TARGET_SIZE: &str = "write.target-file-size-bytes";

fn invalid(message: String) -> Failure {
    Failure::user(1006, format!("INVALID_TABLE_PROPERTY: {message}"))
}

/// The property of Iceberg's that says how files of a format are compressed.
pub(crate) fn compression(format: FileFormat) -> String {
    format!("write.{}.compression-codec", format.name().to_lowercase())
}

/// In which format a table with these properties is written.
pub(crate) fn format(properties: &BTreeMap<String, String>) -> FileFormat {
    properties.get(FORMAT).and_then(|name| FileFormat::named(name)).unwrap_or_default()
}

/// A compression of Athena's ("Use compression in Iceberg tables") as Iceberg calls it, if the format has it.
fn codec(format: FileFormat, name: &str) -> Option<&'static str> {
    Some(match (format, name) {
        (_, "zstd") => "zstd",
        (_, "snappy") => "snappy",
        (FileFormat::Parquet, "none" | "uncompressed") => "uncompressed",
        (FileFormat::Parquet, "gzip") => "gzip",
        (FileFormat::Parquet | FileFormat::Orc, "lz4") => "lz4",
        (FileFormat::Orc, "none" | "uncompressed") => "none",
        (FileFormat::Orc, "gzip" | "zlib") => "zlib",
        (FileFormat::Avro, "none" | "uncompressed") => "uncompressed",
        (FileFormat::Avro, "gzip" | "deflate") => "gzip",
        _ => return None,
    })
}

/// A property of Athena's as the metadata of a table of that format keeps it; none for what says that it is such a table.
///
/// # Errors
/// There is no such property, or no such value.
fn kept(name: &str, value: &str, of: FileFormat) -> Result<Option<(String, String)>, Failure> {
    let name = name.to_ascii_lowercase();
    let kept = |name: &str, value: String| Ok(Some((name.to_owned(), value)));
    match name.as_str() {
        "table_type" => Ok(None),
        "format" => match FileFormat::named(value).filter(|format| *format != FileFormat::Puffin) {
            Some(format) => kept(FORMAT, format.name().to_owned()),
            None => Err(invalid(format!("Unsupported format: {value}"))),
        },
        "write_compression" | "compression" => match codec(of, &value.to_ascii_lowercase()) {
            Some(codec) => kept(&compression(of), codec.to_owned()),
            None => Err(invalid(format!("Unsupported compression codec for {}: {value}", of.name()))),
        },
        "write_target_data_file_size_bytes" => number(&name, value).and_then(|number| kept(TARGET_SIZE, number)),
        own if OWN.contains(&own) => number(own, value).and_then(|number| kept(own, number)),
        other => Err(Failure::user(1200, format!("Unsupported table property key: {other}"))),
    }
}

/// Properties of Athena's as the metadata of a table with these properties keeps them.
///
/// # Errors
/// There is no such property, or no such value.
pub(crate) fn all_kept<'a>(
    given: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    before: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Failure> {
    // Which compressions there are depends on the format, wherever the statement says it.
    let mut new_format = given.clone().filter(|(name, _)| name.eq_ignore_ascii_case("format"));
    let of = new_format.find_map(|(_, name)| FileFormat::named(name)).unwrap_or_else(|| format(before));
    given.filter_map(|(name, value)| kept(name, value, of).transpose()).collect()
}

/// Under which name the metadata of a table of that format keeps a property of Athena's that may be unset.
///
/// # Errors
/// Athena knows no such property.
pub(super) fn kept_as(name: &str, of: FileFormat) -> Result<String, Failure> {
    let lower = name.to_ascii_lowercase();
    Ok(match lower.as_str() {
        "format" => FORMAT.to_owned(),
        "write_compression" | "compression" => compression(of),
        "write_target_data_file_size_bytes" => TARGET_SIZE.to_owned(),
        own if OWN.contains(&own) => lower,
        _ => return Err(Failure::user(1200, format!("Table property {name} is not supported by Athena"))),
    })
}

fn number(name: &str, value: &str) -> Result<String, Failure> {
    match value.trim().parse::<u64>() {
        Ok(number) => Ok(number.to_string()),
        Err(_) => Err(invalid(format!("{name} must be a whole number, not '{value}'"))),
    }
}

/// The properties of a new table; what isn't said is as Athena has it.
pub(crate) fn of_new<'a>(
    given: impl Iterator<Item = (&'a str, &'a str)> + Clone,
) -> Result<BTreeMap<String, String>, Failure> {
    let mut properties = all_kept(given, &BTreeMap::new())?;
    let format = format(&properties);
    properties.entry(FORMAT.to_owned()).or_insert_with(|| format.name().to_owned());
    if format == FileFormat::Parquet {
        properties.entry(compression(format)).or_insert_with(|| PARQUET_CODEC.to_owned());
    }
    Ok(properties)
}

/// The properties of a table as Athena shows them.
pub(super) fn shown(properties: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::from([("table_type".to_owned(), "iceberg".to_owned())]);
    let own_codec = compression(format(properties));
    for (name, value) in properties {
        let name = match name.as_str() {
            FORMAT => "format",
            codec if codec == own_codec => "write_compression",
            TARGET_SIZE => "write_target_data_file_size_bytes",
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
        let given = [
            ("table_type", "ICEBERG"),
            ("FORMAT", "parquet"),
            ("write_compression", "SNAPPY"),
            ("vacuum_min_snapshots_to_keep", "2"),
        ];
        let properties = of_new(given.into_iter()).unwrap();
        assert_eq!(properties[&compression(FileFormat::Parquet)], "snappy");
        assert_eq!(properties["vacuum_min_snapshots_to_keep"], "2");
        let shown = shown(&properties);
        assert_eq!((shown["format"].as_str(), shown["write_compression"].as_str()), ("parquet", "snappy"));
    }

    #[test]
    fn compressions_are_those_of_the_format() {
        let given = [("write_compression", "gzip"), ("format", "ORC")];
        let properties = of_new(given.into_iter()).unwrap();
        assert_eq!(properties["write.orc.compression-codec"], "zlib");
        assert_eq!(properties[FORMAT], "ORC");
        let shown = shown(&properties);
        assert_eq!((shown["format"].as_str(), shown["write_compression"].as_str()), ("orc", "zlib"));
        let avro = of_new([("format", "avro")].into_iter()).unwrap();
        assert_eq!(avro.keys().collect::<Vec<_>>(), [FORMAT]);
        let refused = all_kept([("write_compression", "lz4")].into_iter(), &avro).unwrap_err();
        assert!(refused.reason().contains("for AVRO: lz4"), "{}", refused.reason());
        let changed = all_kept([("format", "parquet"), ("write_compression", "lz4")].into_iter(), &avro).unwrap();
        assert_eq!(changed["write.parquet.compression-codec"], "lz4");
    }

    #[test]
    fn unknown_names_and_values_are_refused() {
        for (name, value, reason) in [
            ("colour", "blue", "colour"),
            ("format", "puffin", "puffin"),
            ("format", "xml", "xml"),
            ("write_compression", "brotli", "brotli"),
            ("vacuum_min_snapshots_to_keep", "many", "whole number"),
        ] {
            let refused = kept(name, value, FileFormat::Parquet).unwrap_err();
            assert!(refused.reason().contains(reason), "{}", refused.reason());
        }
        assert_eq!(kept_as("Write_Compression", FileFormat::Orc).unwrap(), "write.orc.compression-codec");
        assert!(
            kept_as("table_type", FileFormat::Avro)
                .unwrap_err()
                .reason()
                .contains("table_type is not supported by Athena")
        );
    }
}
