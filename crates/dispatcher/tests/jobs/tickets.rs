//! One ticket per alert, whatever the ticket service does, and what is added to it.

use std::time::Duration;

use balefire_domain::ids::{AlertId, InstanceId};
use balefire_domain::job::{Comment, Job, JobKind};
use balefire_domain::lane::{Kind, MootReason, State};
use balefire_domain::limits::{JOB_ANSWER_BYTES_MAX, JOB_LEASE};
use balefire_domain::time::Clock as _;
use balefire_test_support::desks::Fault;
use serde_json::json;
use uuid::Uuid;

use crate::support::{ALERT, T0, World};

on_both_engines! {
    a_ticket_is_made_once_and_told_the_outcome,
    whatever_the_service_answers_there_is_one_ticket_in_the_end,
    a_look_that_fails_makes_no_second_ticket,
    a_worker_that_died_after_the_ticket_was_made_leaves_one_ticket,
    a_ticket_that_goes_on_failing_needs_a_person_until_it_gets_through,
    a_ticket_is_given_up_after_a_week_and_somebody_is_told,
    what_is_stuck_is_told_before_the_end,
    a_cancel_is_told_before_what_became_of_it,
    two_runners_make_one_ticket_each,
    tickets_wait_while_none_are_configured,
}

const MINUTE: Duration = Duration::from_secs(60);

async fn a_ticket_is_made_once_and_told_the_outcome(world: World) {
    for provider in ["ee", "o2"] {
        let key = world.add_delivery(provider, 1, Kind::Alert).await;
        let at = T0;
        world
            .set_state(&key, State::Acknowledged { at }, false)
            .await;
    }
    world.enqueue_ticket().await;
    world.enqueue_ticket().await;
    let runner = world.runner().await;
    runner.run_due().await.unwrap();
    world.clock.advance(MINUTE);
    runner.run_due().await.unwrap();

    let tickets = world.zendesk.tickets();
    assert_eq!(tickets.len(), 1);
    let want = json!({
        "subject": "the subject", "comment": { "body": "the body" }, "type": "incident",
        "priority": "normal", "tags": ["balefire"], "external_id": ALERT,
    });
    assert_eq!(tickets[0].made_of, want);
    // `alerts@example.org/token:hush`
    let authorization = "Basic YWxlcnRzQGV4YW1wbGUub3JnL3Rva2VuOmh1c2g=";
    assert_eq!(tickets[0].authorization, authorization);
    let comment = "The alert was accepted by 2 of 2:\n\
                   - ee: accepted on 2026-11-23 at 04:09:03 UTC\n\
                   - o2: accepted on 2026-11-23 at 04:09:03 UTC\n";
    assert_eq!(tickets[0].comments, [comment]);

    let received = world.zendesk.received();
    let calls: Vec<_> = received
        .iter()
        .map(|request| (request.method.as_str(), request.path.as_str()))
        .collect();
    let want = [
        ("POST", "/api/v2/tickets.json"),
        ("PUT", "/api/v2/tickets/7000.json"),
    ];
    assert_eq!(calls, want);
    let key = received[0].header("idempotency-key").unwrap();
    assert_eq!(key, ALERT.to_string());
    assert_eq!(received[0].header("content-type"), Some("application/json"));
    let ticket = world.state_of(&Job::ticket_key(ALERT)).await;
    assert_eq!(ticket.result.as_deref(), Some("7000"));
}

const NOT_DONE: [Fault; 6] = [
    Fault::Status(500),
    Fault::Status(401),
    Fault::Status(429),
    Fault::Status(200),
    Fault::Hang,
    Fault::Close,
];
/// The ticket exists, and nobody says so.
const DONE: [Fault; 5] = [
    Fault::DoneAndHang,
    Fault::DoneAndSlow,
    Fault::DoneAndNotJson,
    Fault::DoneAndOther,
    Fault::DoneAndLong(2 * JOB_ANSWER_BYTES_MAX),
];

fn ticket_of(alert_id: AlertId) -> Job {
    Job::Ticket {
        alert_id,
        subject: "s".to_owned(),
        body: "b".to_owned(),
    }
}

