"""Queries through Athena's API, against DuckDB in this process and Trino's server on the same Parquet files, with two cores.
Every answer is compared with DuckDB's, and with Trino's."""

import contextlib
import csv
import io
import multiprocessing
import os
import time

import trino_peer
from answers import Duck, difference
from common import boathouse, cpu_seconds, machine, memory_mb, prose, scratch, table, timed, write
from profiles import Profile, section
from trino.exceptions import TrinoQueryError as TrinoError

THREADS = 2
# How often a running query is asked after, in seconds.
POLL = 0.05
# How often Trino runs a query after its virtual machine has seen all of them once: it takes ten times as long as the others.
TRINO_ROUNDS = 1


class Failed(Exception):
    """A query that Athena did not answer."""


class Athena:
    """A lake with one bucket and one database, both called by the benchmark's name."""

    def __init__(self, server, name):
        self.server, self.name = server, name
        self.athena = server.client("athena", "test", "test")
        self.s3 = server.client("s3", "test", "test")
        self.s3.create_bucket(Bucket=name)

    def load(self, directory, duck):
        """Uploads the files and creates the tables."""
        self.run(f"CREATE DATABASE {self.name}")
        for name in duck.tables:
            self.s3.upload_file(str(directory / f"{name}.parquet"), self.name, f"data/{name}/{name}.parquet")
            columns = ", ".join(f"`{column}` {kind}" for column, kind in duck.columns(name))
            location = f"s3://{self.name}/data/{name}/"
            self.run(f"CREATE EXTERNAL TABLE {name} ({columns}) STORED AS PARQUET LOCATION '{location}'")

    def run(self, sql):
        """The execution, and its seconds: from submission to completion, and those of the two calls around them.

        A client that asks all the time would take from the query the processor that it is measured on.
        """
        started, starting = timed(lambda: self.start(sql))
        while True:
            time.sleep(POLL)
            asked = lambda: self.athena.get_query_execution(QueryExecutionId=started["QueryExecutionId"])
            answer, asking = timed(asked)
            execution, status = answer["QueryExecution"], answer["QueryExecution"]["Status"]
            if status["State"] not in ("QUEUED", "RUNNING"):
                break
        if status["State"] != "SUCCEEDED":
            raise Failed(status.get("StateChangeReason", status["State"]))
        running = (status["CompletionDateTime"] - status["SubmissionDateTime"]).total_seconds()
        return execution, starting + running + asking

    def start(self, sql):
        return self.athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": self.name},
            ResultConfiguration={"OutputLocation": f"s3://{self.name}/results/"},
        )

    def rows(self, execution):
        """The result file's rows, without its head."""
        # A line without anything is a row of one NULL.
        return [row or [""] for row in csv.reader(io.StringIO(self.text(execution)))][1:]

    def text(self, execution):
        """The result file."""
        key = execution["ResultConfiguration"]["OutputLocation"].removeprefix(f"s3://{self.name}/")
        return self.s3.get_object(Bucket=self.name, Key=key)["Body"].read().decode()


class Query:
    """A query by its name, with its text for either side."""

    def __init__(self, name, text, duck_text=None):
        self.name, self.text, self.duck_text = name, text, duck_text or text

    def difference(self, athena, duck, rows, expected):
        """What the first difference is, or nothing."""
        return difference(rows, expected)

    def difference_to_trino(self, rows, expected):
        return difference(rows, expected)


class Comparison:
    """One query: the best of several rounds on either side, and whether the answers are the same."""

    def __init__(self, athena, duck, query, rounds):
        self.name, self.query = query.name, query
        self.trino, self.trino_verdict = None, ""
        answers, self.duck_cpu = repeated(os.getpid(), lambda: timed(lambda: duck.rows(query.duck_text)), rounds)
        self.duck = min(seconds for _, seconds in answers)
        self.answered = False
        try:
            executions, self.cpu = repeated(athena.server.process.pid, lambda: athena.run(query.text), rounds)
        except Failed as failed:
            self.verdict = f"failed: {failed}".replace("\n", " ")
            return
        self.answered = True
        self.wall = min(seconds for _, seconds in executions)
        least = lambda figure: min(execution["Statistics"][figure] for execution, _ in executions) / 1000
        self.engine, self.planning = least("EngineExecutionTimeInMillis"), least("QueryPlanningTimeInMillis")
        expected = answers[-1][0]
        self.rows = athena.rows(executions[-1][0])
        different = query.difference(athena, duck, self.rows, expected)
        self.verdict = f"**differs**: {different}" if different else f"same, {len(expected)}"

    def beside(self, trino):
        """The same query on Trino."""
        try:
            rows, self.trino, self.trino_cpu = trino.best(self.query.text, TRINO_ROUNDS)
        except TrinoError as failed:
            self.trino_verdict = f"failed: {failed.message}".replace("\n", " ")
            return
        if self.answered:
            different = self.query.difference_to_trino(self.rows, rows)
            self.trino_verdict = f"**differs**: {different}" if different else "same"

    def beside_trino(self):
        """The wall and the processor time that Trino's are compared with."""
        return self.wall, self.cpu

    def row(self):
        if not self.answered:
            return [self.name, "", "", "", "", "", f"{self.duck:.3f}", "", self.verdict, self.trino_verdict]
        ratios = [self.wall / self.duck, self.cpu / self.duck_cpu]
        wall, cpu = self.beside_trino()
        ratios += [wall / self.trino, cpu / self.trino_cpu] if self.trino else [None, None]
        seconds = [self.wall, self.engine, self.duck, self.trino]
        figures = [*map("{:.2f}".format, ratios[:2]), *(f"{ratio:.2f}" if ratio else "" for ratio in ratios[2:])]
        figures += [f"{figure:.3f}" if figure else "" for figure in seconds]
        return [self.name, *figures, self.verdict, self.trino_verdict]


