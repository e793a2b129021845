//! What a statement writes: said on disk before its first byte, so that all of it can be taken back, even after a crash.
//!
//! A statement that did not succeed leaves nothing: no file, no table, no partition. Files bear the execution's id, so what
//! others put into the same folder stays.

use std::sync::Arc;

use boathouse_aws::{Ctx, Platform, Principal};
use boathouse_metadata::{Key, MetadataError};
use boathouse_iceberg::metadata::Snapshot;
use boathouse_iceberg::table::Table;
use boathouse_trino::catalog::Buckets;
use boathouse_trino::iceberg::{BucketFiles, of_iceberg};
use boathouse_trino::write::Begun;
use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use crate::Athena;
use crate::catalog::glue::Glue;
use crate::files::{Files, Place};
use crate::statements::iceberg::QUERY_ID;
use crate::store::WRITINGS;

/// Where an execution writes, as it is kept until the execution has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Writing {
    /// The folder, as `s3://bucket/prefix/`.
    pub(crate) folder: String,
    /// What the names of the files begin with: nobody else's do.
    pub(crate) prefix: String,
    /// What the execution is about to put into the catalog.
    pub(crate) registers: Option<Registers>,
}

/// Entries of the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Registers {
    /// A table over the folder.
    Table { database: String, table: String },
    /// A state of an Iceberg table.
    Iceberg {
        database: String,
        table: String,
        /// What the names of the metadata files of the commit hold.
        id: String,
    },
    /// Partitions of a table that is there: their values and locations.
    Partitions { database: String, table: String, partitions: Vec<(Vec<String>, String)> },
}

/// What a running execution has written so far.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// The files that were begun.
    pub(crate) begun: Begun,
    writing: Mutex<Option<Writing>>,
}

impl Written {
    /// Keeps where the execution will write.
    pub(crate) async fn announce(&self, athena: &Athena, id: &str, writing: Writing) -> Result<(), MetadataError> {
        let (key, kept) = (Key::new([id]), writing.clone());
        athena.metadata.transaction(move |tx| tx.put_json(WRITINGS, &key, &kept).map(drop)).await?;
        *self.writing.lock() = Some(writing);
        Ok(())
    }

    /// Keeps what the execution is about to put into the catalog.
    pub(crate) async fn registers(&self, athena: &Athena, id: &str, what: Registers) -> Result<(), MetadataError> {
        let writing = self.writing.lock().clone();
        match writing {
            Some(writing) => self.announce(athena, id, Writing { registers: Some(what), ..writing }).await,
            None => Ok(()),
        }
    }
}

/// The server takes back what it wrote itself: that needs no leave of whoever had it written.
fn server(platform: &Platform) -> Ctx {
    platform.context(Arc::new(Principal::root()))
}

/// Takes back what an execution of this process has written.
pub(crate) async fn take_back(athena: &Athena, platform: &Platform, written: &Written, result: &str) {
    let Some(writing) = written.writing.lock().clone() else { return };
    let undo = Undo::new(athena, platform);
    undo.files(&written.begun.files()).await;
    // A table that could not be registered in full is gone already; whose name it was that stood in the way is not known.
    if let Some(Registers::Partitions { database, table, partitions }) = &writing.registers {
        undo.report("partitions", undo.partitions(database, table, partitions).await);
    }
    undo.results(result).await;
}

/// Takes back what an execution has written that an earlier process did not end.
pub(crate) async fn take_back_after_crash(athena: &Athena, platform: &Platform, id: &str, result: &str) {
    let undo = Undo::new(athena, platform);
    undo.results(result).await;
    let writing = match athena.metadata.get_json::<Writing>(WRITINGS, &Key::new([id])) {
        Ok(Some(writing)) => writing,
        Ok(None) => return,
        Err(error) => return tracing::error!(%error, execution = id, "what an execution wrote can't be read"),
    };
    if let Some(Registers::Iceberg { database, table, id }) = &writing.registers {
        undo.report("files", undo.iceberg(&writing, (database, table), id).await);
        return;
    }
    if let Some(Registers::Table { database, table }) = &writing.registers {
        undo.report("table", undo.table(database, table, &writing.folder).await);
    }
    undo.report("files", undo.files_of(&writing).await);
    if let Some(Registers::Partitions { database, table, partitions }) = &writing.registers {
        undo.report("partitions", undo.partitions(database, table, partitions).await);
    }
}

