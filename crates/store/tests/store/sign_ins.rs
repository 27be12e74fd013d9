//! What signing in leaves behind comes back as it was, and what is old is forgotten.

use std::time::Duration;

use balefire_domain::ids::{CredentialId, FailedLoginId, OldPasswordId, VerifyCodeId};
use balefire_domain::permission::Standing;
use balefire_domain::sign_in::{AccountState, AuthType, CodeKind, Failures};
use balefire_domain::time::Timestamp;
use balefire_store::accounts::Account;
use balefire_store::credentials::Credential;
use balefire_store::feature_toggles::FeatureToggle;
use balefire_store::sign_ins::VerifyCode;
use uuid::Uuid;

use crate::round_trips::AWKWARD;
use crate::samples::*;
use crate::support::{T0, TestStore};

on_both_engines! {
    an_account_comes_back_full_and_bare,
    a_code_is_used_once_and_forgotten_when_it_is_old,
    failures_are_counted_by_address_and_by_account,
    security_keys_and_switches_come_back,
    an_elevation_is_over_after_six_hours,
}

fn account(n: u128) -> Account {
    Account {
        id: balefire_domain::ids::UserId::new(Uuid::from_u128(n)),
        name: AWKWARD.to_owned(),
        email: format!("a{n}_%\\@agency.example"),
        mobile: None,
        auth_type: AuthType::Email,
        state: AccountState::Pending,
        password_hash: None,
        password_changed_at: None,
        email_validated_at: None,
        logged_in_at: None,
        failed_logins: 0,
        last_failed_at: None,
        session_id: None,
        is_platform_admin: false,
        is_admin_capable: false,
        admin_until: None,
        elevated_at: None,
        created_at: T0,
    }
}

async fn an_account_comes_back_full_and_bare(db: TestStore) {
    let bare = account(21);
    let full = Account {
        mobile: Some("+447700900111".to_owned()),
        auth_type: AuthType::Webauthn,
        state: AccountState::Active,
        password_hash: Some("$argon2id$x".to_owned()),
        password_changed_at: Some(T0),
        email_validated_at: Some(T0),
        logged_in_at: Some(T0),
        failed_logins: 3,
        last_failed_at: Some(T0),
        session_id: Some("s".to_owned()),
        is_platform_admin: true,
        is_admin_capable: true,
        admin_until: Some(T0),
        elevated_at: Some(T0),
        ..account(22)
    };
    let mut tx = db.begin().await;
    tx.insert_account(&bare).await.unwrap();
    tx.insert_account(&account(22)).await.unwrap();
    tx.lock_account(full.id).await.unwrap();
    tx.update_account(&full).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.begin().await;
    assert_eq!(tx.load_account(bare.id).await.unwrap(), Some(bare.clone()));
    assert_eq!(
        tx.load_account_by_email(&full.email).await.unwrap(),
        Some(full.clone())
    );
    assert_eq!(tx.list_accounts().await.unwrap(), [bare.clone(), full]);
    for (part, found) in [("a2", 2), ("a21", 1), ("_%\\@", 2), ("a%1", 0), ("a_1", 0)] {
        assert_eq!(
            tx.find_accounts(part, 10).await.unwrap().len(),
            found,
            "{part}"
        );
    }
    assert_eq!(tx.list_memberships_of(bare.id).await.unwrap(), []);
}

async fn a_code_is_used_once_and_forgotten_when_it_is_old(db: TestStore) {
    let person = account(21);
    let code = |n: u128, at: Timestamp| VerifyCode {
        id: VerifyCodeId::new(Uuid::from_u128(n)),
        user_id: person.id,
        kind: CodeKind::Sms,
        digest: "d".to_owned(),
        sealed: (n == 1).then(|| "s".to_owned()),
        created_at: at,
        expires_at: at + Duration::from_secs(60),
        used_at: None,
    };
    let (first, second) = (code(1, T0), code(2, T0 + Duration::from_secs(1)));
    let mut tx = db.begin().await;
    tx.insert_account(&person).await.unwrap();
    tx.insert_verify_code(&first, T0).await.unwrap();
    tx.insert_verify_code(&second, T0).await.unwrap();
    let codes = tx.list_verify_codes(person.id, 10).await.unwrap();
    assert_eq!(codes, [second.clone(), first.clone()]);
    assert!(tx.use_verify_code(first.id).await.unwrap());
    assert!(!tx.use_verify_code(first.id).await.unwrap());
    for (kind, ended) in [(CodeKind::Email, 0), (CodeKind::Sms, 1), (CodeKind::Sms, 0)] {
        let of = tx.end_verify_codes(person.id, kind).await.unwrap();
        assert_eq!(of, ended, "{kind:?}");
    }
    assert!(!tx.use_verify_code(second.id).await.unwrap(), "it ended");
    let later = T0 + Duration::from_secs(61);
    tx.insert_verify_code(&code(3, later), later).await.unwrap();
    let codes = tx.list_verify_codes(person.id, 10).await.unwrap();
    let ids: Vec<u128> = codes.iter().map(|code| code.id.uuid().as_u128()).collect();
    assert_eq!(ids, [3, 2]);
}

