-- The project that a bucket belongs to. A bucket without a row belongs to the operator.
-- A row stays when its bucket is removed: a job that still runs may write to that name, and must not reach what
-- another project would make under it.
CREATE TABLE bucket_owners (
    bucket     TEXT PRIMARY KEY,
    project_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX bucket_owners_by_project ON bucket_owners (project_id);

-- With one project there is no doubt whose the buckets in use are.
INSERT INTO bucket_owners (bucket, project_id)
SELECT bucket, project_id FROM authorized_buckets
WHERE project_id = (SELECT MIN(id) FROM account_projects) AND (SELECT COUNT(*) FROM account_projects) = 1;
