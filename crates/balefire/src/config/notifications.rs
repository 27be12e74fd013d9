//! `[notifications]`: by whom people are told by e-mail and SMS, what that must say, and what the
//! runner of jobs is given of it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use balefire_dispatcher::jobs::{Carrier, GovukNotify, Notifications as Carriers, NotifyKey, Smtp};
use balefire_domain::notification::TEMPLATES;
use balefire_gateway::{Endpoint, SmtpClient, SmtpSecurity, SmtpServer};
use serde::{Deserialize, Serialize};

use super::side_effects::{check_url, is_plain};
use super::{Config, Environment, Secret, Url};

/// Characters of a template's id, a host, a user.
const CHARS_MAX: usize = 255;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Notifications {
    pub(crate) kind: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) file: Option<String>,
    pub(crate) sms: SmsWay,
    pub(crate) notify: NotifyWay,
    pub(crate) smtp: SmtpWay,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SmsWay {
    pub(crate) kind: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NotifyWay {
    pub(crate) base_url: Option<Url>,
    pub(crate) api_key: Option<Secret>,
    pub(crate) templates: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SmtpWay {
    pub(crate) host: Option<String>,
    pub(crate) port: u16,
    pub(crate) security: String,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
}

impl Default for NotifyWay {
    fn default() -> Self {
        Self {
            base_url: Some("https://api.notifications.service.gov.uk".into()),
            api_key: None,
            templates: BTreeMap::new(),
        }
    }
}

impl Default for SmtpWay {
    fn default() -> Self {
        Self {
            host: None,
            port: 465,
            security: "tls".to_owned(),
            user: None,
            password: None,
        }
    }
}

impl Config {
    /// Whether real people use what runs here: nothing may go to a log or a file instead of them,
    /// and the newest code of a person is readable for nobody.
    pub(crate) const fn is_public(&self) -> bool {
        matches!(self.environment, Environment::Staging | Environment::Live)
    }

    /// The words of who carries e-mail, and of who carries SMS.
    fn carriers(&self) -> (&str, &str) {
        let own = &self.notifications;
        let email = own.kind.as_deref().unwrap_or("log");
        let sms = own.sms.kind.as_deref().unwrap_or(email);
        (email, sms)
    }
}

/// What is wrong with `[notifications]`. Nothing is asked of what is not used.
pub(crate) fn check(config: &Config, findings: &mut Vec<String>) {
    let own = &config.notifications;
    if own.kind.is_none() && config.is_public() {
        findings.push(
            "environment is staging or live and notifications.kind is not set: nobody could be \
             sent a code to sign in with; name \"notify\" or \"smtp\", or \"none\" if nobody \
             signs in"
                .to_owned(),
        );
        return;
    }
    let (email, sms) = config.carriers();
    check_kind(config, "notifications.kind", email, findings);
    if own.sms.kind.is_some() {
        check_kind(config, "notifications.sms.kind", sms, findings);
    }
    if sms == "smtp" {
        findings.push(
            "notifications.kind is \"smtp\", and a mail server carries no SMS: set \
             notifications.sms.kind to \"notify\", or to \"none\" if nobody signs in by SMS"
                .to_owned(),
        );
    }
    if email == "file" || sms == "file" {
        check_set("notifications.file", own.file.as_deref(), findings);
    }
    if email == "notify" || sms == "notify" {
        check_notify(&own.notify, (email, sms), findings);
    }
    if email == "smtp" {
        check_smtp(own, findings);
    }
}

fn check_kind(config: &Config, key: &str, kind: &str, findings: &mut Vec<String>) {
    match kind {
        "log" | "file" if config.is_public() => findings.push(format!(
            "environment is staging or live and {key} is \"{kind}\": people would get nothing, \
             and their codes would lie about"
        )),
        // "smtp" for SMS is told beside the way for SMS.
        "none" | "notify" | "smtp" | "log" | "file" => {}
        _ => findings.push(format!(
            "{key} must be one of \"none\", \"log\", \"file\", \"notify\"{}",
            if key == "notifications.kind" {
                " and \"smtp\""
            } else {
                ""
            }
        )),
    }
}

fn check_notify(notify: &NotifyWay, (email, sms): (&str, &str), findings: &mut Vec<String>) {
    let key = "notifications.notify.base_url";
    check_url(
        key,
        "notifications.kind",
        "notify",
        notify.base_url.as_ref(),
        findings,
    );
    let secret = notify.api_key.as_ref();
    if secret.is_none_or(|secret| NotifyKey::parse(secret.reveal()).is_none()) {
        findings.push(
            "a kind in [notifications] is \"notify\": notifications.notify.api_key must be the \
             whole key as Notify shows it, such as name-<UUID>-<UUID>"
                .to_owned(),
        );
    }
    for (name, id) in &notify.templates {
        let is_known = TEMPLATES.contains(&name.as_str());
        if !is_known || !is_plain(id) {
            findings.push(format!(
                "notifications.notify.templates.{name}: {}",
                if is_known {
                    "it must be the id of a template"
                } else {
                    "there is no such message; docs/notifications.md lists them"
                }
            ));
        }
    }
    let has = |name: &str| notify.templates.contains_key(name);
    let is_sms = |name: &&str| *name == "sms" || name.ends_with("_sms");
    for (way, kind, general) in [("e-mail", email, "email"), ("SMS", sms, "sms")] {
        if kind != "notify" || has(general) {
            continue;
        }
        let wanted = TEMPLATES
            .iter()
            .filter(|name| is_sms(name) == (general == "sms"));
        let lacks: Vec<&str> = wanted
            .copied()
            // The test message has nobody waiting for it.
            .filter(|name| *name != general && *name != "test" && !has(name))
            .collect();
        if !lacks.is_empty() {
            findings.push(format!(
                "{way} goes through Notify: set notifications.notify.templates.{general}, the \
                 template of every message, or one for each of {}",
                lacks.join(", ")
            ));
        }
    }
}

fn check_smtp(own: &Notifications, findings: &mut Vec<String>) {
    let smtp = &own.smtp;
    check_set("notifications.smtp.host", smtp.host.as_deref(), findings);
    let from = own.from.as_deref().unwrap_or_default();
    let address = from.rsplit_once('<').map_or(from, |(_, address)| {
        address.strip_suffix('>').unwrap_or_default()
    });
    let is_address = balefire_domain::notification::Recipient::email(address).is_ok();
    if !is_address || from.len() > CHARS_MAX || from.contains(char::is_control) {
        findings.push(
            "notifications.kind is \"smtp\": notifications.from must be the address of the \
             sender, such as \"Emergency Alerts <alerts@example.org>\""
                .to_owned(),
        );
    }
    if smtp.port == 0 {
        findings.push("notifications.smtp.port must be above 0".to_owned());
    }
    let is_here = smtp.host.as_deref().is_some_and(is_loopback);
    match smtp.security.as_str() {
        "tls" | "starttls" => {}
        "none" if is_here => {}
        "none" => findings.push(
            "notifications.smtp.security is \"none\" and notifications.smtp.host is not this \
             machine: codes could be read on their way; use \"tls\" or \"starttls\""
                .to_owned(),
        ),
        _ => findings.push(
            "notifications.smtp.security must be \"tls\", \"starttls\" or \"none\"".to_owned(),
        ),
    }
    if smtp.user.is_some() != smtp.password.is_some() {
        findings.push(
            "notifications.smtp.user and notifications.smtp.password must be set together"
                .to_owned(),
        );
    }
}

fn check_set(key: &str, text: Option<&str>, findings: &mut Vec<String>) {
    let is_set =
        |text: &str| (1..=CHARS_MAX).contains(&text.len()) && !text.contains(char::is_control);
    if !text.is_some_and(is_set) {
        findings.push(format!("{key} must be set, as [notifications] is"));
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Who carries e-mail and SMS. The configuration was checked.
pub(crate) fn carriers(config: &Config) -> anyhow::Result<Carriers> {
    let (email, sms) = config.carriers();
    Ok(Carriers {
        email: carrier(config, email)?,
        sms: carrier(config, sms)?,
    })
}

fn carrier(config: &Config, kind: &str) -> anyhow::Result<Carrier> {
    let own = &config.notifications;
    Ok(match kind {
        "log" => Carrier::Log,
        "file" => Carrier::File(PathBuf::from(own.file.clone().unwrap_or_default())),
        "notify" => Carrier::Notify(Box::new(notify(&own.notify)?)),
        "smtp" => Carrier::Smtp(Box::new(smtp(config)?)),
        _ => Carrier::None,
    })
}

fn notify(notify: &NotifyWay) -> anyhow::Result<GovukNotify> {
    let url = notify.base_url.as_ref().map_or("", Url::reveal);
    let key = notify.api_key.as_ref().map_or("", Secret::reveal);
    Ok(GovukNotify {
        endpoint: Endpoint::parse(url)?,
        key: NotifyKey::parse(key).context("notifications.notify.api_key")?,
        templates: notify.templates.clone(),
    })
}

fn smtp(config: &Config) -> anyhow::Result<Smtp> {
    let own = &config.notifications;
    let connect_timeout = Duration::from_millis(config.dispatch.connect_timeout_ms);
    let ca_file = config.cbc.ca_file.as_deref().map(Path::new);
    let user = own.smtp.user.clone();
    let password = own.smtp.password.as_ref();
    Ok(Smtp {
        client: SmtpClient::new(connect_timeout, ca_file).context("cbc.ca_file")?,
        server: SmtpServer {
            host: own.smtp.host.clone().unwrap_or_default(),
            port: own.smtp.port,
            security: match own.smtp.security.as_str() {
                "starttls" => SmtpSecurity::StartTls,
                "none" => SmtpSecurity::Loopback,
                _ => SmtpSecurity::Tls,
            },
            credentials: user.zip(password.map(|secret| secret.reveal().to_owned())),
        },
        from: own.from.clone().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::{check, parse};
    use super::*;

    const KEY: &str = "k-26785a09-ab16-4eb0-8407-a37497a57506-3d844edf-8d35-48ac-975b-e847b4f122b0";
    const SMTP: &str = "[notifications]\nkind = \"smtp\"\nfrom = \"Alerts <a@example.org>\"\n\
                        [notifications.sms]\nkind = \"none\"\n\
                        [notifications.smtp]\nhost = \"mail.example\"\nuser = \"u\"\n\
                        password = \"hush\"\n";

    fn notify() -> String {
        format!(
            "[notifications]\nkind = \"notify\"\n[notifications.notify]\napi_key = \"{KEY}\"\n\
             [notifications.notify.templates]\nemail = \"e\"\nsms = \"s\"\n"
        )
    }

    fn findings(text: &str) -> Vec<String> {
        let text = format!("{text}[cbc]\nenabled = false\n");
        check(&parse(&text, std::iter::empty()).expect("it can be read"))
    }

    #[test]
    fn who_is_to_carry_messages_must_be_whole() {
        let notify = notify();
        // the sections, what is changed in them, the keys that must be named
        let cases: [(&str, &str, &str, &[&str]); 29] = [
            (&notify, "", "", &[]),
            (SMTP, "", "", &[]),
            ("[notifications]\nkind = \"none\"\n", "", "", &[]),
            ("[notifications]\nkind = \"log\"\n", "", "", &[]),
            (
                "[notifications]\nkind = \"pigeon\"\n",
                "",
                "",
                &["notifications.kind"],
            ),
            (
                "[notifications.sms]\nkind = \"pigeon\"\n",
                "",
                "",
                &["notifications.sms.kind"],
            ),
            (
                "[notifications]\nkind = \"file\"\n",
                "",
                "",
                &["notifications.file"],
            ),
            (
                "[notifications]\nkind = \"file\"\nfile = \"x\"\n",
                "",
                "",
                &[],
            ),
            (
                "[notifications.sms]\nkind = \"file\"\n",
                "",
                "",
                &["notifications.file"],
            ),
            (&notify, KEY, "hush", &["notifications.notify.api_key"]),
            (
                &notify,
                &notify,
                "[notifications.sms]\nkind = \"notify\"\n",
                &[
                    "notifications.notify.api_key",
                    "notifications.notify.templates.sms",
                    "sign_in_code_sms",
                ],
            ),
            (
                &notify,
                "email = \"e\"\n",
                "",
                &["templates.email", "reset_password"],
            ),
            (
                &notify,
                "sms = \"s\"\n",
                "",
                &["templates.sms", "sign_in_code_sms"],
            ),
            (
                &notify,
                "sms = \"s\"\n",
                "sign_in_code_sms = \"a\"\nsecurity_change_sms = \"b\"\n",
                &[],
            ),
            (
                &notify,
                "sms = \"s\"\n",
                "sms = \"a b\"\n",
                &["templates.sms"],
            ),
            (
                &notify,
                "sms = \"s\"\n",
                "sms = \"s\"\npigeon = \"s\"\n",
                &["templates.pigeon"],
            ),
            (
                &notify,
                "api_key",
                "base_url = \"http://notify.example\"\napi_key",
                &["notifications.notify.base_url"],
            ),
            (
                &notify,
                "api_key",
                "base_url = \"http://127.0.0.1:9\"\napi_key",
                &[],
            ),
            (
                SMTP,
                "[notifications.sms]\nkind = \"none\"\n",
                "",
                &["notifications.kind", "notifications.sms.kind"],
            ),
            (
                SMTP,
                "kind = \"none\"",
                "kind = \"smtp\"",
                &["notifications.sms.kind"],
            ),
            (
                SMTP,
                "host = \"mail.example\"\n",
                "",
                &["notifications.smtp.host"],
            ),
            (
                SMTP,
                "Alerts <a@example.org>",
                "Alerts",
                &["notifications.from"],
            ),
            (
                SMTP,
                "Alerts <a@example.org>",
                "A\\nBcc: x <a@b>",
                &["notifications.from"],
            ),
            (
                SMTP,
                "user = \"u\"\n",
                "",
                &["notifications.smtp.user", "notifications.smtp.password"],
            ),
            (SMTP, "host", "port = 0\nhost", &["notifications.smtp.port"]),
            (
                SMTP,
                "host",
                "security = \"none\"\nhost",
                &["notifications.smtp.security", "notifications.smtp.host"],
            ),
            (
                SMTP,
                "host",
                "security = \"some\"\nhost",
                &["notifications.smtp.security"],
            ),
            (SMTP, "host", "security = \"starttls\"\nhost", &[]),
            (
                SMTP,
                "host = \"mail.example\"",
                "security = \"none\"\nhost = \"::1\"",
                &[],
            ),
        ];
        for (sections, from, to, keys) in cases {
            let text = if from.is_empty() {
                sections.to_owned()
            } else {
                sections.replace(from, to)
            };
            let found = findings(&text).join("\n");
            assert_eq!(found.is_empty(), keys.is_empty(), "{text}\n{found}");
            for key in keys {
                assert!(
                    found.contains(key),
                    "{text}\nshould name {key}; found:\n{found}"
                );
            }
            assert!(!found.contains("hush"), "{found}");
        }
    }

    #[test]
    fn where_people_are_real_somebody_must_carry_messages_to_them() {
        let notify = notify();
        let log = "[notifications]\nkind = \"log\"\n";
        let file = "[notifications]\nkind = \"file\"\nfile = \"x\"\n";
        let none = "[notifications]\nkind = \"none\"\n";
        let sms = SMTP.to_string().replace("\"none\"", "\"log\"");
        // the sections, whether they start where people are real
        let cases: [(&str, bool); 7] = [
            ("", false),
            (log, false),
            (file, false),
            (&sms, false),
            (none, true),
            (SMTP, true),
            (&notify, true),
        ];
        for environment in ["development", "test", "preview", "staging", "live"] {
            for (sections, starts) in cases {
                let text = format!(
                    "environment = \"{environment}\"\n[database]\nsingle_node_is_fine = true\n\
                     {sections}"
                );
                let is_public = matches!(environment, "staging" | "live");
                let found = findings(&text);
                assert_eq!(found.is_empty(), starts || !is_public, "{text}\n{found:?}");
                for finding in found {
                    assert!(finding.contains("environment"), "{finding}");
                    assert!(finding.contains("notifications."), "{finding}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_said_goes_to_the_log_and_secrets_are_never_shown() {
        let config = |text: &str| parse(text, std::iter::empty()).expect("it can be read");
        let carriers = |text: &str| super::carriers(&config(text)).expect("whole");
        assert!(matches!(carriers("").email, Carrier::Log));
        assert!(matches!(carriers("").sms, Carrier::Log));
        assert!(matches!(carriers(SMTP).email, Carrier::Smtp(_)));
        assert!(matches!(carriers(SMTP).sms, Carrier::None));
        assert!(matches!(carriers(&notify()).sms, Carrier::Notify(_)));
        for text in [SMTP, &notify()] {
            let config = config(text);
            let shown = format!("{config:?}{}", toml::to_string(&config).expect("TOML"));
            assert!(!shown.contains("hush") && !shown.contains(KEY), "{shown}");
        }
    }
}
