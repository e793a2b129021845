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
SELECT cosh(1e0) AS v, typeof(cosh(1e0)) AS t;
SELECT normal_cdf(0, 1, 1.96) AS v, typeof(normal_cdf(0, 1, 1.96)) AS t;

-- Functions and overloads of releases after 435, which do no harm, and a later dictionary of Turkish endings.
SELECT bitwise_xor_agg(tiny) FROM numbers;
SELECT t_cdf(0, 5) AS v, typeof(t_cdf(0, 5)) AS t;
SELECT array_position(ARRAY[1, 2, 1], 1, 2) AS v, typeof(array_position(ARRAY[1, 2, 1], 1, 2)) AS t;
SELECT array_position(ARRAY[1, 2, 1], 1, -1) AS v, typeof(array_position(ARRAY[1, 2, 1], 1, -1)) AS t;
SELECT array_position(ARRAY[1], 1, 0);
SELECT split_to_map('a=1,a=2', ',', '=', (k, x, y) -> x || y) AS v, typeof(split_to_map('a=1,a=2', ',', '=', (k, x, y) -> x || y)) AS t;
SELECT word_stem('edeltäjiinsä', 'fi'), word_stem('házakhoz', 'hu'), word_stem('frumoasele', 'ro'), word_stem('красивая', 'ru'), word_stem('kitaplar', 'tr');

-- We do what Trino refuses: LATERAL takes VALUES.
SELECT x, y FROM (VALUES 1) AS t (x), LATERAL (VALUES x, x + 1) AS u (y) ORDER BY y;

-- Trino is one second short for times before 1970 with a fraction.
SELECT id, CAST(day AS timestamp), CAST(ts AS date), CAST(ts AS time), CAST(ts AS varchar), CAST(day AS varchar) FROM moments ORDER BY id;

-- Trino's own slips in errors: a position in its own text, a field that is called null, an unsigned literal, an
-- overflow without a name.
SELECT TINYINT '-128' / TINYINT '-1';
SELECT 1e400 AS v, typeof(1e400) AS t;
SELECT ROW(1, 2).x;
SELECT CAST(ROW(1) AS row(x integer)).y;
SELECT quarter(date_add('quarter', BIGINT '4000000000', DATE '2020-02-29')) AS v, typeof(quarter(date_add('quarter', BIGINT '4000000000', DATE '2020-02-29'))) AS t;

-- Athena, and not Trino, takes one statement at a time, and has words for that.
SELECT id FROM numbers; SELECT 1;

-- Trino does not compute the arguments after one that is NULL, and so misses their errors.
SELECT concat(nullif(X'616263', X'616263'), rpad(X'', BIGINT '4000000000', X'0102030405060708'), to_utf8('héllo')) AS v, typeof(concat(nullif(X'616263', X'616263'), rpad(X'', BIGINT '4000000000', X'0102030405060708'), to_utf8('héllo'))) AS t;
SELECT translate(rpad('abc', 2, ''), 'aeiou', CAST(NULL AS varchar)) AS v, typeof(translate(rpad('abc', 2, ''), 'aeiou', CAST(NULL AS varchar))) AS t;

-- Not done: timestamps of more than nine digits.
SELECT CAST('2020-01-01' AS timestamp(12));

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

-- Trino takes the distance of another row, or none, where they come out of filters or have many digits.
SELECT number, array_agg(number) OVER (ORDER BY number ROWS BETWEEN customer FOLLOWING AND customer + 1 FOLLOWING) AS v FROM orders WHERE customer IS NOT NULL ORDER BY number;
SELECT number, count(*) OVER (ROWS BETWEEN customer PRECEDING AND CURRENT ROW) AS v FROM orders WHERE customer = 3;
SELECT count(*) OVER (ORDER BY number ROWS CAST(customer AS decimal(30, 0)) PRECEDING) AS v FROM orders WHERE customer IS NOT NULL ORDER BY number;
