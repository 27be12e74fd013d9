//! The recorded main job, from submission to cancel and its side ways, against the real binary and
//! the real networks: same statuses, keys, types and texts of refusals.
//!
//! What a decision answers differently is named where it is asked for.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::api::Answer;
use crate::support::on_both_engines;
use crate::support::oracle::judge;
use crate::support::recording::{Recorded, recorded, said};
use crate::support::sandbox::{Engine, Sandbox};
use crate::support::server::Server;
use crate::support::team::Team;
use crate::support::{documents, now};

on_both_engines!(the_main_job_is_answered_as_it_was_recorded);

/// The recorded answers that were not asked for yet.
struct Recording {
    left: BTreeMap<&'static str, Recorded>,
}

impl Recording {
    fn read() -> Self {
        let mut left = recorded();
        // Setting up is the `web` crate's to compare; here a command does it.
        left.retain(|number, _| !number.starts_with("1.") || *number == "1.13");
        Self { left }
    }

    #[track_caller]
    fn take(&mut self, number: &str) -> Recorded {
        let recorded = self.left.remove(number);
        recorded.unwrap_or_else(|| panic!("no {number} is left"))
    }

    #[track_caller]
    fn check(&mut self, number: &str, answer: &Answer) -> Value {
        self.check_but(number, answer, &[])
    }

    /// `decided`: what is a text here, and null in the recording (D10).
    #[track_caller]
    fn check_but(&mut self, number: &str, answer: &Answer, decided: &[&str]) -> Value {
        let Recorded {
            status,
            said: mut want,
        } = self.take(number);
        let told = answer.must_be(status);
        for key in decided {
            assert!(want.remove(&format!("/{key} null")), "{number} {key}");
            want.insert(format!("/{key} string"));
        }
        assert_eq!(said(status, &told), want, "{number}");
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(
            answer.text(),
            format!("{told}\n"),
            "{number}: compact, sorted, a newline"
        );
        told
    }
}

async fn the_main_job_is_answered_as_it_was_recorded(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let mut recording = Recording::read();
    main_job(&sandbox, &server, &team, &mut recording).await;
    side_ways(&sandbox, &server, &team, &mut recording).await;
    let left: Vec<_> = recording.left.keys().collect();
    assert!(left.is_empty(), "not asked for: {left:?}");
    let evidence = judge(&sandbox, &server).await;
    // The first alert and its cancel, and the alert without an end of 2.28.
    assert_eq!(evidence.requests.len(), 12);
    server.end().await;
}

/// 2.1 to 2.19: one alert, from its submission to a second cancel.
async fn main_job(sandbox: &Sandbox, server: &Server, team: &Team, recording: &mut Recording) {
    let document = documents::alert("recorded-1");
    let submitted = server.post_cap(team, &team.key, document).await;
    let told = recording.check("2.1", &submitted);
    let id = told["id"].as_str().expect("an id");
    let (path, statuses) = (format!("/{id}"), format!("/{id}/provider-statuses"));
    recording.check("2.2", &server.admin("GET", team, &path, None).await);

    let stranger = sandbox.live_team().await.author;
    let body = json!({ "status": "broadcasting", "created_by": stranger.id });
    let status = format!("{path}/status");
    recording.check(
        "2.3",
        &server.admin("POST", team, &status, Some(&body)).await,
    );
    recording.check("2.4", &server.move_to(team, id, "completed").await);
    recording.check("2.5", &server.move_to(team, id, "nonsense").await);
    let nobody = "a58496bc-b5fe-4ad5-be8b-fe7cf4dd975f";
    recording.check("2.6", &server.move_to(team, nobody, "broadcasting").await);

    let start = now();
    let end = balefire_domain::time::Timestamp::from_micros(start.micros() + 81_000_000_000);
    let offset = |at: balefire_domain::time::Timestamp| at.to_json_style().replace('Z', "+00:00");
    let times = json!({ "starts_at": offset(start), "finishes_at": offset(end) });
    let timed = recording.check(
        "2.7",
        &server.admin("POST", team, &path, Some(&times)).await,
    );
    assert_eq!(timed["finishes_at"], end.to_json_style());
    recording.check("2.8", &server.move_to(team, id, "broadcasting").await);
    sandbox.acknowledged(id, 4).await;
    recording.check("2.9", &server.admin("GET", team, &statuses, None).await);
    let messages = format!("{path}/provider-messages");
    recording.check("2.10", &server.admin("GET", team, &messages, None).await);
    recording.check("2.11", &server.move_to(team, id, "broadcasting").await);
    let asked = json!({ "status": "pending-approval", "created_by": team.approver.id });
    let checks = format!("{path}/check-status");
    let checked = server.admin("POST", team, &checks, Some(&asked)).await;
    recording.check("2.12", &checked);
    let edit = json!({ "content": "edited" });
    recording.check(
        "2.13",
        &server.admin("POST", team, &path, Some(&edit)).await,
    );
    recording.check("2.14", &server.as_public_site("/govuk-alerts").await);
    recording.check("2.15", &server.as_another_client(team, &path).await);

    let test_key = sandbox.key(&team.service, "test").await;
    let cancel = || documents::cancel("recorded-1");
    recording.check("2.16", &server.post_cap(team, &test_key, cancel()).await);
    recording.check("2.17", &server.post_cap(team, &team.key, cancel()).await);
    sandbox.acknowledged(id, 8).await;
    recording.check("2.18", &server.admin("GET", team, &statuses, None).await);
    recording.check("2.19", &server.post_cap(team, &team.key, cancel()).await);
}

