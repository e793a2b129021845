"""Versioning: delete markers, versions by id, the version `null`, listings in pages."""

import json

import pytest
from botocore.exceptions import ClientError
from conftest import allow, code


@pytest.fixture
def s3(shared):
    return shared.client("s3", "test", "test")


@pytest.fixture
def bucket(s3, unique):
    name = unique("versions")
    s3.create_bucket(Bucket=name)
    return name


def version(s3, bucket, status="Enabled"):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def refusal(call, **arguments):
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response


def put(s3, bucket, key, body):
    return s3.put_object(Bucket=bucket, Key=key, Body=body)["VersionId"]


def body(s3, **arguments):
    return s3.get_object(**arguments)["Body"].read()


def all_versions(s3, **arguments):
    """Key, id, whether it is the latest, whether it is a delete marker: in the order of the listing."""
    answer = s3.list_object_versions(**arguments)
    versions = [(it["Key"], it["VersionId"], it["IsLatest"], False) for it in answer.get("Versions", [])]
    markers = [(it["Key"], it["VersionId"], it["IsLatest"], True) for it in answer.get("DeleteMarkers", [])]
    return versions, markers


def test_versions_stay_until_they_are_deleted_by_their_id(s3, bucket):
    assert "VersionId" not in s3.put_object(Bucket=bucket, Key="k", Body=b"0")
    version(s3, bucket)
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert s3.head_object(Bucket=bucket, Key="k")["VersionId"] == "null"
    one, two = put(s3, bucket, "k", b"1"), put(s3, bucket, "k", b"2")
    assert [body(s3, Bucket=bucket, Key="k", VersionId=it) for it in ["null", one, two]] == [b"0", b"1", b"2"]
    assert body(s3, Bucket=bucket, Key="k") == b"2"
    deleted = s3.delete_object(Bucket=bucket, Key="k")
    marker = deleted["VersionId"]
    assert deleted["DeleteMarker"] is True
    gone = refusal(s3.get_object, Bucket=bucket, Key="k")
    headers = gone["ResponseMetadata"]["HTTPHeaders"]
    assert gone["Error"]["Code"] == "NoSuchKey"
    assert (headers["x-amz-delete-marker"], headers["x-amz-version-id"]) == ("true", marker)
    assert code(s3.get_object, Bucket=bucket, Key="k", VersionId=marker) == ("MethodNotAllowed", 405)
    assert code(s3.head_object, Bucket=bucket, Key="k", VersionId=marker)[1] == 405
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    versions, markers = all_versions(s3, Bucket=bucket)
    assert versions == [("k", two, False, False), ("k", one, False, False), ("k", "null", False, False)]
    assert markers == [("k", marker, True, True)]
    back = s3.delete_object(Bucket=bucket, Key="k", VersionId=marker)
    assert (back["DeleteMarker"], back["VersionId"]) == (True, marker)
    assert body(s3, Bucket=bucket, Key="k") == b"2"
    assert "DeleteMarker" not in s3.delete_object(Bucket=bucket, Key="k", VersionId=two)
    assert body(s3, Bucket=bucket, Key="k") == b"1"
    assert code(s3.get_object, Bucket=bucket, Key="k", VersionId=two) == ("NoSuchVersion", 404)
    assert code(s3.get_object, Bucket=bucket, Key="k", VersionId="nonsense") == ("InvalidArgument", 400)
    assert s3.delete_object(Bucket=bucket, Key="k", VersionId=two)["VersionId"] == two, "gone twice is no error"
    assert code(s3.delete_bucket, Bucket=bucket)[0] == "BucketNotEmpty"
    for it in [one, "null"]:
        s3.delete_object(Bucket=bucket, Key="k", VersionId=it)
    assert all_versions(s3, Bucket=bucket) == ([], [])
    s3.delete_bucket(Bucket=bucket)


