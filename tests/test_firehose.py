"""Data Firehose by boto3: streams, puts, buffering, compression, prefixes, failures, and what survives kill -9."""

import gzip
import io
import json
import threading
import time
import zipfile

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError
from conftest import allow, service_role, wait_for

FIREHOSE = "firehose.amazonaws.com"


def clients(server):
    return server.client("firehose", "test", "test"), server.client("s3", "test", "test")


def make_role(server, name, *actions):
    return service_role(server, name, allow(*(actions or ["s3:*"])), service=FIREHOSE)


class Landing:
    """A bucket, a role that may write to it, and streams into it."""

    def __init__(self, server, unique):
        self.server, self.unique = server, unique
        self.firehose, self.s3 = clients(server)
        self.bucket = unique("landing")
        self.s3.create_bucket(Bucket=self.bucket)
        self.role = make_role(server, unique("deliver"))

    def stream(self, seconds=0, **settings):
        name = self.unique("stream")
        settings.setdefault("BufferingHints", {"SizeInMBs": 1, "IntervalInSeconds": seconds})
        self.firehose.create_delivery_stream(
            DeliveryStreamName=name,
            ExtendedS3DestinationConfiguration={
                "RoleARN": self.role,
                "BucketARN": f"arn:aws:s3:::{self.bucket}",
                **settings,
            },
        )
        return name

    def objects(self, prefix=""):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return {key: self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys}

    def delivered(self, size, prefix=""):
        """The objects once they hold `size` bytes together."""

        def complete():
            objects = self.objects(prefix)
            return objects if sum(map(len, objects.values())) >= size else None

        return wait_for(complete, f"the delivery of {size} bytes")


@pytest.fixture
def landing(shared, unique):
    return Landing(shared, unique)


