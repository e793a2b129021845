//! SHOW, as lines of text.

use boathouse_trino_parser::ast::{Name, Show};

use super::{Job, Lines, database_not_found, iceberg, semantic, show_create};
use crate::catalog::entities::Partition;
use crate::executions::failure::Failure;

pub(super) async fn run(job: &Job<'_>, show: &Show) -> Result<Lines, Failure> {
    match show {
        Show::Databases { pattern } => {
            let names = job.glue.databases().await?;
            Ok(Lines::new(&["database_name"], matching(names, pattern.as_deref())))
        }
        Show::Tables { database, pattern } => {
            Ok(Lines::new(&["tab_name"], tables(job, database.as_ref(), pattern.as_deref(), false).await?))
        }
        Show::Views { database, pattern } => {
            Ok(Lines::new(&["views"], tables(job, database.as_ref(), pattern.as_deref(), true).await?))
        }
        Show::Columns(name) => columns(job, name).await,
        Show::Partitions(name) => partitions(job, name).await,
        Show::CreateTable(name) => show_create::table(job, name).await,
        Show::CreateView(name) => show_create::view(job, name).await,
        Show::TableProperties { table, key } => properties(job, table, key.as_deref()).await,
        Show::Functions { pattern } => Ok(functions(pattern.as_deref())),
    }
}

async fn tables(
    job: &Job<'_>,
    database: Option<&Name>,
    pattern: Option<&str>,
    only_views: bool,
) -> Result<Vec<String>, Failure> {
    let database = job.database(database);
    if job.glue.database(&database).await?.is_none() {
        return Err(database_not_found(&database));
    }
    let tables = job.glue.tables(&database).await?;
    let names = tables.into_iter().filter(|table| !only_views || table.is_view()).map(|table| table.name).collect();
    Ok(matching(names, pattern))
}

fn matching(mut names: Vec<String>, pattern: Option<&str>) -> Vec<String> {
    names.sort();
    names.retain(|name| pattern.is_none_or(|pattern| matches(pattern, name)));
    names
}

/// Hive's patterns: alternatives between bars, stars (and SQL's percent signs) for anything, in any case.
fn matches(pattern: &str, name: &str) -> bool {
    let name = name.to_lowercase();
    pattern.to_lowercase().split('|').any(|one| {
        let one = one.replace(".*", "*").replace('%', "*");
        let mut pieces = one.split('*');
        let Some(mut rest) = name.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
        if !one.contains('*') {
            return rest.is_empty();
        }
        let pieces: Vec<&str> = pieces.collect();
        let (last, middle) = pieces.split_last().map_or(("", &[][..]), |(last, middle)| (*last, middle));
        for piece in middle {
            match rest.split_once(piece) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        rest.ends_with(last)
    })
}

/// Hive pads names to 20 characters.
pub(super) fn padded(text: &str) -> String {
    format!("{text:<20}")
}

async fn columns(job: &Job<'_>, name: &Name) -> Result<Lines, Failure> {
    let (_, table) = job.require(name).await?;
    let all = table.storage_descriptor.columns.iter().chain(&table.partition_keys);
    Ok(Lines::new(&["field"], all.map(|column| padded(&column.name)).collect()))
}

async fn partitions(job: &Job<'_>, name: &Name) -> Result<Lines, Failure> {
    let (target, table) = job.require(name).await?;
    if table.partition_keys.is_empty() {
        let message = format!("[Error 10241]: Table {} is not a partitioned table", target.table);
        return Err(semantic(message));
    }
    let found = job.glue.partitions(&target.database, &target.table, None).await?;
    let mut names: Vec<String> =
        found.iter().map(|partition| Partition::name(&table.partition_keys, &partition.values)).collect();
    names.sort();
    Ok(Lines::new(&["partition"], names))
}

async fn properties(job: &Job<'_>, name: &Name, key: Option<&str>) -> Result<Lines, Failure> {
    let (target, table) = job.require(name).await?;
    let parameters = match table.is_iceberg() {
        true => iceberg::shown::table_properties(&iceberg::load(job, &table).await?),
        false => table.parameters,
    };
    let lines = match key {
        None => parameters.iter().map(|(name, value)| format!("{name}\t{value}")).collect(),
        Some(key) => match parameters.get(key) {
            Some(value) => vec![value.clone()],
            None => vec![format!("Table {}.{} does not have property: {key}", target.database, target.table)],
        },
    };
    Ok(Lines::new(&["prpt_name", "prpt_value"], lines))
}

/// The engine's own list, so that nothing is shown that can't be called.
fn functions(pattern: Option<&str>) -> Lines {
    let shown = boathouse_trino_functions::catalogue()
        .filter(|function| pattern.is_none_or(|pattern| matches(pattern, &function.name.to_string())))
        .map(|function| format!("{}\t{:?}\t{}", function.name, function.kind, function.description));
    Lines::new(&["Function", "Function Type", "Description"], shown.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_hives() {
        for (pattern, name, fits) in [
            ("sales*", "sales_2020", true),
            ("*es", "sales", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxc", false),
            ("x|SALES", "sales", true),
            ("sale", "sales", false),
            ("sal%", "sales", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn names_are_padded() {
        assert_eq!(padded("a").len(), 20);
        assert_eq!(padded("a_name_longer_than_twenty"), "a_name_longer_than_twenty");
    }
}
