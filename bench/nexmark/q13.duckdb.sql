SELECT auction, bidder, price, make_timestamp_ms(date_time), side_value
FROM bid JOIN side ON side_key = auction % 10000
