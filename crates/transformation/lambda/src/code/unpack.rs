//! Zip archives from strangers: no path leads out, no link points out, nothing grows without end.

use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive, ZipFileHeaderRecord, ZipSliceArchive};

use super::LARGEST_UNPACKED;
use crate::error::LambdaError;

/// Entries of an archive: a limit of ours, far above what packages have.
const MOST_ENTRIES: usize = 100_000;
/// Bytes of a link's target.
const LONGEST_LINK: u64 = 4096;

/// What the archive says it unpacks to, in bytes, after a look at every entry.
pub(super) fn check(bytes: &[u8]) -> Result<u64, LambdaError> {
    check_within(bytes, LARGEST_UNPACKED)
}

fn check_within(bytes: &[u8], most: u64) -> Result<u64, LambdaError> {
    let archive = Archive::open(bytes)?;
    let (mut total, mut entries) = (0_u64, 0);
    archive.for_each(|entry| {
        entries += 1;
        if entries > MOST_ENTRIES {
            return Err(LambdaError::InvalidCode(format!("The archive has more than {MOST_ENTRIES} entries")));
        }
        place_of(entry)?;
        // The directory may lie about sizes: unpacking counts again.
        total = total.saturating_add(entry.uncompressed_size_hint());
        limit(total, most)?;
        let method = entry.compression_method();
        if entry.flags().is_encrypted() || ![CompressionMethod::STORE, CompressionMethod::DEFLATE].contains(&method) {
            let what = "it is encrypted, or compressed by other means than deflate";
            return Err(LambdaError::InvalidCode(format!("Could not unzip uploaded file: {what}")));
        }
        if entry.mode().is_symlink() {
            link_target(entry, archive.reader(entry)?)?;
        }
        Ok(())
    })?;
    if entries == 0 {
        return Err(LambdaError::InvalidCode("Uploaded file must be a non-empty zip".into()));
    }
    Ok(total)
}

/// Unpacks an archive that has been checked into an empty directory, or over what earlier ones left there.
pub(super) fn unpack(bytes: &[u8], place: &Path) -> Result<(), LambdaError> {
    unpack_within(bytes, place, LARGEST_UNPACKED)
}

fn unpack_within(bytes: &[u8], place: &Path, mut left: u64) -> Result<(), LambdaError> {
    let archive = Archive::open(bytes)?;
    let mut links = Vec::new();
    archive.for_each(|entry| {
        let path = place.join(place_of(entry)?);
        if entry.is_dir() {
            return make_directory(place, &path);
        }
        make_directory(place, path.parent().unwrap_or(place))?;
        let reader = archive.reader(entry)?;
        if entry.mode().is_symlink() {
            links.push((path, link_target(entry, reader)?));
        } else {
            let executable = entry.mode().permissions() & 0o111 != 0;
            left -= write_file(reader, &path, executable, left)?;
        }
        Ok(())
    })?;
    // Last, so that no file is ever written through one.
    for (path, target) in links {
        make_directory(place, path.parent().unwrap_or(place))?;
        let _ = fs::remove_file(&path);
        symlink(target, path).map_err(LambdaError::machine("unpacking a link"))?;
    }
    Ok(())
}

type Entry<'a> = ZipFileHeaderRecord<'a>;

/// An archive in memory.
struct Archive<'a>(ZipSliceArchive<&'a [u8]>);

