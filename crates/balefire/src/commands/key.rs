//! `key create|revoke`.

use std::process::ExitCode;

use serde_json::json;

use super::Session;
use crate::cli::KeyCommand;

pub(super) async fn run(session: &Session, command: KeyCommand) -> anyhow::Result<ExitCode> {
    let app = session.open().await?;
    let actor = session.operator(&app).await?;
    match command {
        KeyCommand::Create {
            service,
            name,
            kind,
        } => {
            let Some(new) = app.create_key(actor, service, name, kind).await? else {
                let why = format!("there is no service {service}: see `balefire service list`");
                return Ok(session.refuse(&why));
            };
            let key = &new.key;
            let shown = json!({ "id": key.id, "name": key.name, "type": key.kind.as_str(),
                "service_id": service, "secret": new.secret });
            session.print(&shown, || {
                format!(
                    "{}\n{}-{service}-{}\nThe key is shown this once.",
                    key.id, key.name, new.secret
                )
            });
        }
        KeyCommand::Revoke { id } => {
            let Some(key) = app.revoke_key(actor, id).await? else {
                return Ok(session.refuse(&format!("there is no key {id}")));
            };
            let at = key
                .revoked_at
                .map(balefire_domain::time::Timestamp::to_json_style);
            let shown = json!({ "id": key.id, "revoked_at": at });
            session.print(&shown, || format!("{id} is revoked"));
        }
    }
    Ok(ExitCode::SUCCESS)
}
