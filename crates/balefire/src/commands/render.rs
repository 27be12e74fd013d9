//! Alerts and deliveries as commands print them.

use balefire_app::read_alerts::People;
use balefire_app::text_facts::TextFacts;
use balefire_domain::lane::{Attempt, Delivery, Kind, State};
use balefire_domain::page;
use balefire_domain::provider::ProviderName;
use balefire_domain::time::Timestamp;
use balefire_store::alerts::Alert;
use balefire_store::deliveries::DeliveryHistory;
use balefire_store::duty_items::DutyItem;
use balefire_store::services::Service;
use balefire_store::users::User;
use serde_json::{Value, json};

use super::population::Estimate;
use super::render_differences::{Differences, difference_lines, differences_json};
use super::render_second::second_lines;
use super::render_update::ProposalPage;
use super::text;

pub(super) fn alert(alert: &Alert, hash: Option<&str>) -> Value {
    let at = |instant: Option<Timestamp>| instant.map(Timestamp::to_json_style);
    json!({
        "id": alert.id, "service_id": alert.service_id, "reference": alert.reference,
        "status": alert.status.as_str(), "stubbed": alert.is_stubbed, "version": alert.version,
        "hash": hash, "text": alert.text, "second": alert.second, "areas": alert.areas,
        "cap_event": alert.cap_event,
        "created_at": alert.created_at.to_json_style(), "starts_at": at(alert.starts_at),
        "finishes_at": at(alert.finishes_at), "approved_at": at(alert.approved_at),
        "cancelled_at": at(alert.cancelled_at),
    })
}

pub(super) fn alert_line(alert: &Alert) -> String {
    let reference = alert.reference.as_deref().unwrap_or("-");
    let stubbed = if alert.is_stubbed {
        "  (never sent)"
    } else {
        ""
    };
    format!(
        "{}  {:<16}  {}  {reference}{stubbed}",
        alert.id,
        alert.status.as_str(),
        alert.created_at
    )
}

/// An alert as the one who decides must see it.
pub(super) struct AlertPage<'a> {
    pub(super) alert: &'a Alert,
    pub(super) hash: &'a str,
    pub(super) service: &'a Service,
    pub(super) people: &'a People,
    /// Where it goes, or would go if it were approved now.
    pub(super) networks: &'a [ProviderName],
    /// What they would get otherwise, while nobody has approved it.
    pub(super) differences: &'a Differences,
    pub(super) items: &'a [DutyItem],
    /// The update of it that waits for a second person.
    pub(super) proposal: Option<ProposalPage<'a>>,
    pub(super) text_facts: &'a TextFacts,
    /// How many phones it reaches.
    pub(super) reached: &'a Estimate,
}

