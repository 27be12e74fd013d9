//! Counters: one row each, raised inside the transaction that uses the number (D36).

use crate::sql::{Row, StoreError};
use crate::store::Tx;

statements! {
    RAISE: "UPDATE counters SET value = value + 1 WHERE name = $1 RETURNING value";
    LOAD: "SELECT value FROM counters WHERE name = $1";
}

impl Tx {
    /// A counter's value; `None` where there is no such counter.
    pub async fn load_counter(&mut self, name: &str) -> Result<Option<i64>, StoreError> {
        fetch_optional!(self, |row| row.int("value"), LOAD, name.to_owned())
    }

    /// The next IBAG message number: 1, 2, … Gaps are fine; a number is never used twice.
    pub async fn next_message_number(&mut self) -> Result<u32, StoreError> {
        let number = fetch_optional!(self, |row| row.count("value"), RAISE, "message_number")?;
        number.ok_or(StoreError::RowCount {
            statement: RAISE.name,
            expected: 1,
            actual: 0,
        })
    }
}
