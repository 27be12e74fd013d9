//! Alerts and deliveries as commands print them.

use balefire_domain::lane::{Attempt, Delivery, State};
use balefire_domain::page;
use balefire_domain::time::Timestamp;
use balefire_store::alerts::Alert;
use balefire_store::deliveries::DeliveryHistory;
use balefire_store::duty_items::DutyItem;
use serde_json::{Value, json};

pub(super) fn alert(alert: &Alert, hash: Option<&str>) -> Value {
    let at = |instant: Option<Timestamp>| instant.map(Timestamp::to_json_style);
    json!({
        "id": alert.id, "service_id": alert.service_id, "reference": alert.reference,
        "status": alert.status.as_str(), "stubbed": alert.is_stubbed, "version": alert.version,
        "hash": hash, "text": alert.text, "areas": alert.areas, "cap_event": alert.cap_event,
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

/// The alert's text in full, as the approver must see it.
pub(super) fn alert_page(alert: &Alert, hash: &str) -> String {
    let areas = alert
        .areas
        .get("names")
        .map(Value::to_string)
        .unwrap_or_default();
    let polygons = alert
        .areas
        .get("simple_polygons")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    format!(
        "{}\nversion {} hash {hash}\nareas {areas} ({polygons} polygons)\n\n{}",
        alert_line(alert),
        alert.version,
        alert.text
    )
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

/// One line per delivery: provider, what, route, attempts, state, milliseconds since approval.
pub(super) fn delivery_line(history: &DeliveryHistory) -> String {
    let d = &history.delivery;
    let route = history
        .attempts
        .last()
        .map_or("-", |(attempt, _)| attempt.route.as_str());
    let why = reason(d.state)
        .map(|why| format!(" ({why})"))
        .unwrap_or_default();
    let ms = ended_after_ms(d)
        .map(|ms| format!("{ms:.1} ms"))
        .unwrap_or_default();
    let stuck = if d.is_stuck && !d.state.is_terminal() {
        "  STUCK"
    } else {
        ""
    };
    format!(
        "{:<10} {:<6} {route:<18} {:>2} attempt(s)  {}{why}  {ms}{stuck}",
        history.provider.as_str(),
        d.kind.as_str(),
        history.attempts.len(),
        d.state.as_str()
    )
}

/// The line of a delivery with one line per attempt below it.
pub(super) fn delivery_lines(history: &DeliveryHistory) -> String {
    let mut lines = vec![delivery_line(history)];
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
        "id": item.id, "kind": item.kind, "subject": item.subject, "alert_id": item.alert_id,
        "provider": item.provider, "opened_at": item.opened_at.to_json_style(),
        "paged_at": at(item.paged_at), "closed_at": at(item.closed_at),
        "closed_by": item.closed_by, "advice": page::advice(&item.kind),
    })
}

/// An item with what to do about it.
pub(super) fn duty_item_lines(item: &DutyItem) -> String {
    let provider = item.provider.as_deref().unwrap_or("-");
    let ended = match (item.closed_at, &item.closed_by) {
        (Some(at), Some(by)) => format!("closed {at} by {by}"),
        _ => format!("OPEN\n    {}", page::advice(&item.kind)),
    };
    format!(
        "{}  {}  {:<24} {provider:<10} {}  {ended}",
        item.id, item.opened_at, item.kind, item.subject
    )
}
