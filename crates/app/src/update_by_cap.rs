//! A CAP Update (D14, ADR 17). It finds its alert as a Cancel does. Of a live alert it makes a
//! proposal, which a second person approves; of one that waits it is an edit, and what was a draft
//! or given back waits for approval again, as after an Alert. An identity that is known is answered
//! before anything is looked for, so that a repetition gets the same answer whatever has become of
//! the alert.

use balefire_cap::Reference;
use balefire_domain::alert::Status;
use balefire_domain::cap_cancel::{self, Found, Miss};
use balefire_domain::limits::ALERT_VERSIONS_MAX;
use balefire_domain::update::{self, UpdateMeans, UpdateState};
use balefire_store::alerts::Alert;
use balefire_store::{StoreError, Tx};
use serde_json::json;

use crate::App;
use crate::cap_content::Prepared;
use crate::propose_update::{Proposed, tell_proposed};
use crate::submit_cap::{
    Refused, Sender, SubmitRefusal, Submitted, known, named, repetition, with_signer,
};

impl App {
    pub(crate) async fn update_by_cap(
        &self,
        sender: &Sender,
        prepared: &Prepared,
        references: &[Reference],
    ) -> Result<Submitted, Refused> {
        let (service, is_stubbed) = (sender.service.id, sender.is_stubbed());
        let identity = prepared.identity();
        // The search holds no lock: what it finds is judged again under the alert's own.
        let mut reading = self
            .store
            .begin_read("find_updated", self.clock.now())
            .await?;
        if let Some(known) = known(&mut reading, service, &identity, is_stubbed).await? {
            return repetition(known, &identity.digest);
        }
        let candidates = reading.list_cancellable_alerts(service).await?;
        drop(reading);
        // What is made in training touches nothing real, as if it came by a test key.
        let found = cap_cancel::find(&named(references), &candidates, is_stubbed)
            .map_err(|miss| Refused::Refused(SubmitRefusal::Update(miss)))?;
        let mut tx = self.store.begin("update_by_cap", self.clock.now()).await?;
        let Some(alert) = tx.lock_alert(found.alert).await? else {
            return Err(Refused::Refused(SubmitRefusal::Update(Miss::NotFound)));
        };
        if let Some(known) = known(&mut tx, service, &identity, is_stubbed).await? {
            return repetition(known, &identity.digest);
        }
        match self
            .change_in(&mut tx, sender, prepared, alert, found)
            .await
        {
            Ok((alert, proposed)) => {
                tx.commit().await?;
                if let Some(version) = proposed {
                    tell_proposed(alert.id, version);
                }
                Ok(Submitted {
                    alert,
                    is_repetition: false,
                    proposed,
                })
            }
            // The same identity, of another alert, at the same time.
            Err(Refused::Store(error)) if error.is_unique_violation() => {
                drop(tx);
                self.load_repetition(service, &identity, is_stubbed, error)
                    .await
            }
            Err(failure) => Err(failure),
        }
    }

    /// The alert as it then is, and the version that was proposed, where one was.
    async fn change_in(
        &self,
        tx: &mut Tx,
        sender: &Sender,
        prepared: &Prepared,
        alert: Alert,
        found: Found,
    ) -> Result<(Alert, Option<u32>), Refused> {
        let means = update::means(alert.status, alert.finishes_at, tx.now);
        if means == UpdateMeans::Nothing {
            // It ended between the search and the lock, or waits for its completion.
            return Err(Refused::Refused(SubmitRefusal::Update(Miss::NotFound)));
        }
        if tx.latest_version(alert.id).await? >= ALERT_VERSIONS_MAX {
            return Err(Refused::Refused(SubmitRefusal::TooManyVersions));
        }
        if found.is_by_identifier_only {
            tracing::warn!(
                event = "alert.update_by_identifier", alert.id = %alert.id,
                "a CAP Update named this alert by its identifier; its sender or sent differ"
            );
        }
        let (created_by, api_key_id) = sender.author();
        let proposed = Proposed {
            is_stubbed: sender.is_stubbed(),
            created_by,
            api_key_id,
            content: prepared.content.text.clone(),
            text: prepared.text.as_str().to_owned(),
            extra_content: alert.extra_content.clone(),
            areas: prepared.areas.clone(),
            second: prepared.second.clone(),
            cap_event: Some(prepared.content.event.clone()),
            cap: Some(prepared.identity()),
        };
        let signer = prepared.signer.as_deref();
        let details = json!({ "by_identifier_only": found.is_by_identifier_only });
        let details = with_signer(details, signer);
        if means == UpdateMeans::Edit {
            let edited = self
                .edit_by_cap(tx, sender, alert, proposed, signer)
                .await?;
            return Ok((edited, None));
        }
        let update = self
            .propose_in(tx, &alert, proposed, sender.actor, details)
            .await?;
        Ok((alert, Some(update.version)))
    }

    /// A new version of what nobody has approved yet. The caller holds its lock.
    async fn edit_by_cap(
        &self,
        tx: &mut Tx,
        sender: &Sender,
        mut alert: Alert,
        proposed: Proposed,
        signer: Option<&str>,
    ) -> Result<Alert, StoreError> {
        let was = alert.status;
        let version = tx.latest_version(alert.id).await? + 1;
        let edit = proposed.stored(&alert, version, UpdateState::Edited, tx.now);
        if was != Status::PendingApproval {
            alert.status = Status::PendingApproval;
            alert.submitted_at = Some(tx.now);
            alert.submitted_by = edit.created_by;
        }
        alert.take(&edit);
        alert.updated_at = Some(tx.now);
        alert.updated_by = edit.created_by.or(alert.updated_by);
        tx.update_alert(&alert).await?;
        tx.insert_alert_update(&edit, alert.reference.as_deref())
            .await?;
        let details = json!({ "version": version, "edit": true, "from": was.as_str() });
        let details = with_signer(details, signer);
        let (object, service) = (format!("alert {}", alert.id), Some(alert.service_id));
        self.audit(tx, sender.actor, "alert.update", object, service, details)
            .await?;
        Ok(alert)
    }
}
