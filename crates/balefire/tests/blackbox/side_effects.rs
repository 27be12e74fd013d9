//! Tickets and pages from outside: the real binary, and ticket and page services that hang, refuse
//! and lose answers.

use std::time::Duration;

use balefire_test_support::desks::{FakePagerDuty, FakeZendesk, Fault};
use serde_json::Value;

use crate::support::documents::{NEW_TEXT, TEXT};
use crate::support::networks::fault;
use crate::support::oracle::judge;
use crate::support::sandbox::{Engine, Figures, Sandbox};
use crate::support::server::Server;
use crate::support::team::Team;
use crate::support::{SOON, instant, now, on_both_engines, poll_until};

on_both_engines!(
    a_live_alert_has_one_ticket_that_tells_what_became_of_it,
    a_ticket_is_for_real_alerts_of_the_live_environment_only,
    a_process_of_its_own_makes_tickets_and_pages,
    killed_after_the_ticket_was_made_there_is_one,
    a_stuck_delivery_pages_within_a_minute_and_its_end_is_told,
    services_that_hang_delay_no_approval_and_no_send,
    a_person_lists_and_closes_what_needs_one,
);

/// From the opening of an item to its page (L7).
const PAGED_WITHIN: Duration = Duration::from_secs(60);
/// A worker that died holds its job for 20 s.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(60);
/// Alerts whose course is timed.
const TIMED: usize = 12;

/// The services of others.
struct Desks {
    zendesk: FakeZendesk,
    pagerduty: FakePagerDuty,
}

impl Desks {
    async fn start() -> Self {
        Self {
            zendesk: FakeZendesk::start().await,
            pagerduty: FakePagerDuty::start().await,
        }
    }

    /// A world with both services, in an environment.
    async fn sandbox(&self, engine: Engine, environment: &str) -> Sandbox {
        let sandbox = Sandbox::unmigrated(engine, Figures::default()).await;
        let key_file = sandbox.path("secrets.key");
        std::fs::write(&key_file, [7; 32]).expect("the folder is ours");
        let file = sandbox.path("balefire.toml");
        let text = std::fs::read_to_string(&file).expect("it was written");
        let environment = format!("environment = \"{environment}\"");
        let text = text
            .replace("environment = \"development\"", &environment)
            .replace("[database]", "[database]\nsingle_node_is_fine = true");
        let text = format!(
            "{text}[secrets]\nkey_file = \"{}\"\n[tickets]\nkind = \"zendesk\"\n\
             endpoint_url = \"{}\"\nemail = \"alerts@example.org\"\nkey = \"hush\"\n\
             [pages]\nkind = \"pagerduty\"\nendpoint_url = \"{}\"\nrouting_key = \"hush\"\n\
             [notifications]\nkind = \"none\"\n",
            key_file.display(),
            self.zendesk.url(),
            self.pagerduty.url()
        );
        sandbox.write("balefire.toml", &text);
        sandbox.run(&["migrate"]).await.must_succeed();
        sandbox
    }

    /// Waits until the only ticket has so many comments; the comments.
    async fn comments(&self, count: usize) -> Vec<String> {
        poll_until(SOON, "the ticket has its comments", async || {
            let tickets = self.zendesk.tickets();
            assert!(tickets.len() <= 1, "{tickets:?}");
            let comments = tickets.into_iter().next()?.comments;
            (comments.len() >= count).then_some(comments)
        })
        .await
    }
}

