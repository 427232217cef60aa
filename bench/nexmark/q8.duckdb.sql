SELECT DISTINCT p.id, p.name, make_timestamp_ms(p.date_time // 10000 * 10000)
FROM person AS p JOIN auction AS a ON p.id = a.seller AND p.date_time // 10000 = a.date_time // 10000
