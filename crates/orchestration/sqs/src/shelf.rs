//! Where a queue's messages are, and when each of them can be had.
//!
//! A shelf is a set of rows under one name: the messages themselves, which never change; a small state for each; and
//! indexes that find what is due. Standard queues go by [`DUE`]. FIFO queues go by [`TURNS`], which has one row for each
//! group: the time at which all of its messages in flight are back, or its first message becomes visible.

use std::collections::HashSet;

use boathouse_metadata::{Key, Metadata, Transaction};
use serde::{Deserialize, Serialize};

use crate::error::SqsError;
use crate::message::Message;
use crate::store::{Queue, ordered};

/// `(shelf, sequence number)` → [`Message`].
const MESSAGES: &str = "sqs-messages";
/// `(shelf, sequence number)` → [`State`].
const STATES: &str = "sqs-states";
/// `(shelf, NEW or RECEIVED, due time, sequence number)` → nothing.
const DUE: &str = "sqs-due";
/// `(shelf, group, sequence number)` → nothing. FIFO only, like the next two.
const ORDER: &str = "sqs-order";
/// `(shelf, group)` → the group's key in [`TURNS`].
const GROUPS: &str = "sqs-groups";
/// `(shelf, time, first sequence number, group)` → nothing.
const TURNS: &str = "sqs-turns";
/// `(what)` → the last number given out.
const COUNTERS: &str = "sqs-counters";

/// Messages that nobody has received yet.
const NEW: &str = "new";
/// Messages that somebody has received: in flight until they are due again.
const RECEIVED: &str = "received";
/// Messages that one receive can take, and therefore those of a group that can be in flight.
pub(crate) const MAX_TAKEN: usize = 10;
/// Rows that a step of clearing up takes.
const CLEARED_AT_ONCE: usize = 500;

/// What changes of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Milliseconds since 1970: where the retention period begins.
    pub(crate) sent: i64,
    /// Microseconds since 1970: when it becomes visible.
    pub(crate) due: i64,
    /// How often it was received, from this queue and earlier ones.
    pub(crate) received: u32,
    /// How often it was received from this queue. Names the receive that a receipt handle belongs to.
    pub(crate) received_here: u32,
    /// Milliseconds since 1970.
    pub(crate) first_received: Option<i64>,
    /// Microseconds since 1970.
    pub(crate) last_received: i64,
    pub(crate) group: Option<String>,
}

impl State {
    fn class(&self) -> &'static str {
        if self.received_here == 0 { NEW } else { RECEIVED }
    }

    pub(crate) fn expired(&self, queue: &Queue, now: i64) -> bool {
        now / 1000 >= self.sent + i64::from(queue.attributes.message_retention_period) * 1000
    }
}

/// A shelf inside a transaction.
pub(crate) struct Shelf<'a> {
    tx: &'a Transaction<'a>,
    name: &'a str,
}

/// The next sequence number: larger than all before it, of whatever queue.
pub(crate) fn next_sequence(tx: &Transaction<'_>) -> Result<String, SqsError> {
    let key = Key::new(["sequence"]);
    let next = tx.get_json::<u64>(COUNTERS, &key)?.unwrap_or(0) + 1;
    tx.put_json(COUNTERS, &key, &next)?;
    Ok(format!("{next:020}"))
}

impl<'a> Shelf<'a> {
    pub(crate) fn new(tx: &'a Transaction<'a>, name: &'a str) -> Self {
        Self { tx, name }
    }

    fn key(&self, part: &str) -> Key {
        Key::new([self.name, part])
    }

    fn due_key(&self, sequence: &str, state: &State) -> Key {
        Key::new([self.name, state.class(), &ordered(state.due), sequence])
    }

    pub(crate) fn put(&self, sequence: &str, message: &Message, state: &State, fifo: bool) -> Result<(), SqsError> {
        self.tx.put_json(MESSAGES, &self.key(sequence), message)?;
        self.tx.put_json(STATES, &self.key(sequence), state)?;
        self.tx.put(DUE, &self.due_key(sequence, state), b"")?;
        if let (true, Some(group)) = (fifo, &state.group) {
            self.tx.put(ORDER, &self.key(group).with(sequence), b"")?;
            if !self.tx.contains(GROUPS, &self.key(group))? {
                self.give_turn(group)?;
            }
        }
        Ok(())
    }

