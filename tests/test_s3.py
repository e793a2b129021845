"""S3's operations through an unmodified boto3."""

import json
import socket
import urllib.error
import urllib.request

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from conftest import code


@pytest.fixture
def server(start):
    return start("--dev")


@pytest.fixture
def s3(server):
    return server.client("s3", "test", "test")


@pytest.fixture
def bucket(s3):
    s3.create_bucket(Bucket="raw-data")
    return "raw-data"


def test_buckets_are_made_found_and_removed(s3, bucket):
    assert [it["Name"] for it in s3.list_buckets()["Buckets"]] == [bucket]
    head = s3.head_bucket(Bucket=bucket)
    assert head["BucketRegion"] == "us-east-1"
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    s3.create_bucket(Bucket=bucket)  # us-east-1 lets the owner do that
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert code(s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)
    s3.delete_object(Bucket=bucket, Key="k")
    s3.delete_bucket(Bucket=bucket)
    assert code(s3.head_bucket, Bucket=bucket) == ("404", 404)
    assert code(s3.list_objects_v2, Bucket=bucket) == ("NoSuchBucket", 404)


def test_bucket_names_and_places_are_checked(s3):
    europe = {"LocationConstraint": "eu-west-1"}
    assert code(s3.create_bucket, Bucket="xn--a")[0] == "InvalidBucketName"
    assert code(s3.create_bucket, Bucket="elsewhere", CreateBucketConfiguration=europe) == (
        "IllegalLocationConstraintException",
        400,
    )


def test_list_buckets_pages(s3):
    for name in ["aa-1", "aa-2", "bb-1"]:
        s3.create_bucket(Bucket=name)
    page = s3.list_buckets(MaxBuckets=2)
    assert [it["Name"] for it in page["Buckets"]] == ["aa-1", "aa-2"]
    rest = s3.list_buckets(MaxBuckets=2, ContinuationToken=page["ContinuationToken"])
    assert [it["Name"] for it in rest["Buckets"]] == ["bb-1"]
    assert "ContinuationToken" not in rest
    assert [it["Name"] for it in s3.list_buckets(Prefix="bb")["Buckets"]] == ["bb-1"]


