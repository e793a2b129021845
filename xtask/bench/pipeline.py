"""A day's work of the reference architecture on much data, beside the same work in DuckDB and in PySpark.

The departures of January 2013 are repeated, over all months and with other flight numbers, until the raw JSON has the size
that is asked for; one in a hundred comes twice, one in a thousand is broken. They land as gzip files of JSON lines, as
Firehose delivers them. Measured is the daily workflow of `examples/serverless-data-platform`, from its start to its end:
landing to raw, raw to accepted (typed, without duplicates, bad rows aside, Parquet by month), accepted to master (four
tables), a crawler after each zone. The peers are scripts that read the same files and write the same tables, without
catalogue, history or durability: a process of DuckDB with two threads, and PySpark's local[2].
"""

import argparse
import csv
import gzip
import io
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import boto3
from common import ROOT, WORK, Watch, boathouse, machine, prose, scratch, table, write

sys.path.insert(0, str(ROOT / "tests"))
import test_platform  # noqa: E402

PEERS = ROOT / "xtask/bench/peers"


def departures():
    text = gzip.decompress((ROOT / "examples/nyc-flights/data/flights.csv.gz").read_bytes()).decode()
    for row in csv.DictReader(io.StringIO(text)):
        yield {name: int(value) if value.lstrip("-").isdigit() else value for name, value in row.items()}


