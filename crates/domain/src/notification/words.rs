//! The words of every notification, and the values of which an outside template may make its own.

use super::{Changed, Message, Notification, Way};

/// Characters of a name that a message repeats.
const NAME_CHARS_MAX: usize = 100;
/// Characters of an alert's summary that a message repeats.
const SUMMARY_CHARS_MAX: usize = 4_000;
/// Area names that a message lists; the rest are counted.
const AREAS_SHOWN_MAX: usize = 50;
/// Characters of a subject: what a mail program shows.
const SUBJECT_CHARS_MAX: usize = 150;

/// The names that templates of an outside service may have: one for each message and way, and
/// `email` and `sms`, which serve all that have none of their own.
pub const TEMPLATES: [&str; 15] = [
    "email",
    "sms",
    "sign_in_code",
    "sign_in_code_sms",
    "sign_in_link",
    "confirm_email",
    "confirm_new_email",
    "reset_password",
    "already_registered",
    "service_invitation",
    "organisation_invitation",
    "security_change",
    "security_change_sms",
    "alert_summary",
    "test",
];

/// A notification as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// One line of at most 150 characters; not sent by SMS.
    pub subject: String,
    /// Plain text; lines end with `\n`.
    pub body: String,
}

impl Notification {
    /// Its words. The subject has no control character, and so no line of its own making.
    pub fn words(&self) -> Words {
        let is_short = self.to.way() == Way::Sms;
        let (subject, body) = words(&self.message, is_short);
        Words {
            subject: one_line(&subject, SUBJECT_CHARS_MAX),
            body,
        }
    }

    /// The names of the templates that may say it, the nearest first.
    pub fn templates(&self) -> [String; 2] {
        let word = self.message.as_str();
        match self.to.way() {
            Way::Email => [word.to_owned(), "email".to_owned()],
            Way::Sms => [format!("{word}_sms"), "sms".to_owned()],
        }
    }

    /// The values for a template: `subject` and `body` as they are sent without one, and the
    /// message's own, each by its name.
    pub fn personalisation(&self) -> Vec<(&'static str, String)> {
        let Words { subject, body } = self.words();
        let mut values = vec![("subject", subject), ("body", body)];
        values.extend(own_values(&self.message));
        values
    }
}

fn own_values(message: &Message) -> Vec<(&'static str, String)> {
    match message {
        Message::SignInCode { code } => vec![("code", code.reveal().to_owned())],
        Message::SignInLink { name, link }
        | Message::ConfirmEmail { name, link }
        | Message::ConfirmNewEmail { name, link }
        | Message::ResetPassword { name, link } => {
            vec![("name", named(name)), ("link", link.reveal().to_owned())]
        }
        Message::AlreadyRegistered {
            sign_in_link,
            forgotten_link,
        } => vec![
            ("sign_in_link", sign_in_link.clone()),
            ("forgotten_link", forgotten_link.clone()),
        ],
        Message::ServiceInvitation {
            inviter,
            service,
            link,
        } => vec![
            ("inviter", named(inviter)),
            ("service", named(service)),
            ("link", link.reveal().to_owned()),
        ],
        Message::OrganisationInvitation {
            inviter,
            organisation,
            link,
        } => vec![
            ("inviter", named(inviter)),
            ("organisation", named(organisation)),
            ("link", link.reveal().to_owned()),
        ],
        Message::SecurityChange { name, changed } => vec![
            ("name", named(name)),
            ("changed", changed.words().to_owned()),
        ],
        Message::AlertSummary {
            service,
            author,
            summary,
            areas,
            phones,
            duration,
        } => vec![
            ("service", named(service)),
            ("author", named(author)),
            ("summary", begin(summary, SUMMARY_CHARS_MAX)),
            ("areas", listed(areas)),
            ("phones", named(phones)),
            ("duration", named(duration)),
        ],
        Message::Test => vec![],
    }
}

/// Subject and body. `is_short`: by SMS, where each 160 characters cost.
fn words(message: &Message, is_short: bool) -> (String, String) {
    match message {
        Message::SignInCode { code } => {
            let code = code.reveal();
            let body = if is_short {
                format!("{code} is your emergency alerts security code. Give it to nobody.")
            } else {
                format!(
                    "Your security code is {code}.\n\nEnter it on the page that asked for it, \
                     within 30 minutes. Give it to nobody: nobody of ours will ask for it.\n"
                )
            };
            ("Your security code for emergency alerts".to_owned(), body)
        }
        Message::SecurityChange { changed, .. } if is_short => {
            let what = changed.words();
            let body = format!(
                "{what} of your emergency alerts account was changed. If that was not you, tell \
                 your administrator at once."
            );
            (String::new(), body)
        }
        Message::Test => (
            "A test message from Balefire".to_owned(),
            "This is a test message from Balefire. Nothing needs to be done.".to_owned(),
        ),
        Message::AlertSummary { .. } => alert_summary(message),
        Message::AlreadyRegistered {
            sign_in_link,
            forgotten_link,
        } => (
            "You already have an emergency alerts account".to_owned(),
            format!(
                "Somebody, perhaps you, asked for an emergency alerts account with this address. \
                 It has one already, and nothing was changed.\n\nSign in:\n{sign_in_link}\n\nAsk \
                 for a new password:\n{forgotten_link}\n"
            ),
        ),
        Message::SecurityChange { name, changed } => {
            let (name, what) = (named(name), changed.words());
            (
                format!("{what} of your emergency alerts account was changed"),
                format!(
                    "Dear {name},\n\n{what} of your emergency alerts account was changed.\n\nIf \
                     that was not you, tell your administrator at once: somebody else may have \
                     your account.\n"
                ),
            )
        }
        Message::SignInLink { .. }
        | Message::ConfirmEmail { .. }
        | Message::ConfirmNewEmail { .. }
        | Message::ResetPassword { .. }
        | Message::ServiceInvitation { .. }
        | Message::OrganisationInvitation { .. } => with_link(message),
    }
}

