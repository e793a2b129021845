//! A process that dies by SIGKILL in the middle of commits loses nothing that it acknowledged.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use boathouse_metadata::{Key, Metadata, MetadataError};

const DIRECTORY: &str = "BOATHOUSE_KILL_TEST_DIRECTORY";
const SPACE: &str = "kill";
const WRITERS: u32 = 8;

/// Not a test of its own: the process that [`acknowledged_writes_survive_sigkill`] starts and kills.
#[test]
fn writer_process() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let store = Metadata::open(&Path::new(&directory).join("metadata.db")).unwrap();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = store.clone();
            std::thread::spawn(move || (0..u32::MAX).for_each(|n| write_pair(&store, writer, n)))
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
}

/// Two rows that must appear together; the line on stdout is the acknowledgement.
fn write_pair(store: &Metadata, writer: u32, n: u32) {
    let name = format!("{writer}-{n}");
    let key = name.clone();
    store
        .transaction_blocking::<_, MetadataError, _>(move |tx| {
            tx.put(SPACE, &Key::new(["left", &key]), key.as_bytes())?;
            tx.put(SPACE, &Key::new(["right", &key]), key.as_bytes())
        })
        .unwrap();
    println!("\nacknowledged {name}");
}

#[test]
fn acknowledged_writes_survive_sigkill() {
    for round in 1..=3 {
        let directory = tempfile::tempdir().unwrap();
        let acknowledged = run_and_kill(directory.path(), round * 100);
        let store = Metadata::open(&directory.path().join("metadata.db")).unwrap();
        for name in &acknowledged {
            let row = store.get(SPACE, &Key::new(["left", name])).unwrap();
            assert_eq!(row.map(|row| row.value), Some(name.clone().into_bytes()), "{name} was acknowledged");
        }
        let names = |side| -> Vec<String> {
            let rows = store.scan(SPACE, &Key::new([side]), None, usize::MAX).unwrap();
            rows.iter().map(|row| row.key.last()).collect()
        };
        assert_eq!(names("left"), names("right"), "a transaction is visible as a whole or not at all");
    }
}

fn run_and_kill(directory: &Path, after: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["writer_process", "--exact", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut names = lines.filter_map(|line| line.strip_prefix("acknowledged ").map(str::to_owned));
    let mut acknowledged: Vec<String> = names.by_ref().take(after).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    acknowledged.extend(names);
    assert!(acknowledged.len() >= after, "the writer ended before it was killed");
    acknowledged
}
