//! What the CBC sites behind a provider's routes owe a cancel (D15).
//!
//! With shared sites any site's answer is the provider's. With separate sites an alert may be on
//! the air at one and unknown to the other, so a cancel ends only when every site that an earlier
//! attempt may have reached has answered it. A site that surely refused every attempt was not
//! reached.

use std::collections::BTreeSet;

use super::policy::Policy;
use super::state::{Attempt, Delivery, Kind, Lane, MootReason, State};
use crate::outcome::Outcome;
use crate::routing::site_of;
use crate::time::Timestamp;

/// The sites from which a cancel still needs an answer, where sites are separate. Empty for a
/// text, and for a cancel to which any answer will do.
pub(super) fn owed<'a>(
    lane: &'a Lane,
    delivery: &Delivery,
    routes: &'a [String],
    now: Timestamp,
) -> BTreeSet<&'a str> {
    if delivery.kind != Kind::Cancel {
        return BTreeSet::new();
    }
    // Where attempts may be forgotten, every site may have been reached.
    let forgotten = routes.iter().filter(|_| lane.is_tainted);
    reached_below(lane, delivery.seq)
        .chain(forgotten.map(|route| site_of(route)))
        .filter(|site| !has_answered(lane, delivery, Some(site), now))
        .collect()
}

/// The end of a cancel that was just answered, if nothing else is owed.
pub(super) fn cancel_end(
    lane: &Lane,
    cancel: &Delivery,
    policy: &Policy,
    at: Timestamp,
) -> Option<State> {
    let is_answered = if policy.has_shared_sites {
        has_answered(lane, cancel, None, at)
    } else {
        let is_any_answered = lane
            .attempts_of(cancel.id)
            .any(|attempt| has_answered(lane, cancel, Some(site_of(&attempt.route)), at));
        is_any_answered && owed(lane, cancel, &policy.routes, at).is_empty()
    };
    if !is_answered {
        return None;
    }
    Some(if lane.attempts_of(cancel.id).any(Attempt::is_accepted) {
        State::Acknowledged { at }
    } else {
        State::Moot {
            reason: MootReason::UnknownReference,
            at,
        }
    })
}

/// Whether this cancel was told "nothing to cancel", and nothing better, by where `route` leads.
pub(super) fn is_denied(
    lane: &Lane,
    cancel: &Delivery,
    route: &str,
    has_shared_sites: bool,
) -> bool {
    let site = (!has_shared_sites).then(|| site_of(route));
    let mut answers = answers_of(lane, cancel, site);
    answers.clone().any(|o| o == Outcome::UnknownReference) && !answers.any(Outcome::is_acceptance)
}

/// The sites that an attempt of a lower `seq` may have reached.
fn reached_below(lane: &Lane, seq: u32) -> impl Iterator<Item = &str> {
    let is_refused = |attempt: &Attempt| {
        attempt
            .closed
            .is_some_and(|closed| closed.outcome == Outcome::Refused)
    };
    lane.attempts
        .iter()
        .filter(move |attempt| attempt.seq < seq && !is_refused(attempt))
        .map(|attempt| site_of(&attempt.route))
}

/// The outcomes of a cancel's attempts at a site, or at any.
fn answers_of<'a>(
    lane: &'a Lane,
    cancel: &Delivery,
    site: Option<&'a str>,
) -> impl Iterator<Item = Outcome> + Clone {
    lane.attempts_of(cancel.id)
        .filter(move |attempt| site.is_none_or(|site| site_of(&attempt.route) == site))
        .filter_map(|attempt| attempt.closed.map(|closed| closed.outcome))
}

/// Whether a site (or the provider) took the cancel, or rightly knows nothing to cancel: that is no
/// answer where it accepted a text that is still on the air (D30).
fn has_answered(lane: &Lane, cancel: &Delivery, site: Option<&str>, now: Timestamp) -> bool {
    let mut answers = answers_of(lane, cancel, site);
    if answers.clone().any(Outcome::is_acceptance) {
        return true;
    }
    let has_a_text = lane.standing_below(cancel.seq, site).next().is_some();
    answers.any(|o| o == Outcome::UnknownReference) && (!has_a_text || now >= lane.finishes_at)
}
