//! 128 bits that stand for a state.
//!
//! With ten million states the odds that any two share them are below 1 in 10^24, if the mixing is
//! as good as chance. Nothing here is secret or seeded: a run can be repeated.

use std::hash::{Hash, Hasher};

/// The fingerprint of a value.
pub fn of(value: &impl Hash) -> u128 {
    let mut mixer = Mixer {
        one: 0x9e37_79b9_7f4a_7c15,
        other: 0xd1b5_4a32_d192_ed03,
    };
    value.hash(&mut mixer);
    u128::from(fold(mixer.one, PRIME)) << 64 | u128::from(fold(mixer.other, OTHER_PRIME))
}

/// Odd, with about as many ones as zeros in every part.
const PRIME: u64 = 0xa076_1d64_78bd_642f;
const OTHER_PRIME: u64 = 0xe703_7ed1_a0b4_28db;

/// Two halves that see every word in different ways.
struct Mixer {
    one: u64,
    other: u64,
}

impl Mixer {
    fn mix(&mut self, word: u64) {
        self.one = fold(self.one ^ word, PRIME);
        self.other = fold(self.other.rotate_left(29) ^ word, OTHER_PRIME);
    }
}

/// Both halves of the product, laid over each other.
fn fold(a: u64, b: u64) -> u64 {
    let product = (u128::from(a) * u128::from(b)).to_le_bytes();
    let half = |from: usize| {
        let bytes = product[from..from + 8].try_into().expect("eight bytes");
        u64::from_le_bytes(bytes)
    };
    half(0) ^ half(8)
}

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.mix(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.mix(u64::from(number));
    }

    fn write_u16(&mut self, number: u16) {
        self.mix(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.mix(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.mix(number);
    }

    fn finish(&self) -> u64 {
        self.one ^ self.other
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn neighbours_share_neither_half() {
        let mut halves = HashSet::new();
        let mut count = 0;
        for a in 0..60_u64 {
            for b in 0..60_u8 {
                for c in ["", "a", "b", "p/a"] {
                    let print = of(&(a, b, c, a == 3)).to_le_bytes();
                    halves.insert((0, print[..8].to_vec()));
                    halves.insert((1, print[8..].to_vec()));
                    count += 2;
                }
            }
        }
        assert_eq!(halves.len(), count);
    }
}
