-- What each stretch of use has cost at each price; the file for SQLite says what each column is for.

CREATE TABLE charge_totals (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id    TEXT    NOT NULL,
    resource_type TEXT    NOT NULL,
    resource_id   BIGINT NOT NULL,
    resource_name TEXT    NOT NULL,
    usage_id      BIGINT,
    spus          BIGINT NOT NULL,
    price         BIGINT NOT NULL,
    charge        BIGINT NOT NULL,
    millis        BIGINT NOT NULL,
    begin_time    BIGINT NOT NULL,
    end_time      BIGINT NOT NULL
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
