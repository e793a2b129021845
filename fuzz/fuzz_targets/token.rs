//! No web identity token and no key of an issuer's set panics, and nothing is signed by a key that is none.
#![no_main]

use boathouse_identity::read_token;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|texts: (&str, &str)| {
    let (token, key) = texts;
    assert!(!read_token(token, key), "nobody guesses a signature");
});
