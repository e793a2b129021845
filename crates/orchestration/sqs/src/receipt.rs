//! Receipt handles: which message, from which shelf, by which receive.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::error::SqsError;

/// What a receipt handle says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) shelf: String,
    pub(crate) sequence: String,
    /// The how many-th receive from this queue it was.
    pub(crate) receive: u32,
}

impl Receipt {
    /// The handle, which clients pass on unread.
    pub(crate) fn handle(&self) -> String {
        BASE64.encode(format!("{} {} {}", self.shelf, self.sequence, self.receive))
    }

    /// # Errors
    /// [`SqsError::InvalidReceiptHandle`] for what was never a handle.
    pub(crate) fn parse(handle: &str) -> Result<Self, SqsError> {
        let bytes = BASE64.decode(handle).map_err(|_| SqsError::InvalidReceiptHandle)?;
        let text = String::from_utf8(bytes).map_err(|_| SqsError::InvalidReceiptHandle)?;
        let mut parts = text.split(' ');
        match (parts.next(), parts.next(), parts.next().map(str::parse), parts.next()) {
            (Some(shelf), Some(sequence), Some(Ok(receive)), None) => {
                Ok(Self { shelf: shelf.to_owned(), sequence: sequence.to_owned(), receive })
            }
            _ => Err(SqsError::InvalidReceiptHandle),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn handles_are_read_again(shelf in "[0-9a-f]{32}", sequence in "[0-9]{20}", receive: u32) {
            let receipt = Receipt { shelf, sequence, receive };
            prop_assert_eq!(Receipt::parse(&receipt.handle()).unwrap(), receipt);
        }

        #[test]
        fn anything_else_is_refused_and_breaks_nothing(text in "\\PC{0,40}") {
            prop_assert!(Receipt::parse(&text).is_err() || Receipt::parse(&text).unwrap().handle() == text);
        }
    }
}
