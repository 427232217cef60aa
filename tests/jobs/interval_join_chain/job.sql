/* The time of the order goes through both joins, so a window can be put on it although the last row of a chain comes half a
   minute later: the watermark is held back. Order 2 is paid too late, order 4 shipped too late, order 6 not paid at all. */
CREATE SOURCE STREAM orders (id INT, customer STRING, ots TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "orders", encode = "csv", field_delimiter = ","
) TIMESTAMP BY ots.rowtime SET WATERMARK (ROWS 1, INTERVAL 0 SECOND);
CREATE SOURCE STREAM payments (id INT, pts TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "payments", encode = "csv", field_delimiter = ","
) TIMESTAMP BY pts.rowtime SET WATERMARK (ROWS 1, INTERVAL 10 SECOND);
CREATE SOURCE STREAM shipments (id BIGINT, sts TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "shipments", encode = "csv", field_delimiter = ","
) TIMESTAMP BY sts.rowtime SET WATERMARK (ROWS 1, INTERVAL 10 SECOND);

CREATE SINK STREAM done (w_start TIMESTAMP, n BIGINT, ids BIGINT) WITH (
  type = "dis", region = "local", channel = "done", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM close (customer STRING, first INT, second INT) WITH (
  type = "dis", region = "local", channel = "close", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM waiting (id INT, paid TIMESTAMP, shipped TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "waiting", encode = "csv", field_delimiter = ",");

INSERT INTO done
SELECT TUMBLE_START(o.ots, INTERVAL '10' SECOND), COUNT(*), SUM(o.id)
FROM orders o
  JOIN payments p ON o.id = p.id AND p.pts BETWEEN o.ots AND o.ots + INTERVAL '10' SECOND
  JOIN shipments s ON s.id = o.id AND s.sts BETWEEN p.pts AND p.pts + INTERVAL '20' SECOND
GROUP BY TUMBLE(o.ots, INTERVAL '10' SECOND);

INSERT INTO close
SELECT a.customer, a.id, b.id FROM orders AS a, orders AS b
WHERE a.customer = b.customer AND a.id < b.id AND b.ots BETWEEN a.ots AND a.ots + INTERVAL '5' SECOND;

INSERT INTO waiting
SELECT x.id, x.pts, s.sts FROM (
  SELECT o.id, o.ots, p.pts FROM orders o LEFT JOIN payments p
  ON o.id = p.id AND p.pts BETWEEN o.ots AND o.ots + INTERVAL '10' SECOND) AS x
LEFT JOIN shipments s ON s.id = x.id AND s.sts BETWEEN x.ots AND x.ots + INTERVAL '30' SECOND;
