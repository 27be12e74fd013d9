//! The second person's yes or no to a proposed update (D14, ADR 17).
//!
//! A yes is one transaction: the alert takes the content and the version, the event `update` has
//! the next `seq`, every lane of the alert gets what its provider can take, and the audit entry is
//! written. A provider that takes updates gets one delivery, rendered as an alert: only its first
//! attempt can tell whether there is anything to update. Another gets a cancel and above it the
//! alert with the new content. Which lanes is for the alert to say, not for today's configuration:
//! a lane whose provider is gone gets its deliveries too, and holds them (D4).

use balefire_domain::approval::ApprovalRefusal;
use balefire_domain::audit::Actor;
use balefire_domain::lane::{Kind, Lane};
use balefire_domain::provider::{Capabilities, Format, Languages, Limits, Profile, ProviderName};
use balefire_domain::update::{self, ProposedUpdate, UpdateState};
use balefire_store::alert_updates::AlertUpdate;
use balefire_store::alerts::Alert;
use balefire_store::deliveries::Frozen;
use balefire_store::events::Event;
use balefire_store::lanes::LaneKey;
use balefire_store::services::Service;
use balefire_store::{StoreError, Tx, crash_point};
use serde_json::json;
use std::time::Duration;

use crate::approved::Approved;
use crate::move_alert::{Move, MoveRefusal};
use crate::propose_update::{Frame, load_frame};
use crate::{Act, App, Failure, areas};

impl App {
    #[tracing::instrument(name = "alert.approve_update", skip_all, fields(alert.id = %alert.id))]
    pub(crate) async fn approve_update_in(
        &self,
        tx: &mut Tx,
        mut alert: Alert,
        service: &Service,
        update: &AlertUpdate,
        asked: &Move,
    ) -> Result<Alert, Failure<MoveRefusal>> {
        if !self.clock.is_trusted() {
            return Err(Failure::Refused(MoveRefusal::ClockInDoubt));
        }
        let frame = load_frame(tx, &alert, service).await?;
        let proposed = self.proposed(&alert, update, &frame, tx);
        let makes_event = update::decide(&proposed, service.mode, asked.by, &asked.seen, tx.now)
            .map_err(|refusal| Failure::Refused(MoveRefusal::Approval(refusal)))?;
        tx.end_update(update, UpdateState::Approved, Some(asked.by), None)
            .await?;
        let before = alert.version;
        alert.take(update);
        alert.updated_at = Some(tx.now);
        alert.updated_by = update.created_by.or(alert.updated_by);
        let mut seq = None;
        if makes_event {
            let approved = Approved {
                kind: Kind::Update,
                channel: frame.channel,
                finishes_at: proposed.finishes_at,
                hash: &proposed.hash,
            };
            let event = self.freeze(&mut alert, &approved, tx);
            seq = Some(event.seq);
            self.insert_event(tx, &event).await?;
            self.deliver_update(tx, &event).await?;
            self.enqueue_update_comment(tx, &event, update.version, asked.by, &frame.providers)
                .await?;
        }
        tx.update_alert(&alert).await?;
        let details = json!({
            "version": proposed.version, "hash": proposed.hash, "stubbed": alert.is_stubbed,
            "channel": frame.channel.as_str(), "providers": frame.providers, "seq": seq,
        });
        let object = format!("alert {}", alert.id);
        let act = Act::new(Actor::User(asked.by), "alert.approve_update", object)
            .of(Some(alert.service_id))
            .with(details)
            .changing(
                json!({ "version": before, "update": UpdateState::Open.as_str() }),
                json!({ "version": alert.version, "update": UpdateState::Approved.as_str() }),
            );
        self.audit_act(tx, act).await?;
        crash_point("approve_update.before_commit");
        Ok(alert)
    }

