-- How many people, or phones, are where: cells of known counts. Versions as area libraries have
-- them. Cells are kept by the page; nothing looks for one of them.
CREATE TABLE population_versions (
    version BIGINT PRIMARY KEY CHECK (version >= 1),
    source TEXT NOT NULL, -- the file's name
    digest TEXT NOT NULL, -- SHA-256 of what it holds
    cell_count BIGINT NOT NULL CHECK (cell_count >= 0),
    started_at BIGINT NOT NULL,
    completed_at BIGINT -- absent: being written, or interrupted
);

CREATE TABLE population_pages (
    version BIGINT NOT NULL REFERENCES population_versions (version),
    page BIGINT NOT NULL, -- from 1
    cells TEXT NOT NULL, -- JSON array of cells: a count with a box or with rings
    PRIMARY KEY (version, page)
);
