//! No CBOR body panics.
#![no_main]

use boathouse_aws::protocol::cbor;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| drop(cbor::input(body)));
