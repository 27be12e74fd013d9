//! The only SQL of Balefire: what is stored, on SQLite and on PostgreSQL.
//!
//! A [`Store`] opens transactions, a [`Tx`] has one method per statement or small group of them,
//! one file per aggregate. SQL stores decisions and makes none (invariant 6). One text serves both
//! engines; what differs is the row lock, which SQLite does not need since its writing transactions
//! exclude each other (D52, D59).
//!
//! What it promises: a transaction is durable when [`Tx::commit`] returned `Ok` (SQLite:
//! `synchronous=FULL`; PostgreSQL: its `synchronous_commit`). A [`Tx`] that is dropped changes
//! nothing. A connection that ends inside COMMIT is asked about, and [`StoreError::InDoubt`] says
//! that nobody could find out ([`Verdict`] has what is to be done about each failure). What it does
//! not: bound how long a step takes; whoever runs it does.

#[macro_use]
mod sql;

mod account_mails;
pub mod accounts;
pub mod admin_actions;
pub mod alert_updates;
pub mod alert_versions;
pub mod alert_views;
pub mod alerts;
pub mod api_keys;
pub mod area_libraries;
pub mod audit_entries;
pub mod audit_links;
mod clock;
pub mod conditions;
pub mod counters;
mod crash_points;
pub mod credentials;
pub mod deliveries;
pub mod duty_items;
pub mod earlier;
pub mod edit_reasons;
pub mod epochs;
pub mod events;
mod failure;
pub mod feature_toggles;
pub mod gauges;
pub mod history;
mod imported;
pub mod instances;
pub mod invitations;
pub mod jobs;
pub mod lanes;
pub mod members;
mod migrations;
pub mod organisations;
pub mod population;
pub mod probes;
pub mod provider_pauses;
pub mod publish_tasks;
mod purge;
mod reach;
pub mod repeatable_requests;
pub mod route_results;
pub mod service_certificates;
pub mod service_contacts;
pub mod services;
pub mod sign_ins;
mod store;
pub mod templates;
mod timing;
mod tx;
pub mod used_tokens;
pub mod users;
pub mod wake_up;

pub use crash_points::{CRASH_POINTS, crash_point};
pub use failure::{StoreError, Verdict};
pub use migrations::{MigrationState, Version, newest_migration};
pub use store::{DatabaseUrl, InvalidDatabaseUrl, Store};
pub use tx::Tx;

/// Every statement, so that a test can prepare each on its engines.
pub fn statements() -> Vec<(&'static str, &'static str, &'static str)> {
    [
        account_mails::ALL,
        accounts::ALL,
        admin_actions::ALL,
        alert_updates::ALL,
        alert_versions::ALL,
        alert_views::ALL,
        alerts::ALL,
        api_keys::ALL,
        area_libraries::ALL,
        audit_entries::ALL,
        audit_links::ALL,
        clock::ALL,
        conditions::ALL,
        counters::ALL,
        credentials::ALL,
        deliveries::ALL,
        duty_items::ALL,
        edit_reasons::ALL,
        epochs::ALL,
        events::ALL,
        feature_toggles::ALL,
        gauges::ALL,
        history::ALL,
        imported::ALL,
        instances::ALL,
        invitations::ALL,
        jobs::ALL,
        lanes::ALL,
        members::ALL,
        organisations::ALL,
        population::ALL,
        probes::ALL,
        provider_pauses::ALL,
        publish_tasks::ALL,
        repeatable_requests::ALL,
        purge::ALL,
        route_results::ALL,
        service_certificates::ALL,
        service_contacts::ALL,
        services::ALL,
        templates::ALL,
        sign_ins::ALL,
        tx::ALL,
        used_tokens::ALL,
        users::ALL,
    ]
    .into_iter()
    .flatten()
    .map(|sql| (sql.name, sql.sqlite, sql.postgres))
    .collect()
}

/// The few statements that PostgreSQL alone has (D52), with their names.
pub fn postgres_statements() -> Vec<(&'static str, &'static str)> {
    let only = [
        clock::POSTGRES_ONLY,
        epochs::POSTGRES_ONLY,
        wake_up::POSTGRES_ONLY,
    ];
    only.into_iter()
        .flatten()
        .map(|sql| (sql.name, sql.postgres))
        .collect()
}
