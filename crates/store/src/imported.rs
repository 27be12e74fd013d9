//! Rows that an import brings: written with the ids and instants that they had, never over a row
//! that is there, and read back column by column as text, to be compared. A number that may be
//! absent is cast, since an absent one has no type of its own.

use balefire_domain::earlier::record::{Cell, Record, Table};
use sqlx::Row as _;

use crate::sql::{Sql, StoreError};
use crate::store::Tx;
use crate::tx::Inner;

statements! {
    INSERT_ORGANISATIONS: "INSERT INTO organisations
        (id, name, is_active, is_crown, kind, domains, notes, created_at)
        VALUES ($1, $2, $3, CAST($4 AS BOOLEAN), $5, $6, $7, $8)";
    LOAD_ORGANISATIONS: "SELECT
            CAST(id AS TEXT) AS id, CAST(name AS TEXT) AS name,
            CAST(is_active AS TEXT) AS is_active, CAST(is_crown AS TEXT) AS is_crown,
            CAST(kind AS TEXT) AS kind, CAST(domains AS TEXT) AS domains,
            CAST(notes AS TEXT) AS notes, CAST(created_at AS TEXT) AS created_at
        FROM organisations WHERE id = $1";
    INSERT_USERS: "INSERT INTO users
        (id, name, email, is_platform_admin, created_at, mobile, auth_type, state, password_hash,
            password_changed_at, email_validated_at, logged_in_at, is_admin_capable)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, CAST($10 AS BIGINT), CAST($11 AS BIGINT),
            CAST($12 AS BIGINT), $13)";
    LOAD_USERS: "SELECT
            CAST(id AS TEXT) AS id, CAST(name AS TEXT) AS name, CAST(email AS TEXT) AS email,
            CAST(is_platform_admin AS TEXT) AS is_platform_admin,
            CAST(created_at AS TEXT) AS created_at, CAST(mobile AS TEXT) AS mobile,
            CAST(auth_type AS TEXT) AS auth_type, CAST(state AS TEXT) AS state,
            CAST(password_hash AS TEXT) AS password_hash,
            CAST(password_changed_at AS TEXT) AS password_changed_at,
            CAST(email_validated_at AS TEXT) AS email_validated_at,
            CAST(logged_in_at AS TEXT) AS logged_in_at,
            CAST(is_admin_capable AS TEXT) AS is_admin_capable
        FROM users WHERE id = $1";
    INSERT_ORGANISATION_MEMBERS: "INSERT INTO organisation_members
        (organisation_id, user_id, created_at)
        VALUES ($1, $2, $3)";
    LOAD_ORGANISATION_MEMBERS: "SELECT
            CAST(organisation_id AS TEXT) AS organisation_id, CAST(user_id AS TEXT) AS user_id,
            CAST(created_at AS TEXT) AS created_at
        FROM organisation_members WHERE organisation_id = $1 AND user_id = $2";
    INSERT_SERVICES: "INSERT INTO services
        (id, name, state, mode, channel, providers, may_broadcast, created_at, notes,
            organisation_id, organisation_type, created_by, went_live_at, went_live_by,
            has_email_auth, is_set_up)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, CAST($13 AS BIGINT), $14,
            $15, $16)";
    LOAD_SERVICES: "SELECT
            CAST(id AS TEXT) AS id, CAST(name AS TEXT) AS name, CAST(state AS TEXT) AS state,
            CAST(mode AS TEXT) AS mode, CAST(channel AS TEXT) AS channel,
            CAST(providers AS TEXT) AS providers, CAST(may_broadcast AS TEXT) AS may_broadcast,
            CAST(created_at AS TEXT) AS created_at, CAST(notes AS TEXT) AS notes,
            CAST(organisation_id AS TEXT) AS organisation_id,
            CAST(organisation_type AS TEXT) AS organisation_type,
            CAST(created_by AS TEXT) AS created_by, CAST(went_live_at AS TEXT) AS went_live_at,
            CAST(went_live_by AS TEXT) AS went_live_by,
            CAST(has_email_auth AS TEXT) AS has_email_auth, CAST(is_set_up AS TEXT) AS is_set_up
        FROM services WHERE id = $1";
    INSERT_MEMBERSHIPS: "INSERT INTO memberships
        (user_id, service_id, created_at, permissions, folders)
        VALUES ($1, $2, $3, $4, $5)";
    LOAD_MEMBERSHIPS: "SELECT
            CAST(user_id AS TEXT) AS user_id, CAST(service_id AS TEXT) AS service_id,
            CAST(created_at AS TEXT) AS created_at, CAST(permissions AS TEXT) AS permissions,
            CAST(folders AS TEXT) AS folders
        FROM memberships WHERE user_id = $1 AND service_id = $2";
    INSERT_TEMPLATE_FOLDERS: "INSERT INTO template_folders
        (id, service_id, parent_id, name, created_at)
        VALUES ($1, $2, $3, $4, $5)";
    LOAD_TEMPLATE_FOLDERS: "SELECT
            CAST(id AS TEXT) AS id, CAST(service_id AS TEXT) AS service_id,
            CAST(parent_id AS TEXT) AS parent_id, CAST(name AS TEXT) AS name,
            CAST(created_at AS TEXT) AS created_at
        FROM template_folders WHERE id = $1";
    INSERT_TEMPLATES: "INSERT INTO templates
        (id, service_id, folder_id, version, reference, content, areas, is_archived, created_at,
            created_by, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, CAST($11 AS BIGINT))";
    LOAD_TEMPLATES: "SELECT
            CAST(id AS TEXT) AS id, CAST(service_id AS TEXT) AS service_id,
            CAST(folder_id AS TEXT) AS folder_id, CAST(version AS TEXT) AS version,
            CAST(reference AS TEXT) AS reference, CAST(content AS TEXT) AS content,
            CAST(areas AS TEXT) AS areas, CAST(is_archived AS TEXT) AS is_archived,
            CAST(created_at AS TEXT) AS created_at, CAST(created_by AS TEXT) AS created_by,
            CAST(updated_at AS TEXT) AS updated_at
        FROM templates WHERE id = $1";
    INSERT_TEMPLATE_VERSIONS: "INSERT INTO template_versions
        (template_id, version, reference, content, areas, is_archived, created_at, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    LOAD_TEMPLATE_VERSIONS: "SELECT
            CAST(template_id AS TEXT) AS template_id, CAST(version AS TEXT) AS version,
            CAST(reference AS TEXT) AS reference, CAST(content AS TEXT) AS content,
            CAST(areas AS TEXT) AS areas, CAST(is_archived AS TEXT) AS is_archived,
            CAST(created_at AS TEXT) AS created_at, CAST(created_by AS TEXT) AS created_by
        FROM template_versions WHERE template_id = $1 AND version = $2";
    INSERT_API_KEYS: "INSERT INTO api_keys
        (id, service_id, name, kind, secret, created_at, revoked_at, is_revoked_by_mode,
            created_by, updated_at, version)
        VALUES ($1, $2, $3, $4, $5, $6, CAST($7 AS BIGINT), $8, $9, CAST($10 AS BIGINT), $11)";
    LOAD_API_KEYS: "SELECT
            CAST(id AS TEXT) AS id, CAST(service_id AS TEXT) AS service_id,
            CAST(name AS TEXT) AS name, CAST(kind AS TEXT) AS kind,
            CAST(secret AS TEXT) AS secret, CAST(created_at AS TEXT) AS created_at,
            CAST(revoked_at AS TEXT) AS revoked_at,
            CAST(is_revoked_by_mode AS TEXT) AS is_revoked_by_mode,
            CAST(created_by AS TEXT) AS created_by, CAST(updated_at AS TEXT) AS updated_at,
            CAST(version AS TEXT) AS version
        FROM api_keys WHERE id = $1";
    INSERT_CREDENTIALS: "INSERT INTO webauthn_credentials
        (id, user_id, name, credential_data, registration_response, created_at, updated_at,
            logged_in_at)
        VALUES ($1, $2, $3, $4, $5, $6, CAST($7 AS BIGINT), CAST($8 AS BIGINT))";
    LOAD_CREDENTIALS: "SELECT
            CAST(id AS TEXT) AS id, CAST(user_id AS TEXT) AS user_id, CAST(name AS TEXT) AS name,
            CAST(credential_data AS TEXT) AS credential_data,
            CAST(registration_response AS TEXT) AS registration_response,
            CAST(created_at AS TEXT) AS created_at, CAST(updated_at AS TEXT) AS updated_at,
            CAST(logged_in_at AS TEXT) AS logged_in_at
        FROM webauthn_credentials WHERE id = $1";
    INSERT_FEATURE_TOGGLES: "INSERT INTO feature_toggles
        (name, is_enabled, display_html)
        VALUES ($1, $2, $3)";
    LOAD_FEATURE_TOGGLES: "SELECT
            CAST(name AS TEXT) AS name, CAST(is_enabled AS TEXT) AS is_enabled,
            CAST(display_html AS TEXT) AS display_html
        FROM feature_toggles WHERE name = $1";
    INSERT_ALERTS: "INSERT INTO alerts
        (id, service_id, status, is_stubbed, version, next_seq, reference, content, text,
            extra_content, areas, duration_us, starts_at, finishes_at, cap_event, created_at,
            updated_at, submitted_at, approved_at, cancelled_at, rejected_at, created_by,
            updated_by, submitted_by, approved_by, cancelled_by, rejected_by, api_key_id,
            cancelled_by_api_key_id, rejected_by_api_key_id, rejection_reason, template_id,
            template_version, template_name, is_acknowledged)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, CAST($12 AS BIGINT),
            CAST($13 AS BIGINT), CAST($14 AS BIGINT), $15, $16, CAST($17 AS BIGINT),
            CAST($18 AS BIGINT), CAST($19 AS BIGINT), CAST($20 AS BIGINT), CAST($21 AS BIGINT),
            $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, CAST($33 AS BIGINT), $34, $35)";
    LOAD_ALERTS: "SELECT
            CAST(id AS TEXT) AS id, CAST(service_id AS TEXT) AS service_id,
            CAST(status AS TEXT) AS status, CAST(is_stubbed AS TEXT) AS is_stubbed,
            CAST(version AS TEXT) AS version, CAST(next_seq AS TEXT) AS next_seq,
            CAST(reference AS TEXT) AS reference, CAST(content AS TEXT) AS content,
            CAST(text AS TEXT) AS text, CAST(extra_content AS TEXT) AS extra_content,
            CAST(areas AS TEXT) AS areas, CAST(duration_us AS TEXT) AS duration_us,
            CAST(starts_at AS TEXT) AS starts_at, CAST(finishes_at AS TEXT) AS finishes_at,
            CAST(cap_event AS TEXT) AS cap_event, CAST(created_at AS TEXT) AS created_at,
            CAST(updated_at AS TEXT) AS updated_at, CAST(submitted_at AS TEXT) AS submitted_at,
            CAST(approved_at AS TEXT) AS approved_at, CAST(cancelled_at AS TEXT) AS cancelled_at,
            CAST(rejected_at AS TEXT) AS rejected_at, CAST(created_by AS TEXT) AS created_by,
            CAST(updated_by AS TEXT) AS updated_by, CAST(submitted_by AS TEXT) AS submitted_by,
            CAST(approved_by AS TEXT) AS approved_by, CAST(cancelled_by AS TEXT) AS cancelled_by,
            CAST(rejected_by AS TEXT) AS rejected_by, CAST(api_key_id AS TEXT) AS api_key_id,
            CAST(cancelled_by_api_key_id AS TEXT) AS cancelled_by_api_key_id,
            CAST(rejected_by_api_key_id AS TEXT) AS rejected_by_api_key_id,
            CAST(rejection_reason AS TEXT) AS rejection_reason,
            CAST(template_id AS TEXT) AS template_id,
            CAST(template_version AS TEXT) AS template_version,
            CAST(template_name AS TEXT) AS template_name,
            CAST(is_acknowledged AS TEXT) AS is_acknowledged
        FROM alerts WHERE id = $1";
    INSERT_ALERT_VERSIONS: "INSERT INTO alert_versions
        (alert_id, version, created_at, created_by, reference, content, text, extra_content,
            areas, duration_us)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, CAST($10 AS BIGINT))";
    LOAD_ALERT_VERSIONS: "SELECT
            CAST(alert_id AS TEXT) AS alert_id, CAST(version AS TEXT) AS version,
            CAST(created_at AS TEXT) AS created_at, CAST(created_by AS TEXT) AS created_by,
            CAST(reference AS TEXT) AS reference, CAST(content AS TEXT) AS content,
            CAST(text AS TEXT) AS text, CAST(extra_content AS TEXT) AS extra_content,
            CAST(areas AS TEXT) AS areas, CAST(duration_us AS TEXT) AS duration_us
        FROM alert_versions WHERE alert_id = $1 AND version = $2";
    INSERT_EDIT_REASONS: "INSERT INTO edit_reasons
        (id, alert_id, reason, created_at, created_by, submitted_at, submitted_by)
        VALUES ($1, $2, $3, $4, $5, CAST($6 AS BIGINT), $7)";
    LOAD_EDIT_REASONS: "SELECT
            CAST(id AS TEXT) AS id, CAST(alert_id AS TEXT) AS alert_id,
            CAST(reason AS TEXT) AS reason, CAST(created_at AS TEXT) AS created_at,
            CAST(created_by AS TEXT) AS created_by, CAST(submitted_at AS TEXT) AS submitted_at,
            CAST(submitted_by AS TEXT) AS submitted_by
        FROM edit_reasons WHERE id = $1";
    INSERT_EVENTS: "INSERT INTO events
        (id, alert_id, seq, kind, created_at, finishes_at, channel, text, areas, content_hash)
        VALUES ($1, $2, $3, $4, $5, CAST($6 AS BIGINT), $7, $8, $9, $10)";
    LOAD_EVENTS: "SELECT
            CAST(id AS TEXT) AS id, CAST(alert_id AS TEXT) AS alert_id, CAST(seq AS TEXT) AS seq,
            CAST(kind AS TEXT) AS kind, CAST(created_at AS TEXT) AS created_at,
            CAST(finishes_at AS TEXT) AS finishes_at, CAST(channel AS TEXT) AS channel,
            CAST(text AS TEXT) AS text, CAST(areas AS TEXT) AS areas,
            CAST(content_hash AS TEXT) AS content_hash
        FROM events WHERE id = $1";
    INSERT_LANES: "INSERT INTO lanes
        (alert_id, provider, finishes_at, created_at, wake_at, is_cancelling, is_tainted)
        VALUES ($1, $2, CAST($3 AS BIGINT), $4, CAST($5 AS BIGINT), $6, $7)";
    LOAD_LANES: "SELECT
            CAST(alert_id AS TEXT) AS alert_id, CAST(provider AS TEXT) AS provider,
            CAST(finishes_at AS TEXT) AS finishes_at, CAST(created_at AS TEXT) AS created_at,
            CAST(wake_at AS TEXT) AS wake_at, CAST(is_cancelling AS TEXT) AS is_cancelling,
            CAST(is_tainted AS TEXT) AS is_tainted
        FROM lanes WHERE alert_id = $1 AND provider = $2";
    INSERT_DELIVERIES: "INSERT INTO deliveries
        (id, event_id, alert_id, provider, seq, kind, state, reason, ended_at, round, is_stuck,
            created_at, ends_at, sent_at, message_number, payload)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, CAST($9 AS BIGINT), $10, $11, $12, $13, $14,
            CAST($15 AS BIGINT), $16)";
    LOAD_DELIVERIES: "SELECT
            CAST(id AS TEXT) AS id, CAST(event_id AS TEXT) AS event_id,
            CAST(alert_id AS TEXT) AS alert_id, CAST(provider AS TEXT) AS provider,
            CAST(seq AS TEXT) AS seq, CAST(kind AS TEXT) AS kind, CAST(state AS TEXT) AS state,
            CAST(reason AS TEXT) AS reason, CAST(ended_at AS TEXT) AS ended_at,
            CAST(round AS TEXT) AS round, CAST(is_stuck AS TEXT) AS is_stuck,
            CAST(created_at AS TEXT) AS created_at, CAST(ends_at AS TEXT) AS ends_at,
            CAST(sent_at AS TEXT) AS sent_at, CAST(message_number AS TEXT) AS message_number,
            CAST(payload AS TEXT) AS payload
        FROM deliveries WHERE id = $1";
    INSERT_ATTEMPTS: "INSERT INTO attempts
        (id, delivery_id, alert_id, provider, seq, slot, route, round, opened_at, deadline_at,
            drained_at, opened_by, closed_at, outcome, detail)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, CAST($13 AS BIGINT), $14, $15)";
    LOAD_ATTEMPTS: "SELECT
            CAST(id AS TEXT) AS id, CAST(delivery_id AS TEXT) AS delivery_id,
            CAST(alert_id AS TEXT) AS alert_id, CAST(provider AS TEXT) AS provider,
            CAST(seq AS TEXT) AS seq, CAST(slot AS TEXT) AS slot, CAST(route AS TEXT) AS route,
            CAST(round AS TEXT) AS round, CAST(opened_at AS TEXT) AS opened_at,
            CAST(deadline_at AS TEXT) AS deadline_at, CAST(drained_at AS TEXT) AS drained_at,
            CAST(opened_by AS TEXT) AS opened_by, CAST(closed_at AS TEXT) AS closed_at,
            CAST(outcome AS TEXT) AS outcome, CAST(detail AS TEXT) AS detail
        FROM attempts WHERE id = $1";
    FIND_EMAIL: "SELECT id FROM users WHERE email = $1";
    FIND_ORGANISATION: "SELECT id FROM organisations WHERE name = $1";
    RAISE_NUMBER: "UPDATE counters SET value = $1 WHERE name = 'message_number' AND value < $1";
    INSERT_INSTANCE: "INSERT INTO instances (id, name, started_at, seen_at, ended_at)
        VALUES ($1, $2, $3, $3, $3)";
    HOLD: "INSERT INTO database_epochs (id, began_at, quarantine_until, needs_release)
        SELECT $1, 0, NULL, TRUE WHERE NOT EXISTS
            (SELECT 1 FROM database_epochs WHERE needs_release AND released_at IS NULL)";
    WAITS: "SELECT id FROM database_epochs WHERE needs_release AND released_at IS NULL LIMIT 1";
}