async fn whatever_the_service_answers_there_is_one_ticket_in_the_end(world: World) {
    let runner = world.runner().await;
    for (n, fault) in NOT_DONE.into_iter().chain(DONE).enumerate() {
        let alert = AlertId::new(Uuid::from_u128(0xB000 + n as u128));
        let job = ticket_of(alert);
        world.enqueue(&job).await;
        world.zendesk.fail(Some(fault.clone()));
        assert_eq!(runner.run_due().await.unwrap(), 1, "{fault:?}");
        let state = world.state_of(&job.key()).await;
        assert_eq!(state.done_at, None, "{fault:?}");
        let told = state.last_error.unwrap();
        assert!(!told.contains("hush"), "{told}");
        match fault {
            Fault::Status(401) => assert!(told.contains("tickets.key"), "{told}"),
            Fault::DoneAndLong(_) => assert!(told.contains("longer than 1048576"), "{told}"),
            _ => {}
        }
        let is_made = world.zendesk.tickets().len() > n;
        assert_eq!(is_made, DONE.contains(&fault), "{fault:?}");
        assert_eq!(
            runner.run_due().await.unwrap(),
            0,
            "a try waits for its time"
        );

        world.zendesk.fail(None);
        world.clock.advance(MINUTE);
        runner.run_due().await.unwrap();
        let tickets = world.zendesk.tickets();
        assert_eq!(tickets.len(), n + 1, "{fault:?}");
        assert_eq!(tickets[n].made_of["external_id"], json!(alert));
        let state = world.state_of(&job.key()).await;
        assert_eq!(state.result, Some(tickets[n].id.to_string()), "{fault:?}");
        assert_eq!((state.is_parked, state.last_error), (false, None));
    }
}

/// Where nobody can say whether there is a ticket, none is made.
async fn a_look_that_fails_makes_no_second_ticket(world: World) {
    world.enqueue_ticket().await;
    let runner = world.runner().await;
    world.zendesk.fail(Some(Fault::DoneAndHang));
    runner.run_due().await.unwrap();
    world.zendesk.fail(None);
    for fault in NOT_DONE[..2].iter().chain(&NOT_DONE[4..]).chain(&DONE[2..]) {
        world.zendesk.fail_looks(Some(fault.clone()));
        world.clock.advance(5 * MINUTE);
        assert_eq!(runner.run_due().await.unwrap(), 1, "{fault:?}");
        assert_eq!(world.zendesk.tickets().len(), 1, "{fault:?}");
    }
    world.zendesk.fail_looks(None);
    world.clock.advance(5 * MINUTE);
    runner.run_due().await.unwrap();
    assert_eq!(world.zendesk.tickets().len(), 1);
    let state = world.state_of(&Job::ticket_key(ALERT)).await;
    assert_eq!(state.result.as_deref(), Some("7000"));
}

/// The worker's process was killed between the service's answer and its own commit.
async fn a_worker_that_died_after_the_ticket_was_made_leaves_one_ticket(world: World) {
    world.enqueue_ticket().await;
    let dead = InstanceId::new(Uuid::from_u128(0xDEAD));
    let mut tx = world.begin().await;
    let claimed = tx.claim_jobs(JobKind::Ticket, dead, 8, JOB_LEASE).await;
    assert_eq!(claimed.unwrap().len(), 1);
    tx.commit().await.unwrap();
    let client = balefire_gateway::HttpClient::new(MINUTE, None).unwrap();
    let posted = balefire_gateway::HttpCall {
        method: http::Method::POST,
        url: format!("{}/api/v2/tickets.json", world.zendesk.url()),
        headers: vec![],
        body: json!({ "ticket": { "external_id": ALERT } })
            .to_string()
            .into(),
        timeout: MINUTE,
    };
    assert_eq!(client.call(posted).await.unwrap().status, 201);

    let runner = world.runner().await;
    world.clock.set(T0 + JOB_LEASE - Duration::from_secs(1));
    assert_eq!(runner.run_due().await.unwrap(), 0, "the lease holds");
    world.clock.set(T0 + JOB_LEASE);
    assert!(runner.run_due().await.unwrap() > 0);
    assert_eq!(world.zendesk.tickets().len(), 1);
    let state = world.state_of(&Job::ticket_key(ALERT)).await;
    assert_eq!(state.result.as_deref(), Some("7000"));
}

async fn a_ticket_that_goes_on_failing_needs_a_person_until_it_gets_through(world: World) {
    world.enqueue_ticket().await;
    let runner = world.runner().await;
    world.zendesk.fail(Some(Fault::Status(401)));
    let mut failures = 0;
    let items = loop {
        runner.run_due().await.unwrap();
        failures += 1;
        let items = world.begin().await.list_open_duty_items(9).await.unwrap();
        if !items.is_empty() {
            break items;
        }
        world.clock.advance(5 * MINUTE);
    };
    assert_eq!(failures, 10);
    assert_eq!(items[0].kind, "ticket_failing");
    assert_eq!(items[0].alert_id, Some(ALERT));
    assert_eq!(items[0].subject, format!("job ticket {ALERT}"));
    world.clock.advance(5 * MINUTE);
    runner.run_due().await.unwrap();
    assert_eq!(world.pagerduty.incidents().len(), 1, "one item, one page");

    world.zendesk.fail(None);
    world.clock.advance(5 * MINUTE);
    runner.run_due().await.unwrap();
    let open = world.begin().await.list_open_duty_items(9).await.unwrap();
    assert_eq!(open, []);
    runner.run_due().await.unwrap();
    let incidents = world.pagerduty.incidents();
    assert!(incidents.values().all(|incident| incident.is_resolved));
}

