//! The time of a data directory that has seen tomorrow: kept beside the data, so that it never runs backwards in it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use boathouse_aws::{Clock, ShiftedClock};
use chrono::{DateTime, TimeDelta, Utc};

/// The machine's clock, set forward by what this data directory was set forward before.
pub(super) struct DemoClock {
    clock: Arc<ShiftedClock>,
    file: PathBuf,
}

impl DemoClock {
    /// The clock of `data_dir`.
    pub(super) fn open(data_dir: &Path) -> std::io::Result<Self> {
        let file = data_dir.join("demo-clock");
        let clock = Arc::new(ShiftedClock::default());
        match fs::read_to_string(&file) {
            Ok(seconds) => clock.advance(TimeDelta::seconds(seconds.trim().parse().map_err(std::io::Error::other)?)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(Self { clock, file })
    }

    /// The clock as the server takes it.
    pub(super) fn shared(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as _
    }

    /// The time in the data directory.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Sets the clock forward.
    pub(super) fn advance_to(&self, time: DateTime<Utc>) -> std::io::Result<()> {
        // Rounded up: a restart must not find an earlier time than the data.
        let ahead = (time - Utc::now()).num_seconds() + 1;
        fs::write(&self.file, ahead.to_string())?;
        self.clock.advance_to(time);
        Ok(())
    }
}
