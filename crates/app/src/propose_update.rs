//! A proposed update of an alert that is on the air (D14, ADR 17): made beside it, by a CAP Update
//! or by an author, and withdrawn with it. It changes nothing of the alert until a second person
//! approves it (`approve_update.rs`).

use balefire_cell_broadcast::AlertText;
use balefire_domain::alert::ServiceState;
use balefire_domain::audit::Actor;
use balefire_domain::channel::Channel;
use balefire_domain::ids::{AlertId, ApiKeyId, ServiceId, UserId};
use balefire_domain::limits::ALERT_VERSIONS_MAX;
use balefire_domain::permission::Deed;
use balefire_domain::provider::ProviderName;
use balefire_domain::second_text::SecondText;
use balefire_domain::time::Timestamp;
use balefire_domain::update::{self, UpdateMeans, UpdateState};
use balefire_store::alert_updates::AlertUpdate;
use balefire_store::alerts::{Alert, CapIdentity};
use balefire_store::services::Service;
use balefire_store::users::User;
use balefire_store::{StoreError, Tx};
use serde_json::{Value, json};

use crate::approved::Said;
use crate::refused::{NotAllowed, check_deed};
use crate::update_alert::UpdateRefusal;
use crate::{Act, App, Failure, areas, repeat};

/// What is proposed, and by whom.
pub(crate) struct Proposed {
    pub(crate) is_stubbed: bool,
    pub(crate) created_by: Option<UserId>,
    pub(crate) api_key_id: Option<ApiKeyId>,
    pub(crate) content: String,
    pub(crate) text: String,
    pub(crate) extra_content: Option<String>,
    pub(crate) areas: Value,
    pub(crate) second: Option<SecondText>,
    pub(crate) cap_event: Option<String>,
    pub(crate) cap: Option<CapIdentity>,
}

impl Proposed {
    pub(crate) fn stored(
        self,
        alert: &Alert,
        version: u32,
        state: UpdateState,
        now: Timestamp,
    ) -> AlertUpdate {
        AlertUpdate {
            alert_id: alert.id,
            version,
            service_id: alert.service_id,
            is_stubbed: self.is_stubbed,
            state,
            created_at: now,
            created_by: self.created_by,
            api_key_id: self.api_key_id,
            content: self.content,
            text: self.text,
            extra_content: self.extra_content,
            areas: self.areas,
            second: self.second,
            cap_event: self.cap_event,
            cap: self.cap,
            ended_at: (state != UpdateState::Open).then_some(now),
            ended_by: None,
            rejection_reason: None,
        }
    }
}

/// An author's change of what is on the air; what is absent stays.
#[derive(Clone, Debug)]
pub struct UpdateChange {
    /// The text as written.
    pub content: Option<String>,
    /// The areas: an object with `names` and `simple_polygons`.
    pub areas: Option<Value>,
    /// Who changes it.
    pub by: UserId,
}

/// A proposal as the one who decides must see it.
#[derive(Clone, Debug)]
pub struct ProposalView {
    /// What is proposed.
    pub update: AlertUpdate,
    /// Its hash: what an approval may name beside the version.
    pub hash: String,
    /// Where it goes: the providers that the alert went to.
    pub providers: Vec<ProviderName>,
    /// Who made it, where a person did.
    pub author: Option<User>,
    /// The name of the key that made it, where a key did.
    pub author_key: Option<String>,
}

/// What an update keeps of its alert, whatever service and configuration say today.
pub(crate) struct Frame {
    pub(crate) channel: Channel,
    /// The providers that the alert has lanes at, in their order.
    pub(crate) providers: Vec<ProviderName>,
}

