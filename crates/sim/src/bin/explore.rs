//! Explores every state of one lane, variant by variant: the product's own rules, which must keep
//! their promises, and the same with one rule or assumption left out, which must be caught.
//!
//! Exits 1 on any surprise: a promise that is broken or kept against expectation, something that is
//! never seen to happen, or other numbers than in `explorer.expected`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool prints"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, thread};

use balefire_sim::explorer::pair::{self, Beside};
use balefire_sim::explorer::properties::Property;
use balefire_sim::explorer::run::{Run, run_all};
use balefire_sim::explorer::{Setup, expected, pages, variants};

const USAGE: &str = "\
explore: visits every reachable state of one lane and checks the promises about it, for the
product's rules and for each variant of them

  --all           the long runs too (some three minutes on two cores)
  --only A,B      only the variants of these names
  --attempts N    at most N attempts (1 to 6) in each; no stored numbers are compared
  --threads N     how many variants side by side (1 to 8); usually one a core
  --quiet         counterexamples only where they surprise
  --json          print one JSON object instead of text
  --bless         store the numbers of this run in explorer.expected and in the pages of docs
  --help          print this

Exit codes: 0 as expected, 1 a surprise, 2 wrong usage.";

/// More attempts than this take hours.
const ATTEMPTS_MAX: usize = 6;
/// Each run may take some 2 GiB.
const THREADS_MAX: usize = 8;

#[derive(Default)]
struct Options {
    is_json: bool,
    is_blessing: bool,
    is_quiet: bool,
    is_all: bool,
    is_help: bool,
    only: Option<Vec<String>>,
    attempts_max: Option<usize>,
    threads: Option<usize>,
}

