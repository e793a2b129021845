"""Object Lock: retention in both modes, legal holds, default retention; the time is the platform's."""

import datetime
import json

import pytest
from conftest import allow, code


@pytest.fixture
def s3(shared):
    return shared.client("s3", "test", "test")


@pytest.fixture
def bucket(s3, unique):
    name = unique("locked")
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


def days(count, now=None):
    now = now or datetime.datetime.now(datetime.timezone.utc)
    return (now + datetime.timedelta(days=count)).replace(microsecond=0)


def test_locks_are_configured_for_versioned_buckets(s3, bucket, unique):
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    enabled = {"ObjectLockEnabled": "Enabled"}
    assert s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"] == enabled
    suspended = {"Status": "Suspended"}
    assert code(s3.put_bucket_versioning, Bucket=bucket, VersioningConfiguration=suspended) == ("InvalidBucketState", 409)
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}}
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=enabled | {"Rule": rule})
    assert s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]["Rule"] == rule
    for retention in [{"Mode": "GOVERNANCE"}, {"Mode": "GOVERNANCE", "Days": 1, "Years": 1}, {"Days": 1}]:
        wrong = enabled | {"Rule": {"DefaultRetention": retention}}
        assert code(s3.put_object_lock_configuration, Bucket=bucket, ObjectLockConfiguration=wrong)[0] == "MalformedXML"
    wrong = enabled | {"Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 0}}}
    assert code(s3.put_object_lock_configuration, Bucket=bucket, ObjectLockConfiguration=wrong)[0] == "InvalidArgument"
    plain = unique("plain")
    s3.create_bucket(Bucket=plain)
    missing = ("ObjectLockConfigurationNotFoundError", 404)
    assert code(s3.get_object_lock_configuration, Bucket=plain) == missing
    refused = code(s3.put_object_lock_configuration, Bucket=plain, ObjectLockConfiguration=enabled)
    assert refused == ("InvalidBucketState", 409)
    put = {"Bucket": plain, "Key": "k", "Body": b"x"}
    assert code(s3.put_object, **put, ObjectLockLegalHoldStatus="ON") == ("InvalidRequest", 400)
    s3.put_object(**put)
    assert code(s3.get_object_retention, Bucket=plain, Key="k") == ("InvalidRequest", 400)
    s3.put_bucket_versioning(Bucket=plain, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object_lock_configuration(Bucket=plain, ObjectLockConfiguration=enabled)
    s3.put_object(**put, ObjectLockLegalHoldStatus="ON")


def test_governance_can_be_bypassed_by_those_who_may(shared, s3, bucket, unique):
    until = days(2)
    put = {"Bucket": bucket, "Key": "k", "Body": b"x", "ObjectLockMode": "GOVERNANCE"}
    version = s3.put_object(**put, ObjectLockRetainUntilDate=until)["VersionId"]
    head = s3.head_object(Bucket=bucket, Key="k")
    assert (head["ObjectLockMode"], head["ObjectLockRetainUntilDate"]) == ("GOVERNANCE", until)
    which = {"Bucket": bucket, "Key": "k", "VersionId": version}
    assert s3.get_object_retention(**which)["Retention"] == {"Mode": "GOVERNANCE", "RetainUntilDate": until}
    assert code(s3.delete_object, **which) == ("AccessDenied", 403)
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["DeleteMarker"], "a locked version can be hidden"
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k", "VersionId": version}]})
    assert answer["Errors"][0]["Code"] == "AccessDenied"
    iam = shared.client("iam", "test", "test")
    user = unique("keeper")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    keeper = shared.client("s3", key["AccessKeyId"], key["SecretAccessKey"])

    def let(*actions):
        document = json.dumps({"Version": "2012-10-17", "Statement": [allow(*actions)]})
        iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document)

    let("s3:DeleteObjectVersion", "s3:PutObjectRetention", "s3:GetObject*")
    shorter = {"Mode": "GOVERNANCE", "RetainUntilDate": days(1)}
    assert code(keeper.put_object_retention, **which, Retention=shorter) == ("AccessDenied", 403)
    bypass = {"BypassGovernanceRetention": True}
    assert code(keeper.put_object_retention, **which, Retention=shorter, **bypass) == ("AccessDenied", 403)
    assert code(keeper.delete_object, **which, **bypass) == ("AccessDenied", 403)
    # Nor may its sort change, not even to the stricter one.
    stricter = {"Mode": "COMPLIANCE", "RetainUntilDate": days(3)}
    assert code(keeper.put_object_retention, **which, Retention=stricter) == ("AccessDenied", 403)
    longer = {"Mode": "GOVERNANCE", "RetainUntilDate": days(3)}
    keeper.put_object_retention(**which, Retention=longer)
    let("s3:DeleteObjectVersion", "s3:PutObjectRetention", "s3:BypassGovernanceRetention")
    keeper.put_object_retention(**which, Retention=shorter, **bypass)
    keeper.delete_object(**which, **bypass)
    assert code(s3.head_object, **which)[1] == 404


def test_compliance_holds_for_everybody_until_its_time(start, clock):
    server = start("--dev", *clock.flags)
    s3 = server.client("s3", "test", "test")
    s3.create_bucket(Bucket="raw", ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    s3.put_object_lock_configuration(Bucket="raw", ObjectLockConfiguration=configuration)
    version = s3.put_object(Bucket="raw", Key="k", Body=b"x")["VersionId"]
    which = {"Bucket": "raw", "Key": "k", "VersionId": version}
    bypass = {"BypassGovernanceRetention": True}
    assert code(s3.delete_object, **which, **bypass) == ("AccessDenied", 403)
    shorter = {"Mode": "COMPLIANCE", "RetainUntilDate": clock.now() + datetime.timedelta(hours=1)}
    assert code(s3.put_object_retention, **which, Retention=shorter, **bypass) == ("AccessDenied", 403)
    assert code(s3.put_object_retention, **which, Retention={}, **bypass) == ("AccessDenied", 403)
    past = {"Mode": "COMPLIANCE", "RetainUntilDate": days(-1)}
    assert code(s3.put_object_retention, **which, Retention=past) == ("InvalidArgument", 400)
    server.kill()
    server = start("--dev", *clock.flags)
    s3 = server.client("s3", "test", "test")
    assert code(s3.delete_object, **which) == ("AccessDenied", 403)
    clock.move(24 * 3600 + 60)
    s3.delete_object(**which)
    assert code(s3.head_object, **which)[1] == 404


def test_legal_holds_have_no_end(s3, bucket):
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["VersionId"]
    which = {"Bucket": bucket, "Key": "k", "VersionId": version}
    assert code(s3.get_object_legal_hold, **which) == ("NoSuchObjectLockConfiguration", 404)
    assert code(s3.get_object_retention, **which) == ("NoSuchObjectLockConfiguration", 404)
    s3.put_object_legal_hold(**which, LegalHold={"Status": "ON"})
    assert s3.get_object_legal_hold(**which)["LegalHold"] == {"Status": "ON"}
    assert s3.get_object(**which)["ObjectLockLegalHoldStatus"] == "ON"
    assert code(s3.delete_object, **which, BypassGovernanceRetention=True) == ("AccessDenied", 403)
    s3.put_object_legal_hold(**which, LegalHold={"Status": "OFF"})
    s3.delete_object(**which)
    assert code(s3.put_object_legal_hold, **which, LegalHold={"Status": "ON"})[0] == "NoSuchVersion"


def test_uploads_in_parts_and_copies_are_locked_too(s3, bucket):
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": days(1), "ObjectLockLegalHoldStatus": "OFF"}
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", **lock)["UploadId"]
    part = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    etag = s3.upload_part(**part, PartNumber=1, Body=b"x")["ETag"]
    done = s3.complete_multipart_upload(**part, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    assert code(s3.delete_object, Bucket=bucket, Key="k", VersionId=done["VersionId"]) == ("AccessDenied", 403)
    source = {"Bucket": bucket, "Key": "k"}
    plain = s3.copy_object(Bucket=bucket, Key="plain", CopySource=source)
    s3.delete_object(Bucket=bucket, Key="plain", VersionId=plain["VersionId"])
    copy = s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, **lock)
    assert code(s3.delete_object, Bucket=bucket, Key="copy", VersionId=copy["VersionId"]) == ("AccessDenied", 403)
    put = {"Bucket": bucket, "Key": "k", "Body": b"x"}
    assert code(s3.put_object, **put, ObjectLockMode="GOVERNANCE") == ("InvalidArgument", 400)
    past = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": days(-1)}
    assert code(s3.put_object, **put, **past) == ("InvalidArgument", 400)
