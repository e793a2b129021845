"""BOATHOUSE_ENTITY_TAGS: what entity tags are made of."""

import base64
import hashlib
import os
import re
import subprocess

import pytest
from conftest import BINARY, code

MIB = 1 << 20
NO_MD5 = re.compile(r'"[0-9a-f]{32}-c"')


def clients(server):
    client = server.client("s3", "test", "test")
    client.create_bucket(Bucket="tags")
    return client


@pytest.fixture
def server(start, monkeypatch):
    monkeypatch.setenv("BOATHOUSE_ENTITY_TAGS", "checksum")
    return start("--dev")


@pytest.fixture
def s3(server):
    return clients(server)


def md5(body):
    return f'"{hashlib.md5(body).hexdigest()}"'


@pytest.mark.parametrize("size", [0, 10, 100_000, 3 * MIB])
def test_bodies_that_come_with_a_checksum_have_no_md5(s3, size):
    body, other = os.urandom(size), os.urandom(size + 1)
    first = s3.put_object(Bucket="tags", Key="a", Body=body)["ETag"]
    assert NO_MD5.fullmatch(first)
    assert s3.put_object(Bucket="tags", Key="b", Body=body)["ETag"] == first, "the tag is that of the content"
    assert s3.put_object(Bucket="tags", Key="c", Body=other)["ETag"] != first
    assert s3.head_object(Bucket="tags", Key="a")["ETag"] == first
    assert s3.get_object(Bucket="tags", Key="a", IfMatch=first)["Body"].read() == body
    assert code(s3.get_object, Bucket="tags", Key="a", IfMatch='"other"') == ("PreconditionFailed", 412)
    assert code(s3.put_object, Bucket="tags", Key="a", Body=b"", IfMatch=md5(body)) == ("PreconditionFailed", 412)
    s3.put_object(Bucket="tags", Key="a", Body=other, IfMatch=first)


def test_md5s_stay_where_clients_look_for_them(server, s3):
    body = os.urandom(2 * MIB)
    named = base64.b64encode(hashlib.md5(body).digest()).decode()
    assert s3.put_object(Bucket="tags", Key="k", Body=body, ContentMD5=named)["ETag"] == md5(body)
    assert code(s3.put_object, Bucket="tags", Key="k", Body=body + b"!", ContentMD5=named) == ("BadDigest", 400)
    unchecked = server.client("s3", "test", "test", request_checksum_calculation="when_required")
    assert unchecked.put_object(Bucket="tags", Key="k", Body=body)["ETag"] == md5(body)


def test_uploads_in_parts(s3):
    upload = s3.create_multipart_upload(Bucket="tags", Key="m", ChecksumAlgorithm="CRC32")["UploadId"]
    bodies = [os.urandom(5 * MIB), os.urandom(MIB)]
    parts = []
    for number, body in enumerate(bodies, 1):
        sent = s3.upload_part(Bucket="tags", Key="m", UploadId=upload, PartNumber=number, Body=body, ChecksumAlgorithm="CRC32")
        assert sent["ETag"] != md5(body)
        parts.append({"PartNumber": number, "ETag": sent["ETag"], "ChecksumCRC32": sent["ChecksumCRC32"]})
    wrong = [parts[0] | {"ETag": md5(bodies[0])}, parts[1]]
    complete = {"Bucket": "tags", "Key": "m", "UploadId": upload}
    assert code(s3.complete_multipart_upload, **complete, MultipartUpload={"Parts": wrong}) == ("InvalidPart", 400)
    done = s3.complete_multipart_upload(**complete, MultipartUpload={"Parts": parts})
    assert re.fullmatch(r'"[0-9a-f]{32}-2"', done["ETag"])
    assert s3.get_object(Bucket="tags", Key="m")["Body"].read() == b"".join(bodies)


def upload_in_parts(s3, bodies):
    upload = s3.create_multipart_upload(Bucket="tags", Key="m")["UploadId"]
    it = {"Bucket": "tags", "Key": "m", "UploadId": upload}
    sent = [s3.upload_part(**it, PartNumber=number, Body=body)["ETag"] for number, body in enumerate(bodies, 1)]
    parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(sent, 1)]
    return sent, s3.complete_multipart_upload(**it, MultipartUpload={"Parts": parts})["ETag"]


def test_long_bodies_do_not_wait_for_an_md5(start):
    """As it comes: short objects have MD5s whatever their clients send; longer ones where their clients look for them."""
    server = start("--dev")
    s3, short, long = clients(server), os.urandom(8 * MIB), os.urandom(8 * MIB + 1)
    assert s3.put_object(Bucket="tags", Key="k", Body=short)["ETag"] == md5(short)
    assert NO_MD5.fullmatch(s3.put_object(Bucket="tags", Key="k", Body=long)["ETag"])
    assert s3.get_object(Bucket="tags", Key="k")["Body"].read() == long
    copied = s3.copy_object(Bucket="tags", Key="copy", CopySource="tags/k")["CopyObjectResult"]["ETag"]
    assert copied in (md5(long), s3.head_object(Bucket="tags", Key="k")["ETag"])
    # What is not hashed is checked all the same, and leaves what was there.
    assert code(s3.put_object, Bucket="tags", Key="k", Body=long + b"!", ChecksumCRC32="AAAAAA==") == ("BadDigest", 400)
    assert s3.head_object(Bucket="tags", Key="k")["ContentLength"] == len(long)
    named = base64.b64encode(hashlib.md5(long).digest()).decode()
    assert s3.put_object(Bucket="tags", Key="k", Body=long, ContentMD5=named)["ETag"] == md5(long)
    assert code(s3.put_object, Bucket="tags", Key="k", Body=long + b"!", ContentMD5=named) == ("BadDigest", 400)
    unchecked = server.client("s3", "test", "test", request_checksum_calculation="when_required")
    assert unchecked.put_object(Bucket="tags", Key="k", Body=long)["ETag"] == md5(long)
    sent, tag = upload_in_parts(s3, [short, b"end"])
    assert sent != [md5(short), md5(b"end")] and re.fullmatch(r'"[0-9a-f]{32}-2"', tag)
    sent, tag = upload_in_parts(unchecked, [short, b"end"])
    whole = hashlib.md5(hashlib.md5(short).digest() + hashlib.md5(b"end").digest()).hexdigest()
    assert (sent, tag) == ([md5(short), md5(b"end")], f'"{whole}-2"')


def test_all_bodies_can_have_their_md5(start, monkeypatch):
    monkeypatch.setenv("BOATHOUSE_ENTITY_TAGS", "md5")
    s3, body = clients(start("--dev")), os.urandom(8 * MIB + 1)
    assert s3.put_object(Bucket="tags", Key="k", Body=body)["ETag"] == md5(body)
    assert upload_in_parts(s3, [body])[0] == [md5(body)]


def test_another_word_is_refused_at_the_start(tmp_path):
    command = [BINARY, "serve", "--dev", "--listen", "127.0.0.1:0", "--data-dir", tmp_path / "data"]
    refused = subprocess.run(command, env=os.environ | {"BOATHOUSE_ENTITY_TAGS": "sha1"}, capture_output=True, text=True, timeout=60)
    assert refused.returncode != 0 and "BOATHOUSE_ENTITY_TAGS: entity tags are md5, mixed or checksum, not sha1" in refused.stderr
