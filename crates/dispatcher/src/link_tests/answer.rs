//! What becomes of an answer to a link test, a heartbeat or a canary.

use balefire_domain::ids::DutyItemId;
use balefire_domain::lane::{DutyKind, HoldReason, LaneEvent, Policy, step};
use balefire_domain::limits::LANES_PER_SWEEP_MAX;
use balefire_domain::link_test::{ProbeKind, Skew, SkewVerdict};
use balefire_domain::link_test::{is_answered_well, judge_skew, measure_skew};
use balefire_domain::provider::ProviderName;
use balefire_domain::time::Timestamp;

use super::LinkTests;
use crate::measure;
use crate::ports::{Database, LaneKey, ProbeKey, ProbeResult, ProbeTransaction, Probed, Stored};
use crate::ports::{Transaction, WayOut};
use crate::sweep::bounded;

/// What a question was answered, with what only this process needs of it.
pub(super) struct Judged {
    pub(super) result: ProbeResult,
    /// The function that was asked.
    proxy: String,
    skew: Option<Skew>,
}

impl Judged {
    /// What was never asked.
    pub(super) const fn unasked(result: ProbeResult) -> Self {
        Self {
            result,
            proxy: String::new(),
            skew: None,
        }
    }
}

impl<D, W> LinkTests<D, W>
where
    D: Database,
    D::Transaction: ProbeTransaction,
    W: WayOut,
{
    /// What an answer says of the way, and of the proxy's clock.
    pub(super) fn judge(
        &self,
        key: &ProbeKey,
        proxy: &str,
        asked_at: Timestamp,
        probed: Probed,
    ) -> Judged {
        let now = self.clock.now();
        let skew = probed
            .proxy
            .as_ref()
            .map(|says| measure_skew(asked_at, now, says.clock));
        if let Some(skew) = skew {
            self.log_skew(key, skew);
        }
        let result = ProbeResult {
            at: now,
            is_good: is_answered_well(probed.answered.outcome),
            detail: probed.answered.detail,
            skew_us: skew.map(|skew| skew.micros),
            boot_id: probed.proxy.and_then(|says| says.boot_id),
        };
        let took = now.since(asked_at);
        measure::note_probe(key, result.is_good, took);
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        log_answer(key, &result, ms);
        Judged {
            result,
            proxy: proxy.to_owned(),
            skew,
        }
    }

    /// Stores an answer and what follows; a link test that got through wakes what waits.
    pub(super) async fn store(
        &self,
        key: &ProbeKey,
        was: Option<&ProbeResult>,
        judged: &Judged,
    ) -> Stored<()> {
        bounded("probe.store", self.store_once(key, was, judged)).await?;
        if key.kind == ProbeKind::LinkTest
            && judged.result.is_good
            && let Ok(provider) = ProviderName::new(key.provider.clone())
        {
            self.heal(&provider).await?;
        }
        Ok(())
    }

    async fn store_once(
        &self,
        key: &ProbeKey,
        was: Option<&ProbeResult>,
        judged: &Judged,
    ) -> Stored<()> {
        let result = &judged.result;
        let mut tx = self.store.begin("probe.store", self.clock.now()).await?;
        tx.save_probe_result(key, result).await?;
        match key.kind {
            ProbeKind::LinkTest => {
                let (provider, route) = (&key.provider, &key.target);
                tx.save_route_test(provider, route, result.is_good, &result.detail)
                    .await?;
            }
            ProbeKind::Heartbeat if is_back(was, result) => {
                self.test_soon(&mut tx, key).await?;
            }
            ProbeKind::Heartbeat | ProbeKind::Canary => {}
        }
        let is_told = self.tell_skew(&mut tx, key, judged).await?;
        tx.commit().await?;
        if is_told {
            let kind = DutyKind::Clock;
            tracing::error!(
                event = "duty_item.opened",
                provider = key.provider,
                subject = subject_of(key, &judged.proxy),
                kind = kind.as_str(),
                advice = kind.advice(),
                "a person on duty is needed"
            );
        }
        Ok(())
    }

    /// A proxy that came back: what lies behind it is tested now, and not when it would be due.
    async fn test_soon(&self, tx: &mut D::Transaction, heartbeat: &ProbeKey) -> Stored<()> {
        let now = tx.now();
        for probe in tx.list_probes().await? {
            let key = &probe.key;
            let is_behind = key.kind == ProbeKind::LinkTest
                && key.provider == heartbeat.provider
                && is_behind(&key.target, &heartbeat.target);
            if is_behind && probe.due_at > now {
                tx.claim_probe(key, probe.due_at, now).await?;
            }
        }
        Ok(())
    }

    /// Opens or closes the duty item about a proxy's clock; whether it is new.
    async fn tell_skew(
        &self,
        tx: &mut D::Transaction,
        key: &ProbeKey,
        judged: &Judged,
    ) -> Stored<bool> {
        let Some(skew) = judged.skew else {
            return Ok(false);
        };
        let (kind, subject) = (DutyKind::Clock, subject_of(key, &judged.proxy));
        match judge_skew(skew, self.settings.figures.clock_skew) {
            SkewVerdict::TooLarge => {
                let id = DutyItemId::new(self.entropy.uuid_v7(tx.now()));
                let provider = Some(key.provider.as_str());
                tx.open_duty_item(id, kind, &subject, None, provider).await
            }
            SkewVerdict::Fine | SkewVerdict::Large => {
                let by = "the proxy's clock";
                tx.close_duty_item_of(kind, &subject, by).await?;
                Ok(false)
            }
        }
    }

    /// Wakes what waits for a provider, in the database: lane by lane, since nobody locks two
    /// lanes of different alerts.
    async fn heal(&self, provider: &ProviderName) -> Stored<()> {
        let waiting = bounded("probe.list_waiting", async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("probe.list_waiting", now).await?;
            tx.list_waiting_lanes(provider, LANES_PER_SWEEP_MAX).await
        })
        .await?;
        for lane in &waiting {
            bounded("probe.heal", self.heal_lane(&lane.key)).await?;
            self.wake.notify_one();
        }
        if !waiting.is_empty() {
            tracing::info!(
                event = "provider.healed", provider = %provider, lanes = waiting.len(),
                "a link test got through: what waits for this provider goes now"
            );
        }
        Ok(())
    }

    async fn heal_lane(&self, key: &LaneKey) -> Stored<()> {
        let mut tx = self.store.begin("probe.heal", self.clock.now()).await?;
        let Some(lane) = tx.lock_lane(key).await? else {
            return Ok(());
        };
        let mut conditions = tx.load_conditions(&key.provider).await?;
        if self.clock.was_ahead_at(tx.now()) {
            return Ok(()); // The lane wakes by itself, or with the next test.
        }
        if !self.clock.is_trusted() {
            conditions.hold = Some(HoldReason::Clock);
        }
        let settings = &self.settings;
        let profile = settings.profiles.get(&key.provider);
        let policy = Policy::of(
            &settings.figures,
            profile,
            settings.is_cbc_enabled,
            &conditions,
        );
        let stepped = step(&lane, LaneEvent::ProviderHealed, tx.now(), &policy);
        tx.save_lane(key, &lane, &stepped.lane).await?;
        let now = tx.now();
        let mint = || DutyItemId::new(self.entropy.uuid_v7(now));
        for (kind, delivery) in tx.apply_duties(key, &stepped.effects, &mint).await? {
            crate::settle::log_duty(key, kind, delivery);
        }
        tx.commit().await
    }

    fn log_skew(&self, key: &ProbeKey, skew: Skew) {
        if judge_skew(skew, self.settings.figures.clock_skew) == SkewVerdict::Fine {
            return;
        }
        tracing::warn!(
            event = "proxy.clock_differs",
            provider = key.provider,
            route = key.target,
            ahead_ms = skew.micros / 1000,
            uncertain_ms = u64::try_from(skew.uncertainty.as_millis()).unwrap_or(u64::MAX),
            "a proxy's clock differs from ours by more than half of dispatch.clock_skew_seconds"
        );
    }
}

