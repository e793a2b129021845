"""One bucket with ten million keys: lists at any place, reads, memory, start, and what puts feel of a million deletions."""

import argparse
import datetime
import os
import random
import statistics
import subprocess
import threading
import time
from pathlib import Path

import boto3
from botocore.config import Config
from common import boathouse, machine, memory_mb, prose, scratch, table, timed, write

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
        config=Config(s3={"addressing_style": "path"}, max_pool_connections=16, retries={"max_attempts": 0}),
    )


def spread(seconds):
    """Median, 99th percentile and maximum, in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100)
    return [f"{cuts[49] * 1000:.2f}", f"{cuts[98] * 1000:.2f}", f"{max(seconds) * 1000:.2f}"]


def lists(s3, count, numbers):
    """Pages at random places, each as a client sees it."""
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
        seconds, entries = [], []
        for _ in range(PAGES):
            page, took = timed(lambda: s3.list_objects_v2(Bucket=BUCKET, **arguments()))
            seconds.append(took)
            entries.append(page["KeyCount"])
        rows.append([f"list {name}", f"{statistics.median(entries):.0f}", *spread(seconds)])
        print(*rows[-1], flush=True)
    return rows


def reads(s3, bucket, name, key_of):
    rows = []
    for operation, call in (("HEAD", s3.head_object), ("GET", s3.get_object)):
        seconds = []
        for _ in range(READS):
            answer, took = timed(lambda: call(Bucket=bucket, Key=key_of()))
            if operation == "GET":
                answer["Body"].read()
            seconds.append(took)
        rows.append([f"{operation} {name}", "1", *spread(seconds)])
        print(*rows[-1], flush=True)
    return rows


class Puts:
    """Puts one object after the other beside other work, and remembers how long each took."""

    def __init__(self, server):
        self.s3, self.seconds, self.over = client(server), [], threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        number = 0
        while not self.over.is_set():
            self.seconds.append(timed(lambda: self.s3.put_object(Bucket="other", Key=f"{number % 1000}", Body=b"x" * 1000))[1])
            number += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def delete_batches(server, numbers):
    """DeleteObjects of 1000 keys each, by four clients."""
    lock, batches = threading.Lock(), iter([numbers[at : at + 1000] for at in range(0, len(numbers), 1000)])

    def work():
        s3 = client(server)
        while True:
            with lock:
                batch = next(batches, None)
            if batch is None:
                return
            objects = [{"Key": key(number)} for number in batch]
            assert "Errors" not in s3.delete_objects(Bucket=BUCKET, Delete={"Objects": objects, "Quiet": True})

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def expire(s3, prefix):
    """A lifecycle rule with a date that is over: all keys are due at once."""
    rule = {
        "ID": "gone",
        "Status": "Enabled",
        "Filter": {"Prefix": prefix},
        "Expiration": {"Date": datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)},
    }
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]})
    while s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix, MaxKeys=1)["KeyCount"]:
        time.sleep(0.2)
    s3.delete_bucket_lifecycle(Bucket=BUCKET)


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
            s3 = client(server)
            s3.create_bucket(Bucket="other")
            facts = [["start until it listens", f"{start:.2f} s"]]
            facts.append(["disk, loaded", f"{disk_mb(objects):,.0f} MB"])
            facts.append(["memory after the start", f"{memory_mb(server.process):.0f} MB"])
            rows = lists(s3, count, numbers)
            with Puts(server) as few:
                time.sleep(5)
            rows += reads(s3, "other", "in a bucket of 1000 keys", lambda: str(numbers.randrange(len(few.seconds[:1000]))))
            rows += reads(s3, BUCKET, "at random", lambda: key(numbers.randrange(count)))
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
            inside = sum(1 for number in range(0, count, DAY) if key(number).startswith(prefix)) * DAY
            begun = time.perf_counter()
            with Puts(server) as during:
                expire(s3, prefix)
                took = time.perf_counter() - begun
            puts.append([f"a lifecycle rule expires {inside:,} keys", f"{inside / took:,.0f}/s", *spread(during.seconds)])
            print(*puts[-1], flush=True)
            first = [timed(lambda: s3.list_objects_v2(Bucket=BUCKET))[1] for _ in range(20)]
            rows.append(["list all keys, from the first one on, after these were deleted", "1000", *spread(first)])
            print(*rows[-1], flush=True)
            facts.append(["memory in the end", f"{memory_mb(server.process):.0f} MB"])
            facts.append(["memory at its peak", f"{memory_mb(server.process, 'VmHWM'):.0f} MB"])
    write(
        "s3-scale",
        f"S3: {count:,} keys in one bucket",
        machine("boto3"),
        prose(
            f"The engine's own loader wrote the keys, a thousand for each day ({loaded}). Then the server was started on "
            "that directory and asked through boto3, one call at a time; what boto3 itself takes (about 1 ms a call, and "
            "several for the XML of a thousand keys) is in all figures."
        ),
        ["## The server", ""],
        table(["", ""], facts),
        ["## Calls, ms", ""],
        table(["", "entries", "median", "99th percentile", "longest"], rows),
        ["## What puts of 1 KB feel of deletions, ms", ""],
        table(["meanwhile", "", "median", "99th percentile", "longest"], puts),
    )


main()
