//! The providers' centres, which know what was really applied, and the log of what was sent.

use std::collections::{BTreeMap, BTreeSet};

use balefire_domain::ids::DeliveryId;
use balefire_domain::lane::Kind;
use balefire_domain::outcome::Outcome;
use balefire_domain::provider::{Capabilities, Route, Site};

use super::options::{Options, provider_name};
use super::random::Dice;

/// A message that reached a centre.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its identifier.
    pub id: DeliveryId,
    /// `<alert id>/<provider>`.
    pub lane: String,
    /// Its place in its lane.
    pub seq: u32,
    /// What it asks.
    pub kind: Kind,
    /// The identifiers that a cancel or an update names.
    pub references: Vec<DeliveryId>,
    /// Which text it carries: 0 is the alert's own, then those of its updates.
    pub text: usize,
}

impl Message {
    /// What the stored payload says.
    pub fn read(id: DeliveryId, lane: &str, seq: u32, payload: &str) -> Self {
        let says = |key: &str| {
            let rest = payload.split_once(&format!("\"{key}\":\""))?.1;
            rest.split('"').next()
        };
        let kind = says("message_type").and_then(Kind::parse);
        let text = says("description").and_then(|text| text.parse().ok());
        let named = payload.split("\"message_id\":\"").skip(1);
        let references = named.filter_map(|rest| rest.split('"').next()?.parse().ok());
        Self {
            id,
            lane: lane.to_owned(),
            seq,
            kind: kind.unwrap_or(Kind::Alert),
            references: references.collect(),
            text: text.unwrap_or(0),
        }
    }
}

/// What one memory of a centre holds.
#[derive(Clone, Debug, Default)]
struct Memory {
    known: BTreeSet<DeliveryId>,
    live: BTreeMap<DeliveryId, (String, usize)>,
}

impl Memory {
    fn put_on_the_air(&mut self, message: &Message) {
        let what = (message.lane.clone(), message.text);
        self.live.insert(message.id, what);
    }

    fn take_off(&mut self, references: &[DeliveryId]) {
        for reference in references {
            self.live.remove(reference);
        }
    }
}

/// Something that a centre did.
#[derive(Clone, Debug)]
pub struct Applied {
    /// Its lane.
    pub lane: String,
    /// Its place there.
    pub seq: u32,
    /// Its identifier.
    pub id: DeliveryId,
    /// Which of the centre's memories took it.
    pub group: usize,
}

/// A provider's centre: one memory, or one for each site.
#[derive(Debug)]
pub struct Cbc {
    capabilities: Capabilities,
    memories: Vec<Memory>,
    /// What was applied, in order.
    pub applied: Vec<Applied>,
    /// How far its proxies' clocks are ahead, in microseconds.
    pub proxy_ahead_us: i64,
    /// It has forgotten something.
    pub has_forgotten: bool,
    /// How often it restarted.
    pub restarts: u64,
    /// Where its proxies remember which order they passed on last: the highest of each lane.
    fence: Option<BTreeMap<String, u32>>,
}

impl Cbc {
    /// The centre of the plan's provider `index`.
    pub fn new(options: &Options, index: usize) -> Self {
        let profile = &options.profiles()[&provider_name(index)];
        let mut dice = Dice::of(options.seed, &[4, index as u64]);
        let ahead_ms = i64::try_from(dice.below(4_800)).expect("below the bound") - 2_400;
        let is_skewed = options.has(super::hazard::Hazard::ClockSkew);
        let has_fence = dice.chance(400) && profile.capabilities.own_protocol;
        let groups = if profile.capabilities.shared_sites {
            1
        } else {
            2
        };
        Self {
            capabilities: profile.capabilities,
            memories: vec![Memory::default(); groups],
            applied: Vec::new(),
            proxy_ahead_us: if is_skewed { ahead_ms * 1000 } else { 0 },
            has_forgotten: false,
            restarts: 0,
            fence: has_fence.then(BTreeMap::new),
        }
    }

