-- Whether the users of a project can read its audit. A project without a row can.

CREATE TABLE trackers (
    project_id TEXT PRIMARY KEY,
    enabled    BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
