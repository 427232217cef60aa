-- Deduplication: passes each event once, however often its sender repeats it; what was silent for an hour may pass again.
CREATE SOURCE STREAM events (
  event_id STRING,
  sender STRING,
  body STRING,
  attempt INT
) WITH (
  type = "dis", region = "local", channel = "events", encode = "json"
);

CREATE SINK STREAM events_once (
  event_id STRING,
  sender STRING,
  body STRING
) WITH (
  type = "dis", region = "local", channel = "events-once", encode = "json"
);

-- The number of the attempt differs from copy to copy, and is left out.
INSERT INTO events_once
SELECT DISTINCT event_id, sender, body FROM events WHERE event_id IS NOT NULL;
