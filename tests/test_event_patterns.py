"""Event patterns, what targets get, and the services that put events on the bus and take them from it."""

import json

import pytest
from botocore.exceptions import ClientError

from conftest import allow, service_role, wait_for
from test_events import ACCOUNT, log_group, put, received, refused, rule
from test_lambda import Functions


@pytest.fixture
def events(shared):
    return shared.client("events", "test", "test")


@pytest.fixture
def logs(shared):
    return shared.client("logs", "test", "test")


EVENT = {
    "id": "1",
    "account": ACCOUNT,
    "source": "shop",
    "time": "2026-01-01T00:00:00Z",
    "region": "us-east-1",
    "resources": ["arn:aws:s3:::raw"],
    "detail-type": "Order",
    "detail": {
        "name": "orders/2026/a.csv",
        "count": 7,
        "price": 1.5,
        "ip": "10.0.3.7",
        "ip6": "2001:db8::1",
        "state": "Done",
        "nothing": None,
        "flag": True,
        "tags": ["red", "blue"],
        "items": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}],
    },
}


@pytest.mark.parametrize(
    "detail, matches",
    [
        ({"name": [{"prefix": "orders/"}]}, True),
        ({"name": [{"prefix": {"equals-ignore-case": "ORDERS/"}}]}, True),
        ({"name": [{"suffix": ".csv"}]}, True),
        ({"name": [{"suffix": {"equals-ignore-case": ".CSV"}}]}, True),
        ({"name": [{"prefix": "x"}, {"suffix": ".csv"}]}, True),
        ({"name": [{"wildcard": "orders/*/*.csv"}]}, True),
        ({"name": [{"wildcard": "orders/*.json"}]}, False),
        ({"name": [{"anything-but": "orders/2026/a.csv"}]}, False),
        ({"name": [{"anything-but": ["x", "y"]}]}, True),
        ({"name": [{"anything-but": {"prefix": "orders"}}]}, False),
        ({"name": [{"anything-but": {"prefix": ["raw", "tmp"]}}]}, True),
        ({"name": [{"anything-but": {"suffix": ".json"}}]}, True),
        ({"name": [{"anything-but": {"wildcard": "*/2026/*"}}]}, False),
        ({"name": [{"anything-but": {"equals-ignore-case": "ORDERS/2026/A.CSV"}}]}, False),
        ({"count": [7]}, True),
        ({"count": [7.0]}, True),
        ({"count": ["7"]}, False),
        ({"count": [{"anything-but": [1, 2]}]}, True),
        ({"count": [{"numeric": [">", 6, "<=", 7]}]}, True),
        ({"count": [{"numeric": ["=", 8]}]}, False),
        ({"price": [{"numeric": [">=", 1.5, "<", 2]}]}, True),
        ({"ip": [{"cidr": "10.0.0.0/16"}]}, True),
        ({"ip": [{"cidr": "10.1.0.0/16"}]}, False),
        ({"ip6": [{"cidr": "2001:db8::/32"}]}, True),
        ({"state": [{"equals-ignore-case": "dOnE"}]}, True),
        ({"nothing": [None]}, True),
        ({"nothing": [{"exists": True}]}, True),
        ({"absent": [{"exists": False}]}, True),
        ({"absent": [{"exists": True}]}, False),
        ({"flag": [True]}, True),
        ({"flag": ["true"]}, False),
        ({"tags": ["blue", "green"]}, True),
        ({"tags": ["green"]}, False),
        ({"items": {"sku": ["a"], "n": [1]}}, True),
        ({"items": {"sku": ["a"], "n": [2]}}, False),
        ({"$or": [{"count": [1]}, {"state": ["Done"]}]}, True),
        ({"$or": [{"count": [1]}, {"state": ["Open"]}], "flag": [True]}, False),
        ({"count": [7], "state": ["Open"]}, False),
    ],
)
def test_details_match(events, detail, matches):
    pattern = json.dumps({"detail": detail})
    assert events.test_event_pattern(EventPattern=pattern, Event=json.dumps(EVENT))["Result"] is matches


