//! What a provider is sent: the JSON that is stored with a delivery and goes out in every attempt
//! with the same bytes (D27, D28, D29).
//!
//! Compact, UTF-8, keys in a fixed order, numbers in their shortest spelling with at most 6
//! decimals. What differs per attempt (`cbc_target`, `not_after`, `lane`, `seq`) is added by the
//! gateway behind the stored part.

use std::fmt::Write;

use crate::channel::Channel;
use crate::ids::DeliveryId;
use crate::provider::{Format, Profile};
use crate::second_text::SecondText;
use crate::time::Timestamp;

/// What an alert's payload says, the same for every provider.
#[derive(Clone, Copy, Debug)]
pub struct AlertContent<'a> {
    /// The headline from the configuration (D46).
    pub headline: &'a str,
    /// The normalised text.
    pub text: &'a str,
    /// Whether the text is Welsh (R59).
    pub is_welsh: bool,
    /// The second language, where there is one: for the providers that can carry it.
    pub second: Option<&'a SecondText>,
    /// Rings of `[lat, lon]`, closed.
    pub polygons: &'a [Vec<[f64; 2]>],
    /// The event's time.
    pub sent: Timestamp,
    /// The alert's end.
    pub expires: Timestamp,
    /// The channel.
    pub channel: Channel,
}

/// An earlier delivery that a cancel or an update names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its identifier.
    pub message_id: DeliveryId,
    /// Its message number, at an ibag provider.
    pub message_number: Option<u32>,
    /// The `sent` that went out with it.
    pub sent: String,
}

/// Renders an alert for one provider. `message_number` appears for ibag providers only.
pub fn render_alert(
    profile: &Profile,
    identifier: DeliveryId,
    message_number: Option<u32>,
    content: &AlertContent<'_>,
) -> String {
    let languages = &profile.languages;
    let language = match content.second {
        Some(second) => languages.word_for(&second.first_language),
        None if content.is_welsh => &languages.welsh,
        None => &languages.english,
    };
    let mut json = begin("alert", profile.format, identifier, message_number);
    write_field(&mut json, "headline", content.headline);
    write_field(&mut json, "description", content.text);
    json.push_str(",\"areas\":[");
    for (index, polygon) in content.polygons.iter().enumerate() {
        json.push_str(if index == 0 {
            "{\"polygon\":"
        } else {
            ",{\"polygon\":"
        });
        write_ring(&mut json, polygon);
        json.push('}');
    }
    json.push(']');
    write_field(&mut json, "sent", &content.sent.to_cap());
    write_field(&mut json, "expires", &content.expires.to_cap());
    write_field(&mut json, "language", language);
    write_field(&mut json, "channel", content.channel.as_str());
    if let Some(second) = content
        .second
        .filter(|_| profile.capabilities.second_language)
    {
        json.push_str(",\"second\":{\"language\":");
        let word = languages.word_for(&second.language);
        let _ = write!(json, "{}", serde_json::Value::from(word));
        write_field(&mut json, "headline", content.headline);
        write_field(&mut json, "description", &second.text);
        json.push('}');
    }
    json.push('}');
    json
}

/// Renders a cancel for one provider: `references` are the deliveries of the lane with a lower
/// `seq` that were ever attempted, oldest first (D29).
pub fn render_cancel(
    format: Format,
    identifier: DeliveryId,
    message_number: Option<u32>,
    references: &[Reference],
    sent: Timestamp,
) -> String {
    let mut json = begin("cancel", format, identifier, message_number);
    write_references(&mut json, format, references);
    write_field(&mut json, "sent", &sent.to_cap());
    json.push('}');
    json
}

/// The update form of a stored payload (ADR 17): what was rendered at approval in the alert form,
/// with the message type `update` and, between `message_format` and `headline`, the `references`
/// to every delivery of the lane with a lower `seq` that was ever attempted, oldest first. All
/// other bytes stay. `None` where `stored` is not in the alert form.
pub fn update_form(stored: &str, references: &[Reference]) -> Option<String> {
    let rest = stored.strip_prefix(ALERT_BEGINS)?;
    // Before the headline stand only an identifier, a number and the format: nothing of these can
    // hold the key by chance.
    let (head, tail) = rest.split_once(HEADLINE_BEGINS)?;
    let mut json = format!("{UPDATE_BEGINS}{head}");
    write_references(&mut json, format_of(head), references);
    json.push_str(HEADLINE_BEGINS);
    json.push_str(tail);
    Some(json)
}

