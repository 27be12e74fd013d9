//! What is known of one alert, as plain values.

use crate::alert::Status;
use crate::channel::Channel;
use crate::ids::{AlertId, AttemptId, DeliveryId, EventId, ServiceId, UserId};
use crate::lane::{Closed, Kind, State};
use crate::outcome::Outcome;
use crate::provider::ProviderName;
use crate::second_text::SecondText;
use crate::time::Timestamp;

/// Everything that is known of one alert.
#[derive(Clone, Debug)]
pub struct History {
    /// The alert itself.
    pub alert: AlertFact,
    /// Its versions with who made each; nobody where an API key did.
    pub versions: Vec<(u32, Option<UserId>)>,
    /// Its events by `seq`.
    pub events: Vec<EventFact>,
    /// Its deliveries by provider and `seq`.
    pub deliveries: Vec<DeliveryFact>,
    /// Its attempts by their opening.
    pub attempts: Vec<AttemptFact>,
    /// The audit entries about it, in their order.
    pub audit: Vec<AuditFact>,
    /// What the providers logged of its deliveries, in the order of the logs.
    pub requests: Vec<RequestFact>,
}

/// The alert's row.
#[derive(Clone, Debug)]
pub struct AlertFact {
    /// Its id.
    pub id: AlertId,
    /// Whose it is.
    pub service: ServiceId,
    /// The service of the API key that made it, where one did.
    pub key_service: Option<ServiceId>,
    /// Where it stands.
    pub status: Status,
    /// Made in training or by a test key: never sent.
    pub is_stubbed: bool,
    /// The `seq` of its next event.
    pub next_seq: u32,
    /// Its end.
    pub finishes_at: Option<Timestamp>,
    /// When it was approved.
    pub approved_at: Option<Timestamp>,
    /// Who approved it.
    pub approved_by: Option<UserId>,
    /// Who made it.
    pub created_by: Option<UserId>,
    /// Who submitted it.
    pub submitted_by: Option<UserId>,
}

/// An event's row.
#[derive(Clone, Debug)]
pub struct EventFact {
    /// Its id.
    pub id: EventId,
    /// Its place among the alert's events, from 1.
    pub seq: u32,
    /// What it asks.
    pub kind: Kind,
    /// Its time.
    pub created_at: Timestamp,
    /// The alert's end.
    pub finishes_at: Timestamp,
    /// The channel.
    pub channel: Channel,
    /// The text.
    pub text: String,
    /// The text in a second language, where there is one.
    pub second: Option<SecondText>,
    /// The polygons: rings of latitude and longitude, in degrees.
    pub polygons: Vec<Vec<[f64; 2]>>,
    /// The hash of what was approved.
    pub content_hash: String,
    /// The hash of what the event holds, computed now; absent where it can't be.
    pub frozen_hash: Option<String>,
}

/// A delivery's row.
#[derive(Clone, Debug)]
pub struct DeliveryFact {
    /// Its id, the identifier on the wire.
    pub id: DeliveryId,
    /// The event that it delivers.
    pub event: EventId,
    /// The provider.
    pub provider: ProviderName,
    /// Its place in the lane, from 1.
    pub seq: u32,
    /// What it asks.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// When the duty arose.
    pub created_at: Timestamp,
    /// From then on nothing of it is sent.
    pub ends_at: Timestamp,
    /// What is sent, without what the gateway adds.
    pub payload: Option<String>,
    /// Its polygons are not those approved, and cover them: made simpler for what this provider
    /// takes.
    pub covers_approved: bool,
}

/// An attempt's row.
#[derive(Clone, Debug)]
pub struct AttemptFact {
    /// Its id.
    pub id: AttemptId,
    /// Whose try it is.
    pub delivery: DeliveryId,
    /// The provider that its row names.
    pub provider: ProviderName,
    /// The `seq` that its row names.
    pub seq: u32,
    /// 0, or 1 for a hedge.
    pub slot: u32,
    /// The route's name.
    pub route: String,
    /// When the intent was stored.
    pub opened_at: Timestamp,
    /// From then on no byte of it leaves.
    pub deadline_at: Timestamp,
    /// From then on nothing of it can be applied any more.
    pub drained_at: Timestamp,
    /// Its end; open while absent.
    pub closed: Option<Closed>,
}

