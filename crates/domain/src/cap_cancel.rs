//! Which alert a CAP Cancel means (D41).

use crate::alert::Status;
use crate::ids::AlertId;
use crate::time::Timestamp;

/// An earlier message that the Cancel names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedMessage {
    /// Its `sender`.
    pub sender: String,
    /// Its `identifier`.
    pub identifier: String,
    /// Its `sent`, as an instant.
    pub sent: Timestamp,
}

/// An alert of the service that a Cancel may mean: draft, pending, returned or broadcasting.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its id.
    pub alert: AlertId,
    /// Where it stands.
    pub status: Status,
    /// Made in training or by a test key.
    pub is_stubbed: bool,
    /// The message that made it, where CAP did.
    pub message: Option<NamedMessage>,
    /// The author's name for it.
    pub reference: Option<String>,
}

/// The alert that a Cancel means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub alert: AlertId,
    /// Sender or sent differ from what made the alert: worth a warning in log and audit.
    pub is_by_identifier_only: bool,
}

/// Why a Cancel means none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Miss {
    /// Nothing fits (404).
    NotFound,
    /// Several fit equally well (400).
    Ambiguous,
    /// A test key names a real alert (403).
    LiveWithTestKey,
}

/// Finds the alert that `named` means among `candidates`. A normal key sees real alerts first, and
/// stubbed ones only if no real one fits; a test key may stop stubbed ones only.
pub fn find(
    named: &[NamedMessage],
    candidates: &[Candidate],
    is_test_key: bool,
) -> Result<Found, Miss> {
    let real = find_among(named, candidates.iter().filter(|c| !c.is_stubbed));
    let stubbed = find_among(named, candidates.iter().filter(|c| c.is_stubbed));
    match (is_test_key, real, stubbed) {
        (false, Err(Miss::NotFound), stubbed) => stubbed,
        (false, real, _) => real,
        (true, Ok(_) | Err(Miss::Ambiguous), Err(Miss::NotFound)) => Err(Miss::LiveWithTestKey),
        (true, _, stubbed) => stubbed,
    }
}

fn find_among<'a>(
    named: &[NamedMessage],
    candidates: impl Iterator<Item = &'a Candidate> + Clone,
) -> Result<Found, Miss> {
    let is_exact = |c: &&Candidate| c.message.as_ref().is_some_and(|m| named.contains(m));
    let is_named = |name: &str| named.iter().any(|n| n.identifier == name);
    let is_reference =
        |c: &&Candidate| c.message.is_none() && c.reference.as_deref().is_some_and(is_named);
    let is_by_identifier = |c: &&Candidate| {
        c.status == Status::Broadcasting
            && c.message.as_ref().is_some_and(|m| is_named(&m.identifier))
    };
    if let Some(found) = only_one(candidates.clone().filter(is_exact))? {
        return Ok(Found {
            alert: found,
            is_by_identifier_only: false,
        });
    }
    if let Some(found) = only_one(candidates.clone().filter(is_reference))? {
        return Ok(Found {
            alert: found,
            is_by_identifier_only: false,
        });
    }
    match only_one(candidates.filter(is_by_identifier))? {
        Some(alert) => Ok(Found {
            alert,
            is_by_identifier_only: true,
        }),
        None => Err(Miss::NotFound),
    }
}

fn only_one<'a>(mut fits: impl Iterator<Item = &'a Candidate>) -> Result<Option<AlertId>, Miss> {
    match (fits.next(), fits.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => Ok(Some(one.alert)),
        (Some(_), Some(_)) => Err(Miss::Ambiguous),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn message(identifier: &str, sent: i64) -> NamedMessage {
        NamedMessage {
            sender: "agency".to_owned(),
            identifier: identifier.to_owned(),
            sent: Timestamp::from_seconds(sent),
        }
    }

    fn by_cap(id: u128, identifier: &str, status: Status, is_stubbed: bool) -> Candidate {
        Candidate {
            alert: AlertId::new(Uuid::from_u128(id)),
            status,
            is_stubbed,
            message: Some(message(identifier, 1)),
            reference: Some(identifier.to_owned()),
        }
    }

    fn by_author(id: u128, reference: &str) -> Candidate {
        Candidate {
            message: None,
            ..by_cap(id, reference, Status::Broadcasting, false)
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "compared with results")]
    fn exact(id: u128) -> Result<Found, Miss> {
        Ok(Found {
            alert: AlertId::new(Uuid::from_u128(id)),
            is_by_identifier_only: false,
        })
    }

    #[test]
    fn which_alert_a_cancel_means() {
        use Status::{Broadcasting, PendingApproval};
        let loose = Ok(Found {
            alert: AlertId::new(Uuid::from_u128(1)),
            is_by_identifier_only: true,
        });
        let live = |id, name| by_cap(id, name, Broadcasting, false);
        let stub = |id, name| by_cap(id, name, Broadcasting, true);
        // the rule, the references, the alerts, a test key?, what is found
        let cases = [
            (
                "exact",
                vec![message("a", 1)],
                vec![live(1, "a"), live(2, "b")],
                false,
                exact(1),
            ),
            (
                "nothing",
                vec![message("c", 1)],
                vec![live(1, "a")],
                false,
                Err(Miss::NotFound),
            ),
            (
                "an author's reference",
                vec![message("a", 9)],
                vec![by_author(1, "a")],
                false,
                exact(1),
            ),
            (
                "an exact triple before a reference",
                vec![message("a", 1)],
                vec![by_author(2, "a"), live(1, "a")],
                false,
                exact(1),
            ),
            (
                "the identifier alone",
                vec![message("a", 9)],
                vec![live(1, "a")],
                false,
                loose,
            ),
            (
                "the identifier alone only of what is broadcasting",
                vec![message("a", 9)],
                vec![by_cap(1, "a", PendingApproval, false)],
                false,
                Err(Miss::NotFound),
            ),
            (
                "several",
                vec![message("a", 1), message("b", 1)],
                vec![live(1, "a"), live(2, "b")],
                false,
                Err(Miss::Ambiguous),
            ),
            (
                "the same alert named twice",
                vec![message("a", 1), message("a", 1)],
                vec![live(1, "a")],
                false,
                exact(1),
            ),
            (
                "real before stubbed",
                vec![message("a", 1)],
                vec![stub(2, "a"), live(1, "a")],
                false,
                exact(1),
            ),
            (
                "stubbed if none is real",
                vec![message("a", 1)],
                vec![stub(1, "a")],
                false,
                exact(1),
            ),
            (
                "a test key and a real alert",
                vec![message("a", 1)],
                vec![live(1, "a")],
                true,
                Err(Miss::LiveWithTestKey),
            ),
            (
                "a test key and both",
                vec![message("a", 1)],
                vec![live(2, "a"), stub(1, "a")],
                true,
                exact(1),
            ),
        ];
        for (rule, named, candidates, is_test_key, want) in cases {
            assert_eq!(find(&named, &candidates, is_test_key), want, "{rule}");
        }
    }
}
