//! Alerts with their versions, instructions and messages.

use std::collections::VecDeque;

use balefire_cell_broadcast::AlertText;
use balefire_domain::alert::Status;
use balefire_domain::earlier::alerts::{self, Around};
use balefire_domain::earlier::deliveries::{self, Event, LanePlan};
use balefire_domain::earlier::record::Record;
use balefire_domain::earlier::{Refusal, Row};
use balefire_domain::provider::ProviderName;
use balefire_geometry::Shape;
use balefire_store::StoreError;
use balefire_store::earlier::{Earlier, Named, Part, Source};
use serde_json::Value;

use super::outgoing::Sent;
use super::tables::{Parts, ids, ids_in};
use super::write::Bundle;
use super::{ImportError, Importing, Sends};
use crate::{areas, repeat};

/// Of an alert that nobody was warned by, and that was noted as on the air.
const UNSENT: &str = "says that it is on the air, and no event says that it was sent";

/// Numbers for messages that still go out to networks with numbers and have none: the earlier
/// service made a message, and its number, when it was about to send it.
#[derive(Default)]
pub(super) struct Numbers {
    free: VecDeque<u32>,
    lacking: usize,
}

impl Numbers {
    pub(super) fn take(&mut self) -> Option<u32> {
        let number = self.free.pop_front();
        self.lacking += usize::from(number.is_none());
        number
    }
}

/// The rows that belong to alerts that were read at once.
struct Belongings {
    history: Parts,
    templates: Parts,
    events: Parts,
    messages: Parts,
    numbers: Parts,
}

impl Belongings {
    /// The events, messages and numbers of an alert.
    fn sent(&self, alert: &str) -> Result<[Vec<Row>; 3], Refusal> {
        let events = self.events.of(alert)?;
        let (mut messages, mut numbers) = (Vec::new(), Vec::new());
        for event in &events {
            messages.extend(self.messages.of(&event.id("id")?)?);
        }
        for message in &messages {
            numbers.extend(self.numbers.of(&message.id("id")?)?);
        }
        Ok([events, messages, numbers])
    }
}

impl Importing<'_> {
    pub(super) async fn bring_alerts(&mut self, earlier: &mut Earlier) -> Result<(), ImportError> {
        let source = Source::Alerts;
        if earlier.begin(source).await? {
            loop {
                let rows = earlier.next(true).await?;
                if rows.is_empty() {
                    break;
                }
                let around = read_around(earlier, &rows).await?;
                let mut numbers = Numbers::default();
                let mut bundles = self.alert_bundles(&rows, &around, &mut numbers);
                if numbers.lacking > 0 && !self.wish.is_dry {
                    numbers = self.reserve(numbers.lacking).await?;
                    bundles = self.alert_bundles(&rows, &around, &mut numbers);
                }
                self.bring(source.table(), bundles).await?;
            }
        }
        self.bring_edit_reasons(earlier).await
    }

    async fn bring_edit_reasons(&mut self, earlier: &mut Earlier) -> Result<(), ImportError> {
        let source = Source::EditReasons;
        if !earlier.begin(source).await? {
            return Ok(());
        }
        loop {
            let rows = earlier.next(false).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let make = |row: &Named| {
                let record = row.row.clone().and_then(|one| alerts::edit_reason(&one));
                Bundle::of(row.name.clone(), record.map(|record| vec![record]))
            };
            let bundles = rows.iter().map(make).collect();
            self.bring(source.table(), bundles).await?;
        }
    }

    /// Takes numbers that nobody else is given, for messages which still go out. What an alert that
    /// is here already leaves over is a gap.
    async fn reserve(&self, count: usize) -> Result<Numbers, ImportError> {
        let app = self.app;
        let free = repeat(|| async {
            let mut tx = app.store.begin("reserve_numbers", app.clock.now()).await?;
            let mut free = VecDeque::new();
            for _ in 0..count {
                free.push_back(tx.next_message_number().await?);
            }
            tx.commit().await?;
            Ok::<_, StoreError>(free)
        })
        .await?;
        Ok(Numbers { free, lacking: 0 })
    }

    fn alert_bundles(
        &self,
        rows: &[Named],
        around: &Belongings,
        numbers: &mut Numbers,
    ) -> Vec<Bundle> {
        rows.iter()
            .map(|row| self.alert_bundle(row, around, numbers))
            .collect()
    }

    fn alert_bundle(&self, row: &Named, around: &Belongings, numbers: &mut Numbers) -> Bundle {
        let now = self.app.clock.now();
        let is_on_air = row
            .row
            .as_ref()
            .is_ok_and(|one| alerts::is_on_air(one, now));
        let made = row
            .row
            .clone()
            .and_then(|one| self.make_alert(row, &one, around, numbers));
        let (records, is_live) = match made {
            Ok((records, is_live)) => (Ok(records), is_live),
            Err(refusal) => (Err(refusal), false),
        };
        Bundle {
            is_live,
            is_on_air,
            ..Bundle::of(row.name.clone(), records)
        }
    }

    /// The records of an alert, and whether it is not over.
    fn make_alert(
        &self,
        named: &Named,
        row: &Row,
        around: &Belongings,
        numbers: &mut Numbers,
    ) -> Result<(Vec<Record>, bool), Refusal> {
        let now = self.app.clock.now();
        let [events, messages, known] = around.sent(&named.name)?;
        let events = deliveries::with_lost_cancel(row, events, now)?;
        let end = row.opt_instant("finishes_at")?;
        let read = deliveries::events(&events, &messages, &known, end, now)?;
        let template = template_of(row, &around.templates)?;
        let scripts = self.app.settings.scripts;
        // What a person wrote and may still be approved must have no place left to fill.
        let was = row.word("status", Status::parse)?;
        let is_by_key = row.value("created_by_api_key_id").is_some();
        let is_waiting = was.is_editable() && !is_by_key;
        let normalise = |text: &str| {
            let normalised = if is_waiting {
                AlertText::accept_written(text, scripts)
            } else {
                AlertText::accept(text, scripts)
            };
            normalised
                .map(|text| text.as_str().to_owned())
                .map_err(|why| why.to_string())
        };
        let history = around.history.of(&named.name)?;
        let mut records = alerts::alert(
            row,
            &Around {
                template: template.as_ref(),
                history: &history,
                events: u32::try_from(events.len()).unwrap_or(u32::MAX - 1),
                normalise: &normalise,
                unfit: &why_unfit,
                now,
            },
        )?;
        let head = &records[0];
        let is_on_air = head.get("status").as_text() == Some(Status::Broadcasting.as_str());
        let is_stubbed = row.flag("stubbed")?;
        if is_stubbed || read.is_empty() {
            if is_on_air && !is_stubbed {
                return Err(Refusal::of("status", UNSENT));
            }
            return Ok((records, false));
        }
        let service = row.id("service_id")?;
        let Some(sends) = self.services.get(&service) else {
            return Err(Refusal::of(
                "service_id",
                "names a service that was not brought",
            ));
        };
        let lanes = deliveries::plan(&read, &self.expected(sends), now);
        refuse_late_texts(&lanes, &read, head)?;
        let is_live = is_on_air || lanes.iter().any(LanePlan::is_open);
        let sent = Sent {
            importing: self,
            alert: &named.name,
            rows: &events,
            events: &read,
            channel: sends.channel,
            now,
        };
        records.extend(sent.records(&lanes, head, numbers)?);
        Ok((records, is_live))
    }

    /// The networks that a service's alerts go to.
    fn expected(&self, sends: &Sends) -> Vec<ProviderName> {
        let names = self
            .app
            .settings
            .profiles
            .iter()
            .map(|profile| profile.name.clone());
        let own = sends.providers.as_ref();
        names
            .filter(|name| own.is_none_or(|own| own.contains(name)))
            .collect()
    }
}

