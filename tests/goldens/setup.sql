-- The tables of the statements, made alike in Trino's memory and by Athena's CREATE TABLE AS.
CREATE TABLE numbers AS
SELECT * FROM (VALUES
  (1, TINYINT '1', SMALLINT '10', 100, BIGINT '1000', REAL '1.5', 2.5e0, DECIMAL '12345678.90', true),
  (2, TINYINT '-1', SMALLINT '-10', -100, BIGINT '-1000', REAL '-1.5', -2.5e0, DECIMAL '-12345678.90', false),
  (3, TINYINT '127', SMALLINT '32767', 2147483647, BIGINT '9223372036854775807', REAL '3.4E38', 1.7e308, DECIMAL '99999999.99', true),
  (4, TINYINT '-128', SMALLINT '-32768', -2147483647, BIGINT '-9223372036854775807', REAL '1E-30', 1e-300, DECIMAL '-99999999.99', false),
  (5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (6, TINYINT '0', SMALLINT '0', 0, BIGINT '0', REAL '0', 0e0, DECIMAL '0.00', true),
  (7, TINYINT '7', SMALLINT '77', 777, BIGINT '7777', REAL '7.7', 7.7e0, DECIMAL '0.05', false)
) AS t (id, tiny, small, i, big, r, d, dec, ok);

CREATE TABLE texts AS
SELECT id, CAST(s AS varchar) AS s, CAST(v AS varchar(10)) AS v, CAST(c AS char(5)) AS c FROM (VALUES
  (1, 'apple', 'red', 'ab'),
  (2, 'Banana', 'yellow', 'abc  '),
  (3, '', '', ''),
  (4, NULL, NULL, NULL),
  (5, 'größe €', 'blue', 'ß'),
  (6, ' padded ', ' x ', ' y'),
  (7, 'apple pie', 'red', 'zzzzz'),
  (8, '12', '-3.5', '7')
) AS t (id, s, v, c);

CREATE TABLE moments AS
SELECT * FROM (VALUES
  (1, DATE '2020-02-29', TIMESTAMP '2020-02-29 23:59:59.999'),
  (2, DATE '1969-12-31', TIMESTAMP '1969-12-31 23:59:59.001'),
  (3, DATE '2000-01-01', TIMESTAMP '2000-01-01 00:00:00.000'),
  (4, NULL, NULL),
  (5, DATE '2024-12-30', TIMESTAMP '2024-12-30 12:34:56.789'),
  (6, DATE '1582-10-15', TIMESTAMP '1900-03-01 06:07:08.090')
) AS t (id, day, ts);

CREATE TABLE nested AS
SELECT id, CAST(tags AS array(varchar)) AS tags, CAST(scores AS map(varchar, integer)) AS scores, CAST(place AS row(city varchar, zip integer)) AS place FROM (VALUES
  (1, ARRAY['a', 'b'], MAP(ARRAY['x', 'y'], ARRAY[1, 2]), ROW('Rome', 100)),
  (2, ARRAY[], MAP(), ROW(NULL, 200)),
  (3, NULL, NULL, NULL),
  (4, ARRAY['c', NULL, 'a'], MAP(ARRAY['x'], ARRAY[NULL]), ROW('Oslo', NULL)),
  (5, ARRAY['a'], MAP(ARRAY['z'], ARRAY[9]), ROW('Rome', 300))
) AS t (id, tags, scores, place);

CREATE TABLE customers AS
SELECT * FROM (VALUES
  (1, 'Ada', 'north'), (2, 'Bob', 'south'), (3, 'Cid', 'north'), (4, 'Dee', NULL), (5, 'Eve', 'west')
) AS t (customer, name, region);

CREATE TABLE orders AS
SELECT * FROM (VALUES
  (10, 1, DATE '2024-01-05', DECIMAL '20.00', 'open'),
  (11, 1, DATE '2024-01-20', DECIMAL '35.50', 'paid'),
  (12, 2, DATE '2024-02-01', DECIMAL '12.25', 'paid'),
  (13, 3, DATE '2024-02-14', DECIMAL '99.99', 'open'),
  (14, 3, DATE '2024-03-03', DECIMAL '5.00', 'paid'),
  (15, 3, DATE '2024-03-03', DECIMAL '7.75', NULL),
  (16, NULL, DATE '2024-03-10', DECIMAL '1.00', 'lost'),
  (17, 9, DATE '2024-04-01', NULL, 'open')
) AS t (number, customer, day, amount, state);

CREATE TABLE items AS
SELECT * FROM (VALUES
  (10, 'pen', 2, 1.5e0), (10, 'ink', 1, 17e0), (11, 'pen', 3, 1.5e0), (11, 'desk', 1, 31e0),
  (12, 'ink', 1, 12.25e0), (13, 'lamp', 3, 33.33e0), (14, 'pen', 2, 2.5e0), (99, 'ghost', 1, 0.5e0)
) AS t (number, article, pieces, price);