@pytest.mark.parametrize(
    "pattern",
    [
        {"detail": {"n": []}},
        {"detail": {"n": 1}},
        {"detail": {"n": [{"numeric": [">"]}]}},
        {"detail": {"n": [{"numeric": [">", "a"]}]}},
        {"detail": {"n": [{"numeric": ["<", 1, ">", 2]}]}},
        {"detail": {"n": [{"cidr": "10.0.0.0/99"}]}},
        {"detail": {"n": [{"unknown": 1}]}},
        {"detail": {"n": [{"wildcard": "a**b"}]}},
        {"detail": {"n": [{"exists": "yes"}]}},
        {"detail": {"n": [{"anything-but": []}]}},
        {"detail": {"$or": [{"n": [1]}]}},
        {},
    ],
)
def test_patterns_that_are_none_are_refused(events, pattern):
    message = refused("InvalidEventPatternException", events.put_rule, Name="wrong", EventPattern=json.dumps(pattern))
    assert message.startswith("Event pattern is not valid. Reason: ")


@pytest.mark.parametrize(
    "paths, template, expected",
    [
        ({"n": "$.detail.count"}, '{"n": <n>}', {"n": 7}),
        ({"n": "$.detail.name"}, '{"n": <n>}', {"n": "orders/2026/a.csv"}),
        ({"n": "$.detail.name"}, '"file <n> came"', "file orders/2026/a.csv came"),
        ({"t": "$.detail.tags[1]"}, '{"t": <t>, "whole": <aws.events.event.json>}', None),
        ({"o": "$.detail.items[0]"}, '{"o": <o>, "rule": <aws.events.rule-name>}', None),
    ],
)
def test_input_is_transformed(events, logs, unique, paths, template, expected):
    name, group = unique("shaped"), unique("/events/shaped")
    target = {"Arn": log_group(logs, group), "InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}
    rule(events, name, {"source": [name]}, target)
    put(events, name, EVENT["detail"])
    (got,) = wait_for(lambda: received(logs, group), "the event")
    if "t" in paths:
        assert got["t"] == "blue" and got["whole"]["detail"] == EVENT["detail"]
    elif "o" in paths:
        assert got == {"o": {"sku": "a", "n": 1}, "rule": name}
    else:
        assert got == expected


def test_constants_and_parts_are_sent(events, logs, unique):
    name = unique("parts")
    for key, options, expected in [
        ("constant", {"Input": '{"fixed": true}'}, {"fixed": True}),
        ("part", {"InputPath": "$.detail.items"}, EVENT["detail"]["items"]),
    ]:
        group = unique(f"/events/{key}")
        rule(events, f"{name}-{key}", {"source": [name]}, {"Arn": log_group(logs, group), **options})
        put(events, name, EVENT["detail"])
        assert wait_for(lambda: received(logs, group), "the event")[0] == expected


def stream_into(server, unique):
    """A delivery stream and its bucket."""
    bucket, stream = unique("landing"), unique("stream")
    server.client("s3", "test", "test").create_bucket(Bucket=bucket)
    role = service_role(server, unique("deliver"), allow("s3:PutObject"), service="firehose.amazonaws.com")
    made = server.client("firehose", "test", "test").create_delivery_stream(
        DeliveryStreamName=stream,
        ExtendedS3DestinationConfiguration={
            "RoleARN": role,
            "BucketARN": f"arn:aws:s3:::{bucket}",
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 0},
        },
    )
    return made["DeliveryStreamARN"], bucket


def lines(server, bucket):
    s3 = server.client("s3", "test", "test")
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    return b"".join(s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys)


def test_a_delivery_stream_takes_a_rules_events(shared, events, unique):
    arn, bucket = stream_into(shared, unique)
    name = unique("to-firehose")
    puts = allow("firehose:PutRecord", "firehose:PutRecordBatch", resource=arn)
    role = service_role(shared, unique("role"), puts, service="events.amazonaws.com")
    rule(events, name, {"source": [name]}, {"Arn": arn, "RoleArn": role})
    sent = put(events, name, {"n": 1})
    found = wait_for(lambda: lines(shared, bucket), "the delivery")
    assert json.loads(found)["id"] == sent
    assert "role" in refused("ValidationException", events.put_targets, Rule=name, Targets=[{"Id": "2", "Arn": arn}]).lower()


