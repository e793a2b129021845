//! How many records of 1 KB a second become durable: `cargo run --release -p boathouse-journal --example records [DIR]`.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use std::time::{Duration, Instant};

use boathouse_journal::{Journal, NewRecord, Options, ShardId};
use uuid::Uuid;

const RECORD: [u8; 1024] = [b'x'; 1024];
const TIME: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() {
    let base = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, Into::into);
    println!("| writers | records an append | records/s | MB/s |\n|---|---|---|---|");
    for (writers, batch) in [(1, 1), (64, 1), (8, 500)] {
        let directory = base.join(format!("journal-records-{}", Uuid::new_v4()));
        let rate = measure(&directory, writers, batch).await;
        println!("| {writers} | {batch} | {rate:.0} | {:.1} |", rate * 1024.0 / 1e6);
        std::fs::remove_dir_all(&directory).unwrap();
    }
}

async fn measure(directory: &std::path::Path, writers: u32, batch: usize) -> f64 {
    let journal = Journal::open(directory, &Options::default()).unwrap();
    let shard = ShardId { stream: Uuid::new_v4(), shard: 0 };
    journal.attach(shard, 0);
    let start = Instant::now();
    let work: Vec<_> = (0..writers)
        .map(|_| {
            let journal = journal.clone();
            tokio::spawn(async move {
                let records = vec![NewRecord { key: b"", data: &RECORD }; batch];
                let mut written = 0;
                while start.elapsed() < TIME {
                    let first = journal.append(shard, 0, &records).await.unwrap();
                    journal.consume(shard, first);
                    written += batch;
                }
                written
            })
        })
        .collect();
    let mut written = 0;
    for task in work {
        written += task.await.unwrap();
    }
    written as f64 / start.elapsed().as_secs_f64()
}
