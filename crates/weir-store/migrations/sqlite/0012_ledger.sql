-- What was used, and the ledger of what it cost.

-- A stretch of time in which something was used at one size: a job that held its SPUs, a cluster that ran.
CREATE TABLE usage_periods (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id    TEXT    NOT NULL,
    -- job or cluster.
    resource_type TEXT    NOT NULL,
    resource_id   INTEGER NOT NULL,
    resource_name TEXT    NOT NULL,
    spus          INTEGER NOT NULL,
    begun_at      INTEGER NOT NULL,
    -- NULL while it goes on.
    ended_at      INTEGER,
    -- Up to when it is in the ledger.
    settled_until INTEGER NOT NULL,
    -- What was too small to be charged then, in millionths of money times milliseconds of an hour.
    remainder     INTEGER NOT NULL DEFAULT 0,
    -- Set when it has ended and is in the ledger to its end.
    settled       INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX usage_periods_open ON usage_periods (resource_type, resource_id) WHERE ended_at IS NULL;
CREATE INDEX usage_periods_unsettled ON usage_periods (id) WHERE settled = 0;

-- Entries of the ledger; the amounts of the postings of an entry add up to 0.
CREATE TABLE ledger_entries (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The account (domain) that it is about.
    domain_id     TEXT    NOT NULL,
    -- usage, top_up or subscription.
    kind          TEXT    NOT NULL,
    note          TEXT    NOT NULL,
    booked_at     INTEGER NOT NULL,
    -- The balance of the account after it, in millionths.
    balance_after INTEGER NOT NULL
);

CREATE INDEX ledger_entries_domain ON ledger_entries (domain_id, id);
-- To find who owes without reading the history of all.
CREATE INDEX ledger_entries_owing ON ledger_entries (domain_id, id) WHERE balance_after < 0;

CREATE TABLE ledger_postings (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    entry_id      INTEGER NOT NULL REFERENCES ledger_entries (id),
    -- balance (of the account), revenue or payments (of the installation).
    book          TEXT    NOT NULL,
    -- In millionths; what a book receives is positive.
    amount        INTEGER NOT NULL,
    -- What revenue is for.
    project_id    TEXT,
    resource_type TEXT,
    resource_id   INTEGER,
    resource_name TEXT,
    -- The stretch of use; NULL for a subscription.
    usage_id      INTEGER,
    spus          INTEGER,
    -- Per SPU and hour, in millionths.
    price         INTEGER,
    begin_time    INTEGER,
    end_time      INTEGER
);

CREATE INDEX ledger_postings_entry ON ledger_postings (entry_id);
CREATE INDEX ledger_postings_project ON ledger_postings (project_id, begin_time) WHERE project_id IS NOT NULL;

-- What is in the ledger stays as it is.
CREATE TRIGGER ledger_entries_update BEFORE UPDATE ON ledger_entries
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_entries_delete BEFORE DELETE ON ledger_entries
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_postings_update BEFORE UPDATE ON ledger_postings
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_postings_delete BEFORE DELETE ON ledger_postings
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

-- When the service last settled; no row while it does not meter.
CREATE TABLE metering (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    settled_at INTEGER NOT NULL
);

-- When a run that is under way was told to stand still because the account owes; NULL when it was not.
ALTER TABLE jobs ADD COLUMN frozen_at INTEGER;
