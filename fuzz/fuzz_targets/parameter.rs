//! No text in S3's headers and queries panics, and ranges lie within their object.
#![no_main]

use boathouse_s3::outside;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, u64)| outside::parameter(input.0, input.1));