/// The alert that goes out in the place of an update which the provider can't apply (T10): what is
/// stored for the update, in either form, under an identifier and a number of its own and without
/// references. `None` where `stored` is neither.
pub fn alert_instead(
    stored: &str,
    identifier: DeliveryId,
    message_number: Option<u32>,
) -> Option<String> {
    let begins = [ALERT_BEGINS, UPDATE_BEGINS];
    let rest = begins.iter().find_map(|begin| stored.strip_prefix(begin))?;
    let (head, tail) = rest.split_once(HEADLINE_BEGINS)?;
    let mut json = begin("alert", format_of(head), identifier, message_number);
    json.push_str(HEADLINE_BEGINS);
    json.push_str(tail);
    Some(json)
}

/// The format that the part before the headline names.
fn format_of(head: &str) -> Format {
    if head.contains(",\"message_format\":\"ibag\"") {
        Format::Ibag
    } else {
        Format::Cap
    }
}

/// Whether a stored payload is in the alert form, from which [`update_form`] makes another.
pub fn is_alert_form(stored: &str) -> bool {
    stored.starts_with(ALERT_BEGINS)
}

/// How a payload in the alert form begins.
const ALERT_BEGINS: &str = "{\"message_type\":\"alert\",";
/// How one in the update form begins.
const UPDATE_BEGINS: &str = "{\"message_type\":\"update\",";
/// What follows `message_format` in both.
const HEADLINE_BEGINS: &str = ",\"headline\":";

/// Renders a link test (R86): it asks a CBC whether the way to it is open, and warns nobody.
pub fn render_link_test(
    format: Format,
    identifier: DeliveryId,
    message_number: Option<u32>,
) -> String {
    let mut json = begin("test", format, identifier, message_number);
    json.push('}');
    json
}

/// Renders a heartbeat: it asks a proxy of ours whether it is there, and reaches no CBC (D17).
pub fn render_heartbeat(identifier: DeliveryId) -> String {
    format!("{{\"message_type\":\"heartbeat\",\"identifier\":\"{identifier}\"}}")
}

/// Renders a canary: it proves that functions can be called, and reaches no provider (D20).
pub fn render_canary(identifier: DeliveryId) -> String {
    format!("{{\"identifier\":\"{identifier}\"}}")
}

fn begin(kind: &str, format: Format, identifier: DeliveryId, number: Option<u32>) -> String {
    let mut json = format!("{{\"message_type\":\"{kind}\",\"identifier\":\"{identifier}\"");
    write_number(&mut json, format, number);
    write_field(&mut json, "message_format", format.as_str());
    json
}

fn write_references(json: &mut String, format: Format, references: &[Reference]) {
    json.push_str(",\"references\":[");
    for (index, reference) in references.iter().enumerate() {
        json.push_str(if index == 0 { "{" } else { ",{" });
        let _ = write!(json, "\"message_id\":\"{}\"", reference.message_id);
        write_number(json, format, reference.message_number);
        write_field(json, "sent", &reference.sent);
        json.push('}');
    }
    json.push(']');
}

/// An ibag message number: 8 lower-case hex digits (R06).
fn write_number(json: &mut String, format: Format, number: Option<u32>) {
    if let (Format::Ibag, Some(number)) = (format, number) {
        let _ = write!(json, ",\"message_number\":\"{number:08x}\"");
    }
}

fn write_field(json: &mut String, key: &str, text: &str) {
    let _ = write!(json, ",\"{key}\":{}", serde_json::Value::from(text));
}

fn write_ring(json: &mut String, ring: &[[f64; 2]]) {
    json.push('[');
    for (index, [lat, lon]) in ring.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(json, "{comma}[{},{}]", shortest(*lat), shortest(*lon));
    }
    json.push(']');
}

