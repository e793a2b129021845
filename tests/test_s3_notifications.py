"""S3 event notifications through boto3: functions and EventBridge hear of objects, also after kill -9."""

import json
import urllib.parse

import pytest
from botocore.exceptions import ClientError

from conftest import allow, wait_for
from test_events import admit, log_group, messages, received, rule
from test_lambda import Functions

MEGABYTE = 1024 * 1024
# Prints each record that it gets on a line of its own.
LISTENER = """
import json

def handler(event, context):
    for record in event["Records"]:
        print("heard " + json.dumps(record))
"""


class Listener:
    """A bucket and a function that may hear of it."""

    def __init__(self, server, unique):
        self.server, self.functions = server, Functions(server, unique)
        self.s3, self.logs = server.client("s3", "test", "test"), server.client("logs", "test", "test")
        self.bucket = unique("told")
        self.s3.create_bucket(Bucket=self.bucket)
        self.name = self.functions.create(LISTENER)
        self.arn = self.functions.client.get_function(FunctionName=self.name)["Configuration"]["FunctionArn"]

    def admit(self, bucket=None):
        self.functions.client.add_permission(
            FunctionName=self.name,
            StatementId=bucket or "told",
            Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com",
            SourceArn=f"arn:aws:s3:::{bucket or self.bucket}",
            SourceAccount="000000000000",
        )

    def configure(self, *events, prefix="", suffix="", **more):
        rules = [{"Name": "prefix", "Value": prefix}, {"Name": "suffix", "Value": suffix}]
        function = {"LambdaFunctionArn": self.arn, "Events": list(events), "Id": "told"}
        function["Filter"] = {"Key": {"FilterRules": [rule for rule in rules if rule["Value"]]}}
        if not function["Filter"]["Key"]["FilterRules"]:
            del function["Filter"]
        configuration = {"LambdaFunctionConfigurations": [function], **more}
        self.s3.put_bucket_notification_configuration(Bucket=self.bucket, NotificationConfiguration=configuration)
        return configuration

    def heard(self):
        try:
            found = self.logs.filter_log_events(logGroupName=f"/aws/lambda/{self.name}", filterPattern="heard", limit=10000)
        except self.logs.exceptions.ResourceNotFoundException:
            return []
        lines = [event["message"].strip() for event in found["events"]]
        return [json.loads(line.removeprefix("heard ")) for line in lines if line.startswith("heard ")]

    def wait(self, count):
        return wait_for(lambda: len(found := self.heard()) >= count and found, f"{count} events", timeout=60)


@pytest.fixture
def listener(shared, unique):
    return Listener(shared, unique)


def refusal(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]


def test_a_function_hears_of_what_it_asked_for(listener):
    listener.admit()
    asked = listener.configure("s3:ObjectCreated:*", "s3:ObjectRemoved:Delete", prefix="in/", suffix=".csv")
    s3, bucket = listener.s3, listener.bucket
    kept = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert kept["LambdaFunctionConfigurations"] == asked["LambdaFunctionConfigurations"]
    for key in ("out/a.csv", "in/a.json"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"nobody's business")
    tag = s3.put_object(Bucket=bucket, Key="in/a b+é.csv", Body=b"x,y\n")["ETag"]
    s3.copy_object(Bucket=bucket, Key="in/copy.csv", CopySource={"Bucket": bucket, "Key": "out/a.csv"})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="in/parts.csv")["UploadId"]
    where = {"Bucket": bucket, "Key": "in/parts.csv", "UploadId": upload}
    part = s3.upload_part(**where, PartNumber=1, Body=b"z" * MEGABYTE)["ETag"]
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]})
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "in/copy.csv"}, {"Key": "in/never.csv"}]})
    records = {record["eventName"]: record for record in listener.wait(4)}
    assert set(records) == {
        "ObjectCreated:Put",
        "ObjectCreated:Copy",
        "ObjectCreated:CompleteMultipartUpload",
        "ObjectRemoved:Delete",
    }
    assert len(listener.heard()) == 4
    put = records["ObjectCreated:Put"]
    assert (put["eventVersion"], put["eventSource"], put["awsRegion"]) == ("2.1", "aws:s3", "us-east-1")
    assert put["s3"]["configurationId"] == "told"
    assert put["s3"]["bucket"]["name"] == bucket and put["s3"]["bucket"]["arn"] == f"arn:aws:s3:::{bucket}"
    told = put["s3"]["object"]
    assert urllib.parse.unquote_plus(told["key"]) == "in/a b+é.csv" and told["key"] == "in/a+b%2B%C3%A9.csv"
    assert (told["size"], told["eTag"]) == (4, tag.strip('"'))
    assert put["requestParameters"]["sourceIPAddress"] == "127.0.0.1"
    assert put["userIdentity"]["principalId"] and put["responseElements"]["x-amz-request-id"]
    removed = records["ObjectRemoved:Delete"]["s3"]["object"]
    assert removed["key"] == "in/copy.csv" and "size" not in removed
    assert removed["sequencer"] > records["ObjectCreated:Copy"]["s3"]["object"]["sequencer"]
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    assert "LambdaFunctionConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)