async fn a_live_alert_has_one_ticket_that_tells_what_became_of_it(engine: Engine) {
    let desks = Desks::start().await;
    let sandbox = desks.sandbox(engine, "live").await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;
    let comments = desks.comments(1).await;
    assert!(
        comments[0].starts_with("The alert was accepted by 4 of 4:\n- ee: accepted"),
        "{comments:?}"
    );
    let ticket = &desks.zendesk.tickets()[0];
    assert_eq!(ticket.made_of["external_id"], alert.as_str());
    let body = ticket.made_of["comment"]["body"].as_str().expect("a text");
    let beginning: String = TEXT.chars().take(100).collect();
    for part in [
        beginning.as_str(),
        &team.approver.email,
        "Channel: severe",
        "ee, o2, three, vodafone",
        &alert,
    ] {
        assert!(body.contains(part), "{part}\n{body}");
    }

    let (author, approver) = (&team.author.email, &team.approver.email);
    let change = [
        "alert",
        "update",
        &alert,
        "--content",
        NEW_TEXT,
        "--as",
        author,
    ];
    sandbox.json(&change).await;
    let path = format!("/{alert}/status");
    let yes = serde_json::json!({ "status": "broadcasting", "created_by": team.approver.id,
        "version": 2 });
    server
        .admin("POST", &team, &path, Some(&yes))
        .await
        .must_be(200);
    sandbox.settled(&alert, 12).await;
    let comments = desks.comments(3).await;
    let who = format!("approver ({approver}) approved an update of the alert on");
    assert!(comments[1].starts_with(&who), "{comments:?}");
    assert!(comments[1].contains(NEW_TEXT.split('.').next().expect("a sentence")));
    assert!(
        comments[2].starts_with("The update was accepted by 4 of 4:"),
        "{comments:?}"
    );

    sandbox.act(&team, "cancel", &alert).await;
    sandbox.settled(&alert, 16).await;
    let comments = desks.comments(5).await;
    let by = format!("by approver ({})", team.approver.email);
    assert!(comments[3].contains(&by), "{comments:?}");
    assert!(comments[4].starts_with("The cancel was accepted by 4 of 4:"));

    let live = server.process.events("alert.live");
    assert_eq!(live.len(), 2, "the alert and its update");
    assert_eq!(live[0]["level"], "ERROR");
    let all = server.process.lines().join("\n");
    assert!(!all.contains("hush"), "a secret is in the log");
    judge(&sandbox, &server).await;
}

async fn a_ticket_is_for_real_alerts_of_the_live_environment_only(engine: Engine) {
    let desks = Desks::start().await;
    let sandbox = desks.sandbox(engine, "live").await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let key = sandbox.key(&team.service, "test").await;
    let document = crate::support::documents::alert("drill-1");
    let stubbed = server.post_cap(&team, &key, document).await.must_be(201);
    let id = stubbed["id"].as_str().expect("an id");
    server.move_to(&team, id, "broadcasting").await.must_be(200);
    assert!(!has_job(&sandbox, &format!("ticket {id}")).await);
    assert_eq!(server.process.events("alert.live").len(), 0);
    server.end().await;

    for environment in ["development", "staging"] {
        let sandbox = desks.sandbox(engine, environment).await;
        let server = Server::start(&sandbox).await;
        let team = sandbox.live_team().await;
        let alert = server.broadcast(&team, "flood-1").await;
        sandbox.acknowledged(&alert, 4).await;
        sandbox.act(&team, "cancel", &alert).await;
        sandbox.settled(&alert, 8).await;
        // In the live environment it was the approval that asked for the ticket; none did here.
        let key = format!("ticket {alert}");
        assert!(!has_job(&sandbox, &key).await, "{environment}");
        assert_eq!(server.process.events("alert.live").len(), 0);
        judge(&sandbox, &server).await;
        server.end().await;
    }
    assert_eq!(desks.zendesk.received(), []);
}

