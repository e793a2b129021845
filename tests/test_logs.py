"""CloudWatch Logs through boto3 and `aws logs`."""

import json
import os
import random
import subprocess
import sys
import threading
import time

import boto3
import pytest
from botocore.exceptions import ClientError

from conftest import allow, service_role

AWS = [sys.executable, os.path.join(os.path.dirname(sys.executable), "aws")]
HOUR = 3_600_000
DAY = 24 * HOUR


def now():
    return int(time.time() * 1000)


def refused(code, call, **arguments):
    """Calls, expects the error `code`, and answers its message."""
    with pytest.raises(ClientError) as error:
        call(**arguments)
    assert error.value.response["Error"]["Code"] == code, error.value
    return error.value.response["Error"]["Message"]


@pytest.fixture
def logs(shared):
    return shared.client("logs", "test", "test")


@pytest.fixture
def group(logs, unique):
    name = f"/aws/lambda/{unique('fn')}"
    logs.create_log_group(logGroupName=name)
    return name


@pytest.fixture
def stream(logs, group):
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    return {"logGroupName": group, "logStreamName": "one"}


def put(logs, stream, *events):
    entries = [{"timestamp": timestamp, "message": message} for timestamp, message in events]
    return logs.put_log_events(**stream, logEvents=entries)


def messages(answer):
    return [event["message"] for event in answer["events"]]


def test_groups_come_and_go(logs, unique):
    prefix = unique("app")
    for name in ["a", "b", "c"]:
        logs.create_log_group(logGroupName=f"{prefix}/{name}", tags={"team": name})
    refused("ResourceAlreadyExistsException", logs.create_log_group, logGroupName=f"{prefix}/a")
    first = logs.describe_log_groups(logGroupNamePrefix=prefix, limit=2)
    second = logs.describe_log_groups(logGroupNamePrefix=prefix, limit=2, nextToken=first["nextToken"])
    found = first["logGroups"] + second["logGroups"]
    assert [group["logGroupName"] for group in found] == [f"{prefix}/{name}" for name in "abc"]
    assert "nextToken" not in second
    assert found[0]["arn"] == f"arn:aws:logs:us-east-1:000000000000:log-group:{prefix}/a:*"
    assert found[0]["logGroupArn"] + ":*" == found[0]["arn"] and found[0]["logGroupClass"] == "STANDARD"
    by_pattern = logs.describe_log_groups(logGroupNamePattern=f"{prefix.upper()}/B")["logGroups"]
    assert [group["logGroupName"] for group in by_pattern] == [f"{prefix}/b"]
    arn = found[0]["logGroupArn"]
    logs.tag_resource(resourceArn=arn, tags={"stage": "test"})
    logs.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"stage": "test"}
    logs.delete_log_group(logGroupName=f"{prefix}/a")
    message = refused("ResourceNotFoundException", logs.delete_log_group, logGroupName=f"{prefix}/a")
    assert "log group does not exist" in message


def test_what_groups_can_not_have_is_refused_by_name(logs, unique):
    name = unique("group")
    create = logs.create_log_group
    assert "kmsKeyId" in refused("InvalidParameterException", create, logGroupName=name, kmsKeyId="k")
    message = refused("InvalidParameterException", create, logGroupName=name, logGroupClass="INFREQUENT_ACCESS")
    assert "INFREQUENT_ACCESS" in message
    assert "logGroupName" in refused("InvalidParameterException", create, logGroupName="a b")
    assert logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"] == []
    query = {"logGroupName": name, "startTime": 0, "endTime": 1, "queryString": "fields @message"}
    assert "StartQuery" in refused("UnknownOperationException", logs.start_query, **query)


def test_streams_come_and_go(logs, group):
    for name in ["b", "a", "c"]:
        logs.create_log_stream(logGroupName=group, logStreamName=name)
    refused("ResourceAlreadyExistsException", logs.create_log_stream, logGroupName=group, logStreamName="a")
    refused("InvalidParameterException", logs.create_log_stream, logGroupName=group, logStreamName="a:b")
    refused("ResourceNotFoundException", logs.create_log_stream, logGroupName="none", logStreamName="a")
    at = now()
    put(logs, {"logGroupName": group, "logStreamName": "b"}, (at - 10, "x"), (at, "yy"))
    put(logs, {"logGroupName": group, "logStreamName": "c"}, (at - 5, "z"))
    pages = logs.get_paginator("describe_log_streams")

    def names(**options):
        found = pages.paginate(logGroupName=group, PaginationConfig={"PageSize": 2}, **options)
        return [stream["logStreamName"] for page in found for stream in page["logStreams"]]

    assert names() == ["a", "b", "c"]
    assert names(descending=True) == ["c", "b", "a"]
    assert names(orderBy="LastEventTime", descending=True) == ["b", "c", "a"]
    assert names(logStreamNamePrefix="b") == ["b"]
    shown = logs.describe_log_streams(logGroupIdentifier=group, logStreamNamePrefix="b")["logStreams"][0]
    assert (shown["firstEventTimestamp"], shown["lastEventTimestamp"]) == (at - 10, at)
    assert shown["storedBytes"] > 0 and shown["lastIngestionTime"] >= at
    logs.delete_log_stream(logGroupName=group, logStreamName="b")
    refused("ResourceNotFoundException", logs.get_log_events, logGroupName=group, logStreamName="b")
    logs.create_log_stream(logGroupName=group, logStreamName="b")
    assert logs.get_log_events(logGroupName=group, logStreamName="b")["events"] == []


