//! The end of an ORC file of any bytes is read or refused, and so are its stripes' footers and indexes.
#![no_main]

use boathouse_orc::blocks::{self, Codec};
use boathouse_orc::stripe;
use boathouse_orc::tail::{Parsed, Tail};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for codec in [None, Some(Codec::Zlib), Some(Codec::Snappy), Some(Codec::Lz4), Some(Codec::Zstd)] {
        let _ = blocks::unpack(bytes, codec, 1 << 16);
    }
    if let Ok(Parsed::Whole(tail)) = Tail::parse(Bytes::copy_from_slice(bytes), bytes.len() as u64) {
        let _ = tail.metadata();
        for each in &tail.footer.stripes {
            let _ = stripe::streams(&tail, each, bytes);
        }
        let _ = (stripe::row_index(&tail, bytes), stripe::bloom_filters(&tail, bytes));
    }
});
