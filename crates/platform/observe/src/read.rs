//! GetLogEvents and FilterLogEvents.

use std::collections::HashMap;
use std::sync::Arc;

use boathouse_aws::Ctx;

use crate::api::{
    FilterLogEvents, FilterLogEventsOutput, FilteredLogEvent, GetLogEvents, GetLogEventsOutput, OutputLogEvent,
};
use crate::error::LogsError;
use crate::files::StreamId;
use crate::files::scan::{Direction, Found, Position, Scan};
use crate::files::segments::StreamLog;
use crate::pattern::Pattern;
use crate::store::{Logs, blocking, invalid, named, page_size, place, token};

/// Events of a page.
const MAX_EVENTS: usize = 10_000;
/// Bytes of a page's texts.
const MAX_PAGE_BYTES: usize = 1 << 20;
/// A search answers what it has found once it has looked at so many events and so many bytes.
const SEARCH_EVENTS: usize = 10_000;
/// See [`SEARCH_EVENTS`].
const SEARCH_BYTES: u64 = 64 << 20;

/// Where GetLogEvents goes on, and which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    direction: Direction,
    timestamp: i64,
    sequence: u64,
}

impl Cursor {
    /// `f/…/s` goes forward from a place, `b/…/s` backward.
    fn token(self) -> String {
        let letter = if self.direction == Direction::Forward { 'f' } else { 'b' };
        format!("{letter}/{:020}{:036}/s", self.timestamp, self.sequence)
    }

    fn parse(token: &str) -> Result<Self, LogsError> {
        let read = || {
            let (letter, digits) = token.strip_suffix("/s")?.split_once('/')?;
            let direction = match letter {
                "f" => Direction::Forward,
                "b" => Direction::Backward,
                _ => return None,
            };
            let (timestamp, sequence) = digits.split_at_checked(20)?;
            Some(Self { direction, timestamp: timestamp.parse().ok()?, sequence: sequence.parse().ok()? })
        };
        read().ok_or_else(|| invalid("The specified nextToken is invalid."))
    }
}

pub(crate) async fn get(ctx: Ctx, state: Arc<Logs>, input: GetLogEvents) -> Result<GetLogEventsOutput, LogsError> {
    let name = named(&input.group)?;
    let limit = page_size(input.limit, MAX_EVENTS)?;
    let group = state.group(&name)?;
    let id = state.stream(&name, &input.log_stream_name)?.id;
    let log = state.open_streams(vec![id]).await?.remove(0);
    let mut from = position(input.start_time.unwrap_or(0).max(group.cutoff(ctx.now())), id, 0);
    let mut to = position(input.end_time.unwrap_or(i64::MAX), id, 0);
    let cursor = input.next_token.as_deref().map(Cursor::parse).transpose()?;
    let direction = match cursor {
        Some(cursor) => cursor.direction,
        None if input.start_from_head == Some(true) => Direction::Forward,
        None => Direction::Backward,
    };
    match cursor.map(|cursor| (cursor.direction, position(cursor.timestamp, id, cursor.sequence))) {
        Some((Direction::Forward, place)) => from = from.max(place),
        Some((Direction::Backward, place)) => to = to.min(place),
        None => {}
    }
    let mut found = blocking(move || page(&log, direction, from, to, limit)).await?;
    if direction == Direction::Backward {
        found.reverse();
    }
    // Where there is nothing, the page's own place is where to look again.
    let empty = if direction == Direction::Forward { from } else { to };
    let next = found.last().map_or(empty, |last| last.position.next());
    let back = found.first().map_or(empty, |first| first.position);
    let cursor =
        |direction, place: Position| Cursor { direction, timestamp: place.timestamp, sequence: place.sequence }.token();
    let shown = |found: Found| OutputLogEvent {
        timestamp: found.event.timestamp,
        message: found.event.message,
        ingestion_time: found.event.ingestion,
    };
    Ok(GetLogEventsOutput {
        events: found.into_iter().map(shown).collect(),
        next_forward_token: cursor(Direction::Forward, next),
        next_backward_token: cursor(Direction::Backward, back),
    })
}

fn position(timestamp: i64, stream: StreamId, sequence: u64) -> Position {
    Position { timestamp, stream, sequence }
}

fn page(
    log: &Arc<StreamLog>,
    direction: Direction,
    from: Position,
    to: Position,
    limit: usize,
) -> Result<Vec<Found>, LogsError> {
    let mut scan = Scan::new(std::slice::from_ref(log), direction, from, to);
    let (mut found, mut bytes) = (Vec::new(), 0);
    while found.len() < limit
        && let Some(event) = scan.next().transpose()?
    {
        bytes += event.event.message.len();
        if bytes > MAX_PAGE_BYTES && !found.is_empty() {
            break;
        }
        found.push(event);
    }
    Ok(found)
}