/// The shortest spelling with at most 6 decimals, and no negative zero.
fn shortest(degrees: f64) -> String {
    let text = format!("{degrees:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::provider::{Capabilities, Languages, Limits, ProviderName};

    fn profile(format: Format) -> Profile {
        Profile {
            name: ProviderName::new("ee").expect("a name"),
            format,
            routes: vec![],
            capabilities: Capabilities {
                dedup: true,
                shared_sites: true,
                update: false,
                success_is_accepted: true,
                own_protocol: false,
                second_language: false,
            },
            upstream_timeout: std::time::Duration::ZERO,
            languages: Languages::of(format),
            limits: Limits::default(),
        }
    }

    const ID: DeliveryId = DeliveryId::new(Uuid::from_u128(0xabc));
    const SENT: Timestamp = Timestamp::from_micros(1_795_406_943_099_744);

    fn content(polygons: &[Vec<[f64; 2]>]) -> AlertContent<'_> {
        AlertContent {
            headline: "Head \"line\"",
            text: "Flood\nnow",
            is_welsh: false,
            second: None,
            polygons,
            sent: SENT,
            expires: SENT,
            channel: Channel::Severe,
        }
    }

    #[test]
    fn an_alert_for_a_cap_provider_never_has_a_message_number() {
        let polygons = [vec![[53.0, -0.100_000_4], [53.123_456_7, 0.0]]];
        let json = render_alert(&profile(Format::Cap), ID, Some(78), &content(&polygons));
        let want = concat!(
            r#"{"message_type":"alert","identifier":"00000000-0000-0000-0000-000000000abc","#,
            r#""message_format":"cap","headline":"Head \"line\"","description":"Flood\nnow","#,
            r#""areas":[{"polygon":[[53,-0.1],[53.123457,0]]}],"#,
            r#""sent":"2026-11-23T04:09:03-00:00","expires":"2026-11-23T04:09:03-00:00","#,
            r#""language":"en-GB","channel":"severe"}"#,
        );
        assert_eq!(json, want);
    }

    #[test]
    fn an_alert_for_an_ibag_provider_has_its_number_behind_the_identifier() {
        let welsh = AlertContent {
            is_welsh: true,
            ..content(&[])
        };
        let json = render_alert(&profile(Format::Ibag), ID, Some(78), &welsh);
        assert!(json.contains(r#"abc","message_number":"0000004e","message_format":"ibag""#));
        assert!(json.contains(r#""areas":[],"#) && json.contains(r#""language":"Welsh""#));
    }

    #[test]
    fn a_second_language_goes_to_who_can_carry_it_and_the_first_is_named_by_its_tag() {
        let second = SecondText {
            first_language: "cy-GB".to_owned(),
            language: "fr".to_owned(),
            content: "Crue !".to_owned(),
            text: "Crue!".to_owned(),
        };
        let both = AlertContent {
            second: Some(&second),
            ..content(&[])
        };
        let mut profile = profile(Format::Cap);
        let alone = render_alert(&profile, ID, None, &both);
        assert!(
            alone.ends_with(r#""language":"cy-GB","channel":"severe"}"#),
            "{alone}"
        );
        profile.capabilities.second_language = true;
        let json = render_alert(&profile, ID, None, &both);
        let want =
            r#","second":{"language":"fr","headline":"Head \"line\"","description":"Crue!"}}"#;
        assert!(json.ends_with(want), "{json}");
        assert!(json.starts_with(alone.trim_end_matches('}')));
    }

    #[test]
    fn a_cancel_names_what_it_cancels() {
        let reference = Reference {
            message_id: ID,
            message_number: Some(1),
            sent: SENT.to_cap(),
        };
        let id = DeliveryId::new(Uuid::from_u128(0xdef));
        let ibag = render_cancel(
            Format::Ibag,
            id,
            Some(2),
            std::slice::from_ref(&reference),
            SENT,
        );
        let want = concat!(
            r#"{"message_type":"cancel","identifier":"00000000-0000-0000-0000-000000000def","#,
            r#""message_number":"00000002","message_format":"ibag","references":["#,
            r#"{"message_id":"00000000-0000-0000-0000-000000000abc","message_number":"00000001","#,
            r#""sent":"2026-11-23T04:09:03-00:00"}],"sent":"2026-11-23T04:09:03-00:00"}"#,
        );
        assert_eq!(ibag, want);
        let cap = render_cancel(Format::Cap, id, None, &[reference], SENT);
        assert!(!cap.contains("message_number"));
    }

    #[test]
    fn an_update_is_the_alert_s_bytes_with_its_references_before_the_headline() {
        let earlier = [1, 2].map(|n| Reference {
            message_id: DeliveryId::new(Uuid::from_u128(n)),
            message_number: Some(u32::try_from(n).expect("small")),
            sent: SENT.to_cap(),
        });
        // A text that spells what is looked for changes nothing: it is escaped, and comes later.
        let spiteful = AlertContent {
            text: r#"","headline":"x","message_type":"alert"#,
            ..content(&[])
        };
        for (format, number, named) in [
            (Format::Cap, None, ""),
            (Format::Ibag, Some(78), r#""message_number":"0000000N","#),
        ] {
            let alert = render_alert(&profile(format), ID, number, &spiteful);
            let update = update_form(&alert, &earlier).expect("the alert form");
            let reference = |n: &str| {
                format!(
                    r#"{{"message_id":"00000000-0000-0000-0000-00000000000{n}",{}"sent":"2026-11-23T04:09:03-00:00"}}"#,
                    named.replace('N', n)
                )
            };
            let references = format!(
                r#","references":[{},{}],"headline""#,
                reference("1"),
                reference("2")
            );
            let want = alert
                .replacen(r#""message_type":"alert""#, r#""message_type":"update""#, 1)
                .replacen(r#","headline""#, &references, 1);
            assert_eq!(update, want);
            let read: serde_json::Value = serde_json::from_str(&update).expect("JSON");
            assert_eq!(
                read["references"][1]["message_id"].as_str().map(str::len),
                Some(36)
            );
            assert!(is_alert_form(&alert) && !is_alert_form(&update));
            let other = DeliveryId::new(Uuid::from_u128(0xdef));
            let instead = render_alert(&profile(format), other, Some(79), &spiteful);
            for stored in [&alert, &update] {
                let made = alert_instead(stored, other, Some(79));
                assert_eq!(made.as_deref(), Some(instead.as_str()));
            }
            assert_eq!(update_form(&update, &earlier), None, "once is enough");
        }
        let cancel = render_cancel(Format::Cap, ID, None, &earlier, SENT);
        assert_eq!(update_form(&cancel, &earlier), None);
        assert_eq!(alert_instead(&cancel, ID, None), None);
    }

    #[test]
    fn what_carries_no_alert_has_exactly_the_keys_that_it_needs() {
        let id = "00000000-0000-0000-0000-000000000abc";
        let test = format!(r#"{{"message_type":"test","identifier":"{id}""#);
        // R86: no number for cap, 8 hex digits for ibag.
        let cases = [
            (
                render_link_test(Format::Cap, ID, Some(78)),
                format!(r#"{test},"message_format":"cap"}}"#),
            ),
            (
                render_link_test(Format::Ibag, ID, Some(78)),
                format!(r#"{test},"message_number":"0000004e","message_format":"ibag"}}"#),
            ),
            (
                render_heartbeat(ID),
                format!(r#"{{"message_type":"heartbeat","identifier":"{id}"}}"#),
            ),
            (render_canary(ID), format!(r#"{{"identifier":"{id}"}}"#)),
        ];
        for (json, want) in cases {
            assert_eq!(json, want);
        }
    }

    #[test]
    fn every_payload_is_json() {
        let polygons = [vec![[0.000_000_1, -0.000_000_1]]];
        let json = render_alert(&profile(Format::Cap), ID, None, &content(&polygons));
        let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(value["areas"][0]["polygon"], serde_json::json!([[0, 0]]));
    }
}
