//! `alert submit|list|show|approve|reject|cancel|watch` and `delivery list`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use balefire_app::move_alert::{Move, MoveRefusal};
use balefire_app::read_alerts::Setting;
use balefire_app::submit_cap::{Sender, SubmitRefusal};
use balefire_app::text_facts::TextFacts;
use balefire_app::{App, Failure};
use balefire_domain::alert::{ServiceState, Status};
use balefire_domain::approval::{ApprovalRefusal, Seen};
use balefire_domain::audit::Actor;
use balefire_domain::cap_cancel::Miss;
use balefire_domain::ids::{AlertId, ServiceId};
use balefire_domain::limits::ALERT_VERSIONS_MAX;
use balefire_domain::permission::{Deed, Denial};
use balefire_store::alerts::Alert;
use serde_json::{Value, json};

use super::population::Estimate;
use super::render_update::ProposalPage;
use super::{Session, alert_update, cap, find, render, text};
use crate::cli::AlertCommand;

/// How long an estimate of those reached may hold up an approver.
const ESTIMATE_TIME_MAX: Duration = Duration::from_secs(3);
/// How often a watched alert is looked at.
const WATCH_PERIOD: Duration = Duration::from_millis(250);

pub(super) async fn run(session: &Session, command: AlertCommand) -> anyhow::Result<ExitCode> {
    match command {
        AlertCommand::Submit { file, service } => submit(session, &file, service).await,
        AlertCommand::List { service } => list(session, service).await,
        AlertCommand::Show { id } => show(session, id).await,
        AlertCommand::Update {
            id,
            content,
            file,
            areas,
            dry_run,
        } => {
            let asked = alert_update::Asked {
                content,
                file,
                areas,
                is_dry_run: dry_run,
            };
            alert_update::update(session, id, asked).await
        }
        AlertCommand::Approve { id, version, hash } => {
            let seen = Seen { version, hash };
            move_to(session, id, Status::Broadcasting, None, seen).await
        }
        AlertCommand::Reject {
            id,
            version,
            reason,
        } => {
            let hash = None;
            move_to(
                session,
                id,
                Status::Rejected,
                reason,
                Seen { version, hash },
            )
            .await
        }
        AlertCommand::Cancel { id } => {
            move_to(session, id, Status::Cancelled, None, Seen::default()).await
        }
        AlertCommand::Watch { id } => watch(session, id).await,
    }
}

async fn submit(session: &Session, file: &Path, id: ServiceId) -> anyhow::Result<ExitCode> {
    let email = match session.person() {
        Ok(email) => email,
        Err(code) => return Ok(code),
    };
    let bytes = cap::read(file)?;
    let app = session.open().await?;
    let user = find(&app, email).await?;
    let Some(service) = app.load_service(id).await? else {
        return Ok(session.refuse(&format!("there is no service {id}")));
    };
    if app.check_deed(user.id, id, Deed::Cancel).await?.is_err() {
        return Ok(session.refuse(&format!("{email} does not belong to service {id}")));
    }
    let may_write = app.check_deed(user.id, id, Deed::Author).await?.is_ok();
    let is_for_cancel_only = service.state == ServiceState::Archived || !may_write;
    let actor = Actor::User(user.id);
    let sender = Sender {
        service,
        actor,
        is_test_key: false,
        is_for_cancel_only,
        wait: None,
    };
    match app.submit_cap(&sender, bytes).await {
        Ok(submitted) => {
            let alert = submitted.alert;
            let mut shown = render::alert(&alert, None);
            shown["proposed_version"] = json!(submitted.proposed);
            session.print(&shown, || match submitted.proposed {
                None => render::alert_line(&alert),
                Some(version) => format!(
                    "{}\nan update of it, version {version}, waits for approval: see `balefire \
                     alert show {}`",
                    render::alert_line(&alert),
                    alert.id
                ),
            });
            Ok(ExitCode::SUCCESS)
        }
        Err(Failure::Store(error)) => Err(error.into()),
        Err(Failure::Refused(refusal)) => Ok(session.refuse(&submit_words(&refusal))),
    }
}

