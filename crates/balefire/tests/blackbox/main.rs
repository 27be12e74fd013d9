//! The product from outside: the real binary, the real simulator as another process, real signals,
//! on SQLite and on PostgreSQL.
//!
//! Every test ends with [`support::oracle`], which holds what the simulated networks logged against
//! what the product says of itself. A test waits by looking again until a deadline (D56); nothing
//! here sleeps.

mod support;

mod areas;
mod audit;
mod author_client;
mod aws;
mod cancel;
mod commands;
mod crash;
mod database;
mod demo;
mod failover;
mod history;
mod import;
mod lifecycle;
mod main_job;
mod metrics;
mod network;
mod notifications;
mod recorded;
mod replay;
mod restored;
mod rolling;
mod routes;
mod separation;
mod side_effects;
mod simplify;
mod text;
mod traces;
mod updates;
