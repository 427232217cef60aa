-- What lists of jobs are filtered by, out of the definition, which they need not read then.

ALTER TABLE jobs ADD COLUMN job_type TEXT NOT NULL DEFAULT 'flink_sql_job';

-- Not as JSON: its functions refuse a whole definition for one \u0000 in a text of the user. A quote in such a text stands as \",
-- so that it does not match.
UPDATE jobs SET job_type = COALESCE(substring(definition from '"job_type":"([^"]*)"'), 'flink_sql_job');
