-- What a sign-in leaves behind: codes, failures, addresses, old passwords, security keys.

ALTER TABLE users ADD COLUMN last_failed_at BIGINT; -- the last of failed_logins
ALTER TABLE users ADD COLUMN elevated_at BIGINT; -- administrator since then, for one session; absent: without end

-- Codes of the second factor and of links. The code itself is nowhere, but for tests outside of
-- staging and live.
CREATE TABLE verify_codes (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    kind TEXT NOT NULL CHECK (kind IN ('sms', 'email')),
    digest TEXT NOT NULL, -- HMAC-SHA256 under the key for secrets
    sealed TEXT, -- the code, encrypted
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX verify_codes_of ON verify_codes (user_id, kind, created_at);

CREATE TABLE failed_logins (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    address TEXT NOT NULL, -- of the person's own machine
    user_id TEXT REFERENCES users (id) -- absent: nobody has the e-mail address that was tried
);
CREATE INDEX failed_logins_from ON failed_logins (address, at);
CREATE INDEX failed_logins_of ON failed_logins (user_id, at);
CREATE INDEX failed_logins_at ON failed_logins (at);

-- The row of an address is what two tries from it wait for each other by.
CREATE TABLE sign_in_addresses (
    address TEXT PRIMARY KEY,
    touched_at BIGINT NOT NULL
);

-- From where a person has signed in: strangers elsewhere can't lock them out there.
CREATE TABLE known_addresses (
    user_id TEXT NOT NULL REFERENCES users (id),
    address TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, address)
);

CREATE TABLE old_passwords (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX old_passwords_of ON old_passwords (user_id, created_at);

-- Security keys, as the client has them: it is the client that checks an assertion.
CREATE TABLE webauthn_credentials (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    credential_data TEXT NOT NULL,
    registration_response TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT,
    logged_in_at BIGINT
);
CREATE INDEX webauthn_credentials_of ON webauthn_credentials (user_id, created_at);

CREATE TABLE feature_toggles (
    name TEXT PRIMARY KEY,
    is_enabled BOOLEAN NOT NULL,
    display_html TEXT
);
