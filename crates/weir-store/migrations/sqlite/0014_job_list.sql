-- What a list is filtered and ordered by, so that counting and paging read no rows of `jobs`.
CREATE INDEX jobs_list ON jobs (project_id, id, name, user_id, cluster_id) WHERE deleted_at IS NULL;
