//! Making a backup.

use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use boathouse_metadata::Metadata;
use boathouse_objects::{AttachReport, Objects, RemoteFile, StoredFile, Written, remote_of};
use chrono::{SecondsFormat, Utc};

use super::BackupError;
use super::control::BackupOrder;
use super::copy::{self, Sink};
use super::manifest::{Entry, FILES, InRemote, METADATA_ROWS, Manifest, OBJECT_ROWS, REMOTE_FILES};

/// What is not copied: the stores, whose rows are; what only a running server needs; what can be had again.
const LEFT_OUT: [&str; 6] = ["lock", "control.sock", "objects", "work", "runtimes", "metadata.db"];
/// What of `work` is copied: records that a function made and that are not delivered.
const KEPT_WORK: &str = "work/firehose";

/// The stores of a data directory.
#[derive(Clone)]
pub(crate) struct Stores {
    data_dir: PathBuf,
    objects: Objects,
    metadata: Metadata,
}

/// A file that was linked aside.
struct Aside {
    /// Its path in the data directory.
    name: PathBuf,
    kind: Kind,
}

enum Kind {
    File { bytes: u64, program: bool },
    Link(PathBuf),
    Directory,
}

impl Stores {
    /// Those of a server that runs.
    pub(crate) fn new(data_dir: PathBuf, objects: Objects, metadata: Metadata) -> Self {
        Self { data_dir, objects, metadata }
    }

    /// Those of a directory that no server runs on.
    pub(super) fn open(data_dir: &Path) -> Result<Self, BackupError> {
        let directory = data_dir.join("objects");
        let remote = remote_of(&directory)?.map(|url| boathouse_remote::from_environment(&url)).transpose()?;
        let objects = Objects::open(&directory, &boathouse_objects::Options { remote, ..Default::default() })?;
        let metadata = Metadata::open(&data_dir.join("metadata.db"))?;
        Ok(Self { data_dir: data_dir.to_owned(), objects, metadata })
    }

    /// Attaches objects of the gateway's bucket; answers what came of it. Blocks the thread, which is no asynchronous one.
    pub(super) fn attach(&self, bucket: &str, prefix: &str) -> Result<String, BackupError> {
        let waiting = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let waiting = waiting.map_err(BackupError::file(&self.data_dir))?;
        let AttachReport { added, changed, unchanged, kept } = waiting.block_on(self.objects.attach(bucket, prefix))?;
        Ok(format!(
            "{bucket}: {added} objects are attached, {changed} are other ones now, {unchanged} are as they were; \
                    {kept} keys have objects of your own, which stay"
        ))
    }

    /// Makes a backup; answers what it holds. Blocks the thread.
    pub(crate) fn back_up(&self, order: &BackupOrder) -> Result<String, BackupError> {
        let to = &order.to;
        if !copy::is_free(to)? {
            return Err(BackupError::Occupied(to.clone()));
        }
        let before = order.since.as_ref().map(|since| Manifest::read(since).map(|manifest| (since, manifest)));
        let before = before.transpose()?;
        copy::make_directory(&to.join(FILES))?;
        let aside = self.data_dir.join("work").join(format!("backup-{}", std::process::id()));
        let outcome = self.copy(to, &aside, before.as_ref().map(|(since, manifest)| (since.as_path(), manifest)));
        if let Err(error) = std::fs::remove_dir_all(&aside)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, path = %aside.display(), "what was linked aside for a backup stays behind");
        }
        outcome
    }

    fn copy(&self, to: &Path, aside: &Path, before: Option<(&Path, &Manifest)>) -> Result<String, BackupError> {
        copy::make_directory(aside)?;
        let (objects, data_dir, place) = (self.objects.clone(), self.data_dir.clone(), aside.to_owned());
        let taken = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let (metadata, (mut objects, linked)) = self.metadata.freeze(move || {
            let objects = objects.freeze()?;
            let mut linked = Vec::new();
            link_tree(&data_dir, Path::new(""), &place, &mut linked)?;
            Ok::<_, BackupError>((objects, linked))
        })?;
        let mut manifest = Manifest::new(taken);
        manifest.metadata_rows = write(to, METADATA_ROWS, &mut manifest, |sink| Ok(metadata.write_rows(sink)?))?;
        drop(metadata);
        let mut written = Written::default();
        manifest.object_rows = write(to, OBJECT_ROWS, &mut manifest, |sink| {
            written = objects.write_rows(sink)?;
            Ok(written.rows)
        })?;
        if let Some((url, files)) = &written.remote {
            write(to, REMOTE_FILES, &mut manifest, |sink| name_remote(sink, files))?;
            let bytes = files.iter().map(|file| file.bytes).sum();
            manifest.remote = Some(InRemote { url: url.clone(), files: files.len() as u64, bytes });
        }
        for Aside { name, kind } in linked {
            let path = Path::new(FILES).join(&name);
            let entry = match kind {
                Kind::Directory => {
                    copy::make_directory(&to.join(&path))?;
                    Entry::Directory
                }
                Kind::Link(target) => Entry::Link(target),
                Kind::File { bytes, program } => {
                    let (bytes, sha256) = copy::copy(&aside.join(&name), &to.join(&path), bytes, program)?;
                    Entry::File { bytes, sha256, program }
                }
            };
            manifest.entries.insert(path.to_string_lossy().into_owned(), entry);
        }
        for folder in ["objects", "objects/blobs", "objects/packs"] {
            copy::make_directory(&to.join(FILES).join(folder))?;
        }
        for file in written.files {
            let name = format!("{FILES}/objects/{}", file.name);
            let entry = stored_file(to, &name, &file, before)?;
            manifest.entries.insert(name, entry);
        }
        drop(objects);
        copy::sync_tree(to)?;
        manifest.write(to)?;
        if let Some(parent) = to.parent() {
            copy::sync_directory(parent)?;
        }
        Ok(manifest.summary(to))
    }
}