const fn insert_of(table: Table) -> Sql {
    match table {
        Table::Organisations => INSERT_ORGANISATIONS,
        Table::Users => INSERT_USERS,
        Table::OrganisationMembers => INSERT_ORGANISATION_MEMBERS,
        Table::Services => INSERT_SERVICES,
        Table::Memberships => INSERT_MEMBERSHIPS,
        Table::TemplateFolders => INSERT_TEMPLATE_FOLDERS,
        Table::Templates => INSERT_TEMPLATES,
        Table::TemplateVersions => INSERT_TEMPLATE_VERSIONS,
        Table::ApiKeys => INSERT_API_KEYS,
        Table::Credentials => INSERT_CREDENTIALS,
        Table::FeatureToggles => INSERT_FEATURE_TOGGLES,
        Table::Alerts => INSERT_ALERTS,
        Table::AlertVersions => INSERT_ALERT_VERSIONS,
        Table::EditReasons => INSERT_EDIT_REASONS,
        Table::Events => INSERT_EVENTS,
        Table::Lanes => INSERT_LANES,
        Table::Deliveries => INSERT_DELIVERIES,
        Table::Attempts => INSERT_ATTEMPTS,
    }
}

const fn load_of(table: Table) -> Sql {
    match table {
        Table::Organisations => LOAD_ORGANISATIONS,
        Table::Users => LOAD_USERS,
        Table::OrganisationMembers => LOAD_ORGANISATION_MEMBERS,
        Table::Services => LOAD_SERVICES,
        Table::Memberships => LOAD_MEMBERSHIPS,
        Table::TemplateFolders => LOAD_TEMPLATE_FOLDERS,
        Table::Templates => LOAD_TEMPLATES,
        Table::TemplateVersions => LOAD_TEMPLATE_VERSIONS,
        Table::ApiKeys => LOAD_API_KEYS,
        Table::Credentials => LOAD_CREDENTIALS,
        Table::FeatureToggles => LOAD_FEATURE_TOGGLES,
        Table::Alerts => LOAD_ALERTS,
        Table::AlertVersions => LOAD_ALERT_VERSIONS,
        Table::EditReasons => LOAD_EDIT_REASONS,
        Table::Events => LOAD_EVENTS,
        Table::Lanes => LOAD_LANES,
        Table::Deliveries => LOAD_DELIVERIES,
        Table::Attempts => LOAD_ATTEMPTS,
    }
}

