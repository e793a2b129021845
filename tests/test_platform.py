"""The reference architecture as a black box: one template, a stream, uploads, the daily workflow, SQL; and kill -9.

The same work is done three times: undisturbed, once more on top (nothing may be added twice), and on a server that dies
again and again. What analysts see must be the same every time, and what plain Python counts from the same records.
"""

import collections
import csv
import gzip
import io
import itertools
import json
import os
import random
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import botocore.exceptions
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from conftest import Server, wait_for

EXAMPLE = Path("examples/serverless-data-platform")
DATA = Path("examples/nyc-flights/data")
STACK = "flights"
ROUNDS = int(os.environ.get("BOATHOUSE_CHAOS_ROUNDS", "1"))
KILLS = 10
# Every so many departures of January: enough for every carrier, airport and kind of weather, quick enough to repeat.
EVERY = 9
LOST = (
    botocore.exceptions.HTTPClientError,
    botocore.exceptions.ConnectionError,
    urllib.error.URLError,
    ConnectionError,
    TimeoutError,
)
PATIENCE = 240


def table(name):
    return gzip.decompress((DATA / f"{name}.csv.gz").read_bytes())


def departures():
    rows = csv.DictReader(io.StringIO(table("flights").decode()))
    for row in itertools.islice(rows, 0, None, EVERY):
        yield {name: int(text) if text.lstrip("-").isdigit() else text for name, text in row.items()}


def records():
    """What the stream carries: every departure, some of them twice, and some records that can't be accepted."""
    lines, broken = [], 0
    for number, row in enumerate(departures(), 1):
        lines.append(json.dumps(row))
        if number % 50 == 0:
            lines.append(json.dumps(row))
        if number % 100 == 0:
            broken += 1
            lines.append(lines[-1][:40] if number % 200 else json.dumps(row | {"dep_delay": "soon"}))
    return lines, broken


def expected():
    """The master tables' sums by carrier, counted without any of the platform's help."""
    sums = collections.defaultdict(lambda: [0, 0, 0, 0])
    for row in departures():
        carrier = sums[row["carrier"]]
        carrier[0] += 1
        carrier[1] += row["dep_time"] == "NA"
        carrier[2] += 0 if row["dep_delay"] == "NA" else row["dep_delay"]
        carrier[3] += 0 if row["arr_delay"] == "NA" else row["arr_delay"]
    return sorted((carrier, *map(str, values)) for carrier, values in sums.items())


