-- What authors keep beside their alerts: templates in folders, and why an alert was given back.
CREATE TABLE template_folders (
    id TEXT PRIMARY KEY,
    service_id TEXT NOT NULL REFERENCES services (id),
    parent_id TEXT REFERENCES template_folders (id), -- absent: at the top
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CHECK (parent_id IS NULL OR parent_id <> id)
);
CREATE INDEX template_folders_of_service ON template_folders (service_id);

CREATE TABLE templates (
    id TEXT PRIMARY KEY,
    service_id TEXT NOT NULL REFERENCES services (id),
    folder_id TEXT REFERENCES template_folders (id), -- absent: at the top
    version BIGINT NOT NULL CHECK (version >= 1),
    reference TEXT NOT NULL,
    content TEXT NOT NULL,
    areas TEXT NOT NULL, -- JSON object, as answered
    is_archived BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL REFERENCES users (id),
    updated_at BIGINT
);
CREATE INDEX templates_of_service ON templates (service_id);

CREATE TABLE template_versions (
    template_id TEXT NOT NULL REFERENCES templates (id),
    version BIGINT NOT NULL CHECK (version >= 1),
    reference TEXT NOT NULL,
    content TEXT NOT NULL,
    areas TEXT NOT NULL,
    is_archived BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT REFERENCES users (id), -- absent: a client that named nobody
    PRIMARY KEY (template_id, version)
);

-- Why an alert was given back to be edited, and who had submitted it.
CREATE TABLE edit_reasons (
    id TEXT PRIMARY KEY,
    alert_id TEXT NOT NULL REFERENCES alerts (id),
    reason TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL REFERENCES users (id),
    submitted_at BIGINT,
    submitted_by TEXT REFERENCES users (id)
);
CREATE INDEX edit_reasons_of_alert ON edit_reasons (alert_id, created_at);

-- The template that an alert was made of, as it was then; it may be changed or gone since.
ALTER TABLE alerts ADD COLUMN template_id TEXT;
ALTER TABLE alerts ADD COLUMN template_version BIGINT;
ALTER TABLE alerts ADD COLUMN template_name TEXT;
-- The public site has shown that it ended.
ALTER TABLE alerts ADD COLUMN is_acknowledged BOOLEAN NOT NULL DEFAULT FALSE;
-- How long the alert was to last when this was its version.
ALTER TABLE alert_versions ADD COLUMN duration_us BIGINT;
