-- What was used, and the ledger of what it cost; the file for SQLite says what each column is for.

CREATE TABLE usage_periods (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id    TEXT    NOT NULL,
    resource_type TEXT    NOT NULL,
    resource_id   BIGINT NOT NULL,
    resource_name TEXT    NOT NULL,
    spus          BIGINT NOT NULL,
    begun_at      BIGINT NOT NULL,
    ended_at      BIGINT,
    settled_until BIGINT NOT NULL,
    remainder     BIGINT NOT NULL DEFAULT 0,
    settled       BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX usage_periods_open ON usage_periods (resource_type, resource_id) WHERE ended_at IS NULL;
CREATE INDEX usage_periods_unsettled ON usage_periods (id) WHERE settled = 0;

CREATE TABLE ledger_entries (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    domain_id     TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    note          TEXT    NOT NULL,
    booked_at     BIGINT NOT NULL,
    balance_after BIGINT NOT NULL
);

CREATE INDEX ledger_entries_domain ON ledger_entries (domain_id, id);
CREATE INDEX ledger_entries_owing ON ledger_entries (domain_id, id) WHERE balance_after < 0;

CREATE TABLE ledger_postings (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entry_id      BIGINT NOT NULL REFERENCES ledger_entries (id),
    book          TEXT    NOT NULL,
    amount        BIGINT NOT NULL,
    project_id    TEXT,
    resource_type TEXT,
    resource_id   BIGINT,
    resource_name TEXT,
    usage_id      BIGINT,
    spus          BIGINT,
    price         BIGINT,
    begin_time    BIGINT,
    end_time      BIGINT
);

CREATE INDEX ledger_postings_entry ON ledger_postings (entry_id);
CREATE INDEX ledger_postings_project ON ledger_postings (project_id, begin_time) WHERE project_id IS NOT NULL;

CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only';
END
$$;

CREATE TRIGGER ledger_entries_unchanged BEFORE UPDATE OR DELETE ON ledger_entries
    FOR EACH ROW EXECUTE FUNCTION ledger_is_append_only();
CREATE TRIGGER ledger_postings_unchanged BEFORE UPDATE OR DELETE ON ledger_postings
    FOR EACH ROW EXECUTE FUNCTION ledger_is_append_only();

CREATE TABLE metering (
    id         BIGINT PRIMARY KEY CHECK (id = 1),
    settled_at BIGINT NOT NULL
);

ALTER TABLE jobs ADD COLUMN frozen_at BIGINT;
