SELECT auction, bidder, price, channel, url, make_timestamp_ms(date_time), extra FROM bid
