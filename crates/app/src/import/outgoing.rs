//! The events, lanes, deliveries and attempts of an alert that was sent before.
//!
//! What an acknowledged delivery says is made again from its event: the earlier service kept what
//! it sent nowhere. An attempt of it is said to have gone over the network's first route.

use balefire_cell_broadcast::AlertText;
use balefire_domain::channel::Channel;
use balefire_domain::earlier::deliveries::{Event, LanePlan, Planned};
use balefire_domain::earlier::record::{Cell, Record, Table};
use balefire_domain::earlier::{Refusal, Row, areas as earlier_areas};
use balefire_domain::ids::{AttemptId, DeliveryId, InstanceId};
use balefire_domain::lane::policy::ends_at;
use balefire_domain::lane::{Attempt, Closed, Delivery, Kind, Lane, State, next_wake};
use balefire_domain::payload::{self, AlertContent, Reference};
use balefire_domain::provider::{
    Capabilities, Format, Languages, Limits, Profile, ProviderName, Route,
};
use balefire_domain::time::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::Importing;
use super::alerts::{Numbers, refuse_unfit};
use crate::approved::Said;
use crate::areas;

/// The route of attempts at a network that the configuration does not have.
const ROUTE: &str = "earlier";
/// How long the proxy of such a network may keep trying.
const UPSTREAM_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// What was sent of an alert.
pub(super) struct Sent<'a> {
    pub(super) importing: &'a Importing<'a>,
    pub(super) alert: &'a str,
    /// The events' rows, in any order.
    pub(super) rows: &'a [Row],
    /// The same, read and in order.
    pub(super) events: &'a [Event],
    pub(super) channel: Channel,
    pub(super) now: Timestamp,
}

/// What an event said.
struct Spoken {
    text: String,
    areas: Value,
}

/// A delivery that is being made, with what is remembered of its message.
struct Made {
    delivery: Delivery,
    number: Option<u32>,
    sent_at: Timestamp,
    /// The next run finds it as it is: not what has an id or a number of this run alone.
    is_sought: bool,
}

