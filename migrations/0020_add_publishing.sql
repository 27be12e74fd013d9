-- What publishes the public site says of its progress here.
CREATE TABLE publish_tasks (
    id TEXT PRIMARY KEY,
    task_id TEXT NOT NULL, -- its own name of the task
    last_file TEXT,
    started_at BIGINT NOT NULL,
    active_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX publish_tasks_by_start ON publish_tasks (started_at);

-- Requests that said by an Idempotency-Key which one they are, and the alert that came of them.
CREATE TABLE repeatable_requests (
    caller TEXT NOT NULL, -- who sent it, and to which service
    idempotency_key TEXT NOT NULL,
    digest TEXT NOT NULL, -- SHA-256 of what was asked
    alert_id TEXT NOT NULL REFERENCES alerts (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (caller, idempotency_key)
);
CREATE INDEX repeatable_requests_by_age ON repeatable_requests (created_at);
