//! Rules about what an Alert says: languages, text, times, areas.

use super::{AreaContent, check_date, is_blank, polygon};
use crate::alert::{Alert, Area, Info, NamedValue, Resource};
use crate::date::DateTime;
use crate::finding::{Findings, counted, shown};

/// Characters of a headline that the standard recommends at most (CAP 1.2 §3.2.2).
const HEADLINE_CHARS_ADVISED: usize = 160;

/// Checks every info of an Alert and reads the areas. The areas are all there when no error was
/// found.
pub(super) fn check(alert: &Alert, findings: &mut Findings) -> Vec<AreaContent> {
    let Some(first) = alert.infos.first() else {
        let message = "an Alert must have an `info` with what it says and where";
        findings.error("missing-info", "alert/info", message);
        return Vec::new();
    };
    check_languages(alert, findings);
    check_text(first, alert.infos.len(), findings);
    let mut areas = Vec::new();
    for (n, info) in alert.infos.iter().enumerate() {
        let path = format!("alert/info[{}]", n + 1);
        check_info(info, &alert.sent, &path, findings);
        for (n, area) in info.areas.iter().enumerate() {
            areas.push(read_area(
                area,
                &format!("{path}/area[{}]", n + 1),
                findings,
            ));
        }
    }
    if areas.is_empty() {
        let message = "an Alert must have an `area` with a polygon";
        findings.error("missing-area", "alert/info[1]/area", message);
    }
    areas
}

/// C7 and D45: one message, one language.
fn check_languages(alert: &Alert, findings: &mut Findings) {
    let mut languages: Vec<&str> = Vec::new();
    for info in &alert.infos {
        let language = info.language_or_default();
        if !languages
            .iter()
            .any(|known| known.eq_ignore_ascii_case(language))
        {
            languages.push(language);
        }
    }
    if languages.len() > 1 {
        let names: Vec<String> = languages.iter().map(|tag| shown(tag)).collect();
        let message = format!(
            "more than one language ({}; an `info` without `language` counts as en-US): send one \
             message for each language",
            names.join(", ")
        );
        findings.error("more-than-one-language", "alert/info/language", message);
    }
}

/// The text that phones show is the first info's description.
fn check_text(first: &Info, infos: usize, findings: &mut Findings) {
    let path = "alert/info[1]/description";
    match first.description.as_deref() {
        None => findings.error(
            "missing-description",
            path,
            "an Alert must have a description",
        ),
        Some(text) if is_blank(text) => {
            findings.error(
                "empty-description",
                path,
                "the description must not be empty",
            );
        }
        Some(_) => {}
    }
    if infos > 1 {
        let message = format!(
            "of {}, only the first one's description is sent; the areas of all are used",
            counted(infos, "info")
        );
        findings.warning("later-info", "alert/info[2]", message);
    }
}

fn check_info(info: &Info, sent: &DateTime, path: &str, findings: &mut Findings) {
    check_times(info, sent, path, findings);
    if is_blank(&info.event) {
        let message = "the event should not be empty: people see it in lists of alerts";
        findings.warning("empty-event", format!("{path}/event"), message);
    }
    if let Some(headline) = &info.headline {
        let length = headline.chars().count();
        if length > HEADLINE_CHARS_ADVISED {
            let message = format!(
                "the headline has {length} characters; CAP 1.2 advises up to \
                 {HEADLINE_CHARS_ADVISED}"
            );
            findings.warning("long-headline", format!("{path}/headline"), message);
        }
    }
    if info.web.as_deref().is_some_and(|web| !web.contains(':')) {
        let message = "the address should be absolute: start it with https://";
        findings.warning("relative-web", format!("{path}/web"), message);
    }
    check_named(&info.event_codes, &format!("{path}/eventCode"), findings);
    check_named(&info.parameters, &format!("{path}/parameter"), findings);
    for (n, resource) in info.resources.iter().enumerate() {
        check_resource(resource, &format!("{path}/resource[{}]", n + 1), findings);
    }
}

