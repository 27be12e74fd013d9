-- How people sign in, and what they may do in a service.

ALTER TABLE users ADD COLUMN mobile TEXT; -- +447700900111
ALTER TABLE users ADD COLUMN auth_type TEXT NOT NULL DEFAULT 'sms_auth'
    CHECK (auth_type IN ('sms_auth', 'email_auth', 'webauthn_auth'));
ALTER TABLE users ADD COLUMN state TEXT NOT NULL DEFAULT 'active'
    CHECK (state IN ('pending', 'active', 'inactive'));
ALTER TABLE users ADD COLUMN password_hash TEXT; -- argon2id; absent: nobody signs in with one
ALTER TABLE users ADD COLUMN password_changed_at BIGINT;
ALTER TABLE users ADD COLUMN email_validated_at BIGINT;
ALTER TABLE users ADD COLUMN logged_in_at BIGINT;
ALTER TABLE users ADD COLUMN failed_logins BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN session_id TEXT; -- the one session that is not ended
ALTER TABLE users ADD COLUMN is_admin_capable BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE users ADD COLUMN admin_until BIGINT; -- may become administrator until then

-- A JSON array of words. Who was a member before had every right to broadcast (D50).
ALTER TABLE memberships ADD COLUMN permissions TEXT NOT NULL DEFAULT
    '["view_activity","create_broadcasts","approve_broadcasts","cancel_broadcasts","reject_broadcasts"]';
ALTER TABLE memberships ADD COLUMN folders TEXT NOT NULL DEFAULT '[]'; -- ids of template folders
