-- Statements that give something else than Trino 435 does, each under its reason.

-- Java 17 writes more digits of some numbers than it takes to read them back; we write the shortest text, as newer
-- releases of Java do.
SELECT DECIMAL '12345678901234567890.1234' / REAL '2.5' AS v, typeof(DECIMAL '12345678901234567890.1234' / REAL '2.5') AS t;
SELECT DECIMAL '12345678901234567890.1234' / 2.5e0 AS v, typeof(DECIMAL '12345678901234567890.1234' / 2.5e0) AS t;
SELECT CAST(DECIMAL '1234567890123456789.25' AS real);
SELECT CAST(DECIMAL '1234567890123456789.25' AS double);
SELECT CAST(4.9e-324 AS varchar), CAST(1.7976931348623157e308 AS varchar), CAST(0.1e0 + 0.2e0 AS varchar), CAST(1e21 AS varchar), CAST(2e-3 AS varchar);

-- The sum of approximate numbers depends on the order in which they are added.
SELECT avg(big) FROM numbers;
SELECT kurtosis(id) FROM numbers;
SELECT sum(d) FILTER (WHERE id NOT IN (3, 4)) FROM numbers;
SELECT avg(d) FILTER (WHERE id NOT IN (3, 4)) FROM numbers;

-- The last digit of functions that only approximate.
SELECT cosh(1) AS v, typeof(cosh(1)) AS t;
SELECT normal_cdf(0, 1, 1.96) AS v, typeof(normal_cdf(0, 1, 1.96)) AS t;
SELECT inverse_normal_cdf(0, 1, 0.5) AS v, typeof(inverse_normal_cdf(0, 1, 0.5)) AS t;

-- Functions and overloads of releases after 435, which do no harm.
SELECT bitwise_xor_agg(tiny) FROM numbers;
SELECT t_cdf(0, 5) AS v, typeof(t_cdf(0, 5)) AS t;
SELECT array_position(ARRAY[1, 2, 1], 1, 2) AS v, typeof(array_position(ARRAY[1, 2, 1], 1, 2)) AS t;
SELECT array_position(ARRAY[1, 2, 1], 1, -1) AS v, typeof(array_position(ARRAY[1, 2, 1], 1, -1)) AS t;
SELECT array_position(ARRAY[1], 1, 0);
SELECT split_to_map('a=1,a=2', ',', '=', (k, x, y) -> x || y) AS v, typeof(split_to_map('a=1,a=2', ',', '=', (k, x, y) -> x || y)) AS t;

-- We do what Trino refuses: a bare NULL has a meaning without a CAST, windows have FILTER and DISTINCT and LISTAGG,
-- joins can be NATURAL, LATERAL takes VALUES, names may have all their parts, JSON goes into JSON_QUERY, arrays are
-- joined as text.
SELECT sum(NULL) FROM numbers;
SELECT date_trunc('day', NULL) AS v, typeof(date_trunc('day', NULL)) AS t;
SELECT json_query(JSON '[1]', 'lax $') AS v, typeof(json_query(JSON '[1]', 'lax $')) AS t;
SELECT ARRAY[1] || NULL AS v, typeof(ARRAY[1] || NULL) AS t;
SELECT array_join(ARRAY[ARRAY[1]], ',');
SELECT * FROM customers NATURAL JOIN orders ORDER BY number LIMIT 1;
SELECT (customer, 'open') IN (SELECT (customer, state) FROM orders) AS b, customer FROM customers ORDER BY 2;
SELECT x, y FROM (VALUES 1) AS t (x), LATERAL (VALUES x, x + 1) AS u (y) ORDER BY y;
SELECT awsdatacatalog.default.customers.name FROM customers WHERE customer = 1;
SELECT default.customers.name FROM customers WHERE customer = 1;
SELECT number, listagg(state, ',') WITHIN GROUP (ORDER BY number) OVER (PARTITION BY customer) AS v FROM orders ORDER BY number;
SELECT listagg(state, ',') WITHIN GROUP (ORDER BY number) OVER (ORDER BY number) AS v FROM orders ORDER BY number;
SELECT number, sum(amount) FILTER (WHERE state = 'paid') OVER (ORDER BY number) AS s FROM orders ORDER BY number;
SELECT number, count(DISTINCT state) OVER (PARTITION BY customer) FROM orders;

-- A bare NULL beside a text is a text; Trino takes it for an array.
SELECT concat('a', NULL) AS v, typeof(concat('a', NULL)) AS t;
SELECT 'a' || NULL AS v, typeof('a' || NULL) AS t;

