//! Limits and accounts of a tree by cgroups: v2 where the server may make some, else v1, else none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::spec::Limits;

const PREFIX: &str = "boathouse-";

/// Where the server may make cgroups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hierarchy {
    /// One tree with all controllers.
    V2(PathBuf),
    /// A tree for each controller; those that can't be used are absent.
    V1 { memory: Option<PathBuf>, cpu: Option<PathBuf>, pids: Option<PathBuf> },
    /// None at all.
    Absent,
}

impl Hierarchy {
    /// Looks for writable cgroups below the one that this process is in, and removes what servers that died left there.
    pub(crate) fn discover() -> Self {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let found = Self::find(&mounts, &own);
        if let Self::V1 { memory: None, cpu: None, pids: None } = found { Self::Absent } else { found }
    }

    fn find(mounts: &str, own: &str) -> Self {
        let unified = place(mounts, own, "").filter(|path| has_controllers(path));
        if let Some(base) = unified.and_then(|path| prepare_v2(&path).ok()) {
            return Self::V2(base);
        }
        let prepared = |controller: &str| place(mounts, own, controller).and_then(|path| prepare(&path).ok());
        Self::V1 { memory: prepared("memory"), cpu: prepared("cpu"), pids: prepared("pids") }
    }

    /// What can't be limited by a cgroup, in words.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        match self {
            Self::V2(_) => Vec::new(),
            Self::Absent => vec!["memory", "processes", "processor share"],
            Self::V1 { memory, cpu, pids } => {
                let named = [(memory, "memory"), (pids, "processes"), (cpu, "processor share")];
                named.into_iter().filter(|(path, _)| path.is_none()).map(|(_, name)| name).collect()
            }
        }
    }

    /// A new group with these limits.
    pub(crate) fn create(&self, name: &str, limits: &Limits) -> io::Result<Group> {
        // Files in the scratch space are memory, too; the rest is watched (see `Group::own_memory`).
        let memory = limits.memory.saturating_add(limits.scratch).to_string();
        let processes = limits.processes.saturating_add(1).to_string();
        let mut group = Group::default();
        match self {
            Self::Absent => {}
            Self::V2(base) => {
                let path = group.make(base, name)?;
                group.memory = Some(Memory { path: path.clone(), v2: true });
                write(&path, "memory.max", &memory)?;
                write(&path, "pids.max", &processes)?;
                let _ = write(&path, "memory.swap.max", "0"); // absent without swap
                let _ = write(&path, "cpu.weight", &weight(limits.processor_share, 100, 10_000));
            }
            Self::V1 { memory: memory_base, cpu, pids } => {
                if let Some(base) = memory_base {
                    let path = group.make(base, name)?;
                    write(&path, "memory.limit_in_bytes", &memory)?;
                    let _ = write(&path, "memory.memsw.limit_in_bytes", &memory); // absent without swap accounting
                    group.memory = Some(Memory { path, v2: false });
                }
                if let Some(base) = pids {
                    let path = group.make(base, name)?;
                    write(&path, "pids.max", &processes)?;
                }
                if let Some(base) = cpu {
                    let path = group.make(base, name)?;
                    write(&path, "cpu.shares", &weight(limits.processor_share, 1024, 262_144))?;
                }
            }
        }
        Ok(group)
    }

    fn bases(&self) -> Vec<&Path> {
        match self {
            Self::V2(base) => vec![base],
            Self::V1 { memory, cpu, pids } => [memory, cpu, pids].into_iter().flatten().map(PathBuf::as_path).collect(),
            Self::Absent => Vec::new(),
        }
    }
}

impl Drop for Hierarchy {
    fn drop(&mut self) {
        for base in self.bases() {
            let _ = fs::remove_dir(base);
        }
    }
}

fn weight(processors: f64, one: u32, most: u32) -> String {
    let weight = (processors * f64::from(one)).clamp(2.0, f64::from(most));
    format!("{weight:.0}")
}

fn write(directory: &Path, file: &str, value: &str) -> io::Result<()> {
    let path = directory.join(file);
    fs::write(&path, value).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// Where a controller's cgroup of this process is mounted; the empty name stands for v2.
fn place(mounts: &str, own: &str, controller: &str) -> Option<PathBuf> {
    let named = |list: &str| list.split(',').any(|one| one == controller);
    let path = own.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        (if controller.is_empty() { controllers.is_empty() } else { named(controllers) }).then_some(path)
    })?;
    mounts.lines().find_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let (mut left, mut right) = (left.split(' ').skip(3), right.split(' '));
        let (root, mount_point) = (left.next()?, left.next()?);
        let (kind, _, options) = (right.next()?, right.next()?, right.next()?);
        let wanted = if controller.is_empty() { kind == "cgroup2" } else { kind == "cgroup" && named(options) };
        let below = path.strip_prefix(root.trim_end_matches('/')).unwrap_or_default();
        wanted.then(|| Path::new(mount_point).join(below.trim_start_matches('/')))
    })
}

fn has_controllers(path: &Path) -> bool {
    let controllers = fs::read_to_string(path.join("cgroup.controllers")).unwrap_or_default();
    ["memory", "pids"].iter().all(|wanted| controllers.split_whitespace().any(|one| one == *wanted))
}

/// Makes this server's own group below `path`, and clears away those of servers that are gone.
fn prepare(path: &Path) -> io::Result<PathBuf> {
    clear_away(path);
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let base = path.join(format!("{PREFIX}{}-{number}", std::process::id()));
    fs::create_dir(&base).map(|()| base)
}

