//! Zip archives from strangers: no path leads out, no link points out, nothing grows without end.

use std::fs::{self, OpenOptions};
use std::io::{self, Cursor, Read, Seek};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

use super::LARGEST_UNPACKED;
use crate::error::LambdaError;

/// Entries of an archive: a limit of ours, far above what packages have.
const MOST_ENTRIES: usize = 100_000;
/// Bytes of a link's target.
const LONGEST_LINK: u64 = 4096;

/// What the archive says it unpacks to, in bytes, after a look at every entry's name.
pub(super) fn check(bytes: &[u8]) -> Result<u64, LambdaError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| not_an_archive())?;
    if archive.is_empty() {
        return Err(LambdaError::InvalidCode("Uploaded file must be a non-empty zip".into()));
    }
    if archive.len() > MOST_ENTRIES {
        return Err(LambdaError::InvalidCode(format!("The archive has more than {MOST_ENTRIES} entries")));
    }
    let mut total = 0_u64;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(unreadable)?;
        place_of(&entry)?;
        total = total.saturating_add(entry.size());
        limit(total)?;
    }
    // The directory may lie about sizes: unpacking counts again. Links are read here, because they are few.
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(unreadable)?;
        if entry.is_symlink() {
            link_target(&mut entry)?;
        }
    }
    Ok(total)
}

/// Unpacks an archive that has been checked into an empty directory, or over what earlier ones left there.
pub(super) fn unpack(archive: impl Read + Seek, place: &Path) -> Result<(), LambdaError> {
    let mut archive = ZipArchive::new(archive).map_err(|_| not_an_archive())?;
    let mut left = LARGEST_UNPACKED;
    let mut links = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(unreadable)?;
        let path = place.join(place_of(&entry)?);
        if entry.is_dir() {
            make_directory(place, &path)?;
        } else if entry.is_symlink() {
            links.push((path, link_target(&mut entry)?));
        } else {
            make_directory(place, path.parent().unwrap_or(place))?;
            left -= write_file(&mut entry, &path, left)?;
        }
    }
    // Last, so that no file is ever written through one.
    for (path, target) in links {
        make_directory(place, path.parent().unwrap_or(place))?;
        let _ = fs::remove_file(&path);
        symlink(target, path).map_err(LambdaError::machine("unpacking a link"))?;
    }
    Ok(())
}

/// Where an entry belongs, relative to the root.
fn place_of<R: Read>(entry: &ZipFile<'_, R>) -> Result<PathBuf, LambdaError> {
    let name = entry.name().map_err(unreadable)?;
    let path = Path::new(&*name);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if name.is_empty() || name.contains('\0') || name.starts_with('/') || !plain {
        return Err(LambdaError::InvalidCode(format!("The archive's entry {name:?} would lie outside of the code")));
    }
    Ok(path.components().filter(|part| matches!(part, Component::Normal(_))).collect())
}

/// Where a link points to: to something below the root.
fn link_target<R: Read>(entry: &mut ZipFile<'_, R>) -> Result<PathBuf, LambdaError> {
    let name = entry.name().map_err(unreadable)?.into_owned();
    let outside = || LambdaError::InvalidCode(format!("The archive's link {name:?} points outside of the code"));
    let mut text = String::new();
    entry.take(LONGEST_LINK).read_to_string(&mut text).map_err(|_| outside())?;
    let target = PathBuf::from(text);
    let mut depth =
        Path::new(&name).components().filter(|part| matches!(part, Component::Normal(_))).count() as i64 - 1;
    for part in target.components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir => depth -= 1,
            Component::RootDir | Component::Prefix(_) => return Err(outside()),
        }
        if depth < 0 {
            return Err(outside());
        }
    }
    Ok(target)
}

/// Makes the directories from `root` down to `path`; what an earlier layer has there as a link or file gives way.
fn make_directory(root: &Path, path: &Path) -> Result<(), LambdaError> {
    let machine = || LambdaError::machine("unpacking a directory");
    let below = path.strip_prefix(root).unwrap_or(path);
    let mut place = root.to_owned();
    for part in below.components() {
        place.push(part);
        match fs::symlink_metadata(&place) {
            Ok(found) if found.is_dir() => continue,
            Ok(_) => fs::remove_file(&place).map_err(machine())?,
            Err(_) => {}
        }
        fs::create_dir(&place).map_err(machine())?;
        fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).map_err(machine())?;
    }
    Ok(())
}

