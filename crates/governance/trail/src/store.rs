//! The files of the history. Events are lines, `checksum JSON`, in files that are only appended to; a file's name tells its
//! number and the time of its first event. A line is written whole with one call, so a crash of the process loses nothing;
//! a power cut may leave half a line at the end, which is cut off when the history is opened.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use memchr::memmem;
use parking_lot::Mutex;

use crate::event::Entry;

/// How long events are kept.
pub const KEPT: TimeDelta = TimeDelta::days(90);
/// Bytes of a file, after which the next one begins.
const SEGMENT: u64 = 4 << 20;
/// Files that are kept; with more, the oldest goes.
const SEGMENTS: usize = 256;
/// Milliseconds of a day: a file holds no more than one, so that old events go day by day.
const DAY: i64 = 86_400_000;
/// Hexadecimal digits of a line's checksum, and the space behind.
const PREFIX: usize = 9;

/// A place between two events: before the byte `offset` of the file `number`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) number: u64,
    pub(crate) offset: u64,
}

#[derive(Debug, Clone, Copy)]
struct Segment {
    number: u64,
    /// The time of the first event, in milliseconds since 1970.
    first: i64,
    length: u64,
}

impl Segment {
    fn path(&self, directory: &Path) -> PathBuf {
        directory.join(format!("{:010}-{:015}.log", self.number, self.first))
    }

    fn parse(name: &str) -> Option<(u64, i64)> {
        let (number, first) = name.strip_suffix(".log")?.split_once('-')?;
        Some((number.parse().ok()?, first.parse().ok()?))
    }
}

/// The history's files.
pub struct Store {
    directory: PathBuf,
    files: Mutex<Files>,
}

#[derive(Default)]
struct Files {
    segments: Vec<Segment>,
    /// The last segment, open for writing.
    current: Option<File>,
    /// The last event's time: the history's order is that of time.
    last: i64,
    /// Written since the last fsync.
    dirty: bool,
    /// Files were made or removed since the last fsync of the directory.
    renamed: bool,
}

