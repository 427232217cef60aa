-- Whose resource a record is about, and the HTTP status of the call. What was recorded before was all about CS.

ALTER TABLE audit_records ADD COLUMN service TEXT NOT NULL DEFAULT 'CS';
ALTER TABLE audit_records ADD COLUMN status BIGINT NOT NULL DEFAULT 200;
UPDATE audit_records SET status = 400 WHERE event_rating <> 'normal';
