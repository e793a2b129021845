//! No XML document that S3 takes panics, however deep it is.
#![no_main]

use boathouse_s3::outside;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| outside::document(bytes));
