"""Athena: MATCH_RECOGNIZE and windows over a table, with rows that were derived by hand."""

import pytest
from test_athena_subqueries import Lake

TRADES = """CREATE TABLE trades WITH (external_location = 's3://{lake}/trades/', format = 'PARQUET') AS
SELECT symbol, CAST(at AS timestamp) AS at, CAST(price AS decimal(6, 2)) AS price, volume FROM (VALUES
  ('acme', TIMESTAMP '2024-03-01 09:00:00', 12.00, 10), ('acme', TIMESTAMP '2024-03-01 09:05:00', 17.50, 20),
  ('acme', TIMESTAMP '2024-03-01 09:10:00', 19.00, 30), ('acme', TIMESTAMP '2024-03-01 09:50:00', 15.00, 5),
  ('acme', TIMESTAMP '2024-03-01 09:55:00', 14.25, 50), ('acme', TIMESTAMP '2024-03-01 10:00:00', 21.00, 10),
  ('bolt', TIMESTAMP '2024-03-01 09:00:00', 5.00, 1), ('bolt', TIMESTAMP '2024-03-01 09:02:00', NULL, 2),
  ('bolt', TIMESTAMP '2024-03-01 09:04:00', 7.00, 3)) AS t (symbol, at, price, volume)"""

# The V shape of Trino's documentation: down, then up again.
V_SHAPE = """SELECT * FROM trades MATCH_RECOGNIZE (
    PARTITION BY symbol ORDER BY at
    MEASURES START_.price AS "from", LAST(DOWN.price) AS bottom, LAST(UP.price) AS top, count(*) AS trades,
             sum(volume) AS traded, avg(UP.price) AS mean, date_diff('minute', FIRST(at), LAST(at)) AS minutes
    ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW
    PATTERN (START_ DOWN+ UP+)
    DEFINE DOWN AS price < PREV(price), UP AS price > PREV(price))"""

# Trades of one session follow each other within a quarter of an hour.
SESSIONS = """SELECT symbol, session, first, last, trades FROM trades MATCH_RECOGNIZE (
    PARTITION BY symbol ORDER BY at
    MEASURES MATCH_NUMBER() AS session, FIRST(at) AS first, LAST(at) AS last, count(*) AS trades
    PATTERN (NEW SAME*)
    DEFINE SAME AS at - PREV(at) <= INTERVAL '15' MINUTE)
    ORDER BY symbol, session"""


@pytest.fixture(scope="module")
def lake(shared):
    lake = Lake(shared, "recognition")
    lake.rows(TRADES.format(lake=lake.name))
    return lake


def test_v_shapes(lake):
    head, *rows = lake.rows(V_SHAPE)
    assert head == ("symbol", "from", "bottom", "top", "trades", "traded", "mean", "minutes")
    assert rows == [("acme", "19.00", "14.25", "21.00", "4", "95", "21.00", "50")]


def test_sessions(lake):
    assert lake.rows(SESSIONS)[1:] == [
        ("acme", "1", "2024-03-01 09:00:00.000", "2024-03-01 09:10:00.000", "3"),
        ("acme", "2", "2024-03-01 09:50:00.000", "2024-03-01 10:00:00.000", "3"),
        ("bolt", "1", "2024-03-01 09:00:00.000", "2024-03-01 09:04:00.000", "3"),
    ]


def test_all_rows_with_what_is_known_so_far_and_in_the_end(lake):
    sql = """SELECT * FROM trades MATCH_RECOGNIZE (
        PARTITION BY symbol ORDER BY at
        MEASURES CLASSIFIER() AS label, RUNNING sum(volume) AS so_far, FINAL sum(volume) AS whole, PREV(price) AS before
        ALL ROWS PER MATCH WITH UNMATCHED ROWS
        PATTERN (LOW HIGH+)
        DEFINE LOW AS price < 13, HIGH AS price > LOW.price) AS m ORDER BY symbol, at"""
    head, *rows = lake.rows(sql)
    assert head == ("symbol", "at", "label", "so_far", "whole", "before", "price", "volume")
    assert [(row[0], *row[2:]) for row in rows] == [
        ("acme", "LOW", "10", "125", None, "12.00", "10"),
        ("acme", "HIGH", "30", "125", "12.00", "17.50", "20"),
        ("acme", "HIGH", "60", "125", "17.50", "19.00", "30"),
        ("acme", "HIGH", "65", "125", "19.00", "15.00", "5"),
        ("acme", "HIGH", "115", "125", "15.00", "14.25", "50"),
        ("acme", "HIGH", "125", "125", "14.25", "21.00", "10"),
        ("bolt", None, None, None, None, "5.00", "1"),
        ("bolt", None, None, None, None, None, "2"),
        ("bolt", None, None, None, None, "7.00", "3"),
    ]


