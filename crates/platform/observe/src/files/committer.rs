//! The threads that append: everything that waits is written, then each file is made durable once, then all are told.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use tokio::sync::oneshot;

use super::frame::{self, HEADER};
use super::segments::{Segment, StreamLog, segment_path, summary_path};
use super::{FilesError, NewEvent, StreamId, sync_directory};

/// Bytes after which a segment is followed by another.
const SEGMENT_BYTES: u64 = 4 << 20;
/// Batches that may share an fsync.
const GROUP_LIMIT: usize = 256;
/// Files that stay open between appends.
const OPEN_FILES: usize = 64;

pub(crate) type Done = oneshot::Sender<Result<(), FilesError>>;

/// What a committer is asked to do.
pub(crate) enum Job {
    /// Keep a batch.
    Append { stream: Arc<StreamLog>, ingestion: i64, events: Vec<NewEvent>, done: Done },
    /// Remove all files of a stream.
    Remove { id: StreamId, stream: Option<Arc<StreamLog>>, done: Done },
    /// Remove the segments that end before `cutoff`.
    Expire { stream: Arc<StreamLog>, cutoff: i64, done: Done },
}

/// Starts a committer for streams below `root`. It ends when its sender is dropped.
pub(crate) fn start(root: &Path) -> Result<mpsc::Sender<Job>, FilesError> {
    let (sender, jobs) = mpsc::channel();
    let mut committer = Committer { root: root.to_owned(), files: HashMap::new() };
    std::thread::Builder::new()
        .name("log-committer".into())
        .spawn(move || committer.work(&jobs))
        .map_err(FilesError::io(root))?;
    Ok(sender)
}

struct Committer {
    root: PathBuf,
    /// Open segments, positioned at their acknowledged ends.
    files: HashMap<StreamId, File>,
}

/// The batches for one stream that wait for the same fsync.
struct Batch {
    stream: Arc<StreamLog>,
    batches: Vec<(i64, Vec<NewEvent>)>,
    waiting: Vec<Done>,
}

