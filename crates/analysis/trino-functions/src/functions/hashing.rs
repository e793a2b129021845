//! Hashes that several kinds of functions share: XXH64, MurmurHash3 (x64, 128 bits) and SpookyHash V2, each with seed 0.

const PRIMES: [u64; 5] =
    [0x9E37_79B1_85EB_CA87, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x85EB_CA77_C2B2_AE63, 0x27D4_EB2F_1656_67C5];

/// A number of up to eight bytes, the lowest first.
fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0_u64, |word, byte| word << 8 | u64::from(*byte))
}

/// XXH64, after its specification.
pub(super) fn xxhash64(value: &[u8]) -> u64 {
    let [p1, p2, p3, p4, p5] = PRIMES;
    let round = |lane: u64, input: u64| lane.wrapping_add(input.wrapping_mul(p2)).rotate_left(31).wrapping_mul(p1);
    let stripes = value.chunks_exact(32);
    let mut rest = stripes.remainder();
    let mut hash = p5;
    if value.len() >= 32 {
        let mut lanes = [p1.wrapping_add(p2), p2, 0, 0_u64.wrapping_sub(p1)];
        for stripe in stripes {
            for (lane, input) in lanes.iter_mut().zip(stripe.chunks_exact(8)) {
                *lane = round(*lane, word(input));
            }
        }
        let turns = [1, 7, 12, 18];
        hash = lanes.iter().zip(turns).fold(0, |hash, (lane, turn)| hash.wrapping_add(lane.rotate_left(turn)));
        for lane in lanes {
            hash = (hash ^ round(0, lane)).wrapping_mul(p1).wrapping_add(p4);
        }
    }
    hash = hash.wrapping_add(value.len() as u64);
    while let Some((eight, after)) = rest.split_first_chunk::<8>() {
        hash = (hash ^ round(0, word(eight))).rotate_left(27).wrapping_mul(p1).wrapping_add(p4);
        rest = after;
    }
    if let Some((four, after)) = rest.split_first_chunk::<4>() {
        hash = (hash ^ word(four).wrapping_mul(p1)).rotate_left(23).wrapping_mul(p2).wrapping_add(p3);
        rest = after;
    }
    for byte in rest {
        hash = (hash ^ u64::from(*byte).wrapping_mul(p5)).rotate_left(11).wrapping_mul(p1);
    }
    hash = (hash ^ hash >> 33).wrapping_mul(p2);
    hash = (hash ^ hash >> 29).wrapping_mul(p3);
    hash ^ hash >> 32
}

/// MurmurHash3's two halves.
pub(super) fn murmur3(value: &[u8]) -> [u64; 2] {
    const C1: u64 = 0x87C3_7B91_1142_53D5;
    const C2: u64 = 0x4CF5_AD43_2745_937F;
    let first = |k: u64| k.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2);
    let second = |k: u64| k.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1);
    let (mut h1, mut h2) = (0_u64, 0_u64);
    let blocks = value.chunks_exact(16);
    let rest = blocks.remainder();
    for block in blocks {
        h1 ^= first(word(&block[..8]));
        h1 = h1.rotate_left(27).wrapping_add(h2).wrapping_mul(5).wrapping_add(0x52DC_E729);
        h2 ^= second(word(&block[8..]));
        h2 = h2.rotate_left(31).wrapping_add(h1).wrapping_mul(5).wrapping_add(0x3849_5AB5);
    }
    h2 ^= second(word(rest.get(8..).unwrap_or_default()));
    h1 ^= first(word(&rest[..rest.len().min(8)]));
    h1 ^= value.len() as u64;
    h2 ^= value.len() as u64;
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    (h1, h2) = (scattered(h1), scattered(h2));
    h1 = h1.wrapping_add(h2);
    [h1, h2.wrapping_add(h1)]
}

/// MurmurHash3's last step.
fn scattered(mut k: u64) -> u64 {
    k = (k ^ k >> 33).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    k = (k ^ k >> 33).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    k ^ k >> 33
}

const SPOOKY: u64 = 0xDEAD_BEEF_DEAD_BEEF;

/// SpookyHash V2's first half.
pub(super) fn spooky(value: &[u8]) -> u64 {
    if value.len() < 192 { spooky_short(value) } else { spooky_long(value) }
}

