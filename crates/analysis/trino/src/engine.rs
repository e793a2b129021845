//! The engine: memory, disk and threads, and the way from a query to its rows.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use arrow::array::RecordBatch;
use boathouse_iceberg::kept::Kept;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use boathouse_trino_parser::ast;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, MemoryLimit, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SendableRecordBatchStream, SessionState, SessionStateBuilder};
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::streaming::StreamingTableExec;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionConfig;
use futures::{Stream, StreamExt};

use crate::analyzer::{self, Analysis, Known, Needed, Statement};
use crate::catalog::{Format, Session};
use crate::error::{internal, of_datafusion};
use crate::explain::{self, Explain, ExplainFormat, Times};
use crate::first_rows::FirstRowsRule;
use crate::iceberg;
use crate::memory::SmallPartialTables;
use crate::operators;
use crate::scan::{Footers, Noted};
use crate::storage::Statistics;

/// How many rows operators hand on at a time.
const BATCH_SIZE: usize = 8192;

/// How large a join's smaller side may be to be hashed as a whole by one thread. To divide both sides among the threads costs
/// a copy of the larger one, and that pays only late.
const BROADCAST_BYTES: usize = 128 << 20;
const BROADCAST_ROWS: usize = 2_000_000;

/// A join on whole numbers finds its rows by their place in an array where the keys fill at least this part of their range, or
/// where that has so few numbers: 4 bytes for each, and no hash.
const ARRAY_JOIN_DENSITY: f64 = 0.03;
const ARRAY_JOIN_RANGE: usize = 8 << 20;
/// Such an array must not need memory that a hash table would not: where less than this is free, in bytes, keys have to fill as
/// much of their range as makes the array no larger than the table, or the array takes this part of what is free at most.
const MUCH_MEMORY: usize = 2 << 30;
const DENSITY_OF_HASH_TABLES: f64 = 0.2;
const SMALL_PART: usize = 64;

/// How many of a memory pool's users an error names.
const NAMED_CONSUMERS: usize = 3;

/// How much of the machine the engine may use.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// How many bytes all queries together may hold in memory.
    pub memory_limit: usize,
    /// Where operators put what doesn't fit.
    pub spill_directory: PathBuf,
    /// How many bytes may be there.
    pub spill_limit: u64,
    /// On how many threads one query runs.
    pub threads: usize,
}

/// Runs queries.
#[derive(Debug)]
pub struct Engine {
    runtime: Arc<RuntimeEnv>,
    footers: Arc<Footers>,
    kept: Arc<Kept>,
    threads: usize,
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, as the statement writes it.
    pub name: String,
    /// Its type.
    pub ty: Type,
}

/// A query's rows as they are computed. Dropping it cancels the query.
pub struct QueryStream {
    /// The columns.
    pub columns: Vec<Column>,
    /// What was read and given so far.
    pub statistics: Arc<Statistics>,
    batches: SendableRecordBatchStream,
    /// What runs, until it has ended.
    plan: Option<Arc<dyn ExecutionPlan>>,
}

impl std::fmt::Debug for QueryStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QueryStream").field("columns", &self.columns).finish_non_exhaustive()
    }
}

impl Stream for QueryStream {
    type Item = Result<RecordBatch, TrinoError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.batches.as_mut().poll_next(context);
        if matches!(polled, Poll::Ready(None))
            && let Some(plan) = self.plan.take()
        {
            self.statistics.add_input_rows(rows_read(&plan));
        }
        polled.map(|batch| {
            let batch = batch?.map_err(of_datafusion);
            if let Ok(batch) = &batch {
                self.statistics.add_rows(batch.num_rows());
            }
            Some(batch)
        })
    }
}

/// Which part of their range keys of a join must fill to be looked up in an array, and which ranges are small enough in any
/// case, with so many bytes free. Whoever joins them so has to have the memory: there is no other way for the join then.
fn array_joins(free: usize) -> (f64, usize) {
    let range = (free / SMALL_PART / size_of::<u32>()).min(ARRAY_JOIN_RANGE);
    (if free < MUCH_MEMORY { DENSITY_OF_HASH_TABLES } else { ARRAY_JOIN_DENSITY }, range)
}

