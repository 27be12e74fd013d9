//! Lanes: the queue of alerts, and what `lane::step` works on.
//!
//! A lane is read and saved under its row lock. [`Tx::save_lane`] stores the difference between the
//! lane that was read and the lane that `step` made of it; every write is conditional on what was
//! read and its row count is checked, so that a lane that was changed without the lock is an error
//! and not a lost update.

use balefire_domain::ids::{AlertId, AttemptId, DeliveryId, InstanceId};
use balefire_domain::lane::next_wake;
use balefire_domain::lane::{Attempt, Closed, Delivery, HoldReason, Kind, Lane, MootReason, State};
use balefire_domain::outcome::Outcome;
use balefire_domain::provider::ProviderName;
use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError, inconsistent, misspelt};
use crate::store::Tx;

/// Names a lane.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneKey {
    /// The alert.
    pub alert_id: AlertId,
    /// The provider.
    pub provider: ProviderName,
}

impl std::fmt::Display for LaneKey {
    /// `<alert id>/<provider>`, as our own proxies are told (D27).
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.alert_id, self.provider)
    }
}

/// A lane whose time to wake has come.
#[derive(Clone, Debug)]
pub struct DueLane {
    /// Which.
    pub key: LaneKey,
    /// What may be sent next is a cancel.
    pub is_cancelling: bool,
}

/// What is known of an attempt's answer beside its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AnswerRecord {
    /// In plain words, at most 200 characters.
    pub detail: String,
    /// The HTTP status.
    pub http_status: Option<u16>,
    /// SHA-256 of the answer's body, in hex.
    pub answer_sha256: Option<String>,
}

statements! {
    INSERT: "INSERT INTO lanes (alert_id, provider, finishes_at, created_at, is_cancelling)
        VALUES ($1, $2, $3, $4, FALSE)";
    LOCK (lock): "SELECT finishes_at, is_tainted FROM lanes WHERE alert_id = $1 AND provider = $2";
    LIST_OF_ALERT: "SELECT alert_id, provider FROM lanes WHERE alert_id = $1 ORDER BY provider";
    LIST_DUE: "SELECT alert_id, provider, is_cancelling FROM
            (SELECT alert_id, provider, is_cancelling, row_number() OVER
                (PARTITION BY provider ORDER BY is_cancelling DESC, wake_at, alert_id) AS place
            FROM lanes WHERE wake_at <= $1) AS due
        WHERE place <= $2 ORDER BY provider, place";
    OVERDUE: "SELECT alert_id FROM lanes WHERE wake_at <= $1 LIMIT 1";
    LIST_WAITING: "SELECT l.alert_id AS alert_id, l.provider AS provider,
            l.is_cancelling AS is_cancelling
        FROM deliveries d JOIN events e ON e.id = d.event_id
            JOIN lanes l ON l.alert_id = d.alert_id AND l.provider = d.provider
        WHERE d.provider = $1 AND d.state = 'backoff'
        ORDER BY CASE WHEN d.kind = 'cancel' THEN 0
                WHEN e.channel IN ('government', 'severe') THEN 1 ELSE 2 END,
            d.created_at DESC, d.alert_id LIMIT $2";
    HAS_DUE: "SELECT alert_id FROM lanes WHERE provider = $1 AND wake_at <= $2 LIMIT 1";
    LIST_ORPHANED: "SELECT a.alert_id AS alert_id, a.provider AS provider, a.id AS attempt_id
        FROM attempts a JOIN instances i ON i.id = a.opened_by
        WHERE a.closed_at IS NULL AND i.ended_at IS NOT NULL
        ORDER BY a.opened_at, a.id LIMIT $1";
    WAKE: "UPDATE lanes SET wake_at = $3, is_cancelling = $4
        WHERE alert_id = $1 AND provider = $2";
    // Without the payload, which is far larger than all the rest.
    LIST_DELIVERIES: "SELECT id, seq, kind, state, reason, due_at, ended_at, round, is_stuck,
            created_at, ends_at
        FROM deliveries WHERE alert_id = $1 AND provider = $2 ORDER BY seq";
    LIST_ATTEMPTS: "SELECT * FROM attempts WHERE alert_id = $1 AND provider = $2
        ORDER BY opened_at, id";
    UPDATE_DELIVERY: "UPDATE deliveries SET state = $2, reason = $3, due_at = $4, ended_at = $5,
            round = $6, is_stuck = $7
        WHERE id = $1 AND ended_at IS NULL AND state = $8 AND reason IS NOT DISTINCT FROM $9
            AND due_at IS NOT DISTINCT FROM $10 AND round = $11 AND is_stuck = $12";
    INSERT_ATTEMPT: "INSERT INTO attempts (id, delivery_id, alert_id, provider, seq, slot, route,
            round, opened_at, deadline_at, drained_at, opened_by, detail)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '')";
    CLOSE_ATTEMPT: "UPDATE attempts SET closed_at = $2, outcome = $3
        WHERE id = $1 AND closed_at IS NULL";
    UPGRADE_ATTEMPT: "UPDATE attempts SET closed_at = $2, outcome = $3
        WHERE id = $1 AND outcome NOT IN ('accepted', 'duplicate')";
    SAVE_ANSWER: "UPDATE attempts SET detail = $2, http_status = $3, answer_sha256 = $4
        WHERE id = $1";
}

