//! The system calls that no library offers in safe dress. This process has one thread, which is what makes them sound.
#![allow(unsafe_code, reason = "system calls; each block says why it is sound")]

use std::ffi::{CString, c_int};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::Pid;
use rustix::thread::UnshareFlags;

fn checked(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Takes the socket that was passed as standard input, and puts nothing in its place.
pub(super) fn take_standard_input() -> io::Result<OwnedFd> {
    // SAFETY: fcntl with F_DUPFD_CLOEXEC touches no memory and answers a descriptor that nobody owns yet.
    let fd = unsafe { OwnedFd::from_raw_fd(checked(libc::fcntl(0, libc::F_DUPFD_CLOEXEC, 3))?) };
    let null = rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    // SAFETY: descriptor 0 is standard input, which no value in this process owns.
    unsafe { checked(libc::dup2(null.as_raw_fd(), 0))? };
    Ok(fd)
}

/// Lets standard error go where standard output goes.
pub(super) fn merge_output() -> io::Result<()> {
    // SAFETY: both are standard descriptors, which no value in this process owns.
    unsafe { checked(libc::dup2(1, 2)) }.map(drop)
}

/// Forks; none in the child. The child of a process with one thread may do whatever its parent could.
pub(super) fn fork() -> io::Result<Option<Pid>> {
    // SAFETY: this process has one thread, so no lock can be held by a thread that the child lacks.
    let pid = unsafe { checked(libc::fork())? };
    Ok(Pid::from_raw(pid))
}

/// Moves this process, or its children, into new namespaces.
pub(super) fn unshare(flags: UnshareFlags) -> io::Result<()> {
    // SAFETY: file descriptors are not unshared, the one thing that the function warns of.
    unsafe { rustix::thread::unshare_unsafe(flags)? };
    Ok(())
}

fn prctl(option: c_int, value: usize) -> io::Result<()> {
    let unused: libc::c_ulong = 0;
    // SAFETY: the options used below take numbers, not pointers.
    checked(unsafe { libc::prctl(option, value as libc::c_ulong, unused, unused, unused) }).map(drop)
}

/// Has the kernel kill this process when the one that forked it ends.
pub(super) fn die_with_parent() -> io::Result<()> {
    prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as usize)
}

/// Keeps others of the same user out of this process's memory and descriptors.
pub(super) fn forbid_inspection() -> io::Result<()> {
    prctl(libc::PR_SET_DUMPABLE, 0)
}

/// Gives a process its own files under `/proc/self` back after its user has changed.
pub(super) fn allow_inspection() -> io::Result<()> {
    prctl(libc::PR_SET_DUMPABLE, 1)
}

/// Makes orphans of the tree children of this process.
pub(super) fn adopt_orphans() -> io::Result<()> {
    prctl(libc::PR_SET_CHILD_SUBREAPER, 1)
}

/// Takes one capability out of the set that executed programs could ever have. `EINVAL` for numbers that the kernel lacks.
pub(super) fn drop_from_bounding_set(capability: usize) -> io::Result<()> {
    prctl(libc::PR_CAPBSET_DROP, capability)
}

/// A pipe that executed programs don't inherit.
pub(super) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?)
}

/// Reads until all writers are gone.
pub(super) fn read_all(fd: &OwnedFd) -> io::Result<String> {
    let mut text = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match rustix::io::read(fd, &mut piece) {
            Ok(0) => return Ok(String::from_utf8_lossy(&text).into_owned()),
            Ok(count) => text.extend_from_slice(&piece[..count]),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The end of a child that could not execute the command.
pub(super) fn report_and_exit(fd: &OwnedFd, message: &str) -> ! {
    let _ = rustix::io::write(fd, message.as_bytes());
    std::process::exit(127)
}

/// Has no descriptor but the standard ones inherited by the program that is executed next.
pub(super) fn close_on_exec_from(first: u32) -> io::Result<()> {
    // SAFETY: the call changes flags of descriptors and touches no memory.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Sets attributes (`MOUNT_ATTR_…`) on all mounts of a detached tree.
pub(super) fn set_mount_attributes(tree: &OwnedFd, set: u64) -> io::Result<()> {
    let attributes = libc::mount_attr { attr_set: set, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let flags = libc::AT_EMPTY_PATH | libc::AT_RECURSIVE;
    // SAFETY: the path is a C string, and the structure lives through the call that is told its size.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Switches a network device on.
pub(super) fn raise_device(socket: &OwnedFd, name: &str) -> io::Result<()> {
    let name = CString::new(name)?;
    // SAFETY: the structure is plain data for which zeroes are a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    let bytes = name.as_bytes_with_nul().iter().take(libc::IFNAMSIZ);
    for (place, byte) in request.ifr_name.iter_mut().zip(bytes) {
        *place = *byte as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the request is an ifreq, as SIOCSIFFLAGS expects, and lives through the call.
    checked(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) }).map(drop)
}
