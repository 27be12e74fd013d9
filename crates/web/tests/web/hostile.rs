//! Whatever bytes come, no handler panics, nothing answers 500, and what is refused is in a shape.

use std::sync::OnceLock;

use balefire_domain::ids::AlertId;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::documents::alert;
use crate::support::*;

const CASES: u32 = 192;

struct Hostile {
    runtime: Runtime,
    web: TestWeb,
    draft: AlertId,
}

impl Hostile {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let web = runtime.block_on(TestWeb::start());
        let body = json!({
            "service_id": web.live.id, "created_by": web.live.author,
            "reference": "r", "content": "c",
        });
        let made = runtime.block_on(web.post(&alerts_path(web.live.id), &body));
        Self {
            runtime,
            draft: made.alert(),
            web,
        }
    }

    /// Sends bytes to every route that takes a body.
    fn send(&self, bytes: &[u8]) -> Result<(), TestCaseError> {
        let service = self.web.live.id;
        let mut requests = vec![self.web.cap_request(&self.web.live.normal, bytes.to_vec())];
        for path in [
            alerts_path(service),
            alert_path(service, self.draft),
            status_path(service, self.draft),
        ] {
            requests.push(self.web.request("POST", &path, bytes.to_vec()));
        }
        for request in requests {
            let path = request.uri().clone();
            let answer = self.runtime.block_on(self.web.send(request));
            let status = answer.status.as_u16();
            prop_assert!(status < 500, "{path}: {answer:?}");
            let told = answer.json();
            let is_shaped = status < 300 || told["errors"].is_array() || told["result"] == "error";
            prop_assert!(is_shaped, "{path}: {answer:?}");
        }
        prop_assert_eq!(self.web.log.errors(), [""; 0]);
        Ok(())
    }
}

fn run(strategy: &impl Strategy<Value = Vec<u8>>) {
    let hostile = Hostile::start();
    let config = ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    TestRunner::new(config)
        .run(strategy, |bytes| hostile.send(&bytes))
        .unwrap();
}

#[test]
fn any_bytes_are_answered() {
    run(&prop::collection::vec(any::<u8>(), 0..2_000));
}

#[test]
fn a_good_document_with_bytes_changed_is_answered() {
    let document = alert("mutated").into_bytes();
    let length = document.len();
    let edits = prop::collection::vec((0..length, any::<u8>(), any::<bool>()), 1..6);
    let mutated = edits.prop_map(move |edits| {
        let mut bytes = document.clone();
        for (at, byte, is_removed) in edits {
            let at = at % bytes.len();
            if is_removed {
                bytes.remove(at);
            } else {
                bytes[at] = byte;
            }
        }
        bytes
    });
    run(&mutated);
}

/// Any JSON below the fields that the routes know.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "\\PC{0,40}".prop_map(Value::from),
        known_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((known_key(), inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn known_key() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "service_id",
            "created_by",
            "reference",
            "content",
            "template_id",
            "personalisation",
            "duration",
            "starts_at",
            "finishes_at",
            "areas",
            "extra_content",
            "status",
            "rejection_reason",
            "ids",
            "names",
            "aggregate_names",
            "simple_polygons",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,8}",
    ]
}

fn known_text() -> impl Strategy<Value = String> {
    // The author and service of the seeded world, so that some bodies get far.
    static KNOWN: OnceLock<Vec<String>> = OnceLock::new();
    let known = KNOWN.get_or_init(|| {
        let hostile = Hostile::start();
        let live = &hostile.web.live;
        let ids = [
            live.author.to_string(),
            live.approver.to_string(),
            live.id.to_string(),
        ];
        let words = [
            "draft",
            "pending-approval",
            "broadcasting",
            "cancelled",
            "rejected",
            "PT1H",
            "-PT1H",
            "P9999999999Y",
            "2026-11-23T04:09:03Z",
            "-009999-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999999Z",
            "0000-00-00",
            "\u{0}",
            "\u{ffff}",
        ];
        ids.into_iter().chain(words.map(str::to_owned)).collect()
    });
    prop::sample::select(known.clone())
}

#[test]
fn any_json_under_the_known_fields_is_answered() {
    let body = prop::collection::vec((known_key(), any_json()), 0..10).prop_map(|entries| {
        let object: serde_json::Map<_, _> = entries.into_iter().collect();
        Value::Object(object).to_string().into_bytes()
    });
    run(&body);
}

#[test]
fn any_polygons_are_answered() {
    let number = prop_oneof![
        (-91.0..91.0_f64),
        Just(0.0),
        Just(-0.0),
        Just(90.0),
        Just(180.0),
        Just(-180.0),
        Just(f64::MAX),
        Just(f64::MIN_POSITIVE),
        Just(51.0),
        Just(51.000_000_4),
        Just(51.000_000_6),
    ];
    let ring = prop::collection::vec((number.clone(), number), 0..8).prop_map(|mut points| {
        points.extend(points.first().copied());
        points
    });
    let body = prop::collection::vec(ring, 0..4).prop_map(|rings| {
        let rings: Vec<Vec<[f64; 2]>> = rings
            .into_iter()
            .map(|ring| ring.into_iter().map(|(lat, lon)| [lat, lon]).collect())
            .collect();
        let areas = json!({ "ids": [], "simple_polygons": rings });
        json!({ "areas": areas }).to_string().into_bytes()
    });
    run(&body);
}