impl Committer {
    fn work(&mut self, jobs: &mpsc::Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let mut group = HashMap::new();
            let mut others = Vec::new();
            let rest = std::iter::from_fn(|| jobs.try_recv().ok()).take(GROUP_LIMIT);
            for job in std::iter::once(first).chain(rest) {
                match job {
                    Job::Append { stream, ingestion, events, done } => {
                        let id = stream.id;
                        let new = || Batch { stream, batches: Vec::new(), waiting: Vec::new() };
                        let batch: &mut Batch = group.entry(id).or_insert_with(new);
                        batch.batches.push((ingestion, events));
                        batch.waiting.push(done);
                    }
                    other => others.push(other),
                }
            }
            for batch in group.into_values() {
                let outcome = self.append(&batch.stream, &batch.batches);
                batch.waiting.into_iter().for_each(|done| tell(done, outcome.clone()));
            }
            others.into_iter().for_each(|job| self.other(job));
            if self.files.len() > OPEN_FILES {
                self.files.clear();
            }
        }
    }

    fn other(&mut self, job: Job) {
        match job {
            Job::Remove { id, stream, done } => tell(done, self.remove(id, stream.as_deref())),
            Job::Expire { stream, cutoff, done } => tell(done, self.expire(&stream, cutoff)),
            Job::Append { done, .. } => tell(done, Err(FilesError::Closed)),
        }
    }

    fn append(&mut self, stream: &StreamLog, batches: &[(i64, Vec<NewEvent>)]) -> Result<(), FilesError> {
        let mut segment = self.writable(stream)?;
        let mut bytes = Vec::new();
        for (ingestion, events) in batches {
            frame::encode(&mut bytes, segment.next_sequence(), *ingestion, events);
            events.iter().for_each(|event| segment.count(event.timestamp, *ingestion));
        }
        let file = self.files.get_mut(&stream.id).expect("a writable segment is open");
        if let Err(error) = file.write_all(&bytes).and_then(|()| file.sync_data()) {
            // The next append opens the file again and cuts off what is not acknowledged.
            self.files.remove(&stream.id);
            return Err(FilesError::io(&segment_path(&stream.directory, segment.first_sequence))(error));
        }
        segment.length += bytes.len() as u64;
        let mut state = stream.state.write();
        *state.segments.last_mut().expect("a writable segment is known") = segment;
        Ok(())
    }

    /// The segment to append to, its file open.
    fn writable(&mut self, stream: &StreamLog) -> Result<Segment, FilesError> {
        let (last, gone) = {
            let state = stream.state.read();
            (state.segments.last().copied(), state.gone)
        };
        match last {
            _ if gone => Err(FilesError::Gone),
            Some(segment) if segment.length < SEGMENT_BYTES => {
                if let Entry::Vacant(closed) = self.files.entry(stream.id) {
                    let path = segment_path(&stream.directory, segment.first_sequence);
                    closed.insert(reopen(&path, segment.length).map_err(FilesError::io(&path))?);
                }
                Ok(Segment { length: segment.length.max(HEADER.len() as u64), ..segment })
            }
            last => self.next_segment(stream, last.map_or(0, |last| last.next_sequence())),
        }
    }

    fn next_segment(&mut self, stream: &StreamLog, first_sequence: u64) -> Result<Segment, FilesError> {
        let directory = &stream.directory;
        if !directory.exists() {
            fs::create_dir(directory).map_err(FilesError::io(directory))?;
            sync_directory(&self.root)?;
        }
        let path = segment_path(directory, first_sequence);
        let file = create(&path).map_err(FilesError::io(&path))?;
        sync_directory(directory)?;
        let segment = Segment::empty(first_sequence);
        let full = {
            let mut state = stream.state.write();
            let full = state.segments.last().copied();
            state.segments.push(segment);
            full
        };
        if let Some(full) = full {
            full.keep(directory);
        }
        self.files.insert(stream.id, file);
        Ok(segment)
    }

    fn remove(&mut self, id: StreamId, stream: Option<&StreamLog>) -> Result<(), FilesError> {
        if let Some(stream) = stream {
            let mut state = stream.state.write();
            state.gone = true;
            state.segments.clear();
        }
        self.files.remove(&id);
        let directory = self.root.join(id.to_string());
        match fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FilesError::io(&directory)(error)),
            _ => Ok(()),
        }
    }

    fn expire(&mut self, stream: &StreamLog, cutoff: i64) -> Result<(), FilesError> {
        let expired = |segment: &Segment| segment.events > 0 && segment.latest < cutoff;
        let (any, last) = {
            let state = stream.state.read();
            (state.segments.iter().any(expired), state.segments.last().copied())
        };
        if !any {
            return Ok(());
        }
        if let Some(last) = last.filter(expired) {
            // An empty segment remembers the next event's number.
            self.next_segment(stream, last.next_sequence())?;
        }
        let mut removed = Vec::new();
        stream.state.write().segments.retain(|segment| {
            let keep = !expired(segment);
            removed.extend((!keep).then_some(segment.first_sequence));
            keep
        });
        for first_sequence in removed {
            let path = segment_path(&stream.directory, first_sequence);
            fs::remove_file(&path).map_err(FilesError::io(&path))?;
            // It may never have been written.
            let _ = fs::remove_file(summary_path(&stream.directory, first_sequence));
        }
        sync_directory(&stream.directory)
    }
}

fn tell(done: Done, outcome: Result<(), FilesError>) {
    // Whoever asked may have gone away.
    let _ = done.send(outcome);
}

fn create(path: &Path) -> io::Result<File> {
    // A file that was made just before a crash has no acknowledged events.
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    file.write_all(HEADER)?;
    file.sync_all()?;
    Ok(file)
}

/// Opens a segment to append to it, without what follows its acknowledged bytes.
fn reopen(path: &Path, length: u64) -> io::Result<File> {
    if length < HEADER.len() as u64 {
        return create(path);
    }
    let mut file = OpenOptions::new().write(true).open(path)?;
    if file.metadata()?.len() > length {
        file.set_len(length)?;
        file.sync_all()?;
    }
    file.seek(SeekFrom::Start(length))?;
    Ok(file)
}
