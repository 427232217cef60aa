-- Templates, the clusters of users, agencies, and what an audit needs to be read; the file for SQLite says what each column is for.

CREATE TABLE templates (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id  TEXT NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    user_id     TEXT NOT NULL,
    description TEXT NOT NULL,
    sql_body    TEXT NOT NULL,
    tags        TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    deleted_at  BIGINT
);

CREATE UNIQUE INDEX templates_name ON templates (project_id, name) WHERE deleted_at IS NULL;

CREATE TABLE cluster_users (
    project_id TEXT   NOT NULL,
    user_id    TEXT   NOT NULL,
    cluster_id BIGINT NOT NULL,
    PRIMARY KEY (project_id, user_id, cluster_id)
);

ALTER TABLE audit_records ADD COLUMN source_ip TEXT NOT NULL DEFAULT '';
CREATE INDEX audit_records_time ON audit_records (project_id, event_time, id);

ALTER TABLE account_domains ADD COLUMN real_name_verified BIGINT NOT NULL DEFAULT 1;
ALTER TABLE account_domains ADD COLUMN restricted BIGINT NOT NULL DEFAULT 0;

CREATE TABLE account_agencies (
    id           TEXT PRIMARY KEY,
    domain_id    TEXT NOT NULL REFERENCES account_domains (id),
    name         TEXT COLLATE "C" NOT NULL,
    trust_domain TEXT NOT NULL,
    description  TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    UNIQUE (domain_id, name)
);

CREATE TABLE account_agency_roles (
    agency_id   TEXT NOT NULL REFERENCES account_agencies (id) ON DELETE CASCADE,
    target_kind TEXT NOT NULL,
    target_id   TEXT NOT NULL,
    role        TEXT NOT NULL,
    PRIMARY KEY (agency_id, target_kind, target_id, role)
);

INSERT INTO account_agencies (id, domain_id, name, trust_domain, description, created_at)
SELECT md5(random()::text || id), id, 'cloud_stream_agency', 'op_svc_cs', 'made for the service', 0
FROM account_domains WHERE EXISTS (SELECT 1 FROM account_projects WHERE domain_id = account_domains.id);

INSERT INTO account_agency_roles (agency_id, target_kind, target_id, role)
SELECT account_agencies.id, 'project', account_projects.id, roles.role
FROM account_agencies JOIN account_projects ON account_projects.domain_id = account_agencies.domain_id
CROSS JOIN (VALUES ('obs_adm'), ('dis_adm'), ('ctable_adm'), ('vpc_netadm'), ('smn_adm'), ('te_admin')) AS roles (role);
