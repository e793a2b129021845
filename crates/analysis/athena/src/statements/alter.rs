//! ALTER TABLE.

use boathouse_trino_parser::ast::{AlterAction, ColumnDefinition, ColumnPlace, Ident, Name, PartitionValue};

use super::create_table::{columns, unique};
use super::{Job, Lines, Target, partitions, semantic};
use crate::catalog::entities::{Column, Table};
use crate::executions::failure::Failure;
use crate::files::Place;

pub(super) async fn run(job: &Job<'_>, name: &Name, action: &AlterAction) -> Result<Lines, Failure> {
    let (target, table) = job.require(name).await?;
    if table.is_iceberg() {
        return super::iceberg::alter::run(job, &target, table, action).await;
    }
    if table.is_view() {
        return Err(semantic("[Error 10131]: To alter a view you need to use the ALTER VIEW command."));
    }
    match action {
        AlterAction::AddPartitions { if_not_exists, partitions: added } => {
            partitions::add(job, &target, &table, *if_not_exists, added).await
        }
        AlterAction::DropPartitions { if_exists, partitions: dropped } => {
            partitions::drop(job, &target, &table, *if_exists, dropped).await
        }
        AlterAction::RenamePartition { from, to } => partitions::rename(job, &target, &table, from, to).await,
        AlterAction::SetLocation { partition, location } => {
            set_location(job, &target, table, partition, location).await
        }
        AlterAction::AddColumns { partition, columns } => add_columns(job, &target, table, partition, columns).await,
        AlterAction::ReplaceColumns { partition, columns } => {
            replace_columns(job, &target, table, partition, columns).await
        }
        AlterAction::Rename(_) => Err(Failure::unsupported("ALTER TABLE RENAME TO")),
        AlterAction::SetProperties(_)
        | AlterAction::UnsetProperties { .. }
        | AlterAction::ChangeColumn { .. }
        | AlterAction::DropColumn(_) => {
            let mut table = table;
            edit(&mut table, action)?;
            save(job, &target, table).await
        }
    }
}

async fn save(job: &Job<'_>, target: &Target, table: Table) -> Result<Lines, Failure> {
    unique(table.storage_descriptor.columns.iter().chain(&table.partition_keys))?;
    job.glue.update_table(&target.database, table).await?;
    Ok(Lines::default())
}

/// The changes of the table itself that need nothing else.
fn edit(table: &mut Table, action: &AlterAction) -> Result<(), Failure> {
    match action {
        AlterAction::SetProperties(properties) => table.parameters.extend(properties.iter().cloned()),
        AlterAction::UnsetProperties { if_exists, keys } => {
            for key in keys {
                if table.parameters.remove(key).is_none() && !if_exists {
                    return Err(semantic(format_args!(
                        "[Error 10214]: Please use the following syntax if not sure whether the property existed or not: \
                         ALTER TABLE tableName UNSET TBLPROPERTIES IF EXISTS (key1, key2, ...). The following property \
                         {key} does not exist in {}",
                        table.name
                    )));
                }
            }
        }
        AlterAction::ChangeColumn { column, definition, place } => change(table, column, definition, place.as_ref())?,
        AlterAction::DropColumn(column) => {
            let index = position(&table.storage_descriptor.columns, column)?;
            table.storage_descriptor.columns.remove(index);
        }
        _ => return Err(Failure::system("GENERIC_INTERNAL_ERROR: not a change of the table alone")),
    }
    Ok(())
}

fn position(columns: &[Column], name: &Ident) -> Result<usize, Failure> {
    let found = columns.iter().position(|column| column.name.eq_ignore_ascii_case(&name.value));
    found.ok_or_else(|| semantic(format_args!("[Error 10002]: Invalid column reference {}", name.lower())))
}

