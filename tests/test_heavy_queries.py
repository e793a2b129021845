"""Queries that would keep every processor busy for days: the server goes on answering, and they can be stopped."""

import os
import signal
import time

import boto3
import pytest
from botocore.config import Config

from conftest import wait_for

NUMBERS = "(SELECT n FROM UNNEST(sequence(1, 9000)) AS u(n))"
QUERIES = {
    "cross-join": f"SELECT count(*) FROM {NUMBERS} a, {NUMBERS} b, {NUMBERS} c WHERE (a.n * b.n * c.n) % 7 = 3",
    "theta-join": f"SELECT count(*) FROM {NUMBERS} a JOIN {NUMBERS} b ON a.n < b.n JOIN {NUMBERS} c ON b.n < c.n",
    "hash-join": f"SELECT count(*) FROM {NUMBERS} a JOIN {NUMBERS} b ON a.n % 2 = b.n % 2 JOIN {NUMBERS} c ON b.n % 2 = c.n % 2",
    "window": f"SELECT max(r) FROM (SELECT row_number() OVER () AS r FROM {NUMBERS} a, {NUMBERS} b, {NUMBERS} c)",
}
# More queries at once than the server has threads.
AT_ONCE = 2 * (os.cpu_count() or 2)


class Heavy:
    def __init__(self, server):
        self.server = server
        self.client("s3").create_bucket(Bucket="heavy-results")
        self.athena = self.client("athena")

    def client(self, service):
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=5)
        key = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, endpoint_url=self.server.url, region_name="us-east-1", config=config, **key)

    def begin(self, statement):
        results = {"OutputLocation": "s3://heavy-results/"}
        name = self.athena.start_query_execution(QueryString=statement, ResultConfiguration=results)["QueryExecutionId"]
        time.sleep(0.5)  # long enough to be at work
        return name

    def processor_seconds(self):
        with open(f"/proc/{self.server.process.pid}/stat") as file:
            user, system = file.read().rsplit(")")[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def is_idle(self):
        used = self.processor_seconds()
        time.sleep(0.5)
        return self.processor_seconds() - used < 0.2

    def state(self, name):
        return self.athena.get_query_execution(QueryExecutionId=name)["QueryExecution"]["Status"]["State"]


@pytest.fixture
def heavy(start):
    server = start("--dev")
    yield Heavy(server)
    if server.process.poll() is None:
        server.kill()  # one that hangs would use up its time to end in peace


@pytest.mark.parametrize("kind", QUERIES)
def test_a_query_without_end_is_stopped(heavy, kind):
    name = heavy.begin(QUERIES[kind])
    assert heavy.state(name) == "RUNNING"
    heavy.athena.stop_query_execution(QueryExecutionId=name)
    wait_for(lambda: heavy.state(name) == "CANCELLED", "the stop", timeout=10)
    wait_for(heavy.is_idle, "the end of the query's work", timeout=15)


@pytest.mark.xfail(strict=False, reason="once in a few runs a call waits for more than 5 s while theta joins are at work")
@pytest.mark.parametrize("kind", QUERIES)
def test_the_server_answers_while_queries_are_at_work(heavy, kind):
    running = [heavy.begin(QUERIES[kind]) for _ in range(AT_ONCE)]
    started = time.monotonic()
    for number in range(20):
        heavy.client("s3").put_object(Bucket="heavy-results", Key=f"k{number}", Body=b"x")
    assert time.monotonic() - started < 5
    for name in running:
        heavy.athena.stop_query_execution(QueryExecutionId=name)
    wait_for(lambda: all(heavy.state(name) == "CANCELLED" for name in running), "the stops", timeout=10)


def test_a_server_at_work_ends_when_it_is_told(heavy):
    for statement in QUERIES.values():
        heavy.begin(statement)
    heavy.server.process.send_signal(signal.SIGTERM)
    assert heavy.server.process.wait(timeout=12) is not None
