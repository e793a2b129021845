-- Grouping sets, joins, set operations, subqueries, UNNEST, LATERAL, WITH, VALUES, LIMIT.
SELECT state, customer, sum(amount) FROM orders GROUP BY GROUPING SETS ((state), (customer), ()) ORDER BY state, customer, 3;
SELECT state, customer, count(*), grouping(state, customer) AS g FROM orders GROUP BY ROLLUP (state, customer) ORDER BY g, state, customer;
SELECT state, month(day) AS m, count(*), grouping(state), grouping(month(day)) FROM orders GROUP BY CUBE (state, month(day)) ORDER BY 4, 5, state, m;
SELECT state, count(*) FROM orders GROUP BY ROLLUP (state) ORDER BY 1 NULLS FIRST, 2;
SELECT state, customer, count(*) FROM orders GROUP BY state, ROLLUP (customer) ORDER BY state, customer, 3;
SELECT state, customer, count(*) FROM orders GROUP BY GROUPING SETS ((state, customer), ROLLUP (state)) ORDER BY 1, 2, 3;
SELECT count(*) FROM orders GROUP BY ();
SELECT count(*) FROM orders WHERE false GROUP BY ();
SELECT count(*) FROM orders WHERE false GROUP BY GROUPING SETS ((), (state));
SELECT state, count(*) FROM orders GROUP BY DISTINCT ROLLUP (state), ROLLUP (state) ORDER BY 1, 2;
SELECT state, count(*) FROM orders GROUP BY ALL ROLLUP (state), ROLLUP (state) ORDER BY 1, 2;
SELECT state, grouping(customer) FROM orders GROUP BY state;
SELECT grouping(state) FROM orders;
SELECT state FROM orders GROUP BY GROUPING SETS ((state), ()) HAVING grouping(state) = 1;
SELECT c.name, o.number FROM customers c JOIN orders o ON c.customer = o.customer ORDER BY o.number;
SELECT c.name, o.number FROM customers c LEFT JOIN orders o ON c.customer = o.customer ORDER BY c.name, o.number;
SELECT c.name, o.number FROM customers c RIGHT JOIN orders o ON c.customer = o.customer ORDER BY o.number;
SELECT c.name, o.number FROM customers c FULL JOIN orders o ON c.customer = o.customer ORDER BY o.number, c.name;
SELECT c.name, o.number FROM customers c FULL OUTER JOIN orders o ON c.customer = o.customer AND o.amount > 10 ORDER BY o.number, c.name;
SELECT customer, name, number FROM customers JOIN orders USING (customer) ORDER BY number;
SELECT customer, name, number FROM customers FULL JOIN orders USING (customer) ORDER BY number, customer;
SELECT * FROM customers JOIN orders USING (customer) ORDER BY number LIMIT 1;
SELECT * FROM customers NATURAL JOIN orders ORDER BY number LIMIT 1;
SELECT count(*) FROM customers CROSS JOIN orders;
SELECT count(*) FROM customers, orders;
SELECT c.name, o.number FROM customers c, orders o WHERE c.customer = o.customer AND o.amount > 20 ORDER BY 2;
SELECT a.number, b.number FROM orders a JOIN orders b ON a.day = b.day AND a.number < b.number;
SELECT a.customer, count(b.customer) FROM customers a LEFT JOIN customers b ON a.customer > b.customer GROUP BY a.customer ORDER BY 1;
SELECT c.name, o.number, i.article FROM customers c JOIN orders o ON c.customer = o.customer LEFT JOIN items i ON i.number = o.number ORDER BY 2, 3;
SELECT c.name FROM customers c LEFT JOIN orders o ON c.customer = o.customer WHERE o.number IS NULL ORDER BY 1;
SELECT c.name, o.number FROM customers c LEFT JOIN orders o ON c.customer = o.customer AND o.state = 'open' ORDER BY 1, 2;
SELECT c.name, o.number FROM customers c LEFT JOIN orders o ON c.customer = o.customer AND c.region = 'north' ORDER BY 1, 2;
SELECT c.name FROM customers c JOIN (VALUES 1.0, 3.0) AS t (x) ON c.customer = t.x ORDER BY 1;
SELECT c.name, t.y FROM customers c JOIN (VALUES (1, 'a'), (NULL, 'b')) AS t (x, y) ON c.customer IS NOT DISTINCT FROM t.x;
SELECT a.x, b.x FROM (VALUES NULL, 1) AS a (x) JOIN (VALUES NULL, 1) AS b (x) ON a.x = b.x;
SELECT * FROM (customers c JOIN orders o ON c.customer = o.customer) ORDER BY number LIMIT 1;
SELECT c.customer, orders.customer FROM customers c JOIN orders ON c.customer = orders.customer ORDER BY 1 LIMIT 1;
SELECT customer FROM customers JOIN orders ON customers.customer = orders.customer;
SELECT c.nosuch FROM customers c;
SELECT x.customer FROM customers c;
SELECT * FROM customers JOIN orders ON customer = 1;
SELECT * FROM customers JOIN orders USING (name);
SELECT * FROM customers JOIN orders ON 1;
SELECT * FROM customers JOIN orders;
SELECT c.customer FROM customers JOIN orders c USING (customer);
SELECT 1 UNION SELECT 1;
SELECT 1 UNION ALL SELECT 1;
SELECT 1 UNION ALL SELECT 2.5 ORDER BY 1;
SELECT 'a' UNION SELECT 'bcd' ORDER BY 1;
SELECT NULL UNION SELECT 1 ORDER BY 1;
SELECT 1 AS a UNION ALL SELECT 2 AS b ORDER BY a;
SELECT 1 INTERSECT SELECT 1;
SELECT 1 INTERSECT SELECT 2;
SELECT x FROM (VALUES 1, 1, 2, NULL, NULL) AS t (x) INTERSECT SELECT x FROM (VALUES 1, NULL) AS t (x) ORDER BY 1;
SELECT x FROM (VALUES 1, 1, 2, NULL) AS t (x) EXCEPT SELECT x FROM (VALUES 2) AS t (x) ORDER BY 1;
SELECT x FROM (VALUES 1, 1, 2) AS t (x) EXCEPT ALL SELECT x FROM (VALUES 1) AS t (x) ORDER BY 1;
SELECT x FROM (VALUES 1, 1, 2) AS t (x) INTERSECT ALL SELECT x FROM (VALUES 1, 1, 1) AS t (x) ORDER BY 1;
SELECT 1 UNION ALL SELECT 2 INTERSECT SELECT 2 ORDER BY 1;
(SELECT 1 UNION ALL SELECT 2) EXCEPT SELECT 2;
SELECT customer FROM customers EXCEPT SELECT customer FROM orders ORDER BY 1;
SELECT region FROM customers UNION SELECT state FROM orders ORDER BY 1;
SELECT 1, 2 UNION SELECT 1;
SELECT 1 UNION SELECT 'a';
SELECT count(*) FROM (SELECT scores FROM nested UNION SELECT scores FROM nested);
SELECT DATE '2020-01-01' UNION SELECT TIMESTAMP '2020-01-01 01:00:00' ORDER BY 1;
(SELECT 1 AS x LIMIT 1) UNION ALL (SELECT 2 ORDER BY 1) ORDER BY x DESC;
VALUES 1 UNION ALL VALUES 2 ORDER BY 1;
TABLE customers EXCEPT TABLE customers;
SELECT (SELECT max(amount) FROM orders);
SELECT (SELECT number FROM orders WHERE false);
SELECT (SELECT number FROM orders);
SELECT (SELECT 1, 2);
SELECT name, (SELECT count(*) FROM orders o WHERE o.customer = c.customer) AS n FROM customers c ORDER BY name;
SELECT name, (SELECT max(number) FROM orders o WHERE o.customer = c.customer) AS n FROM customers c ORDER BY name;
SELECT name FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer = c.customer) ORDER BY 1;
SELECT name FROM customers c WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer = c.customer) ORDER BY 1;
SELECT name FROM customers WHERE customer IN (SELECT customer FROM orders) ORDER BY 1;
SELECT name FROM customers WHERE customer NOT IN (SELECT customer FROM orders);
SELECT name FROM customers WHERE customer NOT IN (SELECT customer FROM orders WHERE customer IS NOT NULL) ORDER BY 1;
SELECT customer, customer IN (SELECT customer FROM orders) AS b FROM customers ORDER BY 1;
SELECT (customer, 'open') IN (SELECT (customer, state) FROM orders) AS b, customer FROM customers ORDER BY 2;
SELECT number FROM orders WHERE amount > (SELECT avg(amount) FROM orders) ORDER BY 1;
SELECT number FROM orders WHERE amount >= ALL (SELECT amount FROM orders WHERE amount IS NOT NULL);
SELECT number FROM orders o WHERE amount = (SELECT max(amount) FROM orders i WHERE i.customer = o.customer) ORDER BY 1;
SELECT number, amount > ANY (SELECT amount FROM orders i WHERE i.customer = o.customer AND i.number <> o.number) AS b FROM orders o ORDER BY 1;
SELECT name, (SELECT name FROM customers i WHERE i.customer = c.customer + 1) FROM customers c ORDER BY 1;
SELECT number, EXISTS (SELECT 1 FROM items i WHERE i.number = o.number AND i.pieces > 1) AS b FROM orders o ORDER BY 1;
SELECT name FROM customers WHERE customer = (SELECT 1) OR customer = (SELECT 3) ORDER BY 1;
SELECT name FROM customers c ORDER BY (SELECT count(*) FROM orders o WHERE o.customer = c.customer) DESC, name;
SELECT state, (SELECT 7) FROM orders GROUP BY state ORDER BY 1;
SELECT state FROM orders GROUP BY state HAVING count(*) = (SELECT 3) ORDER BY 1;
SELECT name FROM customers WHERE customer IN (SELECT 'a');
SELECT name FROM customers WHERE customer IN (SELECT 1, 2);
SELECT name, (SELECT amount FROM orders o WHERE o.customer = c.customer) FROM customers c;
SELECT name, (SELECT number FROM orders o WHERE o.customer = c.customer ORDER BY number LIMIT 1) AS n FROM customers c ORDER BY 1;
SELECT * FROM UNNEST(ARRAY[1, 2]);
SELECT * FROM UNNEST(ARRAY[1, 2]) AS t (x);
SELECT * FROM UNNEST(ARRAY[1, 2], ARRAY['a', 'b', 'c']) AS t (x, y);
SELECT * FROM UNNEST(ARRAY[10, 20]) WITH ORDINALITY AS t (x, n);
SELECT * FROM UNNEST(MAP(ARRAY['a', 'b'], ARRAY[1, 2])) AS t (k, v) ORDER BY k;
SELECT * FROM UNNEST(ARRAY[ROW(1, 'a'), ROW(2, 'b')]) AS t (x, y);
SELECT * FROM UNNEST(ARRAY[CAST(ROW(1, 'a') AS row(p integer, q varchar))]);
SELECT * FROM UNNEST(ARRAY[]);
SELECT * FROM UNNEST(CAST(NULL AS array(integer)));
SELECT id, tag FROM nested CROSS JOIN UNNEST(tags) AS t (tag) ORDER BY id, tag;
SELECT id, tag, n FROM nested CROSS JOIN UNNEST(tags) WITH ORDINALITY AS t (tag, n) ORDER BY id, n;
SELECT id, tag FROM nested LEFT JOIN UNNEST(tags) AS t (tag) ON true ORDER BY id, tag;
SELECT id, tag, n FROM nested LEFT JOIN UNNEST(tags) WITH ORDINALITY AS t (tag, n) ON true ORDER BY id, n;
SELECT id, k, v FROM nested, UNNEST(scores) AS t (k, v) ORDER BY id, k;
SELECT id, a, k FROM nested CROSS JOIN UNNEST(tags, map_keys(scores)) AS t (a, k) ORDER BY id, a, k;
SELECT id, x FROM numbers CROSS JOIN UNNEST(ARRAY[tiny, small]) AS t (x) WHERE id < 3 ORDER BY id, x;
SELECT id, tag FROM nested INNER JOIN UNNEST(tags) AS t (tag) ON true ORDER BY id, tag;
SELECT tag, count(*) FROM nested CROSS JOIN UNNEST(tags) AS t (tag) GROUP BY tag ORDER BY tag;
SELECT x, y FROM UNNEST(ARRAY[1, 2]) AS a (x) CROSS JOIN UNNEST(ARRAY[x, x * 10]) AS b (y) ORDER BY x, y;
SELECT (SELECT sum(x) FROM UNNEST(tags) AS t (x)) FROM nested;
SELECT id, (SELECT count(*) FROM UNNEST(tags) AS t (x)) AS n FROM nested ORDER BY id;
SELECT id, (SELECT max(x) FROM UNNEST(tags) AS t (x) WHERE x <> 'c') AS n FROM nested ORDER BY id;
SELECT * FROM UNNEST(1);
SELECT * FROM UNNEST(ARRAY[1]) AS t (x, y);
SELECT * FROM nested JOIN UNNEST(tags) AS t (tag) ON tag = 'a';
SELECT * FROM nested LEFT JOIN UNNEST(tags) AS t (tag) ON tag = 'a';
SELECT x, y FROM (VALUES 1, 2) AS t (x) CROSS JOIN LATERAL (SELECT x * 10 AS y) ORDER BY x;
SELECT name, n FROM customers c CROSS JOIN LATERAL (SELECT count(*) AS n FROM orders o WHERE o.customer = c.customer) ORDER BY name;
SELECT name, number FROM customers c CROSS JOIN LATERAL (SELECT number FROM orders o WHERE o.customer = c.customer ORDER BY amount DESC LIMIT 1) ORDER BY name;
SELECT name, number FROM customers c LEFT JOIN LATERAL (SELECT number FROM orders o WHERE o.customer = c.customer ORDER BY amount DESC LIMIT 1) ON true ORDER BY name;
SELECT name, number FROM customers c, LATERAL (SELECT number FROM orders o WHERE o.customer = c.customer) t ORDER BY 2;
SELECT x, y FROM (VALUES 1) AS t (x), LATERAL (VALUES x, x + 1) AS u (y) ORDER BY y;
WITH a AS (SELECT 1 AS x) SELECT * FROM a;
WITH a (y) AS (SELECT 1) SELECT y FROM a;
WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS x FROM a) SELECT a.x, b.x FROM a, b;
WITH a AS (SELECT 1 AS x) SELECT * FROM a UNION ALL SELECT x + 1 FROM a ORDER BY 1;
WITH orders AS (SELECT 1 AS n) SELECT * FROM orders;
WITH a AS (WITH b AS (SELECT 5 AS x) SELECT x FROM b) SELECT * FROM a;
SELECT (WITH a AS (SELECT 3 AS x) SELECT x FROM a);
SELECT * FROM (WITH a AS (SELECT 3 AS x) SELECT x FROM a);
WITH a AS (SELECT 1), a AS (SELECT 2) SELECT * FROM a;
WITH a (x, y) AS (SELECT 1) SELECT * FROM a;
WITH a AS (SELECT * FROM b), b AS (SELECT 1 AS x) SELECT * FROM a;
WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT n FROM t ORDER BY n;
WITH RECURSIVE t (n, s) AS (SELECT 1, CAST('a' AS varchar) UNION ALL SELECT n + 1, s || 'a' FROM t WHERE n < 3) SELECT * FROM t ORDER BY n;
WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t;
WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT * FROM t;
WITH RECURSIVE t (n) AS (VALUES 1 UNION ALL SELECT n * 2 FROM t WHERE n < 50) SELECT sum(n) FROM t;
WITH RECURSIVE fib (a, b) AS (VALUES (0, 1) UNION ALL SELECT b, a + b FROM fib WHERE b < 50) SELECT a FROM fib ORDER BY a, b;
WITH RECURSIVE t (n) AS (SELECT 1) SELECT * FROM t;
WITH RECURSIVE t (n) AS (SELECT 1 UNION SELECT n + 1 FROM t WHERE n < 3) SELECT * FROM t ORDER BY 1;
SELECT number FROM orders ORDER BY number LIMIT 2;
SELECT number FROM orders ORDER BY number OFFSET 3 LIMIT 2;
SELECT number FROM orders ORDER BY number OFFSET 6 ROWS;
SELECT number FROM orders ORDER BY number LIMIT ALL;
SELECT number FROM orders ORDER BY number LIMIT 0;
SELECT number FROM orders ORDER BY number FETCH FIRST 2 ROWS ONLY;
SELECT number FROM orders ORDER BY number FETCH FIRST ROW ONLY;
SELECT number, day FROM orders ORDER BY day DESC FETCH FIRST 4 ROWS WITH TIES;
SELECT number FROM orders ORDER BY number OFFSET 2 ROWS FETCH NEXT 2 ROWS ONLY;
SELECT count(*) FROM (SELECT * FROM orders LIMIT 3);
SELECT number FROM orders ORDER BY number LIMIT -1;
SELECT number FROM orders ORDER BY number LIMIT 'a';
SELECT number FROM orders ORDER BY number LIMIT 1.5;
SELECT number FROM orders FETCH FIRST 2 ROWS WITH TIES;
SELECT number FROM orders FETCH FIRST 0 ROWS ONLY;
SELECT number FROM orders ORDER BY number LIMIT 2 OFFSET 1;
SELECT number FROM orders ORDER BY 3;
SELECT number FROM orders ORDER BY 0;
SELECT number FROM orders ORDER BY -number LIMIT 2;
SELECT number AS n FROM orders ORDER BY n DESC LIMIT 2;
SELECT number AS amount FROM orders ORDER BY amount LIMIT 2;
SELECT number AS n FROM orders ORDER BY n + 1 LIMIT 2;
SELECT DISTINCT state FROM orders ORDER BY state;
SELECT DISTINCT state FROM orders ORDER BY number;
SELECT DISTINCT state, customer IS NULL AS b FROM orders ORDER BY 1, 2;
SELECT ALL 1;
SELECT count(*) FROM (SELECT DISTINCT scores FROM nested);
SELECT customer, amount FROM orders ORDER BY customer NULLS FIRST, amount DESC NULLS LAST;
SELECT customer, number FROM orders ORDER BY customer DESC, number;
SELECT x FROM (VALUES 2, NULL, 1) AS t (x) ORDER BY x;
SELECT x FROM (VALUES 2, NULL, 1) AS t (x) ORDER BY x DESC;
SELECT x FROM (VALUES 2, NULL, 1) AS t (x) ORDER BY x NULLS FIRST;
SELECT x FROM (VALUES 1e0, nan(), infinity(), NULL, -1e0) AS t (x) ORDER BY x;
SELECT x FROM (VALUES true, NULL, false) AS t (x) ORDER BY x DESC;
SELECT x FROM (VALUES ROW(1, 'b'), ROW(1, 'a'), ROW(0, 'z')) AS t (x) ORDER BY x;
SELECT x FROM (VALUES ARRAY[2], ARRAY[1, 5], ARRAY[1]) AS t (x) ORDER BY x;
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS t;
SELECT _col0 FROM (VALUES 1);
SELECT * FROM (VALUES (1, 2), (3));
SELECT * FROM (VALUES 1, 'a');
SELECT * FROM (VALUES (1), (2)) AS t (a, b);
SELECT * FROM (SELECT 1 AS a, 2 AS a) WHERE a = 1;
SELECT t.a FROM (SELECT 1 AS a, 2 AS a) AS t;
SELECT a.* FROM customers;
SELECT *;
SELECT * FROM nosuch;
SELECT * FROM nosuch.numbers;
SELECT * FROM nocatalog.default.numbers;
SELECT * FROM awsdatacatalog.default.customers WHERE customer = 1;
SELECT * FROM default.customers WHERE customer = 1;
SELECT awsdatacatalog.default.customers.name FROM customers WHERE customer = 1;
SELECT default.customers.name FROM customers WHERE customer = 1;
SELECT count(*) FROM customers TABLESAMPLE BERNOULLI (100);
SELECT count(*) FROM customers TABLESAMPLE SYSTEM (0);
SELECT count(*) FROM customers TABLESAMPLE BERNOULLI (101);
SELECT count(*) FROM customers TABLESAMPLE BERNOULLI (-1);
WITH spent AS (
  SELECT customer, sum(amount) AS total FROM orders GROUP BY customer
), ranked AS (
  SELECT customer, total, rank() OVER (ORDER BY total DESC NULLS LAST) AS place FROM spent
)
SELECT c.name, r.total, r.place
FROM ranked r JOIN customers c ON c.customer = r.customer
ORDER BY r.place;
SELECT c.region, i.article, sum(i.pieces * i.price) AS value, count(DISTINCT o.number) AS orders
FROM customers c
JOIN orders o ON o.customer = c.customer
JOIN items i ON i.number = o.number
WHERE o.day BETWEEN DATE '2024-01-01' AND DATE '2024-12-31'
GROUP BY c.region, i.article
HAVING sum(i.pieces) > 1
ORDER BY value DESC, i.article;
SELECT day, number, amount,
  sum(amount) OVER (ORDER BY day, number) AS running,
  avg(amount) OVER (PARTITION BY month(day)) AS monthly
