"""What takes minutes, months and years: the server's clock is set forward instead of waiting."""

import datetime
import json
import threading

import pytest
from botocore.exceptions import ClientError

from conftest import allow, service_role, wait_for
from test_events import log_group, put, received, rule
from test_lambda import Functions
from test_scheduler import DEFAULT_BUS
from test_stepfunctions import World, machine, sdk

MINUTE, HOUR, DAY = 60, 3600, 86_400
OFF = {"Mode": "OFF"}


@pytest.fixture
def server(start, clock):
    return start("--dev", *clock.flags)


def names(prefix):
    return prefix


class Ticks:
    """Schedules whose events arrive in a log group."""

    def __init__(self, server):
        self.scheduler, self.logs = server.client("scheduler", "test", "test"), server.client("logs", "test", "test")
        rule(server.client("events", "test", "test"), "ticks", {"source": ["tick"]}, {"Arn": log_group(self.logs, "ticks")})
        self.role = service_role(server, "ticker", allow("events:PutEvents"), service="scheduler.amazonaws.com")

    def schedule(self, expression, **more):
        target = {
            "Arn": DEFAULT_BUS,
            "RoleArn": self.role,
            "EventBridgeParameters": {"Source": "tick", "DetailType": "Tick"},
            "Input": json.dumps({"at": "<aws.scheduler.scheduled-time>"}),
        }
        options = {"FlexibleTimeWindow": OFF} | more
        self.scheduler.create_schedule(Name="tick", ScheduleExpression=expression, Target=target, **options)

    def seen(self):
        return [event["detail"]["at"] for event in received(self.logs, "ticks")]

    def wait(self, count):
        return wait_for(lambda: len(seen := self.seen()) >= count and seen, f"{count} ticks")


def test_a_time_that_daylight_saving_skips_does_not_happen(server, clock):
    clock.move_to("2027-03-12T12:00:00Z")
    ticks = Ticks(server)
    ticks.schedule("cron(30 2 * * ? *)", ScheduleExpressionTimezone="America/New_York")
    for noon in ["2027-03-13T12:00:00Z", "2027-03-14T12:00:00Z", "2027-03-15T12:00:00Z"]:
        clock.move_to(noon)
        if noon.startswith("2027-03-14"):
            continue  # the clocks go from 2:00 to 3:00 this night
        ticks.wait(1 if noon.startswith("2027-03-13") else 2)
    assert ticks.seen() == ["2027-03-13T07:30:00Z", "2027-03-15T06:30:00Z"]


def test_a_time_that_daylight_saving_repeats_happens_once(server, clock):
    clock.move_to("2027-10-30T12:00:00Z")
    ticks = Ticks(server)
    ticks.schedule("cron(30 2 * * ? *)", ScheduleExpressionTimezone="Europe/Berlin")
    # The clocks go from 3:00 back to 2:00 on 31 October.
    clock.move_to("2027-10-31T00:31:00Z")
    assert ticks.wait(1) == ["2027-10-31T00:30:00Z"]
    clock.move_to("2027-10-31T12:00:00Z")
    clock.move_to("2027-11-01T12:00:00Z")
    assert ticks.wait(2) == ["2027-10-31T00:30:00Z", "2027-11-01T01:30:00Z"]


def test_a_flexible_window_is_used_and_kept(server, clock):
    clock.move_to("2027-06-01T02:00:00Z")
    ticks = Ticks(server)
    window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 60}
    ticks.schedule("cron(0 1 * * ? *)", FlexibleTimeWindow=window)
    for day in range(2, 8):
        clock.move_to(f"2027-06-{day:02}T00:59:30Z")
        assert len(ticks.seen()) == day - 2
        clock.move(61 * MINUTE)
        ticks.wait(day - 1)
    assert ticks.seen() == [f"2027-06-{day:02}T01:00:00Z" for day in range(2, 8)]


def test_a_one_time_schedule_goes_when_it_is_done(server, clock):
    ticks = Ticks(server)
    at = clock.now() + datetime.timedelta(days=90)
    ticks.schedule(f"at({at:%Y-%m-%dT%H:%M:%S})", ActionAfterCompletion="DELETE")
    clock.move(89 * DAY)
    assert ticks.seen() == [] and ticks.scheduler.get_schedule(Name="tick")["State"] == "ENABLED"
    clock.move(DAY + 1)
    assert ticks.wait(1) == [f"{at:%Y-%m-%dT%H:%M:%S}Z"]
    with pytest.raises(ClientError) as error:
        ticks.scheduler.get_schedule(Name="tick")
    assert error.value.response["Error"]["Code"] == "ResourceNotFoundException"


def logged(server, *words):
    with open(server.log.name) as log:
        return [line for line in log if all(word in line for word in words)]


