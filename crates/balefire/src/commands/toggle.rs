//! `toggle list|set`.

use std::process::ExitCode;

use balefire_app::FeatureToggle;
use serde_json::{Value, json};

use super::Session;
use crate::cli::ToggleCommand;

pub(super) async fn run(session: &Session, command: ToggleCommand) -> anyhow::Result<ExitCode> {
    let app = session.open().await?;
    match command {
        ToggleCommand::List => {
            let toggles = app.list_feature_toggles().await?;
            let list: Vec<Value> = toggles.iter().map(shown).collect();
            session.print(&json!(list), || plain(&toggles));
        }
        ToggleCommand::Set {
            name,
            is_enabled,
            html,
        } => {
            let actor = session.operator(&app).await?;
            let set = app
                .set_feature_toggle(actor, &name, is_enabled, html.as_deref())
                .await?;
            session.print(&shown(&set), || plain(std::slice::from_ref(&set)));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(toggle: &FeatureToggle) -> Value {
    json!({
        "name": toggle.name, "is_enabled": toggle.is_enabled,
        "display_html": toggle.display_html,
    })
}

fn plain(toggles: &[FeatureToggle]) -> String {
    if toggles.is_empty() {
        return "there are no switches: `balefire toggle set NAME on` makes one".to_owned();
    }
    let line = |one: &FeatureToggle| {
        let state = if one.is_enabled { "on" } else { "off" };
        let html = one.display_html.as_deref().unwrap_or_default();
        format!("{state:<3}  {}  {html}", one.name)
            .trim_end()
            .to_owned()
    };
    toggles.iter().map(line).collect::<Vec<_>>().join("\n")
}