/// Columns that are cast: what is bound for them is a text, so that a statement has the same types
/// whether a value is absent or not.
const CAST: [&str; 19] = [
    "approved_at",
    "cancelled_at",
    "closed_at",
    "duration_us",
    "email_validated_at",
    "ended_at",
    "finishes_at",
    "is_crown",
    "logged_in_at",
    "message_number",
    "password_changed_at",
    "rejected_at",
    "revoked_at",
    "starts_at",
    "submitted_at",
    "template_version",
    "updated_at",
    "wake_at",
    "went_live_at",
];

/// A cell as it is bound for its column.
fn bindable(column: &str, cell: &Cell) -> Cell {
    match cell {
        Cell::Int(number) if CAST.contains(&column) => Cell::Text(number.to_string()),
        Cell::Bool(flag) if CAST.contains(&column) => Cell::Text(u8::from(*flag).to_string()),
        Cell::Null | Cell::Text(_) | Cell::Int(_) | Cell::Bool(_) => cell.clone(),
    }
}

/// Binds cells in their order.
macro_rules! bound {
    ($sql:expr, $cells:expr) => {{
        let mut query = sqlx::query($sql);
        for cell in $cells {
            query = match cell {
                Cell::Null => query.bind(None::<String>),
                Cell::Text(text) => query.bind(text.clone()),
                Cell::Int(number) => query.bind(*number),
                Cell::Bool(flag) => query.bind(*flag),
            };
        }
        query
    }};
}