def refused(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_a_stream_from_creation_to_deletion(landing):
    name = landing.stream(60, Prefix="in/", CompressionFormat="GZIP")
    firehose = landing.firehose
    stream = firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
    assert stream["DeliveryStreamStatus"] == "ACTIVE" and stream["VersionId"] == "1"
    assert stream["DeliveryStreamARN"] == f"arn:aws:firehose:us-east-1:000000000000:deliverystream/{name}"
    (destination,) = stream["Destinations"]
    extended = destination["ExtendedS3DestinationDescription"]
    assert extended["BufferingHints"] == {"SizeInMBs": 1, "IntervalInSeconds": 60}
    assert extended["CompressionFormat"] == "GZIP" and extended["S3BackupMode"] == "Disabled"
    assert extended["EncryptionConfiguration"] == {"NoEncryptionConfig": "NoEncryption"}
    assert destination["S3DestinationDescription"]["Prefix"] == "in/"
    listed = firehose.list_delivery_streams(Limit=10_000)
    assert name in listed["DeliveryStreamNames"] and listed["HasMoreDeliveryStreams"] is False
    firehose.delete_delivery_stream(DeliveryStreamName=name)
    code, message = refused(firehose.describe_delivery_stream, DeliveryStreamName=name)
    assert code == "ResourceNotFoundException" and "not found" in message
    assert refused(firehose.put_record, DeliveryStreamName=name, Record={"Data": b"x"})[0] == code


def test_listing_goes_page_by_page(landing):
    names = sorted(landing.stream(60) for _ in range(3))
    before = names[0][:-1] + chr(ord(names[0][-1]) - 1) if names[0][-1] != "0" else names[0][:-1]
    found, start = [], before
    while True:
        page = landing.firehose.list_delivery_streams(Limit=1, ExclusiveStartDeliveryStreamName=start)
        found += page["DeliveryStreamNames"]
        if not page["HasMoreDeliveryStreams"]:
            break
        start = found[-1]
    assert [name for name in found if name in names] == names
    assert landing.firehose.list_delivery_streams(DeliveryStreamType="MSKAsSource")["DeliveryStreamNames"] == []


def test_single_records_and_batches_arrive_in_order_in_one_object(landing):
    name = landing.stream(1)
    one = landing.firehose.put_record(DeliveryStreamName=name, Record={"Data": b"first\n"})
    assert one["RecordId"] and one["Encrypted"] is False
    records = [{"Data": f"record {number}\n".encode()} for number in range(500)]
    answer = landing.firehose.put_record_batch(DeliveryStreamName=name, Records=records)
    assert answer["FailedPutCount"] == 0
    ids = [entry["RecordId"] for entry in answer["RequestResponses"]]
    assert len(set(ids)) == 500
    expected = b"first\n" + b"".join(record["Data"] for record in records)
    objects = landing.delivered(len(expected))
    assert b"".join(objects[key] for key in sorted(objects)) == expected
    key = next(iter(objects))
    assert key.startswith(time.strftime("%Y/%m/%d/", time.gmtime())) and f"/{name}-1-20" in key


def test_a_full_buffer_is_delivered_without_waiting(landing):
    name = landing.stream(900)
    record = b"x" * 400_000
    for _ in range(3):
        landing.firehose.put_record(DeliveryStreamName=name, Record={"Data": record})
    objects = landing.delivered(800_000)
    assert [len(body) for body in objects.values()] == [800_000], "at most the buffer's size in one object"


def test_prefixes_time_zone_and_extension(landing):
    name = landing.stream(
        Prefix="year=!{timestamp:yyyy}/zone=!{timestamp:VV}/!{firehose:random-string}/",
        ErrorOutputPrefix="failed/!{firehose:error-output-type}/",
        CustomTimeZone="Asia/Tokyo",
        FileExtension=".jsonl",
    )
    landing.firehose.put_record(DeliveryStreamName=name, Record={"Data": b"{}"})
    (key,) = landing.delivered(2)
    year, zone, city, random, file = key.split("/")
    assert year.startswith("year=20") and f"{zone}/{city}" == "zone=Asia/Tokyo" and len(random) == 11
    assert file.startswith(f"{name}-1-") and file.endswith(".jsonl")


def test_compression(landing):
    plain = b"".join(f"line {number}\n".encode() for number in range(1000))
    for format, extension in [("GZIP", ".gz"), ("ZIP", ".zip"), ("Snappy", ".snappy"), ("HADOOP_SNAPPY", ".hsnappy")]:
        name = landing.stream(CompressionFormat=format, Prefix=f"{format}/")
        landing.firehose.put_record(DeliveryStreamName=name, Record={"Data": plain})
        ((key, body),) = landing.delivered(1, f"{format}/").items()
        assert key.endswith(extension) and 0 < len(body) < len(plain)
        if format == "GZIP":
            assert gzip.decompress(body) == plain
        if format == "ZIP":
            archive = zipfile.ZipFile(io.BytesIO(body))
            assert archive.testzip() is None
            assert [archive.read(entry) for entry in archive.namelist()] == [plain]


def test_a_delimiter_is_added_to_every_record(landing):
    parameters = [{"ParameterName": "Delimiter", "ParameterValue": "\\n"}]
    processors = [{"Type": "AppendDelimiterToRecord", "Parameters": parameters}]
    name = landing.stream(1, ProcessingConfiguration={"Enabled": True, "Processors": processors})
    landing.firehose.put_record_batch(DeliveryStreamName=name, Records=[{"Data": b"a"}, {"Data": b"b"}])
    assert list(landing.delivered(4).values()) == [b"a\nb\n"]


def test_limits_of_records_and_batches(landing):
    name = landing.stream(60)
    put = landing.firehose.put_record_batch
    landing.firehose.put_record(DeliveryStreamName=name, Record={"Data": b"x" * 1_024_000})
    code, message = refused(landing.firehose.put_record, DeliveryStreamName=name, Record={"Data": b"x" * 1_024_001})
    assert code == "ValidationException" and "less than or equal to 1024000" in message
    code, message = refused(put, DeliveryStreamName=name, Records=[{"Data": b"x"}] * 501)
    assert code == "ValidationException" and "less than or equal to 500" in message
    code, message = refused(put, DeliveryStreamName=name, Records=[{"Data": b"x" * 1_000_000}] * 5)
    assert code == "InvalidArgumentException" and "4 MB" in message


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        ({"BufferingHints": {"SizeInMBs": 129, "IntervalInSeconds": 60}}, "ValidationException", "equal to 128"),
        ({"BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 901}}, "ValidationException", "equal to 900"),
        ({"CompressionFormat": "LZ4"}, "ValidationException", "enum value set"),
        ({"Prefix": "!{timestamp:yyyy}/"}, "InvalidArgumentException", "ErrorOutputPrefix cannot be null or empty"),
        ({"Prefix": "!{timestamp:qqqqqqq}/", "ErrorOutputPrefix": "e/"}, "InvalidArgumentException", "pattern"),
        ({"CustomTimeZone": "Mars/Olympus"}, "InvalidArgumentException", "Mars/Olympus"),
        ({"DynamicPartitioningConfiguration": {"Enabled": True}}, "InvalidArgumentException", "DynamicPartitioning"),
        ({"DataFormatConversionConfiguration": {"Enabled": True}}, "InvalidArgumentException", "DataFormatConversion"),
        ({"S3BackupMode": "Enabled"}, "InvalidArgumentException", "S3BackupMode"),
        (
            {"ProcessingConfiguration": {"Enabled": True, "Processors": [{"Type": "MetadataExtraction"}]}},
            "InvalidArgumentException",
            "MetadataExtraction",
        ),
    ],
)
def test_wrong_and_missing_settings_are_refused_by_name(landing, settings, code, message):
    before = landing.firehose.list_delivery_streams(Limit=10_000)
    got_code, got_message = refused(landing.stream, **settings)
    assert got_code == code and message in got_message
    assert landing.firehose.list_delivery_streams(Limit=10_000)["DeliveryStreamNames"] == before["DeliveryStreamNames"]


def test_other_sources_destinations_and_encryption_are_refused_by_name(landing):
    create = landing.firehose.create_delivery_stream
    http = {
        "EndpointConfiguration": {"Url": "https://example.com"},
        "S3Configuration": {"RoleARN": landing.role, "BucketARN": "arn:aws:s3:::b"},
    }
    code, message = refused(create, DeliveryStreamName="http", HttpEndpointDestinationConfiguration=http)
    assert code == "InvalidArgumentException" and "HttpEndpointDestinationConfiguration" in message
    source = {"KinesisStreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/s", "RoleARN": landing.role}
    arguments = {"DeliveryStreamType": "KinesisStreamAsSource", "KinesisStreamSourceConfiguration": source}
    assert "KinesisStream" in refused(create, DeliveryStreamName="kinesis", **arguments)[1]
    assert "Exactly one destination" in refused(create, DeliveryStreamName="nothing")[1]
    assert refused(create, DeliveryStreamName="bad name")[0] == "ValidationException"
    name = landing.stream(60)
    code, message = refused(landing.firehose.start_delivery_stream_encryption, DeliveryStreamName=name)
    assert code == "UnknownOperationException" and "StartDeliveryStreamEncryption" in message


def test_an_update_needs_the_current_version(landing):
    name = landing.stream(60)
    update = landing.firehose.update_destination
    arguments = {"DeliveryStreamName": name, "DestinationId": "destinationId-000000000001"}
    changes = {"ExtendedS3DestinationUpdate": {"Prefix": "new/", "BufferingHints": {"IntervalInSeconds": 0}}}
    assert refused(update, CurrentDeliveryStreamVersionId="7", **arguments, **changes)[0] == (
        "ConcurrentModificationException"
    )
    landing.firehose.put_record(DeliveryStreamName=name, Record={"Data": b"before"})
    update(CurrentDeliveryStreamVersionId="1", **arguments, **changes)
    (key,) = landing.delivered(6)
    assert key.startswith("new/20") and f"/{name}-2-" in key
    stream = landing.firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
    assert stream["VersionId"] == "2" and "LastUpdateTimestamp" in stream


def test_tags(landing):
    name = landing.stream(60)
    firehose = landing.firehose
    firehose.tag_delivery_stream(DeliveryStreamName=name, Tags=[{"Key": k, "Value": k * 2} for k in "abc"])
    firehose.untag_delivery_stream(DeliveryStreamName=name, TagKeys=["b"])
    page = firehose.list_tags_for_delivery_stream(DeliveryStreamName=name, Limit=1)
    assert page == page | {"Tags": [{"Key": "a", "Value": "aa"}], "HasMoreTags": True}
    page = firehose.list_tags_for_delivery_stream(DeliveryStreamName=name, ExclusiveStartTagKey="a")
    assert page == page | {"Tags": [{"Key": "c", "Value": "cc"}], "HasMoreTags": False}
    many = [{"Key": str(number), "Value": ""} for number in range(49)]
    assert refused(firehose.tag_delivery_stream, DeliveryStreamName=name, Tags=many)[0] == "LimitExceededException"


def test_a_role_without_permission_is_told_and_nothing_is_lost(landing):
    role = landing.unique("poor")
    landing.role = make_role(landing.server, role, "s3:GetObject")
    name = landing.stream()
    landing.firehose.put_record(DeliveryStreamName=name, Record={"Data": b"precious"})

    def failure():
        stream = landing.firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
        return stream.get("FailureDescription")

    assert "S3.AccessDenied" in wait_for(failure, "a failure")["Details"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow("s3:PutObject")]})
    iam = landing.server.client("iam", "test", "test")
    iam.put_role_policy(RoleName=role, PolicyName="work", PolicyDocument=policy)
    assert list(landing.delivered(8).values()) == [b"precious"]
    wait_for(lambda: failure() is None, "the end of the failure")


