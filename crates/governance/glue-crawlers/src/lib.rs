//! Glue crawlers: they look at files in S3 and keep tables and partitions of the Data Catalog in step with them.
//!
//! AWS counterpart: "AWS Glue API: Crawlers" and "Classifiers". A crawl really reads the files, as the crawler's role, and
//! writes the catalogue through the catalogue's own operations. Crawlers and their history are durable; a crawl that a
//! crash interrupted starts again.
//!
//! | Module | What it does |
//! |---|---|
//! | [`api`] | wire types |
//! | `crawlers`, `classifiers` | one file for each resource |
//! | [`worker`] | crawls in the background: start, stop, history, recovery |
//! | `crawl` | one crawl from listing to catalogue |
//! | `target` | S3 paths and exclude patterns |
//! | `infer` | formats and columns of files: CSV, JSON lines, Parquet, ORC, gzip |
//! | [`schema`] | Hive types, merging, likeness of files |
//! | `layout` | which folders are tables, which are partitions |
//! | `table` | tables and partitions as the catalogue writes them |
//! | `catalog` | creates, updates, deprecates and deletes them |
//! | `store`, [`error`] | rows and shared helpers; errors and their AWS codes |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod api;
mod catalog;
mod classifiers;
mod crawl;
mod crawlers;
pub mod error;
mod infer;
mod layout;
pub mod schema;
mod store;
mod table;
mod target;
pub mod worker;

use std::sync::Arc;

use boathouse_aws::service::{Access, any_resource};
use boathouse_aws::{Arn, Ctx, ServiceTable};

use crate::api::{CrawlerInput, ListCrawls, Named};

pub use error::CrawlerError;
pub use store::Crawlers;

/// Adds the operations of crawlers and classifiers to the service `glue`.
#[must_use]
pub fn operations(table: ServiceTable, state: &Arc<Crawlers>) -> ServiceTable {
    let named = || Access::On(|ctx: &Ctx, input: &Named| vec![arn(ctx, &input.name)]);
    let given = || Access::On(|ctx: &Ctx, input: &CrawlerInput| vec![arn(ctx, &input.name)]);
    let table = table
        .operation("CreateCrawler", given(), state, crawlers::create)
        .operation("UpdateCrawler", given(), state, crawlers::update)
        .operation("GetCrawler", named(), state, crawlers::get)
        .operation("GetCrawlers", Access::On(any_resource), state, crawlers::get_all)
        .operation("ListCrawlers", Access::On(any_resource), state, crawlers::list)
        .operation("BatchGetCrawlers", Access::On(any_resource), state, crawlers::batch_get)
        .operation("DeleteCrawler", named(), state, crawlers::delete)
        .operation("StartCrawler", named(), state, crawlers::start)
        .operation("StopCrawler", named(), state, crawlers::stop)
        .operation(
            "ListCrawls",
            Access::On(|ctx, input: &ListCrawls| vec![arn(ctx, &input.crawler_name)]),
            state,
            crawlers::crawls,
        )
        .operation("GetCrawlerMetrics", Access::On(any_resource), state, crawlers::metrics);
    table
        .operation("CreateClassifier", Access::On(any_resource), state, classifiers::create)
        .operation("UpdateClassifier", Access::On(any_resource), state, classifiers::update)
        .operation("GetClassifier", Access::On(any_resource), state, classifiers::get)
        .operation("GetClassifiers", Access::On(any_resource), state, classifiers::list)
        .operation("DeleteClassifier", Access::On(any_resource), state, classifiers::delete)
}

fn arn(ctx: &Ctx, crawler: &str) -> String {
    Arn::new("glue", ctx.region(), format!("crawler/{crawler}")).to_string()
}