/// A message that asks for one thing: to follow a link.
fn with_link(message: &Message) -> (String, String) {
    let unasked = "If you did not ask for this, leave the link alone: nothing changes.";
    let invited = |inviter: &str, to: &str, link: &str, kind: &str| {
        let (inviter, to) = (named(inviter), named(to));
        (
            format!("{inviter} invites you to {to}"),
            format!(
                "{inviter} invites you to the {kind} {to} of emergency alerts.\n\nFollow this \
                 link within 2 days to join:\n{link}\n\nIf you don't know {inviter}, leave it \
                 alone.\n"
            ),
        )
    };
    let (subject, name, why, link) = match message {
        Message::SignInLink { name, link } => (
            "Sign in to emergency alerts",
            name,
            "Follow this link within 30 minutes to sign in. It works once:",
            link,
        ),
        Message::ConfirmEmail { name, link } => (
            "Confirm your address for emergency alerts",
            name,
            "Follow this link within an hour to confirm that this address is yours:",
            link,
        ),
        Message::ConfirmNewEmail { name, link } => (
            "Confirm your new address for emergency alerts",
            name,
            "Follow this link within an hour to use this address for your account from now on:",
            link,
        ),
        Message::ResetPassword { name, link } => (
            "Set a new password for emergency alerts",
            name,
            "Follow this link within an hour to set a new password. It works once:",
            link,
        ),
        Message::ServiceInvitation {
            inviter,
            service,
            link,
        } => return invited(inviter, service, link.reveal(), "service"),
        Message::OrganisationInvitation {
            inviter,
            organisation,
            link,
        } => return invited(inviter, organisation, link.reveal(), "organisation"),
        Message::SignInCode { .. }
        | Message::AlreadyRegistered { .. }
        | Message::SecurityChange { .. }
        | Message::AlertSummary { .. }
        | Message::Test => unreachable!("it has no link of its own"),
    };
    let (name, link) = (named(name), link.reveal());
    let body = format!("Dear {name},\n\n{why}\n{link}\n\n{unasked}\n");
    (subject.to_owned(), body)
}

fn alert_summary(message: &Message) -> (String, String) {
    let values = own_values(message);
    let value = |wanted: &str| {
        let found = values.iter().find(|(name, _)| *name == wanted);
        found.map_or("", |(_, value)| value.as_str())
    };
    let subject = format!("Summary of an alert by {}", value("service"));
    let body = format!(
        "{} of {} sends you the summary of an alert. It is NOT an alert, and nothing was sent to \
         phones by it.\n\nSummary:\n{}\n\nAreas: {}\nPhones: {}\nDuration: {}\n",
        value("author"),
        value("service"),
        value("summary"),
        value("areas"),
        value("phones"),
        value("duration")
    );
    (subject, body)
}

impl Changed {
    /// As a sentence begins.
    const fn words(self) -> &'static str {
        match self {
            Self::Name => "The name",
            Self::Email => "The e-mail address",
            Self::Mobile => "The mobile number",
            Self::AuthType => "The way to sign in",
            Self::Password => "The password",
        }
    }
}

fn listed(areas: &[String]) -> String {
    let shown = areas.iter().take(AREAS_SHOWN_MAX).map(|area| named(area));
    let text = shown.collect::<Vec<_>>().join("; ");
    match areas.len().saturating_sub(AREAS_SHOWN_MAX) {
        0 => text,
        more => format!("{text}; and {more} more"),
    }
}

fn named(name: &str) -> String {
    one_line(name, NAME_CHARS_MAX)
}

/// The first characters of what somebody else wrote, on one line.
fn one_line(text: &str, chars_max: usize) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let text: String = text
        .chars()
        .map(|c| if breaks(c) { ' ' } else { c })
        .collect();
    begin(text.trim(), chars_max)
}

