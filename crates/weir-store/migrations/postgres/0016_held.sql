-- What a job that was run holds until its end, as JSON; see `Held`. Those that were run before it was noted hold what
-- their definition says.

ALTER TABLE jobs ADD COLUMN held TEXT;

UPDATE jobs SET held = json_build_object(
    'run_mode', COALESCE(definition::json ->> 'run_mode', 'shared_cluster'),
    'cluster_id', (definition::json ->> 'cluster_id')::bigint,
    'spus', COALESCE((definition::json ->> 'spu_number')::bigint, 2)
)::text WHERE intent <> 'draft';