fn spooky_short(value: &[u8]) -> u64 {
    let [mut a, mut b, mut c, mut d] = [0, 0, SPOOKY, SPOOKY];
    let blocks = value.chunks_exact(32);
    let mut rest = blocks.remainder();
    for block in blocks {
        c = c.wrapping_add(word(&block[..8]));
        d = d.wrapping_add(word(&block[8..16]));
        [a, b, c, d] = spooky_mix([a, b, c, d]);
        a = a.wrapping_add(word(&block[16..24]));
        b = b.wrapping_add(word(&block[24..]));
    }
    if let Some((half, after)) = rest.split_first_chunk::<16>() {
        c = c.wrapping_add(word(&half[..8]));
        d = d.wrapping_add(word(&half[8..]));
        [a, b, c, d] = spooky_mix([a, b, c, d]);
        rest = after;
    }
    d = d.wrapping_add((value.len() as u64) << 56);
    if rest.is_empty() {
        c = c.wrapping_add(SPOOKY);
        d = d.wrapping_add(SPOOKY);
    } else {
        c = c.wrapping_add(word(&rest[..rest.len().min(8)]));
        d = d.wrapping_add(word(rest.get(8..).unwrap_or_default()));
    }
    spooky_end([a, b, c, d])
}

fn spooky_mix(mut h: [u64; 4]) -> [u64; 4] {
    for (at, turn) in [50, 52, 30, 41, 54, 48, 38, 37, 62, 34, 5, 36].into_iter().enumerate() {
        let (target, next, across) = ((at + 2) % 4, (at + 3) % 4, at % 4);
        h[target] = h[target].rotate_left(turn).wrapping_add(h[next]);
        h[across] ^= h[target];
    }
    h
}

fn spooky_end(mut h: [u64; 4]) -> u64 {
    for (at, turn) in [15, 52, 26, 51, 28, 9, 47, 54, 32, 25, 63].into_iter().enumerate() {
        let (target, source) = ((at + 3) % 4, (at + 2) % 4);
        h[target] ^= h[source];
        h[source] = h[source].rotate_left(turn);
        h[target] = h[target].wrapping_add(h[source]);
    }
    h[0]
}

fn spooky_long(value: &[u8]) -> u64 {
    const TURNS: [u32; 12] = [11, 32, 43, 31, 17, 28, 39, 57, 55, 54, 22, 46];
    const LAST_TURNS: [u32; 12] = [44, 15, 34, 21, 38, 33, 10, 13, 38, 53, 42, 54];
    let mut s: [u64; 12] = std::array::from_fn(|index| if index % 3 == 2 { SPOOKY } else { 0 });
    let blocks = value.chunks_exact(96);
    let rest = blocks.remainder();
    for block in blocks {
        for (i, turn) in TURNS.into_iter().enumerate() {
            s[i] = s[i].wrapping_add(word(&block[i * 8..i * 8 + 8]));
            s[(i + 2) % 12] ^= s[(i + 10) % 12];
            s[(i + 11) % 12] ^= s[i];
            s[i] = s[i].rotate_left(turn);
            s[(i + 11) % 12] = s[(i + 11) % 12].wrapping_add(s[(i + 1) % 12]);
        }
    }
    let mut last = [0; 96];
    last[..rest.len()].copy_from_slice(rest);
    last[95] = rest.len() as u8;
    for (lane, input) in s.iter_mut().zip(last.chunks_exact(8)) {
        *lane = lane.wrapping_add(word(input));
    }
    for _ in 0..3 {
        for (i, turn) in LAST_TURNS.into_iter().enumerate() {
            s[(i + 11) % 12] = s[(i + 11) % 12].wrapping_add(s[(i + 1) % 12]);
            s[(i + 2) % 12] ^= s[(i + 11) % 12];
            s[(i + 1) % 12] = s[(i + 1) % 12].rotate_left(turn);
        }
    }
    s[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_hashes() {
        // The example of Trino's hash_counts.
        assert_eq!(murmur3(&1_i64.to_le_bytes())[0] as i64, 19_144_387_141_682_250);
        assert_eq!(murmur3(&2_i64.to_le_bytes())[0] as i64, -2_447_670_524_089_286_488);
        assert_eq!(murmur3(b""), [0, 0]);
        assert_eq!(spooky(b""), 0x2327_06FC_6BF5_0919);
        let bytes: Vec<u8> = (0..500_u32).map(|n| (n % 251) as u8).collect();
        for (length, hash) in [
            (5, 0xF723_D369_38F6_A093),
            (16, 0x3402_25D6_331F_2651),
            (31, 0xA396_2A6C_761F_FE09),
            (40, 0xD9E4_5A43_710F_312A),
            (191, 0x7104_3A03_B5BB_462F),
            (192, 0x02D1_3F94_B2A3_1A54),
            (500, 0xA0C6_2153_253E_32C8),
        ] {
            assert_eq!(spooky(&bytes[..length]), hash, "{length} bytes");
        }
    }
}