-- Trino is one second short for times before 1970 with a fraction.
SELECT id, CAST(day AS timestamp), CAST(ts AS date), CAST(ts AS time), CAST(ts AS varchar), CAST(day AS varchar) FROM moments ORDER BY id;

-- Trino's own slips in errors: a position of 1:1 or in its own text, a field that is called null, an unsigned
-- literal.
SELECT TINYINT '-128' / TINYINT '-1';
SELECT json_array(1.50, 1e0, 12345678901234567890) AS v, typeof(json_array(1.50, 1e0, 12345678901234567890)) AS t;
SELECT 1e400 AS v, typeof(1e400) AS t;
SELECT (CAST(ROW(1, 'a') AS row(x integer, y varchar))).* AS (p, q);
SELECT NOSUCHTYPE 'x';
SELECT 9223372036854775808;
SELECT ROW(1, 2).x;
SELECT CAST(ROW(1) AS row(x integer)).y;
SELECT abs(id) OVER () FROM numbers;

-- The words of the engine that reads regular expressions, JSON paths and encodings are its own.
SELECT json_value('"abc"', 'lax $ ? (@ like_regex "^a")') AS v, typeof(json_value('"abc"', 'lax $ ? (@ like_regex "^a")')) AS t;
SELECT json_exists('{}', '$.');
SELECT json_exists('{}', 'lax');
SELECT json_query('{"a": 1}', 'strict $[0].x.y' ERROR ON ERROR);
SELECT regexp_like('a', '(');
SELECT regexp_like('a', '[');
SELECT regexp_like('a', '*');
SELECT regexp_replace('abc', 'b', '$');

-- Values that no calendar has, and texts that are no time, are refused in fewer words.
SELECT date_parse('2020-13-01', '%Y-%m-%d');
SELECT date_parse('2020-02-30', '%Y-%m-%d');
SELECT parse_datetime('2020-02-30', 'yyyy-MM-dd');
SELECT from_iso8601_timestamp('2020-02-29 01:02:03');
SELECT from_iso8601_timestamp_nanos('x');

-- Texts and names that don't end, what follows a semicolon, and an empty list are told in clearer words.
SELECT 'a;
SELECT "a;
SELECT id FROM numbers; SELECT 1;
SELECT x'zz;
SELECT 1 IN ();
SELECT INTERVAL '1' WEEK AS v, typeof(INTERVAL '1' WEEK) AS t;
SELECT U&'\00g0';

-- Where several rows together are the mistake, or several clauses, another of them is named.
SELECT sum(x) FROM (VALUES BIGINT '9223372036854775807', BIGINT '1') AS t (x);
SELECT * FROM numbers GROUP BY id;
SELECT sum(big) FROM numbers WHERE id IN (3, 7);
SELECT id FROM texts WHERE id IN (SELECT s FROM texts);
SELECT s AS n, count(*) FROM texts GROUP BY n HAVING n > 'a' ORDER BY 1;
SELECT grouping(state) FROM orders;

-- Frames, FETCH and HAVING are refused at the position of the expression around them.
SELECT number FROM orders FETCH FIRST 2 ROWS WITH TIES;
SELECT number FROM orders FETCH FIRST 0 ROWS ONLY;
SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED FOLLOWING AND CURRENT ROW) FROM numbers;
SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND 1 PRECEDING) FROM numbers;
SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN 1 FOLLOWING AND 1 PRECEDING) FROM numbers;
SELECT sum(id) OVER (RANGE 1 PRECEDING) FROM numbers;
SELECT sum(id) OVER (ORDER BY id, tiny RANGE 1 PRECEDING) FROM numbers;
SELECT sum(id) OVER (GROUPS 1 PRECEDING) FROM numbers;
SELECT id FROM numbers GROUP BY rank() OVER (ORDER BY id);
SELECT count(*) FROM numbers HAVING rank() OVER () > 1;

-- Not done: time with time zone, and timestamps of more than nine digits.
SELECT CAST(TIME '01:02:03.456' AS time(6) with time zone);
SELECT CAST(TIME '01:02:03 +01:00' AS time);
SELECT CAST('2020-01-01' AS timestamp(12));
SELECT typeof(current_time), typeof(current_timestamp(6)), typeof(localtime(0)), typeof(localtimestamp(9));

-- Not done: stemming.
SELECT word_stem('running') AS v, typeof(word_stem('running')) AS t;
SELECT word_stem('laufend', 'de') AS v, typeof(word_stem('laufend', 'de')) AS t;
SELECT word_stem('x', 'xx');