impl App {
    /// Proposes an author's change of a live alert, or in a dry run only says what would be
    /// proposed.
    pub async fn propose_update(
        &self,
        service: ServiceId,
        alert: AlertId,
        change: &UpdateChange,
        is_dry_run: bool,
    ) -> Result<ProposalView, Failure<UpdateRefusal>> {
        let areas = areas::check_apart(change.areas.as_ref()).await;
        let areas = areas
            .transpose()
            .map_err(|refusal| Failure::Refused(UpdateRefusal::Areas(refusal)))?;
        let propose = || self.propose_once(service, alert, change, areas.as_ref(), is_dry_run);
        let proposed = repeat(propose).await;
        if let Err(Failure::Refused(refusal)) = &proposed {
            self.note_refused_update(service, alert, refusal).await;
        }
        proposed
    }

    async fn propose_once(
        &self,
        service_id: ServiceId,
        id: AlertId,
        change: &UpdateChange,
        areas: Option<&Value>,
        is_dry_run: bool,
    ) -> Result<ProposalView, Failure<UpdateRefusal>> {
        let refuse = Failure::Refused;
        let mut tx = self.store.begin("propose_update", self.clock.now()).await?;
        let alert = tx.lock_alert(id).await?;
        let alert = alert.filter(|alert| alert.service_id == service_id);
        let service = tx.load_service(service_id).await?;
        let (Some(alert), Some(service)) = (alert, service) else {
            return Err(refuse(UpdateRefusal::NotFound));
        };
        if service.state != ServiceState::Active {
            return Err(refuse(UpdateRefusal::ServiceInactive));
        }
        match check_deed(&mut tx, change.by, service_id, Deed::Author).await? {
            Ok(()) => {}
            Err(NotAllowed::Unknown) => return Err(refuse(UpdateRefusal::UserNotFound)),
            Err(NotAllowed::Denied(denial)) => {
                return Err(refuse(UpdateRefusal::Denied(change.by, denial)));
            }
        }
        if update::means(alert.status, alert.finishes_at, tx.now) != UpdateMeans::Proposal {
            return Err(refuse(UpdateRefusal::NotEditable(alert.status)));
        }
        if tx.latest_version(id).await? >= ALERT_VERSIONS_MAX {
            return Err(refuse(UpdateRefusal::TooManyVersions));
        }
        let proposed = self.changed_live(&alert, change, areas).map_err(refuse)?;
        let actor = Actor::User(change.by);
        let update = self
            .propose_in(&mut tx, &alert, proposed, actor, json!({}))
            .await?;
        let view = self.view(&mut tx, &alert, &service, update).await?;
        if !is_dry_run {
            tx.commit().await?;
            tell_proposed(id, view.update.version);
        }
        Ok(view)
    }

    fn changed_live(
        &self,
        alert: &Alert,
        change: &UpdateChange,
        areas: Option<&Value>,
    ) -> Result<Proposed, UpdateRefusal> {
        let (content, text) = match &change.content {
            None => (alert.content.clone(), alert.text.clone()),
            Some(content) => {
                let text = AlertText::accept_written(content, self.settings.scripts);
                let text = text.map_err(UpdateRefusal::Text)?.into_string();
                (content.clone(), text)
            }
        };
        let areas = areas.unwrap_or(&alert.areas).clone();
        // What says in another language what the text no longer says goes.
        let second = alert.second.clone().filter(|_| text == alert.text);
        if text == alert.text && areas == alert.areas {
            return Err(UpdateRefusal::NothingChanges);
        }
        Ok(Proposed {
            is_stubbed: alert.is_stubbed,
            created_by: Some(change.by),
            api_key_id: None,
            content,
            text,
            extra_content: alert.extra_content.clone(),
            areas,
            second,
            cap_event: None,
            cap: None,
        })
    }

