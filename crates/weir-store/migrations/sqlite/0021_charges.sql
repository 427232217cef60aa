-- What each stretch of use has cost at each price, and each subscription: the postings of revenue, added up with the entry that
-- they belong to, so that no call adds up the ledger. A stretch that is in the ledger to its end is needed no longer.

CREATE TABLE charge_totals (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id    TEXT    NOT NULL,
    -- job or cluster.
    resource_type TEXT    NOT NULL,
    resource_id   INTEGER NOT NULL,
    resource_name TEXT    NOT NULL,
    -- The stretch of use; NULL for a subscription.
    usage_id      INTEGER,
    spus          INTEGER NOT NULL,
    -- Per SPU and hour, in millionths.
    price         INTEGER NOT NULL,
    -- In millionths.
    charge        INTEGER NOT NULL,
    -- For how long; less than from the first to the last moment when there was another price in between.
    millis        INTEGER NOT NULL,
    begin_time    INTEGER NOT NULL,
    end_time      INTEGER NOT NULL
);

CREATE UNIQUE INDEX charge_totals_usage ON charge_totals (usage_id, spus, price) WHERE usage_id IS NOT NULL;
CREATE INDEX charge_totals_project ON charge_totals (project_id, begin_time);
CREATE INDEX charge_totals_resource ON charge_totals (resource_type, resource_id);

INSERT INTO charge_totals
    (project_id, resource_type, resource_id, resource_name, usage_id, spus, price, charge, millis, begin_time, end_time)
SELECT project_id, resource_type, resource_id, MAX(resource_name), MAX(usage_id), spus, price,
    SUM(amount), SUM(end_time - begin_time), MIN(begin_time), MAX(end_time)
FROM ledger_postings WHERE project_id IS NOT NULL
GROUP BY COALESCE(usage_id, -id), project_id, resource_type, resource_id, spus, price ORDER BY MIN(id);

DROP INDEX ledger_postings_project;

DELETE FROM usage_periods WHERE settled = 1;
DELETE FROM job_reports WHERE job_id IN (SELECT id FROM jobs WHERE cleared = 1);
