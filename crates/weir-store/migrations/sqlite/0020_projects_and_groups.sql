-- Projects that can be disabled, and users who are given roles together.

ALTER TABLE account_projects ADD COLUMN enabled INTEGER NOT NULL DEFAULT 1;

CREATE TABLE account_groups (
    id          TEXT PRIMARY KEY,
    domain_id   TEXT NOT NULL REFERENCES account_domains (id),
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    UNIQUE (domain_id, name)
) STRICT;

CREATE TABLE account_group_members (
    group_id TEXT NOT NULL REFERENCES account_groups (id) ON DELETE CASCADE,
    user_id  TEXT NOT NULL REFERENCES account_users (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX account_group_members_by_user ON account_group_members (user_id);

CREATE TABLE account_group_roles (
    group_id    TEXT NOT NULL REFERENCES account_groups (id) ON DELETE CASCADE,
    -- project or domain, and its id.
    target_kind TEXT NOT NULL,
    target_id   TEXT NOT NULL,
    role        TEXT NOT NULL,
    PRIMARY KEY (group_id, target_kind, target_id, role)
) STRICT, WITHOUT ROWID;
