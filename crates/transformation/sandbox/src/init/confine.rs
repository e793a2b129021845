//! The last steps before foreign code runs: identity, capabilities, resource limits, landlock, seccomp.

use std::convert::Infallible;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, Scope,
};
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread::{
    CapabilitySet, CapabilitySets, UnshareFlags, set_capabilities, set_no_new_privs, set_thread_groups,
    set_thread_res_gid, set_thread_res_uid,
};

use super::{InitError, Step, filter, map_identity, system};
use crate::spec::{Identity, Level, Plan};

/// Capability numbers are below this.
const CAPABILITIES: usize = 64;
/// The newest landlock that is made use of; older kernels do what they can.
const LANDLOCK: ABI = ABI::V6;

/// Becomes the command. Returns only what stood in the way.
pub(super) fn execute(plan: &Plan) -> InitError {
    match confine_and_execute(plan) {
        Err(error) => error,
        Ok(never) => match never {},
    }
}

fn confine_and_execute(plan: &Plan) -> Result<Infallible, InitError> {
    system::close_on_exec_from(3).step("closing descriptors")?;
    limit_resources(plan)?;
    take_identity(plan.identity)?;
    drop_capabilities()?;
    set_no_new_privs(true).step("forbidding new privileges")?;
    guard_files(&["/"], &["/tmp", "/dev"])?;
    install_filters()?;
    run(plan)
}

pub(super) fn run(plan: &Plan) -> Result<Infallible, InitError> {
    let [program, arguments @ ..] = plan.command.as_slice() else {
        return Err(std::io::Error::from(std::io::ErrorKind::InvalidInput)).step("no command");
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(plan.environment.iter().map(|(name, value)| (name, value)));
    std::env::set_current_dir(&plan.directory).step(format!("entering {}", plan.directory.display()))?;
    Err(command.exec()).step(format!("executing {program}"))
}

pub(super) fn limit_resources(plan: &Plan) -> Result<(), InitError> {
    let common = [
        (Resource::Core, 0),
        (Resource::Nofile, plan.open_files),
        (Resource::Memlock, 64 << 10),
        (Resource::Msgqueue, 0),
    ];
    // Without a namespace, the kernel would count all processes of the server's user, and no tmpfs limits the files.
    let by_level = match plan.level {
        Level::Namespace => (Resource::Nproc, u64::from(plan.processes)),
        Level::Process => (Resource::Fsize, plan.scratch),
    };
    for (resource, value) in common.into_iter().chain([by_level]) {
        let limit = Rlimit { current: Some(value), maximum: Some(value) };
        setrlimit(resource, limit).step(format!("limiting {resource:?}"))?;
    }
    Ok(())
}

/// A root server gives the tree a number of its own, inside a user namespace where the kernel has them; otherwise the
/// namespace is there already.
fn take_identity(identity: Identity) -> Result<(), InitError> {
    let Identity::Own(id) = identity else {
        return Ok(());
    };
    let (uid, gid) = (rustix::fs::Uid::from_raw(id), rustix::fs::Gid::from_raw(id));
    set_thread_groups(&[]).step("leaving groups")?;
    set_thread_res_gid(gid, gid, gid).step("changing the group")?;
    set_thread_res_uid(uid, uid, uid).step("changing the user")?;
    system::allow_inspection().step("changing the user")?;
    if system::unshare(UnshareFlags::NEWUSER).is_ok() {
        map_identity(id, id)?;
    }
    Ok(())
}

pub(super) fn drop_capabilities() -> Result<(), InitError> {
    for capability in 0..CAPABILITIES {
        // Refused for numbers that the kernel lacks, and for those who have no capabilities to begin with.
        let _ = system::drop_from_bounding_set(capability);
    }
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
        .step("dropping capabilities")
}

/// Landlock as a second wall: reading and executing below `readable`, everything below `writable`.
pub(super) fn guard_files(readable: &[&str], writable: &[&str]) -> Result<(), InitError> {
    let all = AccessFs::from_all(LANDLOCK);
    let guarded = || -> Result<(), landlock::RulesetError> {
        let mut ruleset = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(all)?
            .scope(Scope::AbstractUnixSocket | Scope::Signal)?
            .create()?;
        for (paths, access) in [(readable, AccessFs::from_read(LANDLOCK)), (writable, all)] {
            ruleset = allow(ruleset, paths, access)?;
        }
        ruleset.restrict_self().map(drop)
    };
    guarded().map_err(std::io::Error::other).step("guarding files")
}

fn allow(
    mut ruleset: landlock::RulesetCreated,
    paths: &[&str],
    access: BitFlags<AccessFs>,
) -> Result<landlock::RulesetCreated, landlock::RulesetError> {
    for path in paths.iter().filter(|path| Path::new(path).exists()) {
        if let Ok(fd) = PathFd::new(path) {
            ruleset = ruleset.add_rule(PathBeneath::new(fd, access))?;
        }
    }
    Ok(ruleset)
}

pub(super) fn install_filters() -> Result<(), InitError> {
    for program in filter::programs().step("compiling the filter")? {
        seccompiler::apply_filter(&program).map_err(std::io::Error::other).step("installing the filter")?;
    }
    Ok(())
}
