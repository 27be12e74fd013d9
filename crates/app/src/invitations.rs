//! Invitations to services and organisations: sent by e-mail with a link that is good for two days
//! and opens one invitation. Of the link's token only its hash is stored. An invitation is accepted
//! once, by the trusted client, which then makes the membership.

use balefire_domain::admin_action::{
    covers_permissions, needs_second_person, subject_of_invitation,
};
use balefire_domain::approval::hex;
use balefire_domain::audit::Actor;
use balefire_domain::ids::{AdminActionId, InvitationId, OrganisationId, ServiceId, UserId};
use balefire_domain::invitation::{InvitationStatus, is_over};
use balefire_domain::limits::PEOPLE_LISTED_MAX;
use balefire_domain::notification::{Hidden, Message, Notification, Recipient};
use balefire_domain::organisation::is_public_sector;
use balefire_domain::permission::{Deed, Denial, Permissions};
use balefire_store::invitations::{Invitation, InvitedTo};
use balefire_store::{StoreError, Tx};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::links::link;
use crate::refused::{check_manager, is_present};
use crate::service_settings::ADMIN_CLIENT;
use crate::{Act, App, Failure, repeat};

/// Hex digits of a link's token: 256 bits.
const TOKEN_CHARS: usize = 64;

/// Somebody to invite.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    /// Where to.
    pub to: InvitedTo,
    /// Who: an address.
    pub email: String,
    /// Who invites.
    pub invited_by: UserId,
    /// What the person may then.
    pub permissions: Permissions,
    /// Template folders that the person will see.
    pub folders: Vec<String>,
    /// How the person will sign in.
    pub auth_type: &'static str,
    /// Where the client is to which the link leads.
    pub link_host: String,
}

/// Why an invitation was not made, found or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvitationRefusal {
    /// There is no such service, organisation, person or invitation.
    NotFound,
    /// Who invites may not manage the people there.
    Denied(Denial),
    /// The address is none, or not the public sector's.
    Email,
    /// The host is no http or https address.
    LinkHost,
    /// The link's two days are over, or its token is none of ours.
    LinkOver,
    /// It does not wait any more.
    NotPending(InvitationStatus),
    /// It can't be moved there.
    NoDecision,
}

type Refused = Failure<InvitationRefusal>;

impl App {
    /// Invites somebody, by e-mail. The trail names the approved action that covers the
    /// permissions, or none.
    pub async fn invite(&self, new: &NewInvitation) -> Result<Invitation, Refused> {
        let invited = repeat(|| self.try_invite(new)).await;
        if let (Err(Failure::Refused(InvitationRefusal::Denied(denial))), InvitedTo::Service(id)) =
            (&invited, new.to)
        {
            let object = format!("service {id}");
            self.note_denied(new.invited_by, "invitation.create", object, id, *denial)
                .await;
        }
        invited
    }

    async fn try_invite(&self, new: &NewInvitation) -> Result<Invitation, Refused> {
        let mut tx = self.store.begin("invite", self.clock.now()).await?;
        let Some(inviter) = tx.load_user(new.invited_by).await? else {
            return Err(Failure::Refused(InvitationRefusal::NotFound));
        };
        let email = new.email.trim().to_lowercase();
        let subject = match new.to {
            InvitedTo::Service(id) => subject_of_invitation(&id.to_string(), &email),
            InvitedTo::Organisation(id) => subject_of_invitation(&id.to_string(), &email),
        };
        if !is_present(&mut tx, new.invited_by).await? {
            return Err(Failure::Refused(InvitationRefusal::NotFound));
        }
        let (may, name) = check_place(&mut tx, new.to, new.invited_by).await?;
        let covers = |data: &_| covers_permissions(data, &new.permissions);
        may.map_err(|denial| Failure::Refused(InvitationRefusal::Denied(denial)))?;
        let covered_by = self.carry_out(&mut tx, &subject, covers).await?;
        let invitation = self
            .invite_in(&mut tx, new, (inviter.name, name), covered_by)
            .await?;
        tx.commit().await?;
        Ok(invitation)
    }

