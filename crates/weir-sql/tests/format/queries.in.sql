insert into a select * from s where x=1 and y<>2 or not z between 1 and 2;
insert into b select distinct upper(name) as n,count(*) c from s group by upper(name) having count(*)>3;
insert into c select case when a>1 then 'many' when a=1 then 'one' else 'none' end, cast(a as double), extract(hour from ts), floor(ts to day), trim(both ' ' from n), substring(n from 1 for 2), position('a' in n), overlay(n placing 'x' from 1), a[1], m['k'], r.x, t.r.*, array[1,2], map['a',1], row(1,'x') from t;
insert into d select a from x union all select b from y union (select c from z union all values (1),(2));
insert into e values (1,'a'),(2,'b');
insert into f select a from (select a,b from (select * from x where a in (1,2,3))) as q where b like '%x%' escape '\' and c similar to 'a|b' and d is distinct from e;
insert into g select customer_identification_number, customer_first_name || ' ' || customer_last_name || ', ' || customer_street_address as mailing_label, (total_amount_without_taxes + shipping_and_handling_costs) * (1 + tax_rate_of_the_country) as amount from customers where customer_status = 'active' and (last_order_date > date '2024-01-01' or last_contact_date > date '2024-06-01' or customer_category in ('gold', 'platinum')) and not deleted;
insert into h select case kind when 1, 2 then 'a value that is rather long so that the line is broken' when 3 then 'another value of considerable length' else 'none of them' end from s;