/// Whether a proxy came back: it answers again, or is another start of it.
fn is_back(was: Option<&ProbeResult>, is: &ProbeResult) -> bool {
    was.is_some_and(|was| is.is_good && (!was.is_good || was.boot_id != is.boot_id))
}

/// Whether this route leads through this proxy.
fn is_behind(route: &str, proxy: &str) -> bool {
    let site = route.strip_prefix(proxy);
    site.is_some_and(|site| site.is_empty() || site.starts_with('/'))
}

/// What a duty item about the clock of this proxy is about.
fn subject_of(key: &ProbeKey, proxy: &str) -> String {
    format!("proxy {}/{proxy}", key.provider)
}

fn log_answer(key: &ProbeKey, result: &ProbeResult, ms: u64) {
    let event = match key.kind {
        ProbeKind::LinkTest => "link_test.answered",
        ProbeKind::Heartbeat => "heartbeat.answered",
        ProbeKind::Canary => "canary.answered",
    };
    let (provider, route, detail) = (&key.provider, &key.target, &result.detail);
    if !result.is_good {
        tracing::warn!(
            event,
            provider,
            route,
            ok = false,
            ms,
            detail,
            "the way is not open"
        );
    } else if key.kind == ProbeKind::Heartbeat {
        tracing::debug!(event, provider, route, ok = true, ms, "a proxy is there");
    } else {
        tracing::info!(
            event,
            provider,
            route,
            ok = true,
            ms,
            detail,
            "the way is open"
        );
    }
}
