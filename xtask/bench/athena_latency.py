"""What a small query costs through Athena's API: SELECT 1, one partition of many, one row of many, and 64 clients at once.

DuckDB answers the same questions in this process over the same files; it has no server, no durable history of queries and no
result object, so the difference is what those cost. Trino's server, which has no durable history either, answers them after.
"""

import datetime
import os
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import duckdb
import trino_peer
from common import boathouse, cpu_seconds, machine, prose, scratch, table, timed, write

ROUNDS = 200
CLIENTS = 64
PER_CLIENT = 20
# How often Trino's virtual machine sees a question before it is measured, how often it is measured, and how often each of many
# clients asks it.
WARM_UP, TRINO_ROUNDS, TRINO_PER_CLIENT = 60, 40, 2
POLL = 0.001
DAYS, ROWS = 100, 20_000
BUCKET = DATABASE = "latency"
FIRST = datetime.date(2013, 1, 1)


def questions():
    """Name and text of each kind of query; the text is made anew for each call, so that nothing is answered from memory."""
    return [
        ("`SELECT 1`", lambda number: "SELECT 1"),
        ("one partition of 100, counted", lambda number: f"SELECT count(*) FROM events WHERE day = '{day(number)}'"),
        (
            "one row by key in one partition",
            lambda number: f"SELECT value FROM events WHERE day = '{day(number)}' AND id = {number * 97 % ROWS}",
        ),
        ("one row by key in all partitions", lambda number: f"SELECT day, value FROM events WHERE id = {number * 97 % ROWS}"),
    ]


def day(number):
    return str(FIRST + datetime.timedelta(days=number % DAYS))


class Athena:
    def __init__(self, server, connections):
        self.client = server.client("athena", "test", "test", max_pool_connections=connections)
        self.s3 = server.client("s3", "test", "test")
        self.s3.create_bucket(Bucket=BUCKET)

    def ask(self, sql):
        """The rows, as a client gets them: started, polled, read."""
        started = self.client.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": DATABASE},
            ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/results/"},
        )
        identifier = {"QueryExecutionId": started["QueryExecutionId"]}
        self.calls = 2
        while True:
            self.calls += 1
            execution = self.client.get_query_execution(**identifier)["QueryExecution"]
            state = execution["Status"]["State"]
            if state not in ("QUEUED", "RUNNING"):
                break
            time.sleep(POLL)
        if state != "SUCCEEDED":
            raise RuntimeError(f"{sql}: {execution['Status'].get('StateChangeReason', state)}")
        self.engine = execution["Statistics"]["EngineExecutionTimeInMillis"] / 1000
        return self.client.get_query_results(**identifier)["ResultSet"]["Rows"]

    def floor(self):
        """What boto3 takes for the shortest call that there is: its own time, the network's and the gateway's."""
        return quantile(seconds(lambda _: self.client.list_engine_versions()), 0.5)

    def load(self, files):
        """A table of as many partitions as days, each one file."""
        for path in sorted(files.glob("*.parquet")):
            self.s3.upload_file(str(path), BUCKET, f"events/day={path.stem}/{path.name}")
        self.ask(f"CREATE DATABASE {DATABASE}")
        self.ask(
            "CREATE EXTERNAL TABLE events (id bigint, value double) PARTITIONED BY (day string) "
            f"STORED AS PARQUET LOCATION 's3://{BUCKET}/events/'"
        )
        self.ask("MSCK REPAIR TABLE events")


def generated(directory):
    """One Parquet file a day, in row groups of 2,000, sorted by the key."""
    duck = duckdb.connect()
    for number in range(DAYS):
        path = directory / f"{day(number)}.parquet"
        duck.execute(
            f"COPY (SELECT i AS id, sqrt(i * {number + 1}.0) AS value FROM range({ROWS}) t(i)) "
            f"TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)"
        )


def seconds(action, rounds=ROUNDS):
    return [timed(lambda: action(number))[1] for number in range(rounds)]


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] * 1000


