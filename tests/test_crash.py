"""kill -9 in the middle of everything: what was acknowledged is there afterwards, and nothing half-done is visible.

Each test goes through several rounds on one data directory: clients work side by side, the process is killed, a new one
opens the directory, and all that the clients know is compared with what it answers. BOATHOUSE_CRASH_ROUNDS sets the rounds
(3 without), BOATHOUSE_CRASH_SEED the moments of the kills.
"""

import hashlib
import os
import random
import threading
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from conftest import wait_for

ROUNDS = int(os.environ.get("BOATHOUSE_CRASH_ROUNDS", "3"))
SEED = int(os.environ.get("BOATHOUSE_CRASH_SEED", "1"))
MEGABYTE = 1024 * 1024
BUCKET = "crash-test"
GONE = None


class Ledger:
    """What clients know of keys: the last acknowledged content, and what calls without an answer may have made of it."""

    def __init__(self):
        self.acknowledged, self.attempted = {}, {}

    def write(self, key, content, call):
        """Makes a call that sets `key` to `content` (or `GONE`), and notes what is known before and after."""
        self.attempted.setdefault(key, set()).add(content)
        call()
        self.acknowledged[key] = content
        self.attempted[key] = set()

    def settle(self, key, found):
        """Takes what is there after a crash as the truth, if it can be the truth."""
        possible = self.attempted.get(key, set()) | {self.acknowledged.get(key, GONE)}
        assert found in possible, f"{key}: {found} is none of {possible}"
        self.acknowledged[key] = found
        self.attempted[key] = set()

    def keys(self):
        return set(self.acknowledged) | set(self.attempted)


def digest(body):
    return hashlib.sha256(body).hexdigest()


def until_the_kill(work, enough):
    """A thread that repeats `work(number)` until the server is gone; `enough` counts its successes."""
    failures = []

    def run():
        number = 0
        try:
            while True:
                work(number)
                number += 1
                enough.append(number)
        except (BotoCoreError, HTTPClientError):
            return  # the connection broke: the server is gone
        except Exception as failure:  # anything else is the server's mistake
            failures.append(failure)

    thread = threading.Thread(target=run)
    thread.failures = failures
    thread.start()
    return thread


def kill_while(server, works, moment, least=3):
    """Runs all works side by side, kills the server once each has had `least` successes and the moment has passed."""
    counts = [[] for _ in works]
    threads = [until_the_kill(work, count) for work, count in zip(works, counts)]
    started = time.monotonic()
    wait_for(
        lambda: all(len(count) >= least for count in counts) or any(thread.failures for thread in threads),
        "some work of every kind",
        timeout=60,
    )
    time.sleep(max(0.0, moment - (time.monotonic() - started)))
    server.kill()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive() and thread.failures == []


@pytest.fixture
def moments():
    randomness = random.Random(SEED)
    return [randomness.uniform(0.2, 1.2) for _ in range(ROUNDS)]


def test_uploads(start, moments):
    ledger = Ledger()
    uploads = {}  # upload → (key, its parts' tags and bodies), all acknowledged but never completed
    for number, moment in enumerate(moments):
        server = start("--dev")
        s3 = server.client("s3", "test", "test", max_pool_connections=20)
        if number == 0:
            s3.create_bucket(Bucket=BUCKET)
        check_objects(s3, ledger, uploads)
        works = [small(s3, ledger, writer) for writer in range(3)]
        works += [large(s3, ledger), parts(s3, ledger), unfinished(s3, uploads, number), copies(s3, ledger)]
        kill_while(server, works, moment)
    server = start("--dev")
    check_objects(server.client("s3", "test", "test"), ledger, uploads)
    assert sum(content is not GONE for content in ledger.acknowledged.values()) >= 20


def small(s3, ledger, writer):
    """New objects, overwritten ones and deleted ones."""

    def work(number):
        key = f"small/{writer}/{number % 7}"
        if number % 5 == 4:
            ledger.write(key, GONE, lambda: s3.delete_object(Bucket=BUCKET, Key=key))
        body = os.urandom(random.randrange(1, 4000))
        ledger.write(key, digest(body), lambda: s3.put_object(Bucket=BUCKET, Key=key, Body=body))

    return work


def large(s3, ledger):
    def work(number):
        key, body = f"large/{number % 3}", os.urandom(4 * MEGABYTE + number)
        ledger.write(key, digest(body), lambda: s3.put_object(Bucket=BUCKET, Key=key, Body=body))

    return work


def upload(s3, key, bodies):
    """Uploads parts without completing; answers the upload's name and its parts."""
    name = s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
    sent = []
    for number, body in enumerate(bodies, 1):
        tag = s3.upload_part(Bucket=BUCKET, Key=key, UploadId=name, PartNumber=number, Body=body)["ETag"]
        sent.append({"PartNumber": number, "ETag": tag})
    return name, sent


def parts(s3, ledger):
    def work(number):
        key, bodies = f"parts/{number % 3}", [os.urandom(5 * MEGABYTE), os.urandom(1000)]
        name, sent = upload(s3, key, bodies)
        complete = {"Bucket": BUCKET, "Key": key, "UploadId": name, "MultipartUpload": {"Parts": sent}}
        ledger.write(key, digest(b"".join(bodies)), lambda: s3.complete_multipart_upload(**complete))

    return work


