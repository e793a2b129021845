//! Log lines to CloudWatch Logs, as the execution role: a function without leave to log has no log, and runs all the same.

use boathouse_aws::{AwsError, Ctx};
use serde_json::json;
use tokio::sync::mpsc;

use super::logs::Line;

/// Lines that wait; more are dropped, and the log says how many.
pub(crate) const WAITING: usize = 20_000;
/// Events of one call ("PutLogEvents").
const EVENTS: usize = 10_000;
/// Bytes of one call, with 26 for each event.
const BYTES: usize = 1_048_576;

/// Sends lines until nobody has any more.
pub(crate) async fn ship(ctx: Ctx, group: String, stream: String, mut lines: mpsc::Receiver<Line>) {
    let mut batch = Vec::new();
    let mut prepared = false;
    while lines.recv_many(&mut batch, EVENTS).await > 0 {
        if !prepared {
            prepared = true;
            prepare(&ctx, &group, &stream).await;
        }
        for events in pieces(&batch) {
            let events: Vec<_> =
                events.iter().map(|line| json!({"timestamp": line.time, "message": line.text})).collect();
            let input = json!({"logGroupName": group, "logStreamName": stream, "logEvents": events});
            if let Err(error) = ctx.call("logs", "PutLogEvents", input).await {
                tracing::warn!(%error, group, "a function's log can't be kept");
            }
        }
        batch.clear();
    }
}

/// Makes group and stream. Whether that was needed shows when events are put.
async fn prepare(ctx: &Ctx, group: &str, stream: &str) {
    let expected = |error: &AwsError| error.code == "ResourceAlreadyExistsException";
    let calls = [
        ("CreateLogStream", json!({"logGroupName": group, "logStreamName": stream})),
        ("CreateLogGroup", json!({"logGroupName": group})),
        ("CreateLogStream", json!({"logGroupName": group, "logStreamName": stream})),
    ];
    for (operation, input) in calls {
        match ctx.call("logs", operation, input).await {
            Ok(_) if operation == "CreateLogStream" => return,
            Ok(_) => {}
            Err(error) if expected(&error) && operation == "CreateLogStream" => return,
            Err(error) => tracing::debug!(%error, operation, group, "preparing a function's log"),
        }
    }
}

/// The batch in pieces that one call each takes.
fn pieces(batch: &[Line]) -> Vec<&[Line]> {
    let mut pieces = Vec::new();
    let (mut start, mut size) = (0, 0);
    for (index, line) in batch.iter().enumerate() {
        let more = line.text.len() + 26;
        if size + more > BYTES && index > start {
            pieces.push(&batch[start..index]);
            (start, size) = (index, 0);
        }
        size += more;
    }
    pieces.push(&batch[start..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_cut_by_size() {
        let line = |length| Line { time: 0, text: "x".repeat(length) };
        let batch = vec![line(600_000), line(400_000), line(100_000), line(10)];
        let lengths: Vec<usize> = pieces(&batch).into_iter().map(<[Line]>::len).collect();
        assert_eq!(lengths, [2, 2]);
    }
}
