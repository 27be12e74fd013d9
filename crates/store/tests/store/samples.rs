//! Rows to begin with. Ids are small numbers, so that a failure can be read.

use balefire_domain::alert::{Mode, ServiceState, Status};
use balefire_domain::channel::Channel;
use balefire_domain::ids::{
    AlertId, ApiKeyId, AttemptId, DeliveryId, EventId, InstanceId, ServiceId, UserId,
};
use balefire_domain::lane::policy::ends_at;
use balefire_domain::lane::{Delivery, Kind, Policy, State};
use balefire_domain::provider::ProviderName;
use balefire_domain::second_text::SecondText;
use balefire_domain::time::Timestamp;
use balefire_store::alerts::{Alert, CapIdentity};
use balefire_store::api_keys::{ApiKey, KeyKind};
use balefire_store::deliveries::Frozen;
use balefire_store::events::Event;
use balefire_store::lanes::LaneKey;
use balefire_store::services::{About, Service};
use balefire_store::users::User;
use balefire_store::{Store, StoreError, Tx};
use std::time::Duration;
use uuid::Uuid;

use crate::support::{T0, begin};

pub const SERVICE: ServiceId = ServiceId::new(Uuid::from_u128(1));
pub const AUTHOR: UserId = UserId::new(Uuid::from_u128(2));
pub const APPROVER: UserId = UserId::new(Uuid::from_u128(3));
pub const KEY: ApiKeyId = ApiKeyId::new(Uuid::from_u128(4));
pub const INSTANCE: InstanceId = InstanceId::new(Uuid::from_u128(5));
pub const ALERT: AlertId = AlertId::new(Uuid::from_u128(6));

pub fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub fn alert_id(n: u32) -> AlertId {
    AlertId::new(Uuid::from_u128(0xA1_0000_0000 + u128::from(n)))
}

pub fn event_id(n: u32) -> EventId {
    EventId::new(Uuid::from_u128(0xE0_0000_0000 + u128::from(n)))
}

pub fn delivery_id(n: u32) -> DeliveryId {
    DeliveryId::new(Uuid::from_u128(0xDE_0000_0000 + u128::from(n)))
}

pub fn attempt_id(n: u32) -> AttemptId {
    AttemptId::new(Uuid::from_u128(0xA7_0000_0000 + u128::from(n)))
}

pub fn provider(name: &str) -> ProviderName {
    ProviderName::new(name).expect("a provider's name")
}

pub fn service() -> Service {
    Service {
        id: SERVICE,
        name: "Flood warnings".into(),
        state: ServiceState::Active,
        mode: Mode::Live,
        channel: Channel::Severe,
        providers: None,
        may_broadcast: true,
        demands_signature: false,
        created_at: T0,
        is_set_up: true,
        about: About {
            version: 1,
            ..About::default()
        },
    }
}

pub fn user(id: UserId, email: &str) -> User {
    User {
        id,
        name: "Duty officer".into(),
        email: email.into(),
        is_platform_admin: false,
        created_at: T0,
    }
}

pub fn api_key() -> ApiKey {
    ApiKey {
        id: KEY,
        service_id: SERVICE,
        name: "river gauges".into(),
        kind: KeyKind::Normal,
        secret: "sealed".into(),
        created_at: T0,
        revoked_at: None,
        is_revoked_by_mode: false,
        created_by: None,
        updated_at: None,
        version: 1,
    }
}

/// A draft with everything absent that may be.
pub fn bare_alert(id: AlertId) -> Alert {
    Alert {
        id,
        service_id: SERVICE,
        status: Status::Draft,
        is_stubbed: false,
        version: 1,
        next_seq: 1,
        reference: None,
        content: String::new(),
        text: String::new(),
        extra_content: None,
        second: None,
        areas: serde_json::json!({}),
        duration_us: None,
        starts_at: None,
        finishes_at: None,
        cap_event: None,
        cap: None,
        created_at: T0,
        updated_at: None,
        submitted_at: None,
        approved_at: None,
        cancelled_at: None,
        rejected_at: None,
        created_by: Some(AUTHOR),
        updated_by: None,
        submitted_by: None,
        approved_by: None,
        cancelled_by: None,
        rejected_by: None,
        api_key_id: None,
        cancelled_by_api_key_id: None,
        rejected_by_api_key_id: None,
        rejection_reason: None,
        made_of: None,
        is_acknowledged: false,
    }
}

