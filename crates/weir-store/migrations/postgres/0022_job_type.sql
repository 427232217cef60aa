-- What lists of jobs are filtered by, out of the definition, which they need not read then.

ALTER TABLE jobs ADD COLUMN job_type TEXT NOT NULL DEFAULT 'flink_sql_job';

UPDATE jobs SET job_type = COALESCE(definition::json ->> 'job_type', 'flink_sql_job');
