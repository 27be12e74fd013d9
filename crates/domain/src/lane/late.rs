//! An earlier text's acceptance that comes to light after the provider had said that it knows none.

use super::event::{DutyKind, Effect};
use super::policy::Policy;
use super::sites;
use super::state::{Attempt, Kind, Lane};
use crate::ids::DeliveryId;
use crate::routing::site_of;
use crate::time::Timestamp;

/// What follows from the acceptance of the attempt at `accepted`.
pub(super) fn effects_of(
    lane: &Lane,
    accepted: usize,
    policy: &Policy,
    now: Timestamp,
) -> Vec<Effect> {
    let text = &lane.attempts[accepted];
    // At the alert's end it goes off the air by itself (D30).
    if now >= lane.finishes_at || !lane.kind_of(text).is_some_and(Kind::carries_text) {
        return Vec::new();
    }
    if let Some(of) = cancel_closed_too_early(lane, text, policy) {
        let kind = DutyKind::AcceptedAfterCancel;
        return vec![
            Effect::RemakeCancel { of },
            Effect::OpenDutyItem { kind, delivery: of },
        ];
    }
    let kind = DutyKind::OldTextAccepted;
    let told = old_text_beside_a_new_one(lane, text, policy);
    told.map(|delivery| Effect::OpenDutyItem { kind, delivery })
        .into_iter()
        .collect()
}

/// The cancel that is the lane's last word, and was told that there is nothing to cancel: it was
/// closed too early (D5).
fn cancel_closed_too_early(lane: &Lane, text: &Attempt, policy: &Policy) -> Option<DeliveryId> {
    let target = lane.target()?;
    let shared = policy.has_shared_sites;
    let site = (!shared).then(|| site_of(&text.route));
    let is_too_early = target.kind == Kind::Cancel
        && target.state.is_terminal()
        && target.seq > text.seq
        && !is_surely_off(lane, text, site)
        && sites::is_denied(lane, target, &text.route, shared);
    is_too_early.then_some(target.id)
}

/// A cancel of the text was accepted.
fn is_surely_off(lane: &Lane, text: &Attempt, site: Option<&str>) -> bool {
    lane.attempts.iter().any(|attempt| {
        attempt.seq > text.seq
            && attempt.is_accepted()
            && lane.kind_of(attempt) == Some(Kind::Cancel)
            && site.is_none_or(|site| site_of(&attempt.route) == site)
    })
}

/// The cancel or update above an earlier text that was told that there is none, where the newer
/// text was put on the air by itself for that reason. A cancel would take the new text off as well,
/// so a person is told (ADR 17). Whatever names the earlier text, and goes on or was accepted,
/// takes it off.
fn old_text_beside_a_new_one(lane: &Lane, text: &Attempt, policy: &Policy) -> Option<DeliveryId> {
    if lane.target()?.kind == Kind::Cancel {
        return None;
    }
    let above = lane.deliveries.iter().filter(|d| d.seq > text.seq);
    let mut naming = above.filter(|d| d.kind != Kind::Alert);
    let goes_off = naming
        .clone()
        .any(|d| !d.state.is_terminal() || lane.attempts_of(d.id).any(Attempt::is_accepted));
    let denied = naming
        .rfind(|d| sites::is_denied(lane, d, &text.route, policy.has_shared_sites))
        .map(|d| d.id);
    denied.filter(|_| !goes_off)
}
