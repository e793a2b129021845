//! Which remote store belongs to which directory: both say so, so that neither is used with another.

use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Remote, collect};
use crate::Durability;
use crate::error::{Error, RemoteFailure, Result};
use crate::files::Files;

/// The file in the store's directory, and the name of the object.
pub(crate) const FILE: &str = "remote.json";
/// What a directory has that keeps its bodies itself.
const INDEX: &str = "index";

/// What both say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claim {
    /// Which store it is.
    store: Uuid,
    /// Where the bodies lie, for people to read.
    url: String,
    /// Whether the remote store said so too. It doesn't say this itself.
    #[serde(default)]
    settled: bool,
}

/// The URL of the remote store that a store's directory belongs to, if there is one.
///
/// # Errors
/// [`Error::Corrupt`], [`Error::Io`].
pub fn remote_of(dir: &Path) -> Result<Option<String>> {
    Ok(Claim::read(dir)?.map(|claim| claim.url))
}

impl Claim {
    fn read(dir: &Path) -> Result<Option<Self>> {
        match std::fs::read(dir.join(FILE)) {
            Ok(bytes) => Self::decode(&bytes).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(|error| Error::Corrupt(format!("{FILE}: {error}")))
    }

    fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("invariant: texts and flags serialise")
    }

    fn write(&self, dir: &Path, files: &Files, durability: Durability) -> Result<()> {
        let fresh = dir.join(format!("{FILE}.new"));
        let mut file = files.create_private(&fresh)?;
        file.write_all(&self.encode())?;
        if durability == Durability::Strict {
            file.sync()?;
        }
        files.rename(&fresh, &dir.join(FILE))?;
        if durability == Durability::Strict {
            files.sync_dir(dir)?;
        }
        Ok(())
    }

    /// Makes sure that the directory and the remote store belong together; a new directory takes a store that is nobody's.
    /// A store that was there before and doesn't answer now may come back. Blocks the thread.
    ///
    /// # Errors
    /// [`Error::RemoteConfiguration`], [`Error::Remote`]; those of files.
    pub(crate) fn settle(dir: &Path, remote: Option<&Remote>, files: &Files, durability: Durability) -> Result<()> {
        let wrong = |why: String| Err(Error::RemoteConfiguration(why));
        let present = Self::read(dir)?;
        let Some(remote) = remote else {
            return match present {
                Some(claim) => wrong(format!("the bodies of {} lie in {}: it must be named", dir.display(), claim.url)),
                None => Ok(()),
            };
        };
        let fresh = present.is_none();
        if fresh && dir.join(INDEX).exists() {
            return wrong(format!("{} keeps its bodies itself, not in {}", dir.display(), remote.url()));
        }
        let mut claim = present.unwrap_or_else(|| Self { store: Uuid::new_v4(), url: String::new(), settled: false });
        let moved = claim.url != remote.url();
        remote.url().clone_into(&mut claim.url);
        if fresh {
            claim.write(dir, files, durability)?;
        }
        match remote.wait(remote.claim(&claim)) {
            Ok(()) if claim.settled && !moved => Ok(()),
            Ok(()) => Self { settled: true, ..claim }.write(dir, files, durability),
            Err(error @ Error::Remote { failure: RemoteFailure::Busy | RemoteFailure::Unavailable, .. })
                if claim.settled && !moved =>
            {
                tracing::warn!(%error, remote = remote.url(), "the remote store doesn't answer: bodies can't be read or written");
                Ok(())
            }
            Err(error) => {
                if fresh {
                    files.remove(&dir.join(FILE))?;
                }
                Err(error)
            }
        }
    }
}

impl Remote {
    /// Asks the remote store whom it belongs to, and takes it if that is nobody.
    async fn claim(&self, wanted: &Claim) -> Result<()> {
        let key = format!("{}{FILE}", self.inner.prefix);
        if self.owned(&key, wanted).await? {
            return Ok(());
        }
        if wanted.settled {
            return Err(Error::RemoteConfiguration(format!("{} holds none of this directory's bodies", self.url())));
        }
        let theirs = Claim { settled: false, ..wanted.clone() };
        match self.outcome(self.inner.store.put(&key, theirs.encode().into(), true).await) {
            Ok(()) => Ok(()),
            // Somebody else was faster, or an answer was lost.
            Err(error) => self.owned(&key, wanted).await.and_then(|owned| if owned { Ok(()) } else { Err(error) }),
        }
    }

    /// Whether the remote store says that it belongs to the directory; not if it says nothing.
    async fn owned(&self, key: &str, wanted: &Claim) -> Result<bool> {
        let got = match self.inner.store.get(key, None, None).await {
            Err(Error::Remote { failure: RemoteFailure::Missing, .. }) => return Ok(false),
            got => self.outcome(got)?,
        };
        let found = Claim::decode(&self.outcome(collect(got).await)?);
        let found = found.map_err(|error| Error::RemoteConfiguration(error.to_string()))?;
        if found.store != wanted.store {
            let why = format!("{} holds the bodies of another directory: name another prefix", self.url());
            return Err(Error::RemoteConfiguration(why));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Shaky, in_memory};
    use super::*;

    fn settle(dir: &Path, remote: Option<&Remote>) -> Result<()> {
        Claim::settle(dir, remote, &Files::default(), Durability::None)
    }

    #[test]
    fn a_directory_and_a_remote_store_belong_together() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let remote = in_memory(&Shaky::default());
        assert_eq!(remote_of(one.path()).unwrap(), None);
        settle(one.path(), None).unwrap();
        settle(one.path(), Some(&remote)).unwrap();
        settle(one.path(), Some(&remote)).unwrap();
        assert_eq!(remote_of(one.path()).unwrap().as_deref(), Some("s3://memory/test"));
        let refused = |outcome: Result<()>, why: &str| match outcome {
            Err(Error::RemoteConfiguration(text)) => assert!(text.contains(why), "{text}"),
            other => panic!("{other:?}"),
        };
        refused(settle(one.path(), None), "lie in s3://memory/test");
        refused(settle(other.path(), Some(&remote)), "of another directory");
        assert!(!other.path().join(FILE).exists(), "a refused directory is free");
        refused(settle(one.path(), Some(&in_memory(&Shaky::default()))), "holds none");
        std::fs::create_dir(other.path().join(INDEX)).unwrap();
        refused(settle(other.path(), Some(&in_memory(&Shaky::default()))), "keeps its bodies itself");
    }
}
