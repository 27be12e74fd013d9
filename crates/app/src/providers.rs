//! Pausing and resuming a provider, and what is known of its routes (D4, D17, D19).
//!
//! A pause is a row in the database that every process reads in the transaction that would send:
//! alerts are held from the next attempt on, what is under way is awaited, cancels go.

use std::time::Duration;

use balefire_domain::audit::Actor;
use balefire_domain::ids::{DutyItemId, UserId};
use balefire_domain::lane::DutyKind;
use balefire_domain::provider::ProviderName;
use balefire_store::probes::Probe;
use balefire_store::provider_pauses::ProviderPause;
use balefire_store::{StoreError, Tx};
use serde_json::{Value, json};

use crate::{Act, App, Failure, repeat};

/// How long a pause may hold alerts before a person is told.
pub const PAUSE_UNTOLD_MAX: Duration = Duration::from_secs(120);

/// What a person does to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderAct {
    /// Hold its alerts.
    Pause {
        /// Why.
        reason: Option<String>,
    },
    /// Let them go.
    Resume,
}

impl ProviderAct {
    const fn action(&self) -> &'static str {
        match self {
            Self::Pause { .. } => "provider.pause",
            Self::Resume => "provider.resume",
        }
    }
}

/// What came, or would come, of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProviderChange {
    /// Something changed; otherwise it was so already.
    pub is_changed: bool,
    /// The alerts that have not been accepted: held by a pause, sent after it.
    pub waiting_alerts: u32,
}

/// Why a provider was neither paused nor resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderRefusal {
    /// A provider serves every service: only a platform administrator may.
    NotAnAdministrator,
}

impl App {
    /// Pauses or resumes a provider, or with `is_dry_run` says what that would do. The lanes that
    /// a pause held become due in the same transaction.
    pub async fn change_provider(
        &self,
        by: UserId,
        provider: &ProviderName,
        act: &ProviderAct,
        is_dry_run: bool,
    ) -> Result<ProviderChange, Failure<ProviderRefusal>> {
        let once = || self.change_provider_once(by, provider, act, is_dry_run);
        let change = repeat(once).await;
        if let Err(Failure::Refused(ProviderRefusal::NotAnAdministrator)) = change {
            let object = format!("provider {provider}");
            let act = Act::new(Actor::User(by), act.action(), object);
            self.audit_refusal(act, "not_an_administrator").await;
        }
        let change = change?;
        self.wake.notify_one();
        Ok(change)
    }

    async fn change_provider_once(
        &self,
        by: UserId,
        provider: &ProviderName,
        act: &ProviderAct,
        is_dry_run: bool,
    ) -> Result<ProviderChange, Failure<ProviderRefusal>> {
        let mut tx = self
            .store
            .begin("change_provider", self.clock.now())
            .await?;
        let user = tx.load_user(by).await?;
        if !user.is_some_and(|user| user.is_platform_admin) {
            return Err(Failure::Refused(ProviderRefusal::NotAnAdministrator));
        }
        let waiting_alerts = tx.count_waiting_alerts(provider).await?;
        let (is_changed, details) = match act {
            ProviderAct::Pause { reason } => {
                let is_new = tx.pause_provider(provider, by, reason.as_deref()).await?;
                (is_new, json!({ "reason": reason }))
            }
            ProviderAct::Resume => {
                let was_paused = tx.resume_provider(provider).await?;
                self.close_pause_item(&mut tx, provider).await?;
                (was_paused, json!({}))
            }
        };
        let change = ProviderChange {
            is_changed,
            waiting_alerts,
        };
        if is_changed && !is_dry_run {
            let is_paused = matches!(act, ProviderAct::Pause { .. });
            let action = act.action();
            let act = Act::new(Actor::User(by), action, format!("provider {provider}"))
                .with(details)
                .changing(
                    json!({ "paused": !is_paused }),
                    json!({ "paused": is_paused }),
                );
            self.audit_act(&mut tx, act).await?;
            tx.commit().await?;
            tracing::info!(
                event = "provider.changed", action, provider = %provider, user.id = %by,
                alerts = waiting_alerts, "a provider was paused or resumed"
            );
        }
        Ok(change)
    }

    async fn close_pause_item(
        &self,
        tx: &mut Tx,
        provider: &ProviderName,
    ) -> Result<(), StoreError> {
        let (kind, subject) = (DutyKind::ProviderPaused, format!("provider {provider}"));
        tx.close_duty_item_of(kind, &subject, "the resumption")
            .await
            .map(drop)
    }

    /// Tells the person on duty of pauses that have held alerts for a while (F59).
    pub async fn watch_pauses(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin_read("list_pauses", now).await?;
        let mut untold = Vec::new();
        for pause in tx.list_provider_pauses().await? {
            let is_long = now.since(pause.paused_at) >= PAUSE_UNTOLD_MAX;
            if is_long && tx.count_held_by_pause(&pause.provider).await? > 0 {
                untold.push(pause.provider);
            }
        }
        drop(tx);
        for provider in untold {
            self.tell_of_pause(&provider).await?;
        }
        Ok(())
    }

    async fn tell_of_pause(&self, provider: &ProviderName) -> Result<(), StoreError> {
        let (kind, subject) = (DutyKind::ProviderPaused, format!("provider {provider}"));
        let mut tx = self.store.begin("tell_of_pause", self.clock.now()).await?;
        let is_resumed = !tx.load_conditions(provider).await?.is_paused;
        if is_resumed {
            return Ok(());
        }
        let id = DutyItemId::new(self.entropy.uuid_v7(tx.now));
        let name = Some(provider.as_str());
        let is_new = tx.open_duty_item(id, kind, &subject, None, name).await?;
        if is_new {
            tx.commit().await?;
            tracing::error!(
                event = "duty_item.opened", provider = %provider, subject, kind = kind.as_str(),
                advice = kind.advice(), "a person on duty is needed"
            );
        }
        Ok(())
    }

    /// The providers that are paused now.
    pub async fn list_provider_pauses(&self) -> Result<Vec<ProviderPause>, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin_read("list_provider_pauses", now).await?;
        tx.list_provider_pauses().await
    }

    /// What link tests, heartbeats and the canary were answered last.
    pub async fn list_probes(&self) -> Result<Vec<Probe>, StoreError> {
        let mut tx = self
            .store
            .begin_read("list_probes", self.clock.now())
            .await?;
        tx.list_probes().await
    }

    /// Notes that somebody had link tests made.
    pub async fn note_link_test(
        &self,
        actor: Actor,
        object: String,
        details: Value,
    ) -> Result<(), StoreError> {
        let mut tx = self.store.begin("note_link_test", self.clock.now()).await?;
        self.audit(&mut tx, actor, "provider.link_test", object, None, details)
            .await?;
        tx.commit().await
    }
}
