//! The rules, one row each, on the smallest document that shows them.

use balefire_cap::rules::{self, Kind, Use};
use balefire_cap::{Finding, Report, check_as, read};

const FLOOD: &str = include_str!("fixtures/flood-alert.xml");
const CANCEL: &str = include_str!("fixtures/flood-cancel.xml");
const EVERY: &str = include_str!("fixtures/every-element.xml");

const NAMESPACE: &str = "urn:oasis:names:tc:emergency:cap:1.2";

/// The smallest Alert that is taken without a finding.
const SMALL: &str = r#"<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>id</identifier><sender>s@t</sender><sent>2026-11-23T04:09:03-00:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope><info><language>en-GB</language><category>Met</category><event>Flood</event><urgency>Immediate</urgency><severity>Severe</severity><certainty>Likely</certainty><description>Text</description><area><areaDesc>Here</areaDesc><polygon>1,2 1,3 2,3 1,2</polygon></area></info></alert>"#;

/// The smallest Cancel that is taken without a finding.
const SMALL_CANCEL: &str = r#"<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>id</identifier><sender>s@t</sender><sent>2026-11-23T04:09:03-00:00</sent><status>Actual</status><msgType>Cancel</msgType><scope>Public</scope><references>s@t,a,2026-11-23T04:00:00-00:00</references></alert>"#;

/// The document with one piece exchanged; the piece must be there.
fn with(document: &str, old: &str, new: &str) -> String {
    assert!(document.contains(old), "{old} is in the document");
    document.replacen(old, new, 1)
}

/// What is found when a document is to be dispatched.
fn dispatch(document: &str) -> Report {
    check_as(document.as_bytes(), Use::Dispatch, None)
}

/// `code path` of each error.
fn errors(document: &str) -> Vec<String> {
    let report = dispatch(document);
    let errors = report.findings.iter().filter(|finding| finding.is_error());
    errors
        .map(|finding| format!("{} {}", finding.code, finding.path))
        .collect()
}

fn warnings(document: &str) -> Vec<String> {
    let report = dispatch(document);
    assert!(report.is_accepted, "{:?}", report.findings);
    report
        .findings
        .iter()
        .map(|finding| format!("{} {}", finding.code, finding.path))
        .collect()
}

fn finding(document: &str) -> Finding {
    let report = dispatch(document);
    report
        .findings
        .into_iter()
        .next()
        .expect("there is a finding")
}

#[test]
fn what_is_in_order_has_no_finding() {
    for document in [SMALL, SMALL_CANCEL, FLOOD, CANCEL] {
        assert_eq!(warnings(document), Vec::<String>::new());
    }
}

#[test]
fn the_root_is_named_as_what_it_is() {
    let cases = [
        (
            format!("<alert xmlns='{NAMESPACE}x'/>"),
            "wrong-namespace alert",
        ),
        ("<alert/>".to_owned(), "no-namespace alert"),
        (
            "<alert xmlns='http://www.incident.com/cap/1.0'/>".to_owned(),
            "old-version alert",
        ),
        (
            "<alert xmlns='urn:oasis:names:tc:emergency:cap:1.1'/>".to_owned(),
            "old-version alert",
        ),
        (
            "<EDXLDistribution/>".to_owned(),
            "envelope EDXLDistribution",
        ),
        (
            "<feed xmlns='http://www.w3.org/2005/Atom'/>".to_owned(),
            "feed feed",
        ),
        ("<rss/>".to_owned(), "feed rss"),
        ("<alerts/>".to_owned(), "list alerts"),
        (
            format!("<hub><one><alert xmlns='{NAMESPACE}'/></one></hub>"),
            "list hub",
        ),
        ("<html/>".to_owned(), "wrong-root html"),
        (format!("<value xmlns='{NAMESPACE}'/>"), "wrong-root value"),
        (format!("<Alert xmlns='{NAMESPACE}'/>"), "wrong-root Alert"),
    ];
    for (document, want) in cases {
        assert_eq!(errors(&document), [want], "{document}");
    }
    let old = "<alert xmlns='urn:oasis:names:tc:emergency:cap:1.1'/>";
    for (document, want) in [
        (
            format!("<EDXLDistribution>{old}{old}</EDXLDistribution>"),
            "2 messages, the first of CAP 1.1",
        ),
        (format!("<feed>{old}</feed>"), "a message of CAP 1.1"),
        (format!("<hub>{old}</hub>"), "a message of CAP 1.1"),
    ] {
        let message = finding(&document).message;
        assert!(message.contains(want), "{message}");
    }
    assert!(
        finding("<alert xmlns='urn:oasis:names:tc:emergency:cap:1.1'/>")
            .message
            .contains("1.1")
    );
    assert!(
        finding("<alert xmlns='http://www.incident.com/cap/1.0'/>")
            .message
            .contains("1.0")
    );
}

