//! Continuation tokens: the last key of a page, in letters that clients need not understand.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{Result, invalid_argument};

pub(crate) fn write(last: &str) -> String {
    URL_SAFE_NO_PAD.encode(last)
}

pub(crate) fn read(token: &str) -> Result<String> {
    let raw = URL_SAFE_NO_PAD.decode(token).ok();
    let last = raw.and_then(|raw| String::from_utf8(raw).ok());
    last.ok_or_else(|| invalid_argument("The continuation token provided is incorrect"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back() {
        assert_eq!(read(&write("a/é\u{1}")).unwrap(), "a/é\u{1}");
        assert_eq!(read("not a token").unwrap_err().code, "InvalidArgument");
    }
}
