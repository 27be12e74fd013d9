//! The providers' logs, as `history verify` reads them: an index in memory, the payloads on disk.
//!
//! A line is what `provider-sim` writes: a request with its payload, or, in a file, the shorter
//! line that says what became of the request of that number. A request that a log shows as applied
//! in its own line was applied there, as far as one can tell. The last line of a file that is still
//! written may be incomplete and is left for the next time.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use balefire_domain::history::{Applied, Place, RequestFact};
use balefire_domain::ids::DeliveryId;
use balefire_domain::limits::{HISTORY_LINE_BYTES_MAX, HISTORY_REQUESTS_MAX};
use balefire_domain::time::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

/// All logs that were named.
#[derive(Default)]
pub(super) struct ProviderLog {
    files: Vec<(PathBuf, File)>,
    requests: Vec<Entry>,
    by_delivery: BTreeMap<DeliveryId, Vec<usize>>,
    /// Requests that are no delivery's, in words.
    pub(super) strangers: Vec<(String, Timestamp)>,
}

/// Where a request stands, and what became of it.
struct Entry {
    place: Place,
    offset: u64,
    bytes: usize,
    applied: Option<Applied>,
}

/// A line of either kind.
#[derive(Deserialize)]
struct Line<'a> {
    at_ms: i64,
    n: u64,
    function: Option<String>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    #[serde(default)]
    applied: bool,
}

/// What is read of a payload.
#[derive(Deserialize)]
struct Payload {
    message_type: Option<String>,
    identifier: Option<String>,
    not_after: Option<String>,
    cbc_target: Option<String>,
    lane: Option<String>,
    seq: Option<u64>,
}

impl ProviderLog {
    /// Reads the logs.
    pub(super) fn open(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let mut log = Self::default();
        for path in paths {
            let named = || format!("the provider's log {}", path.display());
            let file = File::open(path).with_context(named)?;
            log.read(&file).with_context(named)?;
            log.files.push((path.clone(), file));
        }
        Ok(log)
    }

    /// How many requests it has.
    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    /// The deliveries that it names.
    pub(super) fn deliveries(&self) -> impl Iterator<Item = DeliveryId> {
        self.by_delivery.keys().copied()
    }

    fn read(&mut self, file: &File) -> anyhow::Result<()> {
        let mut reader = BufReader::new(file);
        let (mut bytes, mut offset, mut number) = (Vec::new(), 0_u64, 0_u64);
        let mut by_number = HashMap::new();
        loop {
            bytes.clear();
            number += 1;
            let most = HISTORY_LINE_BYTES_MAX as u64;
            (&mut reader).take(most).read_until(b'\n', &mut bytes)?;
            if bytes.last() != Some(&b'\n') {
                let is_too_long = bytes.len() == HISTORY_LINE_BYTES_MAX;
                ensure!(!is_too_long, "line {number} is over {most} bytes long");
                return Ok(());
            }
            let line: Line<'_> = serde_json::from_slice(&bytes)
                .with_context(|| format!("line {number} is no line of a provider's log"))?;
            self.add(&line, number, offset, bytes.len(), &mut by_number)
                .with_context(|| format!("line {number}"))?;
            offset += bytes.len() as u64;
        }
    }

    fn add(
        &mut self,
        line: &Line<'_>,
        number: u64,
        offset: u64,
        bytes: usize,
        by_number: &mut HashMap<u64, usize>,
    ) -> anyhow::Result<()> {
        let at = Timestamp::from_micros(line.at_ms.saturating_mul(1000));
        let place = Place {
            log: self.files.len(),
            line: number,
            at,
        };
        let applied = line.applied.then_some(Applied { place });
        let (Some(function), Some(payload)) = (&line.function, line.payload) else {
            let Some(request) = by_number.get(&line.n) else {
                // What became of a link test, or of a request that made room.
                return Ok(());
            };
            self.requests[*request].applied = applied;
            return Ok(());
        };
        let read: Option<Payload> = serde_json::from_str(payload.get()).ok();
        let kind = read.as_ref().and_then(|p| p.message_type.as_deref());
        if !matches!(kind, Some("alert" | "update" | "cancel")) {
            return Ok(());
        }
        let identifier = read.and_then(|p| p.identifier).unwrap_or_default();
        let Ok(delivery) = identifier.parse::<DeliveryId>() else {
            self.strangers.push((
                format!("{function} got `{identifier:.40}`, which is no identifier of ours"),
                at,
            ));
            return Ok(());
        };
        if self.requests.len() >= HISTORY_REQUESTS_MAX {
            bail!(
                "there are more than {HISTORY_REQUESTS_MAX} requests: check one period at a time, \
                 with --since and a log of that period"
            );
        }
        by_number.insert(line.n, self.requests.len());
        self.by_delivery
            .entry(delivery)
            .or_default()
            .push(self.requests.len());
        self.requests.push(Entry {
            place,
            offset,
            bytes,
            applied,
        });
        Ok(())
    }

    /// Takes out the requests of a delivery, in the order of the logs, with what they carried.
    pub(super) fn take(&mut self, delivery: DeliveryId) -> anyhow::Result<Vec<RequestFact>> {
        let entries = self.by_delivery.remove(&delivery).unwrap_or_default();
        let facts = entries.into_iter().map(|at| self.load(delivery, at));
        facts.collect()
    }

    /// When a delivery's first request came.
    pub(super) fn first_at(&self, delivery: DeliveryId) -> Option<Timestamp> {
        let first = *self.by_delivery.get(&delivery)?.first()?;
        Some(self.requests[first].place.at)
    }

    fn load(&self, delivery: DeliveryId, at: usize) -> anyhow::Result<RequestFact> {
        let entry = &self.requests[at];
        let (path, file) = &self.files[entry.place.log];
        let bytes = read_at(file, entry.offset, entry.bytes)
            .with_context(|| format!("{} changed while it was read", path.display()))?;
        let line: Line<'_> = serde_json::from_slice(&bytes)?;
        let raw = line.payload.map(RawValue::get).unwrap_or_default();
        let payload: Payload = serde_json::from_str(raw)?;
        let not_after = payload.not_after.as_deref();
        Ok(RequestFact {
            place: entry.place,
            function: line.function.unwrap_or_default(),
            site: payload.cbc_target,
            delivery,
            stored: before_additions(raw).to_owned(),
            not_after: not_after.and_then(Timestamp::parse_iso8601),
            lane: payload.lane,
            seq: payload.seq,
            applied: entry.applied,
        })
    }
}

fn read_at(mut file: &File, offset: u64, bytes: usize) -> std::io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut line = vec![0; bytes];
    file.read_exact(&mut line)?;
    Ok(line)
}

/// A payload as it was stored: the gateway adds its fields at the end (D27). Inside a text the
/// quotes would be escaped.
fn before_additions(raw: &str) -> &str {
    let added = [",\"cbc_target\":\"", ",\"not_after\":\""]
        .iter()
        .filter_map(|key| raw.find(key))
        .min();
    added.map_or(raw, |at| &raw[..at])
}
