"""A disk that is full, and one that can't be written to any more: writes are refused with S3's words, reads and deletions go
on, nothing that was acknowledged is lost, and once there is room writes go on without a restart.

The disk is an ext4 image that the server alone sees, in a mount namespace of its own: that needs root and a loop device.
"""

import json
import os
import shutil
import subprocess
import urllib.request

import pytest
from botocore.exceptions import ClientError

from conftest import allow, code, service_role, wait_for

MEGABYTE = 1 << 20
SIZE = 400 * MEGABYTE
# What is kept in reserve on a disk of that size, and what deletions leave of it.
RESERVE = SIZE // 20
BUCKET = "full"
UNAVAILABLE = ("ServiceUnavailable", 503)
SIZES = {"inline": 1000, "packed": 300_000, "large": 3 * MEGABYTE}


def why_not():
    if os.geteuid() != 0:
        return "only root may mount a disk"
    for program in ("unshare", "nsenter", "mkfs.ext4", "fallocate"):
        if not shutil.which(program):
            return f"{program} is missing"
    probe = "f=$(mktemp) d=$(mktemp -d); truncate -s 8M $f && mkfs.ext4 -q $f && mount -o loop $f $d; s=$?; umount $d; rm -r $f $d; exit $s"
    tried = subprocess.run(["unshare", "-m", "sh", "-c", probe], capture_output=True, text=True)
    return f"no disk can be mounted here: {tried.stderr}" if tried.returncode else None


WHY_NOT = why_not()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=f"A REAL FULL DISK IS NOT TESTED: {WHY_NOT}")