pub fn pending_alert(id: AlertId) -> Alert {
    Alert {
        status: Status::PendingApproval,
        content: "Leave the valley".into(),
        text: "Leave the valley".into(),
        submitted_at: Some(T0),
        submitted_by: Some(AUTHOR),
        ..bare_alert(id)
    }
}

pub fn cap_identity() -> CapIdentity {
    CapIdentity {
        sender: "www.gov.uk/environment-agency".into(),
        identifier: "4f6d28b10ab7aa447bbd46d85f1e9effE".into(),
        sent: Timestamp::from_micros(1_581_940_700_000_000),
        digest: "0".repeat(64),
    }
}

pub fn event(id: EventId, alert: AlertId, seq: u32, kind: Kind) -> Event {
    Event {
        id,
        alert_id: alert,
        seq,
        kind,
        created_at: T0,
        finishes_at: T0 + seconds(3600),
        channel: Channel::Severe,
        text: "Leave the valley".into(),
        areas: serde_json::json!({ "names": ["valley"] }),
        content_hash: "c".repeat(64),
        second: Some(second()),
    }
}

pub fn delivery(id: DeliveryId, seq: u32, kind: Kind, created_at: Timestamp) -> Delivery {
    Delivery {
        id,
        seq,
        kind,
        state: State::Ready,
        round: 1,
        created_at,
        ends_at: ends_at(kind, T0 + seconds(3600)),
        is_stuck: false,
    }
}

pub fn frozen(event: EventId, kind: Kind) -> Frozen {
    Frozen {
        event_id: event,
        sent_at: T0,
        message_number: None,
        payload: kind
            .carries_text()
            .then(|| r#"{"message_type":"alert"}"#.to_owned()),
    }
}

pub fn policy() -> Policy {
    Policy {
        routes: vec!["primary/a".into(), "primary/b".into()],
        hold: None,
        resends_unknown_at_once: true,
        has_shared_sites: true,
        hedge: None,
        attempt_deadline: seconds(20),
        clock_skew: seconds(5),
        upstream_timeout: seconds(10),
        backoff_cap: seconds(240),
        early_backoff_cap: seconds(30),
        early_period: seconds(600),
        planted: balefire_domain::lane::planted::Planted::default(),
    }
}

/// What every alert needs: a service, two people, a key and a running process.
pub async fn insert_people(tx: &mut Tx) -> Result<(), StoreError> {
    tx.insert_service(&service()).await?;
    tx.insert_user(&user(AUTHOR, "author@example.gov.uk"))
        .await?;
    tx.insert_user(&user(APPROVER, "approver@example.gov.uk"))
        .await?;
    tx.insert_api_key(&api_key()).await?;
    tx.insert_instance(INSTANCE, "one").await?;
    Ok(())
}

/// People, and [`ALERT`], which waits for approval.
pub async fn store_pending_alert(store: &Store) {
    let mut tx = begin(store).await;
    insert_people(&mut tx).await.expect("people");
    let alert = pending_alert(ALERT);
    tx.insert_alert(&alert).await.expect("an alert");
    tx.commit().await.expect("committed");
}

/// People, an alert, and a lane with one ready delivery.
pub async fn store_ready_lane(store: &Store) -> LaneKey {
    store_pending_alert(store).await;
    let key = LaneKey {
        alert_id: ALERT,
        provider: provider("ee"),
    };
    let mut tx = begin(store).await;
    insert_ready_delivery(&mut tx, &key)
        .await
        .expect("a delivery");
    tx.commit().await.expect("committed");
    key
}

/// An event, a lane and its ready delivery.
pub async fn insert_ready_delivery(tx: &mut Tx, key: &LaneKey) -> Result<(), StoreError> {
    let kind = Kind::Alert;
    tx.insert_event(&event(event_id(1), key.alert_id, 1, kind))
        .await?;
    tx.insert_lane(key, T0 + seconds(3600)).await?;
    let delivery = delivery(delivery_id(1), 1, kind, T0);
    tx.insert_delivery(key, &delivery, &frozen(event_id(1), kind))
        .await?;
    let lane = tx
        .lock_lane(key)
        .await?
        .expect("the lane was just inserted");
    tx.save_lane(key, &lane, &lane).await
}

/// A text in a second language.
pub fn second() -> SecondText {
    SecondText {
        first_language: "en-GB".into(),
        language: "cy-GB".into(),
        content: "Gadewch  y dyffryn".into(),
        text: "Gadewch y dyffryn".into(),
    }
}