fn main() -> ExitCode {
    let (options, setups) = match parse(env::args().skip(1)).and_then(|o| Ok((setups(&o)?, o))) {
        Ok((setups, options)) => (options, setups),
        Err(error) => {
            eprintln!("explore: {error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if options.is_help {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = options.threads.unwrap_or(cores.min(THREADS_MAX));
    let runs = run_all(&setups, threads, &|run| {
        if !options.is_json {
            print!("{}", report(run, options.is_quiet));
        }
    });
    let beside = compare_neighbours(&options);
    let surprises = check(&runs, &beside, &options);
    if options.is_json {
        println!("{}", json(&runs, &beside, &surprises));
    } else {
        print!("\n{}", table(&runs));
        for beside in &beside {
            println!("{}", beside.line());
        }
        for surprise in &surprises {
            println!("\nSURPRISE: {surprise}");
        }
        if surprises.is_empty() {
            println!(
                "\nAll as expected: the rules keep every promise, what is left out is caught."
            );
        }
    }
    ExitCode::from(u8::from(!surprises.is_empty()))
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    while let Some(argument) = arguments.next() {
        let mut number = |max: usize| {
            let number = arguments.next().and_then(|text| text.parse().ok());
            let number = number.filter(|number| (1..=max).contains(number));
            number.ok_or(format!("{argument} needs a number from 1 to {max}"))
        };
        match argument.as_str() {
            "--json" => options.is_json = true,
            "--bless" => options.is_blessing = true,
            "--quiet" => options.is_quiet = true,
            "--all" => options.is_all = true,
            "--help" => options.is_help = true,
            "--attempts" => options.attempts_max = Some(number(ATTEMPTS_MAX)?),
            "--threads" => options.threads = Some(number(THREADS_MAX)?),
            "--only" => {
                let names = arguments.next().ok_or("--only needs names of variants")?;
                options.only = Some(names.split(',').map(str::to_owned).collect());
            }
            other => return Err(format!("there is no option {other}")),
        }
    }
    if options.is_blessing && options.attempts_max.is_some() {
        return Err("--bless stores the usual bounds; leave out --attempts".to_owned());
    }
    Ok(options)
}

fn setups(options: &Options) -> Result<Vec<Setup>, String> {
    let chosen = match &options.only {
        None => variants::all(),
        Some(names) => names
            .iter()
            .map(|name| variants::named(name).ok_or(format!("there is no variant {name}")))
            .collect::<Result<_, _>>()?,
    };
    let mut setups = Vec::new();
    for variant in &chosen {
        let bound = options.attempts_max.unwrap_or(variant.attempts);
        setups.push(Setup::new(variant, bound));
        if let Some(bound) = variant.attempts_long.filter(|_| options.is_all) {
            setups.push(Setup::new(variant, bound));
        }
    }
    Ok(setups)
}

/// Two providers of one alert; not where only some variants are asked for.
fn compare_neighbours(options: &Options) -> Vec<Beside> {
    let is_usual = options.only.is_none() && options.attempts_max.is_none();
    let neighbours = pair::NEIGHBOURS.into_iter().filter(|_| is_usual);
    neighbours.map(pair::compare).collect()
}

/// All surprises, those of the stored numbers and pages included; or stores them.
fn check(runs: &[Run], beside: &[Beside], options: &Options) -> Vec<String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut surprises: Vec<String> = runs.iter().flat_map(|run| run.surprises.clone()).collect();
    surprises.extend(beside.iter().filter_map(Beside::surprise));
    if options.attempts_max.is_some() {
        return surprises;
    }
    let numbers = here.join("explorer.expected");
    let stored = fs::read_to_string(&numbers).unwrap_or_default();
    let lines: Vec<String> = runs
        .iter()
        .map(|run| expected::line(&run.setup, &run.explored))
        .chain(beside.iter().map(Beside::line))
        .collect();
    let renewed = expected::renew(&stored, &lines);
    if options.is_blessing {
        write(&numbers, &renewed, &mut surprises);
    } else {
        surprises.extend(lines.iter().filter_map(|l| expected::surprise(&stored, l)));
    }
    if options.only.is_some() {
        return surprises;
    }
    for (name, blocks) in pages::blocks(runs, &renewed) {
        let path = here.join("../../docs").join(name);
        let page = fs::read_to_string(&path).unwrap_or_default();
        match pages::put_into(&page, &blocks) {
            Err(error) => surprises.push(format!("docs/{name}: {error}")),
            Ok(made) if options.is_blessing => write(&path, &made, &mut surprises),
            Ok(made) if made != page => surprises.push(format!(
                "docs/{name} is not what the rules do: look at the difference that --bless makes, \
                 and commit it if that is what you meant"
            )),
            Ok(_) => {}
        }
    }
    surprises
}

fn write(path: &Path, text: &str, surprises: &mut Vec<String>) {
    if let Err(error) = fs::write(path, text) {
        surprises.push(format!("{} can't be written: {error}", path.display()));
    }
}

fn report(run: &Run, is_quiet: bool) -> String {
    let (setup, explored) = (&run.setup, &run.explored);
    let mut text = format!(
        "\n{} ({}), at most {} attempts: {} states, {} transitions, {:.1} s\n",
        setup.variant.name,
        setup.variant.what,
        setup.attempts_max,
        explored.states,
        explored.transitions,
        run.took.as_secs_f32()
    );
    if is_quiet && run.surprises.is_empty() {
        return text;
    }
    for property in Property::ALL {
        let violation = explored.violations.iter().find(|v| v.property == property);
        let word = expected::verdict(violation.is_some());
        writeln!(text, "  {:8}  {}", word, property.promise()).expect("a String takes all");
        for (number, line) in violation.iter().flat_map(|v| &v.trace).enumerate() {
            writeln!(text, "              {number:2}. {line}").expect("a String takes all");
        }
    }
    let seen: Vec<&str> = explored.seen.iter().map(|sight| sight.as_str()).collect();
    writeln!(text, "  seen: {}", seen.join("; ")).expect("a String takes all");
    text
}

/// Which variant is caught by which property.
fn table(runs: &[Run]) -> String {
    let mut text = format!(
        "{:20}{:>3}{:>10}{:>12}{:>8}",
        "variant", "n", "states", "transitions", "s"
    );
    for property in Property::ALL {
        write!(text, "  {}", property.as_str()).expect("a String takes all");
    }
    for run in runs {
        let (setup, explored) = (&run.setup, &run.explored);
        write!(
            text,
            "\n{:20}{:>3}{:>10}{:>12}{:>8.1}",
            setup.variant.name,
            setup.attempts_max,
            explored.states,
            explored.transitions,
            run.took.as_secs_f32()
        )
        .expect("a String takes all");
        for property in Property::ALL {
            let word = expected::verdict(explored.violated().contains(&property));
            let width = property.as_str().len();
            write!(text, "  {word:width$}").expect("a String takes all");
        }
    }
    let states: usize = runs.iter().map(|run| run.explored.states).sum();
    writeln!(text, "\n{} variants, {states} states in all", runs.len()).expect("as above");
    text
}

/// `{"ok": bool, "surprises": [text], "runs": [{name, attempts_max, states, transitions, seconds,
/// violations: [{property, trace: [text]}], seen: [text]}], "beside": [text]}`
fn json(runs: &[Run], beside: &[Beside], surprises: &[String]) -> String {
    let runs: Vec<String> = runs.iter().map(run_json).collect();
    format!(
        "{{\"ok\":{},\"surprises\":{},\"runs\":[{}],\"beside\":{}}}",
        surprises.is_empty(),
        texts_json(surprises.iter().map(String::as_str)),
        runs.join(","),
        texts_json(beside.iter().map(Beside::line))
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
        run.setup.variant.name,
        run.setup.attempts_max,
        run.explored.states,
        run.explored.transitions,
        run.took.as_secs_f32(),
        violations.collect::<Vec<_>>().join(","),
        texts_json(run.explored.seen.iter().map(|sight| sight.as_str()))
    )
}

fn texts_json<T: AsRef<str>>(texts: impl Iterator<Item = T>) -> String {
    let quote = |text: T| {
        let text = text.as_ref().replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{}\"", text.replace('\n', "\\n"))
    };
    format!("[{}]", texts.map(quote).collect::<Vec<_>>().join(","))
}
