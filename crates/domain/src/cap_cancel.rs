//! Which alert a CAP Cancel or a CAP Update means (D41).

use crate::alert::Status;
use crate::ids::AlertId;
use crate::time::Timestamp;

/// An earlier message that a Cancel or an Update names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedMessage {
    /// Its `sender`.
    pub sender: String,
    /// Its `identifier`.
    pub identifier: String,
    /// Its `sent`, as an instant.
    pub sent: Timestamp,
}

/// An alert of the service that a message may mean: draft, pending, returned or broadcasting.
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
    /// The Updates of it, whatever became of them.
    pub updates: Vec<NamedMessage>,
    /// The author's name for it.
    pub reference: Option<String>,
}

impl Candidate {
    /// Every message that is about it.
    fn messages(&self) -> impl Iterator<Item = &NamedMessage> {
        self.message.iter().chain(&self.updates)
    }
}

/// The alert that a message means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub alert: AlertId,
    /// Sender or sent differ from what made the alert: worth a warning in log and audit.
    pub is_by_identifier_only: bool,
}

/// Why a message means none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Miss {
    /// Nothing fits (404).
    NotFound,
    /// Several fit equally well (400).
    Ambiguous,
    /// A test key names a real alert (403).
    LiveWithTestKey,
}

type Search = fn(&[NamedMessage], &[&Candidate]) -> Result<Option<Found>, Miss>;

/// Finds the alert that `named` means among `candidates`. An exact triple, or an author's
/// reference, counts before an identifier whose sender or sent differ; within each of these a
/// normal key sees real alerts before stubbed ones. A test key may touch stubbed ones only.
pub fn find(
    named: &[NamedMessage],
    candidates: &[Candidate],
    is_test_key: bool,
) -> Result<Found, Miss> {
    let (real, stubbed): (Vec<&Candidate>, Vec<&Candidate>) = candidates
        .iter()
        .partition(|candidate| !candidate.is_stubbed);
    let searches = [
        (find_exact as Search, real.as_slice()),
        (find_exact, stubbed.as_slice()),
        (find_by_identifier, real.as_slice()),
        (find_by_identifier, stubbed.as_slice()),
    ];
    // A test key is told of a real alert only when no stubbed one fits as well.
    let order = if is_test_key {
        [1, 0, 3, 2]
    } else {
        [0, 1, 2, 3]
    };
    for place in order {
        let (search, among) = searches[place];
        let is_real = place % 2 == 0;
        match search(named, among) {
            Ok(None) => {}
            Ok(Some(_)) | Err(Miss::Ambiguous) if is_test_key && is_real => {
                return Err(Miss::LiveWithTestKey);
            }
            Ok(Some(found)) => return Ok(found),
            Err(miss) => return Err(miss),
        }
    }
    Err(Miss::NotFound)
}

/// An alert made or updated by exactly one of the messages; else one whose author gave it the
/// identifier as its reference.
fn find_exact(named: &[NamedMessage], among: &[&Candidate]) -> Result<Option<Found>, Miss> {
    let is_exact = |c: &&&Candidate| c.messages().any(|m| named.contains(m));
    let is_reference = |c: &&&Candidate| {
        let is_named = |name: &str| named.iter().any(|n| n.identifier == name);
        c.message.is_none() && c.reference.as_deref().is_some_and(is_named)
    };
    let found = match only_one(among.iter().filter(is_exact))? {
        Some(alert) => Some(alert),
        None => only_one(among.iter().filter(is_reference))?,
    };
    Ok(found.map(|alert| Found {
        alert,
        is_by_identifier_only: false,
    }))
}

/// A broadcasting alert that a message of the identifier made or updated, whatever its sender and
/// sent.
fn find_by_identifier(named: &[NamedMessage], among: &[&Candidate]) -> Result<Option<Found>, Miss> {
    let fits = |c: &&&Candidate| {
        let mut messages = c.messages();
        c.status == Status::Broadcasting
            && messages.any(|m| named.iter().any(|n| n.identifier == m.identifier))
    };
    let found = only_one(among.iter().filter(fits))?;
    Ok(found.map(|alert| Found {
        alert,
        is_by_identifier_only: true,
    }))
}

fn only_one<'a>(
    mut fits: impl Iterator<Item = &'a &'a Candidate>,
) -> Result<Option<AlertId>, Miss> {
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
            updates: Vec::new(),
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
        let stub_sent = |id, name, sent| Candidate {
            message: Some(message(name, sent)),
            ..by_cap(id, name, Broadcasting, true)
        };
        let updated = |id, name, update| Candidate {
            updates: vec![message(update, 2)],
            ..by_cap(id, name, Broadcasting, false)
        };
        let own_updated = Candidate {
            updates: vec![message("u", 2)],
            ..by_author(1, "a")
        };
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
                "an Update of it",
                vec![message("u", 2)],
                vec![updated(1, "a", "u"), updated(2, "b", "v")],
                false,
                exact(1),
            ),
            (
                "all messages of it",
                vec![message("a", 1), message("u", 2)],
                vec![updated(1, "a", "u"), live(2, "b")],
                false,
                exact(1),
            ),
            (
                "the Update of one and the Alert of another",
                vec![message("b", 1), message("u", 2)],
                vec![updated(1, "a", "u"), live(2, "b")],
                false,
                Err(Miss::Ambiguous),
            ),
            (
                "the identifier of an Update alone",
                vec![message("u", 9)],
                vec![updated(1, "a", "u")],
                false,
                loose,
            ),
            (
                "the reference of an author's that was updated",
                vec![message("a", 9)],
                vec![own_updated],
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
                "an exact stubbed one before a real one by its identifier",
                vec![message("a", 9)],
                vec![live(2, "a"), stub_sent(1, "a", 9)],
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