/// Writes a file of at most `left` bytes; answers how many it has.
fn write_file<R: Read>(entry: &mut ZipFile<'_, R>, path: &Path, left: u64) -> Result<u64, LambdaError> {
    let machine = || LambdaError::machine("unpacking a file");
    let executable = entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
    let mode = if executable { 0o755 } else { 0o644 };
    let _ = fs::remove_file(path); // an earlier layer's
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(machine())?;
    let written = io::copy(&mut entry.take(left.saturating_add(1)), &mut file).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => not_an_archive(),
        _ => LambdaError::Machine { what: "unpacking a file", source: error },
    })?;
    if written > left {
        return limit(LARGEST_UNPACKED + 1).map(|()| 0);
    }
    // The process's umask may have taken bits away.
    file.set_permissions(fs::Permissions::from_mode(mode)).map_err(machine())?;
    Ok(written)
}

fn limit(total: u64) -> Result<(), LambdaError> {
    if total <= LARGEST_UNPACKED {
        return Ok(());
    }
    Err(LambdaError::InvalidCode(format!("Unzipped size must be smaller than {LARGEST_UNPACKED} bytes")))
}

fn not_an_archive() -> LambdaError {
    LambdaError::InvalidCode("Could not unzip uploaded file. Please check your file, then try to upload again.".into())
}

fn unreadable(error: ZipError) -> LambdaError {
    match error {
        ZipError::UnsupportedArchive(what) => {
            LambdaError::InvalidCode(format!("Could not unzip uploaded file: {what}"))
        }
        _ => not_an_archive(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use zip::CompressionMethod;
    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;

    pub(crate) enum Entry<'a> {
        File(&'a str, &'a [u8], u32),
        Link(&'a str, &'a str),
    }

    pub(crate) fn archive(entries: &[Entry<'_>]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        for entry in entries {
            match entry {
                Entry::File(name, bytes, mode) => {
                    writer.start_file(*name, options.unix_permissions(*mode)).unwrap();
                    writer.write_all(bytes).unwrap();
                }
                Entry::Link(name, target) => writer.add_symlink(*name, *target, options).unwrap(),
            }
        }
        writer.finish().unwrap().into_inner()
    }

    /// A name of the same length in place of another one, in both directories: writers refuse to write such names.
    fn renamed(mut bytes: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
        assert_eq!(from.len(), to.len());
        for at in 0..bytes.len() - from.len() {
            if bytes[at..].starts_with(from.as_bytes()) {
                bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
            }
        }
        bytes
    }

    #[test]
    fn names_that_lead_out_are_refused() {
        for name in ["/etc/a", "../aaaa", "a/../b/", "aa/../.."] {
            let plain = "x".repeat(name.len());
            let bytes = renamed(archive(&[Entry::File(&plain, b"1", 0o600)]), &plain, name);
            let refused = check(&bytes);
            assert!(matches!(refused, Err(LambdaError::InvalidCode(_))), "{name}: {refused:?}");
        }
    }

    #[test]
    fn links_that_lead_out_are_refused_and_others_kept() {
        for (name, target) in [("a", "/etc/passwd"), ("a", ".."), ("a/b", "../../c"), ("a", "b/../../c")] {
            assert!(check(&archive(&[Entry::Link(name, target)])).is_err(), "{name} -> {target}");
        }
        let bytes = archive(&[Entry::File("lib/x.so.1", b"so", 0o600), Entry::Link("lib/x.so", "x.so.1")]);
        check(&bytes).unwrap();
        let directory = tempfile::tempdir().unwrap();
        unpack(Cursor::new(bytes), directory.path()).unwrap();
        assert_eq!(fs::read(directory.path().join("lib/x.so")).unwrap(), b"so");
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let (inside, outside) = (directory.path().join("in"), directory.path().join("out"));
        fs::create_dir_all(&inside).unwrap();
        fs::create_dir_all(&outside).unwrap();
        symlink(&outside, inside.join("d")).unwrap();
        unpack(Cursor::new(archive(&[Entry::File("d/file", b"1", 0o600)])), &inside).unwrap();
        assert!(!outside.join("file").exists() && inside.join("d/file").exists());
    }

    #[test]
    fn bombs_do_not_go_off() {
        let zeroes = vec![0; 64 << 20];
        let files: Vec<Entry<'_>> = ["a", "b", "c", "d"].map(|name| Entry::File(name, &zeroes, 0o600)).into();
        let bytes = archive(&files);
        assert!(bytes.len() < 1 << 20);
        assert!(check(&bytes).unwrap_err().to_string().contains("262144000"));
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        assert!(check(b"").is_err());
        assert!(check(b"hello").is_err());
        assert!(check(&archive(&[])).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(at in 0_usize..300, byte: u8) {
            let mut bytes = archive(&[Entry::File("a/b", b"some text", 0o600), Entry::Link("a/c", "b")]);
            let length = bytes.len();
            bytes[at % length] = byte;
            let directory = tempfile::tempdir().unwrap();
            if check(&bytes).is_ok() {
                let _ = unpack(Cursor::new(bytes), directory.path());
            }
        }
    }
}