#[test]
fn the_structure_is_that_of_the_schema() {
    let sent = "<sent>2026-11-23T04:09:03-00:00</sent>";
    let signature = "<S xmlns='http://www.w3.org/2000/09/xmldsig#'><a b='c'/>d</S>";
    // One row per rule: what is exchanged in the smallest Alert, for what, and what is found.
    let cases: [(&str, &str, &[&str]); 40] = [
        (
            "<sender>s@t</sender>",
            "",
            &["missing-element alert/sender"],
        ),
        (
            "<urgency>Immediate</urgency>",
            "",
            &["missing-element alert/info[1]/urgency"],
        ),
        (
            "<areaDesc>Here</areaDesc>",
            "",
            &["missing-element alert/info[1]/area[1]/areaDesc"],
        ),
        (
            "<status>",
            "<sender>x</sender><status>",
            &["repeated-element alert/sender[2]"],
        ),
        ("<scope>", "<note/><scope>", &["out-of-order alert/scope"]),
        (
            "<status>",
            "<stadus/><status>",
            &["unknown-element alert/stadus[1]"],
        ),
        (
            "<status>",
            "<area/><status>",
            &["unknown-element alert/area[1]"],
        ),
        (
            "<status>",
            "<a xmlns='u'/><status>",
            &["foreign-element alert/a[1]"],
        ),
        (
            "<status>",
            "<a xmlns=''/><status>",
            &["foreign-element alert/a[1]"],
        ),
        ("<status>", "x<status>", &["stray-text alert"]),
        (
            "<areaDesc>",
            "&#65;<areaDesc>",
            &["stray-text alert/info[1]/area[1]"],
        ),
        ("<status>", "<![CDATA[ ]]><status>", &["stray-text alert"]),
        ("<status>", " <!-- --> &#32;<status>", &[]),
        (
            "<status>",
            "<status a='b'>",
            &["attribute-not-allowed alert/status/@a"],
        ),
        (
            "<status>",
            "<status xml:lang='b'>",
            &["attribute-not-allowed alert/status/@lang"],
        ),
        (
            "<status>",
            "<status xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:schemaLocation='x'>",
            &[],
        ),
        (
            "<status>",
            "<status xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='false'>",
            &["attribute-not-allowed alert/status/@nil"],
        ),
        (
            "<status>",
            "<status xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:type='x'>",
            &["xsi-type alert/status/@type"],
        ),
        (">s@t<", "><b/><", &["text-only alert/sender"]),
        (">Actual<", ">actual<", &["wrong-word alert/status"]),
        (">Actual<", "> Actual<", &["wrong-word alert/status"]),
        (">Actual<", ">Act<!-- -->u<![CDATA[al]]><", &[]),
        (
            ">Likely<",
            ">Very Likely<",
            &["wrong-word alert/info[1]/certainty"],
        ),
        (
            ">Met<",
            ">Weather<",
            &["wrong-word alert/info[1]/category[1]"],
        ),
        (
            sent,
            "<sent>2026-11-23T04:09:03Z</sent>",
            &["bad-date alert/sent"],
        ),
        (
            sent,
            "<sent>2026-02-30T04:09:03-00:00</sent>",
            &["bad-date alert/sent"],
        ),
        (
            sent,
            "<sent>2026-13-01T04:09:03-00:00</sent>",
            &["bad-date alert/sent"],
        ),
        (
            sent,
            "<sent>2026-11-23T04:09:03,00:00</sent>",
            &["bad-date alert/sent"],
        ),
        (
            sent,
            "<sent>2026-11-23T04:09:03.0-00:00</sent>",
            &["bad-date alert/sent"],
        ),
        (
            sent,
            "<sent>2026-11-23T04:09:03</sent>",
            &["bad-date alert/sent"],
        ),
        (
            ">en-GB<",
            ">en_GB<",
            &["bad-language alert/info[1]/language"],
        ),
        (">en-GB<", "> <", &["bad-language alert/info[1]/language"]),
        (">en-GB<", "><", &[]),
        (">en-GB<", "><!-- --><", &[]),
        (
            ">en-GB<",
            "><![CDATA[]]><",
            &["bad-language alert/info[1]/language"],
        ),
        (
            "</area>",
            "<ceiling>x</ceiling></area>",
            &["bad-number alert/info[1]/area[1]/ceiling"],
        ),
        (
            "<area>",
            "<web>:</web><area>",
            &["bad-uri alert/info[1]/web"],
        ),
        ("</alert>", &format!("{signature}{signature}</alert>"), &[]),
        ("<info>", &format!("{signature}<info>"), &[]),
        (
            "<sender>",
            &format!("{signature}<sender>"),
            &["out-of-order alert/sender"],
        ),
    ];
    for (old, new, want) in cases {
        let document = with(SMALL, old, new);
        let found = match read(document.as_bytes()) {
            Ok(_) => Vec::new(),
            Err(found) => found,
        };
        let found: Vec<String> = found
            .iter()
            .map(|finding| format!("{} {}", finding.code, finding.path))
            .collect();
        let first: Vec<&str> = found
            .iter()
            .take(want.len().max(1))
            .map(String::as_str)
            .collect();
        assert_eq!(first, want, "{old} -> {new}");
    }
}