impl Tx {
    /// Stores a new lane.
    pub async fn insert_lane(
        &mut self,
        key: &LaneKey,
        finishes_at: Timestamp,
    ) -> Result<(), StoreError> {
        let now = self.now.micros();
        execute_one!(
            self,
            INSERT,
            key.alert_id.to_string(),
            key.provider.as_str().to_owned(),
            finishes_at.micros(),
            now
        )
    }

    /// Locks a lane, then reads everything that `step` judges by statements of their own (D59): of
    /// the locked row itself the lock answers with the newest.
    pub async fn lock_lane(&mut self, key: &LaneKey) -> Result<Option<Lane>, StoreError> {
        let (alert, provider) = (key.alert_id.to_string(), key.provider.as_str().to_owned());
        let known = fetch_optional!(
            self,
            |row| Ok((row.instant("finishes_at")?, row.bool("is_tainted")?)),
            LOCK,
            alert.clone(),
            provider.clone()
        )?;
        let Some((finishes_at, is_tainted)) = known else {
            return Ok(None);
        };
        let deliveries = fetch_all!(
            self,
            read_delivery,
            LIST_DELIVERIES,
            alert.clone(),
            provider.clone()
        )?;
        let attempts = fetch_all!(
            self,
            read_attempt,
            LIST_ATTEMPTS,
            alert.clone(),
            provider.clone()
        )?;
        Ok(Some(Lane {
            finishes_at,
            deliveries,
            attempts,
            is_tainted,
        }))
    }

    /// Stores what became of a lane. Deliveries that are new in `is` were inserted before.
    pub async fn save_lane(
        &mut self,
        key: &LaneKey,
        was: &Lane,
        is: &Lane,
    ) -> Result<(), StoreError> {
        for attempt in &is.attempts {
            match was.attempts.iter().find(|known| known.id == attempt.id) {
                None => self.insert_attempt(key, attempt).await?,
                Some(known) if known != attempt => self.close_attempt(known, attempt).await?,
                Some(_) => {}
            }
        }
        for delivery in &is.deliveries {
            let known = was.deliveries.iter().find(|known| known.id == delivery.id);
            let known = known.cloned().unwrap_or_else(|| as_inserted(delivery));
            if known != *delivery {
                self.update_delivery(&known, delivery).await?;
            }
        }
        let wake_at = next_wake(is, self.now).map(Timestamp::micros);
        let is_cancelling = is
            .active()
            .is_some_and(|active| active.kind == Kind::Cancel);
        execute_one!(
            self,
            WAKE,
            key.alert_id.to_string(),
            key.provider.as_str().to_owned(),
            wake_at,
            is_cancelling
        )
    }

