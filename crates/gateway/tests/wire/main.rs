//! The gateway over real sockets: every test has its own server on loopback, which does exactly
//! what the test says.

#![expect(clippy::unwrap_used, reason = "what is missing ends a test")]

mod answers;
mod http_client;
mod mail;
mod proxies;
mod support;
mod tls;
