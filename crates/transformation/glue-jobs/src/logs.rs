//! What runs say, in CloudWatch Logs.
//!
//! AWS counterpart: "Logging for AWS Glue jobs". The lines go through the operations of the service `logs` as the job's
//! role, which therefore needs its permissions; a role without them leaves the run without logs, and the server's own log
//! says so.

use std::time::Duration;

use boathouse_aws::{AwsError, Ctx};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::api::Job;

/// Lines that may wait; whoever writes more waits too.
const WAITING: usize = 4096;
/// Limits of PutLogEvents: events, and bytes with 26 for each event.
const MAX_EVENTS: usize = 10_000;
const MAX_BYTES: usize = 1_000_000;
const EVENT_BYTES: usize = 26;
/// Longer lines are cut.
const MAX_LINE: usize = 200_000;
/// How long a line may wait for others.
const DELAY: Duration = Duration::from_millis(500);

/// Which of a run's two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Output,
    Error,
}

/// The base of a job's log groups, which end in `/output` and `/error`.
pub(crate) fn group(job: &Job) -> &'static str {
    match job.command.as_ref().and_then(|command| command.name.as_deref()) {
        Some("pythonshell") => "/aws-glue/python-jobs",
        _ => "/aws-glue/jobs",
    }
}

/// Where a run's lines go. Cheap to clone; the lines are sent when the last clone is gone.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    sender: mpsc::Sender<(Stream, i64, String)>,
    ctx: Ctx,
}

/// Sends what is written to a [`Log`].
pub(crate) struct Sending(JoinHandle<()>);

impl Sending {
    /// Waits until every line is sent.
    pub(crate) async fn end(self) {
        if let Err(error) = self.0.await {
            tracing::warn!(%error, "a run's log ended early");
        }
    }
}

/// A log of the run `stream` in the groups of `base`.
pub(crate) fn open(ctx: &Ctx, base: &'static str, stream: &str) -> (Log, Sending) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let target = Target { ctx: ctx.clone(), base, stream: stream.to_owned(), made: [false; 2], refused: false };
    (Log { sender, ctx: ctx.clone() }, Sending(tokio::spawn(target.run(receiver))))
}

impl Log {
    /// Writes lines; waits when too many are on their way.
    pub(crate) async fn write(&self, stream: Stream, text: impl Into<String>) {
        let mut text = text.into();
        if text.len() > MAX_LINE {
            let end = (0..=MAX_LINE).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.truncate(end);
        }
        // CloudWatch Logs has no empty events.
        if !text.is_empty() && self.sender.send((stream, self.ctx.now().timestamp_millis(), text)).await.is_err() {
            tracing::debug!("a line came after the end of its log");
        }
    }

    pub(crate) async fn say(&self, text: impl Into<String>) {
        self.write(Stream::Output, text).await;
    }
}

struct Target {
    ctx: Ctx,
    base: &'static str,
    stream: String,
    /// Whether the streams exist: output's, error's.
    made: [bool; 2],
    refused: bool,
}

impl Target {
    async fn run(mut self, mut receiver: mpsc::Receiver<(Stream, i64, String)>) {
        let mut lines = Vec::new();
        while let Some(first) = receiver.recv().await {
            lines.push(first);
            let deadline = tokio::time::Instant::now() + DELAY;
            let mut bytes = 0;
            while lines.len() < MAX_EVENTS && bytes < MAX_BYTES - MAX_LINE - EVENT_BYTES {
                match tokio::time::timeout_at(deadline, receiver.recv()).await {
                    Ok(Some(line)) => {
                        bytes += line.2.len() + EVENT_BYTES;
                        lines.push(line);
                    }
                    Ok(None) | Err(_) => break,
                }
            }
            let sent = std::mem::take(&mut lines);
            for stream in [Stream::Output, Stream::Error] {
                let events: Vec<Value> = sent
                    .iter()
                    .filter(|line| line.0 == stream)
                    .map(|(_, timestamp, message)| json!({"timestamp": timestamp, "message": message}))
                    .collect();
                if !events.is_empty() {
                    self.send(stream, events).await;
                }
            }
        }
    }

    async fn send(&mut self, stream: Stream, events: Vec<Value>) {
        if self.refused {
            return;
        }
        if let Err(error) = self.try_send(stream, events).await {
            self.refused = true;
            tracing::warn!(run = self.stream, group = self.base, %error, "the run's log can't be written");
        }
    }

    async fn try_send(&mut self, stream: Stream, events: Vec<Value>) -> Result<(), AwsError> {
        let (suffix, index) = match stream {
            Stream::Output => ("output", 0),
            Stream::Error => ("error", 1),
        };
        let group = format!("{}/{suffix}", self.base);
        if !self.made[index] {
            let named = json!({"logGroupName": group});
            exists(self.ctx.call("logs", "CreateLogGroup", named).await)?;
            let named = json!({"logGroupName": group, "logStreamName": self.stream});
            exists(self.ctx.call("logs", "CreateLogStream", named).await)?;
            self.made[index] = true;
        }
        let input = json!({"logGroupName": group, "logStreamName": self.stream, "logEvents": events});
        self.ctx.call("logs", "PutLogEvents", input).await.map(drop)
    }
}

/// What is there already need not be made.
fn exists(outcome: Result<Value, AwsError>) -> Result<(), AwsError> {
    match outcome {
        Err(error) if error.code != "ResourceAlreadyExistsException" => Err(error),
        _ => Ok(()),
    }
}