def test_suspended_versioning_has_one_version_null(s3, bucket):
    version(s3, bucket)
    one = put(s3, bucket, "k", b"1")
    version(s3, bucket, "Suspended")
    assert put(s3, bucket, "k", b"2") == "null"
    assert put(s3, bucket, "k", b"3") == "null"
    versions, _ = all_versions(s3, Bucket=bucket)
    assert versions == [("k", "null", True, False), ("k", one, False, False)]
    deleted = s3.delete_object(Bucket=bucket, Key="k")
    assert (deleted["DeleteMarker"], deleted["VersionId"]) == (True, "null")
    versions, markers = all_versions(s3, Bucket=bucket)
    assert (versions, markers) == ([("k", one, False, False)], [("k", "null", True, True)])
    version(s3, bucket)
    two = put(s3, bucket, "k", b"4")
    versions, markers = all_versions(s3, Bucket=bucket)
    assert versions == [("k", two, True, False), ("k", one, False, False)]
    assert markers == [("k", "null", False, True)]
    assert code(s3.put_bucket_versioning, Bucket=bucket, VersioningConfiguration={"MFADelete": "Enabled"})[1] == 501
    assert code(s3.put_bucket_versioning, Bucket=bucket, VersioningConfiguration={"Status": "Off"})[0] == "MalformedXML"


def test_listings_of_versions_come_in_pages(s3, bucket):
    version(s3, bucket)
    made = {}
    for key in ["a", "b/1", "b/2", "c"]:
        made[key] = [put(s3, bucket, key, bytes([at])) for at in range(3)]
    s3.delete_object(Bucket=bucket, Key="c")
    paginator = s3.get_paginator("list_object_versions")
    for size in [1, 2, 5]:
        pages = list(paginator.paginate(Bucket=bucket, PaginationConfig={"PageSize": size}))
        listed = [(it["Key"], it["VersionId"]) for page in pages for it in page.get("Versions", [])]
        assert listed == [(key, it) for key, ids in made.items() for it in reversed(ids)]
        assert sum(len(page.get("DeleteMarkers", [])) for page in pages) == 1
        assert sum(it["IsLatest"] for page in pages for it in page.get("Versions", [])) == 3
        assert all(len(page.get("Versions", []) + page.get("DeleteMarkers", [])) <= size for page in pages)
    rolled = list(paginator.paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 2}))
    assert [it["Prefix"] for page in rolled for it in page.get("CommonPrefixes", [])] == ["b/"]
    assert {it["Key"] for page in rolled for it in page.get("Versions", [])} == {"a", "c"}
    behind = s3.list_object_versions(Bucket=bucket, Prefix="b/", KeyMarker="b/1", VersionIdMarker=made["b/1"][1])
    assert [it["VersionId"] for it in behind["Versions"]] == [made["b/1"][0], *reversed(made["b/2"])]
    assert [it["Key"] for it in s3.list_object_versions(Bucket=bucket, KeyMarker="b/1")["Versions"]][:1] == ["b/2"]
    assert code(s3.list_object_versions, Bucket=bucket, VersionIdMarker="x") == ("InvalidArgument", 400)


def test_many_are_deleted_by_version(s3, bucket):
    version(s3, bucket)
    one, two = put(s3, bucket, "k", b"1"), put(s3, bucket, "k", b"2")
    wanted = [{"Key": "k", "VersionId": one}, {"Key": "k"}, {"Key": "other"}, {"Key": "k", "VersionId": "bad"}]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": wanted})
    by_id, marked, other = answer["Deleted"]
    assert (by_id["VersionId"], "DeleteMarker" in by_id) == (one, False)
    assert marked["DeleteMarker"] is True and other["DeleteMarker"] is True
    assert [(it["Code"], it["VersionId"]) for it in answer["Errors"]] == [("NoSuchVersion", "bad")]
    gone = s3.delete_objects(
        Bucket=bucket, Delete={"Objects": [{"Key": "k", "VersionId": marked["DeleteMarkerVersionId"]}]}
    )["Deleted"][0]
    assert (gone["DeleteMarker"], gone["DeleteMarkerVersionId"]) == (True, gone["VersionId"])
    assert s3.head_object(Bucket=bucket, Key="k")["VersionId"] == two


