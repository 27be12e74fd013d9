//! Mobile networks that misbehave on command: what the demo, the tests of the real binary and a
//! rehearsal send to instead of a country's networks (D54).
//!
//! A [`Simulator`] speaks the Lambda Invoke API (`http.rs` has the routes) and serves every
//! function name. `ee-1-proxy` and `ee-2-proxy` are the two proxies of one provider, `ee`, which
//! remembers what it applied: the same identifier twice is applied once, a cancel ends what it
//! names, an update takes the place of what it names on the air, and a message past its
//! `not_after` is refused. It answers in our own protocol:
//! `{"identifier":…,"outcome":"accepted"|"duplicate"|"unknown-reference"|"refused","detail":…}`.
//!
//! A link test (`"message_type":"test"`) asks a CBC, a heartbeat (`"heartbeat"`) the proxy alone;
//! to both a proxy also says what its clock shows and which of its starts answers:
//! `{…,"clock":"2026-11-23T04:09:03.123456Z","boot_id":"sim-…"}`. A canary has an identifier and
//! nothing else. None of the three changes what a provider knows.
//!
//! A file of [`Faults`] makes it refuse, hang, lie or break off, for the requests that the file
//! names. The log of requests tells what came, byte for byte, and whether it was applied: it is the
//! oracle of the tests.
//!
//! # The log of requests
//!
//! One line of JSON per request, oldest first:
//! `{"at_ms":…,"n":…,"function":…,"payload":…,"kind":…,"applied":…,"outcome":…}`. `at_ms` counts
//! from 1970, `n` from 1, `kind` is the fault or `ok`. A request is logged when it arrives, with
//! `"applied":false` and `"outcome":null`, before anything is waited for; what became of it is put
//! into its line in memory. A file, which only grows, gets a second and shorter line with the same
//! `n` instead: `{"at_ms":…,"n":…,"applied":…,"outcome":…}`.
//!
//! `payload` is what was sent, character by character; only line ends between its parts become
//! spaces. What is no JSON is a text with all of it. `applied` is true when this request changed
//! what the provider knows; a duplicate, a link test, a heartbeat, a canary and a refused message
//! change nothing.
//!
//! # What it does not do
//!
//! It checks no signature, so it listens on loopback addresses only; it
//! forgets everything when it ends (the log file stays); it shows when an alert expires and does
//! not act on it, so that a test may run on a clock of its own.
//!
//! It reads the real clock (D35): a network has a clock of its own.

mod answer;
mod clock;
mod controls;
mod faults;
mod http;
mod log;
mod protocol;
mod provider;
mod simulator;

pub use controls::Controls;
pub use faults::{Faults, FaultsError};
pub use simulator::Simulator;