/// The rows that a plan's scans have given. A scan that stands there several times counts once.
fn rows_read(plan: &Arc<dyn ExecutionPlan>) -> u64 {
    let (mut found, mut left) = (Vec::new(), vec![plan]);
    while let Some(plan) = left.pop() {
        let is_scan = plan.children().is_empty() && !found.iter().any(|known| Arc::ptr_eq(known, plan));
        if is_scan {
            found.push(Arc::clone(plan));
        }
        left.extend(plan.children());
    }
    let of_table = |scan: &&Arc<dyn ExecutionPlan>| match scan.downcast_ref::<DataSourceExec>() {
        Some(source) => !source.data_source().is::<MemorySourceConfig>(),
        None => scan.is::<StreamingTableExec>(),
    };
    found.iter().filter(of_table).filter_map(|scan| scan.metrics()?.output_rows()).map(|rows| rows as u64).sum()
}

impl Engine {
    /// An engine within these limits.
    ///
    /// # Errors
    /// The spill directory can't be used.
    pub fn new(config: EngineConfig) -> Result<Self, TrinoError> {
        let EngineConfig { memory_limit, spill_directory, spill_limit, threads } = config;
        let consumers = std::num::NonZeroUsize::new(NAMED_CONSUMERS).unwrap_or(std::num::NonZeroUsize::MIN);
        let pool = TrackConsumersPool::new(FairSpillPool::new(memory_limit), consumers);
        let disk = DiskManagerBuilder::default()
            .with_mode(DiskManagerMode::Directories(vec![spill_directory]))
            .with_max_temp_directory_size(spill_limit);
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(SmallPartialTables::new(Arc::new(pool))))
            .with_disk_manager_builder(disk)
            .build_arc()
            .map_err(of_datafusion)?;
        Ok(Self { runtime, footers: Arc::default(), kept: Arc::default(), threads: threads.max(1) })
    }

    /// How many bytes running queries hold now, as far as the memory limit counts them.
    pub fn reserved_memory(&self) -> usize {
        self.runtime.memory_pool.reserved()
    }

    /// How many bytes queries may still hold in memory.
    fn free_memory(&self) -> usize {
        match self.runtime.memory_pool.memory_limit() {
            MemoryLimit::Finite(limit) => limit.saturating_sub(self.reserved_memory()),
            _ => usize::MAX,
        }
    }

    /// On how many threads one query runs.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Starts a query.
    ///
    /// # Errors
    /// What is wrong with the query, and what keeps it from being planned; what goes wrong later comes with the rows.
    pub async fn query(&self, session: &Session, query: &ast::Query) -> Result<QueryStream, TrinoError> {
        let statistics = Arc::new(Statistics::default());
        let analysis = self.analysis(session, &statistics, query).await?;
        let state = self.state(session)?;
        let plan = physical(&state, &analysis.plan).await?;
        let batches = execute_stream(Arc::clone(&plan), state.task_ctx()).map_err(of_datafusion)?;
        Ok(QueryStream { columns: columns(analysis), statistics, batches, plan: Some(plan) })
    }

    /// The columns that a query has, without running it.
    ///
    /// # Errors
    /// What is wrong with the query.
    pub async fn analyze(&self, session: &Session, query: &ast::Query) -> Result<Vec<Column>, TrinoError> {
        let analysis = self.analysis(session, &Arc::new(Statistics::default()), query).await?;
        Ok(columns(analysis))
    }

    /// A query's plan as text. What it reads while it runs is counted in the statistics.
    ///
    /// # Errors
    /// What is wrong with the query; if it runs, also what goes wrong then.
    pub async fn explain(
        &self,
        session: &Session,
        query: &ast::Query,
        (what, format): (Explain, ExplainFormat),
        writes: Option<&str>,
        statistics: &Arc<Statistics>,
    ) -> Result<String, TrinoError> {
        let (mut times, begun) = (Times::default(), Instant::now());
        let analysis = self.analysis(session, statistics, query).await?;
        times.analysis = begun.elapsed();
        let (mut state, noted) = (self.state(session)?, Arc::new(Noted::default()));
        state.config_mut().set_extension(Arc::clone(&noted));
        let plan = physical(&state, &analysis.plan).await?;
        times.planning = begun.elapsed() - times.analysis;
        if what.runs() {
            let mut rows = execute_stream(Arc::clone(&plan), state.task_ctx()).map_err(of_datafusion)?;
            while let Some(batch) = rows.next().await {
                statistics.add_rows(batch.map_err(of_datafusion)?.num_rows());
            }
            times.execution = begun.elapsed() - times.analysis - times.planning;
        }
        Ok(explain::shown(&plan, &noted, &columns(analysis), (what, format), writes, times))
    }

    /// Analyzes a statement, and asks the catalog for what that needs until nothing is missing.
    pub(crate) async fn analysis(
        &self,
        session: &Session,
        statistics: &Arc<Statistics>,
        statement: impl Into<Statement<'_>>,
    ) -> Result<Analysis, TrinoError> {
        let (session, statement) = (Arc::new(session.clone()), statement.into());
        let mut known = Known::default();
        loop {
            match analyzer::analyze(&session, statistics, &known, statement) {
                Ok(analysis) => return Ok(analysis),
                Err(Err(error)) => return Err(error),
                Err(Ok(Needed::Table(database, name))) => {
                    let found = session.catalog.table(&database, &name).await?;
                    let key = (database, name);
                    if let Some(definition) = &found
                        && matches!(definition.format, Format::Iceberg { .. })
                    {
                        known
                            .iceberg
                            .insert(key.clone(), Arc::new(iceberg::open(&session, definition, &self.kept).await?));
                    }
                    known.tables.insert(key, found.map(Arc::new));
                }
                Err(Ok(Needed::Databases)) => known.databases = Some(session.catalog.databases().await?),
            }
        }
    }

    /// DataFusion's session for one query. Object stores and caches are the query's own: they hold the rights of whoever
    /// asks; memory and disk are everybody's.
    pub(crate) fn state(&self, session: &Session) -> Result<SessionState, TrinoError> {
        allow_huge_pages();
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::clone(&self.runtime.memory_pool))
            .build()
            .map_err(of_datafusion)?;
        let runtime = RuntimeEnv { disk_manager: Arc::clone(&self.runtime.disk_manager), ..runtime };
        let mut config = SessionConfig::new()
            .with_target_partitions(self.threads)
            .with_batch_size(BATCH_SIZE)
            .with_collect_statistics(true)
            .with_information_schema(false)
            .with_create_default_catalog_and_schema(false)
            .with_extension(Arc::clone(&self.footers));
        let options = config.options_mut();
        options.execution.time_zone = Some(session.zone.clone());
        (
            options.execution.perfect_hash_join_min_key_density,
            options.execution.perfect_hash_join_small_build_threshold,
        ) = array_joins(self.free_memory());
        options.execution.parquet.schema_force_view_types = false;
        options.execution.parquet.pushdown_filters = false;
        options.execution.parquet.enable_page_index = true;
        options.execution.parquet.bloom_filter_on_read = true;
        options.optimizer.skip_failed_rules = false;
        options.optimizer.hash_join_single_partition_threshold = BROADCAST_BYTES;
        options.optimizer.hash_join_single_partition_threshold_rows = BROADCAST_ROWS;
        // The analyzer has resolved all functions; a rule asks for this one, and to name hundreds of others takes time.
        let state = SessionStateBuilder::new().with_aggregate_functions(vec![first_value_udaf()]).with_config(config);
        let state = state.with_query_planner(Arc::new(operators::MatchRecognizePlanner));
        let state = state.with_optimizer_rules(operators::logical_rules());
        let state = state.with_physical_optimizer_rules(operators::rules());
        let state = state.with_physical_optimizer_rule(Arc::new(FirstRowsRule));
        // Last, for the windows that the rule before has left.
        let state = state.with_physical_optimizer_rule(Arc::new(operators::CountRows));
        Ok(state.with_runtime_env(Arc::new(runtime)).build())
    }
}

