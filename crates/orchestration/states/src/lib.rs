//! The States language: definitions compiled once, executions as a pure function of what happens to them.
//!
//! AWS counterpart: the Amazon States Language ("Amazon States Language", states-language.net) as Step Functions runs it.
//! There is no I/O, no clock and no chance in here: time and seed come with every [`Input`], so replaying the inputs of an
//! execution gives the same history again, which is how an execution survives a crash.
//!
//! | Module | What it does |
//! |---|---|
//! | [`compile`] | text → [`definition::Machine`], or diagnostics in AWS's words |
//! | [`definition`] | machines, states, resources |
//! | [`execution`] | [`Execution`]: states, tasks, Map, Parallel, Retry, Catch, time-outs, redrive |
//! | [`history`] | the events of a history |
//! | [`path`] | JSONPath |
//! | [`intrinsics`] | the 18 intrinsic functions |
//! | [`jsonata`] | JSONata |
//! | [`template`], [`choice`] | payload templates, choice rules |
//! | [`scope`] | what expressions see |
//! | [`references`] | which variables states read |
//! | `numbers` | the order of numbers |
//! | [`failure`], [`rng`] | errors; repeatable randomness |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod choice;
pub mod compile;
pub mod definition;
pub mod execution;
pub mod failure;
pub mod history;
pub mod intrinsics;
pub mod jsonata;
mod numbers;
pub mod path;
pub mod references;
pub mod rng;
pub mod scope;
pub mod template;

pub use compile::{Diagnostic, compile};
pub use execution::{About, Call, Command, Execution, Happening, Input, Limits, OpenTask, Outcome, Status, read_token};
pub use failure::Failure;
pub use history::{HistoryEvent, Payload};
