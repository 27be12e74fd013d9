-- Areas that alerts can be made of. A library has versions; the latest complete one is used, and
-- every older one stays readable. A version is written in many small transactions, so that an
-- import holds up no alert, and nobody reads it before `completed_at` is set.
CREATE TABLE area_libraries (
    library TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    source TEXT NOT NULL, -- the file's name, or what is built in
    digest TEXT NOT NULL, -- SHA-256 of what it holds
    area_count BIGINT NOT NULL CHECK (area_count >= 0),
    started_at BIGINT NOT NULL,
    completed_at BIGINT, -- absent: being written, or interrupted
    PRIMARY KEY (library, version)
);

CREATE TABLE library_areas (
    library TEXT NOT NULL,
    version BIGINT NOT NULL,
    ordinal BIGINT NOT NULL, -- the order in the file, from 1
    area_id TEXT NOT NULL,
    name TEXT NOT NULL,
    parent_id TEXT, -- an area of this or of another library
    level TEXT NOT NULL CHECK (level IN ('ward', 'authority', 'county', 'other')),
    polygons TEXT NOT NULL, -- JSON array of rings of [lat, lon], at full resolution
    simple_polygons TEXT, -- JSON array, what would be sent; absent: `polygons`
    PRIMARY KEY (library, version, ordinal),
    UNIQUE (library, version, area_id),
    FOREIGN KEY (library, version) REFERENCES area_libraries (library, version)
);
