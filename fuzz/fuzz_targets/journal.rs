//! A segment file of any bytes opens without harm, and opens a second time with the same result.
#![no_main]

use boathouse_journal::{frame, segment};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let frame::Decoded::Frame(found, length) = frame::decode(bytes) {
        assert_eq!(found.length(), length);
    }
    let path = std::env::temp_dir().join(format!("journal-fuzz-{}", std::process::id()));
    std::fs::write(&path, bytes).expect("a file to open");
    let first = segment::open(&path).expect("any bytes are cut to what is sound");
    let second = segment::open(&path).expect("it was sealed");
    assert_eq!((first.end, first.contents), (second.end, second.contents));
    std::fs::remove_file(&path).expect("the file is still there");
});