/// The work divided: one process answers and sends, another has the clock's work.
async fn a_process_of_its_own_makes_tickets_and_pages(engine: Engine) {
    let desks = Desks::start().await;
    let sandbox = desks.sandbox(engine, "live").await;
    let sends = ["serve", "--roles", "api,dispatch"];
    let server = Server::start_as(&sandbox, &sends, "sends").await;
    let team = sandbox.live_team().await;
    let refusing = fault("o2-*", "alert", "kind = \"unavailable\"");
    sandbox.networks.fail(&refusing).await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 3).await;
    poll_until(SOON, "an item is open", async || {
        let items = sandbox.json(&["item", "list"]).await;
        (!items.as_array().expect("a list").is_empty()).then_some(())
    })
    .await;
    assert_eq!(desks.zendesk.received(), []);
    assert_eq!(desks.pagerduty.received(), []);

    let schedules = ["serve", "--roles", "schedule"];
    let clock = Server::start_as(&sandbox, &schedules, "schedules").await;
    let comments = desks.comments(1).await;
    assert!(comments[0].starts_with("Stuck: o2"), "{comments:?}");
    poll_until(SOON, "a page arrives", async || {
        (!desks.pagerduty.incidents().is_empty()).then_some(())
    })
    .await;
    sandbox.networks.fail("").await;
    sandbox.acknowledged(&alert, 4).await;
    judge(&sandbox, &server).await;
    clock.end().await;
}

/// The service made the ticket, and nobody lived to store its number.
async fn killed_after_the_ticket_was_made_there_is_one(engine: Engine) {
    let desks = Desks::start().await;
    let sandbox = desks.sandbox(engine, "live").await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    desks.zendesk.fail(Some(Fault::DoneAndHang));
    let alert = server.broadcast(&team, "flood-1").await;
    poll_until(SOON, "the ticket is made", async || {
        (desks.zendesk.tickets().len() == 1).then_some(())
    })
    .await;
    server.kill().await;
    desks.zendesk.fail(None);

    let server = Server::start(&sandbox).await;
    sandbox.acknowledged(&alert, 4).await;
    poll_until(TAKEN_OVER_WITHIN, "the outcome is told", async || {
        let comments = &desks.zendesk.tickets()[0].comments;
        (!comments.is_empty()).then_some(())
    })
    .await;
    assert_eq!(desks.zendesk.tickets().len(), 1);
    judge(&sandbox, &server).await;
}

async fn a_stuck_delivery_pages_within_a_minute_and_its_end_is_told(engine: Engine) {
    let desks = Desks::start().await;
    let sandbox = desks.sandbox(engine, "live").await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let refusing = fault("o2-*", "alert", "kind = \"unavailable\"");
    sandbox.networks.fail(&refusing).await;
    let alert = server.broadcast(&team, "flood-1").await;
    let (key, incident) = poll_until(PAGED_WITHIN, "a page arrives", async || {
        desks.pagerduty.incidents().into_iter().next()
    })
    .await;
    let arrived_at = now();
    let items = sandbox.json(&["item", "list"]).await;
    let item = &items.as_array().expect("a list")[0];
    assert_eq!(item["id"], key.as_str());
    assert_eq!(item["kind"], "stuck");
    let waited = arrived_at.since(instant(&item["opened_at"]));
    assert!(waited < PAGED_WITHIN, "{waited:?}");
    let page = &incident.opened_by["payload"];
    assert_eq!(page["component"], "o2");
    assert_eq!(page["severity"], "critical");
    assert_eq!(page["custom_details"]["alert"], alert.as_str());
    let delivery = who_is_paged_learns_the_delivery(&sandbox, &alert, page, item).await;
    assert_eq!(page["custom_details"]["delivery"], delivery);
    let comments = desks.comments(1).await;
    assert!(comments[0].starts_with("Stuck: o2"), "{comments:?}");

    sandbox.networks.fail("").await;
    sandbox.acknowledged(&alert, 4).await;
    poll_until(SOON, "the page's end is told", async || {
        desks.pagerduty.incidents()[&key].is_resolved.then_some(())
    })
    .await;
    assert_eq!(desks.pagerduty.incidents().len(), 1, "one page");
    let comments = desks.comments(2).await;
    assert!(comments[1].starts_with("The alert was accepted by 4 of 4"));
    judge(&sandbox, &server).await;
}

