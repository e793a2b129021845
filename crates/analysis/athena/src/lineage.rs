//! Lineage: which tables and columns an execution read and wrote, and which executions last did so with a table.
//!
//! AWS has no call for it, so the addresses are our own, signed like calls of Athena:
//! `GET /_boathouse/lineage/executions/ID`, for whoever may GetQueryExecution, and
//! `GET /_boathouse/lineage/tables/DATABASE/TABLE`, for whoever may glue:GetTable.

use std::sync::Arc;

use boathouse_aws::documents::{self, Documents};
use boathouse_aws::{AwsError, Ctx};
use boathouse_metadata::{Key, MetadataError, Transaction};
use boathouse_trino::TableUse;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Athena;
use crate::executions::{self, Row};
use crate::store::{LINEAGE, Timestamp};

/// How many readers, and how many writers, are known of a table.
const KEPT: usize = 10;

/// What an execution did with tables. A view counts as the tables that it reads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Lineage {
    pub(crate) read: Vec<Used>,
    pub(crate) written: Vec<Used>,
}

/// A table and some of its columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Used {
    pub(crate) database: String,
    pub(crate) table: String,
    pub(crate) columns: Vec<String>,
}

impl From<&TableUse> for Used {
    fn from(used: &TableUse) -> Self {
        let TableUse { database, table, columns } = used.clone();
        Self { database, table, columns }
    }
}

/// Who last used a table, the latest first.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Users {
    last_readers: Vec<User>,
    last_writers: Vec<User>,
}

/// One execution's use of a table.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct User {
    query_execution_id: String,
    principal: String,
    completion_date_time: Timestamp,
    columns: Vec<String>,
}

/// Notes with the tables that an execution which succeeded has used them, and tells the audit log.
pub(crate) fn keep(tx: &Transaction<'_>, row: &Row, principal: &str) -> Result<(), MetadataError> {
    let Lineage { read, written } = &row.private.lineage;
    if read.is_empty() && written.is_empty() {
        return Ok(());
    }
    let user = |used: &Used| User {
        query_execution_id: row.id().to_owned(),
        principal: principal.to_owned(),
        completion_date_time: row.execution.status.completion_date_time.unwrap_or_default(),
        columns: used.columns.clone(),
    };
    for used in read {
        note(tx, used, |users| push(&mut users.last_readers, user(used)))?;
    }
    for used in written {
        note(tx, used, |users| push(&mut users.last_writers, user(used)))?;
    }
    let told = |used: &[Used]| serde_json::to_string(used).unwrap_or_default();
    tracing::info!(
        target: "audit",
        execution = row.id(),
        principal,
        read = told(read),
        written = told(written),
        "lineage"
    );
    Ok(())
}

fn note(tx: &Transaction<'_>, used: &Used, change: impl FnOnce(&mut Users)) -> Result<(), MetadataError> {
    let key = Key::new([&used.database, &used.table]);
    let mut users: Users = tx.get_json(LINEAGE, &key)?.unwrap_or_default();
    change(&mut users);
    tx.put_json(LINEAGE, &key, &users)?;
    Ok(())
}

fn push(users: &mut Vec<User>, user: User) {
    users.insert(0, user);
    users.truncate(KEPT);
}

/// The lineage of executions and of tables.
pub struct Lineages(pub(crate) Arc<Athena>);

impl Documents for Lineages {
    const SERVICE: &'static str = "athena";
    const OPERATION: &'static str = "GetLineage";
    const PATH: &'static str = "/_boathouse/lineage/";

    async fn read(&self, ctx: Ctx, below: &str) -> Result<Value, AwsError> {
        let path: Vec<&str> = below.split('/').collect();
        match path.as_slice() {
            ["executions", id] => self.execution(&ctx, id),
            ["tables", database, table] => self.table(&ctx, database, table).await,
            _ => Err(documents::not_found::<Self>("executions/ID or tables/DATABASE/TABLE")),
        }
    }
}

impl Lineages {
    fn execution(&self, ctx: &Ctx, id: &str) -> Result<Value, AwsError> {
        self.0.authorize(ctx, "GetQueryExecution", &executions::workgroup_of(&self.0, id))?;
        let row = executions::find(&self.0, id)?;
        let Lineage { read, written } = &row.private.lineage;
        Ok(json!({"QueryExecutionId": id, "State": row.state(), "Read": read, "Written": written}))
    }

    async fn table(&self, ctx: &Ctx, database: &str, table: &str) -> Result<Value, AwsError> {
        // The catalog says whether the table is there, and who may know.
        ctx.call("glue", "GetTable", json!({"DatabaseName": database, "Name": table})).await?;
        let users: Option<Users> =
            self.0.metadata.get_json(LINEAGE, &Key::new([database, table])).map_err(crate::error::AthenaError::from)?;
        let Users { last_readers, last_writers } = users.unwrap_or_default();
        let used = json!({"LastReaders": last_readers, "LastWriters": last_writers});
        Ok(json!({"DatabaseName": database, "Name": table, "Lineage": used}))
    }
}
