//! Runs the seeded simulator: many seeds, or one with its trace, or the planted faults.
//!
//! Exits 1 when a promise did not hold, a fault of the catalogue was reached too rarely, or a
//! planted fault was not caught by a promise that should.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool prints"
)]

use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;
use std::{env, fs, panic};

use balefire_sim::seeded::database::PlannedPanic;
use balefire_sim::seeded::hazard::Fault;
use balefire_sim::seeded::options::Options;
use balefire_sim::seeded::run::run;
use balefire_sim::seeded::swarm::{Swarm, catch_planted, check_seed, smallest, swarm};
use balefire_sim::seeded::trace::Keeping;
use balefire_sim::seeded::world::Violation;
use balefire_sim::seeded::{planted, properties};

const USAGE: &str = "\
simulate: runs the dispatcher through everything that can go wrong, named by seeds

  --runs N        so many seeds (10000)
  --seed S        from this one on (1)
  --only-seed X   this seed alone
  --trace         with --only-seed: print what happened, line by line
  --leave-out R   with --only-seed: without the planted rule whose words begin so
  --planted       leave out one rule at a time, and show which promise notices
  --threads N     on so many threads (2)
  --help          print this

Seeds in crates/sim/regressions.txt are run first. Exit codes: 0 all promises held, 1 one did not,
2 wrong usage.";

/// A planted fault must be caught within so many seeds.
const PLANTED_SEEDS_MAX: u64 = 1_000;
/// How often it is told how far the runs are.
const TOLD_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct Asked {
    runs: u64,
    seed: u64,
    only_seed: Option<u64>,
    is_tracing: bool,
    left_out: Option<planted::Fault>,
    is_planted: bool,
    threads: usize,
    is_help: bool,
}

fn main() -> ExitCode {
    let asked = match parse(env::args().skip(1)) {
        Ok(asked) => asked,
        Err(error) => {
            eprintln!("simulate: {error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if asked.is_help {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    silence_planned_panics();
    let is_well = match asked.only_seed {
        Some(seed) => run_one(seed, asked.left_out, asked.is_tracing),
        None if asked.is_planted => run_planted(&asked),
        None => run_many(&asked),
    };
    ExitCode::from(u8::from(!is_well))
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked {
        runs: 10_000,
        seed: 1,
        only_seed: None,
        is_tracing: false,
        left_out: None,
        is_planted: false,
        threads: 2,
        is_help: false,
    };
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let number = arguments.next().and_then(|text| text.parse::<u64>().ok());
            number.ok_or_else(|| format!("{argument} needs a number"))
        };
        match argument.as_str() {
            "--runs" => asked.runs = number()?,
            "--seed" => asked.seed = number()?,
            "--only-seed" => asked.only_seed = Some(number()?),
            "--threads" => asked.threads = usize::try_from(number()?).unwrap_or(1),
            "--leave-out" => {
                let words = arguments.next().unwrap_or_default();
                let mut all = planted::Fault::ALL.iter();
                let found = all.find(|fault| fault.as_str().starts_with(&words));
                asked.left_out = Some(*found.ok_or("--leave-out names no planted rule")?);
            }
            "--trace" => asked.is_tracing = true,
            "--planted" => asked.is_planted = true,
            "--help" => asked.is_help = true,
            other => return Err(format!("there is no option {other}")),
        }
    }
    Ok(asked)
}

/// Planned panics are part of runs; real ones are printed as ever.
fn silence_planned_panics() {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if info.payload().downcast_ref::<PlannedPanic>().is_none() {
            hook(info);
        }
    }));
}

fn run_one(seed: u64, left_out: Option<planted::Fault>, is_tracing: bool) -> bool {
    let options = Options::of(seed);
    println!("{options}\n");
    let ran = run(&options, left_out, Keeping::Lines);
    if is_tracing {
        println!("{}\n", ran.lines.join("\n"));
    }
    let violation = match left_out {
        Some(_) => ran.violation,
        None => ran.violation.or_else(|| check_seed(seed).0.violation),
    };
    match violation {
        None => {
            println!("every promise held");
            true
        }
        Some(violation) => {
            println!("{}", words(&violation));
            false
        }
    }
}

