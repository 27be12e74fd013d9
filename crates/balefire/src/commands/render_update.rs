//! A proposed update as the one who decides must see it: what it says, and how that differs from
//! what is on the air.

use balefire_app::propose_update::ProposalView;
use balefire_domain::provider::ProviderName;
use balefire_store::alerts::Alert;
use serde_json::{Value, json};

use super::render_differences::{Differences, difference_lines, differences_json};
use super::render_second::second_lines_after;

/// A proposal beside its alert.
pub(super) struct ProposalPage<'a> {
    /// The alert as it is on the air.
    pub(super) alert: &'a Alert,
    pub(super) proposal: &'a ProposalView,
    /// What its networks would get otherwise.
    pub(super) differences: &'a Differences,
    /// It was not stored.
    pub(super) is_dry_run: bool,
}

impl ProposalPage<'_> {
    pub(super) fn json(&self) -> Value {
        let (proposal, update) = (self.proposal, &self.proposal.update);
        json!({
            "alert_id": update.alert_id, "version": update.version, "hash": proposal.hash,
            "state": update.state.as_str(), "text": update.text, "areas": update.areas,
            "cap_event": update.cap_event, "second": update.second,
            "created_at": update.created_at.to_json_style(),
            "author": proposal.author.as_ref().map(|user| &user.email),
            "author_key": proposal.author_key, "networks": proposal.providers,
            "network_differences": differences_json(self.differences),
            "differs_in": self.differs_in(), "dry_run": self.is_dry_run,
        })
    }

    /// What the update would change.
    fn differs_in(&self) -> Vec<&'static str> {
        let (alert, update) = (self.alert, &self.proposal.update);
        let event = update.cap_event.is_some() && update.cap_event != alert.cap_event;
        [
            ("text", update.text != alert.text),
            ("second", update.second != alert.second),
            ("areas", update.areas != alert.areas),
            ("cap_event", event),
            ("extra_content", update.extra_content != alert.extra_content),
        ]
        .into_iter()
        .filter_map(|(what, differs)| differs.then_some(what))
        .collect()
    }

    pub(super) fn text(&self) -> String {
        let (alert, proposal) = (self.alert, self.proposal);
        let update = &proposal.update;
        let author = match (&proposal.author, &proposal.author_key) {
            (Some(user), _) => format!("{} <{}>", user.name, user.email),
            (None, Some(key)) => format!("the key \"{key}\""),
            (None, None) => "-".to_owned(),
        };
        let networks: Vec<_> = proposal
            .providers
            .iter()
            .map(ProviderName::as_str)
            .collect();
        let changes = match self.differs_in().as_slice() {
            [] => "nothing".to_owned(),
            changes => changes.join(", "),
        };
        let heading = if self.is_dry_run {
            "would be proposed (dry run)"
        } else {
            "UPDATE PROPOSED"
        };
        let next = if self.is_dry_run {
            String::new()
        } else {
            format!(
                "\n\nto decide: balefire alert approve {id} --version {version} --hash {hash} \
                 --as EMAIL\n           balefire alert reject {id} --version {version} --as EMAIL",
                id = alert.id,
                version = update.version,
                hash = proposal.hash,
            )
        };
        format!(
            "{heading}\nversion   {} hash {}\nauthor    {author} at {}\nnetworks  {}{}\n\
             changes   {changes}\nareas     {}\n          {} on the air\n\n{}{}{next}",
            update.version,
            proposal.hash,
            update.created_at,
            networks.join(", "),
            difference_lines(self.differences),
            areas_line(&update.areas),
            areas_line(&alert.areas),
            text_lines(&alert.text, &update.text),
            second_lines_after(alert.second.as_ref(), update.second.as_ref()),
        )
    }
}

fn areas_line(areas: &Value) -> String {
    let names = areas.get("names").map(Value::to_string);
    let polygons = areas.get("simple_polygons").and_then(Value::as_array);
    let count = polygons.map_or(0, Vec::len);
    format!("{} ({count} polygons)", names.unwrap_or_default())
}

/// The text in full; beside it the one on the air, where that differs.
fn text_lines(was: &str, is: &str) -> String {
    if was == is {
        return is.to_owned();
    }
    let marked = |mark: char, text: &str| {
        let lines = text.lines().map(|line| format!("{mark} {line}"));
        lines.collect::<Vec<_>>().join("\n")
    };
    format!("{}\n{}", marked('-', was), marked('+', is))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_stays_is_told_once_and_one_that_changes_beside_the_other() {
        for (was, is, want) in [
            ("Stay in.", "Stay in.", "Stay in."),
            ("Stay in.", "Go.\nNow.", "- Stay in.\n+ Go.\n+ Now."),
        ] {
            assert_eq!(text_lines(was, is), want);
        }
    }
}
