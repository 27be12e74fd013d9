use balefire_domain::ids::DeliveryId;
use balefire_domain::payload::{self, AlertContent};
use balefire_domain::provider::{Capabilities, Languages, Limits, Profile, ProviderName};
use balefire_domain::second_text::SecondText;
use uuid::Uuid;

use super::*;
use crate::rules::Use;
use crate::{check_as, read};

const SENDER: Sender<'_> = Sender {
    sender: "broadcasts@rivers.example",
    name: "Rivers & Coasts",
    public_page: "https://rivers.example/alerts",
};
const SENT: Timestamp = Timestamp::from_micros(1_795_406_943_099_744);
const EXPIRES: Timestamp = Timestamp::from_micros(1_795_421_343_000_000);
const NOW: Timestamp = Timestamp::from_micros(1_795_500_000_000_000);
const FIRST: DeliveryId = DeliveryId::new(Uuid::from_u128(0xabc));
const SECOND: DeliveryId = DeliveryId::new(Uuid::from_u128(0xdef));

fn profile(format: Format) -> Profile {
    Profile {
        name: ProviderName::new("north").expect("a name"),
        format,
        routes: vec![],
        capabilities: Capabilities {
            dedup: true,
            shared_sites: true,
            update: false,
            success_is_accepted: true,
            own_protocol: false,
            second_language: true,
        },
        upstream_timeout: std::time::Duration::ZERO,
        languages: Languages::of(format),
        limits: Limits::default(),
    }
}

fn alert_payload(format: Format, channel: Channel, text: &str) -> String {
    payload_in(format, channel, text, None)
}

fn payload_in(format: Format, channel: Channel, text: &str, second: Option<&SecondText>) -> String {
    let ring = vec![[53.0, -0.1], [53.123_457, 0.0], [53.5, 0.25], [53.0, -0.1]];
    let polygons = [ring.clone(), ring];
    let content = AlertContent {
        headline: "Flood <now>",
        text,
        is_welsh: false,
        second,
        polygons: &polygons,
        sent: SENT,
        expires: EXPIRES,
        channel,
    };
    payload::render_alert(&profile(format), FIRST, Some(78), &content)
}

fn cancel_payload(format: Format) -> String {
    let earlier = |id, number| payload::Reference {
        message_id: id,
        message_number: Some(number),
        sent: SENT.to_cap(),
    };
    let references = [earlier(FIRST, 78), earlier(SECOND, 79)];
    let id = DeliveryId::new(Uuid::from_u128(0x123));
    payload::render_cancel(format, id, Some(80), &references, EXPIRES)
}

fn document(payload: &str) -> Vec<u8> {
    let message = Message::parse(payload).expect("a payload of ours");
    let bytes = message
        .to_document(&SENDER, NOW)
        .expect("it can be written");
    let again = Message::parse(payload).and_then(|m| m.to_document(&SENDER, NOW));
    assert_eq!(again.as_ref(), Ok(&bytes), "the same bytes at every call");
    bytes
}

/// Name and text of every element that holds text, in order.
fn leaves(bytes: &[u8]) -> Vec<(String, String)> {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    let tree = roxmltree::Document::parse(text).expect("well-formed");
    let is_leaf = |node: &roxmltree::Node<'_, '_>| {
        node.is_element() && !node.children().any(|child| child.is_element())
    };
    tree.descendants()
        .filter(is_leaf)
        .map(|node| {
            assert_eq!(node.tag_name().namespace(), Some("ibag:1.0"));
            let name = node.tag_name().name().trim_start_matches("IBAG_");
            (name.to_owned(), node.text().unwrap_or_default().to_owned())
        })
        .collect()
}

#[test]
fn an_alert_for_a_cap_centre_says_what_was_approved() {
    let text = "Flood & storm\nMove up";
    let bytes = document(&alert_payload(Format::Cap, Channel::Severe, text));
    let alert = read(&bytes).expect("it is CAP").alert;
    assert_eq!(alert.identifier, FIRST.to_string());
    assert_eq!(alert.sender, SENDER.sender);
    assert_eq!(alert.sent.written, "2026-11-23T04:09:03-00:00");
    assert_eq!((alert.status, alert.scope), (Status::Actual, Scope::Public));
    assert_eq!((alert.msg_type, alert.references), (MsgType::Alert, None));
    let [info] = &alert.infos[..] else {
        panic!("one info block");
    };
    assert_eq!(info.language.as_deref(), Some("en-GB"));
    assert_eq!(info.description.as_deref(), Some(text));
    assert_eq!(info.headline.as_deref(), Some("Flood <now>"));
    assert_eq!(info.sender_name.as_deref(), Some(SENDER.name));
    let expires = info.expires.as_ref().expect("an end");
    assert_eq!(expires.written, "2026-11-23T08:09:03-00:00");
    let names: Vec<&str> = info.areas.iter().map(|a| a.description.as_str()).collect();
    assert_eq!(names, ["area-1", "area-2"]);
    let want = "53,-0.1 53.123457,0 53.5,0.25 53,-0.1";
    assert_eq!(info.areas[1].polygons, [want]);
}

