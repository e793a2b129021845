//! Commits: new files and changed metadata become the table's state, all at once or not at all.
//!
//! A commit writes manifests, a manifest list and a metadata file, and asks the catalog to make that file the table's. If somebody else
//! was faster, all this is done again on what that one made, provided that what the change depends on is still there.

mod names;
mod produce;
mod summary;
mod validate;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::Utc;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::files::{self, Files};
use crate::manifest::DataFile;
use crate::metadata::{MAIN, Snapshot, SnapshotReference, TableMetadata, TableRequirement, TableUpdate};
use crate::predicate::Predicate;
use crate::table::Table;

/// How often a commit is tried again, unless the table's property says otherwise: enough for many writers at once.
const RETRIES: u32 = 50;
/// The property that says how often a commit is tried again.
const RETRIES_PROPERTY: &str = "commit.retry.num-retries";
/// How long the first conflict makes wait; later ones longer, up to the longest.
const SHORTEST_WAIT: Duration = Duration::from_millis(5);
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// Which metadata file is the table's.
#[async_trait]
pub trait Catalog: fmt::Debug + Send + Sync {
    /// The file that is the table's now.
    ///
    /// # Errors
    /// The table is gone, or may not be seen.
    async fn metadata_location(&self) -> Result<String>;

    /// Makes a file the table's, if another one still is.
    ///
    /// # Errors
    /// [`Error::Conflict`]: it is not, and the commit may be tried again. [`Error::Unknown`]: nobody knows whether the file is the table's
    /// now. Everything else: it is not.
    async fn swap(&self, expected: &str, location: &str, metadata: &TableMetadata) -> Result<()>;
}

/// A change of a table that is being put together.
#[derive(Debug, Clone)]
pub struct Transaction {
    table: Table,
    change: Option<Change>,
    updates: Vec<TableUpdate>,
    requirements: Vec<TableRequirement>,
    properties: BTreeMap<String, String>,
    branch: String,
    id: Uuid,
}

/// What a commit does to the table's files.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    added: Vec<DataFile>,
    removed: Vec<DataFile>,
    /// Files that must still belong to the table.
    depends_on: Vec<DataFile>,
    /// Whether the rows stay the same.
    replaces: bool,
    /// Rows that nobody else may have added in the meantime.
    isolated: Option<Predicate>,
    /// The place of the added rows in the order of changes, where that isn't the commit's own.
    sequence_number: Option<i64>,
}

/// Rows that go by deletes, and rows that come.
#[derive(Debug, Clone, Default)]
pub struct RowDelta {
    /// New files of rows and of deletes.
    pub added: Vec<DataFile>,
    /// Files of rows and deletes that go as a whole.
    pub removed: Vec<DataFile>,
    /// The data files that the deletes are about. They must still be there, and nobody else may have deleted rows of them meanwhile.
    pub depends_on: Vec<DataFile>,
    /// If set, nobody else may have added rows that fulfil this meanwhile.
    pub isolated: Option<Predicate>,
}

impl Transaction {
    /// A change of this state of a table, or of later ones if nothing speaks against it.
    pub fn new(table: Table) -> Self {
        Self {
            table,
            change: None,
            updates: Vec::new(),
            requirements: Vec::new(),
            properties: BTreeMap::new(),
            branch: MAIN.to_owned(),
            id: Uuid::new_v4(),
        }
    }

    /// Adds files of rows. It never conflicts.
    pub fn append(self, files: Vec<DataFile>) -> Self {
        self.changing(Change { added: files, ..Change::default() })
    }

    /// Deletes rows and adds others.
    pub fn row_delta(self, delta: RowDelta) -> Self {
        let RowDelta { added, removed, depends_on, isolated } = delta;
        self.changing(Change { added, removed, depends_on, isolated, ..Change::default() })
    }

    /// Exchanges files (of rows or deletes) for others that hold the same rows. It conflicts if one is gone or has got new deletes.
    ///
    /// `sequence_number` is what the new files' rows bear, if deletes of later changes are to apply to them still.
    pub fn rewrite(self, removed: Vec<DataFile>, added: Vec<DataFile>, sequence_number: Option<i64>) -> Self {
        self.changing(Change { added, removed, replaces: true, sequence_number, ..Change::default() })
    }

    /// Removes files, and adds others in their place. It conflicts if one is gone or has got new deletes.
    pub fn overwrite(self, removed: Vec<DataFile>, added: Vec<DataFile>) -> Self {
        self.changing(Change { added, removed, ..Change::default() })
    }

    fn changing(mut self, change: Change) -> Self {
        self.change = Some(change);
        self
    }

    /// Changes the metadata too (after the files, if there are any).
    pub fn apply(mut self, updates: Vec<TableUpdate>) -> Self {
        self.updates.extend(updates);
        self
    }

    /// Demands something of the state that is changed, each time it is tried.
    pub fn require(mut self, requirements: Vec<TableRequirement>) -> Self {
        self.requirements.extend(requirements);
        self
    }

