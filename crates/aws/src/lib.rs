//! The way out through AWS: proxies that are Lambda functions, and SQS as a wake-up.
//!
//! The SDK finds the credentials, the address and the signature; it writes nothing itself. What it
//! has signed goes out over the gateway's own connections ([`balefire_gateway::Wire`]), so that
//! every promise of the HTTP client holds here as well: a request is written at most once, nothing
//! of it at or after its deadline, the connection is reset there, and *refused* is said only where
//! not one byte was written or the service said no. Every end is judged by the same table (D23).
//!
//! What is deliberately not done: no retry (the lane decides), no second HTTP or TLS library, no
//! AWS client for anything but Lambda and SQS.
//!
//! What no client of Lambda can promise: a function that has begun runs on after its caller is
//! gone. Between our reset and the function's own time-out a message may still be passed on, and
//! the drain must be as long (`upstream_timeout_seconds`; docs/aws.md).
//!
//! Everything is behind the feature `sdk`; without it the crate is empty.

#[cfg(feature = "sdk")]
mod account;
#[cfg(feature = "sdk")]
mod lambda;
#[cfg(feature = "sdk")]
mod plain_words;
#[cfg(feature = "sdk")]
mod queue;
#[cfg(feature = "sdk")]
mod sdk_http;

#[cfg(feature = "sdk")]
pub use account::{Account, AccountSettings, CredentialsCheck};
#[cfg(feature = "sdk")]
pub use lambda::Lambda;
#[cfg(feature = "sdk")]
pub use queue::{POLL, Queue, QueueError, QueueSettings, Received, VISIBILITY, WakeUp};
