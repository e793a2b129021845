//! Keeps what the platform's services measure of themselves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use boathouse_aws::measures::{Measured, Summary};
use boathouse_metadata::MetadataError;

use crate::api::Dimension;
use crate::store::{self, CloudWatch, Name, Point, Resolution, unit_number};

/// How often what was measured is kept, whether somebody reads it or not.
const PERIOD: Duration = Duration::from_secs(60);

/// Keeps what is measured every minute, for as long as the runtime lives.
pub fn spawn(state: &Arc<CloudWatch>) {
    let state = Arc::clone(state);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(PERIOD).await;
            keep(&state).await;
        }
    });
}

/// Keeps what was measured so far. It is asked before each answer, so that answers are up to date; a disk that takes nothing
/// costs what was measured, and no answer.
pub async fn keep(state: &CloudWatch) {
    if let Err(error) = try_to_keep(state).await {
        tracing::error!(%error, "what services measured in the last minute is lost");
    }
}

async fn try_to_keep(state: &CloudWatch) -> Result<(), MetadataError> {
    let taken = state.platform.measures.take();
    if taken.is_empty() {
        return Ok(());
    }
    let mut points: BTreeMap<Name, Vec<Point>> = BTreeMap::new();
    for (measured, summary) in taken {
        let (name, point) = point(measured, summary);
        points.entry(name).or_default().push(point);
    }
    state
        .metadata
        .transaction(move |tx| points.iter().try_for_each(|(name, points)| store::add(tx, name, points)))
        .await
}

fn point(measured: Measured, summary: Summary) -> (Name, Point) {
    let Measured { metric, dimensions, minute } = measured;
    let dimensions = dimensions.into_iter().map(|(name, value)| Dimension { name: name.to_owned(), value }).collect();
    let name = Name::new(metric.namespace.to_owned(), metric.name.to_owned(), dimensions);
    let unit = unit_number(metric.unit).unwrap_or_default();
    (name, Point { time: minute * 60, unit, resolution: Resolution::Minute, summary })
}
