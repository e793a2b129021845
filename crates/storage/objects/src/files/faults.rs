//! A disk that fails on demand: it counts what is done to it, and at one step the power goes or the step fails.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rustix::fs::SeekFrom;

use super::{Files, Step};

/// What a power cut leaves of what was written and not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Nothing, and half of the bytes that were just being written are there: the process was killed.
    Torn,
    /// Nothing: neither bytes nor names, and what was removed is there again.
    Unsynced,
    /// The lengths of files, with zeros for bytes.
    Zeroed,
}

/// What is to happen.
#[derive(Debug, Clone)]
pub(crate) enum Plan {
    /// Nothing but counting.
    Count,
    /// At this step the power goes: nothing more succeeds, and what the disk then holds is copied to `image`.
    Cut { at: usize, loss: Loss, image: PathBuf },
    /// This step alone fails.
    Fail { at: usize, errno: i32 },
}

/// What of a file is durable.
#[derive(Debug, Clone, Default)]
struct Known {
    synced: u64,
    /// Whether its name is.
    named: bool,
}

struct State {
    plan: Plan,
    steps: Vec<(Step, PathBuf)>,
    dead: bool,
    files: BTreeMap<PathBuf, Known>,
    /// Directories whose names are not durable.
    unnamed: BTreeSet<PathBuf>,
    /// Durable bytes of files whose removal is not.
    ghosts: BTreeMap<PathBuf, Vec<u8>>,
}

/// The disk below one directory.
pub(crate) struct Faults {
    root: PathBuf,
    state: Mutex<State>,
}

enum Verdict {
    Go,
    Cut,
    Fail(io::Error),
}

fn gone() -> io::Error {
    io::Error::other("the power is gone")
}

impl Files {
    pub(crate) fn faulty(root: &Path, plan: Plan) -> (Self, Arc<Faults>) {
        let state = State {
            plan,
            steps: Vec::new(),
            dead: false,
            files: BTreeMap::new(),
            unnamed: BTreeSet::new(),
            ghosts: BTreeMap::new(),
        };
        let faults = Arc::new(Faults { root: root.to_owned(), state: Mutex::new(state) });
        (Self { faults: Some(Arc::clone(&faults)) }, faults)
    }
}

impl Faults {
    /// What was done so far.
    pub(crate) fn steps(&self) -> Vec<(Step, PathBuf)> {
        self.state.lock().steps.clone()
    }

    /// Whether the plan's step has come.
    pub(crate) fn happened(&self) -> bool {
        let state = self.state.lock();
        match state.plan {
            Plan::Count => false,
            Plan::Cut { .. } => state.dead,
            Plan::Fail { at, .. } => state.steps.len() >= at,
        }
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.state.lock().dead
    }

    // One step at a time: what the image holds is what one moment left.
    pub(super) fn run<T>(&self, step: Step, path: &Path, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state.lock();
        match state.meet(step, path) {
            Verdict::Go => {}
            Verdict::Fail(error) => return Err(error),
            Verdict::Cut => return Err(state.cut(&self.root)),
        }
        if step == Step::Remove {
            state.note_removal(path);
        }
        let new_directory = step == Step::MakeDirectory && !path.exists();
        let done = work()?;
        if new_directory {
            state.unnamed.insert(path.to_owned());
        }
        state.note(step, path);
        Ok(done)
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.run(Step::Rename, from, || std::fs::rename(from, to))?;
        let mut state = self.state.lock();
        let known = state.files.remove(from).unwrap_or_default();
        state.files.insert(to.to_owned(), Known { named: false, ..known });
        Ok(())
    }

    pub(super) fn write(&self, file: &mut File, path: &Path, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.state.lock();
        match state.meet(Step::Write, path) {
            Verdict::Go => {}
            Verdict::Fail(error) => {
                // A disk that fills up takes the first of the bytes.
                file.write_all(&bytes[..bytes.len() / 3])?;
                return Err(error);
            }
            Verdict::Cut => {
                if matches!(state.plan, Plan::Cut { loss: Loss::Torn, .. }) {
                    file.write_all(&bytes[..bytes.len() / 2])?;
                }
                return Err(state.cut(&self.root));
            }
        }
        file.write_all(bytes)?;
        Ok(bytes.len())
    }
}

