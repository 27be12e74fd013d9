//! Every way in which a document can be wrong: 4xx in shape 1, naming the element and the rule;
//! nothing is stored, nothing is logged as an error.

use balefire_domain::alert::Mode;
use balefire_domain::limits::{POINTS_MAX, POLYGONS_MAX};
use balefire_domain::time::Clock as _;
use serde_json::json;

use crate::documents::*;
use crate::support::*;

/// What is wrong, the document, the error's name, what its messages must say.
struct Row {
    fault: &'static str,
    document: String,
    name: &'static str,
    says: &'static [&'static str],
}

fn row(
    fault: &'static str,
    document: impl Into<String>,
    name: &'static str,
    says: &'static [&'static str],
) -> Row {
    Row {
        fault,
        document: document.into(),
        name,
        says,
    }
}

const NOT_CAP: &str = "Request data is not valid CAP XML";

fn not_cap(fault: &'static str, document: impl Into<String>, says: &'static [&'static str]) -> Row {
    row(fault, document, "BadRequestError", says)
}

fn rule(fault: &'static str, document: impl Into<String>, says: &'static [&'static str]) -> Row {
    row(fault, document, "ValidationError", says)
}

fn structure_rows() -> Vec<Row> {
    let good = alert("good");
    let element = |from: &str, to: &str| changed(from, to);
    vec![
        not_cap("nothing", "", &[NOT_CAP]),
        not_cap("JSON", "{}", &[NOT_CAP]),
        not_cap(
            "an end that is missing",
            good.replace("</alert>", ""),
            &[NOT_CAP],
        ),
        not_cap(
            "another root",
            element("<alert ", "<warning ").replace("</alert>", "</warning>"),
            &[NOT_CAP, "alert"],
        ),
        not_cap(
            "no namespace",
            element(" xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"", ""),
            &[NOT_CAP, "namespace"],
        ),
        not_cap("CAP 1.0", element("cap:1.2", "cap:1.0"), &["1.0"]),
        not_cap("CAP 1.1", element("cap:1.2", "cap:1.1"), &["1.1"]),
        not_cap(
            "a document type",
            element("<alert ", "<!DOCTYPE alert>\n<alert "),
            &[NOT_CAP, "document type declarations are not allowed"],
        ),
        not_cap(
            "an entity that grows",
            element(
                "<alert ",
                "<!DOCTYPE a [<!ENTITY b 'bbbb'><!ENTITY c '&b;&b;'>]>\n<alert ",
            )
            .replace("Flood desk", "&c;"),
            &["document type declarations are not allowed"],
        ),
        not_cap(
            "an entity of a file",
            element(
                "<alert ",
                "<!DOCTYPE a [<!ENTITY f SYSTEM 'file:///etc/hostname'>]>\n<alert ",
            ),
            &["document type declarations are not allowed"],
        ),
        not_cap(
            "deep nesting",
            format!("{}{}", "<a>".repeat(5_000), "</a>".repeat(5_000)),
            &["deeper than 16 levels"],
        ),
        not_cap(
            "another encoding",
            element("encoding=\"UTF-8\"", "encoding=\"windows-1252\""),
            &[NOT_CAP, "windows-1252", "send the document as UTF-8"],
        ),
        not_cap(
            "the mark of UTF-8 before another encoding",
            format!("\u{feff}{}", element("UTF-8", "ISO-8859-1")),
            &[NOT_CAP, "byte order mark"],
        ),
        not_cap(
            "bytes that are not of the encoding declared",
            with_text("Énorme").replace("UTF-8", "US-ASCII"),
            &[NOT_CAP, "US-ASCII (0xC3)"],
        ),
        not_cap(
            "a missing element",
            element("<sender>flood-desk@rivers.example</sender>", ""),
            &["alert", "`sender`"],
        ),
        not_cap(
            "a missing element of an info",
            element("<urgency>Immediate</urgency>", ""),
            &["alert/info[1]", "`urgency`"],
        ),
        not_cap(
            "a repeated element",
            element(
                "<scope>Public</scope>",
                "<scope>Public</scope><scope>Public</scope>",
            ),
            &["`scope`", "only once"],
        ),
        not_cap(
            "elements out of order",
            element(
                "<category>Met</category>\n    <event>Severe flood</event>",
                "<event>Severe flood</event><category>Met</category>",
            ),
            &["`category` must stand before `event`"],
        ),
        not_cap(
            "an attribute",
            element("<scope>", "<scope kind=\"x\">"),
            &["alert/scope/@kind", "no attributes"],
        ),
        not_cap(
            "stray text",
            element("<scope>", "hello<scope>"),
            &["alert", "“hello”"],
        ),
        not_cap(
            "an element that CAP has not",
            element("<scope>", "<colour>red</colour><scope>"),
            &["alert/colour", "no element `colour`"],
        ),
        not_cap(
            "a word of no list",
            element("Immediate", "Soon"),
            &["urgency", "“Soon”"],
        ),
        not_cap(
            "a word in another case",
            element("<scope>Public", "<scope>public"),
            &["alert/scope", "exactly as Public"],
        ),
        not_cap(
            "an xsi:type",
            element(
                "<scope>",
                "<scope xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"x\">",
            ),
            &["xsi:type"],
        ),
    ]
}

fn date_rows() -> Vec<Row> {
    let sent = |date: &str| {
        let old = "<sent>2026-11-23T04:00:00-00:00</sent>";
        changed(old, &format!("<sent>{date}</sent>"))
    };
    let says = &["alert/sent"];
    vec![
        not_cap("a date with Z", sent("2026-11-23T04:00:00Z"), says),
        not_cap("a date without a zone", sent("2026-11-23T04:00:00"), says),
        not_cap("month 13", sent("2026-13-23T04:00:00-00:00"), says),
        not_cap("30 February", sent("2026-02-30T04:00:00-00:00"), says),
        not_cap("hour 25", sent("2026-11-23T25:00:00-00:00"), says),
        not_cap(
            "a comma as the sign of the zone",
            sent("2026-11-23T04:00:00,00:00"),
            says,
        ),
        not_cap("a date in words", sent("this morning"), says),
        not_cap("an empty date", sent(""), says),
        rule(
            "hour 24",
            sent("2026-11-23T24:00:00-00:00"),
            &["alert/sent", "hour 24"],
        ),
    ]
}

fn rule_rows() -> Vec<Row> {
    let element = |from: &str, to: &str| changed(from, to);
    let msg_type = |word: &str| element("<msgType>Alert", &format!("<msgType>{word}"));
    vec![
        rule(
            "an Update that names nothing",
            msg_type("Update"),
            &["alert/references", "an Update must name the messages"],
        ),
        rule(
            "an Ack",
            msg_type("Ack"),
            &["msgType Ack is not one of [Alert, Update, Cancel]"],
        ),
        rule(
            "an Error",
            msg_type("Error"),
            &["msgType Error is not one of [Alert, Update, Cancel]"],
        ),
        rule(
            "a restricted scope",
            element("<scope>Public", "<scope>Restricted"),
            &["alert/scope", "Public"],
        ),
        rule(
            "an identifier with a blank",
            element("<identifier>changed", "<identifier>a b"),
            &["alert/identifier", "white space"],
        ),
        rule(
            "an identifier with a comma",
            element("<identifier>changed", "<identifier>a,b"),
            &["alert/identifier", "`,`"],
        ),
        rule(
            "an empty sender",
            element("flood-desk@rivers.example", ""),
            &["alert/sender"],
        ),
        rule(
            "an identifier that is too long",
            element(
                "<identifier>changed",
                &format!("<identifier>{}", "x".repeat(256)),
            ),
            &["alert/identifier", "255"],
        ),
        rule(
            "an empty description",
            with_text(""),
            &["alert/info[1]/description", "empty"],
        ),
        rule(
            "a blank description",
            with_text("  \n "),
            &["alert/info[1]/description", "empty"],
        ),
        rule(
            "no description",
            element(
                "<description>The river is over its banks. Go uphill now. </description>",
                "",
            ),
            &["alert/info[1]/description"],
        ),
        rule(
            "a circle without ground",
            element("<geocode>", "<circle>51.9,-2.1 0</circle><geocode>"),
            &["alert/info[1]/area[1]/circle[1]", "radius"],
        ),
        rule(
            "a circle over a pole",
            element("<geocode>", "<circle>89.99,-2.1 10</circle><geocode>"),
            &["pole"],
        ),
        rule(
            "three languages",
            in_languages(&["en-GB", "cy-GB", "ga"]),
            &["alert/info/language", "3 languages", "en-gb, cy-gb, ga"],
        ),
        rule(
            "a second language that phones can't show",
            in_languages(&["en-GB", "ja"]).replace("text in ja", "\u{6d2a}\u{6c34}"),
            &["description in ja", "U+6D2A"],
        ),
        rule("no info", no_info(), &["alert/info"]),
        rule("no area", no_area(), &["alert/info[1]/area"]),
        rule(
            "an area without a polygon",
            element(&format!("<polygon>{RING}</polygon>"), ""),
            &["alert/info[1]/area[1]", "no polygon"],
        ),
    ]
}

fn no_info() -> String {
    let document = alert("changed");
    let from = document.find("<info>").unwrap();
    let to = document.find("</info>").unwrap() + "</info>".len();
    format!("{}{}", &document[..from], &document[to..])
}

fn no_area() -> String {
    let document = alert("changed");
    let from = document.find("<area>").unwrap();
    let to = document.find("</area>").unwrap() + "</area>".len();
    format!("{}{}", &document[..from], &document[to..])
}

fn text_rows() -> Vec<Row> {
    vec![
        rule(
            "too long in GSM-7",
            with_text(&"a".repeat(1_396)),
            &["description must be 1,395 characters or fewer"],
        ),
        rule(
            "too long in GSM-7 by its extension characters",
            with_text(&"€".repeat(698)),
            &["description must be 1,395 characters or fewer"],
        ),
        rule(
            "too long in UCS-2",
            with_text(&"ŵ".repeat(616)),
            &["description must be 615 characters or fewer (because it could not be GSM7 encoded)"],
        ),
        rule(
            "an emoji",
            with_text("Flood 🌊 now"),
            &["description", "🌊", "U+1F30A", "position 7"],
        ),
        rule(
            "another script",
            with_text("Наводнение"),
            &["description", "U+041D"],
        ),
        rule(
            "a direction mark",
            with_text("Flood\u{202e}now"),
            &["description", "U+202E"],
        ),
        rule(
            "a control character",
            with_text("Flood&#x85;now\u{1f}").replace('\u{1f}', "&#xAD;\u{e000}"),
            &["description"],
        ),
    ]
}

fn shape_rows() -> Vec<Row> {
    let polygon = "alert/info[1]/area[1]/polygon[1]";
    let at_polygon: &'static [&'static str] = &["alert/info[1]/area[1]/polygon[1]"];
    assert!(at_polygon.contains(&polygon));
    let many = vec!["1,1 1,2 2,2 1,1"; POLYGONS_MAX + 1];
    let points = vec!["51.9,-2.1"; POINTS_MAX / 100 + 1].join(" ");
    let points = vec![points.as_str(); 100];
    let bow = "51.0,-2.0 51.3,-2.1 51.0,-2.1 51.1,-2.0 51.0,-2.0";
    let inner = "51.993,-2.163 51.997,-2.160 51.995,-2.155 51.993,-2.163";
    vec![
        rule(
            "an open ring",
            with_polygons(&["51,-2 51.1,-2 51.1,-2.1 51,-2.1"]),
            &["alert/info[1]/area[1]/polygon[1]", "not closed"],
        ),
        rule(
            "three points",
            with_polygons(&["51,-2 51.1,-2 51,-2"]),
            &["alert/info[1]/area[1]/polygon[1]", "at least 4"],
        ),
        rule("an empty polygon", with_polygons(&[""]), at_polygon),
        rule(
            "letters in a coordinate",
            with_polygons(&["51,-2 51.1,west 51.1,-2.1 51,-2"]),
            &["alert/info[1]/area[1]/polygon[1]", "pair 2 (51.1,west)"],
        ),
        rule(
            "NaN in a coordinate",
            with_polygons(&["NaN,-2 51.1,-2 51.1,-2.1 NaN,-2"]),
            &["alert/info[1]/area[1]/polygon[1]", "pair 1 (NaN,-2)"],
        ),
        rule(
            "a coordinate that is infinite",
            with_polygons(&["inf,-2 51.1,-2 51.1,-2.1 inf,-2"]),
            at_polygon,
        ),
        rule(
            "a pair of three",
            with_polygons(&["51,-2,0 51.1,-2,0 51.1,-2.1,0 51,-2,0"]),
            at_polygon,
        ),
        rule(
            "latitude 95",
            with_polygons(&["95,-2 51.1,-2 51.1,-2.1 95,-2"]),
            &["alert/info[1]/area[1]/polygon[1]", "latitude"],
        ),
        rule(
            "longitude 200",
            with_polygons(&["51,200 51.1,-2 51.1,-2.1 51,200"]),
            &["alert/info[1]/area[1]/polygon[1]", "longitude"],
        ),
        rule(
            "a ring that crosses itself",
            with_polygons(&[bow]),
            &["polygon 1", "crosses"],
        ),
        rule(
            "no ground inside",
            with_polygons(&["51,-2 51.1,-2.1 51.2,-2.2 51,-2"]),
            &["polygon 1"],
        ),
        rule(
            "one point four times",
            with_polygons(&["51,-2 51,-2 51,-2 51,-2"]),
            &["polygon 1", "no area"],
        ),
        rule(
            "polygons that overlap",
            with_polygons(&[RING, inner]),
            &["polygons 1 and 2 overlap"],
        ),
        rule(
            "a ring around the world",
            with_polygons(&["0,-120 0,120 10,120 10,-120 0,-120"]),
            &["polygon 1", "180 degrees"],
        ),
        rule(
            "too many polygons",
            with_polygons(&many),
            &["Too many polygons (1001); the maximum is 1000"],
        ),
        rule(
            "too many points",
            with_polygons(&points),
            &["Too many coordinates (50100); the maximum is 50000"],
        ),
    ]
}

#[tokio::test]
async fn a_document_that_is_wrong_is_refused_by_name_and_leaves_nothing() {
    let web = TestWeb::start_with(|state| state.limits.body_bytes_max = 4 << 20).await;
    let stored = web.stored().await;
    let mut missed = Vec::new();
    let tables = [
        structure_rows(),
        date_rows(),
        rule_rows(),
        text_rows(),
        shape_rows(),
    ];
    for Row {
        fault,
        document,
        name,
        says,
    } in tables.into_iter().flatten()
    {
        let answer = web.post_cap(&web.live.normal, &document).await;
        let is_told = answer.status == 400
            && answer.json()["errors"]
                .as_array()
                .is_some_and(|errors| errors.iter().all(|error| error["error"] == name))
            && says.iter().all(|words| answer.messages().contains(words));
        if !is_told {
            missed.push(format!("{fault}: {} {}", answer.status, answer.text));
        }
        assert_eq!(web.stored().await, stored, "{fault}");
    }
    assert_eq!(missed, [""; 0]);
    assert_eq!(web.log.errors(), [""; 0]);
}

#[tokio::test]
async fn what_is_only_tested_is_refused_and_leaves_one_audit_entry_without_the_body() {
    let web = TestWeb::start().await;
    for status in ["Test", "Exercise", "System", "Draft"] {
        let before = web.audit_actions().await;
        let document = changed("<status>Actual", &format!("<status>{status}"));
        let answer = web.post_cap(&web.live.normal, &document).await;
        answer.assert_public_error(400, "ValidationError");
        let message = answer.message();
        assert!(
            message.starts_with(&format!("status {status} is not taken")),
            "{message}"
        );
        let mut after = web.audit_actions().await;
        let refusals = after.get_mut("cap.refuse").expect("an entry");
        *refusals -= 1;
        if *refusals == 0 {
            after.remove("cap.refuse");
        }
        assert_eq!(after, before, "one entry and nothing else");
    }
    assert!(!web.stored().await.contains("over its banks"));
    assert_eq!(web.log.errors(), [""; 0]);
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once_up_to_twenty_entries() {
    let web = TestWeb::start().await;
    let document = alert("several")
        .replace("<scope>Public", "<scope>Private")
        .replace(RING, "51,-2 51.1,-2 51,-2")
        .replace("The river is over its banks. Go uphill now. ", "");
    let answer = web.post_cap(&web.live.normal, &document).await;
    answer.assert_public_error(400, "ValidationError");
    let messages = answer.messages();
    for path in ["alert/scope", "alert/info[1]/description", "polygon[1]"] {
        assert!(messages.contains(path), "{messages}");
    }
    let document = changed("<scope>", &format!("{}<scope>", "<x/>".repeat(50)));
    let answer = web.post_cap(&web.live.normal, &document).await;
    answer.assert_public_error(400, "BadRequestError");
    let count = answer.json()["errors"].as_array().unwrap().len();
    assert!((2..=20).contains(&count), "{count}");
}

#[tokio::test]
async fn a_content_type_that_is_not_cap_is_415_and_nothing_is_read() {
    let web = TestWeb::start().await;
    let stored = web.stored().await;
    for (content_type, shown) in [
        (None, "None"),
        (Some("application/json"), "application/json"),
        (Some("text/xml"), "text/xml"),
        (
            Some("application/cap+xml; charset=iso-8859-1"),
            "application/cap+xml; charset=iso-8859-1",
        ),
    ] {
        let mut request = web.cap_request(&web.live.normal, alert("typed"));
        request.headers_mut().remove("content-type");
        if let Some(content_type) = content_type {
            let value = content_type.parse().unwrap();
            request.headers_mut().insert("content-type", value);
        }
        let answer = web.send(request).await;
        answer.assert_public_error(415, "BadRequestError");
        assert_eq!(
            answer.message(),
            format!("Content type {shown} not supported")
        );
    }
    assert_eq!(web.stored().await, stored);
    let mut request = web.cap_request(&web.live.normal, alert("typed"));
    let value = "application/cap+xml; charset=UTF-8".parse().unwrap();
    request.headers_mut().insert("content-type", value);
    assert_eq!(web.send(request).await.status, 201);
}

#[tokio::test]
async fn a_document_that_declares_latin_1_is_read_as_that_and_never_as_two_things() {
    let web = TestWeb::start().await;
    let stored = web.stored().await;
    let latin_1 = |text: &str| -> Vec<u8> {
        let document = with_text(text).replace("UTF-8", "iso-8859-1");
        let byte = |c| u8::try_from(c).unwrap();
        document.chars().map(byte).collect()
    };
    // A quotation mark of windows-1252 is a control character here: refused, never guessed.
    let answer = web
        .send(web.cap_request(&web.live.normal, latin_1("Go \u{93}now")))
        .await;
    answer.assert_public_error(400, "ValidationError");
    assert!(answer.message().contains("U+0093"), "{answer:?}");
    let document = latin_1("Élan à Orléans");
    let mut request = web.cap_request(&web.live.normal, document.clone());
    let value = "application/cap+xml; charset=utf-8".parse().unwrap();
    request.headers_mut().insert("content-type", value);
    let answer = web.send(request).await;
    answer.assert_public_error(400, "BadRequestError");
    assert!(answer.message().contains("charset=utf-8"), "{answer:?}");
    assert_eq!(web.stored().await, stored);
    let answer = web.send(web.cap_request(&web.live.normal, document)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.json()["content"], "Élan à Orléans");
    // The same message in UTF-8 is the same message.
    let again = web
        .post_cap(&web.live.normal, &with_text("Élan à Orléans"))
        .await;
    assert_eq!(again.status, 200, "{again:?}");
}

#[tokio::test]
async fn polygons_that_only_touch_are_taken_and_blanks_of_any_length_separate_pairs() {
    let web = TestWeb::start().await;
    let touching = with_polygons(&[
        "51.0,-2.0 51.1,-2.0 51.1,-1.9 51.0,-1.9 51.0,-2.0",
        " 51.0,-1.9\n51.1,-1.9   51.1,-1.8\t51.0,-1.8 51.0,-1.9 ",
    ]);
    let answer = web.post_cap(&web.live.normal, &touching).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let texts = [("gsm", "a".repeat(1_395)), ("ucs", "ŵ".repeat(615))];
    for (identifier, text) in texts {
        let document = with_text(&text).replace("changed", identifier);
        assert_eq!(
            web.post_cap(&web.live.normal, &document).await.status,
            201,
            "{identifier}"
        );
    }
}

#[tokio::test]
async fn a_cancel_that_names_no_alert_or_several_is_refused() {
    let web = TestWeb::start().await;
    let key = &web.live.normal;
    for identifier in ["one", "two", "on-air"] {
        assert_eq!(web.post_cap(key, &alert(identifier)).await.status, 201);
    }
    let on_air = web.get(&alerts_path(web.live.id)).await.json()["broadcast_messages"][2]["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let approved = web
        .change_status(on_air, "broadcasting", web.live.approver)
        .await;
    assert_eq!(approved.status, 200);
    let foreign = web.post_cap(&web.other.normal, &alert("foreign")).await;
    assert_eq!(foreign.status, 201);
    let stored = web.stored().await;
    let missing = cancel("").replace("  <references></references>\n", "");
    let rows: [(&str, String, u16, &str, &str); 9] = [
        (
            "no references",
            missing,
            400,
            "ValidationError",
            "alert/references",
        ),
        (
            "empty references",
            cancel(" "),
            400,
            "ValidationError",
            "alert/references",
        ),
        (
            "half a triple",
            cancel("flood-desk@rivers.example,one"),
            400,
            "ValidationError",
            "alert/references",
        ),
        (
            "a triple with a wrong date",
            cancel("flood-desk@rivers.example,one,yesterday"),
            400,
            "ValidationError",
            "alert/references",
        ),
        (
            "unknown",
            cancel(&triple("nobody")),
            404,
            "NoResultFound",
            "No result found",
        ),
        (
            "another sender, and not on the air",
            cancel("other@rivers.example,one,2026-11-23T04:00:00-00:00"),
            404,
            "NoResultFound",
            "No result found",
        ),
        (
            "several alerts",
            cancel(&format!("{} {}", triple("one"), triple("two"))),
            400,
            "BadRequestError",
            "Multiple alerts found",
        ),
        (
            "another service's alert",
            cancel(&triple("foreign")),
            404,
            "NoResultFound",
            "No result found",
        ),
        (
            "later than the Cancel itself",
            cancel("flood-desk@rivers.example,one,2026-11-23T05:00:00-00:00"),
            404,
            "NoResultFound",
            "No result found",
        ),
    ];
    for (fault, document, status, name, says) in rows {
        let answer = web.post_cap(key, &document).await;
        assert_eq!(answer.status, status, "{fault}: {answer:?}");
        answer.assert_public_error(status, name);
        assert!(answer.messages().contains(says), "{fault}: {answer:?}");
        assert_eq!(web.stored().await, stored, "{fault}");
    }
    let by_test_key = web
        .post_cap(&web.live.test, &cancel(&triple("on-air")))
        .await;
    by_test_key.assert_public_error(403, "AuthError");
    assert_eq!(
        by_test_key.message(),
        "Cannot cancel a live broadcast with a test API key"
    );
    assert_eq!(web.stored().await, stored);
    assert_eq!(web.log.errors(), [""; 0]);
}

#[tokio::test]
async fn a_cancel_s_own_content_never_refuses_it() {
    let web = TestWeb::start().await;
    let id = web
        .post_cap(&web.live.normal, &alert("on-air"))
        .await
        .alert();
    web.change_status(id, "broadcasting", web.live.approver)
        .await;
    let document = cancel(&triple("on-air"))
        .replace("<scope>Public", "<scope>Private")
        .replace(
            "</alert>",
            &format!("{}</alert>", {
                let other = alert("x")
                    .replace(RING, "1,2 3,4")
                    .replace("en-GB", "cy-GB");
                let from = other.find("<info>").unwrap();
                let to = other.find("</info>").unwrap() + "</info>".len();
                other[from..to].to_owned()
            }),
        );
    let answer = web.post_cap(&web.live.normal, &document).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["status"]),
        (201, &json!("cancelled"))
    );
}

#[tokio::test]
async fn what_a_training_service_posts_is_stubbed_and_sent_nowhere() {
    let web = TestWeb::start().await;
    let key = &web.training.normal;
    let answer = web.post_cap(key, &alert("exercise")).await;
    assert_eq!(answer.status, 201);
    let body = json!({ "status": "broadcasting", "created_by": web.training.author });
    let path = status_path(web.training.id, answer.alert());
    assert_eq!(web.post(&path, &body).await.status, 200);
    assert!(
        web.app
            .list_deliveries(answer.alert())
            .await
            .unwrap()
            .is_empty()
    );
    // A real alert on a service that went back to training can't be approved.
    let real = web.post_cap(&web.live.normal, &alert("real")).await.alert();
    let actor = balefire_domain::audit::Actor::CommandLine;
    let changed = web
        .app
        .set_service_mode(actor, web.live.id, Mode::Training)
        .await;
    assert!(changed.is_ok());
    let refused = web
        .change_status(real, "broadcasting", web.live.approver)
        .await;
    assert_eq!(refused.status, 400);
    assert!(refused.message().contains("training"), "{refused:?}");
    assert!(web.clock.now() >= START);
}
