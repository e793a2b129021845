//! MD5 (RFC 1321), of one body or of many at once.
//!
//! MD5 can't be hurried: each of its steps waits for the one before, and that takes longer than anything else that happens to
//! a large body. Several bodies don't wait for each other, and their steps fit the lanes of one vector.

/// Bytes that are mixed in at once.
const BLOCK: usize = 64;
/// Bodies that share vectors at most.
pub(crate) const LANES: usize = 16;
/// Fewer bodies than this are faster one after the other.
pub(crate) const FEWEST: usize = 3;

#[rustfmt::skip]
const SINES: [u32; 64] = [
    0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
    0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
    0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
    0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
    0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
    0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
    0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
];

/// The four words of one body's state, or of many bodies' states side by side.
type State<T> = [T; 4];

/// The digest of a body so far.
#[derive(Clone)]
pub(crate) struct Md5 {
    state: State<u32>,
    length: u64,
    /// The beginning of a block whose rest has not come yet; how much, the length says.
    rest: [u8; BLOCK],
}

impl Default for Md5 {
    fn default() -> Self {
        let state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
        Self { state, length: 0, rest: [0; BLOCK] }
    }
}

impl Md5 {
    pub(crate) fn update(&mut self, data: &[u8]) {
        let blocks = self.begin(data);
        let (whole, rest) = blocks.as_chunks();
        compress(&mut self.state, whole);
        self.keep(rest);
    }

    /// Completes the block that was begun; what follows it.
    fn begin<'a>(&mut self, data: &'a [u8]) -> &'a [u8] {
        let held = (self.length % BLOCK as u64) as usize;
        self.length += data.len() as u64;
        if held == 0 {
            return data;
        }
        let (now, later) = data.split_at(data.len().min(BLOCK - held));
        self.rest[held..held + now.len()].copy_from_slice(now);
        if held + now.len() == BLOCK {
            compress(&mut self.state, &[self.rest]);
        }
        later
    }

    /// Keeps what is no whole block, behind whole blocks.
    fn keep(&mut self, rest: &[u8]) {
        if !rest.is_empty() {
            self.rest[..rest.len()].copy_from_slice(rest);
        }
    }

    pub(crate) fn finish(mut self) -> [u8; 16] {
        let bits = self.length.wrapping_mul(8).to_le_bytes();
        let held = (self.length % BLOCK as u64) as usize;
        // A one, and zeros up to the eight bytes of the length.
        let zeros = if held < 56 { 56 - held } else { 120 - held };
        let mut padding = [0; 72];
        padding[0] = 0x80;
        padding[zeros..zeros + 8].copy_from_slice(&bits);
        self.update(&padding[..zeros + 8]);
        let mut digest = [0; 16];
        for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(self.state) {
            *bytes = word.to_le_bytes();
        }
        digest
    }
}

/// A digest and what is to go into it next.
pub(crate) struct Job<'a> {
    pub(crate) md5: &'a mut Md5,
    pub(crate) chunks: Vec<&'a [u8]>,
}

