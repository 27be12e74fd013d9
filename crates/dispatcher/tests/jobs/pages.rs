//! A page for every duty item, whatever the page service does, and its end.

use std::time::Duration;

use balefire_domain::job::Job;
use balefire_domain::lane::DutyKind;
use balefire_domain::time::Clock as _;
use balefire_test_support::desks::Fault;
use balefire_test_support::poll::poll_until;
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::{ALERT, World};

on_both_engines! {
    an_item_pages_and_its_end_is_told,
    whatever_the_service_answers_one_incident_opens_and_closes,
    an_item_that_was_closed_before_its_page_wakes_nobody,
    the_end_is_told_after_a_page_that_may_have_got_through,
    a_ticket_service_that_hangs_holds_up_no_page,
    a_crowd_of_items_pages_within_seconds,
    pages_are_needless_while_none_are_configured,
    while_the_clock_is_in_doubt_pages_go_out_and_tickets_wait,
    a_page_that_a_wrong_clock_put_off_is_sent_all_the_same,
    a_page_from_before_a_clock_was_set_back_is_sent_in_doubt,
}

const MINUTE: Duration = Duration::from_secs(60);

async fn an_item_pages_and_its_end_is_told(world: World) {
    let id = world.open_item(1, DutyKind::Stuck).await;
    let runner = world.runner().await;
    assert_eq!(runner.run_due().await.unwrap(), 1);
    let incidents = world.pagerduty.incidents();
    assert_eq!(incidents.keys().collect::<Vec<_>>(), [&id.to_string()]);
    let event = &incidents[&id.to_string()].opened_by;
    assert_eq!(event["event_action"], "trigger");
    assert_eq!(event["routing_key"], "route");
    let page = &event["payload"];
    assert_eq!(
        page["summary"],
        format!("stuck (ee): {}", DutyKind::Stuck.advice())
    );
    assert_eq!(page["severity"], "critical");
    assert_eq!(page["source"], "balefire live");
    assert_eq!(page["timestamp"], world.clock.now().to_json_style());
    assert_eq!(page["custom_details"]["alert"], json!(ALERT));
    let paged_at = world.begin().await.load_duty_item(id).await.unwrap();
    assert_eq!(paged_at.unwrap().paged_at, Some(world.clock.now()));

    world.close_item(id).await;
    assert_eq!(runner.run_due().await.unwrap(), 1);
    assert!(world.pagerduty.incidents()[&id.to_string()].is_resolved);
    assert_eq!(world.pagerduty.received().len(), 2);

    let again = world.open_item(2, DutyKind::Stuck).await;
    runner.run_due().await.unwrap();
    assert!(!world.pagerduty.incidents()[&again.to_string()].is_resolved);
}

async fn whatever_the_service_answers_one_incident_opens_and_closes(world: World) {
    let id = world.open_item(1, DutyKind::LanePanicked).await;
    let runner = world.runner().await;
    let faults = [
        Fault::Status(500),
        Fault::Status(400),
        Fault::Status(429),
        Fault::Status(200),
        Fault::Hang,
        Fault::Close,
        Fault::DoneAndHang,
        Fault::DoneAndSlow,
    ];
    for is_end in [false, true] {
        if is_end {
            world.close_item(id).await;
        }
        let job = if is_end {
            Job::PageResolve { duty_item_id: id }
        } else {
            Job::Page { duty_item_id: id }
        };
        for fault in &faults {
            world.pagerduty.fail(Some(fault.clone()));
            assert_eq!(runner.run_due().await.unwrap(), 1, "{fault:?}");
            let state = world.state_of(&job.key()).await;
            assert_eq!(state.done_at, None, "{fault:?}");
            assert!(!state.last_error.unwrap().contains("route\""), "{fault:?}");
            world.clock.advance(5 * MINUTE);
        }
        // The status alone says that it was taken.
        world.pagerduty.fail(Some(Fault::DoneAndNotJson));
        assert_eq!(runner.run_due().await.unwrap(), 1);
        assert!(world.state_of(&job.key()).await.done_at.is_some());
        let incidents = world.pagerduty.incidents();
        assert_eq!(incidents.len(), 1);
        assert_eq!(incidents[&id.to_string()].is_resolved, is_end);
    }
    assert_eq!(world.pagerduty.stray_resolves(), 0);
}

async fn an_item_that_was_closed_before_its_page_wakes_nobody(world: World) {
    let id = world.open_item(1, DutyKind::Stuck).await;
    world.close_item(id).await;
    let runner = world.runner().await;
    runner.run_due().await.unwrap();
    world.clock.advance(MINUTE);
    runner.run_due().await.unwrap();
    assert!(world.pagerduty.incidents().is_empty());
    let page = world.state_of(&Job::page_key(id)).await;
    assert!(page.result.unwrap().contains("closed before"));
    let end = Job::PageResolve { duty_item_id: id };
    assert!(world.state_of(&end.key()).await.done_at.is_some());
}

