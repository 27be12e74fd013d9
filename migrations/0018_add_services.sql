-- Settings of services and their versions, keys, invitations, organisations, and what administrators
-- do two by two.

CREATE TABLE organisations (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    is_active BOOLEAN NOT NULL,
    is_crown BOOLEAN,
    kind TEXT, -- 'central', 'local', …
    domains TEXT NOT NULL, -- JSON array, in lower case
    notes TEXT,
    created_at BIGINT NOT NULL
);
-- Where services go that may broadcast (R96).
INSERT INTO organisations (id, name, is_active, is_crown, kind, domains, created_at)
    VALUES ('38e4bf69-93b0-445d-acee-53ea53fe02df', 'Broadcast Services', TRUE, TRUE, 'central',
        '[]', 0);

CREATE TABLE organisation_members (
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, user_id)
);

ALTER TABLE services ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE services ADD COLUMN notes TEXT;
ALTER TABLE services ADD COLUMN organisation_id TEXT REFERENCES organisations (id);
ALTER TABLE services ADD COLUMN organisation_type TEXT;
ALTER TABLE services ADD COLUMN created_by TEXT REFERENCES users (id);
ALTER TABLE services ADD COLUMN went_live_at BIGINT;
ALTER TABLE services ADD COLUMN went_live_by TEXT REFERENCES users (id);
ALTER TABLE services ADD COLUMN has_email_auth BOOLEAN NOT NULL DEFAULT FALSE;
-- Until somebody chooses a channel the one in the row means nothing, and the service trains.
ALTER TABLE services ADD COLUMN is_set_up BOOLEAN NOT NULL DEFAULT TRUE
    CHECK (is_set_up OR mode = 'training');
CREATE INDEX services_of_organisation ON services (organisation_id);

CREATE TABLE service_versions (
    service_id TEXT NOT NULL REFERENCES services (id),
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL, -- as in the audit trail
    snapshot TEXT NOT NULL, -- JSON object: the service as it was then
    PRIMARY KEY (service_id, version)
);

ALTER TABLE api_keys ADD COLUMN created_by TEXT REFERENCES users (id);
ALTER TABLE api_keys ADD COLUMN updated_at BIGINT;
ALTER TABLE api_keys ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

CREATE TABLE invitations (
    id TEXT PRIMARY KEY,
    service_id TEXT REFERENCES services (id),
    organisation_id TEXT REFERENCES organisations (id),
    email TEXT NOT NULL, -- in lower case
    invited_by TEXT NOT NULL REFERENCES users (id),
    status TEXT NOT NULL CHECK (status IN ('pending', 'accepted', 'cancelled', 'expired')),
    permissions TEXT NOT NULL, -- JSON array of words
    folders TEXT NOT NULL, -- JSON array of ids
    auth_type TEXT NOT NULL CHECK (auth_type IN ('sms_auth', 'email_auth', 'webauthn_auth')),
    token_hash TEXT NOT NULL UNIQUE, -- SHA-256 of what the link holds
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    CHECK ((service_id IS NULL) <> (organisation_id IS NULL)),
    CHECK ((status = 'pending') = (ended_at IS NULL))
);
CREATE INDEX invitations_of_service ON invitations (service_id, created_at);
CREATE INDEX invitations_of_organisation ON invitations (organisation_id, created_at);
CREATE INDEX invitations_of_email ON invitations (email) WHERE status = 'pending';

CREATE TABLE admin_actions (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    service_id TEXT REFERENCES services (id),
    data TEXT NOT NULL, -- JSON object, as it was sent
    subject TEXT NOT NULL, -- what it is about: of two with the same subject one waits
    status TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'rejected', 'invalidated')),
    created_by TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    lapses_at BIGINT NOT NULL, -- nobody approves it, nor carries it out, from then on
    reviewed_by TEXT REFERENCES users (id),
    reviewed_at BIGINT,
    used_at BIGINT, -- it was carried out: an approval is good for one change
    CHECK (status <> 'approved' OR (reviewed_by IS NOT NULL AND reviewed_by <> created_by)),
    CHECK (used_at IS NULL OR status = 'approved')
);
CREATE UNIQUE INDEX admin_actions_one_pending ON admin_actions (subject)
    WHERE status = 'pending';
CREATE INDEX admin_actions_approved ON admin_actions (subject)
    WHERE status = 'approved' AND used_at IS NULL;
