//! Errors that the platform reports for a function that could not do so itself.

use boathouse_sandbox::Outcome;
use bytes::Bytes;
use serde_json::json;

/// An error as the caller gets it, and the lines that the log gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) payload: Bytes,
    pub(crate) lines: Vec<String>,
    /// What the REPORT line says at its end.
    pub(crate) status: String,
}

fn payload(kind: &str, request_id: &str, message: &str) -> Bytes {
    let document = json!({"errorType": kind, "errorMessage": format!("RequestId: {request_id} Error: {message}")});
    document.to_string().into()
}

/// The invocation took longer than the function's timeout, in seconds.
pub(crate) fn timeout(request_id: &str, seconds: u64, now: &str) -> Failure {
    let message = format!("Task timed out after {seconds}.00 seconds");
    Failure {
        lines: vec![format!("{now} {request_id} {message}")],
        payload: payload("Sandbox.Timedout", request_id, &message),
        status: "Status: timeout".into(),
    }
}

/// The process ended in the middle of an invocation, or before the first.
pub(crate) fn exit(request_id: &str, outcome: &Outcome) -> Failure {
    let reason = match outcome {
        Outcome::Exited(0) => "exited without providing a reason".to_owned(),
        Outcome::Exited(code) => format!("exited with error: exit status {code}"),
        Outcome::Signaled(signal) => format!("exited with error: signal: {}", signal_name(*signal)),
        Outcome::OutOfMemory | Outcome::TimedOut | Outcome::Killed => "exited with error: signal: killed".to_owned(),
    };
    let message = format!("Runtime {reason}");
    let kind = if *outcome == Outcome::OutOfMemory { "Runtime.OutOfMemory" } else { "Runtime.ExitError" };
    Failure {
        lines: vec![format!("RequestId: {request_id} Error: {message}"), "Runtime.ExitError".into()],
        payload: payload("Runtime.ExitError", request_id, &message),
        status: format!("Status: error\tError Type: {kind}"),
    }
}

/// The process could not be started: a bootstrap that is not there, for one.
pub(crate) fn entry_point(request_id: &str, program: &str, reason: &str) -> Failure {
    let message = format!("Couldn't find valid bootstrap(s): [{program}] ({reason})");
    Failure {
        lines: vec![format!("RequestId: {request_id} Error: {message}"), "Runtime.InvalidEntrypoint".into()],
        payload: payload("Runtime.InvalidEntrypoint", request_id, &message),
        status: "Status: error\tError Type: Runtime.InvalidEntrypoint".into(),
    }
}

/// The function's answer is too long.
pub(crate) fn response_too_large(length: usize, limit: usize) -> Bytes {
    let message =
        format!("Response payload size ({length} bytes) exceeded maximum allowed payload size ({limit} bytes).");
    json!({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}).to_string().into()
}

fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "hangup",
        2 => "interrupt",
        4 => "illegal instruction",
        6 => "aborted",
        7 => "bus error",
        8 => "floating point exception",
        9 => "killed",
        11 => "segmentation fault",
        15 => "terminated",
        other => return other.to_string(),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(failure: &Failure) -> &str {
        std::str::from_utf8(&failure.payload).unwrap()
    }

    #[test]
    fn ends_are_reported_in_aws_words() {
        let failed = exit("1-2", &Outcome::Exited(1));
        assert_eq!(
            text(&failed),
            r#"{"errorMessage":"RequestId: 1-2 Error: Runtime exited with error: exit status 1","errorType":"Runtime.ExitError"}"#
        );
        assert!(text(&exit("1", &Outcome::OutOfMemory)).contains("signal: killed"));
        assert!(text(&exit("1", &Outcome::Signaled(11))).contains("signal: segmentation fault"));
        let late = timeout("1", 3, "2024-05-01T00:00:00.000Z");
        assert!(text(&late).contains("Task timed out after 3.00 seconds"));
        assert_eq!(late.lines, ["2024-05-01T00:00:00.000Z 1 Task timed out after 3.00 seconds"]);
    }
}
