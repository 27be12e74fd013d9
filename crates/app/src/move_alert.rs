//! Moving an alert to another state, by a person (R36 to R41, D9, D40); and saying yes or no to a
//! proposed update of one that is broadcasting, which moves nothing (ADR 17).
//!
//! Order of checks: 1. the alert exists; 2. the service may act (a cancel always may); 3. the
//! person exists; 4. and belongs to the service (a platform administrator may cancel) with the
//! permission that the move asks for (`domain::permission`); 5. the move is one of D9's table, or
//! decides about a proposed update; 6. the rules of submission or approval.

use balefire_cell_broadcast::{TextRefusal, placeholder_at};
use balefire_domain::alert::{Mode, Mover, ServiceState, Status};
use balefire_domain::approval::{ApprovalRefusal, Seen};
use balefire_domain::audit::Actor;
use balefire_domain::ids::{AlertId, EditReasonId, ServiceId, UserId};
use balefire_domain::permission::{Denial, deed_of_move};
use balefire_domain::provider::ProviderName;
use balefire_geometry::Unfit;
use balefire_store::StoreError;
use balefire_store::alert_updates::AlertUpdate;
use balefire_store::alerts::Alert;
use balefire_store::edit_reasons::EditReason;
use balefire_store::services::Service;
use balefire_store::{Tx, crash_point};
use serde_json::{Value, json};

use crate::refused::{NotAllowed, check_deed};
use crate::repeatable::{self, RequestKey};
use crate::{Act, App, Failure, areas, repeat};

/// Where a move is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Api,
    CommandLine,
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Move {
    /// The new state.
    pub to: Status,
    /// Who asks.
    pub by: UserId,
    /// Why, for a rejection, and for giving it back to be edited.
    pub reason: Option<String>,
    /// What the approver says to have seen.
    pub seen: Seen,
    /// Which request it is, where the client says so.
    pub request: Option<RequestKey>,
}

/// Why it was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MoveRefusal {
    /// No such alert of this service (404).
    NotFound,
    /// The service is suspended or archived (403).
    ServiceInactive,
    /// No such person (404).
    UserNotFound,
    /// The person may not do this in the service.
    Denied(Denial),
    /// D9's table has no such move.
    IllegalMove {
        /// From here.
        from: Status,
        /// To there.
        to: Status,
    },
    /// Submitted without polygons on a live service.
    NoAreas,
    /// What a person wrote can't be sent.
    Text(TextRefusal),
    /// The approval does not count.
    Approval(ApprovalRefusal),
    /// A provider can't take the area, nor any simpler one that covers it.
    Unfit {
        /// Which provider.
        provider: ProviderName,
        /// What the area has and what the provider takes.
        unfit: Unfit,
    },
    /// Our clock is in doubt: the alert's times would be wrong with it (503, D35).
    ClockInDoubt,
}

type Refused = Failure<MoveRefusal>;

impl App {
    /// Moves an alert. On success the alert as it now is; what follows from an approval or a
    /// cancel is committed with it.
    pub async fn move_alert(
        &self,
        service: ServiceId,
        alert: AlertId,
        asked: &Move,
    ) -> Result<Alert, Refused> {
        self.move_alert_from(Origin::Api, service, alert, asked)
            .await
    }

    /// As [`App::move_alert`], on the command line: there a member may cancel for an archived
    /// service too (D40).
    pub async fn move_alert_by_command(
        &self,
        service: ServiceId,
        alert: AlertId,
        asked: &Move,
    ) -> Result<Alert, Refused> {
        self.move_alert_from(Origin::CommandLine, service, alert, asked)
            .await
    }

    async fn move_alert_from(
        &self,
        origin: Origin,
        service: ServiceId,
        alert: AlertId,
        asked: &Move,
    ) -> Result<Alert, Refused> {
        let moved = repeat(|| self.move_alert_once(origin, service, alert, asked)).await;
        match &moved {
            Ok(moved) => self.wake(moved.id),
            Err(Failure::Refused(refusal)) => {
                self.keep_refused_move(service, alert, asked, refusal).await;
            }
            Err(Failure::Store(_)) => {}
        }
        moved
    }