def unfinished(s3, uploads, round_number):
    def work(number):
        key, body = f"unfinished/{round_number}/{number}", os.urandom(2000)
        name, sent = upload(s3, key, [body])
        uploads[name] = (key, sent, digest(body))

    return work


def copies(s3, ledger):
    def work(number):
        source, body = f"source/{number % 3}", os.urandom(100_000)
        ledger.write(source, digest(body), lambda: s3.put_object(Bucket=BUCKET, Key=source, Body=body))
        target = f"copy/{number % 5}"
        origin = {"Bucket": BUCKET, "Key": source}
        ledger.write(target, digest(body), lambda: s3.copy_object(Bucket=BUCKET, Key=target, CopySource=origin))

    return work


def check_objects(s3, ledger, uploads):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    listed = {it["Key"]: it for page in pages for it in page.get("Contents", [])}
    assert set(listed) <= ledger.keys(), "nothing that nobody wrote"
    for key in ledger.keys():
        found = GONE
        if key in listed:
            answer = s3.get_object(Bucket=BUCKET, Key=key)
            body = answer["Body"].read()
            assert len(body) == listed[key]["Size"] and answer["ETag"] == listed[key]["ETag"]
            found = digest(body)
        ledger.settle(key, found)
    open_uploads = {it["UploadId"] for it in s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])}
    for name, (key, sent, content) in list(uploads.items()):
        assert name in open_uploads, f"the upload of {key} was acknowledged and is gone"
        complete = {"Bucket": BUCKET, "Key": key, "UploadId": name, "MultipartUpload": {"Parts": sent}}
        ledger.write(key, content, lambda: s3.complete_multipart_upload(**complete))
        assert digest(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()) == content
        del uploads[name]


def test_the_catalogue(start, moments):
    tables, partitions = Ledger(), Ledger()
    for number, moment in enumerate(moments):
        server = start("--dev")
        glue = server.client("glue", "test", "test", max_pool_connections=20)
        if number == 0:
            glue.create_database(DatabaseInput={"Name": "nyc"})
            glue.create_table(DatabaseName="nyc", TableInput=described("days", "0", keys=[{"Name": "day", "Type": "int"}]))
        check_tables(glue, tables, partitions)
        works = [change_tables(glue, tables, writer, number) for writer in range(3)]
        works.append(add_partitions(glue, partitions, number))
        kill_while(server, works, moment, least=8)
    glue = start("--dev").client("glue", "test", "test")
    check_tables(glue, tables, partitions)
    assert len(partitions.acknowledged) >= 100


def described(name, description, keys=()):
    location = {"Location": f"s3://raw/{name}/", "Columns": [{"Name": "n", "Type": "int"}]}
    return {"Name": name, "Description": description, "StorageDescriptor": location, "PartitionKeys": list(keys)}


def change_tables(glue, ledger, writer, round_number):
    """Tables that are created, updated and deleted; the description tells which update was the last."""

    def work(number):
        name, text = f"t{writer}_{number % 6}", f"{round_number}.{number}"
        known = ledger.acknowledged.get(name, GONE)
        if known is not GONE and number % 4 == 3:
            ledger.write(name, GONE, lambda: glue.delete_table(DatabaseName="nyc", Name=name))
        elif known is not GONE:
            ledger.write(name, text, lambda: glue.update_table(DatabaseName="nyc", TableInput=described(name, text)))
        else:
            ledger.write(name, text, lambda: glue.create_table(DatabaseName="nyc", TableInput=described(name, text)))

    return work


def add_partitions(glue, ledger, round_number):
    def work(number):
        days = [str(100_000 * round_number + 10 * number + day) for day in range(10)]
        batch = [{"Values": [day], "StorageDescriptor": {"Location": f"s3://raw/{day}/"}} for day in days]
        for day in days:
            ledger.attempted.setdefault(day, set()).add(f"s3://raw/{day}/")
        answer = glue.batch_create_partition(DatabaseName="nyc", TableName="days", PartitionInputList=batch)
        assert answer.get("Errors", []) == []
        for day in days:
            ledger.write(day, f"s3://raw/{day}/", lambda: None)

    return work


def check_tables(glue, tables, partitions):
    pages = glue.get_paginator("get_tables").paginate(DatabaseName="nyc")
    found = {it["Name"]: it["Description"] for page in pages for it in page["TableList"] if it["Name"] != "days"}
    assert set(found) <= tables.keys()
    for name in tables.keys():
        tables.settle(name, found.get(name, GONE))
    pages = glue.get_paginator("get_partitions").paginate(DatabaseName="nyc", TableName="days")
    days = {it["Values"][0]: it["StorageDescriptor"]["Location"] for page in pages for it in page["Partitions"]}
    assert set(days) <= partitions.keys()
    for day in partitions.keys():
        partitions.settle(day, days.get(day, GONE))


