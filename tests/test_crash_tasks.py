"""Tasks that a crash interrupts: jobs and queries are done once, functions are told that they see an event again."""

import json
import time

import pytest

from conftest import allow, service_role, wait_for
from test_lambda import Functions
from test_stepfunctions import World, machine

# When the server dies after the execution has started, in seconds.
MOMENTS = [0.0, 0.02, 0.05, 0.15, 0.5]


@pytest.fixture
def crashes(start):
    """Runs a machine again and again, each time with a kill -9 at another moment; answers the server and the outputs."""

    def run(prepare):
        server = start("--dev")
        world = World(server)
        arn = world.create(prepare(server))
        outputs = []
        for turn, moment in enumerate(MOMENTS):
            execution = world.start(arn, name=f"turn-{turn}")
            time.sleep(moment)
            server.kill()
            server = start("--dev")
            world = World(server, role=world.role)
            found = world.ended(execution, 60)
            assert found["status"] == "SUCCEEDED", (found, world.types(execution)[-3:])
            outputs.append(json.loads(found["output"]))
        return server, outputs

    return run


def test_a_job_runs_once(crashes):
    def prepare(server):
        glue, s3 = server.client("glue", "test", "test"), server.client("s3", "test", "test")
        s3.create_bucket(Bucket="lake")
        s3.put_object(Bucket="lake", Key="in/a.csv", Body=b"n\n1\n2\n")
        role = service_role(server, "job", allow("s3:*", "logs:*"))
        nodes = {
            "in": {"S3CsvSource": {"Name": "in", "Paths": ["s3://lake/in/"], "Separator": "comma", "QuoteChar": "quote", "WithHeader": True}},
            "out": {"S3DirectTarget": {"Name": "out", "Inputs": ["in"], "Path": "s3://lake/out/", "Format": "json"}},
        }
        glue.create_job(
            Name="copy",
            Role=role,
            GlueVersion="4.0",
            Command={"Name": "glueetl", "ScriptLocation": "s3://lake/none.py"},
            CodeGenConfigurationNodes=nodes,
        )
        task = {"Type": "Task", "Resource": "arn:aws:states:::glue:startJobRun.sync", "Parameters": {"JobName": "copy"}}
        return machine("J", J=task | {"End": True})

    server, outputs = crashes(prepare)
    runs = server.client("glue", "test", "test").get_job_runs(JobName="copy")["JobRuns"]
    assert len(runs) == len(outputs) == len({output["Id"] for output in outputs})
    assert {run["JobRunState"] for run in runs} == {"SUCCEEDED"}


def test_a_query_runs_once(crashes):
    """A query that was running when the server died has failed, and is asked again by the machine's Retry."""

    def prepare(server):
        server.client("s3", "test", "test").create_bucket(Bucket="results")
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::athena:startQueryExecution.sync",
            "Parameters": {"QueryString": "SELECT 1", "ResultConfiguration": {"OutputLocation": "s3://results/"}},
            "Retry": [{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 1}],
        }
        return machine("Q", Q=task | {"End": True})

    server, outputs = crashes(prepare)
    athena = server.client("athena", "test", "test")
    ids = athena.list_query_executions()["QueryExecutionIds"]
    states = [athena.get_query_execution(QueryExecutionId=id)["QueryExecution"]["Status"]["State"] for id in ids]
    assert states.count("SUCCEEDED") == len(outputs)
    assert len(states) - len(outputs) == states.count("FAILED")


def test_a_function_sees_the_same_request_again(crashes):
    names = iter(range(99))
    made = []

    def prepare(server):
        functions = Functions(server, lambda prefix: f"{prefix}-{next(names)}")
        code = "import time\ndef handler(event, context):\n    print('SEEN')\n    time.sleep(0.3)\n    return context.aws_request_id\n"
        made.append(functions.create(code))
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": made[0]},
            "OutputPath": "$.Payload",
        }
        return machine("F", F=task | {"End": True})

    server, outputs = crashes(prepare)
    logs = server.client("logs", "test", "test")

    def started():
        found = logs.filter_log_events(logGroupName=f"/aws/lambda/{made[0]}", filterPattern="START")["events"]
        ids = {event["message"].split()[2] for event in found}
        return ids >= set(outputs) and ids

    # However often a task was carried out, its function was called by one id.
    assert len(set(outputs)) == len(MOMENTS)
    assert wait_for(started, "the log of every run") == set(outputs)
