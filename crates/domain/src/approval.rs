//! The second person's yes: who may say it, to what, and for how long the alert then lasts
//! (D8, D10, D33, D39, D40).

use std::collections::BTreeSet;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::alert::Mode;
use crate::channel::Channel;
use crate::ids::UserId;
use crate::provider::ProviderName;
use crate::second_text::SecondText;
use crate::time::Timestamp;

/// How far from the approval's instant a given start may lie, either way (D10).
pub const START_TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// What the approver is asked to say yes to.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The alert was made in training mode or by a test key: nothing is ever sent.
    pub is_stubbed: bool,
    /// Who made it; nobody where an API key did.
    pub creator: Option<UserId>,
    /// Who submitted it for approval.
    pub submitter: Option<UserId>,
    /// Who changed text, areas, reference or extra content up to this version.
    pub editors: BTreeSet<UserId>,
    /// The version, from 1.
    pub version: u32,
    /// The version's hash ([`content_hash`]).
    pub hash: String,
    /// How many polygons it has.
    pub polygons: usize,
    /// The start that was given.
    pub starts_at: Option<Timestamp>,
    /// The end that was given.
    pub finishes_at: Option<Timestamp>,
    /// The duration that was given.
    pub duration: Option<Duration>,
}

/// What the service and the configuration say today; frozen into the event by a yes (D2).
#[derive(Clone, Debug)]
pub struct Setting {
    /// Whether the service is live.
    pub mode: Mode,
    /// Its channel.
    pub channel: Channel,
    /// The providers that would get the alert.
    pub providers: Vec<ProviderName>,
    /// `cbc.enabled`: without it a yes makes the event but no delivery (D16).
    pub is_cbc_enabled: bool,
}

/// The version and hash that the approver says to have seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The version, where named.
    pub version: Option<u32>,
    /// The hash, where named.
    pub hash: Option<String>,
}

impl Seen {
    /// Whether a version or a hash is named, and it is not this one.
    pub fn is_stale(&self, version: u32, hash: &str) -> bool {
        let other = |seen: &String| seen != hash;
        self.version.is_some_and(|seen| seen != version) || self.hash.as_ref().is_some_and(other)
    }
}

/// A yes that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The alert's start.
    pub starts_at: Timestamp,
    /// The alert's end.
    pub finishes_at: Timestamp,
    /// Whether an event is made, which goes to the providers.
    pub makes_event: bool,
}

/// Why a yes does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApprovalRefusal {
    /// The approver named a version or hash that is not the present one (409).
    Stale,
    /// An update's approver named no version (409).
    VersionUnnamed,
    /// The approver made the alert or changed this version of it.
    OwnAlert,
    /// The approver submitted it.
    OwnSubmission,
    /// It has no polygons: absent is never "everywhere".
    NoAreas,
    /// A real alert on a service in training mode.
    ServiceInTraining,
    /// No enabled provider is left of those that the service may use.
    NoProviders,
    /// The given start is more than 5 minutes away.
    StartNotNow,
    /// The given end has passed.
    EndPassed,
    /// The end is further from the start than the channel allows.
    TooLong,
}

/// Decides about an approval. The caller has checked membership and the state (D43, R36).
pub fn decide(
    proposal: &Proposal,
    setting: &Setting,
    approver: UserId,
    seen: &Seen,
    now: Timestamp,
) -> Result<Approval, ApprovalRefusal> {
    if seen.is_stale(proposal.version, &proposal.hash) {
        return Err(ApprovalRefusal::Stale);
    }
    if setting.mode == Mode::Live {
        check_second_person(proposal, approver)?;
    }
    check_goes_out(proposal.polygons, proposal.is_stubbed, setting.mode)?;
    let makes_event = !proposal.is_stubbed;
    if makes_event && setting.is_cbc_enabled && setting.providers.is_empty() {
        return Err(ApprovalRefusal::NoProviders);
    }
    let (starts_at, finishes_at) = decide_times(proposal, setting.channel, now)?;
    Ok(Approval {
        starts_at,
        finishes_at,
        makes_event,
    })
}

/// What must hold of an alert and of an update alike for either to go out.
pub(crate) fn check_goes_out(
    polygons: usize,
    is_stubbed: bool,
    mode: Mode,
) -> Result<(), ApprovalRefusal> {
    if polygons == 0 {
        return Err(ApprovalRefusal::NoAreas);
    }
    if !is_stubbed && mode == Mode::Training {
        return Err(ApprovalRefusal::ServiceInTraining);
    }
    Ok(())
}

/// Whether the approver is a second person (D8). The caller asks where two are needed: on a live
/// service.
pub fn check_second_person(proposal: &Proposal, approver: UserId) -> Result<(), ApprovalRefusal> {
    if proposal.creator == Some(approver) || proposal.editors.contains(&approver) {
        return Err(ApprovalRefusal::OwnAlert);
    }
    if proposal.submitter == Some(approver) {
        return Err(ApprovalRefusal::OwnSubmission);
    }
    Ok(())
}

