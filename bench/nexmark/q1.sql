-- q1, project: the price in another currency.
CREATE SINK STREAM result (
  auction BIGINT, bidder BIGINT, price DECIMAL(23, 3), date_time TIMESTAMP, extra STRING
) WITH ({sink});

INSERT INTO result SELECT auction, bidder, 0.908 * price, date_time, extra FROM bid;
