"""S3's bodies and signatures on the wire: streaming, presigned URLs, trailers, and everything that must be refused."""

import base64
import hashlib
import http.client
import os
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
import zlib

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

BIG = 256 * 1024 * 1024


@pytest.fixture
def server(start):
    return start("--dev")


@pytest.fixture
def s3(server):
    client = server.client("s3", "test", "test", signature_version="s3v4")
    client.create_bucket(Bucket="raw-data")
    return client


def code(text):
    return re.search(rb"<Code>(\w+)</Code>", text).group(1).decode()


def send(server, method, path, headers, body=b""):
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)
    connection.request(method, path, body=body, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.headers


def signed(server, method, path, headers, payload):
    """The headers of a request signed like botocore does, with `payload` as its x-amz-content-sha256."""
    request = AWSRequest(method, server.url + path, headers={**headers, "x-amz-content-sha256": payload})
    auth = S3SigV4Auth(Credentials("test", "test"), "s3", "us-east-1")
    auth.payload = lambda _: payload
    auth.add_auth(request)
    request.headers["X-Amz-Content-SHA256"] = payload
    return dict(request.headers)


def resident(server):
    status = open(f"/proc/{server.process.pid}/status").read()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) * 1024


class Zeros:
    """A body that needs no memory."""

    def __init__(self, length):
        self.left = length

    def __len__(self):
        return self.left

    def read(self, size=-1):
        taken = min(self.left, size if size >= 0 else self.left)
        self.left -= taken
        return bytes(taken)


def test_memory_stays_flat_for_a_big_object(server, s3):
    s3.put_object(Bucket="raw-data", Key="warm", Body=bytes(4 << 20))
    before, peak, done = resident(server), [0], threading.Event()

    def watch():
        while not done.wait(0.05):
            peak[0] = max(peak[0], resident(server))

    watcher = threading.Thread(target=watch)
    watcher.start()
    url = s3.generate_presigned_url("put_object", Params={"Bucket": "raw-data", "Key": "big"})
    target = urllib.parse.urlsplit(url)
    headers = {"Content-Length": str(BIG)}
    status, text, _ = send(server, "PUT", f"{target.path}?{target.query}", headers, Zeros(BIG))
    assert status == 200, text
    total = sum(len(piece) for piece in s3.get_object(Bucket="raw-data", Key="big")["Body"].iter_chunks(1 << 20))
    done.set()
    watcher.join()
    assert total == BIG
    assert peak[0] - before < 64 << 20, (before, peak[0])


def test_presigned_urls(server, s3):
    where = {"Bucket": "raw-data", "Key": "a b/é"}
    put = urllib.request.Request(s3.generate_presigned_url("put_object", Params=where), data=b"signed", method="PUT")
    put.add_header("Content-Type", "")
    assert urllib.request.urlopen(put).status == 200
    get = s3.generate_presigned_url("get_object", Params={**where, "ResponseContentType": "text/x"})
    answer = urllib.request.urlopen(get)
    assert (answer.read(), answer.headers["Content-Type"]) == (b"signed", "text/x")

    def refused(url, headers={}):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(urllib.request.Request(url, headers=headers))
        return caught.value.code, code(caught.value.read())

    assert refused(get.replace("text%2Fx", "text%2Fy")) == (403, "SignatureDoesNotMatch")
    assert refused(get, {"x-amz-meta-a": "1"}) == (403, "AccessDenied")
    assert refused(s3.generate_presigned_url("get_object", where, ExpiresIn=604801)) == (
        400,
        "AuthorizationQueryParametersError",
    )
    assert refused(get.replace("us-east-1", "eu-west-1")) == (400, "AuthorizationQueryParametersError")
    assert refused(get.replace("%2Fs3%2F", "%2Fsqs%2F"))[0] == 400
    assert refused(get.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")) == (501, "NotImplemented")
    second = f"{server.url}/raw-data/k?AWSAccessKeyId=test&Signature=eA%3D%3D&Expires="
    assert refused(f"{second}1") == (403, "AccessDenied")
    assert refused(f"{second}9999999999") == (403, "SignatureDoesNotMatch")
    assert refused(f"{server.url}/raw-data/k?AWSAccessKeyId=test&Expires=1") == (403, "AccessDenied")
    assert refused(f"{server.url}/raw-data/k", {"Authorization": "AWS test:eA=="}) == (501, "NotImplemented")
    late = re.sub(r"X-Amz-Date=\d{8}T", lambda it: it.group(0).replace("Date=20", "Date=19"), get)
    late = re.sub(r"%2F20(\d{6})%2F", r"%2F19\1%2F", late)
    assert refused(late) == (403, "AccessDenied")


def test_a_body_is_held_to_its_hash(server, s3):
    wrong = hashlib.sha256(b"other").hexdigest()
    headers = signed(server, "PUT", "/raw-data/k", {}, wrong)
    status, text, _ = send(server, "PUT", "/raw-data/k", headers, b"body")
    assert (status, code(text)) == (400, "XAmzContentSHA256Mismatch")
    with pytest.raises(ClientError):
        s3.head_object(Bucket="raw-data", Key="k")
    headers = signed(server, "PUT", "/raw-data/k", {}, hashlib.sha256(b"body").hexdigest())
    assert send(server, "PUT", "/raw-data/k", headers, b"body")[0] == 200


def test_an_unsigned_header_is_refused(server, s3):
    headers = signed(server, "PUT", "/raw-data/k", {}, "UNSIGNED-PAYLOAD")
    status, text, _ = send(server, "PUT", "/raw-data/k", {**headers, "x-amz-acl": "private"}, b"body")
    assert (status, code(text)) == (403, "AccessDenied")
    assert b"There were headers present in the request which were not signed" in text
    assert b"<HeadersNotSigned>x-amz-acl</HeadersNotSigned>" in text


def test_errors_carry_their_ids(server, s3):
    status, text, headers = send(server, "GET", "/raw-data/none", signed(server, "GET", "/raw-data/none", {}, "UNSIGNED-PAYLOAD"))
    assert (status, code(text)) == (404, "NoSuchKey")
    assert headers["x-amz-request-id"] in text.decode() and headers["x-amz-id-2"] in text.decode()


def trailer_body(data, checksum):
    return b"%x\r\n%s\r\n0\r\nx-amz-checksum-crc32:%s\r\n\r\n" % (len(data), data, checksum)


def crc32(data):
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big"))


def put_with_trailer(server, body, length):
    given = {
        "x-amz-trailer": "x-amz-checksum-crc32",
        "x-amz-decoded-content-length": str(length),
        "content-encoding": "gzip,aws-chunked",
    }
    headers = signed(server, "PUT", "/raw-data/t", given, "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
    return send(server, "PUT", "/raw-data/t", headers, body)


def test_trailing_checksums(server, s3):
    data = os.urandom(100_000)
    status, text, headers = put_with_trailer(server, trailer_body(data, crc32(data)), len(data))
    assert status == 200, text
    assert headers["x-amz-checksum-crc32"] == crc32(data).decode()
    got = s3.get_object(Bucket="raw-data", Key="t", ChecksumMode="ENABLED")
    assert (got["Body"].read(), got["ContentEncoding"], got["ChecksumCRC32"]) == (data, "gzip", crc32(data).decode())

    def refused(body, length=len(data)):
        status, text, _ = put_with_trailer(server, body, length)
        return status, code(text)

    assert refused(trailer_body(data, crc32(b"other"))) == (400, "BadDigest")
    assert refused(trailer_body(data, crc32(data)), len(data) + 1) == (400, "IncompleteBody")
    assert refused(b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data)) == (400, "MalformedTrailerError")
    assert s3.get_object(Bucket="raw-data", Key="t")["Body"].read() == data


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_checksums_are_kept_and_checked(s3, algorithm):
    put = s3.put_object(Bucket="raw-data", Key="c", Body=b"body", ChecksumAlgorithm=algorithm)
    name = f"Checksum{algorithm}"
    head = s3.head_object(Bucket="raw-data", Key="c", ChecksumMode="ENABLED")
    assert put[name] == head[name]
    wrong = base64.b64encode(bytes(len(base64.b64decode(put[name])))).decode()
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket="raw-data", Key="c", Body=b"body", **{name: wrong})
    assert caught.value.response["Error"]["Code"] == "BadDigest"
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket="raw-data", Key="c", Body=b"body", **{name: "AAAA"})
    assert caught.value.response["Error"]["Code"] == "InvalidRequest"


