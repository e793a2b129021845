"""Lifecycle rules, carried out as the platform's clock goes on; storage classes."""

import datetime

import pytest
from conftest import code, wait_for

DAY = 24 * 3600


@pytest.fixture
def s3(start, clock):
    return start("--dev", *clock.flags).client("s3", "test", "test")


@pytest.fixture
def bucket(s3):
    s3.create_bucket(Bucket="raw")
    return "raw"


def rule(id="r", prefix="", **actions):
    return {"ID": id, "Status": "Enabled", "Filter": {"Prefix": prefix}, **actions}


def put_rules(s3, *rules, bucket="raw"):
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": list(rules)})


def keys(s3):
    return [it["Key"] for it in s3.list_objects_v2(Bucket="raw").get("Contents", [])]


def versions(s3, kind="Versions"):
    return [(it["Key"], it["VersionId"]) for it in s3.list_object_versions(Bucket="raw").get(kind, [])]


def test_objects_expire_at_the_midnight_after_their_days(s3, bucket, clock):
    tag = {"Key": "keep", "Value": "short"}
    put_rules(
        s3,
        rule("logs", "logs/", Expiration={"Days": 2}),
        {"ID": "tagged", "Status": "Enabled", "Filter": {"Tag": tag}, "Expiration": {"Days": 1}},
        {
            "ID": "large",
            "Status": "Enabled",
            "Filter": {"And": {"Prefix": "data/", "ObjectSizeGreaterThan": 100}},
            "Expiration": {"Days": 1},
        },
        {**rule("off", "", Expiration={"Days": 1}), "Status": "Disabled"},
    )
    s3.put_object(Bucket="raw", Key="logs/a", Body=b"x")
    s3.put_object(Bucket="raw", Key="tagged", Body=b"x", Tagging="keep=short")
    s3.put_object(Bucket="raw", Key="data/large", Body=b"x" * 101)
    s3.put_object(Bucket="raw", Key="data/small", Body=b"x")
    told = s3.head_object(Bucket="raw", Key="logs/a")["Expiration"]
    day = (clock.now() + datetime.timedelta(days=3)).strftime("%a, %d %b %Y 00:00:00 GMT")
    assert told == f'expiry-date="{day}", rule-id="logs"'
    assert "Expiration" not in s3.head_object(Bucket="raw", Key="data/small")
    clock.move(2 * DAY)
    wait_for(lambda: keys(s3) == ["data/small", "logs/a"], "the expiration of a day")
    s3.put_object(Bucket="raw", Key="logs/b", Body=b"x")
    clock.move(DAY)
    wait_for(lambda: keys(s3) == ["data/small", "logs/b"], "the expiration of two days")


def test_rules_reach_what_was_there_and_survive_a_power_cut(start, clock, tmp_path):
    server = start("--dev", *clock.flags)
    s3 = server.client("s3", "test", "test")
    s3.create_bucket(Bucket="raw")
    for at in range(250):
        s3.put_object(Bucket="raw", Key=f"old/{at:03}", Body=b"x")
    clock.move(3 * DAY)
    s3.put_object(Bucket="raw", Key="old/new", Body=b"x")
    put_rules(s3, rule(prefix="old/", Expiration={"Days": 1}))
    server.kill()
    s3 = start("--dev", *clock.flags).client("s3", "test", "test")
    assert s3.get_bucket_lifecycle_configuration(Bucket="raw")["Rules"][0]["Expiration"] == {"Days": 1}
    wait_for(lambda: keys(s3) == ["old/new"], "the expiration of what was there")