def test_failures_are_logged_where_the_destination_asks_for_it(landing):
    logs = landing.server.client("logs", "test", "test")
    group = f"/firehose/{landing.unique('errors')}"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="S3Delivery")
    landing.role = make_role(landing.server, landing.unique("poor"), "logs:PutLogEvents")
    options = {"Enabled": True, "LogGroupName": group, "LogStreamName": "S3Delivery"}
    name = landing.stream(CloudWatchLoggingOptions=options)
    landing.firehose.put_record(DeliveryStreamName=name, Record={"Data": b"precious"})
    (event, *_) = wait_for(lambda: logs.filter_log_events(logGroupName=group)["events"], "a log event")
    message = json.loads(event["message"])
    assert message["errorCode"] == "S3.AccessDenied" and message["deliveryStreamARN"].endswith(f"/{name}")
    code, text = refused(landing.stream, CloudWatchLoggingOptions={"Enabled": True})
    assert code == "InvalidArgumentException" and "LogGroupName" in text


def test_roles_must_exist_trust_firehose_and_be_passable(landing):
    landing.role = "arn:aws:iam::000000000000:role/nobody"
    code, message = refused(landing.stream)
    assert code == "InvalidArgumentException" and "unable to assume role" in message
    landing.role = service_role(landing.server, landing.unique("glue"), allow("s3:*"))
    assert "unable to assume role" in refused(landing.stream)[1]
    landing.role = make_role(landing.server, landing.unique("deliver"))
    iam = landing.server.client("iam", "test", "test")
    user = landing.unique("user")
    iam.create_user(UserName=user)
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow("firehose:*")]})
    iam.put_user_policy(UserName=user, PolicyName="work", PolicyDocument=policy)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    landing.firehose = landing.server.client("firehose", key["AccessKeyId"], key["SecretAccessKey"])
    code, message = refused(landing.stream)
    assert code == "AccessDeniedException" and "iam:PassRole" in message