    pub(crate) fn message(&self, sequence: &str) -> Result<Option<Message>, SqsError> {
        Ok(self.tx.get_json(MESSAGES, &self.key(sequence))?)
    }

    pub(crate) fn state(&self, sequence: &str) -> Result<Option<State>, SqsError> {
        Ok(self.tx.get_json(STATES, &self.key(sequence))?)
    }

    /// Puts a message's new state in the place of the old one. The turn of its group must be given anew.
    pub(crate) fn change(&self, sequence: &str, old: &State, new: &State) -> Result<(), SqsError> {
        self.tx.delete(DUE, &self.due_key(sequence, old))?;
        self.tx.put(DUE, &self.due_key(sequence, new), b"")?;
        self.tx.put_json(STATES, &self.key(sequence), new)?;
        Ok(())
    }

    /// Takes a message away. The turn of its group must be given anew.
    pub(crate) fn remove(&self, sequence: &str, state: &State) -> Result<(), SqsError> {
        self.tx.delete(MESSAGES, &self.key(sequence))?;
        self.tx.delete(STATES, &self.key(sequence))?;
        self.tx.delete(DUE, &self.due_key(sequence, state))?;
        if let Some(group) = &state.group {
            self.tx.delete(ORDER, &self.key(group).with(sequence))?;
        }
        Ok(())
    }

    /// Says anew when the group's next message can be had: once every message in flight is back, else when the first one
    /// is visible. Messages in flight are the group's first ones, and at most [`MAX_TAKEN`].
    pub(crate) fn give_turn(&self, group: &str) -> Result<(), SqsError> {
        let group_key = self.key(group);
        if let Some(old) = self.tx.get_json::<Turn>(GROUPS, &group_key)? {
            self.tx.delete(TURNS, &self.turn_key(&old, group))?;
        }
        let first = self.group(group, MAX_TAKEN)?;
        let mut back: Option<i64> = None;
        for sequence in &first {
            let state = self.state(sequence)?;
            match state.filter(|state| state.received_here > 0 || back.is_none()) {
                Some(state) => back = back.max(Some(state.due)),
                None => break,
            }
        }
        let (Some(time), Some(sequence)) = (back, first.into_iter().next()) else {
            self.tx.delete(GROUPS, &group_key)?;
            return Ok(());
        };
        let turn = Turn { time, sequence };
        self.tx.put(TURNS, &self.turn_key(&turn, group), b"")?;
        self.tx.put_json(GROUPS, &group_key, &turn)?;
        Ok(())
    }

    fn turn_key(&self, turn: &Turn, group: &str) -> Key {
        Key::new([self.name, &ordered(turn.time), &turn.sequence, group])
    }

    /// The sequence numbers of a group's first messages.
    pub(crate) fn group(&self, group: &str, limit: usize) -> Result<Vec<String>, SqsError> {
        let rows = self.tx.scan(ORDER, &self.key(group), None, limit)?;
        Ok(rows.iter().map(|row| row.key.last()).collect())
    }

    /// The group whose turn it is, but for those `passed` over.
    pub(crate) fn whose_turn(&self, now: i64, passed: &HashSet<String>) -> Result<Option<String>, SqsError> {
        let rows = self.tx.scan(TURNS, &Key::new([self.name]), None, passed.len() + 1)?;
        let due = rows.iter().map(|row| row.key.parts()).take_while(|parts| parts[1] <= ordered(now));
        Ok(due.map(|mut parts| parts.remove(3)).find(|group| !passed.contains(group)))
    }

    /// The visible messages of a standard queue that have been so for longest, but for those `passed` over.
    pub(crate) fn visible(&self, now: i64, limit: usize, passed: &HashSet<String>) -> Result<Vec<String>, SqsError> {
        let mut found = Vec::new();
        for class in [NEW, RECEIVED] {
            let rows = self.tx.scan(DUE, &self.key(class), None, limit + passed.len())?;
            let due = rows.iter().map(|row| row.key.parts()).take_while(|parts| parts[2] <= ordered(now));
            found.extend(due.map(|mut parts| (parts.remove(2), parts.remove(2))));
        }
        found.sort();
        found.retain(|(_, sequence)| !passed.contains(sequence));
        found.truncate(limit);
        Ok(found.into_iter().map(|(_, sequence)| sequence).collect())
    }

