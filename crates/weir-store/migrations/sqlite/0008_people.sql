-- Templates, the clusters of users, agencies, and what an audit needs to be read.

CREATE TABLE templates (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id  TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    user_id     TEXT    NOT NULL,
    description TEXT    NOT NULL,
    sql_body    TEXT    NOT NULL,
    tags        TEXT    NOT NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    -- Who owned a template stays known: its audit records are shown to that user.
    deleted_at  INTEGER
);

CREATE UNIQUE INDEX templates_name ON templates (project_id, name) WHERE deleted_at IS NULL;

-- The exclusive clusters that a user may use.
CREATE TABLE cluster_users (
    project_id TEXT    NOT NULL,
    user_id    TEXT    NOT NULL,
    cluster_id INTEGER NOT NULL,
    PRIMARY KEY (project_id, user_id, cluster_id)
);

-- The address of the caller; empty for what the service did by itself.
ALTER TABLE audit_records ADD COLUMN source_ip TEXT NOT NULL DEFAULT '';
CREATE INDEX audit_records_time ON audit_records (project_id, event_time, id);

-- What holds for all projects of an account.
ALTER TABLE account_domains ADD COLUMN real_name_verified INTEGER NOT NULL DEFAULT 1;
ALTER TABLE account_domains ADD COLUMN restricted INTEGER NOT NULL DEFAULT 0;

CREATE TABLE account_agencies (
    id           TEXT PRIMARY KEY,
    domain_id    TEXT NOT NULL REFERENCES account_domains (id),
    name         TEXT NOT NULL,
    -- The domain that may act for this one, by its name; the service itself has a name of its own.
    trust_domain TEXT NOT NULL,
    description  TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    UNIQUE (domain_id, name)
);

CREATE TABLE account_agency_roles (
    agency_id   TEXT NOT NULL REFERENCES account_agencies (id) ON DELETE CASCADE,
    -- project or domain, and its id.
    target_kind TEXT NOT NULL,
    target_id   TEXT NOT NULL,
    role        TEXT NOT NULL,
    PRIMARY KEY (agency_id, target_kind, target_id, role)
);

-- Projects made by earlier releases get what a new one gets.
INSERT INTO account_agencies (id, domain_id, name, trust_domain, description, created_at)
SELECT lower(hex(randomblob(16))), id, 'cloud_stream_agency', 'op_svc_cs', 'made for the service', 0
FROM account_domains WHERE EXISTS (SELECT 1 FROM account_projects WHERE domain_id = account_domains.id);

INSERT INTO account_agency_roles (agency_id, target_kind, target_id, role)
SELECT account_agencies.id, 'project', account_projects.id, roles.role
FROM account_agencies JOIN account_projects ON account_projects.domain_id = account_agencies.domain_id
CROSS JOIN (SELECT 'obs_adm' AS role UNION ALL SELECT 'dis_adm' UNION ALL SELECT 'ctable_adm'
    UNION ALL SELECT 'vpc_netadm' UNION ALL SELECT 'smn_adm' UNION ALL SELECT 'te_admin') AS roles;