def test_an_object_keeps_everything_that_came_with_it(s3, bucket):
    key = "dir/a b+c&é<>'\".txt"
    put = s3.put_object(
        Bucket=bucket,
        Key=key,
        Body=b"hello",
        ContentType="text/plain",
        CacheControl="no-store",
        ContentDisposition="attachment",
        ContentEncoding="identity",
        ContentLanguage="en",
        Metadata={"Owner": "me", "plain": "a b"},
        Tagging="a=1&b=x%20y",
    )
    assert put["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
    got = s3.get_object(Bucket=bucket, Key=key)
    assert got["Body"].read() == b"hello"
    assert (got["ContentType"], got["CacheControl"]) == ("text/plain", "no-store")
    assert (got["ContentDisposition"], got["ContentLanguage"]) == ("attachment", "en")
    assert got["ContentEncoding"] == "identity"
    assert got["Metadata"] == {"owner": "me", "plain": "a b"}
    assert got["TagCount"] == 2
    head = s3.head_object(Bucket=bucket, Key=key)
    assert (head["ContentLength"], head["ETag"], head["AcceptRanges"]) == (5, put["ETag"], "bytes")
    assert head["ResponseMetadata"]["HTTPHeaders"]["x-amz-id-2"]
    assert "ChecksumCRC32" in s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")


def test_missing_things_are_named(s3, bucket):
    assert code(s3.get_object, Bucket=bucket, Key="none") == ("NoSuchKey", 404)
    assert code(s3.head_object, Bucket=bucket, Key="none") == ("404", 404)
    assert code(s3.get_object, Bucket="no-such-bucket", Key="k") == ("NoSuchBucket", 404)
    assert code(s3.put_object, Bucket="no-such-bucket", Key="k", Body=b"") == ("NoSuchBucket", 404)
    s3.delete_object(Bucket=bucket, Key="none")


def test_ranges_and_overrides(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    got = s3.get_object(Bucket=bucket, Key="k", Range="bytes=2-4", ResponseContentType="text/x")
    assert (got["Body"].read(), got["ContentRange"], got["ContentType"]) == (b"234", "bytes 2-4/10", "text/x")
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert s3.get_object(Bucket=bucket, Key="k", Range="bytes=-3")["Body"].read() == b"789"
    assert s3.get_object(Bucket=bucket, Key="k", PartNumber=1)["Body"].read() == b"0123456789"
    assert code(s3.get_object, Bucket=bucket, Key="k", Range="bytes=10-") == ("InvalidRange", 416)
    assert code(s3.get_object, Bucket=bucket, Key="k", PartNumber=2)[1] == 416


def test_conditional_reads_and_writes(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"one", IfNoneMatch="*")["ETag"]
    assert code(s3.put_object, Bucket=bucket, Key="k", Body=b"two", IfNoneMatch="*") == ("PreconditionFailed", 412)
    assert code(s3.put_object, Bucket=bucket, Key="k", Body=b"two", IfMatch='"0"') == ("PreconditionFailed", 412)
    assert code(s3.put_object, Bucket=bucket, Key="n", Body=b"two", IfMatch=etag) == ("NoSuchKey", 404)
    assert code(s3.get_object, Bucket=bucket, Key="k", IfNoneMatch=etag) == ("304", 304)
    assert code(s3.get_object, Bucket=bucket, Key="k", IfMatch='"0"') == ("PreconditionFailed", 412)
    assert code(s3.head_object, Bucket=bucket, Key="k", IfMatch='"0"') == ("412", 412)
    modified = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    assert code(s3.get_object, Bucket=bucket, Key="k", IfModifiedSince=modified)[1] == 304
    assert s3.get_object(Bucket=bucket, Key="k", IfUnmodifiedSince=modified)["Body"].read() == b"one"
    s3.put_object(Bucket=bucket, Key="k", Body=b"two", IfMatch=etag)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"two"


def test_listing(s3, bucket):
    for key in ["a/1", "a/2", "b/1", "c", "d d", "e"]:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    page = s3.list_objects_v2(Bucket=bucket, Delimiter="/", MaxKeys=3)
    assert [it["Prefix"] for it in page["CommonPrefixes"]] == ["a/", "b/"]
    assert [it["Key"] for it in page["Contents"]] == ["c"]
    assert (page["IsTruncated"], page["KeyCount"]) == (True, 3)
    rest = s3.list_objects_v2(Bucket=bucket, Delimiter="/", ContinuationToken=page["NextContinuationToken"])
    assert [it["Key"] for it in rest["Contents"]] == ["d d", "e"]
    assert rest["IsTruncated"] is False
    assert [it["Key"] for it in s3.list_objects_v2(Bucket=bucket, StartAfter="c")["Contents"]] == ["d d", "e"]
    owned = s3.list_objects_v2(Bucket=bucket, Prefix="a/", FetchOwner=True)["Contents"]
    assert [(it["Key"], it["Size"], it["StorageClass"]) for it in owned] == [("a/1", 3, "STANDARD"), ("a/2", 3, "STANDARD")]
    assert len(owned[0]["Owner"]["ID"]) == 64
    first = s3.list_objects(Bucket=bucket, Delimiter="/", MaxKeys=1)
    assert first["NextMarker"] == "a/"
    second = s3.list_objects(Bucket=bucket, Delimiter="/", MaxKeys=1, Marker=first["NextMarker"])
    assert [it["Prefix"] for it in second["CommonPrefixes"]] == ["b/"]
    versions = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert {it["VersionId"] for it in versions} == {"null"} and len(versions) == 6
    assert code(s3.list_objects_v2, Bucket=bucket, ContinuationToken="?")[0] == "InvalidArgument"


def test_deleting_many(s3, bucket):
    for key in ["a", "b", "c<&>"]:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    names = {"Objects": [{"Key": "a"}, {"Key": "c<&>"}, {"Key": "never"}]}
    gone = s3.delete_objects(Bucket=bucket, Delete=names)
    assert [it["Key"] for it in gone["Deleted"]] == ["a", "c<&>", "never"]
    assert "Deleted" not in s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "b"}], "Quiet": True})
    version = {"Objects": [{"Key": "a", "VersionId": "7"}]}
    assert s3.delete_objects(Bucket=bucket, Delete=version)["Errors"][0]["Code"] == "NoSuchVersion"
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_copies(s3, bucket):
    s3.put_object(Bucket=bucket, Key="s/é 1", Body=b"x" * 9000, ContentType="text/a", Metadata={"a": "1"}, Tagging="t=1")
    source = {"Bucket": bucket, "Key": "s/é 1"}
    copy = s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)["CopyObjectResult"]
    got = s3.get_object(Bucket=bucket, Key="copy")
    assert (got["Metadata"], got["ContentType"], got["ETag"]) == ({"a": "1"}, "text/a", copy["ETag"])
    assert got["TagCount"] == 1
    s3.copy_object(
        Bucket=bucket, Key="copy", CopySource=source, MetadataDirective="REPLACE", Metadata={"b": "2"}, TaggingDirective="REPLACE"
    )
    got = s3.get_object(Bucket=bucket, Key="copy")
    assert (got["Metadata"], got["ContentType"]) == ({"b": "2"}, "binary/octet-stream")
    assert "TagCount" not in got and len(got["Body"].read()) == 9000
    assert code(s3.copy_object, Bucket=bucket, Key="s/é 1", CopySource=source) == ("InvalidRequest", 400)
    condition = {"CopySourceIfMatch": '"0"'}
    assert code(s3.copy_object, Bucket=bucket, Key="c2", CopySource=source, **condition) == ("PreconditionFailed", 412)
    missing = {"Bucket": bucket, "Key": "none"}
    assert code(s3.copy_object, Bucket=bucket, Key="c2", CopySource=missing) == ("NoSuchKey", 404)


