//! Composite keys that sort as their parts do.

/// The end of a part. Sorts before every escaped or plain byte, so a part sorts before its own extensions.
const END: [u8; 2] = [0, 1];
/// A zero byte inside a part.
const ZERO: [u8; 2] = [0, 0xFF];

/// An ordered key of one or more text parts, such as `("tables", database, table)`.
///
/// The byte order of two keys is the order of their part lists, whatever bytes the parts hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Key(Vec<u8>);

impl Key {
    /// The key of these parts. No parts at all is the prefix of every key.
    pub fn new<P: AsRef<str>>(parts: impl IntoIterator<Item = P>) -> Self {
        parts.into_iter().fold(Self::default(), |key, part| key.with(part.as_ref()))
    }

    /// The same key with one more part.
    #[must_use]
    pub fn with(mut self, part: &str) -> Self {
        for byte in part.bytes() {
            match byte {
                0 => self.0.extend(ZERO),
                other => self.0.push(other),
            }
        }
        self.0.extend(END);
        self
    }

    /// The parts again.
    pub fn parts(&self) -> Vec<String> {
        let mut parts = Vec::new();
        let mut part = Vec::new();
        let mut bytes = self.0.iter();
        while let Some(&byte) = bytes.next() {
            match (byte, byte == 0 && bytes.next() == Some(&END[1])) {
                (0, true) => parts.push(String::from_utf8_lossy(&std::mem::take(&mut part)).into_owned()),
                (other, _) => part.push(other),
            }
        }
        parts
    }

    /// The last part, which names the row among its siblings.
    pub fn last(&self) -> String {
        self.parts().pop().unwrap_or_default()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The first byte string after every key that this one is a prefix of.
    pub(crate) fn prefix_end(&self) -> Vec<u8> {
        let mut end = self.0.clone();
        match end.last_mut() {
            Some(last) => *last += 1, // a key ends in `END`, so this can't overflow
            None => end.push(0xFF),   // no UTF-8 text starts with it
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_sort_as_their_parts(a in proptest::collection::vec("[\u{0}\u{1}a-c\u{ff}]{0,4}", 1..4),
                                    b in proptest::collection::vec("[\u{0}\u{1}a-c\u{ff}]{0,4}", 1..4)) {
            prop_assert_eq!(Key::new(&a).cmp(&Key::new(&b)), a.cmp(&b));
            prop_assert_eq!(Key::new(&a).parts(), a);
        }

        #[test]
        fn a_prefix_holds_its_extensions_only(a in "[\u{0}a-c]{0,4}", b in "[\u{0}a-c]{0,4}", more in "\\PC{0,4}") {
            let prefix = Key::new([&a]);
            let extended = Key::new([&b, &more]);
            let inside = extended >= prefix && extended.as_bytes() < prefix.prefix_end().as_slice();
            prop_assert_eq!(inside, a == b);
        }
    }
}
