//! The time as the platform sees it, so that tests and demonstrations can drive it.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use tokio::sync::watch;

/// How long a clock trusts the machine's timers before it looks at the time again: they don't notice that the machine
/// slept or that its clock was set.
const LONGEST_NAP: Duration = Duration::from_secs(10);

/// The time. Whoever waits for a point in time waits by [`Clock::sleep_until`], never by the machine's timers alone.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The current time in UTC.
    fn now(&self) -> DateTime<Utc>;

    /// Returns once the clock shows `time` or later.
    fn sleep_until(&self, time: DateTime<Utc>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            while let Some(nap) = nap(time - self.now()) {
                tokio::time::sleep(nap).await;
            }
        })
    }
}

fn nap(left: TimeDelta) -> Option<Duration> {
    let left = left.to_std().ok().filter(|left| !left.is_zero())?;
    // The machine's timers count milliseconds.
    Some(left.max(Duration::from_millis(1)).min(LONGEST_NAP))
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// The machine's clock, which can be set forward while it runs: whoever sleeps until a time that is skipped wakes at once.
/// For demonstrations that can't wait for midnight.
#[derive(Debug)]
pub struct ShiftedClock {
    offset: watch::Sender<TimeDelta>,
}

impl Default for ShiftedClock {
    fn default() -> Self {
        Self { offset: watch::Sender::new(TimeDelta::zero()) }
    }
}

impl ShiftedClock {
    /// Sets the clock forward by `step`, which is not negative: time never runs backwards.
    pub fn advance(&self, step: TimeDelta) {
        self.offset.send_modify(|offset| *offset += step.max(TimeDelta::zero()));
    }

    /// Sets the clock forward to `time`, unless it is later already.
    pub fn advance_to(&self, time: DateTime<Utc>) {
        self.advance(time - self.now());
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now() + *self.offset.borrow()
    }

    fn sleep_until(&self, time: DateTime<Utc>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let mut shifts = self.offset.subscribe();
            while let Some(nap) = nap(time - self.now()) {
                tokio::select! {
                    () = tokio::time::sleep(nap) => {}
                    // It fails only when the clock is gone, and then nobody sleeps by it.
                    _ = shifts.changed() => {}
                }
            }
        })
    }
}

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct ManualClock {
    time: watch::Sender<DateTime<Utc>>,
}

impl ManualClock {
    /// A clock that shows `time`.
    pub fn new(time: DateTime<Utc>) -> Self {
        Self { time: watch::Sender::new(time) }
    }

    /// Shows `time` from now on and wakes who waits for it.
    pub fn set(&self, time: DateTime<Utc>) {
        self.time.send_replace(time);
    }

    /// Moves the clock forward.
    pub fn advance(&self, step: TimeDelta) {
        self.time.send_modify(|time| *time += step);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.time.borrow()
    }

    fn sleep_until(&self, time: DateTime<Utc>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let mut moves = self.time.subscribe();
            // It fails only when the clock is gone, and then nobody sleeps by it.
            let _ = moves.wait_for(|now| *now >= time).await;
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_shift_wakes_who_sleeps_until_then() {
        let clock = Arc::new(ShiftedClock::default());
        let tomorrow = clock.now() + TimeDelta::days(1);
        let sleeper = tokio::spawn({
            let clock = Arc::clone(&clock);
            async move { clock.sleep_until(tomorrow).await }
        });
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance_to(tomorrow);
        sleeper.await.unwrap();
        assert!(clock.now() >= tomorrow);
        clock.advance(TimeDelta::days(-2));
        assert!(clock.now() >= tomorrow);
    }

    #[tokio::test]
    async fn a_manual_clock_wakes_who_sleeps_until_then() {
        let clock = Arc::new(ManualClock::new(DateTime::UNIX_EPOCH));
        let sleeper = tokio::spawn({
            let clock = Arc::clone(&clock);
            async move { clock.sleep_until(DateTime::UNIX_EPOCH + TimeDelta::days(1)).await }
        });
        clock.advance(TimeDelta::hours(23));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(TimeDelta::hours(1));
        sleeper.await.unwrap();
    }
}
