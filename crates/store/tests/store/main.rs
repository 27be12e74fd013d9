//! The store on both of its engines.
//!
//! Each case is one function that takes an open, migrated store; `on_both_engines!` makes two tests
//! of it, so that a failure names the engine. What only one engine has is a plain test that says so
//! in its name.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first surprise; clippy knows no test below `#[test]`"
)]

#[macro_use]
mod support;
mod templates;

mod audit_links;
mod constraints;
mod files;
mod gauges;
mod jobs;
mod lanes;
mod libraries;
mod migrations;
mod outages;
mod probes;
mod races;
mod round_trips;
mod samples;
mod sign_ins;
mod statements;
mod updates;
mod wake_ups;
