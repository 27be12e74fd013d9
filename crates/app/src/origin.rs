//! Where an act comes from: what its audit entry says of source, request and client.
//!
//! It goes with the task and not through every verb's arguments. Whoever takes a request or a
//! command in covers its work with an [`Origin`]; [`crate::App::audit`] reads it. Work of the clock
//! has none. A task that is spawned meanwhile has none either: verbs write their entries in the
//! task that called them.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use balefire_domain::audit::{Actor, Whence};
use balefire_domain::ids::UserId;

/// What stands for the source and the client of a command.
const COMMAND_LINE: &str = "command line";

tokio::task_local! {
    static CURRENT: Origin;
}

/// Where an act comes from. Cheap to clone; clones know what one of them was told later.
#[derive(Clone, Debug)]
pub struct Origin {
    source: Arc<str>,
    request_id: Option<String>,
    found: Arc<Mutex<Found>>,
}

/// What is found out while a request is looked at.
#[derive(Debug, Default)]
struct Found {
    /// The trusted client that asks.
    client: Option<String>,
    /// The person who proved who they are.
    proven: Option<UserId>,
}

impl Origin {
    /// A request: the client's address, and the id that answer and log have.
    pub fn of_request(source: &str, request_id: String) -> Self {
        Self {
            source: source.into(),
            request_id: Some(request_id),
            found: Arc::default(),
        }
    }

    /// A command, whose `--as` names a person that nothing proves.
    pub fn of_command() -> Self {
        let found = Found {
            client: Some(COMMAND_LINE.to_owned()),
            proven: None,
        };
        Self {
            source: COMMAND_LINE.into(),
            request_id: None,
            found: Arc::new(Mutex::new(found)),
        }
    }

    /// Does something that comes from here.
    pub async fn cover<F: Future>(self, act: F) -> F::Output {
        CURRENT.scope(self, act).await
    }

    /// Where what is done now comes from; `None` for the clock's own work.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// The address that it comes from, or `command line`.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Notes that what is done now is asked by this trusted client: the persons that it names are
    /// asserted by it.
    pub(crate) fn note_client(client: &str) {
        Self::note(|found| found.client = Some(client.to_owned()));
    }

    /// Notes that this person proved who they are, for example by a user assertion: what is done in
    /// their name is asserted by nobody.
    pub fn note_proof(user: UserId) {
        Self::note(|found| found.proven = Some(user));
    }

    fn note(change: impl FnOnce(&mut Found)) {
        // Outside a request there is nothing to note it in.
        let _ = CURRENT.try_with(|origin| {
            change(&mut origin.found.lock().unwrap_or_else(PoisonError::into_inner));
        });
    }

    /// What the entry of an act of this actor says, now.
    pub(crate) fn whence(actor: Actor) -> Whence {
        let Some(origin) = Self::current() else {
            return Whence::default();
        };
        let found = origin.found.lock().unwrap_or_else(PoisonError::into_inner);
        let asserted_by = match actor {
            Actor::User(user) if found.proven != Some(user) => found.client.clone(),
            Actor::User(_)
            | Actor::ApiKey(_)
            | Actor::Client(_)
            | Actor::CommandLine
            | Actor::Clock => None,
        };
        Whence {
            source: Some(origin.source.to_string()),
            request_id: origin.request_id.clone(),
            asserted_by,
        }
    }
}

#[cfg(test)]
mod tests {
    use balefire_domain::ids::ApiKeyId;
    use uuid::Uuid;

    use super::*;

    const ANN: UserId = UserId::new(Uuid::from_u128(1));
    const BOB: UserId = UserId::new(Uuid::from_u128(2));

    fn whence(source: &str, request_id: Option<&str>, asserted_by: Option<&str>) -> Whence {
        let own = |text: &str| text.to_owned();
        Whence {
            source: Some(own(source)),
            request_id: request_id.map(own),
            asserted_by: asserted_by.map(own),
        }
    }

    #[tokio::test]
    async fn an_act_is_told_with_its_source_its_request_and_who_named_the_person() {
        let key = Actor::ApiKey(ApiKeyId::new(Uuid::from_u128(3)));
        assert_eq!(Origin::whence(Actor::Clock), Whence::default());
        let request = Origin::of_request("192.0.2.1", "r".to_owned());
        let told = request.cover(async {
            let by_key = Origin::whence(key);
            Origin::note_client("notify-admin");
            let asserted = Origin::whence(Actor::User(ANN));
            Origin::note_proof(BOB);
            let still = Origin::whence(Actor::User(ANN));
            (by_key, asserted, still, Origin::whence(Actor::User(BOB)))
        });
        let (by_key, asserted, still, proven) = told.await;
        assert_eq!(by_key, whence("192.0.2.1", Some("r"), None));
        let want = whence("192.0.2.1", Some("r"), Some("notify-admin"));
        assert_eq!((&asserted, &still), (&want, &want));
        assert_eq!(proven, whence("192.0.2.1", Some("r"), None));

        let command = Origin::of_command();
        let told = command.cover(async {
            let by_person = Origin::whence(Actor::User(ANN));
            (by_person, Origin::whence(Actor::CommandLine))
        });
        let (by_person, by_operator) = told.await;
        let want = whence("command line", None, Some("command line"));
        assert_eq!(by_person, want);
        assert_eq!(by_operator, whence("command line", None, None));
    }

    #[tokio::test]
    async fn two_requests_at_once_know_nothing_of_each_other() {
        let one = |source: &'static str| {
            Origin::of_request(source, source.to_owned()).cover(async move {
                if source == "a" {
                    Origin::note_client("notify-admin");
                }
                tokio::task::yield_now().await;
                Origin::whence(Actor::User(ANN))
            })
        };
        let (a, b) = tokio::join!(one("a"), one("b"));
        assert_eq!(a, whence("a", Some("a"), Some("notify-admin")));
        assert_eq!(b, whence("b", Some("b"), None));
    }
}
