//! Tickets and pages: the real runner, the real store on both engines, and ticket and page services
//! over real HTTP on loopback that fail as they are told. Time is the test's own.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first surprise; clippy knows no test below `#[test]`"
)]

#[macro_use]
mod support;

mod pages;
mod tickets;
