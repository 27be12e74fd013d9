//! The hazards that strike at their own moments, and not at something that is done.

use std::sync::Arc;
use std::time::Duration;

use balefire_domain::lane::{Delivery, HoldReason, State};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::hazard::{Fault, Hazard};
use super::options::{Engine, provider_name};
use super::random::Dice;
use super::run::Process;
use super::tables::LaneRows;
use super::world::World;

/// How far a clock is set wrong.
const HOUR_US: i64 = 3_600_000_000;

/// And the database's: where both are wrong by the same, nobody could tell.
const DATABASE_JUMP_US: i64 = 1_800_000_000;

/// A clock that was set right is left alone until it is believed again.
const BELIEVED_AGAIN: Duration = Duration::from_secs(12);

/// A commit this young may be lost.
const FRESH_US: i64 = 4_000;

/// Begins all that the plan has.
pub fn begin(world: &Arc<World>, processes: &[Arc<Process>], parts: &mut JoinSet<()>) {
    for process in processes {
        let of = |hazard| (hazard, Arc::clone(world), Arc::clone(process));
        for (hazard, world, process) in [
            of(Hazard::Crashes),
            of(Hazard::Pauses),
            of(Hazard::Restarts),
        ] {
            if world.options.has(hazard) {
                parts.spawn(trouble(world, process, hazard));
            }
        }
    }
    if world.options.has(Hazard::DatabaseOutage) {
        parts.spawn(take_database_away(Arc::clone(world)));
    }
    for process in processes {
        if world.options.has(Hazard::ClockJumps) {
            parts.spawn(jump(Arc::clone(world), Arc::clone(process)));
        }
    }
    if world.options.has(Hazard::DatabaseClockJumps) {
        parts.spawn(jump_database(Arc::clone(world)));
    }
    if world.options.has(Hazard::PausedProvider) {
        parts.spawn(pause_provider(Arc::clone(world)));
    }
    if world.options.has(Hazard::Failover) {
        parts.spawn(fail_over(Arc::clone(world)));
    }
    for hazard in [Hazard::ForgetfulProvider, Hazard::ForgetfulProxy] {
        if world.options.has(hazard) {
            parts.spawn(forget(Arc::clone(world), hazard));
        }
    }
}

/// One to three moments before the healing, in order.
fn moments(world: &World, labels: &[u64]) -> (Vec<u64>, Dice) {
    let mut dice = Dice::of(world.options.seed, labels);
    let count = dice.between(1, 3);
    let healed_ms = world.options.healed_ms;
    let mut moments: Vec<u64> = (0..count).map(|_| dice.below(healed_ms)).collect();
    moments.sort_unstable();
    (moments, dice)
}

async fn trouble(world: Arc<World>, process: Arc<Process>, hazard: Hazard) {
    let labels = [14, hazard as u64, process.index as u64];
    let (moments, mut dice) = moments(&world, &labels);
    for moment_ms in moments {
        world.time.until_ms(moment_ms).await;
        if world.is_healed() {
            return;
        }
        let Some(serving) = process.serving() else {
            continue;
        };
        match hazard {
            Hazard::Crashes => world.kill(&serving.life, "at any moment"),
            Hazard::Restarts => process.restart.notify_waiters(),
            _ => {
                let still = Duration::from_millis(dice.between(500, 60_000));
                world.hold_still(&serving.life, still);
            }
        }
    }
}

async fn take_database_away(world: Arc<World>) {
    let (moments, mut dice) = moments(&world, &[15]);
    for moment_ms in moments {
        world.time.until_ms(moment_ms).await;
        if world.is_healed() {
            return;
        }
        world.set_database_away(true);
        sleep(Duration::from_millis(dice.between(100, 30_000))).await;
        world.set_database_away(false);
    }
}

async fn forget(world: Arc<World>, hazard: Hazard) {
    let (moments, mut dice) = moments(&world, &[16, hazard as u64]);
    for moment_ms in moments {
        world.time.until_ms(moment_ms).await;
        let index = dice.below(world.options.providers.len() as u64);
        let name = provider_name(usize::try_from(index).unwrap_or(0));
        let mut state = world.state();
        let cbc = state.cbcs.get_mut(&name).expect("every provider has one");
        let (fault, has_forgotten) = if hazard == Hazard::ForgetfulProvider {
            (Fault::F26, cbc.forget())
        } else {
            (Fault::F62, cbc.forget_fence())
        };
        if has_forgotten {
            state.reached.count(fault);
        }
        let at_us = world.time.elapsed_us();
        state.note(at_us, || format!("{name}: {} restarts", hazard.as_str()));
    }
}

