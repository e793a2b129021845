//! What a session has not told its client yet: a few seconds of events, each second with a fair sample of them.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::api::LiveTailSessionLogEvent;

/// Events of an update.
pub(super) const MOST_EVENTS: usize = 500;
/// Bytes of an update's texts: clients take no messages of more than 16 MiB, and JSON may make six of one.
const MOST_BYTES: usize = 2 << 20;
/// Updates that a slow client may be behind; then it loses the oldest.
const MOST_UPDATES: usize = 10;
/// How long events go into the same update.
const SECOND: Duration = Duration::from_secs(1);

/// Updates that wait, oldest first.
#[derive(Default)]
pub(crate) struct Inbox {
    updates: VecDeque<Update>,
}

/// The events of a second.
struct Update {
    begun: Instant,
    /// How many came, kept or not.
    seen: usize,
    bytes: usize,
    /// Those that are kept, with their places among all that came.
    kept: Vec<(usize, LiveTailSessionLogEvent)>,
}

impl Inbox {
    pub(super) fn is_empty(&self) -> bool {
        self.updates.is_empty()
    }

    /// Takes an event with a text of so many bytes in, or leaves it out of the sample.
    pub(super) fn put(&mut self, now: Instant, bytes: usize, event: impl FnOnce() -> LiveTailSessionLogEvent) {
        if self.updates.back().is_none_or(|update| now >= update.begun + SECOND) {
            if self.updates.len() == MOST_UPDATES {
                self.updates.pop_front();
            }
            self.updates.push_back(Update { begun: now, seen: 0, bytes: 0, kept: Vec::new() });
        }
        if let Some(update) = self.updates.back_mut() {
            update.put(bytes, event);
        }
    }

    /// The oldest update: whether it is a sample, and its events in the order in which they came.
    pub(super) fn take(&mut self) -> (bool, Vec<LiveTailSessionLogEvent>) {
        let Some(mut update) = self.updates.pop_front() else { return (false, Vec::new()) };
        update.kept.sort_unstable_by_key(|(place, _)| *place);
        (update.kept.len() < update.seen, update.kept.into_iter().map(|(_, event)| event).collect())
    }
}

impl Update {
    /// Keeps each of the events that come with the same likelihood.
    fn put(&mut self, bytes: usize, event: impl FnOnce() -> LiveTailSessionLogEvent) {
        let place = self.seen;
        self.seen += 1;
        if self.kept.len() < MOST_EVENTS && (self.bytes + bytes <= MOST_BYTES || self.kept.is_empty()) {
            self.bytes += bytes;
            return self.kept.push((place, event()));
        }
        let lot = rand::random_range(0..self.seen);
        if let Some(slot) = self.kept.get_mut(lot) {
            let freed = self.bytes - slot.1.message.len();
            if freed + bytes <= MOST_BYTES {
                self.bytes = freed + bytes;
                *slot = (place, event());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: String) -> LiveTailSessionLogEvent {
        LiveTailSessionLogEvent {
            log_stream_name: "s".into(),
            log_group_identifier: "g".into(),
            message: text,
            timestamp: 0,
            ingestion_time: 0,
        }
    }

    fn put(inbox: &mut Inbox, now: Instant, text: String) {
        inbox.put(now, text.len(), || event(text));
    }

    #[test]
    fn all_is_told_up_to_the_limit_and_a_sample_beyond() {
        let (mut inbox, now) = (Inbox::default(), Instant::now());
        (0..500).for_each(|n| put(&mut inbox, now, n.to_string()));
        let (sampled, events) = inbox.take();
        assert!(!sampled && events.iter().enumerate().all(|(n, event)| event.message == n.to_string()));
        (0..5000).for_each(|n| put(&mut inbox, now, n.to_string()));
        let (sampled, events) = inbox.take();
        let numbers: Vec<u32> = events.iter().map(|event| event.message.parse().unwrap()).collect();
        assert!(sampled && numbers.len() == MOST_EVENTS && numbers.is_sorted());
        let late = numbers.iter().filter(|number| **number >= 2500).count();
        assert!((150..350).contains(&late), "{late} of 500 are of the later half");
        assert!(inbox.is_empty() && inbox.take().1.is_empty());
    }

    #[test]
    fn long_texts_are_sampled_by_their_bytes() {
        let (mut inbox, now) = (Inbox::default(), Instant::now());
        (0..10).for_each(|_| put(&mut inbox, now, "x".repeat(1 << 20)));
        let (sampled, events) = inbox.take();
        assert!(sampled && events.len() == 2);
    }

    #[test]
    fn a_slow_client_loses_the_oldest_updates() {
        let (mut inbox, begin) = (Inbox::default(), Instant::now());
        (0..25).for_each(|n| put(&mut inbox, begin + SECOND * n, n.to_string()));
        let firsts: Vec<String> = (0..MOST_UPDATES).map(|_| inbox.take().1[0].message.clone()).collect();
        assert_eq!((firsts[0].as_str(), firsts[9].as_str()), ("15", "24"));
        assert!(inbox.is_empty());
    }
}
