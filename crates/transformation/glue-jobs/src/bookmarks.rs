//! Job bookmarks: which objects earlier successful runs have read.
//!
//! AWS counterpart: "Tracking processed data using job bookmarks". An object is seen by its place, its ETag and the time
//! of its last change; what a run has read is kept in the transaction that says that the run has succeeded.

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::{Key, Metadata, MetadataError, Transaction};
use object_store::ObjectMeta;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::Bookmark;
use crate::error::JobError;
use crate::s3::Place;
use crate::store::{Jobs, StoredRun};

/// `(job)` → [`Entry`].
const BOOKMARKS: &str = "glue-job-bookmarks";
/// `(job, node, s3://bucket/key)` → the object's mark.
const SEEN: &str = "glue-job-bookmark-objects";

/// What a run does with the job's bookmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BookmarkOption {
    /// Everything is read, nothing is remembered.
    Disable,
    /// New objects are read and remembered.
    Enable,
    /// New objects are read, and not remembered.
    Pause,
}

impl BookmarkOption {
    pub(crate) const ARGUMENT: &str = "--job-bookmark-option";

    pub(crate) fn parse(text: &str) -> Result<Self, JobError> {
        match text {
            "job-bookmark-disable" => Ok(Self::Disable),
            "job-bookmark-enable" => Ok(Self::Enable),
            "job-bookmark-pause" => Ok(Self::Pause),
            other => Err(JobError::invalid(format!(
                "{} must be job-bookmark-enable, job-bookmark-disable or job-bookmark-pause, not {other}",
                Self::ARGUMENT
            ))),
        }
    }

    pub(crate) fn of(run: &StoredRun) -> Result<Self, JobError> {
        run.argument(Self::ARGUMENT).map_or(Ok(Self::Disable), Self::parse)
    }
}

/// What GetJobBookmark says of a job.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    job_name: String,
    version: u64,
    run: u64,
    attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_run_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<String>,
    job_bookmark: String,
}

/// The objects that a run has read, by node: place → mark.
pub(crate) type Read = BTreeMap<String, BTreeMap<String, String>>;

/// How an object is known again.
fn mark(meta: &ObjectMeta) -> String {
    format!("{}|{}", meta.e_tag.as_deref().unwrap_or_default(), meta.last_modified.timestamp_micros())
}

/// A job's bookmark as a run sees it.
pub(crate) struct Marks {
    metadata: Metadata,
    job: String,
    option: BookmarkOption,
    read: Read,
}

impl Marks {
    pub(crate) fn of(metadata: &Metadata, run: &StoredRun) -> Result<Self, JobError> {
        let option = BookmarkOption::of(run)?;
        Ok(Self { metadata: metadata.clone(), job: run.job_name().to_owned(), option, read: Read::new() })
    }

    /// Marks of somebody who reads everything, whatever runs have read.
    pub(crate) fn disregarded(metadata: &Metadata, job: &str) -> Self {
        let option = BookmarkOption::Disable;
        Self { metadata: metadata.clone(), job: job.to_owned(), option, read: Read::new() }
    }

    /// Leaves those of a node's objects that no earlier run has read, and remembers them for this one.
    pub(crate) fn unread(
        &mut self,
        node: &str,
        objects: Vec<(String, ObjectMeta)>,
    ) -> Result<Vec<(String, ObjectMeta)>, JobError> {
        if self.option == BookmarkOption::Disable {
            return Ok(objects);
        }
        let prefix = Key::new([self.job.as_str(), node]);
        let rows = self.metadata.scan(SEEN, &prefix, None, usize::MAX >> 1)?;
        let seen: BTreeMap<String, Vec<u8>> =
            rows.into_iter().map(|row| (row.key.last(), row.value.to_vec())).collect();
        let mut left = Vec::new();
        for (bucket, meta) in objects {
            let place = Place { bucket: bucket.clone(), key: meta.location.to_string() }.to_string();
            let mark = mark(&meta);
            if seen.get(&place).is_some_and(|known| known == mark.as_bytes()) {
                continue;
            }
            self.read.entry(node.to_owned()).or_default().insert(place, mark);
            left.push((bucket, meta));
        }
        Ok(left)
    }

    /// What the run's success makes known.
    pub(crate) fn into_read(self) -> Option<Read> {
        (self.option == BookmarkOption::Enable).then_some(self.read)
    }
}

/// Moves the job's bookmark on, with the run's success.
pub(crate) fn commit(tx: &Transaction<'_>, run: &StoredRun, read: &Read) -> Result<(), MetadataError> {
    let job = run.job_name();
    for (node, objects) in read {
        for (place, mark) in objects {
            tx.put(SEEN, &Key::new([job, node, place]), mark.as_bytes())?;
        }
    }
    let old: Entry = tx.get_json(BOOKMARKS, &Key::new([job]))?.unwrap_or_default();
    let counts: BTreeMap<&String, usize> = read.iter().map(|(node, objects)| (node, objects.len())).collect();
    let entry = Entry {
        job_name: job.to_owned(),
        version: old.version + 1,
        run: old.run + 1,
        attempt: run.run.attempt.unwrap_or_default(),
        previous_run_id: old.run_id,
        run_id: Some(run.id().to_owned()),
        job_bookmark: json!({"objectsReadByLastRun": counts}).to_string(),
    };
    tx.put_json(BOOKMARKS, &Key::new([job]), &entry)?;
    Ok(())
}

/// Forgets what a job has read.
pub(crate) fn delete(tx: &Transaction<'_>, job: &str) -> Result<(), MetadataError> {
    tx.delete(BOOKMARKS, &Key::new([job]))?;
    tx.delete_prefix(SEEN, &Key::new([job]))?;
    Ok(())
}

fn missing(job: &str) -> JobError {
    JobError::NotFound(format!("Job bookmark for job name {job} not found."))
}

fn refuse_run(input: &Bookmark) -> Result<(), JobError> {
    match input.run_id {
        Some(_) => Err(JobError::not_implemented("RunId of bookmarks: there is one bookmark for each job")),
        None => Ok(()),
    }
}

pub(crate) async fn get(_: Ctx, state: Arc<Jobs>, input: Bookmark) -> Result<Value, JobError> {
    refuse_run(&input)?;
    let entry: Option<Entry> = state.metadata.get_json(BOOKMARKS, &Key::new([&input.job_name]))?;
    Ok(json!({"JobBookmarkEntry": entry.ok_or_else(|| missing(&input.job_name))?}))
}

pub(crate) async fn reset(_: Ctx, state: Arc<Jobs>, input: Bookmark) -> Result<Value, JobError> {
    refuse_run(&input)?;
    let name = input.job_name;
    let entry = state
        .metadata
        .transaction(move |tx| {
            let old: Option<Entry> = tx.get_json(BOOKMARKS, &Key::new([&name]))?;
            let old = old.ok_or_else(|| missing(&name))?;
            delete(tx, &name)?;
            let entry = Entry {
                job_name: name.clone(),
                version: old.version + 1,
                job_bookmark: "{}".to_owned(),
                ..Entry::default()
            };
            tx.put_json(BOOKMARKS, &Key::new([&name]), &entry)?;
            Ok::<_, JobError>(entry)
        })
        .await?;
    Ok(json!({"JobBookmarkEntry": entry}))
}
