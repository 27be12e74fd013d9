//! The promises about the end of things, judged each second after the healing and once all is
//! settled, within bounds that follow from the run's own figures.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use balefire_dispatcher::ports::LaneKey;
use balefire_domain::ids::AttemptId;
use balefire_domain::lane::policy::{HELD_LOOK_AFTER, STUCK_AFTER};
use balefire_domain::lane::{Attempt, Delivery, DutyKind, HoldReason, Kind, Lane, State as Stand};
use balefire_domain::provider::ProviderName;
use balefire_domain::time::Timestamp;

use super::hazard::Hazard;
use super::options::provider_name;
use super::process::BEGINNING;
use super::properties::Property;
use super::world::{State, World};

/// What the first seconds after the healing may take: a step with the database that was given up,
/// a process that starts again, clocks that differ.
pub const SETTLING: Duration = Duration::from_secs(25);
/// How late a sweep is at most: its period, and a step of the database.
const SWEEP_LATE_MAX: Duration = Duration::from_secs(3);
/// How long an attempt of a dead process stays open: a beat, after a step with the database that
/// was given up.
const ORPHAN_MAX: Duration = Duration::from_secs(18);
/// How long what has run out of time may stay open.
const OVER_MAX: Duration = Duration::from_secs(60);
/// How long a living process may take to store what it has heard.
const STORING_MAX: Duration = Duration::from_secs(15);

/// Each second before the healing: where our own processes are sound, no trouble of a provider
/// keeps it from a person.
pub fn check_troubled(state: &mut State, world: &World) {
    if !world.options.has_sound_processes() {
        return;
    }
    let now = world.time.now();
    let lanes = state.tables.lanes.iter();
    let waiting = lanes.flat_map(|(key, rows)| rows.lane.deliveries.iter().map(move |d| (key, d)));
    let mut wrong = Vec::new();
    for (key, delivery) in waiting.filter(|(_, delivery)| !delivery.state.is_terminal()) {
        let untold = told_to_a_person(state, delivery, now, SWEEP_LATE_MAX);
        wrong.extend(untold.map(|(property, why)| (property, key.clone(), why)));
    }
    tell(state, world, wrong);
}

/// Each second after the healing, and at the end.
pub fn check_quiet(state: &mut State, world: &World, orphans: &mut Orphans) {
    let now = world.time.now();
    let healed_for = Duration::from_millis(
        u64::try_from(world.time.elapsed_us() / 1000)
            .unwrap_or(0)
            .saturating_sub(world.options.healed_ms),
    );
    let looked = SWEEP_LATE_MAX + world.options.figures.clock_skew;
    let mut wrong = Vec::new();
    for (key, rows) in &state.tables.lanes {
        for delivery in rows
            .lane
            .deliveries
            .iter()
            .filter(|d| !d.state.is_terminal())
        {
            let found = [
                (acknowledged_soon(state, world, key, (&rows.lane, delivery), healed_for)),
                (closed_in_time(delivery, now, healed_for)),
                (healed_for >= SETTLING)
                    .then(|| told_to_a_person(state, delivery, now, looked))
                    .flatten(),
            ];
            let found = found.into_iter().flatten();
            wrong.extend(found.map(|(property, why)| (property, key.clone(), why)));
        }
        if healed_for > SETTLING
            && let Some(why) = moves(world, rows.wake_at, now)
        {
            wrong.push((Property::L3, key.clone(), why));
        }
        if let Some(why) = off_the_air(state, key, &rows.lane, now) {
            wrong.push((Property::S13, key.clone(), why));
        }
        if let Some(why) = newest_alone(state, key, &rows.lane, now) {
            wrong.push((Property::S15, key.clone(), why));
        }
    }
    wrong.extend(orphans.check(state, now));
    tell(state, world, wrong);
}

fn tell(state: &mut State, world: &World, wrong: Vec<(Property, LaneKey, String)>) {
    for (property, key, why) in wrong {
        let detail = format!("{}: {why}", state.lane_name(&key));
        state.violate(property, world.time.elapsed_us(), detail);
    }
}

/// How long after the healing a delivery may take: an attempt that is open, its drain, the longest
/// back-off of its age, and what the first seconds may take.
pub fn settled_within(world: &World, age: Duration) -> Duration {
    let figures = &world.options.figures;
    let cap = if age + Duration::from_secs(60) < figures.early_period {
        figures.early_backoff_cap
    } else {
        figures.backoff_cap
    };
    let drain = figures.clock_skew + world.options.upstream_timeout;
    let quarantine = if world.options.has(Hazard::Failover) {
        figures.attempt_deadline + drain + figures.clock_skew + HELD_LOOK_AFTER
    } else {
        Duration::ZERO
    };
    figures.attempt_deadline + drain + cap * 11 / 10 + quarantine + SETTLING
}