    async fn insert_attempt(&mut self, key: &LaneKey, attempt: &Attempt) -> Result<(), StoreError> {
        execute_one!(
            self,
            INSERT_ATTEMPT,
            attempt.id.to_string(),
            attempt.delivery.to_string(),
            key.alert_id.to_string(),
            key.provider.as_str().to_owned(),
            i64::from(attempt.seq),
            i64::from(attempt.slot),
            attempt.route.clone(),
            i64::from(attempt.round),
            attempt.opened_at.micros(),
            attempt.deadline_at.micros(),
            attempt.drained_at.micros(),
            attempt.opened_by.to_string(),
        )
    }

    async fn close_attempt(&mut self, was: &Attempt, is: &Attempt) -> Result<(), StoreError> {
        let Some(Closed { at, outcome }) = is.closed else {
            return Err(inconsistent("closed_at", "an attempt was reopened"));
        };
        let sql = if was.is_open() {
            CLOSE_ATTEMPT
        } else {
            UPGRADE_ATTEMPT
        };
        execute_one!(self, sql, is.id.to_string(), at.micros(), outcome.as_str())
    }

    async fn update_delivery(&mut self, was: &Delivery, is: &Delivery) -> Result<(), StoreError> {
        let (known, columns) = (StateColumns::of(was.state), StateColumns::of(is.state));
        execute_one!(
            self,
            UPDATE_DELIVERY,
            is.id.to_string(),
            is.state.as_str(),
            columns.reason,
            columns.due_at.map(Timestamp::micros),
            columns.ended_at.map(Timestamp::micros),
            i64::from(is.round),
            is.is_stuck,
            was.state.as_str(),
            known.reason,
            known.due_at.map(Timestamp::micros),
            i64::from(was.round),
            was.is_stuck,
        )
    }

    /// Keeps what an attempt was answered.
    pub async fn save_answer(
        &mut self,
        attempt: AttemptId,
        answer: &AnswerRecord,
    ) -> Result<(), StoreError> {
        execute_one!(
            self,
            SAVE_ANSWER,
            attempt.to_string(),
            answer.detail.clone(),
            answer.http_status.map(i64::from),
            answer.answer_sha256.clone(),
        )
    }

    /// The lanes of an alert, in provider order: the order in which to lock them (D59).
    pub async fn list_lanes(&mut self, alert: AlertId) -> Result<Vec<LaneKey>, StoreError> {
        fetch_all!(self, read_key, LIST_OF_ALERT, alert.to_string())
    }

    /// Lanes whose time to wake has come: of every provider at most `limit`, so that a crowd at
    /// one hides no other; cancels first, then the longest waiting.
    pub async fn list_due_lanes(&mut self, limit: usize) -> Result<Vec<DueLane>, StoreError> {
        let now = self.now.micros();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        fetch_all!(self, read_due, LIST_DUE, now, limit)
    }

    /// Whether a lane of this provider is due.
    pub async fn has_due_lanes(&mut self, provider: &str) -> Result<bool, StoreError> {
        let now = self.now.micros();
        let due = fetch_optional!(
            self,
            |row| row.text("alert_id"),
            HAS_DUE,
            provider.to_owned(),
            now
        )?;
        Ok(due.is_some())
    }

    /// Whether a lane has been due since `since` and nobody has looked at it.
    pub async fn is_lane_overdue(&mut self, since: Timestamp) -> Result<bool, StoreError> {
        let found = fetch_optional!(self, |row| row.text("alert_id"), OVERDUE, since.micros())?;
        Ok(found.is_some())
    }

    /// Lanes of a provider that wait for their next round, at most `limit`: cancels first, then
    /// the severe, then the newest.
    pub async fn list_waiting_lanes(
        &mut self,
        provider: &ProviderName,
        limit: usize,
    ) -> Result<Vec<DueLane>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        fetch_all!(
            self,
            read_due,
            LIST_WAITING,
            provider.as_str().to_owned(),
            limit
        )
    }

    /// Open attempts whose process is dead (D26), at most `limit`.
    pub async fn list_orphaned_attempts(
        &mut self,
        limit: usize,
    ) -> Result<Vec<(LaneKey, AttemptId)>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        fetch_all!(self, read_orphan, LIST_ORPHANED, limit)
    }
}

