//! No browser's form panics, in whatever pieces it comes.
#![no_main]

use boathouse_s3::outside;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], u8)| outside::form("multipart/form-data; boundary=x", input.0, input.1.into()));
