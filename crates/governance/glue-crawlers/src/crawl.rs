//! One crawl: list the targets, look at the files, lay out the tables, bring the catalogue in step.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use boathouse_aws::stores::ObjectStores;
use boathouse_aws::{AwsError, Ctx};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use serde_json::Value;

use crate::api::{Crawler, CsvClassifier};
use crate::catalog::{Changes, Sync};
use crate::error::CrawlerError;
use crate::infer::{self, InferError};
use crate::layout::Folder;
use crate::schema::FileSchema;
use crate::table::Naming;
use crate::target::Target;

/// Files looked at side by side.
const PARALLEL: usize = 8;

/// What a crawl did, and what it has to say beside.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) changes: Changes,
    pub(crate) remarks: Vec<String>,
}

/// Crawls all targets as the context's principal, which is the crawler's role.
///
/// # Errors
/// The role may not read the files or write the catalogue, the bucket or database is missing, a footer of Parquet or ORC is broken.
pub(crate) async fn run(
    ctx: &Ctx,
    stores: &dyn ObjectStores,
    crawler: &Crawler,
    classifiers: &[CsvClassifier],
) -> Result<Outcome, AwsError> {
    let targets: Vec<Target> =
        crawler.targets.s3_targets.iter().flatten().map(Target::new).collect::<Result<_, CrawlerError>>()?;
    let mut outcome = Outcome::default();
    let mut kept = BTreeSet::new();
    for target in &targets {
        let store = stores.bucket(ctx, &target.bucket).map_err(|error| refused(target, error))?;
        let root = look(stores, &store, target, classifiers, &mut outcome.remarks).await?;
        let mut sync = sync_for(ctx, crawler, target, outcome.changes);
        for table in root.tables(&target.path) {
            kept.insert(sync.apply(&table).await?);
        }
        outcome.changes = sync.changes;
    }
    // Only when every target has been looked at is it known which tables have lost their files.
    if let Some(target) = targets.first() {
        let locations: Vec<String> = targets.iter().map(Target::location).collect();
        let mut sync = sync_for(ctx, crawler, target, outcome.changes);
        sync.drop_tables(&kept, &locations).await?;
        outcome.changes = sync.changes;
    }
    Ok(outcome)
}

async fn look(
    stores: &dyn ObjectStores,
    store: &Arc<dyn ObjectStore>,
    target: &Target,
    classifiers: &[CsvClassifier],
    remarks: &mut Vec<String>,
) -> Result<Folder, AwsError> {
    let files = list(stores, store, target, remarks).await.map_err(|error| unreadable(&target.location(), &error))?;
    if files.is_empty() {
        remarks.push(format!("No files were found under {}: no table was created.", target.location()));
    }
    let looked = futures::stream::iter(files).map(|(path, file)| async move {
        let schema = infer::file(store, &file, classifiers).await;
        schema.map(|schema| (path, schema)).map_err(|error| failed(target, &error))
    });
    let schemas: Vec<(String, Option<FileSchema>)> = looked.buffered(PARALLEL).try_collect().await?;
    let mut root = Folder::default();
    for (path, schema) in schemas {
        match schema {
            Some(schema) => root.add(&path, schema),
            None => remarks.push(format!("{}{path} has no format that the crawler knows.", target.location())),
        }
    }
    Ok(root)
}

/// The files to look at by their path below the target; of each folder not more than the sample size.
async fn list(
    stores: &dyn ObjectStores,
    store: &Arc<dyn ObjectStore>,
    target: &Target,
    remarks: &mut Vec<String>,
) -> object_store::Result<Vec<(String, ObjectMeta)>> {
    let mut listing = store.list(target.prefix.as_ref());
    let mut files = Vec::new();
    let mut taken: BTreeMap<String, u32> = BTreeMap::new();
    while let Some(file) = listing.try_next().await? {
        let key = stores.key(&file.location);
        let Some(path) = key.strip_prefix(&target.path).map(str::to_owned) else { continue };
        if file.size == 0 || !target.includes(&path) {
            continue;
        }
        if path.split('/').any(str::is_empty) {
            remarks.push(format!("s3://{}/{key} lies in a folder without a name: it was left out.", target.bucket));
            continue;
        }
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let count = taken.entry(folder).or_default();
        *count += 1;
        if target.sample_size.is_none_or(|size| *count <= size) {
            files.push((path, file));
        }
    }
    match &target.prefix {
        Some(object) if taken.is_empty() => files.extend(one_file(store, object).await?),
        _ => {}
    }
    Ok(files)
}

/// The target itself, which may be one object; it lies nowhere below itself, so its path is empty.
async fn one_file(store: &Arc<dyn ObjectStore>, object: &Path) -> object_store::Result<Option<(String, ObjectMeta)>> {
    match store.head(object).await {
        Ok(file) => Ok((file.size > 0).then(|| (String::new(), file))),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn sync_for<'a>(ctx: &'a Ctx, crawler: &'a Crawler, target: &'a Target, changes: Changes) -> Sync<'a> {
    let prefix = crawler.table_prefix.as_deref().unwrap_or_default();
    Sync {
        ctx,
        database: crawler.database_name.as_deref().unwrap_or("default"),
        naming: Naming { crawler: &crawler.name, bucket: &target.bucket, prefix },
        updates: crawler.schema_change_policy.update_behavior.0,
        deletes: crawler.schema_change_policy.delete_behavior.0,
        keep_columns: keeps_columns(crawler),
        changes,
    }
}

/// Whether the configuration asks for `MergeNewColumns`.
fn keeps_columns(crawler: &Crawler) -> bool {
    let configuration: Value =
        crawler.configuration.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    configuration["CrawlerOutput"]["Tables"]["AddOrUpdateBehavior"] == "MergeNewColumns"
}

fn failed(target: &Target, error: &InferError) -> AwsError {
    match error {
        InferError::Store(error) => unreadable(&target.location(), error),
        InferError::Orc { cause: boathouse_orc::OrcError::Store(error), .. } => unreadable(&target.location(), error),
        InferError::Parquet { .. } | InferError::Orc { .. } => {
            AwsError::bad_request("InvalidInputException", error.to_string())
        }
    }
}

fn refused(target: &Target, error: AwsError) -> AwsError {
    AwsError { message: format!("{} can't be read: {}", target.location(), error.message), ..error }
}

fn unreadable(location: &str, error: &object_store::Error) -> AwsError {
    AwsError::bad_request("AccessDeniedException", format!("{location} can't be read: {error}"))
}