def test_versions_expire_when_they_were_replaced(s3, bucket, clock):
    s3.put_bucket_versioning(Bucket="raw", VersioningConfiguration={"Status": "Enabled"})
    put_rules(
        s3,
        rule("current", "current/", Expiration={"Days": 1}),
        rule("old", "k", NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 2}),
        rule("markers", "gone", Expiration={"ExpiredObjectDeleteMarker": True}),
    )
    ids = [s3.put_object(Bucket="raw", Key="k", Body=bytes([at]))["VersionId"] for at in range(5)]
    current = s3.put_object(Bucket="raw", Key="current/a", Body=b"x")["VersionId"]
    alone = s3.put_object(Bucket="raw", Key="gone", Body=b"x")["VersionId"]
    s3.delete_object(Bucket="raw", Key="gone")
    clock.move(2 * DAY)
    wait_for(lambda: ("k", ids[1]) not in versions(s3), "the expiration of replaced versions")
    expected = [("current/a", current), ("gone", alone), *(("k", it) for it in reversed(ids[2:]))]
    assert versions(s3) == expected
    assert [key for key, _ in versions(s3, "DeleteMarkers")] == ["current/a", "gone"]
    assert keys(s3) == ["k"]
    s3.delete_object(Bucket="raw", Key="gone", VersionId=alone)
    clock.move(DAY)
    wait_for(lambda: [key for key, _ in versions(s3, "DeleteMarkers")] == ["current/a"], "the end of a lone marker")


def test_locked_versions_do_not_expire(s3, clock):
    s3.create_bucket(Bucket="raw", ObjectLockEnabledForBucket=True)
    put_rules(s3, rule("old", NoncurrentVersionExpiration={"NoncurrentDays": 1}))
    locked = s3.put_object(Bucket="raw", Key="k", Body=b"1", ObjectLockLegalHoldStatus="ON")["VersionId"]
    s3.put_object(Bucket="raw", Key="k", Body=b"2")
    last = s3.put_object(Bucket="raw", Key="k", Body=b"3")["VersionId"]
    clock.move(2 * DAY)
    wait_for(lambda: versions(s3) == [("k", last), ("k", locked)], "the expiration of what is not locked")


def test_uploads_in_parts_are_given_up(s3, bucket, clock):
    put_rules(s3, rule(prefix="in/", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}))
    for key in ["in/a", "out/a"]:
        upload = s3.create_multipart_upload(Bucket="raw", Key=key)["UploadId"]
        s3.upload_part(Bucket="raw", Key=key, UploadId=upload, PartNumber=1, Body=b"x" * 5_000_000)
    clock.move(2 * DAY)
    left = lambda: [it["Key"] for it in s3.list_multipart_uploads(Bucket="raw").get("Uploads", [])]
    wait_for(lambda: left() == ["out/a"], "the end of an upload")


def test_transitions_change_storage_classes(s3, bucket, clock):
    body = b"x" * 200_000
    transitions = [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 60, "StorageClass": "GLACIER_IR"}]
    put_rules(s3, rule(Transitions=transitions))
    s3.put_object(Bucket="raw", Key="large", Body=body)
    s3.put_object(Bucket="raw", Key="small", Body=b"x")
    s3.put_object(Bucket="raw", Key="cold", Body=body, StorageClass="GLACIER_IR")
    assert "StorageClass" not in s3.head_object(Bucket="raw", Key="large")
    classes = lambda: {it["Key"]: it["StorageClass"] for it in s3.list_objects_v2(Bucket="raw")["Contents"]}
    assert classes() == {"cold": "GLACIER_IR", "large": "STANDARD", "small": "STANDARD"}
    clock.move(31 * DAY)
    wait_for(lambda: classes()["large"] == "STANDARD_IA", "a transition")
    assert s3.get_object(Bucket="raw", Key="large")["StorageClass"] == "STANDARD_IA"
    clock.move(30 * DAY)
    wait_for(lambda: classes() == {"cold": "GLACIER_IR", "large": "GLACIER_IR", "small": "STANDARD"}, "the next one")
    assert s3.get_object(Bucket="raw", Key="large")["Body"].read() == body
    source = {"Bucket": "raw", "Key": "large"}
    s3.copy_object(Bucket="raw", Key="large", CopySource=source, StorageClass="STANDARD")
    assert classes()["large"] == "STANDARD"
    attributes = s3.get_object_attributes(Bucket="raw", Key="cold", ObjectAttributes=["StorageClass"])
    assert attributes["StorageClass"] == "GLACIER_IR"
    assert code(s3.put_object, Bucket="raw", Key="k", Body=b"", StorageClass="DEEP_ARCHIVE") == ("NotImplemented", 501)


