//! Snappy's raw format, decompressed. Specification: "Snappy compressed format description".
//!
//! Pages are short texts and numbers, hence very many short pieces: what counts is the time of a piece. Each is checked once
//! and then copied by whole registers, into room behind the end of the output that is not part of it.

use std::hint::select_unpredictable;
use std::mem::MaybeUninit;

use crate::error::{Error, corrupt};

/// Room behind the output: a copy of a piece may write so many bytes too many.
const SLACK: usize = 64;
/// How many bytes are copied at once for a short piece.
const SHORT: usize = 16;
/// A piece of three bytes makes at most 64.
const MOST_PER_BYTE: usize = 22;

/// Decompresses into `out`, instead of what it holds, what must have `length` bytes.
///
/// # Errors
/// The input is broken or has another length.
#[allow(unsafe_code, reason = "tells how much has been written")]
pub(crate) fn decompress(input: &[u8], length: usize, out: &mut Vec<u8>) -> Result<(), Error> {
    let (announced, begin) = announced(input)?;
    if announced != length || length > input.len().saturating_mul(MOST_PER_BYTE) {
        return Err(corrupt(format!("A compressed page announces {announced} bytes instead of {length}")));
    }
    out.clear();
    out.reserve(length + SLACK);
    // SAFETY: there is room for `length + SLACK` bytes, and when `pieces` says that all is well it has written `length`.
    unsafe {
        if !pieces(&input[begin..], out.as_mut_ptr(), length) {
            return Err(corrupt("A compressed page is broken"));
        }
        out.set_len(length);
    }
    Ok(())
}

fn announced(input: &[u8]) -> Result<(usize, usize), Error> {
    let mut length = 0_u64;
    for (at, byte) in input.iter().take(5).enumerate() {
        length |= u64::from(byte & 0x7f) << (7 * at);
        if *byte < 0x80 {
            return Ok((length as usize, at + 1));
        }
    }
    Err(corrupt("A compressed page announces no length"))
}

/// Copies bytes through a register.
///
/// # Safety
/// `N` bytes can be read from `from` and written to `to`. They may overlap, and need not have been written before.
#[inline(always)]
#[allow(unsafe_code, reason = "copies of whole registers")]
unsafe fn copy<const N: usize>(from: *const u8, to: *mut u8) {
    // SAFETY: the caller's.
    unsafe { to.cast::<MaybeUninit<[u8; N]>>().write_unaligned(from.cast::<MaybeUninit<[u8; N]>>().read_unaligned()) }
}

/// Writes what the pieces of the input say; false if they are broken or make anything but `length` bytes.
///
/// # Safety
/// `length + SLACK` bytes can be written to `out`.
#[allow(unsafe_code, reason = "gives on what is written to")]
unsafe fn pieces(input: &[u8], out: *mut u8, length: usize) -> bool {
    let mut place = Place { at: 0, to: 0 };
    while place.at < input.len() {
        // SAFETY: the caller's; `to` is at most `length`.
        let well = unsafe {
            short_pieces(input, out, length, &mut place);
            place.at == input.len() || any_piece(input, out, length, &mut place)
        };
        if !well {
            return false;
        }
    }
    place.to == length
}

/// Where the next piece lies in the input, and where its bytes go.
struct Place {
    at: usize,
    to: usize,
}

/// What the tag of a short repetition says: how many bytes it makes, and the highest three bits of its distance (as 0x700) if
/// these stand in it. [`NOT_SHORT`] where it may be longer than [`SHORT`] or shorter than four bytes, or has another kind.
const REPETITIONS: [u32; 256] = {
    let mut repetitions = [NOT_SHORT; 256];
    let mut tag = 0;
    while tag < 256 {
        let high = tag as u32 >> 2;
        if tag & 3 == 1 {
            repetitions[tag] = ((high & 7) + 4) | (tag as u32 & 0xe0) << 3;
        } else if tag & 3 == 2 && high >= 3 && high < SHORT as u32 {
            repetitions[tag] = high + 1;
        }
        tag += 1;
    }
    repetitions
};
/// A count that no distance reaches.
const NOT_SHORT: u32 = COUNT;
/// The bits of the count.
const COUNT: u32 = 0x8000_00ff;