def test_events_are_paged_both_ways(logs, stream):
    at = now() - 1000
    put(logs, stream, *[(at + n, f"line {n}") for n in range(10)])
    newest = logs.get_log_events(**stream, limit=3)
    assert messages(newest) == ["line 7", "line 8", "line 9"]
    back = logs.get_log_events(**stream, limit=4, nextToken=newest["nextBackwardToken"])
    assert messages(back) == ["line 3", "line 4", "line 5", "line 6"]
    again = logs.get_log_events(**stream, limit=4, nextToken=back["nextForwardToken"])
    assert messages(again) == ["line 7", "line 8", "line 9"]
    end = logs.get_log_events(**stream, nextToken=again["nextForwardToken"])
    assert end["events"] == [] and end["nextForwardToken"] == again["nextForwardToken"]
    put(logs, stream, (at + 9, "late"))
    assert messages(logs.get_log_events(**stream, nextToken=end["nextForwardToken"])) == ["late"]
    head = logs.get_log_events(**stream, startFromHead=True, startTime=at + 1, endTime=at + 3)
    assert messages(head) == ["line 1", "line 2"]
    assert head["events"][0]["timestamp"] == at + 1 and head["events"][0]["ingestionTime"] >= at
    refused("InvalidParameterException", logs.get_log_events, **stream, nextToken="nonsense")
    refused("InvalidParameterException", logs.get_log_events, **stream, limit=10_001)


