//! SQS and Lambda as `moto` plays them, over real sockets.

#![cfg(feature = "sdk")]
#![expect(clippy::unwrap_used, reason = "what is missing ends a test")]

mod admin;
mod functions;
mod queues;
