//! When OPTIMIZE rewrites files and VACUUM forgets snapshots: by Athena's properties of the table, else by Iceberg's own.

use boathouse_iceberg::maintenance::expire::Retention;
use boathouse_iceberg::maintenance::pack::Packing;
use boathouse_iceberg::metadata::TableMetadata;

use super::properties::TARGET_SIZE;

/// How large data files should be, if the table doesn't say, in bytes.
const DEFAULT_TARGET: u64 = 512 << 20;
/// How old snapshots may become, if the table doesn't say, in milliseconds.
const FIVE_DAYS: i64 = 5 * 24 * 3_600 * 1_000;

/// How long snapshots stay.
pub(super) fn retention(table: &TableMetadata) -> Retention {
    let seconds = table.property::<i64>("vacuum_max_snapshot_age_seconds");
    let max_age_ms = seconds.map(|seconds| seconds.saturating_mul(1_000));
    let max_age_ms = max_age_ms.or_else(|| table.property("history.expire.max-snapshot-age-ms"));
    let min_snapshots = table.property("vacuum_min_snapshots_to_keep");
    let min_snapshots = min_snapshots.or_else(|| table.property("history.expire.min-snapshots-to-keep"));
    Retention { max_age_ms: max_age_ms.unwrap_or(FIVE_DAYS), min_snapshots: min_snapshots.unwrap_or(1) }
}

/// Which files are rewritten ("OPTIMIZE: Configuring compaction properties").
pub(super) fn packing(table: &TableMetadata) -> Packing {
    let target = table.property(TARGET_SIZE).unwrap_or(DEFAULT_TARGET);
    Packing {
        min_bytes: table.property("optimize_rewrite_min_data_file_size_bytes").unwrap_or(target / 4 * 3),
        max_bytes: table.property("optimize_rewrite_max_data_file_size_bytes").unwrap_or(target / 5 * 9),
        min_files: table.property("optimize_rewrite_data_file_threshold").unwrap_or(5),
        max_deletes: table.property("optimize_rewrite_delete_file_threshold").unwrap_or(2),
    }
}
