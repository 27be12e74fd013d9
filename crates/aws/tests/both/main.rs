//! The two ways out over real sockets: the same cases, the same servers, the same outcomes.
//!
//! The servers and the table of answers are those of the gateway's own tests.

#![cfg(feature = "sdk")]
#![expect(clippy::unwrap_used, reason = "what is missing ends a test")]

#[path = "../../../gateway/tests/wire/answers.rs"]
mod answers;
mod courier;
mod invoked;
mod promises;
#[expect(dead_code, reason = "the gateway's tests use more of it")]
#[path = "../../../gateway/tests/wire/support.rs"]
mod support;
