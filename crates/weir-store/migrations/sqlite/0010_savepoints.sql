-- What is known of the savepoints of a job, as JSON; see `SavepointFacts`.

ALTER TABLE jobs ADD COLUMN savepoint TEXT NOT NULL DEFAULT '{}';
