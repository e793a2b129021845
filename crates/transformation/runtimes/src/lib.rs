//! The languages that people's code is written in: which interpreter runs it, and with which packages.
//!
//! AWS counterpart: what "Lambda runtimes" and "Supported Python libraries for AWS Glue Python shell jobs" bring along,
//! above all boto3. Code runs on the interpreters of this machine. Python gets an environment with the packages of its set,
//! made from PyPI when it is needed first and kept for all data directories; `BOATHOUSE_PYTHON` names an interpreter or an
//! environment that is to be used as it is instead, `BOATHOUSE_NODE` another Node.js than `node`.
//!
//! | Module | What it does |
//! |---|---|
//! | [`interpreter`] | finds an interpreter and the directories that belong to it |
//! | [`python`] | environments with packages |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod interpreter;
pub mod python;

pub use interpreter::Interpreter;
pub use python::{Packages, Pythons};

/// Why code in this language can't be run here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RuntimeError(String);
