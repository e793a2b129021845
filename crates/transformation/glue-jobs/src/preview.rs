//! Data previews: the first rows of a visual job's node.
//!
//! AWS Glue Studio shows them by sessions that its API has no node-wise call for, so the address is our own, signed like calls of
//! Glue: `GET /_boathouse/jobs/NAME/nodes/ID/rows`, for whoever may glue:GetJob. What is read is read as the caller, not as
//! the job's role, so nobody sees rows this way that they may not read themselves. Bookmarks play no part, and nothing is written.

use std::sync::Arc;
use std::time::Duration;

use boathouse_aws::access::{AccessRequest, ConditionKeys};
use boathouse_aws::documents::{self, Documents};
use boathouse_aws::{AwsError, Ctx};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::check::{self, Work};
use crate::error::JobError;
use crate::failure::Failure;
use crate::store::Jobs;
use crate::{jobs, visual};

/// Previews that are computed at the same time; others wait.
const AT_ONCE: usize = 2;
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Previews of the nodes of jobs.
pub struct Previews {
    jobs: Arc<Jobs>,
    turns: Semaphore,
}

impl Previews {
    /// Previews of these jobs.
    #[must_use]
    pub fn new(jobs: Arc<Jobs>) -> Self {
        Self { jobs, turns: Semaphore::new(AT_ONCE) }
    }

    async fn rows(&self, ctx: Ctx, name: &str, node: &str) -> Result<Value, AwsError> {
        let (arn, keys) = (jobs::arn(&ctx, name), ConditionKeys::new());
        self.jobs.authorizer.authorize(&ctx, &AccessRequest::new("glue:GetJob", &arn, &keys))?;
        let job = self.jobs.job(name)?;
        let Work::Visual(graph) = check::definition(&job)? else {
            return Err(JobError::invalid(format!("{name} is a script and has no nodes")).into());
        };
        let Ok(_turn) = self.turns.acquire().await else { return Err(AwsError::internal("previews have ended")) };
        let (state, name, node) = (Arc::clone(&self.jobs), name.to_owned(), node.to_owned());
        let work = self.jobs.threads.spawn(async move {
            let rows = visual::preview::rows(ctx, state, &name, &graph, &node);
            let late = || Failure::new(format!("the rows took longer than {} seconds", PATIENCE.as_secs()));
            tokio::time::timeout(PATIENCE, rows).await.unwrap_or_else(|_| Err(late()))
        });
        let rows = Awaited(work).end().await;
        rows.map_err(|failure| JobError::invalid(failure.to_string()).into())
    }
}

/// Work that ends when nobody waits for it any more.
struct Awaited(JoinHandle<Result<Value, Failure>>);

impl Awaited {
    async fn end(mut self) -> Result<Value, Failure> {
        (&mut self.0).await.unwrap_or_else(|_| Err(Failure::new("Internal service error : the engine panicked")))
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Documents for Previews {
    const SERVICE: &'static str = "glue";
    const OPERATION: &'static str = "PreviewNode";
    const PATH: &'static str = "/_boathouse/jobs/";

    async fn read(&self, ctx: Ctx, below: &str) -> Result<Value, AwsError> {
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let path: Vec<String> = below.split('/').map(decoded).collect();
        match path.as_slice() {
            [job, nodes, node, rows] if nodes == "nodes" && rows == "rows" => self.rows(ctx, job, node).await,
            _ => Err(documents::not_found::<Self>("NAME/nodes/ID/rows")),
        }
    }
}
