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
//! - no text is applied after its cancel was applied or closed, and no earlier text after a later
//!   one;
//! - a delivery ends acknowledged, expired, superseded or moot, and never in silence.
//!
//! Where the sites behind a provider's routes have states of their own, the order holds at each
//! site, and a cancel ends only when every site that an earlier attempt may have reached has
//! answered it.
//!
//! What it does not promise: exactly-once at a provider without dedup or with separate sites (a
//! lost answer is resent once the drain allows it), and that an accepted message was radiated.

mod drain;
mod duties;
mod ends;
pub mod event;
pub mod hedge;
mod late;
pub mod planted;
pub mod policy;
pub mod replay;
mod sites;
pub mod state;
pub mod statuses;
pub mod step;
pub mod wake;

pub use event::{DutyKind, Effect, Ignored, LaneEvent, Step};
pub use hedge::Hedge;
pub use policy::{Conditions, Figures, Policy};
pub use state::{Attempt, Closed, Delivery, HoldReason, Kind, Lane, MootReason, State};
pub use step::step;
pub use wake::next_wake;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_conditions;
#[cfg(test)]
mod tests_updates;