class Platform:
    """A client of a server that may be gone for a moment: every call is repeated until somebody answers."""

    def __init__(self, data_dir):
        self.data_dir = data_dir
        self.lock = threading.Lock()
        self.server = None
        self.start()

    def start(self):
        self.server = Server(self.data_dir, "--dev")

    def crash(self):
        """Ends the server as a power cut would, and starts it again."""
        with self.lock:
            self.server.kill()
            self.server.stop()
            self.start()

    def stop(self):
        self.server.stop()

    def patiently(self, attempt):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return attempt(self.server)
            except LOST:
                assert time.monotonic() < deadline, "the server does not come back"
                time.sleep(0.05)

    def call(self, service, operation, **members):
        return self.patiently(lambda server: getattr(server.client(service, "test", "test"), operation)(**members))

    def outputs(self):
        stack = self.call("cloudformation", "describe_stacks", StackName=STACK)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def deploy(self):
        self.call("s3", "create_bucket", Bucket="artifacts")
        for job in ("clean.py", "master.py"):
            script = (EXAMPLE / "jobs" / job).read_bytes()
            self.call("s3", "put_object", Bucket="artifacts", Key=f"serverless-data-platform/jobs/{job}", Body=script)
        self.call(
            "cloudformation",
            "create_stack",
            StackName=STACK,
            TemplateBody=(EXAMPLE / "template.yaml").read_text(),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[
                {"ParameterKey": "ArtifactsBucket", "ParameterValue": "artifacts"},
                {"ParameterKey": "BufferSeconds", "ParameterValue": "1"},
                {"ParameterKey": "PollSeconds", "ParameterValue": "1"},
            ],
        )

        def ended():
            status = self.call("cloudformation", "describe_stacks", StackName=STACK)["Stacks"][0]["StackStatus"]
            return status if not status.endswith("IN_PROGRESS") else None

        status = wait_for(ended, "the stack", 120)
        events = self.call("cloudformation", "describe_stack_events", StackName=STACK)["StackEvents"]
        failed = [(e["LogicalResourceId"], e.get("ResourceStatusReason")) for e in events if "FAILED" in e["ResourceStatus"]]
        assert status == "CREATE_COMPLETE", failed
        return self.outputs()

    def stream(self, name, lines):
        for start in range(0, len(lines), 400):
            waiting = lines[start : start + 400]
            while waiting:
                answer = self.call(
                    "firehose",
                    "put_record_batch",
                    DeliveryStreamName=name,
                    Records=[{"Data": line} for line in waiting],
                )
                replies = zip(waiting, answer["RequestResponses"], strict=True)
                waiting = [line for line, reply in replies if "ErrorCode" in reply]

    def upload(self, source):
        """A file in the body of a signed request to the API."""

        def attempt(server):
            url = f"{self.outputs()['Uploads']}/uploads/{source}"
            # The address was made by an earlier process, perhaps at another port.
            url = f"{server.url}{url[url.index('/', 8) :]}"
            body = table(source)
            signed = AWSRequest("POST", url, data=body, headers={"content-type": "text/csv"})
            SigV4Auth(Credentials("test", "test"), "execute-api", "us-east-1").add_auth(signed)
            request = urllib.request.Request(url, data=body, headers=dict(signed.headers), method="POST")
            try:
                return urllib.request.urlopen(request).status
            except urllib.error.HTTPError as error:
                # A gateway whose function died with the server answers 5xx: the client sends the file again.
                assert error.code >= 500, error.read()
                raise ConnectionError(str(error)) from error

        assert self.patiently(attempt) == 201

    def landed(self, bucket):
        def records_in(key):
            body = self.call("s3", "get_object", Bucket=bucket, Key=key)["Body"]
            return gzip.decompress(self.patiently(lambda _: body.read())).count(b"\n")

        found = self.call("s3", "list_objects_v2", Bucket=bucket, Prefix="flights/").get("Contents", [])
        return sum(records_in(item["Key"]) for item in found)

    def work(self, machine, name):
        """Runs the workflow to its end. What a failed run leaves behind is done by the next one."""
        for attempt in itertools.count():
            arn = self.call("stepfunctions", "start_execution", stateMachineArn=machine, name=f"{name}-{attempt}")
            arn = arn["executionArn"]

            def ended():
                described = self.call("stepfunctions", "describe_execution", executionArn=arn)
                return described if described["status"] != "RUNNING" else None

            described = wait_for(ended, "the workflow", PATIENCE)
            if described["status"] == "SUCCEEDED":
                return attempt
            assert attempt < 12, described

    def rows(self, sql, outputs):
        started = self.call(
            "athena",
            "start_query_execution",
            QueryString=sql,
            WorkGroup=outputs["WorkGroup"],
            QueryExecutionContext={"Database": outputs["Database"]},
        )
        query = started["QueryExecutionId"]

        def ended():
            status = self.call("athena", "get_query_execution", QueryExecutionId=query)["QueryExecution"]["Status"]
            return status if status["State"] in ("SUCCEEDED", "FAILED", "CANCELLED") else None

        status = wait_for(ended, "the query", 60)
        assert status["State"] == "SUCCEEDED", status
        rows = self.call("athena", "get_query_results", QueryExecutionId=query)["ResultSet"]["Rows"]
        return [tuple(cell.get("VarCharValue") for cell in row["Data"]) for row in rows[1:]]

    def seen(self, outputs):
        """What analysts see."""
        sums = "sum(flights), sum(cancelled), sum(dep_minutes), sum(arr_minutes)"
        groups = {"carrier": "carrier", "airport": "airport", "hour": "hour_of_day", "weather": "weather"}
        seen = {
            by: sorted(self.rows(f"SELECT {group}, {sums} FROM master_delays_by_{by} GROUP BY 1", outputs))
            for by, group in groups.items()
        }
        # Attempts that were cut off may have put the same bad row aside more than once, but none may be missing.
        seen["bad"] = self.rows("SELECT count(DISTINCT record) FROM accepted_quarantine", outputs)
        seen["accepted"] = self.rows("SELECT count(*), count(DISTINCT (carrier, flight, time_hour)) FROM accepted_flights", outputs)
        return seen


@pytest.fixture
def platform(tmp_path):
    made = []

    def make(name):
        made.append(Platform(tmp_path / name))
        return made[-1]

    yield make
    for platform in made:
        platform.stop()


def feed_and_work(platform, outputs, lines, run):
    platform.stream(outputs["Stream"], lines)
    for source in ("airlines", "airports"):
        platform.upload(source)
    for source in ("planes", "weather"):
        platform.call(
            "s3", "put_object", Bucket=outputs["LandingBucket"], Key=f"uploads/{source}/{run}.csv", Body=table(source)
        )
    return outputs