def test_functions_must_let_the_bucket_in(listener, unique):
    wrong = {"LambdaFunctionArn": f"{listener.arn}-missing", "Events": ["s3:ObjectCreated:*"]}
    configuration = {"LambdaFunctionConfigurations": [wrong]}
    put = listener.s3.put_bucket_notification_configuration
    for _ in range(2):
        error = refusal(put, Bucket=listener.bucket, NotificationConfiguration=configuration)
        assert error["Code"] == "InvalidArgument"
        assert error["Message"] == "Unable to validate the following destination configurations"
        wrong["LambdaFunctionArn"] = listener.arn  # which is there, and lets nobody in
    listener.admit(bucket=unique("other"))
    assert refusal(put, Bucket=listener.bucket, NotificationConfiguration=configuration)["Code"] == "InvalidArgument"
    assert listener.s3.get_bucket_notification_configuration(Bucket=listener.bucket).get("LambdaFunctionConfigurations") is None
    listener.admit()
    put(Bucket=listener.bucket, NotificationConfiguration=configuration)


def test_configurations_that_are_none(listener):
    listener.admit()
    put = listener.s3.put_bucket_notification_configuration

    def code(**configuration):
        return refusal(put, Bucket=listener.bucket, NotificationConfiguration=configuration)

    queue = {"QueueArn": "arn:aws:sqs:us-east-1:000000000000:none", "Events": ["s3:ObjectCreated:*"]}
    topic = {"TopicArn": "arn:aws:sns:us-east-1:000000000000:t", "Events": ["s3:ObjectCreated:*"]}
    assert code(QueueConfigurations=[queue])["Message"] == "Unable to validate the following destination configurations"
    fifo = {**queue, "QueueArn": queue["QueueArn"] + ".fifo"}
    assert "FIFO" in code(QueueConfigurations=[fifo])["Message"]
    assert code(TopicConfigurations=[topic])["Code"] == "NotImplemented"
    function = {"LambdaFunctionArn": listener.arn, "Events": ["s3:ObjectCreated:*"]}
    assert "overlapping" in code(LambdaFunctionConfigurations=[function, function])["Message"]
    assert code(LambdaFunctionConfigurations=[{**function, "Events": ["s3:ObjectMelted:*"]}])["Code"] == "InvalidArgument"
    assert code(LambdaFunctionConfigurations=[{**function, "Events": ["s3:Replication:*"]}])["Code"] == "NotImplemented"
    assert refusal(put, Bucket="never-made-1", NotificationConfiguration={})["Code"] == "NoSuchBucket"


