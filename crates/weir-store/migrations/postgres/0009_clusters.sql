-- Exclusive clusters; the file for SQLite says what each column is for.

CREATE TABLE clusters (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id   TEXT    NOT NULL,
    user_id      TEXT    NOT NULL,
    name         TEXT COLLATE "C" NOT NULL,
    vpc_id       TEXT    NOT NULL,
    definition   TEXT    NOT NULL,
    billing_mode TEXT    NOT NULL DEFAULT 'pay_per_use',
    facts        TEXT    NOT NULL,
    created_at   BIGINT NOT NULL,
    version      BIGINT NOT NULL DEFAULT 0,
    deleted_at   BIGINT
);

CREATE UNIQUE INDEX clusters_name ON clusters (project_id, name) WHERE deleted_at IS NULL;

CREATE TABLE cluster_hosts (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cluster_id BIGINT NOT NULL REFERENCES clusters (id),
    hostname   TEXT    NOT NULL,
    ip         TEXT    NOT NULL
);

CREATE UNIQUE INDEX cluster_hosts_name ON cluster_hosts (cluster_id, lower(hostname));

CREATE TABLE networks (
    id         TEXT    PRIMARY KEY,
    project_id TEXT    NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    cidr       TEXT    NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (project_id, name)
);

CREATE TABLE peerings (
    id          TEXT    PRIMARY KEY,
    cluster_id  BIGINT NOT NULL REFERENCES clusters (id),
    name        TEXT COLLATE "C" NOT NULL,
    description TEXT    NOT NULL,
    vpc_id      TEXT    NOT NULL,
    tenant_id   TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    UNIQUE (cluster_id, vpc_id)
);

CREATE TABLE routes (
    id          TEXT    PRIMARY KEY,
    peering_id  TEXT    NOT NULL REFERENCES peerings (id),
    destination TEXT    NOT NULL,
    created_at  BIGINT NOT NULL
);
