//! What happens inside the platform, told to whoever listens in the same process, and to the event bus.
//!
//! A service tells of a change in the transaction that makes it. The event bus ([`EventKeeper`]) writes what the event causes
//! in that same transaction, so a change that was acknowledged is told even if the process ends a moment later. Listeners
//! in the process, such as Step Functions, which ends tasks that waited for it, hear of it once it is on disk. For them
//! nothing is kept: who missed something (it started later, or the channel overflowed) reads the state itself. Event
//! shapes follow "AWS service events" in the EventBridge user guide.

use std::sync::{Arc, OnceLock};

use boathouse_metadata::{MetadataError, Transaction};
use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::sync::broadcast;
use uuid::Uuid;

/// Events that a slow listener may be behind before it loses the oldest.
const CAPACITY: usize = 8192;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct PlatformEvent {
    /// The event's own id.
    pub id: Uuid,
    /// Who tells it, such as `aws.glue`.
    pub source: &'static str,
    /// What it is, such as `Glue Job State Change`.
    pub detail_type: &'static str,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// The ARNs that it concerns.
    pub resources: Vec<String>,
    /// The members that AWS documents for this detail type.
    pub detail: Value,
}

impl PlatformEvent {
    /// An event with an id of its own that concerns no ARNs.
    pub fn new(time: DateTime<Utc>, source: &'static str, detail_type: &'static str, detail: Value) -> Self {
        Self { id: Uuid::new_v4(), source, detail_type, time, resources: Vec::new(), detail }
    }
}

/// Who makes what events cause durable: the event bus.
pub trait EventKeeper: Send + Sync {
    /// Writes what the event causes. It runs on the store's writer thread, so it must not wait for anything.
    ///
    /// # Errors
    /// Only the store's own: whatever else is wrong with the event must not undo the change that it tells of.
    fn keep(&self, tx: &Transaction<'_>, event: &PlatformEvent) -> Result<(), MetadataError>;
}

/// The way to tell and to hear events. Cheap to clone.
#[derive(Clone)]
pub struct Events {
    listeners: broadcast::Sender<Arc<PlatformEvent>>,
    keeper: Arc<OnceLock<Arc<dyn EventKeeper>>>,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events")
    }
}

impl Default for Events {
    fn default() -> Self {
        Self { listeners: broadcast::Sender::new(CAPACITY), keeper: Arc::default() }
    }
}

impl Events {
    /// Has `keeper` see every event from now on. Only the first one counts.
    pub fn kept_by(&self, keeper: Arc<dyn EventKeeper>) {
        let _ = self.keeper.set(keeper);
    }

    /// Tells an event as a part of the transaction that makes what it says true.
    ///
    /// # Errors
    /// See [`MetadataError`].
    pub fn tell(&self, tx: &Transaction<'_>, event: PlatformEvent) -> Result<(), MetadataError> {
        if let Some(keeper) = self.keeper.get() {
            keeper.keep(tx, &event)?;
        }
        let listeners = self.listeners.clone();
        // Sending fails only when nobody listens.
        tx.after_commit(move || drop(listeners.send(Arc::new(event))));
        Ok(())
    }

    /// Hears all events from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<PlatformEvent>> {
        self.listeners.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use boathouse_metadata::{Key, Metadata};
    use serde_json::json;

    use super::*;

    fn event(detail: Value) -> PlatformEvent {
        PlatformEvent::new(Utc::now(), "aws.glue", "Glue Job State Change", detail)
    }

    async fn tell(metadata: &Metadata, events: &Events, detail: Value) -> Result<(), MetadataError> {
        let events = events.clone();
        metadata.transaction(move |tx| events.tell(tx, event(detail))).await
    }

    struct Rows;

    impl EventKeeper for Rows {
        fn keep(&self, tx: &Transaction<'_>, event: &PlatformEvent) -> Result<(), MetadataError> {
            tx.put_json("test", &Key::new([event.id.to_string()]), &event.detail).map(drop)
        }
    }

    #[tokio::test]
    async fn listeners_hear_what_happens_after_they_came() {
        let dir = tempfile::tempdir().unwrap();
        let (metadata, events) = (Metadata::open(&dir.path().join("metadata.db")).unwrap(), Events::default());
        tell(&metadata, &events, json!({"missed": true})).await.unwrap();
        let mut receiver = events.subscribe();
        tell(&metadata, &events, json!({"jobName": "clean"})).await.unwrap();
        let heard = receiver.recv().await.unwrap();
        assert_eq!((heard.source, &heard.detail["jobName"]), ("aws.glue", &json!("clean")));
        assert!(receiver.try_recv().is_err());
    }

    #[tokio::test]
    async fn what_an_event_causes_is_kept_with_the_change_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let (metadata, events) = (Metadata::open(&dir.path().join("metadata.db")).unwrap(), Events::default());
        events.kept_by(Arc::new(Rows));
        let mut receiver = events.subscribe();
        let kept = || metadata.scan("test", &Key::default(), None, 10).unwrap().len();
        tell(&metadata, &events, json!({"n": 1})).await.unwrap();
        assert_eq!((kept(), receiver.recv().await.unwrap().detail["n"].clone()), (1, json!(1)));
        let (teller, refused) = (events.clone(), event(json!({"n": 2})));
        let body = move |tx: &Transaction<'_>| {
            teller.tell(tx, refused)?;
            Err::<(), _>(MetadataError::Conflict)
        };
        metadata.transaction(body).await.unwrap_err();
        assert!(kept() == 1 && receiver.try_recv().is_err());
    }
}
