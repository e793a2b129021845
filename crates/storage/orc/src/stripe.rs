//! Where a stripe's streams lie in the file.

use std::ops::Range;

use orc_rust::proto::column_encoding::Kind as Encoding;
use orc_rust::proto::stream::Kind;
use orc_rust::proto::{ColumnEncoding, RowIndex, StripeFooter, StripeInformation};
use prost::Message;

use crate::error::{OrcError, corrupt};
use crate::tail::Tail;

/// A stream: a column's, of a kind, at a place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamAt {
    /// The column's number in the tree of types.
    pub column: u32,
    /// What the stream says.
    pub kind: Kind,
    /// Where it lies.
    pub range: Range<u64>,
    /// Whether its integers are in the second version of the run-length encoding.
    pub second: bool,
}

impl StreamAt {
    /// Whether the stream helps to find rows, and is no part of them.
    pub fn is_index(&self) -> bool {
        matches!(
            self.kind,
            Kind::RowIndex | Kind::BloomFilter | Kind::BloomFilterUtf8 | Kind::EncryptedIndex | Kind::StripeStatistics
        )
    }
}

/// Where the stripe's footer lies.
pub fn footer_range(stripe: &StripeInformation) -> Range<u64> {
    let start = stripe.offset() + stripe.index_length() + stripe.data_length();
    start..start + stripe.footer_length()
}

/// The streams that a stripe's footer names.
///
/// # Errors
/// The footer is broken, or names streams outside of the stripe.
pub fn streams(tail: &Tail, stripe: &StripeInformation, footer: &[u8]) -> Result<Vec<StreamAt>, OrcError> {
    let footer = tail.unpack(footer)?;
    let footer = StripeFooter::decode(&*footer).map_err(|error| corrupt(format!("A stripe's footer: {error}")))?;
    if footer.columns.len() < tail.footer.types.len() {
        return Err(corrupt("A stripe lacks columns"));
    }
    let end = footer_range(stripe).start;
    let mut at = stripe.offset();
    let mut streams = Vec::with_capacity(footer.streams.len());
    for stream in &footer.streams {
        let next = at.checked_add(stream.length()).filter(|next| *next <= end);
        let Some(next) = next else { return Err(corrupt("A stream lies outside of its stripe")) };
        let encoding = footer.columns.get(stream.column() as usize).map(ColumnEncoding::kind);
        let second = matches!(encoding, Some(Encoding::DirectV2 | Encoding::DictionaryV2));
        streams.push(StreamAt { column: stream.column(), kind: stream.kind(), range: at..next, second });
        at = next;
    }
    Ok(streams)
}

/// The index of a column's row groups.
///
/// # Errors
/// The stream is broken.
pub fn row_index(tail: &Tail, stream: &[u8]) -> Result<RowIndex, OrcError> {
    let bytes = tail.unpack(stream)?;
    RowIndex::decode(&*bytes).map_err(|error| corrupt(format!("A row index: {error}")))
}

/// The Bloom filters of a column's row groups.
///
/// # Errors
/// The stream is broken.
pub fn bloom_filters(tail: &Tail, stream: &[u8]) -> Result<Vec<orc_rust::proto::BloomFilter>, OrcError> {
    let bytes = tail.unpack(stream)?;
    let index = orc_rust::proto::BloomFilterIndex::decode(&*bytes);
    Ok(index.map_err(|error| corrupt(format!("A Bloom filter: {error}")))?.bloom_filter)
}
