//! By whom notifications go out: the carrier of e-mail, and that of SMS.
//!
//! A carrier is asked once and says how that ended; when it is asked again the job decides. What
//! it says holds no address, no code and nothing of the other side's words: those repeat both.

use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use balefire_domain::ids::NotificationId;
use balefire_domain::notification::{Notification, Way};

use balefire_domain::time::Timestamp;
use balefire_gateway::{HttpClient, Mail, MailError, SmtpClient, SmtpServer};
use serde_json::json;

use super::{Caller, GovukNotify};

/// `[notifications]`. It has no `Debug`: it holds secrets.
#[derive(Clone)]
pub struct Notifications {
    /// Who carries e-mail.
    pub email: Carrier,
    /// Who carries SMS.
    pub sms: Carrier,
}

/// Who carries notifications.
#[derive(Clone)]
pub enum Carrier {
    /// Nobody: they end unsent.
    None,
    /// The log, with `***` in the place of codes and links: for development.
    Log,
    /// A file that only its owner may read, a line of JSON each, as they are: for development.
    File(PathBuf),
    /// GOV.UK Notify.
    Notify(Box<GovukNotify>),
    /// A mail server; it carries no SMS.
    Smtp(Box<Smtp>),
}

/// A mail server, and in whose name. It has no `Debug`: it holds a password.
#[derive(Clone)]
pub struct Smtp {
    /// What sends.
    pub client: SmtpClient,
    /// `[notifications.smtp]`.
    pub server: SmtpServer,
    /// `notifications.from`.
    pub from: String,
}

/// How a try to send ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The other side took it: who.
    Sent(String),
    /// Nobody is to send it: why.
    Needless(String),
    /// It surely was not sent, and may be later: why.
    Failed(String),
    /// It may have been sent, and may be tried again: why.
    Doubtful(String),
    /// It was not sent, and never will be: why.
    Refused(String),
}

impl Notifications {
    /// Sends one notification now, without a job: for a person who tries the configuration out.
    pub async fn send_now(
        &self,
        client: HttpClient,
        timeout: Duration,
        now: Timestamp,
        id: NotificationId,
        notification: &Notification,
    ) -> Sent {
        let caller = Caller { client, timeout };
        self.send(&caller, now, id, notification).await
    }

    pub(super) async fn send(
        &self,
        caller: &Caller,
        now: Timestamp,
        id: NotificationId,
        notification: &Notification,
    ) -> Sent {
        let way = notification.to.way();
        let carrier = match way {
            Way::Email => &self.email,
            Way::Sms => &self.sms,
        };
        match carrier {
            Carrier::None => Sent::Needless(format!("nobody carries {}", way.as_str())),
            Carrier::Log => {
                log(id, notification);
                Sent::Sent("the log".to_owned())
            }
            Carrier::File(path) => {
                let line = line(now, id, notification);
                let path = path.clone();
                let written = tokio::task::spawn_blocking(move || append(&path, &line)).await;
                match written {
                    Ok(Ok(())) => Sent::Sent("the file".to_owned()),
                    Ok(Err(why)) => Sent::Failed(why),
                    Err(_) => Sent::Failed("the file was not written".to_owned()),
                }
            }
            Carrier::Notify(notify) => notify.send(caller, now, id, notification).await,
            Carrier::Smtp(smtp) => smtp.send(caller, now, id, notification).await,
        }
    }
}

impl Smtp {
    async fn send(
        &self,
        caller: &Caller,
        now: Timestamp,
        id: NotificationId,
        notification: &Notification,
    ) -> Sent {
        if notification.to.way() != Way::Email {
            return Sent::Refused("a mail server carries no SMS".to_owned());
        }
        let words = notification.words();
        let id = id.to_string();
        let mail = Mail {
            from: &self.from,
            to: notification.to.reveal(),
            subject: &words.subject,
            body: &words.body,
            at: now,
            id: &id,
        };
        match self.client.send(&self.server, &mail, caller.timeout).await {
            Ok(()) => Sent::Sent("smtp".to_owned()),
            Err(MailError::NotSent(why)) => Sent::Failed(why),
            Err(MailError::Doubtful(why)) => Sent::Doubtful(why),
            Err(MailError::Refused(why)) => Sent::Refused(why),
        }
    }
}

fn log(id: NotificationId, notification: &Notification) {
    let words = notification.masked().words();
    tracing::info!(
        event = "notification.logged",
        notification.id = %id,
        message_kind = notification.message.as_str(),
        to = notification.to.masked(),
        subject = words.subject,
        text = words.body,
        "a message to a person went to the log, and nowhere else"
    );
}

fn line(now: Timestamp, id: NotificationId, notification: &Notification) -> String {
    let words = notification.words();
    let line = json!({
        "at": now.to_json_style(),
        "id": id,
        "way": notification.to.way().as_str(),
        "to": notification.to.reveal(),
        "message": notification.message.as_str(),
        "subject": words.subject,
        "body": words.body,
    });
    format!("{line}\n")
}

/// Adds a line to a file that nobody but its owner may read.
fn append(path: &Path, line: &str) -> Result<(), String> {
    let named = |error: std::io::Error| format!("notifications.file: {error}");
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true).mode(0o600);
    let mut file = options.open(path).map_err(named)?;
    let mode = file.metadata().map_err(named)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err("notifications.file can be read by others: make it mode 600".to_owned());
    }
    // One write, so that lines of several processes don't mix.
    file.write_all(line.as_bytes()).map_err(named)
}
