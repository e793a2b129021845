//! What makes old points coarser, and deletes the oldest with metrics that have none any more.

use std::sync::Arc;

use boathouse_metadata::{Key, MetadataError};
use chrono::TimeDelta;

use crate::store::{self, CloudWatch, POINTS, Resolution, SERIES, Series};

/// How often it is looked for old points.
const PERIOD: TimeDelta = TimeDelta::hours(1);

/// Looks for old points every hour, for as long as the runtime lives.
pub fn spawn(state: &Arc<CloudWatch>) {
    let (clock, state) = (Arc::clone(&state.platform.clock), Arc::clone(state));
    tokio::spawn(async move {
        loop {
            if let Err(error) = look(&state, clock.now().timestamp()).await {
                tracing::error!(%error, "old metrics can't be made coarser");
            }
            clock.sleep_until(clock.now() + PERIOD).await;
        }
    });
}

/// Puts all points in order that have outlived their resolution at `now`.
async fn look(state: &CloudWatch, now: i64) -> Result<(), MetadataError> {
    for entry in state.metadata.scan(SERIES, &Key::default(), None, usize::MAX >> 1)? {
        let series: Series = entry.json()?;
        if series.last < now - Resolution::Hour.kept() {
            forget(state, entry.key, series).await?;
            continue;
        }
        for resolution in Resolution::ALL {
            while let Some(key) = state.outlived(&series.id, resolution, now)? {
                let id = series.id.clone();
                state.metadata.transaction(move |tx| store::coarsen(tx, &id, resolution, &key)).await?;
            }
        }
    }
    Ok(())
}

async fn forget(state: &CloudWatch, key: Key, series: Series) -> Result<(), MetadataError> {
    state
        .metadata
        .transaction(move |tx| {
            // Somebody may have put a point just now.
            if tx.get_json::<Series>(SERIES, &key)?.is_some_and(|present| present.last == series.last) {
                tx.delete_prefix(POINTS, &Key::new([series.id]))?;
                tx.delete(SERIES, &key)?;
            }
            Ok(())
        })
        .await
}

#[cfg(test)]
mod tests {
    use boathouse_aws::measures::Summary;
    use boathouse_aws::{Dispatcher, Platform, SystemClock};
    use boathouse_metadata::Metadata;

    use super::*;
    use crate::store::{Name, Point};

    const DAY: i64 = 86_400;

    #[tokio::test]
    async fn points_become_coarser_and_go() {
        let dir = tempfile::tempdir().unwrap();
        let metadata = Metadata::open(&dir.path().join("metadata.db")).unwrap();
        let platform = Platform::new(Dispatcher::default(), Arc::new(SystemClock), "us-east-1");
        let state = CloudWatch::new(metadata, platform);
        let begin = 20_000 * DAY;
        let name = Name::new("n".into(), "m".into(), Vec::new());
        let point =
            |time: i64, resolution, value| Point { time, unit: 0, resolution, summary: Summary::of(value, 1.0) };
        let points: Vec<Point> = (0..600)
            .map(|n| point(begin + n, Resolution::Second, 1.0))
            .chain((0..10).map(|n| point(begin + n * 60, Resolution::Minute, 100.0)))
            .collect();
        let added = name.clone();
        state.metadata.transaction(move |tx| store::add(tx, &added, &points)).await.unwrap();
        let found = |state: &CloudWatch| state.points(&name, begin, begin + DAY).unwrap();
        assert_eq!(found(&state).len(), 610);
        for (later, count, sum) in [(DAY, 10, 160.0), (20 * DAY, 2, 800.0), (70 * DAY, 1, 1600.0)] {
            look(&state, begin + later).await.unwrap();
            let found = found(&state);
            assert_eq!((found.len(), found[0].summary.sum), (count, sum), "{later}");
        }
        look(&state, begin + 456 * DAY).await.unwrap();
        assert!(found(&state).is_empty());
        assert_eq!(state.metadata.count(SERIES, &Key::default(), None, 9).unwrap(), 0);
        assert_eq!(state.metadata.count(POINTS, &Key::default(), None, 9).unwrap(), 0);
    }
}
