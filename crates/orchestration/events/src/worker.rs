//! What works in the background: timers, deliveries, events of the platform.

use std::sync::{Arc, Weak};

use boathouse_aws::events::{EventKeeper, PlatformEvent};
use boathouse_aws::{Clock, Platform};
use boathouse_metadata::{MetadataError, Transaction};

use crate::event::Event;
use crate::router::{self, Here};
use crate::store::{DEFAULT_BUS, Events};
use crate::{delivery, timers};

/// Deliveries at once.
const CONCURRENT_DELIVERIES: usize = 64;
/// Timers that fire at once.
const CONCURRENT_TIMERS: usize = 16;

/// Starts everything, for as long as the runtime lives. What was not done when an earlier process ended is done now.
pub fn start(platform: &Platform, state: &Arc<Events>) {
    let (deliverer, owner) = (platform.clone(), Arc::clone(state));
    state
        .deliveries
        .spawn(CONCURRENT_DELIVERIES, move |task| delivery::attempt(deliverer.clone(), Arc::clone(&owner), task));
    let (waker, owner) = (platform.clone(), Arc::clone(state));
    state.timers.spawn(CONCURRENT_TIMERS, move |task| timers::fire(waker.clone(), Arc::clone(&owner), task));
}

/// Has the default bus hear what happens in the platform from now on. What happens before is not told to anybody.
pub fn hear(platform: &Platform, state: &Arc<Events>) {
    let (clock, region) = (Arc::clone(&platform.clock), Arc::clone(&platform.region));
    platform.events.kept_by(Arc::new(DefaultBus { state: Arc::downgrade(state), clock, region }));
}

/// Hands what happens in the platform to the default bus.
struct DefaultBus {
    /// Not owned, because the state's own services hold the platform.
    state: Weak<Events>,
    clock: Arc<dyn Clock>,
    region: Arc<str>,
}

impl EventKeeper for DefaultBus {
    fn keep(&self, tx: &Transaction<'_>, event: &PlatformEvent) -> Result<(), MetadataError> {
        let Some(state) = self.state.upgrade() else { return Ok(()) };
        let here = Here { region: &self.region, now: self.clock.now() };
        let event = Event::of_platform(here.region, event);
        match router::deliveries(&state, here, DEFAULT_BUS, &event, 0) {
            Ok(deliveries) => {
                deliveries.iter().try_for_each(|delivery| state.deliveries.add(tx, here.now, delivery).map(drop))
            }
            Err(error) => {
                tracing::error!(event = event.id, %error, "an event of the platform can't be routed");
                Ok(())
            }
        }
    }
}
