-- What a job that was run holds until its end, as JSON; see `Held`. Those that were run before it was noted hold what
-- their definition says.

ALTER TABLE jobs ADD COLUMN held TEXT;

UPDATE jobs SET held = json_object(
    'run_mode', COALESCE(json_extract(definition, '$.run_mode'), 'shared_cluster'),
    'cluster_id', json_extract(definition, '$.cluster_id'),
    'spus', COALESCE(json_extract(definition, '$.spu_number'), 2)
) WHERE intent <> 'draft';
