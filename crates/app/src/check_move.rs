//! Whether an alert could be moved to another state now, asked before it is (`check-status`): what
//! `move_alert` checks of the person and the state, without moving anything.
//!
//! Order of checks: as in `move_alert`, and of an approval only whether it is a second person's:
//! the times are set between the question and the act.

use balefire_domain::alert::{Mode, Mover, Status};
use balefire_domain::approval::{ApprovalRefusal, check_second_person};
use balefire_domain::ids::{AlertId, ServiceId};

use crate::move_alert::{Move, MoveRefusal, Origin, check_filled, check_person};
use crate::{App, Failure, repeat};

impl App {
    /// Whether the move would be made, as far as person and state go.
    pub async fn check_move(
        &self,
        service: ServiceId,
        alert: AlertId,
        asked: &Move,
    ) -> Result<(), Failure<MoveRefusal>> {
        repeat(|| self.check_move_once(service, alert, asked)).await
    }

    async fn check_move_once(
        &self,
        service_id: ServiceId,
        id: AlertId,
        asked: &Move,
    ) -> Result<(), Failure<MoveRefusal>> {
        let refuse = |refusal| Err(Failure::Refused(refusal));
        let now = self.clock.now();
        let mut tx = self.store.begin_read("check_move", now).await?;
        let alert = tx.load_alert(id).await?;
        let alert = alert.filter(|alert| alert.service_id == service_id);
        let service = tx.load_service(service_id).await?;
        let (Some(alert), Some(service)) = (alert, service) else {
            return refuse(MoveRefusal::NotFound);
        };
        check_person(&mut tx, &service, &alert, asked, Origin::Api).await?;
        let needs_two = service.mode == Mode::Live && asked.to == Status::Broadcasting;
        let decides = matches!(asked.to, Status::Broadcasting | Status::Rejected);
        if alert.status == Status::Broadcasting && decides {
            let update = tx.load_open_update(id).await?;
            return match update.map(|update| update.created_by) {
                None => refuse(illegal(alert.status, asked)),
                Some(author) if needs_two && author == Some(asked.by) => {
                    refuse(MoveRefusal::Approval(ApprovalRefusal::OwnAlert))
                }
                Some(_) => Ok(()),
            };
        }
        if !alert.status.may_move(asked.to, Mover::Person) {
            return refuse(illegal(alert.status, asked));
        }
        if matches!(asked.to, Status::PendingApproval | Status::Broadcasting) {
            check_filled(&alert)?;
        }
        if needs_two {
            let proposal = self.proposal(&mut tx, &alert, &service).await?;
            check_second_person(&proposal, asked.by)
                .map_err(|refusal| Failure::Refused(MoveRefusal::Approval(refusal)))?;
        }
        Ok(())
    }
}

fn illegal(from: Status, asked: &Move) -> MoveRefusal {
    MoveRefusal::IllegalMove { from, to: asked.to }
}
