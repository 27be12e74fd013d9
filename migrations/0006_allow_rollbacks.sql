-- The oldest program that may work on this schema, by the number of its own latest migration. A
-- migration that takes something away raises it; while it does not, an older program may be started
-- beside a newer one, or in its place.
INSERT INTO counters (name, value) VALUES ('schema_oldest_program', 6);

-- The latest approval, for the mark beside a SQLite file.
CREATE INDEX events_created ON events (created_at);
