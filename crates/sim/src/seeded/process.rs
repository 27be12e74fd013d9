//! One life of a dispatching process: whether it runs, stands still or is dead, and its clock.
//!
//! Everything that a process does to the world, and everything it learns, passes a port; at every
//! port it asks [`Life::pass`]. So a process that stands still does nothing until it goes on, and
//! one that is dead never does anything again, although its tasks are the loops that ship. While it
//! stands still its clock shows what it last saw: nothing can look at it.

use std::future::pending;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use balefire_domain::time::{Clock, Timestamp};
use tokio::sync::Notify;
use tokio::time::Instant;

/// When every run begins: 2026-01-01T00:00:00Z.
pub const BEGINNING: Timestamp = Timestamp::from_seconds(1_767_225_600);

/// The instants of a run, by no clock but the true one.
#[derive(Clone, Copy, Debug)]
pub struct TrueTime(Instant);

impl TrueTime {
    /// A run begins now.
    pub fn begin() -> Self {
        // tidy-allow(clock): the paused clock of the run's own runtime, which the seed moves
        Self(Instant::now())
    }

    /// Microseconds since the run began.
    pub fn elapsed_us(self) -> i64 {
        i64::try_from(self.0.elapsed().as_micros()).unwrap_or(i64::MAX)
    }

    /// How long the run lasts.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// The true instant.
    pub fn now(self) -> Timestamp {
        Timestamp::from_micros(BEGINNING.micros() + self.elapsed_us())
    }

    /// Waits until so many milliseconds after the beginning.
    pub async fn until_ms(self, ms: u64) {
        tokio::time::sleep_until(self.0 + Duration::from_millis(ms)).await;
    }
}

/// The wall clock of one machine: the true time, shifted and running too fast or too slow.
#[derive(Debug)]
pub struct SkewedClock {
    time: TrueTime,
    offset_us: i64,
    drift_ppm: i64,
    /// How far somebody has set it wrong.
    jump_us: AtomicI64,
    /// However it runs, it stays this near to the true time, as the product demands.
    apart_max_us: i64,
}

impl SkewedClock {
    /// A clock that is `offset_us` ahead and gains `drift_ppm` microseconds each second.
    pub const fn new(time: TrueTime, offset_us: i64, drift_ppm: i64, apart_max_us: i64) -> Self {
        Self {
            time,
            offset_us,
            drift_ppm,
            jump_us: AtomicI64::new(0),
            apart_max_us,
        }
    }

    /// How far it is ahead now, in microseconds.
    pub fn ahead_us(&self) -> i64 {
        let gained = self.time.elapsed_us() / 1000 * self.drift_ppm / 1000;
        (self.offset_us + gained).clamp(-self.apart_max_us, self.apart_max_us)
            + self.jump_us.load(Ordering::Relaxed)
    }

    /// Sets it wrong by so much; 0 sets it right.
    pub fn jump(&self, jump_us: i64) {
        self.jump_us.store(jump_us, Ordering::Relaxed);
    }
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.time.now().micros() + self.ahead_us())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pulse {
    Running,
    /// Since then, by its wall clock and by the one that nobody sets.
    Still(Timestamp, Duration),
    Dead,
}

/// One life of a process, from its start to its crash or end.
#[derive(Debug)]
pub struct Life {
    /// Which process, from 0.
    pub process: usize,
    /// Which of its lives, from 1.
    pub number: u64,
    /// Its wall clock.
    pub clock: SkewedClock,
    pulse: Mutex<Pulse>,
    changed: Notify,
}

impl Life {
    /// A life that begins.
    pub fn begin(process: usize, number: u64, clock: SkewedClock) -> Self {
        Self {
            process,
            number,
            clock,
            pulse: Mutex::new(Pulse::Running),
            changed: Notify::new(),
        }
    }

    fn pulse(&self) -> Pulse {
        *self.pulse.lock().expect("nobody panics with a pulse")
    }

    fn set(&self, pulse: Pulse) {
        let mut current = self.pulse.lock().expect("nobody panics with a pulse");
        if *current != Pulse::Dead {
            *current = pulse;
        }
        drop(current);
        self.changed.notify_waiters();
    }

    /// Whether it is dead.
    pub fn is_dead(&self) -> bool {
        self.pulse() == Pulse::Dead
    }

    /// Whether it stands still.
    pub fn is_still(&self) -> bool {
        matches!(self.pulse(), Pulse::Still(..))
    }

    /// Kills it: nothing that it began goes on, except what has left it.
    pub fn kill(&self) {
        self.set(Pulse::Dead);
    }

    /// Makes it stand still.
    pub fn stop(&self) {
        if !self.is_still() {
            self.set(Pulse::Still(self.clock.now(), self.clock.time.elapsed()));
        }
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.set(Pulse::Running);
    }

    /// Waits while it stands still; for ever when it is dead.
    pub async fn pass(&self) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            match self.pulse() {
                Pulse::Running => return,
                Pulse::Still(..) => changed.await,
                Pulse::Dead => pending().await,
            }
        }
    }

    /// Waits until it is dead.
    pub async fn died(&self) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.is_dead() {
                return;
            }
            changed.await;
        }
    }
}

/// The process's clock as the dispatcher takes it.
#[derive(Debug)]
pub struct LifeClock(pub std::sync::Arc<Life>);

impl Clock for LifeClock {
    fn now(&self) -> Timestamp {
        match self.0.pulse() {
            Pulse::Still(wall, _) => wall,
            Pulse::Running | Pulse::Dead => self.0.clock.now(),
        }
    }

    fn monotonic(&self) -> Duration {
        match self.0.pulse() {
            Pulse::Still(_, monotonic) => monotonic,
            Pulse::Running | Pulse::Dead => self.0.clock.time.elapsed(),
        }
    }
}
