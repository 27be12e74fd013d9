//! `database show|release`.

use std::process::ExitCode;

use balefire_app::Failure;
use balefire_app::epochs::NotAnAdministrator;
use serde_json::json;

use super::{Session, find};
use crate::cli::DatabaseCommand;

pub(super) async fn run(session: &Session, command: &DatabaseCommand) -> anyhow::Result<ExitCode> {
    match command {
        DatabaseCommand::Show => show(session).await,
        DatabaseCommand::Release => release(session).await,
    }
}

async fn show(session: &Session) -> anyhow::Result<ExitCode> {
    let app = session.open().await?;
    let Some(epoch) = app.latest_epoch().await? else {
        session.print(&json!(null), || {
            "nothing was dispatched from this database yet".to_owned()
        });
        return Ok(ExitCode::SUCCESS);
    };
    let until = epoch
        .quarantine_until
        .map(balefire_domain::time::Timestamp::to_json_style);
    let waits = app.waits_for_release().await?;
    let shown = json!({ "epoch": epoch.id, "quarantine_until": until,
        "waits_for_release": waits });
    session.print(&shown, || {
        let state = match (&until, waits) {
            (_, true) if epoch.needs_release => {
                "a restored copy: it waits for `balefire database release`".to_owned()
            }
            (_, true) => "alerts that are not over were imported: it waits for `balefire database \
                          release`"
                .to_owned(),
            (Some(until), false) => format!("failed over; its quarantine ended or ends at {until}"),
            (None, false) => "in use".to_owned(),
        };
        format!("{}  {state}", epoch.id)
    });
    Ok(ExitCode::SUCCESS)
}

async fn release(session: &Session) -> anyhow::Result<ExitCode> {
    let email = match session.person() {
        Ok(email) => email,
        Err(code) => return Ok(code),
    };
    let app = session.open().await?;
    let user = find(&app, email).await?;
    match app.release_database(user.id).await {
        Ok(true) => {}
        Ok(false) => {
            return Ok(session.refuse("the database waits for nobody: nothing is to be released"));
        }
        Err(Failure::Store(error)) => return Err(error.into()),
        Err(Failure::Refused(NotAnAdministrator)) => {
            return Ok(session.refuse(&format!("{email} is no platform administrator")));
        }
    }
    session.print(&json!({ "released": true }), || {
        "released: what waits goes out now".to_owned()
    });
    Ok(ExitCode::SUCCESS)
}
