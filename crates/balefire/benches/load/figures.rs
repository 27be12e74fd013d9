//! Clocks, percentiles, and what the machine was and did meanwhile.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result};
use balefire_domain::time::Timestamp;
use serde_json::{Value, json};

/// Writes of the yardstick for the disk, and their bytes.
const FSYNCS: usize = 200;
const FSYNC_BYTES: usize = 4096;

/// The instant on the clock that Balefire's own rows are written with.
#[expect(clippy::disallowed_methods, reason = "a bench measures the real time")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let since = since.expect("the clock is past 1970");
    Timestamp::from_micros(i64::try_from(since.as_micros()).expect("it is not the year 294441"))
}

/// A clock that only goes forward, for lengths of time.
#[expect(clippy::disallowed_methods, reason = "a bench measures the real time")]
pub(crate) fn start() -> Instant {
    Instant::now()
}

/// Lets time go by: between two alerts, or before another look.
pub(crate) fn pause(length: Duration) {
    // tidy-allow(sleep): this measures time and is no test
    std::thread::sleep(length);
}

/// Milliseconds since `started`.
pub(crate) fn ms_since(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1000.0
}

/// Milliseconds from one instant to another; below zero when it is earlier.
pub(crate) fn ms_between(from: Timestamp, to: Timestamp) -> f64 {
    let micros = i32::try_from(to.micros() - from.micros());
    micros.map_or(f64::MAX, f64::from) / 1000.0
}

/// Count, p50, p95, p99 and maximum, by nearest rank. Nothing is left out.
pub(crate) fn spread(values: &[f64]) -> Value {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |percent: usize| sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1];
    if sorted.is_empty() {
        return json!({ "count": 0 });
    }
    json!({
        "count": sorted.len(), "p50": rounded(at(50)), "p95": rounded(at(95)),
        "p99": rounded(at(99)), "max": rounded(at(100)),
    })
}

/// To a thousandth.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The load average of the last minute, five and fifteen, as the kernel tells it.
pub(crate) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// Processor time of the whole machine since it started: all of it, and what nobody used.
pub(crate) fn machine_ticks() -> (u64, u64) {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    // user, nice, system, idle, iowait, irq, softirq, steal; what guests take is in user already.
    let ticks: Vec<u64> = line
        .split_whitespace()
        .skip(1)
        .take(8)
        .flat_map(str::parse)
        .collect();
    let unused = ticks.iter().skip(3).take(2).sum();
    (ticks.iter().sum(), unused)
}

/// How busy all cores were since `before`, ourselves included. At 100 whoever is measured has to
/// queue for the processor.
pub(crate) fn busy_percent(before: (u64, u64)) -> f64 {
    let now = machine_ticks();
    let of = |ticks: u64| u32::try_from(ticks).map_or(0.0, f64::from);
    let (all, unused) = (of(now.0 - before.0), of(now.1 - before.1));
    rounded((all - unused) / all.max(1.0) * 100.0)
}

/// What the figures were measured on.
pub(crate) fn machine() -> Value {
    let line_of = |file: &str, key: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key));
        let value = line.and_then(|line| line.split_once(':'));
        value.map(|(_, value)| value.trim().to_owned())
    };
    json!({
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "processor": line_of("/proc/cpuinfo", "model name"),
        "memory": line_of("/proc/meminfo", "MemTotal"),
        "kernel": fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim(),
        "measured_at": now().to_json_style(), "load_average_before": load(),
    })
}

/// The yardstick of every durable step: 4 KiB written and synced, in the database's own folder.
pub(crate) fn fsync(folder: &Path) -> Result<Value> {
    let path = folder.join("fsync");
    let mut file = File::create(&path).context("can't write beside the database")?;
    let mut lengths = Vec::with_capacity(FSYNCS);
    for _ in 0..FSYNCS {
        let started = start();
        file.write_all(&[7; FSYNC_BYTES])?;
        file.sync_data()?;
        lengths.push(ms_since(started));
    }
    fs::remove_file(path)?;
    Ok(spread(&lengths))
}

/// Resident memory of a process in KiB, now and at its highest.
pub(crate) fn memory_kib(process: u32) -> Result<(u64, u64)> {
    let text = fs::read_to_string(format!("/proc/{process}/status"))?;
    let of = |key: &str| {
        let line = text.lines().find(|line| line.starts_with(key))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    let both = of("VmRSS:").zip(of("VmHWM:"));
    both.context("the kernel doesn't tell the process's memory")
}

/// Processor time of a process so far, in ticks of a hundredth of a second.
pub(crate) fn cpu_ticks(process: u32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after_name = text.rsplit_once(')').context("no process name")?.1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let tick = |index: usize| {
        fields
            .get(index)
            .and_then(|field| field.parse::<u64>().ok())
    };
    let both = tick(11).zip(tick(12));
    both.map(|(user, system)| user + system)
        .context("no processor time")
}
