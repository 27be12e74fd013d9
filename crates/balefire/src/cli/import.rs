//! `import`.

use std::path::PathBuf;

use clap::Args;

/// Bring the data of the earlier service: services, people, keys, templates, alerts.
///
/// It reads a PostgreSQL database of the earlier service and writes nothing there. Ids are kept; a
/// row that is here already is compared and never overwritten; what can't be brought is told by
/// name. Until people work here, run it as often as you like: what is here stays, what is missing
/// comes. Afterwards what was taken away here would come back.
///
/// Nothing is sent by an import. Alerts that are not over come held, with everything else that this
/// database would send, until a platform administrator runs `balefire database release`.
///
/// Stop the workers of the earlier service first. Then: `balefire import --dry-run`, `balefire
/// import`, look (`balefire database show`), release. The whole course: docs/operations/import.md.
///
/// Exit codes: 0 everything is here, 1 rows were refused or differ (they are named), 2 wrong usage.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The earlier database: postgres://USER@HOST/NAME. Give its password in --password-file, not
    /// here, where others on this machine can read it.
    #[arg(
        long,
        value_name = "URL",
        env = "BALEFIRE_IMPORT_FROM",
        hide_env_values = true
    )]
    pub(crate) from: Secret,
    /// A file whose first line is the password of the earlier database.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// A file with two lines, ENCRYPTION_SECRET_KEY=… and ENCRYPTION_DANGEROUS_SALT=…: what the
    /// earlier service signed its keys' secrets with. Without it no key is brought.
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_key_file: Option<PathBuf>,
    /// Read and decide everything, tell what would be done, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// An address that may hold a password: never shown.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}