def test_a_delivery_stream_takes_a_schedules_input(shared, unique):
    arn, bucket = stream_into(shared, unique)
    puts = allow("firehose:PutRecord", "firehose:PutRecordBatch", resource=arn)
    role = service_role(shared, unique("role"), puts, service="scheduler.amazonaws.com")
    shared.client("scheduler", "test", "test").create_schedule(
        Name=unique("stream"),
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn, "RoleArn": role, "Input": '{"tick": 1}'},
    )
    assert json.loads(wait_for(lambda: lines(shared, bucket), "the delivery")) == {"tick": 1}


def test_a_schedule_invokes_a_function(shared, logs, unique):
    functions = Functions(shared, unique)
    name = functions.create("def handler(event, context):\n    print('TICK', event['at'])\n")
    arn = functions.client.get_function_configuration(FunctionName=name)["FunctionArn"]
    role = service_role(
        shared, unique("role"), allow("lambda:InvokeFunction", resource=arn), service="scheduler.amazonaws.com"
    )
    shared.client("scheduler", "test", "test").create_schedule(
        Name=unique("function"),
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn, "RoleArn": role, "Input": '{"at": "<aws.scheduler.scheduled-time>"}'},
    )

    def printed():
        try:
            return logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="TICK")["events"]
        except ClientError:
            return None

    (line,) = wait_for(printed, "the function's run", timeout=60)
    assert line["message"].strip().endswith("Z")


def test_glue_tells_how_jobs_end(shared, events, logs, unique):
    glue, s3 = shared.client("glue", "test", "test"), shared.client("s3", "test", "test")
    bucket, job, group = unique("scripts"), unique("job"), unique("/events/jobs")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="fail.py", Body=b"raise SystemExit('not today')\n")
    role = service_role(shared, unique("job-role"), allow("s3:*", "logs:*"))
    glue.create_job(
        Name=job, Role=role, Command={"Name": "pythonshell", "ScriptLocation": f"s3://{bucket}/fail.py", "PythonVersion": "3.9"}
    )
    pattern = {"source": ["aws.glue"], "detail-type": ["Glue Job State Change"], "detail": {"jobName": [job]}}
    rule(events, unique("jobs"), pattern, {"Arn": log_group(logs, group)})
    run = glue.start_job_run(JobName=job)["JobRunId"]
    (event,) = wait_for(lambda: received(logs, group), "the event", timeout=60)
    detail = event["detail"]
    assert (detail["state"], detail["severity"], detail["jobRunId"]) == ("FAILED", "ERROR", run)
    assert "not today" in detail["message"]


def test_step_functions_tells_every_end(shared, events, logs, unique):
    states, group = shared.client("stepfunctions", "test", "test"), unique("/events/runs")
    role = service_role(shared, unique("machine"), allow("*"), service="states.amazonaws.com")

    def machine(state):
        definition = json.dumps({"StartAt": "S", "States": {"S": state}})
        return states.create_state_machine(name=unique("machine"), definition=definition, roleArn=role)["stateMachineArn"]

    failing = machine({"Type": "Fail", "Error": "E", "Cause": "C"})
    waiting = machine({"Type": "Wait", "Seconds": 600, "End": True})
    pattern = {"source": ["aws.states"], "detail": {"stateMachineArn": [failing, waiting]}}
    rule(events, unique("runs"), pattern, {"Arn": log_group(logs, group)})
    failed = states.start_execution(stateMachineArn=failing, input='{"a": 1}')["executionArn"]
    stopped = states.start_execution(stateMachineArn=waiting)["executionArn"]
    states.stop_execution(executionArn=stopped, error="Enough", cause="lunch")
    told = wait_for(lambda: len(found := received(logs, group)) == 4 and found, "the events")
    assert {event["detail-type"] for event in told} == {"Step Functions Execution Status Change"}
    ends = {event["detail"]["executionArn"]: event for event in told if event["detail"]["status"] != "RUNNING"}
    assert ends[failed]["detail"]["status"] == "FAILED" and ends[failed]["resources"] == [failed]
    assert (ends[failed]["detail"]["error"], ends[failed]["detail"]["input"]) == ("E", '{"a": 1}')
    assert (ends[stopped]["detail"]["status"], ends[stopped]["detail"]["cause"]) == ("ABORTED", "lunch")


