//! `POST /v2/broadcast`: a CAP document from an agency (D13, D41, D43, D45).
//!
//! Order, after the caller's token, key, permission, content type and size were checked:
//! 1. XML and structure, and the signature where the service demands one; 2. status and msgType;
//!    3. the service may act (a Cancel always may); 4. the rules; 5. the text; 6. the areas;
//!    7. the identity.
//!
//! An Update of a live alert makes a proposal, one of an alert that waits edits it
//! (`update_by_cap.rs`, ADR 17).
//!
//! A refused document leaves nothing behind, except one audit entry for a status other than Actual.

use std::time::Duration;

use balefire_cap::alert::Status as CapStatus;
use balefire_cap::rules::{self, CancelContent, Kind};

use balefire_cap::{Document, Finding, Reference};
use balefire_cell_broadcast::TextRefusal;
use balefire_domain::alert::{Mode, ServiceState, Status};
use balefire_domain::audit::Actor;
use balefire_domain::cap_cancel::{self, Miss, NamedMessage};
use balefire_domain::ids::{AlertId, ApiKeyId, ServiceId, UserId};
use balefire_signature::{Certificate, Refusal, verify};
use balefire_store::alerts::{Alert, CapIdentity};
use balefire_store::api_keys::KeyKind;
use balefire_store::services::Service;
use balefire_store::{StoreError, Tx};
use serde_json::{Value, json};

use crate::authenticate::KeyHolder;
use crate::cap_content::Prepared;
use crate::{Act, App, Failure, repeat};

/// Bytes above which a document is read on a thread for long work.
const LONG_WORK_BYTES: usize = 16 * 1024;

/// On whose behalf a document comes in.
#[derive(Clone, Debug)]
pub struct Sender {
    /// The service.
    pub service: Service,
    /// A key, or a person on the command line.
    pub actor: Actor,
    /// Its alerts are stubbed, and it may stop stubbed alerts only.
    pub is_test_key: bool,
    /// It may only cancel.
    pub is_for_cancel_only: bool,
    /// It asked too often: until then it may only cancel.
    pub wait: Option<Duration>,
}

impl From<&KeyHolder> for Sender {
    fn from(holder: &KeyHolder) -> Self {
        Self {
            service: holder.service.clone(),
            actor: Actor::ApiKey(holder.key_id),
            is_test_key: holder.kind == KeyKind::Test,
            is_for_cancel_only: holder.is_for_cancel_only,
            wait: None,
        }
    }
}

/// What became of a document.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// The alert that it made, repeats, edits, rejects or cancels, or for which it made a proposal:
    /// that changes nothing of the alert itself.
    pub alert: Alert,
    /// It repeats a document that is known: nothing was done.
    pub is_repetition: bool,
    /// The version that it proposed, where it did.
    pub proposed: Option<u32>,
}

/// Why a document was refused.
#[derive(Clone, Debug, PartialEq)]
pub enum SubmitRefusal {
    /// Not XML, or not the structure of CAP 1.2.
    NotCap(Vec<Finding>),
    /// The service demands signatures, and this one is missing, broken or nobody's whom it trusts.
    Signature(Refusal),
    /// A status or msgType that is not taken.
    Kind(Finding),
    /// The service is suspended.
    Suspended,
    /// The key may only cancel.
    KeyRevoked,
    /// The key asked too often; how long until it may again.
    TooOften(Duration),
    /// CAP's own rules, or those of this system.
    Rules(Vec<Finding>),
    /// The identifier, which becomes the reference, is too long.
    IdentifierTooLong,
    /// The description can't be sent.
    Text(TextRefusal),
    /// The description in the second language can't be sent.
    SecondText {
        /// Which language, as its tag was written.
        language: String,
        /// Why.
        refusal: TextRefusal,
    },
    /// The polygons can't be taken.
    Shape(balefire_geometry::Refusal),
    /// Circles and polygons that can't be joined to one shape.
    NotJoined(balefire_geometry::Unmade),
    /// Another document of the same identity made this alert.
    OtherContent(AlertId),
    /// No alert, or several, or one that the key may not stop.
    Cancel(Miss),
    /// No alert, or several, or one that the key may not change.
    Update(Miss),
    /// The alert was changed too often.
    TooManyVersions,
}

