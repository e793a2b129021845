"""Names of buckets, and of objects: what is taken, and that every operation gives an odd name back as it is."""

import base64
import hashlib

import pytest
from conftest import code
from wire import plain, signed, talk

KEYS = [
    "a b",
    "a+b",
    "a%2Bb",
    "100%",
    "é",
    "日本語/ファイル",
    "emoji 😀",
    "quote'\"",
    "<&>",
    "q?m#h",
    "a=b&c=d",
    "back\\slash",
    "tab\there",
    "line\nbreak",
    "\x01control",
    "/lead",
    "trail/",
    "double//slash",
    "./dot",
    "../up",
    "*~!$,;:@()[]{}|^`",
    "?versionId=x",
    "k" * 1024,
]


@pytest.fixture
def s3(shared):
    return shared.client("s3", "test", "test")


@pytest.fixture
def bucket(s3, unique):
    name = unique("names")
    s3.create_bucket(Bucket=name)
    return name


@pytest.mark.parametrize(
    "name",
    [
        "ab", "a" * 64, "a" * 255, "a_b", "Upper", "ends-", "-begins", ".begins", "ends.", "two..dots", "a.-b", "a-.b",
        "192.168.5.4", "xn--a", "sthree-a", "sthree-configurator-a", "amzn-s3-demo-a", "a-s3alias", "a--ol-s3", "a.mrap",
        "a--x-s3", "a--table-s3", "%C3%A9t%C3%A9", "a%20b", "a%5Cb", "%2E%2E", "a%00b",
    ],
)  # fmt: skip
def test_bucket_names_that_are_refused(shared, name):
    answer = talk(shared, signed(shared, "PUT", f"/{name}"))
    assert (answer.status, answer.code) in ((400, "InvalidBucketName"), (403, "SignatureDoesNotMatch"))
    assert answer.code == "InvalidBucketName" or "%" in name


@pytest.mark.parametrize("name", ["abc", "a" * 63, "0a1", "with.dots.and-dashes", "1-2-3", "1.2.3", "999.999.999.9999"])
def test_bucket_names_that_are_taken(s3, name):
    s3.create_bucket(Bucket=name)
    s3.head_bucket(Bucket=name)
    s3.delete_bucket(Bucket=name)
    assert code(s3.head_bucket, Bucket=name) == ("404", 404)


def test_places(shared, s3, unique):
    def create(document):
        return talk(shared, signed(shared, "PUT", f"/{unique('place')}", document))

    place = b"<CreateBucketConfiguration><LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>"
    assert create(place % b"mars").code == "InvalidLocationConstraint"
    assert create(place % b"us-east-1").code == "InvalidLocationConstraint"
    assert create(place % b"eu-west-1").code == "IllegalLocationConstraintException"
    assert create(place % b"").status == 200
    assert create(b"<CreateBucketConfiguration/>").status == 200
    assert create(b"<Create").code == create(b"<Other/>").code == "MalformedXML"


@pytest.mark.parametrize("key", KEYS, ids=lambda key: repr(key)[:20])
def test_odd_keys_stay_as_they_are(shared, s3, bucket, key):
    at, body = {"Bucket": bucket, "Key": key}, key.encode()
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(**at, Body=body)["VersionId"]
    assert s3.get_object(**at)["Body"].read() == s3.get_object(**at, VersionId=version)["Body"].read() == body
    for listing, entries in (
        (s3.list_objects, "Contents"),
        (s3.list_objects_v2, "Contents"),
        (s3.list_object_versions, "Versions"),
    ):
        assert [it["Key"] for it in listing(Bucket=bucket, Prefix=key[:1])[entries]] == [key]
        if "/" in key:
            folder = key[: key.index("/") + 1]
            page = listing(Bucket=bucket, Delimiter="/")
            assert [it["Prefix"] for it in page["CommonPrefixes"]] == [folder]
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=at)
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == body
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=at | {"VersionId": version})
    s3.put_object_tagging(**at, Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    assert s3.get_object_attributes(**at, ObjectAttributes=["ObjectSize"])["ObjectSize"] == len(body)
    url = shared.client("s3", "test", "test", signature_version="s3v4").generate_presigned_url("get_object", at)
    assert talk(shared, plain(shared, f"GET {url.removeprefix(shared.url)} HTTP/1.1")).body == body
    if "\x01" not in key:  # which Python's XML has no room for
        upload = s3.create_multipart_upload(**at)["UploadId"]
        s3.upload_part_copy(**at, UploadId=upload, PartNumber=1, CopySource=at)
        assert [it["Key"] for it in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [key]
        s3.abort_multipart_upload(**at, UploadId=upload)
        gone = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key, "VersionId": version}]})
        assert [it["Key"] for it in gone["Deleted"]] == [key]


def test_keys_have_a_length(shared, s3, bucket):
    assert code(s3.put_object, Bucket=bucket, Key="k" * 1025) == ("KeyTooLongError", 400)
    assert code(s3.put_object, Bucket=bucket, Key="é" * 513) == ("KeyTooLongError", 400)
    empty = b"<Delete><Object><Key></Key></Object></Delete>"
    digest = base64.b64encode(hashlib.md5(empty).digest()).decode()
    answer = talk(shared, signed(shared, "POST", f"/{bucket}?delete", empty, [f"Content-MD5: {digest}"]))
    assert (answer.status, answer.code) == (400, "MalformedXML")