/// An alert is open somewhere.
fn is_anything_open(world: &World) -> bool {
    let state = world.state();
    let mut lanes = state.tables.lanes.values();
    lanes.any(|rows| rows.lane.deliveries.iter().any(|d| !d.state.is_terminal()))
}

async fn jump(world: Arc<World>, process: Arc<Process>) {
    let (moments, mut dice) = moments(&world, &[17, process.index as u64]);
    for moment_ms in moments {
        world.time.until_ms(moment_ms).await;
        let Some(serving) = process.serving() else {
            continue;
        };
        if world.is_healed() {
            return;
        }
        if world.options.engine == Engine::OneWriter && serving.life.is_still() {
            continue; // It would see one wrong hour all along, and could not tell.
        }
        let forwards = dice.chance(500);
        let jump_us = if forwards { HOUR_US } else { -HOUR_US };
        if is_anything_open(&world) {
            let fault = if forwards { Fault::F48 } else { Fault::F49 };
            world.state().reached.count(fault);
        }
        let name = process.index + 1;
        let word = if forwards { "forwards" } else { "backwards" };
        world.note(|| format!("process {name}'s clock is set an hour {word}"));
        serving.life.clock.jump(jump_us);
        // With one writer there is no other clock: what stays wrong is believed after 10 s (D35).
        let wrong_ms = match world.options.engine {
            Engine::RowLocks => 40_000,
            Engine::OneWriter => 8_000,
        };
        sleep(Duration::from_millis(dice.between(100, wrong_ms))).await;
        serving.life.clock.jump(0);
        world.note(|| format!("process {name}'s clock is set right"));
        sleep(BELIEVED_AGAIN).await;
    }
}

async fn jump_database(world: Arc<World>) {
    let (moments, mut dice) = moments(&world, &[18]);
    for moment_ms in moments {
        world.time.until_ms(moment_ms).await;
        if world.is_healed() {
            return;
        }
        if is_anything_open(&world) {
            world.state().reached.count(Fault::F50);
        }
        let forwards = dice.chance(500);
        world.note(|| "the database's clock jumps".to_owned());
        world.state().tables.clock_ahead_us = if forwards {
            DATABASE_JUMP_US
        } else {
            -DATABASE_JUMP_US
        };
        sleep(Duration::from_millis(dice.between(100, 30_000))).await;
        world.state().tables.clock_ahead_us = 0;
    }
}

async fn pause_provider(world: Arc<World>) {
    let mut dice = Dice::of(world.options.seed, &[19]);
    let index = dice.below(world.options.providers.len() as u64);
    let name = provider_name(usize::try_from(index).unwrap_or(0));
    let paused_ms = dice.below(world.options.healed_ms);
    world.time.until_ms(paused_ms).await;
    world.note(|| format!("{name} is paused"));
    world.state().tables.paused.insert(name.clone());
    world.time.until_ms(world.options.healed_ms).await;
    let mut state = world.state();
    let is_paused = |d: &Delivery| {
        matches!(
            d.state,
            State::Held {
                reason: HoldReason::Paused,
                ..
            }
        )
    };
    let waits = |rows: &LaneRows| rows.lane.deliveries.iter().any(is_paused);
    if state.tables.lanes.values().any(waits) {
        state.reached.count(Fault::F59);
    }
    state.tables.paused.remove(&name);
}

async fn fail_over(world: Arc<World>) {
    let mut dice = Dice::of(world.options.seed, &[20]);
    let moment_ms = dice.below(world.options.healed_ms);
    world.time.until_ms(moment_ms).await;
    // At a moment at which there is something to forget.
    let is_idle = |world: &World| {
        let state = world.state();
        let latest = state.replaced.back().map(|(at_us, ..)| *at_us);
        latest.is_none_or(|at_us| world.time.elapsed_us() - at_us > FRESH_US)
    };
    while is_idle(&world) {
        if world.is_healed() {
            return;
        }
        sleep(Duration::from_millis(2)).await;
    }
    let lost = Duration::from_millis(dice.pick(&[5, 50, 500]));
    world.fail_over(lost);
}
