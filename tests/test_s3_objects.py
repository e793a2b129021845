"""Objects: what comes with them, ranges, conditions, copies and parts, case by case."""

import datetime

import pytest
from conftest import code
from wire import plain, signed, talk

MIB = 1 << 20
BODY = b"testcontent"


@pytest.fixture
def s3(shared):
    return shared.client("s3", "test", "test")


@pytest.fixture
def bucket(s3, unique):
    name = unique("objects")
    s3.create_bucket(Bucket=name)
    return name


def read(s3, bucket, key, **arguments):
    return s3.get_object(Bucket=bucket, Key=key, **arguments)["Body"].read()


def headers(answer):
    return answer["ResponseMetadata"]["HTTPHeaders"]


@pytest.mark.parametrize(
    "sent, kept",
    [
        ("gzip", "gzip"), ("deflate, gzip", "deflate, gzip"), ("aws-chunked", None), ("gzip, aws-chunked", "gzip"),
        ("aws-chunked,gzip", "gzip"), ("aws-chunked, aws-chunked", None),
    ],
)  # fmt: skip
def test_the_coding_of_an_upload_is_not_the_objects(s3, bucket, sent, kept):
    s3.put_object(Bucket=bucket, Key="k", Body=BODY, ContentEncoding=sent)
    assert s3.head_object(Bucket=bucket, Key="k").get("ContentEncoding") == kept
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m", ContentEncoding=sent)["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="m", UploadId=upload, PartNumber=1, Body=BODY)
    listed = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="m", UploadId=upload, MultipartUpload=listed)
    assert s3.head_object(Bucket=bucket, Key="m").get("ContentEncoding") == kept


@pytest.mark.parametrize(
    "name, value",
    [
        ("Cache-Control", "public, max-age=14400"), ("Content-Disposition", "attachment; filename*=UTF-8''%C3%A9"),
        ("Content-Language", "de, en"), ("Content-Type", "text/plain; charset=utf-8"), ("Expires", "Tue, 01 Jan 2030 00:00:00 GMT"),
        ("x-amz-meta-empty", ""), ("x-amz-meta-encoded", "=?UTF-8?B?w6k=?="), ("x-amz-meta-CamelCase", "V"),
    ],
)  # fmt: skip
def test_headers_come_back(shared, s3, bucket, name, value):
    s3.meta.events.register("before-sign.s3.PutObject", lambda request, **_: request.headers.add_header(name, value))
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert headers(s3.head_object(Bucket=bucket, Key="k"))[name.lower()] == value


@pytest.mark.parametrize(
    "member, header",
    [
        ("ResponseCacheControl", "cache-control"), ("ResponseContentDisposition", "content-disposition"),
        ("ResponseContentEncoding", "content-encoding"), ("ResponseContentLanguage", "content-language"),
        ("ResponseContentType", "content-type"),
    ],
)  # fmt: skip
def test_answers_have_the_headers_that_are_asked_for(s3, bucket, member, header):
    s3.put_object(Bucket=bucket, Key="k", Body=BODY)
    wanted = 'a "b"; c=d, é' if header == "content-disposition" else 'a "b"; c=d'
    for call in (s3.get_object, s3.head_object):
        told = headers(call(Bucket=bucket, Key="k", **{member: wanted}))[header]
        assert told in (wanted, wanted.encode().decode("latin-1"))


@pytest.mark.parametrize(
    "asked, first, last",
    [
        ("bytes=4-7", 4, 7), ("bytes=4-", 4, 10), ("bytes=-7", 4, 10), ("bytes=0-0", 0, 0), ("bytes=0-100", 0, 10),
        ("bytes=-100", 0, 10), ("bytes=10-10", 10, 10),
    ],
)  # fmt: skip
def test_ranges(s3, bucket, asked, first, last):
    s3.put_object(Bucket=bucket, Key="k", Body=BODY)
    got = s3.get_object(Bucket=bucket, Key="k", Range=asked)
    assert got["Body"].read() == BODY[first : last + 1]
    assert (got["ContentRange"], got["ResponseMetadata"]["HTTPStatusCode"]) == (f"bytes {first}-{last}/11", 206)
    assert s3.head_object(Bucket=bucket, Key="k", Range=asked)["ContentLength"] == last + 1 - first


