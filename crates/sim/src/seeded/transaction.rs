//! What dispatch asks of a transaction, over the rows in memory.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use balefire_dispatcher::ports::{
    AnswerRecord, DueLane, Frozen, LaneKey, StoreError, Stored, Transaction,
};
use balefire_domain::ids::{AlertId, AttemptId, DeliveryId, DutyItemId, InstanceId};
use balefire_domain::lane::{
    Conditions, Delivery, DutyKind, Effect, HoldReason, Kind, Lane, State,
};
use balefire_domain::provider::ProviderName;
use balefire_domain::time::Timestamp;
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::database::SimTx;
use super::hazard::Hazard;
use super::planted::Fault as Planted;
use super::tables::{DutyRow, InstanceRow, LaneRows, LockName, Rules, wrong_rows};
use super::world::Point;
use super::writes::Write;

/// How a commit ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Done,
    Refused,
    DoneButRefused,
    DoneInSilence,
}

impl SimTx {
    fn draw_end(&mut self) -> End {
        if self
            .world
            .strikes(&mut self.dice, Hazard::FailedCommits, 200)
        {
            return End::Refused;
        }
        if self
            .world
            .strikes(&mut self.dice, Hazard::AmbiguousCommits, 200)
        {
            return if self.dice.chance(500) {
                End::DoneButRefused
            } else {
                End::DoneInSilence
            };
        }
        End::Done
    }
}

impl Transaction for SimTx {
    fn now(&self) -> Timestamp {
        self.now
    }

    async fn commit(mut self) -> Stored<()> {
        let point = if self.name == "approve_alert" {
            Point::BeforeApproval
        } else {
            Point::BeforeCommit
        };
        self.world.may_crash(&self.life, point);
        self.pass().await?;
        self.is_over = true; // From here on the database holds the locks, not this process.
        let end = self.draw_end();
        let delay = if self.world.options.is_steady {
            1
        } else {
            self.dice.below(4)
        };
        let (id, name, now) = (self.id, self.name, self.now);
        let work = std::mem::take(&mut self.work);
        let world = Arc::clone(&self.world);
        let (tell, told) = oneshot::channel();
        self.world.spawn(async move {
            sleep(Duration::from_millis(delay)).await;
            let has_ended = world.state().locks.has_ended(id);
            let is_refused = end == End::Refused || world.is_database_away() || has_ended;
            if is_refused {
                world.note(|| format!("{name}: the commit fails"));
            } else {
                work.apply(&world, now);
            }
            world.state().locks.release(id);
            match end {
                End::Done if !is_refused => drop(tell.send(Ok(()))),
                End::DoneInSilence if !is_refused => {
                    world.note(|| format!("{name}: committed, and nobody is told"));
                    pending::<()>().await; // The connection hangs; the waiter gives up by itself.
                    drop(tell);
                }
                End::Done | End::Refused | End::DoneButRefused | End::DoneInSilence => {
                    if !is_refused {
                        world.note(|| format!("{name}: committed, but an error is told"));
                    }
                    drop(tell.send(Err(StoreError::timed_out(name))));
                }
            }
        });
        let told = told.await;
        self.life.pass().await;
        let point = if self.name == "approve_alert" {
            Point::AfterApproval
        } else {
            Point::AfterCommit
        };
        self.world.may_crash(&self.life, point);
        self.life.pass().await;
        told.unwrap_or_else(|_| Err(StoreError::timed_out(self.name)))
    }

    async fn lock_lane(&mut self, key: &LaneKey) -> Stored<Option<Lane>> {
        self.statement().await?;
        if !self.world.has_planted(Planted::NoRowLock) {
            self.lock(LockName::Lane(key.clone())).await?;
        }
        self.statement().await?;
        let own = self.work.lanes.get(key).cloned();
        // A transaction sees what it wrote itself.
        let stored = own.or_else(|| self.world.state().tables.lanes.get(key).cloned());
        Ok(stored.map(|rows| {
            let lane = rows.lane.clone();
            self.work.lanes.insert(key.clone(), rows);
            lane
        }))
    }

    async fn save_lane(&mut self, key: &LaneKey, was: &Lane, is: &Lane) -> Stored<()> {
        self.statement().await?;
        let rules = Rules {
            one_open: !self.world.has_planted(Planted::NoOneOpen),
            keeps_acceptance: !self.world.has_planted(Planted::StaleNews),
        };
        let now = self.now;
        let keeps_wake = self.world.has_planted(Planted::WakeNotStored);
        let rows = self.rows(key)?;
        let known_wake = rows.wake_at;
        rows.save(was, is, now, rules)?;
        if keeps_wake && known_wake.is_some() && rows.wake_at.is_some() {
            rows.wake_at = None; // Whoever waits for its time is forgotten.
        }
        Ok(())
    }

