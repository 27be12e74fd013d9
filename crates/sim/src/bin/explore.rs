//! Explores every state of one lane: the product's own rules, which must keep every promise of D37,
//! and the same with one rule left out at a time, which must be caught.
//!
//! Exits 1 on any surprise: a violated property, a planted fault that is caught by other properties
//! than expected, something that is never seen to happen, or other numbers than in
//! `explorer.expected`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool prints"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs};

use balefire_sim::explorer::{Explored, Fault, Property, Setup, expected, explore};

const USAGE: &str = "\
explore: visits every reachable state of one lane and checks the promises about it

  --json          print one JSON object instead of text
  --bless         store the numbers of this run in explorer.expected
  --attempts N    only the product's own rules, with at most N attempts (1 to 6); no stored
                  numbers are compared
  --help          print this

Exit codes: 0 as expected, 1 a surprise, 2 wrong usage.";

/// Planted faults are explored with at least so many attempts.
const PLANTED_ATTEMPTS_MAX: usize = 3;

#[derive(Default)]
struct Options {
    is_json: bool,
    is_blessing: bool,
    attempts_max: Option<usize>,
    is_help: bool,
}

/// More attempts than this take hours.
const ATTEMPTS_MAX: usize = 6;

/// One exploration, and what is wrong with it.
struct Run {
    setup: Setup,
    explored: Explored,
    took: Duration,
    surprises: Vec<String>,
}

fn main() -> ExitCode {
    let options = match parse(env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("explore: {error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if options.is_help {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let runs = run_all(&options);
    let surprises = check_numbers(&runs, &options);
    if options.is_json {
        println!("{}", json(&runs, &surprises));
    } else {
        print!("\n{}", table(&runs));
        for surprise in &surprises {
            println!("\nSURPRISE: {surprise}");
        }
        if surprises.is_empty() {
            println!("\nAll as expected: the rules keep every promise, planted faults are caught.");
        }
    }
    ExitCode::from(u8::from(!surprises.is_empty()))
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => options.is_json = true,
            "--bless" => options.is_blessing = true,
            "--help" => options.is_help = true,
            "--attempts" => {
                let number = arguments.next().and_then(|text| text.parse().ok());
                let number = number.filter(|number| (1..=ATTEMPTS_MAX).contains(number));
                let wanted = format!("--attempts needs a number from 1 to {ATTEMPTS_MAX}");
                options.attempts_max = Some(number.ok_or(wanted)?);
            }
            other => return Err(format!("there is no option {other}")),
        }
    }
    if options.is_blessing && options.attempts_max.is_some() {
        return Err("--bless stores the usual bounds; leave out --attempts".to_owned());
    }
    Ok(options)
}

fn setups(options: &Options) -> Vec<Setup> {
    if let Some(bound) = options.attempts_max {
        return vec![Setup::new(None, bound)];
    }
    let clean = expected::ATTEMPTS_MAX.map(|bound| Setup::new(None, bound));
    let planted = Fault::ALL.map(|fault| {
        let bound = fault.attempts_min().max(PLANTED_ATTEMPTS_MAX);
        Setup::new(Some(fault), bound)
    });
    clean.into_iter().chain(planted).collect()
}

fn run_all(options: &Options) -> Vec<Run> {
    let mut runs = Vec::new();
    for setup in setups(options) {
        let run = run(setup);
        if !options.is_json {
            print!("{}", report(&run));
        }
        runs.push(run);
    }
    runs
}

fn run(setup: Setup) -> Run {
    let (explored, took) = timed(|| explore(&setup));
    let (wanted, found) = (setup.violated(), explored.violated());
    let mut surprises = Vec::new();
    for property in Property::ALL {
        let promise = property.promise();
        match (wanted.contains(&property), found.contains(&property)) {
            (false, true) => surprises.push(format!("{}: broken: {promise}", setup.name())),
            (true, false) => surprises.push(format!(
                "{}: no longer caught by {}: {promise}. The check went blind, or the fault is \
                 no longer planted",
                setup.name(),
                property.as_str(),
            )),
            (true, true) | (false, false) => {}
        }
    }
    for sight in setup.seen() {
        if !explored.seen.contains(sight) {
            surprises.push(format!("{}: never seen: {}", setup.name(), sight.as_str()));
        }
    }
    Run {
        setup,
        explored,
        took,
        surprises,
    }
}

#[expect(clippy::disallowed_methods, reason = "only tells how long a run took")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    // tidy-allow(clock): tells how long a run took; no rule sees it
    let start = std::time::Instant::now();
    (work(), start.elapsed())
}

