//! Wire types of the crawler and classifier operations ("AWS Glue API: Crawlers", "Classifiers").
//!
//! Options that AWS has and Boathouse has not are read, so that they can be refused by name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Seconds since 1970 with a fraction, as awsJson writes timestamps.
pub type Timestamp = f64;

/// Declares wire types: AWS's member names, absent members left out.
macro_rules! wire {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident: $kind:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
            #[serde(rename_all = "PascalCase")]
            #[allow(missing_docs, reason = "the members are AWS's own")]
            pub struct $name { $($(#[$attr])* #[serde(default, skip_serializing_if = "is_absent")] pub $field: $kind),* }
        )*
    };
}

/// What a serializer may leave out.
trait Absent {
    fn absent(&self) -> bool;
}

impl<T> Absent for Option<T> {
    fn absent(&self) -> bool {
        self.is_none()
    }
}

macro_rules! always_present {
    ($($kind:ty),*) => { $(impl Absent for $kind { fn absent(&self) -> bool { false } })* };
}
always_present!(
    String,
    f64,
    i64,
    u64,
    bool,
    CrawlerState,
    CrawlStatus,
    CrawlerTargets,
    SchemaChangePolicy,
    RecrawlPolicy
);

impl<T> Absent for Vec<T> {
    fn absent(&self) -> bool {
        false
    }
}

fn is_absent<T: Absent>(value: &T) -> bool {
    value.absent()
}

/// What a crawler is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names are AWS's")]
pub enum CrawlerState {
    #[default]
    Ready,
    Running,
    Stopping,
}

/// How a crawl ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names are AWS's")]
pub enum CrawlStatus {
    #[default]
    Running,
    /// As [`CrawlerState`] calls it; ListCrawls says COMPLETED.
    Succeeded,
    Cancelled,
    Failed,
}

/// What to do with changed schemas.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the names are AWS's")]
pub enum UpdateBehavior {
    Log,
    #[default]
    UpdateInDatabase,
}

/// What to do with tables and partitions whose files are gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the names are AWS's")]
pub enum DeleteBehavior {
    Log,
    DeleteFromDatabase,
    #[default]
    DeprecateInDatabase,
}

/// What a crawl looks at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the names are AWS's")]
pub enum RecrawlBehavior {
    #[default]
    CrawlEverything,
    CrawlNewFoldersOnly,
    CrawlEventMode,
}

impl<T: Copy> Absent for Defaulted<T> {
    fn absent(&self) -> bool {
        false
    }
}

/// A member that has a default and is always shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Defaulted<T: Copy>(pub T);

wire! {
    /// One S3 location to crawl.
    S3Target {
        path: Option<String>,
        exclusions: Option<Vec<String>>,
        connection_name: Option<String>,
        sample_size: Option<u32>,
        event_queue_arn: Option<String>,
        dlq_event_queue_arn: Option<String>,
    }
    /// Everything to crawl; only S3 is implemented, and the rest is refused.
    CrawlerTargets {
        s3_targets: Option<Vec<S3Target>>,
        jdbc_targets: Option<Vec<Value>>,
        #[serde(rename = "MongoDBTargets")]
        mongo_db_targets: Option<Vec<Value>>,
        #[serde(rename = "DynamoDBTargets")]
        dynamo_db_targets: Option<Vec<Value>>,
        catalog_targets: Option<Vec<Value>>,
        delta_targets: Option<Vec<Value>>,
        iceberg_targets: Option<Vec<Value>>,
        hudi_targets: Option<Vec<Value>>,
    }
    /// What happens to tables that change.
    SchemaChangePolicy { update_behavior: Defaulted<UpdateBehavior>, delete_behavior: Defaulted<DeleteBehavior> }
    /// What a crawl looks at.
    RecrawlPolicy { recrawl_behavior: Defaulted<RecrawlBehavior> }
    /// The last crawl's end.
    LastCrawlInfo {
        status: CrawlStatus,
        error_message: Option<String>,
        start_time: Timestamp,
        message_prefix: Option<String>,
    }
    /// CreateCrawler and UpdateCrawler.
    CrawlerInput {
        name: String,
        role: Option<String>,
        database_name: Option<String>,
        description: Option<String>,
        targets: Option<CrawlerTargets>,
        schedule: Option<String>,
        classifiers: Option<Vec<String>>,
        table_prefix: Option<String>,
        schema_change_policy: Option<SchemaChangePolicy>,
        recrawl_policy: Option<RecrawlPolicy>,
        lineage_configuration: Option<Value>,
        lake_formation_configuration: Option<Value>,
        configuration: Option<String>,
        crawler_security_configuration: Option<String>,
        tags: Option<BTreeMap<String, String>>,
    }
    /// A crawler as GetCrawler shows it.
    Crawler {
        name: String,
        role: String,
        targets: CrawlerTargets,
        database_name: Option<String>,
        description: Option<String>,
        classifiers: Vec<String>,
        recrawl_policy: RecrawlPolicy,
        schema_change_policy: SchemaChangePolicy,
        state: CrawlerState,
        table_prefix: Option<String>,
        crawl_elapsed_time: u64,
        creation_time: Timestamp,
        last_updated: Timestamp,
        last_crawl: Option<LastCrawlInfo>,
        version: u64,
        configuration: Option<String>,
    }
    /// One run in the history.
    Crawl {
        crawl_id: String,
        state: String,
        start_time: Timestamp,
        end_time: Option<Timestamp>,
        summary: Option<String>,
        error_message: Option<String>,
        log_group: Option<String>,
        log_stream: Option<String>,
        message_prefix: Option<String>,
        #[serde(rename = "DPUHour")]
        dpu_hour: f64,
    }
    /// A crawler's numbers, over all its runs.
    CrawlerMetrics {
        crawler_name: String,
        time_left_seconds: f64,
        still_estimating: bool,
        last_runtime_seconds: f64,
        median_runtime_seconds: f64,
        tables_created: u64,
        tables_updated: u64,
        tables_deleted: u64,
    }
    /// Names one crawler or classifier.
    Named { name: String }
    /// Names one crawler, as ListCrawls does.
    ListCrawls { crawler_name: String, max_results: Option<usize>, filters: Option<Vec<Value>>, next_token: Option<String> }
    /// A page of names or entities.
    PageRequest { max_results: Option<usize>, next_token: Option<String>, tags: Option<BTreeMap<String, String>> }
    /// BatchGetCrawlers.
    BatchGetCrawlers { crawler_names: Vec<String> }
    /// GetCrawlerMetrics.
    GetCrawlerMetrics { crawler_name_list: Option<Vec<String>>, max_results: Option<usize>, next_token: Option<String> }
    /// A classifier of CSV files.
    CsvClassifier {
        name: String,
        creation_time: Option<Timestamp>,
        last_updated: Option<Timestamp>,
        version: Option<u64>,
        delimiter: Option<String>,
        quote_symbol: Option<String>,
        contains_header: Option<String>,
        header: Option<Vec<String>>,
        disable_value_trimming: Option<bool>,
        allow_single_column: Option<bool>,
        custom_datatype_configured: Option<bool>,
        custom_datatypes: Option<Vec<String>>,
        serde: Option<String>,
    }
    /// CreateClassifier and UpdateClassifier.
    ClassifierInput {
        csv_classifier: Option<CsvClassifier>,
        grok_classifier: Option<Value>,
        #[serde(rename = "XMLClassifier")]
        xml_classifier: Option<Value>,
        json_classifier: Option<Value>,
    }
}

/// An answer without members.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Empty {}
