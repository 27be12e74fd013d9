//! What finds the faults that nobody thought of.
//!
//! [`explorer`] visits every state that one lane can reach through the production
//! [`step`](balefire_domain::lane::step()), in an environment that loses, delays and repeats, and
//! checks the promises of D37 in each. It depends on `balefire-domain` with the feature
//! `planted-faults`, so that it can also show that its checks would notice a missing rule; nothing
//! that ships may depend on this crate.

pub mod explorer;
pub mod seeded;
