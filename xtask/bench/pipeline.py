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
from common import ROOT, WORK, boathouse, machine, memory_mb, prose, scratch, table, write

sys.path.insert(0, str(ROOT / "tests"))
from test_platform import Platform  # noqa: E402

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


class Ours(Platform):
    """The test's client on a server that does not die."""

    def __init__(self, server):
        self.server = server


def tree_seconds(pid):
    """Processor seconds of a process and of the children that it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def workflow(directory, source):
    with boathouse(directory) as server:
        ours = Ours(server)
        outputs = ours.deploy()
        s3 = server.client("s3", "test", "test")
        for file in sorted((source / "flights").iterdir()):
            s3.upload_file(str(file), outputs["LandingBucket"], f"flights/2013/01/01/00/{file.name}")
        for name in ("weather", "airlines", "airports"):
            s3.upload_file(str(source / f"{name}.csv"), outputs["LandingBucket"], f"uploads/{name}/{name}.csv")
        before, begun = tree_seconds(server.process.pid), time.monotonic()
        ours.work(outputs["Workflow"], "bench")
        wall, cpu = time.monotonic() - begun, tree_seconds(server.process.pid) - before
        peak = memory_mb(server.process, "VmHWM")
        rows = ours.rows("SELECT carrier, sum(flights), sum(dep_minutes) FROM master_delays_by_carrier GROUP BY 1", outputs)
        return {"wall": wall, "cpu": cpu, "peak": peak, "rows": sorted(rows)}


def peer(name, source, out):
    """Runs a peer's script in a process of its own, which prints the carriers' sums."""
    environment = dict(os.environ, SOURCE=str(source), OUT=str(out))
    begun = time.monotonic()
    script = [sys.executable, str(PEERS / f"pipeline_{name}.py")]
    process = subprocess.Popen(script, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    answer = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{name} ended with {process.returncode}"
    rows = sorted(tuple(line.split(",")) for line in answer.split())
    return {
        "wall": time.monotonic() - begun,
        "cpu": used.ru_utime + used.ru_stime,
        "peak": used.ru_maxrss / 1024,
        "rows": rows,
    }


def row(name, result, ours):
    """A result's line. What PySpark's JVM uses, the Python process that started it does not account for."""
    cells = [name, f"{result['wall']:.1f}", f"{ours['wall'] / result['wall']:.2f}"]
    if name == "PySpark":
        return [*cells, "", "", ""]
    return [*cells, f"{result['cpu']:.1f}", f"{ours['cpu'] / result['cpu']:.2f}", f"{result['peak']:.0f}"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gigabytes", type=float, default=5)
    options = parser.parse_args()
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
        "Boathouse's to the peer's. Boathouse's processor seconds include those of functions and jobs; the peak of memory "
        "is that of the server process. PySpark's JVM is a process of its own, of which only the time is known."
    )
    head = ["", "wall, s", "wall ratio", "processor, s", "processor ratio", "peak memory, MB"]
    write("pipeline", "A day's work", machine("duckdb", "pyspark"), text, table(head, rows))


if __name__ == "__main__":
    WORK.mkdir(parents=True, exist_ok=True)
    main()
