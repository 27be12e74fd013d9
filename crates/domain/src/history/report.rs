//! What was found, invariant by invariant.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::facts::{DeliveryFact, History};
use super::{acknowledgement, authority, bytes, cancel, flight, order};
use crate::ids::AlertId;
use crate::provider::ProviderName;
use crate::time::Timestamp;

/// Findings that are kept per invariant; the rest are only counted.
pub const FINDINGS_SHOWN_MAX: usize = 50;

/// The safety invariants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// What a provider applies of an alert comes in the order of `seq`.
    S1,
    /// Each message is applied at most once.
    S2,
    /// Nothing is applied after a later message ended or was applied.
    S3,
    /// What is acknowledged was applied.
    S4,
    /// One message of a lane is under way at a time.
    S5,
    /// Whatever arrives was first stored as an intent.
    S6,
    /// Whatever goes out was approved by a second person, word for word.
    S7,
    /// Nothing leaves after its end, and nothing is applied after its deadline.
    S8,
    /// What has ended stays so, and numbers only rise.
    S9,
    /// All tries of a delivery have the same bytes.
    S10,
    /// What is approved can be sent: an event, and a delivery for each provider.
    S11,
    /// No lane has another lane's rows or requests.
    S12,
    /// After a cancel has ended, the alert is not on the air.
    S13,
    /// Nothing of one service was changed on behalf of another.
    S14,
}

/// What an invariant needs of the providers' log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeedsLog {
    /// Nothing.
    No,
    /// Without it a part is checked.
    ForPart,
    /// Without it nothing is.
    ForAll,
}

impl Invariant {
    /// All of them, in order.
    pub const ALL: [Self; 14] = [
        Self::S1,
        Self::S2,
        Self::S3,
        Self::S4,
        Self::S5,
        Self::S6,
        Self::S7,
        Self::S8,
        Self::S9,
        Self::S10,
        Self::S11,
        Self::S12,
        Self::S13,
        Self::S14,
    ];

    /// Its number, such as `S1`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S1 => "S1",
            Self::S2 => "S2",
            Self::S3 => "S3",
            Self::S4 => "S4",
            Self::S5 => "S5",
            Self::S6 => "S6",
            Self::S7 => "S7",
            Self::S8 => "S8",
            Self::S9 => "S9",
            Self::S10 => "S10",
            Self::S11 => "S11",
            Self::S12 => "S12",
            Self::S13 => "S13",
            Self::S14 => "S14",
        }
    }

    /// Its name in two or three words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::S1 => "order",
            Self::S2 => "at most once",
            Self::S3 => "no ghost",
            Self::S4 => "no false acknowledgement",
            Self::S5 => "no conflicting flight",
            Self::S6 => "intent first",
            Self::S7 => "authorised",
            Self::S8 => "deadline",
            Self::S9 => "what ended stays ended",
            Self::S10 => "same bytes",
            Self::S11 => "approved is dispatchable",
            Self::S12 => "isolation",
            Self::S13 => "cancel safety",
            Self::S14 => "tenancy",
        }
    }

    /// What a person does about a violation.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::S1 => {
                "ask the network what is on the air for this alert; cancel it again if it must not"
            }
            Self::S2 => {
                "phones may have warned twice: tell the network, and see whether its profile may \
                 say dedup = true"
            }
            Self::S3 => {
                "ask the network whether the alert is on the air, and cancel it again if it is"
            }
            Self::S4 => {
                "the network may never have warned anybody: ask it, and send a new alert if need \
                 be; see whether the log is complete"
            }
            Self::S5 => {
                "two messages of one lane were under way at once: compare both with what the \
                 network has"
            }
            Self::S6 => {
                "something was sent that this database knows nothing of: look for a second \
                 installation, or a database that was restored from an older copy"
            }
            Self::S7 => {
                "something went out that no second person approved: tell the duty manager now"
            }
            Self::S8 => {
                "compare the clocks of this machine and the network's proxy, and its time-outs \
                 with the profile's upstream_timeout_seconds"
            }
            Self::S9 => {
                "the record contradicts itself: keep a copy of the database, and look for a \
                 restore or for changes made by hand"
            }
            Self::S10 => {
                "two tries of one message differ: networks may take them for two; ask what is on \
                 the air"
            }
            Self::S11 => "an approved alert can't be sent to every network: send it anew at once",
            Self::S12 => {
                "a row or request stands in another network's lane: keep a copy of the database"
            }
            Self::S13 => "the alert may still be on the air: ask the network, and cancel it again",
            Self::S14 => {
                "something was done on behalf of another service: see the audit entries of the \
                 alert"
            }
        }
    }

    /// What it needs of the providers' log.
    pub const fn needs_log(self) -> NeedsLog {
        match self {
            Self::S7 | Self::S9 | Self::S11 | Self::S14 => NeedsLog::No,
            Self::S3 | Self::S4 | Self::S5 | Self::S8 | Self::S10 | Self::S12 | Self::S13 => {
                NeedsLog::ForPart
            }
            Self::S1 | Self::S2 | Self::S6 => NeedsLog::ForAll,
        }
    }

    /// Judges one alert by this invariant.
    pub fn check(self, history: &History, terms: &Terms) -> Judged {
        let check = match self {
            Self::S1 => order::s1_order,
            Self::S2 => order::s2_at_most_once,
            Self::S3 => order::s3_no_ghost,
            Self::S4 => acknowledgement::s4_no_false_acknowledgement,
            Self::S5 => flight::s5_no_conflicting_flight,
            Self::S6 => flight::s6_intent_first,
            Self::S7 => authority::s7_authorised,
            Self::S8 => flight::s8_deadline,
            Self::S9 => acknowledgement::s9_monotone,
            Self::S10 => bytes::s10_same_bytes,
            Self::S11 => authority::s11_approved_is_dispatchable,
            Self::S12 => bytes::s12_isolation,
            Self::S13 => cancel::s13_cancel_safety,
            Self::S14 => authority::s14_tenancy,
        };
        check(history, terms)
    }
}