@pytest.mark.parametrize(
    ("pattern", "define", "expected"),
    [
        # Greedy and reluctant, alternatives in their order, bounds, any order, the ends of the partition.
        ("A+", "A AS price > 14", [("acme", "2", "5")]),
        ("A+?", "A AS price > 18", [("acme", "3", "1"), ("acme", "6", "1")]),
        ("(A | B) C", "A AS price > 15, B AS price > 11, C AS price < 15", [("acme", "4", "2")]),
        ("PERMUTE(A, B, C)", "A AS volume = 30, B AS volume = 10, C AS volume = 20", [("acme", "1", "3")]),
        ("A{2} B{,2} $", "A AS price > 14, B AS price > 14", [("acme", "3", "4")]),
        ("^ A B*", "A AS price < 6, B AS price IS NULL", [("bolt", "1", "2")]),
        ("A B+ C", "B AS sum(B.volume) <= 50, C AS C.volume > avg(B.volume)", [("acme", "1", "3"), ("bolt", "1", "3")]),
        ("X? A", "X AS price > 100, A AS PREV(price, 2) = 17.5", [("acme", "4", "1")]),
    ],
)
def test_patterns(lake, pattern, define, expected):
    sql = f"""SELECT symbol, place, trades
        FROM (SELECT *, row_number() OVER (PARTITION BY symbol ORDER BY at) AS number FROM trades)
        MATCH_RECOGNIZE (PARTITION BY symbol ORDER BY at MEASURES FIRST(number) AS place, count(*) AS trades
        PATTERN ({pattern}) DEFINE {define}) ORDER BY 1, 2"""
    assert lake.rows(sql)[1:] == expected


def test_what_comes_out_can_be_joined_and_stored(lake):
    lake.rows(f"CREATE TABLE shapes WITH (external_location = 's3://{lake.name}/shapes/', format = 'JSON') AS {V_SHAPE}")
    sql = """SELECT shapes.top, count(*) FROM shapes JOIN trades ON trades.symbol = shapes.symbol AND price <= top
             GROUP BY shapes.top"""
    assert lake.rows(sql)[1:] == [("21.00", "6")]


def test_explain_names_the_operator(lake):
    text = lake.text(f"EXPLAIN {V_SHAPE}")
    assert "PatternRecognition[partitionBy = [symbol" in text
    assert "orderBy = [at" in text


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (V_SHAPE.replace("DOWN AS", "SIDEWAYS AS"), "INVALID_LABEL: line 7:12: defined variable: SIDEWAYS is not a primary"),
        (V_SHAPE.replace("PAST LAST ROW", "TO LAST START_"), "AFTER MATCH SKIP failed: cannot skip to first row of match"),
    ],
)
def test_what_is_wrong_is_said(lake, sql, reason):
    assert reason in lake.refused(sql)


def test_what_only_windows_may_is_refused_at_once(lake):
    sql, reason = V_SHAPE.replace("PATTERN", "SEEK PATTERN"), "line 6:5: Pattern search modifier: SEEK is not allowed"
    with pytest.raises(lake.athena.exceptions.InvalidRequestException, match=reason):
        lake.execution(sql)


