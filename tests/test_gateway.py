"""Gateway mode: the bodies lie in a bucket of another S3-compatible store, everything else in the data directory.

The other store is a second server, or moto. Both are killed in the middle of everything; wrong credentials, buckets of others and
directories that keep their bodies themselves are refused at the start.
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request

import boto3
import pytest
from botocore.config import Config

from conftest import BINARY, code, die_with_the_tests, wait_for

MEGABYTE = 1 << 20
BODIES = "bodies"
BUCKET = "lake"
SIZES = {"inline": 3000, "small": 60_000, "middle": 3 * MEGABYTE, "large": 23 * MEGABYTE + 7}


def body(size, seed=1):
    return bytes((at * 31 + seed) % 251 for at in range(1009)) * (size // 1009 + 1)


def content(name, seed=1):
    return body(SIZES[name], seed)[: SIZES[name]]


def environment(url, key="test", secret="test"):
    """The command that gives a server what it needs to find the other store."""
    names = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_REGION"]
    unset = [option for name in names for option in ("-u", name)]
    given = {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": "us-east-1"}
    return ("env", *unset, *(f"{name}={value}" for name, value in given.items()))


class Gateway:
    """A gateway on a directory, in front of a store that a client can look into."""

    def __init__(self, start, directory, url, bodies, *flags):
        self.start_server, self.directory, self.url, self.bodies, self.flags = start, directory, url, bodies, flags
        self.start()

    def start(self):
        flags = ("--dev", "--gateway", f"s3://{BODIES}/gw", *self.flags)
        self.server = self.start_server(*flags, data_dir=self.directory, under=environment(self.url))
        self.s3 = self.server.client("s3", "test", "test", connect_timeout=5, read_timeout=90)
        assert self.server.url, self.log()
        return self

    def log(self):
        with open(f"{self.directory}.log") as log:
            return log.read()

    def remote_files(self):
        pages = self.bodies.get_paginator("list_objects_v2").paginate(Bucket=BODIES, Prefix="gw/blobs/")
        return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}

    def read(self, key, **arguments):
        return self.s3.get_object(Bucket=BUCKET, Key=key, **arguments)["Body"].read()

    def local_bodies(self):
        folders = [self.directory / "objects" / name for name in ("blobs", "packs")]
        return [file for folder in folders for file in folder.iterdir()]


class OtherServer:
    """A second server as the store of the bodies. It comes back at the same address."""

    def __init__(self, start, directory):
        self.start_server, self.directory, self.address = start, directory, "127.0.0.1:0"
        self.start()
        self.bodies.create_bucket(Bucket=BODIES)

    def start(self):
        self.server = self.start_server("--dev", data_dir=self.directory, listen=self.address)
        self.url = self.server.url
        self.address = self.url.removeprefix("http://")
        self.bodies = self.server.client("s3", "test", "test")


class Moto:
    def __init__(self, directory):
        log = directory / "moto.log"
        command = [sys.executable, "-u", "-m", "moto.server", "--port", "0"]
        with open(log, "w") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, preexec_fn=die_with_the_tests)
        self.url = wait_for(lambda: re.search(r"http://[0-9.:]+", log.read_text()), "moto's start").group()
        self.bodies = boto3.client(
            "s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 1}),
        )
        self.bodies.create_bucket(Bucket=BODIES)

    def stop(self):
        self.process.kill()
        self.process.wait(timeout=15)


@pytest.fixture
def other(start, tmp_path):
    return OtherServer(start, tmp_path / "other")


@pytest.fixture
def gateway(start, tmp_path, other):
    gateway = Gateway(start, tmp_path / "gateway", other.url, other.bodies)
    gateway.s3.create_bucket(Bucket=BUCKET)
    return gateway


@pytest.fixture(params=["server", "moto"])
def any_gateway(request, start, tmp_path):
    if request.param == "server":
        other = OtherServer(start, tmp_path / "other")
    else:
        other = Moto(tmp_path)
        request.addfinalizer(other.stop)
    gateway = Gateway(start, tmp_path / "gateway", other.url, other.bodies)
    gateway.s3.create_bucket(Bucket=BUCKET)
    return gateway


def test_all_that_s3_does(any_gateway):
    gateway, s3 = any_gateway, any_gateway.s3
    for name in SIZES:
        s3.put_object(Bucket=BUCKET, Key=name, Body=content(name), Metadata={"a": "b"}, Tagging="t=1")
    assert len(gateway.remote_files()) == 3, "what is larger than 4 KiB"
    assert gateway.local_bodies() == []
    for name, size in SIZES.items():
        answer = s3.get_object(Bucket=BUCKET, Key=name)
        assert (answer["Metadata"], answer["TagCount"]) == ({"a": "b"}, 1)
        assert answer["Body"].read() == content(name)
        for first, last in [(0, 0), (1, 70_000), (size // 2, size // 2 + 9), (size - 1, size + 5)]:
            part = gateway.read(name, Range=f"bytes={first}-{last}")
            assert part == content(name)[first : last + 1], (name, first, last)
    # Encrypted bodies are encrypted before they leave.
    s3.put_object(Bucket=BUCKET, Key="sealed", Body=b"plain text " * 9000, ServerSideEncryption="AES256")
    assert gateway.read("sealed") == b"plain text " * 9000
    for key in gateway.remote_files():
        assert b"plain text" not in gateway.bodies.get_object(Bucket=BODIES, Key=key)["Body"].read()
    # In parts, of which one is a copy.
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    part = {"Bucket": BUCKET, "Key": "parts", "UploadId": upload}
    one = s3.upload_part(**part, PartNumber=1, Body=content("large"))["ETag"]
    source = {"Bucket": BUCKET, "Key": "middle"}
    two = s3.upload_part_copy(**part, PartNumber=2, CopySource=source)["CopyPartResult"]["ETag"]
    parts = [{"PartNumber": 1, "ETag": one}, {"PartNumber": 2, "ETag": two}]
    s3.complete_multipart_upload(**part, MultipartUpload={"Parts": parts})
    assert gateway.read("parts") == content("large") + content("middle")
    aborted = s3.create_multipart_upload(Bucket=BUCKET, Key="aborted")["UploadId"]
    s3.upload_part(Bucket=BUCKET, Key="aborted", UploadId=aborted, PartNumber=1, Body=content("middle"))
    s3.abort_multipart_upload(Bucket=BUCKET, Key="aborted", UploadId=aborted)
    # A copy shares the body, versions keep theirs.
    before = wait_for(lambda: (files := gateway.remote_files()) and len(files) == 6 and files, "the end of the aborted upload")
    s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=source)
    assert gateway.remote_files() == before
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    first = s3.head_object(Bucket=BUCKET, Key="small")
    s3.put_object(Bucket=BUCKET, Key="small", Body=content("small", 2))
    s3.delete_object(Bucket=BUCKET, Key="small")
    assert code(s3.get_object, Bucket=BUCKET, Key="small") == ("NoSuchKey", 404)
    assert gateway.read("small", VersionId=first.get("VersionId", "null")) == content("small")
    assert code(s3.put_object, Bucket=BUCKET, Key="middle", Body=b"x", IfNoneMatch="*") == ("PreconditionFailed", 412)
    assert code(s3.put_object, Bucket=BUCKET, Key="wrong", Body=content("middle"), ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==") == (
        "BadDigest", 400,
    )
    # What nothing needs any more goes, whatever the client was told.
    for version in s3.list_object_versions(Bucket=BUCKET).get("Versions", []):
        s3.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])
    wait_for(lambda: gateway.remote_files() == {}, "the removal of all bodies")
    # The uploads that brought them are gone too.
    assert not gateway.bodies.list_multipart_uploads(Bucket=BODIES).get("Uploads")


def test_queries_read_and_write_through_it(gateway):
    glue, athena = (gateway.server.client(name, "test", "test") for name in ("glue", "athena"))
    rows = "".join(f"{number},name {number % 7}\n" for number in range(200_000))
    gateway.s3.put_object(Bucket=BUCKET, Key="raw/rows.csv", Body=rows.encode())
    glue.create_database(DatabaseInput={"Name": "db"})

    def query(text):
        name = athena.start_query_execution(
            QueryString=text,
            QueryExecutionContext={"Database": "db"},
            ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/results/"},
        )["QueryExecutionId"]

        def ended():
            status = athena.get_query_execution(QueryExecutionId=name)["QueryExecution"]["Status"]
            return status if status["State"] in ("SUCCEEDED", "FAILED") else None

        status = wait_for(ended, f"the end of {text}", timeout=90)
        assert status["State"] == "SUCCEEDED", status
        answer = athena.get_query_results(QueryExecutionId=name)["ResultSet"]["Rows"]
        return [[cell.get("VarCharValue") for cell in row["Data"]] for row in answer[1:]]

    query(
        "CREATE EXTERNAL TABLE numbers (id bigint, name string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' "
        f"LOCATION 's3://{BUCKET}/raw/'"
    )
    wanted = [["200000", str(sum(range(200_000)))]]
    assert query("SELECT count(*), sum(id) FROM numbers") == wanted
    query(f"CREATE TABLE copy WITH (format = 'PARQUET', external_location = 's3://{BUCKET}/copy/') AS SELECT * FROM numbers")
    assert query("SELECT count(*), sum(id) FROM copy") == wanted
    assert query("SELECT name, count(*) FROM copy WHERE id < 14 GROUP BY 1 ORDER BY 1 LIMIT 2") == [
        ["name 0", "2"], ["name 1", "2"],
    ]
    assert gateway.local_bodies() == []


def test_kill_of_the_gateway_loses_nothing_and_leaves_nothing(gateway):
    """kill -9 while clients write, several times: what was acknowledged is there, and the other store has no more than that."""
    acknowledged, attempted, lock = {}, {}, threading.Lock()

    def write(s3, writer, number):
        name = list(SIZES)[number % len(SIZES)]
        key, seed = f"{writer}/{number % 11}", number % 200
        with lock:
            attempted.setdefault(key, set()).add((name, seed))
        s3.put_object(Bucket=BUCKET, Key=key, Body=content(name, seed))
        with lock:
            acknowledged[key] = (name, seed)
            attempted[key] = set()

    for round in range(3):
        done = []

        def writer(name, s3):
            number = round * 1000
            while True:
                try:
                    write(s3, name, number)
                except Exception:
                    return  # the server is gone
                number += 1
                done.append(number)

        threads = [
            threading.Thread(target=writer, args=(name, gateway.server.client("s3", "test", "test"))) for name in range(3)
        ]
        for thread in threads:
            thread.start()
        wait_for(lambda: len(done) > 12 + round, "some writes", timeout=60)
        gateway.server.kill()
        for thread in threads:
            thread.join(timeout=60)
        gateway.start()
        for key in acknowledged.keys() | attempted.keys():
            possible = attempted.get(key, set()) | ({acknowledged[key]} if key in acknowledged else {None})
            found = content_of(gateway, key)
            matching = [what for what in possible if (what and content(*what)) == found]
            assert matching, f"{key} is none of {possible}"
            attempted[key] = set()
            if matching[0]:
                acknowledged[key] = matching[0]
    large = sum(name != "inline" for name, _ in acknowledged.values())
    wait_for(lambda: len(gateway.remote_files()) == large, "the removal of what no object needs")
    wait_for(lambda: not gateway.bodies.list_multipart_uploads(Bucket=BODIES).get("Uploads"), "the end of old uploads")


def content_of(gateway, key):
    try:
        return gateway.read(key)
    except gateway.s3.exceptions.NoSuchKey:
        return None


def test_kill_of_the_other_store_is_told_and_forgiven(gateway, other):
    s3 = gateway.s3
    for name in SIZES:
        s3.put_object(Bucket=BUCKET, Key=name, Body=content(name))
    health = lambda: json.load(urllib.request.urlopen(f"{gateway.server.url}/_boathouse/health"))
    assert health()["status"] == "ok"
    outcomes, stop = [], threading.Event()

    def work():
        mine = gateway.server.client("s3", "test", "test", read_timeout=90)
        number = 0
        while not stop.is_set():
            number += 1
            try:
                mine.put_object(Bucket=BUCKET, Key="busy", Body=content("large", number))
                outcomes.append(200)
            except mine.exceptions.ClientError as error:
                outcomes.append(error.response["ResponseMetadata"]["HTTPStatusCode"])

    thread = threading.Thread(target=work)
    thread.start()
    wait_for(lambda: outcomes, "a write", timeout=60)
    other.server.kill()
    wait_for(lambda: 503 in outcomes, "a refusal", timeout=60)
    assert code(s3.put_object, Bucket=BUCKET, Key="new", Body=content("small")) == ("ServiceUnavailable", 503)
    assert code(s3.get_object, Bucket=BUCKET, Key="large") == ("ServiceUnavailable", 503)
    # What lies here goes on.
    assert gateway.read("inline") == content("inline")
    s3.put_object(Bucket=BUCKET, Key="inline", Body=b"new")
    assert {item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]} == {*SIZES, "busy"}
    s3.delete_object(Bucket=BUCKET, Key="middle")
    assert health()["status"] == "degraded"
    # The gateway can be started again meanwhile.
    stop.set()
    thread.join(timeout=90)
    assert set(outcomes) == {200, 503}
    gateway.server.stop()
    gateway.start()
    assert gateway.read("inline") == b"new"
    assert code(gateway.s3.get_object, Bucket=BUCKET, Key="small") == ("ServiceUnavailable", 503)
    other.start()
    gateway.bodies = other.bodies
    for name in ("small", "large"):
        assert gateway.read(name) == content(name)
    gateway.s3.put_object(Bucket=BUCKET, Key="new", Body=content("small"))
    assert health()["status"] == "ok"
    # small, large, busy and new: nothing that was half-written.
    wait_for(lambda: len(gateway.remote_files()) == 4, "the removal of what no object needs", timeout=120)


def test_a_store_that_hangs_holds_nobody_for_ever(gateway, other):
    gateway.s3.put_object(Bucket=BUCKET, Key="small", Body=content("small"))
    os.kill(other.server.process.pid, signal.SIGSTOP)
    try:
        outcomes = []
        calls = [
            lambda: code(gateway.s3.get_object, Bucket=BUCKET, Key="small"),
            lambda: code(gateway.s3.put_object, Bucket=BUCKET, Key="other", Body=content("small")),
        ]
        threads = [threading.Thread(target=lambda call=call: outcomes.append(call())) for call in calls]
        for thread in threads:
            thread.start()
        gateway.s3.put_object(Bucket=BUCKET, Key="inline", Body=b"goes on")
        for thread in threads:
            thread.join()
        assert outcomes == [("ServiceUnavailable", 503)] * 2
    finally:
        os.kill(other.server.process.pid, signal.SIGCONT)
    assert gateway.read("small") == content("small")
    assert code(gateway.s3.head_object, Bucket=BUCKET, Key="other") == ("404", 404)


def test_a_slow_reader_and_a_reader_that_goes_away(gateway):
    gateway.s3.put_object(Bucket=BUCKET, Key="large", Body=content("large"))
    answer = gateway.s3.get_object(Bucket=BUCKET, Key="large")["Body"]
    got = answer.read(100_000)
    time.sleep(2)
    assert got + answer.read() == content("large")
    for _ in range(20):
        gateway.s3.get_object(Bucket=BUCKET, Key="large")["Body"].close()
    assert gateway.read("large", Range="bytes=20000000-20000009") == content("large")[20_000_000:20_000_010]


def refused(directory, *flags, under=()):
    """What a server says that does not start."""
    command = [*under, BINARY, "serve", "--listen", "127.0.0.1:0", "--data-dir", str(directory), "--dev", *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, preexec_fn=die_with_the_tests)
    assert done.returncode != 0 and "listening" not in done.stdout
    return done.stderr


def test_what_does_not_belong_together_is_refused_at_the_start(start, gateway, other, tmp_path):
    url = ("--gateway", f"s3://{BODIES}/gw")
    gateway.s3.put_object(Bucket=BUCKET, Key="small", Body=content("small"))
    gateway.server.stop()
    # Its own directory, without the other store or with another one.
    assert f"lie in s3://{BODIES}/gw" in refused(gateway.directory)
    right = environment(other.url)
    assert "holds none of this directory's bodies" in refused(gateway.directory, "--gateway", f"s3://{BODIES}/x", under=right)
    # Other directories.
    assert "of another directory" in refused(tmp_path / "second", *url, under=right)
    start("--dev", data_dir=tmp_path / "plain").stop()
    plain = refused(tmp_path / "plain", "--gateway", f"s3://{BODIES}/y", under=right)
    assert "keeps its bodies itself" in plain
    # Wrong credentials, for a new directory and for one that was there; no secret is told.
    for directory in (tmp_path / "third", gateway.directory):
        wrong = refused(directory, *url, under=environment(other.url, secret="not-the-secret"))
        assert "403" in wrong and "not-the-secret" not in wrong
    assert "404" in refused(tmp_path / "fourth", "--gateway", "s3://no-such-bucket", under=right)
    assert "is not s3://bucket" in refused(tmp_path / "fifth", "--gateway", "file:///tmp", under=right)
    assert "remote store" in refused(tmp_path / "sixth", *url, under=environment("http://127.0.0.1:9"))
    # The gateway's own directory is as it was.
    gateway.start()
    assert gateway.read("small") == content("small")


def test_backup_and_restore(gateway, start, other, tmp_path):
    for name in SIZES:
        gateway.s3.put_object(Bucket=BUCKET, Key=name, Body=content(name))
    backup = tmp_path / "backup"
    run = lambda *arguments: subprocess.run(
        [*environment(other.url), BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )
    done = run("backup", "--data-dir", gateway.directory, "--to", backup)
    assert done.returncode == 0 and "3 files of" in done.stdout and f"stay in s3://{BODIES}/gw" in done.stdout, done
    named = {line.split(" ", 1)[1]: int(line.split(" ")[0]) for line in (backup / "objects.remote").read_text().splitlines()}
    assert named == gateway.remote_files()
    assert sum(file.stat().st_size for file in backup.rglob("*") if file.is_file()) < 2 * MEGABYTE, "no body is in it"
    assert run("backup", "--verify", backup).returncode == 0
    gateway.server.kill()
    again = run("backup", "--data-dir", gateway.directory, "--to", tmp_path / "again")
    assert again.returncode == 0, again.stderr
    restored = run("restore", "--from", backup, "--data-dir", tmp_path / "restored")
    assert restored.returncode == 0, restored.stderr
    elsewhere = Gateway(start, tmp_path / "restored", other.url, other.bodies)
    for name in SIZES:
        assert elsewhere.read(name) == content(name)


def test_a_body_that_was_changed_or_is_gone_is_never_served(gateway):
    gateway.s3.put_object(Bucket=BUCKET, Key="small", Body=content("small"))
    [key] = gateway.remote_files()
    stored = gateway.bodies.get_object(Bucket=BODIES, Key=key)["Body"].read()
    assert len(stored) > len(content("small")) and content("small")[:64] not in stored, "it is encrypted here"
    gateway.bodies.put_object(Bucket=BODIES, Key=key, Body=b"?" + stored[1:])
    assert code(gateway.s3.get_object, Bucket=BUCKET, Key="small") == ("InternalError", 500)
    gateway.bodies.delete_object(Bucket=BODIES, Key=key)
    assert code(gateway.s3.get_object, Bucket=BUCKET, Key="small") == ("InternalError", 500)
    gateway.bodies.put_object(Bucket=BODIES, Key=key, Body=stored)
    assert gateway.read("small") == content("small")


def test_what_was_there_before_is_attached(any_gateway):
    gateway, bodies = any_gateway, any_gateway.bodies
    odd = "raw/a b+c%20d//é&<>.csv"
    before = {"raw/one.csv": b"1,a\n2,b\n", odd: b"3,c\n", "raw/large": content("large"), "elsewhere": b"x"}
    for key, bytes in before.items():
        bodies.put_object(Bucket=BODIES, Key=key, Body=bytes)
    gateway.s3.put_object(Bucket=BUCKET, Key="raw/one.csv", Body=b"ours")

    def attach(prefix="raw/", bucket=BUCKET, good=True):
        command = [BINARY, "attach", "--data-dir", str(gateway.directory), "--bucket", bucket, "--prefix", prefix]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert (done.returncode == 0) is good, done.stdout + done.stderr
        return done.stdout + done.stderr

    assert "2 objects are attached" in (said := attach()) and "1 keys have objects of your own" in said
    assert gateway.remote_files() == {}, "no body was copied"
    listed = gateway.s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert {item["Key"]: item["Size"] for item in listed} == {
        "raw/one.csv": 4, odd: 4, "raw/large": SIZES["large"],
    }
    assert gateway.read(odd) == before[odd] and gateway.read("raw/one.csv") == b"ours"
    assert gateway.read("raw/large") == content("large")
    assert gateway.read("raw/large", Range="bytes=70000-90000") == content("large")[70_000:90_001]
    there = bodies.head_object(Bucket=BODIES, Key="raw/large")
    head = gateway.s3.head_object(Bucket=BUCKET, Key="raw/large")
    assert (head["ETag"], head["LastModified"]) == (there["ETag"], there["LastModified"])
    # A copy is another reference; what was changed there is not served as what it was, until it is attached again.
    gateway.s3.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": odd})
    assert gateway.read("copy") == before[odd]
    bodies.put_object(Bucket=BODIES, Key=odd, Body=b"other bytes")
    assert code(gateway.s3.get_object, Bucket=BUCKET, Key=odd) == ("InternalError", 500)
    assert "1 are other ones now" in attach()
    assert gateway.read(odd) == b"other bytes"
    # What is deleted or overwritten here stays there.
    gateway.s3.put_object(Bucket=BUCKET, Key="raw/large", Body=b"new")
    gateway.s3.delete_object(Bucket=BUCKET, Key=odd)
    assert bodies.get_object(Bucket=BODIES, Key="raw/large")["Body"].read() == content("large")
    assert bodies.get_object(Bucket=BODIES, Key=odd)["Body"].read() == b"other bytes"
    assert "bucket none does not exist" in attach(bucket="none", good=False)
