//! `text count|pages|facts`, the lists of services, and what an approver is told of a text.

use serde_json::{Value, json};

use crate::support::documents;
use crate::support::on_both_engines;
use crate::support::oracle;
use crate::support::sandbox::{Engine, Ran, Sandbox, balefire, run};

on_both_engines!(
    an_approver_is_warned_of_what_the_service_s_list_lacks,
    both_languages_of_an_alert_are_searched,
);

const CONTACTS: &str = "Call 0800 123 4567 or see www.gov.uk/flood.";

/// Runs a command on a text in a file.
async fn on_text(text: &str, args: &[&str]) -> Ran {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("text.txt");
    std::fs::write(&file, text).expect("the folder is ours");
    let mut command = balefire();
    command.args(&args[..2]).arg(&file).args(&args[2..]);
    run(command).await
}

#[tokio::test]
async fn text_count_says_what_a_text_costs_and_ends_with_1_when_it_can_t_be_sent() {
    let plain = on_text("It’s 5€ [now]", &["text", "count"])
        .await
        .must_succeed();
    for part in ["GSM-7: 16 of 1395 units", "€ (U+20AC) at 7", "sent as '"] {
        assert!(plain.stdout.contains(part), "{part}: {}", plain.stdout);
    }
    let counted = on_text("Dŵr", &["text", "count", "--json"])
        .await
        .must_succeed()
        .json();
    assert_eq!(counted["encoding"], "ucs2");
    assert_eq!(
        (&counted["units"], &counted["limit"]),
        (&json!(3), &json!(615))
    );
    assert_eq!(
        (&counted["remaining"], &counted["pages"]),
        (&json!(612), &json!(1))
    );
    let forcing = json!([{ "character": "ŵ", "code": "U+0175", "positions": [2],
        "national_tables": [] }]);
    assert_eq!(counted["forces_ucs2"], forcing);
    let second = json!({ "position": 2, "character": "ŵ", "code": "U+0175", "fate": "kept",
        "sent": "ŵ", "alphabet": "ucs2", "units": 1 });
    assert_eq!(counted["characters"][1], second);

    let refused = on_text("10² \u{202E}", &["text", "count", "--json"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let refused = refused.json();
    assert_eq!(refused["ok"], json!(false));
    assert_eq!(refused["refusals"][0]["code"], "U+00B2");
    assert_eq!(refused["refusals"][1]["position"], json!(5));
    let any = ["text", "count", "--scripts", "any"];
    on_text("10²", &any).await.must_succeed();
    // A mark without its letter would stand on the character before it.
    let marks = on_text("q\u{301}\u{200d}", &any).await.must_succeed();
    assert!(
        marks.stdout.contains("forces UCS-2: U+0301 at "),
        "{marks:?}"
    );
    let long = on_text(&"a".repeat(100_001), &["text", "count"]).await;
    assert_eq!(long.code, Some(1), "{long:?}");
    assert!(long.stdout.contains("not counted"), "{long:?}");
    assert!(!long.stdout.contains("1395 left"), "{long:?}");
}

#[tokio::test]
async fn text_pages_prints_the_octets_of_each_page() {
    let args = [
        "text",
        "pages",
        "--channel",
        "severe",
        "--code",
        "682",
        "--update",
        "5",
        "--json",
    ];
    let made = on_text("hellohello", &args).await.must_succeed().json();
    assert_eq!(made["message_identifier"], json!(4378));
    assert_eq!(
        (&made["serial_number"], &made["data_coding"]),
        (&json!(0x6AA5), &json!(15))
    );
    let octets = made["pages"][0]["octets"].as_str().expect("hex");
    assert_eq!(octets.len(), 176);
    assert!(
        octets.starts_with("6aa5111a0f11e8329bfd4697d9ec"),
        "{octets}"
    );

    let further = [
        "text",
        "pages",
        "--language",
        "cy",
        "--further-language",
        "--json",
    ];
    let made = on_text("Llifogydd ŵ", &further).await.must_succeed().json();
    assert_eq!(made["message_identifier"], json!(4393));
    assert_eq!(
        (&made["data_coding"], &made["language"]),
        (&json!(0x11), &json!("cy"))
    );
    for wrong in [
        ["--code", "1024"],
        ["--update", "16"],
        ["--language", "eng"],
    ] {
        let args = [&["text", "pages"], wrong.as_slice()].concat();
        assert_eq!(on_text("a", &args).await.code, Some(2), "{wrong:?}");
    }
    let euros = on_text(&"€".repeat(697), &["text", "pages", "--json"]).await;
    assert_eq!(euros.code, Some(1), "{euros:?}");
    assert!(euros.stderr.contains("16 pages"), "{euros:?}");
    let why = euros.json()["error"]["message"].clone();
    assert!(
        why.as_str().is_some_and(|why| why.contains("16 pages")),
        "{why}"
    );
}

#[tokio::test]
async fn text_facts_warns_of_what_the_line_does_not_name() {
    let bare = on_text(CONTACTS, &["text", "facts"]).await.must_succeed();
    assert_eq!(bare.stdout.matches("WARNING").count(), 2, "{bare:?}");
    let named = [
        "text",
        "facts",
        "--number",
        "0800 1234567",
        "--host",
        "gov.uk",
        "--json",
    ];
    let facts = on_text(CONTACTS, &named).await.must_succeed().json();
    let list = facts.as_array().expect("a list");
    assert_eq!(list.len(), 2);
    assert!(
        list.iter().all(|fact| fact["allowed"] == json!(true)),
        "{facts}"
    );
}

async fn both_languages_of_an_alert_are_searched(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let team = sandbox.live_team().await;
    let english = documents::alert("two").replace(documents::TEXT, "Leave now, see example.com");
    let (start, end) = (english.find("<info>"), english.find("</info>"));
    let (start, end) = (
        start.expect("an info"),
        end.expect("its end") + "</info>".len(),
    );
    let first = &english[start..end];
    let welsh = first.replace("en-GB", "cy-GB").replace(
        "Leave now, see example.com",
        "Gadewch nawr, ffoniwch 0800 123 4567, dŵr",
    );
    let document = format!("{}{first}{welsh}{}", &english[..start], &english[end..]);
    let file = sandbox.write("two.xml", &document).display().to_string();
    let submit = [
        "alert",
        "submit",
        &file,
        "--service",
        &team.service,
        "--as",
        &team.author.email,
    ];
    let alert = sandbox.json(&submit).await;
    let alert = alert["id"].as_str().expect("an id").to_owned();
    let shown = sandbox.json(&["alert", "show", &alert]).await;
    let found: Vec<_> = [0, 1]
        .map(|text| &shown["text_facts"]["texts"][text])
        .map(|text| (&text["language"], &text["facts"][0]["text"]))
        .to_vec();
    let want = [
        (&json!("en-GB"), &json!("example.com")),
        (&json!("cy-GB"), &json!("0800 123 4567")),
    ];
    assert_eq!(found, want, "{shown}");
    // None of the networks carries two languages, and whoever decides reads so.
    let differ = shown["network_differences"].as_array().expect("a list");
    assert_eq!(differ.len(), 4, "{shown}");
    let page = sandbox.run(&["alert", "show", &alert]).await.must_succeed();
    let alone = "o2 gets the first language alone";
    assert!(page.stdout.contains(alone), "{}", page.stdout);

    // What says in Welsh what the English no longer says goes, and not in silence.
    let author = team.author.email.as_str();
    let change = [
        "alert",
        "update",
        &alert,
        "--content",
        "Stay.",
        "--as",
        author,
    ];
    let edited = sandbox.run(&change).await.must_succeed();
    let words = "the text in cy-GB falls away";
    assert!(edited.stdout.contains(words), "{}", edited.stdout);
    let shown = sandbox.json(&["alert", "show", &alert]).await;
    assert_eq!(shown["second"], Value::Null);
    assert_eq!(shown["network_differences"], json!([]));
    oracle::nothing_was_sent(&sandbox).await;
}

/// Prints, and ends with 0: a warning refuses nothing.
async fn an_approver_is_warned_of_what_the_service_s_list_lacks(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let team = sandbox.live_team().await;
    let text = format!("This is a test. {CONTACTS}");
    let document = documents::alert("flood-1").replace(documents::TEXT, &text);
    let file = sandbox
        .write("contacts.xml", &document)
        .display()
        .to_string();
    let submit = [
        "alert",
        "submit",
        &file,
        "--service",
        &team.service,
        "--as",
        &team.author.email,
    ];
    let alert = sandbox.json(&submit).await;
    let alert = alert["id"].as_str().expect("an id").to_owned();
    let warnings = |shown: &Value| {
        let warnings = shown["text_facts"]["warnings"].as_array();
        warnings
            .expect("a list")
            .iter()
            .map(Value::to_string)
            .collect::<Vec<_>>()
    };

    let shown = sandbox.json(&["alert", "show", &alert]).await;
    let told = warnings(&shown);
    assert_eq!(told.len(), 3, "{told:#?}");
    for (part, warning) in ["“test”", "0800 123 4567", "www.gov.uk"].iter().zip(&told) {
        assert!(warning.contains(part), "{part}: {warning}");
    }

    let allow = [
        "service",
        "allow",
        &team.service,
        "--number",
        "0800 1234567",
        "--host",
        "GOV.UK",
    ];
    let list = sandbox.json(&allow).await;
    let want = json!([{ "kind": "host", "value": "gov.uk" },
        { "kind": "number", "value": "08001234567" }]);
    assert_eq!(list, want);
    assert_eq!(
        sandbox.json(&allow).await,
        want,
        "the same again is no error"
    );
    assert_eq!(
        sandbox
            .json(&["service", "allow", &team.service, "--list"])
            .await,
        want
    );
    let told = warnings(&sandbox.json(&["alert", "show", &alert]).await);
    assert_eq!(told.len(), 1, "{told:#?}");

    let disallow = ["service", "disallow", &team.service, "--host", "gov.uk"];
    assert_eq!(
        sandbox.json(&disallow).await.as_array().map(Vec::len),
        Some(1)
    );
    let page = sandbox.run(&["alert", "show", &alert]).await.must_succeed();
    assert_eq!(page.stdout.matches("WARNING").count(), 2, "{page:?}");
    let approve = ["alert", "approve", &alert, "--as", &team.approver.email];
    let approved = sandbox.run(&approve).await.must_succeed();
    assert_eq!(
        approved.stdout.matches("WARNING").count(),
        2,
        "{approved:?}"
    );
    assert!(approved.stdout.contains("broadcasting"), "{approved:?}");

    // An update is judged by its own text.
    let news = "The test is over. Call 0900 111 222.";
    let update = [
        "alert",
        "update",
        &alert,
        "--content",
        news,
        "--as",
        &team.author.email,
    ];
    sandbox.run(&update).await.must_succeed();
    let shown = sandbox.json(&["alert", "show", &alert]).await;
    let texts = &shown["text_facts"]["texts"];
    assert_eq!(
        (&texts[0]["of"], &texts[1]["of"]),
        (&json!("alert"), &json!("update"))
    );
    assert_eq!(texts[1]["facts"][0]["value"], "0900111222");
    let proposed = &shown["proposed_update"];
    let (version, hash) = (proposed["version"].to_string(), proposed["hash"].as_str());
    let seen = ["--version", &version, "--hash", hash.expect("a hash")];
    let approved = sandbox.run(&[approve.as_slice(), &seen].concat()).await;
    assert!(approved.must_succeed().stdout.contains("0900 111 222"));

    let unknown = "00000000-0000-4000-8000-000000000000";
    let refused = sandbox
        .run(&["service", "allow", unknown, "--host", "gov.uk"])
        .await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    for wrong in [["--host", "https://gov.uk"], ["--number", "12"]] {
        let args = [&["service", "allow", &team.service], wrong.as_slice()].concat();
        assert_eq!(sandbox.run(&args).await.code, Some(2), "{wrong:?}");
    }
    oracle::nothing_was_sent(&sandbox).await;
}
