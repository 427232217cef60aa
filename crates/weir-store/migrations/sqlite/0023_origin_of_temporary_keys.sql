-- What a temporary key was made from; it ends with that. One of the three is set.

-- Nothing is known of those that are there. They end by themselves within a day.
DELETE FROM account_temporary_keys;

ALTER TABLE account_temporary_keys ADD COLUMN from_token BLOB REFERENCES account_tokens (hash) ON DELETE CASCADE;
ALTER TABLE account_temporary_keys ADD COLUMN from_key TEXT REFERENCES account_keys (access) ON DELETE CASCADE;
-- The SHA-256 of a token that a Keystone keeps.
ALTER TABLE account_temporary_keys ADD COLUMN from_remote_token BLOB;

CREATE INDEX account_temporary_keys_by_token ON account_temporary_keys (from_token);
CREATE INDEX account_temporary_keys_by_key ON account_temporary_keys (from_key);
