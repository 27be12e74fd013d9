//! Which network gets what otherwise, as the one who decides must see it below the networks.

use balefire_app::differences::Difference;
use balefire_domain::provider::ProviderName;
use serde_json::{Value, json};

/// For each network what differs there.
pub(super) type Differences = [(ProviderName, Difference)];

/// A line for each, or nothing.
pub(super) fn difference_lines(differences: &Differences) -> String {
    let lines = differences.iter();
    let lines = lines.map(|(network, what)| format!("\n          {network} {what}"));
    lines.collect()
}

pub(super) fn differences_json(differences: &Differences) -> Value {
    let networks = differences.iter();
    let networks =
        networks.map(|(network, what)| json!({ "network": network, "what": what.to_string() }));
    networks.collect()
}
