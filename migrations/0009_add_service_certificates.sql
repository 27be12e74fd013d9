-- Whether a service takes signed documents only, and whose signatures it trusts.
ALTER TABLE services ADD COLUMN demands_signature BOOLEAN NOT NULL DEFAULT FALSE;
CREATE TABLE service_certificates (
    service_id TEXT NOT NULL REFERENCES services (id),
    fingerprint TEXT NOT NULL, -- SHA-256, 64 hexadecimal digits
    pem TEXT NOT NULL,
    valid_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (service_id, fingerprint)
);

-- Which certificates were told of, and how many days ahead: once per step.
CREATE TABLE certificate_warnings (
    fingerprint TEXT NOT NULL,
    days BIGINT NOT NULL CHECK (days IN (1, 7, 30)),
    warned_at BIGINT NOT NULL,
    PRIMARY KEY (fingerprint, days)
);
