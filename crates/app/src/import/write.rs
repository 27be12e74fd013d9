//! Judging rows against what is here, and writing those that are new.

use balefire_domain::earlier::Refusal;
use balefire_domain::earlier::record::{Cell, Record, Table};
use balefire_domain::ids::{AlertId, DutyItemId};
use balefire_domain::lane::DutyKind;
use balefire_store::{StoreError, Tx};
use serde_json::json;
use uuid::Uuid;

use super::{Fate, ImportError, Importing};

/// The process that the attempts of the earlier service are said to be carried out by.
const INSTANCE: &str = "the earlier service";
/// What the duty item is about.
const SUBJECT: &str = "database";

/// A row of the earlier service with everything that becomes of it here: written together or not
/// at all.
pub(super) struct Bundle {
    /// The row's key.
    pub(super) name: String,
    /// What it becomes, the row itself first; or why it can't be brought.
    pub(super) records: Result<Vec<Record>, Refusal>,
    /// A key's secret in plain.
    pub(super) secret: Option<String>,
    /// It is an alert that is not over.
    pub(super) is_live: bool,
    /// It is an alert that people may have on their screens, as it says there.
    pub(super) is_on_air: bool,
    /// What else is to be told of it.
    pub(super) notes: Vec<String>,
}

impl Bundle {
    pub(super) fn of(name: String, records: Result<Vec<Record>, Refusal>) -> Self {
        Self {
            name,
            records,
            secret: None,
            is_live: false,
            is_on_air: false,
            notes: Vec::new(),
        }
    }
}

/// What was decided about a bundle.
struct Judged {
    fate: Fate,
    records: Vec<Record>,
    note: Option<String>,
    /// The person is here under another id.
    alias: Option<(String, String)>,
}

impl Judged {
    const fn of(fate: Fate) -> Self {
        Self {
            fate,
            records: Vec::new(),
            note: None,
            alias: None,
        }
    }
}

