//! One unit: kill after kill in one world.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;

use crate::client;
use crate::judge::{self, Found};
use crate::plan::{Scene, Unit};
use crate::support::sandbox::{Figures, Sandbox};
use crate::support::server::END_MAX;
use crate::table::Row;
use crate::world::{Recovery, Service, World, pause};

/// How long the load may take to bring the service to its place.
const REACH_MAX: Duration = Duration::from_secs(10);
/// Kills that may miss their place: as many as are wanted, and these. The load went another way, or
/// what was open had ended by itself. Each is followed by a recovery like any other, and is not
/// counted as a kill.
const MISSES_MAX: u32 = 3;
/// The longest that a service lives before a kill at random.
const LIFE_MS_MAX: u64 = 900;
/// Kills after which the networks are well for a while, so that a world does not fill up.
const KILLS_PER_REST: u32 = 10;

/// Runs a unit. A panic in it is a violation in its words.
pub(crate) async fn run(unit: Unit) -> Row {
    let mut row = Row {
        unit: unit.clone(),
        kills: 0,
        recoveries: Vec::new(),
        stuck: 0,
        slow: Vec::new(),
        found: Found::default(),
        folder: None,
    };
    if let Scene::Migrate(point) = unit.scene {
        let torn = AssertUnwindSafe(migrate(&unit, point, &mut row)).catch_unwind();
        note_panic(torn.await.err(), &mut row);
        return row;
    }
    let mut world = match AssertUnwindSafe(World::new(&unit)).catch_unwind().await {
        Ok(world) => world,
        Err(panic) => {
            note_panic(Some(panic), &mut row);
            return row;
        }
    };
    let torn = AssertUnwindSafe(torture(&mut world, &unit, &mut row))
        .catch_unwind()
        .await;
    note_panic(torn.err(), &mut row);
    if !row.is_clean() {
        row.folder = Some(world.keep().await);
    }
    row
}

fn note_panic(panic: Option<Box<dyn std::any::Any + Send>>, row: &mut Row) {
    let Some(panic) = panic else { return };
    let words = panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_default();
    row.found.violations.push(format!("a panic: {words}"));
}

async fn torture(world: &mut World, unit: &Unit, row: &mut Row) {
    let mut service = world.start(first_crash(world, unit)).await;
    let tries_max = unit.kills * 2 + MISSES_MAX;
    let mut tries = 0;
    while row.kills < unit.kills && tries < tries_max {
        tries += 1;
        match unit.scene {
            // There must be something open for the start to find.
            Scene::Start(_) => world.make_late().await,
            _ => world.draw_faults().await,
        }
        row.kills += u32::from(bring_down(world, unit, &mut service).await);
        keep_log(world, &service);
        let Recovery {
            service: next,
            moved_after,
            slow,
        } = world.recover().await;
        row.slow.extend(slow);
        match moved_after {
            Some(time) => row.recoveries.push(time),
            None => row.stuck += 1,
        }
        service = next;
        let is_last = row.kills == unit.kills || tries == tries_max;
        if is_last || tries % KILLS_PER_REST == 0 {
            world.heal().await;
            row.found = judge::judge(world).await;
            if !row.found.violations.is_empty() {
                break;
            }
            world.note_settled().await;
        }
        if !is_last && let Some(crash) = first_crash(world, unit) {
            // The next one dies by itself: this one makes room for it.
            service.kill().await;
            keep_log(world, &service);
            service = world.start(Some(crash)).await;
        }
    }
    service.terminate().await;
    service.ended_well(END_MAX).await;
    keep_log(world, &service);
}

/// The place at which a service is to die that lives under the load.
fn first_crash(world: &World, unit: &Unit) -> Option<(&'static str, u64)> {
    match unit.scene {
        Scene::Load(point) => {
            let is_rare = point.starts_with("complete") || point.contains("update");
            let most = if is_rare { 2 } else { 8 };
            Some((point, 1 + world.draw(most)))
        }
        Scene::End(point) => Some((point, 1)),
        Scene::Random | Scene::Start(_) | Scene::Migrate(_) => None,
    }
}

/// Ends a service that lives under the load; whether where it was meant to.
async fn bring_down(world: &mut World, unit: &Unit, service: &mut Service) -> bool {
    let Some(url) = service.url.clone() else {
        return matches!(unit.scene, Scene::Load(_));
    };
    let seed = world.draw(u64::MAX);
    let mut load = client::begin(&url, &world.team, &world.facts, seed);
    let is_reached = match unit.scene {
        Scene::Load(_) => {
            let ended = service.ends_within(REACH_MAX).await;
            if !ended {
                service.kill().await;
            }
            ended
        }
        Scene::Random | Scene::Start(_) => {
            let life = Duration::from_millis(20 + world.draw(LIFE_MS_MAX));
            pause(life).await;
            if unit.scene != Scene::Random {
                world.wait_for_flight().await;
            }
            service.kill().await;
            true
        }
        Scene::End(_) => {
            pause(Duration::from_millis(200 + world.draw(400))).await;
            service.terminate().await;
            service.ends_within(END_MAX).await
        }
        Scene::Migrate(_) => unreachable!("it has no service"),
    };
    // Each ends when it finds the service gone; what it was told before counts.
    while load.join_next().await.is_some() {}
    let Scene::Start(point) = unit.scene else {
        return is_reached;
    };
    // Now the start that follows dies in its turn.
    keep_log(world, service);
    *service = world.start(Some((point, 1))).await;
    let ended = service.ends_within(REACH_MAX).await;
    if !ended {
        service.kill().await;
    }
    ended
}

/// A migration that dies half-way, and the one after it.
async fn migrate(unit: &Unit, point: &'static str, row: &mut Row) {
    for _ in 0..unit.kills {
        let sandbox = Sandbox::unmigrated(unit.engine, Figures::default()).await;
        let mut command = sandbox.command(&["migrate"]);
        command.env("BALEFIRE_CRASH_AT", point);
        let died = crate::support::sandbox::run(command).await;
        row.kills += u32::from(died.code.is_none());
        let start = crate::world::instant();
        sandbox.run(&["migrate"]).await.must_succeed();
        row.recoveries.push(start.elapsed());
        let listed = sandbox.json(&["service", "list"]).await;
        assert_eq!(
            listed,
            serde_json::json!([]),
            "a fresh database has no services"
        );
    }
}

/// Appends what a service printed to a file of its world.
fn keep_log(world: &World, service: &Service) {
    use std::io::Write as _;
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(world.sandbox.path("service.log"));
    if let Ok(mut file) = file {
        let _ = writeln!(file, "{}\n--- ended", service.lines().join("\n"));
    }
}
