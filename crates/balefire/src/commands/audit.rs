//! `audit verify` and `audit export`: the audit trail, judged by `domain::audit_chain`.

use std::fmt::Write as _;
use std::process::ExitCode;

use balefire_app::App;
use balefire_app::audit_chain::Look;
use balefire_domain::audit_chain::{AuditRow, ChainHash, Finding, Linked, Verdict};
use balefire_domain::time::Timestamp;
use serde_json::{Value, json};

use super::Session;
use crate::FAILED;
use crate::cli::{AuditCommand, ExportAudit};

const ADVICE: &str = "the audit trail was changed outside Balefire, or the database is damaged. \
    Change nothing, keep a copy of the database and of its backups, and read docs/runbook.md, \
    \"The audit trail was changed\"";

pub(super) async fn run(session: &Session, command: &AuditCommand) -> anyhow::Result<ExitCode> {
    let app = session.open_unchecked().await?;
    match command {
        AuditCommand::Verify { head } => verify(session, &app, *head).await,
        AuditCommand::Export(what) => export(&app, what).await,
    }
}

/// Links what is new. What can't be linked, for example by a role that may only read, is judged all
/// the same as far as it is linked.
async fn link(app: &App) {
    if let Err(error) = app.link_audit(Look::All).await {
        eprintln!("balefire: the newest entries could not be linked: {error}");
    }
}

async fn verify(
    session: &Session,
    app: &App,
    noted: Option<ChainHash>,
) -> anyhow::Result<ExitCode> {
    link(app).await;
    let verdict = app.verify_audit(noted).await?;
    let unlinked = app.count_unlinked_audit().await?;
    session.print(&to_json(&verdict, unlinked), || to_text(&verdict, unlinked));
    Ok(if verdict.is_sound() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

fn to_json(verdict: &Verdict, unlinked: u32) -> Value {
    let finding = |finding: &Finding| {
        json!({ "position": finding.position, "entry": finding.entry_id,
            "wrong": finding.wrong.as_str(), "what": finding.tell() })
    };
    let head = verdict.head.as_ref();
    json!({
        "ok": verdict.is_sound(), "linked": verdict.links, "unlinked": unlinked,
        "head": head.map(|(position, hash)| json!({ "position": position, "hash": hash })),
        "wrong": verdict.wrong,
        "findings": verdict.findings.iter().map(finding).collect::<Vec<_>>(),
        "noted_head_position": verdict.noted_head_at,
        "noted_head_found": verdict.has_noted_head.then_some(verdict.noted_head_at.is_some()),
        "advice": (!verdict.is_sound()).then_some(ADVICE),
    })
}

fn to_text(verdict: &Verdict, unlinked: u32) -> String {
    let mut text = format!("{} linked entries", verdict.links);
    if unlinked > 0 {
        let _ = write!(
            text,
            ", and {unlinked} not linked yet, which are not judged"
        );
    }
    for finding in &verdict.findings {
        let _ = write!(text, "\nWRONG at {}", finding.tell());
    }
    let named = u64::try_from(verdict.findings.len()).unwrap_or(u64::MAX);
    if verdict.wrong > named {
        let more = verdict.wrong - named;
        let _ = write!(text, "\nand at {more} further places");
    }
    match (verdict.has_noted_head, verdict.noted_head_at) {
        (true, Some(position)) => {
            let _ = write!(
                text,
                "\nthe head that was noted stands at position {position}"
            );
        }
        (true, None) => text.push_str(
            "\nWRONG: the head that was noted stands nowhere: the chain was cut off before it, or \
             made anew",
        ),
        (false, _) => {}
    }
    if let Some((position, hash)) = &verdict.head {
        let _ = write!(text, "\nhead: position {position}, {hash}");
    }
    if !verdict.is_sound() {
        let _ = write!(text, "\nwhat to do: {ADVICE}");
    } else if !verdict.has_noted_head {
        text.push_str(
            "\nok: nothing was changed, removed or exchanged up to the head. Whether the end was \
             cut off shows only a head noted elsewhere: keep this one for a later --head",
        );
    } else {
        text.push_str("\nok: nothing was changed, removed, exchanged or cut off");
    }
    text
}

async fn export(app: &App, what: &ExportAudit) -> anyhow::Result<ExitCode> {
    link(app).await;
    let service = what.service.map(|id| id.to_string());
    let is_asked = |row: &AuditRow| {
        let at = Timestamp::from_micros(row.at_us);
        (service.is_none() || row.service_id == service)
            && what.since.is_none_or(|since| at >= since)
            && what.until.is_none_or(|until| at < until)
    };
    let mut after = None;
    loop {
        let page = app.list_audit_links(after).await?;
        let Some(last) = page.last() else {
            return Ok(ExitCode::SUCCESS);
        };
        after = Some(last.position);
        for Linked {
            position,
            hash,
            row,
            ..
        } in &page
        {
            let Some(row) = row.as_ref().filter(|row| is_asked(row)) else {
                continue;
            };
            let at = Timestamp::from_micros(row.at_us).to_json_style();
            let (at, hash) = (json!(at), json!(hash));
            let entry = row.canonical_text();
            say!("{{\"position\":{position},\"hash\":{hash},\"at\":{at},\"entry\":{entry}}}");
        }
    }
}