def repeated(pid, action, rounds):
    """What each round answers, and the processor time that the process spent on one."""
    before = cpu_seconds(pid)
    answers = [action() for _ in range(rounds)]
    return answers, max(cpu_seconds(pid) - before, 0.001) / rounds


class Total(Comparison):
    """The sums over all queries that were answered; Trino's over those that Trino answered too."""

    def __init__(self, comparisons):
        answered = [comparison for comparison in comparisons if comparison.answered]
        self.both = [comparison for comparison in answered if comparison.trino]
        for field in ("wall", "engine", "cpu", "duck", "duck_cpu"):
            setattr(self, field, total(answered, field))
        self.trino, self.trino_cpu = (total(self.both, field) or None for field in ("trino", "trino_cpu"))
        self.name, self.answered, self.trino_verdict = "**total**", True, ""
        same = lambda verdicts, count: f"{sum(text.startswith('same') for text in verdicts)} of {count} the same"
        self.verdict = same([comparison.verdict for comparison in answered], len(comparisons))
        if self.both:
            self.trino_verdict = same([comparison.trino_verdict for comparison in self.both], len(self.both))

    def beside_trino(self):
        return total(self.both, "wall"), total(self.both, "cpu")


def total(comparisons, field):
    return sum(getattr(comparison, field) for comparison in comparisons)


def duck_memory(directory, queries):
    """The peak of DuckDB's memory over all queries in a process of its own that does nothing else, in MB."""
    with multiprocessing.get_context("spawn").Pool(1) as alone:
        return alone.apply(duck_peak, (directory, [query.duck_text for query in queries]))


def duck_peak(directory, texts):
    duck = Duck(directory, THREADS)
    for text in texts:
        duck.rows(text)
    return memory_mb(multiprocessing.current_process(), "VmHWM")


def beside_trino(directory, duck, comparisons):
    """Runs every query on Trino too, where it can be had, and says how."""
    with trino_peer.server() as trino:
        if trino is None:
            return "Trino's server was not to be had."
        trino.load(directory, duck)
        for comparison in comparisons:
            with contextlib.suppress(TrinoError):
                trino.rows(comparison.query.text)
        for comparison in comparisons:
            comparison.beside(trino)
            print(comparison.row(), flush=True)
        return (
            f"Trino {trino_peer.VERSION} is its own server with a heap of 6 GB on the same two cores, with its Hive connector on "
            f"the same files, analysed before; every query ran once to warm it up and then {TRINO_ROUNDS} time(s), after the "
            f"others' runs; from the client's call to the last row. Its peak memory was {trino.memory():.0f} MB."
        )


def measure(name, title, directory, queries, rounds, *peers, remarks=""):
    """Runs all queries over the tables in a directory, and writes the document."""
    # The server and DuckDB are both held to as many cores as they have threads.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    duck = Duck(directory, THREADS)
    with scratch() as data, boathouse(data) as server:
        athena = Athena(server, name)
        _, loading = timed(lambda: athena.load(directory, duck))
        comparisons = []
        for query in queries:
            comparisons.append(Comparison(athena, duck, query, rounds))
            print(comparisons[-1].row(), flush=True)
        peak = memory_mb(server.process, "VmHWM")
        slower = [comparison for comparison in comparisons if comparison.answered and comparison.wall > comparison.duck]
        profiles = [Profile(athena, duck, comparison) for comparison in slower]
    about_trino = beside_trino(directory, duck, comparisons)
    duck_peak_mb = duck_memory(directory, queries)
    megabytes = sum(file.stat().st_size for file in directory.glob("*.parquet")) / 1e6
    write(
        name,
        title,
        machine("duckdb", *peers),
        prose(
            f"{megabytes:.0f} MB of Parquet, one file a table, uploaded to S3 and declared with CREATE EXTERNAL TABLE "
            f"in {loading:.1f} s. Every query runs {rounds} times on either side, one side after the other, on "
            f"{THREADS} cores; the best counts. Wall is from SubmissionDateTime to CompletionDateTime, when the result is in "
            "S3, synced, and the time of one call of StartQueryExecution and one of GetQueryExecution. Engine is "
            "EngineExecutionTimeInMillis. DuckDB runs in the client's "
            "process on the same files, from execute to the last row. Files are in the page cache for all. The "
            "ratios are of wall times and of processor times; those are of whole processes, and hardly feel what else runs. "
            f"The server's peak memory was {peak:.0f} MB, that of a process with DuckDB alone that ran all queries once "
            f"{duck_peak_mb:.0f} MB. {about_trino} {remarks}"
        ),
        table(
            [
                *["", "ratio to DuckDB", "CPU", "ratio to Trino", "CPU"],
                *["wall, s", "engine, s", "DuckDB, s", "Trino, s", "answer, rows", "Trino's answer"],
            ],
            [comparison.row() for comparison in (*comparisons, Total(comparisons))],
        ),
        section(profiles),
    )
