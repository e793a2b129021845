//! Transformed records on disk until they are delivered: a function asked twice may answer twice, and an object that was
//! put once must not become another one.

use std::collections::HashSet;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use uuid::Uuid;

/// What the records of an intent became: the bytes of the objects to write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outputs {
    /// Nothing if no record is to be delivered.
    pub(crate) delivered: Option<Vec<Bytes>>,
    /// Nothing if no record failed.
    pub(crate) failed: Option<Vec<Bytes>>,
}

fn paths(directory: &Path, stream: Uuid, first: u64) -> [PathBuf; 2] {
    ["delivered", "failed"].map(|kind| directory.join(format!("{}-{first}-{kind}", stream.simple())))
}

/// Writes outputs durably.
pub(crate) fn write(directory: &Path, stream: Uuid, first: u64, outputs: &Outputs) -> io::Result<()> {
    if !directory.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        for parent in directory.ancestors().skip(1).take(2).filter(|parent| parent.is_dir()) {
            File::open(parent)?.sync_all()?;
        }
    }
    for (path, pieces) in paths(directory, stream, first).iter().zip([&outputs.delivered, &outputs.failed]) {
        let Some(pieces) = pieces else {
            remove_file(path)?; // of an attempt that a crash ended
            continue;
        };
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        pieces.iter().try_for_each(|piece| file.write_all(piece))?;
        file.sync_all()?;
    }
    File::open(directory)?.sync_all()
}

/// Reads outputs again.
pub(crate) fn read(directory: &Path, stream: Uuid, first: u64) -> io::Result<Outputs> {
    let [delivered, failed] = paths(directory, stream, first).map(|path| match std::fs::read(path) {
        Ok(bytes) => Ok(Some(vec![Bytes::from(bytes)])),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    });
    Ok(Outputs { delivered: delivered?, failed: failed? })
}

/// Removes outputs that are delivered.
pub(crate) fn remove(directory: &Path, stream: Uuid, first: u64) {
    for path in paths(directory, stream, first) {
        if let Err(error) = remove_file(&path) {
            tracing::warn!(path = %path.display(), %error, "a delivered file stays behind");
        }
    }
}

fn remove_file(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes what an earlier process left of no intent.
pub(crate) fn clean(directory: &Path, wanted: &[(Uuid, u64)]) -> io::Result<()> {
    let wanted: HashSet<PathBuf> =
        wanted.iter().flat_map(|(stream, first)| paths(directory, *stream, *first)).collect();
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if !wanted.contains(&path) {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_come_back_until_they_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let directory = dir.path().join("spool");
        let stream = Uuid::from_u128(4);
        let both = Outputs { delivered: Some(vec!["a".into(), "b".into()]), failed: Some(vec!["c".into()]) };
        write(&directory, stream, 7, &both).unwrap();
        let one = Outputs { delivered: Some(vec!["x".into()]), failed: None };
        write(&directory, stream, 8, &both).unwrap();
        write(&directory, stream, 8, &one).unwrap();
        clean(&directory, &[(stream, 8)]).unwrap();
        assert_eq!(read(&directory, stream, 7).unwrap(), Outputs::default());
        assert_eq!(read(&directory, stream, 8).unwrap(), one);
        remove(&directory, stream, 8);
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
    }
}
