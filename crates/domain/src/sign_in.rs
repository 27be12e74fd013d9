//! Signing in: how long somebody waits after failures, when an account is locked and for how long,
//! what a code is worth, and how long an elevated administrator stays one (`authoring.md` 2.9 and
//! 2.10).
//!
//! What it promises: whoever tries passwords or codes gets one try a minute at most, from each
//! address and for each account; strangers who fail on purpose lock nobody out of the addresses
//! from which they signed in before, and nobody anywhere for longer than [`LOCK_TIME`]. What it
//! does not: say who somebody is, which takes hashes and the database.

use std::time::Duration;

use crate::time::Timestamp;

/// Failures in a row after which an account is locked.
pub const FAILURES_MAX: u32 = 10;
/// Failures further back than this count no more, and a lock of which the last failure lies so far
/// back is over.
pub const LOCK_TIME: Duration = Duration::from_secs(3600);
/// The longest wait between two tries.
pub const WAIT_MAX: Duration = Duration::from_secs(60);
/// How long a code is taken.
pub const CODE_VALID_FOR: Duration = crate::notification::CODE_VALID_FOR;
/// Codes of one kind that one person may have at a time; further ones are not sent.
pub const LIVE_CODES_MAX: usize = 5;
/// Digits of a code.
pub const CODE_DIGITS: usize = 7;
/// An approved elevation may be redeemed for so long.
pub const ELEVATION_VALID_FOR: Duration = Duration::from_secs(3600);
/// A redeemed elevation ends after this at the latest: no session is longer.
pub const SESSION_TIME_MAX: Duration = Duration::from_secs(6 * 3600);

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $one:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$of])* $one,)+ }

        impl $name {
            /// The word in tables and on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$one => $word,)+ }
            }

            /// The one that [`Self::as_str`] spells so.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($word => Some(Self::$one),)+ _ => None }
            }
        }
    };
}

words! {
    /// The second factor of a person.
    AuthType {
        /// A code by SMS.
        Sms = "sms_auth",
        /// A code or link by e-mail.
        Email = "email_auth",
        /// A security key.
        Webauthn = "webauthn_auth",
    }
}

words! {
    /// Whether an account is in use.
    AccountState {
        /// It waits until its address is confirmed.
        Pending = "pending",
        /// It is in use.
        Active = "active",
        /// It is archived.
        Inactive = "inactive",
    }
}

words! {
    /// How a code goes out.
    CodeKind {
        /// By SMS.
        Sms = "sms",
        /// By e-mail.
        Email = "email",
    }
}

/// Failures of late: how many within [`LOCK_TIME`], and when the last was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: u32,
    /// The last one.
    pub last_at: Option<Timestamp>,
}

impl Failures {
    /// What of them counts now: nothing once the last is [`LOCK_TIME`] ago.
    #[must_use]
    pub fn as_of(self, now: Timestamp) -> Self {
        match self.last_at {
            Some(last) if now.since(last) < LOCK_TIME => self,
            _ => Self::default(),
        }
    }
}

/// What is known of the failures behind one try.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// From the address, at whatever account.
    pub of_address: Failures,
    /// At the account, from wherever; `None`: there is no such account.
    pub of_account: Option<Failures>,
    /// At the account, from an address where its person has signed in before, since they did;
    /// `None`: they never did.
    pub of_known_address: Option<Failures>,
}

/// What becomes of a try before anything of it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is looked at.
    Look,
    /// The account is locked: it is looked at for the same time, and refused whatever it says.
    Locked,
    /// It comes too early (429).
    Wait(Duration),
}

/// How long after `failures` within the hour the next try may come: 0, 1, 2, 4, … s, at most
/// [`WAIT_MAX`].
pub fn wait_after(failures: u32) -> Duration {
    match failures {
        0 | 1 => Duration::ZERO,
        more => Duration::from_secs(1 << (more - 2).min(6)).min(WAIT_MAX),
    }
}

fn remaining(failures: Failures, now: Timestamp) -> Duration {
    let failures = failures.as_of(now);
    match failures.last_at {
        Some(last) => wait_after(failures.count).saturating_sub(now.since(last)),
        None => Duration::ZERO,
    }
}

/// What becomes of a try now. The account's own failures hold back and lock out whoever comes from
/// where its person never was; who comes from a known address answers for its own only.
pub fn admit(record: &Record, now: Timestamp) -> Admission {
    let own = match (record.of_known_address, record.of_account) {
        (Some(known), _) => known,
        (None, Some(account)) => account,
        (None, None) => Failures::default(),
    };
    let wait = remaining(record.of_address, now).max(remaining(own, now));
    if wait > Duration::ZERO {
        Admission::Wait(wait)
    } else if own.as_of(now).count >= FAILURES_MAX {
        Admission::Locked
    } else {
        Admission::Look
    }
}

/// Why a code is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeRefusal {
    /// There is no such code.
    NotFound,
    /// It is too old.
    Expired,
    /// It was used before.
    Used,
}

/// Whether a code is taken that was made with this end, and perhaps used.
pub fn check_code(
    expires_at: Timestamp,
    used_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), CodeRefusal> {
    if now >= expires_at {
        Err(CodeRefusal::Expired)
    } else if used_at.is_some() {
        Err(CodeRefusal::Used)
    } else {
        Ok(())
    }
}

