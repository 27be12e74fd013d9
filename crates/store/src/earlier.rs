//! Reading the database of the earlier service: a PostgreSQL of its own, in one transaction that
//! sees one instant of it and that it refuses to write in.
//!
//! Each row comes as the JSON object that its server makes of it, so that a column which a
//! generation of the schema lacks is absent, and nothing else. How many rows are read at once and
//! how long one may be is bounded. No error shows the address, a password or a row.

use std::str::FromStr as _;
use std::time::Duration;

use balefire_domain::earlier::{Refusal, Row};
use balefire_domain::limits::{EARLIER_PARTS_MAX, EARLIER_ROW_CHARS_MAX};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use crate::sql::StoreError;

/// How long connecting may take.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// How a statement of the earlier schema is spelt: every row as a name and a JSON text.
macro_rules! as_json {
    ($table:literal, $name:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $name,
            " AS name, CASE WHEN length(j.text) <= $1 THEN j.text END AS row FROM ",
            $table,
            " t CROSS JOIN LATERAL (SELECT CAST(to_jsonb(t) AS TEXT) AS text) j ",
            $rest
        )
    };
}

/// Tables that are read from their first row to the last.
macro_rules! sources {
    ($($(#[$doc:meta])* $one:ident: $table:literal by $name:literal;)*) => {
        /// A table that is read whole.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Source { $($(#[$doc])* $one,)* }

        impl Source {
            /// Its name there.
            pub const fn table(self) -> &'static str {
                match self { $(Self::$one => $table,)* }
            }

            const fn declare(self) -> &'static str {
                match self { $(Self::$one => concat!(
                    "DECLARE rows NO SCROLL CURSOR FOR SELECT ", $name,
                    " AS name, CASE WHEN length(j.text) <= 8388608 THEN j.text END AS row FROM ",
                    $table,
                    " t CROSS JOIN LATERAL (SELECT CAST(to_jsonb(t) AS TEXT) AS text) j ORDER BY 1"
                ),)* }
            }
        }
    };
}

sources! {
    /// Organisations.
    Organisations: "organisation" by "CAST(t.id AS TEXT)";
    /// People.
    Users: "users" by "CAST(t.id AS TEXT)";
    /// Who belongs to which organisation.
    OrganisationMembers: "user_to_organisation"
        by "concat(t.user_id, '/', t.organisation_id)";
    /// Services.
    Services: "services" by "CAST(t.id AS TEXT)";
    /// Who belongs to which service.
    Memberships: "user_to_service" by "concat(t.user_id, '/', t.service_id)";
    /// Folders of templates.
    Folders: "template_folder" by "CAST(t.id AS TEXT)";
    /// Templates.
    Templates: "templates" by "CAST(t.id AS TEXT)";
    /// Keys of services.
    ApiKeys: "api_keys" by "CAST(t.id AS TEXT)";
    /// Security keys.
    Credentials: "webauthn_credential" by "CAST(t.id AS TEXT)";
    /// Switches of the author's application.
    FeatureToggles: "feature_toggles" by "CAST(t.name AS TEXT)";
    /// Alerts.
    Alerts: "broadcast_message" by "CAST(t.id AS TEXT)";
    /// Why alerts were given back.
    EditReasons: "broadcast_message_edit_reasons" by "CAST(t.id AS TEXT)";
}

/// Tables whose rows belong to rows of others.
macro_rules! parts {
    ($($(#[$doc:meta])* $one:ident: $table:literal of $column:literal $rest:literal;)*) => {
        /// A table that is read for rows of another.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Part { $($(#[$doc])* $one,)* }

        impl Part {
            /// Its name there.
            pub const fn table(self) -> &'static str {
                match self { $(Self::$one => $table,)* }
            }

            const fn select(self) -> &'static str {
                match self { $(Self::$one => as_json!($table, $column, $rest),)* }
            }
        }
    };
}

