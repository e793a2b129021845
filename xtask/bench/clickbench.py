"""Forty-three questions about one wide table of web page views, through Athena's API, against DuckDB in this process on the
same Parquet file, with two threads.

The table has the shape of ClickBench's: many columns, of which a query reads few; identifiers, long texts that are mostly
empty or often the same, and few distinct values in most others. Its rows are made by DuckDB from a counter, so every run has
the same; the questions are of ClickBench's kinds, and name an order for all rows that a LIMIT leaves.
"""

import argparse

import duckdb
from against_duckdb import Query, measure
from common import WORK

ROUNDS = 3
MILLIONS = 5

# Each column's type and how it follows from the row's number `i`; `pick(i, salt, n)` is one of n
# values, `skew(i, salt, n)` one of n of which few are often.
COLUMNS = {
    "view_id": ("BIGINT", "hash(i)::UBIGINT % 9223372036854775807"),
    "event_time": ("TIMESTAMP", "TIMESTAMP '2013-07-01' + to_seconds(pick(i, 1, 2678400))"),
    "event_date": ("DATE", "(TIMESTAMP '2013-07-01' + to_seconds(pick(i, 1, 2678400)))::DATE"),
    "counter_id": ("INTEGER", "skew(i, 2, 6000)"),
    "user_id": ("BIGINT", "hash(skew(i, 3, 900000))::UBIGINT % 9223372036854775807"),
    "client_ip": ("INTEGER", "skew(i, 4, 700000) * 2971"),
    "region_id": ("INTEGER", "skew(i, 5, 9000)"),
    "os": ("SMALLINT", "skew(i, 6, 90)"),
    "user_agent": ("SMALLINT", "skew(i, 7, 80)"),
    "is_refresh": ("SMALLINT", "(pick(i, 8, 8) = 0)::INT"),
    "is_link": ("SMALLINT", "(pick(i, 9, 12) = 0)::INT"),
    "is_download": ("SMALLINT", "(pick(i, 10, 60) = 0)::INT"),
    "dont_count_hits": ("SMALLINT", "(pick(i, 11, 20) = 0)::INT"),
    "java_enable": ("SMALLINT", "(pick(i, 12, 3) > 0)::INT"),
    "resolution_width": ("SMALLINT", "800 + 8 * skew(i, 13, 160)"),
    "resolution_height": ("SMALLINT", "600 + 8 * skew(i, 14, 100)"),
    "window_width": ("SMALLINT", "600 + skew(i, 15, 1400)"),
    "window_height": ("SMALLINT", "400 + skew(i, 16, 900)"),
    "search_engine_id": ("SMALLINT", "CASE WHEN pick(i, 17, 7) = 0 THEN 1 + skew(i, 18, 60) ELSE 0 END"),
    "search_phrase": (
        "VARCHAR",
        "CASE WHEN pick(i, 17, 7) = 0 THEN 'how to ' || word(i, 19) || ' ' || skew(i, 20, 300000) ELSE '' END",
    ),
    "adv_engine_id": ("SMALLINT", "CASE WHEN pick(i, 21, 160) = 0 THEN 1 + skew(i, 22, 18) ELSE 0 END"),
    "mobile_phone": ("SMALLINT", "CASE WHEN pick(i, 23, 16) = 0 THEN 1 + skew(i, 24, 80) ELSE 0 END"),
    "mobile_phone_model": ("VARCHAR", "CASE WHEN pick(i, 23, 16) = 0 THEN 'model ' || skew(i, 24, 160) ELSE '' END"),
    "trafic_source_id": ("SMALLINT", "skew(i, 25, 10) - 1"),
    "title": ("VARCHAR", "word(i, 26) || ' ' || word(i, 27) || ' - page ' || skew(i, 28, 200000)"),
    "url": ("VARCHAR", "'http://' || word(i, 29) || '.example/' || word(i, 30) || '/' || skew(i, 31, 600000)"),
    "referer": (
        "VARCHAR",
        "CASE WHEN pick(i, 32, 4) = 0 THEN '' ELSE 'http://www.' || word(i, 33) || '.example/' || skew(i, 34, 90000) END",
    ),
    "url_hash": ("BIGINT", "hash(skew(i, 31, 600000))::UBIGINT % 9223372036854775807"),
    "referer_hash": ("BIGINT", "hash(skew(i, 34, 90000))::UBIGINT % 9223372036854775807"),
    "social_action": ("VARCHAR", "CASE WHEN pick(i, 35, 500) = 0 THEN word(i, 36) ELSE '' END"),
    "fetch_timing": ("INTEGER", "skew(i, 37, 30000)"),
    "response_end": ("INTEGER", "skew(i, 38, 60000)"),
}
WORDS = "market travel google garden weather music cinema photo recipe school forum office summer winter street letter".split()
MACROS = f"""
CREATE MACRO pick(i, salt, n) AS (hash(i * 64 + salt) % n::UBIGINT)::BIGINT;
CREATE MACRO skew(i, salt, n) AS floor(n * pow((hash(i * 64 + salt) % 1000003) / 1000003.0, 3))::BIGINT;
CREATE MACRO word(i, salt) AS {WORDS}[1 + pick(i, salt, {len(WORDS)})];
"""

