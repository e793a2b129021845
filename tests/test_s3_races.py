"""Many clients at once: what they see of a key can be put in one order, also across kill -9, and races have one winner."""

import hashlib
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from linearizable import FOREVER, is_linearizable

MIB = 1 << 20
CLIENTS = 6


@pytest.fixture
def s3(shared):
    return shared.client("s3", "test", "test", max_pool_connections=32)


@pytest.fixture
def bucket(s3, unique):
    name = unique("races")
    s3.create_bucket(Bucket=name)
    return name


def at_once(*calls):
    """Runs the calls at the same moment; answers what they returned, or the code that they were refused with."""
    barrier = threading.Barrier(len(calls))

    def one(call):
        barrier.wait()
        try:
            return call()
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(one, calls))


def test_the_checker_knows_right_from_wrong():
    write, other = (0, 1, "write", "a", None), (0, 5, "write", "b", None)
    assert is_linearizable([write, (2, 3, "read", None, "a")])
    assert not is_linearizable([write, (2, 3, "read", None, None)]), "a stale read"
    assert is_linearizable([write, other, (2, 3, "read", None, "b"), (4, 5, "read", None, "b")])
    assert not is_linearizable([write, other, (2, 3, "read", None, "b"), (4, 5, "read", None, "a")]), "back in time"
    swaps = [(0, 9, "swap", (None, value), True) for value in "ab"]
    assert is_linearizable(swaps[:1]) and not is_linearizable(swaps), "two winners"
    lost = (0, FOREVER, "write", "c", None)
    for seen in (None, "c"):
        assert is_linearizable([lost, (1, 2, "read", None, seen)]), "nobody knows whether it was written"
    assert not is_linearizable([lost, (1, 2, "read", None, "c"), (3, 4, "read", None, None)]), "it was written"


class World:
    """A server that can be killed and comes back, and what its clients did with a few keys."""

    KEYS = ["a", "b", "c"]

    def __init__(self, start):
        self.start, self.histories, self.stop = start, {key: [] for key in self.KEYS}, False
        self.server = start("--dev")
        self.client().create_bucket(Bucket="world")

    def client(self):
        return self.server.client("s3", "test", "test", connect_timeout=2, read_timeout=10)

    def kill(self):
        self.server.kill()
        self.server = self.start("--dev")

    def act(self, s3, key, kind, given):
        """Answers what was seen. ETags stand for values, as conditions name them."""
        at = {"Bucket": "world", "Key": key}
        try:
            if kind == "read":
                return s3.get_object(**at)["Body"].read()
            if kind == "write" and given is None:
                return s3.delete_object(**at) and None
            if kind == "write":
                return s3.put_object(**at, Body=given) and None
            old, new = given
            s3.put_object(**at, Body=new, **({"IfMatch": etag(old)} if old is not None else {"IfNoneMatch": "*"}))
            return True
        except ClientError as error:
            refused = error.response["Error"]["Code"]
            if kind == "read" and refused == "NoSuchKey":
                return None
            if kind == "swap" and refused in ("PreconditionFailed", "NoSuchKey"):
                return False
            raise

    def work(self, number):
        dice, server, s3, known = random.Random(number), None, None, {}
        for count in range(10_000):
            if self.stop:
                return
            if server is not self.server:
                server, s3 = self.server, self.client()
            key, value = dice.choice(self.KEYS), f"{number}-{count}".encode()
            kind = dice.choice(["read", "read", "write", "swap"])
            given = {"read": None, "write": dice.choice([value, value, None]), "swap": (known.get(key), value)}[kind]
            begun = time.monotonic()
            try:
                seen, ended = self.act(s3, key, kind, given), time.monotonic()
            except (BotoCoreError, ClientError):
                seen, ended = None, FOREVER
                time.sleep(0.02)
            self.histories[key].append((begun, ended, kind, given, seen))
            if kind == "read" and ended != FOREVER:
                known[key] = seen


def etag(value):
    return f'"{hashlib.md5(value).hexdigest()}"'


def test_every_key_has_one_history_also_across_kill_9(start):
    world = World(start)
    with ThreadPoolExecutor(CLIENTS) as threads:
        workers = [threads.submit(world.work, number) for number in range(CLIENTS)]
        time.sleep(2)
        world.kill()
        time.sleep(2)
        world.stop = True
    for worker in workers:
        worker.result()
    for key, history in world.histories.items():
        answered = [it for it in history if it[1] != FOREVER]
        assert len(answered) > 50 and {it[2] for it in answered} == {"read", "write", "swap"}
        last = world.act(world.client(), key, "read", None)
        now = time.monotonic()
        assert is_linearizable([*history, (now, now + 1, "read", None, last)]), key


def test_lists_show_what_was_written_and_not_what_was_deleted(s3, bucket):
    def listed(prefix):
        return [it["Key"] for it in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]

    def work(number):
        mine = f"w{number}/"
        for n in range(15):
            s3.put_object(Bucket=bucket, Key=f"{mine}{n:02}", Body=b"x")
            assert listed(mine) == [f"{mine}{it:02}" for it in range(n + 1)]
        for n in range(0, 15, 2):
            s3.delete_object(Bucket=bucket, Key=f"{mine}{n:02}")
            assert f"{mine}{n:02}" not in listed(mine)

    at_once(*[lambda n=n: work(n) for n in range(CLIENTS)])
    assert len(listed("")) == CLIENTS * 7


def test_one_of_many_creates(s3, bucket):
    for turn in range(15):
        put = [lambda n=n: s3.put_object(Bucket=bucket, Key=f"k{turn}", Body=b"%d" % n, IfNoneMatch="*") for n in range(8)]
        outcomes = at_once(*put)
        winners = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, dict)]
        assert len(winners) == 1 and outcomes.count("PreconditionFailed") == 7, outcomes
        assert s3.get_object(Bucket=bucket, Key=f"k{turn}")["Body"].read() == b"%d" % winners[0]


