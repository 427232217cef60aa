-- q3: who sells in category 10 in three states; both streams are kept.
CREATE SINK STREAM result (name STRING, city STRING, state STRING, id BIGINT) WITH ({sink});

INSERT INTO result
SELECT p.name, p.city, p.state, a.id
FROM auction AS a JOIN person AS p ON a.seller = p.id
WHERE a.category = 10 AND (p.state = 'OR' OR p.state = 'ID' OR p.state = 'CA');