WIDTHS = ", ".join(f"sum(resolution_width + {number})" for number in range(90))
JULY = "counter_id = 62 AND event_date BETWEEN DATE '2013-07-01' AND DATE '2013-07-31'"
SEEN = f"{JULY} AND dont_count_hits = 0 AND is_refresh = 0"
QUESTIONS = [
    "SELECT count(*) FROM hits",
    "SELECT count(*) FROM hits WHERE adv_engine_id <> 0",
    "SELECT sum(adv_engine_id), count(*), avg(resolution_width) FROM hits",
    "SELECT avg(CAST(user_id AS double)) FROM hits",
    "SELECT count(DISTINCT user_id) FROM hits",
    "SELECT count(DISTINCT search_phrase) FROM hits",
    "SELECT min(event_date), max(event_date) FROM hits",
    "SELECT adv_engine_id, count(*) FROM hits WHERE adv_engine_id <> 0 GROUP BY 1 ORDER BY 2 DESC, 1",
    "SELECT region_id, count(DISTINCT user_id) FROM hits GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10",
    "SELECT region_id, sum(adv_engine_id), count(*), avg(resolution_width), count(DISTINCT user_id) FROM hits "
    "GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT 10",
    "SELECT mobile_phone_model, count(DISTINCT user_id) FROM hits WHERE mobile_phone_model <> '' "
    "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10",
    "SELECT mobile_phone, mobile_phone_model, count(DISTINCT user_id) FROM hits WHERE mobile_phone_model <> '' "
    "GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 10",
    "SELECT search_phrase, count(*) FROM hits WHERE search_phrase <> '' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10",
    "SELECT search_phrase, count(DISTINCT user_id) FROM hits WHERE search_phrase <> '' "
    "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10",
    "SELECT search_engine_id, search_phrase, count(*) FROM hits WHERE search_phrase <> '' "
    "GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 10",
    "SELECT user_id, count(*) FROM hits GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10",
    "SELECT user_id, search_phrase, count(*) FROM hits GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 10",
    "SELECT user_id, search_phrase, count(*) FROM hits WHERE search_engine_id = 2 GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 10",
    "SELECT user_id, extract(minute FROM event_time), search_phrase, count(*) FROM hits "
    "GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT 10",
    "SELECT view_id FROM hits WHERE user_id = (SELECT max(user_id) FROM hits) ORDER BY 1",
    "SELECT count(*) FROM hits WHERE url LIKE '%google%'",
    "SELECT search_phrase, min(url), count(*) FROM hits WHERE url LIKE '%google%' AND search_phrase <> '' "
    "GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT 10",
    "SELECT search_phrase, min(url), min(title), count(*), count(DISTINCT user_id) FROM hits "
    "WHERE title LIKE '%google%' AND url NOT LIKE '%.google.%' AND search_phrase <> '' "
    "GROUP BY 1 ORDER BY 4 DESC, 1 LIMIT 10",
    "SELECT view_id, event_time, url, title, referer FROM hits WHERE url LIKE '%google%' "
    "ORDER BY event_time, view_id LIMIT 10",
    "SELECT search_phrase FROM hits WHERE search_phrase <> '' ORDER BY event_time, search_phrase LIMIT 10",
    "SELECT search_phrase FROM hits WHERE search_phrase <> '' ORDER BY search_phrase LIMIT 10",
    "SELECT search_phrase FROM hits WHERE search_phrase <> '' "
    "ORDER BY search_engine_id, event_time, search_phrase LIMIT 10",
    "SELECT counter_id, avg(length(url)), count(*) FROM hits WHERE url <> '' GROUP BY 1 HAVING count(*) > 5000 "
    "ORDER BY 2 DESC, 1 LIMIT 25",
    r"SELECT regexp_replace(referer, '^https?://(?:www\.)?([^/]+)/.*$', '{group}'), avg(length(referer)), count(*), "
    "min(referer) FROM hits WHERE referer <> '' GROUP BY 1 HAVING count(*) > 5000 ORDER BY 2 DESC, 1 LIMIT 25",
    f"SELECT {WIDTHS} FROM hits",
    "SELECT search_engine_id, client_ip, count(*), sum(is_refresh), avg(resolution_width) FROM hits WHERE search_phrase <> '' "
    "GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 10",
    "SELECT view_id, client_ip, count(*), sum(is_refresh), avg(resolution_width) FROM hits WHERE search_phrase <> '' "
    "GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 10",
    "SELECT view_id, client_ip, count(*), sum(is_refresh), avg(resolution_width) FROM hits GROUP BY 1, 2 "
    "ORDER BY 3 DESC, 1, 2 LIMIT 10",
    "SELECT url, count(*) FROM hits GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10",
    "SELECT 1, url, count(*) FROM hits GROUP BY 1, 2 ORDER BY 3 DESC, 2 LIMIT 10",
    "SELECT client_ip, client_ip - 1, client_ip - 2, client_ip - 3, count(*) FROM hits GROUP BY 1, 2, 3, 4 "
    "ORDER BY 5 DESC, 1 LIMIT 10",
    f"SELECT url, count(*) FROM hits WHERE {SEEN} AND url <> '' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10",
    f"SELECT title, count(*) FROM hits WHERE {SEEN} AND title <> '' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10",
    f"SELECT url, count(*) FROM hits WHERE {JULY} AND is_refresh = 0 AND is_link <> 0 AND is_download = 0 "
    "GROUP BY 1 ORDER BY 2 DESC, 1 {offset} LIMIT 10",
    "SELECT trafic_source_id, search_engine_id, adv_engine_id, CASE WHEN search_engine_id = 0 AND adv_engine_id = 0 "
    f"THEN referer ELSE '' END, url, count(*) FROM hits WHERE {JULY} AND is_refresh = 0 GROUP BY 1, 2, 3, 4, 5 "
    "ORDER BY 6 DESC, 1, 2, 3, 4, 5 {offset} LIMIT 10",
    f"SELECT url_hash, event_date, count(*) FROM hits WHERE {JULY} AND is_refresh = 0 AND trafic_source_id IN (-1, 6) "
    "GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 {offset} LIMIT 10",
    f"SELECT window_width, window_height, count(*) FROM hits WHERE {SEEN} GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 "
    "{offset} LIMIT 10",
    f"SELECT date_trunc('minute', event_time), count(*) FROM hits WHERE {SEEN} GROUP BY 1 ORDER BY 1 {{offset}} LIMIT 10",
]


