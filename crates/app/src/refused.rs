//! What a person may do in a service, and the trail of what they tried and may not (R97).
//!
//! The rule itself is `domain::permission`. A refused attempt is written in a transaction of its
//! own, after the one that was given up: nothing of the act is stored, and the attempt is.

use balefire_domain::audit::Actor;
use balefire_domain::ids::{ServiceId, UserId};
use balefire_domain::permission::{self, Deed, Denial};
use balefire_store::{StoreError, Tx};
use serde_json::json;

use crate::{App, repeat};

/// Why a person may not do something in a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotAllowed {
    /// There is no such person.
    Unknown,
    /// They may not.
    Denied(Denial),
}

/// Something that a person asked for and was refused.
pub(crate) struct Attempt<'a> {
    pub(crate) by: UserId,
    /// What they asked for, in one word.
    pub(crate) asked: &'a str,
    /// Of what: `alert <id>`, `service <id>`.
    pub(crate) object: String,
    pub(crate) service: ServiceId,
    /// Why not, in plain words.
    pub(crate) why: String,
}

/// Whether a person may do something in a service. Of who does not belong to it that is told, also
/// of a platform administrator: the earlier system has no other words.
pub(crate) async fn check_deed(
    tx: &mut Tx,
    by: UserId,
    service: ServiceId,
    deed: Deed,
) -> Result<Result<(), NotAllowed>, StoreError> {
    let Some(standing) = tx.load_standing(by, service).await? else {
        return Ok(Err(NotAllowed::Unknown));
    };
    let checked = permission::check(&standing, deed);
    Ok(checked.map_err(|denial| match standing.permissions {
        None => NotAllowed::Denied(Denial::NotAMember),
        Some(_) => NotAllowed::Denied(denial),
    }))
}

impl App {
    /// Writes a refused attempt to the audit trail.
    pub(crate) async fn note_refused(&self, attempt: &Attempt<'_>) -> Result<(), StoreError> {
        repeat(|| async {
            let mut tx = self.store.begin("note_refused", self.clock.now()).await?;
            let details = json!({ "asked": attempt.asked, "why": attempt.why });
            let (actor, object) = (Actor::User(attempt.by), attempt.object.clone());
            let service = Some(attempt.service);
            self.audit(
                &mut tx,
                actor,
                "permission.refused",
                object,
                service,
                details,
            )
            .await?;
            tx.commit().await
        })
        .await
    }
}