def test_ranges_that_are_none(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=BODY)
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    for ignored in ("bytes=7-4", "bytes=a-b", "lines=1-2", "bytes=0-1,3-4", "bytes"):
        assert read(s3, bucket, "k", Range=ignored) == BODY, ignored
    for beyond in ("bytes=11-", "bytes=40-50", "bytes=-0"):
        assert code(s3.get_object, Bucket=bucket, Key="k", Range=beyond) == ("InvalidRange", 416), beyond
    assert code(s3.get_object, Bucket=bucket, Key="empty", Range="bytes=0-10") == ("InvalidRange", 416)


@pytest.mark.parametrize(
    "condition, passes",
    [
        ({"IfMatch": "{etag}"}, True), ({"IfMatch": '"other"'}, 412), ({"IfMatch": "*"}, True), ({"IfNoneMatch": "{etag}"}, 304),
        ({"IfNoneMatch": '"other"'}, True), ({"IfNoneMatch": "*"}, 304), ({"IfModifiedSince": "past"}, True),
        ({"IfModifiedSince": "now"}, 304), ({"IfUnmodifiedSince": "past"}, 412), ({"IfUnmodifiedSince": "now"}, True),
        ({"IfMatch": "{etag}", "IfUnmodifiedSince": "past"}, True), ({"IfNoneMatch": '"other"', "IfModifiedSince": "now"}, True),
        ({"IfMatch": '"other"', "IfNoneMatch": "{etag}"}, 412), ({"IfMatch": "{etag}", "IfNoneMatch": "{etag}"}, 304),
    ],
    ids=str,
)  # fmt: skip
def test_conditions_of_reads_and_of_copies(s3, bucket, condition, passes):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=BODY)["ETag"]
    now = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    values = {"past": now - datetime.timedelta(days=1), "now": now}
    given = {name: values.get(value) or value.replace("{etag}", etag) for name, value in condition.items()}
    of_copy = {f"CopySource{name}": value for name, value in given.items()}
    source = {"Bucket": bucket, "Key": "copy", "CopySource": f"{bucket}/k"}
    if passes is True:
        assert read(s3, bucket, "k", **given) == BODY
        s3.copy_object(**source, **of_copy)
    else:
        assert code(s3.get_object, Bucket=bucket, Key="k", **given)[1] == passes
        assert code(s3.head_object, Bucket=bucket, Key="k", **given)[1] == passes
        assert code(s3.copy_object, **source, **of_copy) == ("PreconditionFailed", 412)


@pytest.mark.parametrize(
    "source, error",
    [
        ("abc", "InvalidArgument"), ("{bucket}/", "InvalidArgument"), ("{bucket}/none", "NoSuchKey"),
        ("no-such-bucket-here/k", "NoSuchBucket"), ("{bucket}/k?versionId=nonsense", "InvalidArgument"),
    ],
)  # fmt: skip
def test_copies_of_nothing(shared, s3, bucket, source, error):
    def copy(request, **_):
        request.headers.replace_header("x-amz-copy-source", source.format(bucket=bucket))

    s3.put_object(Bucket=bucket, Key="k", Body=BODY)
    s3.meta.events.register("before-sign.s3.CopyObject", copy)
    assert code(s3.copy_object, Bucket=bucket, Key="copy", CopySource=f"{bucket}/k")[0] == error


def test_a_delete_marker_says_when_it_was_made(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="k", Body=BODY)
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    with pytest.raises(s3.exceptions.ClientError) as refused:
        s3.get_object(Bucket=bucket, Key="k", VersionId=marker)
    told = headers(refused.value.response)
    assert (told["x-amz-delete-marker"], told["allow"]) == ("true", "DELETE")
    made = s3.list_object_versions(Bucket=bucket)["DeleteMarkers"][0]["LastModified"]
    assert told["last-modified"] == made.strftime("%a, %d %b %Y %H:%M:%S GMT")


def test_attributes_are_known_or_refused(shared, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=BODY)
    known = ["ETag", "Checksum", "StorageClass", "ObjectSize"]
    assert s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=known)["ObjectSize"] == 11
    unknown = ["ETag", "Weather"]
    assert code(s3.get_object_attributes, Bucket=bucket, Key="k", ObjectAttributes=unknown) == ("InvalidArgument", 400)
    assert talk(shared, signed(shared, "GET", f"/{bucket}/k?attributes")).status == 400