fn words(violation: &Violation) -> String {
    let (ms, property) = (violation.at_us / 1000, violation.property);
    format!(
        "VIOLATED {}: {}\n  at {}.{:03} s: {}",
        property.as_str(),
        property.promise(),
        ms / 1000,
        ms % 1000,
        violation.detail
    )
}

/// The seeds of regressions.txt, each on a line of its own, before its comment.
fn regressions() -> Vec<u64> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/regressions.txt"));
    let text = fs::read_to_string(path).unwrap_or_default();
    let seeds = text.lines().filter_map(|line| line.split('#').next());
    seeds.filter_map(|seed| seed.trim().parse().ok()).collect()
}

fn run_many(asked: &Asked) -> bool {
    let known = regressions();
    for seed in &known {
        if let (ran, ..) = check_seed(*seed)
            && let Some(violation) = ran.violation
        {
            return tell_failure(*seed, &violation);
        }
    }
    println!("{} known seeds run first: every promise held", known.len());
    let began = now();
    let told = Mutex::new(began);
    let tell = |runs: u64| {
        if let Ok(mut told) = told.lock()
            && told.elapsed() >= TOLD_EVERY
        {
            *told = now();
            println!("  {runs} of {} runs", asked.runs);
        }
    };
    let swarm = swarm(asked.seed, asked.runs, asked.threads, &tell);
    println!(
        "{} runs from seed {} in {:.1} s; {} of them run twice, {} compared with a hung provider",
        swarm.runs,
        asked.seed,
        began.elapsed().as_secs_f32(),
        swarm.repeated,
        swarm.compared
    );
    println!("\n{}", reached(&swarm));
    if let Some((seed, violation)) = &swarm.failure {
        return tell_failure(*seed, violation);
    }
    let short = swarm.short();
    for (fault, runs) in &short {
        println!("reached too rarely: F{} in {runs} runs", fault.number());
    }
    if short.is_empty() {
        println!("every promise held in every run");
    }
    short.is_empty()
}

fn reached(swarm: &Swarm) -> String {
    let line = |fault: &Fault| {
        let (runs, number) = (swarm.reached.of(*fault), fault.number());
        format!("  F{number:<3}{runs:>8} runs  {}", fault.what())
    };
    let lines: Vec<String> = Fault::ALL.iter().map(line).collect();
    format!(
        "faults of the catalogue that were met:\n{}",
        lines.join("\n")
    )
}

/// The plan, its smallest part that fails, and what happened.
fn tell_failure(seed: u64, violation: &Violation) -> bool {
    let options = Options::of(seed);
    println!("\n{options}\n\n{}", words(violation));
    let smallest = smallest(&options, violation.property);
    println!("\nthe smallest plan that still fails:\n{smallest}\n");
    let ran = run(&smallest, None, Keeping::Lines);
    println!("{}", ran.lines.join("\n"));
    println!("\nagain: cargo xtask sim --only-seed {seed} --trace");
    false
}

fn run_planted(asked: &Asked) -> bool {
    let all = catch_planted(asked.seed, PLANTED_SEEDS_MAX, asked.threads);
    let mut is_well = true;
    println!("{:52} {:20} {:>6}  noticed by", "left out", "in", "seed");
    for caught in &all {
        let (what, place) = (caught.fault.as_str(), caught.fault.place());
        let wanted: Vec<&str> = names(caught.fault.caught_by());
        match caught.by {
            Some((seed, property)) if caught.fault.caught_by().contains(&property) => {
                println!("{what:52} {place:20} {seed:>6}  {}", property.as_str());
            }
            Some((seed, property)) => {
                is_well = false;
                let (got, wanted) = (property.as_str(), wanted.join(" or "));
                println!("{what:52} {place:20} {seed:>6}  {got}, NOT by {wanted}");
            }
            None => {
                is_well = false;
                println!("{what:52} {place:20}         NOT CAUGHT in {PLANTED_SEEDS_MAX} seeds");
            }
        }
    }
    is_well
}

fn names(properties: &[properties::Property]) -> Vec<&'static str> {
    properties
        .iter()
        .map(|property| property.as_str())
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "only tells how long the runs took"
)]
fn now() -> std::time::Instant {
    // tidy-allow(clock): tells how long the runs took; no run sees it
    std::time::Instant::now()
}
