//! Crawlers: create, get, list, update, delete, start, stop, history, metrics.

use std::sync::Arc;

use boathouse_aws::access::{AccessRequest, ConditionKeys};
use boathouse_aws::{ACCOUNT_ID, Ctx};
use boathouse_metadata::Key;
use serde_json::{Value, json};

use crate::api::{
    BatchGetCrawlers, Crawl, Crawler, CrawlerInput, CrawlerMetrics, CrawlerState, CrawlerTargets, Empty,
    GetCrawlerMetrics, ListCrawls, Named, PageRequest, RecrawlBehavior,
};
use crate::error::CrawlerError;
use crate::store::{CRAWLERS, CRAWLS, Crawlers, StoredCrawler, TAGS, missing, now, page, valid_name};
use crate::target::Target;
use crate::worker;

/// Tags of one resource.
const MAX_TAGS: usize = 50;

/// Refuses what AWS has and Boathouse has not, and what no crawler may have.
fn check(input: &CrawlerInput) -> Result<(), CrawlerError> {
    valid_name(&input.name)?;
    for (given, name) in [
        (input.schedule.as_deref().is_some_and(|schedule| !schedule.is_empty()), "Schedule"),
        (input.lake_formation_configuration.is_some(), "LakeFormationConfiguration"),
        (input.crawler_security_configuration.is_some(), "CrawlerSecurityConfiguration"),
        (
            input.lineage_configuration.as_ref().is_some_and(|l| l["CrawlerLineageSettings"] == "ENABLE"),
            "LineageConfiguration",
        ),
    ] {
        if given {
            return Err(CrawlerError::NotImplemented(name));
        }
    }
    let recrawl = input.recrawl_policy.as_ref().map(|policy| policy.recrawl_behavior.0).unwrap_or_default();
    if recrawl != RecrawlBehavior::CrawlEverything {
        return Err(CrawlerError::NotImplemented("RecrawlPolicy other than CRAWL_EVERYTHING"));
    }
    input.targets.as_ref().map_or(Ok(()), check_targets)?;
    input.configuration.as_deref().map_or(Ok(()), check_configuration)
}

fn check_targets(targets: &CrawlerTargets) -> Result<(), CrawlerError> {
    for (others, name) in [
        (&targets.jdbc_targets, "JdbcTargets"),
        (&targets.mongo_db_targets, "MongoDBTargets"),
        (&targets.dynamo_db_targets, "DynamoDBTargets"),
        (&targets.catalog_targets, "CatalogTargets"),
        (&targets.delta_targets, "DeltaTargets"),
        (&targets.iceberg_targets, "IcebergTargets"),
        (&targets.hudi_targets, "HudiTargets"),
    ] {
        if others.as_ref().is_some_and(|others| !others.is_empty()) {
            return Err(CrawlerError::NotImplemented(name));
        }
    }
    let targets = targets.s3_targets.as_deref().unwrap_or_default();
    if targets.is_empty() {
        return Err(CrawlerError::InvalidInput("A crawler needs at least one target".into()));
    }
    targets.iter().try_for_each(|target| Target::new(target).map(drop))
}

/// The configuration is JSON; of its settings those that change nothing here or are implemented may stand in it.
fn check_configuration(text: &str) -> Result<(), CrawlerError> {
    let invalid = || CrawlerError::InvalidInput("Configuration is not valid JSON with a Version".into());
    let configuration: Value = serde_json::from_str(text).map_err(|_| invalid())?;
    if configuration["Version"].as_f64() != Some(1.0) {
        return Err(invalid());
    }
    if configuration.get("Grouping").is_some_and(|grouping| !grouping.is_null()) {
        return Err(CrawlerError::NotImplemented("Configuration.Grouping"));
    }
    Ok(())
}

/// Whoever lets a crawler act as a role must be allowed to pass that role, which must trust Glue.
fn check_role(ctx: &Ctx, state: &Crawlers, role: &str) -> Result<(), CrawlerError> {
    let arn = if role.starts_with("arn:") { role.to_owned() } else { format!("arn:aws:iam::{ACCOUNT_ID}:role/{role}") };
    let keys = ConditionKeys::from([("iam:PassedToService".to_owned(), vec![worker::SERVICE.to_owned()])]);
    state.authorizer.authorize(ctx, &AccessRequest::new("iam:PassRole", &arn, &keys))?;
    state.roles.assume_for_service(role, worker::SERVICE, "AWS-Crawler").map(drop).map_err(|_| {
        let message =
            format!("Service is unable to assume provided role. Please verify role's TrustPolicy (role {role})");
        CrawlerError::InvalidInput(message)
    })
}

