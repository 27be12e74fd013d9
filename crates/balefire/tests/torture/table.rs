//! What is printed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use crate::judge::Found;
use crate::plan::Unit;

/// What came of one unit.
pub(crate) struct Row {
    pub(crate) unit: Unit,
    /// Kills that happened where they were meant to.
    pub(crate) kills: u32,
    /// How long each recovery took.
    pub(crate) recoveries: Vec<Duration>,
    /// Recoveries in which something did not move at all.
    pub(crate) stuck: u32,
    /// What had not moved in time, in words, once per recovery that took too long.
    pub(crate) slow: Vec<String>,
    pub(crate) found: Found,
    /// Where everything was left, if something was wrong.
    pub(crate) folder: Option<PathBuf>,
}

impl Row {
    /// Every kill happened, everything recovered, and nothing is wrong.
    pub(crate) fn is_clean(&self) -> bool {
        self.kills == self.unit.kills && self.stuck == 0 && self.found.violations.is_empty()
    }

    /// One line for a person who watches.
    pub(crate) fn line(&self) -> String {
        let mut line = format!(
            "{:<10} {:<30} {:>3}/{} kills, {:>4} alerts, {:>5} requests, slowest recovery {:>5} ms, \
             {} violations",
            format!("{:?}", self.unit.engine).to_lowercase(),
            self.unit.scene.name(),
            self.kills,
            self.unit.kills,
            self.found.alerts,
            self.found.requests,
            ms(self.recoveries.iter().max().copied().unwrap_or_default()),
            self.found.violations.len(),
        );
        for violation in self.found.violations.iter().take(5) {
            let _ = write!(line, "\n       {violation:.600}");
        }
        if self.stuck > 0 {
            let _ = write!(line, "\n       {} times something did not move", self.stuck);
        }
        for slow in self.slow.iter().take(3) {
            let _ = write!(line, "\n       slow: {slow:.900}");
        }
        if let Some(folder) = &self.folder {
            let _ = write!(line, "\n       kept: {}", folder.display());
        }
        line
    }
}

fn ms(time: Duration) -> u128 {
    time.as_millis()
}

/// How many recoveries of a hundred may take longer than L-5 allows before a run fails. One is what
/// L-5 allows; more do where other work has the processors, and a figure is no test (D57).
const SLOW_PERCENT_MAX: usize = 5;

/// Few enough recoveries took too long.
pub(crate) fn is_quick(rows: &[Row]) -> bool {
    let (slow, all) = slow_of(rows);
    slow <= 1 || slow * 100 <= SLOW_PERCENT_MAX * all
}

/// How many recoveries took too long, of how many.
fn slow_of(rows: &[Row]) -> (usize, usize) {
    (
        rows.iter().map(|row| row.slow.len()).sum(),
        rows.iter().map(|row| row.recoveries.len()).sum(),
    )
}

/// One line per engine and place, and the sums.
pub(crate) fn print(rows: &[Row], seed: u64) {
    let mut groups: BTreeMap<(String, &str), Vec<&Row>> = BTreeMap::new();
    for row in rows {
        let engine = format!("{:?}", row.unit.engine).to_lowercase();
        groups
            .entry((engine, row.unit.scene.name()))
            .or_default()
            .push(row);
    }
    say("");
    say(&format!(
        "{:<10} {:<30} {:>6} {:>9} {:>8} {:>8} {:>8} {:>11}",
        "database", "place", "kills", "recovered", "p50 ms", "p99 ms", "max ms", "violations"
    ));
    for ((engine, name), rows) in &groups {
        say(&line(engine, name, rows));
    }
    let all: Vec<&Row> = rows.iter().collect();
    say(&line("all", "all", &all));
    let sum = |of: fn(&Row) -> u64| rows.iter().map(of).sum::<u64>();
    let (slow, all) = slow_of(rows);
    say(&format!(
        "torture: {slow} of {all} recoveries took more than 2 s: {}",
        if is_quick(rows) {
            "few enough"
        } else {
            "TOO MANY"
        }
    ));
    say(&format!(
        "torture: seed {seed}: {} alerts, {} approvals, {} updates and {} cancels answered well, \
         {} requests; \
         {} units with a violation, {} kills missed their place, {} times something was stuck",
        sum(|row| row.found.alerts),
        sum(|row| row.found.approved),
        sum(|row| row.found.updated),
        sum(|row| row.found.cancelled),
        sum(|row| row.found.requests),
        rows.iter()
            .filter(|row| !row.found.violations.is_empty())
            .count(),
        sum(|row| u64::from(row.unit.kills - row.kills)),
        sum(|row| u64::from(row.stuck)),
    ));
}

fn line(engine: &str, name: &str, rows: &[&Row]) -> String {
    let mut times: Vec<Duration> = rows.iter().flat_map(|row| row.recoveries.clone()).collect();
    times.sort_unstable();
    let at = |permille: usize| {
        let index = (times.len() * permille / 1000).min(times.len().saturating_sub(1));
        times.get(index).copied().unwrap_or_default()
    };
    format!(
        "{engine:<10} {name:<30} {:>6} {:>9} {:>8} {:>8} {:>8} {:>11}",
        rows.iter().map(|row| row.kills).sum::<u32>(),
        times.len(),
        ms(at(500)),
        ms(at(990)),
        ms(times.last().copied().unwrap_or_default()),
        rows.iter()
            .map(|row| row.found.violations.len())
            .sum::<usize>(),
    )
}

/// Prints a line. Whoever reads it may stop reading: that is no failure of ours.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
