"""Input that no client should send: refused with the error that AWS has for it, and the server goes on."""

import base64
import gzip
import hashlib
import http.client
import io
import json
import os
import socket
import urllib.parse

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from conftest import wait_for

KEY = Credentials("test", "test")


@pytest.fixture(autouse=True)
def the_server_goes_on(shared, request):
    shared.log.seek(0, os.SEEK_END)
    seen = shared.log.tell()
    yield
    assert shared.process.poll() is None, "the server has died"
    connection = connect(shared)
    connection.request("GET", "/_boathouse/health")
    assert connection.getresponse().status == 200
    assert shared.client("sts", "test", "test").get_caller_identity()["Account"] == "000000000000"
    # The Parquet library itself panics over a footer that claims too much; the query fails, and nothing else.
    if request.node.get_closest_marker("xfail") or "damaged[length]" in request.node.name:
        return
    with open(shared.log.name) as log:
        log.seek(seen)
        assert not [line for line in log if "panicked" in line]


@pytest.fixture
def s3(shared):
    return shared.client("s3", "test", "test")


@pytest.fixture
def bucket(s3, unique):
    name = unique("bad-input")
    s3.create_bucket(Bucket=name)
    return name


def connect(server):
    address = urllib.parse.urlsplit(server.url)
    return http.client.HTTPConnection(address.hostname, address.port, timeout=30)


def send(server, method, path, body=b"", headers=None, service="s3"):
    """A correctly signed request whose content may be anything; answers status and body."""
    request = AWSRequest(method, f"{server.url}{path}", data=body, headers=headers or {})
    (S3SigV4Auth if service == "s3" else SigV4Auth)(KEY, service, "us-east-1").add_auth(request)
    connection = connect(server)
    connection.request(method, path, body=body, headers=dict(request.headers.items()))
    answer = connection.getresponse()
    return answer.status, answer.read()


def json_call(server, service, target, body):
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
    status, answer = send(server, "POST", "/", body, headers, service)
    return status, json.loads(answer)


def refusal(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


# XML


@pytest.mark.parametrize(
    "document",
    [
        b"<Delete><Object><Key>a</Key></Object>",
        b"not xml at all",
        b"<Delete><Object><Key>\xff\xfe</Key></Object></Delete>",
        b"<Wrong/>",
        b"<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;'>]><Delete><Object><Key>&b;</Key></Object></Delete>",
        b"<Delete>" + b"<Object>" * 20_000,
    ],
    ids=["open", "text", "not-utf-8", "other", "entities", "deep"],
)
def test_xml_that_is_not_what_was_asked_for(shared, bucket, document):
    status, answer = send(shared, "POST", f"/{bucket}?delete=", document, {"Content-MD5": md5(document)})
    assert status == 400 and b"<Code>MalformedXML</Code>" in answer, answer


def md5(body):
    return base64.b64encode(hashlib.md5(body).digest()).decode()


def test_more_keys_than_a_deletion_may_name(shared, bucket):
    objects = "".join(f"<Object><Key>{number}</Key></Object>" for number in range(1001))
    document = f"<Delete>{objects}</Delete>".encode()
    status, answer = send(shared, "POST", f"/{bucket}?delete=", document, {"Content-MD5": md5(document)})
    assert status == 400 and b"<Code>MalformedXML</Code>" in answer


def test_external_entities_are_not_read(shared, bucket):
    document = b"<!DOCTYPE d [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><Delete><Object><Key>&x;</Key></Object></Delete>"
    status, answer = send(shared, "POST", f"/{bucket}?delete=", document, {"Content-MD5": md5(document)})
    with open("/etc/hostname", "rb") as file:
        assert status == 400 and file.read().strip() not in answer


# JSON


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"Name": 7}', b'{"Name": {"a": 1}}', b"[" * 100_000, b'{"Name": "\\ud800"}'],
    ids=["open", "list", "null", "text", "not-utf-8", "number", "object", "deep", "surrogate"],
)
def test_json_that_is_not_what_was_asked_for(shared, body):
    status, answer = json_call(shared, "glue", "AWSGlue.GetDatabase", body)
    assert status == 400
    code = answer["__type"].rsplit("#")[-1]
    assert code in ("SerializationException", "InvalidInputException", "ValidationException", "EntityNotFoundException")
    assert (answer.get("message") or answer.get("Message"))


