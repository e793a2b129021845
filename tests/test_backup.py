"""`boathouse backup` while clients write, kill -9, `boathouse restore` elsewhere: what was acknowledged before the backup began is
there, nothing half-written is, and queries answer the same."""

import hashlib
import json
import os
import stat
import subprocess
import threading
import time

from botocore.exceptions import BotoCoreError, HTTPClientError

from conftest import BINARY, allow, service_role, wait_for

MEGABYTE = 1 << 20
BUCKET = "backed-up"


def run(*arguments, good=True):
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert (done.returncode == 0) is good, done.stdout + done.stderr
    return done.stdout + done.stderr


def client(server, service="s3", key="test", secret="test"):
    return server.client(service, key, secret)


def query(server, text):
    athena = client(server, "athena")
    name = athena.start_query_execution(
        QueryString=text, ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/results/"}
    )["QueryExecutionId"]

    def ended():
        status = athena.get_query_execution(QueryExecutionId=name)["QueryExecution"]["Status"]
        return status if status["State"] in ("SUCCEEDED", "FAILED") else None

    status = wait_for(ended, f"the end of {text}")
    assert status["State"] == "SUCCEEDED", status
    rows = athena.get_query_results(QueryExecutionId=name)["ResultSet"]["Rows"]
    return [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows]


class Writers:
    """Threads that write objects until the server is gone."""

    def __init__(self, server):
        self.known, self.failures, self.begun = {}, [], []
        self.threads = [threading.Thread(target=self.write, args=(client(server), n)) for n in range(3)]
        for thread in self.threads:
            thread.start()
        wait_for(lambda: len(self.begun) > 20, "some writes")

    def write(self, s3, writer):
        number = 0
        try:
            while True:
                key = f"busy/{writer}/{number % 9}"
                body = os.urandom((1000, 50_000, 2 * MEGABYTE)[number % 3])
                self.known.setdefault(key, set()).add(hashlib.sha256(body).hexdigest())
                s3.put_object(Bucket=BUCKET, Key=key, Body=body)
                number += 1
                self.begun.append(number)
        except (BotoCoreError, HTTPClientError):
            return
        except Exception as failure:
            self.failures.append(failure)

    def end(self):
        for thread in self.threads:
            thread.join(timeout=60)
        assert self.failures == []


def populate(server):
    s3 = client(server)
    s3.create_bucket(Bucket=BUCKET)
    bodies = {f"kept/{size}": os.urandom(size) for size in (0, 100, 70_000, 3 * MEGABYTE)}
    for key, body in bodies.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    bodies["kept/sealed"] = os.urandom(200_000)
    s3.put_object(Bucket=BUCKET, Key="kept/sealed", Body=bodies["kept/sealed"], ServerSideEncryption="AES256")
    bodies["kept/parts"] = os.urandom(6 * MEGABYTE)
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="kept/parts")["UploadId"]
    parts = []
    for number, piece in enumerate((bodies["kept/parts"][: 5 * MEGABYTE], bodies["kept/parts"][5 * MEGABYTE :]), 1):
        tag = s3.upload_part(Bucket=BUCKET, Key="kept/parts", UploadId=upload, PartNumber=number, Body=piece)["ETag"]
        parts.append({"PartNumber": number, "ETag": tag})
    s3.complete_multipart_upload(Bucket=BUCKET, Key="kept/parts", UploadId=upload, MultipartUpload={"Parts": parts})
    glue = client(server, "glue")
    glue.create_database(DatabaseInput={"Name": "nyc"})
    query(
        server,
        f"CREATE TABLE nyc.numbers WITH (format = 'PARQUET', external_location = 's3://{BUCKET}/numbers/') AS "
        "SELECT n, n * n AS square FROM UNNEST(sequence(1, 5000)) AS t(n)",
    )
    return bodies


def check(server, bodies):
    s3 = client(server)
    for key, body in bodies.items():
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == body, key


def files_below(directory):
    return [path for path in directory.rglob("*") if not path.is_symlink()]


COUNT = "SELECT count(*), sum(square) FROM nyc.numbers"