def test_versions_are_copied_and_tagged_by_their_id(s3, bucket):
    version(s3, bucket)
    one = s3.put_object(Bucket=bucket, Key="k", Body=b"1" * 6_000, Tagging="a=1")["VersionId"]
    two = put(s3, bucket, "k", b"2")
    copied = s3.copy_object(Bucket=bucket, Key="k", CopySource={"Bucket": bucket, "Key": "k", "VersionId": one})
    assert copied["CopySourceVersionId"] == one
    assert body(s3, Bucket=bucket, Key="k", VersionId=copied["VersionId"]) == b"1" * 6_000
    assert body(s3, Bucket=bucket, Key="k", VersionId=two) == b"2"
    tags = s3.get_object_tagging(Bucket=bucket, Key="k", VersionId=one)
    assert (tags["VersionId"], tags["TagSet"]) == (one, [{"Key": "a", "Value": "1"}])
    s3.put_object_tagging(Bucket=bucket, Key="k", VersionId=two, Tagging={"TagSet": [{"Key": "b", "Value": "2"}]})
    assert s3.head_object(Bucket=bucket, Key="k", VersionId=two)["ResponseMetadata"]["HTTPHeaders"]["x-amz-tagging-count"]
    s3.delete_object_tagging(Bucket=bucket, Key="k", VersionId=one)
    assert s3.get_object_tagging(Bucket=bucket, Key="k", VersionId=one)["TagSet"] == []
    attributes = s3.get_object_attributes(Bucket=bucket, Key="k", VersionId=one, ObjectAttributes=["ObjectSize"])
    assert (attributes["ObjectSize"], attributes["VersionId"]) == (6_000, one)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    part = {"Bucket": bucket, "Key": "parts", "UploadId": upload}
    copied = s3.upload_part_copy(**part, PartNumber=1, CopySource={"Bucket": bucket, "Key": "k", "VersionId": two})
    assert copied["CopySourceVersionId"] == two
    listed = [{"PartNumber": 1, "ETag": copied["CopyPartResult"]["ETag"]}]
    done = s3.complete_multipart_upload(**part, MultipartUpload={"Parts": listed})
    assert body(s3, Bucket=bucket, Key="parts", VersionId=done["VersionId"]) == b"2"
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    source = {"Bucket": bucket, "Key": "k"}
    assert code(s3.copy_object, Bucket=bucket, Key="c", CopySource=source)[0] == "NoSuchKey"
    source["VersionId"] = marker
    assert code(s3.copy_object, Bucket=bucket, Key="c", CopySource=source) == ("InvalidRequest", 400)


def test_reading_and_deleting_versions_needs_rights_of_their_own(shared, s3, bucket, unique):
    version(s3, bucket)
    one, two = put(s3, bucket, "k", b"1"), put(s3, bucket, "k", b"2")
    iam = shared.client("iam", "test", "test")
    user = unique("reader")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    reader = shared.client("s3", key["AccessKeyId"], key["SecretAccessKey"])

    def let(*actions):
        statements = [allow(*actions, resource=f"arn:aws:s3:::{bucket}/*")]
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document)

    let("s3:GetObject", "s3:DeleteObject", "s3:GetObjectTagging")
    assert body(reader, Bucket=bucket, Key="k") == b"2"
    assert code(reader.get_object, Bucket=bucket, Key="k", VersionId=one) == ("AccessDenied", 403)
    assert code(reader.delete_object, Bucket=bucket, Key="k", VersionId=one) == ("AccessDenied", 403)
    assert code(reader.get_object_tagging, Bucket=bucket, Key="k", VersionId=one) == ("AccessDenied", 403)
    assert code(reader.list_object_versions, Bucket=bucket) == ("AccessDenied", 403)
    assert code(reader.put_bucket_versioning, Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})[1] == 403
    assert reader.delete_object(Bucket=bucket, Key="k")["DeleteMarker"]
    let("s3:GetObjectVersion", "s3:DeleteObjectVersion")
    assert body(reader, Bucket=bucket, Key="k", VersionId=two) == b"2"
    reader.delete_object(Bucket=bucket, Key="k", VersionId=one)
    assert code(reader.get_object, Bucket=bucket, Key="k") == ("AccessDenied", 403)


