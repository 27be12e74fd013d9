//! People, services, templates and keys: which rows of the earlier service belong together.

use std::collections::HashMap;

use balefire_domain::channel::Channel;
use balefire_domain::earlier::record::Record;
use balefire_domain::earlier::{Refusal, Row, people, services, templates};
use balefire_domain::limits::EARLIER_FOLDERS_MAX;
use balefire_store::earlier::{Earlier, EarlierError, Named, Part, Source};

use super::write::Bundle;
use super::{ImportError, Importing, Sends};

/// Characters of a signed secret.
const SIGNED_CHARS_MAX: usize = 1_000;

/// Rows by what they belong to. A row that can't be read spoils what it belongs to.
pub(super) struct Parts {
    /// Whether the earlier schema has the table.
    pub(super) is_there: bool,
    of: HashMap<String, Vec<Result<Row, Refusal>>>,
}

impl Parts {
    pub(super) async fn read(
        earlier: &mut Earlier,
        part: Part,
        ids: &[String],
    ) -> Result<Self, EarlierError> {
        let rows = earlier.parts(part, ids).await?;
        let is_there = rows.is_some();
        let mut of: HashMap<String, Vec<_>> = HashMap::new();
        for row in rows.unwrap_or_default() {
            of.entry(row.name).or_default().push(row.row);
        }
        Ok(Self { is_there, of })
    }

    /// The rows of one.
    pub(super) fn of(&self, name: &str) -> Result<Vec<Row>, Refusal> {
        let rows = self.of.get(name).map_or(&[][..], Vec::as_slice);
        rows.iter().cloned().collect()
    }
}

/// The names of rows that are ids.
pub(super) fn ids(rows: &[Named]) -> Vec<String> {
    rows.iter().map(|row| row.name.clone()).collect()
}

/// A column of rows that holds ids.
pub(super) fn ids_in(rows: &[Named], column: &str) -> Vec<String> {
    let rows = rows.iter().filter_map(|row| row.row.as_ref().ok());
    rows.filter_map(|row| row.opt_id(column).ok().flatten())
        .collect()
}

fn made(row: &Named, make: impl FnOnce(&Row) -> Result<Record, Refusal>) -> Bundle {
    let record = row.row.clone().and_then(|row| make(&row));
    Bundle::of(row.name.clone(), record.map(|record| vec![record]))
}