#[test]
fn the_advice_says_what_to_write() {
    // One row per hint: what is exchanged, for what, and words of the message.
    let cases = [
        (":03-00:00", ":03Z", "write UTC as -00:00"),
        (":03-00:00", ":03", "no zone"),
        (":03-00:00", ":03.5-00:00", "whole seconds"),
        (":03-00:00", ":03,00:00", "comma"),
        (">Likely<", ">Very Likely<", "CAP 1.0; write Likely"),
        (">Actual<", ">ACTUAL<", "exactly as Actual"),
        (">Met<", ">Weather<", "Geo, Met, Safety"),
        ("<status>", "<polygon/><status>", "its place is area"),
        ("<sender>s@t</sender>", "", "`alert` must have `sender`"),
        (
            "<status>",
            "<?pi?><status>",
            "processing instructions are not allowed",
        ),
        (
            "<status>",
            "<!DOCTYPE a><status>",
            "document type declarations are not allowed",
        ),
        (
            "<status>",
            "<status><b></status>",
            "`b` is closed by </status>",
        ),
        ("</alert>", "", "ends before"),
        ("</alert>", "</alert><alert/>", "outermost"),
        ("</alert>", "</alert>x", "outermost"),
        (
            "<status>",
            "<x:a/><status>",
            "the prefix `x` has no namespace",
        ),
        ("s@t", "s\u{1}", "U+0001"),
    ];
    for (old, new, want) in cases {
        let message = finding(&with(SMALL, old, new)).message;
        assert!(message.contains(want), "{message:?} says {want:?}");
    }
}

#[test]
fn every_fault_of_a_document_is_reported_at_once() {
    let document = SMALL
        .replace(">Met<", ">Weather<")
        .replace("<sender>s@t</sender>", "")
        .replace(">Severe<", ">Bad<");
    assert_eq!(
        errors(&document),
        [
            "wrong-word alert/info[1]/category[1]",
            "wrong-word alert/info[1]/severity",
            "missing-element alert/sender"
        ]
    );
}

