//! `item list|close`.

use std::process::ExitCode;

use balefire_app::Failure;
use balefire_app::duty_items::CloseRefusal;
use balefire_domain::ids::DutyItemId;
use balefire_domain::limits::DUTY_NOTE_CHARS_MAX;
use serde_json::{Value, json};

use super::{Session, find, render};
use crate::cli::ItemCommand;

pub(super) async fn run(session: &Session, command: ItemCommand) -> anyhow::Result<ExitCode> {
    match command {
        ItemCommand::List { all } => list(session, all).await,
        ItemCommand::Close { id, note } => close(session, id, note.as_deref()).await,
    }
}

async fn list(session: &Session, all: bool) -> anyhow::Result<ExitCode> {
    let app = session.open().await?;
    let items = app.list_all_duty_items(all).await?;
    let shown: Vec<Value> = items.iter().map(render::duty_item).collect();
    session.print(&json!(shown), || {
        if items.is_empty() {
            return "nothing waits for a person".to_owned();
        }
        let lines: Vec<String> = items.iter().map(render::duty_item_lines).collect();
        lines.join("\n")
    });
    Ok(ExitCode::SUCCESS)
}

async fn close(session: &Session, id: DutyItemId, note: Option<&str>) -> anyhow::Result<ExitCode> {
    let email = match session.person() {
        Ok(email) => email,
        Err(code) => return Ok(code),
    };
    let app = session.open().await?;
    let user = find(&app, email).await?;
    match app.close_duty_item(id, user.id, note).await {
        Ok(item) => {
            session.print(&render::duty_item(&item), || render::duty_item_lines(&item));
            Ok(ExitCode::SUCCESS)
        }
        Err(Failure::Store(error)) => Err(error.into()),
        Err(Failure::Refused(refusal)) => Ok(session.refuse(&words(&refusal, id, email))),
    }
}

fn words(refusal: &CloseRefusal, id: DutyItemId, email: &str) -> String {
    match refusal {
        CloseRefusal::NotFound => {
            format!("there is no duty item {id}: see `balefire item list --all`")
        }
        CloseRefusal::AlreadyClosed(item) => match (item.closed_at, &item.closed_by) {
            (Some(at), Some(by)) => format!("duty item {id} was closed on {at} by {by}"),
            _ => format!("duty item {id} was closed before"),
        },
        CloseRefusal::NotAMember => format!(
            "{email} may not close this: it takes a member of the alert's service or a platform \
             administrator"
        ),
        CloseRefusal::NotAnAdministrator => {
            format!("{email} may not close this: it takes a platform administrator")
        }
        CloseRefusal::NoteTooLong => {
            format!("the note is longer than {DUTY_NOTE_CHARS_MAX} characters")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use balefire_domain::lane::DutyKind;

    const RUNBOOK: &str = include_str!("../../../../docs/runbook.md");
    /// What the section of every kind tells.
    const PARTS: [&str; 4] = ["**Means.**", "**Look at.**", "**Do.**", "**Close.**"];

    #[test]
    fn the_runbook_has_a_whole_section_for_every_kind_and_for_nothing_else() {
        let mut told = BTreeSet::new();
        for section in RUNBOOK.split("\n## ").skip(1) {
            let (heading, text) = section.split_once('\n').expect("a heading and a text");
            // Sections about other things have headings of several words.
            let Some(kind) = heading
                .strip_prefix('`')
                .and_then(|rest| rest.strip_suffix('`'))
            else {
                continue;
            };
            assert!(told.insert(kind), "{kind} has two sections");
            let mut rest = text;
            for part in PARTS {
                let Some((_, after)) = rest.split_once(part) else {
                    panic!("the section of {kind} lacks {part}, in this order: {PARTS:?}");
                };
                rest = after;
            }
        }
        let kinds: BTreeSet<&str> = DutyKind::ALL.map(DutyKind::as_str).into_iter().collect();
        assert_eq!(told, kinds, "docs/runbook.md against DutyKind::ALL");
    }
}