@pytest.mark.parametrize(
    ("service", "target", "code"),
    [
        ("glue", "AWSGlue.NoSuchOperation", "UnknownOperationException"),
        ("glue", "NoSuchService.GetDatabase", "UnknownOperationException"),
        ("glue", "AWSGlue", "UnknownOperationException"),
        ("athena", "AmazonAthena.NoSuchOperation", "UnknownOperationException"),
        ("glue", "AWSGlue." + "x" * 3000, "UnknownOperationException"),
    ],
)
def test_operations_that_nobody_has(shared, service, target, code):
    status, answer = json_call(shared, service, target, b"{}")
    assert status in (400, 404) and answer["__type"].rsplit("#")[-1] == code


def test_actions_that_nobody_has(shared):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body, code in ((b"Action=Nothing&Version=2010-05-08", b"InvalidAction"), (b"Version=2010-05-08", b"")):
        status, answer = send(shared, "POST", "/", body, form, "iam")
        assert 400 <= status < 500 and code in answer
    status, _ = send(shared, "POST", "/", b"Action=%ff%fe&&&=&Version=%", form, "iam")
    assert 400 <= status < 500


# Signatures


@pytest.mark.parametrize(
    "authorization",
    [
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=test",
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00",
        "AWS4-HMAC-SHA256 Credential=////, SignedHeaders=;;;, Signature=zz",
        "Basic dGVzdDp0ZXN0",
        "Bearer \x80\x81",
        "AWS4-HMAC-SHA256 " + "Credential=a," * 300,
    ],
)
def test_signatures_that_are_none(shared, bucket, authorization):
    connection = connect(shared)
    connection.putrequest("GET", f"/{bucket}")
    connection.putheader("Authorization", authorization.encode("latin-1"))
    connection.putheader("x-amz-date", "20260101T000000Z")
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status in (400, 403, 501) and b"<Code>" in body
    assert b"<Contents>" not in body and b"test/2026" not in body


def test_requests_that_were_changed_on_their_way(shared, bucket, s3):
    request = AWSRequest("PUT", f"{shared.url}/{bucket}/k", data=b"signed")
    S3SigV4Auth(KEY, "s3", "us-east-1").add_auth(request)
    headers = dict(request.headers.items())
    for path, body, changed in (
        (f"/{bucket}/other", b"signed", {}),
        (f"/{bucket}/k", b"forged", {}),
        (f"/{bucket}/k?acl=", b"signed", {}),
        (f"/{bucket}/k", b"signed", {"X-Amz-Date": "20200101T000000Z"}),
    ):
        connection = connect(shared)
        connection.request("PUT", path, body=body, headers=headers | changed)
        answer = connection.getresponse()
        assert answer.status in (400, 403), (path, answer.status)
        answer.read()
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


# Names and sizes


@pytest.mark.parametrize("name", ["UPPER-case", "a", "x" * 64, "under_score", "dots..dots", "-dash", "192.168.1.1", "sp ace"])
def test_bucket_names_that_are_none(shared, name):
    status, answer = send(shared, "PUT", "/" + urllib.parse.quote(name))
    assert status == 400 and b"<Code>InvalidBucketName</Code>" in answer


@pytest.mark.parametrize("key", ["../../etc/passwd", "a/../../b", "/", "//", ".", "..", "a\x00b", "%2e%2e%2f", "x" * 1024, "ü" * 512, "\u202e\n\t"])
def test_odd_keys_are_only_names(s3, bucket, key):
    s3.put_object(Bucket=bucket, Key=key, Body=b"mine")
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"mine"
    listed = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert [it["Key"] for it in listed] == [key]


def test_keys_that_are_too_long(s3, bucket):
    assert refusal(s3.put_object, Bucket=bucket, Key="x" * 1025, Body=b"") == ("KeyTooLongError", 400)
    assert refusal(s3.put_object, Bucket=bucket, Key="ü" * 513, Body=b"") == ("KeyTooLongError", 400)


