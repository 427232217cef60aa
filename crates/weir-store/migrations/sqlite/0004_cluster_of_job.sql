-- The exclusive cluster of a job, so that jobs can be found by it.

ALTER TABLE jobs ADD COLUMN cluster_id INTEGER;
UPDATE jobs SET cluster_id = json_extract(definition, '$.cluster_id');
CREATE INDEX jobs_cluster ON jobs (project_id, cluster_id) WHERE deleted_at IS NULL;
