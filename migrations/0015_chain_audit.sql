-- Where an act came from, what it changed, and why it was refused where it was. Entries written
-- before have none of it.
ALTER TABLE audit_entries ADD COLUMN state_before TEXT; -- JSON object
ALTER TABLE audit_entries ADD COLUMN state_after TEXT; -- JSON object
ALTER TABLE audit_entries ADD COLUMN asserted_by TEXT; -- the client that named the person
ALTER TABLE audit_entries ADD COLUMN source TEXT; -- an address, or 'command line'
ALTER TABLE audit_entries ADD COLUMN request_id TEXT;
ALTER TABLE audit_entries ADD COLUMN refusal TEXT; -- absent: it was done
CREATE INDEX audit_entries_by_time ON audit_entries (at);
CREATE INDEX audit_entries_of_service ON audit_entries (service_id, at);
CREATE INDEX audit_entries_refused ON audit_entries (actor, at) WHERE refusal IS NOT NULL;

-- The hash chain over the entries, closed a moment after they were written (D53).
CREATE TABLE audit_links (
    position BIGINT PRIMARY KEY CHECK (position > 0),
    entry_id TEXT NOT NULL UNIQUE REFERENCES audit_entries (id),
    hash TEXT NOT NULL -- SHA-256 of the hash before and the entry, in hex
);

-- Rows to lock: of whoever links, and of whoever finds out what became of a lost commit.
INSERT INTO counters (name, value) VALUES ('audit_chain', 0), ('commit_look_up', 0);
