//! Randomness that a seed names.
//!
//! Every decision has dice of its own, made of the seed and of what the decision is about, and
//! never of how many others were made before: so one provider's trouble changes nothing of what
//! another one meets (S12), and leaving a hazard out leaves the rest of a run as it was.

use std::sync::atomic::{AtomicU64, Ordering};

use balefire_domain::entropy::Entropy;

/// The odd constant of SplitMix64: 2^64 divided by the golden ratio.
const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// Dice of one decision.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The dice for what `labels` name, under `seed`.
    pub fn of(seed: u64, labels: &[u64]) -> Self {
        let mixed = labels
            .iter()
            .fold(seed, |state, label| mix(state.wrapping_add(GAMMA)) ^ label);
        Self(mix(mixed.wrapping_add(GAMMA)))
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        mix(self.0)
    }

    /// A number below `bound`; 0 when there is none.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound.max(1)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True in so many of a thousand cases.
    pub fn chance(&mut self, permille: u64) -> bool {
        self.below(1000) < permille
    }

    /// One of several.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        let index = self.below(of.len() as u64);
        of[usize::try_from(index).expect("an index fits")]
    }
}

/// A number that stands for a text in the labels of dice.
pub fn label(text: &str) -> u64 {
    // FNV-1a.
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// The entropy of one life of a process.
#[derive(Debug)]
pub struct SeededEntropy {
    state: AtomicU64,
    has_jitter: bool,
}

impl SeededEntropy {
    /// The source that `labels` name under `seed`. Without jitter every back-off is exact, so that
    /// two runs can be compared.
    pub fn new(seed: u64, labels: &[u64], has_jitter: bool) -> Self {
        Self {
            state: AtomicU64::new(Dice::of(seed, labels).roll()),
            has_jitter,
        }
    }
}

impl Entropy for SeededEntropy {
    fn random(&self) -> u128 {
        let state = self
            .state
            .fetch_add(GAMMA.wrapping_mul(2), Ordering::Relaxed);
        let high = mix(state.wrapping_add(GAMMA));
        let low = mix(state.wrapping_add(GAMMA.wrapping_mul(2)));
        u128::from(high) << 64 | u128::from(low)
    }

    fn jitter_permille(&self) -> i32 {
        let drawn = i32::try_from(self.random() % 2001).unwrap_or(0) - 1000;
        if self.has_jitter { drawn } else { 0 }
    }
}

const fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dice_depend_on_the_seed_and_on_every_label() {
        let draw = |seed, labels: &[u64]| Dice::of(seed, labels).below(u64::MAX);
        assert_eq!(draw(1, &[2, 3]), draw(1, &[2, 3]));
        assert_ne!(draw(1, &[2, 3]), draw(2, &[2, 3]));
        assert_ne!(draw(1, &[2, 3]), draw(1, &[3, 2]));
        assert_ne!(draw(1, &[2, 3]), draw(1, &[2, 3, 0]));
    }
}
