//! What became of a world: everything has ended, the product's own judge finds nothing, and what
//! clients were told is so.

use std::time::Duration;

use balefire_domain::alert::Status;
use balefire_domain::ids::AlertId;
use balefire_domain::lane::{Kind, State};
use balefire_domain::time::Timestamp;
use balefire_store::deliveries::DeliveryHistory;
use serde_json::Value;

use crate::client::Told;
use crate::support::history;
use crate::support::sandbox::PROVIDERS;
use crate::world::{World, instant, pause};

/// How long everything may take to end once the networks are well.
const SETTLE_MAX: Duration = Duration::from_secs(60);

/// What was found, and how much there was to find it in.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// In words; none where all is well.
    pub(crate) violations: Vec<String>,
    /// Approvals that were answered 200.
    pub(crate) approved: u64,
    /// Approvals of updates that were answered 200.
    pub(crate) updated: u64,
    /// Cancels that were answered 200 or 201.
    pub(crate) cancelled: u64,
    /// Requests that the networks logged.
    pub(crate) requests: u64,
    /// Alerts in the database.
    pub(crate) alerts: u64,
}

/// Judges a world whose service runs and whose networks are well.
pub(crate) async fn judge(world: &mut World) -> Found {
    let mut found = Found::default();
    settle(world, &mut found).await;
    let ran = history::verify(&world.sandbox).await;
    match serde_json::from_str::<Value>(&ran.stdout) {
        Ok(told) => read(&told, &mut found),
        Err(_) => found.violations.push(format!("history verify: {ran:?}")),
    }
    for (alert, told) in world.facts.told() {
        found.approved += u64::from(told.approved);
        found.updated += u64::from(told.updated);
        found.cancelled += u64::from(told.cancelled);
        let id: AlertId = alert.parse().expect("it is an id");
        if let Some(what) = broken_promise(world, id, told).await {
            found.violations.push(format!("alert {alert}: {what}"));
        }
    }
    found.violations.extend(world.facts.faults());
    found
}

/// Waits until everything has ended.
async fn settle(world: &mut World, found: &mut Found) {
    let deadline = instant() + SETTLE_MAX;
    while !world.open_alerts().await.is_empty() {
        if instant() >= deadline {
            let open = world.open_alerts().await;
            let waits = world
                .what_waits(&open, Timestamp::from_micros(i64::MAX))
                .await;
            found.violations.push(format!("it never settles: {waits}"));
            return;
        }
        pause(Duration::from_millis(50)).await;
    }
}

fn read(told: &Value, found: &mut Found) {
    found.alerts = told["alerts"].as_u64().unwrap_or_default();
    found.requests = told["requests"].as_u64().unwrap_or_default();
    for invariant in told["invariants"].as_array().into_iter().flatten() {
        if invariant["status"] != "ok" {
            let findings = invariant["findings"].as_array();
            let first = findings.and_then(|f| f.first()).unwrap_or(&Value::Null);
            found.violations.push(format!(
                "{} {} ({} times): {first}",
                invariant["id"], invariant["status"], invariant["violations"]
            ));
        }
    }
}

/// What a client was told and is not so.
async fn broken_promise(world: &World, id: AlertId, told: Told) -> Option<String> {
    let Some(status) = world.status(id).await else {
        return Some("it was answered for and is not stored".to_owned());
    };
    let histories = world.deliveries(id).await;
    let of = |kind: Kind| histories.iter().filter(move |h| h.delivery.kind == kind);
    if told.approved {
        let is_approved = matches!(
            status,
            Status::Broadcasting | Status::Cancelled | Status::Completed
        );
        if !is_approved {
            return Some(format!("it was approved and is {}", status.as_str()));
        }
        let firsts = histories.iter().filter(|h| h.delivery.seq == 1).count();
        if firsts != PROVIDERS.len() {
            return Some(format!("it has {firsts} lanes"));
        }
        // What stands last in a lane is what people should read there.
        let is_last = |h: &DeliveryHistory| {
            let mut others = histories.iter();
            !others.any(|o| o.provider == h.provider && o.delivery.seq > h.delivery.seq)
        };
        let is_missed = |h: &&DeliveryHistory| {
            is_last(h) && !matches!(h.delivery.state, State::Acknowledged { .. })
        };
        let missed = histories.iter().find(is_missed);
        if let (Status::Broadcasting, Some(missed)) = (status, missed) {
            return Some(format!(
                "it never reached {}: {:?}",
                missed.provider, missed.delivery.state
            ));
        }
    }
    if told.updated {
        // One network gets an update; the others a cancel and, above it, an alert.
        let updates = of(Kind::Update).count();
        let replacements = of(Kind::Alert).filter(|h| h.delivery.seq > 1).count();
        if updates != 1 || replacements < PROVIDERS.len() - 1 {
            return Some(format!(
                "its update has {updates} updates and {replacements} alerts in their place"
            ));
        }
    }
    if told.cancelled {
        if status != Status::Cancelled {
            return Some(format!("it was cancelled and is {}", status.as_str()));
        }
        if of(Kind::Cancel).count() < PROVIDERS.len() {
            return Some(format!("it has {} cancels", of(Kind::Cancel).count()));
        }
    }
    None
}
