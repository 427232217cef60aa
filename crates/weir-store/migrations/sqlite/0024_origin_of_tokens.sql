-- What a token was made from, if not from a password; it ends with that. One of the two is set.

-- Nothing is known of those of agencies that are there, and they must not outlast a trust that was revoked.
DELETE FROM account_tokens WHERE agency_id IS NOT NULL;

ALTER TABLE account_tokens ADD COLUMN from_token BLOB REFERENCES account_tokens (hash) ON DELETE CASCADE;
ALTER TABLE account_tokens ADD COLUMN from_key TEXT REFERENCES account_keys (access) ON DELETE CASCADE;

CREATE INDEX account_tokens_by_token ON account_tokens (from_token);
CREATE INDEX account_tokens_by_key ON account_tokens (from_key);
