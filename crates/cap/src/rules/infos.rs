//! Rules about what a message says: its infos (C7), its words (C8), its times (C9). Languages,
//! texts, files and areas have modules of their own.

use std::collections::HashMap;

use super::judge::Judge;
use super::messages::check_date;
use super::{AreaContent, areas, is_blank, languages, named_values, resources, texts};
use crate::alert::{Alert, Info, MsgType, ResponseType, Scope, Status};
use crate::date::DateTime;
use crate::finding::{counted, shown};

/// Checks every info of a message and reads the areas. The areas are all there when no error was
/// found.
pub(super) fn check(alert: &Alert, judge: &mut Judge) -> Vec<AreaContent> {
    let is_warning = matches!(alert.msg_type, MsgType::Alert | MsgType::Update);
    if alert.infos.is_empty() {
        if is_warning && must_inform(alert) {
            let message = "an Alert must have an `info` with what it says and where";
            judge.find("missing-info", "alert/info", message);
        }
        texts::check(alert, judge);
        return Vec::new();
    }
    languages::check(alert, judge);
    if is_warning {
        check_what_is_sent(alert, judge);
    }
    let mut areas = Vec::new();
    for (n, info) in alert.infos.iter().enumerate() {
        let path = format!("alert/info[{}]", n + 1);
        check_info(info, alert, &path, judge);
        for (n, area) in info.areas.iter().enumerate() {
            areas.push(areas::read(area, &format!("{path}/area[{}]", n + 1), judge));
        }
    }
    if areas.is_empty() && is_warning {
        let message = "an Alert must have an `area` with a polygon or a circle";
        judge.find("missing-area", "alert/info[1]/area", message);
    }
    check_overriding(&alert.infos, judge);
    texts::check(alert, judge);
    areas
}

/// A warning to the public must say something; a test between machines may be empty.
fn must_inform(alert: &Alert) -> bool {
    alert.scope == Scope::Public && !matches!(alert.status, Status::Test | Status::System)
}

/// The first info whose language is not that of the first one, and its place.
pub(super) fn second(alert: &Alert) -> Option<(usize, &Info)> {
    let first = alert.infos.first()?.language_or_default();
    let differs = |info: &&Info| !info.language_or_default().eq_ignore_ascii_case(first);
    let place = alert.infos.iter().position(|info| differs(&info))?;
    Some((place, &alert.infos[place]))
}

/// What phones show is the description of the first info in each of two languages.
fn check_what_is_sent(alert: &Alert, judge: &mut Judge) {
    let second = second(alert).map(|(place, _)| place);
    for place in [Some(0), second].into_iter().flatten() {
        let path = format!("alert/info[{}]/description", place + 1);
        match alert.infos[place].description.as_deref() {
            None => judge.find(
                "missing-description",
                path,
                "an Alert must have a description: phones show it",
            ),
            Some(text) if is_blank(text) => {
                let message = "the description must not be empty: phones show it";
                judge.find("empty-description", path, message);
            }
            Some(_) => {}
        }
    }
    let sent = 1 + usize::from(second.is_some());
    let further = (1..alert.infos.len()).find(|place| Some(*place) != second);
    if let Some(place) = further {
        let message = format!(
            "of {}, only the description of the first in each language is sent ({sent}); the areas \
             of all are used",
            counted(alert.infos.len(), "info")
        );
        judge.find("later-info", format!("alert/info[{}]", place + 1), message);
    }
}

fn check_info(info: &Info, alert: &Alert, path: &str, judge: &mut Judge) {
    check_words(info, alert.scope, path, judge);
    check_times(info, alert, path, judge);
    if is_blank(&info.event) {
        let message = "the event should not be empty: people see it in lists of alerts";
        judge.find("empty-event", format!("{path}/event"), message);
    }
    resources::check(info, path, judge);
    named_values::check(&info.event_codes, &format!("{path}/eventCode"), judge);
    named_values::check(&info.parameters, &format!("{path}/parameter"), judge);
}

/// C8: words that stand twice say nothing more, and Assess is not for the public (§3.2.2).
fn check_words(info: &Info, scope: Scope, path: &str, judge: &mut Judge) {
    for (n, category) in info.categories.iter().enumerate() {
        if info.categories[..n].contains(category) {
            let message = format!("category {category} stands twice");
            judge.find(
                "repeated-word",
                format!("{path}/category[{}]", n + 1),
                message,
            );
        }
    }
    for (n, response) in info.response_types.iter().enumerate() {
        let path = || format!("{path}/responseType[{}]", n + 1);
        if info.response_types[..n].contains(response) {
            let message = format!("responseType {response} stands twice");
            judge.find("repeated-word", path(), message);
        }
        if *response == ResponseType::Assess && scope == Scope::Public {
            let message = "Assess is for experts; a warning to the public says what to do";
            judge.find("assess-to-public", path(), message);
        }
    }
}

/// C1 for every date, C9. The end of an alert is set at its approval (D10), so that for dispatch
/// nothing depends on them (D45).
fn check_times(info: &Info, alert: &Alert, path: &str, judge: &mut Judge) {
    let dates = [
        ("effective", &info.effective),
        ("onset", &info.onset),
        ("expires", &info.expires),
    ];
    for (name, date) in dates {
        if let Some(date) = date {
            check_date(date, &format!("{path}/{name}"), judge);
        }
    }
    let path = format!("{path}/expires");
    let Some(expires) = &info.expires else {
        if matches!(alert.msg_type, MsgType::Alert | MsgType::Update) {
            let message = "say when it ends: without expires everybody who reads it guesses";
            judge.find("missing-expires", path, message);
        }
        return;
    };
    let earlier: [(&str, Option<&DateTime>); 3] = [
        ("sent", Some(&alert.sent)),
        ("effective", info.effective.as_ref()),
        ("onset", info.onset.as_ref()),
    ];
    let not_before: Vec<&str> = earlier
        .into_iter()
        .filter(|(_, date)| date.is_some_and(|date| expires.at <= date.at))
        .map(|(name, _)| name)
        .collect();
    if !not_before.is_empty() {
        let message = format!(
            "expires is not after {}; at dispatch it is kept but not used: the end of an alert is \
             set when it is approved",
            not_before.join(" and ")
        );
        judge.find("expires-too-early", path, message);
    }
}

/// C7: a later info of the same language may add to an earlier one about the same area, and not
/// say otherwise.
fn check_overriding(infos: &[Info], judge: &mut Judge) {
    let mut seen: HashMap<(String, &str), usize> = HashMap::new();
    for (n, info) in infos.iter().enumerate() {
        let language = info.language_or_default().to_ascii_lowercase();
        let says = |info: &Info| (info.urgency, info.severity, info.certainty);
        let named = info
            .areas
            .iter()
            .filter(|area| !is_blank(&area.description));
        let mut earlier = None;
        for area in named {
            let name = area.description.trim();
            let first = *seen.entry((language.clone(), name)).or_insert(n);
            if says(&infos[first]) != says(info) {
                earlier = earlier.or(Some((first, name)));
            }
        }
        if let Some((first, name)) = earlier {
            let message = format!(
                "info {} gives “{}” another urgency, severity or certainty than info {}; a later \
                 info adds to an earlier one and doesn't change it",
                n + 1,
                shown(name),
                first + 1
            );
            judge.find("info-overrides", format!("alert/info[{}]", n + 1), message);
        }
    }
}