impl AlertPage<'_> {
    pub(super) fn json(&self) -> Value {
        let mut shown = alert(self.alert, Some(self.hash));
        let email = |user: &Option<User>| user.as_ref().map(|user| user.email.clone());
        shown["service_name"] = json!(self.service.name);
        shown["channel"] = json!(self.service.channel.as_str());
        shown["networks"] = json!(self.networks);
        shown["network_differences"] = differences_json(self.differences);
        shown["author"] = json!(email(&self.people.author));
        shown["author_key"] = json!(self.people.author_key);
        shown["approver"] = json!(email(&self.people.approver));
        let items: Vec<Value> = self.items.iter().map(duty_item).collect();
        shown["duty_items"] = json!(items);
        shown["proposed_update"] = json!(self.proposal.as_ref().map(ProposalPage::json));
        shown["text_facts"] = text::text_facts_json(self.text_facts);
        shown["phones"] = self.reached.json();
        shown
    }

    /// The alert's text in full, and all around it.
    pub(super) fn text(&self) -> String {
        let alert = self.alert;
        let person = |user: &User| format!("{} <{}>", user.name, user.email);
        let author = match (&self.people.author, &self.people.author_key) {
            (Some(user), _) => person(user),
            (None, Some(key)) => format!("the key \"{key}\""),
            (None, None) => "-".to_owned(),
        };
        let approver = match (&self.people.approver, alert.approved_at) {
            (Some(user), Some(at)) => format!("{} at {at}", person(user)),
            (Some(user), None) => person(user),
            (None, _) => "nobody yet".to_owned(),
        };
        let ends = match (alert.finishes_at, alert.duration_us) {
            (Some(at), _) => at.to_string(),
            (None, Some(us)) => format!("{} minutes after the approval", us / 60_000_000),
            (None, None) => "when its channel's longest time after the approval is over".to_owned(),
        };
        let networks: Vec<_> = self.networks.iter().map(ProviderName::as_str).collect();
        let names = alert.areas.get("names").map(Value::to_string);
        let polygons = alert.areas.get("simple_polygons").and_then(Value::as_array);
        let items: Vec<String> = self.items.iter().map(duty_item_lines).collect();
        let items = match items.as_slice() {
            [] => "duty items: none".to_owned(),
            items => format!("duty items:\n{}", items.join("\n")),
        };
        let proposed = self
            .proposal
            .as_ref()
            .map_or_else(String::new, |page| format!("\n\n{}", page.text()));
        format!(
            "{}\nservice   {} ({}), {}\nchannel   {}\nnetworks  {}{}\nauthor    {author}\n\
             approver  {approver}\nends      {ends}\nversion   {} hash {}\n\
             areas     {} ({} polygons)\nphones    {}\n\n{}{}\n\n{}\n\n{items}{proposed}",
            alert_line(alert),
            self.service.name,
            self.service.id,
            self.service.mode.as_str(),
            self.service.channel.as_str(),
            networks.join(", "),
            difference_lines(self.differences),
            alert.version,
            self.hash,
            names.unwrap_or_default(),
            polygons.map_or(0, Vec::len),
            self.reached.lines(),
            alert.text,
            second_lines(alert.second.as_ref()),
            text::text_facts_words(self.text_facts)
        )
    }
}

/// Why a delivery is held or moot.
fn reason(state: State) -> Option<&'static str> {
    match state {
        State::Held { reason, .. } => Some(reason.as_str()),
        State::Moot { reason, .. } => Some(reason.as_str()),
        State::Ready
        | State::InFlight
        | State::Backoff { .. }
        | State::Acknowledged { .. }
        | State::Superseded { .. }
        | State::Expired { .. } => None,
    }
}

pub(super) fn delivery(history: &DeliveryHistory) -> Value {
    let d = &history.delivery;
    let attempts: Vec<Value> = history.attempts.iter().map(attempt).collect();
    json!({
        "id": d.id, "provider": history.provider, "seq": d.seq, "kind": d.kind.as_str(),
        "state": d.state.as_str(), "reason": reason(d.state), "stuck": d.is_stuck,
        "round": d.round, "created_at": d.created_at.to_json_style(),
        "due_at": due_at(d.state).map(Timestamp::to_json_style),
        "ms": ended_after_ms(d), "attempts": attempts,
    })
}

fn attempt((attempt, detail): &(Attempt, String)) -> Value {
    json!({
        "id": attempt.id, "route": attempt.route, "round": attempt.round,
        "opened_at": attempt.opened_at.to_json_style(),
        "deadline_at": attempt.deadline_at.to_json_style(),
        "closed_at": attempt.closed.map(|closed| closed.at.to_json_style()),
        "outcome": attempt.closed.map(|closed| closed.outcome.as_str()), "detail": detail,
    })
}

/// Milliseconds from the approval or cancel to the delivery's end.
fn ended_after_ms(delivery: &Delivery) -> Option<f64> {
    let ended_at = match delivery.state {
        State::Acknowledged { at }
        | State::Superseded { at }
        | State::Expired { at }
        | State::Moot { at, .. } => at,
        State::Ready | State::InFlight | State::Backoff { .. } | State::Held { .. } => return None,
    };
    Some(ended_at.since(delivery.created_at).as_secs_f64() * 1_000_000.0)
        .map(|us| us.round() / 1000.0)
}