#[test]
fn only_actual_alerts_updates_and_cancels_are_acted_on() {
    let kind = |status: &str, msg_type: &str| {
        let document = SMALL
            .replace("Actual", status)
            .replace(">Alert<", &format!(">{msg_type}<"));
        rules::check_kind(
            &read(document.as_bytes())
                .expect("the structure is right")
                .alert,
        )
        .map_err(|finding| finding.message)
    };
    assert_eq!(kind("Actual", "Alert"), Ok(Kind::Alert));
    assert_eq!(kind("Actual", "Update"), Ok(Kind::Update));
    assert_eq!(kind("Actual", "Cancel"), Ok(Kind::Cancel));
    for msg_type in ["Ack", "Error"] {
        let want = format!("msgType {msg_type} is not one of [Alert, Update, Cancel]");
        assert_eq!(kind("Actual", msg_type), Err(want));
    }
    for status in ["Exercise", "System", "Test", "Draft"] {
        let message = kind(status, "Update").expect_err("only Actual is taken");
        assert!(
            message.starts_with(&format!("status {status}")),
            "{message}"
        );
    }
}

#[test]
fn alerts_are_refused_by_rule() {
    let area = "<area><areaDesc>Here</areaDesc><polygon>1,2 1,3 2,3 1,2</polygon></area>";
    let welsh = "</info><info><language>cy-GB</language><category>Met</category><event>e</event><urgency>Past</urgency><severity>Minor</severity><certainty>Likely</certainty></info>";
    let no_language = welsh.replace("<language>cy-GB</language>", "");
    let in_words = |info: &str| {
        info.replace(
            "Likely</certainty>",
            "Likely</certainty><description>Testun</description>",
        )
    };
    let french = welsh.replace("cy-GB", "fr");
    let long = "x".repeat(256);
    let references = |text: &str| format!("<references>{text}</references><info>");
    // One row per rule: what is exchanged in the smallest Alert, for what, and what is found.
    let cases: [(&str, &str, &str); 31] = [
        (":03-00:00", ":03-00:00", ""),
        ("T04:09:03", "T24:00:00", "date-hour-24 alert/sent"),
        (">id<", "><", "empty-name alert/identifier"),
        (">id<", ">i d<", "bad-name alert/identifier"),
        (">id<", ">i,d<", "bad-name alert/identifier"),
        (">id<", ">i&amp;d<", "bad-name alert/identifier"),
        (">s@t<", ">s&lt;t<", "bad-name alert/sender"),
        (">s@t<", ">s\u{a0}t<", "bad-name alert/sender"),
        (
            ">id<",
            &format!(">{long}<"),
            "identifier-too-long alert/identifier",
        ),
        (">Public<", ">Restricted<", "scope-not-public alert/scope"),
        (">Public<", ">Private<", "scope-not-public alert/scope"),
        (
            "<info>",
            &references("a,b"),
            "bad-reference alert/references",
        ),
        (
            "<info>",
            &references("s@t,id,2026-11-23T05:09:03+01:00"),
            "reference-to-itself alert/references",
        ),
        (
            "<info>",
            &references("s@t,x,2026-11-23T04:09:04-00:00"),
            "reference-to-later alert/references",
        ),
        (
            "<description>Text</description>",
            "",
            "missing-description alert/info[1]/description",
        ),
        (
            ">Text<",
            "><",
            "empty-description alert/info[1]/description",
        ),
        (
            ">Text<",
            "> \n <",
            "empty-description alert/info[1]/description",
        ),
        (
            "</info>",
            welsh,
            "missing-description alert/info[2]/description",
        ),
        (
            "</info>",
            &format!("{}{french}", in_words(welsh).trim_end_matches("</info>")),
            "more-than-two-languages alert/info/language",
        ),
        (
            "</info>",
            &in_words(&no_language),
            "languages-alike alert/info[2]/language",
        ),
        (area, "", "missing-area alert/info[1]/area"),
        (
            "</area>",
            "</area><area><areaDesc>x</areaDesc></area>",
            "area-without-polygon alert/info[1]/area[2]",
        ),
        (
            "<polygon>1,2 1,3 2,3 1,2</polygon>",
            "<circle>1,2 0</circle>",
            "circle-without-radius alert/info[1]/area[1]/circle[1]",
        ),
        (
            "</area>",
            "<circle>1,2 three</circle></area>",
            "bad-circle alert/info[1]/area[1]/circle[1]",
        ),
        (
            "<polygon>1,2 1,3 2,3 1,2</polygon>",
            "<circle>1,2 3</circle>",
            "",
        ),
        (
            "</area>",
            "<circle>1,2 30000</circle></area>",
            "circle-too-large alert/info[1]/area[1]/circle[1]",
        ),
        (
            "1,2 1,3",
            "1,2 1;3",
            "bad-pair alert/info[1]/area[1]/polygon[1]",
        ),
        (
            "1,2 1,3",
            "1,2 95,3",
            "latitude-out-of-range alert/info[1]/area[1]/polygon[1]",
        ),
        (
            "</area>",
            "<ceiling>1</ceiling></area>",
            "ceiling-without-altitude alert/info[1]/area[1]/ceiling",
        ),
        (
            "</area>",
            "<altitude>2</altitude><ceiling>1</ceiling></area>",
            "ceiling-below-altitude alert/info[1]/area[1]/ceiling",
        ),
        (
            "</area>",
            "<altitude>2</altitude><ceiling>2.0</ceiling></area>",
            "",
        ),
    ];
    for (old, new, want) in cases {
        let found = errors(&with(SMALL, old, new));
        let want: &[&str] = if want.is_empty() { &[] } else { &[want] };
        assert_eq!(found, want, "{old} -> {new}");
    }
    let start = SMALL.find("<info>").expect("it has an info");
    let without_info = format!("{}</alert>", &SMALL[..start]);
    assert_eq!(errors(&without_info), ["missing-info alert/info"]);
}