def test_a_counter_of_many_clients_loses_no_count(s3, bucket):
    s3.put_object(Bucket=bucket, Key="count", Body=b"0")

    def count():
        done = 0
        while done < 8:
            got = s3.get_object(Bucket=bucket, Key="count")
            following = int(got["Body"].read()) + 1
            try:
                s3.put_object(Bucket=bucket, Key="count", Body=b"%d" % following, IfMatch=got["ETag"])
                done += 1
            except ClientError as error:
                assert error.response["Error"]["Code"] == "PreconditionFailed"

    at_once(*[count] * CLIENTS)
    assert s3.get_object(Bucket=bucket, Key="count")["Body"].read() == b"%d" % (CLIENTS * 8)


@pytest.fixture
def upload(s3, bucket):
    def begin(key):
        at = {"Bucket": bucket, "Key": key}
        at["UploadId"] = s3.create_multipart_upload(**at)["UploadId"]
        bodies = [b"a" * 5 * MIB, b"end"]
        parts = [s3.upload_part(**at, PartNumber=n, Body=body) for n, body in enumerate(bodies, 1)]
        listed = [{"PartNumber": n, "ETag": part["ETag"]} for n, part in enumerate(parts, 1)]
        return at, {"Parts": listed}

    return begin


def test_an_upload_is_completed_or_given_up(s3, bucket, upload):
    for turn in range(6):
        at, parts = upload(f"m{turn}")
        done, aborted = at_once(
            lambda: s3.complete_multipart_upload(**at, MultipartUpload=parts), lambda: s3.abort_multipart_upload(**at)
        )
        there = "Contents" in s3.list_objects_v2(Bucket=bucket, Prefix=at["Key"])
        assert there == isinstance(done, dict), (done, aborted)
        assert there or (done == "NoSuchUpload" and isinstance(aborted, dict)), (done, aborted)
        if there:
            assert s3.get_object(Bucket=bucket, Key=at["Key"], PartNumber=2)["Body"].read() == b"end"
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_two_completions_make_one_object(s3, bucket, upload):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for turn in range(4):
        at, parts = upload(f"m{turn}")
        outcomes = at_once(*[lambda: s3.complete_multipart_upload(**at, MultipartUpload=parts)] * 3)
        done = [it for it in outcomes if isinstance(it, dict)]
        assert done and all(it == "NoSuchUpload" for it in outcomes if not isinstance(it, dict)), outcomes
        assert len({it["VersionId"] for it in done}) == 1, "who is told of success is told of the same"
        assert len(s3.list_object_versions(Bucket=bucket, Prefix=at["Key"])["Versions"]) == 1


def test_a_part_that_comes_while_its_upload_ends(s3, bucket, upload):
    for turn in range(6):
        at, parts = upload(f"m{turn}")
        done, sent = at_once(
            lambda: s3.complete_multipart_upload(**at, MultipartUpload=parts),
            lambda: s3.upload_part(**at, PartNumber=2, Body=b"new"),
        )
        if isinstance(done, dict):
            assert isinstance(sent, dict) or sent == "NoSuchUpload"
            assert s3.get_object(Bucket=bucket, Key=at["Key"], PartNumber=2)["Body"].read() == b"end"
        else:
            assert done == "InvalidPart" and isinstance(sent, dict)
            s3.abort_multipart_upload(**at)


def test_writes_and_deletions_all_leave_their_version(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    puts = [lambda n=n: s3.put_object(Bucket=bucket, Key="k", Body=b"%d" % n)["VersionId"] for n in range(12)]
    deletions = [lambda: s3.delete_object(Bucket=bucket, Key="k")["VersionId"]] * 12
    made = at_once(*[call for pair in zip(puts, deletions) for call in pair])
    listed = s3.list_object_versions(Bucket=bucket)
    versions, markers = listed["Versions"], listed["DeleteMarkers"]
    assert sorted(it["VersionId"] for it in versions + markers) == sorted(made)
    assert (len(versions), len(markers)) == (12, 12)
    latest = [it for it in versions + markers if it["IsLatest"]]
    assert len(latest) == 1
    for n, version in enumerate(made[::2]):
        assert s3.get_object(Bucket=bucket, Key="k", VersionId=version)["Body"].read() == b"%d" % n
    is_there = "Contents" in s3.list_objects_v2(Bucket=bucket)
    assert is_there == (latest[0] in versions)


def test_a_copy_of_what_is_overwritten_is_whole(s3, bucket):
    bodies = [bytes([n]) * 300_000 for n in range(4)]
    s3.put_object(Bucket=bucket, Key="source", Body=bodies[0])

    def overwrite():
        for body in bodies * 3:
            s3.put_object(Bucket=bucket, Key="source", Body=body)

    def copy():
        for n in range(10):
            s3.copy_object(Bucket=bucket, Key=f"copy{n}", CopySource=f"{bucket}/source")
            assert s3.get_object(Bucket=bucket, Key=f"copy{n}")["Body"].read() in bodies

    at_once(overwrite, copy)


def test_who_reads_while_it_is_replaced_reads_the_old(s3, bucket):
    old = random.Random(1).randbytes(24 * MIB)
    s3.put_object(Bucket=bucket, Key="k", Body=old)
    bodies = [s3.get_object(Bucket=bucket, Key="k")["Body"] for _ in range(2)]
    begun = [body.read(1000) for body in bodies]
    s3.put_object(Bucket=bucket, Key="k", Body=b"new")
    assert begun[0] + bodies[0].read() == old
    s3.delete_object(Bucket=bucket, Key="k")
    assert begun[1] + bodies[1].read() == old