/// When a delivery that waits goes on, where a clock says so.
fn due_at(state: State) -> Option<Timestamp> {
    match state {
        State::Backoff { due_at } => Some(due_at),
        State::Held { until, .. } => until,
        State::Ready
        | State::InFlight
        | State::Acknowledged { .. }
        | State::Superseded { .. }
        | State::Expired { .. }
        | State::Moot { .. } => None,
    }
}

/// How long an acceptance took, or when the next attempt is due.
fn course(delivery: &Delivery) -> String {
    match (delivery.state, due_at(delivery.state)) {
        (State::Acknowledged { .. }, _) => ended_after_ms(delivery)
            .map(|ms| format!("  {ms:.1} ms"))
            .unwrap_or_default(),
        (State::Backoff { .. }, Some(at)) => format!("  next attempt {at}"),
        (_, Some(at)) => format!("  until {at}"),
        _ => String::new(),
    }
}

/// One line per delivery: provider, what, route, attempts, state, and the milliseconds to its
/// acceptance or the time of the next attempt.
pub(super) fn delivery_line(history: &DeliveryHistory) -> String {
    let d = &history.delivery;
    let route = history
        .attempts
        .last()
        .map_or("-", |(attempt, _)| attempt.route.as_str());
    let why = reason(d.state)
        .map(|why| format!(" ({why})"))
        .unwrap_or_default();
    let stuck = if d.is_stuck && !d.state.is_terminal() {
        "  STUCK"
    } else {
        ""
    };
    format!(
        "{:<10} {:<6} {route:<18} {:>2} attempt(s)  {}{why}{}{stuck}",
        history.provider.as_str(),
        d.kind.as_str(),
        history.attempts.len(),
        d.state.as_str(),
        course(d)
    )
}

/// The line of a delivery with its id before it, and one line per attempt below it.
pub(super) fn delivery_lines(history: &DeliveryHistory) -> String {
    let mut lines = vec![format!(
        "{}  {}",
        history.delivery.id,
        delivery_line(history)
    )];
    for (attempt, detail) in &history.attempts {
        let outcome = attempt
            .closed
            .map_or("open", |closed| closed.outcome.as_str());
        lines.push(format!(
            "    {}  round {}  {:<18} {outcome:<10} {detail}",
            attempt.opened_at, attempt.round, attempt.route
        ));
    }
    lines.join("\n")
}

pub(super) fn duty_item(item: &DutyItem) -> Value {
    let at = |instant: Option<Timestamp>| instant.map(Timestamp::to_json_style);
    json!({
        "id": item.id, "kind": item.kind, "subject": item.subject,
        "about": item.about.map(Kind::as_str), "alert_id": item.alert_id,
        "delivery_id": item.delivery_id, "next_attempt_at": at(item.next_attempt_at),
        "provider": item.provider, "opened_at": item.opened_at.to_json_style(),
        "paged_at": at(item.paged_at), "closed_at": at(item.closed_at),
        "closed_by": item.closed_by, "advice": page::advice(&item.kind, item.about),
    })
}

/// An item, what it is about, and what to do about it.
pub(super) fn duty_item_lines(item: &DutyItem) -> String {
    let about = item
        .about
        .map_or_else(String::new, |kind| format!("  about the {}", kind.as_str()));
    let provider = item
        .provider
        .as_ref()
        .map_or_else(String::new, |provider| format!("  at {provider}"));
    let alert = item
        .alert_id
        .map_or_else(String::new, |id| format!("alert {id}  "));
    let next = item
        .next_attempt_at
        .map_or_else(String::new, |at| format!("  next attempt {at}"));
    let paged = match item.paged_at {
        Some(at) => format!("paged {at}"),
        None => "not paged".to_owned(),
    };
    let ended = match (item.closed_at, &item.closed_by) {
        (Some(at), Some(by)) => format!("closed {at} by {by}"),
        _ => format!(
            "OPEN  {paged}\n    {}",
            page::advice(&item.kind, item.about)
        ),
    };
    format!(
        "{}  {}  {}{about}{provider}\n    {alert}{}{next}\n    {ended}",
        item.id, item.opened_at, item.kind, item.subject
    )
}