def copies(gigabytes):
    """Files of JSON lines, each with all departures of one January in another month."""
    rows, written = list(departures()), 0
    for copy in itertools.count():
        month, lines = copy % 12 + 1, []
        for number, row in enumerate(rows):
            day = min(int(row["time_hour"][8:10]), 28)
            time_hour = f"2013-{month:02d}-{day:02d}{row['time_hour'][10:]}"
            changed = row | {"flight": row["flight"] + 10_000 * (copy // 12), "month": month, "time_hour": time_hour}
            line = json.dumps(changed)
            lines.append(line)
            if number % 100 == 0:
                lines.append(line)
            if number % 1000 == 0:
                lines.append(line[:60])
        text = ("\n".join(lines) + "\n").encode()
        written += len(text)
        yield text
        if written >= gigabytes * 1e9:
            return


def files(directory, gigabytes):
    """Writes the files for the peers; answers how many bytes of JSON they hold."""
    total = 0
    (directory / "flights").mkdir(parents=True)
    for number, text in enumerate(copies(gigabytes)):
        (directory / "flights" / f"{number:05d}.json.gz").write_bytes(gzip.compress(text, 1))
        total += len(text)
    for name in ("weather", "airlines", "airports"):
        packed = (ROOT / f"examples/nyc-flights/data/{name}.csv.gz").read_bytes()
        (directory / f"{name}.csv").write_bytes(gzip.decompress(packed))
    return total


class Ours(test_platform.Platform):
    """The test's client on a server that does not die."""

    def __init__(self, server):
        self.server = server


def steps(server, machine, watch):
    """Each step of the one run with its seconds, processor seconds and peak of memory; a crawl's states are one step."""
    client = server.client("stepfunctions", "test", "test")
    run = client.list_executions(stateMachineArn=machine)["executions"][0]["executionArn"]
    pages = client.get_paginator("get_execution_history").paginate(executionArn=run)
    events = [event for page in pages for event in page["events"]]
    entered = [
        (event["stateEnteredEventDetails"]["name"], event["timestamp"].timestamp())
        for event in events
        if "stateEnteredEventDetails" in event
    ]
    ends = [begin for _, begin in entered[1:]] + [events[-1]["timestamp"].timestamp()]
    zones, found = {"Clean": "accepted", "Master": "master"}, {}
    zone = "raw"
    for (name, begin), end in zip(entered, ends, strict=True):
        zone = zones.get(name, zone)
        step = name if name in ("Ingest", *zones) else f"Crawl {zone}"
        seconds, processor, peak = found.get(step, (0, 0, 0))
        used, held = watch.between(begin, end)
        found[step] = (seconds + end - begin, processor + used, max(peak, held))
    return found


def workflow(directory, source):
    with boathouse(directory) as server:
        ours = Ours(server)
        outputs = ours.deploy()
        s3 = server.client("s3", "test", "test")
        for file in sorted((source / "flights").iterdir()):
            s3.upload_file(str(file), outputs["LandingBucket"], f"flights/2013/01/01/00/{file.name}")
        for name in ("weather", "airlines", "airports"):
            s3.upload_file(str(source / f"{name}.csv"), outputs["LandingBucket"], f"uploads/{name}/{name}.csv")
        watch, begun = Watch(server.process.pid), time.time()
        assert ours.work(outputs["Workflow"], "bench") == 0, "the workflow succeeds at once"
        ended = time.time()
        watch.stop()
        cpu, peak = watch.between(begun, ended)
        found = steps(server, outputs["Workflow"], watch)
        rows = ours.rows("SELECT carrier, sum(flights), sum(dep_minutes) FROM master_delays_by_carrier GROUP BY 1", outputs)
        return {"wall": ended - begun, "cpu": cpu, "peak": peak, "rows": sorted(rows), "steps": found}


def peer(name, source, out):
    """Runs a peer's script in a process of its own, which prints the carriers' sums."""
    environment = dict(os.environ, SOURCE=str(source), OUT=str(out))
    begun = time.time()
    script = [sys.executable, str(PEERS / f"pipeline_{name}.py")]
    process = subprocess.Popen(script, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    watch = Watch(process.pid)
    answer = process.stdout.read()
    watch.stop()
    ended = time.time()
    assert process.wait() == 0, f"{name} ended with {process.returncode}"
    cpu, peak = watch.between(begun, ended)
    rows = sorted(tuple(line.split(",")) for line in answer.split())
    return {"wall": ended - begun, "cpu": cpu, "peak": peak, "rows": rows}


def row(name, result, ours):
    ratios = [f"{ours[what] / result[what]:.2f}" for what in ("wall", "cpu", "peak")]
    return [name, f"{result['wall']:.1f}", ratios[0], f"{result['cpu']:.1f}", ratios[1], f"{result['peak']:.0f}", ratios[2]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gigabytes", type=float, default=5)
    options = parser.parse_args()
    # Much data on a busy machine takes longer than a test may.
    test_platform.PATIENCE = 7200
    boto3.setup_default_session(region_name="us-east-1")
    with scratch() as directory:
        source = directory / "source"
        total = files(source, options.gigabytes)
        count = len(list((source / "flights").iterdir()))
        results = {"Boathouse": workflow(directory, source)}
        for name, title in (("duckdb", "DuckDB"), ("spark", "PySpark")):
            results[title] = peer(name, source, directory / name)
    ours = results["Boathouse"]
    for name, result in results.items():
        assert result["rows"] == ours["rows"], f"{name} has other results: {result['rows'][:3]} {ours['rows'][:3]}"
    rows = [row(name, result, ours) for name, result in results.items()]
    text = prose(
        f"{total / 1e9:.2f} GB of JSON in {count} gzip files. Everybody's sums by carrier are the same. The ratios are "
        "Boathouse's to the peer's. Processor time and memory are those of a process and all that it has started: functions "
        "and jobs, PySpark's JVM; they are looked at five times a second, memory as the sum of what is resident."
    )
    head = ["", "wall, s", "ratio", "processor, s", "ratio", "peak memory, MB", "ratio"]
    part = [
        [name, f"{seconds:.1f}", f"{processor:.1f}", f"{peak:.0f}"]
        for name, (seconds, processor, peak) in ours["steps"].items()
    ]
    where = prose(
        "Where Boathouse's time goes, step by step of the state machine. A crawl waits: the machine asks once a second "
        "whether the crawler has ended."
    )
    part = table(["step", "wall, s", "processor, s", "peak memory, MB"], part)
    write("pipeline", "A day's work", machine("duckdb", "pyspark"), text, table(head, rows), where, part)


if __name__ == "__main__":
    WORK.mkdir(parents=True, exist_ok=True)
    main()