FROM orders
WHERE amount IS NOT NULL
ORDER BY day, number;
SELECT name,
  CASE WHEN n = 0 THEN 'none' WHEN n = 1 THEN 'one' ELSE 'many' END AS kind
FROM (
  SELECT c.name, count(o.number) AS n
  FROM customers c LEFT JOIN orders o ON o.customer = c.customer
  GROUP BY c.name
)
ORDER BY name;
SELECT *
FROM orders o
WHERE NOT EXISTS (
  SELECT 1 FROM items i WHERE i.number = o.number
)
ORDER BY number;
SELECT id, (SELECT count(x) FROM UNNEST(tags) AS t (x)) AS n, (SELECT max(x) FROM UNNEST(tags) AS t (x)) AS m FROM nested ORDER BY id;
SELECT id, (SELECT sum(v) + 1 FROM UNNEST(scores) AS t (k, v)) AS s FROM nested ORDER BY id;
SELECT id FROM nested WHERE (SELECT count(*) FROM UNNEST(tags) AS t (x)) > 1 ORDER BY id;
SELECT id, (SELECT array_agg(x) FROM UNNEST(tags) AS t (x)) AS a FROM nested ORDER BY id;
SELECT id, (SELECT x FROM UNNEST(tags) AS t (x)) AS n FROM nested WHERE id = 5;
SELECT id, EXISTS (SELECT 1 FROM UNNEST(tags) AS t (x) WHERE x = 'a') AS n FROM nested ORDER BY id;
SELECT id, 'a' IN (SELECT x FROM UNNEST(tags) AS t (x)) AS n FROM nested ORDER BY id;
SELECT id FROM nested WHERE 'a' IN (SELECT x FROM UNNEST(tags) AS t (x)) ORDER BY id;
SELECT id FROM nested WHERE EXISTS (SELECT 1 FROM UNNEST(tags) AS t (x)) ORDER BY id;
SELECT id FROM nested WHERE EXISTS (SELECT 1 FROM UNNEST(tags) AS t (x) WHERE x = 'a') ORDER BY id;
SELECT max(a), min(a), count(DISTINCT a) FROM (VALUES IPADDRESS '10.0.0.2', IPADDRESS '9.0.0.1', IPADDRESS '::1') AS t (a);
SELECT a, count(*) FROM (VALUES IPADDRESS '10.0.0.2', IPADDRESS '10.0.0.2', IPADDRESS '::1') AS t (a) GROUP BY a ORDER BY a DESC;
SELECT IPADDRESS '10.0.0.2' < IPADDRESS '9.0.0.1', IPADDRESS '::ffff:1.2.3.4' = IPADDRESS '1.2.3.4', array_sort(ARRAY[IPADDRESS '10.0.0.2', IPADDRESS '9.0.0.1']);
