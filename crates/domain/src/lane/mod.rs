//! Delivery: how one lane (an alert at one provider) moves.
//!
//! [`step::step`] is the only function that decides about deliveries (invariant 6). The shell calls
//! it inside a transaction that holds the lane's row, stores the lane that comes back, and carries
//! out the effects. The same function runs in the explorer and in the tables of tests.
//!
//! What it promises, for providers with dedup and shared sites, as long as the database keeps what
//! it committed and the deadline of an attempt is enforced on the wire (D25):
//!
//! - deliveries of one lane are applied in the order of their `seq`, each at most once;
//! - no alert is applied after its cancel was applied or closed;
//! - a delivery ends acknowledged, expired, superseded or moot, and never in silence.
//!
//! What it does not promise: exactly-once at a provider without dedup (a lost answer is resent once
//! the drain allows it), and that an accepted message was radiated.

pub mod event;
pub mod planted;
pub mod policy;
pub mod state;
pub mod statuses;
pub mod step;

pub use event::{DutyKind, Effect, Ignored, LaneEvent, Step};
pub use policy::{Figures, Policy};
pub use state::{Attempt, Closed, Delivery, HoldReason, Kind, Lane, MootReason, State};
pub use step::step;

#[cfg(test)]
mod tests;