/// C1 for every date, C9 as warnings: the end of an alert is set at its approval (D10, D45).
fn check_times(info: &Info, sent: &DateTime, path: &str, findings: &mut Findings) {
    let dates = [
        ("effective", &info.effective),
        ("onset", &info.onset),
        ("expires", &info.expires),
    ];
    for (name, date) in dates {
        if let Some(date) = date {
            check_date(date, &format!("{path}/{name}"), findings);
        }
    }
    let Some(expires) = &info.expires else { return };
    let earlier = [
        ("sent", Some(sent)),
        ("effective", info.effective.as_ref()),
        ("onset", info.onset.as_ref()),
    ];
    for (name, date) in earlier {
        if date.is_some_and(|date| expires.at <= date.at) {
            let message = format!(
                "expires is not after {name}; it is kept but not used: the end of an alert is \
                 set when it is approved"
            );
            findings.warning("expires-too-early", format!("{path}/expires"), message);
        }
    }
}

/// C13.
fn check_named(values: &[NamedValue], path: &str, findings: &mut Findings) {
    for (n, named) in values.iter().enumerate() {
        if is_blank(&named.name) || is_blank(&named.value) {
            let message = "valueName and value should not be empty; this one is not used";
            findings.warning("empty-value", format!("{path}[{}]", n + 1), message);
        }
    }
}

/// C14.
fn check_resource(resource: &Resource, path: &str, findings: &mut Findings) {
    if !resource.mime_type.contains('/') {
        let message = format!("“{}” is no media type", shown(&resource.mime_type));
        findings.warning("bad-mime-type", format!("{path}/mimeType"), message);
    }
    let is_relative = resource
        .uri
        .as_deref()
        .is_some_and(|uri| !uri.contains(':'));
    if is_relative && resource.deref_uri.is_none() {
        let message = "a relative uri needs a derefUri with the content";
        findings.warning("relative-uri", format!("{path}/uri"), message);
    }
    let is_sha1 = |text: &str| text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if resource
        .digest
        .as_deref()
        .is_some_and(|digest| !is_sha1(digest.trim()))
    {
        let message = "the digest should be SHA-1 in 40 hexadecimal digits";
        findings.warning("bad-digest", format!("{path}/digest"), message);
    }
}

fn read_area(area: &Area, path: &str, findings: &mut Findings) -> AreaContent {
    let mut polygons = Vec::with_capacity(area.polygons.len());
    for (n, text) in area.polygons.iter().enumerate() {
        let path = format!("{path}/polygon[{}]", n + 1);
        polygons.push(polygon::read(text, &path, findings));
    }
    for n in 1..=area.circles.len() {
        let message = "circles are not taken yet; send the area as a polygon";
        findings.error("circle", format!("{path}/circle[{n}]"), message);
    }
    if area.polygons.is_empty() && area.circles.is_empty() {
        let message = "the area has no polygon; codes of places can't be sent to phones";
        findings.error("area-without-polygon", path, message);
    }
    if is_blank(&area.description) {
        let message = "the areaDesc should not be empty: people see it as the area's name";
        findings.warning("empty-area-name", format!("{path}/areaDesc"), message);
    }
    check_heights(area, path, findings);
    check_named(&area.geocodes, &format!("{path}/geocode"), findings);
    AreaContent {
        name: area.description.clone(),
        polygons,
    }
}

/// C12. The structure step has seen that both are decimals.
fn check_heights(area: &Area, path: &str, findings: &mut Findings) {
    let Some(ceiling) = &area.ceiling else { return };
    let path = format!("{path}/ceiling");
    let feet = |text: &str| text.trim().parse::<f64>().unwrap_or_default();
    match &area.altitude {
        None => findings.error(
            "ceiling-without-altitude",
            path,
            "a ceiling needs an altitude",
        ),
        Some(altitude) if feet(ceiling) < feet(altitude) => {
            findings.error(
                "ceiling-below-altitude",
                path,
                "the ceiling is below the altitude",
            );
        }
        Some(_) => {}
    }
}
