-- q22: the directories of the address. The dialect has no function that gives the n-th piece, so a pattern finds them.
CREATE SINK STREAM result (
  auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, dir1 STRING, dir2 STRING, dir3 STRING
) WITH ({sink});

INSERT INTO result
SELECT auction, bidder, price, channel,
       REGEXP_EXTRACT(url, '^(?:[^/]*/){3}([^/]*)', 1),
       REGEXP_EXTRACT(url, '^(?:[^/]*/){4}([^/]*)', 1),
       REGEXP_EXTRACT(url, '^(?:[^/]*/){5}([^/]*)', 1)
FROM bid;