async fn a_ticket_is_given_up_after_a_week_and_somebody_is_told(world: World) {
    world.enqueue_ticket().await;
    world.zendesk.fail(Some(Fault::Close));
    let runner = world.runner().await;
    runner.run_due().await.unwrap();
    world.clock.advance(Duration::from_secs(7 * 24 * 3600));
    runner.run_due().await.unwrap();
    let state = world.state_of(&Job::ticket_key(ALERT)).await;
    assert!(state.is_parked && state.done_at.is_some());
    let items = world.begin().await.list_open_duty_items(9).await.unwrap();
    assert_eq!(items.len(), 1);
    world.zendesk.fail(None);
    world.clock.advance(60 * MINUTE);
    runner.run_due().await.unwrap();
    assert_eq!(world.zendesk.tickets(), []);

    // What would be added to it has nowhere to go, and does not wait for ever.
    let comment = Job::TicketComment {
        alert_id: ALERT,
        comment: Comment::AlertOutcome,
    };
    world.enqueue(&comment).await;
    runner.run_due().await.unwrap();
    assert!(world.state_of(&comment.key()).await.done_at.is_some());
}

async fn what_is_stuck_is_told_before_the_end(world: World) {
    let key = world.add_delivery("ee", 1, Kind::Alert).await;
    world.enqueue_ticket().await;
    let runner = world.runner().await;
    runner.run_due().await.unwrap();
    let comments = |world: &World| world.zendesk.tickets()[0].comments.clone();
    assert_eq!(comments(&world), Vec::<String>::new());

    let due_at = T0 + MINUTE;
    world.set_state(&key, State::Backoff { due_at }, true).await;
    world.clock.advance(Duration::from_secs(2));
    runner.run_due().await.unwrap();
    assert_eq!(comments(&world).len(), 1);
    assert!(comments(&world)[0].starts_with("Stuck: ee has not accepted the alert yet."));

    world.clock.advance(10 * MINUTE);
    runner.run_due().await.unwrap();
    assert_eq!(comments(&world).len(), 1, "once");
    let at = world.clock.now();
    world.set_state(&key, State::Expired { at }, true).await;
    world.clock.advance(Duration::from_secs(30));
    runner.run_due().await.unwrap();
    assert_eq!(comments(&world).len(), 2);
    assert!(comments(&world)[1].starts_with("The alert was accepted by 0 of 1:\n- ee: NOT"));
}

async fn a_cancel_is_told_before_what_became_of_it(world: World) {
    world.enqueue_ticket().await;
    let runner = world.runner().await;
    runner.run_due().await.unwrap();
    let key = world.add_delivery("ee", 2, Kind::Cancel).await;
    let state = State::Moot {
        reason: MootReason::NeverSent,
        at: T0,
    };
    world.set_state(&key, state, false).await;
    let body = "who cancelled".to_owned();
    let [stuck, outcome] = Comment::of_course(Kind::Cancel);
    // The service takes no comment at first: the order must hold all the same.
    world.zendesk.fail(Some(Fault::Status(503)));
    for comment in [outcome, stuck, Comment::Cancelled { body }] {
        world
            .enqueue(&Job::TicketComment {
                alert_id: ALERT,
                comment,
            })
            .await;
    }
    runner.run_due().await.unwrap();
    world.zendesk.fail(None);
    for _ in 0..3 {
        world.clock.advance(MINUTE);
        runner.run_due().await.unwrap();
    }
    let comments = world.zendesk.tickets()[0].comments.clone();
    assert_eq!(comments.len(), 3, "{comments:?}");
    assert!(
        comments[0].starts_with("The alert was sent to nobody"),
        "{comments:?}"
    );
    assert_eq!(comments[1], "who cancelled");
    assert!(comments[2].starts_with("The cancel was accepted by 0 of 1"));
}

async fn two_runners_make_one_ticket_each(world: World) {
    let alerts: Vec<_> = (0..40_u128)
        .map(|n| AlertId::new(Uuid::from_u128(0xB000 + n)))
        .collect();
    for alert_id in &alerts {
        world.enqueue(&ticket_of(*alert_id)).await;
    }
    let (one, two) = (world.runner().await, world.runner().await);
    let (first, second) = tokio::join!(one.run_due(), two.run_due());
    let taken = first.unwrap() + second.unwrap();
    assert!(taken >= alerts.len(), "{taken}");
    let mut made: Vec<String> = world
        .zendesk
        .tickets()
        .iter()
        .map(|ticket| ticket.made_of["external_id"].as_str().unwrap().to_owned())
        .collect();
    made.sort();
    let want: Vec<String> = alerts.iter().map(ToString::to_string).collect();
    assert_eq!(made, want);
}

async fn tickets_wait_while_none_are_configured(world: World) {
    world.enqueue_ticket().await;
    let off = world.runner_with(false, false).await;
    assert_eq!(off.run_due().await.unwrap(), 0);
    world.clock.advance(60 * MINUTE);
    let runner = world.runner().await;
    runner.run_due().await.unwrap();
    assert_eq!(world.zendesk.tickets().len(), 1);
}
