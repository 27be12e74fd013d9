-- What routes, proxies and functions are asked without an alert, and what each answered last. Who
-- moves `due_at` on has taken the question: of several processes one asks.
CREATE TABLE probes (
    kind TEXT NOT NULL CHECK (kind IN ('link_test', 'heartbeat', 'canary')),
    provider TEXT NOT NULL, -- empty for the canary
    target TEXT NOT NULL, -- a route, a proxy or a function
    due_at BIGINT NOT NULL,
    at BIGINT, -- of the latest answer; absent: never asked
    is_good BOOLEAN,
    detail TEXT,
    skew_us BIGINT, -- by which a proxy of ours is ahead of us
    boot_id TEXT, -- which start of it answered
    PRIMARY KEY (kind, provider, target),
    CHECK ((at IS NULL) = (is_good IS NULL) AND (at IS NULL) = (detail IS NULL))
);

-- When a route last brought an alert or a cancel through: then a link test says nothing new.
ALTER TABLE route_results ADD COLUMN carried_at BIGINT;

-- Providers whose alerts are held. Who paused and resumed them stands in the audit trail.
CREATE TABLE provider_pauses (
    provider TEXT PRIMARY KEY,
    paused_at BIGINT NOT NULL,
    paused_by TEXT NOT NULL REFERENCES users (id),
    reason TEXT
);