async fn the_end_is_told_after_a_page_that_may_have_got_through(world: World) {
    let id = world.open_item(1, DutyKind::Stuck).await;
    let runner = world.runner().await;
    world.pagerduty.fail(Some(Fault::DoneAndHang));
    runner.run_due().await.unwrap();
    world.close_item(id).await;
    world.pagerduty.fail(None);
    // The page's next try is not due yet: the end waits for it.
    runner.run_due().await.unwrap();
    assert!(!world.pagerduty.incidents()[&id.to_string()].is_resolved);
    for _ in 0..2 {
        world.clock.advance(MINUTE);
        runner.run_due().await.unwrap();
    }
    let incident = &world.pagerduty.incidents()[&id.to_string()];
    assert!(incident.is_resolved, "the end is the last word");
    assert_eq!(world.pagerduty.stray_resolves(), 0);
}

/// The running loop, with every place for tickets taken by calls that hang.
async fn a_ticket_service_that_hangs_holds_up_no_page(world: World) {
    world.zendesk.fail(Some(Fault::Hang));
    for n in 0..20_u128 {
        let alert_id = balefire_domain::ids::AlertId::new(uuid::Uuid::from_u128(n));
        let (subject, body) = (String::new(), String::new());
        world
            .enqueue(&Job::Ticket {
                alert_id,
                subject,
                body,
            })
            .await;
    }
    let end = CancellationToken::new();
    let mut running = JoinSet::new();
    running.spawn(world.runner().await.run(end.clone()));
    let soon = Duration::from_secs(10);
    poll_until(soon, "tickets hang", async || {
        (world.zendesk.received().len() >= 8).then_some(())
    })
    .await;
    world.open_item(1, DutyKind::Stuck).await;
    poll_until(soon, "the page arrives", async || {
        (world.pagerduty.incidents().len() == 1).then_some(())
    })
    .await;
    end.cancel();
    running.join_all().await;
}

/// What four networks out at once make of a busy hour.
async fn a_crowd_of_items_pages_within_seconds(world: World) {
    for n in 0..200 {
        world.open_item(1 + n, DutyKind::Stuck).await;
    }
    let end = CancellationToken::new();
    let mut running = JoinSet::new();
    running.spawn(world.runner().await.run(end.clone()));
    poll_until(Duration::from_secs(30), "all pages arrive", async || {
        (world.pagerduty.incidents().len() == 200).then_some(())
    })
    .await;
    assert_eq!(world.pagerduty.received().len(), 200, "each once");
    end.cancel();
    running.join_all().await;
}

async fn pages_are_needless_while_none_are_configured(world: World) {
    let id = world.open_item(1, DutyKind::Stuck).await;
    let off = world.runner_with(true, false).await;
    assert_eq!(off.run_due().await.unwrap(), 1);
    let page = world.state_of(&Job::page_key(id)).await;
    assert!(page.result.unwrap().contains("pages.kind"));
    let item = world.begin().await.load_duty_item(id).await.unwrap();
    assert_eq!(item.unwrap().paged_at, None, "nothing was sent");
    // Nobody is woken for old items on the day that pages are switched on.
    world.close_item(id).await;
    let runner = world.runner().await;
    runner.run_due().await.unwrap();
    assert!(world.pagerduty.incidents().is_empty());
}

async fn while_the_clock_is_in_doubt_pages_go_out_and_tickets_wait(world: World) {
    world.enqueue_ticket().await;
    let id = world.open_item(1, DutyKind::Clock).await;
    // More than there are places.
    for n in 2..=20 {
        world.open_item(n, DutyKind::Stuck).await;
    }
    let runner = world.runner_in_doubt(Duration::ZERO).await;
    assert_eq!(runner.run_due().await.unwrap(), 20, "every page");
    assert_eq!(world.pagerduty.incidents().len(), 20);
    assert!(world.zendesk.received().is_empty(), "no ticket");
    let ticket = world.state_of(&Job::ticket_key(ALERT)).await;
    assert_eq!(ticket.done_at, None);
    world.close_item(id).await;
    runner.run_due().await.unwrap();
    assert!(world.pagerduty.incidents()[&id.to_string()].is_resolved);

    world.runner().await.run_due().await.unwrap();
    assert!(!world.zendesk.received().is_empty(), "by a clock in order");
}

/// A process whose clock is a year ahead tried it, and it is due again in a year.
async fn a_page_that_a_wrong_clock_put_off_is_sent_all_the_same(world: World) {
    world.open_item(1, DutyKind::Stuck).await;
    world.pagerduty.fail(Some(Fault::Status(500)));
    let ahead = world.runner_in_doubt(365 * 24 * 60 * MINUTE).await;
    assert_eq!(ahead.run_due().await.unwrap(), 1);
    world.pagerduty.fail(None);
    assert_eq!(world.runner().await.run_due().await.unwrap(), 1);
    assert_eq!(world.pagerduty.incidents().len(), 1);
}

async fn a_page_from_before_a_clock_was_set_back_is_sent_in_doubt(world: World) {
    world.open_item(1, DutyKind::Stuck).await;
    world.clock.set(world.clock.now() - MINUTE);
    let runner = world.runner_in_doubt(Duration::ZERO).await;
    assert_eq!(runner.run_due().await.unwrap(), 1);
    assert_eq!(world.pagerduty.incidents().len(), 1);
}