#[test]
fn what_is_strange_but_harmless_is_a_warning() {
    let info = "<category>Met</category><event>e</event><urgency>Past</urgency><severity>Minor</severity><certainty>Likely</certainty>";
    let same_language = format!("</info><info><language>EN-gb</language>{info}</info>");
    let before_area = |what: &str| format!("{what}<area>");
    let references = "<references>s@t,x,2026-11-23T04:00:00-00:00</references><info>";
    let cases: [(&str, &str, &[&str]); 17] = [
        (">Flood<", "> <", &["empty-event alert/info[1]/event"]),
        (
            ">Here<",
            "><",
            &["empty-area-name alert/info[1]/area[1]/areaDesc"],
        ),
        (":03-00:00", ":03+00:00", &["date-plus-zero alert/sent"]),
        ("<sent>2026", "<sent> 2026", &[]),
        (
            "<info>",
            references,
            &["references-ignored alert/references"],
        ),
        ("<info>", "<references/><info>", &[]),
        (
            "</scope>",
            "</scope><restriction>x</restriction>",
            &["restriction-ignored alert/restriction"],
        ),
        ("</scope>", "</scope><restriction/><addresses/>", &[]),
        ("</info>", &same_language, &["later-info alert/info[2]"]),
        (
            "<description>",
            "<expires>2020-01-01T00:00:00-00:00</expires><description>",
            &["expires-too-early alert/info[1]/expires"],
        ),
        (
            "<description>",
            "<onset>2030-01-01T00:00:00-00:00</onset><expires>2029-01-01T00:00:00-00:00</expires><description>",
            &["expires-too-early alert/info[1]/expires"],
        ),
        (
            "<area>",
            &before_area("<web>page</web>"),
            &["relative-web alert/info[1]/web"],
        ),
        (
            "<area>",
            &before_area("<parameter><valueName>x</valueName><value/></parameter>"),
            &["empty-value alert/info[1]/parameter[1]"],
        ),
        (
            "<area>",
            &before_area(
                "<resource><resourceDesc>x</resourceDesc><mimeType>png</mimeType><uri>x</uri><digest>0</digest></resource>",
            ),
            &[
                "bad-mime-type alert/info[1]/resource[1]/mimeType",
                "relative-uri alert/info[1]/resource[1]/uri",
                "bad-digest alert/info[1]/resource[1]/digest",
            ],
        ),
        (
            "1,2 1,3 2,3 1,2",
            "1,2 1,3 2,3 1.0,2",
            &["polygon-closed-differently alert/info[1]/area[1]/polygon[1]"],
        ),
        (
            "</alert>",
            "<S xmlns='http://www.w3.org/2000/09/xmldsig#'/></alert>",
            &["signature-not-verified alert/Signature"],
        ),
        (
            "<info>",
            "<S xmlns='http://www.w3.org/2000/09/xmldsig#'/><info>",
            &[
                "info-after-signature alert/info[1]",
                "signature-not-verified alert/Signature",
            ],
        ),
    ];
    for (old, new, want) in cases {
        assert_eq!(warnings(&with(SMALL, old, new)), want, "{old} -> {new}");
    }
}