def test_deletions_have_conditions(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    other = '"00000000000000000000000000000000"'
    assert code(s3.delete_object, Bucket=bucket, Key="k", IfMatch=other) == ("PreconditionFailed", 412)
    assert code(s3.delete_object, Bucket=bucket, Key="missing", IfMatch="*") == ("NoSuchKey", 404)
    wanted = [{"Key": "k", "ETag": other}, {"Key": "k", "ETag": etag}]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": wanted})
    assert [it["Code"] for it in answer["Errors"]] == ["PreconditionFailed"]
    assert [it["Key"] for it in answer["Deleted"]] == ["k"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    s3.delete_object(Bucket=bucket, Key="k", IfMatch="*")
    version(s3, bucket)
    put(s3, bucket, "k", b"2")
    s3.delete_object(Bucket=bucket, Key="k", IfMatch=s3.head_object(Bucket=bucket, Key="k")["ETag"])
    assert code(s3.delete_object, Bucket=bucket, Key="k", IfMatch="*") == ("PreconditionFailed", 412)
    assert code(s3.put_object, Bucket=bucket, Key="k", Body=b"3", IfMatch=etag) == ("NoSuchKey", 404)
    s3.put_object(Bucket=bucket, Key="k", Body=b"3", IfNoneMatch="*")


def test_versions_survive_a_power_cut(start, tmp_path):
    server = start("--dev")
    s3 = server.client("s3", "test", "test")
    s3.create_bucket(Bucket="raw")
    version(s3, "raw")
    ids = [put(s3, "raw", "k", bytes([at]) * size) for at, size in enumerate([1, 9_000, 2_000_000])]
    marker = s3.delete_object(Bucket="raw", Key="k")["VersionId"]
    server.kill()
    s3 = start("--dev").client("s3", "test", "test")
    assert s3.get_bucket_versioning(Bucket="raw")["Status"] == "Enabled"
    versions, markers = all_versions(s3, Bucket="raw")
    assert [it[1] for it in versions] == list(reversed(ids))
    assert [it[1:3] for it in markers] == [(marker, True)]
    assert [len(body(s3, Bucket="raw", Key="k", VersionId=it)) for it in ids] == [1, 9_000, 2_000_000]
    s3.delete_object(Bucket="raw", Key="k", VersionId=marker)
    assert s3.head_object(Bucket="raw", Key="k")["VersionId"] == ids[-1]
    assert put(s3, "raw", "k", b"new") > ids[-1], "later versions have later names"


def test_a_watched_bucket_tells_of_versions(shared, s3, bucket, unique):
    sqs = shared.client("sqs", "test", "test")
    queue = sqs.create_queue(QueueName=unique("told"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    principal = {"Service": "s3.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    version(s3, bucket)
    events = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": events}]},
    )
    one = put(s3, bucket, "k", b"1")
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="k", VersionId=one)
    told = set()
    while len(told) < 3:
        answer = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10, MaxNumberOfMessages=10)
        for message in answer["Messages"]:
            for record in json.loads(message["Body"]).get("Records", []):
                told.add((record["eventName"], record["s3"]["object"]["versionId"]))
    assert told == {
        ("ObjectCreated:Put", one),
        ("ObjectRemoved:DeleteMarkerCreated", marker),
        ("ObjectRemoved:Delete", one),
    }
