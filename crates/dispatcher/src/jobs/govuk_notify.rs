//! Notifications through GOV.UK Notify's API. The words are the template's; ours are offered to it
//! as the values `subject` and `body`, beside each message's own (docs/notifications.md).

use std::collections::BTreeMap;

use balefire_domain::ids::NotificationId;
use balefire_domain::limits::ANSWER_BYTES_MAX;
use balefire_domain::notification::{Notification, Way};
use balefire_domain::time::Timestamp;
use balefire_gateway::{Endpoint, HttpAnswer, HttpError};
use http::Method;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Caller, Sent};

/// Characters of a UUID as Notify's keys have it.
const UUID_CHARS: usize = 36;
/// Characters of the class of an error that are repeated.
const CLASS_CHARS_MAX: usize = 40;

/// Notify, and as whom it is spoken to. It has no `Debug`: the key is a secret.
#[derive(Clone)]
pub struct GovukNotify {
    /// `notifications.notify.base_url`.
    pub endpoint: Endpoint,
    /// `notifications.notify.api_key`.
    pub key: NotifyKey,
    /// Ids of templates by the names of [`balefire_domain::notification::TEMPLATES`].
    pub templates: BTreeMap<String, String>,
}

/// A key of Notify's: whose it is, and its secret. It has no `Debug`.
#[derive(Clone)]
pub struct NotifyKey {
    service_id: String,
    secret: String,
}

impl NotifyKey {
    /// Reads a key as Notify shows it: a name, the service's id and the secret, joined by hyphens.
    pub fn parse(text: &str) -> Option<Self> {
        let secret_at = text.len().checked_sub(UUID_CHARS)?;
        let (rest, secret) = text.split_at_checked(secret_at)?;
        let rest = rest.strip_suffix('-')?;
        let service_at = rest.len().checked_sub(UUID_CHARS)?;
        let (_, service_id) = rest.split_at_checked(service_at)?;
        let is_uuid = |text: &str| Uuid::try_parse(text).is_ok();
        (is_uuid(service_id) && is_uuid(secret)).then(|| Self {
            service_id: service_id.to_owned(),
            secret: secret.to_owned(),
        })
    }

    fn token(&self, now: Timestamp) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = json!({ "iss": self.service_id, "iat": now.micros().div_euclid(1_000_000) });
        let key = EncodingKey::from_secret(self.secret.as_bytes());
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key)
    }
}

impl GovukNotify {
    pub(super) async fn send(
        &self,
        caller: &Caller,
        now: Timestamp,
        id: NotificationId,
        notification: &Notification,
    ) -> Sent {
        let names = notification.templates();
        let Some(template) = names.iter().find_map(|name| self.templates.get(name)) else {
            let [own, general] = names;
            return Sent::Refused(format!(
                "there is no template: set notifications.notify.templates.{own} or .{general}"
            ));
        };
        let values = notification.personalisation().into_iter();
        let values: Map<String, Value> = values
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        let (path, field) = match notification.to.way() {
            Way::Email => ("/v2/notifications/email", "email_address"),
            Way::Sms => ("/v2/notifications/sms", "phone_number"),
        };
        let body = json!({
            field: notification.to.reveal(), "template_id": template, "personalisation": values,
            "reference": id,
        });
        let Ok(token) = self.key.token(now) else {
            return Sent::Refused("no token can be made of the key".to_owned());
        };
        let headers = vec![
            ("Authorization".to_owned(), format!("Bearer {token}")),
            ("Content-Type".to_owned(), "application/json".to_owned()),
            ("Accept".to_owned(), "application/json".to_owned()),
        ];
        let url = format!("{}{path}", self.endpoint);
        let answered = caller.bounded(ANSWER_BYTES_MAX);
        match answered.ask(Method::POST, url, headers, Some(&body)).await {
            Ok(answer) => judge(&answer),
            Err(error @ (HttpError::Url(_) | HttpError::Header(_))) => {
                Sent::Refused(error.to_string())
            }
            Err(error @ HttpError::NotSent { .. }) => Sent::Failed(error.to_string()),
            Err(error @ (HttpError::NoAnswer { .. } | HttpError::TooLong { .. })) => {
                Sent::Doubtful(error.to_string())
            }
        }
    }
}

/// What an answer means: 201 is taken; of the rest the client's faults (4xx) stay what they are,
/// but for haste (429).
fn judge(answer: &HttpAnswer) -> Sent {
    let status = answer.status;
    let words = format!("Notify answered {status}{}", class(answer));
    match status {
        201 => Sent::Sent("notify".to_owned()),
        429 => Sent::Failed(words),
        401 | 403 => Sent::Refused(format!(
            "{words}: look at notifications.notify.api_key, and at this machine's clock"
        )),
        400 => Sent::Refused(format!(
            "{words}: look at the template, at what the key may do, and at the address"
        )),
        404 => Sent::Refused(format!("{words}: look at notifications.notify.base_url")),
        402 | 405..=499 => Sent::Refused(words),
        _ => Sent::Failed(words),
    }
}

/// The class of the first error, such as ` (BadRequestError)`. Its message may repeat an address.
fn class(answer: &HttpAnswer) -> String {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let class = body["errors"][0]["error"].as_str().unwrap_or_default();
    let is_class = !class.is_empty()
        && class.len() <= CLASS_CHARS_MAX
        && class.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_class {
        format!(" ({class})")
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: &str = "26785a09-ab16-4eb0-8407-a37497a57506";
    const SECRET: &str = "3d844edf-8d35-48ac-975b-e847b4f122b0";

    #[test]
    fn a_key_is_taken_apart_whatever_its_name_is() {
        for name in ["our-team-key", "x", "ÿ", "a-26785a09-ab16"] {
            let key = NotifyKey::parse(&format!("{name}-{SERVICE}-{SECRET}")).expect("a key");
            assert_eq!(
                (key.service_id.as_str(), key.secret.as_str()),
                (SERVICE, SECRET)
            );
        }
        for text in [
            "",
            SECRET,
            "key",
            &format!("key-{SERVICE}_{SECRET}"),
            &format!("key-{SERVICE}-{SECRET}x"),
            &format!("ÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿ-{SECRET}"),
        ] {
            assert!(NotifyKey::parse(text).is_none(), "{text}");
        }
    }
}
