//! The properties that Athena knows of Iceberg tables ("Create Iceberg tables: Table properties").

use std::collections::BTreeMap;

use boathouse_iceberg::maintenance::expire::Retention;
use boathouse_iceberg::maintenance::pack::Packing;
use boathouse_iceberg::metadata::TableMetadata;

use crate::executions::failure::Failure;

const MAX_SNAPSHOT_AGE: &str = "vacuum_max_snapshot_age_seconds";
const MIN_SNAPSHOTS: &str = "vacuum_min_snapshots_to_keep";
const TARGET_SIZE: &str = "write_target_data_file_size_bytes";
const MIN_SIZE: &str = "optimize_rewrite_min_data_file_size_bytes";
const MAX_SIZE: &str = "optimize_rewrite_max_data_file_size_bytes";
const MIN_FILES: &str = "optimize_rewrite_data_file_threshold";
const MAX_DELETES: &str = "optimize_rewrite_delete_file_threshold";

/// What ALTER TABLE may set.
const KNOWN: [&str; 11] = [
    "format",
    "write_compression",
    "compression_level",
    "vacuum_max_metadata_files_to_keep",
    MAX_SNAPSHOT_AGE,
    MIN_SNAPSHOTS,
    TARGET_SIZE,
    MIN_SIZE,
    MAX_SIZE,
    MIN_FILES,
    MAX_DELETES,
];

/// The properties that are numbers.
const NUMBERS: [&str; 8] = [
    "vacuum_max_metadata_files_to_keep",
    MAX_SNAPSHOT_AGE,
    MIN_SNAPSHOTS,
    TARGET_SIZE,
    MIN_SIZE,
    MAX_SIZE,
    MIN_FILES,
    MAX_DELETES,
];

/// How large data files should be, if the table doesn't say.
const DEFAULT_TARGET: u64 = 512 << 20;
const FIVE_DAYS: i64 = 5 * 24 * 3_600;

pub(super) fn set(properties: &[(String, String)]) -> Result<BTreeMap<String, String>, Failure> {
    let mut set = BTreeMap::new();
    for (name, value) in properties {
        let key = name.to_lowercase();
        if !KNOWN.contains(&key.as_str()) {
            return Err(Failure::user(1200, format!("Unsupported table property key: {name}")));
        }
        if NUMBERS.contains(&key.as_str()) && value.parse::<u64>().is_err() {
            return Err(Failure::user(1006, format!("Invalid value for table property {name}: {value}")));
        }
        set.insert(key, value.clone());
    }
    Ok(set)
}

pub(super) fn unset(names: &[String]) -> Result<Vec<String>, Failure> {
    let one = |name: &String| match KNOWN.contains(&name.to_lowercase().as_str()) {
        true => Ok(name.to_lowercase()),
        false => Err(Failure::user(1200, format!("Table property {name} is not supported by Athena"))),
    };
    names.iter().map(one).collect()
}

/// How long snapshots stay: by Athena's properties, else by Iceberg's own.
pub(super) fn retention(table: &TableMetadata) -> Retention {
    let seconds = table.property::<i64>(MAX_SNAPSHOT_AGE);
    let max_age_ms = seconds.map(|seconds| seconds.saturating_mul(1_000));
    let max_age_ms = max_age_ms.or_else(|| table.property("history.expire.max-snapshot-age-ms"));
    let min_snapshots = table.property(MIN_SNAPSHOTS).or_else(|| table.property("history.expire.min-snapshots-to-keep"));
    Retention { max_age_ms: max_age_ms.unwrap_or(FIVE_DAYS * 1_000), min_snapshots: min_snapshots.unwrap_or(1) }
}

/// When OPTIMIZE rewrites files.
pub(super) fn packing(table: &TableMetadata) -> Packing {
    let target = table.property(TARGET_SIZE).or_else(|| table.property("write.target-file-size-bytes"));
    let target = target.unwrap_or(DEFAULT_TARGET);
    Packing {
        target_bytes: target,
        min_bytes: table.property(MIN_SIZE).unwrap_or(target / 4 * 3),
        max_bytes: table.property(MAX_SIZE).unwrap_or(target / 5 * 9),
        min_files: table.property(MIN_FILES).unwrap_or(5),
        max_deletes: table.property(MAX_DELETES).unwrap_or(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_athena_knows_is_set() {
        let pair = |name: &str, value: &str| [(name.to_owned(), value.to_owned())];
        assert_eq!(set(&pair("Vacuum_Min_Snapshots_To_Keep", "3")).unwrap()[MIN_SNAPSHOTS], "3");
        assert_eq!(set(&pair("comment", "x")).unwrap_err().reason(), "Unsupported table property key: comment");
        assert!(set(&pair(MIN_FILES, "many")).unwrap_err().reason().contains("Invalid value"));
        assert!(unset(&["colour".to_owned()]).unwrap_err().reason().contains("colour is not supported by Athena"));
    }
}