def test_tags(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    tags = [{"Key": "a", "Value": "1"}]
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": tags})
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == tags
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    twice = {"TagSet": tags * 2}
    assert code(s3.put_object_tagging, Bucket=bucket, Key="k", Tagging=twice) == ("InvalidTag", 400)
    assert code(s3.get_bucket_tagging, Bucket=bucket) == ("NoSuchTagSet", 404)
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags
    s3.delete_bucket_tagging(Bucket=bucket)
    assert code(s3.get_bucket_tagging, Bucket=bucket) == ("NoSuchTagSet", 404)


def policy(bucket, principal):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_policies_and_public_access(s3, bucket):
    assert code(s3.get_bucket_policy, Bucket=bucket) == ("NoSuchBucketPolicy", 404)
    public, closed = policy(bucket, "*"), policy(bucket, {"AWS": "arn:aws:iam::000000000000:root"})
    assert code(s3.put_bucket_policy, Bucket=bucket, Policy=public) == ("AccessDenied", 403)
    assert code(s3.put_bucket_policy, Bucket=bucket, Policy="{}") == ("MalformedPolicy", 400)
    s3.put_bucket_policy(Bucket=bucket, Policy=closed)
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == json.loads(closed)
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is False
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    s3.delete_public_access_block(Bucket=bucket)
    assert code(s3.get_public_access_block, Bucket=bucket)[0] == "NoSuchPublicAccessBlockConfiguration"
    s3.put_bucket_policy(Bucket=bucket, Policy=public)
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is True
    s3.delete_bucket_policy(Bucket=bucket)
    assert code(s3.get_bucket_policy, Bucket=bucket)[0] == "NoSuchBucketPolicy"


def test_configuration_survives_a_restart_but_not_its_bucket(start, tmp_path):
    first = start("--dev")
    s3 = first.client("s3", "test", "test")
    s3.create_bucket(Bucket="kept")
    s3.put_bucket_tagging(Bucket="kept", Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    s3.put_object(Bucket="kept", Key="k", Body=b"bytes")
    first.stop()
    s3 = start("--dev").client("s3", "test", "test")
    assert s3.get_bucket_tagging(Bucket="kept")["TagSet"][0]["Key"] == "a"
    assert s3.get_object(Bucket="kept", Key="k")["Body"].read() == b"bytes"
    s3.delete_object(Bucket="kept", Key="k")
    s3.delete_bucket(Bucket="kept")
    s3.create_bucket(Bucket="kept")
    assert code(s3.get_bucket_tagging, Bucket="kept")[0] == "NoSuchTagSet"


def test_fixed_configuration(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    grants = s3.get_bucket_acl(Bucket=bucket)["Grants"]
    assert [it["Permission"] for it in grants] == ["FULL_CONTROL"]
    assert s3.get_object_acl(Bucket=bucket, Key="k")["Grants"] == grants
    s3.put_bucket_acl(Bucket=bucket, ACL="private")
    assert code(s3.put_bucket_acl, Bucket=bucket, ACL="public-read") == ("AccessControlListNotSupported", 400)
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    attributes = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ETag", "ObjectSize", "StorageClass"])
    assert (attributes["ObjectSize"], attributes["ETag"]) == (1, "9dd4e461268c8034f5c8564e155c67a6")


def test_what_is_not_implemented_says_so(s3, bucket):
    mfa = {"Status": "Enabled", "MFADelete": "Enabled"}
    assert code(s3.put_bucket_versioning, Bucket=bucket, VersioningConfiguration=mfa) == ("NotImplemented", 501)
    put = {"Bucket": bucket, "Key": "k", "Body": b""}
    assert code(s3.put_object, **put, StorageClass="GLACIER") == ("NotImplemented", 501)
    assert code(s3.put_object, **put, ServerSideEncryption="aws:kms:dsse") == ("NotImplemented", 501)
    assert code(s3.put_object, **put, WebsiteRedirectLocation="/x") == ("NotImplemented", 501)
    assert code(s3.put_object, **put, ObjectLockLegalHoldStatus="ON")[0] == "InvalidRequest"
    assert code(s3.put_object, **put, ACL="public-read")[0] == "AccessControlListNotSupported"
    assert code(s3.put_object, **put, ExpectedBucketOwner="123456789012") == ("AccessDenied", 403)


def test_cors(server, s3, bucket):
    url = f"{server.url}/{bucket}/k"
    ask = {"Origin": "https://a.example.com", "Access-Control-Request-Method": "PUT"}

    def preflight():
        request = urllib.request.Request(url, method="OPTIONS", headers=ask)
        return urllib.request.urlopen(request)

    with pytest.raises(urllib.error.HTTPError) as refused:
        preflight()
    assert refused.value.code == 403
    rule = {"AllowedOrigins": ["https://*.example.com"], "AllowedMethods": ["PUT", "GET"], "MaxAgeSeconds": 9}
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    answer = preflight()
    assert answer.headers["Access-Control-Allow-Origin"] == ask["Origin"]
    assert answer.headers["Access-Control-Max-Age"] == "9"
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    signing = server.client("s3", "test", "test", signature_version="s3v4")
    get = signing.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    answer = urllib.request.urlopen(urllib.request.Request(get, headers={"Origin": ask["Origin"]}))
    assert answer.headers["Access-Control-Allow-Origin"] == ask["Origin"]
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == [rule]
    s3.delete_bucket_cors(Bucket=bucket)
    assert code(s3.get_bucket_cors, Bucket=bucket)[0] == "NoSuchCORSConfiguration"


def test_strangers_and_wrong_keys_are_refused(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    anonymous = boto3.client(
        "s3", endpoint_url=server.url, region_name="us-east-1", config=Config(signature_version=UNSIGNED)
    )
    assert code(anonymous.get_object, Bucket=bucket, Key="k") == ("AccessDenied", 403)
    assert code(server.client("s3", "test", "wrong").list_buckets) == ("SignatureDoesNotMatch", 403)
    assert code(server.client("s3", "nobody", "wrong").list_buckets) == ("InvalidAccessKeyId", 403)


def test_virtual_hosts(server, s3, bucket, monkeypatch):
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest: resolve("127.0.0.1", *rest))
    hosted = boto3.client(
        "s3",
        endpoint_url=server.url.replace("127.0.0.1", "s3.localhost"),
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(s3={"addressing_style": "virtual"}),
    )
    hosted.put_object(Bucket=bucket, Key="a/b", Body=b"hosted")
    assert s3.get_object(Bucket=bucket, Key="a/b")["Body"].read() == b"hosted"
    assert [it["Key"] for it in hosted.list_objects_v2(Bucket=bucket)["Contents"]] == ["a/b"]


def test_metrics_count_calls(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    text = urllib.request.urlopen(f"{server.url}/_boathouse/metrics").read().decode()
    assert 'boathouse_calls_total{service="s3",operation="PutObject",status="200"} 1' in text