/// All surprises, those of the stored numbers included; or stores the numbers.
fn check_numbers(runs: &[Run], options: &Options) -> Vec<String> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/explorer.expected"));
    let page = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/delivery.md"
    ));
    let mut surprises: Vec<String> = runs.iter().flat_map(|run| run.surprises.clone()).collect();
    if options.attempts_max.is_some() {
        return surprises;
    }
    let lines: Vec<String> = runs
        .iter()
        .filter(|run| run.setup.fault.is_none())
        .map(|run| expected::line(run.setup.attempts_max, &run.explored))
        .collect();
    if options.is_blessing {
        if let Err(error) = fs::write(path, expected::render(&lines)) {
            surprises.push(format!("explorer.expected can't be written: {error}"));
        }
        let text = page_with_table(runs, page).unwrap_or_default();
        if let Err(error) = fs::write(page, text) {
            surprises.push(format!("docs/delivery.md can't be written: {error}"));
        }
        return surprises;
    }
    if page_with_table(runs, page) != fs::read_to_string(page).ok() {
        surprises.push(
            "the table of states in docs/delivery.md is not what the rules do: look at the \
             difference that --bless makes, and commit it if that is what you meant"
                .to_owned(),
        );
    }
    let stored = fs::read_to_string(path).unwrap_or_default();
    surprises.extend(
        lines
            .iter()
            .filter_map(|line| expected::surprise(&stored, line)),
    );
    surprises
}

/// docs/delivery.md with the table that the largest run of the product's own rules gives.
fn page_with_table(runs: &[Run], page: &Path) -> Option<String> {
    let clean = runs.iter().filter(|run| run.setup.fault.is_none());
    let largest = clean.max_by_key(|run| run.setup.attempts_max)?;
    largest
        .explored
        .moves
        .put_into(&fs::read_to_string(page).ok()?)
}

fn report(run: &Run) -> String {
    let (setup, explored) = (&run.setup, &run.explored);
    let mut text = format!(
        "\n{}, at most {} attempts: {} states, {} transitions, {:.1} s\n",
        setup.name(),
        setup.attempts_max,
        explored.states,
        explored.transitions,
        run.took.as_secs_f32()
    );
    for property in Property::ALL {
        let violation = explored.violations.iter().find(|v| v.property == property);
        let word = if violation.is_some() {
            "VIOLATED"
        } else {
            "ok"
        };
        writeln!(text, "  {:8}  {}", word, property.promise()).expect("a String takes all");
        for (number, line) in violation.iter().flat_map(|v| &v.trace).enumerate() {
            writeln!(text, "              {number:2}. {line}").expect("a String takes all");
        }
    }
    let seen: Vec<&str> = explored.seen.iter().map(|sight| sight.as_str()).collect();
    writeln!(text, "  seen: {}", seen.join("; ")).expect("a String takes all");
    text
}

/// Which fault is caught by which property.
fn table(runs: &[Run]) -> String {
    let mut text = format!("{:36}{:>9}{:>12}", "left out", "states", "transitions");
    for property in Property::ALL {
        write!(text, "  {}", property.as_str()).expect("a String takes all");
    }
    for run in runs {
        let explored = &run.explored;
        let (states, transitions) = (explored.states, explored.transitions);
        let name = match run.setup.fault {
            None => format!("nothing, {} attempts", run.setup.attempts_max),
            Some(fault) => fault.as_str().to_owned(),
        };
        write!(text, "\n{name:36}{states:>9}{transitions:>12}").expect("a String takes all");
        for property in Property::ALL {
            let is_violated = explored.violated().contains(&property);
            let word = if is_violated { "caught" } else { "ok" };
            let width = property.as_str().len();
            write!(text, "  {word:width$}").expect("a String takes all");
        }
    }
    text.push('\n');
    text
}

/// `{"ok": bool, "surprises": [text], "runs": [{name, attempts_max, states, transitions, seconds,
/// violations: [{property, trace: [text]}], seen: [text]}]}`
fn json(runs: &[Run], surprises: &[String]) -> String {
    let runs: Vec<String> = runs.iter().map(run_json).collect();
    format!(
        "{{\"ok\":{},\"surprises\":{},\"runs\":[{}]}}",
        surprises.is_empty(),
        texts_json(surprises.iter().map(String::as_str)),
        runs.join(",")
    )
}

fn run_json(run: &Run) -> String {
    let violations = run.explored.violations.iter().map(|violation| {
        let trace = texts_json(violation.trace.iter().map(String::as_str));
        format!(
            "{{\"property\":\"{}\",\"trace\":{trace}}}",
            violation.property.as_str()
        )
    });
    format!(
        "{{\"name\":\"{}\",\"attempts_max\":{},\"states\":{},\"transitions\":{},\
         \"seconds\":{:.3},\"violations\":[{}],\"seen\":{}}}",
        run.setup.name(),
        run.setup.attempts_max,
        run.explored.states,
        run.explored.transitions,
        run.took.as_secs_f32(),
        violations.collect::<Vec<_>>().join(","),
        texts_json(run.explored.seen.iter().map(|sight| sight.as_str()))
    )
}

fn texts_json<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let quote = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    format!("[{}]", texts.map(quote).collect::<Vec<_>>().join(","))
}
