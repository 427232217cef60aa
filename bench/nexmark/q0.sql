-- q0, pass: every bid as it is.
CREATE SINK STREAM result (
  auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, date_time TIMESTAMP, extra STRING
) WITH ({sink});

INSERT INTO result SELECT auction, bidder, price, channel, url, date_time, extra FROM bid;
