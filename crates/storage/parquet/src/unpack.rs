//! Numbers of a few bits each, packed without gaps.

use crate::bits;

/// The widest numbers of which four and a piece of a byte fit the parts of a register.
const WIDEST_WIDE: u32 = 25;

/// Unpacks numbers of one width.
#[derive(Debug, Clone)]
pub(crate) struct Unpacker {
    width: u32,
    mask: u32,
    #[cfg(target_arch = "x86_64")]
    wide: Option<Wide>,
}

impl Unpacker {
    /// For numbers of at most 32 bits.
    pub(crate) fn new(width: u32) -> Self {
        debug_assert!(width <= 32, "checked by who reads the width");
        Self {
            width,
            mask: ((1_u64 << width) - 1) as u32,
            #[cfg(target_arch = "x86_64")]
            wide: (width <= WIDEST_WIDE && is_x86_feature_detected!("avx2")).then(|| Wide::new(width)),
        }
    }

    pub(crate) fn width(&self) -> usize {
        self.width as usize
    }

    /// The number at a place, counted from where the bytes begin. Bits behind the end of the bytes are zero.
    #[inline]
    pub(crate) fn get(&self, packed: &[u8], at: usize) -> u32 {
        bits::load(packed, at * self.width as usize) as u32 & self.mask
    }

    /// The first numbers of bytes. Bits behind the end of the bytes are zero.
    #[allow(unsafe_code, reason = "calls what the processor was asked for")]
    pub(crate) fn unpack(&self, packed: &[u8], out: &mut [u32]) {
        #[cfg(target_arch = "x86_64")]
        let done = match &self.wide {
            // SAFETY: there is such a thing only where the processor has been asked for AVX2.
            Some(wide) => unsafe { wide.unpack(packed, self.mask, out) },
            None => 0,
        };
        #[cfg(not(target_arch = "x86_64"))]
        let done = 0;
        for (at, out) in out.iter_mut().enumerate().skip(done) {
            *out = self.get(packed, at);
        }
    }
}

/// The largest of numbers, or zero.
#[allow(unsafe_code, reason = "calls what the processor was asked for")]
pub(crate) fn largest(numbers: &[u32]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has been asked.
        return unsafe { largest_wide(numbers) };
    }
    numbers.iter().copied().max().unwrap_or_default()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn largest_wide(numbers: &[u32]) -> u32 {
    numbers.iter().copied().fold(0, u32::max)
}

/// How eight numbers get out of a register of two times 16 bytes: four from each half.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone)]
struct Wide {
    /// How many bytes eight numbers take.
    step: usize,
    /// The four bytes in which each number lies, of the 16 that begin with its half's first number.
    bytes: [u8; 32],
    /// How many bits of these lie before it.
    shifts: [u32; 8],
}

#[cfg(target_arch = "x86_64")]
impl Wide {
    fn new(width: u32) -> Self {
        let (mut bytes, mut shifts) = ([0; 32], [0; 8]);
        for number in 0..8 {
            let half = number / 4;
            let bit = (number % 4) * width as usize + half * (4 * width as usize % 8);
            shifts[number] = (bit % 8) as u32;
            for byte in 0..4 {
                bytes[number * 4 + byte] = (bit / 8 + byte) as u8;
            }
        }
        Self { step: width as usize, bytes, shifts }
    }

    /// Unpacks groups of eight numbers for as long as 16 bytes can be read at once; says how many numbers that were.
    #[target_feature(enable = "avx2")]
    #[allow(unsafe_code, reason = "loads and stores of registers")]
    fn unpack(&self, packed: &[u8], mask: u32, out: &mut [u32]) -> usize {
        use std::arch::x86_64::{
            __m128i, __m256i, _mm_loadu_si128, _mm256_and_si256, _mm256_loadu_si256, _mm256_set_m128i,
            _mm256_set1_epi32, _mm256_shuffle_epi8, _mm256_srlv_epi32, _mm256_storeu_si256,
        };
        let second = self.step / 2;
        let whole = match packed.len().checked_sub(second + 16) {
            Some(last) if self.step > 0 => last / self.step + 1,
            _ => 0,
        };
        let groups = whole.min(out.len() / 8);
        // SAFETY: both arrays are 32 bytes long.
        let (bytes, shifts) = unsafe {
            (
                _mm256_loadu_si256(self.bytes.as_ptr().cast::<__m256i>()),
                _mm256_loadu_si256(self.shifts.as_ptr().cast::<__m256i>()),
            )
        };
        let mask = _mm256_set1_epi32(mask.cast_signed());
        for (group, out) in out.as_chunks_mut::<8>().0[..groups].iter_mut().enumerate() {
            // SAFETY: `group` is below `whole`, so there are `second + 16` bytes from its first on; `out` is 32 bytes long.
            unsafe {
                let first = packed.as_ptr().add(group * self.step);
                let low = _mm_loadu_si128(first.cast::<__m128i>());
                let high = _mm_loadu_si128(first.add(second).cast::<__m128i>());
                let spread = _mm256_shuffle_epi8(_mm256_set_m128i(high, low), bytes);
                let numbers = _mm256_and_si256(_mm256_srlv_epi32(spread, shifts), mask);
                _mm256_storeu_si256(out.as_mut_ptr().cast::<__m256i>(), numbers);
            }
        }
        groups * 8
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pack(numbers: &[u32], width: u32) -> Vec<u8> {
        let mut bytes = vec![0; (numbers.len() * width as usize).div_ceil(8)];
        for (at, number) in numbers.iter().enumerate() {
            for bit in 0..width as usize {
                let to = at * width as usize + bit;
                bytes[to / 8] |= ((number >> bit & 1) as u8) << (to % 8);
            }
        }
        bytes
    }

    proptest! {
        #[test]
        fn numbers_come_back(numbers in proptest::collection::vec(any::<u32>(), 0..100), width in 0_u32..=32) {
            let unpacker = Unpacker::new(width);
            let numbers: Vec<u32> = numbers.iter().map(|number| number & unpacker.mask).collect();
            let packed = pack(&numbers, width);
            let mut out = vec![7; numbers.len()];
            unpacker.unpack(&packed, &mut out);
            prop_assert_eq!(&out, &numbers);
            let single: Vec<u32> = (0..numbers.len()).map(|at| unpacker.get(&packed, at)).collect();
            prop_assert_eq!(&single, &numbers);
            prop_assert_eq!(largest(&numbers), numbers.iter().copied().max().unwrap_or(0));
        }
    }
}