/// The plan that runs.
pub(crate) async fn physical(state: &SessionState, plan: &LogicalPlan) -> Result<Arc<dyn ExecutionPlan>, TrinoError> {
    state.create_physical_plan(plan).await.map_err(|error| match of_datafusion(error) {
        error if is_unplanned(&error) && analyzer::is_correlated(plan) => analyzer::unsupported_correlation(),
        error if error.code == ErrorCode::GenericInternalError => {
            tracing::debug!(plan = %plan.display_indent(), "a query couldn't be planned");
            internal(format!("The query can't be planned: {}", error.message))
        }
        error => error,
    })
}

/// Queries are worth huge pages, which whoever started this process may have refused for a time without any.
fn allow_huge_pages() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // Best effort: without them queries only take more time.
        let _ = rustix::thread::disable_transparent_huge_pages(false);
    });
}

/// Whether an error may come from a subquery that DataFusion could not turn into a join.
fn is_unplanned(error: &TrinoError) -> bool {
    error.code == ErrorCode::GenericInternalError
        || error.code == ErrorCode::NotSupported && error.message.contains("does not support logical expression")
}

fn columns(analysis: Analysis) -> Vec<Column> {
    analysis.columns.into_iter().map(|(name, ty)| Column { name, ty }).collect()
}