/// 2.20 to 2.31, and a revoked key.
async fn side_ways(sandbox: &Sandbox, server: &Server, team: &Team, recording: &mut Recording) {
    let post = async |document: String| server.post_cap(team, &team.key, document).await;
    recording.check("2.20", &post(documents::alert("recorded-2")).await);
    recording.check("2.21", &post(documents::cancel("recorded-2")).await);

    let test_key = sandbox.key(&team.service, "test").await;
    let stubbed = documents::alert("recorded-3");
    let stubbed = server.post_cap(team, &test_key, stubbed).await;
    let stubbed = recording.check("2.22", &stubbed);
    let id = stubbed["id"].as_str().expect("an id");
    let approved = server.move_to(team, id, "broadcasting").await;
    recording.check_but("2.23", &approved, &["starts_at", "finishes_at"]);
    let statuses = format!("/{id}/provider-statuses");
    recording.check("2.24", &server.admin("GET", team, &statuses, None).await);

    let fourth = recording.check("2.25", &post(documents::alert("recorded-4")).await);
    let fourth = fourth["id"].as_str().expect("an id");
    let mut body = json!({ "status": "rejected", "created_by": team.approver.id,
        "rejection_reason": "" });
    let path = format!("/{fourth}/status-with-reason");
    let unexplained = server.admin("POST", team, &path, Some(&body)).await;
    recording.check("2.26", &unexplained);
    body["rejection_reason"] = json!("Wrong area");
    recording.check(
        "2.27",
        &server.admin("POST", team, &path, Some(&body)).await,
    );

    // 2.28, where the earlier system said 200 and sent nothing: the times are set (D10). So 2.29,
    // which was asked before a worker had it, is what is read before there is anything to send.
    let fifth = server.submit(team, "recorded-5").await;
    let statuses = format!("/{fifth}/provider-statuses");
    recording.check("2.29", &server.admin("GET", team, &statuses, None).await);
    let approved = server.move_to(team, &fifth, "broadcasting").await;
    recording.check_but("2.28", &approved, &["starts_at", "finishes_at"]);
    sandbox.acknowledged(&fifth, 4).await;

    let large = post(documents::large_alert("recorded-6", 400)).await;
    let large = recording.check("2.30", &large);
    let ring = large["areas"]["simple_polygons"][0].as_array();
    let points = ring.expect("a ring").len();
    assert!((4..=250).contains(&points), "{points} points");

    let options = server.options(team, &team.key).await;
    assert_eq!(options.status, recording.take("2.31").status);
    assert_eq!(options.headers["allow"], "OPTIONS, POST");
    assert_eq!(options.headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(options.text(), "");

    let key = sandbox.key(&team.service, "normal").await;
    sandbox
        .run(&["key", "revoke", &key.id])
        .await
        .must_succeed();
    let document = documents::alert("recorded-7");
    recording.check("1.13", &server.post_cap(team, &key, document).await);
}