    /// Messages in flight; counting ends at `limit`.
    pub(crate) fn in_flight(&self, now: i64, limit: usize) -> Result<usize, SqsError> {
        let class = self.key(RECEIVED);
        Ok(self.tx.count(DUE, &class, Some(&class.clone().with(&ordered(now + 1))), limit)?)
    }

    /// Removes some of the expired messages, oldest first. Says whether there may be more. A dead letter keeps its age, so
    /// one that is older than what lies before it waits for that; nobody gets it meanwhile.
    pub(crate) fn clear_expired(&self, queue: &Queue, now: i64) -> Result<bool, SqsError> {
        self.clear(|state| state.expired(queue, now))
    }

    /// Removes some of the messages. Says whether there are more.
    pub(crate) fn clear_all(&self) -> Result<bool, SqsError> {
        self.clear(|_| true)
    }

    fn clear(&self, stale: impl Fn(&State) -> bool) -> Result<bool, SqsError> {
        let rows = self.tx.scan(STATES, &Key::new([self.name]), None, CLEARED_AT_ONCE)?;
        let mut groups = HashSet::new();
        let mut cleared = 0;
        for row in &rows {
            let state: State = row.json()?;
            if !stale(&state) {
                break;
            }
            self.remove(&row.key.last(), &state)?;
            groups.extend(state.group);
            cleared += 1;
        }
        // Groups of standard queues have no turns, so giving them anew changes nothing.
        groups.iter().try_for_each(|group| self.give_turn(group))?;
        Ok(cleared == CLEARED_AT_ONCE)
    }
}

/// When a group's next message can be had, and which one it is.
#[derive(Debug, Serialize, Deserialize)]
struct Turn {
    time: i64,
    sequence: String,
}

/// Lets every message of a FIFO queue that nobody has received wait for the queue's present delay.
pub(crate) fn delay_anew(tx: &Transaction<'_>, queue: &Queue) -> Result<(), SqsError> {
    let shelf = Shelf::new(tx, &queue.shelf);
    let delay = i64::from(queue.attributes.delay_seconds) * 1_000_000;
    let mut groups = HashSet::new();
    for row in tx.scan(DUE, &shelf.key(NEW), None, usize::MAX >> 1)? {
        let sequence = row.key.last();
        if let Some(old) = shelf.state(&sequence)? {
            let new = State { due: old.sent * 1000 + delay, ..old.clone() };
            shelf.change(&sequence, &old, &new)?;
            groups.extend(new.group);
        }
    }
    groups.iter().try_for_each(|group| shelf.give_turn(group))
}

/// When the next message of a queue can be had, in microseconds since 1970.
pub(crate) fn next_due(metadata: &Metadata, queue: &Queue) -> Result<Option<i64>, SqsError> {
    let first = |space, prefix: Key, part: usize| -> Result<Option<i64>, SqsError> {
        let row = metadata.scan(space, &prefix, None, 1)?.pop();
        Ok(row.and_then(|row| i64::from_str_radix(&row.key.parts()[part], 16).ok()))
    };
    if queue.is_fifo() {
        return first(TURNS, Key::new([&queue.shelf]), 1);
    }
    let times = [first(DUE, Key::new([&queue.shelf, NEW]), 2)?, first(DUE, Key::new([&queue.shelf, RECEIVED]), 2)?];
    Ok(times.into_iter().flatten().min())
}

fn count(metadata: &Metadata, shelf: &str, class: &str, after: Option<i64>) -> Result<usize, SqsError> {
    let class = Key::new([shelf, class]);
    let after = after.map(|time| class.clone().with(&ordered(time + 1)));
    Ok(metadata.count(DUE, &class, after.as_ref(), usize::MAX >> 1)?)
}

/// How many messages have been received and are not visible again.
pub(crate) fn in_flight(metadata: &Metadata, shelf: &str, now: i64) -> Result<usize, SqsError> {
    count(metadata, shelf, RECEIVED, Some(now))
}

/// How many messages have never been visible.
pub(crate) fn delayed(metadata: &Metadata, shelf: &str, now: i64) -> Result<usize, SqsError> {
    count(metadata, shelf, NEW, Some(now))
}

/// How many messages are visible.
pub(crate) fn visible(metadata: &Metadata, shelf: &str, now: i64) -> Result<usize, SqsError> {
    let all = count(metadata, shelf, NEW, None)? + count(metadata, shelf, RECEIVED, None)?;
    Ok(all.saturating_sub(in_flight(metadata, shelf, now)? + delayed(metadata, shelf, now)?))
}
