//! One file per group of commands. Each opens the database itself and goes through the same `app`
//! verbs as the API (D50).

mod alert;
mod alert_update;
mod areas;
mod audit;
mod cap;
mod cap_sign;
mod cap_write;
mod configuration;
mod database;
mod delivery;
mod demo;
mod demo_output;
mod earlier;
mod history;
mod import;
mod item;
mod key;
mod notification;
mod population;
mod provider;
mod provider_log;
mod provider_sim;
mod render;
mod render_differences;
mod render_second;
mod render_update;
mod serve;
mod service;
mod service_trust;
mod text;
mod toggle;
mod user;

use std::process::ExitCode;

use anyhow::Context;
use balefire_app::{App, Origin};
use balefire_domain::audit::Actor;
use balefire_store::users::User;

use crate::cli::{AreasCommand, CapCommand, Cli, Command};
use crate::config::Config;
use crate::telemetry::Speaker;
use crate::traces::Traces;
use crate::{FAILED, config, runtime, telemetry};

/// Exit code of wrong usage.
const WRONG_USAGE: u8 = 2;

/// What every command is given.
pub(crate) struct Session {
    pub(crate) config: Config,
    pub(crate) json: bool,
    pub(crate) person: Option<String>,
}

pub(crate) async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let Cli {
        config: file,
        json,
        person,
        command,
    } = cli;
    // These need no configuration.
    match &command {
        Command::Cap(CapCommand::Write { .. }) => {}
        Command::Cap(command) => return cap::run(command, json),
        Command::Areas(AreasCommand::Simplify { file, holes }) => {
            return areas::simplify::run(file, *holes, json);
        }
        Command::Text(command) => return text::run(command, json),
        Command::ProviderSim(sim) => return provider_sim::run(sim).await,
        Command::Demo { once } => return demo::run(*once).await,
        Command::Serve { .. }
        | Command::Migrate
        | Command::CheckConfig
        | Command::Service(_)
        | Command::Toggle(_)
        | Command::User(_)
        | Command::Key(_)
        | Command::Alert(_)
        | Command::Delivery(_)
        | Command::Provider(_)
        | Command::Item(_)
        | Command::Notification(_)
        | Command::History(_)
        | Command::Audit(_)
        | Command::Areas(_)
        | Command::Population(_)
        | Command::Database(_)
        | Command::Import(_) => {}
    }
    let config = config::load(file.as_deref())?;
    let traces = Traces::start(&config);
    let speaker = match &command {
        Command::Serve { .. } => Speaker::Service,
        _ => Speaker::Command,
    };
    let _log = telemetry::to_stderr(speaker, &traces);
    let context = Session {
        config,
        json,
        person,
    };
    let ended = match command {
        Command::Serve { roles } => serve::run(context.config, &roles).await,
        command => {
            let origin = Origin::of_command();
            origin.cover(Box::pin(act(&context, command))).await
        }
    };
    traces.end().await;
    ended
}

/// Runs a command other than those that need no configuration.
async fn act(context: &Session, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::CheckConfig => configuration::check(context),
        Command::Migrate => configuration::migrate(context).await,
        Command::Service(command) => service::run(context, command).await,
        Command::Toggle(command) => toggle::run(context, command).await,
        Command::User(command) => user::run(context, command).await,
        Command::Key(command) => key::run(context, command).await,
        Command::Alert(command) => alert::run(context, command).await,
        Command::Delivery(command) => delivery::run(context, &command).await,
        Command::Provider(command) => provider::run(context, command).await,
        Command::Item(command) => item::run(context, command).await,
        Command::Notification(command) => notification::run(context, command).await,
        Command::History(command) => history::run(context, &command).await,
        Command::Audit(command) => audit::run(context, &command).await,
        Command::Areas(command) => areas::run(context, command).await,
        Command::Population(command) => population::run(context, command).await,
        Command::Database(command) => database::run(context, &command).await,
        Command::Import(asked) => earlier::run(context, &asked).await,
        Command::Cap(CapCommand::Write { alert, provider }) => {
            cap_write::run(context, alert, provider.as_ref()).await
        }
        Command::Serve { .. }
        | Command::Cap(_)
        | Command::Text(_)
        | Command::ProviderSim(_)
        | Command::Demo { .. } => {
            unreachable!("done above")
        }
    }
}

impl Session {
    /// Opens the database for a command.
    async fn open(&self) -> anyhow::Result<App> {
        // A command freezes what its configuration says into what it approves: it must be sound.
        let config = runtime::checked(self.config.clone())?;
        runtime::open_app(&config).await
    }

    /// Opens the database for a command that neither reads nor freezes what the configuration says.
    async fn open_unchecked(&self) -> anyhow::Result<App> {
        runtime::open_app(&self.config).await
    }

    /// The machine's operator, or the person that is named (D50).
    async fn operator(&self, app: &App) -> anyhow::Result<Actor> {
        match &self.person {
            None => Ok(Actor::CommandLine),
            Some(email) => Ok(Actor::User(find(app, email).await?.id)),
        }
    }

    /// The person that an act must name (D50).
    fn person(&self) -> Result<&str, ExitCode> {
        self.person.as_deref().ok_or_else(|| {
            eprintln!("balefire: who does this? Name the person: --as EMAIL");
            ExitCode::from(WRONG_USAGE)
        })
    }

    /// Prints an object: as JSON, or in the words of `plain`.
    fn print(&self, object: &serde_json::Value, plain: impl FnOnce() -> String) {
        if self.json {
            say!("{object}");
        } else {
            say!("{}", plain());
        }
    }

    /// Says why something was refused.
    fn refuse(&self, why: &str) -> ExitCode {
        if self.json {
            say!("{}", serde_json::json!({ "error": why }));
        }
        eprintln!("balefire: {why}");
        ExitCode::from(FAILED)
    }
}

/// The person with this address.
async fn find(app: &App, email: &str) -> anyhow::Result<User> {
    let user = app.find_user(email).await?;
    user.with_context(|| format!("nobody has the address {email}: see `balefire user create`"))
}
