//! What each provider was sent for an alert, or would be: the stored payloads, and the documents
//! that they stand for.

use balefire_cap::outgoing::{self, Message};
use balefire_domain::ids::DeliveryId;
use balefire_domain::lane::Kind;
use balefire_domain::payload::{self, AlertContent, Reference};
use balefire_domain::provider::{Format, Profile, ProviderName};
use balefire_domain::time::Timestamp;
use balefire_store::alerts::Alert;
use balefire_store::deliveries::DeliveryHistory;
use balefire_store::services::Service;
use balefire_store::{StoreError, Tx};
use uuid::Uuid;

use crate::{App, areas, repeat};

/// Who sends, as documents say it: from the configuration (D46).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// `cbc.sender`.
    pub sender: String,
    /// `cbc.sender_name`.
    pub name: String,
    /// `cbc.public_page`.
    pub public_page: String,
}

/// What one delivery says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// To whom.
    pub provider: ProviderName,
    /// The delivery; absent for what is not approved.
    pub delivery: Option<Delivered>,
    /// The payload, as it is stored or as it would be rendered now.
    pub payload: String,
    /// The CAP or IBAG document that it stands for, or why there is none.
    pub document: Result<String, String>,
}

/// Which delivery it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Its id, the identifier on the wire.
    pub id: DeliveryId,
    /// Its place in the lane.
    pub seq: u32,
    /// What it asks.
    pub kind: Kind,
    /// Whether any attempt to send it was made.
    pub is_sent: bool,
}

impl App {
    /// What each provider was sent for an alert, by provider and `seq`; for one that was not
    /// approved yet, what each would be sent if it were approved now, with an identifier of zeros.
    pub async fn write_alert(
        &self,
        alert: &Alert,
        service: &Service,
    ) -> Result<Vec<Written>, StoreError> {
        let now = self.clock.now();
        if alert.approved_at.is_none() {
            return Ok(self.write_draft(alert, service, now));
        }
        repeat(|| async {
            let mut tx = self.store.begin_read("write_alert", now).await?;
            let histories = tx.list_delivery_histories(alert.id).await?;
            let mut written = Vec::new();
            for (index, history) in histories.iter().enumerate() {
                let earlier = &histories[..index];
                let payload = self.payload_of(&mut tx, history, earlier).await?;
                written.push(Written {
                    provider: history.provider.clone(),
                    delivery: Some(Delivered {
                        id: history.delivery.id,
                        seq: history.delivery.seq,
                        kind: history.delivery.kind,
                        is_sent: !history.attempts.is_empty(),
                    }),
                    document: self.write_payload(&payload, history.delivery.created_at),
                    payload,
                });
            }
            Ok(written)
        })
        .await
    }

    fn write_draft(&self, alert: &Alert, service: &Service, now: Timestamp) -> Vec<Written> {
        let duration = alert.duration_us.and_then(|us| u64::try_from(us).ok());
        let duration = duration.map(std::time::Duration::from_micros);
        let lasts = duration.unwrap_or_else(|| service.channel.duration_max());
        let polygons = areas::polygons(&alert.areas);
        let content = AlertContent {
            headline: &self.settings.headline,
            text: &alert.text,
            is_welsh: self.is_welsh(&alert.text),
            second: alert.second.as_ref(),
            polygons: &polygons,
            sent: now,
            expires: alert.finishes_at.unwrap_or(now + lasts),
            channel: service.channel,
        };
        let names = self.settings.providers_of(service);
        let profiles = names.iter().filter_map(|name| self.settings.profile(name));
        let write = |profile: &Profile| {
            let nobody = DeliveryId::new(Uuid::nil());
            // As at its approval, which is refused where the shape can't be made to fit.
            let fitted = areas::fitted(&polygons, &profile.limits);
            let polygons = fitted.as_deref().unwrap_or(&polygons);
            let content = AlertContent {
                polygons,
                ..content
            };
            let payload = payload::render_alert(profile, nobody, Some(0), &content);
            let document = match &fitted {
                Ok(_) => self.write_payload(&payload, now),
                Err(unfit) => Err(unfit.to_string()),
            };
            Written {
                provider: profile.name.clone(),
                delivery: None,
                document,
                payload,
            }
        };
        profiles.map(write).collect()
    }

    /// The stored payload; of a cancel that was never attempted, and of an update that would name
    /// what came before it, what a first attempt would store now.
    async fn payload_of(
        &self,
        tx: &mut Tx,
        history: &DeliveryHistory,
        earlier: &[DeliveryHistory],
    ) -> Result<String, StoreError> {
        let delivery = &history.delivery;
        let frozen = tx.load_frozen(delivery.id).await?;
        let frozen = frozen.ok_or_else(|| StoreError::timed_out("a delivery went away"))?;
        if let Some(stored) = &frozen.payload
            && (delivery.kind != Kind::Update || !history.attempts.is_empty())
        {
            return Ok(stored.clone());
        }
        let mut references = Vec::new();
        for other in earlier {
            let is_earlier = other.provider == history.provider && !other.attempts.is_empty();
            if is_earlier && let Some(known) = tx.load_frozen(other.delivery.id).await? {
                references.push(Reference {
                    message_id: other.delivery.id,
                    message_number: known.message_number,
                    sent: known.sent_at.to_cap(),
                });
            }
        }
        if let Some(stored) = frozen.payload {
            let update = payload::update_form(&stored, &references);
            return Ok(update.filter(|_| !references.is_empty()).unwrap_or(stored));
        }
        let format = if frozen.message_number.is_some() {
            Format::Ibag
        } else {
            Format::Cap
        };
        let number = frozen.message_number;
        let (id, sent) = (delivery.id, frozen.sent_at);
        Ok(payload::render_cancel(
            format,
            id,
            number,
            &references,
            sent,
        ))
    }

    fn write_payload(&self, payload: &str, now: Timestamp) -> Result<String, String> {
        let Sender {
            sender,
            name,
            public_page,
        } = &self.settings.sender;
        let sender = outgoing::Sender {
            sender,
            name,
            public_page,
        };
        let message = Message::parse(payload).map_err(|error| error.to_string())?;
        let document = message.to_document(&sender, now);
        let document = document.map_err(|error| error.to_string())?;
        String::from_utf8(document).map_err(|error| error.to_string())
    }
}
