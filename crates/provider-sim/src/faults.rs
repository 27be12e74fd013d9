//! Faults: which requests go wrong, and how.
//!
//! ```toml
//! dedup = true              # false: the same identifier twice is applied twice
//! separate_sites = false    # true: the sites of a provider know nothing of each other
//! clock_offset_ms = 0       # by how much the proxies' clocks are ahead
//!
//! [provider.three]          # the same three keys for one provider
//! dedup = false
//!
//! [[fault]]
//! function = "ee-1-proxy"   # or "ee-*", or "*", which is also what an absent key means
//! message_type = "alert"    # alert, update, cancel, test or heartbeat; absent: all, a canary too
//! nth = 1                   # only the first such request; absent: each one
//! kind = "late"
//! ms = 3000                 # for late and slow; for hang the longest it hangs
//! applied = true            # whether the message is applied all the same; absent: see Kind
//! ```
//!
//! The first fault in the file that fits a request is the one it meets. `nth` counts every request
//! that the fault's function and message type fit, those included that met an earlier fault.
//! Without `cbc_target` in its payloads each proxy of a provider is a site of its own.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::time::Duration;

use balefire_domain::limits::{SIM_FAULTS_BYTES_MAX, SIM_FAULTS_MAX, SIM_HANG, SIM_WAIT_MAX};
use serde::{Deserialize, Serialize};

use crate::protocol::MessageType;

/// The faults of one file, checked.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    source: String,
    rules: Rules,
    providers: BTreeMap<String, ProviderTable>,
    list: Vec<Fault>,
}

/// Why a text is no faults file.
#[derive(Debug, thiserror::Error)]
pub enum FaultsError {
    /// It is too long to be looked at.
    #[error("the faults file has {bytes} bytes; at most {SIM_FAULTS_BYTES_MAX} are read")]
    TooLarge {
        /// Its length in bytes.
        bytes: usize,
    },
    /// It is no TOML, or has a key or a word that is not known.
    #[error("the faults file can't be read: {0}")]
    Toml(#[from] toml::de::Error),
    /// It has too many faults.
    #[error("the faults file has {count} faults; at most {SIM_FAULTS_MAX} are taken")]
    TooMany {
        /// How many it has.
        count: usize,
    },
    /// One fault makes no sense.
    #[error("fault {number} (function \"{function}\", kind \"{kind}\"): {problem}")]
    Fault {
        /// Which one, the first being 1.
        number: usize,
        /// Its function.
        function: String,
        /// Its kind.
        kind: &'static str,
        /// What is wrong, and what to write instead.
        problem: String,
    },
}

/// How a provider keeps its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// The same identifier twice is applied once.
    pub(crate) dedup: bool,
    /// Each site has a state of its own.
    pub(crate) separate_sites: bool,
    /// By how many milliseconds the clocks of its proxies are ahead.
    pub(crate) clock_offset_ms: i32,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            dedup: true,
            separate_sites: false,
            clock_offset_ms: 0,
        }
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// Nothing. Applied.
    #[default]
    Ok,
    /// The answer says `"outcome":"refused"`. Not applied.
    Refuse,
    /// Status 503. Not applied.
    Unavailable,
    /// Status 200 with `X-Amz-Function-Error`. Not applied.
    FunctionError,
    /// No answer; the connection stays open for `ms`, or two minutes. Not applied.
    Hang,
    /// Applied at once, answered after `ms`.
    Late,
    /// The connection is closed without a byte. Applied.
    DropAnswer,
    /// The answer names another identifier. Applied.
    WrongIdentifier,
    /// The answer is cut off in the middle. Applied.
    Truncated,
    /// The answer is a page of HTML. Applied.
    NotJson,
    /// Applied and answered after `ms`, even if nobody waits any more.
    Slow,
}

