//! No request's signature panics: `Authorization` header first, presigned query second.
#![no_main]

use boathouse_aws::sigv4::Claim;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (String, String)| {
    let (header, query) = input;
    let request = http::Request::get(format!("/?{query}")).header("authorization", header).body(());
    if let Ok(request) = request {
        let _ = Claim::of(&request.into_parts().0);
    }
});
