"""URLs that boto3 presigns with nothing said of how: Signature Version 2 in us-east-1, which signs `/bucket/`; and how long
URLs of Version 4 live."""

import urllib.request
from urllib.error import HTTPError

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from conftest import code

OF_BUCKETS = [
    "list_objects", "list_objects_v2", "list_object_versions", "list_multipart_uploads", "get_bucket_location",
    "get_bucket_acl", "get_bucket_versioning", "get_bucket_encryption", "head_bucket",
]  # fmt: skip


def ask(url, method="GET"):
    """The status and the body of an answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method)) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture
def bucket(shared, unique):
    s3 = shared.client("s3", "test", "test")
    name = unique("presigned")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="k", Body=b"kept")
    return name


@pytest.mark.parametrize("operation", OF_BUCKETS)
@pytest.mark.parametrize("version", [None, "s3", "s3v4"])
def test_calls_about_buckets(shared, bucket, operation, version):
    options = {"signature_version": version} if version else {}
    s3 = shared.client("s3", "test", "test", **options, s3={"addressing_style": "path"})
    url = s3.generate_presigned_url(operation, Params={"Bucket": bucket})
    method = "HEAD" if operation == "head_bucket" else "GET"
    assert ask(url, method)[0] == 200, url
    status, body = ask(url.replace(f"/{bucket}?", f"/{bucket}x?"), method)
    assert status == 403 and (method == "HEAD" or "SignatureDoesNotMatch" in body)


def test_deletion_of_a_bucket(shared, bucket):
    s3 = shared.client("s3", "test", "test", s3={"addressing_style": "path"})
    s3.delete_object(Bucket=bucket, Key="k")
    assert ask(s3.generate_presigned_url("delete_bucket", Params={"Bucket": bucket}), "DELETE")[0] == 204
    assert code(s3.head_bucket, Bucket=bucket)[1] == 404


@pytest.mark.parametrize(
    "expires, status, said",
    [
        ("60", 200, "kept"),
        ("604800", 200, "kept"),
        ("0", 403, "Request has expired"),
        ("-1", 400, "X-Amz-Expires must be non-negative"),
        ("604801", 400, "X-Amz-Expires must be less than a week"),
        ("soon", 400, "X-Amz-Expires should be a number"),
        (None, 400, "Query-string authentication version 4 requires the X-Amz-Algorithm"),
    ],
)
def test_lives_of_urls(shared, bucket, expires, status, said):
    request = AWSRequest("GET", f"{shared.url}/{bucket}/k")
    S3SigV4QueryAuth(Credentials("test", "test"), "s3", "us-east-1", expires=expires or 60).add_auth(request)
    url = request.prepare().url
    got, body = ask(url if expires else url.replace("&X-Amz-Expires=60", ""))
    assert (got, said in body) == (status, True), body
    if status == 400:
        assert "<Code>AuthorizationQueryParametersError</Code>" in body


def test_headers_that_were_signed_must_come(shared, bucket):
    s3 = shared.client("s3", "test", "test", signature_version="s3v4", s3={"addressing_style": "path"})
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k", "StorageClass": "STANDARD_IA"})
    status, body = ask(url, "PUT")
    assert status == 403 and "SignatureDoesNotMatch" in body
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"kept"
    whole = urllib.request.Request(url, method="PUT", data=b"new", headers={"x-amz-storage-class": "STANDARD_IA"})
    with urllib.request.urlopen(whole) as answer:
        assert answer.status == 200
    assert s3.head_object(Bucket=bucket, Key="k")["StorageClass"] == "STANDARD_IA"