def test_puts_need_permission_on_the_stream(landing):
    name = landing.stream(60)
    iam = landing.server.client("iam", "test", "test")
    user = landing.unique("user")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    stranger = landing.server.client("firehose", key["AccessKeyId"], key["SecretAccessKey"])
    code, message = refused(stranger.put_record, DeliveryStreamName=name, Record={"Data": b"x"})
    assert code == "AccessDeniedException" and f"deliverystream/{name}" in message


def pour(server, name, writer, acknowledged, written):
    """Puts numbered records until the server is gone; notes what was tried and what was acknowledged."""
    firehose = server.client("firehose", "test", "test")
    for number in range(10**9):
        lines = [f"{writer}-{number}-{part}" for part in range(5)]
        written.update(lines)
        try:
            records = [{"Data": line.encode().ljust(3000) + b"\n"} for line in lines]
            answer = firehose.put_record_batch(DeliveryStreamName=name, Records=records)
        except (EndpointConnectionError, HTTPClientError, ClientError):
            return
        assert answer["FailedPutCount"] == 0
        acknowledged.update(lines)


def test_kill_dash_nine_in_the_middle_of_puts_and_deliveries_loses_and_doubles_nothing(start, unique):
    server = start("--dev")
    landing = Landing(server, unique)
    # Buffers of 1 MiB that don't wait: objects are on their way all the time.
    name = landing.stream(Prefix="in/", CompressionFormat="GZIP")
    acknowledged, written = set(), set()
    for round in range(5):
        writers = [
            threading.Thread(target=pour, args=(server, name, f"{round}-{writer}", acknowledged, written))
            for writer in range(4)
        ]
        before = len(acknowledged)
        for thread in writers:
            thread.start()
        wait_for(lambda: len(acknowledged) > before + 200, "records to be acknowledged")
        server.kill()
        for thread in writers:
            thread.join()
        server = start("--dev")
    landing.server, (landing.firehose, landing.s3) = server, clients(server)

    def found():
        bodies = [gzip.decompress(body).decode() for body in landing.objects("in/").values()]
        lines = [line.strip() for body in bodies for line in body.splitlines()]
        return lines if acknowledged <= set(lines) else None

    lines = wait_for(found, "the delivery of every acknowledged record")
    assert len(lines) == len(set(lines)), "nothing is there twice"
    assert set(lines) <= written
