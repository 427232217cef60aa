-- Subscriptions with an end; the file for SQLite says what the column is for.
ALTER TABLE clusters ADD COLUMN paid_until BIGINT;