    async fn list_due_lanes(&mut self, limit: usize) -> Stored<Vec<DueLane>> {
        self.statement().await?;
        let now = self.now;
        let state = self.world.state();
        let is_due = |rows: &LaneRows| rows.wake_at.is_some_and(|at| at <= now);
        let mut due: Vec<_> = state
            .tables
            .lanes
            .iter()
            .filter(|(_, rows)| is_due(rows))
            .map(|(key, rows)| (!rows.is_cancelling, rows.wake_at, key))
            .collect();
        due.sort();
        let due = due.into_iter().take(limit);
        Ok(due
            .map(|(is_alert, _, key)| DueLane {
                key: key.clone(),
                is_cancelling: !is_alert,
            })
            .collect())
    }

    async fn list_waiting_lanes(
        &mut self,
        provider: &ProviderName,
        limit: usize,
    ) -> Stored<Vec<DueLane>> {
        self.statement().await?;
        let state = self.world.state();
        let waits = |d: &Delivery| matches!(d.state, State::Backoff { .. });
        let lanes = state.tables.lanes.iter();
        let waiting = lanes.filter(|(key, rows)| {
            key.provider == *provider && rows.lane.deliveries.iter().any(waits)
        });
        Ok(waiting
            .take(limit)
            .map(|(key, rows)| DueLane {
                key: key.clone(),
                is_cancelling: rows.lane.active().is_some_and(|d| d.kind == Kind::Cancel),
            })
            .collect())
    }

    async fn list_orphaned_attempts(&mut self, limit: usize) -> Stored<Vec<(LaneKey, AttemptId)>> {
        self.statement().await?;
        let state = self.world.state();
        let tables = &state.tables;
        let is_dead = |id: &InstanceId| {
            tables
                .instances
                .get(id)
                .is_some_and(|row| row.ended_at.is_some())
        };
        let lists_closed = self.world.has_planted(Planted::StaleNews);
        let mut orphans = Vec::new();
        for (key, rows) in &tables.lanes {
            for attempt in &rows.lane.attempts {
                let is_listed = attempt.is_open() || lists_closed;
                if is_listed && is_dead(&attempt.opened_by) {
                    orphans.push((attempt.opened_at, attempt.id, key.clone()));
                }
            }
        }
        orphans.sort();
        let orphans = orphans.into_iter().take(limit);
        Ok(orphans.map(|(_, id, key)| (key, id)).collect())
    }

    async fn load_conditions(&mut self, provider: &ProviderName) -> Stored<Conditions> {
        self.statement().await?;
        let now = self.now;
        let state = self.world.state();
        let tables = &state.tables;
        let routes = tables.routes.iter();
        let failing = routes.filter(|((of, _), (_, is_good))| of == provider.as_str() && !is_good);
        let is_quarantined = tables.quarantine_until.is_some_and(|until| until > now);
        Ok(Conditions {
            failing: failing.map(|((_, route), _)| route.clone()).collect(),
            is_paused: tables.paused.contains(provider),
            hold: is_quarantined.then_some(HoldReason::Quarantine),
            hedge: None,
        })
    }

    async fn save_route_result(
        &mut self,
        provider: &str,
        route: &str,
        is_good: bool,
        _detail: &str,
    ) -> Stored<()> {
        self.statement().await?;
        let (provider, route) = (provider.to_owned(), route.to_owned());
        if is_good {
            let write = Write::Carried(provider.clone(), route.clone());
            self.work.writes.push(write);
        }
        self.work
            .writes
            .push(Write::Route(provider, route, is_good));
        Ok(())
    }

    async fn load_frozen(&mut self, id: DeliveryId) -> Stored<Option<Frozen>> {
        self.statement().await?;
        let rows = self.rows_of_delivery(id);
        Ok(rows.and_then(|rows| rows.frozen.get(&id).cloned()))
    }

    async fn save_payload(&mut self, id: DeliveryId, payload: &str) -> Stored<()> {
        self.statement().await?;
        let rows = self.rows_of_delivery(id);
        match rows.and_then(|rows| rows.frozen.get_mut(&id)) {
            Some(frozen) if frozen.payload.is_none() => {
                frozen.payload = Some(payload.to_owned());
                Ok(())
            }
            Some(_) | None => Err(wrong_rows("store.deliveries.save_payload")),
        }
    }