def test_ends_that_were_acknowledged_are_told_after_kill_9(start):
    """Whoever has seen an execution's end will see its event, whenever the server dies."""
    server = start("--dev")
    events, logs = server.client("events", "test", "test"), server.client("logs", "test", "test")
    states = server.client("stepfunctions", "test", "test")
    role = service_role(server, "machine", allow("*"), service="states.amazonaws.com")
    definition = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
    machine = states.create_state_machine(name="m", definition=definition, roleArn=role)["stateMachineArn"]
    pattern = {"source": ["aws.states"], "detail": {"status": ["SUCCEEDED"]}}
    rule(events, "ends", pattern, {"Arn": log_group(logs, "ends")})
    acknowledged = set()
    for turn in range(5):
        # The answer to the last start is all that the client has seen when the server dies.
        acknowledged |= {
            states.start_execution(stateMachineArn=machine, name=f"{turn}-{n}")["executionArn"] for n in range(10)
        }
        server.kill()
        server = start("--dev")
        states, logs = server.client("stepfunctions", "test", "test"), server.client("logs", "test", "test")

    def told():
        return {event["detail"]["executionArn"] for event in received(logs, "ends")} >= acknowledged

    wait_for(told, "the events of all executions", timeout=60)


def test_every_query_and_crawl_tells_its_end_whenever_the_server_dies(start):
    """What a restart finds unfinished has an end, too, and its event."""
    server = start("--dev")
    events, logs = server.client("events", "test", "test"), server.client("logs", "test", "test")
    s3, glue = server.client("s3", "test", "test"), server.client("glue", "test", "test")
    s3.create_bucket(Bucket="lake")
    s3.put_object(Bucket="lake", Key="t/a.csv", Body=b"n,name\n1,a\n2,b\n")
    glue.create_database(DatabaseInput={"Name": "lake"})
    role = service_role(server, "crawler", allow("s3:*", "glue:*"))
    glue.create_crawler(Name="c", Role=role, DatabaseName="lake", Targets={"S3Targets": [{"Path": "s3://lake/t"}]})
    rule(events, "ends", {"source": ["aws.athena", "aws.glue"]}, {"Arn": log_group(logs, "ends")})
    queries, crawls = set(), 0
    for _ in range(5):
        athena, glue = server.client("athena", "test", "test"), server.client("glue", "test", "test")
        if glue.get_crawler(Name="c")["Crawler"]["State"] == "READY":
            glue.start_crawler(Name="c")
            crawls += 1
        for n in range(4):
            query = athena.start_query_execution(
                QueryString=f"SELECT {n}", ResultConfiguration={"OutputLocation": "s3://lake/results/"}
            )
            queries.add(query["QueryExecutionId"])
        server.kill()
        server = start("--dev")
    logs, athena = server.client("logs", "test", "test"), server.client("athena", "test", "test")

    def told():
        details = [event["detail"] for event in received(logs, "ends")]
        ended = {detail["queryExecutionId"]: detail["currentState"] for detail in details if detail.get("currentState") in ("SUCCEEDED", "FAILED")}
        crawled = [detail for detail in details if detail.get("state") in ("Succeeded", "Failed")]
        return ended.keys() >= queries and len(crawled) >= crawls and ended

    ended = wait_for(told, "the events of all ends", timeout=60)
    for query, state in ended.items():
        assert athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]["State"] == state