    /// Invites somebody whom the person may invite. `names`: whose and the place's.
    pub(crate) async fn invite_in(
        &self,
        tx: &mut Tx,
        new: &NewInvitation,
        (inviter, name): (String, String),
        covered_by: Option<AdminActionId>,
    ) -> Result<Invitation, Refused> {
        let email = new.email.trim().to_lowercase();
        let recipient = check_email(tx, &email).await?;
        let token = self.random_token();
        let path = match new.to {
            InvitedTo::Service(_) => format!("invitation/{token}"),
            InvitedTo::Organisation(_) => format!("organisation-invitation/{token}"),
        };
        let Some(link) = link(&new.link_host, &path, None) else {
            return Err(Failure::Refused(InvitationRefusal::LinkHost));
        };
        let invitation = Invitation {
            id: InvitationId::new(self.entropy.uuid_v7(tx.now)),
            to: new.to,
            email,
            invited_by: new.invited_by,
            status: InvitationStatus::Pending,
            permissions: new.permissions.clone(),
            folders: new.folders.clone(),
            auth_type: new.auth_type.to_owned(),
            token_hash: token_hash(&token),
            created_at: tx.now,
        };
        tx.insert_invitation(&invitation).await?;
        let message = message(new.to, inviter, name, Hidden::new(link));
        let notification = Notification::new(recipient, message);
        self.enqueue_notification(tx, &notification).await?;
        let details = json!({
            "email": notification.to.masked(),
            "permissions": new.permissions,
            "needs_second_person": needs_second_person(&new.permissions),
            "covered_by": covered_by,
        });
        let act = Act::new(
            Actor::User(new.invited_by),
            "invitation.create",
            object(&invitation),
        );
        self.audit_act(tx, act.of(service_of(new.to)).with(details))
            .await?;
        Ok(invitation)
    }

    /// Accepts an invitation that waits, or takes it back.
    pub async fn end_invitation(
        &self,
        to: InvitedTo,
        id: InvitationId,
        status: InvitationStatus,
    ) -> Result<Invitation, Refused> {
        repeat(|| self.try_end_invitation(to, id, status)).await
    }

    async fn try_end_invitation(
        &self,
        to: InvitedTo,
        id: InvitationId,
        status: InvitationStatus,
    ) -> Result<Invitation, Refused> {
        let mut tx = self.store.begin("end_invitation", self.clock.now()).await?;
        let invitation = tx.lock_invitation(id).await?;
        let Some(invitation) = invitation.filter(|own| own.to == to) else {
            return Err(Failure::Refused(InvitationRefusal::NotFound));
        };
        let from = invitation.status.at(invitation.created_at, tx.now);
        if from == status {
            return Ok(shown(invitation, &tx));
        }
        if !from.may_move(status) {
            let refusal = match from {
                InvitationStatus::Pending => InvitationRefusal::NoDecision,
                other => InvitationRefusal::NotPending(other),
            };
            return Err(Failure::Refused(refusal));
        }
        tx.end_invitation(id, status).await?;
        let act = Act::new(ADMIN_CLIENT, "invitation.end", object(&invitation))
            .of(service_of(to))
            .changing(
                json!({ "status": from.as_str() }),
                json!({ "status": status.as_str() }),
            );
        self.audit_act(&mut tx, act).await?;
        tx.commit().await?;
        Ok(Invitation {
            status,
            ..invitation
        })
    }

