//! Requests that may be sent again: an `Idempotency-Key` names a request, and what came of it is
//! noted in the transaction of the act. A repetition finds the alert as it now is and does nothing;
//! a request that was refused, or that a crash took with it, was never noted, and is done anew.

use balefire_domain::ids::UserId;
use balefire_domain::permission::{Deed, check};
use balefire_store::alerts::Alert;
use balefire_store::{StoreError, Tx};

pub use balefire_store::repeatable_requests::RequestKey;

use crate::{App, repeat};

/// What is known of a request.
#[derive(Clone, Debug)]
pub enum Known {
    /// Nothing: it is the first.
    New,
    /// It was done; the alert as it now is.
    Done(Box<Alert>),
    /// The caller used the key for another request.
    KeyReused,
}

impl App {
    /// What is known of a request that `by` makes. Who may not see the alert any more that came of
    /// it is told nothing of it: to them the request is new, and the act refuses it.
    pub async fn recall(&self, request: &RequestKey, by: UserId) -> Result<Known, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("recall_request", now).await?;
            let found = tx
                .load_repeatable_request(&request.caller, &request.key)
                .await?;
            let Some((digest, alert)) = found else {
                return Ok(Known::New);
            };
            if digest != request.digest {
                return Ok(Known::KeyReused);
            }
            let Some(alert) = tx.load_alert(alert).await? else {
                return Ok(Known::New);
            };
            let standing = tx.load_standing(by, alert.service_id).await?;
            match check(&standing.unwrap_or_default(), Deed::View) {
                Ok(()) => Ok(Known::Done(Box::new(alert))),
                Err(_) => Ok(Known::New),
            }
        })
        .await
    }
}

/// Notes which request made an act, with the act.
pub(crate) async fn note(
    tx: &mut Tx,
    request: Option<&RequestKey>,
    alert: &Alert,
) -> Result<(), StoreError> {
    match request {
        Some(request) => tx.insert_repeatable_request(request, alert.id).await,
        None => Ok(()),
    }
}
