//! StartLiveTail: events go to those who watch their groups, straight from the calls that have kept them.
//!
//! A session owes its client one update a second. An event after a silence goes out at once; a burst shares the updates of
//! its seconds, each a fair sample of at most [`inbox::MOST_EVENTS`]. Who reads too slowly loses the oldest updates.

mod inbox;

use std::sync::Arc;
use std::time::Duration;

use boathouse_aws::protocol::event_stream::{Event, EventStream};
use boathouse_aws::{AwsError, Ctx};
use chrono::TimeDelta;
use futures::stream::{self, Stream, StreamExt};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

use self::inbox::Inbox;
use crate::api::{
    LiveTailSessionLogEvent, LiveTailSessionMetadata, LiveTailSessionStart, LiveTailSessionUpdate, StartLiveTail,
};
use crate::error::LogsError;
use crate::files::NewEvent;
use crate::group_arn;
use crate::pattern::Pattern;
use crate::store::{Logs, invalid, valid_group_name, valid_stream_name};

/// Sessions of a region.
const MAX_SESSIONS: usize = 15;
/// Groups of a session.
const MAX_GROUPS: usize = 10;
/// Names or prefixes of streams of a session.
const MAX_STREAMS: usize = 100;
/// How long a session lives.
const LIFETIME: TimeDelta = TimeDelta::hours(3);
/// How often a session is told that there is nothing, and how often at most that there is something.
const RHYTHM: Duration = Duration::from_secs(1);

/// The sessions that are open.
#[derive(Default)]
pub(crate) struct Tails {
    open: RwLock<Vec<Arc<Session>>>,
}

impl Tails {
    /// The sessions that want to hear of a stream.
    pub(crate) fn watching(&self, group: &str, stream: &str) -> Vec<Arc<Session>> {
        self.open.read().iter().filter(|session| session.watches(group, stream)).cloned().collect()
    }

    fn enter(&self, session: &Arc<Session>) -> Result<(), LogsError> {
        let mut open = self.open.write();
        if open.len() == MAX_SESSIONS {
            return Err(LogsError::LimitExceeded(format!("there are {MAX_SESSIONS} Live Tail sessions")));
        }
        open.push(Arc::clone(session));
        Ok(())
    }
}

/// What a client watches, and what it has not been told yet.
pub(crate) struct Session {
    groups: Vec<String>,
    streams: Option<Vec<String>>,
    prefixes: Option<Vec<String>>,
    pattern: Pattern,
    inbox: Mutex<Inbox>,
    arrived: Notify,
}

impl Session {
    fn watches(&self, group: &str, stream: &str) -> bool {
        let named = || self.streams.as_ref().is_none_or(|names| names.iter().any(|name| name == stream));
        let prefixed =
            || self.prefixes.as_ref().is_none_or(|prefixes| prefixes.iter().any(|prefix| stream.starts_with(prefix)));
        self.groups.iter().any(|watched| watched == group) && named() && prefixed()
    }

    /// Hands over events of a stream that have been kept; the group goes by its ARN.
    pub(crate) fn offer(&self, group: &str, stream: &str, ingestion_time: i64, events: &[NewEvent]) {
        let now = Instant::now();
        let matching = events.iter().filter(|event| self.pattern.matches(&event.message));
        let mut inbox = self.inbox.lock();
        for event in matching {
            inbox.put(now, event.message.len(), || LiveTailSessionLogEvent {
                log_stream_name: stream.to_owned(),
                log_group_identifier: group.to_owned(),
                message: event.message.clone(),
                timestamp: event.timestamp,
                ingestion_time,
            });
        }
        if !inbox.is_empty() {
            self.arrived.notify_one();
        }
    }

    /// The next update, given when the last one was and whether that was empty: then events go out at once. It is empty
    /// itself when nothing came for a second.
    async fn update(&self, last: Instant, empty: bool) -> LiveTailSessionUpdate {
        let due = tokio::time::sleep_until(last + RHYTHM);
        tokio::pin!(due);
        while empty && self.inbox.lock().is_empty() {
            tokio::select! {
                () = self.arrived.notified() => {}
                () = &mut due => break,
            }
        }
        if !empty {
            due.await;
        }
        let (sampled, session_results) = self.inbox.lock().take();
        LiveTailSessionUpdate { session_metadata: LiveTailSessionMetadata { sampled }, session_results }
    }
}

/// A session for as long as its client listens.
struct Listener {
    state: Arc<Logs>,
    session: Arc<Session>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.state.tails.open.write().retain(|other| !Arc::ptr_eq(other, &self.session));
    }
}

