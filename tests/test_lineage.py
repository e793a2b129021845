"""Which tables and columns queries read and wrote: our own addresses beside Athena's API, signed like its calls."""

import json
import time

import pytest

from conftest import allow, own_call


class Lake:
    def __init__(self, server, name):
        self.server, self.bucket, self.database = server, name, name.replace("-", "_")
        self.athena = server.client("athena", "test", "test")
        server.client("s3", "test", "test").create_bucket(Bucket=name)
        self.run(f"CREATE DATABASE {self.database}")
        self.run("CREATE TABLE flights AS SELECT 1 AS id, 'UA' AS carrier, 5.0 AS delay")

    def run(self, sql, expected="SUCCEEDED"):
        started = self.athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": self.database},
            ResultConfiguration={"OutputLocation": f"s3://{self.bucket}/results/"},
        )["QueryExecutionId"]
        while True:
            status = self.athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]["Status"]
            if status["State"] not in ("QUEUED", "RUNNING"):
                break
            time.sleep(0.02)
        assert status["State"] == expected, status
        return started

    def used(self, table, *columns):
        return {"Database": self.database, "Table": table, "Columns": sorted(columns)}

    def get(self, path, key="test", secret="test"):
        return own_call(self.server, "athena", f"lineage/{path}", key, secret)

    def execution(self, identifier):
        status, answer = self.get(f"executions/{identifier}")
        assert status == 200, answer
        return answer


@pytest.fixture
def lake(shared, unique):
    return Lake(shared, unique("lineage"))


def test_a_query_names_what_it_reads_and_writes(lake):
    read = lake.execution(lake.run("SELECT count(*) FROM flights WHERE delay > 1"))
    assert (read["State"], read["Read"], read["Written"]) == ("SUCCEEDED", [lake.used("flights", "delay")], [])
    lake.run("CREATE VIEW late AS SELECT carrier, delay FROM flights")
    made = lake.execution(lake.run("CREATE TABLE carriers AS SELECT l.carrier FROM late l"))
    assert made["Read"] == [lake.used("flights", "carrier")]
    assert made["Written"] == [lake.used("carriers", "carrier")]
    added = lake.execution(lake.run("INSERT INTO flights (id, delay) SELECT 2, 0.5 FROM carriers"))
    assert (added["Read"], added["Written"]) == ([lake.used("carriers")], [lake.used("flights", "id", "delay")])
    nothing = lake.execution(lake.run("SELECT 1"))
    assert (nothing["Read"], nothing["Written"]) == ([], [])


def test_a_table_names_who_used_it_last(lake):
    first = lake.run("SELECT id FROM flights")
    second = lake.run("SELECT carrier FROM flights")
    lake.run("SELECT 1 / (id - id) FROM flights", expected="FAILED")
    _, answer = lake.get(f"tables/{lake.database}/flights")
    readers, writers = answer["Lineage"]["LastReaders"], answer["Lineage"]["LastWriters"]
    assert [reader["QueryExecutionId"] for reader in readers] == [second, first]
    assert [reader["Columns"] for reader in readers] == [["carrier"], ["id"]]
    assert [writer["Principal"] for writer in writers] == ["arn:aws:iam::000000000000:root"]


def test_lineage_is_for_who_may_see_query_and_table(lake, unique):
    execution = lake.run("SELECT id FROM flights")
    iam = lake.server.client("iam", "test", "test")
    name = unique("reader")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    pair = key["AccessKeyId"], key["SecretAccessKey"]
    paths = [f"executions/{execution}", f"tables/{lake.database}/flights"]
    for path in paths:
        status, answer = lake.get(path, *pair)
        assert (status, answer["__type"]) == (400, "AccessDeniedException") or status == 403, answer
        assert lake.get(path, "test", "wrong")[0] == 403
        assert lake.get(path, None)[0] in (400, 403)
    document = {"Version": "2012-10-17", "Statement": [allow("athena:GetQueryExecution", "glue:GetTable")]}
    iam.put_user_policy(UserName=name, PolicyName="see", PolicyDocument=json.dumps(document))
    assert [lake.get(path, *pair)[0] for path in paths] == [200, 200]


def test_what_is_not_there_is_said(lake):
    assert lake.get("executions/nothing")[0] == 400
    status, answer = lake.get(f"tables/{lake.database}/nothing")
    assert (status, answer["__type"]) == (400, "EntityNotFoundException")
    assert lake.get("columns")[0] == 404