/// What `Tx::insert_delivery` made of a new delivery.
fn as_inserted(delivery: &Delivery) -> Delivery {
    Delivery {
        state: State::Ready,
        round: 1,
        is_stuck: false,
        ..delivery.clone()
    }
}

struct StateColumns {
    reason: Option<&'static str>,
    due_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
}

impl StateColumns {
    fn of(state: State) -> Self {
        let none = Self {
            reason: None,
            due_at: None,
            ended_at: None,
        };
        match state {
            State::Ready | State::InFlight => none,
            State::Backoff { due_at } => Self {
                due_at: Some(due_at),
                ..none
            },
            State::Held { reason, until } => Self {
                reason: Some(reason.as_str()),
                due_at: until,
                ..none
            },
            State::Acknowledged { at } | State::Superseded { at } | State::Expired { at } => Self {
                ended_at: Some(at),
                ..none
            },
            State::Moot { reason, at } => Self {
                reason: Some(reason.as_str()),
                ended_at: Some(at),
                ..none
            },
        }
    }
}

pub(crate) fn read_key(row: &impl Row) -> Result<LaneKey, StoreError> {
    let provider = row.text("provider")?;
    let provider =
        ProviderName::new(provider.clone()).map_err(|_| misspelt("provider", &provider))?;
    Ok(LaneKey {
        alert_id: row.id("alert_id", AlertId::new)?,
        provider,
    })
}

fn read_due(row: &impl Row) -> Result<DueLane, StoreError> {
    Ok(DueLane {
        key: read_key(row)?,
        is_cancelling: row.bool("is_cancelling")?,
    })
}

fn read_orphan(row: &impl Row) -> Result<(LaneKey, AttemptId), StoreError> {
    Ok((read_key(row)?, row.id("attempt_id", AttemptId::new)?))
}

pub(crate) fn read_delivery(row: &impl Row) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        id: row.id("id", DeliveryId::new)?,
        seq: row.count("seq")?,
        kind: row.word("kind", Kind::parse)?,
        state: read_state(row)?,
        round: row.count("round")?,
        created_at: row.instant("created_at")?,
        ends_at: row.instant("ends_at")?,
        is_stuck: row.bool("is_stuck")?,
    })
}

fn read_state(row: &impl Row) -> Result<State, StoreError> {
    let word = row.text("state")?;
    Ok(match word.as_str() {
        "ready" => State::Ready,
        "in_flight" => State::InFlight,
        "backoff" => State::Backoff {
            due_at: row.instant("due_at")?,
        },
        "held" => State::Held {
            reason: row.word("reason", HoldReason::parse)?,
            until: row.opt_instant("due_at")?,
        },
        "acknowledged" => State::Acknowledged {
            at: row.instant("ended_at")?,
        },
        "superseded" => State::Superseded {
            at: row.instant("ended_at")?,
        },
        "expired" => State::Expired {
            at: row.instant("ended_at")?,
        },
        "moot" => State::Moot {
            reason: row.word("reason", MootReason::parse)?,
            at: row.instant("ended_at")?,
        },
        _ => return Err(misspelt("state", &word)),
    })
}

pub(crate) fn read_attempt(row: &impl Row) -> Result<Attempt, StoreError> {
    let slot = row.int("slot")?;
    let closed = match row.opt_instant("closed_at")? {
        None => None,
        Some(at) => Some(Closed {
            at,
            outcome: row.word("outcome", Outcome::parse)?,
        }),
    };
    Ok(Attempt {
        id: row.id("id", AttemptId::new)?,
        delivery: row.id("delivery_id", DeliveryId::new)?,
        seq: row.count("seq")?,
        slot: u8::try_from(slot).map_err(|_| inconsistent("slot", &slot.to_string()))?,
        route: row.text("route")?,
        round: row.count("round")?,
        opened_at: row.instant("opened_at")?,
        deadline_at: row.instant("deadline_at")?,
        drained_at: row.instant("drained_at")?,
        opened_by: row.id("opened_by", InstanceId::new)?,
        closed,
    })
}
