-- A second language of an alert: {"first_language", "language", "content", "text"}. Absent: one.
ALTER TABLE alerts ADD COLUMN second_text TEXT;
ALTER TABLE alert_versions ADD COLUMN second_text TEXT;
ALTER TABLE events ADD COLUMN second_text TEXT;