    /// A no to a proposed update: the alert stays as it is.
    pub(crate) async fn reject_update_in(
        &self,
        tx: &mut Tx,
        alert: Alert,
        service: &Service,
        update: &AlertUpdate,
        asked: &Move,
    ) -> Result<Alert, Failure<MoveRefusal>> {
        let frame = load_frame(tx, &alert, service).await?;
        let hash = self.update_hash(update, &frame);
        if asked.seen.is_stale(update.version, &hash) {
            let stale = MoveRefusal::Approval(ApprovalRefusal::Stale);
            return Err(Failure::Refused(stale));
        }
        let reason = asked.reason.as_deref();
        tx.end_update(update, UpdateState::Rejected, Some(asked.by), reason)
            .await?;
        let details = json!({ "version": update.version, "reason": reason });
        let object = format!("alert {}", alert.id);
        let act = Act::new(Actor::User(asked.by), "alert.reject_update", object)
            .of(Some(alert.service_id))
            .with(details)
            .changing(
                json!({ "update": UpdateState::Open.as_str() }),
                json!({ "update": UpdateState::Rejected.as_str() }),
            );
        self.audit_act(tx, act).await?;
        Ok(alert)
    }

    fn proposed(
        &self,
        alert: &Alert,
        update: &AlertUpdate,
        frame: &Frame,
        tx: &Tx,
    ) -> ProposedUpdate {
        ProposedUpdate {
            is_stubbed: alert.is_stubbed,
            proposer: update.created_by,
            version: update.version,
            hash: self.update_hash(update, frame),
            polygons: areas::polygons(&update.areas).len(),
            // The schema admits no broadcasting alert without an end.
            finishes_at: alert.finishes_at.unwrap_or(tx.now),
        }
    }

    async fn deliver_update(&self, tx: &mut Tx, event: &Event) -> Result<(), Failure<MoveRefusal>> {
        let lanes = tx.list_lanes(event.alert_id).await?;
        if lanes.is_empty() {
            tracing::warn!(
                event = "event.not_sent", alert.id = %event.alert_id, event.seq = event.seq,
                "the alert was approved with cbc.enabled = false: no provider is told"
            );
            return Ok(());
        }
        for key in lanes {
            let Some(lane) = tx.lock_lane(&key).await? else {
                continue;
            };
            self.update_lane(tx, event, &key, lane).await?;
        }
        tx.wake_dispatchers().await?;
        Ok(())
    }

    /// One delivery, or two, in this order, above everything that the lane has.
    async fn update_lane(
        &self,
        tx: &mut Tx,
        event: &Event,
        key: &LaneKey,
        mut lane: Lane,
    ) -> Result<(), Failure<MoveRefusal>> {
        let has_number = has_message_number(tx, &lane).await?;
        let known = self.settings.profile(&key.provider);
        let profile = match known {
            Some(profile) => profile.clone(),
            None => forgotten(&key.provider, has_number),
        };
        let mut kind = Kind::Update;
        if !profile.capabilities.update {
            let cancel = self.new_delivery(event, Kind::Cancel, &lane);
            let message_number = if has_number {
                Some(tx.next_message_number().await?)
            } else {
                None
            };
            let frozen = Frozen {
                event_id: event.id,
                sent_at: event.created_at,
                message_number,
                payload: None,
            };
            lane = self.issue(tx, key, &lane, cancel, &frozen).await?;
            kind = Kind::Alert;
        }
        self.issue_text(tx, key, &lane, event, kind, &profile).await
    }
}

/// Whether the lane's messages carry numbers, as its first delivery has it.
pub(crate) async fn has_message_number(tx: &mut Tx, lane: &Lane) -> Result<bool, StoreError> {
    let Some(first) = lane.deliveries.first() else {
        return Ok(false);
    };
    let frozen = tx.load_frozen(first.id).await?;
    Ok(frozen.is_some_and(|frozen| frozen.message_number.is_some()))
}

/// What is known of a provider that the configuration has no more: what its lane was sent.
fn forgotten(name: &ProviderName, has_number: bool) -> Profile {
    let format = if has_number {
        Format::Ibag
    } else {
        Format::Cap
    };
    Profile {
        name: name.clone(),
        format,
        routes: Vec::new(),
        capabilities: Capabilities {
            dedup: false,
            shared_sites: false,
            update: false,
            second_language: false,
            success_is_accepted: false,
            own_protocol: false,
        },
        upstream_timeout: Duration::ZERO,
        languages: Languages::of(format),
        limits: Limits::default(),
    }
}
