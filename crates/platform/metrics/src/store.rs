//! Where metrics live: a row for each metric, and blocks of points, each of one metric, one resolution and one span of time.

use std::collections::BTreeMap;

use boathouse_aws::Platform;
use boathouse_aws::measures::Summary;
use boathouse_metadata::{Entry, Key, Metadata, MetadataError, Transaction};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::Dimension;
use crate::block::Block;

/// `(namespace, name, dimensions)` → [`Series`].
pub(crate) const SERIES: &str = "metrics-series";
/// `(series, resolution, begin of the block)` → [`Block`].
pub(crate) const POINTS: &str = "metrics-points";
/// How much later (in seconds) a metric's last point must be before its row says so.
const LAST_STEP: i64 = 600;

/// The metrics of an installation.
pub struct CloudWatch {
    pub(crate) metadata: Metadata,
    pub(crate) platform: Platform,
}

impl CloudWatch {
    /// The metrics in `metadata`, with what the services of `platform` measure.
    pub fn new(metadata: Metadata, platform: Platform) -> Self {
        Self { metadata, platform }
    }
}

/// The name of a metric: namespace, name, dimensions in their order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) namespace: String,
    pub(crate) metric: String,
    pub(crate) dimensions: Vec<Dimension>,
}

impl Name {
    pub(crate) fn new(namespace: String, metric: String, mut dimensions: Vec<Dimension>) -> Self {
        dimensions.sort();
        Self { namespace, metric, dimensions }
    }

    pub(crate) fn key(&self) -> Key {
        let dimensions = self.dimensions.iter().flat_map(|dimension| [&*dimension.name, &*dimension.value]);
        Key::new([&*self.namespace, &*self.metric].into_iter().chain(dimensions))
    }

    pub(crate) fn of_key(key: &Key) -> Self {
        let mut parts = key.parts().into_iter();
        let (namespace, metric) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let mut dimensions = Vec::new();
        while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
            dimensions.push(Dimension { name, value });
        }
        Self { namespace, metric, dimensions }
    }
}

/// A metric that has points.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Series {
    /// What its blocks are called by.
    pub(crate) id: String,
    /// About when its last point was, in seconds since 1970.
    pub(crate) last: i64,
}

/// How finely points lie, in seconds, and how long they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Resolution {
    Second,
    Minute,
    FiveMinutes,
    Hour,
}

impl Resolution {
    pub(crate) const ALL: [Self; 4] = [Self::Second, Self::Minute, Self::FiveMinutes, Self::Hour];

    pub(crate) fn seconds(self) -> i64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::FiveMinutes => 300,
            Self::Hour => 3600,
        }
    }

    /// Seconds of a block.
    pub(crate) fn block(self) -> i64 {
        match self {
            Self::Second => 300,
            Self::Minute => 900,
            Self::FiveMinutes => 6 * 3600,
            Self::Hour => 72 * 3600,
        }
    }

    /// Seconds that points are kept for.
    pub(crate) fn kept(self) -> i64 {
        match self {
            Self::Second => 3 * 3600,
            Self::Minute => 15 * 86_400,
            Self::FiveMinutes => 63 * 86_400,
            Self::Hour => 455 * 86_400,
        }
    }

    /// What points become part of when their time is over.
    pub(crate) fn coarser(self) -> Option<Self> {
        Self::ALL.into_iter().find(|other| *other > self)
    }

    fn letter(self) -> &'static str {
        match self {
            Self::Second => "1",
            Self::Minute => "2",
            Self::FiveMinutes => "3",
            Self::Hour => "4",
        }
    }

    /// The begin of the block that has this time.
    fn block_of(self, time: i64) -> i64 {
        time.div_euclid(self.block()) * self.block()
    }
}

/// A point, as fine as it lies.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    pub(crate) time: i64,
    pub(crate) unit: u8,
    pub(crate) resolution: Resolution,
    pub(crate) summary: Summary,
}

fn read(entry: Option<&Entry>) -> Result<Block, MetadataError> {
    let Some(entry) = entry else { return Ok(Block::default()) };
    Block::decode(&entry.value).ok_or_else(|| MetadataError::Storage("a block of points can't be read".into()))
}

fn blocks(id: &str, resolution: Resolution) -> Key {
    Key::new([id, resolution.letter()])
}

