-- SQLite can't drop a NOT NULL: the table is made anew.
CREATE TABLE duty_items_new (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    alert_id TEXT REFERENCES alerts (id),
    provider TEXT,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    closed_by TEXT,
    CHECK ((closed_at IS NULL) = (closed_by IS NULL))
);
INSERT INTO duty_items_new SELECT id, kind, subject, alert_id, provider, opened_at, closed_at,
    closed_by FROM duty_items;
-- tidy-allow(migration-expands): the same table again, with one constraint fewer
DROP TABLE duty_items;
-- tidy-allow(migration-expands): the same name
ALTER TABLE duty_items_new RENAME TO duty_items;
CREATE INDEX duty_items_of_alert ON duty_items (alert_id, opened_at);
CREATE UNIQUE INDEX duty_items_one_open ON duty_items (subject, kind) WHERE closed_at IS NULL;
