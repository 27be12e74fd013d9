-- Two roles for PostgreSQL, so that whoever takes over the service can't rewrite its audit trail:
-- balefire_owner owns the tables and is used by `balefire migrate` alone; balefire_service runs
-- `balefire serve` and the commands, and can add to the trail but not change or remove any of it.
--
-- Run it once as a superuser in Balefire's database, before or after the first migration, and again
-- whenever it changes: it may be repeated. Then give both roles their passwords
-- (ALTER ROLE … PASSWORD …), and see that the first migration is made as balefire_owner. Tables
-- that another role made are handed over by
--     REASSIGN OWNED BY <that role> TO balefire_owner;

DO $$ BEGIN CREATE ROLE balefire_owner LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE balefire_service LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;

GRANT USAGE, CREATE ON SCHEMA public TO balefire_owner;
GRANT USAGE ON SCHEMA public TO balefire_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO balefire_service;
-- The tables of later migrations too.
ALTER DEFAULT PRIVILEGES FOR ROLE balefire_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO balefire_service;

-- What the service only adds to, and what it only reads.
DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['audit_entries', 'audit_links'] LOOP
        IF to_regclass('public.' || name) IS NOT NULL THEN
            EXECUTE format('REVOKE UPDATE, DELETE ON public.%I FROM balefire_service', name);
        END IF;
    END LOOP;
    IF to_regclass('public._sqlx_migrations') IS NOT NULL THEN
        REVOKE INSERT, UPDATE, DELETE ON public._sqlx_migrations FROM balefire_service;
    END IF;
END $$;