def test_content_md5(server, s3):
    def put(md5):
        headers = signed(server, "PUT", "/raw-data/m", {"content-md5": md5}, "UNSIGNED-PAYLOAD")
        status, text, _ = send(server, "PUT", "/raw-data/m", headers, b"body")
        return status, code(text) if text else None

    assert put(base64.b64encode(hashlib.md5(b"body").digest()).decode()) == (200, None)
    assert put(base64.b64encode(hashlib.md5(b"other").digest()).decode()) == (400, "BadDigest")
    assert put("nonsense") == (400, "InvalidDigest")


def test_expect_continue(server, s3):
    """A refused upload is answered before its body is sent; an allowed one is asked for."""
    host, port = server.url.removeprefix("http://").split(":")
    import socket

    def begin(headers):
        stream = socket.create_connection((host, int(port)), timeout=10)
        lines = [f"{name}: {value}" for name, value in headers.items()]
        text = "\r\n".join(["PUT /raw-data/e HTTP/1.1", f"Host: {host}:{port}", *lines, "Expect: 100-continue"])
        stream.sendall(text.encode() + b"\r\nContent-Length: 4\r\n\r\n")
        return stream

    good = signed(server, "PUT", "/raw-data/e", {}, "UNSIGNED-PAYLOAD")
    stream = begin(good)
    assert stream.recv(1000).startswith(b"HTTP/1.1 100")
    stream.sendall(b"body")
    assert stream.recv(1000).startswith(b"HTTP/1.1 200")
    bad = {**good, "Authorization": good["Authorization"][:-4] + "0000"}
    assert begin(bad).recv(1000).startswith(b"HTTP/1.1 403")


def test_a_refused_upload_gets_its_answer(server, s3):
    """The rest of a body that nobody wants is read, or the client would see a broken connection instead of the error."""
    path = "/no-such-bucket/k"
    for _ in range(3):
        headers = signed(server, "PUT", path, {}, "UNSIGNED-PAYLOAD")
        status, text, _ = send(server, "PUT", path, headers, bytes(8 << 20))
        assert (status, code(text)) == (404, "NoSuchBucket")


def test_documents_are_checked_too(server, s3):
    document = b"<Delete><Object><Key>k</Key></Object></Delete>"

    def delete(headers, body=document):
        path = "/raw-data?delete"
        status, text, _ = send(server, "POST", path, signed(server, "POST", path, headers, "UNSIGNED-PAYLOAD"), body)
        return status, code(text) if status != 200 else None

    assert delete({"content-md5": base64.b64encode(hashlib.md5(document).digest()).decode()}) == (200, None)
    assert delete({"x-amz-checksum-crc32": crc32(document).decode()}) == (200, None)
    assert delete({"x-amz-checksum-crc32": crc32(b"other").decode()}) == (400, "BadDigest")
    assert delete({}) == (400, "InvalidRequest")
    broken = b"<Delete><Object>"
    assert delete({"x-amz-checksum-crc32": crc32(broken).decode()}, broken) == (400, "MalformedXML")