impl Tx {
    /// Stores a row that is new. Columns of the schema that it does not name keep their defaults.
    pub async fn insert_imported(&mut self, record: &Record) -> Result<(), StoreError> {
        let sql = insert_of(record.table);
        let columns = record.table.columns().iter().zip(&record.cells);
        let cells: Vec<Cell> = columns
            .map(|(column, cell)| bindable(column, cell))
            .collect();
        let (inner, watch) = self.parts();
        let rows = watch.run(sql.name, async {
            match inner {
                Inner::Sqlite(connection) => bound!(sql.sqlite, &cells)
                    .execute(&mut **connection)
                    .await
                    .map(|done| done.rows_affected()),
                Inner::Postgres(connection) => bound!(sql.postgres, &cells)
                    .execute(&mut **connection)
                    .await
                    .map(|done| done.rows_affected()),
            }
        });
        match rows.await? {
            1 => Ok(()),
            actual => Err(StoreError::RowCount {
                statement: sql.name,
                expected: 1,
                actual,
            }),
        }
    }

    /// The row with this key, each column of [`Table::columns`] cast to text.
    pub async fn load_imported(
        &mut self,
        table: Table,
        key: &[Cell],
    ) -> Result<Option<Vec<Option<String>>>, StoreError> {
        let sql = load_of(table);
        let columns = table.columns();
        let (inner, watch) = self.parts();
        let found = watch.run(sql.name, async {
            match inner {
                Inner::Sqlite(connection) => {
                    let row = bound!(sql.sqlite, key)
                        .fetch_optional(&mut **connection)
                        .await?;
                    row.map(|row| columns.iter().map(|name| row.try_get(*name)).collect())
                        .transpose()
                }
                Inner::Postgres(connection) => {
                    let row = bound!(sql.postgres, key)
                        .fetch_optional(&mut **connection)
                        .await?;
                    row.map(|row| columns.iter().map(|name| row.try_get(*name)).collect())
                        .transpose()
                }
            }
        });
        found.await
    }

