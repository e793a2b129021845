//! SearchTables: text, property filters, order.

use std::cmp::Ordering;
use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Key;

use crate::api::*;
use crate::error::CatalogError;
use crate::store::{Catalog, TABLES, page_size};

pub(crate) async fn search(_: Ctx, catalog: Arc<Catalog>, request: SearchTables) -> Result<TablesOutput, CatalogError> {
    let limit = page_size(request.max_results, 1000)?;
    if request.sort_criteria.len() > 1 {
        return Err(CatalogError::invalid("SortCriteria takes at most one criterion"));
    }
    let start: usize = match request.next_token.as_deref().filter(|token| !token.is_empty()) {
        Some(token) => token.parse().map_err(|_| CatalogError::invalid("NextToken is not one of this operation"))?,
        None => 0,
    };
    let text = request.search_text.as_deref().unwrap_or_default().trim().to_lowercase();
    let mut found: Vec<Table> = Vec::new();
    for entry in catalog.metadata.scan(TABLES, &Key::default(), None, usize::MAX)? {
        let table: Table = entry.json()?;
        if has_text(&table, &text) && matches_all(&table, &request.filters)? {
            found.push(table);
        }
    }
    if let Some(criterion) = request.sort_criteria.first() {
        let descending = criterion.sort.as_deref() == Some("DESC");
        let field = criterion.field_name.as_deref().unwrap_or("Name");
        found.sort_by(|left, right| {
            let order = property(left, field).cmp(&property(right, field));
            if descending { order.reverse() } else { order }
        });
    }
    let more = found.len() > start.saturating_add(limit);
    let table_list = found.into_iter().skip(start).take(limit).collect();
    Ok(TablesOutput { table_list, next_token: more.then(|| (start + limit).to_string()) })
}

/// A quoted text matches exactly, any other one as a part of a name, description, owner, column or parameter.
fn has_text(table: &Table, text: &str) -> bool {
    if let Some(exact) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return texts(table).any(|candidate| candidate.to_lowercase() == exact);
    }
    texts(table).any(|candidate| candidate.to_lowercase().contains(text))
}

fn texts(table: &Table) -> impl Iterator<Item = &str> {
    let input = &table.input;
    let storage = input.storage_descriptor.iter().flat_map(|storage| storage.columns.iter().flatten());
    let columns = storage.chain(table.partition_keys()).map(|column| column.name.as_str());
    let parameters = input.parameters.iter().flatten().flat_map(|(key, value)| [key.as_str(), value.as_str()]);
    [Some(input.name.as_str()), Some(&table.database_name), input.description.as_deref(), input.owner.as_deref()]
        .into_iter()
        .flatten()
        .chain(columns)
        .chain(parameters)
}

fn property(table: &Table, name: &str) -> Option<String> {
    let input = &table.input;
    match name {
        "Name" | "name" => Some(input.name.clone()),
        "DatabaseName" | "databaseName" => Some(table.database_name.clone()),
        "Owner" => input.owner.clone(),
        "Description" => input.description.clone(),
        "TableType" => input.table_type.clone(),
        "CreateTime" => Some(format!("{:020.3}", table.create_time)),
        "UpdateTime" => Some(format!("{:020.3}", table.update_time)),
        other => input.parameters.as_ref().and_then(|parameters| parameters.get(other).cloned()),
    }
}

fn matches_all(table: &Table, filters: &[PropertyPredicate]) -> Result<bool, CatalogError> {
    for filter in filters {
        let key = filter.key.as_deref().ok_or_else(|| CatalogError::invalid("a filter needs a Key"))?;
        let wanted = filter.value.as_deref().unwrap_or_default();
        let order = property(table, key).map(|value| value.as_str().cmp(wanted));
        let held = match filter.comparator.as_deref().unwrap_or("EQUALS") {
            "EQUALS" => order == Some(Ordering::Equal),
            "GREATER_THAN" => order == Some(Ordering::Greater),
            "LESS_THAN" => order == Some(Ordering::Less),
            "GREATER_THAN_EQUALS" => order.is_some_and(Ordering::is_ge),
            "LESS_THAN_EQUALS" => order.is_some_and(Ordering::is_le),
            other => return Err(CatalogError::invalid(format!("Comparator {other} is unknown"))),
        };
        if !held {
            return Ok(false);
        }
    }
    Ok(true)
}