fn begin(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{Hidden, Recipient};
    use super::*;

    /// One of each message; what is secret in it contains `s3cret`.
    pub(in super::super) fn samples() -> Vec<Message> {
        let link = || Hidden::new("https://admin.example/t/s3cret");
        let name = || "Ann".to_owned();
        vec![
            Message::SignInCode {
                code: Hidden::new("s3cret0"),
            },
            Message::SignInLink {
                name: name(),
                link: link(),
            },
            Message::ConfirmEmail {
                name: name(),
                link: link(),
            },
            Message::ConfirmNewEmail {
                name: name(),
                link: link(),
            },
            Message::ResetPassword {
                name: name(),
                link: link(),
            },
            Message::AlreadyRegistered {
                sign_in_link: "https://admin.example/sign-in".to_owned(),
                forgotten_link: "https://admin.example/forgot-password".to_owned(),
            },
            Message::ServiceInvitation {
                inviter: name(),
                service: "Floods".to_owned(),
                link: link(),
            },
            Message::OrganisationInvitation {
                inviter: name(),
                organisation: "The Agency".to_owned(),
                link: link(),
            },
            Message::SecurityChange {
                name: name(),
                changed: Changed::Mobile,
            },
            Message::AlertSummary {
                service: "Floods".to_owned(),
                author: name(),
                summary: "The river rises.\nGo uphill.".to_owned(),
                areas: vec!["Aberdeen".to_owned(), "Bath".to_owned()],
                phones: "Less than 1 million".to_owned(),
                duration: "4 hours".to_owned(),
            },
            Message::Test,
        ]
    }

    fn by_email(message: Message) -> Notification {
        Notification::new(
            Recipient::email("ann@example.org").expect("it is one"),
            message,
        )
    }

    fn by_sms(message: Message) -> Notification {
        Notification::new(Recipient::sms("07700900123").expect("it is one"), message)
    }

    #[test]
    fn every_message_says_what_it_is_about_and_carries_its_values() {
        for message in samples() {
            let word = message.as_str();
            let notification = by_email(message);
            let words = notification.words();
            assert!(!words.subject.is_empty(), "{word}");
            assert!(
                !words.subject.contains("s3cret"),
                "{word}: {}",
                words.subject
            );
            for (name, value) in notification.personalisation() {
                if !matches!(name, "subject" | "body") {
                    let all = format!("{}\n{}", words.subject, words.body);
                    assert!(all.contains(&value), "{word} lacks its {name}: {all}");
                }
            }
        }
    }

    #[test]
    fn a_text_message_is_one_text_message() {
        let code = Hidden::new("1234567");
        let mut messages = vec![Message::SignInCode { code }, Message::Test];
        for changed in [
            Changed::Name,
            Changed::Email,
            Changed::Mobile,
            Changed::AuthType,
            Changed::Password,
        ] {
            let name = "Ann".to_owned();
            messages.push(Message::SecurityChange { name, changed });
        }
        for message in messages {
            let body = by_sms(message).words().body;
            assert!(
                body.is_ascii() && body.len() <= 160,
                "{}: {body}",
                body.len()
            );
            assert!(!body.contains('\n'), "{body}");
        }
    }

    #[test]
    fn no_name_makes_a_line_of_its_own() {
        let odd = "Ann\r\nBcc: eve@example.org\u{2028}\u{85}x";
        let long = "n".repeat(1_000);
        for name in [odd, long.as_str(), "", "\n\n"] {
            let message = |link| Message::ServiceInvitation {
                inviter: name.to_owned(),
                service: name.to_owned(),
                link,
            };
            let words = by_email(message(Hidden::new("https://x.example"))).words();
            let subject = &words.subject;
            assert!(!subject.contains(|c: char| c.is_control()), "{subject:?}");
            assert!(!subject.contains('\u{2028}'), "{subject:?}");
            assert!(
                subject.chars().count() <= SUBJECT_CHARS_MAX + 1,
                "{subject}"
            );
            assert!(!words.body.contains("\nBcc"), "{}", words.body);
        }
        let summary = by_email(Message::AlertSummary {
            service: odd.to_owned(),
            author: odd.to_owned(),
            summary: "x".repeat(10_000),
            areas: vec![odd.to_owned(); 60],
            phones: String::new(),
            duration: String::new(),
        });
        let words = summary.words();
        assert!(words.body.contains("; and 10 more"), "{}", words.body);
        assert!(words.body.len() < 10_000, "{}", words.body.len());
    }

    #[test]
    fn every_template_is_one_message_s_and_the_general_ones_serve_the_rest() {
        for message in samples() {
            let [own, general] = by_email(message.clone()).templates();
            assert!(TEMPLATES.contains(&own.as_str()), "{own}");
            assert_eq!(general, "email");
            let [own, general] = by_sms(message).templates();
            assert_eq!(general, "sms");
            // Most messages go by e-mail only; one that can't would be told from the others here.
            assert!(own.ends_with("_sms"), "{own}");
        }
        let known: Vec<String> = samples()
            .into_iter()
            .flat_map(|message| {
                [
                    by_email(message.clone()).templates(),
                    by_sms(message).templates(),
                ]
            })
            .flatten()
            .collect();
        for name in TEMPLATES {
            assert!(
                known.iter().any(|known| known == name),
                "nothing uses {name}"
            );
        }
    }
}
