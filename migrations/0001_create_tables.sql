-- The tables of Balefire, one text for SQLite and PostgreSQL.
-- Ids are UUID texts, instants are microseconds since 1970 in UTC, JSON is text.
-- docs/data-model.md tells what each table is for.

CREATE TABLE services (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'archived')),
    mode TEXT NOT NULL CHECK (mode IN ('training', 'live')),
    channel TEXT NOT NULL CHECK (channel IN ('operator', 'test', 'severe', 'government')),
    providers TEXT, -- JSON array of names; absent: all
    may_broadcast BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE, -- in lower case
    is_platform_admin BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE memberships (
    user_id TEXT NOT NULL REFERENCES users (id),
    service_id TEXT NOT NULL REFERENCES services (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, service_id)
);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    service_id TEXT NOT NULL REFERENCES services (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('normal', 'test', 'team')),
    secret TEXT NOT NULL, -- encrypted
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    is_revoked_by_mode BOOLEAN NOT NULL,
    CHECK (revoked_at IS NOT NULL OR NOT is_revoked_by_mode)
);
CREATE INDEX api_keys_of_service ON api_keys (service_id);

CREATE TABLE alerts (
    id TEXT PRIMARY KEY,
    service_id TEXT NOT NULL REFERENCES services (id),
    status TEXT NOT NULL CHECK (status IN ('draft', 'pending-approval', 'rejected', 'broadcasting',
        'completed', 'cancelled', 'technical-failure', 'returned')),
    is_stubbed BOOLEAN NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    next_seq BIGINT NOT NULL CHECK (next_seq >= 1),
    reference TEXT,
    content TEXT NOT NULL, -- as written
    text TEXT NOT NULL, -- normalised
    extra_content TEXT,
    areas TEXT NOT NULL, -- JSON object, as answered
    duration_us BIGINT,
    starts_at BIGINT,
    finishes_at BIGINT,
    cap_event TEXT,
    cap_sender TEXT,
    cap_identifier TEXT,
    cap_sent BIGINT,
    cap_digest TEXT, -- SHA-256 of what the document says
    created_at BIGINT NOT NULL,
    updated_at BIGINT,
    submitted_at BIGINT,
    approved_at BIGINT,
    cancelled_at BIGINT,
    rejected_at BIGINT,
    created_by TEXT REFERENCES users (id),
    updated_by TEXT REFERENCES users (id),
    submitted_by TEXT REFERENCES users (id),
    approved_by TEXT REFERENCES users (id),
    cancelled_by TEXT REFERENCES users (id),
    rejected_by TEXT REFERENCES users (id),
    api_key_id TEXT REFERENCES api_keys (id),
    cancelled_by_api_key_id TEXT REFERENCES api_keys (id),
    rejected_by_api_key_id TEXT REFERENCES api_keys (id),
    rejection_reason TEXT,
    CHECK (created_by IS NOT NULL OR api_key_id IS NOT NULL),
    CHECK (cap_identifier IS NULL
        OR (cap_sender IS NOT NULL AND cap_sent IS NOT NULL AND cap_digest IS NOT NULL)),
    CHECK (status <> 'broadcasting'
        OR (approved_at IS NOT NULL AND starts_at IS NOT NULL AND finishes_at IS NOT NULL)),
    CHECK (status <> 'cancelled' OR cancelled_at IS NOT NULL)
);
CREATE INDEX alerts_of_service ON alerts (service_id, created_at);
CREATE INDEX alerts_live ON alerts (finishes_at) WHERE status = 'broadcasting';
CREATE UNIQUE INDEX alerts_cap_identity
    ON alerts (service_id, cap_sender, cap_identifier, cap_sent, is_stubbed)
    WHERE cap_identifier IS NOT NULL;

CREATE TABLE alert_versions (
    alert_id TEXT NOT NULL REFERENCES alerts (id),
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at BIGINT NOT NULL,
    created_by TEXT REFERENCES users (id),
    reference TEXT,
    content TEXT NOT NULL,
    text TEXT NOT NULL,
    extra_content TEXT,
    areas TEXT NOT NULL,
    PRIMARY KEY (alert_id, version)
);

CREATE TABLE events (
    id TEXT PRIMARY KEY,
    alert_id TEXT NOT NULL REFERENCES alerts (id),
    seq BIGINT NOT NULL CHECK (seq >= 1),
    kind TEXT NOT NULL CHECK (kind IN ('alert', 'cancel')),
    created_at BIGINT NOT NULL, -- the `sent` of its messages
    finishes_at BIGINT NOT NULL,
    channel TEXT NOT NULL,
    text TEXT NOT NULL,
    areas TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    UNIQUE (alert_id, seq)
);

