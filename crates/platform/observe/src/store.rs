//! Where groups and streams live, and what all operations share.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use boathouse_aws::Ctx;
use boathouse_aws::access::Authorizer;
use boathouse_metadata::{Key, Metadata, Transaction};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::api::GroupSelector;
use crate::error::LogsError;
use crate::files::segments::StreamLog;
use crate::files::{FilesError, LogFiles, StreamId};
use crate::tail::Tails;

/// `(group)` → [`Group`].
pub(crate) const GROUPS: &str = "logs-groups";
/// `(group, stream)` → [`Stream`].
pub(crate) const STREAMS: &str = "logs-streams";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) creation_time: i64,
    pub(crate) retention_in_days: Option<u32>,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Group {
    /// Events before this time have expired.
    pub(crate) fn cutoff(&self, now: DateTime<Utc>) -> i64 {
        let days = self.retention_in_days.map(|days| TimeDelta::days(i64::from(days)));
        days.map_or(i64::MIN, |days| (now - days).timestamp_millis())
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stream {
    pub(crate) id: StreamId,
    pub(crate) creation_time: i64,
}

/// The logs of an installation.
pub struct Logs {
    pub(crate) metadata: Metadata,
    pub(crate) files: Arc<LogFiles>,
    pub(crate) authorizer: Arc<dyn Authorizer>,
    pub(crate) tails: Tails,
}

impl Logs {
    /// The logs with groups and streams in `metadata` and events in files below `directory`; `authorizer` decides who may
    /// write.
    ///
    /// # Errors
    /// [`FilesError::Io`].
    pub fn open(metadata: Metadata, directory: &Path, authorizer: Arc<dyn Authorizer>) -> Result<Self, FilesError> {
        let files = Arc::new(LogFiles::open(directory)?);
        Ok(Self { metadata, files, authorizer, tails: Tails::default() })
    }

    pub(crate) fn group(&self, name: &str) -> Result<Group, LogsError> {
        self.metadata.get_json(GROUPS, &Key::new([name]))?.ok_or(LogsError::NotFound("log group"))
    }

    pub(crate) fn stream(&self, group: &str, name: &str) -> Result<Stream, LogsError> {
        self.metadata.get_json(STREAMS, &Key::new([group, name]))?.ok_or(LogsError::NotFound("log stream"))
    }

    /// All streams of a group whose names begin with `prefix`, by name.
    pub(crate) fn streams(&self, group: &str, prefix: &str) -> Result<Vec<(String, Stream)>, LogsError> {
        let rows = self.metadata.scan(STREAMS, &Key::new([group]), None, usize::MAX >> 1)?;
        let named = rows.into_iter().map(|entry| (entry.key.last(), entry));
        let wanted = named.filter(|(name, _)| name.starts_with(prefix));
        wanted.map(|(name, entry)| Ok((name, entry.json()?))).collect()
    }

    /// The files of these streams. The first time they are read and checked.
    pub(crate) async fn open_streams(&self, ids: Vec<StreamId>) -> Result<Vec<Arc<StreamLog>>, LogsError> {
        let files = Arc::clone(&self.files);
        blocking(move || Ok(ids.into_iter().map(|id| files.stream(id)).collect::<Result<_, _>>()?)).await
    }
}

/// Runs what reads files.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LogsError> + Send + 'static,
) -> Result<T, LogsError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(LogsError::Files(FilesError::Closed)))
}

/// The group's row inside a transaction.
pub(crate) fn group_in(tx: &Transaction<'_>, name: &str) -> Result<Group, LogsError> {
    tx.get_json(GROUPS, &Key::new([name]))?.ok_or(LogsError::NotFound("log group"))
}

/// The one group that a request names.
pub(crate) fn named(selector: &GroupSelector) -> Result<String, LogsError> {
    match (&selector.log_group_name, &selector.log_group_identifier) {
        (Some(_), Some(_)) => {
            Err(invalid("logGroupName and logGroupIdentifier must not both be given: either one names the log group"))
        }
        (None, None) => Err(invalid("logGroupName or logGroupIdentifier must be given")),
        _ => Ok(selector.name().unwrap_or_default().to_owned()),
    }
}

pub(crate) fn valid_group_name(name: &str) -> Result<(), LogsError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/#".contains(c);
    if (1..=512).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(());
    }
    Err(invalid(format!("logGroupName must have 1 to 512 letters, digits and characters of . _ - / #, not {name:?}")))
}

pub(crate) fn valid_stream_name(name: &str) -> Result<(), LogsError> {
    if (1..=512).contains(&name.chars().count()) && !name.contains([':', '*']) {
        return Ok(());
    }
    Err(invalid(format!("logStreamName must have 1 to 512 characters other than : and *, not {name:?}")))
}

/// The size of a page: what was asked for, which must be at least 1 and at most `most`.
pub(crate) fn page_size(asked: Option<usize>, most: usize) -> Result<usize, LogsError> {
    let size = asked.unwrap_or(most);
    if (1..=most).contains(&size) {
        return Ok(size);
    }
    Err(invalid(format!("limit must be between 1 and {most}, not {size}")))
}

/// A token that names a place in a list.
pub(crate) fn token<T: Serialize>(place: &T) -> String {
    BASE64.encode(serde_json::to_vec(place).unwrap_or_default())
}

/// The place that a token names.
pub(crate) fn place<T: serde::de::DeserializeOwned>(token: Option<&str>) -> Result<Option<T>, LogsError> {
    let malformed = || invalid("The specified nextToken is invalid.");
    let decode = |token| {
        let bytes = BASE64.decode(token).map_err(|_| malformed())?;
        serde_json::from_slice(&bytes).map_err(|_| malformed())
    };
    token.map(decode).transpose()
}

pub(crate) fn invalid(message: impl Into<String>) -> LogsError {
    LogsError::InvalidParameter(message.into())
}

pub(crate) fn now(ctx: &Ctx) -> i64 {
    ctx.now().timestamp_millis()
}
