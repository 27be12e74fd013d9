//! The rules of Balefire: who may do what to an alert, and how an approved alert reaches every
//! provider.
//!
//! Nothing here does I/O, awaits, reads a clock or draws randomness: instants, ids and jitter are
//! arguments. The same functions run in production, in the explorer of every reachable state and
//! in the tables of tests.

pub mod admin_action;
pub mod admin_plan;
pub mod alert;
pub mod approval;
pub mod area_names;
pub mod assertion;
pub mod audit;
pub mod audit_chain;
pub mod broadcast_settings;
pub mod cap_cancel;
pub mod channel;
pub mod clock_guard;
pub mod coherence;
pub mod earlier;
pub mod entropy;
pub mod epoch;
pub mod folders;
pub mod history;
pub mod ids;
pub mod invitation;
pub mod job;
pub mod lane;
pub mod limits;
pub mod link_test;
pub mod notification;
pub mod organisation;
pub mod outcome;
pub mod page;
pub mod password;
pub mod payload;
pub mod permission;
pub mod phones;
pub mod provider;
pub mod publishing;
pub mod rate;
pub mod routing;
pub mod second_text;
pub mod shown;
pub mod sign_in;
pub mod ticket;
pub mod time;
pub mod update;
