use std::sync::Arc;

use proptest::prelude::*;

use super::frame::{self, StoredEvent};
use super::scan::{Direction, Position, Scan};
use super::segments::StreamLog;
use super::{FilesError, LogFiles, NewEvent, StreamId};

fn event(timestamp: i64, message: &str) -> NewEvent {
    NewEvent { timestamp, message: message.into() }
}

const ID: StreamId = StreamId(7);

async fn append(files: &LogFiles, id: StreamId, times: &[i64]) -> Result<(), FilesError> {
    let events = times.iter().map(|time| event(*time, &format!("at {time}"))).collect();
    files.append(files.stream(id)?, 1, events).await
}

fn times(logs: &[Arc<StreamLog>], direction: Direction, from: i64, to: i64) -> Vec<i64> {
    let scan = Scan::new(logs, direction, Position::at(from), Position::at(to));
    scan.map(|found| found.unwrap().event.timestamp).collect()
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_reopening_and_torn_ends_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let files = LogFiles::open(dir.path()).unwrap();
    append(&files, ID, &[1, 2]).await.unwrap();
    append(&files, ID, &[3]).await.unwrap();
    drop(files);
    let path = dir.path().join(ID.to_string()).join(format!("{:020}.log", 0));
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let files = LogFiles::open(dir.path()).unwrap();
    assert_eq!(times(&[files.stream(ID).unwrap()], Direction::Forward, 0, 99), [1, 2]);
    append(&files, ID, &[4]).await.unwrap();
    drop(files);
    let files = LogFiles::open(dir.path()).unwrap();
    assert_eq!(times(&[files.stream(ID).unwrap()], Direction::Backward, 0, 99), [4, 2, 1]);
    assert_eq!(files.stream(ID).unwrap().summary().next_sequence, 3);
}

#[tokio::test]
async fn expired_segments_are_deleted_and_numbers_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let files = LogFiles::open(dir.path()).unwrap();
    append(&files, ID, &[1, 2]).await.unwrap();
    files.expire(files.stream(ID).unwrap(), 2).await.unwrap();
    assert_eq!(files.stream(ID).unwrap().summary().span, Some((1, 2)));
    files.expire(files.stream(ID).unwrap(), 3).await.unwrap();
    let summary = files.stream(ID).unwrap().summary();
    assert_eq!((summary.span, summary.bytes, summary.next_sequence), (None, 0, 2));
    drop(files);
    let files = LogFiles::open(dir.path()).unwrap();
    append(&files, ID, &[9]).await.unwrap();
    assert_eq!(files.stream(ID).unwrap().summary().next_sequence, 3);
}

#[tokio::test]
async fn a_removed_stream_takes_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let files = LogFiles::open(dir.path()).unwrap();
    append(&files, ID, &[1]).await.unwrap();
    let log = files.stream(ID).unwrap();
    files.remove(ID).await.unwrap();
    assert!(matches!(files.append(log, 1, vec![event(2, "late")]).await, Err(FilesError::Gone)));
    assert!(files.ids().unwrap().is_empty());
}

#[tokio::test]
async fn many_batches_at_once_are_all_kept() {
    let dir = tempfile::tempdir().unwrap();
    let files = Arc::new(LogFiles::open(dir.path()).unwrap());
    let writers: Vec<_> = (0..200)
        .map(|n| {
            let files = Arc::clone(&files);
            tokio::spawn(async move { append(&files, StreamId(n % 5), &[n as i64]).await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    let logs: Vec<_> = (0..5).map(|id| files.stream(StreamId(id)).unwrap()).collect();
    assert_eq!(times(&logs, Direction::Forward, 0, 1000), (0..200).collect::<Vec<_>>());
}

#[tokio::test]
async fn large_logs_are_split_and_read_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let files = LogFiles::open(dir.path()).unwrap();
    for n in 0..12 {
        let text = "x".repeat(1 << 20);
        // Times that go back and forth, so that segments overlap.
        files.append(files.stream(ID).unwrap(), 1, vec![event(n ^ 3, &text)]).await.unwrap();
    }
    let log = [files.stream(ID).unwrap()];
    assert!(log[0].segments_between(0, 99).len() > 2);
    assert_eq!(times(&log, Direction::Forward, 2, 11), (2..11).collect::<Vec<_>>());
    assert_eq!(times(&log, Direction::Backward, 2, 11), (2..11).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_full_segment_is_known_without_being_read() {
    let dir = tempfile::tempdir().unwrap();
    let files = LogFiles::open(dir.path()).unwrap();
    for n in 0..9 {
        files.append(files.stream(ID).unwrap(), 1, vec![event(n, &"x".repeat(1 << 20))]).await.unwrap();
    }
    let known = files.stream(ID).unwrap().summary();
    drop(files);
    let path = |ending: &str| dir.path().join(ID.to_string()).join(format!("{:020}.{ending}", 0));
    let sound = std::fs::read(path("log")).unwrap();
    let mut damaged = sound.clone();
    damaged[100] ^= 1;
    let reopened = || LogFiles::open(dir.path()).unwrap().stream(ID).map(|log| log.summary());
    // Only what is not looked at can be damaged and not be noticed.
    std::fs::write(path("log"), &damaged).unwrap();
    assert_eq!(reopened().unwrap(), known);
    // Numbers that don't fit, or are torn, are not believed: then the segment is read.
    std::fs::write(path("log"), [&damaged[..], b"more"].concat()).unwrap();
    assert!(matches!(reopened(), Err(FilesError::Damaged(_))));
    std::fs::write(path("log"), &sound).unwrap();
    let summary = std::fs::read(path("summary")).unwrap();
    std::fs::write(path("summary"), &summary[..summary.len() - 1]).unwrap();
    assert_eq!(reopened().unwrap(), known);
    assert_eq!(std::fs::read(path("summary")).unwrap(), summary);
}

proptest! {
    #[test]
    fn frames_survive_their_bytes(messages in proptest::collection::vec("\\PC{0,20}", 0..5), cut in 0_usize..200,
                                  flip in 0_usize..200) {
        let events: Vec<NewEvent> = messages.iter().enumerate().map(|(n, text)| event(n as i64, text)).collect();
        let mut bytes = Vec::new();
        frame::encode(&mut bytes, 5, 9, &events);
        let expected: Vec<StoredEvent> = messages.iter().zip(0_u64..).map(|(text, n)| StoredEvent {
            sequence: 5 + n, timestamp: n as i64, ingestion: 9, message: text.clone() }).collect();
        prop_assert_eq!(frame::decode(&bytes), Some((expected, bytes.len())));
        prop_assert_eq!(frame::decode(&bytes[..cut % bytes.len()]), None);
        let damaged = flip % bytes.len();
        bytes[damaged] ^= 0x20;
        prop_assert_eq!(frame::decode(&bytes), None);
    }
}