pub(crate) type Refused = Failure<SubmitRefusal>;

enum Asked {
    Alert(Box<Prepared>),
    Update(Box<Prepared>, Vec<Reference>),
    /// A Cancel, and the fingerprint of the certificate that signed it, where that was demanded.
    Cancel(CancelContent, Option<String>),
}

impl App {
    /// Takes a document in, on behalf of the holder of a key or of a person.
    pub async fn submit_cap(&self, sender: &Sender, bytes: Vec<u8>) -> Result<Submitted, Refused> {
        let demanded = self.load_demanded(sender.service.id).await?;
        let asked = if bytes.len() > LONG_WORK_BYTES {
            let (app, owner) = (self.clone(), sender.clone());
            let work = move || app.prepare(&owner, &bytes, demanded.as_deref());
            tokio::task::spawn_blocking(work)
                .await
                .expect("reading a document doesn't panic")
        } else {
            self.prepare(sender, &bytes, demanded.as_deref())
        };
        match asked {
            Err(refusal) => {
                self.audit_refused(sender, &refusal).await?;
                Err(Failure::Refused(refusal))
            }
            Ok(Asked::Alert(prepared)) => repeat(|| self.store_cap_alert(sender, &prepared)).await,
            Ok(Asked::Update(prepared, references)) => {
                repeat(|| self.update_by_cap(sender, &prepared, &references)).await
            }
            Ok(Asked::Cancel(content, signer)) => {
                repeat(|| self.cancel_by_cap(sender, &content, signer.as_deref())).await
            }
        }
    }

    fn prepare(
        &self,
        sender: &Sender,
        bytes: &[u8],
        demanded: Option<&[Certificate]>,
    ) -> Result<Asked, SubmitRefusal> {
        let (document, signer) = read(bytes, demanded)?;
        let kind = rules::check_kind(&document.alert).map_err(SubmitRefusal::Kind)?;
        match kind {
            Kind::Cancel => {
                let accepted =
                    rules::accept_cancel(&document.alert).map_err(SubmitRefusal::Rules)?;
                Ok(Asked::Cancel(accepted.content, signer))
            }
            Kind::Alert | Kind::Update if sender.wait.is_some() => {
                Err(SubmitRefusal::TooOften(sender.wait.unwrap_or_default()))
            }
            Kind::Alert | Kind::Update if sender.is_for_cancel_only => {
                Err(SubmitRefusal::KeyRevoked)
            }
            Kind::Alert | Kind::Update if sender.service.state != ServiceState::Active => {
                Err(SubmitRefusal::Suspended)
            }
            Kind::Alert => {
                let accepted = rules::accept_alert(&document.alert);
                let content = accepted.map_err(SubmitRefusal::Rules)?.content;
                let prepared = self.prepare_content(&document, content, signer)?;
                Ok(Asked::Alert(Box::new(prepared)))
            }
            Kind::Update => {
                let accepted = rules::accept_update(&document.alert);
                let update = accepted.map_err(SubmitRefusal::Rules)?.content;
                let prepared = self.prepare_content(&document, update.alert, signer)?;
                Ok(Asked::Update(Box::new(prepared), update.references))
            }
        }
    }

    async fn audit_refused(
        &self,
        sender: &Sender,
        refusal: &SubmitRefusal,
    ) -> Result<(), StoreError> {
        if let (SubmitRefusal::KeyRevoked, Actor::User(by)) = (refusal, sender.actor) {
            let service = sender.service.id;
            let act = Act::new(
                Actor::User(by),
                "alert.submit",
                format!("service {service}"),
            );
            self.audit_refusal(act.of(Some(service)), "only_cancels")
                .await;
            return Ok(());
        }
        let SubmitRefusal::Kind(finding) = refusal else {
            return Ok(());
        };
        if finding.path != "alert/status" {
            return Ok(());
        }
        let service = sender.service.id;
        repeat(|| async {
            let mut tx = self.store.begin("refuse_status", self.clock.now()).await?;
            let details = json!({ "rule": finding.code, "actual": CapStatus::Actual.to_string() });
            self.audit_service(&mut tx, sender.actor, "cap.refuse", service, details)
                .await?;
            tx.commit().await
        })
        .await
    }

