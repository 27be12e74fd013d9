//! What the clock does by itself: it tells of pauses that hold alerts, and completes what is over,
//! as long as it may be believed (D19, D35).

use std::sync::Arc;
use std::time::Duration;

use balefire_app::move_alert::{Move, MoveRefusal};
use balefire_app::providers::{PAUSE_UNTOLD_MAX, ProviderAct};
use balefire_app::{App, Failure};
use balefire_domain::alert::Status;
use balefire_domain::approval::Seen;
use balefire_domain::ids::AlertId;
use balefire_domain::lane::{Conditions, LaneEvent, Policy, State, step};
use balefire_domain::provider::ProviderName;
use balefire_domain::time::{Clock, Timestamp};
use balefire_test_support::clock::ManualClock;

use crate::documents::alert;
use crate::support::*;

/// A clock that may not be believed.
struct Doubtful(ManualClock);

impl Clock for Doubtful {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn is_trusted(&self) -> bool {
        false
    }
}

async fn broadcasting(web: &TestWeb) -> AlertId {
    let answer = web.post_cap(&web.live.normal, &alert("flood-1")).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let id = answer.alert();
    let moved = web
        .change_status(id, "broadcasting", web.live.approver)
        .await;
    assert_eq!(moved.status, 200, "{moved:?}");
    id
}

/// Looks at a lane as dispatch would, while its provider is paused.
async fn look_at(web: &TestWeb, id: AlertId, provider: &str) -> State {
    let now = web.clock.now();
    let mut tx = web.app.store.begin("look", now).await.unwrap();
    let lanes = tx.list_lanes(id).await.unwrap();
    let key = lanes.iter().find(|key| key.provider.as_str() == provider);
    let key = key.unwrap();
    let conditions: Conditions = tx.load_conditions(&key.provider).await.unwrap();
    let settings = &web.app.settings;
    let profile = settings.profile(&key.provider);
    let policy = Policy::of(&settings.figures, profile, true, &conditions);
    let lane = tx.lock_lane(key).await.unwrap().unwrap();
    let looked = step(&lane, LaneEvent::Tick, now, &policy);
    tx.save_lane(key, &lane, &looked.lane).await.unwrap();
    tx.commit().await.unwrap();
    looked.lane.target().unwrap().state
}

async fn open_kinds(web: &TestWeb) -> Vec<String> {
    let items = web.app.list_all_duty_items(false).await.unwrap();
    let shown = items
        .iter()
        .map(|item| format!("{} {}", item.kind, item.subject));
    shown.collect()
}

#[tokio::test]
async fn a_pause_is_told_of_once_it_has_held_alerts_for_two_minutes() {
    let web = TestWeb::start().await;
    let (ee, o2) = (
        ProviderName::new("ee").unwrap(),
        ProviderName::new("o2").unwrap(),
    );
    let by = web.platform_admin;
    let pause = ProviderAct::Pause { reason: None };
    for provider in [&ee, &o2] {
        let paused = web.app.change_provider(by, provider, &pause, false).await;
        assert!(paused.unwrap().is_changed);
    }
    let id = broadcasting(&web).await;
    assert!(matches!(look_at(&web, id, "ee").await, State::Held { .. }));
    // After so many seconds, what is open. No alert waits at o2: nobody looked at its lane.
    let want = "provider_paused provider ee";
    for (after, open) in [
        (0, vec![]),
        (119, vec![]),
        (120, vec![want]),
        (500, vec![want]),
    ] {
        web.clock.set(START + Duration::from_secs(after));
        web.app.watch_pauses().await.unwrap();
        let mut kinds = open_kinds(&web).await;
        kinds.retain(|kind| kind.starts_with("provider_paused"));
        assert_eq!(kinds, open, "after {after} s");
    }
    assert_eq!(PAUSE_UNTOLD_MAX.as_secs(), 120);

    let resumed = web
        .app
        .change_provider(by, &ee, &ProviderAct::Resume, false)
        .await;
    assert!(resumed.unwrap().is_changed);
    assert!(!open_kinds(&web).await.contains(&want.to_owned()));
    web.app.watch_pauses().await.unwrap();
    assert!(!open_kinds(&web).await.contains(&want.to_owned()));
    assert_eq!(look_at(&web, id, "ee").await, State::Ready);
    let actions = web.audit_actions().await;
    assert_eq!(
        (actions["provider.pause"], actions["provider.resume"]),
        (2, 1)
    );
}

#[tokio::test]
async fn by_a_clock_in_doubt_nothing_is_over_and_no_cancel_ends() {
    let web = TestWeb::start().await;
    let id = broadcasting(&web).await;
    web.clock.set(START + Duration::from_secs(30 * 24 * 3600));
    let doubtful = App {
        clock: Arc::new(Doubtful(web.clock.clone())),
        ..web.app.clone()
    };
    assert_eq!(doubtful.complete_alerts().await.unwrap(), 0);
    let status = async || {
        let found = web.app.load_alert(web.live.id, id).await.unwrap();
        found.unwrap().status
    };
    assert_eq!(status().await, Status::Broadcasting);
    assert_eq!(web.app.complete_alerts().await.unwrap(), 1);
    assert_eq!(status().await, Status::Completed);
}

#[tokio::test]
async fn by_a_clock_in_doubt_nothing_is_approved_and_anything_may_be_cancelled() {
    let web = TestWeb::start().await;
    let live = broadcasting(&web).await;
    let answer = web.post_cap(&web.live.normal, &alert("flood-2")).await;
    let pending = answer.alert();
    let doubtful = App {
        clock: Arc::new(Doubtful(web.clock.clone())),
        ..web.app.clone()
    };
    let to = |to| Move {
        to,
        by: web.live.approver,
        reason: None,
        seen: Seen::default(),
        request: None,
    };
    let approved = doubtful
        .move_alert(web.live.id, pending, &to(Status::Broadcasting))
        .await;
    assert!(
        matches!(approved, Err(Failure::Refused(MoveRefusal::ClockInDoubt))),
        "{approved:?}"
    );
    let cancelled = doubtful
        .move_alert(web.live.id, live, &to(Status::Cancelled))
        .await;
    assert_eq!(cancelled.unwrap().status, Status::Cancelled);
}

#[tokio::test]
async fn readiness_tells_of_a_clock_in_doubt() {
    let web = TestWeb::start_with(|state| {
        state.app.clock = Arc::new(Doubtful(ManualClock::at(START)));
    })
    .await;
    let answer = web.get("/_api_status/ready").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["clock"], "in doubt");
}
