//! Where randomness comes from, as an argument: ids and the jitter of back-offs.

use uuid::Uuid;

use crate::time::Timestamp;

/// A source of random bits. Production has the operating system's; tests and the simulator have a
/// seeded one, so that a seed names a whole history.
pub trait Entropy: Send + Sync {
    /// 128 unpredictable bits.
    fn random(&self) -> u128;

    /// A version 7 id: sorts by `now`, which keeps index pages together (D52).
    fn uuid_v7(&self, now: Timestamp) -> Uuid {
        let millis = u64::try_from(now.micros().div_euclid(1000)).unwrap_or(0);
        let bits = self.random().to_le_bytes();
        let mut tail = [0; 10];
        tail.copy_from_slice(&bits[..10]);
        uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
    }

    /// A version 4 id: tells nothing of when it was made. Delivery ids and key secrets (D38, D52).
    fn uuid_v4(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.random().to_le_bytes()).into_uuid()
    }

    /// A number in -1000..=1000, for jitter in thousandths.
    fn jitter_permille(&self) -> i32 {
        i32::try_from(self.random() % 2001).unwrap_or(0) - 1000
    }
}
