SELECT auction, bidder, CAST(0.908 * price AS DECIMAL(23, 3)), make_timestamp_ms(date_time), extra FROM bid