fn change(
    table: &mut Table,
    column: &Ident,
    definition: &ColumnDefinition,
    place: Option<&ColumnPlace>,
) -> Result<(), Failure> {
    let list = &mut table.storage_descriptor.columns;
    let index = position(list, column)?;
    let old = list.remove(index);
    let comment = definition.comment.clone().or_else(|| old.comment.clone());
    let new = Column::new(definition.name.lower(), definition.ty.to_string(), comment);
    let to = match place {
        None => index,
        Some(ColumnPlace::First) => 0,
        Some(ColumnPlace::After(other)) => position(list, other)? + 1,
    };
    list.insert(to, new);
    Ok(())
}

async fn set_location(
    job: &Job<'_>,
    target: &Target,
    mut table: Table,
    partition: &[PartitionValue],
    location: &str,
) -> Result<Lines, Failure> {
    Place::parse(location)?;
    let location = Some(location.to_owned());
    if partition.is_empty() {
        table.storage_descriptor.location = location;
        return save(job, target, table).await;
    }
    partitions::change(job, target, &table, partition, |partition| {
        partition.storage_descriptor.location = location;
        Ok(())
    })
    .await
}

async fn add_columns(
    job: &Job<'_>,
    target: &Target,
    mut table: Table,
    partition: &[PartitionValue],
    added: &[ColumnDefinition],
) -> Result<Lines, Failure> {
    let added = columns(added);
    if partition.is_empty() {
        table.storage_descriptor.columns.extend(added);
        return save(job, target, table).await;
    }
    partitions::change(job, target, &table, partition, |partition| {
        partition.storage_descriptor.columns.extend(added);
        unique(partition.storage_descriptor.columns.iter())
    })
    .await
}

async fn replace_columns(
    job: &Job<'_>,
    target: &Target,
    mut table: Table,
    partition: &[PartitionValue],
    new: &[ColumnDefinition],
) -> Result<Lines, Failure> {
    let new = columns(new);
    if partition.is_empty() {
        table.storage_descriptor.columns = new;
        return save(job, target, table).await;
    }
    partitions::change(job, target, &table, partition, |partition| {
        partition.storage_descriptor.columns = new;
        unique(partition.storage_descriptor.columns.iter())
    })
    .await
}

#[cfg(test)]
mod tests {
    use boathouse_trino_parser::ast::Statement;

    use super::*;

    fn altered(text: &str) -> Result<Table, Failure> {
        let mut table = Table { name: "t".to_owned(), ..Table::default() };
        table.storage_descriptor.columns = ["a", "b", "c"].map(|name| Column::new(name, "int", None)).to_vec();
        table.parameters.insert("p".to_owned(), "1".to_owned());
        match boathouse_trino_parser::parse_statement(text).unwrap() {
            Statement::AlterTable { action, .. } => edit(&mut table, &action).map(|()| table),
            other => panic!("{other:?}"),
        }
    }

    fn names(table: &Table) -> Vec<&str> {
        table.storage_descriptor.columns.iter().map(|column| column.name.as_str()).collect()
    }

    #[test]
    fn columns_change_place_and_type() {
        let table = altered("ALTER TABLE t CHANGE COLUMN c d bigint FIRST").unwrap();
        assert_eq!(names(&table), ["d", "a", "b"]);
        assert_eq!(table.storage_descriptor.columns[0].ty, "bigint");
        let table = altered("ALTER TABLE t CHANGE a a string AFTER b").unwrap();
        assert_eq!(names(&table), ["b", "a", "c"]);
        assert_eq!(names(&altered("ALTER TABLE t DROP COLUMN b").unwrap()), ["a", "c"]);
        assert!(altered("ALTER TABLE t DROP COLUMN x").is_err());
    }

    #[test]
    fn properties_are_set() {
        let table = altered("ALTER TABLE t SET TBLPROPERTIES ('p'='2', 'q'='3')").unwrap();
        assert_eq!((table.parameters["p"].as_str(), table.parameters["q"].as_str()), ("2", "3"));
    }
}