impl<'a> Archive<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, LambdaError> {
        ZipArchive::from_slice(bytes).map(Self).map_err(|_| not_an_archive())
    }

    fn for_each(&self, mut visit: impl FnMut(&Entry<'_>) -> Result<(), LambdaError>) -> Result<(), LambdaError> {
        let mut entries = self.0.entries();
        while let Some(entry) = entries.next_entry().map_err(|_| not_an_archive())? {
            visit(&entry)?;
        }
        Ok(())
    }

    /// The entry's bytes, unpacked; what does not agree with its size and checksum ends in an error.
    fn reader(&self, entry: &Entry<'_>) -> Result<Box<dyn Read + '_>, LambdaError> {
        let found = self.0.get_entry(entry.wayfinder()).map_err(|_| not_an_archive())?;
        Ok(match entry.compression_method() {
            CompressionMethod::STORE => Box::new(found.verifying_reader(found.data())),
            _ => Box::new(found.verifying_reader(DeflateDecoder::new(found.data()))),
        })
    }
}

fn name_of(entry: &Entry<'_>) -> String {
    let path = entry.file_path();
    String::from_utf8_lossy(path.as_bytes()).into_owned()
}

/// Where an entry belongs, relative to the root.
fn place_of(entry: &Entry<'_>) -> Result<PathBuf, LambdaError> {
    let name = name_of(entry);
    let path = Path::new(&*name);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if name.is_empty() || name.contains('\0') || name.starts_with('/') || !plain {
        return Err(LambdaError::InvalidCode(format!("The archive's entry {name:?} would lie outside of the code")));
    }
    Ok(path.components().filter(|part| matches!(part, Component::Normal(_))).collect())
}

/// Where a link points to: to something below the root.
fn link_target(entry: &Entry<'_>, reader: impl Read) -> Result<PathBuf, LambdaError> {
    let name = name_of(entry);
    let outside = || LambdaError::InvalidCode(format!("The archive's link {name:?} points outside of the code"));
    let mut text = String::new();
    reader.take(LONGEST_LINK).read_to_string(&mut text).map_err(|_| outside())?;
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
fn write_file(reader: impl Read, path: &Path, executable: bool, left: u64) -> Result<u64, LambdaError> {
    let machine = || LambdaError::machine("unpacking a file");
    let mode = if executable { 0o755 } else { 0o644 };
    let _ = fs::remove_file(path); // an earlier layer's
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(machine())?;
    let written =
        io::copy(&mut reader.take(left.saturating_add(1)), &mut file).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::Other => not_an_archive(),
            _ => LambdaError::Machine { what: "unpacking a file", source: error },
        })?;
    if written > left {
        return Err(too_large());
    }
    // The process's umask may have taken bits away.
    file.set_permissions(fs::Permissions::from_mode(mode)).map_err(machine())?;
    Ok(written)
}

fn limit(total: u64, most: u64) -> Result<(), LambdaError> {
    if total <= most { Ok(()) } else { Err(too_large()) }
}

fn too_large() -> LambdaError {
    LambdaError::InvalidCode(format!("Unzipped size must be smaller than {LARGEST_UNPACKED} bytes"))
}

fn not_an_archive() -> LambdaError {
    LambdaError::InvalidCode("Could not unzip uploaded file. Please check your file, then try to upload again.".into())
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;
    use rawzip::ZipArchiveWriter;
    use rawzip::path::EntryPath;

    use super::*;

    pub(crate) enum Entry<'a> {
        File(&'a str, &'a [u8], u32),
        Link(&'a str, &'a str),
    }

    pub(crate) fn archive(entries: &[Entry<'_>]) -> Vec<u8> {
        let mut writer = ZipArchiveWriter::new(Vec::new());
        for entry in entries {
            let (name, bytes, mode) = match entry {
                Entry::File(name, bytes, mode) => (name, *bytes, 0o100_000 | mode),
                Entry::Link(name, target) => (name, target.as_bytes(), 0o120_777),
            };
            let file = writer.new_file(EntryPath::verbatim(name.as_bytes()));
            let file = file.compression_method(CompressionMethod::DEFLATE).unix_permissions(mode);
            let (mut packed, config) = file.start().unwrap();
            let mut plain = config.wrap(DeflateEncoder::new(&mut packed, Compression::default()));
            plain.write_all(bytes).unwrap();
            let (encoder, descriptor) = plain.finish().unwrap();
            encoder.finish().unwrap();
            packed.finish(descriptor).unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn names_that_lead_out_are_refused() {
        for name in ["/etc/a", "../aaaa", "a/../b", "aa/../..", "", "a\0b"] {
            let refused = check(&archive(&[Entry::File(name, b"1", 0o600)]));
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
        unpack(&bytes, directory.path()).unwrap();
        assert_eq!(fs::read(directory.path().join("lib/x.so")).unwrap(), b"so");
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let (inside, outside) = (directory.path().join("in"), directory.path().join("out"));
        fs::create_dir_all(&inside).unwrap();
        fs::create_dir_all(&outside).unwrap();
        symlink(&outside, inside.join("d")).unwrap();
        unpack(&archive(&[Entry::File("d/file", b"1", 0o600)]), &inside).unwrap();
        assert!(!outside.join("file").exists() && inside.join("d/file").exists());
    }

    #[test]
    fn bombs_do_not_go_off() {
        let zeroes = vec![0; 1 << 20];
        let bytes = archive(&[Entry::File("a", &zeroes, 0o600), Entry::File("b", &zeroes, 0o600)]);
        assert!(bytes.len() < 10_000);
        assert_eq!(check_within(&bytes, 2 << 20).unwrap(), 2 << 20);
        assert!(check_within(&bytes, (2 << 20) - 1).unwrap_err().to_string().contains("Unzipped size"));
        // The same for archives whose directory lies: what is written counts.
        let directory = tempfile::tempdir().unwrap();
        let stopped = unpack_within(&bytes, directory.path(), (2 << 20) - 1);
        assert!(stopped.unwrap_err().to_string().contains("Unzipped size"));
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
                let _ = unpack(&bytes, directory.path());
            }
        }
    }
}