/// Updates up to [`LANES`] digests at once.
pub(crate) fn update_all(mut jobs: Vec<Job<'_>>) {
    jobs.iter_mut().for_each(|job| job.chunks.reverse());
    // Whole blocks that each job has at hand.
    let mut ready: Vec<&[[u8; BLOCK]]> = vec![&[]; jobs.len()];
    loop {
        for (job, ready) in jobs.iter_mut().zip(&mut ready) {
            while ready.is_empty()
                && let Some(chunk) = job.chunks.pop()
            {
                let (whole, rest) = job.md5.begin(chunk).as_chunks();
                *ready = whole;
                // Nothing is read of it before these blocks are mixed in: the state alone says what follows.
                job.md5.keep(rest);
            }
        }
        let busy: Vec<usize> = (0..jobs.len()).filter(|at| !ready[*at].is_empty()).collect();
        if busy.len() < FEWEST {
            for at in busy {
                compress(&mut jobs[at].md5.state, std::mem::take(&mut ready[at]));
            }
            if jobs.iter().all(|job| job.chunks.is_empty()) {
                return;
            }
            continue;
        }
        let blocks = busy.iter().map(|at| ready[*at].len()).min().unwrap_or_default();
        for some in busy.chunks(LANES) {
            let mut states = [[0; LANES]; 4];
            // Lanes without a body of their own do the first one's work again.
            let lane = |lane: usize| some[if lane < some.len() { lane } else { 0 }];
            let data: [&[[u8; BLOCK]]; LANES] = std::array::from_fn(|at| &ready[lane(at)][..blocks]);
            for (word, states) in states.iter_mut().enumerate() {
                *states = std::array::from_fn(|at| jobs[lane(at)].md5.state[word]);
            }
            compress_lanes(&mut states, &data);
            for (lane, at) in some.iter().enumerate() {
                jobs[*at].md5.state = states.map(|word| word[lane]);
            }
        }
        for at in busy {
            ready[at] = &ready[at][blocks..];
        }
    }
}

/// The words of `N` bodies, lane by lane.
type Words<const N: usize> = [u32; N];

/// One step of each lane. What does not wait for the step before is added up first.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "a lane is a place in six arrays")]
fn step<const N: usize>(
    [a, b, c, d]: [Words<N>; 4],
    (m, sine, turn): (Words<N>, u32, u32),
    function: impl Fn(u32, u32, u32, u32) -> u32,
) -> Words<N> {
    let mut next = [0; N];
    for lane in 0..N {
        let known = a[lane].wrapping_add(m[lane]).wrapping_add(sine);
        next[lane] = function(b[lane], c[lane], d[lane], known).rotate_left(turn).wrapping_add(b[lane]);
    }
    next
}

/// Mixes one block into the state of each lane.
#[inline(always)]
fn mix<const N: usize>(states: &State<Words<N>>, m: &[Words<N>; 16]) -> State<Words<N>> {
    let [mut a, mut b, mut c, mut d] = *states;
    let f = |b: u32, c: u32, d: u32, known: u32| (d ^ (b & (c ^ d))).wrapping_add(known);
    let g = |b: u32, c: u32, d: u32, known: u32| (b & d).wrapping_add(known.wrapping_add(!d & c));
    let h = |b: u32, c: u32, d: u32, known: u32| (b ^ (c ^ d)).wrapping_add(known);
    let i = |b: u32, c: u32, d: u32, known: u32| (c ^ (b | !d)).wrapping_add(known);
    // Written out, so that everything but the words is known when this is compiled.
    macro_rules! four {
        ($function:ident, $at:expr, $times:expr, $plus:expr, [$r:expr, $s:expr, $t:expr, $u:expr]) => {
            a = step([a, b, c, d], (m[($at * $times + $plus) % 16], SINES[$at], $r), $function);
            d = step([d, a, b, c], (m[(($at + 1) * $times + $plus) % 16], SINES[$at + 1], $s), $function);
            c = step([c, d, a, b], (m[(($at + 2) * $times + $plus) % 16], SINES[$at + 2], $t), $function);
            b = step([b, c, d, a], (m[(($at + 3) * $times + $plus) % 16], SINES[$at + 3], $u), $function);
        };
    }
    macro_rules! round {
        ($function:ident, $at:expr, $times:expr, $plus:expr, $turns:tt) => {
            four!($function, $at, $times, $plus, $turns);
            four!($function, $at + 4, $times, $plus, $turns);
            four!($function, $at + 8, $times, $plus, $turns);
            four!($function, $at + 12, $times, $plus, $turns);
        };
    }
    round!(f, 0, 1, 0, [7, 12, 17, 22]);
    round!(g, 16, 5, 1, [5, 9, 14, 20]);
    round!(h, 32, 3, 5, [4, 11, 16, 23]);
    round!(i, 48, 7, 0, [6, 10, 15, 21]);
    [a, b, c, d]
}