impl Sent<'_> {
    /// Everything that was sent, in an order in which it can be stored.
    pub(super) fn records(
        &self,
        lanes: &[LanePlan],
        head: &Record,
        numbers: &mut Numbers,
    ) -> Result<Vec<Record>, Refusal> {
        let mut spoken = Vec::new();
        for (index, event) in self.events.iter().enumerate() {
            let said = self.spoken(event, head)?;
            if event.kind.carries_text() && lanes.iter().any(|lane| lane.owes(index)) {
                refuse_unfit(&said.areas)?;
            }
            spoken.push(said);
        }
        let providers: Vec<ProviderName> = lanes.iter().map(|lane| lane.provider.clone()).collect();
        let mut records = Vec::new();
        for (index, (event, said)) in self.events.iter().zip(&spoken).enumerate() {
            records.push(self.event_record(index, event, said, &providers));
        }
        for lane in lanes {
            records.extend(self.lane_records(lane, &spoken, numbers));
        }
        Ok(records)
    }

    /// What an event said; what it lacks is the alert's own.
    fn spoken(&self, event: &Event, head: &Record) -> Result<Spoken, Refusal> {
        let id = event.id.to_string();
        let row = self
            .rows
            .iter()
            .find(|row| row.id("id").is_ok_and(|own| own == id));
        let row = row.ok_or_else(|| Refusal(format!("event {id} can't be read")))?;
        let body = row
            .value("transmitted_content")
            .and_then(|content| content.get("body"));
        let body = body
            .and_then(Value::as_str)
            .or(head.get("content").as_text());
        let scripts = self.importing.app.settings.scripts;
        let text = AlertText::accept(body.unwrap_or_default(), scripts);
        let text = text.map_err(|why| Refusal::of("transmitted_content", &why.to_string()))?;
        let is_by_key = *head.get("api_key_id") != Cell::Null;
        let own = earlier_areas::areas(row.value("transmitted_areas"), is_by_key)?;
        let areas = if areas::polygons(&own).is_empty() {
            let stored = head.get("areas").as_text().unwrap_or("{}");
            serde_json::from_str(stored).unwrap_or_default()
        } else {
            own
        };
        Ok(Spoken {
            text: text.as_str().to_owned(),
            areas,
        })
    }

    fn event_record(
        &self,
        index: usize,
        event: &Event,
        said: &Spoken,
        providers: &[ProviderName],
    ) -> Record {
        let whole = Said {
            text: &said.text,
            second: None,
            areas: &said.areas,
            extra_content: None,
        };
        let hash = self.importing.app.hash_of(&whole, self.channel, providers);
        Record::new(
            Table::Events,
            [
                ("id", event.id.to_string().into()),
                ("alert_id", self.alert.into()),
                ("seq", seq(index).into()),
                ("kind", event.kind.as_str().into()),
                ("created_at", event.sent_at.into()),
                ("finishes_at", event.finishes_at.into()),
                ("channel", self.channel.as_str().into()),
                ("text", said.text.as_str().into()),
                ("areas", said.areas.to_string().into()),
                ("content_hash", hash.into()),
            ],
        )
    }

    fn lane_records(
        &self,
        plan: &LanePlan,
        spoken: &[Spoken],
        numbers: &mut Numbers,
    ) -> Vec<Record> {
        let profile = self.profile(plan);
        let mut made: Vec<Made> = plan.deliveries.iter().map(|one| self.made(one)).collect();
        if profile.format == Format::Ibag && plan.is_open() {
            for (one, planned) in made.iter_mut().zip(&plan.deliveries) {
                let is_nameless = one.number.is_none() && !planned.is_acknowledged();
                if is_nameless {
                    one.number = numbers.take();
                    one.is_sought = false;
                }
            }
        }
        let attempts = self.attempts(plan, &made, &profile);
        let finishes_at = self.events.iter().map(|event| event.finishes_at).max();
        let finishes_at = finishes_at.unwrap_or(self.now);
        let lane = Lane {
            finishes_at,
            deliveries: made.iter().map(|made| made.delivery.clone()).collect(),
            attempts,
            is_tainted: true,
        };
        let is_cancelling = lane
            .active()
            .is_some_and(|active| active.kind == Kind::Cancel);
        let began_at = self.events.first().map_or(self.now, |event| event.sent_at);
        let mut records = vec![Record::new(
            Table::Lanes,
            [
                ("alert_id", self.alert.into()),
                ("provider", plan.provider.as_str().into()),
                ("finishes_at", finishes_at.into()),
                ("created_at", began_at.into()),
                ("wake_at", next_wake(&lane, self.now).into()),
                ("is_cancelling", is_cancelling.into()),
                ("is_tainted", true.into()),
            ],
        )];
        for (index, one) in made.iter().enumerate() {
            let payload = self.payload(&profile, &made[..=index], &spoken[index]);
            records.push(self.delivery_record(&plan.provider, index, one, payload));
        }
        let attempts = lane
            .attempts
            .iter()
            .map(|attempt| self.attempt_record(plan, attempt));
        records.extend(attempts);
        records
    }

    /// The network as the configuration has it; one that it has not speaks as its messages did.
    fn profile(&self, plan: &LanePlan) -> Profile {
        let known = self.importing.app.settings.profile(&plan.provider);
        known.cloned().unwrap_or_else(|| {
            let mut messages = plan
                .deliveries
                .iter()
                .filter_map(|one| one.message.as_ref());
            let has_numbers = messages.any(|message| message.number.is_some());
            let format = if has_numbers {
                Format::Ibag
            } else {
                Format::Cap
            };
            Profile {
                name: plan.provider.clone(),
                format,
                routes: Vec::new(),
                capabilities: Capabilities {
                    dedup: false,
                    shared_sites: false,
                    update: false,
                    success_is_accepted: true,
                    own_protocol: false,
                    second_language: false,
                },
                upstream_timeout: UPSTREAM_TIMEOUT,
                languages: Languages::of(format),
                limits: Limits::default(),
            }
        })
    }

    fn made(&self, planned: &Planned) -> Made {
        let event = &self.events[planned.event];
        let message = planned.message.as_ref();
        let fresh = || DeliveryId::new(self.importing.app.entropy.uuid_v4());
        Made {
            delivery: Delivery {
                id: message.map_or_else(fresh, |message| message.id),
                seq: seq(planned.event),
                kind: event.kind,
                state: planned.state,
                round: 1,
                created_at: event.sent_at,
                ends_at: ends_at(event.kind, event.finishes_at),
                is_stuck: false,
            },
            number: message.and_then(|message| message.number),
            sent_at: event.sent_at,
            is_sought: message.is_some(),
        }
    }

    /// One closed attempt of each message. Of one that nobody acknowledged it is taken that it was
    /// under way until this moment.
    fn attempts(&self, plan: &LanePlan, made: &[Made], profile: &Profile) -> Vec<Attempt> {
        let app = self.importing.app;
        let route = profile.routes.first();
        let route = route.map_or_else(|| ROUTE.to_owned(), Route::name);
        let margin = app.settings.figures.clock_skew + profile.upstream_timeout;
        let attempt = |(planned, made): (&Planned, &Made)| {
            let (outcome, message) = (planned.outcome?, planned.message.as_ref()?);
            let until = if message.is_acknowledged {
                message.updated_at
            } else {
                self.now
            };
            let opened_at = message.created_at.min(until);
            Some(Attempt {
                id: AttemptId::new(app.entropy.uuid_v7(self.now)),
                delivery: made.delivery.id,
                seq: made.delivery.seq,
                slot: 0,
                route: route.clone(),
                round: 0, // before our first: every route is still to be tried
                opened_at,
                deadline_at: until.max(opened_at),
                drained_at: until.max(opened_at) + margin,
                opened_by: InstanceId::new(Uuid::nil()),
                closed: Some(Closed { at: until, outcome }),
            })
        };
        plan.deliveries
            .iter()
            .zip(made)
            .filter_map(attempt)
            .collect()
    }

    /// What is sent, or was: the last of `made` is meant, the others came before it. A cancel's is
    /// made when it is sent.
    fn payload(&self, profile: &Profile, made: &[Made], said: &Spoken) -> Option<String> {
        let (own, before) = made.split_last()?;
        if own.delivery.kind == Kind::Cancel {
            return None;
        }
        let approved = areas::polygons(&said.areas);
        let polygons = areas::fitted(&approved, &profile.limits).unwrap_or(approved);
        let app = self.importing.app;
        let event = &self.events[made.len() - 1];
        let content = AlertContent {
            headline: &app.settings.headline,
            text: &said.text,
            is_welsh: app.is_welsh(&said.text),
            second: None,
            polygons: &polygons,
            sent: event.sent_at,
            expires: event.finishes_at,
            channel: self.channel,
        };
        let alert = payload::render_alert(profile, own.delivery.id, own.number, &content);
        if own.delivery.kind != Kind::Update {
            return Some(alert);
        }
        let reference = |made: &Made| Reference {
            message_id: made.delivery.id,
            message_number: made.number,
            sent: made.sent_at.to_cap(),
        };
        let references: Vec<Reference> = before.iter().map(reference).collect();
        payload::update_form(&alert, &references)
    }

    fn delivery_record(
        &self,
        provider: &ProviderName,
        index: usize,
        made: &Made,
        payload: Option<String>,
    ) -> Record {
        let delivery = &made.delivery;
        let (reason, ended_at) = match delivery.state {
            State::Held { reason, .. } => (Some(reason.as_str()), None),
            State::Moot { reason, at } => (Some(reason.as_str()), Some(at)),
            State::Acknowledged { at } | State::Superseded { at } | State::Expired { at } => {
                (None, Some(at))
            }
            State::Ready | State::InFlight | State::Backoff { .. } => {
                unreachable!("nothing is planned to be sent by an import")
            }
        };
        let mut record = Record::new(
            Table::Deliveries,
            [
                ("id", delivery.id.to_string().into()),
                ("event_id", self.events[index].id.to_string().into()),
                ("alert_id", self.alert.into()),
                ("provider", provider.as_str().into()),
                ("seq", delivery.seq.into()),
                ("kind", delivery.kind.as_str().into()),
                ("state", delivery.state.as_str().into()),
                ("reason", reason.into()),
                ("ended_at", ended_at.into()),
                ("round", delivery.round.into()),
                ("is_stuck", false.into()),
                ("created_at", delivery.created_at.into()),
                ("ends_at", delivery.ends_at.into()),
                ("sent_at", made.sent_at.into()),
                ("message_number", made.number.into()),
                ("payload", payload.into()),
            ],
        );
        record.is_sought = made.is_sought;
        record
    }

    fn attempt_record(&self, plan: &LanePlan, attempt: &Attempt) -> Record {
        let closed = attempt.closed;
        let mut record = Record::new(
            Table::Attempts,
            [
                ("id", attempt.id.to_string().into()),
                ("delivery_id", attempt.delivery.to_string().into()),
                ("alert_id", self.alert.into()),
                ("provider", plan.provider.as_str().into()),
                ("seq", attempt.seq.into()),
                ("slot", Cell::Int(0)),
                ("route", attempt.route.as_str().into()),
                ("round", attempt.round.into()),
                ("opened_at", attempt.opened_at.into()),
                ("deadline_at", attempt.deadline_at.into()),
                ("drained_at", attempt.drained_at.into()),
                ("opened_by", attempt.opened_by.to_string().into()),
                ("closed_at", closed.map(|closed| closed.at).into()),
                (
                    "outcome",
                    closed.map(|closed| closed.outcome.as_str()).into(),
                ),
                ("detail", "by the earlier service".into()),
            ],
        );
        record.is_sought = false;
        record
    }
}

/// The place of an event among its alert's, from 1.
fn seq(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}
