"""Server access logs and inventories: what S3 writes into other buckets by itself."""

import csv
import gzip
import hashlib
import io
import json
import shlex

import pytest
from conftest import code, wait_for

DAY = 24 * 3600


@pytest.fixture
def s3(shared):
    return shared.client("s3", "test", "test")


@pytest.fixture
def buckets(s3, unique):
    source, target = unique("source"), unique("target")
    for name in [source, target]:
        s3.create_bucket(Bucket=name)
    return source, target


def let_write(s3, service, target, source):
    """What AWS's guide has the target's owner allow."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{target}/*",
        "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{source}"}},
    }
    s3.put_bucket_policy(Bucket=target, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def keys(s3, bucket):
    return [it["Key"] for it in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def logged(s3, target):
    lines = []
    for key in keys(s3, target):
        lines += s3.get_object(Bucket=target, Key=key)["Body"].read().decode().splitlines()
    return [shlex.split(line.replace("[", '"').replace("]", '"')) for line in lines]


def test_requests_to_a_logged_bucket_become_lines(shared, s3, buckets):
    source, target = buckets
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=source)
    wanted = {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": "log/"}}
    s3.put_bucket_logging(Bucket=source, BucketLoggingStatus=wanted)
    assert s3.get_bucket_logging(Bucket=source)["LoggingEnabled"] == wanted["LoggingEnabled"]
    s3.put_object(Bucket=source, Key="early", Body=b"nobody may write the log yet")
    let_write(s3, "logging.s3.amazonaws.com", target, source)
    s3.put_object(Bucket=source, Key="a b", Body=b"hello")
    s3.get_object(Bucket=source, Key="a b", Range="bytes=1-2")["Body"].read()
    assert code(s3.get_object, Bucket=source, Key="missing")[0] == "NoSuchKey"
    s3.list_objects_v2(Bucket=source)

    def complete():
        found = {(line[6], line[7]): line for line in logged(s3, target)}
        return found if ("REST.GET.BUCKET", "-") in found and ("REST.PUT.OBJECT", "a%20b") in found else None

    lines = wait_for(complete, "the delivery of the log")
    got = lines["REST.GET.OBJECT", "a%20b"]
    assert len(got) == 26
    assert (got[1], got[3], got[4], got[9], got[11], got[12]) == (source, "127.0.0.1", "000000000000", "206", "2", "5")
    missing = lines["REST.GET.OBJECT", "missing"]
    assert (missing[9], missing[10]) == ("404", "NoSuchKey")
    assert all(key.startswith("log/20") for key in keys(s3, target))
    s3.put_bucket_logging(Bucket=source, BucketLoggingStatus={})
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=source)


def test_logs_can_be_partitioned_and_wrong_ones_are_refused(s3, buckets):
    source, target = buckets
    keys_by = {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}}
    wanted = {"TargetBucket": target, "TargetPrefix": "", "TargetObjectKeyFormat": keys_by}
    let_write(s3, "logging.s3.amazonaws.com", target, source)
    s3.put_bucket_logging(Bucket=source, BucketLoggingStatus={"LoggingEnabled": wanted})
    assert s3.get_bucket_logging(Bucket=source)["LoggingEnabled"]["TargetObjectKeyFormat"] == keys_by
    key = wait_for(lambda: keys(s3, target), "the delivery of the log")[0]
    assert key.startswith(f"000000000000/us-east-1/{source}/20") and key.count("/") == 6
    nowhere = {"LoggingEnabled": {"TargetBucket": f"no-{target}", "TargetPrefix": ""}}
    refused = code(s3.put_bucket_logging, Bucket=source, BucketLoggingStatus=nowhere)
    assert refused == ("InvalidTargetBucketForLogging", 400)
    grantee = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
    granting = wanted | {"TargetGrants": [{"Grantee": grantee, "Permission": "READ"}]}
    assert code(s3.put_bucket_logging, Bucket=source, BucketLoggingStatus={"LoggingEnabled": granting})[1] == 501


def inventory(target, id="daily", **more):
    return {
        "Id": id,
        "IsEnabled": True,
        "IncludedObjectVersions": "Current",
        "Destination": {"S3BucketDestination": {"Bucket": f"arn:aws:s3:::{target}", "Format": "CSV", "Prefix": "in"}},
        "Schedule": {"Frequency": "Daily"},
        **more,
    }


def report(s3, target, id):
    """The manifest and the rows of the newest report, if there is one."""
    done = [key for key in keys(s3, target) if f"/{id}/" in key and key.endswith("manifest.checksum")]
    if not done:
        return None
    manifest = s3.get_object(Bucket=target, Key=done[-1].replace(".checksum", ".json"))["Body"].read()
    checksum = s3.get_object(Bucket=target, Key=done[-1])["Body"].read().decode()
    assert checksum == hashlib.md5(manifest).hexdigest()
    manifest, rows = json.loads(manifest), []
    for file in manifest["files"]:
        body = s3.get_object(Bucket=target, Key=file["key"])["Body"].read()
        assert (hashlib.md5(body).hexdigest(), len(body)) == (file["MD5checksum"], file["size"])
        rows += csv.reader(io.StringIO(gzip.decompress(body).decode()))
    return manifest, rows


def test_inventories_are_written_at_midnight(start, clock):
    server = start("--dev", *clock.flags)
    s3 = server.client("s3", "test", "test")
    for name in ["source", "target"]:
        s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket="source", VersioningConfiguration={"Status": "Enabled"})
    let_write(s3, "s3.amazonaws.com", "target", "source")
    fields = ["Size", "ETag", "StorageClass", "EncryptionStatus"]
    daily = inventory("target", OptionalFields=fields, Filter={"Prefix": "in/"})
    versions = inventory("target", "versions", IncludedObjectVersions="All")
    for it in [daily, versions]:
        s3.put_bucket_inventory_configuration(Bucket="source", Id=it["Id"], InventoryConfiguration=it)
    one = s3.put_object(Bucket="source", Key="in/a b", Body=b"1")
    two = s3.put_object(Bucket="source", Key="in/a b", Body=b"22", ServerSideEncryption="AES256", StorageClass="STANDARD_IA")
    s3.put_object(Bucket="source", Key="out", Body=b"x")
    marker = s3.delete_object(Bucket="source", Key="out")["VersionId"]
    assert keys(s3, "target") == []
    clock.move(DAY)
    manifest, rows = wait_for(lambda: report(s3, "target", "daily"), "the first inventory")
    assert manifest["fileSchema"] == "Bucket, Key, Size, ETag, StorageClass, EncryptionStatus"
    assert rows == [["source", "in/a%20b", "2", two["ETag"].strip('"'), "STANDARD_IA", "SSE-S3"]]
    _, rows = wait_for(lambda: report(s3, "target", "versions"), "the inventory of versions")
    assert rows[:2] == [
        ["source", "in/a%20b", two["VersionId"], "true", "false"],
        ["source", "in/a%20b", one["VersionId"], "false", "false"],
    ]
    assert rows[2] == ["source", "out", marker, "true", "true"]
    links = [key for key in keys(s3, "target") if key.endswith("symlink.txt")]
    assert len(links) == 2 and all(key.startswith("in/source/") for key in links)
    server.kill()
    clock.move(DAY)
    s3 = start("--dev", *clock.flags).client("s3", "test", "test")
    links = lambda: [key for key in keys(s3, "target") if key.endswith("symlink.txt")]
    wait_for(lambda: len(links()) == 4, "what was due while the server was down")


def test_configurations_of_inventories(s3, buckets):
    source, target = buckets
    weekly = inventory(target, "weekly", Schedule={"Frequency": "Weekly"}, OptionalFields=["Size"])
    s3.put_bucket_inventory_configuration(Bucket=source, Id="weekly", InventoryConfiguration=weekly)
    got = s3.get_bucket_inventory_configuration(Bucket=source, Id="weekly")["InventoryConfiguration"]
    assert got == weekly
    listed = s3.list_bucket_inventory_configurations(Bucket=source)["InventoryConfigurationList"]
    assert [it["Id"] for it in listed] == ["weekly"]
    s3.delete_bucket_inventory_configuration(Bucket=source, Id="weekly")
    assert code(s3.get_bucket_inventory_configuration, Bucket=source, Id="weekly") == ("NoSuchConfiguration", 404)
    assert code(s3.delete_bucket_inventory_configuration, Bucket=source, Id="weekly") == ("NoSuchConfiguration", 404)

    def refused(configuration, id="daily"):
        return code(
            s3.put_bucket_inventory_configuration, Bucket=source, Id=id, InventoryConfiguration=configuration
        )

    assert refused(inventory(target), "other") == ("InvalidConfigurationId", 400)
    parquet = inventory(target)
    parquet["Destination"]["S3BucketDestination"]["Format"] = "Parquet"
    assert refused(parquet) == ("NotImplemented", 501)
    assert refused(inventory(f"no-{target}")) == ("InvalidS3DestinationBucket", 400)
    assert refused(inventory(target, OptionalFields=["ReplicationStatus"])) == ("NotImplemented", 501)
    metrics = {"Id": "m"}
    assert code(s3.put_bucket_metrics_configuration, Bucket=source, Id="m", MetricsConfiguration=metrics)[1] == 501
    assert code(s3.get_bucket_metrics_configuration, Bucket=source, Id="m") == ("NoSuchConfiguration", 404)
