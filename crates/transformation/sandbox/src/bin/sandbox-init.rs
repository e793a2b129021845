//! The program that the crate's tests set sandboxes up with; the product's own binary does it in production.

use std::process::ExitCode;

fn main() -> ExitCode {
    boathouse_sandbox::init::dispatch().unwrap_or(ExitCode::FAILURE)
}
