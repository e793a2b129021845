//! Tables: create, get, list, update with compare-and-set, delete.

use std::sync::Arc;

use boathouse_aws::{ACCOUNT_ID, Ctx};
use boathouse_metadata::Key;
use regex::Regex;

use crate::api::*;
use crate::error::{CatalogError, ErrorDetail};
use crate::store::{
    Catalog, TABLES, at_most, from_token, name, now, page_size, refuse, remove_table, require_database, require_table,
    to_token,
};
use crate::versions::archive;

fn checked(input: Option<TableInput>) -> Result<TableInput, CatalogError> {
    let mut input = input.ok_or_else(|| CatalogError::invalid("TableInput is required"))?;
    input.name = name(&input.name)?;
    let columns = input.storage_descriptor.iter().flat_map(|storage| storage.columns.iter().flatten());
    for column in columns.chain(input.partition_keys.iter().flatten()) {
        name(&column.name)?;
    }
    Ok(input)
}

pub(crate) async fn create(ctx: Ctx, catalog: Arc<Catalog>, request: CreateTable) -> Result<Empty, CatalogError> {
    if request.open_table_format_input.is_some() {
        return Err(CatalogError::NotImplemented("OpenTableFormatInput"));
    }
    if request.partition_indexes.is_some_and(|indexes| !indexes.is_empty()) {
        return Err(CatalogError::NotImplemented("PartitionIndexes"));
    }
    let database = name(&request.database_name)?;
    let time = now(&ctx);
    let table = Table {
        input: checked(request.table_input)?,
        database_name: database.clone(),
        create_time: time,
        update_time: time,
        created_by: ctx.principal.arn.clone(),
        is_registered_with_lake_formation: false,
        catalog_id: ACCOUNT_ID.into(),
        version_id: "0".into(),
    };
    catalog
        .write(move |tx| {
            require_database(tx, &database)?;
            let key = Key::new([&database, &table.input.name]);
            if tx.contains(TABLES, &key)? {
                return Err(CatalogError::AlreadyExists(format!("Table already exists: {}", table.input.name)));
            }
            tx.put_json(TABLES, &key, &table)?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn get(_: Ctx, catalog: Arc<Catalog>, request: NamedTable) -> Result<GetTableOutput, CatalogError> {
    refuse(request.query_as_of_time.as_ref(), "QueryAsOfTime")?;
    Ok(GetTableOutput { table: catalog.table(&name(&request.database_name)?, &name(&request.name)?)? })
}

pub(crate) async fn list(_: Ctx, catalog: Arc<Catalog>, request: GetTables) -> Result<TablesOutput, CatalogError> {
    refuse(request.attributes_to_get.as_ref(), "AttributesToGet")?;
    refuse(request.query_as_of_time.as_ref(), "QueryAsOfTime")?;
    let database = name(&request.database_name)?;
    catalog.database(&database)?;
    let limit = page_size(request.max_results, 100)?;
    let filter = request.expression.filter(|text| !text.is_empty()).map(|text| name_pattern(&text)).transpose()?;
    let mut after = from_token(request.next_token.as_deref())?;
    let prefix = Key::new([&database]);
    let mut table_list = Vec::new();
    loop {
        let page = catalog.metadata.page(TABLES, &prefix, after.as_ref(), 100)?;
        for entry in &page.entries {
            if filter.as_ref().is_some_and(|filter| !filter.is_match(&entry.key.last())) {
                continue;
            }
            if table_list.len() == limit {
                return Ok(TablesOutput { table_list, next_token: after.as_ref().map(to_token) });
            }
            table_list.push(entry.json()?);
            after = Some(entry.key.clone());
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(TablesOutput { table_list, next_token: None }),
        }
    }
}

/// Glue matches the whole name with a regular expression, and takes Hive's patterns for one as well, in which `*` stands
/// for any characters: clients write `flights*` for a prefix. So an asterisk is a quantifier only behind what no name holds.
fn name_pattern(text: &str) -> Result<Regex, CatalogError> {
    let mut pattern = String::new();
    let mut before = None;
    for letter in text.chars() {
        let quantifies = matches!(before, Some('.' | ')' | ']' | '}' | '\\'));
        if letter == '*' && !quantifies {
            pattern.push('.');
        }
        pattern.push(letter);
        before = Some(letter);
    }
    let compiled = Regex::new(&format!("(?i)^(?:{pattern})$"));
    compiled.map_err(|error| CatalogError::invalid(format!("Expression is not a regular expression: {error}")))
}

pub(crate) async fn update(ctx: Ctx, catalog: Arc<Catalog>, request: UpdateTable) -> Result<Empty, CatalogError> {
    if request.update_open_table_format_input.is_some() {
        return Err(CatalogError::NotImplemented("UpdateOpenTableFormatInput"));
    }
    if request.view_update_action.is_some() {
        return Err(CatalogError::NotImplemented("ViewUpdateAction"));
    }
    let database = name(&request.database_name)?;
    let input = checked(request.table_input)?;
    let time = now(&ctx);
    catalog
        .write(move |tx| {
            let present = require_table(tx, &database, &input.name)?;
            if request.version_id.as_ref().is_some_and(|expected| *expected != present.version_id) {
                let message = format!(
                    "Update table failed due to concurrent modifications: the table is at version {}",
                    present.version_id
                );
                return Err(CatalogError::ConcurrentModification(message));
            }
            if !request.skip_archive {
                archive(tx, &present)?;
            }
            let version: u64 = present.version_id.parse().unwrap_or(0);
            let table = Table { input, update_time: time, version_id: (version + 1).to_string(), ..present };
            tx.put_json(TABLES, &Key::new([&database, &table.input.name]), &table)?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn delete(_: Ctx, catalog: Arc<Catalog>, request: NamedTable) -> Result<Empty, CatalogError> {
    let (database, table) = (name(&request.database_name)?, name(&request.name)?);
    catalog
        .write(move |tx| {
            require_database(tx, &database)?;
            if remove_table(tx, &database, &table)? { Ok(Empty {}) } else { Err(CatalogError::no_table(&table)) }
        })
        .await
}

pub(crate) async fn batch_delete(
    _: Ctx,
    catalog: Arc<Catalog>,
    request: BatchDeleteTable,
) -> Result<TableErrors, CatalogError> {
    at_most(&request.tables_to_delete, 100, "TablesToDelete")?;
    let database = name(&request.database_name)?;
    catalog
        .write(move |tx| {
            require_database(tx, &database)?;
            let mut errors = Vec::new();
            for table_name in request.tables_to_delete {
                if !remove_table(tx, &database, &table_name.to_lowercase())? {
                    let error_detail = ErrorDetail::from(&CatalogError::no_table(&table_name));
                    errors.push(TableError { table_name, error_detail });
                }
            }
            Ok(TableErrors { errors })
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_hive_and_regular_expressions_are_understood() {
        let matches = |pattern: &str, name: &str| name_pattern(pattern).unwrap().is_match(name);
        for (pattern, name) in [
            ("flights*", "flights_old"),
            ("flights*", "FLIGHTS"),
            ("*old", "flights_old"),
            ("*old*", "old_planes"),
            ("f*_o*d", "flights_old"),
            ("a*|b*", "bees"),
            ("flights.*", "flights_old"),
            ("[a-z]*", "planes"),
            ("(ab)*", "abab"),
            ("t\\d*", "t12"),
            ("events_?", "events"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("flights", "flights_old"), ("*old", "old_planes"), ("[a-z]*", "t1"), ("a*", "ba")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
        assert!(name_pattern("(").is_err());
    }
}