#[test]
fn a_cancel_is_refused_for_its_references_and_for_nothing_else() {
    let triple = "s@t,a,2026-11-23T04:00:00-00:00";
    let broken_info = "<info><language>cy</language><category>Met</category><event/><urgency>Past</urgency><severity>Minor</severity><certainty>Likely</certainty><description/><area><areaDesc/><polygon>x</polygon><circle>y</circle><ceiling>1</ceiling></area></info><info><language>en</language><category>Met</category><event/><urgency>Past</urgency><severity>Minor</severity><certainty>Likely</certainty></info></alert>";
    // One row per rule: what is exchanged in the smallest Cancel, for what, and what is found.
    let cases: [(&str, &str, &[&str]); 13] = [
        (
            "<references>s@t,a,2026-11-23T04:00:00-00:00</references>",
            "",
            &["missing-references alert/references"],
        ),
        (triple, "", &["missing-references alert/references"]),
        (triple, " \n ", &["missing-references alert/references"]),
        (triple, "s@t,a", &["bad-reference alert/references"]),
        (triple, "a", &["bad-reference alert/references"]),
        (
            triple,
            "s@t,a,yesterday",
            &["bad-reference alert/references"],
        ),
        (
            triple,
            &format!("{triple} s@t,b"),
            &["bad-reference alert/references"],
        ),
        (triple, &format!("\n {triple}\n\t{triple} "), &[]),
        (triple, "s@t,id,2026-11-23T04:09:03-00:00", &[]),
        (triple, "s@t,a,2030-11-23T04:09:03+00:00", &[]),
        (">id<", "><", &[]),
        (">Public<", ">Private<", &[]),
        ("</alert>", broken_info, &[]),
    ];
    for (old, new, want) in cases {
        assert_eq!(
            errors(&with(SMALL_CANCEL, old, new)),
            want,
            "{old} -> {new}"
        );
    }
}

#[test]
fn numbers_of_things_are_bounded_for_alerts_and_cancels() {
    let info = "<info><category>Met</category><event>e</event><urgency>Past</urgency><severity>Minor</severity><certainty>Likely</certainty></info>";
    let polygons = |count: usize, pairs: usize| {
        let polygon = format!("<polygon>{}</polygon>", "1,2 ".repeat(pairs));
        format!(
            "<area><areaDesc>x</areaDesc>{}</area>",
            polygon.repeat(count)
        )
    };
    let of = |count: usize, areas: &str| {
        let infos = info
            .repeat(count)
            .replacen("</info>", &format!("{areas}</info>"), 1);
        SMALL_CANCEL.replace("</alert>", &format!("{infos}</alert>"))
    };
    let triples = |count: usize| {
        with(
            SMALL_CANCEL,
            "<references>",
            &format!(
                "<references>{}",
                "a,b,2026-11-23T04:00:00-00:00 ".repeat(count - 1)
            ),
        )
    };
    let cases: [(String, &[&str]); 8] = [
        (of(100, ""), &[]),
        (of(101, ""), &["too-many-infos alert"]),
        (of(1, &polygons(1_000, 1)), &[]),
        (of(1, &polygons(1_001, 1)), &["too-many-polygons alert"]),
        (of(1, &polygons(5, 10_000)), &[]),
        (of(1, &polygons(1, 50_001)), &["too-many-points alert"]),
        (triples(1_000), &[]),
        (triples(1_001), &["too-many-references alert/references"]),
    ];
    for (document, want) in cases {
        assert_eq!(errors(&document), want);
        let alert = document.replace(">Cancel<", ">Alert<");
        for code in want {
            assert!(
                errors(&alert).contains(&(*code).to_owned()),
                "{code} for an Alert"
            );
        }
    }
    let document = of(1, &polygons(1_001, 1));
    assert_eq!(
        finding(&document).message,
        "Too many polygons (1001); the maximum is 1000"
    );
    let document = of(1, &polygons(1, 50_001));
    assert_eq!(
        finding(&document).message,
        "Too many coordinates (50001); the maximum is 50000"
    );
}