#[test]
fn every_channel_has_its_word_in_both_formats() {
    let rows = [
        (Channel::Operator, "OPR", "4382-CAT7-ENGLISH"),
        (Channel::Test, "RMT", "4380-CAT5-ENGLISH"),
        (Channel::Severe, "Alert", "4378-CAT3-ENGLISH"),
        (Channel::Government, "EAN", "4370-CAT1-ENGLISH"),
    ];
    for (channel, event, category) in rows {
        let cap = document(&alert_payload(Format::Cap, channel, "Flood"));
        assert_eq!(read(&cap).expect("CAP").alert.infos[0].event, event);
        let ibag = leaves(&document(&alert_payload(Format::Ibag, channel, "Flood")));
        assert!(ibag.contains(&("channel_category".to_owned(), category.to_owned())));
    }
}

#[test]
fn a_cancel_names_every_earlier_message_by_its_triple() {
    let alert = read(&document(&cancel_payload(Format::Cap)))
        .expect("CAP")
        .alert;
    let sent = "2026-11-23T04:09:03-00:00";
    let want = format!("{0},{FIRST},{sent} {0},{SECOND},{sent}", SENDER.sender);
    assert_eq!(alert.references.as_deref(), Some(want.as_str()));
    assert_eq!((alert.msg_type, alert.infos.len()), (MsgType::Cancel, 0));
    assert_eq!(alert.sent.written, "2026-11-23T08:09:03-00:00");
}

#[test]
fn an_update_has_content_and_names_what_it_replaces() {
    let alert = alert_payload(Format::Cap, Channel::Severe, "More rain");
    let earlier = payload::Reference {
        message_id: SECOND,
        message_number: None,
        sent: SENT.to_json_style(),
    };
    let update = payload::update_form(&alert, &[earlier]).expect("it is an alert");
    let alert = read(&document(&update)).expect("CAP").alert;
    assert_eq!(alert.msg_type, MsgType::Update);
    let want = format!("{},{SECOND},2026-11-23T04:09:03-00:00", SENDER.sender);
    assert_eq!(alert.references, Some(want));
    assert_eq!(alert.infos[0].description.as_deref(), Some("More rain"));
}

/// The strictest of the uses; only the headline of these tests has something like a tag in it.
#[test]
fn what_is_sent_satisfies_every_rule_for_sending() {
    let second = SecondText {
        first_language: "en-GB".to_owned(),
        language: "cy".to_owned(),
        content: "Llifogydd yn y dref".to_owned(),
        text: "Llifogydd yn y dref".to_owned(),
    };
    let earlier = payload::Reference {
        message_id: SECOND,
        message_number: None,
        sent: SENT.to_json_style(),
    };
    let alert = alert_payload(Format::Cap, Channel::Government, "Flood in the town");
    let documents = [
        payload_in(
            Format::Cap,
            Channel::Severe,
            "Flood in the town",
            Some(&second),
        ),
        payload::update_form(&alert, &[earlier]).expect("it is an alert"),
        cancel_payload(Format::Cap),
        payload::render_link_test(Format::Cap, FIRST, None),
        alert,
    ];
    for payload in documents {
        let report = check_as(&document(&payload), Use::Send, None);
        let errors = report.findings.iter().filter(|finding| finding.is_error());
        let codes: Vec<_> = errors
            .filter(|finding| finding.code != "markup-in-text")
            .collect();
        assert!(codes.is_empty(), "{codes:?} of {payload}");
    }
}

#[test]
fn a_second_language_is_an_info_of_its_own_with_the_same_areas() {
    let second = SecondText {
        first_language: "en-GB".to_owned(),
        language: "cy".to_owned(),
        content: "Llifogydd".to_owned(),
        text: "Llifogydd".to_owned(),
    };
    let cap = payload_in(Format::Cap, Channel::Severe, "Flood", Some(&second));
    let alert = read(&document(&cap)).expect("CAP").alert;
    let texts = alert.infos.iter().map(|info| {
        let language = info.language.as_deref().unwrap_or_default();
        (language, info.description.as_deref().unwrap_or_default())
    });
    let texts: Vec<(&str, &str)> = texts.collect();
    assert_eq!(texts, [("en-GB", "Flood"), ("cy-GB", "Llifogydd")]);
    assert_eq!(alert.infos[0].areas, alert.infos[1].areas);
    let ibag = payload_in(Format::Ibag, Channel::Severe, "Flood", Some(&second));
    let message = Message::parse(&ibag).expect("ours");
    assert_eq!(
        message.to_ibag(&SENDER, NOW),
        Err(Unwritable::SecondLanguage)
    );
}

