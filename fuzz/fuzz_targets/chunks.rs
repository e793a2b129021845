//! No body in chunks panics, in whatever pieces it comes, and it never gives more than it has announced.
#![no_main]

use boathouse_aws::sigv4::chunked::Decoder;
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], u16, u8)| {
    let (body, expected, piece) = input;
    let mut decoder = Decoder::new(expected.into(), None, Some(Vec::new()));
    let mut given = 0;
    for piece in body.chunks(usize::from(piece).max(1)) {
        let mut piece = Bytes::copy_from_slice(piece);
        loop {
            match decoder.next(&mut piece) {
                Ok(Some(data)) => given += data.len(),
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
    assert!(given <= usize::from(expected));
    let _ = decoder.finish();
});
