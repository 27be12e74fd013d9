//! The history of an alert, judged afterwards: what the database tells and what the providers
//! logged, held against the safety invariants S1 to S14.
//!
//! One function per invariant, over plain values of one alert, so that a country's history is
//! judged alert by alert. A function says how many facts it looked at, so that "nothing is wrong"
//! can be told from "nothing was there". What is judged from the database alone and what needs the
//! providers' log stands in [`Invariant::needs_log`].
//!
//! Two clocks are compared with the configured difference between them. What happened after
//! [`Terms::until`] is not held against the log: the log was read then.
//!
//! What it does not do: S12 compares two runs, which one history can't; here it says that no lane
//! has another lane's rows or requests. Liveness (does all of it end?) is no safety: other tests
//! watch it.

mod acknowledgement;
mod authority;
mod bytes;
mod cancel;
mod facts;
mod flight;
mod order;
mod report;
#[cfg(test)]
mod tests;

pub use facts::{
    AlertFact, Applied, AttemptFact, AuditFact, DeliveryFact, EventFact, History, Place,
    RequestFact,
};
pub use report::{
    FINDINGS_SHOWN_MAX, Finding, Invariant, Judged, NeedsLog, Report, Terms, Verdict,
};
