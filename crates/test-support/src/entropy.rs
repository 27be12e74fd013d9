//! Randomness that a seed names.

use std::sync::atomic::{AtomicU64, Ordering};

use balefire_domain::entropy::Entropy;

/// The odd constant of SplitMix64 (Steele, Lea and Flood, 2014): 2^64 divided by the golden ratio.
const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// Randomness for tests: the same seed gives the same bits in the same order, from any thread.
/// It is predictable, so nothing that ships may use it.
#[derive(Debug)]
pub struct SeededEntropy(AtomicU64);

impl SeededEntropy {
    /// The source that `seed` names.
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Entropy for SeededEntropy {
    fn random(&self) -> u128 {
        // Two steps are taken at once, so that threads never share half of a number.
        let state = self.0.fetch_add(GAMMA.wrapping_mul(2), Ordering::SeqCst);
        let high = mix(state.wrapping_add(GAMMA));
        let low = mix(state.wrapping_add(GAMMA.wrapping_mul(2)));
        u128::from(high) << 64 | u128::from(low)
    }
}

/// SplitMix64's output function: every bit of the state reaches every bit of the answer.
const fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        // The published sequence for seed 1234567.
        let entropy = SeededEntropy::new(1_234_567);
        let halves = [6_457_827_717_110_365_317_u128, 3_203_168_211_198_807_973];
        assert_eq!(entropy.random(), (halves[0] << 64) + halves[1]);
    }

    #[test]
    fn a_seed_names_its_sequence_and_no_number_comes_twice() {
        let draw = |seed| {
            let entropy = SeededEntropy::new(seed);
            (0..10_000).map(|_| entropy.random()).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1)[..8], draw(2)[..8]);
        assert_eq!(draw(1).into_iter().collect::<BTreeSet<_>>().len(), 10_000);
    }

    #[test]
    fn threads_never_draw_the_same_number() {
        let entropy = SeededEntropy::new(9);
        let draw = || (0..1000).map(|_| entropy.random()).collect::<Vec<_>>();
        let drawn: Vec<u128> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(draw)).collect();
            threads
                .into_iter()
                .flat_map(|t| t.join().unwrap())
                .collect()
        });
        assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), drawn.len());
    }
}
