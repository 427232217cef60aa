-- Exclusive clusters, the names that they map to addresses, and their networks.

CREATE TABLE clusters (
    -- AUTOINCREMENT: an id is never given out twice, not even after a delete.
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id   TEXT    NOT NULL,
    user_id      TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    -- The id of the cluster's own network.
    vpc_id       TEXT    NOT NULL,
    -- The fields of the create request as JSON; see `ClusterDefinition`.
    definition   TEXT    NOT NULL,
    -- pay_per_use or period.
    billing_mode TEXT    NOT NULL DEFAULT 'pay_per_use',
    -- What is wanted and known as JSON; see `ClusterFacts`.
    facts        TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    -- Counts writes; a writer names the version it read.
    version      INTEGER NOT NULL DEFAULT 0,
    deleted_at   INTEGER
);

CREATE UNIQUE INDEX clusters_name ON clusters (project_id, name) WHERE deleted_at IS NULL;

CREATE TABLE cluster_hosts (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    cluster_id INTEGER NOT NULL REFERENCES clusters (id),
    -- As sent; lower and upper case letters are the same.
    hostname   TEXT    NOT NULL,
    ip         TEXT    NOT NULL
);

CREATE UNIQUE INDEX cluster_hosts_name ON cluster_hosts (cluster_id, lower(hostname));

-- Named networks (VPCs) of projects, as the operator says.
CREATE TABLE networks (
    id         TEXT    PRIMARY KEY,
    project_id TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    cidr       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (project_id, name)
) STRICT;

-- Connections from a cluster's network to a named one.
CREATE TABLE peerings (
    id          TEXT    PRIMARY KEY,
    cluster_id  INTEGER NOT NULL REFERENCES clusters (id),
    name        TEXT    NOT NULL,
    description TEXT    NOT NULL,
    -- The accepting side: a network and the project that owns it.
    vpc_id      TEXT    NOT NULL,
    tenant_id   TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    UNIQUE (cluster_id, vpc_id)
) STRICT;

CREATE TABLE routes (
    id          TEXT    PRIMARY KEY,
    peering_id  TEXT    NOT NULL REFERENCES peerings (id),
    destination TEXT    NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