def test_batches_keep_the_limits(logs, stream):
    at = now()
    with pytest.raises(ClientError, match="chronological order"):
        put(logs, stream, (at, "b"), (at - 1, "a"))
    with pytest.raises(ClientError, match="24 hours"):
        put(logs, stream, (at - 25 * HOUR, "a"), (at, "b"))
    with pytest.raises(ClientError, match="Upload too large"):
        put(logs, stream, (at, "x" * (1_048_576 - 25)))
    with pytest.raises(ClientError, match="10000"):
        put(logs, stream, *[(at, "x")] * 10_001)
    put(logs, stream, (at, "x" * (1_048_576 - 26)))
    old = put(logs, stream, (at - 15 * DAY, "too old"), (at - 15 * DAY + 1, "too old"))
    assert old["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 2}
    new = put(logs, stream, (at, "kept"), (at + 3 * HOUR, "too new"))
    assert new["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    assert messages(logs.get_log_events(**stream, limit=1)) == ["kept"]
    with pytest.raises(ClientError, match="log stream does not exist"):
        put(logs, stream | {"logStreamName": "none"}, (at, "x"))


def test_filters(logs, group):
    at = now() - 1000
    for name in ["a", "b"]:
        logs.create_log_stream(logGroupName=group, logStreamName=name)
    lines = [
        json.dumps({"level": "ERROR", "ms": 120, "user": {"id": None}}),
        "[ERROR 500] cannot read table",
        "[INFO 200] read table",
        json.dumps({"level": "INFO", "ms": 7}),
    ]
    for n, line in enumerate(lines):
        put(logs, {"logGroupName": group, "logStreamName": "ab"[n % 2]}, (at + n, line))

    def found(pattern, **options):
        return messages(logs.filter_log_events(logGroupName=group, filterPattern=pattern, **options))

    assert found("") == lines
    assert found("ERROR") == lines[:2]
    assert found('"read table" -ERROR') == lines[2:3]
    assert found("?500 ?200") == lines[1:3]
    assert found('{ $.level = "ERROR" && $.ms > 100 }') == lines[:1]
    assert found("{ $.user.id IS NULL || $.ms < 10 }") == [lines[0], lines[3]]
    assert found("%[45]00%") == lines[1:2]
    assert found("", logStreamNames=["a"]) == lines[::2]
    assert found("", logStreamNamePrefix="b", startTime=at + 2) == lines[3:]
    assert found("", endTime=at + 1) == lines[:2]
    paginator = logs.get_paginator("filter_log_events")
    pages = paginator.paginate(logGroupName=group, PaginationConfig={"PageSize": 1})
    events = [event for page in pages for event in page["events"]]
    assert [event["message"] for event in events] == lines
    assert len({event["eventId"] for event in events}) == 4
    assert [event["logStreamName"] for event in events] == ["a", "b", "a", "b"]
    search = logs.filter_log_events
    message = refused("InvalidParameterException", search, logGroupName=group, filterPattern="a=b")
    assert "Invalid filter pattern" in message
    message = refused("InvalidParameterException", search, logGroupName=group, filterPattern="[a, b]")
    assert "space-delimited" in message
    refused("ResourceNotFoundException", search, logGroupName=group, logStreamNames=["none"])


def test_retention_deletes(logs, group, stream):
    at = now()
    put(logs, stream, (at - 3 * DAY, "old"))
    put(logs, stream, (at, "new"))
    logs.put_retention_policy(logGroupName=group, retentionInDays=1)
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["retentionInDays"] == 1
    assert messages(logs.get_log_events(**stream)) == ["new"]
    assert messages(logs.filter_log_events(logGroupName=group)) == ["new"]
    rejected = put(logs, stream, (at - 2 * DAY, "expired"))["rejectedLogEventsInfo"]
    assert rejected == {"expiredLogEventEndIndex": 1}
    logs.create_log_stream(logGroupName=group, logStreamName="two")
    logs.delete_retention_policy(logGroupName=group)
    put(logs, {"logGroupName": group, "logStreamName": "two"}, (at - 3 * DAY, "a"), (at - 3 * DAY, "b"))
    logs.put_retention_policy(logGroupName=group, retentionInDays=1)
    logs.delete_retention_policy(logGroupName=group)
    # What has been deleted does not come back.
    assert logs.get_log_events(logGroupName=group, logStreamName="two")["events"] == []
    refused("InvalidParameterException", logs.put_retention_policy, logGroupName=group, retentionInDays=2)


def test_policies_decide(shared, group, unique):
    resource = f"arn:aws:logs:*:*:log-group:{group}:*"
    grant = allow("logs:CreateLogStream", "logs:PutLogEvents", resource=resource)
    role = service_role(shared, unique("writer"), grant, service="lambda.amazonaws.com")
    trust = {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam, sts = shared.client("iam", "test", "test"), shared.client("sts", "test", "test")
    iam.update_assume_role_policy(RoleName=role.rsplit("/")[-1], PolicyDocument=document)
    keys = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    writer = boto3.client(
        "logs",
        endpoint_url=shared.url,
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    writer.create_log_stream(logGroupName=group, logStreamName="s")
    put(writer, {"logGroupName": group, "logStreamName": "s"}, (now(), "x"))
    refused("AccessDeniedException", writer.get_log_events, logGroupName=group, logStreamName="s")
    refused("AccessDeniedException", writer.create_log_group, logGroupName=unique("other"))


def test_the_command_line_searches(shared, logs, group, stream):
    """Version 1 of the command line has no `logs tail`, whose calls are these."""
    put(logs, stream, (now() - 5000, "first line"), (now(), "ERROR second line"))

    def search(*options):
        command = [*AWS, "logs", "filter-log-events", "--log-group-name", group, "--interleaved", "--output", "text"]
        query = ["--query", "events[].[message]", "--start-time", str(now() - HOUR), "--page-size", "1"]
        command = [*command, *query, *options]
        done = subprocess.run(command, env=shared.environment(), capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    assert search() == ["first line", "ERROR second line"]
    assert search("--filter-pattern", "ERROR") == ["ERROR second line"]


def test_acknowledged_events_survive_kill_9(start):
    server = start("--dev")
    server.client("logs", "test", "test").create_log_group(logGroupName="g")
    acknowledged = {f"s{n}": [] for n in range(4)}

    def write(name, kept):
        client = server.client("logs", "test", "test")
        client.create_log_stream(logGroupName="g", logStreamName=name)
        while True:
            line = f"{name} {len(kept)} {'x' * random.randrange(2000)}"
            try:
                put(client, {"logGroupName": "g", "logStreamName": name}, (now(), line))
            except Exception:
                return  # the server is gone
            kept.append(line)

    writers = [threading.Thread(target=write, args=item) for item in acknowledged.items()]
    for writer in writers:
        writer.start()
    while sum(map(len, acknowledged.values())) < 200:
        time.sleep(0.01)
    server.kill()
    for writer in writers:
        writer.join()
    again = start("--dev").client("logs", "test", "test")
    for name, lines in acknowledged.items():
        pages = again.get_paginator("filter_log_events").paginate(logGroupName="g", logStreamNames=[name])
        found = [event["message"] for page in pages for event in page["events"]]
        # One more may have been kept whose answer did not arrive.
        assert found[: len(lines)] == lines and len(found) <= len(lines) + 1
        put(again, {"logGroupName": "g", "logStreamName": name}, (now(), "and on"))
