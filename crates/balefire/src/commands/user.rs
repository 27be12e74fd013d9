//! `user create`.

use std::process::ExitCode;

use balefire_app::Failure;
use balefire_app::users::{NewUser, UserRefusal};
use serde_json::json;

use super::Session;
use crate::cli::UserCommand;

pub(super) async fn run(session: &Session, command: UserCommand) -> anyhow::Result<ExitCode> {
    let app = session.open().await?;
    let actor = session.operator(&app).await?;
    let UserCommand::Create {
        name,
        email,
        service,
        platform_admin,
    } = command;
    let new = NewUser {
        name,
        email,
        is_platform_admin: platform_admin,
        services: service,
    };
    let user = match app.create_user(actor, new).await {
        Ok(user) => user,
        Err(Failure::Store(error)) => return Err(error.into()),
        Err(Failure::Refused(refusal)) => return Ok(session.refuse(&words(&refusal))),
    };
    let shown = json!({ "id": user.id, "name": user.name, "email": user.email,
        "platform_admin": user.is_platform_admin });
    session.print(&shown, || user.id.to_string());
    Ok(ExitCode::SUCCESS)
}

fn words(refusal: &UserRefusal) -> String {
    match refusal {
        UserRefusal::EmailMalformed => "--email is no e-mail address".to_owned(),
        UserRefusal::EmailTaken => "somebody has this e-mail address already".to_owned(),
        UserRefusal::ServiceNotFound(id) => {
            format!("there is no service {id}: see `balefire service list`")
        }
    }
}