    async fn move_alert_once(
        &self,
        origin: Origin,
        service_id: ServiceId,
        id: AlertId,
        asked: &Move,
    ) -> Result<Alert, Refused> {
        let mut tx = self.store.begin("move_alert", self.clock.now()).await?;
        let alert = tx
            .lock_alert(id)
            .await?
            .filter(|alert| alert.service_id == service_id);
        let service = tx.load_service(service_id).await?;
        let (Some(alert), Some(service)) = (alert, service) else {
            return Err(Failure::Refused(MoveRefusal::NotFound));
        };
        check_person(&mut tx, &service, &alert, asked, origin).await?;
        let from = alert.status;
        let decides_update = matches!(
            (from, asked.to),
            (
                Status::Broadcasting,
                Status::Broadcasting | Status::Rejected
            )
        );
        if decides_update && let Some(update) = tx.load_open_update(id).await? {
            return self
                .decide_update(tx, alert, &service, &update, asked)
                .await;
        }
        if !from.may_move(asked.to, Mover::Person) {
            return Err(Failure::Refused(MoveRefusal::IllegalMove {
                from,
                to: asked.to,
            }));
        }
        let actor = Actor::User(asked.by);
        let moved = match asked.to {
            Status::Broadcasting => self.approve_in(&mut tx, alert, &service, asked).await?,
            Status::Cancelled => self.cancel_in(&mut tx, alert, actor, json!({})).await?,
            Status::Rejected => {
                let reason = asked.reason.clone();
                self.reject_in(&mut tx, alert, actor, reason, json!({}))
                    .await?
            }
            Status::PendingApproval => self.submit_in(&mut tx, alert, &service, asked.by).await?,
            Status::Draft => self.relabel_in(&mut tx, alert, asked.to, asked.by).await?,
            Status::Returned => self.return_in(&mut tx, alert, asked).await?,
            Status::Completed | Status::TechnicalFailure => {
                unreachable!("no person may move an alert there")
            }
        };
        repeatable::note(&mut tx, asked.request.as_ref(), &moved).await?;
        tx.commit().await?;
        match asked.to {
            Status::Broadcasting => crash_point("approve.committed"),
            Status::Cancelled => crash_point("cancel.committed"),
            _ => {}
        }
        tracing::info!(
            event = "alert.moved", alert.id = %id, from = from.as_str(), to = asked.to.as_str(),
            user.id = %asked.by, "an alert moved to another state"
        );
        if asked.to == Status::Broadcasting {
            self.tell_live(&moved, &service, asked.by);
        }
        Ok(moved)
    }

    /// In the live environment whoever reads the log must hear of what goes on the air.
    fn tell_live(&self, alert: &Alert, service: &Service, by: UserId) {
        if self.settings.is_live && !alert.is_stubbed {
            tracing::error!(
                event = "alert.live", alert.id = %alert.id, service.id = %service.id,
                channel = service.channel.as_str(), user.id = %by, version = alert.version,
                "a live alert was approved; if nobody expects it, cancel it"
            );
        }
    }

    async fn decide_update(
        &self,
        mut tx: Tx,
        alert: Alert,
        service: &Service,
        update: &AlertUpdate,
        asked: &Move,
    ) -> Result<Alert, Refused> {
        let is_yes = asked.to == Status::Broadcasting;
        let decided = if is_yes {
            self.approve_update_in(&mut tx, alert, service, update, asked)
                .await?
        } else {
            self.reject_update_in(&mut tx, alert, service, update, asked)
                .await?
        };
        repeatable::note(&mut tx, asked.request.as_ref(), &decided).await?;
        tx.commit().await?;
        crash_point("approve_update.committed");
        tracing::info!(
            event = "alert.update_decided", alert.id = %decided.id, version = update.version,
            approved = is_yes, user.id = %asked.by, "a proposed update was approved or rejected"
        );
        if is_yes {
            self.tell_live(&decided, service, asked.by);
        }
        Ok(decided)
    }

    async fn submit_in(
        &self,
        tx: &mut Tx,
        mut alert: Alert,
        service: &Service,
        by: UserId,
    ) -> Result<Alert, Refused> {
        check_filled(&alert)?;
        if service.mode == Mode::Live && areas::polygons(&alert.areas).is_empty() {
            return Err(Failure::Refused(MoveRefusal::NoAreas));
        }
        alert.submitted_at = Some(tx.now);
        alert.submitted_by = Some(by);
        Ok(self
            .relabel_in(tx, alert, Status::PendingApproval, by)
            .await?)
    }

