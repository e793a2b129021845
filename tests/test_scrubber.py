"""Bits that flip on the disk: no read ever serves them, and the scrubber finds them before anybody reads."""

import json
import os
import urllib.request

import pytest
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from conftest import wait_for

BUCKET = "scrubbed"
BODY = os.urandom(1000) * 2500


@pytest.fixture
def server(start, monkeypatch):
    monkeypatch.setenv("BOATHOUSE_SCRUB_EVERY", "1")
    monkeypatch.setenv("BOATHOUSE_SCRUB_RATE", "1000000000")
    return start("--dev")


def page(server, name):
    with urllib.request.urlopen(f"{server.url}/_boathouse/{name}", timeout=10) as answer:
        return answer.read().decode()


def health(server):
    return json.loads(page(server, "health"))


def flip(directory, at=30_000):
    path = max(directory.iterdir(), key=lambda it: it.stat().st_size)
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 8]))


def pass_of_the_scrubber(server):
    until = health(server)["scrub"]["passes"] + 2
    wait_for(lambda: health(server)["scrub"]["passes"] >= until, "two passes of the scrubber")


def test_flipped_bits_are_found_and_never_served(server, tmp_path):
    s3 = server.client("s3", "test", "test")
    s3.create_bucket(Bucket=BUCKET)
    table = "".join(f"{n},row {n}\n" for n in range(5000)).encode()
    for key, body in (("large", BODY), ("csv/rows.csv", table)):
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    pass_of_the_scrubber(server)
    assert health(server)["status"] == "ok" and health(server)["scrub"]["bytes"] >= len(BODY)
    for folder in ("blobs", "packs"):
        flip(tmp_path / "data" / "objects" / folder)
    pass_of_the_scrubber(server)
    found = health(server)
    assert found["status"] == "degraded" and found["scrub"]["damaged"] == 2, found
    assert "boathouse_damaged_objects 2" in page(server, "metrics")
    log = (tmp_path / "data.log").read_text()
    assert '"message":"DamagedObject"' in log and '"key":"large"' in log and '"key":"csv/rows.csv"' in log

    for key in ("csv/rows.csv", "large"):
        for arguments in ({}, {"Range": "bytes=29000-31000"}):
            # The first piece is verified before anything is answered.
            with pytest.raises(ClientError) as refused:
                s3.get_object(Bucket=BUCKET, Key=key, **arguments)
            assert refused.value.response["Error"]["Code"] == "InternalError"
            assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    # What lies in other blocks is sound.
    assert s3.get_object(Bucket=BUCKET, Key="large", Range="bytes=100000-200000")["Body"].read() == BODY[100_000:200_001]

    glue, athena = server.client("glue", "test", "test"), server.client("athena", "test", "test")
    glue.create_database(DatabaseInput={"Name": "d"})

    def query(text):
        name = athena.start_query_execution(
            QueryString=text, ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/results/"}
        )["QueryExecutionId"]

        def ended():
            status = athena.get_query_execution(QueryExecutionId=name)["QueryExecution"]["Status"]
            return status if status["State"] in ("SUCCEEDED", "FAILED") else None

        return wait_for(ended, f"the end of {text}")

    create = (
        "CREATE EXTERNAL TABLE d.t (n int, text string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' "
        f"LOCATION 's3://{BUCKET}/csv/'"
    )
    assert query(create)["State"] == "SUCCEEDED"
    failed = query("SELECT count(*) FROM d.t WHERE text LIKE '%9'")
    assert failed["State"] == "FAILED" and "corrupt" in failed["StateChangeReason"].lower(), failed

    # A sound copy in its place, and all is well.
    s3.put_object(Bucket=BUCKET, Key="large", Body=BODY)
    s3.put_object(Bucket=BUCKET, Key="csv/rows.csv", Body=table)
    assert query("SELECT count(*) FROM d.t")["State"] == "SUCCEEDED"
    wait_for(lambda: health(server)["scrub"]["damaged"] == 0, "the end of the damage")


def test_damage_far_behind_breaks_the_answer_off(start, tmp_path):
    server = start("--dev")
    s3 = server.client("s3", "test", "test")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="large", Body=BODY)
    flip(tmp_path / "data" / "objects" / "blobs", 2_000_000)
    with pytest.raises((BotoCoreError, HTTPClientError)):
        s3.get_object(Bucket=BUCKET, Key="large")["Body"].read()
    assert s3.get_object(Bucket=BUCKET, Key="large", Range="bytes=0-1000000")["Body"].read() == BODY[:1_000_001]