class Busy:
    """A function that has no room, and a schedule that calls it and is told so."""

    def __init__(self, server, **policy):
        self.functions = Functions(server, names)
        self.name = self.functions.create("def handler(event, context):\n    print('RAN')\n")
        self.arn = self.functions.client.get_function_configuration(FunctionName=self.name)["FunctionArn"]
        self.functions.client.put_function_concurrency(FunctionName=self.name, ReservedConcurrentExecutions=0)
        grants = allow("lambda:InvokeFunction", resource=self.arn)
        target = {
            "Arn": "arn:aws:scheduler:::aws-sdk:lambda:invoke",
            "RoleArn": service_role(server, "caller", grants, service="scheduler.amazonaws.com"),
            "Input": json.dumps({"FunctionName": self.name, "InvocationType": "RequestResponse"}),
            "RetryPolicy": policy,
        }
        server.client("scheduler", "test", "test").create_schedule(
            Name="busy", ScheduleExpression="rate(365 days)", FlexibleTimeWindow=OFF, Target=target
        )


def given_up(server):
    return [json.loads(line)["fields"] for line in logged(server, "delivery given up")]


def test_a_schedule_gives_up_after_its_attempts(server, clock):
    Busy(server, MaximumRetryAttempts=2)
    for failures in [1, 2]:
        wait_for(lambda: len(logged(server, "delivery failed")) == failures, f"failure {failures}")
        clock.move(10 * MINUTE)
    (line,) = wait_for(lambda: given_up(server), "the end of the delivery")
    assert line["attempt"] == 3 and "TooManyRequests" in line["error"], line


def test_a_schedule_gives_up_on_what_is_too_old(server, clock):
    Busy(server, MaximumEventAgeInSeconds=120)
    wait_for(lambda: logged(server, "delivery failed"), "the first failure")
    assert given_up(server) == []
    clock.move(121)
    (line,) = wait_for(lambda: given_up(server), "the end of the delivery")
    assert line["attempt"] > 1


def test_lambda_tries_an_event_again_after_one_and_two_minutes(server, clock):
    functions, logs = Functions(server, names), server.client("logs", "test", "test")
    role = functions.role(allow("events:PutEvents"))
    name = functions.create("def handler(event, context):\n    print('TRIED')\n    raise ValueError('no')\n", role=role)
    rule(server.client("events", "test", "test"), "failed", {"source": ["lambda"]}, {"Arn": log_group(logs, "failed")})
    functions.client.put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnFailure": {"Destination": DEFAULT_BUS}}
    )

    def tried():
        try:
            return len(logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="TRIED")["events"])
        except ClientError:
            return 0

    functions.client.invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")
    wait_for(lambda: tried() == 1, "the first attempt")
    clock.move(40)
    assert tried() == 1
    clock.move(20)
    wait_for(lambda: tried() == 2, "the second attempt")
    clock.move(100)
    assert tried() == 2
    clock.move(20)
    wait_for(lambda: tried() == 3, "the third attempt")
    (event,) = wait_for(lambda: received(logs, "failed"), "the failure's arrival")
    context = event["detail"]["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("RetriesExhausted", 3)
    clock.move(DAY)
    assert tried() == 3


def test_an_event_that_finds_no_room_waits_for_hours(server, clock):
    functions, logs = Functions(server, names), server.client("logs", "test", "test")
    name = functions.create("def handler(event, context):\n    print('RAN', event['n'])\n")
    functions.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    functions.client.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"n": 1}')
    for _ in range(5):
        clock.move(HOUR)
    functions.client.delete_function_concurrency(FunctionName=name)
    clock.move(10 * MINUTE)

    def ran():
        try:
            return logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="RAN")["events"]
        except ClientError:
            return None

    wait_for(ran, "the event's turn")
    functions.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    functions.client.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"n": 2}')
    clock.move(7 * HOUR)
    wait_for(lambda: logged(server, "an event was given up"), "the end of its patience")
    functions.client.delete_function_concurrency(FunctionName=name)
    clock.move(HOUR)
    assert len(ran()) == 1


def test_a_wait_of_a_year_survives_kill_9(start, clock):
    server = start("--dev", *clock.flags)
    world = World(server)
    year = machine("W", W={"Type": "Wait", "Seconds": 364 * DAY, "Next": "P"}, P={"Type": "Pass", "End": True})
    execution = world.start(world.create(year), {"kept": True})
    clock.move(300 * DAY)
    server.kill()
    world = World(start("--dev", *clock.flags), role=world.role)
    assert world.sfn.describe_execution(executionArn=execution)["status"] == "RUNNING"
    clock.move(64 * DAY)
    found = world.ended(execution)
    assert (found["status"], json.loads(found["output"])) == ("SUCCEEDED", {"kept": True})
    assert (found["stopDate"] - found["startDate"]).days == 364


