//! Windows whose frames are computed row by row: with distances that differ from row to row, or in values of any type that
//! Trino can add a distance to. The rest is DataFusion's.
//!
//! | Module | What it does |
//! |---|---|
//! | `bounds` | the rows of each row's frame |
//! | `functions` | functions over the rows of a frame or of a partition |
//! | `node` | the node in a logical plan |
//! | `windows` | partitions → the values of their rows |

mod bounds;
mod functions;
mod node;
mod windows;

pub(crate) use bounds::{Bound, Frame, Limit, Unit};
pub(crate) use functions::{FrameFunction, FrameValue, Placed};
pub(crate) use node::{FramedOutput, FramedWindow};

pub(super) use bounds::wrong_distance;
pub(super) use functions::{Evaluation, Function, Place};
pub(super) use node::FramedPlanner;