def test_keys_and_users(start, moments):
    """What an acknowledged IAM call gave or took away stays so: a deleted access key never works again."""
    kept, taken = [], []
    for number, moment in enumerate(moments):
        server = start("--dev")
        iam = server.client("iam", "test", "test")
        check_keys(server, kept, taken)
        if number == 0:
            iam.create_user(UserName="engineer")
        kill_while(server, [change_keys(iam, kept, taken)], min(moment, 0.4), least=10)
    check_keys(start("--dev"), kept, taken)


def change_keys(iam, kept, taken):
    def work(_):
        for old in kept[:]:
            kept.remove(old)
            iam.delete_access_key(UserName="engineer", AccessKeyId=old["AccessKeyId"])
            taken.append(old)
        for old in iam.list_access_keys(UserName="engineer")["AccessKeyMetadata"]:
            iam.delete_access_key(UserName="engineer", AccessKeyId=old["AccessKeyId"])
        kept.append(iam.create_access_key(UserName="engineer")["AccessKey"])

    return work


def check_keys(server, kept, taken):
    def identity(key):
        return server.client("sts", key["AccessKeyId"], key["SecretAccessKey"]).get_caller_identity()

    for key in kept:
        assert identity(key)["Arn"].endswith("user/engineer")
    for key in taken[-20:]:
        with pytest.raises(ClientError) as caught:
            identity(key)
        assert caught.value.response["Error"]["Code"] == "InvalidClientTokenId"


def test_tables_made_by_queries(start, moments):
    """CREATE TABLE AS and INSERT: a table that exists has all its rows; a query that was told to have succeeded has."""
    rows, made, started = Ledger(), {}, []
    for number, moment in enumerate(moments):
        server = start("--dev")
        athena = server.client("athena", "test", "test", max_pool_connections=20)
        if number == 0:
            server.client("s3", "test", "test").create_bucket(Bucket=BUCKET)
            server.client("glue", "test", "test").create_database(DatabaseInput={"Name": "nyc"})
        check_queries(server, athena, rows, made, started)
        works = [make_tables(athena, made, started, f"{number}_{writer}") for writer in range(2)]
        works.append(insert_rows(athena, rows, started, number))
        kill_while(server, works, moment, least=2)
    server = start("--dev")
    check_queries(server, server.client("athena", "test", "test"), rows, made, started)
    assert len(made) >= 4 * ROUNDS and len(rows.acknowledged) >= 2


def run_query(athena, statement, started):
    name = athena.start_query_execution(
        QueryString=statement,
        QueryExecutionContext={"Database": "nyc"},
        ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/results/"},
    )["QueryExecutionId"]
    started.append(name)

    def ended():
        status = athena.get_query_execution(QueryExecutionId=name)["QueryExecution"]["Status"]
        return status if status["State"] not in ("QUEUED", "RUNNING") else None

    status = wait_for(ended, f"the end of {statement}")
    assert status["State"] == "SUCCEEDED", status
    return name


def make_tables(athena, made, started, prefix):
    def work(number):
        table, count = f"made_{prefix}_{number}", 3_000 * (number % 3 + 1)
        made[table] = (count, False)
        run_query(
            athena,
            f"CREATE TABLE {table} WITH (format = 'PARQUET', external_location = 's3://{BUCKET}/made/{table}/') "
            f"AS SELECT n, 'row ' || CAST(n AS varchar) AS text FROM UNNEST(sequence(1, {count})) AS t(n)",
            started,
        )
        made[table] = (count, True)

    return work


def insert_rows(athena, ledger, started, round_number):
    """One table per round; its content is the number of rows, which every INSERT raises by 100."""
    table = f"filled_{round_number}"

    def work(number):
        if number == 0:
            place = f"s3://{BUCKET}/{table}/"
            run_query(athena, f"CREATE EXTERNAL TABLE {table} (n int) STORED AS PARQUET LOCATION '{place}'", started)
        insert = f"INSERT INTO {table} SELECT CAST(n AS integer) FROM UNNEST(sequence(1, 100)) AS t(n)"
        ledger.write(table, 100 * (number + 1), lambda: run_query(athena, insert, started))

    return work


def count(athena, table):
    name = run_query(athena, f"SELECT count(*) FROM {table}", [])
    return int(athena.get_query_results(QueryExecutionId=name)["ResultSet"]["Rows"][1]["Data"][0]["VarCharValue"])


def check_queries(server, athena, rows, made, started):
    for name in started:
        status = athena.get_query_execution(QueryExecutionId=name)["QueryExecution"]["Status"]
        assert status["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"), f"{name} is {status['State']} for ever"
    started.clear()
    glue = server.client("glue", "test", "test")
    pages = glue.get_paginator("get_tables").paginate(DatabaseName="nyc")
    tables = {it["Name"] for page in pages for it in page["TableList"]}
    for table, (expected, acknowledged) in made.items():
        assert table in tables or not acknowledged, f"{table} was acknowledged and is gone"
        if table in tables:
            assert count(athena, table) == expected
            made[table] = (expected, True)
    for table in rows.keys():
        rows.settle(table, count(athena, table) or GONE)