pub(crate) async fn filter(
    ctx: Ctx,
    state: Arc<Logs>,
    input: FilterLogEvents,
) -> Result<FilterLogEventsOutput, LogsError> {
    let name = named(&input.group)?;
    let limit = page_size(input.limit, MAX_EVENTS)?;
    let pattern = Pattern::parse(input.filter_pattern.as_deref().unwrap_or_default())?;
    let group = state.group(&name)?;
    let streams = selected(&state, &name, &input)?;
    let logs = state.open_streams(streams.keys().copied().collect()).await?;
    let start = Position::at(input.start_time.unwrap_or(0).max(group.cutoff(ctx.now())));
    let after: Option<(i64, StreamId, u64)> = place(input.next_token.as_deref())?;
    let after = after.map(|(timestamp, stream, sequence)| position(timestamp, stream, sequence));
    let from = after.map_or(start, |after| after.max(start));
    // Other than GetLogEvents, the end belongs to the range.
    let to = Position::at(input.end_time.unwrap_or(i64::MAX).saturating_add(1));
    let (found, next) = blocking(move || search(&logs, &pattern, from, to, limit)).await?;
    let events = found.into_iter().map(|found| shown(&streams, found)).collect();
    let next_token = next.map(|place| token(&(place.timestamp, place.stream, place.sequence)));
    Ok(FilterLogEventsOutput { events, searched_log_streams: [], next_token })
}

/// The streams that a request asks about, with their names.
fn selected(state: &Logs, group: &str, input: &FilterLogEvents) -> Result<HashMap<StreamId, String>, LogsError> {
    match (&input.log_stream_names, &input.log_stream_name_prefix) {
        (Some(_), Some(_)) => Err(invalid("logStreamNames and logStreamNamePrefix must not both be given")),
        (Some(names), None) if !(1..=100).contains(&names.len()) => {
            Err(invalid("logStreamNames must have 1 to 100 members"))
        }
        (Some(names), None) => names.iter().map(|name| Ok((state.stream(group, name)?.id, name.clone()))).collect(),
        (None, prefix) => {
            let streams = state.streams(group, prefix.as_deref().unwrap_or_default())?;
            Ok(streams.into_iter().map(|(name, stream)| (stream.id, name)).collect())
        }
    }
}

/// A page of matching events, and where the next one starts unless the search is over.
fn search(
    logs: &[Arc<StreamLog>],
    pattern: &Pattern,
    from: Position,
    to: Position,
    limit: usize,
) -> Result<(Vec<Found>, Option<Position>), LogsError> {
    let mut scan = Scan::new(logs, Direction::Forward, from, to);
    let (mut found, mut bytes, mut seen) = (Vec::new(), 0, 0);
    while let Some(event) = scan.next().transpose()? {
        let place = event.position;
        seen += 1;
        if pattern.matches(&event.event.message) {
            bytes += event.event.message.len();
            if found.len() == limit || (bytes > MAX_PAGE_BYTES && !found.is_empty()) {
                return Ok((found, Some(place)));
            }
            found.push(event);
        }
        if seen >= SEARCH_EVENTS && scan.bytes_read >= SEARCH_BYTES {
            return Ok((found, Some(place.next())));
        }
    }
    Ok((found, None))
}

fn shown(streams: &HashMap<StreamId, String>, found: Found) -> FilteredLogEvent {
    let Position { timestamp, stream, sequence } = found.position;
    FilteredLogEvent {
        log_stream_name: streams.get(&stream).cloned().unwrap_or_default(),
        timestamp,
        message: found.event.message,
        ingestion_time: found.event.ingestion,
        event_id: format!("{timestamp:020}{:020}{sequence:016}", stream.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_their_text() {
        for direction in [Direction::Forward, Direction::Backward] {
            for (timestamp, sequence) in [(0, 0), (1_764_000_000_000, 7), (i64::MAX, u64::MAX)] {
                let cursor = Cursor { direction, timestamp, sequence };
                assert_eq!(Cursor::parse(&cursor.token()).unwrap(), cursor);
            }
        }
        for wrong in ["", "f/1/s", "x/00000000000000000001000000000000000000000000000000000001/s", "f//", "f/é/s"] {
            assert!(Cursor::parse(wrong).is_err(), "{wrong}");
        }
    }
}