    /// Which memory a route leads to.
    pub fn group_of(&self, route: &Route) -> usize {
        let is_second = match route.site {
            Some(site) => site == Site::CbcB,
            None => route.proxy.contains("-2-"),
        };
        if is_second {
            self.memories.len() - 1
        } else {
            0
        }
    }

    /// Takes a message; what it answers, and whether it did anything.
    pub fn take(&mut self, message: &Message, group: usize) -> (Outcome, bool) {
        if let Some(fence) = &mut self.fence {
            let highest = fence.entry(message.lane.clone()).or_default();
            if *highest > message.seq {
                return (Outcome::Refused, false);
            }
            *highest = message.seq;
        }
        let memory = &mut self.memories[group];
        if self.capabilities.dedup && memory.known.contains(&message.id) {
            return (Outcome::Duplicate, false);
        }
        match message.kind {
            Kind::Alert => memory.put_on_the_air(message),
            Kind::Update => {
                let is_live = |id: &DeliveryId| memory.live.contains_key(id);
                if !message.references.iter().any(is_live) {
                    return (Outcome::UnknownReference, false);
                }
                memory.take_off(&message.references);
                memory.put_on_the_air(message);
            }
            Kind::Cancel => {
                let knows = |id: &DeliveryId| memory.known.contains(id);
                if !message.references.iter().any(knows) {
                    return (Outcome::UnknownReference, false);
                }
                memory.take_off(&message.references);
            }
        }
        memory.known.insert(message.id);
        self.applied.push(Applied {
            lane: message.lane.clone(),
            seq: message.seq,
            id: message.id,
            group,
        });
        (Outcome::Accepted, true)
    }

    /// The texts of this lane's alert that are on the air, anywhere.
    pub fn texts_on_air(&self, lane: &str) -> BTreeSet<usize> {
        let live = self.memories.iter().flat_map(|memory| memory.live.values());
        let own = live.filter(|(of, _)| of == lane);
        own.map(|(_, text)| *text).collect()
    }

    /// Whether it ever applied this identifier.
    pub fn has_applied(&self, id: DeliveryId) -> bool {
        self.applied.iter().any(|applied| applied.id == id)
    }

    /// Its proxies restart, and forget what they passed on; whether they knew anything.
    pub fn forget_fence(&mut self) -> bool {
        let fence = self.fence.as_mut();
        fence.is_some_and(|fence| !std::mem::take(fence).is_empty())
    }

    /// Restarts with empty memories; whether it knew anything.
    pub fn forget(&mut self) -> bool {
        let knew = self.memories.iter().any(|memory| !memory.known.is_empty());
        for memory in &mut self.memories {
            *memory = Memory::default();
        }
        self.has_forgotten |= knew;
        self.restarts += 1;
        knew
    }
}

/// A request that left a process.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Whose message.
    pub id: DeliveryId,
    /// The route that it took.
    pub route: String,
    /// The memory that it goes to.
    pub group: usize,
    /// Its stored payload.
    pub payload: std::sync::Arc<str>,
    /// Its deadline, which names its attempt.
    pub deadline_us: i64,
}

/// An acceptance that a process was handed.
#[derive(Clone, Debug)]
pub struct Handed {
    /// Whose message.
    pub id: DeliveryId,
    /// The route that it came over.
    pub route: String,
    /// The deadline that names its attempt.
    pub deadline_us: i64,
    /// When, in microseconds from the start.
    pub at_us: i64,
    /// Which process, and which of its lives.
    pub to: (usize, u64),
}

/// What was sent and answered, for the properties.
#[derive(Debug, Default)]
pub struct Oracle {
    /// Every request.
    pub sent: Vec<Sent>,
    /// Every acceptance that reached a process.
    pub handed: Vec<Handed>,
    /// Messages of which an attempt ever ended unknown.
    pub ever_unknown: BTreeSet<DeliveryId>,
    /// Requests that were passed on twice, by their message.
    pub doubled: BTreeMap<DeliveryId, u64>,
}
