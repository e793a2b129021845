//! No policy text panics.
#![no_main]

use boathouse_identity::policy::{Policy, PolicyKind};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for kind in [PolicyKind::Identity, PolicyKind::Resource, PolicyKind::Trust] {
        let _ = Policy::parse(text, kind);
    }
});