parts! {
    /// Domains of organisations.
    Domains: "domain" of "CAST(t.organisation_id AS TEXT)"
        "WHERE t.organisation_id = ANY(CAST($2 AS UUID[])) ORDER BY 1, t.domain LIMIT $3";
    /// Channel and networks of services.
    BroadcastSettings: "service_broadcast_settings" of "CAST(t.service_id AS TEXT)"
        "WHERE t.service_id = ANY(CAST($2 AS UUID[])) ORDER BY 1 LIMIT $3";
    /// The network of services before 0345.
    Restrictions: "service_broadcast_provider_restriction" of "CAST(t.service_id AS TEXT)"
        "WHERE t.service_id = ANY(CAST($2 AS UUID[])) ORDER BY 1 LIMIT $3";
    /// The networks of services since 0412.
    Providers: "service_broadcast_providers" of "CAST(t.service_id AS TEXT)"
        "WHERE t.service_id = ANY(CAST($2 AS UUID[])) ORDER BY 1, t.provider LIMIT $3";
    /// What services may.
    ServicePermissions: "service_permissions" of "CAST(t.service_id AS TEXT)"
        "WHERE t.service_id = ANY(CAST($2 AS UUID[])) ORDER BY 1, t.permission LIMIT $3";
    /// What people may in services.
    Permissions: "permissions" of "concat(t.user_id, '/', t.service_id)"
        "WHERE t.user_id = ANY(CAST($2 AS UUID[])) AND t.service_id IS NOT NULL
        ORDER BY 1, t.permission LIMIT $3";
    /// Which folders people see in services.
    FolderPermissions: "user_folder_permissions" of "concat(t.user_id, '/', t.service_id)"
        "WHERE t.user_id = ANY(CAST($2 AS UUID[])) ORDER BY 1, t.template_folder_id LIMIT $3";
    /// In which folder templates lie.
    FolderOfTemplate: "template_folder_map" of "CAST(t.template_id AS TEXT)"
        "WHERE t.template_id = ANY(CAST($2 AS UUID[])) ORDER BY 1 LIMIT $3";
    /// Versions of templates.
    TemplateVersions: "templates_history" of "CAST(t.id AS TEXT)"
        "WHERE t.id = ANY(CAST($2 AS UUID[])) ORDER BY 1, t.version LIMIT $3";
    /// Versions of alerts.
    AlertVersions: "broadcast_message_history" of "CAST(t.id AS TEXT)"
        "WHERE t.id = ANY(CAST($2 AS UUID[])) ORDER BY 1, t.version LIMIT $3";
    /// Instructions about alerts.
    Events: "broadcast_event" of "CAST(t.broadcast_message_id AS TEXT)"
        "WHERE t.broadcast_message_id = ANY(CAST($2 AS UUID[])) ORDER BY 1, t.sent_at LIMIT $3";
    /// Messages to networks.
    Messages: "broadcast_provider_message" of "CAST(t.broadcast_event_id AS TEXT)"
        "WHERE t.broadcast_event_id = ANY(CAST($2 AS UUID[])) ORDER BY 1, t.provider LIMIT $3";
    /// Numbers of messages.
    Numbers: "broadcast_provider_message_number"
        of "CAST(t.broadcast_provider_message_id AS TEXT)"
        "WHERE t.broadcast_provider_message_id = ANY(CAST($2 AS UUID[])) ORDER BY 1 LIMIT $3";
}

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const SETTINGS: &str = "SET LOCAL statement_timeout = '60s';
    SET LOCAL idle_in_transaction_session_timeout = 0;
    SET LOCAL intervalstyle = 'postgres'";
const FETCH: &str = "FETCH 200 FROM rows";
const FETCH_LARGE: &str = "FETCH 20 FROM rows";
const CLOSE: &str = "CLOSE rows";
const IS_THERE: &str = "SELECT to_regclass($1) IS NOT NULL AS yes";
const COUNT_MESSAGES: &str = "SELECT CAST(coalesce(max(broadcast_provider_message_number), 0) AS
    BIGINT) AS number FROM broadcast_provider_message_number";
const SEQUENCE: &str = "SELECT CAST(CASE WHEN is_called THEN last_value ELSE 0 END AS BIGINT) AS
    number FROM broadcast_provider_message_number_seq";

/// A row with its name: its key.
#[derive(Clone, Debug)]
pub struct Named {
    /// The key.
    pub name: String,
    /// The row, or why it can't be read.
    pub row: Result<Row, Refusal>,
}

/// Why the earlier database can't be read. Shows no address, no password and no row.
#[derive(Debug, thiserror::Error)]
pub enum EarlierError {
    /// The address is none.
    #[error("the address of the earlier database is no `postgres://USER@HOST/NAME`")]
    Address,
    /// It did not answer in time.
    #[error("the earlier database did not answer within {} s", CONNECT_TIME_MAX.as_secs())]
    Silent,
    /// More belongs to a few rows than can be.
    #[error("more than {EARLIER_PARTS_MAX} rows of {0} belong to the rows that were read at once")]
    TooMany(&'static str),
    /// It failed.
    #[error(
        "the earlier database can't be read; what was brought stays, so run it again when it can"
    )]
    Failed(#[from] StoreError),
}

/// The earlier database, at one instant of it.
#[derive(Debug)]
pub struct Earlier {
    connection: PgConnection,
}