#[test]
fn a_link_test_warns_nobody_in_either_format() {
    let test = payload::render_link_test(Format::Cap, FIRST, None);
    let alert = read(&document(&test)).expect("CAP").alert;
    assert_eq!(
        (alert.status, alert.msg_type),
        (Status::Test, MsgType::Alert)
    );
    assert!(alert.infos.is_empty() && alert.references.is_none());
    assert_eq!(alert.sent.at, NOW);
    let test = payload::render_link_test(Format::Ibag, FIRST, Some(7));
    let want = [
        ("protocol_version", "1.0"),
        ("sending_gateway_id", SENDER.sender),
        ("message_number", "00000007"),
        ("sent_date_time", &NOW.to_cap()),
        ("status", "System"),
        ("message_type", "Link Test"),
        ("Digital_Signature", ""),
    ];
    let want = want.map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(leaves(&document(&test)), want);
}

#[test]
fn an_ibag_alert_has_its_elements_in_order_and_counts_octets() {
    let text = "Llifogydd ŵ ŷ"; // 13 characters
    let found = leaves(&document(&alert_payload(Format::Ibag, Channel::Test, text)));
    let ring = "53,-0.1 53.123457,0 53.5,0.25 53,-0.1";
    let (id, sent) = (FIRST.to_string(), SENT.to_cap());
    let want = [
        ("protocol_version", "1.0"),
        ("sending_gateway_id", SENDER.sender),
        ("message_number", "0000004e"),
        ("sender", SENDER.sender),
        ("sent_date_time", &sent),
        ("status", "Actual"),
        ("message_type", "Alert"),
        ("cap_alert_uri", SENDER.public_page),
        ("cap_identifier", &id),
        ("cap_sent_date_time", &sent),
        ("category", "Safety"),
        ("event_code", "LAE"),
        ("severity", "Severe"),
        ("urgency", "Expected"),
        ("certainty", "Likely"),
        ("expires_date_time", &EXPIRES.to_cap()),
        ("text_language", "English"),
        ("text_alert_message_length", "15"),
        ("text_alert_message", text),
        ("channel_category", "4380-CAT5-ENGLISH"),
        ("area_description", "area-1"),
        ("polygon", ring),
        ("area_description", "area-2"),
        ("polygon", ring),
        ("Digital_Signature", ""),
    ];
    let want = want.map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(found, want);
}

#[test]
fn an_ibag_cancel_names_the_latest_message_by_number_and_identifier() {
    let found = leaves(&document(&cancel_payload(Format::Ibag)));
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    let want = [
        "protocol_version",
        "sending_gateway_id",
        "message_number",
        "referenced_message_number",
        "referenced_message_cap_identifier",
        "sender",
        "sent_date_time",
        "status",
        "message_type",
        "cap_alert_uri",
        "cap_identifier",
        "cap_sent_date_time",
        "Digital_Signature",
    ];
    assert_eq!(names, want);
    assert_eq!(
        (found[2].1.as_str(), found[3].1.as_str()),
        ("00000050", "0000004f")
    );
    assert_eq!(found[4].1, SECOND.to_string());
    assert_eq!(found[8].1, "Cancel");
}

#[test]
fn what_can_not_be_said_truly_is_refused() {
    let cancel = payload::render_cancel(Format::Cap, FIRST, None, &[], SENT);
    assert_eq!(Message::parse(&cancel), Err(Unwritable::NoReference));
    let control = alert_payload(Format::Cap, Channel::Severe, "a\u{1}b");
    let message = Message::parse(&control).expect("JSON");
    let refused = Unwritable::Character("text", 1);
    assert_eq!(message.to_cap(&SENDER, NOW), Err(refused));
    let sender = Sender {
        sender: "two words",
        ..SENDER
    };
    let fine = Message::parse(&alert_payload(Format::Cap, Channel::Severe, "a")).expect("ours");
    assert!(matches!(
        fine.to_cap(&sender, NOW),
        Err(Unwritable::Sender(_))
    ));
    assert_eq!(fine.to_ibag(&SENDER, NOW), Err(Unwritable::NoMessageNumber));
    for payload in ["", "{}", r#"{"message_type":"heartbeat","identifier":"x"}"#] {
        assert!(matches!(
            Message::parse(payload),
            Err(Unwritable::Payload(_))
        ));
    }
}