async fn list(session: &Session, service: Option<ServiceId>) -> anyhow::Result<ExitCode> {
    let app = session.open().await?;
    let services = match service {
        Some(id) => vec![id],
        None => app
            .list_services()
            .await?
            .iter()
            .map(|service| service.id)
            .collect(),
    };
    let mut alerts = Vec::new();
    for id in services {
        let Some(own) = app.list_alerts(id).await? else {
            return Ok(session.refuse(&format!("there is no service {id}")));
        };
        alerts.extend(own);
    }
    let shown: Vec<Value> = alerts
        .iter()
        .map(|alert| render::alert(alert, None))
        .collect();
    session.print(&json!(shown), || {
        alerts
            .iter()
            .map(render::alert_line)
            .collect::<Vec<_>>()
            .join("\n")
    });
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn load(app: &App, id: AlertId) -> anyhow::Result<Alert> {
    let alert = app.find_alert(id).await?;
    alert.with_context(|| format!("there is no alert {id}: see `balefire alert list`"))
}

async fn show(session: &Session, id: AlertId) -> anyhow::Result<ExitCode> {
    let app = session.open().await?;
    let alert = load(&app, id).await?;
    let service = app
        .load_service(alert.service_id)
        .await?
        .context("its service is gone")?;
    let Setting { hash, networks, .. } = app.load_setting(&alert, &service).await?;
    let differences = if alert.approved_at.is_none() {
        app.list_differences(&alert.areas, alert.second.as_ref(), &networks)
    } else {
        Vec::new()
    };
    let proposal = app.load_proposal(&alert, &service).await?;
    let then_differ = proposal.as_ref().map_or_else(Vec::new, |proposal| {
        let update = &proposal.update;
        app.list_differences(&update.areas, update.second.as_ref(), &proposal.providers)
    });
    let now_reached = reached(&app, &alert.areas).await;
    let page = render::AlertPage {
        proposal: proposal.as_ref().map(|proposal| ProposalPage {
            alert: &alert,
            proposal,
            differences: &then_differ,
            is_dry_run: false,
        }),
        differences: &differences,
        alert: &alert,
        hash: &hash,
        service: &service,
        people: &app.load_people(&alert).await?,
        networks: &networks,
        items: &app.list_duty_items(id).await?,
        text_facts: &text_facts(&app, &alert).await?,
        reached: &now_reached,
    };
    let Some(proposal) = &proposal else {
        session.print(&page.json(), || page.text());
        return Ok(ExitCode::SUCCESS);
    };
    let then_reached = reached(&app, &proposal.update.areas).await;
    let mut shown = page.json();
    shown["proposed_update"]["phones"] = then_reached.json();
    session.print(&shown, || {
        let lines = then_reached.lines();
        format!("{}\n\nphones of the update\n          {lines}", page.text())
    });
    Ok(ExitCode::SUCCESS)
}

/// How many phones an alert reaches. An estimate that fails must not keep anybody from seeing or
/// approving the alert: it is logged, and the page says that it failed.
async fn reached(app: &App, areas: &Value) -> Estimate {
    let Some(shape) = balefire_app::stored_areas_shape(areas) else {
        return Estimate::Failed("its areas can't be read");
    };
    match tokio::time::timeout(ESTIMATE_TIME_MAX, app.people_reached(shape)).await {
        Ok(Ok(reached)) => reached.into(),
        Ok(Err(error)) => {
            tracing::warn!(event = "population.not_read", %error, "no estimate is shown");
            Estimate::Failed("the figures can't be read")
        }
        Err(_) => {
            tracing::warn!(event = "population.not_read", "the estimate took too long");
            Estimate::Failed("the estimate took too long")
        }
    }
}

async fn move_to(
    session: &Session,
    id: AlertId,
    to: Status,
    rejection_reason: Option<String>,
    seen: Seen,
) -> anyhow::Result<ExitCode> {
    let email = match session.person() {
        Ok(email) => email,
        Err(code) => return Ok(code),
    };
    let app = session.open().await?;
    let user = find(&app, email).await?;
    let alert = load(&app, id).await?;
    let found = match to {
        Status::Broadcasting => Some(text_facts(&app, &alert).await?),
        _ => None,
    };
    // Whoever approves is told how many it wakes, before it does.
    let phones = if to == Status::Broadcasting {
        let reached = reached(&app, &areas_to_approve(&app, &alert).await?).await;
        if !session.json {
            say!("phones    {}", reached.lines());
        }
        Some(reached.json())
    } else {
        None
    };
    let asked = Move {
        to,
        by: user.id,
        reason: rejection_reason,
        seen,
        request: None,
    };
    match app
        .move_alert_by_command(alert.service_id, id, &asked)
        .await
    {
        Ok(alert) => {
            let mut shown = render::alert(&alert, None);
            let mut line = render::alert_line(&alert);
            if let Some(found) = found {
                shown["text_facts"] = text::text_facts_json(&found);
                line = format!("{line}\n{}", text::text_facts_words(&found));
            }
            if let Some(phones) = phones {
                shown["phones"] = phones;
            }
            session.print(&shown, || line);
            Ok(ExitCode::SUCCESS)
        }
        Err(Failure::Store(error)) => Err(error.into()),
        Err(Failure::Refused(refusal)) => Ok(session.refuse(&move_words(&refusal))),
    }
}

/// The areas that an approval would send to: those of the update that waits, else the alert's own.
async fn areas_to_approve(app: &App, alert: &Alert) -> anyhow::Result<Value> {
    let service = app.load_service(alert.service_id).await?;
    let service = service.context("its service is gone")?;
    let proposal = app.load_proposal(alert, &service).await?;
    Ok(proposal.map_or_else(|| alert.areas.clone(), |proposal| proposal.update.areas))
}

/// What the approver is told of the texts of an alert, and of the update that waits.
async fn text_facts(app: &App, alert: &Alert) -> anyhow::Result<TextFacts> {
    let service = app.load_service(alert.service_id).await?;
    let service = service.context("its service is gone")?;
    let proposal = app.load_proposal(alert, &service).await?;
    let update = proposal.as_ref().map(|proposal| &proposal.update);
    Ok(app.text_facts(alert, &service, update).await?)
}

/// Prints every change until all deliveries have ended. An alert that waits for approval is
/// waited for.
async fn watch(session: &Session, id: AlertId) -> anyhow::Result<ExitCode> {
    let app = session.open().await?;
    load(&app, id).await?;
    let mut known = BTreeMap::new();
    loop {
        let alert = load(&app, id).await?;
        let histories = app.list_deliveries(id).await?;
        for history in &histories {
            let line = render::delivery_line(history);
            if known.insert(history.delivery.id, line.clone()).as_ref() != Some(&line) {
                session.print(&render::delivery(history), || line);
            }
        }
        let is_approved = alert.approved_at.is_some();
        let is_settled = histories
            .iter()
            .all(|history| history.delivery.state.is_terminal());
        if (is_approved && is_settled) || alert.status == Status::Rejected {
            if histories.is_empty() {
                session.print(&json!({ "deliveries": 0 }), || {
                    "nothing was sent".to_owned()
                });
            }
            return Ok(ExitCode::SUCCESS);
        }
        tokio::time::sleep(WATCH_PERIOD).await;
    }
}

fn submit_words(refusal: &SubmitRefusal) -> String {
    match refusal {
        SubmitRefusal::NotCap(findings) | SubmitRefusal::Rules(findings) => {
            let errors = findings.iter().filter(|finding| finding.is_error());
            errors
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n  ")
        }
        SubmitRefusal::Kind(finding) => finding.to_string(),
        SubmitRefusal::Signature(refusal) => {
            format!("the service takes signed documents only; of this one: {refusal}")
        }
        SubmitRefusal::Suspended => "the service is suspended: it may only cancel".to_owned(),
        SubmitRefusal::TooOften(_) => "too often: try again in a minute".to_owned(),
        SubmitRefusal::KeyRevoked => {
            "only a Cancel is taken: the service is archived, or the person may not write its \
             alerts (create_broadcasts)"
                .to_owned()
        }
        SubmitRefusal::IdentifierTooLong => "alert/identifier is too long".to_owned(),
        SubmitRefusal::Text(refusal) => refusal.message("description"),
        SubmitRefusal::SecondText { language, refusal } => {
            refusal.message(&format!("description in {language}"))
        }
        SubmitRefusal::NotJoined(why) => {
            format!("the circles and polygons can't be joined: {why}")
        }
        SubmitRefusal::Shape(refusal) => refusal.to_string(),
        SubmitRefusal::OtherContent(first) => {
            format!("a document of this identity with other content made alert {first}")
        }
        SubmitRefusal::Cancel(Miss::NotFound) | SubmitRefusal::Update(Miss::NotFound) => {
            "no alert fits the references".to_owned()
        }
        SubmitRefusal::Cancel(Miss::Ambiguous) | SubmitRefusal::Update(Miss::Ambiguous) => {
            "several alerts fit the references".to_owned()
        }
        SubmitRefusal::Cancel(Miss::LiveWithTestKey) => {
            "a test key can't cancel a live alert".to_owned()
        }
        SubmitRefusal::Update(Miss::LiveWithTestKey) => {
            "what comes by a test key or in training can't change a real alert".to_owned()
        }
        SubmitRefusal::TooManyVersions => format!(
            "the alert was changed {ALERT_VERSIONS_MAX} times, which is the most: cancel it and \
             send a new one"
        ),
    }
}

fn move_words(refusal: &MoveRefusal) -> String {
    match refusal {
        MoveRefusal::NotFound => "there is no such alert".to_owned(),
        MoveRefusal::ServiceInactive => "the service is suspended or archived".to_owned(),
        MoveRefusal::UserNotFound => "there is no such person".to_owned(),
        MoveRefusal::Denied(Denial::NotAMember) => {
            "this person does not belong to the service".to_owned()
        }
        MoveRefusal::Denied(denial) => format!("this person may not do that: {denial}"),
        MoveRefusal::IllegalMove { from, to } => {
            format!(
                "an alert can't move from {} to {}",
                from.as_str(),
                to.as_str()
            )
        }
        MoveRefusal::NoAreas => "the alert has no areas".to_owned(),
        MoveRefusal::Text(refusal) => refusal.to_string(),
        MoveRefusal::Unfit { provider, unfit } => format!(
            "the network {provider} can't take it: {unfit}. Make the area simpler, or smaller"
        ),
        MoveRefusal::Approval(refusal) => approval_words(*refusal).to_owned(),
        MoveRefusal::ClockInDoubt => "the clock is in doubt: set it right first".to_owned(),
    }
}

fn approval_words(refusal: ApprovalRefusal) -> &'static str {
    match refusal {
        ApprovalRefusal::Stale => {
            "the alert changed since you looked: see `balefire alert show`, then approve that \
             version and hash"
        }
        ApprovalRefusal::VersionUnnamed => {
            "the alert is on the air, and an update of it waits: read it with `balefire alert \
             show`, and name its version and hash"
        }
        ApprovalRefusal::OwnAlert => {
            "a second person must approve: this one made or changed the alert, or its update"
        }
        ApprovalRefusal::OwnSubmission => {
            "a second person must approve: this one submitted the alert"
        }
        ApprovalRefusal::NoAreas => "the alert has no areas: it would go to nobody",
        ApprovalRefusal::ServiceInTraining => {
            "the alert is real and the service is in training mode"
        }
        ApprovalRefusal::NoProviders => "no enabled provider is left for this service",
        ApprovalRefusal::StartNotNow => "starts_at is more than 5 minutes away from now",
        ApprovalRefusal::EndPassed => "finishes_at has passed",
        ApprovalRefusal::TooLong => "the alert would last longer than its channel allows",
    }
}