/// Whether somebody acts as administrator now. `elevated_at`: since when for one session only;
/// absent: without end, as it is given by command.
pub fn acts_as_admin(is_admin: bool, elevated_at: Option<Timestamp>, now: Timestamp) -> bool {
    is_admin && elevated_at.is_none_or(|since| now.since(since) < SESSION_TIME_MAX)
}

/// Why an elevation is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElevationRefusal {
    /// The person may not become administrator.
    NotCapable,
    /// The approver may not approve it.
    ApproverNotCapable,
    /// Nobody approves their own.
    OwnElevation,
    /// Nobody approved one.
    NotApproved,
    /// The approval is too old.
    Lapsed,
}

/// Whether an approved elevation may be redeemed now.
pub fn check_redemption(
    is_capable: bool,
    admin_until: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), ElevationRefusal> {
    match admin_until {
        _ if !is_capable => Err(ElevationRefusal::NotCapable),
        None => Err(ElevationRefusal::NotApproved),
        Some(until) if now >= until => Err(ElevationRefusal::Lapsed),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn ago(count: u32, seconds: i64) -> Failures {
        Failures {
            count,
            last_at: Some(Timestamp::from_seconds(1_000_000 - seconds)),
        }
    }

    #[test]
    fn the_wait_doubles_up_to_a_minute() {
        let rows = [
            (0, 0),
            (1, 0),
            (2, 1),
            (3, 2),
            (4, 4),
            (5, 8),
            (6, 16),
            (7, 32),
            (8, 60),
            (9, 60),
            (10, 60),
            (100, 60),
            (u32::MAX, 60),
        ];
        for (failures, seconds) in rows {
            assert_eq!(
                wait_after(failures),
                Duration::from_secs(seconds),
                "{failures}"
            );
        }
    }

    #[test]
    fn sec_24_a_try_waits_for_its_address_and_for_its_account() {
        let none = Failures::default();
        let wait = |seconds| Admission::Wait(Duration::from_secs(seconds));
        // of the address, of the account, of the known address, what becomes of it
        let rows = [
            (none, None, None, Admission::Look),
            (none, Some(none), None, Admission::Look),
            (ago(1, 0), Some(ago(1, 0)), None, Admission::Look),
            (ago(3, 1), None, None, wait(1)),
            (ago(3, 2), None, None, Admission::Look),
            (none, Some(ago(8, 10)), None, wait(50)),
            (ago(4, 0), Some(ago(8, 0)), None, wait(60)),
            (none, Some(ago(10, 60)), None, Admission::Locked),
            (none, Some(ago(10, 3599)), None, Admission::Locked),
            (none, Some(ago(10, 3600)), None, Admission::Look),
            (ago(8, 3600), Some(ago(9, 60)), None, Admission::Look),
            // Strangers fail: whoever comes from a known address is not held back.
            (none, Some(ago(1000, 0)), Some(none), Admission::Look),
            (
                ago(2, 5),
                Some(ago(1000, 0)),
                Some(ago(2, 5)),
                Admission::Look,
            ),
            (none, Some(ago(1000, 0)), Some(ago(8, 59)), wait(1)),
            (none, Some(none), Some(ago(10, 60)), Admission::Locked),
        ];
        for (of_address, of_account, of_known_address, want) in rows {
            let record = Record {
                of_address,
                of_account,
                of_known_address,
            };
            assert_eq!(admit(&record, NOW), want, "{record:?}");
        }
    }

    #[test]
    fn sec_27_a_code_is_taken_once_and_in_time() {
        let at = Timestamp::from_seconds;
        for (expires_at, used_at, want) in [
            (1_000_001, None, Ok(())),
            (1_000_000, None, Err(CodeRefusal::Expired)),
            (1_000_001, Some(999_999), Err(CodeRefusal::Used)),
            (999_999, Some(999_998), Err(CodeRefusal::Expired)),
        ] {
            assert_eq!(check_code(at(expires_at), used_at.map(at), NOW), want);
        }
    }

    #[test]
    fn an_elevation_ends_and_is_redeemed_in_time() {
        let at = |seconds: i64| Some(Timestamp::from_seconds(1_000_000 + seconds));
        for (is_admin, elevated_at, want) in [
            (true, None, true),
            (true, at(0), true),
            (true, at(-6 * 3600 + 1), true),
            (true, at(-6 * 3600), false),
            (false, None, false),
            (false, at(0), false),
        ] {
            assert_eq!(
                acts_as_admin(is_admin, elevated_at, NOW),
                want,
                "{elevated_at:?}"
            );
        }
        for (is_capable, until, want) in [
            (true, at(1), Ok(())),
            (true, at(0), Err(ElevationRefusal::Lapsed)),
            (true, None, Err(ElevationRefusal::NotApproved)),
            (false, at(1), Err(ElevationRefusal::NotCapable)),
        ] {
            assert_eq!(check_redemption(is_capable, until, NOW), want);
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for one in [AuthType::Sms, AuthType::Email, AuthType::Webauthn] {
            assert_eq!(AuthType::parse(one.as_str()), Some(one));
        }
        for one in [
            AccountState::Pending,
            AccountState::Active,
            AccountState::Inactive,
        ] {
            assert_eq!(AccountState::parse(one.as_str()), Some(one));
        }
        for one in [CodeKind::Sms, CodeKind::Email] {
            assert_eq!(CodeKind::parse(one.as_str()), Some(one));
        }
        assert_eq!(AuthType::parse("sms"), None);
    }
}
