//! Fills the bucket `scale` of a store with small objects, as the benchmark of large buckets wants it:
//! `cargo run --release --example load -p boathouse-objects -- DIR COUNT`. Nothing is synced before the end.
//!
//! A thousand keys a day, from 2000 on: `events/2000/01/01/00000000.json` and so on.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use boathouse_objects::{Durability, Expectations, Objects, Options, PutRequest};
use bytes::Bytes;
use chrono::{Days, NaiveDate};
use futures::stream;

const BUCKET: &str = "scale";
const WRITERS: usize = 128;
/// Bytes of an object.
const BODY: &[u8] = b"{\"n\":1}\n";

fn key(number: u64) -> String {
    let day = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap() + Days::new(number / 1000);
    format!("events/{}/{number:08}.json", day.format("%Y/%m/%d"))
}

async fn put(store: &Objects, key: String) {
    let request = PutRequest { bucket: BUCKET.into(), key, ..PutRequest::default() };
    let body = stream::iter([Ok(Bytes::from_static(BODY))]);
    store.put(request, body, Expectations::default).await.unwrap();
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, dir, count] = &arguments[..] else { panic!("usage: load DIR COUNT") };
    let count: u64 = count.parse().unwrap();
    let options = Options { durability: Durability::None, ..Options::default() };
    let store = Objects::open(Path::new(dir), &options).unwrap();
    store.create_bucket(BUCKET).await.unwrap();
    let (begun, next) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let writers = (0..WRITERS).map(|_| {
        let (store, next) = (store.clone(), Arc::clone(&next));
        tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                put(&store, key(number)).await;
            }
        })
    });
    futures::future::join_all(writers).await.into_iter().for_each(Result::unwrap);
    let seconds = begun.elapsed().as_secs_f64();
    println!("{count} objects in {seconds:.0} s, {:.0}/s", count as f64 / seconds);
}