impl Kind {
    /// The word in the file and in the log.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refuse => "refuse",
            Self::Unavailable => "unavailable",
            Self::FunctionError => "function-error",
            Self::Hang => "hang",
            Self::Late => "late",
            Self::DropAnswer => "drop-answer",
            Self::WrongIdentifier => "wrong-identifier",
            Self::Truncated => "truncated",
            Self::NotJson => "not-json",
            Self::Slow => "slow",
        }
    }

    /// Whether the message is applied when the file does not say.
    const fn applies(self) -> bool {
        match self {
            Self::Refuse | Self::Unavailable | Self::FunctionError | Self::Hang => false,
            Self::Ok
            | Self::Late
            | Self::DropAnswer
            | Self::WrongIdentifier
            | Self::Truncated
            | Self::NotJson
            | Self::Slow => true,
        }
    }
}

/// What one request meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Effect {
    /// What goes wrong.
    pub(crate) kind: Kind,
    /// How long `late`, `slow` and `hang` wait.
    pub(crate) wait: Duration,
    /// Whether the message is applied, if the provider takes it.
    pub(crate) applies: bool,
}

impl Default for Effect {
    fn default() -> Self {
        Self {
            kind: Kind::Ok,
            wait: Duration::ZERO,
            applies: true,
        }
    }
}

#[derive(Clone, Debug)]
struct Fault {
    function: String,
    site: Option<String>,
    message_type: Option<MessageType>,
    nth: Option<NonZeroU64>,
    effect: Effect,
}