def test_metadata_that_is_too_large(s3, bucket):
    assert refusal(s3.put_object, Bucket=bucket, Key="k", Body=b"", Metadata={"a": "x" * 3000}) == ("MetadataTooLarge", 400)


@pytest.mark.parametrize("name", ["", "x" * 256, "nul\x00l"])
def test_database_names_that_are_none(shared, name):
    body = json.dumps({"DatabaseInput": {"Name": name}}).encode()
    status, answer = json_call(shared, "glue", "AWSGlue.CreateDatabase", body)
    assert status == 400 and answer["__type"].rsplit("#")[-1] in ("InvalidInputException", "ValidationException")


def test_headers_that_are_too_large(shared):
    for headers in ([("X-Huge", "x" * 10_000_000)], [(f"X-{number}", "x") for number in range(5_000)]):
        connection = connect(shared)
        try:
            connection.putrequest("GET", "/")
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders()
            assert connection.getresponse().status in (400, 413, 431)
        except (ConnectionError, http.client.RemoteDisconnected):
            pass  # to hang up is an answer too
        finally:
            connection.close()


@pytest.mark.parametrize(
    "path, headers",
    [
        ("/_console/api/session", {}),
        ("/", {"X-Amz-Target": "AWSGlue.GetDatabases", "Content-Type": "application/x-amz-json-1.1"}),
        ("/", {"Content-Type": "application/x-www-form-urlencoded"}),
    ],
)
def test_bodies_that_are_too_large_are_answered_when_they_are_there(shared, path, headers):
    """Whoever sends to the end and reads then finds the answer, and no broken connection."""
    connection = connect(shared)
    for _ in range(3):
        connection.request("POST", path, bytes(40_000_000), headers)
        answer = connection.getresponse()
        assert answer.status == 413 and answer.read()
    connection.close()


def test_who_waits_for_leave_to_send_is_refused_without_it(shared):
    connection = connect(shared)
    connection.connect()
    headers = ["Host: a", "X-Amz-Target: AWSGlue.GetDatabases", f"X-Huge: {'x' * 70_000}", "Content-Length: 9", "Expect: 100-continue"]
    connection.sock.sendall("\r\n".join(["POST / HTTP/1.1", *headers, "", ""]).encode())
    assert connection.sock.recv(12) == b"HTTP/1.1 431"
    connection.close()