pub(crate) async fn start(ctx: Ctx, state: Arc<Logs>, input: StartLiveTail) -> Result<EventStream, LogsError> {
    check(&input)?;
    let groups: Vec<String> =
        input.log_group_identifiers.iter().map(|arn| group_of(&ctx, arn)).collect::<Result<_, _>>()?;
    groups.iter().try_for_each(|name| state.group(name).map(drop))?;
    let session = Arc::new(Session {
        groups,
        streams: input.log_stream_names.clone(),
        prefixes: input.log_stream_name_prefixes.clone(),
        pattern: Pattern::parse(input.log_event_filter_pattern.as_deref().unwrap_or_default())?,
        inbox: Mutex::default(),
        arrived: Notify::new(),
    });
    state.tails.enter(&session)?;
    let listener = Listener { state, session };
    let first = LiveTailSessionStart {
        request_id: ctx.request_id.to_string(),
        session_id: Uuid::new_v4().to_string(),
        log_group_identifiers: input.log_group_identifiers,
        log_stream_names: input.log_stream_names.unwrap_or_default(),
        log_stream_name_prefixes: input.log_stream_name_prefixes.unwrap_or_default(),
        log_event_filter_pattern: input.log_event_filter_pattern.unwrap_or_default(),
    };
    let started = stream::once(async { Ok(Event::new("sessionStart", first)) });
    let (clock, end) = (Arc::clone(&ctx.platform.clock), ctx.now() + LIFETIME);
    let over = Box::pin(async move { clock.sleep_until(end).await });
    let events = started.chain(updates(listener)).take_until(over);
    Ok(EventStream::new(events.chain(stream::once(async { Err(timed_out()) }))))
}

/// What the session's client is told until it leaves.
fn updates(listener: Listener) -> impl Stream<Item = Result<Event, AwsError>> {
    stream::unfold((listener, Instant::now(), true), |(listener, last, empty)| async move {
        let update = listener.session.update(last, empty).await;
        let empty = update.session_results.is_empty();
        Some((Ok(Event::new("sessionUpdate", update)), (listener, Instant::now(), empty)))
    })
}

fn timed_out() -> AwsError {
    let hours = LIFETIME.num_hours();
    AwsError::bad_request("SessionTimeoutException", format!("the session was open for {hours} hours"))
}

/// The group that an ARN of this account and region names.
fn group_of(ctx: &Ctx, arn: &str) -> Result<String, LogsError> {
    let prefix = group_arn(ctx, "");
    let name = arn.strip_prefix(&prefix).filter(|name| !name.ends_with('*'));
    let wrong =
        || invalid(format!("logGroupIdentifiers must be ARNs that begin with {prefix} and don't end in *, not {arn}"));
    let name = name.ok_or_else(wrong)?;
    valid_group_name(name)?;
    Ok(name.to_owned())
}

fn check(input: &StartLiveTail) -> Result<(), LogsError> {
    let groups = input.log_group_identifiers.len();
    if !(1..=MAX_GROUPS).contains(&groups) {
        return Err(invalid(format!("logGroupIdentifiers must have 1 to {MAX_GROUPS} members, not {groups}")));
    }
    let (names, prefixes) = (&input.log_stream_names, &input.log_stream_name_prefixes);
    if names.is_some() && prefixes.is_some() {
        return Err(invalid("logStreamNames and logStreamNamePrefixes must not both be given"));
    }
    let Some(streams) = names.as_ref().or(prefixes.as_ref()) else { return Ok(()) };
    if groups > 1 {
        return Err(invalid("logStreamNames and logStreamNamePrefixes need a single log group"));
    }
    if !(1..=MAX_STREAMS).contains(&streams.len()) {
        return Err(invalid(format!("a session has 1 to {MAX_STREAMS} names or prefixes of streams")));
    }
    streams.iter().try_for_each(|name| valid_stream_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(pattern: &str) -> Session {
        Session {
            groups: vec!["g".into()],
            streams: None,
            prefixes: Some(vec!["a".into(), "b".into()]),
            pattern: Pattern::parse(pattern).unwrap(),
            inbox: Mutex::default(),
            arrived: Notify::new(),
        }
    }

    fn event(message: &str) -> NewEvent {
        NewEvent { timestamp: 1, message: message.into() }
    }

    fn texts(update: &LiveTailSessionUpdate) -> Vec<&str> {
        update.session_results.iter().map(|event| &*event.message).collect()
    }

    #[test]
    fn a_session_watches_its_groups_and_streams() {
        let session = session("");
        assert!(session.watches("g", "abc") && session.watches("g", "b"));
        assert!(!session.watches("g", "cab") && !session.watches("h", "a"));
    }

    #[tokio::test]
    async fn events_go_out_at_once_after_silence_and_once_a_second_else() {
        let (session, begin) = (session("error"), Instant::now());
        let silent = session.update(begin, true).await;
        assert!(silent.session_results.is_empty() && begin.elapsed() >= RHYTHM);
        session.offer("arn", "a", 2, &[event("fine"), event("error 1")]);
        assert_eq!(texts(&at_once(&session).await), ["error 1"]);
        let last = Instant::now();
        session.offer("arn", "a", 3, &[event("error 2")]);
        assert_eq!(texts(&session.update(last, false).await), ["error 2"]);
        assert!(last.elapsed() >= RHYTHM);
    }

    #[tokio::test]
    async fn who_waits_is_woken() {
        let session = Arc::new(session(""));
        let waiting = tokio::spawn({
            let session = Arc::clone(&session);
            async move { at_once(&session).await }
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        session.offer("arn", "a", 2, &[event("now")]);
        assert_eq!(texts(&waiting.await.unwrap()), ["now"]);
    }

    /// An update that the rhythm would bring in an hour only.
    async fn at_once(session: &Session) -> LiveTailSessionUpdate {
        let update = session.update(Instant::now() + Duration::from_secs(3600), true);
        tokio::time::timeout(Duration::from_secs(60), update).await.unwrap()
    }
}