    /// Says something in the snapshot's summary.
    pub fn summary(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.insert(name.into(), value.into());
        self
    }

    /// Changes a branch other than main.
    pub fn on_branch(mut self, branch: impl Into<String>) -> Self {
        self.branch = branch.into();
        self
    }

    /// The UUID in the names of the files that the commit writes into the table's metadata folder, by which they are found if the commit
    /// is interrupted.
    pub fn with_id(mut self, id: Uuid) -> Self {
        self.id = id;
        self
    }

    /// Makes the change the table's state, and answers that. Without any change the state stays.
    ///
    /// # Errors
    /// [`Error::Conflict`] or [`Error::Requirement`]: others have changed what this change depends on. What was written is gone, unless the
    /// error is [`Error::Unknown`].
    pub async fn commit(self, catalog: &dyn Catalog) -> Result<Table> {
        let nothing = self.change.as_ref().is_none_or(|change| change.added.is_empty() && change.removed.is_empty());
        if nothing && self.updates.is_empty() {
            return Ok(self.table);
        }
        let mut table = self.table.clone();
        let retries = table.metadata().property(RETRIES_PROPERTY).unwrap_or(RETRIES);
        let (mut attempt, mut wait) = (0, SHORTEST_WAIT);
        loop {
            let mut written = Vec::new();
            let error = match self.attempt(catalog, &table, attempt, &mut written).await {
                Ok(committed) => return Ok(committed),
                Err(error @ Error::Unknown(_)) => return Err(error),
                Err(error) => error,
            };
            if let Err(error) = files::delete(table.files().as_ref(), &written).await {
                tracing::warn!(%error, "files of a commit that failed stay behind");
            }
            if !matches!(error, Error::Conflict(_)) || attempt >= retries {
                return Err(error);
            }
            tokio::time::sleep(wait.mul_f64(any_fraction())).await;
            wait = (wait * 2).min(LONGEST_WAIT);
            attempt += 1;
            table = Table::load(Arc::clone(table.files()), &catalog.metadata_location().await?).await?;
        }
    }

    /// Tries the change on a state of the table. What is written is noted first.
    async fn attempt(
        &self,
        catalog: &dyn Catalog,
        table: &Table,
        attempt: u32,
        written: &mut Vec<String>,
    ) -> Result<Table> {
        let metadata = table.metadata();
        if metadata.table_uuid != self.table.metadata().table_uuid {
            return Err(Error::Changed("The table was replaced by another one".to_owned()));
        }
        if metadata.format_version < 2 {
            return Err(Error::Unsupported("writing to a table of format version 1".to_owned()));
        }
        for requirement in &self.requirements {
            requirement.check(Some(metadata.as_ref()))?;
        }
        let now_ms = Utc::now().timestamp_millis();
        let mut updates = Vec::new();
        if let Some(change) = &self.change {
            validate::change(&self.table, table, &self.branch, change).await?;
            let snapshot = self.snapshot(table, change, attempt, now_ms, written).await?;
            updates.extend(self.added(metadata, snapshot));
        }
        updates.extend(self.updates.iter().cloned());
        let mut changed = metadata.apply(&updates, now_ms)?;
        changed.follows(table.metadata_location(), metadata);
        let location = names::metadata(&changed.location, &changed.properties, Some(table.metadata_location()), self.file_id(attempt));
        written.push(location.clone());
        files::write(table.files().as_ref(), &location, changed.to_json()).await?;
        catalog.swap(table.metadata_location(), &location, &changed).await?;
        Ok(Table::new(Arc::clone(table.files()), location, changed))
    }

    /// The changes that make a snapshot a branch's state.
    fn added(&self, metadata: &TableMetadata, snapshot: Snapshot) -> [TableUpdate; 2] {
        let branch = metadata.refs.get(&self.branch).cloned();
        let reference = match branch {
            Some(branch) => SnapshotReference { snapshot_id: snapshot.snapshot_id, ..branch },
            None => SnapshotReference::branch(snapshot.snapshot_id),
        };
        [TableUpdate::AddSnapshot { snapshot }, TableUpdate::SetSnapshotRef { ref_name: self.branch.clone(), reference }]
    }

    /// What the names of an attempt's files hold.
    fn file_id(&self, attempt: u32) -> String {
        if attempt == 0 { self.id.to_string() } else { format!("{}-{attempt}", self.id) }
    }
}

/// A number from 0.5 to 1, so that those who conflicted don't meet again.
fn any_fraction() -> f64 {
    let random = Uuid::new_v4().as_u128() as u16;
    0.5 + f64::from(random) / f64::from(u16::MAX) / 2.0
}

/// Writes the first metadata file of a new table and answers its location. The catalog has to make it the table's.
///
/// # Errors
/// It can't be written.
pub async fn write_first_metadata(files: &dyn Files, metadata: &TableMetadata, id: Uuid) -> Result<String> {
    let location = names::metadata(&metadata.location, &metadata.properties, None, id.to_string());
    files::write(files, &location, metadata.to_json()).await?;
    Ok(location)
}

#[cfg(test)]
mod tests;
