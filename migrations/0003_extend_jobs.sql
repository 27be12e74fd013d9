-- The queue of side effects. A job's id is its kind and what it is about, such as
-- `page <duty item>`, so that each is made once, whoever asks twice. While a job is carried out
-- `due_at` is the end of its lease.
ALTER TABLE jobs ADD COLUMN owner TEXT; -- who took it last; with `tries` the fence of what it stores
ALTER TABLE jobs ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN last_error TEXT;
ALTER TABLE jobs ADD COLUMN is_parked BOOLEAN NOT NULL DEFAULT FALSE; -- ended by giving up
ALTER TABLE jobs ADD COLUMN result TEXT; -- what the other side named: a ticket's number
