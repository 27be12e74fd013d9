//! People, their service and its key, made by commands.

use serde_json::Value;

use super::sandbox::Sandbox;

/// A service with an author, an approver and a normal key.
pub(crate) struct Team {
    pub(crate) service: String,
    pub(crate) author: Person,
    pub(crate) approver: Person,
    pub(crate) key: Key,
}

/// Somebody of the team.
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) email: String,
}

/// A key of the service.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
}

fn text(value: &Value, key: &str) -> String {
    let found = value[key].as_str();
    found
        .unwrap_or_else(|| panic!("no {key}: {value}"))
        .to_owned()
}

impl Sandbox {
    /// A live service on the channel `severe`, with all providers.
    pub(crate) async fn live_team(&self) -> Team {
        self.team("live", "severe").await
    }

    /// A service with its people and a key.
    pub(crate) async fn team(&self, mode: &str, channel: &str) -> Team {
        let made = self
            .json(&[
                "service",
                "create",
                "--name",
                "Floods",
                "--mode",
                mode,
                "--channel",
                channel,
            ])
            .await;
        let service = text(&made, "id");
        Team {
            author: self.person(&service, "author").await,
            approver: self.person(&service, "approver").await,
            key: self.key(&service, "normal").await,
            service,
        }
    }

    /// A member of the service. Addresses are taken once for all services.
    pub(crate) async fn person(&self, service: &str, name: &str) -> Person {
        let email = format!("{name}.{service}@example.org");
        let args = [
            "user",
            "create",
            "--name",
            name,
            "--email",
            &email,
            "--service",
            service,
        ];
        let made = self.json(&args).await;
        Person {
            id: text(&made, "id"),
            email,
        }
    }

    /// A platform administrator; the address.
    pub(crate) async fn administrator(&self) -> String {
        let email = "root@example.org".to_owned();
        let args = [
            "user",
            "create",
            "--name",
            "Root",
            "--email",
            &email,
            "--platform-admin",
        ];
        self.json(&args).await;
        email
    }

    /// A key of the service.
    pub(crate) async fn key(&self, service: &str, kind: &str) -> Key {
        let args = [
            "key",
            "create",
            "--service",
            service,
            "--name",
            kind,
            "--type",
            kind,
        ];
        let made = self.json(&args).await;
        assert_eq!(made["service_id"], service);
        Key {
            id: text(&made, "id"),
            secret: text(&made, "secret"),
        }
    }

    /// Submits an alert by command, as the author; its id.
    pub(crate) async fn submit(&self, team: &Team, identifier: &str) -> String {
        let file = self.write(
            &format!("{identifier}.xml"),
            &super::documents::alert(identifier),
        );
        let file = file.display().to_string();
        let args = ["alert", "submit", &file, "--service", &team.service, "--as"];
        let made = self
            .json(&[args.as_slice(), &[&team.author.email]].concat())
            .await;
        text(&made, "id")
    }

    /// Approves or cancels an alert by command, as the approver.
    pub(crate) async fn act(&self, team: &Team, act: &str, alert: &str) -> Value {
        self.json(&["alert", act, alert, "--as", &team.approver.email])
            .await
    }
}