# Each trade with the fall that begins there, if one does.
FALLS = """SELECT symbol, at, low OVER w AS low, count(*) OVER w AS trades, sum(volume) OVER w AS traded,
    first_value(price) OVER w AS since, last_value(at) OVER w AS until
    FROM trades WINDOW w AS (
        PARTITION BY symbol ORDER BY at
        MEASURES LAST(DOWN.price) AS low
        ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        AFTER MATCH SKIP {skip} {search}
        PATTERN (START_ DOWN+)
        DEFINE DOWN AS price < PREV(price))
    ORDER BY symbol, at"""


def test_windows_that_recognise(lake):
    head, *rows = lake.rows(FALLS.format(skip="PAST LAST ROW", search="INITIAL"))
    assert head == ("symbol", "at", "low", "trades", "traded", "since", "until")
    found = [row[2:] for row in rows]
    nothing = (None, "0", None, None, None)
    fall = ("14.25", "3", "85", "19.00", "2024-03-01 09:55:00.000")
    assert found == [nothing, nothing, fall, nothing, nothing, nothing, nothing, nothing, nothing]
    sought = [row[2:] for row in lake.rows(FALLS.format(skip="TO NEXT ROW", search="SEEK"))[1:]]
    later = ("14.25", "2", "55", "15.00", "2024-03-01 09:55:00.000")
    assert sought == [fall, fall, fall, later, nothing, nothing, nothing, nothing, nothing]


def test_subqueries_answer_before_a_match_is_looked_for(lake):
    sql = """SELECT * FROM trades MATCH_RECOGNIZE (
        PARTITION BY symbol ORDER BY at
        MEASURES FIRST(at) AS since, count(*) AS trades, (SELECT count(*) FROM trades) AS all_trades
        PATTERN (HIGH+)
        DEFINE HIGH AS price > (SELECT avg(price) FROM trades) AND volume NOT IN (SELECT 5 UNION ALL SELECT 7))"""
    assert lake.rows(sql)[1:] == [
        ("acme", "2024-03-01 09:05:00.000", "2", "9"),
        ("acme", "2024-03-01 09:55:00.000", "2", "9"),
    ]


@pytest.mark.parametrize(
    ("window", "reason"),
    [
        ("ROWS CURRENT ROW PATTERN (A) DEFINE A AS true", "INVALID_WINDOW_FRAME"),
        ("ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING PATTERN (A)", "MISSING_VARIABLE_DEFINITIONS"),
        ("ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING SEEK", "MISSING_ROW_PATTERN"),
        ("ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING PATTERN (A) DEFINE A AS true", "INVALID_WINDOW_MEASURE"),
    ],
)
def test_windows_that_can_not_be(lake, window, reason):
    assert lake.refused(f"SELECT x OVER (ORDER BY at {window}) FROM trades").startswith(reason)


def test_windows_that_reach_as_far_as_each_row_says(lake):
    sql = """SELECT volume, sum(volume) OVER (ORDER BY at ROWS BETWEEN volume / 10 PRECEDING AND CURRENT ROW) AS some,
               count(*) OVER (ORDER BY at RANGE BETWEEN volume * INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW) AS near,
               lag(volume, volume / 10, -1) OVER (ORDER BY at) AS before, ntile(volume / 5) OVER (ORDER BY at) AS bucket
             FROM trades WHERE symbol = 'acme' ORDER BY at"""
    assert lake.rows(sql)[1:] == [
        ("10", "10", "1", "-1", "1"),
        ("20", "30", "2", "-1", "1"),
        ("30", "60", "3", "-1", "3"),
        ("5", "5", "1", "5", "1"),
        ("50", "115", "4", "-1", "5"),
        ("10", "60", "3", "50", "2"),
    ]


def test_windows_refuse_distances_that_are_none(lake):
    frame = "SELECT count(*) OVER (ORDER BY at ROWS volume - 20 PRECEDING) FROM trades"
    assert lake.refused(frame) == "INVALID_WINDOW_FRAME: Window frame offset value must not be negative or null"
    typed = "SELECT count(*) OVER (ORDER BY at RANGE NULL PRECEDING) FROM trades"
    wrong = "Window frame RANGE value type (unknown) not compatible with sort item type (timestamp(3))"
    assert lake.refused(typed) == f"TYPE_MISMATCH: line 1:41: {wrong}"