async fn failures_are_counted_by_address_and_by_account(db: TestStore) {
    let person = account(21);
    let mut tx = db.begin().await;
    tx.insert_account(&person).await.unwrap();
    tx.commit().await.unwrap();
    let id = |n: u128| FailedLoginId::new(Uuid::from_u128(n));
    let at = |seconds| T0 + Duration::from_secs(seconds);
    for (n, address, user) in [
        (1, "home", Some(person.id)),
        (2, "home", None),
        (3, "away", Some(person.id)),
    ] {
        let mut tx = db
            .store
            .begin("a test", at(u64::try_from(n).unwrap()))
            .await
            .unwrap();
        tx.lock_address(address, T0).await.unwrap();
        tx.insert_failed_login(id(n), address, user).await.unwrap();
        tx.commit().await.unwrap();
    }
    let mut tx = db.store.begin("a test", at(4)).await.unwrap();
    let of = |count, last| Failures {
        count,
        last_at: Some(at(last)),
    };
    let from = tx.load_failures_from("home", T0).await.unwrap();
    assert_eq!(from, of(2, 2));
    let from = tx.load_failures_from("home", at(1)).await.unwrap();
    assert_eq!(from, of(1, 2));
    let at_home = tx.load_failures_at(person.id, "home", T0).await.unwrap();
    assert_eq!(at_home, of(1, 1));
    tx.delete_failed_login(id(1)).await.unwrap();
    let at_home = tx.load_failures_at(person.id, "home", T0).await.unwrap();
    assert_eq!(at_home, Failures::default());
    // What is older than the oldest that counts is forgotten.
    tx.lock_address("home", at(3)).await.unwrap();
    let from = tx.load_failures_from("home", T0).await.unwrap();
    assert_eq!(from, Failures::default());
    tx.know_address(person.id, "home", T0).await.unwrap();
    let known = tx.load_known_address(person.id, "home").await.unwrap();
    assert_eq!(known, Some(at(4)));
    assert_eq!(
        tx.load_known_address(person.id, "away").await.unwrap(),
        None
    );
    let old = OldPasswordId::new(Uuid::from_u128(1));
    tx.insert_old_password(old, person.id, "h").await.unwrap();
    assert_eq!(tx.list_old_passwords(person.id, 5).await.unwrap(), ["h"]);
    assert_eq!(tx.delete_old_passwords(person.id).await.unwrap(), 1);
}

async fn security_keys_and_switches_come_back(db: TestStore) {
    let person = account(21);
    let key = Credential {
        id: CredentialId::new(Uuid::from_u128(1)),
        user_id: person.id,
        name: AWKWARD.to_owned(),
        data: "d".to_owned(),
        registration: "r".to_owned(),
        created_at: T0,
        updated_at: None,
        logged_in_at: None,
    };
    let mut tx = db.begin().await;
    tx.insert_account(&person).await.unwrap();
    tx.insert_credential(&key).await.unwrap();
    let listed = tx.list_credentials(person.id).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&key));
    assert!(
        tx.rename_credential(person.id, key.id, "blue")
            .await
            .unwrap()
    );
    assert!(tx.touch_credential(person.id, key.id).await.unwrap());
    let now = Some(tx.now);
    let named = Credential {
        name: "blue".to_owned(),
        updated_at: now,
        logged_in_at: now,
        ..key.clone()
    };
    assert_eq!(tx.list_credentials(person.id).await.unwrap(), [named]);
    let nobody = account(22).id;
    assert!(!tx.rename_credential(nobody, key.id, "red").await.unwrap());
    assert!(!tx.delete_credential(nobody, key.id).await.unwrap());
    assert!(tx.delete_credential(person.id, key.id).await.unwrap());
    let mut toggle = FeatureToggle {
        name: "service_is_not_live".to_owned(),
        is_enabled: true,
        display_html: None,
    };
    tx.save_feature_toggle(&toggle).await.unwrap();
    toggle.display_html = Some(AWKWARD.to_owned());
    tx.save_feature_toggle(&toggle).await.unwrap();
    let read = tx.load_feature_toggle(&toggle.name).await.unwrap();
    assert_eq!(read, Some(toggle));
    assert_eq!(tx.load_feature_toggle("other").await.unwrap(), None);
}

async fn an_elevation_is_over_after_six_hours(db: TestStore) {
    let elevated = Account {
        state: AccountState::Active,
        is_platform_admin: true,
        elevated_at: Some(T0),
        ..account(21)
    };
    let mut tx = db.begin().await;
    tx.insert_account(&elevated).await.unwrap();
    tx.update_account(&elevated).await.unwrap();
    tx.insert_service(&service()).await.unwrap();
    tx.commit().await.unwrap();
    for (seconds, want) in [(0, true), (6 * 3600 - 1, true), (6 * 3600, false)] {
        let mut tx = db
            .store
            .begin("a test", T0 + Duration::from_secs(seconds))
            .await
            .unwrap();
        let standing = tx.load_standing(elevated.id, SERVICE).await.unwrap();
        assert_eq!(standing.unwrap().is_platform_admin, want, "{seconds}");
        let found = tx.load_user_by_email(&elevated.email).await.unwrap();
        assert_eq!(found.unwrap().is_platform_admin, want, "{seconds}");
    }
    // Nor does anybody act whose account is not in use.
    for state in [AccountState::Inactive, AccountState::Pending] {
        let mut tx = db.begin().await;
        let ended = Account {
            state,
            ..elevated.clone()
        };
        tx.update_account(&ended).await.unwrap();
        let standing = tx.load_standing(elevated.id, SERVICE).await.unwrap();
        assert_eq!(standing, Some(Standing::default()), "{state:?}");
        let found = tx.load_user(elevated.id).await.unwrap().unwrap();
        assert!(!found.is_platform_admin, "{state:?}");
    }
}
