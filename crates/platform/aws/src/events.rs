//! What happens inside the platform, told to whoever listens in the same process.
//!
//! A service that changes a state tells it here after the change is durable: the event bus hands it to its rules, Step
//! Functions ends tasks that waited for it. Nothing is kept: a listener that missed something (it started later, or the
//! channel overflowed) reads the state itself. Event shapes follow "AWS service events" in the EventBridge user guide.

use std::sync::Arc;

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

/// The way to tell and to hear events. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Events(broadcast::Sender<Arc<PlatformEvent>>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::Sender::new(CAPACITY))
    }
}

impl Events {
    /// Tells an event that happened at `time`. Without listeners nothing happens.
    pub fn emit(
        &self,
        time: DateTime<Utc>,
        source: &'static str,
        detail_type: &'static str,
        resources: Vec<String>,
        detail: Value,
    ) {
        let event = PlatformEvent { id: Uuid::new_v4(), source, detail_type, time, resources, detail };
        // The only failure is that nobody listens.
        let _ = self.0.send(Arc::new(event));
    }

    /// Hears all events from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<PlatformEvent>> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn listeners_hear_what_happens_after_they_came() {
        let events = Events::default();
        events.emit(Utc::now(), "aws.glue", "Glue Job State Change", Vec::new(), json!({"missed": true}));
        let mut receiver = events.subscribe();
        events.emit(Utc::now(), "aws.glue", "Glue Job State Change", vec!["arn".into()], json!({"jobName": "clean"}));
        let heard = receiver.recv().await.unwrap();
        assert_eq!((heard.source, &heard.detail["jobName"]), ("aws.glue", &json!("clean")));
        assert!(receiver.try_recv().is_err());
    }
}
