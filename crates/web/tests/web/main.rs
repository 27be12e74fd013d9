//! The routes from outside: the real verbs on a database of their own, a clock that stands still.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first surprise; clippy knows no test below `#[test]`"
)]

mod account_links;
mod accounts;
mod audit;
mod author;
mod clock_work;
mod documents;
mod endpoints;
mod faults;
mod hostile;
mod json_routes;
mod libraries;
mod main_job;
mod matrix;
mod permissions;
mod placeholders;
mod populations;
mod public_site;
mod purges;
mod rates;
mod reach;
mod recorded;
mod refused_documents;
mod repeatable;
mod schemas;
mod security;
mod services;
mod signatures;
mod sockets;
mod status_moves;
mod support;
mod templates;
mod tenancy;
mod tokens;
mod two_persons;
mod updates;
mod users;
mod v3;
mod v3_admin_actions;
