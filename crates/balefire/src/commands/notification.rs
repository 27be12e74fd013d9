//! `notification send-test`.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use balefire_dispatcher::jobs::Sent;
use balefire_domain::entropy::Entropy as _;
use balefire_domain::ids::NotificationId;
use balefire_domain::limits::JOB_CALL_TIME_MAX;
use balefire_domain::notification::{InvalidRecipient, Message, Notification, Recipient};
use balefire_domain::time::Clock as _;
use balefire_gateway::HttpClient;
use serde_json::json;

use super::Session;
use crate::cli::NotificationCommand;
use crate::clock::SystemClock;
use crate::entropy::SystemEntropy;
use crate::{FAILED, config, runtime};

pub(super) async fn run(
    session: &Session,
    command: NotificationCommand,
) -> anyhow::Result<ExitCode> {
    let NotificationCommand::SendTest { email, mobile } = command;
    let to = match recipient(email.as_deref(), mobile.as_deref()) {
        Ok(to) => to,
        Err(why) => return Ok(session.refuse(&why.to_string())),
    };
    let config = runtime::checked(session.config.clone())?;
    let carriers = config::carriers(&config)?;
    let connect_timeout = Duration::from_millis(config.dispatch.connect_timeout_ms);
    let ca_file = config.cbc.ca_file.as_deref().map(Path::new);
    let client = HttpClient::new(connect_timeout, ca_file).context("cbc.ca_file")?;
    let now = SystemClock.now();
    let id = NotificationId::new(SystemEntropy.uuid_v7(now));
    let notification = Notification::new(to, Message::Test);
    let sent = carriers
        .send_now(client, JOB_CALL_TIME_MAX, now, id, &notification)
        .await;
    let (outcome, detail, words) = match sent {
        Sent::Sent(by) => ("sent", by.clone(), format!("taken by {by}")),
        Sent::Needless(why) => ("not_sent", why.clone(), format!("not sent: {why}")),
        Sent::Failed(why) => (
            "failed",
            why.clone(),
            format!("not sent; a real message would be tried again: {why}"),
        ),
        Sent::Doubtful(why) => (
            "doubtful",
            why.clone(),
            format!("it may have been sent; a real message would be tried again: {why}"),
        ),
        Sent::Refused(why) => (
            "refused",
            why.clone(),
            format!("refused; a real message would be given up: {why}"),
        ),
    };
    let to = notification.to.masked();
    let shown = json!({ "id": id, "to": to, "outcome": outcome, "detail": detail });
    session.print(&shown, || format!("{to}: {words}"));
    Ok(if outcome == "sent" {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

fn recipient(email: Option<&str>, mobile: Option<&str>) -> Result<Recipient, InvalidRecipient> {
    match mobile {
        Some(number) => Recipient::sms(number),
        None => Recipient::email(email.unwrap_or_default()),
    }
}
