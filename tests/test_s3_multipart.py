"""Uploads in parts through an unmodified boto3."""

import base64
import hashlib
import io
import os
import re

import pytest
from boto3.s3.transfer import TransferConfig
from conftest import code

MIB = 1024 * 1024


@pytest.fixture
def s3(start):
    client = start("--dev").client("s3", "test", "test")
    client.create_bucket(Bucket="raw-data")
    return client


def test_the_transfer_manager_uploads_and_downloads(s3):
    data = os.urandom(21 * MIB)
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    s3.upload_fileobj(io.BytesIO(data), "raw-data", "big", Config=config, ExtraArgs={"Metadata": {"a": "1"}})
    head = s3.head_object(Bucket="raw-data", Key="big")
    assert re.fullmatch(r'"[0-9a-f]{32}-5"', head["ETag"]), "what it is made of is a matter of test_s3_entity_tags"
    assert (head["ContentLength"], head["Metadata"]) == (len(data), {"a": "1"})
    target = io.BytesIO()
    s3.download_fileobj("raw-data", "big", target, Config=config)
    assert target.getvalue() == data
    part = s3.get_object(Bucket="raw-data", Key="big", PartNumber=2)
    assert (part["PartsCount"], part["ContentRange"]) == (5, f"bytes {5 * MIB}-{10 * MIB - 1}/{len(data)}")
    assert part["Body"].read() == data[5 * MIB : 10 * MIB]
    assert code(s3.get_object, Bucket="raw-data", Key="big", PartNumber=6)[1] == 416
    attributes = s3.get_object_attributes(Bucket="raw-data", Key="big", ObjectAttributes=["ObjectParts", "Checksum"])
    assert attributes["ObjectParts"]["TotalPartsCount"] == 5
    assert attributes["ObjectParts"]["Parts"][4]["Size"] == MIB
    assert attributes["Checksum"]["ChecksumType"] in ("COMPOSITE", "FULL_OBJECT")


def begin(s3, sizes=(5 * MIB, 10)):
    where = {"Bucket": "raw-data", "Key": "k"}
    where["UploadId"] = s3.create_multipart_upload(**where)["UploadId"]
    parts = []
    for number, size in enumerate(sizes, 1):
        etag = s3.upload_part(**where, PartNumber=number, Body=bytes(size))["ETag"]
        parts.append({"PartNumber": number, "ETag": etag})
    return where, parts


def test_uploads_and_parts_are_listed(s3):
    where, parts = begin(s3, (5 * MIB, 5 * MIB, 10))
    page = s3.list_parts(**where, MaxParts=2)
    assert [it["PartNumber"] for it in page["Parts"]] == [1, 2] and page["IsTruncated"]
    rest = s3.list_parts(**where, PartNumberMarker=page["NextPartNumberMarker"])
    assert [(it["PartNumber"], it["Size"], it["ETag"]) for it in rest["Parts"]] == [(3, 10, parts[2]["ETag"])]
    uploads = s3.list_multipart_uploads(Bucket="raw-data")["Uploads"]
    assert [(it["Key"], it["UploadId"]) for it in uploads] == [("k", where["UploadId"])]
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="raw-data", Prefix="x")
    s3.abort_multipart_upload(**where)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="raw-data")
    assert code(s3.list_parts, **where) == ("NoSuchUpload", 404)
    assert code(s3.upload_part, **where, PartNumber=1, Body=b"") == ("NoSuchUpload", 404)


def test_a_wrong_completion_changes_nothing(s3):
    where, parts = begin(s3, (10, 10))
    complete = s3.complete_multipart_upload
    assert code(complete, **where, MultipartUpload={"Parts": parts}) == ("EntityTooSmall", 400)
    assert code(complete, **where, MultipartUpload={"Parts": parts[::-1]}) == ("InvalidPartOrder", 400)
    strange = [{"PartNumber": 7, "ETag": parts[0]["ETag"]}]
    assert code(complete, **where, MultipartUpload={"Parts": strange}) == ("InvalidPart", 400)
    assert code(complete, **where, MultipartUpload={"Parts": []})[0] == "MalformedXML"
    assert code(s3.head_object, Bucket="raw-data", Key="k")[1] == 404
    done = complete(**where, MultipartUpload={"Parts": parts[:1]})
    assert done["ETag"].endswith('-1"')
    assert s3.head_object(Bucket="raw-data", Key="k")["ContentLength"] == 10


def test_conditions_and_sizes_of_a_completion(s3):
    s3.put_object(Bucket="raw-data", Key="k", Body=b"first")
    where, parts = begin(s3)
    upload = {**where, "MultipartUpload": {"Parts": parts}}
    assert code(s3.complete_multipart_upload, **upload, IfNoneMatch="*") == ("PreconditionFailed", 412)
    assert code(s3.complete_multipart_upload, **upload, MpuObjectSize=7) == ("InvalidRequest", 400)
    s3.complete_multipart_upload(**upload, MpuObjectSize=5 * MIB + 10)