    /// Whose address this is.
    pub async fn find_id_of_email(&mut self, email: &str) -> Result<Option<String>, StoreError> {
        use crate::sql::Row as _;
        fetch_optional!(self, |row| row.text("id"), FIND_EMAIL, email.to_owned())
    }

    /// Whose name this is.
    pub async fn find_id_of_organisation(
        &mut self,
        name: &str,
    ) -> Result<Option<String>, StoreError> {
        use crate::sql::Row as _;
        fetch_optional!(
            self,
            |row| row.text("id"),
            FIND_ORGANISATION,
            name.to_owned()
        )
    }

    /// Lets message numbers go on after `last`; they never go back. Whether they were raised.
    pub async fn raise_message_number(&mut self, last: i64) -> Result<bool, StoreError> {
        Ok(execute!(self, RAISE_NUMBER, last)? == 1)
    }

    /// The process that has carried out what the earlier service did; it has ended.
    pub async fn insert_ended_instance(&mut self, id: &str, name: &str) -> Result<(), StoreError> {
        let now = self.now.micros();
        execute_one!(self, INSERT_INSTANCE, id.to_owned(), name.to_owned(), now)
    }

    /// Holds everything until a person releases the database; false where it is held already. It
    /// counts as no history of the database: those begin later.
    pub async fn hold_for_release(&mut self, id: &str) -> Result<bool, StoreError> {
        Ok(execute!(self, HOLD, id.to_owned())? == 1)
    }

    /// Whether the database waits for a person to release it.
    pub async fn waits_for_release(&mut self) -> Result<bool, StoreError> {
        use crate::sql::Row as _;
        Ok(fetch_optional!(self, |row| row.text("id"), WAITS)?.is_some())
    }
}
