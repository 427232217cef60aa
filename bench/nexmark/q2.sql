-- q2, filter: the bids on some auctions.
CREATE SINK STREAM result (auction BIGINT, price BIGINT) WITH ({sink});

INSERT INTO result SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0;
