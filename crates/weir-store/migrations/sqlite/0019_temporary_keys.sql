-- Tokens of agencies, and access keys that end by themselves.

-- The agency for which a token stands; `user_id` is who acts through it.
ALTER TABLE account_tokens ADD COLUMN agency_id TEXT REFERENCES account_agencies (id) ON DELETE CASCADE;

CREATE TABLE account_temporary_keys (
    access             TEXT PRIMARY KEY,
    -- Sealed, as in account_keys.
    secret             TEXT    NOT NULL,
    -- SHA-256 of the security token; the token itself is nowhere.
    token_hash         BLOB    NOT NULL,
    user_id            TEXT    NOT NULL REFERENCES account_users (id) ON DELETE CASCADE,
    agency_id          TEXT    REFERENCES account_agencies (id) ON DELETE CASCADE,
    default_project_id TEXT,
    created_at         INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL
) STRICT;

CREATE INDEX account_temporary_keys_by_end ON account_temporary_keys (expires_at);
CREATE INDEX account_temporary_keys_by_user ON account_temporary_keys (user_id);
