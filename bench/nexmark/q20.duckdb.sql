SELECT b.auction, b.bidder, b.price, b.channel, b.url, make_timestamp_ms(b.date_time), b.extra,
       a.item_name, a.description, a.initial_bid, a.reserve, make_timestamp_ms(a.date_time), make_timestamp_ms(a.expires),
       a.seller, a.category, a.extra
FROM bid AS b JOIN auction AS a ON b.auction = a.id
WHERE a.category = 10
