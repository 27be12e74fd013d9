//! Which network gets what otherwise, as the one who decides must see it below the networks.

use balefire_app::differences::Difference;
use balefire_domain::provider::ProviderName;
use serde_json::{Value, json};

/// For each network what differs there.
pub(super) type Differences = [(ProviderName, Difference)];

/// A line for each, or nothing.
pub(super) fn difference_lines(differences: &Differences) -> String {
    let line =
        |(network, what): &(ProviderName, Difference)| format!("\n          {network} {what}");
    differences.iter().map(line).collect()
}

pub(super) fn differences_json(differences: &Differences) -> Value {
    let one = |(network, what): &(ProviderName, Difference)| json!({ "network": network, "what": what.to_string() });
    differences.iter().map(one).collect()
}