impl Importing<'_> {
    /// Brings a table of which each row is one here.
    async fn bring_simple(
        &mut self,
        earlier: &mut Earlier,
        source: Source,
        make: impl Fn(&Row) -> Result<Record, Refusal>,
    ) -> Result<(), ImportError> {
        if !earlier.begin(source).await? {
            return Ok(());
        }
        loop {
            let rows = earlier.next(false).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let bundles = rows.iter().map(|row| made(row, &make)).collect();
            self.bring(source.table(), bundles).await?;
        }
    }

    pub(super) async fn bring_people(&mut self, earlier: &mut Earlier) -> Result<(), ImportError> {
        let now = self.app.clock.now();
        if earlier.begin(Source::Organisations).await? {
            loop {
                let rows = earlier.next(false).await?;
                if rows.is_empty() {
                    break;
                }
                let domains = Parts::read(earlier, Part::Domains, &ids(&rows)).await?;
                let make = |row: &Named| {
                    made(row, |one| {
                        people::organisation(one, &domains.of(&row.name)?)
                    })
                };
                let bundles = rows.iter().map(make).collect();
                self.bring(Source::Organisations.table(), bundles).await?;
            }
        }
        self.bring_simple(earlier, Source::Users, people::user)
            .await?;
        let member = |row: &Row| people::organisation_member(row, now);
        self.bring_simple(earlier, Source::OrganisationMembers, member)
            .await?;
        self.bring_simple(earlier, Source::Credentials, people::credential)
            .await?;
        self.bring_simple(earlier, Source::FeatureToggles, people::feature_toggle)
            .await
    }

    pub(super) async fn bring_services(
        &mut self,
        earlier: &mut Earlier,
    ) -> Result<(), ImportError> {
        if earlier.begin(Source::Services).await? {
            loop {
                let rows = earlier.next(false).await?;
                if rows.is_empty() {
                    break;
                }
                let bundles = service_bundles(earlier, &rows).await?;
                for record in bundles.iter().filter_map(|one| one.records.as_ref().ok()) {
                    self.remember_service(&record[0]);
                }
                self.bring(Source::Services.table(), bundles).await?;
            }
        }
        self.bring_folders(earlier).await?;
        self.bring_memberships(earlier).await
    }

    fn remember_service(&mut self, record: &Record) {
        let channel = record.get("channel").as_text().and_then(Channel::parse);
        let Some(channel) = channel else { return };
        let providers = record.get("providers").as_text();
        let providers = providers.and_then(|json| serde_json::from_str(json).ok());
        let sends = Sends { channel, providers };
        self.services.insert(record.name(), sends);
    }

    async fn bring_memberships(&mut self, earlier: &mut Earlier) -> Result<(), ImportError> {
        let source = Source::Memberships;
        if !earlier.begin(source).await? {
            return Ok(());
        }
        let now = self.app.clock.now();
        loop {
            let rows = earlier.next(false).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let users = ids_in(&rows, "user_id");
            let permissions = Parts::read(earlier, Part::Permissions, &users).await?;
            let folders = Parts::read(earlier, Part::FolderPermissions, &users).await?;
            let make = |row: &Named| {
                let member = row.row.clone().and_then(|one| {
                    let (held, seen) = (permissions.of(&row.name)?, folders.of(&row.name)?);
                    people::membership(&one, &held, &seen, now)
                });
                let (records, notes) = match member {
                    Ok((record, unknown)) => (Ok(vec![record]), unknown),
                    Err(refusal) => (Err(refusal), Vec::new()),
                };
                let note = |word: &String| format!("the permission {word} means nothing here");
                Bundle {
                    notes: notes.iter().map(note).collect(),
                    ..Bundle::of(row.name.clone(), records)
                }
            };
            let bundles = rows.iter().map(make).collect();
            self.bring(source.table(), bundles).await?;
        }
    }

    /// All folders are read before the first is made: each comes after the one that it lies in.
    async fn bring_folders(&mut self, earlier: &mut Earlier) -> Result<(), ImportError> {
        let source = Source::Folders;
        if !earlier.begin(source).await? {
            return Ok(());
        }
        let now = self.app.clock.now();
        let (mut folders, mut bundles) = (Vec::new(), Vec::new());
        loop {
            let rows = earlier.next(false).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                match row.row.and_then(|one| services::folder(&one, now)) {
                    Ok(folder) if folders.len() < EARLIER_FOLDERS_MAX => folders.push(folder),
                    Ok(_) => {
                        let why = Refusal("there are too many folders".to_owned());
                        bundles.push(Bundle::of(row.name, Err(why)));
                    }
                    Err(refusal) => bundles.push(Bundle::of(row.name, Err(refusal))),
                }
            }
        }
        let (sorted, lost) = services::sorted_folders(folders);
        for folder in lost {
            let why = Refusal::of("parent_id", "leads back to the folder itself, or too deep");
            bundles.push(Bundle::of(folder.name(), Err(why)));
        }
        self.bring(source.table(), bundles).await?;
        for some in sorted.chunks(balefire_domain::limits::IMPORT_ROWS_MAX) {
            let bundle = |folder: &Record| Bundle::of(folder.name(), Ok(vec![folder.clone()]));
            let bundles = some.iter().map(bundle).collect();
            self.bring(source.table(), bundles).await?;
        }
        Ok(())
    }

    pub(super) async fn bring_templates(
        &mut self,
        earlier: &mut Earlier,
    ) -> Result<(), ImportError> {
        let source = Source::Templates;
        if !earlier.begin(source).await? {
            return Ok(());
        }
        loop {
            let rows = earlier.next(true).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let all = ids(&rows);
            let history = Parts::read(earlier, Part::TemplateVersions, &all).await?;
            let folders = Parts::read(earlier, Part::FolderOfTemplate, &all).await?;
            let make = |row: &Named| {
                let records = row.row.clone().and_then(|one| {
                    if !templates::is_of_alert(&one)? {
                        return Ok(Vec::new());
                    }
                    let folder = folders.of(&row.name)?;
                    templates::template(&one, folder.first(), &history.of(&row.name)?)
                });
                Bundle::of(row.name.clone(), records)
            };
            let bundles = rows.iter().map(make).collect();
            self.bring(source.table(), bundles).await?;
        }
    }

    pub(super) async fn bring_keys(&mut self, earlier: &mut Earlier) -> Result<(), ImportError> {
        let source = Source::ApiKeys;
        if !earlier.begin(source).await? {
            return Ok(());
        }
        loop {
            let rows = earlier.next(false).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let bundles = rows.iter().map(|row| self.key_bundle(row)).collect();
            self.bring(source.table(), bundles).await?;
        }
    }

    fn key_bundle(&self, row: &Named) -> Bundle {
        let secret = row.row.clone().and_then(|one| {
            let Some(key) = self.wish.key else {
                let what = "can't be read without the secret key (--secret-key-file)";
                return Err(Refusal::of("secret", what));
            };
            let signed = one.text("secret", SIGNED_CHARS_MAX)?;
            key.open(&signed).map_err(|why| Refusal::of("secret", &why))
        });
        let record = row.row.clone().and_then(|one| {
            let record = services::api_key(&one, "")?;
            secret.clone().map(|_| vec![record])
        });
        Bundle {
            secret: secret.ok(),
            ..Bundle::of(row.name.clone(), record)
        }
    }
}

async fn service_bundles(
    earlier: &mut Earlier,
    rows: &[Named],
) -> Result<Vec<Bundle>, EarlierError> {
    let all = ids(rows);
    let broadcast = Parts::read(earlier, Part::BroadcastSettings, &all).await?;
    let restriction = Parts::read(earlier, Part::Restrictions, &all).await?;
    let providers = Parts::read(earlier, Part::Providers, &all).await?;
    let permissions = Parts::read(earlier, Part::ServicePermissions, &all).await?;
    let make = |row: &Named| {
        made(row, |one| {
            let name = &row.name;
            let (set, restricted) = (broadcast.of(name)?, restriction.of(name)?);
            let (own, may) = (providers.of(name)?, permissions.of(name)?);
            let settings = services::Settings {
                broadcast: set.first(),
                restriction: restricted.first(),
                providers: providers.is_there.then_some(&own[..]),
                permissions: &may,
            };
            services::service(one, settings)
        })
    };
    Ok(rows.iter().map(make).collect())
}
