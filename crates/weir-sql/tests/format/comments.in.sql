
-- The head of the file.
//   Second line.


/* A block
   over two lines. */
create source stream cars ( -- where they come from
  id STRING, /* the plate */ speed INT // km/h
  -- more columns may follow
) with (
  type = "dis", -- the stream

  -- the name
  channel = "c",
  encode = "csv", field_delimiter = ","
); -- end of cars
insert into fast -- target
select id, -- first
  speed /* second */ from cars
-- only the fast ones
where speed > 100 -- limit
and /* inline */ id is not null;


-- the end
