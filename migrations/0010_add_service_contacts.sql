-- Telephone numbers and hosts that a service knows to be right: its alerts may name them without a
-- warning to the approver. Who changed the list stands in the audit trail.
CREATE TABLE service_contacts (
    service_id TEXT NOT NULL REFERENCES services (id),
    kind TEXT NOT NULL CHECK (kind IN ('number', 'host')),
    value TEXT NOT NULL, -- a number's digits with its +, or a host in lower case
    created_at BIGINT NOT NULL,
    PRIMARY KEY (service_id, kind, value)
);
