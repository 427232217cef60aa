SELECT bidder, CAST(sum(CAST(bids AS BIGINT)) AS BIGINT) FROM result GROUP BY bidder