def test_rules_come_back_as_they_were_put_or_are_refused(s3, bucket):
    date = datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc)
    rules = [
        rule("date", "a/", Expiration={"Date": date}),
        {"ID": "bare", "Status": "Enabled", "Prefix": "b/", "Expiration": {"Days": 3}},
        {
            "ID": "and",
            "Status": "Disabled",
            "Filter": {"And": {"Prefix": "c/", "Tags": [{"Key": "a", "Value": "1"}], "ObjectSizeLessThan": 10}},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 2, "NewerNoncurrentVersions": 3},
            "NoncurrentVersionTransitions": [{"NoncurrentDays": 1, "StorageClass": "GLACIER_IR"}],
        },
        rule("abort", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7}),
    ]
    assert code(s3.get_bucket_lifecycle_configuration, Bucket="raw") == ("NoSuchLifecycleConfiguration", 404)
    put_rules(s3, *rules)
    assert s3.get_bucket_lifecycle_configuration(Bucket="raw")["Rules"] == rules
    s3.delete_bucket_lifecycle(Bucket="raw")
    assert code(s3.get_bucket_lifecycle_configuration, Bucket="raw") == ("NoSuchLifecycleConfiguration", 404)

    def refused(*rules):
        return code(s3.put_bucket_lifecycle_configuration, Bucket="raw", LifecycleConfiguration={"Rules": list(rules)})

    assert refused(rule(Expiration={"Days": 0})) == ("InvalidArgument", 400)
    assert refused(rule(Expiration={"Days": 1}), rule(Expiration={"Days": 2})) == ("InvalidArgument", 400)
    noon = datetime.datetime(2030, 1, 1, 12, tzinfo=datetime.timezone.utc)
    assert refused(rule(Expiration={"Date": noon})) == ("InvalidArgument", 400)
    assert refused(rule()) == ("InvalidRequest", 400)
    assert refused({"ID": "x", "Status": "Enabled", "Expiration": {"Days": 1}}) == ("MalformedXML", 400)
    early = [{"Days": 3, "StorageClass": "STANDARD_IA"}]
    assert refused(rule(Transitions=early)) == ("InvalidArgument", 400)
    deep = [{"Days": 300, "StorageClass": "DEEP_ARCHIVE"}]
    assert refused(rule(Transitions=deep)) == ("NotImplemented", 501)


def test_keys_that_were_looked_at_are_looked_at_again_when_they_are_due(s3, bucket, clock):
    """A look at all keys makes a plan; what is written later, and rules that change, are not overlooked by it."""
    put_rules(s3, rule("logs", "logs/", Expiration={"Days": 3}), rule("tmp", "tmp/", Expiration={"Days": 5}))
    for day in range(4):
        for folder in ("logs", "tmp"):
            s3.put_object(Bucket="raw", Key=f"{folder}/{day}", Body=b"x")
        clock.move(DAY)
    # Day 4: what was written on day 0 went at the midnight in which its three days ended.
    wait_for(lambda: keys(s3) == ["logs/1", "logs/2", "logs/3", "tmp/0", "tmp/1", "tmp/2", "tmp/3"], "the first expiry")
    s3.put_object(Bucket="raw", Key="logs/1", Body=b"again")
    clock.move(2 * DAY)
    wait_for(lambda: keys(s3) == ["logs/1", "logs/3", "tmp/1", "tmp/2", "tmp/3"], "the expiry of both")
    clock.move(DAY)
    wait_for(lambda: keys(s3) == ["logs/1", "tmp/2", "tmp/3"], "the next midnight")
    put_rules(s3, rule("tmp", "tmp/", Expiration={"Days": 2}))
    wait_for(lambda: keys(s3) == ["logs/1"], "what shorter rules say")
    put_rules(s3, rule("all", Expiration={"Days": 1}))
    wait_for(lambda: keys(s3) == [], "what rules for more keys say")
    s3.put_object(Bucket="raw", Key="last", Body=b"x")
    clock.move(2 * DAY)
    wait_for(lambda: keys(s3) == [], "the last expiry")