    /// The newest invitations to a service or an organisation; `None` where there is no such.
    pub async fn list_invitations(
        &self,
        to: InvitedTo,
    ) -> Result<Option<Vec<Invitation>>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("list_invitations", now).await?;
            let is_there = match to {
                InvitedTo::Service(id) => tx.load_service(id).await?.is_some(),
                InvitedTo::Organisation(id) => tx.load_organisation(id).await?.is_some(),
            };
            if !is_there {
                return Ok(None);
            }
            let list = tx.list_invitations(to, PEOPLE_LISTED_MAX).await?;
            let list = list.into_iter().map(|invitation| shown(invitation, &tx));
            Ok(Some(list.collect()))
        })
        .await
    }

    /// An invitation.
    pub async fn load_invitation(
        &self,
        id: InvitationId,
    ) -> Result<Option<Invitation>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("load_invitation", now).await?;
            let invitation = tx.load_invitation(id).await?;
            Ok(invitation.map(|invitation| shown(invitation, &tx)))
        })
        .await
    }

    /// The invitation that a link opens, also one that was accepted or taken back: the client says
    /// so to the person.
    pub async fn open_invitation(&self, token: &str) -> Result<Invitation, Refused> {
        let is_token = token.len() == TOKEN_CHARS && token.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_token {
            return Err(Failure::Refused(InvitationRefusal::LinkOver));
        }
        let hash = token_hash(token);
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("open_invitation", now).await?;
            let invitation = tx.load_invitation_by_token(&hash).await?;
            let invitation = invitation.filter(|own| !is_over(own.created_at, now));
            invitation.ok_or(Failure::Refused(InvitationRefusal::LinkOver))
        })
        .await
    }

    /// Whether somebody with this address is invited to anything.
    pub async fn find_pending_invitation(
        &self,
        email: &str,
    ) -> Result<Option<Invitation>, StoreError> {
        let email = email.trim().to_lowercase();
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self
                .store
                .begin_read("find_pending_invitation", now)
                .await?;
            let list = tx
                .list_pending_invitations(&email, PEOPLE_LISTED_MAX)
                .await?;
            Ok(list.into_iter().find(|own| !is_over(own.created_at, now)))
        })
        .await
    }

    fn random_token(&self) -> String {
        format!(
            "{:032x}{:032x}",
            self.entropy.random(),
            self.entropy.random()
        )
    }
}

fn token_hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

fn shown(invitation: Invitation, tx: &Tx) -> Invitation {
    Invitation {
        status: invitation.status.at(invitation.created_at, tx.now),
        ..invitation
    }
}

fn object(invitation: &Invitation) -> String {
    match invitation.to {
        InvitedTo::Service(_) => format!("invitation {}", invitation.id),
        InvitedTo::Organisation(id) => format!("invitation {} organisation {id}", invitation.id),
    }
}

const fn service_of(to: InvitedTo) -> Option<ServiceId> {
    match to {
        InvitedTo::Service(id) => Some(id),
        InvitedTo::Organisation(_) => None,
    }
}

fn message(to: InvitedTo, inviter: String, name: String, link: Hidden) -> Message {
    match to {
        InvitedTo::Service(_) => Message::ServiceInvitation {
            inviter,
            service: name,
            link,
        },
        InvitedTo::Organisation(_) => Message::OrganisationInvitation {
            inviter,
            organisation: name,
            link,
        },
    }
}

/// Whether the person may invite there, and what it is called.
async fn check_place(
    tx: &mut Tx,
    to: InvitedTo,
    by: UserId,
) -> Result<(Result<(), Denial>, String), Refused> {
    let not_found = || Failure::Refused(InvitationRefusal::NotFound);
    match to {
        InvitedTo::Service(id) => {
            let service = tx.lock_service(id).await?.ok_or_else(not_found)?;
            let may = check_manager(tx, by, id, Deed::ManageUsers).await?;
            Ok((may, service.name))
        }
        InvitedTo::Organisation(id) => {
            let own = tx.load_organisation(id).await?.ok_or_else(not_found)?;
            let is_member = tx.list_organisation_members(id).await?.contains(&by);
            let may = if is_member || tx.is_administrator(by).await? {
                Ok(())
            } else {
                Err(Denial::NotAMember)
            };
            Ok((may, own.organisation.name))
        }
    }
}

/// An address of the public sector.
async fn check_email(tx: &mut Tx, email: &str) -> Result<Recipient, Refused> {
    let refused = || Failure::Refused(InvitationRefusal::Email);
    let recipient = Recipient::email(email).map_err(|_| refused())?;
    let organisations = tx.list_organisations(PEOPLE_LISTED_MAX).await?;
    let domains = organisations
        .iter()
        .filter(|own| own.organisation.is_active)
        .flat_map(|own| own.organisation.domains.iter().map(String::as_str));
    if is_public_sector(email, domains) {
        Ok(recipient)
    } else {
        Err(refused())
    }
}

/// What the trail says of an organisation.
pub(crate) fn organisation_object(id: OrganisationId) -> String {
    format!("organisation {id}")
}

/// Particulars of who joined or left.
pub(crate) fn member_details(user: UserId) -> Value {
    json!({ "user": user })
}
