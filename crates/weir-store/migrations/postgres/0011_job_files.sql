-- Files that were uploaded with JAR jobs.

CREATE TABLE job_files (
    job_id   BIGINT NOT NULL REFERENCES jobs (id),
    -- jar or config
    kind     TEXT   NOT NULL,
    name     TEXT   NOT NULL,
    contents BYTEA NOT NULL,
    PRIMARY KEY (job_id, kind)
);
