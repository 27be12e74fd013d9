//! What a text has that its approver should look at: telephone numbers, links and odd characters
//! against the service's own list, and whether what it says fits the way it is sent.
//!
//! All of it is told and none of it refuses: the approver decides.

use balefire_cell_broadcast::{Allowed, Fact, facts};
use balefire_domain::audit::Actor;
use balefire_domain::channel::Channel;
use balefire_domain::coherence::{self, Incoherence};
use balefire_domain::ids::ServiceId;
use balefire_domain::limits::SERVICE_CONTACTS_MAX;
use balefire_domain::second_text::SecondText;
use balefire_store::StoreError;
use balefire_store::alert_updates::AlertUpdate;
use balefire_store::alerts::Alert;
use balefire_store::service_contacts::{Contact, ContactKind};
use balefire_store::services::Service;
use serde_json::json;

use crate::{Act, App, Failure, repeat};

/// What the approver of an alert is told of its texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFacts {
    /// The service's list.
    pub allowed: Allowed,
    /// For each text of the alert, the first one first, and then of the update that waits.
    pub texts: Vec<FactsOfText>,
}

/// What the approver is told of one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactsOfText {
    /// It is the text of an update that waits for its approval, not of the alert.
    pub is_update: bool,
    /// Its language, where the alert has two.
    pub language: Option<String>,
    /// Numbers, links and odd characters, by place.
    pub facts: Vec<Fact>,
    /// Whether it says TEST where it should not, or does not where it should.
    pub incoherence: Option<Incoherence>,
}

impl TextFacts {
    /// All warnings in plain words.
    pub fn warnings(&self) -> Vec<String> {
        let of_text = |text: &FactsOfText| {
            let of_facts = text
                .facts
                .iter()
                .flat_map(|fact| fact.warnings(&self.allowed));
            let other = text.incoherence.iter().map(ToString::to_string);
            other.chain(of_facts).collect::<Vec<_>>()
        };
        self.texts.iter().flat_map(of_text).collect()
    }
}

/// Why a service's list was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContactRefusal {
    /// There is no such service.
    #[error("there is no such service: see `balefire service list`")]
    NoService,
    /// The list is full.
    #[error("the list has {SERVICE_CONTACTS_MAX} entries, the most there can be: take some off")]
    ListFull,
}

impl App {
    /// What the approver of this alert, or of the update that waits, should look at. Compared with
    /// the list as it is now.
    pub async fn text_facts(
        &self,
        alert: &Alert,
        service: &Service,
        update: Option<&AlertUpdate>,
    ) -> Result<TextFacts, StoreError> {
        let allowed = allowed(self.list_contacts(service.id).await?);
        let is_real = is_real(alert, service);
        let mut texts = judge(&alert.text, alert.second.as_ref(), false, is_real);
        if let Some(update) = update {
            texts.extend(judge(&update.text, update.second.as_ref(), true, is_real));
        }
        Ok(TextFacts { allowed, texts })
    }

    /// A service's list.
    pub async fn list_contacts(&self, service: ServiceId) -> Result<Vec<Contact>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("list_contacts", now).await?;
            tx.list_contacts(service).await
        })
        .await
    }

    /// Puts these on a service's list, or takes them off; the list as it is then. What is so
    /// already is no error, and only what changed is audited.
    pub async fn change_contacts(
        &self,
        actor: Actor,
        id: ServiceId,
        contacts: &[Contact],
        is_allowed: bool,
    ) -> Result<Vec<Contact>, Failure<ContactRefusal>> {
        let now = self.clock.now();
        let mut tx = self.store.begin("change_contacts", now).await?;
        if tx.lock_service(id).await?.is_none() {
            return Err(Failure::Refused(ContactRefusal::NoService));
        }
        let mut changed = Vec::new();
        for contact in contacts {
            let is_changed = if is_allowed {
                tx.insert_contact(id, contact).await?
            } else {
                tx.delete_contact(id, contact).await?
            };
            if is_changed {
                changed.push(json!({ "kind": contact.kind.as_str(), "value": contact.value }));
            }
        }
        let list = tx.list_contacts(id).await?;
        if is_allowed && list.len() > SERVICE_CONTACTS_MAX {
            return Err(Failure::Refused(ContactRefusal::ListFull));
        }
        if !changed.is_empty() {
            let action = if is_allowed {
                "service.allow"
            } else {
                "service.disallow"
            };
            let act = Act::new(actor, action, format!("service {id}"))
                .of(Some(id))
                .with(json!({ "contacts": changed }))
                .changing(
                    json!({ "is_allowed": !is_allowed }),
                    json!({ "is_allowed": is_allowed }),
                );
            self.audit_act(&mut tx, act).await?;
        }
        tx.commit().await?;
        Ok(list)
    }
}

/// Judges a text, and the same in a second language.
fn judge(
    text: &str,
    second: Option<&SecondText>,
    is_update: bool,
    is_real: Option<bool>,
) -> Vec<FactsOfText> {
    let one = |text: &str, language: Option<&String>| FactsOfText {
        is_update,
        language: language.cloned(),
        facts: facts(text),
        incoherence: is_real.and_then(|is_real| coherence::judge(text, is_real)),
    };
    let first = one(text, second.map(|second| &second.first_language));
    let second = second.map(|second| one(&second.text, Some(&second.language)));
    [Some(first), second].into_iter().flatten().collect()
}

/// Whether people will take the alert for a warning to act on; `None` when it is never sent.
fn is_real(alert: &Alert, service: &Service) -> Option<bool> {
    if alert.is_stubbed {
        return None;
    }
    Some(match service.channel {
        Channel::Severe | Channel::Government => true,
        Channel::Test | Channel::Operator => false,
    })
}

fn allowed(contacts: Vec<Contact>) -> Allowed {
    let mut allowed = Allowed::default();
    for contact in contacts {
        match contact.kind {
            ContactKind::Number => allowed.numbers.insert(contact.value),
            ContactKind::Host => allowed.hosts.insert(contact.value),
        };
    }
    allowed
}