/// As [`prepare`], with the controllers handed down. A group that has processes can't do that, so the server moves into a
/// group of its own first; it must be alone, because other programs' processes are not its to move.
fn prepare_v2(path: &Path) -> io::Result<PathBuf> {
    let hand_down = |path: &Path| write(path, "cgroup.subtree_control", "+memory +pids +cpu");
    let base = prepare(path)?;
    if hand_down(path).is_err() {
        let server = base.join("server");
        let alone = fs::read_to_string(path.join("cgroup.procs"))?.trim() == std::process::id().to_string();
        if !alone {
            let _ = fs::remove_dir(&base);
            return Err(io::Error::other("the cgroup has other processes"));
        }
        // Groups with children can't have processes either, so `server` and `trees` are beside each other.
        fs::create_dir_all(&server)?;
        write(&server, "cgroup.procs", &std::process::id().to_string())?;
        hand_down(path)?;
    }
    hand_down(&base)?;
    Ok(base)
}

fn clear_away(path: &Path) {
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        let pid = pid.split('-').next().unwrap_or(pid);
        if pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists() {
            for group in fs::read_dir(entry.path()).into_iter().flatten().flatten() {
                let _ = fs::remove_dir(group.path());
            }
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// A tree's cgroups; removed when dropped, which needs the tree to be gone.
#[derive(Debug, Default)]
pub(crate) struct Group {
    directories: Vec<PathBuf>,
    memory: Option<Memory>,
}

#[derive(Debug)]
struct Memory {
    path: PathBuf,
    v2: bool,
}

impl Group {
    fn make(&mut self, base: &Path, name: &str) -> io::Result<PathBuf> {
        let path = base.join(name);
        fs::create_dir(&path)?;
        self.directories.push(path.clone());
        Ok(path)
    }

    /// Puts a process and its later children under the limits.
    pub(crate) fn add(&self, pid: i32) -> io::Result<()> {
        self.directories.iter().try_for_each(|directory| write(directory, "cgroup.procs", &pid.to_string()))
    }

    /// Bytes of memory that are the tree's own: neither its files nor the machine's. None without accounts.
    pub(crate) fn own_memory(&self) -> Option<u64> {
        let memory = self.memory.as_ref()?;
        let text = fs::read_to_string(memory.path.join("memory.stat")).ok()?;
        number_after(&text, if memory.v2 { "anon" } else { "total_rss" })
    }

    /// Whether the kernel has killed something for want of memory.
    pub(crate) fn out_of_memory(&self) -> bool {
        let Some(memory) = &self.memory else { return false };
        let file = if memory.v2 { "memory.events" } else { "memory.oom_control" };
        let text = fs::read_to_string(memory.path.join(file)).unwrap_or_default();
        number_after(&text, "oom_kill").is_some_and(|kills| kills > 0)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for directory in &self.directories {
            if let Err(error) = fs::remove_dir(directory) {
                tracing::debug!(%error, directory = %directory.display(), "a cgroup stays until the next start");
            }
        }
    }
}

fn number_after(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
30 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
31 31 0:29 /docker/1 /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

    #[test]
    fn a_controllers_place_is_found() {
        let own = "4:memory:/user/7\n2:cpu,cpuacct:/docker/1/x\n0::/a/b\n";
        let path = |controller| place(MOUNTS, own, controller).map(|path| path.to_string_lossy().into_owned());
        assert_eq!(path("memory").as_deref(), Some("/sys/fs/cgroup/memory/user/7"));
        assert_eq!(path("cpu").as_deref(), Some("/sys/fs/cgroup/cpu,cpuacct/x"));
        assert_eq!(path("").as_deref(), Some("/sys/fs/cgroup/unified/a/b"));
        assert_eq!(path("pids"), None);
    }

    #[test]
    fn limits_are_written_where_each_version_reads_them() {
        let directory = tempfile::tempdir().unwrap();
        let limits = Limits { memory: 1000, scratch: 24, processes: 9, processor_share: 0.5, ..Limits::default() };
        let read = |path: &str| fs::read_to_string(directory.path().join(path)).unwrap();
        let v2 = Hierarchy::V2(directory.path().to_owned());
        let group = v2.create("a", &limits).unwrap();
        assert_eq!(
            (read("a/memory.max"), read("a/pids.max"), read("a/cpu.weight")),
            ("1024".into(), "10".into(), "50".into())
        );
        fs::write(directory.path().join("a/memory.stat"), "anon 77\nfile 5\n").unwrap();
        fs::write(directory.path().join("a/memory.events"), "oom 1\noom_kill 1\n").unwrap();
        assert_eq!((group.own_memory(), group.out_of_memory()), (Some(77), true));
        let base = directory.path().join("v1");
        fs::create_dir(&base).unwrap();
        let v1 = Hierarchy::V1 { memory: Some(base.clone()), cpu: None, pids: None };
        v1.create("b", &limits).unwrap();
        assert_eq!(read("v1/b/memory.limit_in_bytes"), "1024");
        assert_eq!(v1.missing(), ["processes", "processor share"]);
    }

    #[test]
    fn groups_of_servers_that_are_gone_are_cleared_away() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for name in ["boathouse-4194305-0/1", "boathouse-1-0/1", "other/1"] {
            fs::create_dir_all(path(name)).unwrap();
        }
        clear_away(directory.path());
        assert!(!path("boathouse-4194305-0").exists() && path("boathouse-1-0").exists() && path("other").exists());
    }
}