def test_a_queue_hears_of_a_bucket(shared, unique):
    s3, sqs = shared.client("s3", "test", "test"), shared.client("sqs", "test", "test")
    bucket, name = unique("to-queue"), unique("objects")
    s3.create_bucket(Bucket=bucket)
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
    configuration = {"QueueConfigurations": [{"Id": "q", "QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    put = s3.put_bucket_notification_configuration
    error = refusal(put, Bucket=bucket, NotificationConfiguration=configuration)
    assert error["Message"] == "Unable to validate the following destination configurations"  # nobody let the bucket in
    admit(sqs, name, f"arn:aws:s3:::{bucket}", service="s3.amazonaws.com")
    put(Bucket=bucket, NotificationConfiguration=configuration)
    kept = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert kept["QueueConfigurations"] == configuration["QueueConfigurations"]
    (test,) = messages(sqs, url)
    assert (json.loads(test["Body"])["Event"], json.loads(test["Body"])["Bucket"]) == ("s3:TestEvent", bucket)
    s3.put_object(Bucket=bucket, Key="a b", Body=b"1234")
    (message,) = messages(sqs, url)
    (record,) = json.loads(message["Body"])["Records"]
    assert (record["eventName"], record["s3"]["object"]["key"]) == ("ObjectCreated:Put", "a+b")


def test_the_event_bus_hears_of_a_bucket(shared, unique):
    s3, events, logs = (shared.client(name, "test", "test") for name in ("s3", "events", "logs"))
    bucket, group = unique("on-the-bus"), unique("/events/objects")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="before", Body=b"x")
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}, "object": {"key": [{"prefix": "in/"}]}}}
    rule(events, unique("objects"), pattern, {"Arn": log_group(logs, group)})
    configuration = {"EventBridgeConfiguration": {}}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    assert s3.get_bucket_notification_configuration(Bucket=bucket)["EventBridgeConfiguration"] == {}
    s3.put_object(Bucket=bucket, Key="out/a", Body=b"x")
    s3.put_object(Bucket=bucket, Key="in/a b", Body=b"body")
    s3.delete_object(Bucket=bucket, Key="in/a b")
    found = wait_for(lambda: len(found := received(logs, group)) >= 2 and found, "two events", timeout=60)
    made, removed = sorted(found, key=lambda event: event["detail-type"])
    assert (made["source"], made["detail-type"]) == ("aws.s3", "Object Created")
    assert made["resources"] == [f"arn:aws:s3:::{bucket}"]
    detail = made["detail"]
    assert (detail["reason"], detail["object"]["key"], detail["object"]["size"]) == ("PutObject", "in/a b", 4)
    assert (detail["requester"], detail["source-ip-address"]) == ("000000000000", "127.0.0.1")
    assert (removed["detail-type"], removed["detail"]["deletion-type"]) == ("Object Deleted", "Permanently Deleted")


def test_what_engines_write_is_told_as_well(shared, unique):
    s3, events, logs, athena = (shared.client(name, "test", "test") for name in ("s3", "events", "logs", "athena"))
    bucket, group = unique("results-told"), unique("/events/results")
    s3.create_bucket(Bucket=bucket)
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}}
    rule(events, unique("results"), pattern, {"Arn": log_group(logs, group)})
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    results = {"OutputLocation": f"s3://{bucket}/results/"}
    name = athena.start_query_execution(QueryString="SELECT 1", ResultConfiguration=results)["QueryExecutionId"]
    key = f"results/{name}.csv"

    def told():
        return key in {event["detail"]["object"]["key"] for event in received(logs, group)}

    wait_for(told, "the event of the query's result", timeout=60)


# Keeps what it hears where a kill cannot take it away: logs of the last moment may be lost with the process.
KEEPER = """
import boto3

def handler(event, context):
    for record in event["Records"]:
        key = record["s3"]["object"]["key"]
        boto3.client("s3").put_object(Bucket="BUCKET", Key=key, Body=b"")
"""


def test_kill_9_loses_no_event(start, unique):
    server = start("--dev")
    s3, heard = server.client("s3", "test", "test"), unique("heard")
    s3.create_bucket(Bucket=heard)
    listener = Listener(server, unique)
    functions = listener.functions
    listener.name = functions.create(
        KEEPER.replace("BUCKET", heard), role=functions.role(allow("s3:PutObject")), MemorySize=512, Timeout=60
    )
    listener.arn = functions.client.get_function(FunctionName=listener.name)["Configuration"]["FunctionArn"]
    listener.admit()
    listener.configure("s3:ObjectCreated:*")
    keys = [f"{number:03}" for number in range(40)]
    for key in keys:
        s3.put_object(Bucket=listener.bucket, Key=key, Body=b"x")
    server.kill()
    s3 = start("--dev").client("s3", "test", "test")

    def all_heard():
        return {it["Key"] for it in s3.list_objects_v2(Bucket=heard).get("Contents", [])} >= set(keys)

    wait_for(all_heard, "every event", timeout=120)