    async fn store_cap_alert(
        &self,
        sender: &Sender,
        prepared: &Prepared,
    ) -> Result<Submitted, Refused> {
        let now = self.clock.now();
        let mut tx = self.store.begin("submit_cap", now).await?;
        let alert = self.new_cap_alert(sender, prepared, &tx);
        let identity = alert.cap.as_ref().expect("made by a document");
        let service = alert.service_id;
        if let Some(known) = known(&mut tx, service, identity, alert.is_stubbed).await? {
            return repetition(known, &identity.digest);
        }
        match tx.insert_alert(&alert).await {
            Ok(()) => {}
            Err(error) if error.is_unique_violation() => {
                drop(tx);
                return self
                    .load_repetition(service, identity, alert.is_stubbed, error)
                    .await;
            }
            Err(error) => return Err(error.into()),
        }
        let details = json!({ "reference": alert.reference, "stubbed": alert.is_stubbed });
        let details = with_signer(details, prepared.signer.as_deref());
        let (actor, object) = (sender.actor, format!("alert {}", alert.id));
        let service = Some(service);
        self.audit(&mut tx, actor, "alert.submit", object, service, details)
            .await?;
        tx.commit().await?;
        tracing::info!(
            event = "alert.submitted", alert.id = %alert.id, service.id = %alert.service_id,
            stubbed = alert.is_stubbed, "an alert came in by CAP and waits for approval"
        );
        Ok(Submitted {
            alert,
            is_repetition: false,
            proposed: None,
        })
    }

    /// A document of this identity was stored by another request while ours was under way.
    pub(crate) async fn load_repetition(
        &self,
        service: ServiceId,
        identity: &CapIdentity,
        is_stubbed: bool,
        error: StoreError,
    ) -> Result<Submitted, Refused> {
        let mut tx = self
            .store
            .begin_read("submit_cap_again", self.clock.now())
            .await?;
        match known(&mut tx, service, identity, is_stubbed).await? {
            Some(known) => repetition(known, &identity.digest),
            None => Err(error.into()),
        }
    }

    fn new_cap_alert(&self, sender: &Sender, prepared: &Prepared, tx: &Tx) -> Alert {
        let content = &prepared.content;
        let (created_by, api_key_id) = sender.author();
        Alert {
            status: Status::PendingApproval,
            is_stubbed: sender.is_stubbed(),
            reference: Some(content.identifier.clone()),
            content: content.text.clone(),
            text: prepared.text.as_str().to_owned(),
            second: prepared.second.clone(),
            areas: prepared.areas.clone(),
            cap_event: Some(content.event.clone()),
            cap: Some(prepared.identity()),
            created_by,
            api_key_id,
            ..self.blank_alert(sender.service.id, tx.now)
        }
    }

