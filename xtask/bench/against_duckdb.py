"""Queries through Athena's API, against DuckDB in this process on the same Parquet files, with two threads. Every answer is
compared with DuckDB's."""

import csv
import io
import os
import time

from answers import Duck, difference
from common import boathouse, cpu_seconds, machine, memory_mb, prose, scratch, table, timed, write

THREADS = 2
# How often a running query is asked after, in seconds.
POLL = 0.05


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
        key = execution["ResultConfiguration"]["OutputLocation"].removeprefix(f"s3://{self.name}/")
        text = self.s3.get_object(Bucket=self.name, Key=key)["Body"].read().decode()
        # A line without anything is a row of one NULL.
        return [row or [""] for row in csv.reader(io.StringIO(text))][1:]


class Query:
    """A query by its name, with its text for either side."""

    def __init__(self, name, text, duck_text=None):
        self.name, self.text, self.duck_text = name, text, duck_text or text

    def difference(self, athena, duck, rows, expected):
        """What the first difference is, or nothing."""
        return difference(rows, expected)


class Comparison:
    """One query: the best of several rounds on either side, and whether the answers are the same."""

    def __init__(self, athena, duck, query, rounds):
        self.name = query.name
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
        self.engine = min(execution["Statistics"]["EngineExecutionTimeInMillis"] for execution, _ in executions) / 1000
        expected = answers[-1][0]
        different = query.difference(athena, duck, athena.rows(executions[-1][0]), expected)
        self.verdict = f"**differs**: {different}" if different else f"same, {len(expected)}"

    def row(self):
        if not self.answered:
            return [self.name, "", "", "", "", f"{self.duck:.3f}", self.verdict]
        ratios = [f"{self.wall / self.duck:.2f}", f"{self.cpu / self.duck_cpu:.2f}"]
        return [self.name, *ratios, f"{self.wall:.3f}", f"{self.engine:.3f}", f"{self.duck:.3f}", self.verdict]


def repeated(pid, action, rounds):
    """What each round answers, and the processor time that the process spent on one."""
    before = cpu_seconds(pid)
    answers = [action() for _ in range(rounds)]
    return answers, max(cpu_seconds(pid) - before, 0.001) / rounds


class Total(Comparison):
    """The sums over all queries that were answered."""

    def __init__(self, comparisons):
        answered = [comparison for comparison in comparisons if comparison.answered]
        for field in ("wall", "engine", "cpu", "duck", "duck_cpu"):
            setattr(self, field, sum(getattr(comparison, field) for comparison in answered))
        self.name, self.answered = "**total**", True
        same_answers = sum(comparison.verdict.startswith("same") for comparison in answered)
        self.verdict = f"{same_answers} of {len(comparisons)} the same"


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
            "process on the same files, from execute to the last row. Files are in the page cache for both. The "
            "ratio is wall to DuckDB; the processor time is of whole processes, and hardly feels what else runs. "
            f"The server's peak memory was {peak:.0f} MB. {remarks}"
        ),
        table(
            ["", "ratio", "CPU ratio", "wall, s", "engine, s", "DuckDB, s", "answer, rows"],
            [comparison.row() for comparison in (*comparisons, Total(comparisons))],
        ),
    )