@pytest.mark.parametrize(
    "bytes_sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + os.urandom(200),
        os.urandom(4000),
    ],
    ids=["tls", "short", "version", "negative", "two-lengths", "chunks", "h2", "noise"],
)
def test_bytes_that_are_no_http(shared, bytes_sent):
    address = urllib.parse.urlsplit(shared.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        answer = b""
        try:
            connection.sendall(bytes_sent)
            connection.shutdown(socket.SHUT_WR)
            while more := connection.recv(65536):
                answer += more
        except OSError:
            pass  # it has hung up already
    assert b" 200 " not in answer.split(b"\r\n")[0]


def test_bodies_that_end_early(shared, bucket, s3):
    request = AWSRequest("PUT", f"{shared.url}/{bucket}/half", data=b"x" * 100_000)
    S3SigV4Auth(KEY, "s3", "us-east-1").add_auth(request)
    lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    address = urllib.parse.urlsplit(shared.url)
    head = f"PUT /{bucket}/half HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: 100000\r\n{lines}\r\n"
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(head.encode() + b"x" * 40_000)
    assert refusal(s3.head_object, Bucket=bucket, Key="half") == ("404", 404)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize("wanted", ["bytes=9-1", "bytes=100-", "bytes=-0", "lines=1-2", "bytes=a-b", "bytes=0-1,3-4"])
def test_odd_ranges(s3, bucket, wanted):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    try:
        answer = s3.get_object(Bucket=bucket, Key="k", Range=wanted)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "InvalidRange"
        assert wanted in ("bytes=100-", "bytes=-0")
    else:
        assert wanted not in ("bytes=100-", "bytes=-0")
        assert answer["Body"].read() == b"0123456789"


# Statements and files


@pytest.fixture
def ask(shared, bucket):
    """Runs a statement to its end; answers its state, and its rows or the reason of its failure."""
    athena = shared.client("athena", "test", "test")
    results = {"OutputLocation": f"s3://{bucket}/results/"}

    def run(statement, database="default"):
        context = {"Database": database}
        name = athena.start_query_execution(
            QueryString=statement, QueryExecutionContext=context, ResultConfiguration=results
        )["QueryExecutionId"]

        def ended():
            status = athena.get_query_execution(QueryExecutionId=name)["QueryExecution"]["Status"]
            return status if status["State"] in ("SUCCEEDED", "FAILED", "CANCELLED") else None

        status = wait_for(ended, "the end of the query", timeout=60)
        if status["State"] != "SUCCEEDED":
            assert status["AthenaError"]["ErrorMessage"]
            return status["State"], status["StateChangeReason"]
        rows = athena.get_query_results(QueryExecutionId=name)["ResultSet"]["Rows"]
        return "SUCCEEDED", [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows[1:]]

    return run


@pytest.fixture
def table(shared, bucket, unique, ask):
    """Makes an external table over one file and answers its name."""
    database = unique("bad_input").replace("-", "_")
    shared.client("glue", "test", "test").create_database(DatabaseInput={"Name": database})

    def make(body, definition, key="a"):
        shared.client("s3", "test", "test").put_object(Bucket=bucket, Key=f"t/{key}", Body=body)
        name = f"{database}.t"
        assert ask(f"CREATE EXTERNAL TABLE {name} {definition} LOCATION 's3://{bucket}/t/'")[0] == "SUCCEEDED"
        return name

    return make


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT",
        "SELECT FROM WHERE",
        "SELECT 'open",
        "SELECT (1",
        "SELECT 1; SELECT 2",
        "; ; ;",
        "-- only a comment",
        "\u0000",
        "SELECT " + "(" * 3_000 + "1" + ")" * 3_000,
        "SELECT " + " + ".join(["1"] * 3_000),
        "SELECT " + "CASE WHEN true THEN " * 500,
        "DROP DATABASE",
        "CREATE TABLE t AS",
        "SELECT 1e400, 99999999999999999999999999999999999999999",
        "SELECT * FROM a.b.c.d.e",
    ],
    ids=lambda statement: statement[:20],
)
def test_statements_that_are_none(shared, bucket, ask, statement):
    try:
        state, told = ask(statement)
    except ClientError as refused:
        assert refused.response["Error"]["Code"] == "InvalidRequestException"
        assert refused.response["Error"]["Message"]
    else:
        assert state == "FAILED" or statement.startswith("SELECT 1 +") and told == [["3000"]], (state, told)
    assert ask("SELECT 1") == ("SUCCEEDED", [["1"]])


def test_a_statement_that_is_too_long(shared, bucket):
    athena = shared.client("athena", "test", "test")
    results = {"OutputLocation": f"s3://{bucket}/results/"}
    long = "SELECT '" + "x" * 262_144 + "'"
    assert refusal(athena.start_query_execution, QueryString=long, ResultConfiguration=results) == ("InvalidRequestException", 400)


def parquet(rows=1000):
    file = io.BytesIO()
    pq.write_table(pa.table({"n": list(range(rows)), "text": [f"row {n}" for n in range(rows)]}), file, compression="snappy")
    return bytearray(file.getvalue())


