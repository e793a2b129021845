"""Raw to accepted: types, NULLs, no duplicates; bad rows go to quarantine with the reason.

A Glue job of type Python shell. The work itself is SQL in Athena. What is new is what the ingest function has noted below
`_batches/pending/` in the raw bucket; a note moves to `_batches/cleaned/` when its files are done, with the months that
have new rows. A run that ends halfway can be repeated without harm: a row whose key has been accepted is a duplicate.
"""

import argparse
import hashlib
import json
import sys
import time
from dataclasses import dataclass

import boto3

athena, s3 = boto3.client("athena"), boto3.client("s3")

PENDING, CLEANED = "_batches/pending/", "_batches/cleaned/"
# A statement may have 262,144 bytes, and the names of the files stand in it.
FILES_AT_ONCE = 1000


@dataclass(frozen=True)
class Source:
    """How the rows of one source become accepted ones."""

    columns: dict  # name -> Hive type, as accepted
    values: dict  # name -> expression over the raw row; a column that is not here has its own name's
    key: tuple  # rows with the same values here are one row
    rules: dict  # what is wrong -> condition under which it is
    record: str  # the raw row as text
    month: str = "'all'"  # the partition: a month, for what happens in time

    def is_timed(self):
        return self.month != "'all'"


def field(name):
    """A member of a record of the stream."""
    return f"nullif(nullif(trim(json_extract_scalar(line, '$.{name}')), 'NA'), '')"


def cell(name):
    """A column of an uploaded file, whatever type the crawler has seen in it."""
    return f"nullif(nullif(trim(CAST({name} AS varchar)), 'NA'), '')"


def unreadable(text, kind):
    return f"{text} IS NOT NULL AND try_cast({text} AS {kind}) IS NULL"


def instant(text):
    return f"try(CAST(from_iso8601_timestamp({text}) AS timestamp(3)))"


def month_of(value):
    """The month in New York, where the flights leave; the hours are in UTC."""
    return f"{value('year')} || '-' || lpad({value('month')}, 2, '0')"


def not_a_month(value):
    year, month = value("year"), value("month")
    numbers = f"coalesce(try_cast({year} AS integer) BETWEEN 1900 AND 2999, false)"
    return f"NOT ({numbers} AND coalesce(try_cast({month} AS integer) BETWEEN 1 AND 12, false))"


def line_of(columns):
    cells = ", ".join(f"CAST({name} AS varchar)" for name in columns)
    return f"array_join(ARRAY[{cells}], ',', '')"


FLIGHT_NUMBERS = ("flight", "dep_time", "dep_delay", "arr_delay", "air_time", "distance", "hour")
FLIGHTS = Source(
    columns={
        "carrier": "string", "flight": "int", "tailnum": "string", "origin": "string", "dest": "string",
        "time_hour": "timestamp", "hour": "int", "dep_time": "int", "dep_delay": "int", "arr_delay": "int",
        "air_time": "int", "distance": "int",
    },
    values={name: field(name) for name in ("carrier", "tailnum", "origin", "dest")}
    | {name: f"try_cast({field(name)} AS integer)" for name in FLIGHT_NUMBERS}
    | {"time_hour": instant(field("time_hour"))},
    key=("carrier", "flight", "time_hour"),
    rules={"not a JSON document": "try(json_parse(line)) IS NULL"}
    | {f"{name} is missing": f"{field(name)} IS NULL" for name in ("carrier", "flight", "origin", "dest", "time_hour")}
    | {f"{name} is not a number": unreadable(field(name), "integer") for name in FLIGHT_NUMBERS}
    | {
        "time_hour is not a time": f"{instant(field('time_hour'))} IS NULL",
        "year and month are not a month": not_a_month(field),
        "distance is not positive": f"try_cast({field('distance')} AS integer) <= 0",
    },
    record="line",
    month=month_of(field),
)

WEATHER_NUMBERS = ("temp", "wind_speed", "precip", "visib")
WEATHER = Source(
    columns={"origin": "string", "time_hour": "timestamp"} | {name: "double" for name in WEATHER_NUMBERS},
    values={"origin": cell("origin"), "time_hour": instant(cell("time_hour"))}
    | {name: f"try_cast({cell(name)} AS double)" for name in WEATHER_NUMBERS},
    key=("origin", "time_hour"),
    rules={"origin is missing": f"{cell('origin')} IS NULL"}
    | {"time_hour is not a time": f"{instant(cell('time_hour'))} IS NULL"}
    | {"year and month are not a month": not_a_month(cell)}
    | {f"{name} is not a number": unreadable(cell(name), "double") for name in WEATHER_NUMBERS},
    record=line_of(("origin", "time_hour") + WEATHER_NUMBERS),
    month=month_of(cell),
)


