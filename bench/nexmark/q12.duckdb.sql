-- In which window a bid falls depends on the clock, so the windows of a bidder are added up.
SELECT bidder, count(*) FROM bid GROUP BY bidder
