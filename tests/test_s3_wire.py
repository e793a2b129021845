"""S3 and what comes over the wire: requests that two parsers could read in two ways, limits, strange documents."""

import base64
import hashlib

import pytest
from wire import connect, plain, signed, talk

MEGABYTE = 1 << 20


@pytest.fixture
def s3(shared):
    return shared.client("s3", "test", "test")


@pytest.fixture
def bucket(s3, unique):
    name = unique("wire")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="k", Body=b"kept")
    return name


def is_unharmed(s3, bucket):
    keys = [it["Key"] for it in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    return keys == ["k"] and s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"kept"


@pytest.mark.parametrize(
    "lengths",
    [["5"], ["-5"], ["+4"], ["4 4"], ["x"], [""], ["4, 5"], ["4", "5"], ["0x4"], ["99999999999999999999"]],
    ids=repr,
)
def test_a_wrong_length_stores_nothing(shared, s3, bucket, lengths):
    """A body of four bytes that says it has another length."""
    headers = [f"Content-Length: {length}" for length in lengths]
    request = signed(shared, "PUT", f"/{bucket}/new", b"body", headers, length=False)
    with connect(shared) as connection:
        connection.sendall(request)
        connection.shutdown(1)
        answer = connection.recv(65536)
    assert answer[9:12] in (b"400", b"403", b"411", b"413", b""), answer
    assert is_unharmed(s3, bucket)


@pytest.mark.parametrize(
    "header",
    [
        "Transfer-Encoding: chunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity",
        "Transfer-Encoding:\x0bchunked",
        "X-Folded: a\r\n b",
        "X-Return: a\rTransfer-Encoding: chunked",
        "X-Nothing: a\0b",
        " Leading: a",
        "No colon",
        "Host: elsewhere.example.com",
    ],
)
def test_what_could_hide_a_second_request_is_refused(shared, s3, bucket, header):
    hidden = f"0\r\n\r\nPUT /{bucket}/smuggled HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx".encode()
    answer = talk(shared, signed(shared, "PUT", f"/{bucket}/new", hidden, [header]))
    assert answer.status in (400, 403, 411, 501), answer
    assert answer.raw.count(b"HTTP/1.1 ") == 1, answer.raw
    assert is_unharmed(s3, bucket)


def test_a_chunked_body_needs_its_length(shared, bucket):
    request = signed(shared, "PUT", f"/{bucket}/new", b"", ["Transfer-Encoding: chunked"], length=False)
    answer = talk(shared, request + b"0\r\n\r\n")
    assert (answer.status, answer.code) == (411, "MissingContentLength")
    answer = talk(shared, signed(shared, "PUT", f"/{bucket}/new", b"", length=False))
    assert (answer.status, answer.code) == (411, "MissingContentLength")


def test_requests_behind_each_other_are_answered_in_turn(shared, bucket):
    first = signed(shared, "GET", f"/{bucket}/k").replace(b"Connection: close\r\n", b"")
    answer = talk(shared, first + signed(shared, "GET", f"/{bucket}/none") + b"GET / HTTP/1.1\r\n\r\n")
    assert answer.raw.count(b"HTTP/1.1 200 OK") == 1 and answer.raw.count(b"HTTP/1.1 404") == 1
    assert answer.raw.count(b"HTTP/1.1 ") == 2, "nothing is read behind a request that closes the connection"


def test_whole_addresses_name_no_other_host(shared, bucket):
    for line in (f"GET {shared.url}/{bucket}/k HTTP/1.1", f"GET http://evil.example.com/{bucket}/k HTTP/1.1"):
        assert talk(shared, plain(shared, line)).status == 403
    whole = signed(shared, "GET", f"/{bucket}/k").replace(b"GET /", f"GET {shared.url}/".encode(), 1)
    assert talk(shared, whole).body == b"kept"


@pytest.mark.parametrize(
    "path, status",
    [
        ("//{bucket}/k", (400, 403, 404)),
        ("/{bucket}/../{bucket}/k", (403, 404)),
        ("/{bucket}/./k", (403, 404)),
        ("/{bucket}/%2e%2e/k", (403, 404)),
        ("/../../etc/passwd", (400, 403, 404)),
        ("/%2E%2E/k", (400, 403)),
        ("/{bucket}/a%FF", (400, 403)),
        ("/{bucket}/a%", (400, 403)),
        ("/{bucket}/a%zz", (400, 403)),
    ],
)
def test_paths_are_names_and_lead_nowhere_else(shared, bucket, path, status):
    answer = talk(shared, signed(shared, "GET", path.format(bucket=bucket)))
    assert answer.status in status and b"kept" not in answer.body, answer


def test_names_that_look_like_paths_are_keys_like_any(shared, s3, bucket):
    keys = ["/k", "//k", "../k", "a/../k", "./k", "k/", ".", "..", "a\\..\\k", "a/./b//c/"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"kept"
    for key in keys:
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    assert sorted(keys + ["k"]) == [it["Key"] for it in s3.list_objects_v2(Bucket=bucket)["Contents"]]


def test_heads_have_their_limits(shared):
    many = [f"x-h{n}: 1" for n in range(500)]
    assert talk(shared, plain(shared, "GET /raw/k HTTP/1.1", many)).status in (400, 431)
    assert talk(shared, plain(shared, "GET /raw/k HTTP/1.1", ["x-long: " + "a" * MEGABYTE])).status in (0, 400, 431)
    assert talk(shared, plain(shared, f"GET /raw/{'a' * 70_000} HTTP/1.1")).status in (400, 414, 431)


@pytest.mark.parametrize("line", ["GET /", "GET / HTTP/3.0", "\x16\x03\x01", "GET  / HTTP/1.1", "G\0T / HTTP/1.1"])
def test_what_is_not_http_ends_the_connection(shared, line):
    assert talk(shared, plain(shared, line)).status in (0, 400, 403, 505)


def test_methods_of_others_are_not_allowed(shared, bucket):
    answer = talk(shared, signed(shared, "PATCH", f"/{bucket}/k"))
    assert (answer.status, answer.code) == (405, "MethodNotAllowed")
    assert talk(shared, plain(shared, f"TRACE /{bucket}/k HTTP/1.1")).status == 405
    assert talk(shared, plain(shared, "CONNECT 127.0.0.1:1 HTTP/1.1")).status >= 400


TAGGING = b"<Tagging><TagSet><Tag><Key>%s</Key><Value>v</Value></Tag></TagSet></Tagging>"


@pytest.mark.parametrize(
    "document",
    [
        b"<Tagging><TagSet>",
        b"<Tagging></TagSet></Tagging>",
        TAGGING % b"a" + b"<Tagging/>",
        TAGGING % b"a" + b"garbage",
        TAGGING % b"&unknown;",
        b'<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>' + TAGGING % b"&b;",
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + TAGGING % b"&a;",
        b"<a>" * 100_000 + b"</a>" * 100_000,
        b"<Tagging>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</Tagging>",
        TAGGING % (b"<" * 1000),
        TAGGING % b"\xff\xfe",
        "<Tagging/>".encode("utf-16"),
        b"\0" * 100,
        b"{}",
    ],
    ids=lambda it: it[:40],
)
def test_documents_that_are_none(shared, s3, bucket, document):
    answer = talk(shared, signed(shared, "PUT", f"/{bucket}/k?tagging", document))
    assert (answer.status, answer.code) == (400, "MalformedXML")
    assert b"root:" not in answer.body
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []


def test_documents_have_a_limit(shared, bucket):
    answer = talk(shared, signed(shared, "PUT", f"/{bucket}/k?tagging", b"<Tagging>" + b" " * 21 * MEGABYTE))
    assert (answer.status, answer.code) == (400, "MaxMessageLengthExceeded")


@pytest.mark.parametrize(
    "sent, meant",
    [
        ("<![CDATA[a<b]]>", "a<b"), ("x<![CDATA[&amp;]]>y", "x&amp;y"), ("a<!-- c -->b", "ab"), ("&#128512;", "😀"),
        ("&#x1F600;&#233;", "😀é"), ("&amp;#233;", "&#233;"), ("a&#10;b", "a\nb"), (" a ", " a "), ("]]&gt;", "]]>"), ("&#x1;", "\x01"),
    ],
)  # fmt: skip
def test_all_ways_to_write_a_name(shared, s3, bucket, sent, meant):
    """What a parser passes over would be another object's name."""
    s3.put_object(Bucket=bucket, Key=meant)
    document = f"<Delete><Quiet>true</Quiet><Object><Key>{sent}</Key></Object></Delete>".encode()
    digest = base64.b64encode(hashlib.md5(document).digest()).decode()
    answer = talk(shared, signed(shared, "POST", f"/{bucket}?delete", document, [f"Content-MD5: {digest}"]))
    assert answer.status == 200 and b"<Error>" not in answer.body
    assert is_unharmed(s3, bucket), "the named one is gone, and no other"


def test_letters_that_xml_has_no_room_for(shared, s3, bucket):
    key = "a\x01b\r\n\tc"
    s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    # Without an encoding, as no library asks for it.
    listing = talk(shared, signed(shared, "GET", f"/{bucket}?list-type=2")).body
    assert b"<Key>a&#x1;b&#xD;\n\tc</Key>" in listing
    missing = talk(shared, signed(shared, "GET", f"/{bucket}/none%0D%01")).body
    assert b"<Key>none&#xD;&#x1;</Key>" in missing
    assert [it["Key"] for it in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key, "k"]
    named = [it["Key"] for it in s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "x\ry"}]})["Deleted"]]
    assert named in (["x\ry"], ["x\ny"])  # botocore writes the key as it is, and its parser may have changed it


def test_a_client_that_asks_first_is_refused_before_its_body(shared, bucket):
    good = signed(shared, "PUT", f"/{bucket}/k", b"asked", ["Expect: 100-continue"])
    with connect(shared) as connection:
        connection.sendall(good.removesuffix(b"asked"))
        assert connection.recv(65536).startswith(b"HTTP/1.1 100")
        connection.sendall(b"asked")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    with connect(shared) as connection:
        connection.sendall(good.removesuffix(b"asked").replace(b"Signature=", b"Signature=00"))
        assert connection.recv(65536).startswith(b"HTTP/1.1 403")


def test_the_date_of_http_will_do(shared, s3, bucket):
    # botocore signs the header Date when the request has one.
    s3.meta.events.register("before-sign.s3", lambda request, **_: request.headers.add_header("Date", "now"))
    s3.put_object(Bucket=bucket, Key="dated", Body=b"x")
    assert s3.get_object(Bucket=bucket, Key="dated")["Body"].read() == b"x"