/// L1 and L2.
fn acknowledged_soon(
    state: &State,
    world: &World,
    key: &LaneKey,
    (lane, delivery): (&Lane, &Delivery),
    healed_for: Duration,
) -> Option<(Property, String)> {
    let age = world.time.now().since(delivery.created_at);
    let mut within = settled_within(world, age);
    if replaces_another(lane, delivery) {
        within *= 2; // Its cancel goes before it.
    }
    if healed_for.min(age) <= within || is_hung(world, &key.provider) {
        return None;
    }
    let why = format!(
        "{} is {} for {age:?}",
        delivery.kind.as_str(),
        delivery.state.as_str()
    );
    // A provider that forgot an alert which it had accepted knows nothing to cancel or to update:
    // that ends with its time, and so does what waits for it.
    if may_wait_for_its_end(state, &key.provider, delivery) {
        return None;
    }
    match delivery.kind {
        Kind::Alert | Kind::Update => Some((Property::L1, why)),
        Kind::Cancel => Some((Property::L2, why)),
    }
}

/// Whether a delivery may wait until its time runs out: its provider has forgotten what it names.
pub fn may_wait_for_its_end(state: &State, provider: &ProviderName, delivery: &Delivery) -> bool {
    let is_replacement = matches!(
        delivery.state,
        Stand::Held {
            reason: HoldReason::Replaces,
            ..
        }
    );
    let names_earlier = delivery.kind != Kind::Alert || is_replacement;
    names_earlier && state.cbcs[provider].has_forgotten
}

/// Whether it is an alert that waits, or has waited, for the cancel below it.
fn replaces_another(lane: &Lane, delivery: &Delivery) -> bool {
    let mut pairs = lane.deliveries.windows(2);
    pairs.any(|pair| pair[1].id == delivery.id && pair[0].kind == Kind::Cancel)
}

/// Whether it never answers, in a comparison for S12.
fn is_hung(world: &World, provider: &ProviderName) -> bool {
    let hung = world.options.hung_provider;
    hung.is_some_and(|index| provider_name(index) == *provider)
}

/// L6.
fn closed_in_time(
    delivery: &Delivery,
    now: Timestamp,
    healed_for: Duration,
) -> Option<(Property, String)> {
    let over = now.since(delivery.ends_at);
    (over > OVER_MAX && healed_for > OVER_MAX).then(|| {
        let (seq, word) = (delivery.seq, delivery.state.as_str());
        (
            Property::L6,
            format!("event {seq} ended {over:?} ago and is {word}"),
        )
    })
}

/// L7, where a lane is looked at this late at most.
fn told_to_a_person(
    state: &State,
    delivery: &Delivery,
    now: Timestamp,
    looked: Duration,
) -> Option<(Property, String)> {
    let age = now.since(delivery.created_at);
    if age < STUCK_AFTER + looked {
        return None;
    }
    let subject = format!("delivery {}", delivery.id);
    let mut items = state.tables.duty_items.iter();
    let is_told = items.any(|item| item.kind == DutyKind::Stuck && item.subject == subject);
    (!is_told).then(|| {
        let why = format!(
            "event {} waits for {age:?}, and nobody is told",
            delivery.seq
        );
        (Property::L7, why)
    })
}

/// L3: the sweep looks at every lane whose time has come.
fn moves(world: &World, wake_at: Option<Timestamp>, now: Timestamp) -> Option<String> {
    let late = now.since(wake_at?);
    let figures = &world.options.figures;
    let options = &world.options;
    let mut bound = SWEEP_LATE_MAX;
    if options.has(Hazard::ClockSkew) || options.has(Hazard::ClockDrift) {
        bound += figures.clock_skew; // Who stored it was behind of who looks.
    }
    (late > bound).then(|| format!("its time to wake was {late:?} ago"))
}

/// S13.
fn off_the_air(state: &State, key: &LaneKey, lane: &Lane, now: Timestamp) -> Option<String> {
    let alert = state.tables.alerts.get(&key.alert_id)?;
    let has_ended = lane.deliveries.iter().all(|d| d.state.is_terminal());
    if !alert.is_cancelled || !has_ended || state.in_network > 0 || now >= lane.finishes_at {
        return None;
    }
    let on_air = state.cbcs[&key.provider].texts_on_air(&key.to_string());
    (!on_air.is_empty()).then(|| "the cancel has ended, and the alert is on the air".to_owned())
}

/// S15. What a centre has forgotten is no longer on the air.
fn newest_alone(state: &State, key: &LaneKey, lane: &Lane, now: Timestamp) -> Option<String> {
    let alert = state.tables.alerts.get(&key.alert_id)?;
    let target = lane.target()?;
    let has_ended = lane.deliveries.iter().all(|d| d.state.is_terminal());
    let is_out = matches!(
        target.state,
        Stand::Acknowledged { .. } | Stand::Moot { .. }
    );
    let is_asked = alert.updates > 0 && !alert.is_cancelled && has_ended && is_out;
    if !is_asked || state.in_network > 0 || now >= lane.finishes_at {
        return None;
    }
    let cbc = &state.cbcs[&key.provider];
    let on_air = cbc.texts_on_air(&key.to_string());
    let is_right = on_air.iter().all(|text| *text == alert.updates);
    let is_there = !on_air.is_empty() || cbc.has_forgotten;
    (!is_right || !is_there).then(|| {
        let newest = alert.updates;
        format!("update {newest} is done, and on the air are the texts {on_air:?}")
    })
}

