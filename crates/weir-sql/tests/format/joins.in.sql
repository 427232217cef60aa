insert into a select l.id,r.v from l join r on l.id=r.id and l.ts between r.ts - interval '5' minute and r.ts;
insert into b select * from l left outer join r on l.id = r.id full join q on q.id = l.id cross join w;
insert into c select s.id, word, n from s, lateral table(split_cursor(s.text, ',')) as t(word), unnest(s.items) with ordinality as u(item, n);
insert into d select l.identification, r.description_of_the_thing from left_stream_with_long_name as l inner join right_stream_with_long_name as r on l.identification = r.identification and l.category = r.category and l.rowtime_of_left between r.rowtime_of_right - interval '5' minute and r.rowtime_of_right;
insert into e select a from (select a from x where b) join (select c from y) on a = c;
insert into f select a from table t as x;
