insert into a select tumble_start(ts, interval '1' minute), k, sum(v) from s group by tumble(ts, interval '1' minute), k;
insert into b select hop_end(ts, interval '5' second, interval '1' minute) as window_end, count(distinct customer) as customers, max(price) as highest_price from bids group by hop(ts, interval '5' second, interval '1' minute), grouping sets ((auction, bidder), (auction), ()), channel;
insert into c select sum(v) over (partition by k order by ts rows between 4 preceding and current row), avg(v) over (partition by k, another_column_of_the_key order by proctime range between interval '30' minute preceding and current row) as average_of_half_an_hour from s;
insert into d select k, count(*) from s group by cube(a, b), rollup(c, d);
