//! How many messages about an account an address was sent lately.

use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// Old rows that one count takes away.
const SWEPT_MAX: i64 = 100;

statements! {
    SWEEP: "DELETE FROM account_mails WHERE address IN
        (SELECT address FROM account_mails WHERE began_at < $1 LIMIT $2)";
    COUNT: "INSERT INTO account_mails (address, began_at, sent) VALUES ($1, $2, 1)
        ON CONFLICT (address) DO UPDATE SET
            sent = CASE WHEN account_mails.began_at < $3 THEN 1 ELSE account_mails.sent + 1 END,
            began_at = CASE WHEN account_mails.began_at < $3 THEN excluded.began_at
                ELSE account_mails.began_at END";
    LOAD: "SELECT sent FROM account_mails WHERE address = $1";
}

impl Tx {
    /// Counts one more message to an address now; how many they are with it since its count began,
    /// which was not before `since`. Whoever else counts for the address waits for this
    /// transaction.
    pub async fn count_account_mail(
        &mut self,
        address: &str,
        since: Timestamp,
    ) -> Result<u32, StoreError> {
        let (now, since) = (self.now.micros(), since.micros());
        execute_one!(self, COUNT, address.to_owned(), now, since)?;
        let address = address.to_owned();
        let count = fetch_optional!(self, |row| row.count("sent"), LOAD, address)?;
        execute!(self, SWEEP, since, SWEPT_MAX)?;
        Ok(count.unwrap_or(1))
    }
}