impl Earlier {
    /// Connects and begins to read. `password` stands above one in the address.
    pub async fn open(url: &str, password: Option<&str>) -> Result<Self, EarlierError> {
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(EarlierError::Address);
        }
        let options = PgConnectOptions::from_str(url).map_err(|_| EarlierError::Address)?;
        let mut options = options.application_name("balefire import");
        if let Some(password) = password {
            options = options.password(password);
        }
        let connecting = options.connect();
        let connected = tokio::time::timeout(CONNECT_TIME_MAX, connecting).await;
        let connected = connected.map_err(|_| EarlierError::Silent)?;
        let mut connection = connected.map_err(|why| driver("connecting", why))?;
        for sql in [BEGIN, SETTINGS] {
            let begun = sqlx::raw_sql(sql).execute(&mut connection).await;
            begun.map_err(|why| driver("beginning to read", why))?;
        }
        Ok(Self { connection })
    }

    /// Whether there is such a table.
    pub async fn has(&mut self, table: &'static str) -> Result<bool, EarlierError> {
        let asked = sqlx::query(IS_THERE).bind(table);
        let row = asked.fetch_one(&mut self.connection).await;
        let row = row.map_err(|why| driver("asking for a table", why))?;
        row.try_get("yes")
            .map_err(|why| driver("asking for a table", why))
    }

    /// Begins to read a table; false where there is none.
    pub async fn begin(&mut self, source: Source) -> Result<bool, EarlierError> {
        if !self.has(source.table()).await? {
            return Ok(false);
        }
        let declared = sqlx::raw_sql(source.declare())
            .execute(&mut self.connection)
            .await;
        declared.map_err(|why| driver(source.table(), why))?;
        Ok(true)
    }

    /// The next rows of the table that was begun; none when it is read, which ends the reading.
    /// `are_large`: of those that bring many others along only a few at once.
    pub async fn next(&mut self, are_large: bool) -> Result<Vec<Named>, EarlierError> {
        let sql = if are_large { FETCH_LARGE } else { FETCH };
        let rows = sqlx::raw_sql(sql).fetch_all(&mut self.connection).await;
        let rows = rows.map_err(|why| driver("reading rows", why))?;
        if rows.is_empty() {
            let closed = sqlx::raw_sql(CLOSE).execute(&mut self.connection).await;
            closed.map_err(|why| driver("reading rows", why))?;
        }
        rows.iter().map(named).collect()
    }

    /// The rows that belong to these ids, in their order, each under the name of what it belongs
    /// to; none where there is no such table.
    pub async fn parts(
        &mut self,
        part: Part,
        ids: &[String],
    ) -> Result<Option<Vec<Named>>, EarlierError> {
        if !self.has(part.table()).await? {
            return Ok(None);
        }
        let asked = sqlx::query(part.select())
            .bind(EARLIER_ROW_CHARS_MAX)
            .bind(ids.to_vec())
            .bind(EARLIER_PARTS_MAX + 1);
        let rows = asked.fetch_all(&mut self.connection).await;
        let rows = rows.map_err(|why| driver(part.table(), why))?;
        if i64::try_from(rows.len()).is_ok_and(|count| count > EARLIER_PARTS_MAX) {
            return Err(EarlierError::TooMany(part.table()));
        }
        rows.iter().map(named).collect::<Result<_, _>>().map(Some)
    }

    /// The highest message number that was ever given out, link tests included; 0 for none.
    pub async fn last_number(&mut self) -> Result<i64, EarlierError> {
        let mut last = 0;
        for (table, sql) in [
            ("broadcast_provider_message_number", COUNT_MESSAGES),
            ("broadcast_provider_message_number_seq", SEQUENCE),
        ] {
            if self.has(table).await? {
                let row = sqlx::query(sql).fetch_one(&mut self.connection).await;
                let row = row.map_err(|why| driver(table, why))?;
                let number: i64 = row.try_get("number").map_err(|why| driver(table, why))?;
                last = last.max(number);
            }
        }
        Ok(last)
    }

    /// Ends the connection.
    pub async fn close(self) {
        let _ = self.connection.close().await;
    }
}

fn named(row: &PgRow) -> Result<Named, EarlierError> {
    let unread = |why| driver("reading a row", why);
    let name: String = row.try_get("name").map_err(unread)?;
    let json: Option<String> = row.try_get("row").map_err(unread)?;
    let row = match json {
        Some(json) => Row::read(&json),
        None => Err(Refusal(format!(
            "the row has more than {EARLIER_ROW_CHARS_MAX} characters"
        ))),
    };
    Ok(Named { name, row })
}

fn driver(what: &'static str, why: sqlx::Error) -> EarlierError {
    EarlierError::Failed(StoreError::driver(what, why))
}
