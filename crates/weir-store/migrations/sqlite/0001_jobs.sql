-- Jobs, what runtimes reported of them, and what surrounds them.

CREATE TABLE jobs (
    -- AUTOINCREMENT: an id is never given out twice, not even after a delete.
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id    TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    user_id       TEXT    NOT NULL,
    user_name     TEXT    NOT NULL,
    -- The fields of the create request as JSON; see `JobDefinition`.
    definition    TEXT    NOT NULL,
    create_time   INTEGER NOT NULL,
    update_time   INTEGER NOT NULL,
    -- What the user wants: draft, run or stop, and since when.
    intent        TEXT    NOT NULL DEFAULT 'draft',
    intent_at     INTEGER NOT NULL DEFAULT 0,
    -- Facts of the present or last run; see `RunFacts`.
    attempt       INTEGER NOT NULL DEFAULT 0,
    submitted_at  INTEGER,
    accepted      INTEGER NOT NULL DEFAULT 0,
    reached       INTEGER NOT NULL DEFAULT 0,
    running_since INTEGER,
    start_time    INTEGER NOT NULL DEFAULT 0,
    stopped_at    INTEGER,
    failures      INTEGER NOT NULL DEFAULT 0,
    retry_at      INTEGER,
    end_kind      TEXT,
    reason        TEXT    NOT NULL DEFAULT '',
    -- Counts writes; a writer names the version it read.
    version       INTEGER NOT NULL DEFAULT 0,
    deleted_at    INTEGER,
    -- Set when the runtime has forgotten a deleted job.
    cleared       INTEGER NOT NULL DEFAULT 0
);

CREATE UNIQUE INDEX jobs_name ON jobs (project_id, name) WHERE deleted_at IS NULL;
CREATE INDEX jobs_to_reconcile ON jobs (id)
    WHERE (deleted_at IS NULL AND intent <> 'draft' AND end_kind IS NULL) OR (deleted_at IS NOT NULL AND cleared = 0);

-- What a runtime last said of a job. Apart from `jobs`, because it changes often and by one writer only.
CREATE TABLE job_reports (
    job_id  INTEGER PRIMARY KEY REFERENCES jobs (id),
    attempt INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    metrics TEXT    NOT NULL,
    graph   TEXT
);

CREATE TABLE users (
    project_id    TEXT    NOT NULL,
    user_id       TEXT    NOT NULL,
    user_name     TEXT    NOT NULL,
    spu_quota     INTEGER NOT NULL,
    registered_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, user_id)
);

CREATE TABLE authorized_buckets (
    project_id    TEXT    NOT NULL,
    bucket        TEXT    NOT NULL,
    user_id       TEXT    NOT NULL,
    authorized_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, bucket)
);

CREATE TABLE audit_records (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id    TEXT    NOT NULL,
    user_id       TEXT    NOT NULL,
    user_name     TEXT    NOT NULL,
    request_id    TEXT    NOT NULL,
    resource_type TEXT    NOT NULL,
    resource_id   TEXT    NOT NULL,
    resource_name TEXT    NOT NULL,
    event_name    TEXT    NOT NULL,
    event_type    TEXT    NOT NULL,
    event_rating  TEXT    NOT NULL,
    op_result     TEXT    NOT NULL,
    event_time    INTEGER NOT NULL
);

CREATE INDEX audit_records_resource ON audit_records (project_id, resource_type, resource_id, id);