#[test]
fn an_accepted_alert_says_what_is_used_of_it() {
    let document = read(FLOOD.as_bytes()).expect("the structure is right");
    let content = rules::accept_alert(&document.alert)
        .expect("it is taken")
        .content;
    assert_eq!(content.identifier, "severn-ham-2026-11-23-01");
    assert_eq!(content.sender, "flood-desk@rivers.example");
    assert_eq!(content.sent.at.to_cap(), "2026-11-23T04:09:03-00:00");
    assert_eq!(content.event, "Severe flood: river over its banks");
    assert!(content.text.starts_with("The river has come over the wall"));
    assert_eq!(content.language, "en-GB");
    let names: Vec<&str> = content
        .areas
        .iter()
        .map(|area| area.name.as_str())
        .collect();
    assert_eq!(names, ["Low streets between the two rivers", "Meadow camp"]);
    assert_eq!(content.areas[0].polygons[0].len(), 7);
    assert_eq!(content.areas[0].polygons[0][0], (51.9964, -2.1681));
}

#[test]
fn an_accepted_cancel_names_what_it_ends() {
    let document = read(CANCEL.as_bytes()).expect("the structure is right");
    let content = rules::accept_cancel(&document.alert)
        .expect("it is taken")
        .content;
    let [reference] = &content.references[..] else {
        panic!("one reference")
    };
    assert_eq!(reference.identifier, "severn-ham-2026-11-23-01");
    assert_eq!(reference.sender, "flood-desk@rivers.example");
    assert_eq!(reference.sent.at.to_cap(), "2026-11-23T04:09:03-00:00");
}

#[test]
fn every_element_is_kept() {
    let alert = read(EVERY.as_bytes())
        .expect("the structure is right")
        .alert;
    let kept = serde_json::to_value(&alert).expect("it is plain data");
    let text_of_everything = kept.to_string();
    let tree = roxmltree::Document::parse(EVERY).expect("it is XML");
    let is_in_signature = |node: roxmltree::Node<'_, '_>| {
        node.ancestors()
            .any(|up| up.tag_name().name() == "Signature")
    };
    for node in tree
        .descendants()
        .filter(|node| node.is_element() && !is_in_signature(*node))
    {
        let text: String = node
            .children()
            .filter_map(|n| n.text().filter(|_| n.is_text()))
            .collect();
        if text.trim().is_empty() {
            continue;
        }
        let in_json = serde_json::to_string(&text).expect("it is text");
        assert!(
            text_of_everything.contains(&in_json),
            "{}: {text}",
            node.tag_name().name()
        );
    }
    assert_eq!(alert.infos.len(), 2);
    assert_eq!(
        alert.infos[0].description.as_deref(),
        Some("Water & wind <soon> here")
    );
    assert_eq!(alert.infos[0].areas[0].polygons.len(), 2);
    assert_eq!(alert.infos[1].language_or_default(), "en-US");
    assert!(
        alert.signatures[0].xml.starts_with("<ds:Signature")
            && alert.signatures[0].xml.ends_with("</ds:Signature>")
    );
}

#[test]
fn a_report_is_json() {
    let document = with(SMALL, ">Actual<", ">Test<");
    let report = serde_json::to_value(dispatch(&document)).expect("it is plain data");
    assert_eq!(report["is_accepted"], false);
    assert_eq!(report["summary"]["status"], "Test");
    assert_eq!(report["findings"][0]["rule"], "C5");
    assert_eq!(report["findings"][0]["severity"], "error");
    assert_eq!(report["findings"][0]["path"], "alert/status");
}