def named_things(key, texts, numbers):
    """A source that says what a code stands for, such as an airline's name."""
    return Source(
        columns={key: "string"} | {name: "string" for name in texts} | {name: "double" for name in numbers},
        values={name: cell(name) for name in (key,) + texts}
        | {name: f"try_cast({cell(name)} AS double)" for name in numbers},
        key=(key,),
        rules={f"{key} is missing": f"{cell(key)} IS NULL"}
        | {f"{name} is not a number": unreadable(cell(name), "double") for name in numbers},
        record=line_of((key,) + texts + numbers),
    )


SOURCES = {
    "flights": FLIGHTS,
    "weather": WEATHER,
    "airlines": named_things("carrier", ("name",), ()),
    "airports": named_things("faa", ("name", "tzone"), ("lat", "lon")),
    "planes": named_things("tailnum", ("type", "manufacturer", "model", "engine"), ("year", "engines", "seats")),
}


def run(options, sql):
    """Runs a statement to its end and answers its execution id."""
    started = athena.start_query_execution(
        QueryString=sql, WorkGroup=options.workgroup, QueryExecutionContext={"Database": options.database}
    )
    pause = 0.05
    while True:
        execution = athena.get_query_execution(QueryExecutionId=started["QueryExecutionId"])["QueryExecution"]
        status = execution["Status"]
        if status["State"] == "SUCCEEDED":
            return execution["QueryExecutionId"]
        if status["State"] in ("FAILED", "CANCELLED"):
            raise RuntimeError(f"{status.get('StateChangeReason')}\nin the statement\n{sql}")
        time.sleep(pause)
        pause = min(pause * 1.5, 2)


def column_of(options, sql):
    """The first column of a query's rows."""
    pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=run(options, sql))
    rows = [row["Data"][0].get("VarCharValue") for page in pages for row in page["ResultSet"]["Rows"]]
    return rows[1:]


def listed(bucket, prefix):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


def clear(bucket, prefix):
    keys = listed(bucket, prefix)
    for start in range(0, len(keys), 1000):
        gone = [{"Key": key} for key in keys[start : start + 1000]]
        failed = s3.delete_objects(Bucket=bucket, Delete={"Objects": gone, "Quiet": True}).get("Errors")
        if failed:
            raise RuntimeError(f"{bucket}/{prefix} can't be cleared: {failed[0]}")


def table(options, name, columns, prefix, partition=None):
    """Makes a Parquet table, if there is none."""
    described = ", ".join(f"`{column}` {kind}" for column, kind in columns.items())
    partitioned = f"PARTITIONED BY (`{partition}` string)" if partition else ""
    run(
        options,
        f"CREATE EXTERNAL TABLE IF NOT EXISTS `{name}` ({described}) {partitioned} STORED AS PARQUET "
        f"LOCATION 's3://{options.accepted}/{prefix}' "
        "TBLPROPERTIES ('classification' = 'parquet', 'write.compression' = 'SNAPPY')",
    )


def raw_rows(options, name, files):
    paths = ", ".join(f"'s3://{options.raw}/{key}'" for key in files)
    dates = sorted({key.split("/")[1].partition("=")[2] for key in files})
    if name == "flights":
        for date in dates:
            run(options, f"ALTER TABLE raw_flights ADD IF NOT EXISTS PARTITION (arrival_date = '{date}')")
    arrived = ", ".join(f"'{date}'" for date in dates)
    return f"""FROM raw_{name} WHERE arrival_date IN ({arrived}) AND "$path" IN ({paths})"""