/// The page, the item and the lists name the delivery, what it is about and what comes next; its
/// id.
async fn who_is_paged_learns_the_delivery(
    sandbox: &Sandbox,
    alert: &str,
    page: &Value,
    item: &Value,
) -> Value {
    let summary = page["summary"].as_str().expect("a text");
    assert!(summary.contains("It is about the alert."), "{summary}");
    let stuck = poll_until(SOON, "a next attempt is due", async || {
        let deliveries = sandbox.deliveries(alert).await;
        let stuck = deliveries.into_iter().find(|d| d["provider"] == "o2")?;
        (!stuck["due_at"].is_null()).then_some(stuck)
    })
    .await;
    let id = stuck["id"].as_str().expect("an id");
    assert_eq!(item["about"], "alert");
    assert_eq!(item["delivery_id"], id);
    let shown = poll_until(SOON, "the item names the next attempt", async || {
        let shown = sandbox.run(&["item", "list"]).await.must_succeed().stdout;
        shown.contains("next attempt").then_some(shown)
    })
    .await;
    for part in [alert, id, "about the alert", "at o2", "paged 20"] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    let shown = sandbox.run(&["delivery", "list", alert]).await;
    assert!(shown.must_succeed().stdout.contains(id));
    stuck["id"].clone()
}

async fn services_that_hang_delay_no_approval_and_no_send(engine: Engine) {
    let desks = Desks::start().await;
    let sandbox = desks.sandbox(engine, "live").await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    // Both runs are warm.
    time(&sandbox, &server, &team, "warm").await;
    let healthy = time(&sandbox, &server, &team, "healthy").await;
    desks.zendesk.fail(Some(Fault::Hang));
    desks.zendesk.fail_looks(Some(Fault::Hang));
    desks.pagerduty.fail(Some(Fault::Hang));
    let before = desks.zendesk.received().len();
    let hanging = time(&sandbox, &server, &team, "hanging").await;
    poll_until(SOON, "tickets hang", async || {
        (desks.zendesk.received().len() > before).then_some(())
    })
    .await;
    let loaded = time(&sandbox, &server, &team, "loaded").await;
    // A wait for either service would be 6 s; what the busy machine adds is far below that.
    let margin = Duration::from_millis(250);
    for (name, run) in [("hanging", hanging), ("loaded", loaded)] {
        for (what, took, usual) in [
            ("approval", run.approval, healthy.approval),
            ("last acceptance", run.acceptance, healthy.acceptance),
        ] {
            assert!(
                took < usual * 2 + margin,
                "{name}: {what} took {took:?}, {usual:?} before"
            );
        }
    }
    // Other side effects go on: a page service that answers again is reached at once.
    desks.pagerduty.fail(None);
    let refusing = fault("o2-*", "alert", "kind = \"unavailable\"");
    sandbox.networks.fail(&refusing).await;
    let alert = server.broadcast(&team, "paged").await;
    poll_until(PAGED_WITHIN, "a page arrives", async || {
        (!desks.pagerduty.incidents().is_empty()).then_some(())
    })
    .await;
    sandbox.networks.fail("").await;
    sandbox.acknowledged(&alert, 4).await;
    judge(&sandbox, &server).await;
}

/// The medians of one run.
struct Timed {
    approval: Duration,
    acceptance: Duration,
}

/// Approves some alerts one after the other: the median of the approval's answer, and of the time
/// from the approval to the last network's acceptance.
async fn time(sandbox: &Sandbox, server: &Server, team: &Team, name: &str) -> Timed {
    let (mut approvals, mut acceptances) = (Vec::new(), Vec::new());
    for n in 0..TIMED {
        let alert = server.submit(team, &format!("{name}-{n}")).await;
        let asked_at = now();
        let answer = server.move_to(team, &alert, "broadcasting").await;
        approvals.push(now().since(asked_at));
        answer.must_be(200);
        let deliveries = sandbox.acknowledged(&alert, 4).await;
        let ms = |delivery: &Value| delivery["ms"].as_f64().expect("it ended");
        let last = deliveries.iter().map(ms).fold(0.0, f64::max);
        acceptances.push(Duration::from_secs_f64(last / 1000.0));
    }
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times[times.len() / 2]
    };
    Timed {
        approval: median(approvals),
        acceptance: median(acceptances),
    }
}