pub(crate) async fn create(ctx: Ctx, state: Arc<Crawlers>, input: CrawlerInput) -> Result<Empty, CrawlerError> {
    check(&input)?;
    let need = |name: &str| CrawlerError::InvalidInput(format!("{name} is missing"));
    let role = input.role.ok_or_else(|| need("Role"))?;
    let targets = input.targets.ok_or_else(|| need("Targets"))?;
    check_role(&ctx, &state, &role)?;
    let (arn, tags) = (crate::arn(&ctx, &input.name), input.tags.unwrap_or_default());
    if tags.len() > MAX_TAGS {
        return Err(CrawlerError::InvalidInput(format!("A resource can have at most {MAX_TAGS} tags")));
    }
    input.classifiers.iter().flatten().try_for_each(|name| state.classifier(name).map(drop))?;
    let time = now(&ctx);
    let crawler = Crawler {
        name: input.name,
        role,
        targets,
        database_name: input.database_name,
        description: input.description,
        classifiers: input.classifiers.unwrap_or_default(),
        recrawl_policy: input.recrawl_policy.unwrap_or_default(),
        schema_change_policy: input.schema_change_policy.unwrap_or_default(),
        state: CrawlerState::Ready,
        table_prefix: input.table_prefix,
        creation_time: time,
        last_updated: time,
        version: 1,
        configuration: input.configuration,
        ..Crawler::default()
    };
    let stored = StoredCrawler { crawler, run: None, tables_created: 0, tables_updated: 0, tables_deleted: 0 };
    state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&stored.crawler.name]);
            if tx.contains(CRAWLERS, &key)? {
                let message = format!("{} already exists", stored.crawler.name);
                return Err(CrawlerError::AlreadyExists(message));
            }
            if !tags.is_empty() {
                tx.put_json(TAGS, &Key::new([arn]), &tags)?;
            }
            tx.put_json(CRAWLERS, &key, &stored)?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn update(ctx: Ctx, state: Arc<Crawlers>, input: CrawlerInput) -> Result<Empty, CrawlerError> {
    check(&input)?;
    if let Some(role) = &input.role {
        check_role(&ctx, &state, role)?;
    }
    input.classifiers.iter().flatten().try_for_each(|name| state.classifier(name).map(drop))?;
    let time = now(&ctx);
    state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&input.name]);
            let mut stored: StoredCrawler = tx.get_json(CRAWLERS, &key)?.ok_or_else(|| missing(&input.name))?;
            if stored.crawler.state != CrawlerState::Ready {
                return Err(CrawlerError::Running(input.name));
            }
            let old = stored.crawler;
            stored.crawler = Crawler {
                role: input.role.unwrap_or(old.role),
                targets: input.targets.unwrap_or(old.targets),
                database_name: input.database_name.or(old.database_name),
                description: input.description.or(old.description),
                classifiers: input.classifiers.unwrap_or(old.classifiers),
                recrawl_policy: input.recrawl_policy.unwrap_or(old.recrawl_policy),
                schema_change_policy: input.schema_change_policy.unwrap_or(old.schema_change_policy),
                table_prefix: input.table_prefix.or(old.table_prefix),
                configuration: input.configuration.or(old.configuration),
                last_updated: time,
                version: old.version + 1,
                ..old
            };
            tx.put_json(CRAWLERS, &key, &stored)?;
            Ok(Empty {})
        })
        .await
}

fn shown(ctx: &Ctx, stored: StoredCrawler) -> Crawler {
    let mut crawler = stored.crawler;
    worker::elapsed(&mut crawler, stored.run.as_ref(), now(ctx));
    crawler
}

pub(crate) async fn get(ctx: Ctx, state: Arc<Crawlers>, input: Named) -> Result<Value, CrawlerError> {
    Ok(json!({"Crawler": shown(&ctx, state.crawler(&input.name)?)}))
}

pub(crate) async fn get_all(ctx: Ctx, state: Arc<Crawlers>, input: PageRequest) -> Result<Value, CrawlerError> {
    let (found, next) = page(&state, CRAWLERS, &Key::default(), input.max_results, input.next_token)?;
    let crawlers: Vec<Crawler> = found.into_iter().map(|stored| shown(&ctx, stored)).collect();
    Ok(json!({"Crawlers": crawlers, "NextToken": next}))
}

