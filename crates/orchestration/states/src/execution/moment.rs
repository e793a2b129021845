//! One step: its time, its chance, and what it brings forth.

use chrono::{DateTime, TimeZone, Utc};

use super::{Command, Input};
use crate::history::HistoryEvent;
use crate::rng::Rng;

#[derive(Debug)]
pub(super) struct Moment {
    pub(super) now: DateTime<Utc>,
    pub(super) rng: Rng,
    pub(super) events: Vec<HistoryEvent>,
    pub(super) commands: Vec<Command>,
}

impl Moment {
    pub(super) fn new(input: &Input) -> Self {
        let now = Utc.timestamp_millis_opt(input.at).single().unwrap_or_default();
        Self { now, rng: Rng::new(input.seed), events: Vec::new(), commands: Vec::new() }
    }

    pub(super) fn millis(&self) -> i64 {
        self.now.timestamp_millis()
    }
}