def generated(millions):
    """The directory with the table's file."""
    directory = WORK / f"clickbench-{millions}m"
    if not directory.exists():
        unfinished = directory.with_suffix(".part")
        unfinished.mkdir(exist_ok=True)
        columns = ", ".join(f"({how})::{kind} AS {name}" for name, (kind, how) in COLUMNS.items())
        duck = duckdb.connect()
        duck.execute(MACROS)
        rows = f"SELECT {columns} FROM range({float(millions) * 1e6:.0f}) t(i)"
        duck.execute(f"COPY ({rows}) TO '{unfinished}/hits.parquet' (FORMAT parquet, COMPRESSION snappy)")
        unfinished.rename(directory)
    return directory


def query(number, text):
    """The question in either side's words: groups of patterns and the place of OFFSET differ."""
    trino = text.replace("{group}", "$1").replace("{offset} LIMIT 10", "OFFSET 10 LIMIT 10")
    duck = text.replace("{group}", r"\1").replace("{offset} LIMIT 10", "LIMIT 10 OFFSET 10")
    return Query(f"Q{number:02}", trino, duck)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--millions", default=str(MILLIONS), help="so many million rows")
    millions = parser.parse_args().millions
    queries = [query(number, text) for number, text in enumerate(QUESTIONS)]
    title = f"Page views of ClickBench's shape, {millions} million rows"
    measure("clickbench", title, generated(millions), queries, ROUNDS)


# Another process looks at DuckDB alone, and begins by reading this file.
if __name__ == "__main__":
    main()
