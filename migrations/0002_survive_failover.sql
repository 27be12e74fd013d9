-- What a failover or a restore may have forgotten, and duty items that concern no alert.

-- The database may have forgotten attempts of this lane: that none is known proves nothing.
ALTER TABLE lanes ADD COLUMN is_tainted BOOLEAN NOT NULL DEFAULT FALSE;

-- Each history of the database that Balefire has run on: a failover or a restore begins another.
CREATE TABLE database_epochs (
    id TEXT PRIMARY KEY, -- PostgreSQL: system id and timeline; SQLite: a mark of its own
    began_at BIGINT NOT NULL,
    quarantine_until BIGINT, -- until then nothing leaves: what was in flight may be forgotten
    needs_release BOOLEAN NOT NULL, -- a restored copy: a person says that it may go on
    released_at BIGINT,
    released_by TEXT,
    CHECK ((released_at IS NULL) = (released_by IS NULL))
);
CREATE INDEX database_epochs_latest ON database_epochs (began_at);
