"""The event history through boto3 and the command line: what is in it, what is not, and that it stays."""

import json
import os
import subprocess
import sys

import pytest
from botocore.exceptions import ClientError

from conftest import client as key_client, code, wait_for

ACCOUNT = "000000000000"


@pytest.fixture
def server(start):
    return start("--dev")


def trail(server):
    return server.client("cloudtrail", "test", "test")


def look(server, key=None, value=None, **more):
    attributes = [{"AttributeKey": key, "AttributeValue": value}] if key else []
    return trail(server).lookup_events(LookupAttributes=attributes, **more)["Events"]


def event(found):
    return json.loads(found["CloudTrailEvent"])


def client(server, service, key):
    return key_client(server, service, key, user_agent="the-tests/1")


def allow(*actions, resource="*"):
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make_user(server, name, *actions):
    iam = server.client("iam", "test", "test")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=allow(*actions))
    return iam.create_access_key(UserName=name)["AccessKey"]


def test_an_event_tells_who_did_what_and_how_it_ended(server):
    key = make_user(server, "ann", "iam:GetUser")
    ann = client(server, "iam", key)
    ann.get_user(UserName="ann")
    with pytest.raises(ClientError):
        ann.create_role(RoleName="r", AssumeRolePolicyDocument="{}")
    done, refused = look(server, "EventName", "GetUser")[0], look(server, "EventName", "CreateRole")[0]
    assert done["Username"] == "ann" and done["ReadOnly"] == "true" and done["EventSource"] == "iam.amazonaws.com"
    assert done["AccessKeyId"] == key["AccessKeyId"]
    assert done["Resources"] == [{"ResourceType": "AWS::IAM::User", "ResourceName": "ann"}]
    told = event(done)
    assert told["eventID"] == done["EventId"] and told["eventName"] == "GetUser" and told["readOnly"] is True
    identity = told["userIdentity"]
    assert identity["type"] == "IAMUser" and identity["arn"] == f"arn:aws:iam::{ACCOUNT}:user/ann"
    assert identity["accessKeyId"] == key["AccessKeyId"] and identity["principalId"].startswith("AIDA")
    assert told["requestParameters"] == {"userName": "ann"} and told["responseElements"] is None
    assert told["sourceIPAddress"] == "127.0.0.1" and told["userAgent"].startswith("the-tests/1")
    assert told["awsRegion"] == "us-east-1" and told["recipientAccountId"] == ACCOUNT
    assert told["eventType"] == "AwsApiCall" and told["managementEvent"] is True and "errorCode" not in told
    told = event(refused)
    assert told["errorCode"] == "AccessDenied" and "is not authorized to perform: iam:CreateRole" in told["errorMessage"]
    assert told["requestParameters"]["roleName"] == "r"


def test_events_are_found_by_each_attribute_and_in_pages(server):
    iam = server.client("iam", "test", "test")
    for number in range(7):
        iam.create_user(UserName=f"u{number}")
    server.client("glue", "test", "test").create_database(DatabaseInput={"Name": "lake"})
    assert [found["EventName"] for found in look(server, "ResourceName", "u3")] == ["CreateUser"]
    assert [found["EventName"] for found in look(server, "ResourceName", "lake")] == ["CreateDatabase"]
    assert len(look(server, "ResourceType", "AWS::IAM::User")) == 7
    assert len(look(server, "EventSource", "glue.amazonaws.com")) == 1
    assert len(look(server, "Username", "root", MaxResults=3)) == 3
    assert {found["ReadOnly"] for found in look(server, "ReadOnly", "false")} == {"false"}
    assert len(look(server, "AccessKeyId", "test", MaxResults=50)) >= 8
    one = look(server, "ResourceName", "u5")[0]
    assert look(server, "EventId", one["EventId"]) == [one]
    pages = trail(server).get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateUser"}], PaginationConfig={"PageSize": 3}
    )
    pages = [[found["Resources"][0]["ResourceName"] for found in page["Events"]] for page in pages]
    assert pages == [["u6", "u5", "u4"], ["u3", "u2", "u1"], ["u0"]]
    assert look(server, "ResourceName", "u3", StartTime=one["EventTime"].timestamp() + 3600) == []
    assert len(look(server, "ResourceName", "u5", StartTime=one["EventTime"], EndTime=one["EventTime"])) == 1


def test_data_is_not_in_the_history_but_buckets_are(server):
    s3 = server.client("s3", "test", "test")
    s3.create_bucket(Bucket="raw")
    s3.put_object(Bucket="raw", Key="k", Body=b"1")
    s3.get_object(Bucket="raw", Key="k")
    s3.list_objects_v2(Bucket="raw")
    s3.put_bucket_versioning(Bucket="raw", VersioningConfiguration={"Status": "Enabled"})
    assert code(s3.delete_bucket, Bucket="raw")[0] == "BucketNotEmpty"
    queue = server.client("sqs", "test", "test")
    url = queue.create_queue(QueueName="q")["QueueUrl"]
    queue.send_message(QueueUrl=url, MessageBody="secret text")
    found = look(server)
    names = [found["EventName"] for found in reversed(found)]
    assert [name for name in names if name != "LookupEvents"] == [
        "CreateBucket",
        "PutBucketVersioning",
        "DeleteBucket",
        "CreateQueue",
    ]
    bucket = look(server, "ResourceName", "raw")
    assert [event(each).get("errorCode") for each in bucket] == ["BucketNotEmpty", None, None]
    assert "not empty" in event(bucket[0])["errorMessage"]
    assert event(bucket[0])["requestParameters"]["bucketName"] == "raw"
    assert event(bucket[0])["userIdentity"]["type"] == "Root"


