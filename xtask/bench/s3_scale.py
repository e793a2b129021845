"""One bucket with ten million keys: lists at any place, reads, memory, start, and what puts feel of a million deletions."""

import argparse
import datetime
import multiprocessing
import os
import random
import statistics
import subprocess
import time

import boto3
from botocore.config import Config
from common import boathouse, machine, memory_mb, prose, scratch, table, timed, write
from least_http import Connection, prepared

BUCKET = "scale"
PAGES = 100
READS = 2000
FIRST_DAY = datetime.date(2000, 1, 1)
DAY = 1000


def key(number):
    return f"events/{FIRST_DAY + datetime.timedelta(number // DAY):%Y/%m/%d}/{number:08}.json"


def client(server):
    return boto3.client(
        "s3",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}, max_pool_connections=16, retries={"max_attempts": 0}),
    )


def spread(seconds):
    """Median, 99th percentile and maximum, in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100)
    return [f"{cuts[49] * 1000:.2f}", f"{cuts[98] * 1000:.2f}", f"{max(seconds) * 1000:.2f}"]


class Raw:
    """Presigned requests over one socket; boto3 itself would take longer than the server."""

    def __init__(self, server):
        self.s3, self.connection = client(server), Connection(server.url)

    def call(self, operation, method="GET", body=b"", **arguments):
        """Seconds from the request's first byte to the answer's last one."""
        url = self.s3.generate_presigned_url(operation, arguments)
        request = prepared(method, url, len(body)) + body
        return timed(lambda: self.connection.call(request, bare=method == "HEAD"))[1]


def lists(raw, count, numbers):
    """Pages at random places."""
    day = lambda: key(numbers.randrange(count)).rpartition("/")[0]  # noqa: E731
    cases = {
        "all keys, from a random one on": lambda: {"StartAfter": key(numbers.randrange(count))},
        "a day's keys (prefix)": lambda: {"Prefix": f"{day()}/"},
        "a day's keys (prefix and delimiter)": lambda: {"Prefix": f"{day()}/", "Delimiter": "/"},
        "the months of a year (prefix and delimiter)": lambda: {"Prefix": f"{day()[:11]}/", "Delimiter": "/"},
        "the years (prefix and delimiter)": lambda: {"Prefix": "events/", "Delimiter": "/"},
        "1000 common prefixes of one key each": lambda: {
            "StartAfter": key(numbers.randrange(count)),
            "Delimiter": ".json",
        },
        "1000 common prefixes of 1000 keys each": lambda: {
            "Delimiter": "/0",
            "StartAfter": key(numbers.randrange(max(1, count // 2)) // DAY * DAY),
            "Prefix": "events/2",
        },
        "no keys": lambda: {"Prefix": f"{day()}x"},
    }
    rows = []
    for name, arguments in cases.items():
        entries = raw.s3.list_objects_v2(Bucket=BUCKET, **arguments())["KeyCount"]
        seconds = [raw.call("list_objects_v2", Bucket=BUCKET, **arguments()) for _ in range(PAGES)]
        rows.append([f"list {name}", entries, *spread(seconds)])
        print(*rows[-1], flush=True)
    return rows


def reads(raw, bucket, name, key_of):
    rows = []
    for method, operation in (("HEAD", "head_object"), ("GET", "get_object")):
        seconds = [raw.call(operation, method, Bucket=bucket, Key=key_of()) for _ in range(READS)]
        rows.append([f"{method} {name}", "1", *spread(seconds)])
        print(*rows[-1], flush=True)
    return rows


FORK = multiprocessing.get_context("fork")


class Puts:
    """A process that puts one object after the other beside other work, and remembers how long each took."""

    def __init__(self, server):
        self.over, self.answers = FORK.Event(), FORK.Queue()
        self.process = FORK.Process(target=self.run, args=(server,))

    def run(self, server):
        raw, seconds = Raw(server), []
        while not self.over.is_set():
            name = str(len(seconds) % 1000)
            seconds.append(raw.call("put_object", "PUT", b"x" * 1000, Bucket="other", Key=name))
        self.answers.put(seconds)

    def __enter__(self):
        self.process.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.seconds = self.answers.get(timeout=60)
        self.process.join()


def delete_batches(server, numbers):
    """DeleteObjects of 1000 keys each, by four processes."""

    def work(part):
        s3 = client(server)
        for at in range(0, len(part), 1000):
            objects = [{"Key": key(number)} for number in part[at : at + 1000]]
            assert "Errors" not in s3.delete_objects(Bucket=BUCKET, Delete={"Objects": objects, "Quiet": True})

    quarter = -(-len(numbers) // 4)
    workers = [FORK.Process(target=work, args=(numbers[at : at + quarter],)) for at in range(0, len(numbers), quarter)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0, "a client failed"


def expire(s3, prefix, last):
    """A lifecycle rule with a date that is over: all keys are due at once."""
    rule = {
        "ID": "gone",
        "Status": "Enabled",
        "Filter": {"Prefix": prefix},
        "Expiration": {"Date": datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)},
    }
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]})
    # Keys expire in their order. A list would have to look past all that are gone.
    while exists(s3, last):
        time.sleep(0.1)
    s3.delete_bucket_lifecycle(Bucket=BUCKET)


def exists(s3, name):
    try:
        return s3.head_object(Bucket=BUCKET, Key=name) is not None
    except s3.exceptions.ClientError:
        return False


def disk_mb(directory):
    return sum(file.stat().st_size for file in directory.rglob("*") if file.is_file()) / 2**20


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--millions", type=float, default=10)
    count = int(parser.parse_args().millions * 1_000_000)
    numbers = random.Random(7)
    with scratch() as directory:
        objects = directory / "data" / "objects"
        objects.parent.mkdir()
        loaded = subprocess.run(
            [os.environ["BOATHOUSE_BENCH_LOADER"], str(objects), str(count)], check=True, capture_output=True, text=True
        ).stdout.strip()
        print(loaded, flush=True)
        began = time.perf_counter()
        with boathouse(directory) as server:
            start = time.perf_counter() - began
            s3, raw = client(server), Raw(server)
            s3.create_bucket(Bucket="other")
            facts = [["start until it listens", f"{start:.2f} s"]]
            facts.append(["disk, loaded", f"{disk_mb(objects):,.0f} MB"])
            facts.append(["memory after the start", f"{memory_mb(server.process):.0f} MB"])
            rows = lists(raw, count, numbers)
            with Puts(server) as few:
                time.sleep(5)
            rows += reads(raw, "other", "in a bucket of 1000 keys", lambda: str(numbers.randrange(len(few.seconds[:1000]))))
            rows += reads(raw, BUCKET, "at random", lambda: key(numbers.randrange(count)))
            facts.append(["memory after lists and reads", f"{memory_mb(server.process):.0f} MB"])
            puts = [["nothing", "", *spread(few.seconds)]]
            tenth = count // 10
            begun = time.perf_counter()
            with Puts(server) as during:
                delete_batches(server, range(tenth))
                took = time.perf_counter() - begun
            puts.append([f"DeleteObjects of {tenth:,} keys by four clients", f"{tenth / took:,.0f}/s", *spread(during.seconds)])
            print(*puts[-1], flush=True)
            prefix = key(count // 2)[: len("events/2000/")]
            inside = [number for number in range(count) if key(number).startswith(prefix)]
            begun = time.perf_counter()
            with Puts(server) as during:
                expire(s3, prefix, key(inside[-1]))
                took = time.perf_counter() - begun
            puts.append([f"a lifecycle rule expires {len(inside):,} keys", f"{len(inside) / took:,.0f}/s", *spread(during.seconds)])
            print(*puts[-1], flush=True)
            raw = Raw(server)  # The other connection has been silent for too long.
            first = [raw.call("list_objects_v2", Bucket=BUCKET) for _ in range(20)]
            rows.append(["list all keys, from the first one on, after these were deleted", "1000", *spread(first)])
            print(*rows[-1], flush=True)
            facts.append(["memory in the end", f"{memory_mb(server.process):.0f} MB"])
            facts.append(["memory at its peak", f"{memory_mb(server.process, 'VmHWM'):.0f} MB"])
    write(
        "s3-scale",
        f"S3: {count:,} keys in one bucket",
        machine("boto3"),
        prose(
            f"The engine's own loader wrote the keys, a thousand for each day, without syncs ({loaded}). Then the server was "
            "started on that directory. Lists and reads are presigned requests over one socket, one at a time, each "
            "somewhere else; puts are durable, and come from one client while the keys go."
        ),
        ["## The server", ""],
        table(["", ""], facts),
        ["## Calls, ms", ""],
        table(["", "entries", "median", "99th percentile", "longest"], rows),
        ["## What puts of 1 KB feel of deletions, ms", ""],
        table(["meanwhile", "", "median", "99th percentile", "longest"], puts),
    )


main()
