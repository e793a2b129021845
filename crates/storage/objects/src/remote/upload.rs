//! A content file on its way to the remote store.

use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::Remote;
use crate::error::{Error, RemoteFailure, Result};
use crate::index::{Change, Table, Writer};

/// All parts but the last one have this size, the least that stores take.
const PART: usize = 5 << 20;
/// Parts of one file that are on their way at the same time.
const UNDER_WAY: usize = 4;

/// What was written of a file. Up to one part is sent at once at the end, longer ones in parts as they come.
pub(crate) struct Upload {
    remote: Remote,
    writer: Arc<Writer>,
    id: Uuid,
    name: String,
    held: Vec<Bytes>,
    length: usize,
    parts: Option<Parts>,
}

struct Parts {
    upload: String,
    begun: u32,
    under_way: JoinSet<Result<(u32, String)>>,
    /// Numbers and entity tags.
    done: Vec<(u32, String)>,
}

impl Parts {
    /// Waits for one that is under way.
    async fn finish_one(&mut self) -> Result<()> {
        if let Some(part) = self.under_way.join_next().await {
            self.done.push(part.map_err(|_| Error::Closed)??);
        }
        Ok(())
    }
}

impl Upload {
    pub(crate) fn new(remote: Remote, writer: Arc<Writer>, id: Uuid) -> Self {
        let name = remote.name(id);
        Self { remote, writer, id, name, held: Vec::new(), length: 0, parts: None }
    }

    /// Takes bytes in.
    pub(crate) fn push(&mut self, bytes: Bytes) {
        self.length += bytes.len();
        self.held.push(bytes);
    }

    /// Sends the parts that are full.
    pub(crate) async fn advance(&mut self) -> Result<()> {
        while self.length > PART {
            let part = self.take(PART);
            self.send(part).await?;
        }
        Ok(())
    }

    /// Sends the rest; afterwards the file is there.
    pub(crate) async fn finish(mut self) -> Result<()> {
        self.advance().await?;
        let rest = self.take(self.length);
        if self.parts.is_none() {
            return self.remote.outcome(self.remote.inner.store.put(&self.name, rest, false).await);
        }
        self.send(rest).await?;
        let Some(mut parts) = self.parts.take() else { return Err(Error::Closed) };
        while !parts.under_way.is_empty() {
            parts.finish_one().await?;
        }
        parts.done.sort_unstable();
        let etags: Vec<String> = parts.done.into_iter().map(|(_, etag)| etag).collect();
        let store = &self.remote.inner.store;
        match store.complete(&self.name, &parts.upload, &etags).await {
            // The answer of an attempt that succeeded may have been lost.
            Err(error @ Error::Remote { failure: RemoteFailure::Missing, .. }) => {
                if store.size(&self.name).await.is_ok() { Ok(()) } else { self.remote.outcome(Err(error)) }
            }
            outcome => self.remote.outcome(outcome),
        }
    }

    /// The first bytes of what is held, in one piece.
    fn take(&mut self, length: usize) -> Bytes {
        let mut taken = Vec::with_capacity(length);
        let mut rest = Vec::new();
        for mut bytes in std::mem::take(&mut self.held) {
            let now = bytes.split_to(bytes.len().min(length - taken.len()));
            taken.extend_from_slice(&now);
            if !bytes.is_empty() {
                rest.push(bytes);
            }
        }
        (self.held, self.length) = (rest, self.length - length);
        taken.into()
    }

    async fn send(&mut self, body: Bytes) -> Result<()> {
        if self.parts.is_none() {
            let upload = begin(&self.remote, &self.writer, self.id, &self.name).await?;
            self.parts = Some(Parts { upload, begun: 0, under_way: JoinSet::new(), done: Vec::new() });
        }
        let Some(parts) = &mut self.parts else { return Err(Error::Closed) };
        while parts.under_way.len() >= UNDER_WAY {
            parts.finish_one().await?;
        }
        parts.begun += 1;
        let (remote, name, upload, number) =
            (self.remote.clone(), self.name.clone(), parts.upload.clone(), parts.begun);
        parts.under_way.spawn(async move {
            let _permit = remote.inner.parts.acquire().await.map_err(|_| Error::Closed)?;
            let etag = remote.inner.store.put_part(&name, &upload, number, body).await;
            Ok((number, remote.outcome(etag)?))
        });
        Ok(())
    }
}

/// Begins the upload of a file. Its name is durable before anything is sent, so that whatever a crash leaves can be removed.
async fn begin(remote: &Remote, writer: &Writer, id: Uuid, name: &str) -> Result<String> {
    let upload = remote.outcome(remote.inner.store.begin(name).await)?;
    let value = upload.clone().into_bytes();
    let note = move |change: &mut Change<'_>| {
        change.insert(Table::Intent, id.as_bytes(), value);
        Ok(())
    };
    writer.change(note).await?;
    Ok(upload)
}