struct Undo {
    files: Files,
    glue: Glue,
}

impl Undo {
    fn new(athena: &Athena, platform: &Platform) -> Self {
        let ctx = server(platform);
        Self { files: Files::new(ctx.clone(), Arc::clone(&athena.stores)), glue: Glue::new(ctx) }
    }

    fn report(&self, what: &str, outcome: Result<(), Failure>) {
        if let Err(failure) = outcome {
            tracing::warn!(
                what,
                reason = failure.reason(),
                "something that an unfinished statement wrote stays behind"
            );
        }
    }

    async fn files(&self, locations: &[String]) {
        for location in locations {
            self.report(location, self.files.delete(std::slice::from_ref(location)).await);
        }
    }

    /// The result's objects, all of which bear the execution's id.
    async fn results(&self, result: &str) {
        let Ok(place) = Place::parse(result) else { return };
        let objects = ["", ".metadata", "-manifest.csv"].map(|suffix| place.with_suffix(suffix).to_string());
        self.files(&objects).await;
    }

    /// The files that the execution's prefix names, below its folder.
    async fn files_of(&self, writing: &Writing) -> Result<(), Failure> {
        let (store, path) = self.files.open(&Place::parse(&writing.folder)?)?;
        let mut found = store.list(Some(&path));
        while let Some(object) = found.try_next().await? {
            let key = self.files.key(&object.location);
            if key.rsplit('/').next().is_some_and(|name| name.starts_with(&writing.prefix)) {
                store.delete(&object.location).await?;
            }
        }
        Ok(())
    }

    /// The files of a commit to an Iceberg table, unless it took place before the crash.
    async fn iceberg(&self, writing: &Writing, (database, table): (&str, &str), id: &str) -> Result<(), Failure> {
        if self.is_committed(database, table, id).await? {
            return Ok(());
        }
        self.files_of(writing).await?;
        let (store, path) = self.files.open(&Place::parse(&writing.folder)?.below("metadata"))?;
        let mut found = store.list(Some(&path));
        while let Some(object) = found.try_next().await? {
            let key = self.files.key(&object.location);
            if key.rsplit('/').next().is_some_and(|name| name.contains(id)) {
                store.delete(&object.location).await?;
            }
        }
        Ok(())
    }

    /// Whether the catalog's table has a state that the execution made.
    async fn is_committed(&self, database: &str, table: &str, id: &str) -> Result<bool, Failure> {
        let Some(entry) = self.glue.table(database, table).await? else { return Ok(false) };
        let Some(location) = entry.metadata_location() else { return Ok(false) };
        let files = Arc::new(BucketFiles(Arc::new(self.files.clone())));
        let table = Table::load(files, location).await.map_err(|error| Failure::from(of_iceberg(error)))?;
        let metadata = table.metadata();
        let named = location.contains(id) || metadata.metadata_log.iter().any(|entry| entry.metadata_file.contains(id));
        let by_it = |snapshot: &Snapshot| snapshot.summary.properties.get(QUERY_ID).is_some_and(|made| made == id);
        Ok(named || metadata.snapshots.iter().any(by_it))
    }

    /// The table, if it is the one over the execution's folder.
    async fn table(&self, database: &str, name: &str, folder: &str) -> Result<(), Failure> {
        match self.glue.table(database, name).await? {
            Some(table) if table.storage_descriptor.location() == folder => {
                Ok(self.glue.delete_table(database, name).await?)
            }
            _ => Ok(()),
        }
    }

    /// The partitions whose folders are empty now: nobody else has written into them.
    async fn partitions(
        &self,
        database: &str,
        table: &str,
        partitions: &[(Vec<String>, String)],
    ) -> Result<(), Failure> {
        let mut empty = Vec::new();
        for (values, location) in partitions {
            let found = self.glue.partition(database, table, values).await?;
            let same = found.is_some_and(|found| found.storage_descriptor.location() == location);
            if same && self.files.is_empty(&Place::parse(location)?).await? {
                empty.push(values.clone());
            }
        }
        Ok(self.glue.delete_partitions(database, table, &empty).await?)
    }
}
