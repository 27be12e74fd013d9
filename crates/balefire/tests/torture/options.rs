//! What a run is asked for.

use balefire_store::CRASH_POINTS;

use crate::support::sandbox::Engine;

/// How it is called.
pub(crate) const HELP: &str = "\
cargo xtask torture: kills the service again and again, and looks what became of its alerts

  --short           each place once, and 20 kills at random moments; some minutes
  --engine NAME     sqlite or postgres (default: both)
  --kills N         kills at random moments, per database (default: 500)
  --each N          kills at each named place, per database (default: 20)
  --point NAME      only this place, or `random`; may be given several times
  --jobs N          worlds at a time (default: 2)
  --seed S          where the random choices begin (default: 1)
";

/// What a run is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) engines: Vec<Engine>,
    /// Kills at random moments, per database.
    pub(crate) kills: u32,
    /// Kills at each named place, per database.
    pub(crate) each: u32,
    /// Only these places; all where empty.
    pub(crate) points: Vec<String>,
    pub(crate) jobs: usize,
    pub(crate) seed: u64,
}

impl Options {
    /// Reads the arguments; what is wrong with them, in words.
    pub(crate) fn parse(args: &[String]) -> Result<Self, String> {
        let mut options = Self {
            engines: vec![Engine::Sqlite, Engine::Postgresql],
            kills: 500,
            each: 20,
            points: Vec::new(),
            jobs: 2,
            seed: 1,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value"));
            match arg.as_str() {
                "--short" => (options.each, options.kills) = (1, 20),
                "--engine" => options.engines = vec![engine(value()?)?],
                "--kills" => options.kills = number(arg, value()?)?,
                "--each" => options.each = number(arg, value()?)?,
                "--jobs" => options.jobs = number(arg, value()?)?,
                "--seed" => options.seed = number(arg, value()?)?,
                "--point" => options.points.push(point(value()?)?),
                _ => return Err(format!("there is no {arg}")),
            }
        }
        if options.jobs == 0 {
            return Err("--jobs is at least 1".to_owned());
        }
        Ok(options)
    }
}

fn engine(name: &str) -> Result<Engine, String> {
    match name {
        "sqlite" => Ok(Engine::Sqlite),
        "postgres" => Ok(Engine::Postgresql),
        _ => Err(format!("{name} is neither sqlite nor postgres")),
    }
}

fn number<T: std::str::FromStr>(arg: &str, text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("{arg} needs a number, and {text} is none"))
}

fn point(name: &str) -> Result<String, String> {
    if name == "random" || CRASH_POINTS.contains(&name) {
        Ok(name.to_owned())
    } else {
        Err(format!(
            "there is no place {name}; they are {CRASH_POINTS:?}"
        ))
    }
}
