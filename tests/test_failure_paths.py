"""What goes wrong inside a workflow's task shows in the execution's history, by the error that AWS documents for it."""

import io
import json
import zipfile

import pytest
from conftest import allow, service_role, wait_for

CODE = """
import time
def handler(event, context):
    if event["do"] == "raise":
        raise ValueError("no such airport: " + event["airport"])
    if event["do"] == "sleep":
        time.sleep(30)
    if event["do"] == "grow":
        held = []
        while True:
            held.append(b"x" * 10_000_000)
    return event
"""


def archive(text):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("index.py", text)
    return buffer.getvalue()


class World:
    def __init__(self, server, unique):
        self.server, self.unique = server, unique
        self.sfn = server.client("stepfunctions", "test", "test")
        self.s3 = server.client("s3", "test", "test")
        self.glue = server.client("glue", "test", "test")
        self.awslambda = server.client("lambda", "test", "test")

    def role(self, *statements, service):
        return service_role(self.server, self.unique("role"), *statements, service=f"{service}.amazonaws.com")

    def run(self, task, *allowed, **more):
        """Runs a machine with this task alone; answers how it failed and the event of the failed task."""
        states = {"Task": {"Type": "Task", "End": True} | task}
        machine = self.sfn.create_state_machine(
            name=self.unique("machine"),
            definition=json.dumps({"StartAt": "Task", "States": states} | more),
            roleArn=self.role(*allowed, service="states"),
        )["stateMachineArn"]
        arn = self.sfn.start_execution(stateMachineArn=machine)["executionArn"]

        def ended():
            found = self.sfn.describe_execution(executionArn=arn)
            return found if found["status"] != "RUNNING" else None

        execution = wait_for(ended, "the end of the execution", 60)
        assert execution["status"] == "FAILED", execution
        events = self.sfn.get_execution_history(executionArn=arn)["events"]
        failed = [event["taskFailedEventDetails"] for event in events if event["type"] == "TaskFailed"]
        assert events[-1]["type"] == "ExecutionFailed"
        details = events[-1]["executionFailedEventDetails"]
        assert (details["error"], details["cause"]) == (execution["error"], execution["cause"])
        return execution, failed

    def function(self, **settings):
        name = self.unique("function")
        self.awslambda.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Handler="index.handler",
            Role=self.role(allow("logs:*"), service="lambda"),
            Code={"ZipFile": archive(CODE)},
            **settings,
        )
        return name

    def invoke(self, payload, **settings):
        parameters = {"FunctionName": self.function(**settings), "Payload": payload}
        task = {"Resource": "arn:aws:states:::lambda:invoke", "Parameters": parameters}
        return self.run(task, allow("lambda:InvokeFunction"))


@pytest.fixture
def world(shared, unique):
    return World(shared, unique)


def test_a_function_that_raises(world):
    execution, [failed] = world.invoke({"do": "raise", "airport": "XXX"})
    assert (execution["error"], failed["resourceType"], failed["resource"]) == ("ValueError", "lambda", "invoke")
    cause = json.loads(execution["cause"])
    assert (cause["errorType"], cause["errorMessage"]) == ("ValueError", "no such airport: XXX")
    assert "index.py" in cause["stackTrace"][0]


def test_a_function_that_takes_too_long(world):
    execution, [failed] = world.invoke({"do": "sleep"}, Timeout=1)
    assert failed["error"] == execution["error"] == "Sandbox.Timedout"
    assert "Task timed out after 1.00 seconds" in json.loads(execution["cause"])["errorMessage"]


def test_a_function_that_takes_too_much_memory(world):
    execution, [failed] = world.invoke({"do": "grow"}, MemorySize=128, Timeout=30)
    assert failed["error"] == execution["error"]
    assert execution["error"] in ("Runtime.ExitError", "Runtime.OutOfMemory"), execution
    assert "signal: killed" in json.loads(execution["cause"])["errorMessage"]


def test_a_job_with_a_wrong_column(world):
    bucket = world.unique("wrong-column")
    world.s3.create_bucket(Bucket=bucket)
    world.s3.put_object(Bucket=bucket, Key="in/a.json", Body=b'{"carrier": "UA", "delay": 5}\n')
    nodes = {
        "source": {"S3JsonSource": {"Name": "flights", "Paths": [f"s3://{bucket}/in/"]}},
        "select": {"SelectFields": {"Name": "selection", "Inputs": ["source"], "Paths": [["no_such_column"]]}},
        "target": {
            "S3DirectTarget": {"Name": "out", "Inputs": ["select"], "Path": f"s3://{bucket}/out/", "Format": "json"}
        },
    }
    job = world.unique("job")
    world.glue.create_job(
        Name=job,
        Role=world.role(allow("s3:*"), service="glue"),
        Command={"Name": "glueetl"},
        GlueVersion="4.0",
        CodeGenConfigurationNodes=nodes,
    )
    task = {"Resource": "arn:aws:states:::glue:startJobRun.sync", "Parameters": {"JobName": job}}
    execution, [failed] = world.run(task, allow("glue:*"))
    assert (execution["error"], failed["resource"]) == ("States.TaskFailed", "startJobRun.sync")
    run = json.loads(execution["cause"])
    assert (run["JobName"], run["JobRunState"]) == (job, "FAILED")
    assert "no_such_column" in run["ErrorMessage"] and "selection" in run["ErrorMessage"]
    assert "Contents" not in world.s3.list_objects_v2(Bucket=bucket, Prefix="out/"), "nothing is half-written"


def test_a_crawler_on_a_forbidden_bucket(world):
    bucket, name = world.unique("forbidden"), world.unique("crawler")
    world.s3.create_bucket(Bucket=bucket)
    world.s3.put_object(Bucket=bucket, Key="t/a.csv", Body=b"a,b\n1,2\n")
    world.glue.create_crawler(
        Name=name,
        Role=world.role(allow("glue:*"), service="glue"),
        DatabaseName="default",
        Targets={"S3Targets": [{"Path": f"s3://{bucket}/t/"}]},
    )
    states = {
        "Crawl": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:glue:startCrawler",
            "Parameters": {"Name": name},
            "Next": "Wait",
        },
        "Wait": {"Type": "Wait", "Seconds": 1, "Next": "Look"},
        "Look": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:glue:getCrawler",
            "Parameters": {"Name": name},
            "Next": "Ended",
        },
        "Ended": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.Crawler.State", "StringEquals": "READY", "Next": "Judge"}],
            "Default": "Wait",
        },
        "Judge": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.Crawler.LastCrawl.Status", "StringEquals": "FAILED", "Next": "Failed"}],
            "Default": "Fine",
        },
        "Fine": {"Type": "Succeed"},
        "Failed": {"Type": "Fail", "Error": "CrawlFailed", "CausePath": "$.Crawler.LastCrawl.ErrorMessage"},
    }
    execution, failed = world.run({}, allow("glue:*"), StartAt="Crawl", States=states)
    assert (execution["error"], failed) == ("CrawlFailed", [])
    assert "not authorized to perform: s3:ListBucket" in execution["cause"] and bucket in execution["cause"]


def test_a_role_without_permission(world):
    parameters = {"FunctionName": world.function(), "Payload": {}}
    task = {"Resource": "arn:aws:states:::lambda:invoke", "Parameters": parameters}
    execution, [failed] = world.run(task, allow("glue:GetTable"))
    assert failed["error"] == execution["error"] == "Lambda.AWSLambdaException"
    assert "is not authorized to perform: lambda:InvokeFunction on resource" in execution["cause"]