fn decide_times(
    proposal: &Proposal,
    channel: Channel,
    now: Timestamp,
) -> Result<(Timestamp, Timestamp), ApprovalRefusal> {
    let starts_at = proposal.starts_at.unwrap_or(now);
    if starts_at.since(now).max(now.since(starts_at)) > START_TOLERANCE {
        return Err(ApprovalRefusal::StartNotNow);
    }
    let longest = channel.duration_max();
    let finishes_at = proposal
        .finishes_at
        .unwrap_or_else(|| starts_at + proposal.duration.unwrap_or(longest));
    if finishes_at <= now {
        return Err(ApprovalRefusal::EndPassed);
    }
    if finishes_at > starts_at + longest + START_TOLERANCE {
        return Err(ApprovalRefusal::TooLong);
    }
    Ok((starts_at, finishes_at))
}

/// What an approver approves, in full (D51).
#[derive(Clone, Debug)]
pub struct Content<'a> {
    /// The normalised text.
    pub text: &'a str,
    /// Rings of `[lat, lon]`.
    pub polygons: &'a [Vec<[f64; 2]>],
    /// The areas' names.
    pub area_names: &'a [String],
    /// The channel.
    pub channel: Channel,
    /// The providers.
    pub providers: &'a [ProviderName],
    /// `english` or `welsh`.
    pub language: &'a str,
    /// The second language, where there is one.
    pub second: Option<&'a SecondText>,
    /// What the public page shows beside the text.
    pub extra_content: Option<&'a str>,
}

/// SHA-256, in lower-case hex, over the canonical JSON (sorted keys, compact) of a version's
/// content (D51).
pub fn content_hash(content: &Content<'_>) -> String {
    let mut canonical = serde_json::json!({
        "area_names": content.area_names,
        "channel": content.channel.as_str(),
        "extra_content": content.extra_content,
        "language": content.language,
        "polygons": content.polygons,
        "providers": content.providers.iter().map(ProviderName::as_str).collect::<Vec<_>>(),
        "text": content.text,
    });
    if let Some(second) = content.second {
        // Its written form is not sent, as that of the first isn't.
        canonical["second"] = serde_json::json!({
            "first_language": second.first_language, "language": second.language,
            "text": second.text,
        });
    }
    let digest = Sha256::digest(canonical.to_string().as_bytes());
    hex(&digest)
}

