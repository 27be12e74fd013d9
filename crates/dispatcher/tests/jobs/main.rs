//! Tickets, pages and notifications: the real runner, the real store on both engines, and others'
//! services over real sockets on loopback, which fail as they are told. Time is the test's own.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first surprise; clippy knows no test below `#[test]`"
)]

#[macro_use]
mod support;

mod mail_server;
mod notifications;
mod pages;
mod tickets;