impl Importing<'_> {
    /// Brings rows of a table: all in one transaction, or where the database refuses one of them,
    /// each in its own.
    pub(super) async fn bring(
        &mut self,
        table: &'static str,
        mut bundles: Vec<Bundle>,
    ) -> Result<(), ImportError> {
        for bundle in &mut bundles {
            if let Ok(records) = &mut bundle.records {
                self.rename(records);
            }
        }
        let began = self.app.clock.monotonic();
        let judged = match self.try_all(&bundles).await {
            Ok(judged) => judged,
            Err(error) if error.is_unavailable() => return Err(error.into()),
            Err(_) => self.try_each(&bundles).await?,
        };
        for (bundle, judged) in bundles.iter().zip(judged) {
            self.settle(table, bundle, judged);
        }
        (self.wish.progress)(table, self.report.tables.get(table).map_or(0, |c| c.read));
        self.app.let_others_write(began).await;
        Ok(())
    }

    /// People who are here under another id are named by it.
    fn rename(&self, records: &mut [Record]) {
        if self.aliases.is_empty() {
            return;
        }
        for record in records {
            for column in record.table.columns() {
                let renamed = record
                    .get(column)
                    .as_text()
                    .and_then(|id| self.aliases.get(id).cloned());
                if let Some(id) = renamed
                    && record.table.target(column) == Some(Table::Users)
                {
                    record.set(column, id.into());
                }
            }
        }
    }

    fn settle(&mut self, table: &'static str, bundle: &Bundle, judged: Judged) {
        self.report.note(table, &bundle.name, &judged.fate);
        if bundle.is_on_air {
            self.report.alarm(table, &bundle.name, &judged.fate);
        }
        for note in bundle.notes.iter().cloned().chain(judged.note) {
            self.report.tell(table, &bundle.name, "note", note);
        }
        if let Some((was, is)) = judged.alias {
            self.aliases.insert(was, is);
        }
        let is_here = matches!(judged.fate, Fate::New | Fate::Same | Fate::Differs(_));
        if let (true, Ok(records)) = (is_here, &bundle.records) {
            for record in records {
                self.known.insert((record.table, record.name()));
            }
        }
        if judged.fate == Fate::New && bundle.is_live {
            self.report.held.push(bundle.name.clone());
        }
    }

    async fn try_all(&mut self, bundles: &[Bundle]) -> Result<Vec<Judged>, StoreError> {
        let instance = match &self.instance {
            Some(instance) => instance.clone(),
            None => self.app.entropy.uuid_v7(self.app.clock.now()).to_string(),
        };
        // What a try has taken is not taken where it is tried again.
        let taken = self.taken.clone();
        self.fresh.clear();
        let judged = {
            let this = &mut *self;
            let mut tx = if this.wish.is_dry {
                this.app
                    .store
                    .begin_read("import", this.app.clock.now())
                    .await?
            } else {
                this.app.store.begin("import", this.app.clock.now()).await?
            };
            let done = this.judge_all(&mut tx, bundles, &instance).await;
            match done {
                Ok(judged) if this.wish.is_dry => Ok(judged),
                Ok(judged) => tx.commit().await.map(|()| judged),
                Err(error) => Err(error),
            }
        };
        match judged {
            Ok(judged) => {
                let has_attempts = |one: &Judged| {
                    one.fate == Fate::New && one.records.iter().any(|r| r.table == Table::Attempts)
                };
                if judged.iter().any(has_attempts) {
                    self.instance = Some(instance);
                }
                Ok(judged)
            }
            Err(error) => {
                self.taken = taken;
                Err(error)
            }
        }
    }

    async fn try_each(&mut self, bundles: &[Bundle]) -> Result<Vec<Judged>, StoreError> {
        let mut all = Vec::new();
        for bundle in bundles {
            match self.try_all(std::slice::from_ref(bundle)).await {
                Ok(judged) => all.extend(judged),
                Err(error) if error.is_unavailable() => return Err(error),
                Err(error) => {
                    tracing::warn!(
                        event = "import.row_refused",
                        row = bundle.name,
                        error = &error as &dyn std::error::Error,
                        "the database takes this row not"
                    );
                    let why = "the database does not take it (see the log)".to_owned();
                    all.push(Judged::of(Fate::Refused(why)));
                }
            }
        }
        Ok(all)
    }

    async fn judge_all(
        &mut self,
        tx: &mut Tx,
        bundles: &[Bundle],
        instance: &str,
    ) -> Result<Vec<Judged>, StoreError> {
        let mut all = Vec::new();
        let mut has_instance = self.instance.is_some();
        for bundle in bundles {
            let mut judged = self.judge(tx, bundle).await?;
            if judged.fate == Fate::New {
                let names = judged
                    .records
                    .iter()
                    .map(|record| (record.table, record.name()));
                self.fresh.extend(names);
            }
            if judged.fate == Fate::New && !self.wish.is_dry {
                let has_attempts = judged.records.iter().any(|r| r.table == Table::Attempts);
                if has_attempts && !has_instance {
                    tx.insert_ended_instance(instance, INSTANCE).await?;
                    has_instance = true;
                }
                for record in &mut judged.records {
                    if record.table == Table::Attempts {
                        record.set("opened_by", instance.into());
                    }
                    tx.insert_imported(record).await?;
                }
                if bundle.is_live {
                    self.hold(tx, bundle).await?;
                }
            }
            all.push(judged);
        }
        Ok(all)
    }

    /// Holds the database in the transaction that brings an alert which is not over.
    async fn hold(&self, tx: &mut Tx, bundle: &Bundle) -> Result<(), StoreError> {
        let app = self.app;
        let id = format!("import/{}", app.entropy.uuid_v7(tx.now));
        let is_new = tx.hold_for_release(&id).await?;
        let item = DutyItemId::new(app.entropy.uuid_v7(tx.now));
        let kind = DutyKind::AlertsImported;
        if tx.open_duty_item(item, kind, SUBJECT, None, None).await? {
            tracing::error!(
                event = "duty_item.opened",
                kind = kind.as_str(),
                advice = kind.advice(),
                "a person on duty is needed"
            );
        }
        let alert = Uuid::parse_str(&bundle.name).map(AlertId::new);
        let object = alert.map_or_else(|_| bundle.name.clone(), |id| format!("alert {id}"));
        let details = json!({ "held": true, "began_the_hold": is_new });
        let service = bundle.records.as_ref().ok().and_then(|records| {
            let id = records.first()?.get("service_id").as_text()?;
            id.parse().ok()
        });
        app.audit(
            tx,
            self.wish.actor,
            "alert.import",
            object,
            service,
            details,
        )
        .await
    }

    async fn judge(&mut self, tx: &mut Tx, bundle: &Bundle) -> Result<Judged, StoreError> {
        let records = match &bundle.records {
            Ok(records) if records.is_empty() => return Ok(Judged::of(Fate::Left)),
            Ok(records) => records,
            Err(refusal) => return Ok(Judged::of(Fate::Refused(refusal.to_string()))),
        };
        let head = &records[0];
        if let Some(stored) = tx.load_imported(head.table, head.key()).await? {
            let fate = self.compare(tx, bundle, records, &stored).await?;
            return Ok(Judged::of(fate));
        }
        if let Some(joined) = self.find_namesake(tx, head).await? {
            return Ok(joined);
        }
        for record in records {
            if let Some(why) = self.find_absent(tx, record, head).await? {
                return Ok(Judged::of(Fate::Refused(why)));
            }
        }
        let mut records = records.clone();
        if let Some(secret) = &bundle.secret {
            let sealed = self.app.secret_key.seal(secret, &*self.app.entropy);
            records[0].set("secret", sealed.into());
        }
        Ok(Judged {
            records,
            ..Judged::of(Fate::New)
        })
    }

    async fn compare(
        &self,
        tx: &mut Tx,
        bundle: &Bundle,
        records: &[Record],
        stored: &[Option<String>],
    ) -> Result<Fate, StoreError> {
        let head = &records[0];
        let mut found: Vec<String> = Vec::new();
        found.extend(head.differences(stored).into_iter().map(str::to_owned));
        if let Some(secret) = &bundle.secret {
            let place = head
                .table
                .columns()
                .iter()
                .position(|name| *name == "secret");
            let sealed = place
                .and_then(|place| stored[place].as_deref())
                .unwrap_or_default();
            if self.app.secret_key.open(sealed).ok().as_ref() != Some(secret) {
                found.push("secret".to_owned());
            }
        }
        for record in records[1..].iter().filter(|record| record.is_sought) {
            let name = || format!("{} {}", record.table.as_str(), record.name());
            match tx.load_imported(record.table, record.key()).await? {
                None => found.push(format!("{} is not here", name())),
                Some(stored) => {
                    let differences = record.differences(&stored);
                    if !differences.is_empty() {
                        found.push(format!("{}: {}", name(), differences.join(", ")));
                    }
                }
            }
        }
        Ok(if found.is_empty() {
            Fate::Same
        } else {
            Fate::Differs(found.join("; "))
        })
    }

    /// A person whose address somebody here has is that somebody; an organisation whose name
    /// another has can't be brought.
    async fn find_namesake(
        &mut self,
        tx: &mut Tx,
        head: &Record,
    ) -> Result<Option<Judged>, StoreError> {
        let column = match head.table {
            Table::Users => "email",
            Table::Organisations => "name",
            _ => return Ok(None),
        };
        let unique = head.get(column).as_text().unwrap_or_default().to_owned();
        let taken = (head.table, unique.clone());
        let here = match self.taken.get(&taken) {
            Some(id) => Some(id.clone()),
            None if head.table == Table::Users => tx.find_id_of_email(&unique).await?,
            None => tx.find_id_of_organisation(&unique).await?,
        };
        let Some(here) = here else {
            self.taken.insert(taken, head.name());
            return Ok(None);
        };
        Ok(Some(if head.table == Table::Users {
            Judged {
                note: Some(format!("is here as {here}, who has the same address")),
                alias: Some((head.name(), here)),
                ..Judged::of(Fate::Same)
            }
        } else {
            Judged::of(Fate::Refused(format!("name is taken here by {here}")))
        }))
    }

    /// What a record names that is not here, in plain words.
    async fn find_absent(
        &self,
        tx: &mut Tx,
        record: &Record,
        head: &Record,
    ) -> Result<Option<String>, StoreError> {
        for (column, cell) in record.table.columns().iter().zip(&record.cells) {
            let (Some(target), Cell::Text(id)) = (record.table.target(column), cell) else {
                continue;
            };
            let is_own = target == head.table && *id == head.name();
            let named = (target, id.clone());
            if is_own || self.known.contains(&named) || self.fresh.contains(&named) {
                continue;
            }
            let key = std::slice::from_ref(cell);
            if tx.load_imported(target, key).await?.is_none() {
                let what = target.as_str();
                return Ok(Some(format!(
                    "{column} names {id}, which is not among the {what} here"
                )));
            }
        }
        Ok(None)
    }
}