impl Store {
    /// Opens what is in `directory`; there may be none yet.
    ///
    /// # Errors
    /// Files that can't be read or cut.
    pub fn open(directory: &Path) -> io::Result<Self> {
        let mut segments = Vec::new();
        match fs::read_dir(directory) {
            Ok(files) => {
                for file in files {
                    let file = file?;
                    let parsed = file.file_name().to_str().and_then(Segment::parse);
                    if let Some((number, first)) = parsed {
                        segments.push(Segment { number, first, length: file.metadata()?.len() });
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        segments.sort_by_key(|segment| segment.number);
        let mut files = Files { segments, ..Files::default() };
        files.resume(directory)?;
        Ok(Self { directory: directory.to_owned(), files: Mutex::new(files) })
    }

    /// Keeps an event. Its time is moved on to the last one's if it is earlier.
    pub(crate) fn append(&self, entry: &Entry) -> io::Result<()> {
        let line = line(entry)?;
        let mut files = self.files.lock();
        files.last = files.last.max(entry.time);
        let full = files.segments.last().is_none_or(|segment| {
            segment.length + line.len() as u64 > SEGMENT || entry.time >= segment.first.saturating_add(DAY)
        });
        if full || files.current.is_none() {
            files.begin(&self.directory, entry.time)?;
        }
        files.write(&line)
    }

    /// Brings what was written to the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let mut files = self.files.lock();
        let file = files.current.as_ref().filter(|_| files.dirty).map(File::try_clone).transpose()?;
        let renamed = std::mem::take(&mut files.renamed);
        files.dirty = false;
        drop(files);
        if let Some(file) = file {
            file.sync_data()?;
        }
        if renamed { File::open(&self.directory)?.sync_all() } else { Ok(()) }
    }

    /// Removes files that hold nothing younger than [`KEPT`], and the oldest ones of too many.
    pub(crate) fn expire(&self, now: DateTime<Utc>) -> io::Result<()> {
        let mut files = self.files.lock();
        let horizon = (now - KEPT).timestamp_millis();
        let old = |segments: &[Segment]| match segments {
            [_, next, ..] => next.first < horizon || segments.len() > SEGMENTS,
            _ => false,
        };
        while old(&files.segments) {
            let gone = files.segments.remove(0);
            fs::remove_file(gone.path(&self.directory))?;
            files.renamed = true;
        }
        Ok(())
    }

    /// The end of what is written.
    pub(crate) fn end(&self) -> Place {
        let files = self.files.lock();
        let last = files.segments.last();
        Place { number: last.map_or(0, |last| last.number), offset: last.map_or(0, |last| last.length) }
    }

    /// Visits events from `before` back to those of the time `since` (milliseconds since 1970), the youngest first, until
    /// `visit` has had enough. Only lines that hold `needle` are read. `until` tells which files are too young.
    pub(crate) fn back(
        &self,
        before: Place,
        (since, until): (i64, i64),
        needle: Option<&str>,
        mut visit: impl FnMut(Place, Entry) -> bool,
    ) -> io::Result<()> {
        let segments = self.files.lock().segments.clone();
        let finder = needle.map(|needle| memmem::Finder::new(needle.as_bytes()));
        for (index, segment) in segments.iter().enumerate().rev() {
            let next_begins = segments.get(index + 1).map(|next| next.first);
            if segment.number > before.number || segment.first > until {
                continue;
            }
            if next_begins.is_some_and(|next| next < since) {
                return Ok(());
            }
            let end = if segment.number == before.number { before.offset.min(segment.length) } else { segment.length };
            let Some(bytes) = read(&segment.path(&self.directory), end)? else { continue };
            let mut rest = &bytes[..];
            while let Some((start, line)) = last_line(rest) {
                rest = &rest[..start];
                if finder.as_ref().is_some_and(|finder| finder.find(line).is_none()) {
                    continue;
                }
                let Some(entry) = parse(line) else {
                    tracing::warn!(file = segment.number, offset = start, "a damaged event is left out");
                    continue;
                };
                if entry.time < since {
                    return Ok(());
                }
                if !visit(Place { number: segment.number, offset: start as u64 }, entry) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

impl Files {
    /// Goes on with the last file, without what a power cut left half there.
    fn resume(&mut self, directory: &Path) -> io::Result<()> {
        let Some(last) = self.segments.last_mut() else { return Ok(()) };
        let path = last.path(directory);
        let bytes = fs::read(&path)?;
        let mut whole = memchr::memrchr(b'\n', &bytes).map_or(0, |end| end + 1);
        let newest = loop {
            let Some((start, line)) = last_line(&bytes[..whole]) else { break None };
            if let Some(entry) = parse(line) {
                break Some(entry);
            }
            whole = start;
        };
        let file = OpenOptions::new().append(true).open(&path)?;
        if whole as u64 != last.length {
            tracing::warn!(file = %path.display(), bytes = bytes.len() - whole, "what a crash left half written is cut off");
            file.set_len(whole as u64)?;
            file.sync_all()?;
        }
        last.length = whole as u64;
        self.last = newest.map_or(last.first, |entry| entry.time);
        self.current = Some(file);
        Ok(())
    }

    fn begin(&mut self, directory: &Path, time: i64) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let number = self.segments.last().map_or(1, |last| last.number + 1);
        let segment = Segment { number, first: time.max(0), length: 0 };
        let mut options = OpenOptions::new();
        let file = options.append(true).create_new(true).mode(0o600).open(segment.path(directory))?;
        if let Some(before) = self.current.replace(file) {
            before.sync_data()?;
        }
        self.renamed = true;
        self.segments.push(segment);
        Ok(())
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let (Some(file), Some(segment)) = (self.current.as_mut(), self.segments.last_mut()) else {
            return Err(io::Error::other("no file is open"));
        };
        if let Err(error) = file.write_all(line) {
            // Half a line would hide the next one.
            file.set_len(segment.length)?;
            return Err(error);
        }
        segment.length += line.len() as u64;
        self.dirty = true;
        Ok(())
    }
}

fn line(entry: &Entry) -> io::Result<Vec<u8>> {
    let json = serde_json::to_string(entry)?;
    Ok(format!("{:08x} {json}\n", crc_fast::crc32_iscsi(json.as_bytes())).into_bytes())
}

fn parse(line: &[u8]) -> Option<Entry> {
    let (prefix, json) = line.split_at_checked(PREFIX)?;
    let checksum = u32::from_str_radix(std::str::from_utf8(&prefix[..PREFIX - 1]).ok()?, 16).ok()?;
    if checksum != crc_fast::crc32_iscsi(json) {
        return None;
    }
    serde_json::from_slice(json).ok()
}

/// Where the last line of `bytes` begins, and the line without its end.
fn last_line(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let line = bytes.strip_suffix(b"\n")?;
    let start = memchr::memrchr(b'\n', line).map_or(0, |end| end + 1);
    Some((start, &line[start..]))
}

/// The first `end` bytes of a file; none if it has been removed meanwhile.
fn read(path: &Path, end: u64) -> io::Result<Option<Vec<u8>>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::with_capacity(usize::try_from(end).unwrap_or_default());
    file.take(end).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(time: i64, name: &str) -> Entry {
        Entry {
            time,
            event_id: format!("id-{time}"),
            event_name: name.into(),
            event_source: "iam.amazonaws.com".into(),
            read_only: false,
            username: None,
            access_key_id: None,
            resources: Vec::new(),
            cloud_trail_event: "{}".into(),
        }
    }

    fn names(store: &Store, needle: Option<&str>) -> Vec<String> {
        let mut found = Vec::new();
        let visit = |_, entry: Entry| {
            found.push(entry.event_name);
            true
        };
        store.back(store.end(), (0, i64::MAX), needle, visit).unwrap();
        found
    }

    #[test]
    fn the_youngest_event_comes_first_also_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("trail");
        let store = Store::open(&path).unwrap();
        assert!(names(&store, None).is_empty() && !path.exists());
        for (time, name) in [(1, "A"), (2, "B"), (DAY + 5, "C")] {
            store.append(&entry(time, name)).unwrap();
        }
        assert_eq!(names(&store, None), ["C", "B", "A"]);
        assert_eq!(names(&store, Some("\"B\"")), ["B"]);
        store.sync().unwrap();
        drop(store);
        let store = Store::open(&path).unwrap();
        store.append(&entry(DAY + 6, "D")).unwrap();
        assert_eq!(names(&store, None), ["D", "C", "B", "A"]);
        assert_eq!(fs::read_dir(&path).unwrap().count(), 2);
    }

    #[test]
    fn half_a_line_is_cut_off_and_a_damaged_one_left_out() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        for name in ["A", "B", "C"] {
            store.append(&entry(1, name)).unwrap();
        }
        drop(store);
        let file = fs::read_dir(directory.path()).unwrap().next().unwrap().unwrap().path();
        let mut bytes = fs::read(&file).unwrap();
        let lines: Vec<usize> = memchr::memchr_iter(b'\n', &bytes).collect();
        bytes[lines[0] + 20] ^= 1;
        bytes.truncate(bytes.len() - 3);
        fs::write(&file, &bytes).unwrap();
        let store = Store::open(directory.path()).unwrap();
        store.append(&entry(2, "D")).unwrap();
        // B is damaged in the middle of the file; C was half written at its end.
        assert_eq!(names(&store, None), ["D", "A"]);
    }

    #[test]
    fn every_cut_leaves_a_history_that_opens() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        for name in ["A", "B"] {
            store.append(&entry(1, name)).unwrap();
        }
        let file = fs::read_dir(directory.path()).unwrap().next().unwrap().unwrap().path();
        let bytes = fs::read(&file).unwrap();
        for length in 0..=bytes.len() {
            fs::write(&file, &bytes[..length]).unwrap();
            let store = Store::open(directory.path()).unwrap();
            store.append(&entry(2, "C")).unwrap();
            let expected: &[&str] = match length {
                _ if length == bytes.len() => &["C", "B", "A"],
                _ if length >= bytes.len() / 2 => &["C", "A"],
                _ => &["C"],
            };
            assert_eq!(names(&store, None), expected, "{length}");
        }
    }

    #[test]
    fn old_files_go() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        for day in 0..4 {
            store.append(&entry(day * DAY, &format!("Day{day}"))).unwrap();
        }
        let at = |day: i64| DateTime::from_timestamp_millis(day * DAY).unwrap();
        store.expire(at(90)).unwrap();
        assert_eq!(names(&store, None).len(), 4);
        store.expire(at(92)).unwrap();
        assert_eq!(names(&store, None), ["Day3", "Day2", "Day1"]);
        store.expire(at(900)).unwrap();
        assert_eq!(names(&store, None), ["Day3"]);
    }
}
