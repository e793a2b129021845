//! Instances: sandboxes in which a function waits for events.
//!
//! | Module | What it does |
//! |---|---|
//! | `pool` | warm instances, new ones, limits of concurrency |
//! | `process` | one instance: its start, its invocations, its end |
//! | `runtime_api` | what the function inside speaks to |
//! | `logs` | what it prints: the tail of an invocation, and events for CloudWatch Logs |
//! | `shipping` | the way to CloudWatch Logs |
//! | `measures` | metrics for CloudWatch |
//! | `credentials` | temporary credentials of execution roles |
//! | `failure` | errors that the platform reports for a function, in AWS's words |

mod credentials;
mod failure;
mod logs;
mod measures;
mod pool;
mod process;
mod runtime_api;
mod shipping;

pub(crate) use pool::{Execution, Pool, Request};
