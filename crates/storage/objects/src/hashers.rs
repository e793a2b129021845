//! Threads that hash bodies, all that wait at once: many are hardly more work than one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;

use bytes::Bytes;
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use crate::error::{Error, Result};
use crate::hashing::Hasher;
use crate::lanes::{FEWEST, LANES};

/// More threads than this would find nothing to share.
const THREADS: usize = 8;

struct Job {
    hasher: Hasher,
    chunks: Vec<Bytes>,
    reply: oneshot::Sender<Hasher>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    bell: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    /// How many threads work at many bodies now.
    shared: usize,
    closed: bool,
}

/// The threads; they end with this.
pub(crate) struct Hashers {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

impl Hashers {
    pub(crate) fn start() -> Result<Self> {
        let queue = Arc::new(Queue::default());
        let count = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
        let threads = (0..count).map(|_| {
            let queue = Arc::clone(&queue);
            std::thread::Builder::new().name("objects-hasher".into()).spawn(move || queue.work())
        });
        let threads = threads.collect::<std::io::Result<_>>()?;
        Ok(Self { queue, threads })
    }

    /// The hasher with these bytes in it.
    pub(crate) async fn update(&self, hasher: Hasher, chunks: Vec<Bytes>) -> Result<Hasher> {
        self.submit(hasher, chunks).await.map_err(|_| Error::Closed)
    }

    /// The same, begun already.
    pub(crate) fn submit(&self, hasher: Hasher, chunks: Vec<Bytes>) -> oneshot::Receiver<Hasher> {
        let (reply, answer) = oneshot::channel();
        self.queue.waiting.lock().jobs.push_back(Job { hasher, chunks, reply });
        self.queue.bell.notify_one();
        answer
    }
}

impl Drop for Hashers {
    fn drop(&mut self) {
        self.queue.waiting.lock().closed = true;
        self.queue.bell.notify_all();
        for thread in self.threads.drain(..) {
            // A panic was already reported by the panic hook.
            let _ = thread.join();
        }
    }
}

impl Queue {
    fn work(&self) {
        while let Some(mut jobs) = self.take() {
            Hasher::update_all(jobs.iter_mut().map(|job| (&mut job.hasher, &job.chunks[..])));
            if jobs.len() >= FEWEST {
                self.waiting.lock().shared -= 1;
                self.bell.notify_all();
            }
            for Job { hasher, reply, .. } in jobs {
                // Who asked may have gone away.
                let _ = reply.send(hasher);
            }
        }
    }

    /// What one thread does next: all that wait, or one of few, so that other threads take the others. Where many bodies
    /// arrive, few are left to the thread that will take the next ones too.
    fn take(&self) -> Option<Vec<Job>> {
        let mut waiting = self.waiting.lock();
        loop {
            let count = waiting.jobs.len();
            if count >= FEWEST {
                waiting.shared += 1;
                return Some(waiting.jobs.drain(..count.min(LANES)).collect());
            }
            if count > 0 && waiting.shared == 0 {
                return Some(waiting.jobs.drain(..1).collect());
            }
            if count == 0 && waiting.closed {
                return None;
            }
            self.bell.wait(&mut waiting);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hashing::ChecksumAlgorithm;

    #[tokio::test]
    async fn many_bodies_come_out_as_they_would_alone() {
        let hashers = Hashers::start().unwrap();
        let body =
            |number: usize| vec![Bytes::from(vec![number as u8; 1000 + 977 * number]), Bytes::from_static(b"end")];
        let hasher = |number: usize| Hasher::new(&[ChecksumAlgorithm::Crc64Nvme], !number.is_multiple_of(3));
        let running: Vec<_> = (0..40).map(|number| hashers.submit(hasher(number), body(number))).collect();
        for (number, answer) in running.into_iter().enumerate() {
            let (digests, mut alone) = (answer.await.unwrap().finish(), hasher(number));
            body(number).iter().for_each(|chunk| alone.update(chunk));
            let alone = alone.finish();
            assert_eq!((digests.md5, digests.length, digests.checksums), (alone.md5, alone.length, alone.checksums));
        }
    }
}