def test_online_and_elsewhere(start, tmp_path):
    server = start("--dev")
    bodies = populate(server)
    before = query(server, COUNT)
    role = service_role(server, "delivery", allow("s3:*"), service="firehose.amazonaws.com")
    firehose = client(server, "firehose")
    firehose.create_delivery_stream(
        DeliveryStreamName="clicks",
        ExtendedS3DestinationConfiguration={
            "BucketARN": f"arn:aws:s3:::{BUCKET}",
            "RoleARN": role,
            "Prefix": "in/",
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 900},
        },
    )
    for number in range(10):
        firehose.put_record(DeliveryStreamName="clicks", Record={"Data": b"waits %d\n" % number})
    iam = client(server, "iam")
    iam.create_user(UserName="engineer")
    key = iam.create_access_key(UserName="engineer")["AccessKey"]
    logs = client(server, "logs")
    logs.create_log_group(logGroupName="group")
    logs.create_log_stream(logGroupName="group", logStreamName="stream")
    now = 1000 * int(time.time())
    logs.put_log_events(
        logGroupName="group", logStreamName="stream", logEvents=[{"timestamp": now, "message": "a line"}]
    )
    queue = client(server, "sqs").create_queue(QueueName="waiting")["QueueUrl"]
    client(server, "sqs").send_message(QueueUrl=queue, MessageBody="a message")

    writers = Writers(server)
    acknowledged = {it["Key"] for it in client(server).list_objects_v2(Bucket=BUCKET)["Contents"]}
    backup = tmp_path / "backup"
    told = run("backup", "--data-dir", tmp_path / "data", "--to", backup)
    assert "rows, as of" in told
    server.kill()
    writers.end()
    assert "the backup is whole" in run("backup", "--verify", backup)
    for path in files_below(backup):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, f"{path} can be read by others"
    names = {str(path.relative_to(backup)) for path in files_below(backup)}
    assert {"manifest.json", "files/credentials", "files/identity.key", "files/objects/master.key"} <= names
    assert not any("lock" in name or "control.sock" in name for name in names)

    elsewhere = tmp_path / "elsewhere"
    assert "is restored from" in run("restore", "--from", backup, "--data-dir", elsewhere)
    for path in [elsewhere, *(elsewhere / name for name in ("credentials", "identity.key", "objects/master.key"))]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, f"{path} can be read by others"
    server = start("--dev", data_dir=elsewhere)
    check(server, bodies)
    assert query(server, COUNT) == before
    s3 = client(server)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    there = {it["Key"] for page in pages for it in page["Contents"]}
    assert acknowledged <= there
    for name in there & set(writers.known):
        body = s3.get_object(Bucket=BUCKET, Key=name)["Body"].read()
        assert hashlib.sha256(body).hexdigest() in writers.known[name], name
    arn = client(server, "sts", key["AccessKeyId"], key["SecretAccessKey"]).get_caller_identity()["Arn"]
    assert arn.endswith("user/engineer")
    events = client(server, "logs").get_log_events(logGroupName="group", logStreamName="stream")["events"]
    assert [event["message"] for event in events] == ["a line"]
    sqs = client(server, "sqs")
    queue = sqs.get_queue_url(QueueName="waiting")["QueueUrl"]
    assert [it["Body"] for it in sqs.receive_message(QueueUrl=queue)["Messages"]] == ["a message"]
    firehose = client(server, "firehose")
    for _ in range(3):
        firehose.put_record(DeliveryStreamName="clicks", Record={"Data": b"x" * 400_000})

    def delivered():
        keys = [it["Key"] for it in s3.list_objects_v2(Bucket=BUCKET, Prefix="in/").get("Contents", [])]
        return b"".join(s3.get_object(Bucket=BUCKET, Key=name)["Body"].read() for name in sorted(keys))

    whole = wait_for(delivered, "the delivery of what waited")
    assert whole.startswith(b"".join(b"waits %d\n" % number for number in range(10)))


def test_backups_that_build_on_each_other(start, tmp_path):
    server = start("--dev")
    bodies = populate(server)
    first, second = tmp_path / "first", tmp_path / "second"
    run("backup", "--data-dir", tmp_path / "data", "--to", first)
    bodies["later"] = os.urandom(2 * MEGABYTE)
    client(server).put_object(Bucket=BUCKET, Key="later", Body=bodies["later"])
    client(server).delete_object(Bucket=BUCKET, Key="kept/70000")
    del bodies["kept/70000"]
    run("backup", "--data-dir", tmp_path / "data", "--to", second, "--since", first)
    server.stop()

    def blobs(backup):
        return {path.name: path.stat().st_ino for path in (backup / "files/objects/blobs").iterdir()}

    old, new = blobs(first), blobs(second)
    assert len(old) >= 2 and len(new) == len(old) + 1
    assert {name: new[name] for name in old} == old, "what has not changed is linked"
    for backup in (first, second):
        run("backup", "--verify", backup)
    # The first one goes; the second stands by itself.
    for path in (first / "files/objects/blobs").iterdir():
        path.unlink()
    run("restore", "--from", second, "--data-dir", tmp_path / "elsewhere")
    check(start("--dev", data_dir=tmp_path / "elsewhere"), bodies)


