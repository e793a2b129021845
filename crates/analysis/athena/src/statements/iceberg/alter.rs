//! ALTER TABLE of Iceberg tables: columns, properties, names ("Evolve Iceberg table schema", "Manage Iceberg tables").

use boathouse_iceberg::Error;
use boathouse_iceberg::evolution::{ColumnChange, Place, evolve};
use boathouse_iceberg::metadata::{TableMetadata, TableRequirement, TableUpdate};
use boathouse_iceberg::transaction::Transaction;
use boathouse_trino::iceberg::types::from_hive;
use boathouse_trino_parser::ast::{AlterAction, ColumnDefinition, ColumnPlace, Name};

use super::{Found, commit_unless_changed, failed, found, properties};
use crate::catalog::entities::Table as Entry;
use crate::executions::failure::Failure;
use crate::statements::{Job, Lines, Target};

/// How often a change is made anew because somebody else has changed the table meanwhile.
const ATTEMPTS: usize = 20;

/// What must hold, and what changes.
type Changes = (Vec<TableRequirement>, Vec<TableUpdate>);

pub(crate) async fn run(job: &Job<'_>, target: &Target, entry: Entry, action: &AlterAction) -> Result<Lines, Failure> {
    match action {
        AlterAction::AddColumns { partition, columns } if partition.is_empty() => {
            let changes = columns.iter().map(added).collect::<Result<Vec<_>, _>>()?;
            commit(job, target, |table| columns_changed(table, &changes)).await
        }
        AlterAction::DropColumn(name) => {
            let changes = [ColumnChange::Drop { name: name.lower() }];
            commit(job, target, |table| columns_changed(table, &changes)).await
        }
        AlterAction::ChangeColumn { column, definition, place } => {
            let changes = [ColumnChange::Change {
                name: column.lower(),
                new_name: definition.name.lower(),
                ty: from_hive(&definition.ty.to_string())?,
                doc: definition.comment.clone(),
                place: place.as_ref().map(|place| match place {
                    ColumnPlace::First => Place::First,
                    ColumnPlace::After(other) => Place::After(other.lower()),
                }),
            }];
            commit(job, target, |table| columns_changed(table, &changes)).await
        }
        AlterAction::SetProperties(set) => {
            commit(job, target, |table| {
                let given = set.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                let updates = properties::all_kept(given, &table.properties)?;
                Ok((Vec::new(), vec![TableUpdate::SetProperties { updates }]))
            })
            .await
        }
        AlterAction::UnsetProperties { keys, .. } => {
            commit(job, target, |table| {
                let format = properties::format(&table.properties);
                let removals = keys.iter().map(|key| properties::kept_as(key, format)).collect::<Result<_, _>>()?;
                Ok((Vec::new(), vec![TableUpdate::RemoveProperties { removals }]))
            })
            .await
        }
        AlterAction::Rename(name) => rename(job, target, entry, name).await,
        AlterAction::AddColumns { .. }
        | AlterAction::ReplaceColumns { .. }
        | AlterAction::AddPartitions { .. }
        | AlterAction::DropPartitions { .. }
        | AlterAction::RenamePartition { .. }
        | AlterAction::SetLocation { .. } => {
            Err(Failure::user(1200, "Query type not supported by Athena Iceberg at this time"))
        }
    }
}

fn added(column: &ColumnDefinition) -> Result<ColumnChange, Failure> {
    let (name, ty) = (column.name.lower(), from_hive(&column.ty.to_string())?);
    Ok(ColumnChange::Add { name, ty, doc: column.comment.clone() })
}

fn columns_changed(table: &TableMetadata, changes: &[ColumnChange]) -> Result<Changes, Failure> {
    evolve(table, changes).map_err(|error| match error {
        Error::Invalid(message) => Failure::user(1200, message),
        other => failed(other),
    })
}

/// Makes a change of the table's metadata, of whatever the table is when the change takes place.
async fn commit(
    job: &Job<'_>,
    target: &Target,
    changes: impl Fn(&TableMetadata) -> Result<Changes, Failure>,
) -> Result<Lines, Failure> {
    for _ in 0..ATTEMPTS {
        let Found { table, catalog, .. } = found(job, target).await?;
        let (requirements, updates) = changes(table.metadata())?;
        let transaction = Transaction::new(table).require(requirements).apply(updates);
        if commit_unless_changed(job, transaction, &catalog).await? {
            return Ok(Lines::default());
        }
    }
    let message = format!("ICEBERG_COMMIT_ERROR: Failed to alter table: {}.{}", target.database, target.table);
    Err(Failure::user(1006, message))
}

/// Glue can't rename a table; so it gets a second name, and loses the first one, unless somebody has changed it meanwhile.
async fn rename(job: &Job<'_>, target: &Target, entry: Entry, name: &Name) -> Result<Lines, Failure> {
    let to = job.target(name)?;
    if job.find(&to).await?.is_some() {
        return Err(Failure::user(1200, format!("Table {}.{} already exists", to.database, to.table)));
    }
    let state = entry.metadata_location().map(str::to_owned);
    job.progress.commits();
    let renamed = Entry { name: to.table.clone(), ..entry.into_input() };
    job.glue.create_table(&to.database, &renamed).await?;
    if let Err(failure) = give_up(job, target, state.as_deref()).await {
        job.glue.delete_table(&to.database, &to.table).await?;
        return Err(failure);
    }
    Ok(Lines::default())
}

/// Removes a table's name, if the table is still in this state.
async fn give_up(job: &Job<'_>, target: &Target, state: Option<&str>) -> Result<(), Failure> {
    let now = job.find(target).await?;
    if now.as_ref().and_then(Entry::metadata_location) != state {
        let message = format!("ICEBERG_COMMIT_ERROR: Failed to alter table: {}.{}", target.database, target.table);
        return Err(Failure::user(1006, message));
    }
    Ok(job.glue.delete_table(&target.database, &target.table).await?)
}