#[inline(always)]
fn compress_vectors<const N: usize>(states: &mut State<Words<N>>, data: [&[[u8; BLOCK]]; N]) {
    for at in 0..data[0].len() {
        let mut m = [[0; N]; 16];
        for (lane, blocks) in data.iter().enumerate() {
            for (word, bytes) in blocks[at].as_chunks::<4>().0.iter().enumerate() {
                m[word][lane] = u32::from_le_bytes(*bytes);
            }
        }
        let mixed = mix(states, &m);
        for (words, mixed) in states.iter_mut().zip(mixed) {
            for (word, mixed) in words.iter_mut().zip(mixed) {
                *word = word.wrapping_add(mixed);
            }
        }
    }
}

fn compress(state: &mut State<u32>, blocks: &[[u8; BLOCK]]) {
    let mut states = state.map(|word| [word]);
    compress_vectors::<1>(&mut states, [blocks]);
    *state = states.map(|[word]| word);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl")]
fn compress_wide(states: &mut State<Words<LANES>>, data: &[&[[u8; BLOCK]]; LANES]) {
    compress_vectors(states, *data);
}

fn compress_lanes(states: &mut State<Words<LANES>>, data: &[&[[u8; BLOCK]]; LANES]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
        // SAFETY: the processor has what the function is compiled for.
        #[allow(unsafe_code, reason = "calls what the processor was asked for")]
        return unsafe { compress_wide(states, data) };
    }
    const NARROW: usize = 4;
    for first in (0..LANES).step_by(NARROW) {
        let mut some: State<Words<NARROW>> = states.map(|word| std::array::from_fn(|lane| word[first + lane]));
        compress_vectors(&mut some, std::array::from_fn(|lane| data[first + lane]));
        for (word, some) in states.iter_mut().zip(some) {
            word[first..first + NARROW].copy_from_slice(&some);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(data: &[u8]) -> String {
        let mut md5 = Md5::default();
        md5.update(data);
        hex::encode(md5.finish())
    }

    /// The test suite of RFC 1321.
    #[test]
    fn known_digests() {
        assert_eq!(of(b""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(of(b"abc"), "900150983cd24fb0d6963f7d28e17f72");
        let digits = "12345678901234567890123456789012345678901234567890123456789012345678901234567890";
        assert_eq!(of(digits.as_bytes()), "57edf4a22be3c955ac49da2e2107b67a");
    }

    fn chunks() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..5)
    }

    proptest! {
        /// Against another implementation, however the bytes come.
        #[test]
        fn one_and_many_agree(bodies in prop::collection::vec(chunks(), 1..20)) {
            let mut digests = vec![Md5::default(); bodies.len()];
            for half in 0..2 {
                let jobs = digests.iter_mut().zip(&bodies).map(|(md5, chunks)| {
                    let (first, second) = chunks.split_at(chunks.len() / 2);
                    let chunks = if half == 0 { first } else { second };
                    Job { md5, chunks: chunks.iter().map(Vec::as_slice).collect() }
                });
                update_all(jobs.collect());
            }
            for (md5, chunks) in digests.into_iter().zip(&bodies) {
                let whole = chunks.concat();
                let other: [u8; 16] = <md5::Md5 as md5::Digest>::digest(&whole).into();
                prop_assert_eq!(md5.finish(), other);
                prop_assert_eq!(of(&whole), hex::encode(other));
            }
        }

        #[test]
        fn narrow_vectors_agree_too(bytes in prop::collection::vec(any::<u8>(), 4 * BLOCK)) {
            let blocks = bytes.as_chunks::<BLOCK>().0;
            let data = std::array::from_fn(|lane| &blocks[lane..lane + 1]);
            let mut states = Md5::default().state.map(|word| [word; 4]);
            compress_vectors::<4>(&mut states, data);
            for (lane, blocks) in data.into_iter().enumerate() {
                let mut state = Md5::default().state;
                compress(&mut state, blocks);
                prop_assert_eq!(state, states.map(|word| word[lane]));
            }
        }
    }
}
