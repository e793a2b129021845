//! FIFO queues take a message once ("Using the message deduplication ID"): for five minutes they know what was sent.

use boathouse_metadata::{Key, Transaction};
use serde::{Deserialize, Serialize};

use crate::attributes::Fifo;
use crate::error::SqsError;
use crate::store::ordered;

/// `(shelf, group or nothing, deduplication id)` → [`Sent`].
const SENT: &str = "sqs-deduplication";
/// `(shelf, time, group or nothing, deduplication id)` → nothing: what can be forgotten first.
const AGES: &str = "sqs-deduplication-ages";
/// Microseconds.
const INTERVAL: i64 = 5 * 60 * 1_000_000;
/// Old ids that each message lets the queue forget.
const FORGOTTEN_AT_ONCE: usize = 8;

/// A message that was sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Sent {
    pub(crate) message_id: String,
    pub(crate) sequence: String,
    /// Microseconds since 1970.
    time: i64,
}

/// What a message's deduplication id is if its sender gave none.
pub(crate) fn of_content(body: &str) -> String {
    hex::encode(ring::digest::digest(&ring::digest::SHA256, body.as_bytes()))
}

/// What a queue remembers, inside a transaction.
pub(crate) struct Memory<'a> {
    pub(crate) tx: &'a Transaction<'a>,
    pub(crate) shelf: &'a str,
    pub(crate) fifo: &'a Fifo,
    /// Microseconds since 1970.
    pub(crate) now: i64,
}

impl Memory<'_> {
    fn scope<'b>(&self, group: &'b str) -> &'b str {
        if self.fifo.deduplicates_by_group { group } else { "" }
    }

    /// The message that was sent with this id less than five minutes ago.
    pub(crate) fn find(&self, group: &str, id: &str) -> Result<Option<Sent>, SqsError> {
        let sent: Option<Sent> = self.tx.get_json(SENT, &Key::new([self.shelf, self.scope(group), id]))?;
        Ok(sent.filter(|sent| self.now < sent.time + INTERVAL))
    }

    /// Keeps that a message was sent, and forgets some others.
    pub(crate) fn keep(&self, group: &str, id: &str, message_id: &str, sequence: &str) -> Result<(), SqsError> {
        let (message_id, sequence) = (message_id.to_owned(), sequence.to_owned());
        let scope = self.scope(group);
        self.forget()?;
        let sent = Sent { message_id, sequence, time: self.now };
        self.tx.put_json(SENT, &Key::new([self.shelf, scope, id]), &sent)?;
        self.tx.put(AGES, &Key::new([self.shelf, &ordered(self.now), scope, id]), b"")?;
        Ok(())
    }

    fn forget(&self) -> Result<(), SqsError> {
        let oldest = ordered(self.now - INTERVAL);
        for row in self.tx.scan(AGES, &Key::new([self.shelf]), None, FORGOTTEN_AT_ONCE)? {
            let parts = row.key.parts();
            if parts[1] > oldest {
                break;
            }
            self.tx.delete(AGES, &row.key)?;
            let key = Key::new([self.shelf, &parts[2], &parts[3]]);
            // The same id may have been sent again since.
            let sent: Option<Sent> = self.tx.get_json(SENT, &key)?;
            if sent.is_some_and(|sent| ordered(sent.time) == parts[1]) {
                self.tx.delete(SENT, &key)?;
            }
        }
        Ok(())
    }
}

/// Forgets everything that a shelf's queue knew.
pub(crate) fn forget_all(tx: &Transaction<'_>, shelf: &str) -> Result<(), SqsError> {
    tx.delete_prefix(SENT, &Key::new([shelf]))?;
    tx.delete_prefix(AGES, &Key::new([shelf]))?;
    Ok(())
}
