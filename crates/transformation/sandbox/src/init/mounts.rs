//! The new root: a small tmpfs with the system's directories, devices, `/proc`, scratch space, and what was granted.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

use rustix::fs::CWD;
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, mount, mount_change, mount_remount,
    move_mount, open_tree, unmount,
};
use rustix::process::{chdir, pivot_root};

use super::{INNER_GID, INNER_UID, InitError, Step, system};
use crate::spec::{Identity, Plan};

/// The system's programs and libraries: links are made again, directories shown.
const SYSTEM: [&str; 6] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"];
/// What programs look for in `/etc` and may know.
const SETTINGS: [&str; 7] = [
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/pki",
    "/etc/ssl",
];
const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];
const DEVICE_LINKS: [(&str, &str); 4] =
    [("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")];
/// Bytes that `/dev/shm` may hold, unless the scratch space is smaller.
const SHARED_MEMORY: u64 = 64 << 20;

const READ_ONLY: u64 = libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;
const DEVICE: u64 = libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NOEXEC;

/// Puts the root together and makes it this process's own. Nothing of the old one stays reachable.
pub(super) fn enter(plan: &Plan) -> Result<(), InitError> {
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).step("making mounts private")?;
    let safe = MountFlags::NOSUID | MountFlags::NODEV;
    let root = Root { staging: &plan.staging, hidden: &plan.hidden };
    mount("boathouse", root.staging, "tmpfs", safe, c"size=1m,nr_inodes=8k,mode=0755").step("mounting the root")?;
    for path in SYSTEM.into_iter().chain(SETTINGS) {
        root.show(Path::new(path))?;
    }
    root.write_settings()?;
    root.devices(plan)?;
    root.scratch("/tmp", plan.scratch, plan.identity)?;
    root.processes();
    for granted in &plan.mounts {
        root.bind(&granted.source, &granted.target, READ_ONLY)?;
    }
    for empty in ["/opt", "/var/task"] {
        let path = root.inside(Path::new(empty));
        fs::create_dir_all(&path).step(format!("making {empty}"))?;
    }
    chdir(root.staging).step("entering the root")?;
    pivot_root(".", ".").step("changing the root")?;
    unmount(".", UnmountFlags::DETACH).step("leaving the old root")?;
    chdir("/").step("entering the root")?;
    mount_remount("/", MountFlags::RDONLY | MountFlags::BIND | safe, c"").step("making the root read-only")
}

struct Root<'a> {
    staging: &'a Path,
    hidden: &'a [PathBuf],
}

impl Root<'_> {
    /// Where an absolute path of the new root is while that is put together.
    fn inside(&self, path: &Path) -> PathBuf {
        let below = path.components().filter(|part| matches!(part, Component::Normal(_)));
        self.staging.join(below.collect::<PathBuf>())
    }

    /// Shows something of the machine in its own place, if the machine has it.
    fn show(&self, path: &Path) -> Result<(), InitError> {
        let Ok(found) = fs::symlink_metadata(path) else {
            return Ok(());
        };
        if !found.is_symlink() {
            return self.bind(path, path, READ_ONLY);
        }
        let target = fs::read_link(path).step(format!("reading {}", path.display()))?;
        let link = self.inside(path);
        self.make_parent(&link)?;
        symlink(target, &link).step(format!("linking {}", path.display()))
    }

    fn make_parent(&self, path: &Path) -> Result<(), InitError> {
        let parent = path.parent().unwrap_or(self.staging);
        fs::create_dir_all(parent).step(format!("making {}", parent.display()))
    }

    /// Shows `source` as `target` with the attributes `set`, with what is hidden covered.
    fn bind(&self, source: &Path, target: &Path, set: u64) -> Result<(), InitError> {
        let what = || format!("showing {} as {}", source.display(), target.display());
        let is_directory = fs::metadata(source).step(what())?.is_dir();
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
        let tree = open_tree(CWD, source, flags).step(what())?;
        system::set_mount_attributes(&tree, set).step(what())?;
        let place = self.inside(target);
        // Inside a directory that is shown read-only, the place must be there already.
        if is_directory {
            fs::create_dir_all(&place).step(what())?;
        } else if !place.exists() {
            self.make_parent(&place)?;
            fs::write(&place, []).step(what())?;
        }
        move_mount(&tree, "", CWD, &place, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).step(what())?;
        for hidden in self.hidden {
            if let Ok(below) = hidden.strip_prefix(source) {
                self.cover(&place.join(below))?;
            }
        }
        Ok(())
    }

    /// Lays an empty directory over one of the machine's.
    fn cover(&self, place: &Path) -> Result<(), InitError> {
        if !place.is_dir() {
            return Ok(());
        }
        let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC | MountFlags::RDONLY;
        mount("hidden", place, "tmpfs", flags, c"size=4k,mode=0000").step(format!("hiding {}", place.display()))
    }

    /// The few files of `/etc` that name resolution and user look-ups read.
    fn write_settings(&self) -> Result<(), InitError> {
        let files = [
            ("passwd", format!("sandbox:x:{INNER_UID}:{INNER_GID}::/tmp:/bin/sh\n")),
            ("group", format!("sandbox:x:{INNER_GID}:\n")),
            ("hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n".to_owned()),
            ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n".to_owned()),
            ("resolv.conf", String::new()),
        ];
        for (name, text) in files {
            let path = self.inside(Path::new("/etc")).join(name);
            self.make_parent(&path)?;
            fs::write(&path, text).step(format!("writing /etc/{name}"))?;
        }
        Ok(())
    }

    fn devices(&self, plan: &Plan) -> Result<(), InitError> {
        let place = self.inside(Path::new("/dev"));
        fs::create_dir_all(&place).step("making /dev")?;
        for name in DEVICES {
            let path = Path::new("/dev").join(name);
            self.bind(&path, &path, DEVICE)?;
        }
        for (name, target) in DEVICE_LINKS {
            symlink(target, place.join(name)).step(format!("linking /dev/{name}"))?;
        }
        self.scratch("/dev/shm", plan.scratch.min(SHARED_MEMORY), plan.identity)
    }

    /// Space that the tree may write to.
    fn scratch(&self, path: &str, size: u64, identity: Identity) -> Result<(), InitError> {
        let place = self.inside(Path::new(path));
        fs::create_dir_all(&place).step(format!("making {path}"))?;
        let owner = match identity {
            Identity::Own(id) => format!(",uid={id},gid={id}"),
            Identity::Server { .. } => String::new(), // whoever mounts it
        };
        let options = format!("size={size},nr_inodes=256k,mode=0700{owner}");
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        let options = std::ffi::CString::new(options).map_err(std::io::Error::from).step("scratch options")?;
        mount("scratch", &place, "tmpfs", flags, options.as_c_str()).step(format!("mounting {path}"))
    }

    /// The tree's own processes. Inside some containers the kernel refuses this; most programs do without.
    fn processes(&self) {
        let place = self.inside(Path::new("/proc"));
        let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
        let _ = fs::create_dir_all(&place).map(|()| mount("proc", &place, "proc", flags, c""));
    }
}
