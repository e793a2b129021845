//! Wire protocols: bodies to inputs, outputs and errors to bodies.

pub mod query;
