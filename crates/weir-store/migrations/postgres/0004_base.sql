-- Everything up to version 4 of the schema; the files for SQLite say what each column is for.

-- As in SQLite: the position of a text in another one, from 1; 0 when it is not there.
CREATE FUNCTION instr(TEXT, TEXT) RETURNS INTEGER LANGUAGE SQL IMMUTABLE AS 'SELECT strpos($1, $2)';

CREATE TABLE jobs (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id    TEXT    NOT NULL,
    name          TEXT COLLATE "C"    NOT NULL,
    user_id       TEXT    NOT NULL,
    user_name     TEXT    NOT NULL,
    cluster_id    BIGINT,
    definition    TEXT    NOT NULL,
    create_time   BIGINT NOT NULL,
    update_time   BIGINT NOT NULL,
    intent        TEXT    NOT NULL DEFAULT 'draft',
    intent_at     BIGINT NOT NULL DEFAULT 0,
    attempt       BIGINT NOT NULL DEFAULT 0,
    submitted_at  BIGINT,
    accepted      BIGINT NOT NULL DEFAULT 0,
    reached       BIGINT NOT NULL DEFAULT 0,
    running_since BIGINT,
    start_time    BIGINT NOT NULL DEFAULT 0,
    stopped_at    BIGINT,
    failures      BIGINT NOT NULL DEFAULT 0,
    retry_at      BIGINT,
    end_kind      TEXT,
    reason        TEXT    NOT NULL DEFAULT '',
    version       BIGINT NOT NULL DEFAULT 0,
    deleted_at    BIGINT,
    cleared       BIGINT NOT NULL DEFAULT 0
);

CREATE UNIQUE INDEX jobs_name ON jobs (project_id, name) WHERE deleted_at IS NULL;
CREATE INDEX jobs_cluster ON jobs (project_id, cluster_id) WHERE deleted_at IS NULL;
CREATE INDEX jobs_to_reconcile ON jobs (id)
    WHERE (deleted_at IS NULL AND intent <> 'draft' AND end_kind IS NULL) OR (deleted_at IS NOT NULL AND cleared = 0);

CREATE TABLE job_reports (
    job_id  BIGINT PRIMARY KEY REFERENCES jobs (id),
    attempt BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    metrics TEXT    NOT NULL,
    graph   TEXT
);

CREATE TABLE users (
    project_id    TEXT    NOT NULL,
    user_id       TEXT    NOT NULL,
    user_name     TEXT    NOT NULL,
    spu_quota     BIGINT NOT NULL,
    registered_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, user_id)
);

CREATE TABLE authorized_buckets (
    project_id    TEXT    NOT NULL,
    bucket        TEXT    NOT NULL,
    user_id       TEXT    NOT NULL,
    authorized_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, bucket)
);

CREATE TABLE audit_records (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
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
    event_time    BIGINT NOT NULL
);

CREATE INDEX audit_records_resource ON audit_records (project_id, resource_type, resource_id, id);

CREATE TABLE account_domains (
    id   TEXT PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE
);

CREATE TABLE account_projects (
    id          TEXT PRIMARY KEY,
    domain_id   TEXT NOT NULL REFERENCES account_domains (id),
    name        TEXT COLLATE "C" NOT NULL,
    description TEXT NOT NULL,
    UNIQUE (domain_id, name)
);

CREATE TABLE account_users (
    id                 TEXT PRIMARY KEY,
    domain_id          TEXT NOT NULL REFERENCES account_domains (id),
    name               TEXT COLLATE "C" NOT NULL,
    description        TEXT NOT NULL,
    enabled            BIGINT NOT NULL,
    password           TEXT NOT NULL,
    default_project_id TEXT REFERENCES account_projects (id),
    UNIQUE (domain_id, name)
);

CREATE TABLE account_assignments (
    user_id     TEXT NOT NULL REFERENCES account_users (id) ON DELETE CASCADE,
    target_kind TEXT NOT NULL,
    target_id   TEXT NOT NULL,
    role        TEXT NOT NULL,
    PRIMARY KEY (user_id, target_kind, target_id, role)
);

CREATE TABLE account_tokens (
    hash        BYTEA PRIMARY KEY,
    user_id     TEXT NOT NULL REFERENCES account_users (id) ON DELETE CASCADE,
    target_kind TEXT,
    target_id   TEXT,
    methods     TEXT NOT NULL,
    issued_at   BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    audit_id    TEXT NOT NULL
);

CREATE INDEX account_tokens_by_end ON account_tokens (expires_at);
CREATE INDEX account_tokens_by_user ON account_tokens (user_id);

CREATE TABLE account_keys (
    access       TEXT PRIMARY KEY,
    secret       TEXT NOT NULL,
    user_id      TEXT NOT NULL REFERENCES account_users (id) ON DELETE CASCADE,
    description  TEXT NOT NULL,
    status       TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT
);

CREATE INDEX account_keys_by_user ON account_keys (user_id);

CREATE TABLE variables (
    project_id TEXT    NOT NULL,
    name       TEXT COLLATE "C"    NOT NULL,
    sealed     TEXT    NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, name)
);
