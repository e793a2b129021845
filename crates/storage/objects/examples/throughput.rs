//! Measures the engine on the disk of the folder that is given: `cargo run --release --example throughput -p boathouse-objects -- DIR`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use boathouse_objects::{Expectations, Objects, Options, PutRequest};
use bytes::Bytes;
use futures::{StreamExt as _, stream};

async fn put(store: &Objects, key: String, size: usize, chunk: &Bytes) {
    let request = PutRequest { bucket: "b".into(), key, ..PutRequest::default() };
    let mut left = size;
    let chunks = std::iter::from_fn(|| {
        let now = left.min(chunk.len());
        left -= now;
        (now > 0).then(|| Ok(chunk.slice(..now)))
    });
    store.put(request, stream::iter(chunks), Expectations::default).await.unwrap();
}

/// Puts a second by so many writers at a time.
async fn puts(store: &Objects, size: usize, writers: usize, chunk: &Bytes) -> f64 {
    let start = Instant::now();
    let until = start + Duration::from_secs(3);
    let counts = (0..writers).map(|writer| {
        let (store, chunk) = (store.clone(), chunk.clone());
        tokio::spawn(async move {
            let mut count = 0;
            while Instant::now() < until {
                put(&store, format!("{size}/{writer}/{count}"), size, &chunk).await;
                count += 1;
            }
            count
        })
    });
    let counts = futures::future::join_all(counts).await;
    counts.into_iter().map(Result::unwrap).sum::<u64>() as f64 / start.elapsed().as_secs_f64()
}

async fn gets(store: &Objects, key: &str) -> f64 {
    let start = Instant::now();
    let mut count = 0_u64;
    while start.elapsed() < Duration::from_secs(2) {
        let object = store.get("b", key).unwrap();
        let mut body = object.read(0..object.info().size).unwrap();
        while let Some(chunk) = body.next().await {
            std::hint::black_box(chunk.unwrap());
        }
        count += 1;
    }
    count as f64 / start.elapsed().as_secs_f64()
}

/// What the disk itself gives: one file, written in pieces of 1 MiB and synced at the end. MB/s.
fn disk(dir: &Path, size: usize, chunk: &Bytes) -> f64 {
    let path = dir.join("raw");
    let start = Instant::now();
    let mut file = std::fs::File::create(&path).unwrap();
    for _ in 0..size / chunk.len() {
        file.write_all(chunk).unwrap();
    }
    file.sync_data().unwrap();
    let rate = size as f64 / 1e6 / start.elapsed().as_secs_f64();
    std::fs::remove_file(path).unwrap();
    rate
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::main]
async fn main() {
    let dir = std::path::PathBuf::from(std::env::args().nth(1).unwrap());
    std::fs::create_dir_all(&dir).unwrap();
    let start = Instant::now();
    let store = Objects::open(&dir.join("store"), &Options::default()).unwrap();
    println!("new store: {:?}, {} MB resident", start.elapsed(), resident());
    store.create_bucket("b").await.unwrap();
    let chunk: Bytes = (0..1 << 20).map(|i: u32| (i.wrapping_mul(0x9E37_79B9) >> 24) as u8).collect();
    for (size, writers) in [(1 << 10, 1), (1 << 10, 16), (16 << 10, 1), (16 << 10, 16), (256 << 10, 4)] {
        println!("PUT {size} B, {writers} writers: {:.0}/s", puts(&store, size, writers, &chunk).await);
    }
    for key in [format!("{}/0/0", 1 << 10), format!("{}/0/0", 16 << 10), format!("{}/0/0", 256 << 10)] {
        println!("GET {key}: {:.0}/s", gets(&store, &key).await);
    }
    for size in [64 << 20, 1 << 30] {
        for round in 0..2 {
            let raw = disk(&dir, size, &chunk);
            let start = Instant::now();
            put(&store, format!("large/{size}/{round}"), size, &chunk).await;
            let rate = size as f64 / 1e6 / start.elapsed().as_secs_f64();
            println!(
                "PUT {} MiB: {rate:.0} MB/s; the disk itself {raw:.0} MB/s; {} MB resident",
                size >> 20,
                resident()
            );
        }
    }
    println!("GET 64 MiB: {:.0} MB/s", gets(&store, &format!("large/{}/1", 64 << 20)).await * 67.1);
}
