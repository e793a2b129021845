//! Threads for jobs alone: they compute for long between two awaits, and must keep neither the API's calls nor the task
//! that would end them waiting.

use std::future::Future;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// Threads for each core.
const THREADS_PER_CORE: usize = 2;

/// The threads on which runs live. Dropping it ends them.
#[derive(Debug)]
pub(crate) struct Threads(Option<Runtime>);

impl Threads {
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS_PER_CORE * cores)
            .thread_name("glue-job")
            .enable_all()
            .build()
            .expect("invariant: threads can be had at the start");
        Self(Some(runtime))
    }

    pub(crate) fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.0.as_ref().expect("invariant: the runtime lives as long as its owner").spawn(work)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background(); // it may be dropped by a task, which must not wait for threads
        }
    }
}