    async fn return_in(
        &self,
        tx: &mut Tx,
        alert: Alert,
        asked: &Move,
    ) -> Result<Alert, StoreError> {
        if let Some(reason) = &asked.reason {
            tx.insert_edit_reason(&EditReason {
                id: EditReasonId::new(self.entropy.uuid_v7(tx.now)),
                alert_id: alert.id,
                reason: reason.clone(),
                created_at: tx.now,
                created_by: asked.by,
                submitted_at: alert.submitted_at,
                submitted_by: alert.submitted_by,
            })
            .await?;
        }
        self.relabel_in(tx, alert, Status::Returned, asked.by).await
    }

    async fn relabel_in(
        &self,
        tx: &mut Tx,
        mut alert: Alert,
        to: Status,
        by: UserId,
    ) -> Result<Alert, StoreError> {
        let from = alert.status;
        alert.status = to;
        alert.updated_at = Some(tx.now);
        alert.updated_by = Some(by);
        tx.update_alert(&alert).await?;
        let act = of_alert(&alert, Actor::User(by), "alert.move", from)
            .with(json!({ "from": from.as_str(), "to": to.as_str() }));
        self.audit_act(tx, act).await?;
        Ok(alert)
    }

    pub(crate) async fn reject_in(
        &self,
        tx: &mut Tx,
        mut alert: Alert,
        actor: Actor,
        reason: Option<String>,
        mut details: Value,
    ) -> Result<Alert, StoreError> {
        let from = alert.status;
        details["from"] = json!(from.as_str());
        details["reason"] = json!(reason);
        alert.status = Status::Rejected;
        alert.rejected_at = Some(tx.now);
        alert.updated_at = Some(tx.now);
        alert.rejection_reason = reason;
        (alert.rejected_by, alert.rejected_by_api_key_id) = match actor {
            Actor::User(user) => (Some(user), None),
            Actor::ApiKey(key) => (None, Some(key)),
            Actor::Client(_) | Actor::CommandLine | Actor::Clock => (None, None),
        };
        tx.update_alert(&alert).await?;
        let act = of_alert(&alert, actor, "alert.reject", from).with(details);
        self.audit_act(tx, act).await?;
        Ok(alert)
    }
}

/// Refuses what a person wrote and forgot to fill. In what a key posted it is plain text (D11).
pub(crate) fn check_filled(alert: &Alert) -> Result<(), Refused> {
    let unfilled = placeholder_at(&alert.text).filter(|_| alert.created_by.is_some());
    match unfilled {
        Some(position) => Err(Failure::Refused(MoveRefusal::Text(
            TextRefusal::Placeholder { position },
        ))),
        None => Ok(()),
    }
}

/// An act that moved an alert from this state.
pub(crate) fn of_alert(alert: &Alert, actor: Actor, action: &'static str, from: Status) -> Act {
    Act::new(actor, action, format!("alert {}", alert.id))
        .of(Some(alert.service_id))
        .changing(
            json!({ "status": from.as_str() }),
            json!({ "status": alert.status.as_str() }),
        )
}

pub(crate) async fn check_person(
    tx: &mut Tx,
    service: &Service,
    alert: &Alert,
    asked: &Move,
    origin: Origin,
) -> Result<(), Refused> {
    let is_cancel = asked.to == Status::Cancelled;
    let may_act = match service.state {
        ServiceState::Active => true,
        // Of an archived service only a platform administrator or the command line may stop an
        // alert (D40).
        ServiceState::Suspended | ServiceState::Archived => is_cancel,
    };
    if !may_act {
        return Err(Failure::Refused(MoveRefusal::ServiceInactive));
    }
    let Some(user) = tx.load_user(asked.by).await? else {
        return Err(Failure::Refused(MoveRefusal::UserNotFound));
    };
    if is_cancel && user.is_platform_admin {
        return Ok(());
    }
    if service.state == ServiceState::Archived && origin == Origin::Api {
        return Err(Failure::Refused(MoveRefusal::ServiceInactive));
    }
    let is_own = alert.created_by == Some(asked.by);
    let deed = deed_of_move(alert.status, asked.to, is_own);
    match check_deed(tx, asked.by, service.id, deed).await? {
        Ok(()) => Ok(()),
        Err(NotAllowed::Unknown) => Err(Failure::Refused(MoveRefusal::UserNotFound)),
        Err(NotAllowed::Denied(denial)) => Err(Failure::Refused(MoveRefusal::Denied(denial))),
    }
}
