//! Invitations to services and organisations. Of the link's token only its hash is stored.

use balefire_domain::ids::{InvitationId, OrganisationId, ServiceId, UserId};
use balefire_domain::invitation::InvitationStatus;
use balefire_domain::permission::Permissions;
use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError, inconsistent, unread_json};
use crate::store::Tx;

/// Where an invitation leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvitedTo {
    /// To a service.
    Service(ServiceId),
    /// To an organisation.
    Organisation(OrganisationId),
}

/// An invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Where it leads.
    pub to: InvitedTo,
    /// Who is invited: an address in lower case.
    pub email: String,
    /// Who invites.
    pub invited_by: UserId,
    /// Where it stands. One whose time is over may still be `Pending` here.
    pub status: InvitationStatus,
    /// What the person may then; nothing in an organisation.
    pub permissions: Permissions,
    /// Template folders that the person will see.
    pub folders: Vec<String>,
    /// How the person will sign in: `sms_auth`, `email_auth` or `webauthn_auth`.
    pub auth_type: String,
    /// SHA-256 of the link's token, in hex.
    pub token_hash: String,
    /// When it was made.
    pub created_at: Timestamp,
}

statements! {
    INSERT: "INSERT INTO invitations
        (id, service_id, organisation_id, email, invited_by, status, permissions, folders,
            auth_type, token_hash, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    LOCK (lock): "SELECT id FROM invitations WHERE id = $1";
    LOAD: "SELECT * FROM invitations WHERE id = $1";
    LOAD_BY_TOKEN: "SELECT * FROM invitations WHERE token_hash = $1";
    LIST_OF_SERVICE: "SELECT * FROM invitations WHERE service_id = $1
        ORDER BY created_at DESC, id LIMIT $2";
    LIST_OF_ORGANISATION: "SELECT * FROM invitations WHERE organisation_id = $1
        ORDER BY created_at DESC, id LIMIT $2";
    LIST_PENDING_OF: "SELECT * FROM invitations WHERE email = $1 AND status = 'pending'
        ORDER BY created_at DESC, id LIMIT $2";
    LOAD_ACCEPTED: "SELECT id FROM invitations
        WHERE service_id = $1 AND email = $2 AND status = 'accepted'
        ORDER BY ended_at DESC, id LIMIT 1";
    MOVE: "UPDATE invitations SET status = $2, ended_at = $3 WHERE id = $1 AND status = 'pending'";
    SET_PERMISSIONS: "UPDATE invitations SET permissions = $2
        WHERE service_id = $1 AND status = 'pending'";
    CANCEL_ALL: "UPDATE invitations SET status = 'cancelled', ended_at = $2
        WHERE service_id = $1 AND status = 'pending'";
}

impl Tx {
    /// Stores a new invitation.
    pub async fn insert_invitation(&mut self, invitation: &Invitation) -> Result<(), StoreError> {
        let (service, organisation) = match invitation.to {
            InvitedTo::Service(id) => (Some(id.to_string()), None),
            InvitedTo::Organisation(id) => (None, Some(id.to_string())),
        };
        execute_one!(
            self,
            INSERT,
            invitation.id.to_string(),
            service.clone(),
            organisation.clone(),
            invitation.email.clone(),
            invitation.invited_by.to_string(),
            invitation.status.as_str(),
            words(&invitation.permissions),
            serde_json::Value::from(invitation.folders.clone()).to_string(),
            invitation.auth_type.clone(),
            invitation.token_hash.clone(),
            invitation.created_at.micros(),
        )
    }

    /// Locks an invitation, then reads it.
    pub async fn lock_invitation(
        &mut self,
        id: InvitationId,
    ) -> Result<Option<Invitation>, StoreError> {
        fetch_optional!(self, |row| row.text("id"), LOCK, id.to_string())?;
        self.load_invitation(id).await
    }

    /// The invitation with this id.
    pub async fn load_invitation(
        &mut self,
        id: InvitationId,
    ) -> Result<Option<Invitation>, StoreError> {
        fetch_optional!(self, read, LOAD, id.to_string())
    }

    /// The invitation whose link holds the token with this hash.
    pub async fn load_invitation_by_token(
        &mut self,
        token_hash: &str,
    ) -> Result<Option<Invitation>, StoreError> {
        fetch_optional!(self, read, LOAD_BY_TOKEN, token_hash.to_owned())
    }

    /// The newest `limit` invitations, newest first.
    pub async fn list_invitations(
        &mut self,
        to: InvitedTo,
        limit: u32,
    ) -> Result<Vec<Invitation>, StoreError> {
        let limit = i64::from(limit);
        match to {
            InvitedTo::Service(id) => {
                fetch_all!(self, read, LIST_OF_SERVICE, id.to_string(), limit)
            }
            InvitedTo::Organisation(id) => {
                fetch_all!(self, read, LIST_OF_ORGANISATION, id.to_string(), limit)
            }
        }
    }

    /// The invitations that wait for this address, given in lower case; the newest first. Some may
    /// be over by time.
    pub async fn list_pending_invitations(
        &mut self,
        email: &str,
        limit: u32,
    ) -> Result<Vec<Invitation>, StoreError> {
        let (email, limit) = (email.to_owned(), i64::from(limit));
        fetch_all!(self, read, LIST_PENDING_OF, email, limit)
    }

    /// The newest invitation to a service that this address accepted.
    pub async fn load_accepted_invitation(
        &mut self,
        service: ServiceId,
        email: &str,
    ) -> Result<Option<InvitationId>, StoreError> {
        let email = email.to_owned();
        fetch_optional!(self, read_id, LOAD_ACCEPTED, service.to_string(), email)
    }

    /// Ends an invitation that waits; false when it does not wait any more.
    pub async fn end_invitation(
        &mut self,
        id: InvitationId,
        status: InvitationStatus,
    ) -> Result<bool, StoreError> {
        let now = self.now.micros();
        Ok(execute!(self, MOVE, id.to_string(), status.as_str(), now)? == 1)
    }

    /// Whoever is invited to a service will be allowed this, and nothing else; how many wait.
    pub async fn set_invited_permissions(
        &mut self,
        service: ServiceId,
        permissions: &Permissions,
    ) -> Result<u64, StoreError> {
        execute!(
            self,
            SET_PERMISSIONS,
            service.to_string(),
            words(permissions)
        )
    }

    /// Takes back every invitation to a service that waits; how many.
    pub async fn cancel_invitations(&mut self, service: ServiceId) -> Result<u64, StoreError> {
        let now = self.now.micros();
        execute!(self, CANCEL_ALL, service.to_string(), now)
    }
}

fn read_id(row: &impl Row) -> Result<InvitationId, StoreError> {
    row.id("id", InvitationId::new)
}

fn words(permissions: &Permissions) -> String {
    let words: Vec<&str> = permissions.iter().map(|one| one.as_str()).collect();
    serde_json::Value::from(words).to_string()
}

fn read(row: &impl Row) -> Result<Invitation, StoreError> {
    let service = row.opt_id("service_id", ServiceId::new)?;
    let organisation = row.opt_id("organisation_id", OrganisationId::new)?;
    let to = match (service, organisation) {
        (Some(id), _) => InvitedTo::Service(id),
        (None, Some(id)) => InvitedTo::Organisation(id),
        (None, None) => return Err(inconsistent("organisation_id", "nothing")),
    };
    let (permissions, folders) = (row.text("permissions")?, row.text("folders")?);
    Ok(Invitation {
        id: row.id("id", InvitationId::new)?,
        to,
        email: row.text("email")?,
        invited_by: row.id("invited_by", UserId::new)?,
        status: row.word("status", InvitationStatus::parse)?,
        permissions: serde_json::from_str(&permissions).map_err(|_| unread_json("permissions"))?,
        folders: serde_json::from_str(&folders).map_err(|_| unread_json("folders"))?,
        auth_type: row.text("auth_type")?,
        token_hash: row.text("token_hash")?,
        created_at: row.instant("created_at")?,
    })
}
