//! Bringing the data of the earlier service (ADR 23).
//!
//! What it promises: ids are kept; a row that is there is never overwritten, it is compared and its
//! differences are told; what can't be brought is refused by name and holds up nothing else; a run
//! that was killed anywhere is run again. Nothing is sent by an import: the first alert that is not
//! over holds the whole database in the same transaction, until a platform administrator releases
//! it as after a restore (ADR 7). A dry run decides the same and writes nothing.

mod alerts;
mod outgoing;
mod report;
mod signed;
mod tables;
mod write;

use std::collections::{HashMap, HashSet};

use balefire_domain::audit::Actor;
use balefire_domain::channel::Channel;
use balefire_domain::earlier::record::Table;
use balefire_domain::provider::ProviderName;
use balefire_store::StoreError;
pub use balefire_store::earlier::{Earlier, EarlierError};
use serde_json::json;

pub use report::{Counts, Fate, Report, Told};
pub use signed::EarlierKey;

use crate::{App, repeat};

/// What the audit entries of an import are about.
const OBJECT: &str = "import";
/// The highest message number of the earlier service, whose column is an `INTEGER`: ours go on to
/// twice that, so that no import uses them up.
const NUMBER_MAX: i64 = 2_147_483_647;

/// How an import is to be done.
pub struct Wish<'a> {
    /// Who imports.
    pub actor: Actor,
    /// Decide and tell, and write nothing.
    pub is_dry: bool,
    /// What the keys' secrets were signed with; without it no key is brought.
    pub key: Option<&'a EarlierKey>,
    /// Told of each table how many rows were read of it.
    pub progress: &'a (dyn Fn(&str, u64) + Sync),
}

/// Why an import ended before its end. What was written until then stays; it is run again.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The earlier database.
    #[error(transparent)]
    Earlier(#[from] EarlierError),
    /// Ours.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its numbers of messages are none.
    #[error(
        "the earlier database says that message number {0} was given out; {NUMBER_MAX} is the \
         highest that it can have"
    )]
    Numbers(i64),
    /// Our clock or the database's history can't be told just now.
    #[error("the database's history can't be entered now: is the clock right? Try again")]
    History,
}

/// What a service sends by, as the earlier one had it.
#[derive(Clone)]
pub(crate) struct Sends {
    channel: Channel,
    providers: Option<Vec<ProviderName>>,
}

/// An import under way.
pub(crate) struct Importing<'a> {
    app: &'a App,
    wish: &'a Wish<'a>,
    /// Rows that are here, or would be after this run.
    known: HashSet<(Table, String)>,
    /// Rows that the batch under way brings.
    fresh: HashSet<(Table, String)>,
    /// People who are here under another id, by the id that they had.
    aliases: HashMap<String, String>,
    /// Addresses and names that this run would take, in a dry run.
    taken: HashMap<(Table, String), String>,
    services: HashMap<String, Sends>,
    /// The ended process that stands for the earlier service.
    instance: Option<String>,
    report: Report,
}

impl App {
    /// Imports what the earlier database holds.
    pub async fn import_earlier(
        &self,
        earlier: &mut Earlier,
        wish: &Wish<'_>,
    ) -> Result<Report, ImportError> {
        if !wish.is_dry {
            // The hold of an import must not be taken for a history of the database.
            if self.enter_epoch().await?.is_none() {
                return Err(ImportError::History);
            }
            self.note_import(wish.actor, "database.import", &Report::default())
                .await?;
        }
        let mut importing = Importing {
            app: self,
            wish,
            known: HashSet::new(),
            fresh: HashSet::new(),
            aliases: HashMap::new(),
            taken: HashMap::new(),
            services: HashMap::new(),
            instance: None,
            report: Report {
                is_dry: wish.is_dry,
                ..Report::default()
            },
        };
        // First: whatever is sent after the release must not use a number again.
        importing.raise_numbers(earlier).await?;
        importing.bring_people(earlier).await?;
        importing.bring_services(earlier).await?;
        importing.bring_templates(earlier).await?;
        importing.bring_keys(earlier).await?;
        importing.bring_alerts(earlier).await?;
        let report = importing.report;
        if !wish.is_dry {
            self.note_import(wish.actor, "database.imported", &report)
                .await?;
        }
        let total = report.total();
        tracing::info!(
            event = "import.done",
            dry_run = wish.is_dry,
            read = total.read,
            new = total.new,
            same = total.same,
            differs = total.differs,
            refused = total.refused,
            left = total.left,
            held_alerts = report.held.len(),
            "the earlier service's data was read"
        );
        Ok(report)
    }

    async fn note_import(
        &self,
        actor: Actor,
        action: &'static str,
        report: &Report,
    ) -> Result<(), StoreError> {
        repeat(|| async {
            let mut tx = self.store.begin("note_import", self.clock.now()).await?;
            let details = report.summary();
            self.audit(&mut tx, actor, action, OBJECT.to_owned(), None, details)
                .await?;
            tx.commit().await
        })
        .await
    }
}

impl Importing<'_> {
    async fn raise_numbers(&mut self, earlier: &mut Earlier) -> Result<(), ImportError> {
        let last = earlier.last_number().await?;
        if last > NUMBER_MAX {
            return Err(ImportError::Numbers(last));
        }
        self.report.last_number = last;
        if self.wish.is_dry || last == 0 {
            return Ok(());
        }
        let (app, actor) = (self.app, self.wish.actor);
        repeat(|| async {
            let mut tx = app.store.begin("raise_numbers", app.clock.now()).await?;
            if tx.raise_message_number(last).await? {
                let details = json!({ "message_number": last });
                let action = "database.import_numbers";
                app.audit(&mut tx, actor, action, OBJECT.to_owned(), None, details)
                    .await?;
            }
            tx.commit().await
        })
        .await?;
        Ok(())
    }
}