    async fn replace_payload(&mut self, id: DeliveryId, was: &str, is: &str) -> Stored<()> {
        self.statement().await?;
        let rows = self.rows_of_delivery(id);
        match rows.and_then(|rows| rows.frozen.get_mut(&id)) {
            Some(frozen) if frozen.payload.as_deref() == Some(was) => {
                frozen.payload = Some(is.to_owned());
                Ok(())
            }
            Some(_) | None => Err(wrong_rows("store.deliveries.replace_payload")),
        }
    }

    async fn save_answer(&mut self, attempt: AttemptId, answer: &AnswerRecord) -> Stored<()> {
        self.statement().await?;
        let mut lanes = self.work.lanes.values_mut();
        let has_it = |rows: &&mut LaneRows| rows.lane.attempts.iter().any(|a| a.id == attempt);
        match lanes.find(has_it) {
            Some(rows) => {
                rows.answers.insert(attempt, answer.clone());
                Ok(())
            }
            None => Err(wrong_rows("store.lanes.save_answer")),
        }
    }

    async fn insert_delivery(
        &mut self,
        lane: &LaneKey,
        delivery: &Delivery,
        frozen: &Frozen,
    ) -> Stored<()> {
        self.statement().await?;
        self.rows(lane)?.insert_delivery(delivery, frozen)
    }

    async fn next_message_number(&mut self) -> Stored<u32> {
        self.statement().await?;
        let mut state = self.world.state();
        state.tables.message_number += 1; // Numbers of what is never committed are lost.
        Ok(state.tables.message_number)
    }

    async fn apply_duties(
        &mut self,
        key: &LaneKey,
        effects: &[Effect],
        mint: &(dyn Fn() -> DutyItemId + Send + Sync),
    ) -> Stored<Vec<(DutyKind, DeliveryId)>> {
        let mut opened = Vec::new();
        for effect in effects {
            if let Effect::OpenDutyItem { kind, delivery } = effect {
                let subject = format!("delivery {delivery}");
                let provider = Some(key.provider.as_str());
                if self
                    .open_duty_item(mint(), *kind, &subject, Some(key.alert_id), provider)
                    .await?
                {
                    opened.push((*kind, *delivery));
                }
            }
            if let Effect::CloseDutyItems { delivery } = effect {
                self.statement().await?;
                let write = Write::CloseDuties(format!("delivery {delivery}"));
                self.work.writes.push(write);
            }
        }
        Ok(opened)
    }

    async fn open_duty_item(
        &mut self,
        _id: DutyItemId,
        kind: DutyKind,
        subject: &str,
        _alert: Option<AlertId>,
        _provider: Option<&str>,
    ) -> Stored<bool> {
        self.statement().await?;
        let is_open = |row: &DutyRow| row.kind == kind && row.subject == subject && !row.is_closed;
        let is_new = !self.world.state().tables.duty_items.iter().any(is_open);
        let write = Write::OpenDuty(kind, subject.to_owned());
        self.work.writes.push(write);
        Ok(is_new)
    }

    async fn insert_instance(&mut self, id: InstanceId, name: &str) -> Stored<u64> {
        self.insert_instance_again(id, name).await?;
        let state = self.world.state();
        let instances = state.tables.instances.values();
        let predecessors = instances.filter(|row| row.name == name && row.ended_at.is_none());
        let predecessors = predecessors.count() as u64;
        drop(state);
        self.work
            .writes
            .push(Write::EndNamesakes(id, name.to_owned()));
        Ok(predecessors)
    }

    async fn insert_instance_again(&mut self, id: InstanceId, name: &str) -> Stored<()> {
        self.statement().await?;
        let row = InstanceRow {
            name: name.to_owned(),
            seen_at: self.now,
            ended_at: None,
        };
        self.work.writes.push(Write::Enter(id, row));
        Ok(())
    }

    async fn see_instance(&mut self, id: InstanceId) -> Stored<bool> {
        self.statement().await?;
        let state = self.world.state();
        let row = state.tables.instances.get(&id);
        let lives = row.is_some_and(|row| row.ended_at.is_none());
        drop(state);
        if lives {
            self.work.writes.push(Write::See(id));
        }
        Ok(lives)
    }

    async fn end_instance(&mut self, id: InstanceId) -> Stored<()> {
        self.statement().await?;
        self.work.writes.push(Write::End(id));
        Ok(())
    }

    async fn end_unseen_instances(&mut self, since: Timestamp) -> Stored<u64> {
        self.statement().await?;
        let state = self.world.state();
        let instances = state.tables.instances.values();
        let unseen = instances.filter(|row| row.seen_at < since && row.ended_at.is_none());
        let unseen = unseen.count() as u64;
        drop(state);
        if unseen > 0 {
            self.work.writes.push(Write::EndUnseen(since));
        }
        Ok(unseen)
    }
}