def damaged(kind):
    body = parquet()
    if kind == "cut":
        return bytes(body[: len(body) // 2])
    if kind == "pages":
        body[40:400] = os.urandom(360)
    elif kind == "footer":
        body[-60:-12] = os.urandom(48)
    elif kind == "length":
        body[-8:-4] = b"\xff\xff\xff\x7f"
    elif kind == "text":
        return b"n,text\n1,x\n"
    elif kind == "empty":
        return b""
    return bytes(body)


@pytest.mark.parametrize(
    "kind",
    [
        "cut",
        "pages",
        "footer",
        "length",
        "text",
    ],
)
def test_parquet_that_is_damaged(table, ask, kind):
    name = table(damaged(kind), "(n bigint, text string) STORED AS PARQUET")
    state, told = ask(f"SELECT sum(n), max(text) FROM {name}")
    assert state == "FAILED" and "HIVE_" in told, told
    assert "t/a" in told or kind == "pages", "the reason names the file"


def test_columns_of_another_type_than_the_files(table, ask):
    name = table(bytes(parquet()), "(n array<string>, text string) STORED AS PARQUET")
    state, told = ask(f"SELECT n FROM {name}")
    assert state == "FAILED" and "HIVE_BAD_DATA" in told, told


CSV_SERDE = "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"
LAZY = "ROW FORMAT DELIMITED FIELDS TERMINATED BY ','"


def test_csv_with_broken_quotes(table, ask):
    body = b'1,"fine"\n2,"never closed\n3,"a"b"c"\n4\n5,x,too many\n\n6,\xff\xfe\n'
    name = table(body, f"(n string, text string) {CSV_SERDE}")
    state, rows = ask(f"SELECT n, text FROM {name}")
    assert state == "SUCCEEDED" and ["1", "fine"] in rows
    assert ["4", None] in rows or ["4", ""] in rows, rows
    assert ["5", "x"] in rows


def test_values_that_do_not_fit_their_type_are_null(table, ask):
    body = b"1,2013-01-01\nx,2013-99-99\n99999999999999999999,\n"
    name = table(body, f"(n int, day date) {LAZY}")
    assert ask(f"SELECT n FROM {name}") == ("SUCCEEDED", [["1"], [None], [None]])


def test_json_that_is_broken(table, ask):
    serde = "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'"
    name = table(b'{"n": 1}\n{"n": \n{"n": 3}\n', f"(n int) {serde}")
    state, told = ask(f"SELECT n FROM {name}")
    assert state == "FAILED" and "HIVE_CURSOR_ERROR" in told or "HIVE_BAD_DATA" in told, told


def test_gzip_that_is_cut(table, ask):
    body = gzip.compress(b"".join(b"%d,%s\n" % (n, os.urandom(8).hex().encode()) for n in range(5000)))
    name = table(body[: len(body) // 2], f"(n int, text string) {LAZY}", key="a.gz")
    state, told = ask(f"SELECT count(text) FROM {name}")
    assert state == "FAILED" and "HIVE_" in told, told


def test_tables_whose_bucket_is_gone(ask, shared, unique):
    database = unique("gone").replace("-", "_")
    shared.client("glue", "test", "test").create_database(DatabaseInput={"Name": database})
    ask(f"CREATE EXTERNAL TABLE {database}.t (n int) STORED AS PARQUET LOCATION 's3://never-made-{database.replace('_', '-')}/'")
    state, told = ask(f"SELECT * FROM {database}.t")
    assert state == "FAILED" and "bucket" in told.lower(), told


def test_results_that_have_no_place(shared):
    athena = shared.client("athena", "test", "test")
    for results in ({}, {"OutputLocation": "not-s3"}, {"OutputLocation": "s3://"}):
        code, status = refusal(athena.start_query_execution, QueryString="SELECT 1", ResultConfiguration=results)
        assert (code, status) == ("InvalidRequestException", 400)


@pytest.mark.parametrize("odd", ["t//b", "t/a b+c%20%", "t/ü/日本.csv", "t/x\x01y"])
def test_odd_keys_of_a_tables_files(shared, bucket, table, ask, odd):
    name = table(b"1,x\n", f"(n int, text string) {LAZY}")
    shared.client("s3", "test", "test").put_object(Bucket=bucket, Key=odd, Body=b"2,y\n")
    assert ask(f"SELECT n FROM {name} ORDER BY n") == ("SUCCEEDED", [["1"], ["2"]])
    if "\x01" not in odd:
        assert ask(f"SELECT \"$path\" FROM {name} WHERE n = 2") == ("SUCCEEDED", [[f"s3://{bucket}/{odd}"]])


@pytest.mark.parametrize("hidden", ["t/./b", "t/../b", "t/.b", "t/_b/c"])
def test_hidden_keys_beside_a_tables_files(shared, bucket, table, ask, hidden):
    name = table(b"1,x\n", f"(n int, text string) {LAZY}")
    shared.client("s3", "test", "test").put_object(Bucket=bucket, Key=hidden, Body=b"2,y\n")
    assert ask(f"SELECT n FROM {name} ORDER BY n") == ("SUCCEEDED", [["1"]]), "Trino passes over dots and underscores"


DEEP = {
    "disjunction": "SELECT count(*) FROM (VALUES 1) t(n) WHERE " + " OR ".join(f"n = {n}" for n in range(5000)),
    "conjunction": "SELECT count(*) FROM (VALUES 1) t(n) WHERE " + " AND ".join(f"n <> {n + 2}" for n in range(5000)),
    "sum": "SELECT " + " + ".join(["n"] * 5000) + " FROM (VALUES 1) t(n)",
    "concatenation": "SELECT " + " || ".join(["s"] * 5000) + " FROM (VALUES 'x') t(s)",
    "parentheses": "SELECT " + "(" * 1000 + "1" + ")" * 1000,
    "negations": "SELECT " + "NOT " * 1000 + "true",
    "minus": "SELECT " + "- " * 1000 + "1",
    "calls": "SELECT " + "abs(" * 1000 + "1" + ")" * 1000,
    "subqueries": "SELECT * FROM " + "(SELECT * FROM " * 300 + "(VALUES 1)" + ")" * 300,
    "unions": " UNION ALL ".join(["SELECT 1"] * 2000),
    "joins": "SELECT count(*) FROM " + ", ".join(f"(VALUES 1) t{n}(n)" for n in range(200)),
    "list": "SELECT count(*) FROM (VALUES 1) t(n) WHERE n IN (" + ", ".join(str(n) for n in range(20000)) + ")",
    "cases": "SELECT " + "CASE WHEN n = 1 THEN 1 ELSE " * 500 + "0" + " END" * 500 + " FROM (VALUES 1) t(n)",
    "arrays": "SELECT " + "ARRAY[" * 500 + "1" + "]" * 500,
    "casts": "SELECT " + "CAST(" * 500 + "1" + " AS bigint)" * 500,
    "lambdas": "SELECT " + "transform(ARRAY[1], x -> cardinality(" * 50 + "ARRAY[1]" + "))" * 50,
    "types": "SELECT CAST(NULL AS " + "array(" * 500 + "bigint" + ")" * 500 + ")",
}


@pytest.mark.parametrize("kind", DEEP)
def test_statements_that_nest_deep_or_go_on_long(ask, kind):
    try:
        state, told = ask(DEEP[kind])
    except ClientError as refused:
        assert refused.response["Error"]["Code"] == "InvalidRequestException"
        assert "nested" in refused.response["Error"]["Message"]
    else:
        assert state == "SUCCEEDED" or told and "panick" not in told, told


def test_odd_partition_values(shared, bucket, unique, ask):
    values = ["a b", "10:30", "x/y", "ü=%", "'quoted'", "..", "#?&+"]
    database = unique("odd_values").replace("-", "_")
    shared.client("glue", "test", "test").create_database(DatabaseInput={"Name": database})
    rows = ", ".join("({}, '{}')".format(n, value.replace("'", "''")) for n, value in enumerate(values))
    made = ask(
        f"CREATE TABLE {database}.t WITH (format = 'PARQUET', external_location = 's3://{bucket}/values/', "
        f"partitioned_by = ARRAY['k']) AS SELECT n, k FROM (VALUES {rows}) AS v(n, k)"
    )
    assert made[0] == "SUCCEEDED", made
    expected = [[str(n), value] for n, value in enumerate(values)]
    assert ask(f"SELECT n, k FROM {database}.t ORDER BY n") == ("SUCCEEDED", expected)
    assert ask(f"SELECT n FROM {database}.t WHERE k = '..'") == ("SUCCEEDED", [["5"]])