    async fn cancel_by_cap(
        &self,
        sender: &Sender,
        content: &CancelContent,
        signer: Option<&str>,
    ) -> Result<Submitted, Refused> {
        // The search holds no lock: what it finds is judged again under the alert's own.
        let mut reading = self
            .store
            .begin_read("find_cancelled", self.clock.now())
            .await?;
        let candidates = reading.list_cancellable_alerts(sender.service.id).await?;
        drop(reading);
        let named = named(&content.references);
        let is_test_key = sender.is_test_key;
        let found = cap_cancel::find(&named, &candidates, is_test_key)
            .map_err(|miss| Failure::Refused(SubmitRefusal::Cancel(miss)))?;
        if found.is_by_identifier_only {
            tracing::warn!(
                event = "alert.cancel_by_identifier", alert.id = %found.alert,
                "a CAP Cancel named this alert by its identifier; its sender or sent differ"
            );
        }
        let details = json!({ "by_identifier_only": found.is_by_identifier_only });
        let details = with_signer(details, signer);
        let actor = sender.actor;
        let mut tx = self.store.begin("cancel_by_cap", self.clock.now()).await?;
        let Some(alert) = tx.lock_alert(found.alert).await? else {
            return Err(Failure::Refused(SubmitRefusal::Cancel(Miss::NotFound)));
        };
        let alert = match alert.status.after_cap_cancel() {
            Some(Status::Cancelled) => self.cancel_in(&mut tx, alert, actor, details).await?,
            Some(_) => self.reject_in(&mut tx, alert, actor, None, details).await?,
            // It ended between the search and the lock.
            None => return Err(Failure::Refused(SubmitRefusal::Cancel(Miss::NotFound))),
        };
        tx.commit().await?;
        self.wake(alert.id);
        Ok(Submitted {
            alert,
            is_repetition: false,
            proposed: None,
        })
    }
}

/// The document; where signatures are demanded, the one that was verified, and the fingerprint of
/// its signer's certificate.
fn read(
    bytes: &[u8],
    demanded: Option<&[Certificate]>,
) -> Result<(Document, Option<String>), SubmitRefusal> {
    let Some(trusted) = demanded else {
        let document = balefire_cap::read(bytes).map_err(SubmitRefusal::NotCap)?;
        return Ok((document, None));
    };
    match verify(bytes, trusted) {
        Ok(verified) => Ok((verified.document, Some(verified.signer.fingerprint))),
        Err(Refusal::Document(findings)) => Err(SubmitRefusal::NotCap(findings)),
        Err(refusal) => Err(SubmitRefusal::Signature(refusal)),
    }
}

impl Sender {
    /// What it makes is stubbed: never sent.
    pub(crate) fn is_stubbed(&self) -> bool {
        self.service.mode == Mode::Training || self.is_test_key
    }

    /// Who answers for what it makes: a person, or a key.
    pub(crate) fn author(&self) -> (Option<UserId>, Option<ApiKeyId>) {
        match self.actor {
            Actor::User(user) => (Some(user), None),
            Actor::ApiKey(key) => (None, Some(key)),
            Actor::Client(_) | Actor::CommandLine | Actor::Clock => (None, None),
        }
    }
}

/// What is noted of a document, and by which certificate it was verified, where one was demanded:
/// after a key was lost, this tells what came in by it.
pub(crate) fn with_signer(mut details: Value, signer: Option<&str>) -> Value {
    if let Some(fingerprint) = signer {
        details["signed_by"] = json!(fingerprint);
    }
    details
}

pub(crate) fn named(references: &[Reference]) -> Vec<NamedMessage> {
    let name = |reference: &Reference| NamedMessage {
        sender: reference.sender.clone(),
        identifier: reference.identifier.clone(),
        sent: reference.sent.at,
    };
    references.iter().map(name).collect()
}

/// The alert that a document of this identity made or was to change, and the digest of what that
/// document said.
pub(crate) async fn known(
    tx: &mut Tx,
    service: ServiceId,
    identity: &CapIdentity,
    is_stubbed: bool,
) -> Result<Option<(Alert, String)>, StoreError> {
    let made = tx.load_alert_by_cap(service, identity, is_stubbed).await?;
    if let Some(alert) = made {
        let digest = alert.cap.as_ref().map(|cap| cap.digest.clone());
        return Ok(Some((alert, digest.unwrap_or_default())));
    }
    let Some((id, digest)) = tx.find_update_by_cap(service, identity, is_stubbed).await? else {
        return Ok(None);
    };
    Ok(tx.load_alert(id).await?.map(|alert| (alert, digest)))
}

pub(crate) fn repetition(
    (alert, known): (Alert, String),
    digest: &str,
) -> Result<Submitted, Refused> {
    if known == digest {
        Ok(Submitted {
            alert,
            is_repetition: true,
            proposed: None,
        })
    } else {
        Err(Failure::Refused(SubmitRefusal::OtherContent(alert.id)))
    }
}
