use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A share of its own, and what is in use of it: where, how long, and the byte that fills it.
struct Model {
    share: Share,
    used: Vec<(u32, u32, u8)>,
    written: u8,
}

#[derive(Debug, Clone)]
enum Step {
    Take(u32),
    Give(usize),
    Resize(usize, u32),
    Cool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let length = prop_oneof![5 => 1_u32..40, 5 => 1_u32..300, 1 => Just(2000_u32)];
    let step = prop_oneof![
        4 => length.clone().prop_map(Step::Take),
        3 => any::<usize>().prop_map(Step::Give),
        2 => (any::<usize>(), length).prop_map(|(which, length)| Step::Resize(which, length)),
        1 => Just(Step::Cool),
    ];
    vec(step, 1..200)
}

impl Model {
    fn new() -> Self {
        let (base, books) = (reserve(1 << 32).unwrap(), reserve((1 << 20) * size_of::<Granule>()).unwrap());
        Self { share: Share::new(base, books), used: Vec::new(), written: 0 }
    }

    #[allow(unsafe_code)]
    fn bytes(&self, place: u32, length: u32) -> &'static mut [u8] {
        let begin = std::ptr::with_exposed_provenance_mut(self.share.base + place as usize * GRANULE);
        // SAFETY: the addresses are the share's, and stay.
        unsafe { std::slice::from_raw_parts_mut(begin, length as usize * GRANULE) }
    }

    fn fill(&mut self, place: u32, length: u32) {
        self.written = self.written % 250 + 1;
        self.bytes(place, length).fill(self.written);
        self.used.push((place, length, self.written));
    }

    fn holds(&self, (place, length, byte): (u32, u32, u8)) -> bool {
        self.bytes(place, length).iter().all(|found| *found == byte)
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Take(length) => {
                let (place, is_zero) = self.share.take(length).unwrap();
                assert!(!is_zero || self.holds((place, length, 0)), "what is said to be zero is");
                self.fill(place, length);
            }
            Step::Give(which) if !self.used.is_empty() => {
                let piece @ (place, length, _) = self.used.swap_remove(which % self.used.len());
                assert!(self.holds(piece), "nobody else has written there");
                self.share.give(Piece { begin: place, length, state: State::Warm });
            }
            Step::Resize(which, wanted) if !self.used.is_empty() => {
                let (place, length, byte) = self.used.swap_remove(which % self.used.len());
                let length = if self.share.resize(place, wanted) { wanted.min(length) } else { length };
                assert!(self.holds((place, length, byte)), "what stays is as it was");
                let length = self.share.piece(place).length;
                self.fill(place, length);
            }
            Step::Cool => {
                let mut place = 1;
                while let Some(piece) = self.share.cool(place) {
                    empty(self.share.base, piece);
                    place = self.share.give(Piece { state: State::Empty, ..piece });
                }
            }
            Step::Give(_) | Step::Resize(..) => {}
        }
    }

    /// Pieces follow each other without gaps; no two free ones do; the books count right.
    fn check(&mut self) {
        let (mut place, mut idle, mut used, mut was_free) = (1, 0, 0, false);
        while place < self.share.end {
            let piece = self.share.piece(place);
            assert_eq!(self.share.granule(piece.end() - 1).begin, place);
            let is_free = piece.state != State::Used;
            assert!(!(is_free && was_free), "free neighbours are joined");
            idle += if matches!(piece.state, State::Warm | State::Cold) { piece.length } else { 0 };
            used += usize::from(!is_free);
            (place, was_free) = (piece.end(), is_free);
        }
        assert_eq!((place, idle, used), (self.share.end, self.share.idle, self.used.len()));
    }
}

impl Drop for Model {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: nobody else knows these addresses.
        unsafe {
            libc::munmap(std::ptr::with_exposed_provenance_mut(self.share.base), 1 << 32);
            libc::munmap(self.share.granules.cast(), (1 << 20) * size_of::<Granule>());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn pieces_are_their_owners_alone(steps in steps()) {
        let mut model = Model::new();
        for step in &steps {
            model.step(step);
            model.check();
        }
        while !model.used.is_empty() {
            model.step(&Step::Give(0));
        }
        model.check();
        let all = model.share.piece(1);
        prop_assert!(model.share.end == 1 || all.state != State::Used && all.end() == model.share.end);
    }
}

#[test]
fn longer_pieces_are_in_later_lists() {
    let lists: Vec<_> = (1..100_000).map(list_of).collect();
    assert!(lists.is_sorted());
    assert!((0..32).all(|length| list_of(length.max(1)) == length.max(1) as usize));
    assert!(list_of(GRANULES as u32) < LENGTHS);
}

#[test]
fn free_memory_of_the_wrong_lengths_goes_back_when_more_is_needed() {
    let mut model = Model::new();
    let places: Vec<_> = (0..40).map(|_| model.share.take(200).unwrap().0).collect();
    for place in places.iter().step_by(2) {
        model.share.give(Piece { begin: *place, length: 200, state: State::Warm });
    }
    assert_eq!(model.share.idle, 20 * 200);
    model.share.take(10_000).unwrap();
    assert_eq!(model.share.idle, 20 * 200, "little is kept");
    let places: Vec<_> = (0..40).map(|_| model.share.take(600).unwrap().0).collect();
    for place in places.iter().step_by(2) {
        model.share.give(Piece { begin: *place, length: 600, state: State::Warm });
    }
    model.share.take(1000).unwrap();
    assert_eq!(model.share.idle, 20 * 800 - 2 * 600);
    assert!(model.share.take(600).is_some_and(|(_, is_zero)| !is_zero), "memory that is there comes first");
}

#[test]
fn memory_that_nobody_asks_for_goes_back() {
    let mut model = Model::new();
    model.step(&Step::Take(100));
    model.step(&Step::Take(1));
    model.step(&Step::Give(0));
    model.step(&Step::Cool);
    assert_eq!(model.share.idle, 100);
    model.step(&Step::Cool);
    assert_eq!(model.share.idle, 0);
    let (_, is_zero) = model.share.take(60).unwrap();
    assert!(is_zero);
}