/// Open attempts of dead processes, and since when they are seen.
#[derive(Debug, Default)]
pub struct Orphans(BTreeMap<AttemptId, Timestamp>);

impl Orphans {
    /// L3: they are closed by the next beat.
    fn check(&mut self, state: &State, now: Timestamp) -> Vec<(Property, LaneKey, String)> {
        let mut seen = BTreeMap::new();
        let mut wrong = Vec::new();
        for (key, rows) in &state.tables.lanes {
            for attempt in rows.lane.attempts.iter().filter(|a| a.is_open()) {
                let owner = state.tables.instances.get(&attempt.opened_by);
                if owner.is_none_or(|row| row.ended_at.is_none()) {
                    continue;
                }
                let since = *self.0.get(&attempt.id).unwrap_or(&now);
                seen.insert(attempt.id, since);
                if now.since(since) > ORPHAN_MAX {
                    let why = format!("an attempt of a dead process is open since {since:?}");
                    wrong.push((Property::L3, key.clone(), why));
                }
            }
        }
        self.0 = seen;
        wrong
    }
}

/// At the end, when all is settled.
pub fn check_end(state: &mut State, world: &World, survivors: &BTreeSet<(usize, u64)>) {
    let mut wrong = Vec::new();
    wrong.extend(deliveries_are_complete(state, world).map(|why| (Property::S11, why)));
    wrong.extend(acceptances_are_stored(state, world, survivors).map(|why| (Property::S9, why)));
    for (property, why) in wrong {
        state.violate(property, world.time.elapsed_us(), why);
    }
}

/// S11.
fn deliveries_are_complete(state: &State, world: &World) -> Option<String> {
    for (id, alert) in &state.tables.alerts {
        let lanes: Vec<_> = state
            .tables
            .lanes
            .iter()
            .filter(|(key, _)| key.alert_id == *id)
            .collect();
        let number = alert.number + 1;
        if lanes.len() != world.options.providers.len() {
            return Some(format!("alert {number} has {} lanes", lanes.len()));
        }
        for (key, rows) in lanes {
            let has = |kind| rows.lane.deliveries.iter().any(|d| d.kind == kind);
            let last = rows.lane.target().map(|target| target.kind);
            let is_cancelled = last == Some(Kind::Cancel);
            let events = rows.frozen.values().map(|frozen| frozen.event_id);
            let events: BTreeSet<_> = events.collect();
            // Who asked for an update by a clock an hour ahead was told that the alert is over.
            let is_updated = alert.updates == 0 || events.len() > 1;
            if !has(Kind::Alert) || (alert.is_cancelled != is_cancelled) || !is_updated {
                return Some(format!(
                    "alert {number} lacks a delivery at {}",
                    key.provider
                ));
            }
        }
    }
    None
}

/// S9: an acceptance that a process heard, which then lived on, is in the database.
fn acceptances_are_stored(
    state: &State,
    world: &World,
    survivors: &BTreeSet<(usize, u64)>,
) -> Option<String> {
    let now_us = world.time.elapsed_us();
    let storing_us = i64::try_from(STORING_MAX.as_micros()).unwrap_or(i64::MAX);
    let healed_us = i64::try_from(world.options.healed_ms * 1000).unwrap_or(i64::MAX);
    let away = [
        Hazard::DatabaseOutage,
        Hazard::SlowDatabase,
        Hazard::AmbiguousCommits,
        Hazard::Pauses,
    ];
    let is_near = !away.iter().any(|hazard| world.options.has(*hazard));
    let whole_us = BEGINNING.micros() + healed_us + storing_us;
    for handed in &state.oracle.handed {
        let is_due = now_us - handed.at_us > storing_us && survivors.contains(&handed.to);
        // While the database is away an answer is kept, but not beyond its attempt's drain.
        let is_kept = is_near || handed.at_us >= healed_us || handed.deadline_us > whole_us;
        let Some((_, rows)) = state.lane_of(handed.id) else {
            continue;
        };
        let is_its = |attempt: &&Attempt| {
            attempt.delivery == handed.id
                && attempt.route == handed.route
                && attempt.deadline_at.micros() == handed.deadline_us
        };
        let is_stored = rows
            .lane
            .attempts
            .iter()
            .filter(is_its)
            .any(Attempt::is_accepted);
        if is_due && is_kept && !is_stored && !state.has_failed_over {
            return Some(format!(
                "an acceptance over {} was never stored",
                handed.route
            ));
        }
    }
    None
}
