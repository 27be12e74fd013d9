//! Whole runs of the product's dispatch, each of them named by a seed.
//!
//! # What runs
//!
//! The loops that ship ([`Dispatcher::run`](balefire_dispatcher::Dispatcher::run): sweep, lanes,
//! settling, recovery, bulkheads) in one to three processes, on tokio's paused clock: no time
//! passes but in timers, so that an hour takes milliseconds and the same seed gives the same run.
//! Around them stand a [`database`] with transactions that forgets what was not committed, a
//! [`network`] that loses, delays, doubles and overtakes as far as the product permits, and centres
//! of providers ([`oracle`]) that know what was really applied. [`app`] approves, cancels and
//! completes alerts as the app does.
//!
//! # How a run goes
//!
//! A seed expands to [`options`]: providers, processes, alerts, and a random part of all
//! [`hazard`]s. Until the healing those hazards strike; from then on nothing goes wrong, and what
//! is left must settle within bounds that follow from the run's own figures. [`properties`] has one
//! function for each promise.
//!
//! # What it does not show
//!
//! The real databases and their SQL, the real sockets and TLS, the app's own verbs and the HTTP
//! interface: they have tests of their own. Time inside a process that stands still passes for its
//! timers, as it does not in reality; it learns and does nothing until it goes on.

pub mod app;
pub mod database;
pub mod fate;
pub mod hazard;
pub mod liveness;
pub mod network;
pub mod options;
pub mod oracle;
pub mod planted;
pub mod probing;
pub mod process;
pub mod properties;
pub mod random;
pub mod run;
pub mod safety;
pub mod swarm;
pub mod tables;
pub mod trace;
pub mod transaction;
pub mod trouble;
pub mod world;
pub mod writes;

#[cfg(test)]
mod tests;

pub use options::Options;
pub use properties::Property;
pub use run::{Ran, run};
