//! `delivery list|replay`.

use std::process::ExitCode;

use balefire_app::Failure;
use balefire_app::replay_delivery::{ReplayRefusal, Replayed};
use balefire_domain::ids::{AlertId, DeliveryId};
use balefire_domain::lane::replay::Replay;
use balefire_domain::lane::{HoldReason, State};
use serde_json::{Value, json};

use super::{Session, alert, find, render};
use crate::cli::DeliveryCommand;

pub(super) async fn run(session: &Session, command: &DeliveryCommand) -> anyhow::Result<ExitCode> {
    match command {
        DeliveryCommand::List { alert } => list(session, *alert).await,
        DeliveryCommand::Replay { delivery, dry_run } => replay(session, *delivery, *dry_run).await,
    }
}

async fn list(session: &Session, id: AlertId) -> anyhow::Result<ExitCode> {
    let app = session.open().await?;
    alert::load(&app, id).await?;
    let histories = app.list_deliveries(id).await?;
    let shown: Vec<Value> = histories.iter().map(render::delivery).collect();
    session.print(&json!(shown), || {
        histories
            .iter()
            .map(render::delivery_lines)
            .collect::<Vec<_>>()
            .join("\n")
    });
    Ok(ExitCode::SUCCESS)
}

async fn replay(session: &Session, id: DeliveryId, is_dry: bool) -> anyhow::Result<ExitCode> {
    let email = match session.person() {
        Ok(email) => email,
        Err(code) => return Ok(code),
    };
    let app = session.open().await?;
    let user = find(&app, email).await?;
    match app.replay_delivery(id, user.id, is_dry).await {
        Ok(replayed) => Ok(tell(session, id, &replayed, is_dry)),
        Err(Failure::Store(error)) => Err(error.into()),
        Err(Failure::Refused(ReplayRefusal::NotFound)) => Ok(session.refuse(&format!(
            "there is no delivery {id}: see `balefire delivery list ALERT`"
        ))),
        Err(Failure::Refused(ReplayRefusal::NotAMember)) => Ok(session.refuse(&format!(
            "{email} neither belongs to the alert's service nor is a platform administrator"
        ))),
    }
}

/// Prints what came of it; 1 when nothing is sent.
fn tell(session: &Session, id: DeliveryId, replayed: &Replayed, is_dry: bool) -> ExitCode {
    let (route, state) = match &replayed.verdict {
        Replay::Sends { route, .. } => (Some(route.as_str()), None),
        Replay::Waits(state) | Replay::Ended(state) => (None, Some(*state)),
        Replay::Unknown => (None, None),
    };
    let shown = json!({
        "id": id, "provider": replayed.key.provider, "dry_run": is_dry,
        "sends": route.is_some(), "route": route,
        "state": state.map(State::as_str), "why": why(&replayed.verdict),
    });
    session.print(&shown, || {
        let would = if is_dry { "would be " } else { "" };
        match route {
            Some(route) => format!(
                "{id} {would}sent now to {} over {route}",
                replayed.key.provider
            ),
            None => format!("{id} is not sent: {}", why(&replayed.verdict)),
        }
    });
    if route.is_some() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(crate::FAILED)
    }
}

/// Why it is sent or not, and what would change that.
fn why(verdict: &Replay) -> String {
    match verdict {
        Replay::Sends { .. } => "its wait for the next round is ended".to_owned(),
        Replay::Unknown => "its lane knows it no more".to_owned(),
        Replay::Waits(State::InFlight) => {
            "an attempt of it is under way; its answer decides what comes next".to_owned()
        }
        Replay::Waits(State::Held { reason, until }) => {
            let until = until.map(|at| format!(" until {}", at.to_json_style()));
            format!("it is held{}: {}", until.unwrap_or_default(), held(*reason))
        }
        Replay::Waits(state) => format!("it is {} and goes out by itself", state.as_str()),
        Replay::Ended(state) => match state {
            State::Acknowledged { at } => {
                format!("the provider accepted it on {}", at.to_json_style())
            }
            State::Superseded { at } => {
                format!("a later event took its place on {}", at.to_json_style())
            }
            State::Expired { at } => format!("its time was over on {}", at.to_json_style()),
            State::Moot { reason, at } => format!(
                "there was nothing left to cancel ({}) on {}",
                reason.as_str(),
                at.to_json_style()
            ),
            State::Ready | State::InFlight | State::Backoff { .. } | State::Held { .. } => {
                state.as_str().to_owned()
            }
        },
    }
}

fn held(reason: HoldReason) -> &'static str {
    match reason {
        HoldReason::Drain => "an earlier attempt may still arrive, and must not come after it",
        HoldReason::Replaces => "the cancel of the earlier text must end first",
        HoldReason::NoRoute => "the provider has no route to where it must go (see [[provider]])",
        HoldReason::ProxiesDisabled => "the proxies are switched off (cbc.enabled)",
        HoldReason::Paused => "the provider is paused (`balefire provider resume`)",
        HoldReason::Quarantine => "the database failed over; it goes on by itself",
        HoldReason::Restored => "the database is a copy (`balefire database release`)",
        HoldReason::Clock => "the clock is in doubt; it goes on when the clock is right",
    }
}
