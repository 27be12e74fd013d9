//! Which units a run has, and the scene that reaches each named place.

use balefire_store::CRASH_POINTS;

use crate::options::Options;
use crate::support::sandbox::Engine;

/// Kills at random moments in one world.
const RANDOM_KILLS_PER_UNIT: u32 = 50;

/// One world, and how its service is killed.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    pub(crate) engine: Engine,
    pub(crate) scene: Scene,
    pub(crate) kills: u32,
    pub(crate) seed: u64,
}

/// How a kill comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scene {
    /// From outside, at any moment of the load.
    Random,
    /// By itself, at this place, under the load.
    Load(&'static str),
    /// After a kill from outside: by itself at this place of the start that follows.
    Start(&'static str),
    /// Told to end under the load: by itself at this place of its end.
    End(&'static str),
    /// In `balefire migrate`, on an empty database.
    Migrate(&'static str),
}

impl Scene {
    /// The scene that reaches a named place.
    pub(crate) fn of(point: &'static str) -> Self {
        match point.split('.').next().unwrap_or_default() {
            "migrate" => Self::Migrate(point),
            "instance" if point.starts_with("instance.leave") => Self::End(point),
            "instance" | "orphan" => Self::Start(point),
            "dispatch" if point.starts_with("dispatch.play") => Self::Start(point),
            _ => Self::Load(point),
        }
    }

    /// The place's name, or `random`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Load(point) | Self::Start(point) | Self::End(point) | Self::Migrate(point) => {
                point
            }
        }
    }
}

/// Every unit of a run.
pub(crate) fn make(options: &Options) -> Vec<Unit> {
    let mut units = Vec::new();
    for engine in &options.engines {
        let wanted = |name: &str| {
            options.points.is_empty() || options.points.iter().any(|point| point == name)
        };
        let named = CRASH_POINTS.into_iter().filter(|name| wanted(name));
        let mut scenes: Vec<(Scene, u32)> = named
            .filter(|_| options.each > 0)
            .map(|name| (Scene::of(name), options.each))
            .collect();
        let mut left = if wanted("random") { options.kills } else { 0 };
        while left > 0 {
            let kills = left.min(RANDOM_KILLS_PER_UNIT);
            scenes.push((Scene::Random, kills));
            left -= kills;
        }
        for (scene, kills) in scenes {
            let number = units.len() as u64;
            units.push(Unit {
                engine: *engine,
                scene,
                kills,
                seed: options.seed.wrapping_mul(1_000_003).wrapping_add(number),
            });
        }
    }
    units
}