fn block_key(id: &str, resolution: Resolution, begin: i64) -> Key {
    blocks(id, resolution).with(&format!("{begin:012}"))
}

/// The begin of the block at a key.
fn begin_of(key: &Key) -> i64 {
    key.last().parse().unwrap_or_default()
}

impl CloudWatch {
    /// The points of a metric from `from` on and before `to`, the finest first. Reads files.
    pub(crate) fn points(&self, name: &Name, from: i64, to: i64) -> Result<Vec<Point>, MetadataError> {
        let Some(series) = self.metadata.get_json::<Series>(SERIES, &name.key())? else { return Ok(Vec::new()) };
        let mut points = Vec::new();
        for resolution in Resolution::ALL {
            let before = block_key(&series.id, resolution, (resolution.block_of(from) - 1).max(0));
            let most = usize::try_from((to - from) / resolution.block() + 2).unwrap_or_default();
            let found = self.metadata.scan(POINTS, &blocks(&series.id, resolution), Some(&before), most)?;
            for entry in found.iter().take_while(|entry| begin_of(&entry.key) < to) {
                let block = read(Some(entry))?.into_points();
                let within = block.filter(|((time, _), _)| (from..to).contains(time));
                points.extend(within.map(|((time, unit), summary)| Point { time, unit, resolution, summary }));
            }
        }
        Ok(points)
    }
}

/// Adds points to a metric, which is made if it is new.
pub(crate) fn add(tx: &Transaction<'_>, name: &Name, points: &[Point]) -> Result<(), MetadataError> {
    let last = points.iter().map(|point| point.time).max().unwrap_or_default();
    let present: Option<Series> = tx.get_json(SERIES, &name.key())?;
    let stale = present.as_ref().is_none_or(|series| series.last + LAST_STEP <= last);
    let id = present.map_or_else(|| format!("{:016x}", Uuid::new_v4().as_u64_pair().0), |series| series.id);
    if stale {
        tx.put_json(SERIES, &name.key(), &Series { id: id.clone(), last })?;
    }
    add_points(tx, &id, points)
}

fn add_points(tx: &Transaction<'_>, id: &str, points: &[Point]) -> Result<(), MetadataError> {
    let mut touched: BTreeMap<(Resolution, i64), Vec<&Point>> = BTreeMap::new();
    for point in points {
        touched.entry((point.resolution, point.resolution.block_of(point.time))).or_default().push(point);
    }
    for ((resolution, begin), points) in touched {
        let key = block_key(id, resolution, begin);
        let mut block = read(tx.get(POINTS, &key)?.as_ref())?;
        points.iter().for_each(|point| block.add((point.time, point.unit), &point.summary));
        tx.put(POINTS, &key, &block.encode())?;
    }
    Ok(())
}

impl CloudWatch {
    /// The first block of a metric's resolution that has outlived it at `now`.
    pub(crate) fn outlived(&self, id: &str, resolution: Resolution, now: i64) -> Result<Option<Key>, MetadataError> {
        let first = self.metadata.scan(POINTS, &blocks(id, resolution), None, 1)?.pop();
        let old = |key: &Key| begin_of(key) + resolution.block() <= now - resolution.kept();
        Ok(first.map(|entry| entry.key).filter(old))
    }
}

/// Makes the points of a block part of coarser ones, or deletes them where there are none.
pub(crate) fn coarsen(tx: &Transaction<'_>, id: &str, resolution: Resolution, key: &Key) -> Result<(), MetadataError> {
    let block = read(tx.get(POINTS, key)?.as_ref())?;
    if let Some(resolution) = resolution.coarser() {
        let coarse = |time: i64| time.div_euclid(resolution.seconds()) * resolution.seconds();
        let points = block.into_points();
        let points: Vec<Point> =
            points.map(|((time, unit), summary)| Point { time: coarse(time), unit, resolution, summary }).collect();
        add_points(tx, id, &points)?;
    }
    tx.delete(POINTS, key)?;
    Ok(())
}

/// The units that there are. A point has its unit's number.
pub(crate) const UNITS: [&str; 27] = [
    "None",
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
];

/// The number of a unit.
pub(crate) fn unit_number(name: &str) -> Option<u8> {
    UNITS.iter().position(|unit| *unit == name).map(|number| number as u8)
}