def check(seen, broken):
    assert seen["carrier"] == expected()
    assert seen["bad"] == [(str(broken),)]
    total = sum(int(row[1]) for row in seen["carrier"])
    assert seen["accepted"] == [(str(total), str(total))]
    for by in ("airport", "hour", "weather"):
        assert sum(int(row[1]) for row in seen[by]) == total, by


def test_the_platform_from_one_template(platform):
    one = platform("undisturbed")
    outputs = one.deploy()
    lines, broken = records()
    feed_and_work(one, outputs, lines, "first")
    wait_for(lambda: one.landed(outputs["LandingBucket"]) == len(lines), "the delivery of every record", 60)
    assert one.work(outputs["Workflow"], "first") == 0, "an undisturbed run succeeds at once"
    first = one.seen(outputs)
    check(first, broken)
    assert one.landed(outputs["LandingBucket"]) == 0, "landing is cleared"

    saved = one.call("athena", "list_named_queries", WorkGroup=outputs["WorkGroup"])["NamedQueryIds"]
    for query in saved:
        named = one.call("athena", "get_named_query", NamedQueryId=query)["NamedQuery"]
        assert one.rows(named["QueryString"], outputs), named["Name"]

    # The same once more: nothing may be added twice.
    feed_and_work(one, outputs, lines, "second")
    wait_for(lambda: one.landed(outputs["LandingBucket"]) == len(lines), "the second delivery", 60)
    assert one.work(outputs["Workflow"], "second") == 0
    assert one.seen(outputs) == first


def test_a_failed_run_says_why_and_the_next_one_does_its_work(platform):
    one = platform("failing")
    outputs = one.deploy()
    lines, broken = records()
    feed_and_work(one, outputs, lines, "first")
    resources = one.call("cloudformation", "describe_stack_resources", StackName=STACK)["StackResources"]
    role = next(found["PhysicalResourceId"] for found in resources if found["LogicalResourceId"] == "CleanRole")
    policy = one.call("iam", "get_role_policy", RoleName=role, PolicyName="clean")["PolicyDocument"]
    one.call("iam", "delete_role_policy", RoleName=role, PolicyName="clean")

    arn = one.call("stepfunctions", "start_execution", stateMachineArn=outputs["Workflow"], name="denied")
    arn = arn["executionArn"]

    def ended():
        described = one.call("stepfunctions", "describe_execution", executionArn=arn)
        return described if described["status"] != "RUNNING" else None

    described = wait_for(ended, "the failing run", PATIENCE)
    assert (described["status"], described["error"]) == ("FAILED", "States.TaskFailed")
    run = json.loads(described["cause"])
    assert (run["JobName"], run["JobRunState"]) == ("flights-clean", "FAILED")
    assert "AccessDenied" in run["ErrorMessage"], run
    events = one.call("stepfunctions", "get_execution_history", executionArn=arn, maxResults=1000)["events"]
    entered = [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]
    assert entered[-2:] == ["Notify", "Failed"]
    note = one.call("s3", "get_object", Bucket=outputs["MasterBucket"], Key="notifications/denied.json")
    assert json.loads(note["Body"].read())["cause"] == described["cause"]

    one.call("iam", "put_role_policy", RoleName=role, PolicyName="clean", PolicyDocument=json.dumps(policy))
    one.work(outputs["Workflow"], "again")
    check(one.seen(outputs), broken)


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_a_server_that_dies_again_and_again_loses_and_doubles_nothing(platform, turn):
    one = platform(f"chaos-{turn}")
    outputs = one.deploy()
    lines, broken = records()
    dice = random.Random(turn)
    moments = [dice.uniform(0.2, 2.5) for _ in range(KILLS)]
    print("kills after", moments)
    quiet, over = threading.Event(), threading.Event()

    def killer():
        try:
            for moment in moments:
                time.sleep(moment)
                one.crash()
        finally:
            quiet.set()
            # The server dies with the thread that started it.
            over.wait()

    threading.Thread(target=killer, daemon=True).start()
    try:
        feed_and_work(one, outputs, lines, "chaos")
        for run in range(20):
            calm = quiet.is_set()
            one.work(outputs["Workflow"], f"run-{run}")
            if calm and not one.call("s3", "list_objects_v2", Bucket=outputs["LandingBucket"])["KeyCount"]:
                break
        check(one.seen(outputs), broken)
    finally:
        over.set()