def test_without_a_server(start, tmp_path):
    server = start("--dev")
    bodies = populate(server)
    server.stop()
    run("backup", "--data-dir", tmp_path / "data", "--to", tmp_path / "backup")
    run("restore", "--from", tmp_path / "backup", "--data-dir", tmp_path / "elsewhere")
    server = start("--dev", data_dir=tmp_path / "elsewhere")
    check(server, bodies)
    assert query(server, COUNT)[1] == ["5000", str(sum(n * n for n in range(1, 5001)))]


def test_refusals(start, tmp_path):
    server = start("--dev")
    populate(server)
    data, backup = tmp_path / "data", tmp_path / "backup"
    run("backup", "--data-dir", data, "--to", backup)
    assert "is there already" in run("backup", "--data-dir", data, "--to", backup, good=False)
    assert "is there already" in run("restore", "--from", backup, "--data-dir", data, good=False)
    assert "is no backup" in run("backup", "--verify", data, good=False)
    assert "is no backup" in run("backup", "--data-dir", data, "--to", tmp_path / "x", "--since", data, good=False)
    assert "there is nothing in" in run("backup", "--data-dir", tmp_path / "none", "--to", tmp_path / "y", good=False)
    server.stop()
    # One flipped bit anywhere.
    manifest = json.loads((backup / "manifest.json").read_text())
    victims = [name for name, entry in manifest["entries"].items() if isinstance(entry, dict) and entry["file"]["bytes"]]
    assert any("blobs" in name for name in victims) and "objects.rows" in victims and "metadata.rows" in victims
    for name in ["objects.rows", "metadata.rows", next(name for name in victims if "blobs" in name), "manifest.json"]:
        path = backup / name
        sound = path.read_bytes()
        damaged = bytearray(sound)
        damaged[len(damaged) // 2] ^= 1
        path.write_bytes(damaged)
        assert "is damaged" in run("backup", "--verify", backup, good=False)
        assert "is damaged" in run("restore", "--from", backup, "--data-dir", tmp_path / "elsewhere", good=False)
        assert not (tmp_path / "elsewhere").exists()
        path.write_bytes(sound)
    (backup / "manifest.json").rename(backup / "aside")
    assert "is no backup" in run("restore", "--from", backup, "--data-dir", tmp_path / "elsewhere", good=False)


def test_a_backup_in_one_file(start, tmp_path, monkeypatch):
    # So that an object's bytes can be found in it, to damage them.
    monkeypatch.setenv("BOATHOUSE_PLAIN_BUCKETS", "1")
    server = start("--dev")
    bodies = populate(server)
    data, backup = tmp_path / "data", tmp_path / "backup.tar"
    run("backup", "--data-dir", data, "--to", backup)
    assert [path.name for path in tmp_path.glob("backup*")] == ["backup.tar"]
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert "is there already" in run("backup", "--data-dir", data, "--to", backup, good=False)
    assert "can be built on" in run("backup", "--data-dir", data, "--to", tmp_path / "x.tar", "--since", backup, good=False)
    assert "the backup is whole" in run("backup", "--verify", backup)
    server.stop()
    said = run("restore", "--from", backup, "--data-dir", tmp_path / "elsewhere")
    assert f"from {backup}: " in said
    server = start("--dev", data_dir=tmp_path / "elsewhere")
    check(server, bodies)
    assert query(server, COUNT)[1] == ["5000", str(sum(n * n for n in range(1, 5001)))]
    server.stop()

    sound = backup.read_bytes()
    needle = bodies["kept/70000"][30_000:30_100]
    place = sound.index(needle)
    for damaged in (sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :], sound[: len(sound) // 2]):
        backup.write_bytes(damaged)
        for arguments in (["backup", "--verify", backup], ["restore", "--from", backup, "--data-dir", tmp_path / "third"]):
            said = run(*arguments, good=False)
            assert "is damaged" in said or "is no backup" in said or "No such file" in said, said
        assert not (tmp_path / "third").exists() and not (tmp_path / "third.unpacked").exists()


def test_a_backup_that_is_interrupted_is_none(start, tmp_path):
    server = start("--dev")
    bodies = populate(server)
    backup = tmp_path / "backup"
    asking = subprocess.Popen(
        [BINARY, "backup", "--data-dir", str(tmp_path / "data"), "--to", str(backup)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    wait_for(backup.exists, "the beginning of the backup")
    server.kill()
    asking.wait(timeout=30)
    asking.stdout.close()
    if asking.returncode != 0:
        assert "is no backup" in run("backup", "--verify", backup, good=False)
    check(start("--dev"), bodies)