/// An audit entry about the alert.
#[derive(Clone, Debug)]
pub struct AuditFact {
    /// When.
    pub at: Timestamp,
    /// Who, as the trail spells it: `user <id>`, …
    pub actor: String,
    /// Did what: `alert.approve`, …
    pub action: String,
    /// Of which service.
    pub service: Option<ServiceId>,
    /// With which particulars.
    pub details: serde_json::Value,
}

/// Where in the providers' logs something stands. Within one log the line decides what came
/// first; between two logs only their clocks can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which log, from 0.
    pub log: usize,
    /// Which line of it, from 1.
    pub line: u64,
    /// The log's clock, in whole milliseconds.
    pub at: Timestamp,
}

/// That a provider applied a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Where its log says so.
    pub place: Place,
}

/// A request as a provider's log has it.
#[derive(Clone, Debug)]
pub struct RequestFact {
    /// Where its arrival stands.
    pub place: Place,
    /// The function that was asked, which is the proxy.
    pub function: String,
    /// The site behind it that the payload names.
    pub site: Option<String>,
    /// The identifier in the payload.
    pub delivery: DeliveryId,
    /// The payload before what the gateway adds to it.
    pub stored: String,
    /// Until when the proxy may take it, where the payload says so.
    pub not_after: Option<Timestamp>,
    /// The lane, where the payload says so: `<alert id>/<provider>`.
    pub lane: Option<String>,
    /// The `seq`, where the payload says so.
    pub seq: Option<u64>,
    /// That it was applied.
    pub applied: Option<Applied>,
}

impl History {
    /// The delivery with this id.
    pub fn delivery(&self, id: DeliveryId) -> Option<&DeliveryFact> {
        self.deliveries.iter().find(|delivery| delivery.id == id)
    }

    /// The event that a delivery delivers.
    pub fn event_of(&self, delivery: &DeliveryFact) -> Option<&EventFact> {
        self.events.iter().find(|event| event.id == delivery.event)
    }

    /// The attempts of a delivery, by their opening.
    pub fn attempts_of(&self, id: DeliveryId) -> impl Iterator<Item = &AttemptFact> {
        self.attempts
            .iter()
            .filter(move |attempt| attempt.delivery == id)
    }

    /// The requests of a delivery, in the order of the logs.
    pub fn requests_of(&self, id: DeliveryId) -> impl Iterator<Item = &RequestFact> {
        self.requests
            .iter()
            .filter(move |request| request.delivery == id)
    }

    /// Every request that was applied, with its delivery and where that stands in the log.
    pub(super) fn applied(&self) -> impl Iterator<Item = (&DeliveryFact, &RequestFact, Place)> {
        self.requests.iter().filter_map(|request| {
            let delivery = self.delivery(request.delivery)?;
            Some((delivery, request, request.applied?.place))
        })
    }

    /// The deliveries of a provider, by `seq`.
    pub(super) fn lane<'a>(
        &'a self,
        provider: &'a ProviderName,
    ) -> impl Iterator<Item = &'a DeliveryFact> {
        self.deliveries
            .iter()
            .filter(move |delivery| delivery.provider == *provider)
    }
}

impl AttemptFact {
    /// The provider may have applied it, as far as is known.
    pub fn may_be_applied(&self) -> bool {
        match self.closed.map(|closed| closed.outcome) {
            None | Some(Outcome::Unknown | Outcome::Accepted | Outcome::Duplicate) => true,
            Some(Outcome::Refused | Outcome::UnknownReference) => false,
        }
    }

    /// The provider accepted it.
    pub fn is_accepted(&self) -> bool {
        self.closed
            .is_some_and(|closed| closed.outcome.is_acceptance())
    }
}

impl RequestFact {
    /// The name of the route that it came over.
    pub(super) fn route(&self) -> String {
        match &self.site {
            None => self.function.clone(),
            Some(site) => format!("{}/{site}", self.function),
        }
    }
}

/// When a delivery ended; absent while it has not.
pub(super) const fn ended_at(state: State) -> Option<Timestamp> {
    match state {
        State::Ready | State::InFlight | State::Backoff { .. } | State::Held { .. } => None,
        State::Acknowledged { at }
        | State::Superseded { at }
        | State::Expired { at }
        | State::Moot { at, .. } => Some(at),
    }
}
