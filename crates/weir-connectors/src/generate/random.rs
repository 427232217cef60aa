//! Repeatable randomness: numbers that depend on a seed and a position, not on the numbers before.

/// Length of the text that [`Words`] cuts pieces from. A prime above 2^16, so that offsets spread evenly.
const WORDS_BYTES: usize = 65_537;

/// Random numbers of one event: the n-th depends on the event and n only, so that leaving one out
/// changes no other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dice(u64);

impl Dice {
    pub fn new(seed: u64, position: u64) -> Self {
        Self(mix(seed ^ position.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
    }

    /// Returns the `lane`-th number.
    #[inline]
    pub fn roll(self, lane: u64) -> u64 {
        mix(self.0.wrapping_add(lane.wrapping_mul(0xD1B5_4A32_D192_ED03)))
    }

    /// Returns a number below `bound`, which must not be 0.
    #[inline]
    pub fn below(self, lane: u64, bound: u64) -> u64 {
        ((u128::from(self.roll(lane)) * u128::from(bound)) >> 64) as u64
    }

    /// Returns a number of [0, 1).
    #[inline]
    pub fn fraction(self, lane: u64) -> f64 {
        (self.roll(lane) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The finalizer of SplitMix64.
#[inline]
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Random lower-case text to cut pieces from: a copy is faster than making every letter.
#[derive(Debug)]
pub(crate) struct Words(String);

impl Words {
    /// Makes a text; pieces have at most `longest` letters.
    pub fn new(seed: u64, longest: usize) -> Self {
        let dice = Dice::new(seed, 0x5EED);
        let letter = |at: usize| char::from(b'a' + dice.below(at as u64, 26) as u8);
        Self((0..WORDS_BYTES + longest).map(letter).collect())
    }

    /// Returns the piece of a length that a random number chooses; there are [`WORDS_BYTES`] pieces of each length.
    #[inline]
    pub fn piece(&self, random: u64, length: usize) -> &str {
        let start = ((u128::from(random) * WORDS_BYTES as u128) >> 64) as usize;
        &self.0[start..(start + length).min(self.0.len())]
    }
}

/// Letters that one random number has room for: 26^13 < 2^64.
pub(crate) const LETTERS: usize = 13;

/// Spells a random number in lower-case letters: numbers that differ give other letters, but for one in 7.4 of them.
#[inline]
pub(crate) fn letters(mut random: u64) -> [u8; LETTERS] {
    let mut spelled = [0; LETTERS];
    for letter in &mut spelled {
        *letter = b'a' + (random % 26) as u8;
        random /= 26;
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeatable_and_spread() {
        let rolls: std::collections::HashSet<u64> =
            (0..100).flat_map(|n| (0..10).map(move |lane| Dice::new(1, n).roll(lane))).collect();
        assert_eq!(rolls.len(), 1000);
        let mut counts = [0; 4];
        for n in 0..4000 {
            counts[Dice::new(7, n).below(3, 4) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
        assert_eq!(Words::new(1, 20).piece(u64::MAX, 20).len(), 20);
        assert_eq!(Words::new(1, 20).piece(5, 9), Words::new(1, 20).piece(5, 9));
    }
}
