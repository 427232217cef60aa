-- The head of the file.
//   Second line.

/* A block
   over two lines. */
CREATE SOURCE STREAM cars ( -- where they come from
  id STRING, /* the plate */
  speed INT // km/h
  -- more columns may follow
)
WITH (
  type = "dis", -- the stream

  -- the name
  channel = "c",
  encode = "csv",
  field_delimiter = ","
); -- end of cars

INSERT INTO fast -- target
SELECT
  id, -- first
  speed /* second */
FROM cars
-- only the fast ones
WHERE speed > 100 -- limit
  AND /* inline */ id IS NOT NULL;

-- the end
