//! What link tests and the clock's guard ask of a transaction.

use balefire_dispatcher::ports::{LaneKey, Probe, ProbeKey, ProbeResult, ProbeTransaction, Stored};
use balefire_domain::lane::DutyKind;
use balefire_domain::time::Timestamp;

use super::database::SimTx;
use super::hazard::Fault;
use super::options::Engine;
use super::tables::{DutyRow, LaneRows};
use super::writes::Write;

impl ProbeTransaction for SimTx {
    async fn list_probes(&mut self) -> Stored<Vec<Probe>> {
        self.statement().await?;
        let mut probes = self.world.state().tables.probes.clone();
        for write in &self.work.writes {
            match write {
                Write::Plan(key, due_at) => {
                    let (latest, due_at) = (None, *due_at);
                    let probe = Probe {
                        key: key.clone(),
                        due_at,
                        latest,
                    };
                    probes.entry(key.clone()).or_insert(probe);
                }
                Write::Claim(key, _, next_at) => {
                    if let Some(probe) = probes.get_mut(key) {
                        probe.due_at = *next_at;
                    }
                }
                _ => {}
            }
        }
        Ok(probes.into_values().collect())
    }

    async fn plan_probe(&mut self, key: &ProbeKey, due_at: Timestamp) -> Stored<()> {
        self.statement().await?;
        self.work.writes.push(Write::Plan(key.clone(), due_at));
        Ok(())
    }

    async fn claim_probe(
        &mut self,
        key: &ProbeKey,
        due_at: Timestamp,
        next_at: Timestamp,
    ) -> Stored<bool> {
        self.statement().await?;
        let probe = self.world.state().tables.probes.get(key).cloned();
        let is_ours = probe.is_some_and(|probe| probe.due_at == due_at);
        if is_ours {
            let write = Write::Claim(key.clone(), due_at, next_at);
            self.work.writes.push(write);
        }
        Ok(is_ours)
    }

    async fn save_probe_result(&mut self, key: &ProbeKey, result: &ProbeResult) -> Stored<()> {
        self.statement().await?;
        let write = Write::Probed(key.clone(), result.clone());
        self.work.writes.push(write);
        Ok(())
    }

    async fn save_route_test(
        &mut self,
        provider: &str,
        route: &str,
        is_good: bool,
        _detail: &str,
    ) -> Stored<()> {
        self.statement().await?;
        let write = Write::Route(provider.to_owned(), route.to_owned(), is_good);
        self.work.writes.push(write);
        Ok(())
    }

    async fn has_due_lanes(&mut self, provider: &str) -> Stored<bool> {
        self.statement().await?;
        let now = self.now;
        let mut state = self.world.state();
        let is_due = |(key, rows): (&LaneKey, &LaneRows)| {
            key.provider.as_str() == provider && rows.wake_at.is_some_and(|at| at <= now)
        };
        let has_due = state.tables.lanes.iter().any(is_due);
        if has_due {
            state.reached.count(Fault::F58);
        }
        Ok(has_due)
    }

    async fn load_carried_at(&mut self, provider: &str, route: &str) -> Stored<Option<Timestamp>> {
        self.statement().await?;
        let key = (provider.to_owned(), route.to_owned());
        Ok(self.world.state().tables.carried.get(&key).copied())
    }

    async fn close_duty_item_of(
        &mut self,
        kind: DutyKind,
        subject: &str,
        _by: &str,
    ) -> Stored<bool> {
        self.statement().await?;
        let is_open = |row: &DutyRow| row.kind == kind && row.subject == subject && !row.is_closed;
        let had_one = self.world.state().tables.duty_items.iter().any(is_open);
        if had_one {
            let write = Write::CloseDuty(kind, subject.to_owned());
            self.work.writes.push(write);
        }
        Ok(had_one)
    }

    async fn read_database_clock(&mut self) -> Stored<Option<Timestamp>> {
        self.statement().await?;
        if self.world.options.engine == Engine::OneWriter {
            return Ok(None);
        }
        let ahead_us = self.world.state().tables.clock_ahead_us;
        let now_us = self.world.time.now().micros() + ahead_us;
        Ok(Some(Timestamp::from_micros(now_us)))
    }

    async fn wake_lanes_held_by_clock(&mut self) -> Stored<u64> {
        self.statement().await?;
        self.work.writes.push(Write::WakeHeld);
        Ok(0)
    }
}
