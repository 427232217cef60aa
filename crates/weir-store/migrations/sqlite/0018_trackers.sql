-- Whether the users of a project can read its audit. A project without a row can.

CREATE TABLE trackers (
    project_id TEXT PRIMARY KEY,
    enabled    INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
);
