//! UNLOAD: rows as files, without a table.

use boathouse_trino::write::{Begun, MAX_PARTITIONS, WriteTarget};
use boathouse_trino_parser::ast::{Pos, Unload};

use super::{Job, Outcome, properties, target};
use crate::executions::failure::Failure;
use crate::files::Place;

pub(super) async fn run(job: &Job<'_>, unload: &Unload) -> Result<Outcome, Failure> {
    let properties = properties::read(&unload.properties)?;
    if properties.external_location.is_some() {
        return Err(Failure::user(1006, "INVALID_TABLE_PROPERTY: UNLOAD does not take external_location"));
    }
    if properties.format.is_none() {
        return Err(Failure::user(1006, "INVALID_TABLE_PROPERTY: UNLOAD needs the property format"));
    }
    if properties.buckets.is_some() {
        return Err(Failure::user(1006, "INVALID_TABLE_PROPERTY: UNLOAD does not take bucketed_by"));
    }
    let folder = Place::parse(&unload.location)?;
    if !job.files.is_empty(&folder).await? {
        let message = format!("HIVE_PATH_ALREADY_EXISTS: Target directory already exists: {}", folder.folder());
        return Err(Failure::user(1200, message));
    }
    let (_, format) = target::format(&properties, "PARQUET")?;
    let found = job.athena.engine.analyze(&job.session, &unload.query).await?;
    target::columns(Pos { line: 1, column: 1 }, &found, &properties.partitioned_by)?;
    let to = WriteTarget {
        location: folder.folder(),
        compression: target::compression(properties.compression.as_deref(), &format)?,
        format,
        columns: None,
        partition_keys: properties.partitioned_by.len(),
        known_partitions: Vec::new(),
        max_new_partitions: MAX_PARTITIONS,
        file_prefix: None,
        buckets: None,
        begun: Begun::default(),
    };
    let written = target::write(job, &unload.query, to).await?;
    target::report(job, &written).await
}
