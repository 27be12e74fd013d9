//! `alert update` and `alert reject`: a change of an alert, and a no to it or to the alert itself.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use balefire_app::App;
use balefire_app::Failure;
use balefire_app::propose_update::UpdateChange;
use balefire_app::update_alert::{AlertChange, UpdateRefusal};
use balefire_domain::alert::Status;
use balefire_domain::ids::{AlertId, UserId};
use balefire_domain::limits::ALERT_VERSIONS_MAX;
use balefire_domain::permission::Denial;
use balefire_store::alerts::Alert;
use serde_json::{Value, json};

use super::alert::load;
use super::render_second::second_lines_after;
use super::{Session, cap, find, render, render_update};

/// What `alert update` was given.
pub(super) struct Asked {
    pub(super) content: Option<String>,
    pub(super) file: Option<PathBuf>,
    pub(super) areas: Option<PathBuf>,
    pub(super) is_dry_run: bool,
}

pub(super) async fn update(
    session: &Session,
    id: AlertId,
    asked: Asked,
) -> anyhow::Result<ExitCode> {
    let email = match session.person() {
        Ok(email) => email,
        Err(code) => return Ok(code),
    };
    let content = match (asked.content, &asked.file) {
        (None, Some(file)) => Some(read_text(file)?),
        (content, _) => content,
    };
    let areas = asked.areas.as_deref().map(read_areas).transpose()?;
    if content.is_none() && areas.is_none() {
        return Ok(session.refuse("nothing to change: give --content or --file, or --areas"));
    }
    let app = session.open().await?;
    let by = find(&app, email).await?.id;
    let alert = load(&app, id).await?;
    let is_dry_run = asked.is_dry_run;
    if alert.status.is_editable() {
        return edit(session, &app, &alert, by, content, areas, is_dry_run).await;
    }
    let change = UpdateChange { content, areas, by };
    match app
        .propose_update(alert.service_id, id, &change, is_dry_run)
        .await
    {
        Ok(proposal) => {
            let update = &proposal.update;
            let (areas, second) = (&update.areas, update.second.as_ref());
            let differences = app.list_differences(areas, second, &proposal.providers);
            let page = render_update::ProposalPage {
                alert: &alert,
                proposal: &proposal,
                differences: &differences,
                is_dry_run,
            };
            session.print(&page.json(), || page.text());
            Ok(ExitCode::SUCCESS)
        }
        Err(Failure::Store(error)) => Err(error.into()),
        Err(Failure::Refused(refusal)) => Ok(session.refuse(&update_words(&refusal))),
    }
}

/// What nobody has approved yet is edited in place.
async fn edit(
    session: &Session,
    app: &App,
    known: &Alert,
    by: UserId,
    content: Option<String>,
    mut areas: Option<Value>,
    is_dry_run: bool,
) -> anyhow::Result<ExitCode> {
    if let Some(areas) = &mut areas {
        areas["ids"] = json!([]);
    }
    let change = AlertChange {
        content,
        areas,
        created_by: Some(by),
        is_dry_run,
        ..AlertChange::default()
    };
    match app.update_alert(known.service_id, known.id, &change).await {
        Ok(alert) => {
            session.print(&render::alert(&alert, None), || {
                let would = if is_dry_run { "would be" } else { "is" };
                let line = render::alert_line(&alert);
                let second = second_lines_after(known.second.as_ref(), alert.second.as_ref());
                format!(
                    "{line}\nversion {} {would} what waits for approval{second}",
                    alert.version
                )
            });
            Ok(ExitCode::SUCCESS)
        }
        Err(Failure::Store(error)) => Err(error.into()),
        Err(Failure::Refused(refusal)) => Ok(session.refuse(&update_words(&refusal))),
    }
}

fn read_text(file: &Path) -> anyhow::Result<String> {
    let text = String::from_utf8(cap::read(file)?)
        .with_context(|| format!("{} is no UTF-8 text", file.display()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// The areas of a GeoJSON file; what of it is not in them is said.
fn read_areas(file: &Path) -> anyhow::Result<Value> {
    let (areas, remarks) = balefire_app::read_geojson(&cap::read(file)?)
        .map_err(|why| anyhow::anyhow!("{}: {why}", file.display()))?;
    for remark in remarks {
        eprintln!("balefire: {}: {remark}", file.display());
    }
    Ok(areas)
}

fn update_words(refusal: &UpdateRefusal) -> String {
    match refusal {
        UpdateRefusal::NotFound => "there is no such alert".to_owned(),
        UpdateRefusal::ServiceInactive => "the service is suspended or archived".to_owned(),
        UpdateRefusal::UserNotFound | UpdateRefusal::EditorMissing => {
            "there is no such person".to_owned()
        }
        UpdateRefusal::Denied(_, Denial::NotAMember) => {
            "this person does not belong to the service".to_owned()
        }
        UpdateRefusal::Denied(_, denial) => format!("this person may not do that: {denial}"),
        UpdateRefusal::NotEditable(Status::Broadcasting) => {
            "the alert's time is over: make a new one".to_owned()
        }
        UpdateRefusal::NotEditable(status) => format!(
            "the alert is {}: only one that waits or is on the air can be changed",
            status.as_str()
        ),
        UpdateRefusal::HalfAreas => "the areas are not whole".to_owned(),
        UpdateRefusal::Text(refusal) => refusal.message("the text"),
        UpdateRefusal::Areas(balefire_app::AreasRefusal::Form(what)) => what.clone(),
        UpdateRefusal::Areas(balefire_app::AreasRefusal::Shape(refusal)) => {
            format!("areas: {refusal}")
        }
        UpdateRefusal::NothingChanges => {
            "the alert says exactly this already: nothing would change".to_owned()
        }
        UpdateRefusal::TooManyVersions => format!(
            "the alert was changed {ALERT_VERSIONS_MAX} times, which is the most: cancel it and \
             make a new one"
        ),
    }
}
