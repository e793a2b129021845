//! The data directory: private, and one process at a time.

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use crate::server::ServerError;

/// Makes the directory, readable by its owner only, if there is none, and makes it durable that there is one.
pub(crate) fn create(path: &Path) -> Result<(), ServerError> {
    let missing: Vec<&Path> = path.ancestors().take_while(|it| !it.as_os_str().is_empty() && !it.exists()).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| at(path, error))?;
    for made in missing {
        let parent = made.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(parent).and_then(|parent| parent.sync_all()).map_err(|error| at(parent, error))?;
    }
    Ok(())
}

/// Makes and locks the directory. The lock ends with the returned file, or with the process however it dies.
pub(crate) fn lock(path: &Path) -> Result<File, ServerError> {
    create(path)?;
    let name = path.join("lock");
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).open(&name).map_err(|error| at(&name, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(ServerError::InUse(path.to_owned())),
        Err(std::fs::TryLockError::Error(error)) => Err(at(&name, error)),
    }
}

fn at(path: &Path, source: std::io::Error) -> ServerError {
    ServerError::File { path: path.to_owned(), source }
}