/// Writes the list of what stays in the remote store: a line for each file, its bytes and its name.
fn name_remote(sink: &mut Sink, files: &[RemoteFile]) -> Result<u64, BackupError> {
    for RemoteFile { name, bytes } in files {
        writeln!(sink, "{bytes} {name}").map_err(BackupError::file(REMOTE_FILES))?;
    }
    Ok(files.len() as u64)
}

/// Writes one file of rows.
fn write(
    to: &Path,
    name: &str,
    manifest: &mut Manifest,
    rows: impl FnOnce(&mut Sink) -> Result<u64, BackupError>,
) -> Result<u64, BackupError> {
    let path = to.join(name);
    let mut sink = Sink::create(&path, false)?;
    let count = rows(&mut sink)?;
    sink.flush().map_err(BackupError::file(&path))?;
    let (bytes, sha256) = sink.finish(&path)?;
    manifest.entries.insert(name.to_owned(), Entry::File { bytes, sha256, program: false });
    Ok(count)
}

/// Copies a file of the object store, or links it to that of an earlier backup: what has its name and its length has its bytes.
fn stored_file(
    to: &Path,
    name: &str,
    file: &StoredFile,
    before: Option<(&Path, &Manifest)>,
) -> Result<Entry, BackupError> {
    if let Some((since, manifest)) = before
        && let Some(known @ Entry::File { bytes, .. }) = manifest.entries.get(name)
        && *bytes == file.bytes
        && std::fs::hard_link(since.join(name), to.join(name)).is_ok()
    {
        return Ok(known.clone());
    }
    let (bytes, sha256) = copy::copy(&file.path, &to.join(name), file.bytes, false)?;
    if bytes != file.bytes {
        return Err(BackupError::Damaged(file.path.clone(), format!("it has {bytes} bytes of {}", file.bytes)));
    }
    Ok(Entry::File { bytes, sha256, program: false })
}

/// Links everything below `within` aside that is to be copied. Links cost no more than their names, whatever the sizes.
fn link_tree(data_dir: &Path, within: &Path, aside: &Path, linked: &mut Vec<Aside>) -> Result<(), BackupError> {
    let directory = data_dir.join(within);
    for entry in std::fs::read_dir(&directory).map_err(BackupError::file(&directory))? {
        let entry = entry.map_err(BackupError::file(&directory))?;
        let name = within.join(entry.file_name());
        let text = name.to_string_lossy().into_owned();
        if text == "work" && data_dir.join(KEPT_WORK).is_dir() {
            std::fs::create_dir_all(aside.join(KEPT_WORK)).map_err(BackupError::file(aside))?;
            linked.push(Aside { name: KEPT_WORK.into(), kind: Kind::Directory });
            link_tree(data_dir, Path::new(KEPT_WORK), aside, linked)?;
        }
        if LEFT_OUT.iter().any(|left_out| text == *left_out) || text.starts_with("metadata.db-") {
            continue;
        }
        let path = data_dir.join(&name);
        let Some(kind) = link(&path, &aside.join(&name)).map_err(BackupError::file(&path))? else { continue };
        let is_directory = matches!(kind, Kind::Directory);
        linked.push(Aside { name: name.clone(), kind });
        if is_directory {
            link_tree(data_dir, &name, aside, linked)?;
        }
    }
    Ok(())
}

/// Links one file; nothing if it was removed meanwhile, or is neither file nor directory.
fn link(path: &Path, aside: &Path) -> std::io::Result<Option<Kind>> {
    let metadata = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        metadata => metadata?,
    };
    if metadata.is_symlink() {
        return Ok(Some(Kind::Link(std::fs::read_link(path)?)));
    }
    if metadata.is_dir() {
        std::fs::create_dir(aside)?;
        return Ok(Some(Kind::Directory));
    }
    if !metadata.is_file() {
        return Ok(None);
    }
    match std::fs::hard_link(path, aside) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        linked => linked.map(|()| Some(Kind::File { bytes: metadata.len(), program: metadata.mode() & 0o100 != 0 })),
    }
}