/// What the judging goes by beside the facts.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The providers' logs were read.
    pub has_log: bool,
    /// When they were read: what came later is not in them.
    pub until: Timestamp,
    /// How far the clocks of this database and of the logs may differ.
    pub clock_skew: Duration,
    /// How long a request may be on its way.
    pub travel: Duration,
    /// Providers that apply an identifier once, over all of their sites.
    pub applies_once: BTreeSet<ProviderName>,
    /// Providers whose sites have a state of their own.
    pub separate_sites: BTreeSet<ProviderName>,
}

impl Terms {
    /// `late` is later than `early`, and neither the difference of two clocks explains it nor that
    /// the instant of a transaction is its beginning, before it waited for a lock.
    pub(super) fn is_surely_after(&self, late: Timestamp, early: Timestamp) -> bool {
        late > early + self.clock_skew
    }
}

/// Something that breaks an invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The alert, where it is about one that is known.
    pub alert: Option<AlertId>,
    /// The provider, where it is about one.
    pub provider: Option<ProviderName>,
    /// The delivery's or event's `seq`, where it is about one.
    pub seq: Option<u32>,
    /// When it happened, by whichever clock is named in `what`.
    pub at: Option<Timestamp>,
    /// What is wrong, in plain words.
    pub what: String,
}

/// What one function found in one alert.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// How many facts were looked at.
    pub facts: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

impl Judged {
    /// Counts a fact; where it does not hold, `finding` says what is wrong.
    pub(super) fn holds(&mut self, does_hold: bool, finding: impl FnOnce() -> Finding) {
        self.facts += 1;
        if !does_hold {
            self.findings.push(finding());
        }
    }
}

impl Finding {
    pub(super) fn of_alert(history: &History, what: impl Into<String>) -> Self {
        Self {
            alert: Some(history.alert.id),
            provider: None,
            seq: None,
            at: None,
            what: what.into(),
        }
    }

    pub(super) fn of(
        history: &History,
        delivery: &DeliveryFact,
        at: Timestamp,
        what: impl Into<String>,
    ) -> Self {
        Self {
            provider: Some(delivery.provider.clone()),
            seq: Some(delivery.seq),
            at: Some(at),
            ..Self::of_alert(history, what)
        }
    }
}

/// How an invariant stands over everything that was judged.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// How many facts were looked at.
    pub facts: u64,
    /// How many of them are wrong.
    pub violations: u64,
    /// The first of those.
    pub findings: Vec<Finding>,
}

/// The verdicts over many alerts.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many alerts were judged.
    pub alerts: u64,
    verdicts: BTreeMap<Invariant, Verdict>,
}

impl Report {
    /// Judges one more alert by every invariant.
    pub fn judge(&mut self, history: &History, terms: &Terms) {
        self.alerts += 1;
        for invariant in Invariant::ALL {
            let is_blind = invariant.needs_log() == NeedsLog::ForAll && !terms.has_log;
            if !is_blind {
                self.add(invariant, invariant.check(history, terms));
            }
        }
    }

    /// Adds requests that are no known delivery's: nothing intended them (S6).
    pub fn add_strangers(&mut self, strangers: impl IntoIterator<Item = (String, Timestamp)>) {
        let findings = strangers.into_iter().map(|(what, at)| Finding {
            alert: None,
            provider: None,
            seq: None,
            at: Some(at),
            what,
        });
        let findings: Vec<Finding> = findings.collect();
        let facts = u64::try_from(findings.len()).unwrap_or(u64::MAX);
        self.add(Invariant::S6, Judged { facts, findings });
    }

    /// Adds what one function found.
    fn add(&mut self, invariant: Invariant, judged: Judged) {
        let verdict = self.verdicts.entry(invariant).or_default();
        verdict.facts += judged.facts;
        verdict.violations += u64::try_from(judged.findings.len()).unwrap_or(u64::MAX);
        let room = FINDINGS_SHOWN_MAX.saturating_sub(verdict.findings.len());
        verdict
            .findings
            .extend(judged.findings.into_iter().take(room));
    }

    /// How an invariant stands.
    pub fn verdict(&self, invariant: Invariant) -> Verdict {
        self.verdicts.get(&invariant).cloned().unwrap_or_default()
    }

    /// Nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.verdicts
            .values()
            .all(|verdict| verdict.violations == 0)
    }
}