CREATE TABLE lanes (
    alert_id TEXT NOT NULL REFERENCES alerts (id),
    provider TEXT NOT NULL,
    finishes_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    wake_at BIGINT, -- absent: settled
    is_cancelling BOOLEAN NOT NULL, -- its latest delivery is a cancel: goes first (D60)
    PRIMARY KEY (alert_id, provider)
);
CREATE INDEX lanes_awake ON lanes (provider, wake_at) WHERE wake_at IS NOT NULL;

CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,
    event_id TEXT NOT NULL REFERENCES events (id),
    alert_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    seq BIGINT NOT NULL CHECK (seq >= 1),
    kind TEXT NOT NULL CHECK (kind IN ('alert', 'cancel')),
    state TEXT NOT NULL CHECK (state IN ('ready', 'in_flight', 'backoff', 'held', 'acknowledged',
        'superseded', 'expired', 'moot')),
    reason TEXT, -- of held and moot
    due_at BIGINT, -- end of backoff; of held, where a clock ends it
    ended_at BIGINT,
    round BIGINT NOT NULL CHECK (round >= 1),
    is_stuck BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    sent_at BIGINT NOT NULL, -- the event's time, which goes out as `sent`
    message_number BIGINT CHECK (message_number BETWEEN 1 AND 4294967295),
    payload TEXT, -- what is sent, byte for byte; a cancel's is rendered at its first attempt
    UNIQUE (alert_id, provider, seq),
    FOREIGN KEY (alert_id, provider) REFERENCES lanes (alert_id, provider),
    CHECK ((ended_at IS NOT NULL)
        = (state IN ('acknowledged', 'superseded', 'expired', 'moot'))),
    CHECK ((reason IS NOT NULL) = (state IN ('held', 'moot'))),
    CHECK (state <> 'backoff' OR due_at IS NOT NULL),
    CHECK (kind = 'cancel' OR payload IS NOT NULL)
);

CREATE INDEX deliveries_waiting ON deliveries (provider) WHERE state = 'backoff';

CREATE TABLE instances (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    ended_at BIGINT -- declared dead, or said goodbye
);

CREATE TABLE attempts (
    id TEXT PRIMARY KEY,
    delivery_id TEXT NOT NULL REFERENCES deliveries (id),
    alert_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    seq BIGINT NOT NULL,
    slot BIGINT NOT NULL CHECK (slot IN (0, 1)),
    route TEXT NOT NULL,
    round BIGINT NOT NULL,
    opened_at BIGINT NOT NULL,
    deadline_at BIGINT NOT NULL,
    drained_at BIGINT NOT NULL,
    opened_by TEXT NOT NULL REFERENCES instances (id),
    closed_at BIGINT,
    outcome TEXT CHECK (outcome IN ('accepted', 'duplicate', 'refused', 'unknown',
        'unknown_reference')),
    detail TEXT NOT NULL,
    http_status BIGINT,
    answer_sha256 TEXT,
    FOREIGN KEY (alert_id, provider) REFERENCES lanes (alert_id, provider),
    CHECK ((closed_at IS NULL) = (outcome IS NULL)),
    CHECK (drained_at >= deadline_at AND deadline_at >= opened_at)
);
CREATE UNIQUE INDEX attempts_one_open ON attempts (alert_id, provider, slot)
    WHERE closed_at IS NULL;
CREATE INDEX attempts_of_lane ON attempts (alert_id, provider, opened_at);
CREATE INDEX attempts_open_by ON attempts (opened_by) WHERE closed_at IS NULL;

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    done_at BIGINT
);
CREATE INDEX jobs_due ON jobs (due_at) WHERE done_at IS NULL;

CREATE TABLE duty_items (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL, -- what it is about: 'delivery <id>' or 'alert <id>'
    alert_id TEXT NOT NULL REFERENCES alerts (id),
    provider TEXT,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    closed_by TEXT,
    CHECK ((closed_at IS NULL) = (closed_by IS NULL))
);
CREATE INDEX duty_items_of_alert ON duty_items (alert_id, opened_at);
CREATE UNIQUE INDEX duty_items_one_open ON duty_items (subject, kind) WHERE closed_at IS NULL;

CREATE TABLE audit_entries (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    service_id TEXT,
    details TEXT NOT NULL -- JSON object
);
CREATE INDEX audit_entries_of_object ON audit_entries (object, at);

CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('message_number', 0);

CREATE TABLE route_results (
    provider TEXT NOT NULL,
    route TEXT NOT NULL,
    at BIGINT NOT NULL,
    is_good BOOLEAN NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (provider, route)
);
