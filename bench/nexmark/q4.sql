-- q4: the mean of the prices at which the auctions of each category end.
CREATE SINK STREAM result (category BIGINT, price BIGINT) WITH ({sink});

INSERT INTO result
SELECT category, AVG(final)
FROM (
  SELECT MAX(b.price) AS final, a.category
  FROM auction AS a JOIN bid AS b ON a.id = b.auction
  WHERE b.date_time BETWEEN a.date_time AND a.expires
  GROUP BY a.id, a.category
)
GROUP BY category;
