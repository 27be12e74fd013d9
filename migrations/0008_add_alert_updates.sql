-- What changes an alert that somebody submitted: the update of one that is on the air, which waits
-- for its own approval beside it (ADR 17), and the edit of one that waits, by a CAP document. What
-- it says stands in alert_versions under the same number.
CREATE TABLE alert_updates (
    alert_id TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 2),
    service_id TEXT NOT NULL REFERENCES services (id),
    is_stubbed BOOLEAN NOT NULL, -- of the document: in training, or by a test key
    state TEXT NOT NULL CHECK (state IN ('open', 'approved', 'rejected', 'replaced', 'withdrawn',
        'edited')),
    created_at BIGINT NOT NULL,
    api_key_id TEXT REFERENCES api_keys (id),
    cap_event TEXT,
    cap_sender TEXT,
    cap_identifier TEXT,
    cap_sent BIGINT,
    cap_digest TEXT, -- SHA-256 of what the document says
    ended_at BIGINT,
    ended_by TEXT REFERENCES users (id), -- who approved or rejected it
    rejection_reason TEXT,
    PRIMARY KEY (alert_id, version),
    FOREIGN KEY (alert_id, version) REFERENCES alert_versions (alert_id, version),
    CHECK ((ended_at IS NULL) = (state = 'open')),
    CHECK (state NOT IN ('approved', 'rejected') OR ended_by IS NOT NULL),
    CHECK (rejection_reason IS NULL OR state = 'rejected'),
    CHECK (cap_identifier IS NULL
        OR (cap_sender IS NOT NULL AND cap_sent IS NOT NULL AND cap_digest IS NOT NULL))
);
CREATE UNIQUE INDEX alert_updates_one_open ON alert_updates (alert_id) WHERE state = 'open';
CREATE UNIQUE INDEX alert_updates_cap_identity
    ON alert_updates (service_id, cap_sender, cap_identifier, cap_sent, is_stubbed)
    WHERE cap_identifier IS NOT NULL;
