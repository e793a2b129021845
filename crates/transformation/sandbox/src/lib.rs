//! Runs one tree of foreign processes so that it reaches nothing but what it was given, and ends when it must.
//!
//! AWS counterpart: none that customers see; it is what stands between Lambda functions or Glue jobs and the machine.
//!
//! [`Sandbox::open`] looks at the machine once. [`Sandbox::spawn`] takes a [`Spec`] (command, read-only directories,
//! environment, limits, network grants) and answers a [`Running`]: its output as streams, [`Running::kill`], and
//! [`Running::wait`] for the [`Outcome`]. Dropping a [`Running`] kills the tree.
//!
//! ```no_run
//! # async fn job(sandbox: &boathouse_sandbox::Sandbox) -> Result<(), Box<dyn std::error::Error>> {
//! use boathouse_sandbox::{Mount, Spec};
//! let mut spec = Spec::new(["/usr/bin/python3", "/job/main.py"]);
//! spec.mounts.push(Mount::read_only("/srv/jobs/1", "/job"));
//! spec.limits.memory = 1 << 30;
//! spec.limits.wall = Some(std::time::Duration::from_secs(60));
//! let mut running = sandbox.spawn(spec).await?;
//! let output = running.stdout.take(); // an AsyncRead; stderr likewise, unless the specification merges them
//! let outcome = running.wait().await; // Exited(0), OutOfMemory, TimedOut …
//! # let _ = (output, outcome); Ok(()) }
//! ```
//!
//! **What the tree has.** Its own user, process, mount, network, IPC and host-name namespaces; a root on tmpfs with the
//! system's programs and libraries (`/usr`, `/lib`, `/bin` …) and the granted directories, all read-only; `/tmp` of a limited
//! size; no capabilities, no way to gain any, a seccomp filter, landlock where the kernel has it. Its network is a loopback
//! device of its own. A [`Grant`] is a port on it whose connections the server answers, so that no packet leaves.
//! Memory, processor and process counts are limited by cgroups (v2, else v1); without writable cgroups, by resource limits and
//! by looking at the processes, and [`Sandbox::open`] warns.
//!
//! **How it is set up.** The server starts its own binary as `sandbox-init` ([`init::dispatch`] is the first thing its `main`
//! does), which has one thread and so may fork and enter namespaces. It reports over a socket that it was given as standard
//! input, and kills the tree when that socket closes: a server that dies leaves nothing running.
//!
//! **What it is not.** It guards an organisation's machine against its own code. Tenants that are hostile to each other need a
//! virtual machine: the kernel is shared. `BOATHOUSE_SANDBOX=process` ([`Level::Process`]) is for machines without user
//! namespaces and has much thinner walls: no file or network namespaces.
//!
//! | Module | What it does |
//! |---|---|
//! | [`spec`] | what to run, with which limits |
//! | [`running`] | a running tree and its end |
//! | `sandbox` | the machine's abilities; starting trees |
//! | `channel` | messages and file descriptors between server and init |
//! | `cgroup` | limits and accounts of a tree: v2, v1 |
//! | `processes` | the accounts of a tree without cgroups |
//! | [`init`] | inside the re-executed process: namespaces, mounts, network, confinement, supervision |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cgroup;
mod channel;
pub mod init;
mod processes;
pub mod running;
mod sandbox;
pub mod spec;

pub use running::{Outcome, Running};
pub use sandbox::{Options, Sandbox, SandboxError};
pub use spec::{Grant, Level, Limits, Mount, Spec};
