//! Numbers as bytes, the lowest first, and back.

/// Bytes under construction.
#[derive(Default)]
pub(in crate::functions) struct Writer(pub(in crate::functions) Vec<u8>);

impl Writer {
    pub(in crate::functions) fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(in crate::functions) fn word(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(in crate::functions) fn double(&mut self, value: f64) {
        self.word(value.to_bits());
    }

    /// A length and so many bytes.
    pub(in crate::functions) fn slice(&mut self, value: &[u8]) {
        self.word(value.len() as u64);
        self.0.extend_from_slice(value);
    }
}

/// Bytes still to be read. Every method gives none where they end too early.
pub(in crate::functions) struct Reader<'a>(pub(in crate::functions) &'a [u8]);

impl<'a> Reader<'a> {
    pub(in crate::functions) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(in crate::functions) fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(in crate::functions) fn word(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }

    pub(in crate::functions) fn double(&mut self) -> Option<f64> {
        self.word().map(f64::from_bits)
    }

    pub(in crate::functions) fn slice(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.word()?).ok()?;
        self.take(length)
    }

    /// How many items of a size follow; none where there can't be so many.
    pub(in crate::functions) fn count(&mut self, size: usize) -> Option<usize> {
        let count = usize::try_from(self.word()?).ok()?;
        (count.checked_mul(size)? <= self.0.len()).then_some(count)
    }
}