impl State {
    fn meet(&mut self, step: Step, path: &Path) -> Verdict {
        if self.dead {
            return Verdict::Fail(gone());
        }
        self.steps.push((step, path.to_owned()));
        match self.plan {
            Plan::Cut { at, .. } if at == self.steps.len() => Verdict::Cut,
            Plan::Fail { at, errno } if at == self.steps.len() => Verdict::Fail(io::Error::from_raw_os_error(errno)),
            _ => Verdict::Go,
        }
    }

    fn note(&mut self, step: Step, path: &Path) {
        let length = || std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        match step {
            Step::Create => {
                self.files.insert(path.to_owned(), Known::default());
            }
            Step::Open => {
                // What an earlier store left had all the time in the world.
                self.files.entry(path.to_owned()).or_insert_with(|| Known { synced: length(), named: true });
            }
            Step::Sync => {
                let length = length();
                self.files.entry(path.to_owned()).or_insert(Known { synced: 0, named: true }).synced = length;
            }
            Step::SyncDirectory => {
                let within = |other: &Path| other.parent() == Some(path);
                self.files.iter_mut().filter(|(file, _)| within(file)).for_each(|(_, known)| known.named = true);
                self.ghosts.retain(|file, _| !within(file));
                self.unnamed.retain(|directory| !within(directory));
            }
            Step::Write | Step::MakeDirectory | Step::Rename | Step::Remove | Step::Commit => {}
        }
    }

    fn note_removal(&mut self, path: &Path) {
        let known = self.files.remove(path);
        let Ok(mut bytes) = std::fs::read(path) else { return };
        match known {
            Some(Known { named: false, .. }) => {}
            Some(Known { synced, .. }) => {
                bytes.truncate(synced as usize);
                self.ghosts.insert(path.to_owned(), bytes);
            }
            None => {
                self.ghosts.insert(path.to_owned(), bytes);
            }
        }
    }

    fn cut(&mut self, root: &Path) -> io::Error {
        self.dead = true;
        if let Plan::Cut { loss, image, .. } = &self.plan {
            self.copy_directory(root, image, *loss).expect("the image can be written");
            if *loss == Loss::Unsynced {
                for (path, bytes) in &self.ghosts {
                    let within = path.strip_prefix(root).expect("a file of the store");
                    std::fs::write(image.join(within), bytes).expect("the image can be written");
                }
            }
        }
        gone()
    }

    fn copy_directory(&self, from: &Path, to: &Path, loss: Loss) -> io::Result<()> {
        std::fs::create_dir_all(to)?;
        for entry in std::fs::read_dir(from)? {
            let (path, copy) = (entry.as_ref().unwrap().path(), to.join(entry.as_ref().unwrap().file_name()));
            if path.is_dir() {
                if loss != Loss::Unsynced || !self.unnamed.contains(&path) {
                    self.copy_directory(&path, &copy, loss)?;
                }
                continue;
            }
            let known = self.files.get(&path);
            if loss == Loss::Unsynced && known.is_some_and(|known| !known.named) {
                continue;
            }
            copy_sparse(&path, &copy)?;
            let Some(known) = known else { continue };
            let file = File::options().write(true).open(&copy)?;
            let length = file.metadata()?.len();
            if matches!(loss, Loss::Unsynced | Loss::Zeroed) {
                file.set_len(known.synced.min(length))?;
            }
            if loss == Loss::Zeroed {
                file.set_len(length)?;
            }
        }
        Ok(())
    }
}

/// Copies a file without its holes: logs are as long as they may become.
pub(crate) fn copy_sparse(from: &Path, to: &Path) -> io::Result<()> {
    use std::os::unix::fs::FileExt as _;
    let (source, target) = (File::open(from)?, File::create(to)?);
    let length = source.metadata()?.len();
    target.set_len(length)?;
    let mut at = 0;
    while at < length {
        let Ok(start) = rustix::fs::seek(&source, SeekFrom::Data(at)) else { break };
        let end = rustix::fs::seek(&source, SeekFrom::Hole(start)).unwrap_or(length);
        let mut bytes = vec![0; (end - start) as usize];
        source.read_exact_at(&mut bytes, start)?;
        target.write_all_at(&bytes, start)?;
        at = end;
    }
    Ok(())
}