def test_secrets_are_nowhere_in_the_history(server, tmp_path):
    key = make_user(server, "ann", "*")
    sts = client(server, "sts", key)
    session = sts.get_session_token()["Credentials"]
    client(server, "glue", session).get_databases()
    server.client("glue", "test", "test").create_database(DatabaseInput={"Name": "d", "Parameters": {"password": "hunter22"}})
    files = list((tmp_path / "data" / "trail").iterdir())
    assert files and all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    for secret in (key["SecretAccessKey"], session["SecretAccessKey"], session["SessionToken"], "hunter22"):
        assert all(secret.encode() not in file.read_bytes() for file in files)


def test_sessions_and_services_between_are_told(server):
    iam = server.client("iam", "test", "test")
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:*"}]}
    role = iam.create_role(RoleName="Admin", Path="/ops/", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    iam.put_role_policy(RoleName="Admin", PolicyName="p", PolicyDocument=allow("*"))
    sts = server.client("sts", "test", "test")
    keys = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="daily", SourceIdentity="ann")["Credentials"]
    client(server, "glue", keys).create_database(DatabaseInput={"Name": "d"})
    (found,) = look(server, "Username", "daily")
    context = event(found)["userIdentity"]["sessionContext"]
    assert event(found)["userIdentity"]["type"] == "AssumedRole"
    assert context["sessionIssuer"]["arn"] == role["Arn"] and context["sourceIdentity"] == "ann"
    template = json.dumps({"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "from-stack"}}}})
    stacks = server.client("cloudformation", "test", "test")
    stacks.create_stack(StackName="s", TemplateBody=template)
    wait_for(lambda: stacks.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE", "the stack")
    made = [event(each) for each in look(server, "EventName", "CreateQueue")]
    assert made[0]["userIdentity"]["invokedBy"] == "cloudformation.amazonaws.com"
    assert made[0]["sourceIPAddress"] == "cloudformation.amazonaws.com"


def test_the_history_survives_kill_9(start):
    server = start("--dev")
    iam = server.client("iam", "test", "test")
    for number in range(20):
        iam.create_user(UserName=f"u{number}")
        iam.get_user(UserName=f"u{number}")
    server.kill()
    server = start("--dev")
    names = [found["EventName"] for found in look(server, MaxResults=50)]
    assert names.count("CreateUser") == 20 and names.count("GetUser") == 20


def test_what_is_older_than_ninety_days_is_gone(start, clock):
    server = start("--dev", *clock.flags)
    server.client("iam", "test", "test").create_user(UserName="old")
    assert len(look(server, "ResourceName", "old")) == 1
    clock.move(89 * 86_400)
    assert len(look(server, "ResourceName", "old")) == 1
    clock.move(2 * 86_400)
    assert look(server, "ResourceName", "old") == []


def test_the_command_line_looks_events_up(server):
    server.client("iam", "test", "test").create_user(UserName="ann")
    aws = [os.path.join(os.path.dirname(sys.executable), "aws"), "cloudtrail", "lookup-events", "--output", "json"]
    wanted = ["--lookup-attributes", "AttributeKey=EventName,AttributeValue=CreateUser", "--max-items", "5"]
    told = subprocess.run([*aws, *wanted], env=server.environment(), capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert [found["Username"] for found in json.loads(told.stdout)["Events"]] == ["root"]


def test_wrong_look_ups_and_trails_are_refused_by_name(server):
    look_up = trail(server).lookup_events
    attributes = [{"AttributeKey": key, "AttributeValue": "x"} for key in ("EventName", "Username")]
    assert code(look_up, LookupAttributes=attributes)[0] == "InvalidLookupAttributesException"
    assert code(look_up, NextToken="no")[0] == "InvalidNextTokenException"
    assert code(look_up, StartTime=2_000_000_000, EndTime=1_000_000_000)[0] == "InvalidTimeRangeException"
    assert code(look_up, EventCategory="insight")[0] == "InvalidEventCategoryException"
    assert code(trail(server).create_trail, Name="t", S3BucketName="b")[0] == "UnknownOperationException"
    key = make_user(server, "ann", "s3:*")
    with pytest.raises(ClientError) as refused:
        client(server, "cloudtrail", key).lookup_events()
    assert "because no identity-based policy allows the cloudtrail:LookupEvents action" in str(refused.value)


def test_what_begins_something_says_what(server):
    server.client("s3", "test", "test").create_bucket(Bucket="answers")
    athena = server.client("athena", "test", "test")
    results = {"OutputLocation": "s3://answers/"}
    query = athena.start_query_execution(QueryString="SELECT 1", ResultConfiguration=results)["QueryExecutionId"]
    (found,) = look(server, "EventName", "StartQueryExecution")
    assert event(found)["responseElements"] == {"queryExecutionId": query} and found["Username"] == "root"
    with pytest.raises(ClientError):
        athena.start_query_execution(QueryString="SELECT 1", WorkGroup="nowhere")
    refused, _ = look(server, "EventName", "StartQueryExecution")
    assert event(refused)["responseElements"] is None