    /// Stores a proposal in the place of one that waits. The caller holds the alert's lock.
    pub(crate) async fn propose_in(
        &self,
        tx: &mut Tx,
        alert: &Alert,
        proposed: Proposed,
        actor: Actor,
        mut details: Value,
    ) -> Result<AlertUpdate, StoreError> {
        let open = tx.load_open_update(alert.id).await?;
        if let Some(open) = &open {
            tx.end_update(open, UpdateState::Replaced, None, None)
                .await?;
        }
        let version = tx.latest_version(alert.id).await? + 1;
        let update = proposed.stored(alert, version, UpdateState::Open, tx.now);
        tx.insert_alert_update(&update, alert.reference.as_deref())
            .await?;
        details["version"] = json!(version);
        details["replaces"] = json!(open.as_ref().map(|open| open.version));
        let act = Act::new(actor, "alert.propose_update", format!("alert {}", alert.id))
            .of(Some(alert.service_id))
            .with(details)
            .changing(
                json!({ "proposal": open.as_ref().map(|open| open.version) }),
                json!({ "proposal": version }),
            );
        self.audit_act(tx, act).await?;
        Ok(update)
    }

    /// Ends the proposal of an alert that ends: nobody can approve it any more. The caller holds
    /// the alert's lock.
    pub(crate) async fn withdraw_in(
        &self,
        tx: &mut Tx,
        alert: &Alert,
        actor: Actor,
    ) -> Result<(), StoreError> {
        let Some(open) = tx.load_open_update(alert.id).await? else {
            return Ok(());
        };
        tx.end_update(&open, UpdateState::Withdrawn, None, None)
            .await?;
        let details = json!({ "version": open.version });
        let act = Act::new(
            actor,
            "alert.withdraw_update",
            format!("alert {}", alert.id),
        )
        .of(Some(alert.service_id))
        .with(details)
        .changing(
            json!({ "update": UpdateState::Open.as_str() }),
            json!({ "update": UpdateState::Withdrawn.as_str() }),
        );
        self.audit_act(tx, act).await
    }

    /// The proposal that waits beside an alert, where one does.
    pub async fn load_proposal(
        &self,
        alert: &Alert,
        service: &Service,
    ) -> Result<Option<ProposalView>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("load_proposal", now).await?;
            match tx.load_open_update(alert.id).await? {
                None => Ok(None),
                Some(update) => self.view(&mut tx, alert, service, update).await.map(Some),
            }
        })
        .await
    }

    async fn view(
        &self,
        tx: &mut Tx,
        alert: &Alert,
        service: &Service,
        update: AlertUpdate,
    ) -> Result<ProposalView, StoreError> {
        let frame = load_frame(tx, alert, service).await?;
        let author = match update.created_by {
            None => None,
            Some(id) => tx.load_user(id).await?,
        };
        let author_key = match update.api_key_id {
            None => None,
            Some(id) => tx.load_api_key(id).await?.map(|key| key.name),
        };
        Ok(ProposalView {
            hash: self.update_hash(&update, &frame),
            update,
            providers: frame.providers,
            author,
            author_key,
        })
    }

    /// The hash of what an approver of an update approves (D51).
    pub(crate) fn update_hash(&self, update: &AlertUpdate, frame: &Frame) -> String {
        let said = Said {
            text: &update.text,
            second: update.second.as_ref(),
            areas: &update.areas,
            extra_content: update.extra_content.as_deref(),
        };
        self.hash_of(&said, frame.channel, &frame.providers)
    }
}

/// Says that a proposal was stored.
pub(crate) fn tell_proposed(alert: AlertId, version: u32) {
    tracing::info!(
        event = "alert.update_proposed", alert.id = %alert, version,
        "an update of a live alert waits for approval"
    );
}

/// What an update keeps: of an alert that made an event, that event's channel and the lanes.
pub(crate) async fn load_frame(
    tx: &mut Tx,
    alert: &Alert,
    service: &Service,
) -> Result<Frame, StoreError> {
    let first = tx.list_events(alert.id).await?.into_iter().next();
    let lanes = tx.list_lanes(alert.id).await?;
    Ok(Frame {
        channel: first.map_or(service.channel, |event| event.channel),
        providers: lanes.into_iter().map(|lane| lane.provider).collect(),
    })
}