class Disk:
    def __init__(self, directory, start):
        self.image, self.place, self.start_server = directory / "disk.img", directory / "disk", start
        self.place.mkdir()
        with open(self.image, "wb") as image:
            image.truncate(SIZE)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(self.image)], check=True)

    def start(self):
        mount = 'mount -o loop "$0" "$1" && shift && exec "$@"'
        under = ("unshare", "-m", "sh", "-c", mount, str(self.image), str(self.place))
        self.server = self.start_server("--dev", data_dir=self.place / "data", under=under)
        return self.server

    def run(self, *command):
        return subprocess.run(
            ["nsenter", "-t", str(self.server.process.pid), "-m", "--", *command], check=True, capture_output=True, text=True
        ).stdout

    def free(self):
        answer = self.run("stat", "-f", "-c", "%a %S", str(self.place)).split()
        return int(answer[0]) * int(answer[1])

    def leave(self, room):
        """Fills the disk with a file up to so many bytes."""
        self.make_room()
        # The file system needs some blocks for itself; what is left of them goes bit by bit.
        self.run("fallocate", "-l", str(self.free() - max(room, MEGABYTE // 2)), str(self.place / "filler"))
        if room == 0:
            self.run("sh", "-c", f"dd if=/dev/zero of={self.place}/filler2 bs=4k 2>/dev/null; true")

    def make_room(self):
        self.run("rm", "-f", str(self.place / "filler"), str(self.place / "filler2"))

    def check(self):
        """After the file system failed, as a start of the machine does."""
        done = subprocess.run(["e2fsck", "-fy", str(self.image)], capture_output=True, text=True)
        assert done.returncode in (0, 1), done.stdout


@pytest.fixture
def disk(tmp_path, start):
    return Disk(tmp_path, start)


def health(server):
    with urllib.request.urlopen(f"{server.url}/_boathouse/health", timeout=10) as answer:
        return json.load(answer)


def client(server, service="s3"):
    return server.client(service, "test", "test")


def fill_bucket(s3):
    bodies = {name: os.urandom(size) for name, size in SIZES.items()}
    for key, body in bodies.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    return bodies


def check(s3, bodies):
    for key, body in bodies.items():
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == body, key
    assert {it["Key"] for it in s3.list_objects_v2(Bucket=BUCKET)["Contents"]} == set(bodies)


def test_a_full_disk(disk):
    server = disk.start()
    s3 = client(server)
    s3.create_bucket(Bucket=BUCKET)
    bodies = fill_bucket(s3)
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    assert health(server)["status"] == "ok"

    disk.leave(RESERVE * 3 // 4)
    for size in SIZES.values():
        assert code(s3.put_object, Bucket=BUCKET, Key="new", Body=os.urandom(size)) == UNAVAILABLE
    assert code(s3.upload_part, Bucket=BUCKET, Key="parts", UploadId=upload, PartNumber=1, Body=b"part") == UNAVAILABLE
    page = health(server)
    assert page["status"] == "degraded" and "full" in page["problems"][0] and not page["disk"]["read_only"]
    check(s3, bodies)
    s3.delete_object(Bucket=BUCKET, Key="inline")
    del bodies["inline"]

    disk.leave(0)
    for call in (
        lambda: s3.put_object(Bucket=BUCKET, Key="new", Body=b"x"),
        lambda: s3.delete_object(Bucket=BUCKET, Key="packed"),
        lambda: s3.create_bucket(Bucket="another-bucket"),
        lambda: s3.put_object_tagging(Bucket=BUCKET, Key="large", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}),
    ):
        assert code(call) == UNAVAILABLE
    check(s3, bodies)

    disk.make_room()
    s3.delete_object(Bucket=BUCKET, Key="packed")
    bodies = fill_bucket(s3)
    s3.abort_multipart_upload(Bucket=BUCKET, Key="parts", UploadId=upload)
    assert health(server)["status"] == "ok"
    check(s3, bodies)


def test_a_kill_while_the_disk_is_full(disk):
    server = disk.start()
    s3 = client(server)
    s3.create_bucket(Bucket=BUCKET)
    bodies = fill_bucket(s3)
    disk.leave(0)
    assert code(s3.put_object, Bucket=BUCKET, Key="new", Body=b"x") == UNAVAILABLE
    server.kill()
    server = disk.start()
    s3 = client(server)
    check(s3, bodies)
    assert code(s3.put_object, Bucket=BUCKET, Key="new", Body=b"x") == UNAVAILABLE
    disk.make_room()
    bodies = fill_bucket(s3)
    check(s3, bodies)


def test_a_disk_that_fills_up_under_the_writers(disk):
    """Without a reserve the engine itself meets the full disk: it is opened again by the first write that finds room."""
    os.environ["BOATHOUSE_DISK_RESERVE"] = "0"
    try:
        server = disk.start()
    finally:
        del os.environ["BOATHOUSE_DISK_RESERVE"]
    s3 = client(server)
    s3.create_bucket(Bucket=BUCKET)
    bodies, refusals = {}, 0
    disk.leave(6 * MEGABYTE)
    for number in range(4000):
        key, body = f"{number:05}", os.urandom(3000)
        try:
            s3.put_object(Bucket=BUCKET, Key=key, Body=body)
            bodies[key] = body
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] in (500, 503), error
            refusals += 1
            # It may have been kept although nobody said so.
            bodies.pop(key, None)
            if refusals == 5:
                break
    assert refusals == 5 and len(bodies) > 100
    for key in list(bodies)[:: len(bodies) // 50]:
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == bodies[key]
    disk.make_room()

    def written():
        try:
            return s3.put_object(Bucket=BUCKET, Key="after", Body=b"there is room")
        except ClientError:
            return None

    wait_for(written, "a write after there was room")
    for key, body in bodies.items():
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == body
    server.kill()
    s3 = client(disk.start())
    assert s3.get_object(Bucket=BUCKET, Key="after")["Body"].read() == b"there is room"
    for key, body in bodies.items():
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == body


def test_streams_and_queries_on_a_full_disk(disk):
    server = disk.start()
    s3, firehose, athena = client(server), client(server, "firehose"), client(server, "athena")
    s3.create_bucket(Bucket=BUCKET)
    role = service_role(server, "delivery", allow("s3:*"), service="firehose.amazonaws.com")
    firehose.create_delivery_stream(
        DeliveryStreamName="clicks",
        ExtendedS3DestinationConfiguration={
            "BucketARN": f"arn:aws:s3:::{BUCKET}",
            "RoleARN": role,
            "Prefix": "in/",
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 1},
        },
    )

    def query(text):
        name = athena.start_query_execution(
            QueryString=text, ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/results/"}
        )["QueryExecutionId"]

        def ended():
            status = athena.get_query_execution(QueryExecutionId=name)["QueryExecution"]["Status"]
            return status if status["State"] in ("SUCCEEDED", "FAILED") else None

        return wait_for(ended, f"the end of {text}")

    assert query("SELECT 1")["State"] == "SUCCEEDED"
    disk.leave(RESERVE * 3 // 4)
    acknowledged = []
    for number in range(20):
        record = b"record %d\n" % number
        try:
            firehose.put_record(DeliveryStreamName="clicks", Record={"Data": record})
            acknowledged.append(record)
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] in (500, 503)
    failed = query("SELECT 2")
    assert failed["State"] == "FAILED" and "full" in failed["StateChangeReason"], failed
    # The records wait: no object can be written.
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix="in/")
    server.kill()
    server = disk.start()
    s3, firehose, athena = client(server), client(server, "firehose"), client(server, "athena")
    disk.make_room()
    firehose.put_record(DeliveryStreamName="clicks", Record={"Data": b"last\n"})
    acknowledged.append(b"last\n")

    def delivered():
        keys = [it["Key"] for it in s3.list_objects_v2(Bucket=BUCKET, Prefix="in/").get("Contents", [])]
        whole = b"".join(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in sorted(keys))
        return whole if whole.endswith(b"last\n") else None

    assert wait_for(delivered, "the delivery", timeout=90) == b"".join(acknowledged)
    assert query("SELECT 3")["State"] == "SUCCEEDED"


def until_refused(call, most=400):
    """Calls with 0, 1, ... until three were refused for want of room; answers which were acknowledged."""
    acknowledged, refusals = [], 0
    for number in range(most):
        try:
            acknowledged.append((number, call(number)))
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] in (500, 503), error
            refusals += 1
            if refusals == 3:
                return acknowledged
    raise AssertionError("the disk never became full")


