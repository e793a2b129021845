//! The durable log under every stream of a node: records are appended by shard, kept until their consumer is done with
//! them, and never lost once acknowledged.
//!
//! AWS counterpart: none that customers see; it is what stands behind Data Firehose's and Kinesis' "PutRecord".
//!
//! Records of all shards go into the segment files of a few *lanes*. One committer for each lane writes everything that
//! waits with one write and one `fdatasync`, then wakes all who wait for it: the more writers, the cheaper each record.
//! A segment is deleted when every shard in it is consumed. Nothing is made on disk before the first record comes.
//!
//! | Module | What it does |
//! |---|---|
//! | [`frame`] | one record as bytes, with its checksum |
//! | [`segment`] | segment files: made, sealed with a footer that indexes them, opened again |
//! | `index` | which segment holds which records, in memory |
//! | `lane` | appends, and the committer |
//! | `read` | records from a sequence number on |
//! | [`journal`] | [`Journal`]: the lanes of a directory |
//! | [`error`] | what can go wrong |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod error;
pub mod frame;
mod index;
pub mod journal;
mod lane;
mod read;
pub mod segment;

pub use error::JournalError;
pub use journal::{Durability, Journal, Options};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One ordered sequence of records: a shard of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ShardId {
    /// The stream. A stream that is deleted and made again needs another id.
    pub stream: Uuid,
    /// The shard's number in its stream.
    pub shard: u32,
}

/// A record to be appended.
#[derive(Debug, Clone, Copy)]
pub struct NewRecord<'a> {
    /// The partition key, at most [`frame::MAX_KEY`] bytes; empty where there is none.
    pub key: &'a [u8],
    /// The data, at most [`frame::MAX_DATA`] bytes.
    pub data: &'a [u8],
}

/// A record as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place in its shard. Later records have greater numbers; there may be gaps.
    pub sequence: u64,
    /// When it arrived, in milliseconds since 1970.
    pub arrival_ms: u64,
    /// The partition key.
    pub key: Bytes,
    /// The data.
    pub data: Bytes,
}

/// How far a shard has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tail {
    /// The sequence number after the last durable record.
    pub end: u64,
    /// Bytes of data appended to the shard, of what the journal still remembers.
    pub bytes: u64,
}
