//! Names in FROM: named queries, tables, views, and the tables that the catalog itself is.

use std::sync::Arc;

use boathouse_trino_functions::cast;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use boathouse_trino_parser::ast::{Ident, Name, Statement, TableVersion};
use boathouse_trino_parser::parse_statement;
use datafusion::catalog::TableProvider;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};

use super::scope::{Field, Relation};
use super::{Analyzer, Named, NamedSource, Needed, information, planned, project};
use crate::catalog::{ColumnDefinition, TableDefinition, TableKind};
use crate::scan::HiveTable;

/// How deep views may be made of views.
const MAX_VIEWS: usize = 100;

impl Analyzer<'_> {
    /// The relation that a name means.
    pub(super) fn table(&mut self, name: &Name, version: Option<&TableVersion>) -> Result<Relation, TrinoError> {
        let parts: Vec<String> = name.parts.iter().map(Ident::lower).collect();
        let mut relation = self.named_table(name, &parts, version)?;
        // Columns answer to the name that the relation has in the statement, and not to longer ones.
        let longer = |field: &&mut Field| field.relation.len() > parts.len() && field.relation.ends_with(&parts);
        relation.fields.iter_mut().filter(longer).for_each(|field| field.relation.clone_from(&parts));
        Ok(relation)
    }

    fn named_table(
        &mut self,
        name: &Name,
        parts: &[String],
        version: Option<&TableVersion>,
    ) -> Result<Relation, TrinoError> {
        if let [only] = parts
            && let Some(index) = self.named.iter().rposition(|named| named.name == *only)
        {
            untravelled(name, version)?;
            return self.named_query(index, &name.parts[0]);
        }
        let (database, table) = match parts {
            [table] => (self.database.clone(), table.clone()),
            [database, table] => (database.clone(), table.clone()),
            [catalog, database, table] => {
                let known = [self.session.catalog_name.as_str(), "awsdatacatalog", "hive"];
                if catalog.starts_with("lambda:") {
                    let message =
                        format!("Federated queries are not supported: '{catalog}' is a data source of its own");
                    return Err(TrinoError::at(name.pos(), ErrorCode::NotSupported, message));
                }
                if !known.contains(&catalog.as_str()) {
                    let message = format!("Catalog '{catalog}' does not exist");
                    return Err(TrinoError::at(name.pos(), ErrorCode::CatalogNotFound, message));
                }
                (database.clone(), table.clone())
            }
            _ => {
                let message = format!("Too many dots in table name: {}", parts.join("."));
                return Err(TrinoError::at(name.pos(), ErrorCode::SyntaxError, message));
            }
        };
        if database == "information_schema" {
            untravelled(name, version)?;
            return self.information_table(&table, name);
        }
        if let Some((base, suffix)) = table.rsplit_once('$')
            && !base.is_empty()
        {
            untravelled(name, version)?;
            return self.metadata_table(&database, base, suffix, name);
        }
        let definition = self.definition(&database, &table, name)?;
        if let Some(table) = self.iceberg_of(&definition) {
            return self.iceberg_table(&definition, table, version);
        }
        untravelled(name, version)?;
        match &definition.kind {
            TableKind::Table => self.hive_table(definition),
            TableKind::View { sql, database } => {
                let database = database.clone().unwrap_or_else(|| definition.database.clone());
                self.view(&definition, sql, database, name)
            }
        }
    }

    /// What the catalog says about a table.
    fn definition(&mut self, database: &str, table: &str, name: &Name) -> Result<Arc<TableDefinition>, TrinoError> {
        let key = (database.to_owned(), table.to_owned());
        let known = self.known;
        match known.tables.get(&key) {
            Some(Some(definition)) => Ok(Arc::clone(definition)),
            Some(None) => {
                let Some(databases) = &known.databases else {
                    return Err(self.need(Needed::Databases));
                };
                let catalog = &self.session.catalog_name;
                let (code, message) = if databases.iter().any(|known| known.eq_ignore_ascii_case(database)) {
                    (ErrorCode::TableNotFound, format!("Table '{catalog}.{database}.{table}' does not exist"))
                } else {
                    (ErrorCode::SchemaNotFound, format!("Schema '{database}' does not exist"))
                };
                Err(TrinoError::at(name.pos(), code, message))
            }
            None => Err(self.need(Needed::Table(key.0, key.1))),
        }
    }

    /// Stops the analysis until more is known. The error itself is never shown.
    fn need(&mut self, needed: Needed) -> TrinoError {
        self.needed = Some(needed);
        crate::error::internal("the analysis waits for the catalog")
    }

    fn hive_table(&mut self, definition: Arc<TableDefinition>) -> Result<Relation, TrinoError> {
        let path = vec![self.session.catalog_name.clone(), definition.database.clone(), definition.name.clone()];
        let columns: Vec<_> = definition.all_columns().map(|column| (column.name.clone(), column.ty.clone())).collect();
        let provider = HiveTable::new(definition, Arc::clone(&self.session), Arc::clone(&self.statistics));
        self.with_hidden(Arc::new(provider), path, columns, HiveTable::hidden())
    }

    /// A scan of columns of which the last are not shown.
    pub(super) fn with_hidden(
        &mut self,
        provider: Arc<dyn TableProvider>,
        path: Vec<String>,
        columns: Vec<(String, Type)>,
        hidden: impl Iterator<Item = (&'static str, Type)>,
    ) -> Result<Relation, TrinoError> {
        let shown = columns.len();
        let hidden = hidden.map(|(name, ty)| (name.to_owned(), ty));
        let mut relation = self.scanned(provider, path, columns.into_iter().chain(hidden).collect())?;
        relation.fields.iter_mut().skip(shown).for_each(|field| field.hidden = true);
        Ok(relation)
    }

    /// A scan, whose columns are called by the scan's number.
    pub(super) fn scanned(
        &mut self,
        provider: Arc<dyn TableProvider>,
        path: Vec<String>,
        columns: Vec<(String, Type)>,
    ) -> Result<Relation, TrinoError> {
        let number = self.fresh("t");
        let plan = LogicalPlanBuilder::scan(number, provider_as_source(provider), None)
            .and_then(|plan| plan.build())
            .map_err(planned)?;
        let fields = plan.schema().columns().into_iter().zip(columns);
        let fields = fields
            .map(|(column, (name, ty))| Field {
                relation: path.clone(),
                label: Some(name.clone()),
                name: Some(name),
                column,
                ty,
                hidden: false,
            })
            .collect();
        Ok(Relation { plan, fields })
    }

    /// `"t$partitions"`, and what else Iceberg's tables have.
    fn metadata_table(
        &mut self,
        database: &str,
        table: &str,
        suffix: &str,
        name: &Name,
    ) -> Result<Relation, TrinoError> {
        let definition = self.definition(database, table, name)?;
        if let Some(known) = self.iceberg_of(&definition)
            && let Some(information) = self.iceberg_information(&definition, known, suffix)
        {
            return information;
        }
        if suffix != "partitions" || definition.partition_keys.is_empty() {
            let catalog = &self.session.catalog_name;
            let message = format!("Table '{catalog}.{database}.{table}${suffix}' does not exist");
            return Err(TrinoError::at(name.pos(), ErrorCode::TableNotFound, message));
        }
        let path = vec![self.session.catalog_name.clone(), database.to_owned(), format!("{table}${suffix}")];
        let columns = definition.partition_keys.iter().map(|key| (key.name.clone(), key.ty.clone())).collect();
        let provider = information::partitions(definition, Arc::clone(&self.session));
        self.scanned(Arc::new(provider), path, columns)
    }

    fn information_table(&mut self, table: &str, name: &Name) -> Result<Relation, TrinoError> {
        let Some(provider) = information::table(table, Arc::clone(&self.session)) else {
            let catalog = &self.session.catalog_name;
            let message = format!("Table '{catalog}.information_schema.{table}' does not exist");
            return Err(TrinoError::at(name.pos(), ErrorCode::TableNotFound, message));
        };
        let path = vec![self.session.catalog_name.clone(), "information_schema".to_owned(), table.to_owned()];
        let columns = information::columns(table);
        self.scanned(Arc::new(provider), path, columns)
    }

    /// A view: its query, in its own database, with its own columns' names and types.
    fn view(
        &mut self,
        definition: &TableDefinition,
        sql: &str,
        database: String,
        name: &Name,
    ) -> Result<Relation, TrinoError> {
        let key = (definition.database.clone(), definition.name.clone());
        let shown = format!("{}.{}.{}", self.session.catalog_name, key.0, key.1);
        if self.views.contains(&key) || self.views.len() >= MAX_VIEWS {
            let message = format!("View is recursive: {shown}");
            return Err(TrinoError::at(name.pos(), ErrorCode::InvalidViewDefinition, message));
        }
        let stale = |error: String| {
            let message = format!("Failed analyzing stored view '{shown}': {error}");
            TrinoError::at(name.pos(), ErrorCode::InvalidViewDefinition, message)
        };
        let query = match parse_statement(sql) {
            Ok(Statement::Query(query)) => query,
            Ok(_) => return Err(stale("it is no query".to_owned())),
            Err(error) => return Err(stale(error.to_string())),
        };
        self.views.push(key);
        let around = (std::mem::replace(&mut self.database, database), std::mem::take(&mut self.named));
        let relation = self.query(&query, None);
        (self.database, self.named) = around;
        self.views.pop();
        let relation =
            relation.map_err(|error| if self.needed.is_some() { error } else { stale(error.to_string()) })?;
        self.as_declared(relation, definition, name)
    }

    fn as_declared(
        &mut self,
        relation: Relation,
        definition: &TableDefinition,
        name: &Name,
    ) -> Result<Relation, TrinoError> {
        let fields: Vec<_> = relation.fields.into_iter().filter(|field| !field.hidden).collect();
        let declared: Vec<&ColumnDefinition> = definition.columns.iter().collect();
        let path = vec![self.session.catalog_name.clone(), definition.database.clone(), definition.name.clone()];
        let stale = |detail: String| {
            let message = format!("View '{}' is stale or in invalid state: {detail}", path.join("."));
            TrinoError::at(name.pos(), ErrorCode::ViewIsStale, message)
        };
        if fields.len() != declared.len() {
            return Err(stale(format!("it has {} columns, and its query {}", declared.len(), fields.len())));
        }
        let mut exprs = Vec::with_capacity(fields.len());
        let mut renamed = Vec::with_capacity(fields.len());
        for (field, declared) in fields.into_iter().zip(declared) {
            let (value, ty) = cast::coerce(field.typed(), &declared.ty).map_err(|_| {
                stale(format!(
                    "column [{}] of type {} projected from query view cannot be coerced to column of type {}",
                    declared.name, field.ty, declared.ty
                ))
            })?;
            let column = match &value {
                Expr::Column(column) => column.clone(),
                _ => self.fresh_column("view"),
            };
            exprs.push(if matches!(value, Expr::Column(_)) { value } else { value.alias(&column.name) });
            let (name, label) = (Some(declared.name.clone()), Some(declared.name.clone()));
            renamed.push(Field { relation: path.clone(), name, label, column, ty, hidden: false });
        }
        Ok(Relation { plan: project(relation.plan, exprs)?, fields: renamed })
    }

    /// A query of a WITH clause, which sees only those before it.
    fn named_query(&mut self, index: usize, written: &Ident) -> Result<Relation, TrinoError> {
        let named = Arc::clone(&self.named[index]);
        let later = self.named.split_off(index);
        let analyzed = match &named.source {
            NamedSource::Query(query) => self.query(&query.query, None).map(|relation| (relation, &query.columns)),
            NamedSource::Working(relation) => Ok((relation.clone(), NONE)),
            NamedSource::Recursive(query) => self.recursive(query, index).map(|relation| (relation, NONE)),
        };
        self.named.truncate(index);
        self.named.extend(later);
        let (mut relation, columns) = analyzed?;
        relation.fields.retain(|field| !field.hidden);
        let Named { name, .. } = named.as_ref();
        let alias = Ident { pos: written.pos, value: name.clone(), quoted: true };
        let visible = relation.fields.len();
        if let Some(first) = columns.first().filter(|_| columns.len() != visible) {
            let message = format!("Column alias list has {} entries but relation has {visible} columns", columns.len());
            return Err(TrinoError::at(first.pos, ErrorCode::MismatchedColumnAliases, message));
        }
        super::join::aliased(relation, &alias, columns)
    }
}

/// Refuses time travel.
fn untravelled(name: &Name, version: Option<&TableVersion>) -> Result<(), TrinoError> {
    match version {
        None => Ok(()),
        Some(_) => {
            let message = "Time travel is only supported for Iceberg tables";
            Err(TrinoError::at(name.pos(), ErrorCode::NotSupported, message))
        }
    }
}

/// No names for columns.
const NONE: &Vec<Ident> = &Vec::new();