pub(crate) async fn list(_: Ctx, state: Arc<Crawlers>, input: PageRequest) -> Result<Value, CrawlerError> {
    if input.tags.is_some_and(|tags| !tags.is_empty()) {
        return Err(CrawlerError::NotImplemented("lists of crawlers by Tags"));
    }
    let (found, next) = page::<StoredCrawler>(&state, CRAWLERS, &Key::default(), input.max_results, input.next_token)?;
    let names: Vec<String> = found.into_iter().map(|stored| stored.crawler.name).collect();
    Ok(json!({"CrawlerNames": names, "NextToken": next}))
}

pub(crate) async fn batch_get(ctx: Ctx, state: Arc<Crawlers>, input: BatchGetCrawlers) -> Result<Value, CrawlerError> {
    let mut crawlers = Vec::new();
    let mut not_found = Vec::new();
    for name in input.crawler_names {
        match state.crawler(&name) {
            Ok(stored) => crawlers.push(shown(&ctx, stored)),
            Err(CrawlerError::NotFound(_)) => not_found.push(name),
            Err(error) => return Err(error),
        }
    }
    Ok(json!({"Crawlers": crawlers, "CrawlersNotFound": not_found}))
}

pub(crate) async fn delete(ctx: Ctx, state: Arc<Crawlers>, input: Named) -> Result<Empty, CrawlerError> {
    let arn = crate::arn(&ctx, &input.name);
    state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&input.name]);
            let stored: StoredCrawler = tx.get_json(CRAWLERS, &key)?.ok_or_else(|| missing(&input.name))?;
            if stored.crawler.state != CrawlerState::Ready {
                return Err(CrawlerError::Running(input.name));
            }
            tx.delete(CRAWLERS, &key)?;
            tx.delete_prefix(CRAWLS, &key)?;
            tx.delete(TAGS, &Key::new([arn]))?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn start(ctx: Ctx, state: Arc<Crawlers>, input: Named) -> Result<Empty, CrawlerError> {
    worker::start(&ctx, &state, &input.name).await.map(|()| Empty {})
}

pub(crate) async fn stop(_: Ctx, state: Arc<Crawlers>, input: Named) -> Result<Empty, CrawlerError> {
    worker::stop(&state, &input.name).await.map(|()| Empty {})
}

pub(crate) async fn crawls(_: Ctx, state: Arc<Crawlers>, input: ListCrawls) -> Result<Value, CrawlerError> {
    if input.filters.is_some_and(|filters| !filters.is_empty()) {
        return Err(CrawlerError::NotImplemented("Filters of ListCrawls"));
    }
    state.crawler(&input.crawler_name)?;
    let prefix = Key::new([&input.crawler_name]);
    let (crawls, next) =
        page::<Crawl>(&state, CRAWLS, &prefix, Some(input.max_results.unwrap_or(20)), input.next_token)?;
    Ok(json!({"Crawls": crawls, "NextToken": next}))
}

pub(crate) async fn metrics(_: Ctx, state: Arc<Crawlers>, input: GetCrawlerMetrics) -> Result<Value, CrawlerError> {
    let (found, next) = match input.crawler_name_list.filter(|names| !names.is_empty()) {
        Some(names) => (names.iter().map(|name| state.crawler(name)).collect::<Result<Vec<_>, _>>()?, None),
        None => page(&state, CRAWLERS, &Key::default(), input.max_results, input.next_token)?,
    };
    let metrics = found.iter().map(|stored| metrics_of(&state, stored)).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({"CrawlerMetricsList": metrics, "NextToken": next}))
}

fn metrics_of(state: &Crawlers, stored: &StoredCrawler) -> Result<CrawlerMetrics, CrawlerError> {
    let name = &stored.crawler.name;
    let (crawls, _) = page::<Crawl>(state, CRAWLS, &Key::new([name]), Some(1000), None)?;
    let mut runtimes: Vec<f64> =
        crawls.iter().filter_map(|crawl| crawl.end_time.map(|end| end - crawl.start_time)).collect();
    let last = runtimes.first().copied().unwrap_or_default();
    runtimes.sort_by(f64::total_cmp);
    Ok(CrawlerMetrics {
        crawler_name: name.clone(),
        still_estimating: stored.crawler.state == CrawlerState::Running,
        last_runtime_seconds: last,
        median_runtime_seconds: runtimes.get(runtimes.len() / 2).copied().unwrap_or_default(),
        tables_created: stored.tables_created,
        tables_updated: stored.tables_updated,
        tables_deleted: stored.tables_deleted,
        time_left_seconds: 0.0,
    })
}