/// Writes pieces as long as they are short, do not repeat themselves, and lie far enough from the ends.
///
/// Pieces have some five bytes, so each instruction counts. The processor can't foresee of which of its two kinds a repetition
/// is, so no jump asks: the tag behind it is fetched for both.
///
/// # Safety
/// `length + SLACK` bytes can be written to `out`, of which the first `to` have been.
#[allow(unsafe_code, reason = "copies by whole registers, whose places are checked once for each piece")]
unsafe fn short_pieces(input: &[u8], out: *mut u8, length: usize, place: &mut Place) {
    let from = input.as_ptr();
    // A piece takes at most a tag and `SHORT` bytes; what is looked at ends with the tag behind it.
    let (last_at, last_to) = (input.len().saturating_sub(2 * SHORT), length.saturating_sub(SHORT));
    let Place { mut at, mut to } = *place;
    while at < last_at && to < last_to {
        // So many pieces, however long they are, begin at most at `last_at` and go at most to `length`.
        let pieces = ((last_at - at) / (1 + SHORT)).min((last_to - to) / SHORT) + 1;
        let mut tag = input[at] as usize;
        for _ in 0..pieces {
            let kind = tag & 3;
            if kind == 0 {
                let count = (tag >> 2) + 1;
                if count > SHORT {
                    *place = Place { at, to };
                    return;
                }
                // SAFETY: 32 bytes of input lie behind `at`, and there is room for `SLACK` bytes behind `length`.
                unsafe {
                    copy::<SHORT>(from.add(at + 1), out.add(to));
                    tag = *from.add(at + 1 + count) as usize;
                }
                to += count;
                at += 1 + count;
                continue;
            }
            // SAFETY: 32 bytes of input lie behind `at`.
            let (near, next) = unsafe {
                let behind = from.add(at + 1);
                let near = u16::from_le_bytes(behind.cast::<[u8; 2]>().read_unaligned()) as usize;
                (near, select_unpredictable(kind == 1, near >> 8, *behind.add(2) as usize))
            };
            let said = REPETITIONS[tag];
            let count = (said & COUNT) as usize;
            let back = select_unpredictable(kind == 1, near & 0xff | (said & 0x700) as usize, near);
            if back < count || back > to {
                *place = Place { at, to };
                return;
            }
            // SAFETY: `back` is at most `to`, and there is room for `SLACK` bytes behind `length`. `count` is at least four.
            unsafe { repeat_short(out.add(to), back, count) };
            to += count;
            at += 1 + kind;
            tag = next;
        }
    }
    *place = Place { at, to };
}

/// Writes `count` bytes, each as the one that lies `back` bytes before it.
///
/// # Safety
/// `back` bytes have been written before `to`, and [`SHORT`] can be written; `count` is at least four, at most [`SHORT`], and
/// not more than `back`.
#[inline(always)]
#[allow(unsafe_code, reason = "copies of whole registers")]
unsafe fn repeat_short(to: *mut u8, back: usize, count: usize) {
    // SAFETY: the caller's; two times four bytes lie inside of those that are repeated.
    unsafe {
        let from = to.sub(back).cast_const();
        if back <= SHORT {
            // These have been written just now, by a store that ends where they do. To read more would be to wait for the next one.
            let second = count.min(8) - 4;
            let low = from.cast::<u32>().read_unaligned();
            let high = from.add(second).cast::<u32>().read_unaligned();
            to.cast::<u64>().write_unaligned(u64::from(low) | u64::from(high) << (8 * second));
        } else {
            copy::<8>(from, to);
        }
        copy::<8>(from.add(8), to.add(8));
    }
}

/// Writes a piece of any kind; false if it is broken.
///
/// # Safety
/// `length + SLACK` bytes can be written to `out`, of which the first `to` have been. There is more input.
#[allow(unsafe_code, reason = "copies by whole registers, whose places are checked once for each piece")]
unsafe fn any_piece(input: &[u8], out: *mut u8, length: usize, place: &mut Place) -> bool {
    let Place { mut at, to } = *place;
    let tag = input[at] as usize;
    at += 1;
    if tag & 3 == 0 {
        let mut count = (tag >> 2) + 1;
        if count > 60 {
            let taken = count - 60;
            let Some(bytes) = input.get(at..at + taken) else { return false };
            count = bytes.iter().rev().fold(0, |count, byte| count << 8 | *byte as usize) + 1;
            at += taken;
        }
        if count > input.len() - at || count > length - to {
            return false;
        }
        // SAFETY: both have been looked at just now.
        unsafe { std::ptr::copy_nonoverlapping(input.as_ptr().add(at), out.add(to), count) };
        *place = Place { at: at + count, to: to + count };
        return true;
    }
    let (count, back) = match (tag & 3, input.len() - at) {
        (1, 1..) => ((tag >> 2 & 7) + 4, (tag >> 5) << 8 | input[at] as usize),
        (2, 2..) => ((tag >> 2) + 1, u16::from_le_bytes([input[at], input[at + 1]]) as usize),
        (3, 4..) => {
            let back = [input[at], input[at + 1], input[at + 2], input[at + 3]];
            ((tag >> 2) + 1, u32::from_le_bytes(back) as usize)
        }
        _ => return false,
    };
    if back == 0 || back > to || count > length - to {
        return false;
    }
    // SAFETY: `back` bytes lie before `to`, and there is room for `count + SLACK`; `count` is at most 64.
    unsafe { repeat(out.add(to), back, count) };
    *place = Place { at: at + [0, 1, 2, 4][tag & 3], to: to + count };
    true
}