async fn a_person_lists_and_closes_what_needs_one(engine: Engine) {
    let desks = Desks::start().await;
    let sandbox = desks.sandbox(engine, "development").await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let none = sandbox.run(&["item", "list"]).await.must_succeed();
    assert!(none.stdout.contains("nothing waits"), "{none:?}");
    let refusing = fault("o2-*", "alert", "kind = \"unavailable\"");
    sandbox.networks.fail(&refusing).await;
    let alert = server.broadcast(&team, "flood-1").await;
    let item = poll_until(SOON, "an item is open and paged", async || {
        let items = sandbox.json(&["item", "list"]).await;
        let item = items.as_array().expect("a list").first().cloned()?;
        (!item["paged_at"].is_null()).then_some(item)
    })
    .await;
    assert_eq!(item["alert_id"], alert.as_str());
    assert!(item["advice"].as_str().expect("a text").contains("Call"));
    let id = item["id"].as_str().expect("an id");
    let plain = sandbox.run(&["item", "list"]).await.must_succeed();
    assert!(plain.stdout.contains("OPEN") && plain.stdout.contains("stuck"));

    let other = sandbox.live_team().await;
    let nobody = "00000000-0000-0000-0000-000000000000";
    let long = "x".repeat(3000);
    for (args, code, told) in [
        (vec!["item", "close", id], 2, "--as"),
        (vec!["item", "close", "x", "--as", "a@b"], 2, "x"),
        (vec!["item", "close", id, "--as", "a@b.example"], 1, "a@b"),
        (
            vec!["item", "close", id, "--as", &other.approver.email],
            1,
            "member",
        ),
        (
            vec!["item", "close", nobody, "--as", &team.approver.email],
            1,
            "there is no duty item",
        ),
        (
            vec![
                "item",
                "close",
                id,
                "--as",
                &team.author.email,
                "--note",
                &long,
            ],
            1,
            "longer than 2000",
        ),
    ] {
        let ran = sandbox.run(&args).await;
        assert_eq!(ran.code, Some(code), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(told), "{args:?}: {ran:?}");
    }
    let close = ["item", "close", id, "--note", "o2 told", "--as"];
    let close = [close.as_slice(), &[&team.author.email]].concat();
    let closed = sandbox.json(&close).await;
    let by = format!("user {}", team.author.id);
    assert_eq!(closed["closed_by"], by.as_str());
    assert_eq!(sandbox.json(&["item", "list"]).await, serde_json::json!([]));
    let all = sandbox.json(&["item", "list", "--all"]).await;
    assert_eq!(all[0]["id"], id);
    let again = sandbox.run(&close).await;
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("was closed on"), "{again:?}");
    assert!(again.stderr.contains(&by), "{again:?}");
    poll_until(SOON, "the page's end is told", async || {
        desks.pagerduty.incidents()[id].is_resolved.then_some(())
    })
    .await;

    sandbox.networks.fail("").await;
    sandbox.acknowledged(&alert, 4).await;
    judge(&sandbox, &server).await;
}

/// Whether a job was ever enqueued.
async fn has_job(sandbox: &Sandbox, key: &str) -> bool {
    let url = sandbox.database_url().parse().expect("an address");
    let store = balefire_store::Store::open(&url).await.expect("it opens");
    let mut tx = store.begin_read("test", now()).await.expect("it begins");
    let state = tx.load_job_state(key).await.expect("it is read");
    drop(tx);
    store.close().await;
    state.is_some()
}
