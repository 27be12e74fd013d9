//! What a transaction of the simulated database writes, and how it is carried out.

use std::collections::BTreeMap;

use balefire_dispatcher::ports::{LaneKey, Probe, ProbeKey, ProbeResult};
use balefire_domain::ids::{AlertId, InstanceId};
use balefire_domain::lane::{Delivery, DutyKind, HoldReason, State};
use balefire_domain::time::Timestamp;

use super::tables::{AlertRow, DutyRow, InstanceRow, LaneRows, Tables};
use super::world::World;

/// A write that depends on no lane's lock.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each is the statement of its name")]
pub enum Write {
    Alert(AlertId, AlertRow),
    Route(String, String, bool),
    Carried(String, String),
    OpenDuty(DutyKind, String),
    CloseDuties(String),
    Enter(InstanceId, InstanceRow),
    EndNamesakes(InstanceId, String),
    See(InstanceId),
    End(InstanceId),
    EndUnseen(Timestamp),
    Plan(ProbeKey, Timestamp),
    Claim(ProbeKey, Timestamp, Timestamp),
    Probed(ProbeKey, ProbeResult),
    CloseDuty(DutyKind, String),
    WakeHeld,
}

/// What a transaction has done so far.
#[derive(Default)]
pub struct Work {
    /// The lanes that it locked, with what it made of them.
    pub lanes: BTreeMap<LaneKey, LaneRows>,
    /// Everything else, in order.
    pub writes: Vec<Write>,
}

impl Work {
    /// Carries the transaction out, all of it at one instant.
    pub fn apply(self, world: &World, now: Timestamp) {
        let mut state = world.state();
        for (key, rows) in self.lanes {
            state.commit_lane(world, &key, rows);
        }
        for write in self.writes {
            write.apply(&mut state.tables, now);
        }
    }
}

impl Write {
    fn apply(self, tables: &mut Tables, now: Timestamp) {
        match self {
            Self::Alert(id, row) => drop(tables.alerts.insert(id, row)),
            Self::Route(provider, route, is_good) => {
                let route = tables.routes.entry((provider, route));
                let known = route.or_insert((now, is_good));
                if known.0 <= now {
                    *known = (now, is_good);
                }
            }
            Self::Carried(provider, route) => {
                let at = tables.carried.entry((provider, route)).or_insert(now);
                *at = (*at).max(now);
            }
            Self::OpenDuty(kind, subject) => open_duty(tables, kind, subject),
            Self::CloseDuty(kind, subject) => {
                for row in &mut tables.duty_items {
                    row.is_closed |= row.kind == kind && row.subject == subject;
                }
            }
            Self::CloseDuties(subject) => {
                let answered = [DutyKind::Stuck, DutyKind::Unroutable];
                for row in &mut tables.duty_items {
                    row.is_closed |= row.subject == subject && answered.contains(&row.kind);
                }
            }
            Self::WakeHeld => wake_held(tables, now),
            Self::Plan(..) | Self::Claim(..) | Self::Probed(..) => self.apply_probe(tables),
            Self::Enter(..)
            | Self::EndNamesakes(..)
            | Self::See(_)
            | Self::End(_)
            | Self::EndUnseen(_) => self.apply_instance(tables, now),
        }
    }

    fn apply_probe(self, tables: &mut Tables) {
        match self {
            Self::Plan(key, due_at) => {
                let probe = Probe {
                    key: key.clone(),
                    due_at,
                    latest: None,
                };
                tables.probes.entry(key).or_insert(probe);
            }
            Self::Claim(key, due_at, next_at) => {
                let probe = tables.probes.get_mut(&key).filter(|p| p.due_at == due_at);
                if let Some(probe) = probe {
                    probe.due_at = next_at;
                }
            }
            Self::Probed(key, result) => {
                if let Some(probe) = tables.probes.get_mut(&key) {
                    probe.latest = Some(result);
                }
            }
            _ => {}
        }
    }

    fn apply_instance(self, tables: &mut Tables, now: Timestamp) {
        let ends = |id: &InstanceId, row: &InstanceRow| match &self {
            Self::EndNamesakes(own, name) => id != own && row.name == *name,
            Self::End(own) => id == own,
            Self::EndUnseen(since) => row.seen_at < *since,
            _ => false,
        };
        for (id, row) in &mut tables.instances {
            if ends(id, row) {
                row.ended_at.get_or_insert(now);
            }
        }
        match self {
            Self::Enter(id, row) => drop(tables.instances.insert(id, row)),
            Self::See(id) => {
                if let Some(row) = tables.instances.get_mut(&id) {
                    row.seen_at = now;
                }
            }
            _ => {}
        }
    }
}

fn open_duty(tables: &mut Tables, kind: DutyKind, subject: String) {
    let is_open = |row: &DutyRow| row.kind == kind && row.subject == subject && !row.is_closed;
    if !tables.duty_items.iter().any(is_open) {
        tables.duty_items.push(DutyRow {
            kind,
            subject,
            is_closed: false,
        });
    }
}

fn wake_held(tables: &mut Tables, now: Timestamp) {
    for rows in tables.lanes.values_mut() {
        let is_held = rows.lane.deliveries.iter().any(is_held_by_clock);
        if is_held && rows.wake_at.is_some_and(|at| at > now) {
            rows.wake_at = Some(now);
        }
    }
}

fn is_held_by_clock(delivery: &Delivery) -> bool {
    matches!(
        delivery.state,
        State::Held {
            reason: HoldReason::Clock,
            ..
        }
    )
}
