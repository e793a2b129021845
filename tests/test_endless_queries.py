"""Queries that would compute for hours: they can be stopped, they stop computing then, and meanwhile others are served."""

import os
import time
from pathlib import Path

import pytest
from conftest import wait_for

MILLION = """
WITH n AS (SELECT x FROM UNNEST(sequence(1, 1000)) AS t(x)),
     m AS (SELECT a.x * 1000 + b.x AS k FROM n a CROSS JOIN n b)
"""
ENDLESS = {
    "every row with every row": "SELECT sum(l.k * r.k % 7) FROM m l CROSS JOIN m r",
    "pairs that a condition drops": "SELECT count(*) FROM m l JOIN m r ON l.k + r.k < 0",
    "one key": "SELECT count(*) FROM m l JOIN m r ON l.k % 1 = r.k % 1",
    "one key, and a condition": "SELECT count(*) FROM m l JOIN m r ON l.k % 1 = r.k % 1 AND l.k + r.k < 0",
    "one key, whether it exists": (
        "SELECT count(*) FROM m l WHERE EXISTS (SELECT 1 FROM m r WHERE r.k % 1 = l.k % 1 AND r.k + l.k < 0)"
    ),
}
TICK = os.sysconf("SC_CLK_TCK")


class Queries:
    def __init__(self, server):
        self.server = server
        self.athena = server.client("athena", "test", "test", read_timeout=10)
        server.client("s3", "test", "test").create_bucket(Bucket="results")

    def start(self, sql):
        results = {"OutputLocation": "s3://results/"}
        return self.athena.start_query_execution(QueryString=sql, ResultConfiguration=results)["QueryExecutionId"]

    def state(self, query):
        return self.athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]["State"]

    def processor_seconds(self):
        fields = Path(f"/proc/{self.server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def computes(self, seconds):
        """Waits until the server has spent so much processor time more."""
        before = self.processor_seconds()
        wait_for(lambda: self.processor_seconds() >= before + seconds, "the computation", timeout=120)

    def rests(self):
        """Waits until the server spends next to no processor time."""

        def idle():
            before = self.processor_seconds()
            time.sleep(0.5)
            return self.processor_seconds() - before < 0.1

        wait_for(idle, "the end of the computation")


@pytest.fixture
def queries(start):
    return Queries(start("--dev"))


@pytest.mark.parametrize("sql", ENDLESS.values(), ids=ENDLESS)
def test_a_stopped_query_stops_computing(queries, sql):
    query = queries.start(MILLION + sql)
    queries.computes(1.5)
    assert queries.state(query) == "RUNNING"
    queries.athena.stop_query_execution(QueryExecutionId=query)
    assert queries.state(query) == "CANCELLED"
    queries.rests()


def test_others_are_served_while_queries_compute(queries):
    endless = [queries.start(MILLION + sql) for sql in list(ENDLESS.values())[:4]]
    queries.computes(3)
    for _ in range(5):
        assert queries.athena.list_work_groups()["WorkGroups"]
    small = queries.start("SELECT 1")
    wait_for(lambda: queries.state(small) == "SUCCEEDED", "a small query's end", timeout=60)
    for query in endless:
        assert queries.state(query) == "RUNNING"
        queries.athena.stop_query_execution(QueryExecutionId=query)
        assert queries.state(query) == "CANCELLED"
    queries.rests()
