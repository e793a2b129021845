//! The seccomp filter: what no function needs and exploits do is refused, and so is what the filter's authors did not know.

use std::collections::BTreeMap;
use std::io;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

/// Refused whatever the arguments: mounts, namespaces, keys, kernel memory, modules, tracing, time, raw devices.
const REFUSED: [libc::c_long; 56] = [
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_fanotify_mark,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_mbind,
    libc::SYS_migrate_pages,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_move_pages,
    libc::SYS_name_to_handle_at,
    libc::SYS_nfsservctl,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_set_mempolicy,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
];

/// The same for calls that only one architecture has.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: [libc::c_long; 8] = [
    libc::SYS_ioperm,
    libc::SYS_iopl,
    libc::SYS_modify_ldt,
    libc::SYS_personality,
    libc::SYS_uselib,
    libc::SYS_ustat,
    libc::SYS_sysfs,
    libc::SYS__sysctl,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: [libc::c_long; 1] = [libc::SYS_personality];

/// `CLONE_NEW…`: user, mount, process, network, IPC, host-name, cgroup, time.
const NAMESPACES: [u64; 8] =
    [0x1000_0000, 0x0002_0000, 0x2000_0000, 0x4000_0000, 0x0800_0000, 0x0400_0000, 0x0200_0000, 0x0000_0080];
/// Socket families that stay inside the network namespace and that programs use: unix, IPv4, IPv6, netlink.
const FAMILIES: [u64; 4] = [1, 2, 10, 16];
/// The newest call that this filter was written for (`mseal`), and how many later ones are said not to exist.
const NEWEST: libc::c_long = 462;
const LATER: libc::c_long = 64;

/// Both programs, to be installed in this order.
pub(super) fn programs() -> io::Result<[BpfProgram; 2]> {
    let mut refused: Rules = REFUSED.into_iter().chain(REFUSED_HERE).map(|call| (call, Vec::new())).collect();
    let inside_a_namespace = NAMESPACES
        .into_iter()
        .map(|flag| argument(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(flag), flag))
        .collect::<io::Result<Vec<_>>>()?;
    refused.insert(libc::SYS_clone, inside_a_namespace);
    let foreign_family = FAMILIES
        .into_iter()
        .map(|family| condition(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, family))
        .collect::<io::Result<Vec<_>>>()?;
    refused.insert(libc::SYS_socket, vec![rule(foreign_family)?]);
    refused.insert(libc::SYS_ioctl, vec![argument(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, libc::TIOCSTI)?]);

    // The C library falls back to clone, whose flags can be judged.
    let mut unknown: Rules = (NEWEST + 1..=NEWEST + LATER).map(|call| (call, Vec::new())).collect();
    unknown.insert(libc::SYS_clone3, Vec::new());
    Ok([program(unknown, libc::ENOSYS)?, program(refused, libc::EPERM)?])
}

type Rules = BTreeMap<libc::c_long, Vec<SeccompRule>>;

fn condition(
    index: u8,
    length: SeccompCmpArgLen,
    comparison: SeccompCmpOp,
    value: u64,
) -> io::Result<SeccompCondition> {
    SeccompCondition::new(index, length, comparison, value).map_err(io::Error::other)
}

fn rule(conditions: Vec<SeccompCondition>) -> io::Result<SeccompRule> {
    SeccompRule::new(conditions).map_err(io::Error::other)
}

fn argument(index: u8, length: SeccompCmpArgLen, comparison: SeccompCmpOp, value: u64) -> io::Result<SeccompRule> {
    rule(vec![condition(index, length, comparison, value)?])
}

fn program(rules: Rules, errno: i32) -> io::Result<BpfProgram> {
    let architecture: TargetArch = std::env::consts::ARCH.try_into().map_err(io::Error::other)?;
    let errno = SeccompAction::Errno(errno.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, errno, architecture).map_err(io::Error::other)?;
    filter.try_into().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_compiles_for_this_machine() {
        let [unknown, refused] = programs().unwrap();
        assert!(unknown.len() > 64 && refused.len() > 64);
    }
}
