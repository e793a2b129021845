"""Accepted to master: delays by carrier, airport, hour and weather.

A Glue job of type Python shell. The work itself is SQL in Athena. The clean job has noted below `_batches/cleaned/` in the
raw bucket which months have new rows; those months are computed anew and replaced, so a run can be repeated without harm.
"""

import argparse
import json
import sys
import time

import boto3

athena, s3 = boto3.client("athena"), boto3.client("s3")

CLEANED = "_batches/cleaned/"

# Sums instead of averages: months can be added up without going back to the flights.
COUNTS = {
    "flights": ("bigint", "count(*)"),
    "cancelled": ("bigint", "count_if(f.dep_time IS NULL)"),
    "departed": ("bigint", "count(f.dep_delay)"),
    "dep_minutes": ("bigint", "sum(f.dep_delay)"),
    "arrived": ("bigint", "count(f.arr_delay)"),
    "arr_minutes": ("bigint", "sum(f.arr_delay)"),
    "worst_dep_delay": ("int", "max(f.dep_delay)"),
}

WEATHER_OF_FLIGHT = """CASE WHEN w.time_hour IS NULL THEN 'unknown' WHEN w.visib < 3 THEN 'poor visibility'
    WHEN w.precip > 0 THEN 'rain or snow' WHEN w.wind_speed > 20 THEN 'strong wind' ELSE 'fair' END"""

# Table -> (what is grouped by: name -> type and expression, what is joined).
TABLES = {
    "delays_by_carrier": (
        {"carrier": ("string", "f.carrier"), "airline": ("string", "coalesce(a.name, f.carrier)")},
        "LEFT JOIN accepted_airlines a ON a.carrier = f.carrier",
    ),
    "delays_by_airport": (
        {
            "origin": ("string", "f.origin"),
            "airport": ("string", "f.dest"),
            "airport_name": ("string", "coalesce(a.name, f.dest)"),
        },
        "LEFT JOIN accepted_airports a ON a.faa = f.dest",
    ),
    "delays_by_hour": ({"hour_of_day": ("int", "f.hour")}, ""),
    "delays_by_weather": (
        {"weather": ("string", WEATHER_OF_FLIGHT)},
        "LEFT JOIN accepted_weather w ON w.origin = f.origin AND w.time_hour = f.time_hour",
    ),
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


def column_of(options, sql):
    """The first column of a query's rows."""
    pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=run(options, sql))
    rows = [row["Data"][0].get("VarCharValue") for page in pages for row in page["ResultSet"]["Rows"]]
    return rows[1:]


def months_of(options, notes):
    """The months that have new rows; after a new name of an airline, say, all of them."""
    months = set()
    for note in notes:
        months.update(json.load(s3.get_object(Bucket=options.raw, Key=note)["Body"])["months"])
    if "all" in months:
        months = column_of(options, "SELECT DISTINCT month FROM accepted_flights")
    return sorted(months)


def replace(options, name, months):
    """Computes the months of one table anew."""
    grouped, joined = TABLES[name]
    columns = ", ".join(f"`{column}` {kind}" for column, (kind, _) in (grouped | COUNTS).items())
    run(
        options,
        f"CREATE EXTERNAL TABLE IF NOT EXISTS `master_{name}` ({columns}) PARTITIONED BY (`month` string) "
        f"STORED AS PARQUET LOCATION 's3://{options.master}/{name}/' "
        "TBLPROPERTIES ('classification' = 'parquet', 'write.compression' = 'SNAPPY')",
    )
    for month in months:
        clear(options.master, f"{name}/month={month}/")
    values = ", ".join(f"{value} AS {column}" for column, (_, value) in (grouped | COUNTS).items())
    keys = ", ".join(value for _, value in grouped.values())
    wanted = ", ".join(f"'{month}'" for month in months)
    run(
        options,
        f"INSERT INTO master_{name} SELECT {values}, f.month FROM accepted_flights f {joined} "
        f"WHERE f.month IN ({wanted}) GROUP BY {keys}, f.month",
    )


def main(options):
    notes = listed(options.raw, CLEANED)
    months = months_of(options, notes)
    for name in TABLES if months else ():
        replace(options, name, months)
        print(f"{name}: computed for {', '.join(months)}")
    for note in notes:
        s3.delete_object(Bucket=options.raw, Key=note)
    print(f"{len(notes)} batches done")


def arguments(given):
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("database", "workgroup", "raw", "master"):
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_known_args(given)[0]  # Glue adds arguments of its own


if __name__ == "__main__":
    main(arguments(sys.argv[1:]))
