//! What reaches each provider: a second language where it can be carried, circles as polygons, and
//! shapes within the provider's limits.

use std::sync::Arc;

use balefire_app::{Alert, Service, Settings};
use balefire_domain::channel::Channel;
use balefire_domain::ids::AlertId;
use balefire_domain::provider::{Limits, ProviderName};
use balefire_domain::second_text::SecondText;
use serde_json::{Value, json};

use crate::documents::{RING, alert, changed, in_languages, with_polygons};
use crate::support::*;

async fn start_with(change: impl FnOnce(&mut Settings)) -> TestWeb {
    TestWeb::start_with(|state| {
        let mut settings = Settings::clone(&state.app.settings);
        change(&mut settings);
        state.app.settings = Arc::new(settings);
    })
    .await
}

/// What a provider's first delivery carries.
async fn payload(web: &TestWeb, alert: AlertId, provider: &str) -> Value {
    let histories = web.app.list_deliveries(alert).await.unwrap();
    let history = histories.iter().find(|h| h.provider.as_str() == provider);
    let id = history.expect("a lane").delivery.id;
    let mut tx = web.app.store.begin_read("frozen", START).await.unwrap();
    let frozen = tx.load_frozen(id).await.unwrap().unwrap();
    serde_json::from_str(&frozen.payload.unwrap()).unwrap()
}

async fn approve(web: &TestWeb, document: &str) -> AlertId {
    let posted = web.post_cap(&web.live.normal, document).await;
    assert_eq!(posted.status, 201, "{posted:?}");
    let id = posted.alert();
    let answer = web
        .change_status(id, "broadcasting", web.live.approver)
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    id
}

fn points(payload: &Value) -> usize {
    let areas = payload["areas"].as_array().unwrap();
    let rings = areas.iter().map(|area| area["polygon"].as_array().unwrap());
    rings.map(Vec::len).sum()
}

#[tokio::test]
async fn a_second_language_is_shown_to_the_approver_and_sent_where_it_can_be_carried() {
    let web = start_with(|s| s.profiles[0].capabilities.second_language = true).await;
    let document =
        in_languages(&["en-GB", "cy-GB"]).replace("text in cy-GB", "D\u{175}r  uchel  .");
    let posted = web.post_cap(&web.live.normal, &document).await;
    assert_eq!(posted.status, 201, "{posted:?}");
    let (id, shown) = (posted.alert(), posted.json());
    let second = json!({"language": "cy-GB", "content": "D\u{175}r  uchel  ."});
    assert_eq!(shown["second_language"], second);
    assert_eq!(shown["areas"]["names"], json!(["Low streets"]), "said once");
    assert_eq!(
        shown["areas"]["simple_polygons"].as_array().unwrap().len(),
        1
    );
    let alone = web.post_cap(&web.live.normal, &alert("alone")).await;
    assert!(alone.json().get("second_language").is_none());

    web.change_status(id, "broadcasting", web.live.approver)
        .await;
    let able = payload(&web, id, "ee").await;
    assert_eq!(able["language"], "en-GB");
    assert_eq!(able["second"]["language"], "cy-GB");
    assert_eq!(
        able["second"]["description"], "D\u{175}r uchel.",
        "normalised for itself"
    );
    for provider in ["o2", "three", "vodafone"] {
        let other = payload(&web, id, provider).await;
        assert!(other.get("second").is_none(), "{provider}: {other}");
    }
}

#[tokio::test]
async fn the_first_language_is_the_document_s_and_not_guessed_from_its_letters() {
    let web = TestWeb::start().await;
    let id = approve(&web, &in_languages(&["cy-GB", "en-GB"])).await;
    assert_eq!(payload(&web, id, "ee").await["language"], "cy-GB");
    assert_eq!(payload(&web, id, "vodafone").await["language"], "Welsh");
}

#[tokio::test]
async fn the_second_language_is_part_of_what_is_approved() {
    let web = TestWeb::start().await;
    let document = in_languages(&["en-GB", "cy-GB"]);
    let first = web.post_cap(&web.live.normal, &document).await;
    assert_eq!(first.status, 201);
    let again = web.post_cap(&web.live.normal, &document).await;
    assert_eq!((again.status.as_u16(), again.alert()), (200, first.alert()));
    let other = document.replace("text in cy-GB", "rhywbeth arall");
    let refused = web.post_cap(&web.live.normal, &other).await;
    refused.assert_public_error(400, "BadRequestError");
}

#[tokio::test]
async fn a_circle_becomes_a_polygon_that_is_joined_with_what_it_meets() {
    let web = TestWeb::start().await;
    let polygon = format!("<polygon>{RING}</polygon>");
    let alone = changed(&polygon, "<circle>51.995,-2.16 5</circle>");
    let id = approve(&web, &alone).await;
    assert_eq!(points(&payload(&web, id, "ee").await), 65);

    let both = changed(
        &polygon,
        &format!("{polygon}<circle>51.995,-2.16 5</circle><circle>53,-2 0.5</circle>"),
    )
    .replace("<identifier>changed", "<identifier>both");
    let id = approve(&web, &both).await;
    let sent = payload(&web, id, "ee").await;
    assert_eq!(
        sent["areas"].as_array().unwrap().len(),
        2,
        "the polygon lies within the first circle"
    );
    assert_eq!(points(&sent), 130);
}