/// Lower-case hex, two digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn user(n: u128) -> UserId {
        UserId::new(Uuid::from_u128(n))
    }

    fn proposal() -> Proposal {
        Proposal {
            is_stubbed: false,
            creator: Some(user(1)),
            submitter: Some(user(2)),
            editors: BTreeSet::from([user(3)]),
            version: 2,
            hash: "abc".to_owned(),
            polygons: 1,
            starts_at: None,
            finishes_at: None,
            duration: None,
        }
    }

    fn setting() -> Setting {
        Setting {
            mode: Mode::Live,
            channel: Channel::Severe,
            providers: vec![ProviderName::new("ee").expect("a name")],
            is_cbc_enabled: true,
        }
    }

    fn ask(p: &Proposal, s: &Setting, who: u128) -> Result<Approval, ApprovalRefusal> {
        decide(p, s, user(who), &Seen::default(), NOW)
    }

    #[test]
    fn sec_01_on_a_live_service_nobody_approves_what_they_had_a_hand_in() {
        for (who, want) in [
            (1, Some(ApprovalRefusal::OwnAlert)),
            (2, Some(ApprovalRefusal::OwnSubmission)),
            (3, Some(ApprovalRefusal::OwnAlert)),
            (4, None),
        ] {
            assert_eq!(ask(&proposal(), &setting(), who).err(), want, "user {who}");
        }
    }

    #[test]
    fn who_names_nothing_names_nothing_stale() {
        for (version, hash, want) in [
            (None, None, false),
            (Some(2), Some("abc"), false),
            (Some(1), None, true),
            (Some(3), Some("abc"), true),
            (None, Some("abd"), true),
        ] {
            let hash = hash.map(str::to_owned);
            let got = Seen { version, hash }.is_stale(2, "abc");
            assert_eq!(got, want, "{version:?}");
        }
    }

    #[test]
    fn in_training_people_approve_their_own_and_nothing_is_sent() {
        let stubbed = Proposal {
            is_stubbed: true,
            ..proposal()
        };
        let training = Setting {
            mode: Mode::Training,
            ..setting()
        };
        let approval = ask(&stubbed, &training, 1).expect("allowed");
        assert!(!approval.makes_event);
        let refused = ask(&proposal(), &training, 4).err();
        assert_eq!(
            refused,
            Some(ApprovalRefusal::ServiceInTraining),
            "a real alert is not"
        );
    }

    #[test]
    fn a_stubbed_alert_on_a_live_service_makes_no_event_and_no_error() {
        let stubbed = Proposal {
            is_stubbed: true,
            ..proposal()
        };
        assert!(!ask(&stubbed, &setting(), 4).expect("allowed").makes_event);
    }

    #[test]
    fn a_stale_version_or_hash_is_refused() {
        for (version, hash, is_stale) in [
            (None, None, false),
            (Some(2), Some("abc"), false),
            (Some(1), None, true),
            (Some(3), None, true),
            (Some(2), Some("abd"), true),
            (None, Some("abd"), true),
        ] {
            let seen = Seen {
                version,
                hash: hash.map(str::to_owned),
            };
            let got = decide(&proposal(), &setting(), user(4), &seen, NOW).err();
            assert_eq!(
                got,
                is_stale.then_some(ApprovalRefusal::Stale),
                "{version:?} {hash:?}"
            );
        }
    }

    #[test]
    fn without_polygons_or_providers_nothing_is_approved() {
        let empty = Proposal {
            polygons: 0,
            ..proposal()
        };
        assert_eq!(
            ask(&empty, &setting(), 4).err(),
            Some(ApprovalRefusal::NoAreas)
        );
        let nobody = Setting {
            providers: vec![],
            ..setting()
        };
        assert_eq!(
            ask(&proposal(), &nobody, 4).err(),
            Some(ApprovalRefusal::NoProviders)
        );
        let disabled = Setting {
            is_cbc_enabled: false,
            ..nobody
        };
        assert!(
            ask(&proposal(), &disabled, 4).is_ok(),
            "with the proxies off nobody is asked"
        );
    }

    #[test]
    fn times_are_set_or_checked_but_never_cut() {
        let max = Channel::Severe.duration_max();
        let (min, sec) = (Duration::from_secs(60), Duration::from_secs(1));
        // start, end, duration; wanted start and end, or the refusal
        let cases = [
            (None, None, None, Ok((NOW, NOW + max))),
            (None, None, Some(min), Ok((NOW, NOW + min))),
            (
                Some(NOW - min),
                None,
                None,
                Ok((NOW - min, NOW - min + max)),
            ),
            (
                Some(NOW - 5 * min),
                None,
                None,
                Ok((NOW - 5 * min, NOW - 5 * min + max)),
            ),
            (
                Some(NOW - 5 * min - sec),
                None,
                None,
                Err(ApprovalRefusal::StartNotNow),
            ),
            (
                Some(NOW + 5 * min),
                None,
                None,
                Ok((NOW + 5 * min, NOW + 5 * min + max)),
            ),
            (
                Some(NOW + 5 * min + sec),
                None,
                None,
                Err(ApprovalRefusal::StartNotNow),
            ),
            (None, Some(NOW), None, Err(ApprovalRefusal::EndPassed)),
            (None, Some(NOW + sec), None, Ok((NOW, NOW + sec))),
            (
                None,
                Some(NOW + max + 5 * min),
                None,
                Ok((NOW, NOW + max + 5 * min)),
            ),
            (
                None,
                Some(NOW + max + 5 * min + sec),
                None,
                Err(ApprovalRefusal::TooLong),
            ),
            (
                None,
                None,
                Some(max + 6 * min),
                Err(ApprovalRefusal::TooLong),
            ),
        ];
        for (starts_at, finishes_at, duration, want) in cases {
            let p = Proposal {
                starts_at,
                finishes_at,
                duration,
                ..proposal()
            };
            let got = ask(&p, &setting(), 4).map(|a| (a.starts_at, a.finishes_at));
            assert_eq!(got, want, "{starts_at:?} {finishes_at:?} {duration:?}");
        }
    }

    #[test]
    fn the_hash_changes_with_every_part_of_the_content() {
        let providers = [ProviderName::new("ee").expect("a name")];
        let (polygons, names) = ([vec![[1.0, 2.0]]], ["here".to_owned()]);
        let base = Content {
            text: "flood",
            polygons: &polygons,
            area_names: &names,
            channel: Channel::Severe,
            providers: &providers,
            language: "english",
            second: None,
            extra_content: None,
        };
        let second = |language: &str, text: &str| SecondText {
            first_language: "en".to_owned(),
            language: language.to_owned(),
            content: text.to_owned(),
            text: text.to_owned(),
        };
        let (welsh, other_welsh) = (second("cy", "llifogydd"), second("cy", "tân"));
        let french = second("fr", "llifogydd");
        let others = [
            Content {
                text: "food",
                ..base.clone()
            },
            Content {
                polygons: &[],
                ..base.clone()
            },
            Content {
                area_names: &[],
                ..base.clone()
            },
            Content {
                channel: Channel::Test,
                ..base.clone()
            },
            Content {
                providers: &[],
                ..base.clone()
            },
            Content {
                language: "welsh",
                ..base.clone()
            },
            Content {
                extra_content: Some("more"),
                ..base.clone()
            },
            Content {
                second: Some(&welsh),
                ..base.clone()
            },
            Content {
                second: Some(&other_welsh),
                ..base.clone()
            },
            Content {
                second: Some(&french),
                ..base.clone()
            },
        ];
        assert_eq!(content_hash(&base).len(), 64);
        for other in others {
            assert_ne!(content_hash(&base), content_hash(&other), "{other:?}");
        }
    }
}