/// Writes `count` bytes, each as the one that lies `back` bytes before it.
///
/// # Safety
/// `back` bytes have been written before `to`; `count` is at most 64, and `count + SLACK` bytes can be written.
#[inline(always)]
#[allow(unsafe_code, reason = "copies of whole registers")]
unsafe fn repeat(mut to: *mut u8, back: usize, count: usize) {
    // SAFETY: what is read lies between `to - back` and what has been written; what is written ends before `to + count + 16`.
    unsafe {
        let mut from = to.sub(back).cast_const();
        let end = to.add(count);
        if back >= 16 {
            loop {
                copy::<16>(from, to);
                (from, to) = (from.add(16), to.add(16));
                if to >= end {
                    return;
                }
            }
        }
        // The pattern's distance doubles until a register's worth of it is there.
        let mut distance = back;
        while distance < 8 {
            copy::<8>(from, to);
            to = to.add(distance);
            distance *= 2;
        }
        while to < end {
            copy::<8>(from, to);
            (from, to) = (from.add(8), to.add(8));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(input: &[u8]) -> Result<Vec<u8>, Error> {
        let (length, mut out) = (announced(input)?.0, vec![1, 2, 3]);
        decompress(input, length, &mut out).map(|()| out)
    }

    #[test]
    fn patterns_of_every_length_are_repeated() {
        for back in 1..=40_usize {
            for count in 1..=64_usize {
                let literal: Vec<u8> = (1..=back as u8).collect();
                let mut input = vec![(back + count) as u8, (back as u8 - 1) << 2];
                input.extend(&literal);
                input.extend([(count as u8 - 1) << 2 | 2, back as u8, 0]);
                let expected: Vec<u8> = literal.iter().copied().cycle().take(back + count).collect();
                assert_eq!(whole(&input).unwrap(), expected, "{back} {count}");
            }
        }
    }

    #[test]
    fn what_is_broken_is_refused() {
        let far = [5, 0, b'a', 2 << 2 | 2, 2, 0];
        let too_long = [3, 0, b'a', 1, 1];
        let too_short = [9, 0, b'a', 1, 1];
        let no_distance = [5, 0, b'a', 1, 0];
        let cut_off = [5, 0, b'a', 3, 1, 0, 0];
        for input in [&far[..], &too_long, &too_short, &no_distance, &cut_off, &[], &[0x80], &[200, 1, 0, 1]] {
            assert!(whole(input).is_err(), "{input:?}");
        }
        assert!(decompress(&[0xff, 0xff, 0xff, 0xff, 7, 0, 1], 0x7fff_ffff, &mut Vec::new()).is_err());
        assert_eq!(whole(&[0]).unwrap(), b"");
    }

    proptest! {
        #[test]
        fn what_was_compressed_comes_back(
            pieces in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 1..40), 1_usize..30), 0..60),
        ) {
            let bytes: Vec<u8> = pieces.iter().flat_map(|(piece, times)| piece.repeat(*times)).collect();
            let packed = snap::raw::Encoder::new().compress_vec(&bytes).unwrap();
            prop_assert_eq!(&whole(&packed).unwrap(), &bytes);
            prop_assert!(decompress(&packed, bytes.len() + 1, &mut Vec::new()).is_err());
        }

        #[test]
        fn any_bytes_are_read_as_by_others(bytes in proptest::collection::vec(prop_oneof![0_u8..12, any::<u8>()], 0..80)) {
            let expected = snap::raw::Decoder::new().decompress_vec(&bytes).ok();
            // Emptiness without an announcement is a matter of taste.
            prop_assume!(!bytes.is_empty());
            prop_assert_eq!(whole(&bytes).ok(), expected);
        }
    }
}
