//! MSCK REPAIR TABLE: folders that look like partitions become partitions.

use std::collections::BTreeSet;

use boathouse_trino::hive_paths::unescaped;
use boathouse_trino_parser::ast::Name;

use super::{Job, Lines};
use crate::catalog::entities::{Column, Partition};
use crate::executions::failure::Failure;
use crate::files::Place;

pub(super) async fn run(job: &Job<'_>, name: &Name) -> Result<Lines, Failure> {
    let (target, table) = job.require(name).await?;
    if table.partition_keys.is_empty() {
        return Ok(Lines::default());
    }
    let root = Place::parse(table.storage_descriptor.location())?;
    let found = discover(job, &root, &table.partition_keys).await?;
    let present = job.glue.partitions(&target.database, &target.table, None).await?;
    let present: BTreeSet<Vec<String>> = present.into_iter().map(|partition| partition.values).collect();
    let missing: Vec<Partition> = found
        .into_iter()
        .filter(|(values, _)| !present.contains(values))
        .map(|(values, folder)| Partition::of(&table, values, folder.folder()))
        .collect();
    job.glue.create_partitions(&target.database, &target.table, &missing).await?;
    let names = missing.iter().map(|partition| Partition::name(&table.partition_keys, &partition.values));
    Ok(Lines { columns: Vec::new(), lines: report(&target.table, &names.collect::<Vec<_>>()) })
}

/// What Hive's repair prints.
fn report(table: &str, names: &[String]) -> Vec<String> {
    if names.is_empty() {
        return Vec::new();
    }
    let listed: Vec<String> = names.iter().map(|name| format!("{table}:{name}")).collect();
    let mut lines = vec![format!("Partitions not in metastore:\t{}", listed.join("\t"))];
    lines.extend(listed.iter().map(|name| format!("Repair: Added partition to metastore {name}")));
    lines
}

/// The folders `a=1/b=2` below the table's, one level for each key.
async fn discover(job: &Job<'_>, root: &Place, keys: &[Column]) -> Result<Vec<(Vec<String>, Place)>, Failure> {
    let mut level = vec![(Vec::new(), root.clone())];
    for key in keys {
        let mut next = Vec::new();
        for (values, folder) in level {
            for name in job.files.folders(&folder).await? {
                if let Some(value) = value_of(&name, key) {
                    let mut values: Vec<String> = values.clone();
                    values.push(value);
                    next.push((values, folder.below(&name)));
                }
            }
        }
        level = next;
    }
    Ok(level)
}

/// The value in a folder's name, if it is the key's. Athena leaves folders with upper-case keys alone.
fn value_of(folder: &str, key: &Column) -> Option<String> {
    let (name, value) = folder.split_once('=')?;
    (unescaped(name) == key.name).then(|| unescaped(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_read_as_values() {
        let key = Column::new("day", "string", None);
        assert_eq!(value_of("day=a%2Fb", &key), Some("a/b".to_owned()));
        assert_eq!(value_of("month=1", &key), None);
        assert_eq!(value_of("plain", &key), None);
    }

    #[test]
    fn the_report_names_every_partition() {
        let lines = report("t", &["d=1".to_owned(), "d=2".to_owned()]);
        assert_eq!(lines[0], "Partitions not in metastore:\tt:d=1\tt:d=2");
        assert_eq!(lines[2], "Repair: Added partition to metastore t:d=2");
        assert!(report("t", &[]).is_empty());
    }
}
