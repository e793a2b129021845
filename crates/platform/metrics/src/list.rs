//! ListMetrics.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use boathouse_aws::Ctx;
use boathouse_metadata::{Entry, Key};
use chrono::TimeDelta;

use crate::api::{DimensionFilter, ListMetrics, ListedMetric, Metrics};
use crate::error::{MetricsError, invalid};
use crate::store::{CloudWatch, Name, SERIES, Series};
use crate::vended;

/// Metrics of a page.
const PAGE: usize = 500;
/// Filters of a request.
const MAX_FILTERS: usize = 10;
/// Metrics without a point for so long are not listed.
const LISTED: TimeDelta = TimeDelta::days(14);
/// The only value of RecentlyActive, and what it stands for with AWS's own tolerance.
const RECENT: (&str, TimeDelta) = ("PT3H", TimeDelta::minutes(190));

pub(crate) async fn list(ctx: Ctx, state: Arc<CloudWatch>, input: ListMetrics) -> Result<Metrics, MetricsError> {
    if input.include_linked_accounts == Some(true) || input.owning_account.is_some() {
        return Err(MetricsError::NotImplemented("linked accounts".into()));
    }
    let filters = input.dimensions.unwrap_or_default();
    if filters.len() > MAX_FILTERS {
        return Err(invalid(format!("The collection Dimensions must not have a size greater than {MAX_FILTERS}.")));
    }
    let age = match input.recently_active.as_deref() {
        None => LISTED,
        Some(name) if name == RECENT.0 => RECENT.1,
        Some(other) => return Err(invalid(format!("The value {other} for parameter RecentlyActive is invalid."))),
    };
    vended::keep(&state).await;
    let prefix = match (&input.namespace, &input.metric_name) {
        (Some(namespace), Some(metric)) => Key::new([namespace, metric]),
        (Some(namespace), None) => Key::new([namespace]),
        _ => Key::default(),
    };
    let after = input.next_token.as_deref().map(place).transpose()?;
    let oldest = (ctx.now() - age).timestamp();
    let rows = state.metadata.scan(SERIES, &prefix, after.as_ref(), usize::MAX >> 1)?;
    let wanted = |entry: &Entry| {
        let name = Name::of_key(&entry.key);
        let named = input.metric_name.as_ref().is_none_or(|metric| *metric == name.metric);
        let recent = entry.json::<Series>().is_ok_and(|series| series.last >= oldest);
        (named && recent && filters.iter().all(|filter| has(&name, filter))).then_some((entry.key.clone(), name))
    };
    let mut found = rows.iter().filter_map(wanted);
    let page: Vec<(Key, Name)> = found.by_ref().take(PAGE).collect();
    let next_token = found.next().and_then(|_| page.last()).map(|(key, _)| token(key));
    let shown = |(_, name): (Key, Name)| ListedMetric {
        namespace: name.namespace,
        metric_name: name.metric,
        dimensions: name.dimensions,
    };
    Ok(Metrics { metrics: page.into_iter().map(shown).collect(), next_token })
}

fn has(name: &Name, filter: &DimensionFilter) -> bool {
    let same = |value: &String| filter.value.as_ref().is_none_or(|wanted| wanted == value);
    name.dimensions.iter().any(|dimension| dimension.name == filter.name && same(&dimension.value))
}

fn token(key: &Key) -> String {
    BASE64.encode(serde_json::to_vec(&key.parts()).unwrap_or_default())
}

fn place(token: &str) -> Result<Key, MetricsError> {
    let wrong = || invalid("The given NextToken is invalid.");
    let bytes = BASE64.decode(token).map_err(|_| wrong())?;
    let parts: Vec<String> = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
    Ok(Key::new(parts))
}
