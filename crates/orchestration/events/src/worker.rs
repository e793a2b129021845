//! What works in the background: timers, deliveries, events of the platform.

use std::sync::Arc;

use boathouse_aws::Platform;
use tokio::sync::broadcast::error::RecvError;

use crate::event::Event;
use crate::store::Events;
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
    tokio::spawn(listen(platform.clone(), Arc::clone(state)));
}

/// Hands what happens in the platform to the default bus.
fn listen(platform: Platform, state: Arc<Events>) -> impl Future<Output = ()> + Send {
    let mut events = platform.events.subscribe();
    async move {
        loop {
            match events.recv().await {
                Ok(event) => {
                    let event = Event::of_platform(&platform.region, &event);
                    if let Err(error) = delivery::publish(&platform, &state, &event).await {
                        tracing::error!(event = event.id, %error, "an event of the platform can't be delivered");
                    }
                }
                Err(RecvError::Lagged(missed)) => tracing::error!(missed, "events of the platform were lost"),
                Err(RecvError::Closed) => return,
            }
        }
    }
}
