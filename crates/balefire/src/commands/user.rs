//! `user create`.

use std::io::{BufRead as _, Read as _};
use std::process::ExitCode;

use anyhow::Context as _;
use balefire_app::Failure;
use balefire_app::users::{NewSignIn, NewUser, UserRefusal};
use balefire_domain::password::PASSWORD_BYTES_MAX;
use balefire_domain::permission::{Permission, Permissions};
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
        permission,
        platform_admin,
        platform_admin_capable,
        mobile,
        password_stdin,
    } = command;
    let new = NewUser {
        name,
        email,
        is_platform_admin: platform_admin,
        services: service,
    };
    let password = if password_stdin {
        Some(read_password().context("the password can't be read from the standard input")?)
    } else {
        None
    };
    let mut permissions: Permissions = permission.into_iter().collect();
    if !permissions.is_empty() {
        permissions.insert(Permission::ViewActivity);
    }
    let sign_in = NewSignIn {
        mobile,
        password,
        permissions: (!permissions.is_empty()).then_some(permissions),
        is_admin_capable: platform_admin_capable,
    };
    let user = match app.create_user_with(actor, new, sign_in).await {
        Ok(user) => user,
        Err(Failure::Store(error)) => return Err(error.into()),
        Err(Failure::Refused(refusal)) => return Ok(session.refuse(&words(&refusal))),
    };
    let shown = json!({ "id": user.id, "name": user.name, "email": user.email,
        "platform_admin": user.is_platform_admin });
    session.print(&shown, || user.id.to_string());
    Ok(ExitCode::SUCCESS)
}

/// One line, without its end.
fn read_password() -> std::io::Result<String> {
    let mut line = String::new();
    let limit = u64::try_from(PASSWORD_BYTES_MAX).unwrap_or(u64::MAX) + 2;
    std::io::stdin().lock().take(limit).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn words(refusal: &UserRefusal) -> String {
    match refusal {
        UserRefusal::EmailMalformed => "--email is no e-mail address".to_owned(),
        UserRefusal::MobileMalformed => {
            "--mobile is no mobile number, such as +447700900123".to_owned()
        }
        UserRefusal::Password(refusal) => format!("the password is {refusal}: take another"),
        UserRefusal::EmailTaken => "somebody has this e-mail address already".to_owned(),
        UserRefusal::ServiceNotFound(id) => {
            format!("there is no service {id}: see `balefire service list`")
        }
    }
}