#[tokio::test]
async fn a_shape_is_made_to_fit_the_one_provider_that_takes_less() {
    let web = start_with(|s| {
        s.profiles[0].limits = Limits {
            polygons: 1,
            points: 10,
            decimals: 3,
        };
    })
    .await;
    let rings = [
        RING,
        "51.9962,-2.13 51.999,-2.12 51.991,-2.12 51.9962,-2.13",
    ];
    let id = approve(&web, &with_polygons(&rings)).await;
    let less = payload(&web, id, "ee").await;
    assert_eq!(less["areas"].as_array().unwrap().len(), 1, "{less}");
    assert!(points(&less) <= 10, "{less}");
    assert!(!less["areas"].to_string().contains("51.9962"), "{less}");
    let whole = payload(&web, id, "o2").await;
    assert_eq!(
        (whole["areas"].as_array().unwrap().len(), points(&whole)),
        (2, 9)
    );
    // The record knows why the two differ.
    let history = web.app.load_history(id).await.unwrap().unwrap();
    for delivery in &history.deliveries {
        let is_simpler = delivery.provider.as_str() == "ee";
        assert_eq!(
            delivery.covers_approved, is_simpler,
            "{}",
            delivery.provider
        );
    }
}

#[tokio::test]
async fn what_a_provider_can_t_take_is_refused_at_approval_and_not_when_it_is_sent() {
    let web = start_with(|s| s.profiles[1].limits.polygons = 1).await;
    let far = [RING, "-51.9,100 -51.9,101 -51,101 -51.9,100"];
    let posted = web.post_cap(&web.live.normal, &with_polygons(&far)).await;
    let id = posted.alert();
    let answer = web
        .change_status(id, "broadcasting", web.live.approver)
        .await;
    assert_eq!(answer.status, 400, "{answer:?}");
    let says = answer.message();
    assert!(
        says.contains("network o2") && says.contains("2 polygons"),
        "{says}"
    );
    let after = web.get(&alert_path(web.live.id, id)).await.json();
    assert_eq!(after["status"], "pending-approval", "nothing was done");
    assert_eq!(web.app.list_deliveries(id).await.unwrap().len(), 0);
}

#[tokio::test]
async fn the_approver_is_told_which_network_gets_what_otherwise() {
    let mut app = TestWeb::start().await.app;
    let mut settings = Settings::clone(&app.settings);
    settings.profiles[0].capabilities.second_language = true;
    settings.profiles[0].limits.decimals = 3;
    settings.profiles[1].limits.polygons = 1;
    let mut networks: Vec<_> = settings.profiles.iter().map(|p| p.name.clone()).collect();
    networks.push(ProviderName::new("gone").unwrap());
    app.settings = Arc::new(settings);
    let told = |areas: &Value, second: Option<&SecondText>| -> Vec<String> {
        let told = app.list_differences(areas, second, &networks);
        told.iter()
            .map(|(name, what)| format!("{name} {what}"))
            .collect()
    };
    let near = json!([
        [51.9004, -2.1],
        [51.9, -2.2004],
        [51.8, -2.2],
        [51.8, -2.1],
        [51.9004, -2.1]
    ]);
    let far = json!([
        [-51.9, 100.0],
        [-51.9, 101.0],
        [-51.0, 101.0],
        [-51.9, 100.0]
    ]);
    let second = SecondText {
        first_language: "en-GB".to_owned(),
        language: "cy-GB".to_owned(),
        content: "D\u{175}r".to_owned(),
        text: "D\u{175}r".to_owned(),
    };
    let one = told(&json!({ "simple_polygons": [near] }), Some(&second));
    let want = [
        "ee gets a simpler area of ",
        "o2 gets the first language alone",
        "three gets the first language alone",
        "vodafone gets the first language alone",
        "gone is in the configuration no more",
    ];
    assert_eq!(one.len(), want.len(), "{one:#?}");
    for (line, want) in one.iter().zip(want) {
        assert!(line.starts_with(want), "{line}");
    }
    let square_km2 = 76.6; // 0.1 degrees of latitude by 0.1 of longitude there
    let more: f64 = one[0].rsplit(' ').nth(2).unwrap().parse().unwrap();
    assert!(more > 0.0 && more < 0.3 * square_km2, "{}", one[0]);
    let two = told(&json!({ "simple_polygons": [near, far] }), None);
    assert!(
        two[1].starts_with("o2 can't take it, and no approval counts"),
        "{two:#?}"
    );
}

#[tokio::test]
async fn whatever_an_approver_reads_and_a_network_is_sent_is_in_the_hash() {
    let web = TestWeb::start().await;
    let id = web
        .post_cap(&web.live.normal, &in_languages(&["en-GB", "cy-GB"]))
        .await
        .alert();
    let alert = web.app.find_alert(id).await.unwrap().unwrap();
    let service = web.app.load_service(web.live.id).await.unwrap().unwrap();
    let known = web.app.content_hash(&alert, &service);
    let mut others = vec![known];
    let mut with = |change: &dyn Fn(&mut Alert, &mut Service)| {
        let (mut alert, mut service) = (alert.clone(), service.clone());
        change(&mut alert, &mut service);
        let hash = web.app.content_hash(&alert, &service);
        assert!(!others.contains(&hash), "change {}", others.len());
        others.push(hash);
    };
    with(&|alert, _| alert.text.push('!'));
    with(&|alert, _| alert.second = None);
    with(&|alert, _| alert.second.as_mut().unwrap().text.push('!'));
    with(&|alert, _| alert.second.as_mut().unwrap().language.push_str("-x"));
    with(&|alert, _| alert.second.as_mut().unwrap().first_language.push_str("-x"));
    with(&|alert, _| alert.areas["names"] = json!(["elsewhere"]));
    with(&|alert, _| alert.areas["simple_polygons"][0][0][0] = json!(51.9));
    with(&|alert, _| alert.extra_content = Some("more".to_owned()));
    with(&|_, service| service.channel = Channel::Operator);
    with(&|_, service| service.providers = Some(vec![ProviderName::new("ee").unwrap()]));
}
