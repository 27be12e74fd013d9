//! What an import tells: counts per table, and by name what was refused or is another here.

use std::collections::BTreeMap;

use balefire_domain::limits::EARLIER_TOLD_MAX;
use serde_json::{Value, json};

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was not here: brought, or would be.
    New,
    /// It is here, and says the same.
    Same,
    /// It is here and says something else, which is not overwritten: in what.
    Differs(String),
    /// It can't be brought: why.
    Refused(String),
    /// It is not wanted here.
    Left,
}

/// How many rows of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Were read.
    pub read: u64,
    /// Were brought, or would be.
    pub new: u64,
    /// Are here already.
    pub same: u64,
    /// Are here and say something else.
    pub differs: u64,
    /// Can't be brought.
    pub refused: u64,
    /// Are not wanted here.
    pub left: u64,
}

/// A row of which more is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The earlier service's table.
    pub table: &'static str,
    /// The row's key.
    pub name: String,
    /// `refused`, `differs` or `note`.
    pub what: &'static str,
    /// Why, or in what.
    pub why: String,
}

impl Told {
    fn to_json(&self) -> Value {
        json!({ "table": self.table, "row": self.name, "what": self.what, "why": self.why })
    }
}

/// What came of an import.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Nothing was written.
    pub is_dry: bool,
    /// Per table of the earlier service.
    pub tables: BTreeMap<&'static str, Counts>,
    /// The first of the rows of which more is to be told.
    pub told: Vec<Told>,
    /// How many more there are.
    pub untold: u64,
    /// Alerts on the air there that are not here, or not as they are there: the first of them.
    pub alarms: Vec<Told>,
    /// How many more of those there are.
    pub unalarmed: u64,
    /// Alerts that are not over and were brought now: held until a person releases the database.
    pub held: Vec<String>,
    /// The highest message number that the earlier service gave out.
    pub last_number: i64,
}

impl Report {
    pub(super) fn note(&mut self, table: &'static str, name: &str, fate: &Fate) {
        let counts = self.tables.entry(table).or_default();
        counts.read += 1;
        let (count, told) = match fate {
            Fate::New => (&mut counts.new, None),
            Fate::Same => (&mut counts.same, None),
            Fate::Left => (&mut counts.left, None),
            Fate::Differs(why) => (&mut counts.differs, Some(("differs", why))),
            Fate::Refused(why) => (&mut counts.refused, Some(("refused", why))),
        };
        *count += 1;
        if let Some((what, why)) = told {
            self.tell(table, name, what, why.clone());
        }
    }

    /// Tells of an alert that is on the air, which no list of other rows crowds out.
    pub(super) fn alarm(&mut self, table: &'static str, name: &str, fate: &Fate) {
        let (what, why) = match fate {
            Fate::Refused(why) => ("refused", why),
            Fate::Differs(why) => ("differs", why),
            Fate::New | Fate::Same | Fate::Left => return,
        };
        if self.alarms.len() < EARLIER_TOLD_MAX {
            self.alarms.push(Told {
                table,
                name: name.to_owned(),
                what,
                why: why.clone(),
            });
        } else {
            self.unalarmed += 1;
        }
    }

    pub(super) fn tell(
        &mut self,
        table: &'static str,
        name: &str,
        what: &'static str,
        why: String,
    ) {
        if self.told.len() < EARLIER_TOLD_MAX {
            self.told.push(Told {
                table,
                name: name.to_owned(),
                what,
                why,
            });
        } else {
            self.untold += 1;
        }
    }

    /// All tables together.
    pub fn total(&self) -> Counts {
        self.tables
            .values()
            .fold(Counts::default(), |sum, one| Counts {
                read: sum.read + one.read,
                new: sum.new + one.new,
                same: sum.same + one.same,
                differs: sum.differs + one.differs,
                refused: sum.refused + one.refused,
                left: sum.left + one.left,
            })
    }

    /// Everything that is wanted is here, and says the same.
    pub fn is_complete(&self) -> bool {
        let total = self.total();
        total.refused == 0 && total.differs == 0
    }

    /// The counts alone, for the audit trail.
    pub(super) fn summary(&self) -> Value {
        let of = |(table, counts): (&&'static str, &Counts)| {
            let value = json!({
                "read": counts.read, "new": counts.new, "same": counts.same,
                "differs": counts.differs, "refused": counts.refused, "left": counts.left,
            });
            ((*table).to_owned(), value)
        };
        let tables: serde_json::Map<String, Value> = self.tables.iter().map(of).collect();
        json!({ "tables": tables, "held_alerts": self.held.len() })
    }

    /// The whole, for programs.
    pub fn to_json(&self) -> Value {
        let told = self.told.iter().map(Told::to_json);
        let mut value = self.summary();
        value["dry_run"] = self.is_dry.into();
        value["told"] = told.collect();
        value["untold"] = self.untold.into();
        value["on_air"] = self.alarms.iter().map(Told::to_json).collect();
        value["on_air_untold"] = self.unalarmed.into();
        value["held"] = json!(self.held);
        value["last_message_number"] = self.last_number.into();
        value["complete"] = self.is_complete().into();
        value
    }
}
