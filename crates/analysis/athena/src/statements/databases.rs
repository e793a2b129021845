//! CREATE, DROP and ALTER DATABASE.

use boathouse_trino_parser::ast::{CreateDatabase, Properties};
use serde_json::{Value, json};

use super::{Job, Lines, database_not_found};
use crate::executions::failure::Failure;

pub(super) async fn create(job: &Job<'_>, create: &CreateDatabase) -> Result<Lines, Failure> {
    let name = create.name.last_lower();
    if job.glue.database(&name).await?.is_some() {
        if create.if_not_exists {
            return Ok(Lines::default());
        }
        return Err(Failure::ddl(format_args!("Database {name} already exists")));
    }
    let mut input = json!({"Name": name});
    if let Some(comment) = &create.comment {
        input["Description"] = json!(comment);
    }
    if let Some(location) = &create.location {
        input["LocationUri"] = json!(location);
    }
    if !create.properties.is_empty() {
        input["Parameters"] = create.properties.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    }
    job.glue.create_database(input).await?;
    Ok(Lines::default())
}

pub(super) async fn drop(job: &Job<'_>, name: &str, if_exists: bool, cascade: bool) -> Result<Lines, Failure> {
    if job.glue.database(name).await?.is_none() {
        return if if_exists { Ok(Lines::default()) } else { Err(database_not_found(name)) };
    }
    let tables = job.glue.tables(name).await?;
    if !tables.is_empty() && !cascade {
        let message =
            format!("InvalidOperationException(message:Database {name} is not empty. One or more tables exist.)");
        return Err(Failure::ddl(message));
    }
    for table in tables {
        job.glue.delete_table(name, &table.name).await?;
    }
    job.glue.delete_database(name).await?;
    Ok(Lines::default())
}

pub(super) async fn alter(job: &Job<'_>, name: &str, properties: &Properties) -> Result<Lines, Failure> {
    let Some(mut database) = job.glue.database(name).await? else { return Err(database_not_found(name)) };
    if let Some(members) = database.as_object_mut() {
        members.retain(|member, _| !["CreateTime", "CatalogId"].contains(&member.as_str()));
        let parameters = members.entry("Parameters").or_insert_with(|| json!({}));
        for (name, value) in properties {
            parameters[name] = Value::from(value.as_str());
        }
    }
    job.glue.update_database(name, database).await?;
    Ok(Lines::default())
}