impl Faults {
    /// Reads a faults file. An empty one has no faults.
    pub fn parse_toml(source: &str) -> Result<Self, FaultsError> {
        if source.len() > SIM_FAULTS_BYTES_MAX {
            return Err(FaultsError::TooLarge {
                bytes: source.len(),
            });
        }
        let file: File = toml::from_str(source)?;
        if file.fault.len() > SIM_FAULTS_MAX {
            return Err(FaultsError::TooMany {
                count: file.fault.len(),
            });
        }
        let rules = Rules::default();
        Ok(Self {
            source: source.to_owned(),
            rules: Rules {
                dedup: file.dedup.unwrap_or(rules.dedup),
                separate_sites: file.separate_sites.unwrap_or(rules.separate_sites),
                clock_offset_ms: file.clock_offset_ms.unwrap_or(rules.clock_offset_ms),
            },
            providers: file.provider,
            list: file
                .fault
                .into_iter()
                .zip(1..)
                .map(|(table, number)| table.check(number))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The file as it was read.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// How many faults there are.
    pub(crate) fn count(&self) -> usize {
        self.list.len()
    }

    /// How `provider` keeps its state.
    pub(crate) fn rules(&self, provider: &str) -> Rules {
        let own = self.providers.get(provider).copied().unwrap_or_default();
        Rules {
            dedup: own.dedup.unwrap_or(self.rules.dedup),
            separate_sites: own.separate_sites.unwrap_or(self.rules.separate_sites),
            clock_offset_ms: own.clock_offset_ms.unwrap_or(self.rules.clock_offset_ms),
        }
    }

    /// What a request meets. `seen` counts, for each fault, the requests that fitted it so far.
    pub(crate) fn choose(
        &self,
        seen: &mut [u64],
        function: &str,
        site: Option<&str>,
        message_type: Option<MessageType>,
    ) -> Effect {
        assert_eq!(seen.len(), self.list.len(), "one count per fault");
        let mut chosen = None;
        for (fault, seen) in self.list.iter().zip(seen) {
            if !fault.fits(function, site, message_type) {
                continue;
            }
            *seen += 1;
            if chosen.is_none() && fault.nth.is_none_or(|nth| nth.get() == *seen) {
                chosen = Some(fault.effect);
            }
        }
        chosen.unwrap_or_default()
    }
}

impl Fault {
    fn fits(&self, function: &str, site: Option<&str>, message_type: Option<MessageType>) -> bool {
        let right_function = match self.function.strip_suffix('*') {
            Some(prefix) => function.starts_with(prefix),
            None => function == self.function,
        };
        right_function
            && self.site.as_deref().is_none_or(|own| site == Some(own))
            && self
                .message_type
                .is_none_or(|wanted| message_type == Some(wanted))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    dedup: Option<bool>,
    separate_sites: Option<bool>,
    clock_offset_ms: Option<i32>,
    #[serde(default)]
    provider: BTreeMap<String, ProviderTable>,
    #[serde(default)]
    fault: Vec<FaultTable>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderTable {
    dedup: Option<bool>,
    separate_sites: Option<bool>,
    clock_offset_ms: Option<i32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultTable {
    #[serde(default = "every_function")]
    function: String,
    site: Option<String>,
    message_type: Option<MessageType>,
    nth: Option<u64>,
    kind: Kind,
    ms: Option<u64>,
    applied: Option<bool>,
}

fn every_function() -> String {
    "*".to_owned()
}

impl FaultTable {
    fn check(self, number: usize) -> Result<Fault, FaultsError> {
        let refuse = |problem: String| FaultsError::Fault {
            number,
            function: self.function.clone(),
            kind: self.kind.as_str(),
            problem,
        };
        let stars = self.function.matches('*').count();
        if self.function.is_empty() || stars > 1 || (stars == 1 && !self.function.ends_with('*')) {
            let problem = "function must be a name, the beginning of one with * at its end, or *";
            return Err(refuse(problem.to_owned()));
        }
        let nth = match self.nth.map(NonZeroU64::new) {
            Some(None) => return Err(refuse("nth counts from 1".to_owned())),
            Some(nth) => nth,
            None => None,
        };
        let wait = self.wait().map_err(refuse)?;
        let applies = self.applied.unwrap_or(self.kind.applies());
        let effect = Effect {
            kind: self.kind,
            wait,
            applies,
        };
        Ok(Fault {
            function: self.function,
            site: self.site,
            message_type: self.message_type,
            nth,
            effect,
        })
    }

    fn wait(&self) -> Result<Duration, String> {
        let wait = match (self.kind, self.ms) {
            (Kind::Late | Kind::Slow, None) => {
                return Err("say how long in ms, for example ms = 3000".to_owned());
            }
            (Kind::Hang, None) => SIM_HANG,
            (Kind::Late | Kind::Slow | Kind::Hang, Some(ms)) => Duration::from_millis(ms),
            (_, None) => Duration::ZERO,
            (_, Some(_)) => return Err("only late, slow and hang take ms: remove it".to_owned()),
        };
        if wait > SIM_WAIT_MAX {
            return Err(format!("ms is at most {}", SIM_WAIT_MAX.as_millis()));
        }
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_has_no_faults_and_providers_that_deduplicate() {
        let faults = Faults::parse_toml("").unwrap();
        assert_eq!(
            faults.choose(&mut [], "ee-1-proxy", None, None),
            Effect::default()
        );
        assert_eq!(
            faults.rules("ee"),
            Rules {
                dedup: true,
                separate_sites: false,
                clock_offset_ms: 0,
            }
        );
    }

    #[test]
    fn a_provider_s_own_rules_go_before_those_of_all() {
        let file = "dedup = false\n[provider.ee]\ndedup = true\nseparate_sites = true";
        let faults = Faults::parse_toml(file).unwrap();
        assert_eq!(
            faults.rules("ee"),
            Rules {
                dedup: true,
                separate_sites: true,
                clock_offset_ms: 0,
            }
        );
        assert_eq!(
            faults.rules("o2"),
            Rules {
                dedup: false,
                separate_sites: false,
                clock_offset_ms: 0,
            }
        );
    }

    #[test]
    fn a_request_meets_the_first_fault_that_fits_it() {
        let faults = Faults::parse_toml(
            "[[fault]]\nfunction = 'ee-1-proxy'\nmessage_type = 'alert'\nnth = 2\nkind = 'hang'\n\
             [[fault]]\nfunction = 'ee-*'\nnth = 3\nkind = 'late'\nms = 7\n\
             [[fault]]\nfunction = 'o2-2-proxy'\nkind = 'refuse'\napplied = true\n\
             [[fault]]\nmessage_type = 'test'\nkind = 'truncated'\n",
        )
        .unwrap();
        let mut seen = vec![0; faults.count()];
        let (alert, cancel, test) = (MessageType::Alert, MessageType::Cancel, MessageType::Test);
        // One row per request, in order: function, type, what it meets.
        let cases = [
            ("ee-1-proxy", Some(alert), Kind::Ok),
            ("ee-1-proxy", Some(cancel), Kind::Ok),
            // The second alert of the first fault; it is also the third of ee.
            ("ee-1-proxy", Some(alert), Kind::Hang),
            ("ee-2-proxy", Some(alert), Kind::Ok),
            ("o2-1-proxy", Some(alert), Kind::Ok),
            ("o2-2-proxy", Some(alert), Kind::Refuse),
            ("o2-2-proxy", Some(cancel), Kind::Refuse),
            ("three-1-proxy", Some(test), Kind::Truncated),
            ("canary", None, Kind::Ok),
        ];
        for (index, (function, message_type, want)) in cases.into_iter().enumerate() {
            let effect = faults.choose(&mut seen, function, None, message_type);
            assert_eq!(effect.kind, want, "request {}: {function}", index + 1);
        }
    }

    #[test]
    fn a_fault_of_one_site_leaves_the_other_alone() {
        let file = "[[fault]]\nfunction = 'ee-1-proxy'\nsite = 'cbc_b'\nkind = 'hang'";
        let faults = Faults::parse_toml(file).unwrap();
        for (site, want) in [
            (Some("cbc_b"), Kind::Hang),
            (Some("cbc_a"), Kind::Ok),
            (None, Kind::Ok),
        ] {
            let effect = faults.choose(&mut [0], "ee-1-proxy", site, None);
            assert_eq!(effect.kind, want, "{site:?}");
        }
    }

    #[test]
    fn what_the_file_says_of_applying_stands_above_the_kind() {
        let cases = [
            ("kind = 'refuse'", false),
            ("kind = 'refuse'\napplied = true", true),
            ("kind = 'unavailable'", false),
            ("kind = 'function-error'", false),
            ("kind = 'hang'", false),
            ("kind = 'drop-answer'", true),
            ("kind = 'drop-answer'\napplied = false", false),
            ("kind = 'late'\nms = 1", true),
            ("kind = 'slow'\nms = 1", true),
            ("kind = 'truncated'", true),
            ("kind = 'not-json'", true),
            ("kind = 'wrong-identifier'", true),
        ];
        for (fault, want) in cases {
            let faults = Faults::parse_toml(&format!("[[fault]]\n{fault}")).unwrap();
            assert_eq!(
                faults.choose(&mut [0], "ee-1-proxy", None, None).applies,
                want,
                "{fault}"
            );
        }
    }

    #[test]
    fn a_file_that_makes_no_sense_is_refused_with_what_to_do() {
        let cases = [
            ("[[fault]", "line 1"),
            (
                "[[fault]]\nkind = 'explode'",
                "expected one of `ok`, `refuse`",
            ),
            ("[[fault]]\nfunction = 'ee-1-proxy'", "missing field `kind`"),
            (
                "[[fault]]\nkind = 'hang'\nafter = 1",
                "unknown field `after`",
            ),
            ("[[faults]]\nkind = 'hang'", "unknown field `faults`"),
            (
                "[[fault]]\nkind = 'late'",
                "fault 1 (function \"*\", kind \"late\"): say how long",
            ),
            (
                "[[fault]]\nkind = 'refuse'\nms = 1",
                "only late, slow and hang take ms",
            ),
            (
                "[[fault]]\nkind = 'late'\nms = 600001",
                "ms is at most 600000",
            ),
            ("[[fault]]\nkind = 'hang'\nnth = 0", "nth counts from 1"),
            (
                "[[fault]]\nkind = 'hang'\nfunction = '*-1-proxy'",
                "* at its end",
            ),
            (
                "[[fault]]\nkind = 'hang'\nmessage_type = 'replace'",
                "`alert`, `update`, `cancel`, `test`",
            ),
        ];
        for (file, want) in cases {
            let message = Faults::parse_toml(file).unwrap_err().to_string();
            assert!(message.contains(want), "{file:?}: {message}");
        }
        let long = "#".repeat(SIM_FAULTS_BYTES_MAX + 1);
        assert!(matches!(
            Faults::parse_toml(&long),
            Err(FaultsError::TooLarge { .. })
        ));
    }
}
