//! The approval: the alert's state, its event, one delivery per provider with the bytes that will
//! be sent, and the audit entry, in one transaction (D1, D2, D3).

use std::time::Duration;

use balefire_domain::alert::Status;
use balefire_domain::approval::{self, Proposal, Setting};
use balefire_domain::audit::Actor;
use balefire_domain::lane::{Kind, Lane};
use balefire_domain::provider::ProviderName;
use balefire_store::alerts::Alert;
use balefire_store::events::Event;
use balefire_store::lanes::LaneKey;
use balefire_store::services::Service;
use balefire_store::{StoreError, Tx, crash_point};
use serde_json::json;

use crate::approved::{Approved, Said};
use crate::move_alert::{Move, MoveRefusal, check_filled, of_alert};
use crate::{App, Failure, areas};

impl App {
    /// The hash of what an approver would now approve (D51).
    pub fn content_hash(&self, alert: &Alert, service: &Service) -> String {
        let providers = self.settings.providers_of(service);
        let said = Said {
            text: &alert.text,
            second: alert.second.as_ref(),
            areas: &alert.areas,
            extra_content: alert.extra_content.as_deref(),
        };
        self.hash_of(&said, service.channel, &providers)
    }

    #[tracing::instrument(name = "alert.approve", skip_all, fields(alert.id = %alert.id))]
    pub(crate) async fn approve_in(
        &self,
        tx: &mut Tx,
        mut alert: Alert,
        service: &Service,
        asked: &Move,
    ) -> Result<Alert, Failure<MoveRefusal>> {
        if !self.clock.is_trusted() {
            return Err(Failure::Refused(MoveRefusal::ClockInDoubt));
        }
        check_filled(&alert)?;
        let proposal = self.proposal(tx, &alert, service).await?;
        let setting = Setting {
            mode: service.mode,
            channel: service.channel,
            providers: self.settings.providers_of(service),
            is_cbc_enabled: self.settings.is_cbc_enabled,
        };
        let approval = approval::decide(&proposal, &setting, asked.by, &asked.seen, tx.now)
            .map_err(|refusal| Failure::Refused(MoveRefusal::Approval(refusal)))?;
        let from = alert.status;
        alert.status = Status::Broadcasting;
        alert.approved_at = Some(tx.now);
        alert.approved_by = Some(asked.by);
        alert.updated_at = Some(tx.now);
        alert.starts_at = Some(approval.starts_at);
        alert.finishes_at = Some(approval.finishes_at);
        let mut providers = Vec::new();
        if approval.makes_event {
            let approved = Approved {
                kind: Kind::Alert,
                channel: service.channel,
                finishes_at: approval.finishes_at,
                hash: &proposal.hash,
            };
            let event = self.freeze(&mut alert, &approved, tx);
            self.insert_event(tx, &event).await?;
            providers = self.deliver_to(tx, &event, &setting).await?;
            self.enqueue_ticket(tx, &alert, service, asked.by, &event, &providers)
                .await?;
        }
        tx.update_alert(&alert).await?;
        let details = json!({
            "version": proposal.version, "hash": proposal.hash, "stubbed": alert.is_stubbed,
            "channel": service.channel.as_str(), "providers": providers,
        });
        let act = of_alert(&alert, Actor::User(asked.by), "alert.approve", from).with(details);
        self.audit_act(tx, act).await?;
        crash_point("approve.before_commit");
        Ok(alert)
    }

    pub(crate) async fn proposal(
        &self,
        tx: &mut Tx,
        alert: &Alert,
        service: &Service,
    ) -> Result<Proposal, StoreError> {
        let duration = alert.duration_us.and_then(|us| u64::try_from(us).ok());
        Ok(Proposal {
            is_stubbed: alert.is_stubbed,
            creator: alert.created_by,
            submitter: alert.submitted_by,
            editors: tx.list_editors(alert.id).await?,
            version: alert.version,
            hash: self.content_hash(alert, service),
            polygons: areas::polygons(&alert.areas).len(),
            starts_at: alert.starts_at,
            finishes_at: alert.finishes_at,
            duration: duration.map(Duration::from_micros),
        })
    }

    /// Makes the lanes and deliveries of an alert's event; the providers that it goes to.
    async fn deliver_to(
        &self,
        tx: &mut Tx,
        event: &Event,
        setting: &Setting,
    ) -> Result<Vec<ProviderName>, Failure<MoveRefusal>> {
        if !setting.is_cbc_enabled {
            tracing::warn!(
                event = "event.not_sent", alert.id = %event.alert_id, event.seq = event.seq,
                "cbc.enabled is false: the alert is approved, and no provider is told"
            );
            return Ok(Vec::new());
        }
        for name in &setting.providers {
            let profile = self
                .settings
                .profile(name)
                .expect("only profiles are listed");
            let key = LaneKey {
                alert_id: event.alert_id,
                provider: name.clone(),
            };
            tx.insert_lane(&key, event.finishes_at).await?;
            let lane = Lane::new(event.finishes_at);
            self.issue_text(tx, &key, &lane, event, event.kind, profile)
                .await?;
        }
        tx.wake_dispatchers().await?;
        Ok(setting.providers.clone())
    }
}
