//! The approval: the alert's state, its event, one delivery per provider with the bytes that will
//! be sent, and the audit entry, in one transaction (D1, D2, D3).

use std::time::Duration;

use balefire_cell_broadcast::{AlertText, Language};
use balefire_domain::alert::Status;
use balefire_domain::approval::{self, Approval, Content, Proposal, Setting};
use balefire_domain::audit::Actor;
use balefire_domain::ids::EventId;
use balefire_domain::lane::{Kind, Lane};
use balefire_domain::payload::{self, AlertContent};
use balefire_domain::provider::{Format, Profile, ProviderName};
use balefire_store::alerts::Alert;
use balefire_store::deliveries::Frozen;
use balefire_store::events::Event;
use balefire_store::lanes::LaneKey;
use balefire_store::services::Service;
use balefire_store::{StoreError, Tx, crash_point};
use serde_json::json;

use crate::move_alert::{Move, MoveRefusal};
use crate::{App, Failure, areas};

impl App {
    /// The hash of what an approver would now approve (D51).
    pub fn content_hash(&self, alert: &Alert, service: &Service) -> String {
        let providers = self.settings.providers_of(service);
        let language = if self.is_welsh(&alert.text) {
            "welsh"
        } else {
            "english"
        };
        approval::content_hash(&Content {
            text: &alert.text,
            polygons: &areas::polygons(&alert.areas),
            area_names: &areas::names(&alert.areas),
            channel: service.channel,
            providers: &providers,
            language,
            second: alert.second.as_ref(),
            extra_content: alert.extra_content.as_deref(),
        })
    }

    pub(crate) fn is_welsh(&self, text: &str) -> bool {
        AlertText::normalise(text, self.settings.scripts)
            .is_ok_and(|text| text.language() == Language::Welsh)
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
        let proposal = self.proposal(tx, &alert, service).await?;
        let setting = Setting {
            mode: service.mode,
            channel: service.channel,
            providers: self.settings.providers_of(service),
            is_cbc_enabled: self.settings.is_cbc_enabled,
        };
        let approval = approval::decide(&proposal, &setting, asked.by, &asked.seen, tx.now)
            .map_err(|refusal| Failure::Refused(MoveRefusal::Approval(refusal)))?;
        alert.status = Status::Broadcasting;
        alert.approved_at = Some(tx.now);
        alert.approved_by = Some(asked.by);
        alert.updated_at = Some(tx.now);
        alert.starts_at = Some(approval.starts_at);
        alert.finishes_at = Some(approval.finishes_at);
        let mut providers = Vec::new();
        if approval.makes_event {
            let event = self.new_event(&mut alert, service, &proposal, approval, tx);
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
        let (object, service_id) = (format!("alert {}", alert.id), Some(alert.service_id));
        let actor = Actor::User(asked.by);
        self.audit(tx, actor, "alert.approve", object, service_id, details)
            .await?;
        crash_point("approve.before_commit");
        Ok(alert)
    }

    async fn proposal(
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

    fn new_event(
        &self,
        alert: &mut Alert,
        service: &Service,
        proposal: &Proposal,
        approval: Approval,
        tx: &Tx,
    ) -> Event {
        let seq = alert.next_seq;
        alert.next_seq += 1;
        Event {
            id: EventId::new(self.entropy.uuid_v7(tx.now)),
            alert_id: alert.id,
            seq,
            kind: Kind::Alert,
            created_at: tx.now,
            finishes_at: approval.finishes_at,
            channel: service.channel,
            text: alert.text.clone(),
            second: alert.second.clone(),
            areas: alert.areas.clone(),
            content_hash: proposal.hash.clone(),
        }
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
        let polygons = areas::polygons(&event.areas);
        let content = AlertContent {
            headline: &self.settings.headline,
            text: &event.text,
            is_welsh: self.is_welsh(&event.text),
            second: event.second.as_ref(),
            polygons: &polygons,
            sent: event.created_at,
            expires: event.finishes_at,
            channel: event.channel,
        };
        for name in &setting.providers {
            let profile = self
                .settings
                .profile(name)
                .expect("only profiles are listed");
            self.deliver_alert(tx, event, profile, &content).await?;
        }
        tx.wake_dispatchers().await?;
        Ok(setting.providers.clone())
    }

    async fn deliver_alert(
        &self,
        tx: &mut Tx,
        event: &Event,
        profile: &Profile,
        content: &AlertContent<'_>,
    ) -> Result<(), Failure<MoveRefusal>> {
        let polygons = fitted(event, profile, content)?;
        let content = AlertContent {
            polygons: &polygons,
            ..*content
        };
        let key = LaneKey {
            alert_id: event.alert_id,
            provider: profile.name.clone(),
        };
        tx.insert_lane(&key, event.finishes_at).await?;
        let lane = Lane::new(event.finishes_at);
        let delivery = self.new_delivery(event, event.kind, &lane);
        let message_number = match profile.format {
            Format::Cap => None,
            Format::Ibag => Some(tx.next_message_number().await?),
        };
        let payload = payload::render_alert(profile, delivery.id, message_number, &content);
        let frozen = Frozen {
            event_id: event.id,
            sent_at: event.created_at,
            message_number,
            payload: Some(payload),
        };
        self.issue(tx, &key, &lane, delivery, &frozen).await?;
        Ok(())
    }
}

/// The event's polygons as the provider takes them.
pub(crate) fn fitted(
    event: &Event,
    profile: &Profile,
    content: &AlertContent<'_>,
) -> Result<areas::Polygons, Failure<MoveRefusal>> {
    let fitted = areas::fitted(content.polygons, &profile.limits).map_err(|unfit| {
        let provider = profile.name.clone();
        Failure::Refused(MoveRefusal::Unfit { provider, unfit })
    })?;
    if fitted != content.polygons {
        tracing::info!(
            event = "areas.fitted", alert.id = %event.alert_id, event.seq = event.seq,
            provider = %profile.name, points = fitted.iter().map(Vec::len).sum::<usize>(),
            "the area was made simpler for this provider; the whole of it is covered"
        );
    }
    Ok(fitted)
}