def test_retries_of_a_task_double_their_pauses(server, clock):
    world = World(server)
    retry = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 100, "BackoffRate": 2, "MaxAttempts": 3, "MaxDelaySeconds": 250}
    call = sdk("glue:getDatabase", {"Name": "none"}, Retry=[retry], End=True)
    execution = world.start(world.create(machine("S", S=call)))

    def attempts():
        return world.types(execution).count("TaskScheduled")

    for n, pause in enumerate([100, 200, 250], start=1):
        wait_for(lambda: world.types(execution).count("TaskFailed") == n, "the failure")
        clock.move(pause - 20)
        assert attempts() == n
        clock.move(20)
        wait_for(lambda: attempts() == n + 1, "the next attempt")
    assert world.ended(execution)["status"] == "FAILED"


def test_express_executions_end_after_five_minutes(server, clock):
    world = World(server)
    arn = world.create(machine("W", W={"Type": "Wait", "Seconds": HOUR, "End": True}), type="EXPRESS")
    answers = []
    caller = threading.Thread(target=lambda: answers.append(world.sfn.start_sync_execution(stateMachineArn=arn)))
    caller.start()
    clock.move(4 * MINUTE)
    assert caller.is_alive()
    # The execution may have begun after the move.
    wait_for(lambda: clock.move(MINUTE) or not caller.is_alive(), "the end of the execution")
    caller.join()
    assert answers[0]["status"] == "TIMED_OUT"


def test_history_is_forgotten_in_time(server, clock):
    world, glue = World(server), server.client("glue", "test", "test")
    execution = world.start(world.create(machine("P", P={"Type": "Pass", "End": True})))
    world.ended(execution)
    s3 = server.client("s3", "test", "test")
    s3.create_bucket(Bucket="scripts")
    s3.put_object(Bucket="scripts", Key="a.py", Body=b"print('hello')\n")
    role = service_role(server, "job-role", allow("s3:*", "logs:*"))
    glue.create_job(Name="j", Role=role, Command={"Name": "pythonshell", "ScriptLocation": "s3://scripts/a.py", "PythonVersion": "3.9"})

    def run():
        id = glue.start_job_run(JobName="j")["JobRunId"]
        ends = ["SUCCEEDED", "FAILED", "TIMEOUT"]
        wait_for(lambda: glue.get_job_run(JobName="j", RunId=id)["JobRun"]["JobRunState"] in ends, "the run's end", 60)
        return id

    first = run()
    clock.move(91 * DAY)
    wait_for(lambda: gone(world.sfn.describe_execution, "ExecutionDoesNotExist", executionArn=execution), "forgetting")
    assert [found["Id"] for found in glue.get_job_runs(JobName="j")["JobRuns"]] == [first]
    clock.move(275 * DAY)
    assert glue.get_job_runs(JobName="j")["JobRuns"] == []
    assert gone(glue.get_job_run, "EntityNotFoundException", JobName="j", RunId=first)
    second = run()
    assert [found["Id"] for found in glue.get_job_runs(JobName="j")["JobRuns"]] == [second]


def gone(call, code, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code
        return True
    return False


def test_buffers_are_delivered_when_their_time_is_over(server, clock):
    s3, firehose = server.client("s3", "test", "test"), server.client("firehose", "test", "test")
    s3.create_bucket(Bucket="landing")
    role = service_role(server, "deliver", allow("s3:PutObject"), service="firehose.amazonaws.com")
    firehose.create_delivery_stream(
        DeliveryStreamName="slow",
        ExtendedS3DestinationConfiguration={
            "RoleARN": role,
            "BucketARN": "arn:aws:s3:::landing",
            "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 900},
        },
    )
    arrival = clock.now()
    firehose.put_record(DeliveryStreamName="slow", Record={"Data": b"one"})
    clock.move(800)
    assert "Contents" not in s3.list_objects_v2(Bucket="landing")
    clock.move(100)
    (found,) = wait_for(lambda: s3.list_objects_v2(Bucket="landing").get("Contents"), "the delivery")
    # The key tells when the record came, not when it was delivered.
    assert found["Key"].startswith(f"{arrival:%Y/%m/%d/%H}/")


def test_sessions_end(server, clock):
    iam = server.client("iam", "test", "test")
    user = iam.create_user(UserName="ann")["User"]["Arn"]
    trust = {"Effect": "Allow", "Principal": {"AWS": user}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="short", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow("sts:AssumeRole")]})
    iam.put_user_policy(UserName="ann", PolicyName="assume", PolicyDocument=policy)
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    sts = server.client("sts", key["AccessKeyId"], key["SecretAccessKey"])
    session = sts.assume_role(RoleArn=role, RoleSessionName="once", DurationSeconds=900)["Credentials"]

    import boto3

    as_role = boto3.client(
        "sts",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    assert as_role.get_caller_identity()["Arn"].endswith("assumed-role/short/once")
    clock.move(14 * MINUTE)
    as_role.get_caller_identity()
    clock.move(MINUTE)

    def ended():
        try:
            return as_role.get_caller_identity() is None
        except ClientError as error:
            return error.response["Error"]["Code"] in ("ExpiredToken", "ExpiredTokenException")

    wait_for(ended, "the session's end", 10)
