//! What an approval freezes, of an alert and of an update alike: the hash of what was read, the
//! event, and for each lane the delivery that carries the text.

use balefire_cell_broadcast::{AlertText, Language};
use balefire_domain::approval::{self, Content};
use balefire_domain::channel::Channel;
use balefire_domain::ids::EventId;
use balefire_domain::lane::{Kind, Lane};
use balefire_domain::payload::{self, AlertContent};
use balefire_domain::provider::{Format, Profile, ProviderName};
use balefire_domain::second_text::SecondText;
use balefire_domain::time::Timestamp;
use balefire_store::Tx;
use balefire_store::alerts::Alert;
use balefire_store::deliveries::Frozen;
use balefire_store::events::Event;
use balefire_store::lanes::LaneKey;
use serde_json::Value;

use crate::move_alert::MoveRefusal;
use crate::{App, Failure, areas};

/// What a version of an alert says.
pub(crate) struct Said<'a> {
    pub(crate) text: &'a str,
    pub(crate) second: Option<&'a SecondText>,
    pub(crate) areas: &'a Value,
    pub(crate) extra_content: Option<&'a str>,
}

/// Which text an approval puts on the air.
pub(crate) struct Approved<'a> {
    pub(crate) kind: Kind,
    pub(crate) channel: Channel,
    pub(crate) finishes_at: Timestamp,
    pub(crate) hash: &'a str,
}

impl App {
    /// The hash of what an approver approves (D51).
    pub(crate) fn hash_of(
        &self,
        said: &Said<'_>,
        channel: Channel,
        providers: &[ProviderName],
    ) -> String {
        let is_welsh = self.is_welsh(said.text);
        approval::content_hash(&Content {
            text: said.text,
            polygons: &areas::polygons(said.areas),
            area_names: &areas::names(said.areas),
            channel,
            providers,
            language: if is_welsh { "welsh" } else { "english" },
            second: said.second,
            extra_content: said.extra_content,
        })
    }

    pub(crate) fn is_welsh(&self, text: &str) -> bool {
        AlertText::normalise(text, self.settings.scripts)
            .is_ok_and(|text| text.language() == Language::Welsh)
    }

    /// The event that freezes what the alert now says (D2); it has the alert's next `seq`.
    pub(crate) fn freeze(&self, alert: &mut Alert, approved: &Approved<'_>, tx: &Tx) -> Event {
        let seq = alert.next_seq;
        alert.next_seq += 1;
        Event {
            id: EventId::new(self.entropy.uuid_v7(tx.now)),
            alert_id: alert.id,
            seq,
            kind: approved.kind,
            created_at: tx.now,
            finishes_at: approved.finishes_at,
            channel: approved.channel,
            text: alert.text.clone(),
            second: alert.second.clone(),
            areas: alert.areas.clone(),
            content_hash: approved.hash.to_owned(),
        }
    }

    /// Issues the delivery that carries an event's text to one provider, within what it takes.
    pub(crate) async fn issue_text(
        &self,
        tx: &mut Tx,
        key: &LaneKey,
        lane: &Lane,
        event: &Event,
        kind: Kind,
        profile: &Profile,
    ) -> Result<(), Failure<MoveRefusal>> {
        let polygons = fitted(event, profile)?;
        let delivery = self.new_delivery(event, kind, lane);
        let message_number = match profile.format {
            Format::Cap => None,
            Format::Ibag => Some(tx.next_message_number().await?),
        };
        let content = AlertContent {
            headline: &self.settings.headline,
            text: &event.text,
            is_welsh: self.is_welsh(&event.text),
            second: event.second.as_ref(),
            polygons: &polygons,
            sent: event.created_at,
            expires: event.finishes_at,
            channel: event.channel,
        };
        let payload = payload::render_alert(profile, delivery.id, message_number, &content);
        let frozen = Frozen {
            event_id: event.id,
            sent_at: event.created_at,
            message_number,
            payload: Some(payload),
        };
        self.issue(tx, key, lane, delivery, &frozen).await?;
        Ok(())
    }
}

/// The event's polygons as the provider takes them.
fn fitted(event: &Event, profile: &Profile) -> Result<areas::Polygons, Failure<MoveRefusal>> {
    let approved = areas::polygons(&event.areas);
    let fitted = areas::fitted(&approved, &profile.limits).map_err(|unfit| {
        let provider = profile.name.clone();
        Failure::Refused(MoveRefusal::Unfit { provider, unfit })
    })?;
    if fitted != approved {
        tracing::info!(
            event = "areas.fitted", alert.id = %event.alert_id, event.seq = event.seq,
            provider = %profile.name, points = fitted.iter().map(Vec::len).sum::<usize>(),
            "the area was made simpler for this provider; the whole of it is covered"
        );
    }
    Ok(fitted)
}
