//! What signing in leaves behind: codes, failures, known addresses, old passwords.

use balefire_domain::ids::{FailedLoginId, OldPasswordId, UserId, VerifyCodeId};
use balefire_domain::sign_in::{CodeKind, FAILURES_MAX, Failures};
use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// Old rows that one write takes away.
const SWEPT_MAX: i64 = 100;

/// A code of the second factor. The code itself is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyCode {
    /// Its id.
    pub id: VerifyCodeId,
    /// Whose it is.
    pub user_id: UserId,
    /// How it went out.
    pub kind: CodeKind,
    /// What it is compared by.
    pub digest: String,
    /// The code, encrypted, where it is kept for tests.
    pub sealed: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
}

statements! {
    INSERT_CODE: "INSERT INTO verify_codes
        (id, user_id, kind, digest, sealed, created_at, expires_at, used_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    LIST_CODES: "SELECT * FROM verify_codes WHERE user_id = $1 ORDER BY created_at DESC, id DESC
        LIMIT $2";
    USE_CODE: "UPDATE verify_codes SET used_at = $2 WHERE id = $1 AND used_at IS NULL";
    END_CODES: "UPDATE verify_codes SET used_at = $3
        WHERE user_id = $1 AND kind = $2 AND used_at IS NULL";
    SWEEP_CODES: "DELETE FROM verify_codes WHERE user_id = $1 AND expires_at < $2";
    TOUCH_ADDRESS: "INSERT INTO sign_in_addresses (address, touched_at) VALUES ($1, $2)
        ON CONFLICT (address) DO UPDATE SET touched_at = excluded.touched_at";
    SWEEP_ADDRESSES: "DELETE FROM sign_in_addresses WHERE address IN
        (SELECT address FROM sign_in_addresses WHERE touched_at < $1 LIMIT $2)";
    INSERT_FAILURE: "INSERT INTO failed_logins (id, at, address, user_id)
        VALUES ($1, $2, $3, $4)";
    DELETE_FAILURE: "DELETE FROM failed_logins WHERE id = $1";
    DELETE_FAILURES_OF: "DELETE FROM failed_logins WHERE user_id = $1";
    SWEEP_FAILURES: "DELETE FROM failed_logins WHERE id IN
        (SELECT id FROM failed_logins WHERE at < $1 LIMIT $2)";
    LIST_FAILURES: "SELECT at FROM failed_logins WHERE address = $1 AND at > $2
        ORDER BY at DESC LIMIT $3";
    LIST_FAILURES_AT: "SELECT at FROM failed_logins WHERE user_id = $1 AND address = $2 AND at > $3
        ORDER BY at DESC LIMIT $4";
    KNOW_ADDRESS: "INSERT INTO known_addresses (user_id, address, seen_at) VALUES ($1, $2, $3)
        ON CONFLICT (user_id, address) DO UPDATE SET seen_at = excluded.seen_at";
    LOAD_KNOWN: "SELECT seen_at FROM known_addresses WHERE user_id = $1 AND address = $2";
    SWEEP_KNOWN: "DELETE FROM known_addresses WHERE user_id = $1 AND seen_at < $2";
    INSERT_PASSWORD: "INSERT INTO old_passwords (id, user_id, password_hash, created_at)
        VALUES ($1, $2, $3, $4)";
    LIST_PASSWORDS: "SELECT password_hash FROM old_passwords WHERE user_id = $1
        ORDER BY created_at DESC, id DESC LIMIT $2";
    DELETE_PASSWORDS: "DELETE FROM old_passwords WHERE user_id = $1";
}

impl Tx {
    /// Stores a new code, and forgets the person's codes that ended before `oldest`.
    pub async fn insert_verify_code(
        &mut self,
        code: &VerifyCode,
        oldest: Timestamp,
    ) -> Result<(), StoreError> {
        execute!(self, SWEEP_CODES, code.user_id.to_string(), oldest.micros())?;
        execute_one!(
            self,
            INSERT_CODE,
            code.id.to_string(),
            code.user_id.to_string(),
            code.kind.as_str(),
            code.digest.clone(),
            code.sealed.clone(),
            code.created_at.micros(),
            code.expires_at.micros(),
            code.used_at.map(Timestamp::micros),
        )
    }

    /// A person's codes, the newest first, `max` at most.
    pub async fn list_verify_codes(
        &mut self,
        user: UserId,
        max: u32,
    ) -> Result<Vec<VerifyCode>, StoreError> {
        fetch_all!(
            self,
            read_code,
            LIST_CODES,
            user.to_string(),
            i64::from(max)
        )
    }

    /// Uses a code up; false where it was before.
    pub async fn use_verify_code(&mut self, id: VerifyCodeId) -> Result<bool, StoreError> {
        let now = self.now.micros();
        Ok(execute!(self, USE_CODE, id.to_string(), now)? == 1)
    }

    /// Ends a person's codes of this kind, as if they were used.
    pub async fn end_verify_codes(
        &mut self,
        user: UserId,
        kind: CodeKind,
    ) -> Result<u64, StoreError> {
        let now = self.now.micros();
        execute!(self, END_CODES, user.to_string(), kind.as_str(), now)
    }

    /// Makes every other try from this address wait until this transaction ends, and forgets
    /// addresses and failures from before `oldest`.
    pub async fn lock_address(
        &mut self,
        address: &str,
        oldest: Timestamp,
    ) -> Result<(), StoreError> {
        let (now, oldest) = (self.now.micros(), oldest.micros());
        execute!(self, SWEEP_ADDRESSES, oldest, SWEPT_MAX)?;
        execute!(self, SWEEP_FAILURES, oldest, SWEPT_MAX)?;
        execute!(self, TOUCH_ADDRESS, address.to_owned(), now).map(drop)
    }

    /// Stores a failure now.
    pub async fn insert_failed_login(
        &mut self,
        id: FailedLoginId,
        address: &str,
        user: Option<UserId>,
    ) -> Result<(), StoreError> {
        let now = self.now.micros();
        let user = user.map(|user| user.to_string());
        execute_one!(
            self,
            INSERT_FAILURE,
            id.to_string(),
            now,
            address.to_owned(),
            user.clone()
        )
    }

    /// Takes a failure back.
    pub async fn delete_failed_login(&mut self, id: FailedLoginId) -> Result<(), StoreError> {
        execute!(self, DELETE_FAILURE, id.to_string()).map(drop)
    }

    /// Takes all failures at an account back.
    pub async fn delete_failed_logins_of(&mut self, user: UserId) -> Result<(), StoreError> {
        execute!(self, DELETE_FAILURES_OF, user.to_string()).map(drop)
    }

    /// Failures from an address after `since`; of many, as many as make a difference.
    pub async fn load_failures_from(
        &mut self,
        address: &str,
        since: Timestamp,
    ) -> Result<Failures, StoreError> {
        let times = fetch_all!(
            self,
            |row| row.instant("at"),
            LIST_FAILURES,
            address.to_owned(),
            since.micros(),
            i64::from(FAILURES_MAX)
        )?;
        Ok(failures(&times))
    }

    /// Failures at an account from an address after `since`.
    pub async fn load_failures_at(
        &mut self,
        user: UserId,
        address: &str,
        since: Timestamp,
    ) -> Result<Failures, StoreError> {
        let times = fetch_all!(
            self,
            |row| row.instant("at"),
            LIST_FAILURES_AT,
            user.to_string(),
            address.to_owned(),
            since.micros(),
            i64::from(FAILURES_MAX)
        )?;
        Ok(failures(&times))
    }

    /// When a person last signed in from an address.
    pub async fn load_known_address(
        &mut self,
        user: UserId,
        address: &str,
    ) -> Result<Option<Timestamp>, StoreError> {
        fetch_optional!(
            self,
            |row| row.instant("seen_at"),
            LOAD_KNOWN,
            user.to_string(),
            address.to_owned()
        )
    }

    /// A person signs in from an address now; those where they last did before `oldest` are
    /// forgotten.
    pub async fn know_address(
        &mut self,
        user: UserId,
        address: &str,
        oldest: Timestamp,
    ) -> Result<(), StoreError> {
        let now = self.now.micros();
        execute!(self, SWEEP_KNOWN, user.to_string(), oldest.micros())?;
        execute!(
            self,
            KNOW_ADDRESS,
            user.to_string(),
            address.to_owned(),
            now
        )
        .map(drop)
    }

    /// Remembers the hash of a password that a person has now.
    pub async fn insert_old_password(
        &mut self,
        id: OldPasswordId,
        user: UserId,
        hash: &str,
    ) -> Result<(), StoreError> {
        let now = self.now.micros();
        execute_one!(
            self,
            INSERT_PASSWORD,
            id.to_string(),
            user.to_string(),
            hash.to_owned(),
            now
        )
    }

    /// The hashes of the passwords that a person had, the newest first, `max` at most.
    pub async fn list_old_passwords(
        &mut self,
        user: UserId,
        max: u32,
    ) -> Result<Vec<String>, StoreError> {
        fetch_all!(
            self,
            |row| row.text("password_hash"),
            LIST_PASSWORDS,
            user.to_string(),
            i64::from(max)
        )
    }

    /// Forgets the passwords that a person had.
    pub async fn delete_old_passwords(&mut self, user: UserId) -> Result<u64, StoreError> {
        execute!(self, DELETE_PASSWORDS, user.to_string())
    }
}

/// Of times, the newest first.
fn failures(times: &[Timestamp]) -> Failures {
    Failures {
        count: u32::try_from(times.len()).unwrap_or(u32::MAX),
        last_at: times.first().copied(),
    }
}

fn read_code(row: &impl Row) -> Result<VerifyCode, StoreError> {
    Ok(VerifyCode {
        id: row.id("id", VerifyCodeId::new)?,
        user_id: row.id("user_id", UserId::new)?,
        kind: row.word("kind", CodeKind::parse)?,
        digest: row.text("digest")?,
        sealed: row.opt_text("sealed")?,
        created_at: row.instant("created_at")?,
        expires_at: row.instant("expires_at")?,
        used_at: row.opt_instant("used_at")?,
    })
}
