CREATE TRIGGER audit_links_no_update BEFORE UPDATE ON audit_links
BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END;
CREATE TRIGGER audit_links_no_delete BEFORE DELETE ON audit_links
BEGIN SELECT RAISE(ABORT, 'audit entries are never removed'); END;
CREATE TRIGGER audit_links_no_replace BEFORE INSERT ON audit_links
WHEN EXISTS (SELECT 1 FROM audit_links WHERE position = NEW.position OR entry_id = NEW.entry_id)
BEGIN SELECT RAISE(ABORT, 'audit entries are never replaced'); END;
