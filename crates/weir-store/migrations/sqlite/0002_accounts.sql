-- Accounts of the embedded identity service. `users` of 0001 is the register of quotas, hence the prefix.

CREATE TABLE account_domains (
    id   TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE account_projects (
    id          TEXT PRIMARY KEY,
    domain_id   TEXT NOT NULL REFERENCES account_domains (id),
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    UNIQUE (domain_id, name)
) STRICT;

CREATE TABLE account_users (
    id                 TEXT PRIMARY KEY,
    domain_id          TEXT NOT NULL REFERENCES account_domains (id),
    name               TEXT NOT NULL,
    description        TEXT NOT NULL,
    enabled            INTEGER NOT NULL,
    -- argon2id in PHC form.
    password           TEXT NOT NULL,
    default_project_id TEXT REFERENCES account_projects (id),
    UNIQUE (domain_id, name)
) STRICT;

CREATE TABLE account_assignments (
    user_id     TEXT NOT NULL REFERENCES account_users (id) ON DELETE CASCADE,
    -- project or domain, and its id.
    target_kind TEXT NOT NULL,
    target_id   TEXT NOT NULL,
    role        TEXT NOT NULL,
    PRIMARY KEY (user_id, target_kind, target_id, role)
) STRICT, WITHOUT ROWID;

CREATE TABLE account_tokens (
    -- SHA-256 of the token; the token itself is nowhere.
    hash        BLOB PRIMARY KEY,
    user_id     TEXT NOT NULL REFERENCES account_users (id) ON DELETE CASCADE,
    target_kind TEXT,
    target_id   TEXT,
    -- Names joined by commas.
    methods     TEXT NOT NULL,
    issued_at   INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    audit_id    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX account_tokens_by_end ON account_tokens (expires_at);
CREATE INDEX account_tokens_by_user ON account_tokens (user_id);

CREATE TABLE account_keys (
    access       TEXT PRIMARY KEY,
    -- Sealed, not hashed: verifying an HMAC needs the secret itself.
    secret       TEXT NOT NULL,
    user_id      TEXT NOT NULL REFERENCES account_users (id) ON DELETE CASCADE,
    description  TEXT NOT NULL,
    status       TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT;

CREATE INDEX account_keys_by_user ON account_keys (user_id);
