//! `check-config` and `migrate`.

use std::process::ExitCode;

use balefire_store::MigrationState;
use serde_json::json;

use super::Session;
use crate::{FAILED, config, runtime};

pub(super) fn check(session: &Session) -> anyhow::Result<ExitCode> {
    let findings = config::check(&session.config);
    runtime::warn_of_development_key(&session.config);
    let shown = serde_json::to_value(&session.config)?;
    if session.json {
        say!("{}", json!({ "config": shown, "findings": findings }));
    } else {
        say!("{}", toml::to_string(&session.config)?);
        for finding in &findings {
            eprintln!("balefire: {finding}");
        }
        if findings.is_empty() {
            eprintln!("balefire: the configuration may start");
        }
    }
    Ok(if findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

pub(super) async fn migrate(session: &Session) -> anyhow::Result<ExitCode> {
    runtime::warn_of_development_key(&session.config);
    let store = runtime::open_store(&session.config).await?;
    let before = store.migration_state().await?;
    store.migrate().await?;
    // The key beside SQLite's file is made now, so that it can be kept safe from the start (D49).
    runtime::app(&session.config, store).await?;
    let applied = match before {
        MigrationState::Behind(versions) => versions,
        MigrationState::Current | MigrationState::Expanded(_) | MigrationState::Ahead(_) => vec![],
    };
    session.print(&json!({ "applied": applied }), || match applied.len() {
        0 => "the schema was current".to_owned(),
        n => format!("applied {n} migration(s): {applied:?}"),
    });
    Ok(ExitCode::SUCCESS)
}
