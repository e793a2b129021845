"""The workflow's work in DuckDB: clean and aggregate the files in SOURCE into Parquet below OUT."""

import os

import duckdb

SOURCE, OUT = os.environ["SOURCE"], os.environ["OUT"]
os.makedirs(OUT)
NUMBERS = ("flight", "dep_time", "dep_delay", "arr_delay", "air_time", "distance", "hour")
# What decides between rows of one key, as in the job.
ORDER = "tailnum, origin, dest, hour, dep_time, dep_delay, arr_delay, air_time, distance, month"
TEXTS = ("carrier", "tailnum", "origin", "dest", "time_hour", "year", "month")


def text(name):
    return f"nullif(nullif(trim(json_extract_string(line, '$.{name}')), 'NA'), '')"


duck = duckdb.connect()
duck.sql("SET threads = 2")
values = ", ".join([f"{text(name)} AS {name}" for name in TEXTS + NUMBERS])
numbers = ", ".join(f"try_cast({name} AS INTEGER) AS {name}" for name in NUMBERS)
bad_number = " OR ".join(f"({name} IS NOT NULL AND try_cast({name} AS INTEGER) IS NULL)" for name in NUMBERS)
missing = " OR ".join(f"{name} IS NULL" for name in ("carrier", "flight", "origin", "dest", "time_hour"))
duck.sql(
    f"""
    CREATE TABLE staged AS
    SELECT * EXCLUDE raw, CASE WHEN bad THEN raw END AS record FROM (
    SELECT carrier, tailnum, origin, dest, {numbers}, try_cast(time_hour AS TIMESTAMP) AS time_hour, year || '-' || lpad(month, 2, '0') AS month,
           ({bad_number} OR {missing} OR line IS NULL) AS bad, raw
    FROM (SELECT raw, line, {values} FROM (SELECT line AS raw, CASE WHEN json_valid(line) THEN line END AS line
          FROM read_csv('{SOURCE}/flights/*.json.gz', columns = {{'line': 'VARCHAR'}}, delim = '\x01', quote = '',
                        escape = '', header = false))))
    """
)
duck.sql(
    f"""
    COPY (SELECT carrier, flight, tailnum, origin, dest, time_hour, hour, dep_time, dep_delay, arr_delay, air_time,
                 distance, month
          FROM (SELECT *, row_number() OVER (PARTITION BY carrier, flight, time_hour ORDER BY {ORDER}) AS nth
                FROM staged WHERE NOT bad) WHERE nth = 1)
    TO '{OUT}/accepted' (FORMAT parquet, PARTITION_BY (month))
    """
)
duck.sql(f"COPY (SELECT record FROM staged WHERE bad) TO '{OUT}/quarantine.json.gz' (FORMAT csv)")
duck.sql(f"CREATE VIEW accepted AS SELECT * FROM read_parquet('{OUT}/accepted/**/*.parquet', hive_partitioning = true)")
for name in ("airlines", "airports", "weather"):
    duck.sql(f"CREATE TABLE {name} AS SELECT * FROM read_csv('{SOURCE}/{name}.csv', nullstr = 'NA')")
MEASURES = """count(*) AS flights, count(*) FILTER (dep_time IS NULL) AS cancelled, count(dep_delay) AS departed,
    sum(dep_delay) AS dep_minutes, count(arr_delay) AS arrived, sum(arr_delay) AS arr_minutes,
    max(dep_delay) AS worst_dep_delay"""
WEATHER = """CASE WHEN w.time_hour IS NULL THEN 'unknown' WHEN w.visib < 3 THEN 'poor visibility'
    WHEN w.precip > 0 THEN 'rain or snow' WHEN w.wind_speed > 20 THEN 'strong wind' ELSE 'fair' END"""
TABLES = {
    "carrier": ("f.carrier, coalesce(a.name, f.carrier)", "LEFT JOIN airlines a ON a.carrier = f.carrier"),
    "airport": ("f.origin, f.dest, coalesce(a.name, f.dest)", "LEFT JOIN airports a ON a.faa = f.dest"),
    "hour": ("f.hour", ""),
    "weather": (WEATHER, "LEFT JOIN weather w ON w.origin = f.origin AND w.time_hour = f.time_hour"),
}
for name, (keys, join) in TABLES.items():
    duck.sql(
        f"COPY (SELECT {keys}, {MEASURES}, f.month FROM accepted f {join} GROUP BY ALL) "
        f"TO '{OUT}/delays_by_{name}' (FORMAT parquet, PARTITION_BY (month))"
    )
sums = duck.sql(
    f"SELECT carrier, sum(flights)::BIGINT, sum(dep_minutes)::BIGINT "
    f"FROM read_parquet('{OUT}/delays_by_carrier/**/*.parquet') GROUP BY 1"
)
for row in sums.fetchall():
    print(*row, sep=",")