@pytest.fixture
def upload(s3, bucket):
    """An upload of one part per body: its arguments, and what a completion lists."""

    def begin(*bodies, **arguments):
        at = {"Bucket": bucket, "Key": "m"}
        at["UploadId"] = s3.create_multipart_upload(**at, **arguments)["UploadId"]
        parts = [s3.upload_part(**at, PartNumber=n, Body=body) for n, body in enumerate(bodies, 1)]
        return at, [{"PartNumber": n, "ETag": part["ETag"]} for n, part in enumerate(parts, 1)]

    return begin


@pytest.mark.parametrize(
    "change, error",
    [
        (lambda parts: [], "MalformedXML"),
        (lambda parts: parts[::-1], "InvalidPartOrder"),
        (lambda parts: [parts[0], parts[0]], "InvalidPartOrder"),
        (lambda parts: [parts[0], {"PartNumber": 9, "ETag": parts[1]["ETag"]}], "InvalidPart"),
        (lambda parts: [parts[0] | {"ETag": '"00000000000000000000000000000000"'}], "InvalidPart"),
        (lambda parts: [parts[0] | {"PartNumber": 10_001}], "InvalidArgument"),
    ],
)
def test_completions_that_are_wrong_leave_the_upload(s3, upload, change, error):
    at, parts = upload(b"a" * 5 * MIB, b"end")
    assert code(s3.complete_multipart_upload, **at, MultipartUpload={"Parts": change(parts)})[0] == error
    done = s3.complete_multipart_upload(**at, MultipartUpload={"Parts": parts})
    assert done["ETag"].endswith('-2"')
    assert s3.get_object(Bucket=at["Bucket"], Key="m", PartNumber=2)["Body"].read() == b"end"


def test_parts_can_be_sent_again_and_left_out(s3, bucket, upload):
    at, parts = upload(b"a" * 5 * MIB, b"old")
    newer = s3.upload_part(**at, PartNumber=2, Body=b"new")["ETag"]
    assert code(s3.complete_multipart_upload, **at, MultipartUpload={"Parts": parts})[0] == "InvalidPart"
    s3.complete_multipart_upload(**at, MultipartUpload={"Parts": [{"PartNumber": 2, "ETag": newer.strip('"')}]})
    assert read(s3, bucket, "m") == b"new"
    at, parts = upload(b"few", b"bytes")
    assert code(s3.complete_multipart_upload, **at, MultipartUpload={"Parts": parts}) == ("EntityTooSmall", 400)


def test_a_checksum_of_checksums_needs_all_of_them(s3, upload):
    at, parts = upload(ChecksumAlgorithm="SHA256")
    assert code(s3.upload_part, **at, PartNumber=1, Body=b"x", ChecksumAlgorithm="SHA1") == ("InvalidRequest", 400)
    part = s3.upload_part(**at, PartNumber=1, Body=b"x", ChecksumAlgorithm="SHA256")
    named = {"PartNumber": 1, "ETag": part["ETag"]}
    wrong = named | {"ChecksumSHA256": "A" * 43 + "="}
    assert code(s3.complete_multipart_upload, **at, MultipartUpload={"Parts": [named]}) == ("InvalidRequest", 400)
    assert code(s3.complete_multipart_upload, **at, MultipartUpload={"Parts": [wrong]}) == ("InvalidPart", 400)
    right = named | {"ChecksumSHA256": part["ChecksumSHA256"]}
    done = s3.complete_multipart_upload(**at, MultipartUpload={"Parts": [right]})
    assert (done["ChecksumType"], done["ChecksumSHA256"][-2:]) == ("COMPOSITE", "-1")


@pytest.mark.parametrize("asked", ["0-2", "bytes=0", "bytes=a-b", "bytes=0-", "bytes=0-2,3-5", "bytes=5-3", "bytes=0-11"])
def test_ranges_of_copied_parts(s3, bucket, upload, asked):
    s3.put_object(Bucket=bucket, Key="k", Body=BODY)
    at, _ = upload()
    copy = {"PartNumber": 1, "CopySource": f"{bucket}/k", "CopySourceRange": asked}
    assert code(s3.upload_part_copy, **at, **copy) == ("InvalidArgument", 400)


def test_strangers_write_with_a_list_where_they_may_write(shared, s3, bucket):
    s3.delete_public_access_block(Bucket=bucket)
    owned = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=owned)
    request = plain(shared, f"PUT /{bucket}/k HTTP/1.1", ["x-amz-acl: public-read", "Content-Length: 1"]) + b"x"
    assert talk(shared, request).code == "AccessDenied"
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    assert talk(shared, request).status == 200
    assert talk(shared, request.replace(b"PUT", b"GET", 1)).body.endswith(b"x")
