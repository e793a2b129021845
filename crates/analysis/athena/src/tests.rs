//! The service with the real engine, a real catalog and buckets in memory.

mod catalog;
mod executions;
mod resources;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use boathouse_aws::access::{AccessRequest, Authorizer};
use boathouse_aws::stores::ObjectStores;
use boathouse_aws::{AwsError, Ctx, Dispatcher, Platform, Principal, SystemClock};
use boathouse_metadata::Metadata;
use boathouse_trino::engine::{Engine, EngineConfig};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::{Value, json};

use crate::{Deps, Service};

struct Anyone;

impl Authorizer for Anyone {
    fn authorize(&self, _: &Ctx, _: &AccessRequest<'_>) -> Result<(), AwsError> {
        Ok(())
    }
}

/// Buckets in memory; others do not exist.
#[derive(Debug, Clone)]
struct Buckets(Arc<HashMap<String, Arc<InMemory>>>);

impl ObjectStores for Buckets {
    fn bucket(&self, _: &Ctx, bucket: &str) -> Result<Arc<dyn ObjectStore>, AwsError> {
        match self.0.get(bucket) {
            Some(store) => Ok(Arc::clone(store) as Arc<dyn ObjectStore>),
            None => Err(AwsError::bad_request("NoSuchBucket", "The specified bucket does not exist")),
        }
    }
}

struct World {
    dir: tempfile::TempDir,
    buckets: Buckets,
    ctx: Ctx,
}

/// A server with the buckets `lake` and `results`, and the database `lake`.
async fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let names = ["lake", "results"];
    let buckets = names.into_iter().map(|name| (name.to_owned(), Arc::default())).collect();
    let buckets = Buckets(Arc::new(buckets));
    let ctx = serve(dir.path(), &buckets).await;
    ctx.call("glue", "CreateDatabase", json!({"DatabaseInput": {"Name": "lake"}})).await.unwrap();
    World { dir, buckets, ctx }
}

async fn serve(dir: &std::path::Path, buckets: &Buckets) -> Ctx {
    let metadata = Metadata::open(&dir.join("metadata.db")).unwrap();
    let config =
        EngineConfig { memory_limit: 64 << 20, spill_directory: dir.join("spill"), spill_limit: 64 << 20, threads: 2 };
    let deps = Deps {
        metadata: metadata.clone(),
        engine: Arc::new(Engine::new(config).unwrap()),
        stores: Arc::new(buckets.clone()),
        authorizer: Arc::new(Anyone),
        clock: Arc::new(SystemClock),
        concurrent_queries: 2,
        queued_queries: 100,
    };
    let Service { table: athena, recovery, .. } =
        tokio::task::spawn_blocking(move || crate::service(deps)).await.unwrap().unwrap();
    let dispatcher = Dispatcher::default();
    dispatcher.install(vec![athena, boathouse_glue_catalog::service(metadata)], Arc::new(Anyone));
    let platform = Platform::new(dispatcher, Arc::new(SystemClock), "us-east-1");
    recovery.run(&platform).await.unwrap();
    platform.context(Arc::new(Principal::root()))
}

impl World {
    async fn ok(&self, operation: &str, input: Value) -> Value {
        self.ctx.call("athena", operation, input).await.unwrap()
    }

    async fn refused(&self, operation: &str, input: Value) -> AwsError {
        self.ctx.call("athena", operation, input).await.unwrap_err()
    }

    async fn start(&self, sql: &str) -> String {
        let input = json!({"QueryString": sql, "QueryExecutionContext": {"Database": "lake"},
            "ResultConfiguration": {"OutputLocation": "s3://results/out/"}});
        self.ok("StartQueryExecution", input).await["QueryExecutionId"].as_str().unwrap().to_owned()
    }

    async fn execution(&self, id: &str) -> Value {
        self.ok("GetQueryExecution", json!({"QueryExecutionId": id})).await["QueryExecution"].take()
    }

    /// The execution when it has ended.
    async fn ended(&self, id: &str) -> Value {
        for _ in 0..1500 {
            let execution = self.execution(id).await;
            if !["QUEUED", "RUNNING"].contains(&execution["Status"]["State"].as_str().unwrap()) {
                return execution;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{id} does not end")
    }

    /// Runs a statement that must succeed; its rows.
    async fn run(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let id = self.start(sql).await;
        let execution = self.ended(&id).await;
        assert_eq!(execution["Status"]["State"], "SUCCEEDED", "{sql}: {}", execution["Status"]);
        rows(&self.ok("GetQueryResults", json!({"QueryExecutionId": id})).await)
    }

    /// The one column of a statement's lines.
    async fn lines(&self, sql: &str) -> Vec<String> {
        self.run(sql).await.into_iter().map(|mut row| row.remove(0).unwrap()).collect()
    }

    /// Runs a statement that must fail; why.
    async fn fails(&self, sql: &str) -> String {
        let execution = self.ended(&self.start(sql).await).await;
        assert_eq!(execution["Status"]["State"], "FAILED", "{sql}");
        execution["Status"]["StateChangeReason"].as_str().unwrap().to_owned()
    }

    async fn put(&self, bucket: &str, key: &str, content: &str) {
        self.buckets.0[bucket].put(&Path::parse(key).unwrap(), content.to_owned().into()).await.unwrap();
    }

    async fn object(&self, location: &str) -> String {
        let (bucket, key) = location.strip_prefix("s3://").unwrap().split_once('/').unwrap();
        let found = self.buckets.0[bucket].get(&Path::parse(key).unwrap()).await.unwrap();
        String::from_utf8(found.bytes().await.unwrap().to_vec()).unwrap()
    }
}

fn rows(results: &Value) -> Vec<Vec<Option<String>>> {
    let datum = |datum: &Value| datum["VarCharValue"].as_str().map(str::to_owned);
    let row = |row: &Value| row["Data"].as_array().unwrap().iter().map(datum).collect();
    results["ResultSet"]["Rows"].as_array().unwrap().iter().map(row).collect()
}