def test_the_catalog_and_state_machines_on_a_full_disk(disk):
    server = disk.start()
    glue, states = client(server, "glue"), client(server, "stepfunctions")
    role = service_role(server, "machine", allow("s3:*"), service="states.amazonaws.com")
    definition = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    machine = states.create_state_machine(name="m", definition=json.dumps(definition), roleArn=role)["stateMachineArn"]
    glue.create_database(DatabaseInput={"Name": "d"})
    padding = "x" * 50_000

    def create_table(number):
        glue.create_table(DatabaseName="d", TableInput={"Name": f"t{number}", "Parameters": {"padding": padding}})

    def execute(number):
        return states.start_execution(stateMachineArn=machine, name=f"e{number}", input=json.dumps(padding))["executionArn"]

    def check(tables, executions):
        pages = glue.get_paginator("get_tables").paginate(DatabaseName="d")
        present = {table["Name"]: table for page in pages for table in page["TableList"]}
        for number, _ in tables:
            assert present[f"t{number}"]["Parameters"]["padding"] == padding
        for _, arn in executions:
            assert json.loads(states.describe_execution(executionArn=arn)["input"]) == padding

    disk.leave(3 * MEGABYTE)
    tables = until_refused(create_table)
    executions = until_refused(execute)
    assert tables
    check(tables, executions)

    disk.make_room()
    # No restart, and nothing of what was refused stands in the way of another try.
    tables += [(number, create_table(number)) for number in (1000, 1001)]
    executions += [(number, execute(number)) for number in (1000, 1001)]
    check(tables, executions)

    def all_succeeded():
        found = [states.describe_execution(executionArn=arn)["status"] for _, arn in executions]
        return all(status == "SUCCEEDED" for status in found)

    wait_for(all_succeeded, "the end of all executions")
    server.kill()
    server = disk.start()
    glue, states = client(server, "glue"), client(server, "stepfunctions")
    check(tables, executions)
    assert all_succeeded()


def test_a_disk_that_became_read_only(disk):
    server = disk.start()
    s3, iam = client(server), client(server, "iam")
    s3.create_bucket(Bucket=BUCKET)
    bodies = fill_bucket(s3)
    iam.create_user(UserName="before")
    # What the kernel does when it finds the file system broken.
    disk.run("mount", "-o", "remount,abort", str(disk.place))
    page = health(server)
    assert page["status"] == "degraded" and page["disk"]["read_only"], page
    for size in SIZES.values():
        assert code(s3.put_object, Bucket=BUCKET, Key="new", Body=os.urandom(size)) == UNAVAILABLE
    assert code(s3.delete_object, Bucket=BUCKET, Key="packed") == UNAVAILABLE
    with pytest.raises(ClientError) as refused:
        iam.create_user(UserName="after")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] >= 500
    check(s3, bodies)
    assert [user["UserName"] for user in iam.list_users()["Users"]] == ["before"]
    server.kill()
    disk.check()
    server = disk.start()
    s3 = client(server)
    check(s3, bodies)
    bodies = fill_bucket(s3)
    check(s3, bodies)
    assert health(server)["status"] == "ok"
    assert [user["UserName"] for user in client(server, "iam").list_users()["Users"]] == ["before"]