def test_parts_are_copied(s3):
    data = os.urandom(11 * MIB)
    s3.put_object(Bucket="raw-data", Key="source", Body=data)
    where = {"Bucket": "raw-data", "Key": "copy"}
    where["UploadId"] = s3.create_multipart_upload(**where)["UploadId"]
    source = {"Bucket": "raw-data", "Key": "source"}
    parts = []
    for number, ends in enumerate([(0, 5 * MIB - 1), (5 * MIB, 11 * MIB - 1)], 1):
        copied = s3.upload_part_copy(**where, PartNumber=number, CopySource=source, CopySourceRange="bytes=%d-%d" % ends)
        parts.append({"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]})
    behind = {"CopySourceRange": f"bytes=0-{11 * MIB}"}
    assert code(s3.upload_part_copy, **where, PartNumber=3, CopySource=source, **behind) == ("InvalidArgument", 400)
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket="raw-data", Key="copy")["Body"].read() == data


@pytest.mark.parametrize("algorithm, kind", [("SHA256", "COMPOSITE"), ("CRC64NVME", "FULL_OBJECT"), ("CRC32", "FULL_OBJECT")])
def test_checksums_of_parts(s3, algorithm, kind):
    where = {"Bucket": "raw-data", "Key": "sum"}
    begun = s3.create_multipart_upload(**where, ChecksumAlgorithm=algorithm, ChecksumType=kind)
    assert (begun["ChecksumAlgorithm"], begun["ChecksumType"]) == (algorithm, kind)
    where["UploadId"] = begun["UploadId"]
    name, parts = f"Checksum{algorithm}", []
    for number, size in [(1, 5 * MIB), (2, 10)]:
        part = s3.upload_part(**where, PartNumber=number, Body=bytes(size), ChecksumAlgorithm=algorithm)
        parts.append({"PartNumber": number, "ETag": part["ETag"], name: part[name]})
    wrong = [parts[0], {**parts[1], name: parts[0][name]}]
    assert code(s3.complete_multipart_upload, **where, MultipartUpload={"Parts": wrong}) == ("InvalidPart", 400)
    done = s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts}, ChecksumType=kind)
    assert done["ChecksumType"] == kind and done[name].endswith("-2") == (kind == "COMPOSITE")
    assert s3.head_object(Bucket="raw-data", Key="sum", ChecksumMode="ENABLED")[name] == done[name]


def sha(body, algorithm="sha256"):
    return base64.b64encode(hashlib.new(algorithm, body).digest()).decode()


def test_copies_can_have_another_checksum(s3):
    body = b"x" * 5_242_880 + b"y"
    upload = s3.create_multipart_upload(Bucket="raw-data", Key="m", ChecksumAlgorithm="SHA1")["UploadId"]
    part = {"Bucket": "raw-data", "Key": "m", "UploadId": upload}
    parts = []
    for number, piece in enumerate([body[:5_242_880], body[5_242_880:]], 1):
        sent = s3.upload_part(**part, PartNumber=number, Body=piece, ChecksumAlgorithm="SHA1")
        parts.append({"PartNumber": number, "ETag": sent["ETag"], "ChecksumSHA1": sent["ChecksumSHA1"]})
    done = s3.complete_multipart_upload(**part, MultipartUpload={"Parts": parts})
    assert (done["ChecksumSHA1"][-2:], done["ChecksumType"]) == ("-2", "COMPOSITE")
    source = {"Bucket": "raw-data", "Key": "m"}
    copied = s3.copy_object(Bucket="raw-data", Key="c", CopySource=source, ChecksumAlgorithm="SHA256")["CopyObjectResult"]
    assert (copied["ChecksumSHA256"], copied["ChecksumType"]) == (sha(body), "FULL_OBJECT")
    whole = s3.copy_object(Bucket="raw-data", Key="c", CopySource=source, ChecksumAlgorithm="SHA1")["CopyObjectResult"]
    assert whole["ChecksumSHA1"] == sha(body, "sha1"), "a composite checksum is not the object's own"
    got = s3.get_object(Bucket="raw-data", Key="c", ChecksumMode="ENABLED")
    assert (got["Body"].read(), got["ChecksumSHA1"]) == (body, sha(body, "sha1"))
    upload = s3.create_multipart_upload(Bucket="raw-data", Key="p", ChecksumAlgorithm="SHA256")["UploadId"]
    part = {"Bucket": "raw-data", "Key": "p", "UploadId": upload}
    copied = s3.upload_part_copy(**part, PartNumber=1, CopySource=source, CopySourceRange="bytes=0-9")["CopyPartResult"]
    assert copied["ChecksumSHA256"] == sha(body[:10])
    listed = [{"PartNumber": 1, "ETag": copied["ETag"], "ChecksumSHA256": copied["ChecksumSHA256"]}]
    s3.complete_multipart_upload(**part, MultipartUpload={"Parts": listed})
    attributes = s3.get_object_attributes(Bucket="raw-data", Key="p", ObjectAttributes=["ObjectParts", "Checksum"])
    assert attributes["ObjectParts"]["Parts"][0]["ChecksumSHA256"] == sha(body[:10])
