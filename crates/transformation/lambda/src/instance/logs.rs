//! What an instance prints, line by line: the tail of an invocation, and events for CloudWatch Logs.

use std::sync::Arc;

use boathouse_aws::Clock;
use parking_lot::Mutex;
use tokio::net::unix::pipe;
use tokio::sync::{mpsc, oneshot};

/// Bytes of the log that Invoke hands back.
const TAIL: usize = 4096;
/// Bytes of one log event ("CloudWatch Logs quotas").
const LONGEST_LINE: usize = 262_144 - 26;
/// Bytes that are read at once.
const PIECE: usize = 65_536;

/// A line, and when it was seen: milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) time: i64,
    pub(crate) text: String,
}

/// An instance's log.
pub(crate) struct Logs {
    kept: Mutex<Kept>,
    clock: Arc<dyn Clock>,
    drain: mpsc::UnboundedSender<oneshot::Sender<()>>,
}

struct Kept {
    /// The end of what was printed since the last invocation ended.
    tail: Vec<u8>,
    /// The beginning of a line whose end is still to come.
    begun: Vec<u8>,
    ship: mpsc::Sender<Line>,
    dropped: u64,
}

impl Logs {
    /// Reads `output` to its end; lines go to `ship`.
    pub(crate) fn start(output: pipe::Receiver, clock: Arc<dyn Clock>, ship: mpsc::Sender<Line>) -> Arc<Self> {
        let (drain, drains) = mpsc::unbounded_channel();
        let kept = Kept { tail: Vec::new(), begun: Vec::new(), ship, dropped: 0 };
        let logs = Arc::new(Self { kept: Mutex::new(kept), clock, drain });
        // The task must not keep the log alive: a log that is dropped closes its channels.
        tokio::spawn(read(output, Arc::downgrade(&logs), drains));
        logs
    }

    /// Adds a line of the platform's own.
    pub(crate) fn say(&self, text: &str) {
        let mut kept = self.kept.lock();
        kept.finish_line(self.now());
        kept.add(format!("{text}\n").as_bytes(), self.now());
    }

    /// Waits until everything has been read that was printed so far.
    pub(crate) async fn drained(&self) {
        let (done, drained) = oneshot::channel();
        if self.drain.send(done).is_ok() {
            let _ = drained.await; // at the end of the output there is nothing left to wait for
        }
    }

    /// The tail so far; the next one begins here.
    pub(crate) fn take_tail(&self) -> Vec<u8> {
        let mut kept = self.kept.lock();
        kept.finish_line(self.now());
        std::mem::take(&mut kept.tail)
    }

    fn now(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }
}

impl Kept {
    fn add(&mut self, bytes: &[u8], time: i64) {
        self.tail.extend_from_slice(bytes);
        let excess = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..excess);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = LONGEST_LINE.saturating_sub(self.begun.len());
            self.begun.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") {
                self.finish_line(time);
            }
        }
    }

    fn finish_line(&mut self, time: i64) {
        let line = std::mem::take(&mut self.begun);
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches('\n');
        if text.is_empty() {
            return;
        }
        if self.dropped > 0 {
            let note = format!("[boathouse] {} lines were dropped here: the log could not keep up", self.dropped);
            if self.ship.try_send(Line { time, text: note }).is_ok() {
                self.dropped = 0;
            }
        }
        if self.ship.try_send(Line { time, text: text.to_owned() }).is_err() {
            self.dropped += 1;
        }
    }
}

async fn read(
    output: pipe::Receiver,
    logs: std::sync::Weak<Logs>,
    mut drains: mpsc::UnboundedReceiver<oneshot::Sender<()>>,
) {
    let mut piece = vec![0; PIECE];
    loop {
        let asked = tokio::select! {
            biased;
            ready = output.readable() => match ready {
                Ok(()) => None,
                Err(_) => return,
            },
            asked = drains.recv() => match asked {
                Some(asked) => Some(asked),
                None => return,
            },
        };
        loop {
            match output.try_read(&mut piece) {
                Ok(0) => return,
                Ok(count) => {
                    let Some(logs) = logs.upgrade() else { return };
                    let now = logs.now();
                    logs.kept.lock().add(&piece[..count], now);
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(_) => return,
            }
        }
        if let Some(asked) = asked {
            let _ = asked.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use boathouse_aws::SystemClock;

    use super::*;

    #[tokio::test]
    async fn lines_are_shipped_and_the_tail_is_kept() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let (ship, mut shipped) = mpsc::channel(100);
        let output = pipe::Receiver::from_owned_fd(reader.into()).unwrap();
        let logs = Logs::start(output, Arc::new(SystemClock), ship);
        logs.say("START");
        writer.write_all(b"one\ntw").unwrap();
        logs.drained().await;
        writer.write_all(b"o\n\nthree").unwrap();
        logs.drained().await;
        assert_eq!(logs.take_tail(), b"START\none\ntwo\n\nthree");
        assert!(logs.take_tail().is_empty());
        let mut lines = Vec::new();
        while let Ok(line) = shipped.try_recv() {
            lines.push(line.text);
        }
        assert_eq!(lines, ["START", "one", "two", "three"]);
        drop(writer);
        logs.drained().await;
    }

    #[tokio::test]
    async fn tails_and_lines_are_bounded() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let (ship, mut shipped) = mpsc::channel(100);
        let output = pipe::Receiver::from_owned_fd(reader.into()).unwrap();
        let logs = Logs::start(output, Arc::new(SystemClock), ship);
        let long = vec![b'x'; LONGEST_LINE + 1000];
        let written = tokio::task::spawn_blocking(move || {
            writer.write_all(&long).unwrap();
            writer.write_all(b"\nend").unwrap();
        });
        written.await.unwrap();
        logs.drained().await;
        let tail = logs.take_tail();
        assert_eq!(tail.len(), TAIL);
        assert!(tail.ends_with(b"x\nend"));
        assert_eq!(shipped.try_recv().unwrap().text.len(), LONGEST_LINE);
    }
}