async fn read_around(earlier: &mut Earlier, rows: &[Named]) -> Result<Belongings, ImportError> {
    let all = ids(rows);
    let history = Parts::read(earlier, Part::AlertVersions, &all).await?;
    let templates = ids_in(rows, "template_id");
    let templates = Parts::read(earlier, Part::TemplateVersions, &templates).await?;
    let events = earlier.parts(Part::Events, &all).await?.unwrap_or_default();
    let of_events = ids_in(&events, "id");
    let messages = earlier
        .parts(Part::Messages, &of_events)
        .await?
        .unwrap_or_default();
    let of_messages = ids_in(&messages, "id");
    Ok(Belongings {
        history,
        templates,
        events: Parts::read(earlier, Part::Events, &all).await?,
        messages: Parts::read(earlier, Part::Messages, &of_events).await?,
        numbers: Parts::read(earlier, Part::Numbers, &of_messages).await?,
    })
}

fn template_of(row: &Row, templates: &Parts) -> Result<Option<Row>, Refusal> {
    let (id, version) = (
        row.opt_id("template_id")?,
        row.opt_count("template_version")?,
    );
    let Some(id) = id else { return Ok(None) };
    for one in templates.of(&id)? {
        if one.opt_count("version")? == version {
            return Ok(Some(one));
        }
    }
    Ok(None)
}

/// Why areas could not be sent, where that is so; none at all may still be drawn.
fn why_unfit(stored: &Value) -> Option<String> {
    let pairs = |ring: &Vec<[f64; 2]>| ring.iter().map(|[lat, lon]| (*lat, *lon)).collect();
    let rings: Vec<Vec<(f64, f64)>> = areas::polygons(stored).iter().map(pairs).collect();
    if rings.is_empty() {
        return None;
    }
    Shape::validate(&rings)
        .err()
        .map(|why| format!("can't be sent: {why}"))
}

/// A text goes out of an alert that is on the air, and of no other.
fn refuse_late_texts(lanes: &[LanePlan], events: &[Event], head: &Record) -> Result<(), Refusal> {
    let status = head.get("status").as_text().unwrap_or_default();
    let is_owed = lanes.iter().any(|lane| lane.owes_text(events));
    if is_owed && status != Status::Broadcasting.as_str() {
        let what = format!("is `{status}`, and the time of what was sent is not over");
        return Err(Refusal::of("status", &what));
    }
    Ok(())
}

/// Refuses areas of a text that may go out again and could not be sent; an alert of which a cancel
/// alone can go out is brought whatever its areas are.
pub(super) fn refuse_unfit(areas: &Value) -> Result<(), Refusal> {
    if areas::polygons(areas).is_empty() {
        return Err(Refusal::of(
            "areas",
            "have no polygons, and the alert may go out again",
        ));
    }
    match why_unfit(areas) {
        Some(why) => Err(Refusal::of("areas", &why)),
        None => Ok(()),
    }
}