def stage(options, name, source, files):
    """Reads the raw files once: typed rows, each with its month, and bad ones with what is wrong and the raw record."""
    staged = f"staged_{name}"
    run(options, f"DROP TABLE IF EXISTS `{staged}`")
    clear(options.accepted, f"_staged/{name}/")
    table(options, staged, source.columns | {"month": "string", "reason": "string", "record": "string"}, f"_staged/{name}/")
    values = ", ".join(f"{source.values[column]} AS {column}" for column in source.columns)
    wrong = " ".join(f"WHEN {condition} THEN '{what}'" for what, condition in source.rules.items())
    columns = ", ".join(source.columns) + ", month, reason"
    run(
        options,
        f"INSERT INTO {staged} SELECT {columns}, CASE WHEN reason IS NOT NULL THEN record END AS record "
        f"FROM (SELECT {values}, {source.month} AS month, CASE {wrong} END AS reason, {source.record} AS record "
        f"{raw_rows(options, name, files)}) typed",
    )
    return staged


def accept(options, name, source, staged):
    """Adds the good rows whose key is new, and answers their months."""
    accepted, timed = f"accepted_{name}", source.is_timed()
    months = column_of(options, f"SELECT DISTINCT month FROM {staged} WHERE reason IS NULL ORDER BY month")
    if not months:
        return []
    columns = ", ".join(source.columns) + (", month" if timed else "")
    same = " AND ".join(f"old.{column} = new.{column}" for column in source.key)
    # Only the months of the new rows are compared with: with years of data that is little.
    known = f"SELECT {', '.join(source.key)} FROM {accepted}"
    if timed:
        known += " WHERE month IN (" + ", ".join(f"'{month}'" for month in months) + ")"
    key = ", ".join(source.key)
    # Of rows with one key the same one wins every time: those that differ in nothing are alike.
    order = ", ".join(column for column in columns.split(", ") if column not in source.key) or key
    run(
        options,
        f"INSERT INTO {accepted} SELECT {', '.join('new.' + column for column in columns.split(', '))} "
        f"FROM (SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY {order}) AS nth "
        f"FROM {staged} WHERE reason IS NULL) new "
        f"LEFT JOIN ({known}) old ON {same} WHERE new.nth = 1 AND old.{source.key[0]} IS NULL",
    )
    return months


def quarantine(options, name, staged, batch):
    """Puts the bad rows aside as JSON lines, with what is wrong with them."""
    prefix = f"quarantine/source={name}/batch={batch}/"
    clear(options.accepted, prefix)
    bad = int(column_of(options, f"SELECT count(*) FROM {staged} WHERE reason IS NOT NULL")[0])
    if bad:
        run(
            options,
            f"UNLOAD (SELECT reason, record FROM {staged} WHERE reason IS NOT NULL) "
            f"TO 's3://{options.accepted}/{prefix}' WITH (format = 'JSON', compression = 'GZIP')",
        )
    return bad


def clean(options, name, files, batch):
    source, months = SOURCES[name], set()
    for start in range(0, len(files), FILES_AT_ONCE):
        part = files[start : start + FILES_AT_ONCE]
        staged = stage(options, name, source, part)
        months.update(accept(options, name, source, staged))
        bad = quarantine(options, name, staged, f"{batch}-{start // FILES_AT_ONCE}")
        run(options, f"DROP TABLE IF EXISTS `{staged}`")
        clear(options.accepted, f"_staged/{name}/")
        print(f"{name}: {len(part)} files of months {sorted(months)}, {bad} bad rows in quarantine")
    return months


def main(options):
    notes = listed(options.raw, PENDING)
    files = set()
    for note in notes:
        files.update(json.load(s3.get_object(Bucket=options.raw, Key=note)["Body"])["files"])
    by_source = {}
    for file in sorted(files):
        by_source.setdefault(file.split("/")[0], []).append(file)
    batch = hashlib.sha256("".join(sorted(files)).encode()).hexdigest()[:16]
    months = set()
    for name, source in SOURCES.items():
        table(options, f"accepted_{name}", source.columns, f"{name}/", "month" if source.is_timed() else None)
    for name, own in by_source.items():
        if name in SOURCES:
            months.update(clean(options, name, own, batch))
        else:
            print(f"{name}: there are no rules for this source; its {len(own)} files stay in raw")
    if notes:
        done = json.dumps({"months": sorted(months)})
        s3.put_object(Bucket=options.raw, Key=f"{CLEANED}{batch}.json", Body=done)
    for note in notes:
        s3.delete_object(Bucket=options.raw, Key=note)
    print(f"{len(notes)} batches cleaned, {len(files)} files")


def arguments(given):
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("database", "workgroup", "raw", "accepted"):
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_known_args(given)[0]  # Glue adds arguments of its own


if __name__ == "__main__":
    main(arguments(sys.argv[1:]))
