//! `cap write`: what each provider was sent for an alert, or would be.

use std::process::ExitCode;

use anyhow::Context as _;
use balefire_app::write_alert::Written;
use balefire_domain::ids::AlertId;
use balefire_domain::provider::ProviderName;
use serde_json::{Value, json};

use super::{Session, alert};

pub(super) async fn run(
    session: &Session,
    id: AlertId,
    provider: Option<&ProviderName>,
) -> anyhow::Result<ExitCode> {
    let app = session.open().await?;
    let alert = alert::load(&app, id).await?;
    let service = app.load_service(alert.service_id).await?;
    let service = service.context("its service is gone")?;
    let mut written = app.write_alert(&alert, &service).await?;
    if let Some(name) = provider {
        written.retain(|one| one.provider == *name);
        if written.is_empty() {
            return Ok(session.refuse(&format!("nothing of this alert goes to {name}")));
        }
    }
    let shown: Vec<Value> = written.iter().map(shown).collect();
    session.print(&json!(shown), || {
        if written.is_empty() {
            return "no provider was told of this alert, and none would be".to_owned();
        }
        let all: Vec<String> = written.iter().map(lines).collect();
        all.join("\n\n")
    });
    Ok(ExitCode::SUCCESS)
}

fn shown(written: &Written) -> Value {
    let payload: Value = serde_json::from_str(&written.payload).unwrap_or(Value::Null);
    let delivery = written.delivery.as_ref();
    json!({
        "provider": written.provider.as_str(),
        "delivery": delivery.map(|d| d.id.to_string()),
        "seq": delivery.map(|d| d.seq),
        "kind": delivery.map_or("alert", |d| d.kind.as_str()),
        "sent": delivery.is_some_and(|d| d.is_sent),
        "payload": payload,
        "document": written.document.as_ref().ok(),
        "no_document": written.document.as_ref().err(),
    })
}

fn lines(written: &Written) -> String {
    let provider = &written.provider;
    let head = match &written.delivery {
        None => format!("{provider}: would be sent if it were approved now"),
        Some(d) => {
            let (kind, id, seq) = (d.kind.as_str(), d.id, d.seq);
            let tense = if d.is_sent {
                "was sent"
            } else {
                "was not sent yet"
            };
            format!("{provider}: {kind} {id} (seq {seq}) {tense}")
        }
    };
    let document = match &written.document {
        Ok(document) => document.clone(),
        Err(why) => format!("no document: {why}"),
    };
    format!("{head}\n{}\n{document}", written.payload)
}