-- Not done: the names of time zones in formatted dates.
SELECT format_datetime(TIMESTAMP '2020-02-09 15:04:05.678 Europe/Berlin', 'z');
SELECT format_datetime(TIMESTAMP '2020-02-09 15:04:05.678 Europe/Berlin', 'zzzz');

-- Not done: subqueries of UNNEST that name a column of the query around them.
SELECT id, (SELECT count(*) FROM UNNEST(tags) AS t (x)) AS n FROM nested ORDER BY id;
SELECT id, (SELECT max(x) FROM UNNEST(tags) AS t (x) WHERE x <> 'c') AS n FROM nested ORDER BY id;

-- Not done: addresses are ordered as texts.
SELECT a FROM (VALUES IPADDRESS '10.0.0.2', IPADDRESS '10.0.0.1', IPADDRESS '::1') AS t (a) ORDER BY a;

-- Not done, each by itself: DISTINCT of LISTAGG, keys of a type that only NULL has, hexadecimal numbers as text,
-- years beyond 9999 with a sign, keys that a cast makes equal, fields of rows that keep their case, bars of several
-- colours, refusals that are made later or not at all.
SELECT listagg(DISTINCT x, ',') WITHIN GROUP (ORDER BY x) FROM (VALUES 'b', 'a', 'b') AS t (x);
SELECT listagg('a', 1) WITHIN GROUP (ORDER BY id) FROM numbers;
SELECT map_agg(NULL, 1);
SELECT histogram(x) FROM (VALUES NULL) AS t (x);
SELECT bar(0.5, 4) AS v, typeof(bar(0.5, 4)) AS t;
SELECT CAST('0x1p3' AS double);
SELECT CAST('10000-01-01' AS date), TRY_CAST('10000-01-01' AS date);
SELECT CAST(MAP(ARRAY['1', '01'], ARRAY[1, 2]) AS map(integer, integer));
SELECT CAST(MAP(ARRAY[DATE '2020-01-01'], ARRAY[1]) AS json);
SELECT json_parse('-0') AS v, typeof(json_parse('-0')) AS t;
SELECT json_extract('{"a": [1, 2, 3]}', '$.a[-1]') AS v, typeof(json_extract('{"a": [1, 2, 3]}', '$.a[-1]')) AS t;
SELECT json_object('a' : 1, 'a' : 2) AS v, typeof(json_object('a' : 1, 'a' : 2)) AS t;
SELECT json_value('{"a": "x"}', 'lax $.a' RETURNING integer ERROR ON ERROR);
SELECT CAST(ROW(1, 2) AS row("A b" bigint, b varchar)) AS v, typeof(CAST(ROW(1, 2) AS row("A b" bigint, b varchar))) AS t;
SELECT bitwise_left_shift(1, -1);
SELECT array_sort(ARRAY[2, 1], (a, b) -> NULL);
SELECT format('%h', 'abc') AS v, typeof(format('%h', 'abc')) AS t;
SELECT concat();
SELECT sum(id) OVER (ORDER BY id ROWS 'a' PRECEDING) FROM numbers;

-- Not done: geometries with Z or M, coordinates that are no numbers; the middle of a small area far from the origin is exact
-- with us, rectangles are polygons like others, the hull of a collection begins at another corner, and geometries are told
-- apart by DISTINCT.
SELECT DISTINCT ST_Point(x, 1) FROM (VALUES 1e0, 1e0) AS t (x);
SELECT ST_AsText(ST_GeometryFromText('LINESTRING Z (1 2 3, 4 5 6)')) AS v;
SELECT ST_AsText(ST_GeometryFromText('POINT (NaN 1)')) AS v;
SELECT ST_AsText(ST_Centroid(bing_tile_polygon(bing_tile('123030123010121')))) AS v;
SELECT ST_AsText(ST_Intersection(ST_Envelope(ST_GeometryFromText('LINESTRING (0 0, 4 4)')), ST_Envelope(ST_GeometryFromText('LINESTRING (5 5, 6 6)')))) AS v;
SELECT ST_AsText(ST_ConvexHull(ST_GeometryFromText('GEOMETRYCOLLECTION (POINT (1 2), POLYGON ((0 0, 0 2, 2 2, 2 0)), LINESTRING (0 0, 9 9))'))) AS v;
SELECT ST_AsText(ST_Intersection(ST_GeometryFromText('POLYGON ((0 0, 4 0, 2 4))'), ST_GeometryFromText('POLYGON ((0 3, 4 3, 2 -1))'))) AS v;