def on_trino(files):
    """Trino's median and its queries a second with all clients for each question; blanks if there is no Trino."""
    with trino_peer.server() as trino:
        if trino is None:
            return [["", ""] for _ in questions()]
        for path in files.glob("*.parquet"):
            partition = trino.lake / "events" / f"day={path.stem}"
            partition.mkdir(parents=True)
            os.link(path, partition / path.name)
        trino.rows("CREATE SCHEMA hive.bench")
        trino.rows("USE hive.bench")
        place = "format = 'PARQUET', external_location = 'local:///events', partitioned_by = ARRAY['day']"
        trino.rows(f"CREATE TABLE events (id bigint, value double, day varchar) WITH ({place})")
        trino.rows("CALL hive.system.sync_partition_metadata('bench', 'events', 'ADD')")
        trino.patiently("SELECT count(*) FROM events")
        figures = []
        for _, text in questions():
            seconds(lambda number: trino.rows(text(number)), WARM_UP)
            took = seconds(lambda number: trino.rows(text(number)), TRINO_ROUNDS)
            rate, _ = many(trino.rows, text, TRINO_PER_CLIENT)
            figures.append([f"{quantile(took, 0.5):.1f}", f"{rate:.0f}"])
        return figures


def many(ask, text, each=PER_CLIENT):
    """Queries a second and the latencies when all clients ask at once."""
    latencies, lock = [], threading.Lock()

    def client(number):
        own = [timed(lambda: ask(text(number * each + turn)))[1] for turn in range(each)]
        with lock:
            latencies.extend(own)

    with ThreadPoolExecutor(CLIENTS) as pool:
        _, elapsed = timed(lambda: list(pool.map(client, range(CLIENTS))))
    return len(latencies) / elapsed, latencies


def main():
    with scratch() as directory, boathouse(directory) as server:
        files = directory / "files"
        files.mkdir()
        generated(files)
        athena = Athena(server, CLIENTS)
        athena.load(files)
        duck = duckdb.connect()
        duck.execute(f"SET threads={os.cpu_count()}")
        named = f"SELECT *, parse_filename(filename, true) AS day FROM read_parquet('{files}/*.parquet', filename=true)"
        duck.execute(f"CREATE VIEW events AS {named}")
        alone, crowded = [], []
        for name, text in questions():
            engine, calls = [], []

            def ask(number, text=text, engine=engine, calls=calls):
                athena.ask(text(number))
                engine.append(athena.engine)
                calls.append(athena.calls)

            before = cpu_seconds(server.process.pid)
            took = seconds(ask)
            cpu = (cpu_seconds(server.process.pid) - before) / ROUNDS * 1000
            peer = seconds(lambda number, text=text: duck.execute(text(number)).fetchall())
            alone.append(
                [
                    name,
                    *(f"{quantile(took, share):.1f}" for share in (0.5, 0.99)),
                    f"{quantile(took, 0.5) - statistics.median(calls) * athena.floor():.1f}",
                    f"{statistics.median(engine) * 1000:.0f}",
                    f"{cpu:.1f}",
                    f"{quantile(peer, 0.5):.1f}",
                ]
            )
            rate, latencies = many(athena.ask, text)
            crowded.append([name, f"{rate:.0f}", *(f"{quantile(latencies, share):.0f}" for share in (0.5, 0.99))])
        server.stop()
        for own, shared, (median, rate) in zip(alone, crowded, on_trino(files), strict=True):
            own.append(median)
            shared.append(rate)
    write(
        "athena-latency",
        "Athena's latency",
        machine("duckdb", "boto3"),
        prose(
            f"A call is StartQueryExecution, GetQueryExecution every {POLL * 1000:.0f} ms until the query is done, and "
            "GetQueryResults, by boto3, whose own time is part of it; the result and the history are synced to disk. "
            f"The table holds {DAYS} partitions of one Parquet file with {ROWS:,} rows. DuckDB answers in the client's "
            "process over the same files and keeps nothing. Without boto3 is the median less what as many calls of "
            "ListEngineVersions take, the shortest one that there is: boto3's own time and that of the network. Trino "
            f"{trino_peer.VERSION} is its own server over the same files, warmed up by {WARM_UP} queries of each kind, asked by its "
            "Python client, after Boathouse has ended."
        ),
        ["## One client", ""],
        table(
            [
                "",
                "median, ms",
                "p99, ms",
                "without boto3, ms",
                "engine's median, ms",
                "server's CPU a query, ms",
                "DuckDB's median, ms",
                "Trino's median, ms",
            ],
            alone,
        ),
        [f"## {CLIENTS} clients at once", ""],
        prose("The clients are threads of one Python process on the same cores, and their work is most of this."),
        table(["", "queries/s", "median, ms", "p99, ms", "Trino's queries/s"], crowded),
    )


main()
