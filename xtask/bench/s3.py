"""PUT, GET, LIST and DELETE of objects, against other object stores, the bare disk and the bare loopback.

So that the client is not what is measured, requests are signed beforehand (presigned URLs) and go as ready-made bytes
over keep-alive sockets, from one process for each client. The disk writes new files and syncs each (fdatasync), and
reads files that the page cache holds. The loopback is a server that does nothing: it drops what it is sent, and sends files
that the page cache holds (sendfile).

`--seconds` says how long a case takes, `--peers` which stores are measured beside Boathouse (`none`: no other). With `--only`
nothing is written: cases whose names begin like that are measured and printed.
"""

import argparse
import base64
import contextlib
import multiprocessing
import os
import re
import socket
import statistics
import sys
import time
import zlib
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from common import Watch, boathouse, machine, moto, prose, scratch, table, write
from least_http import Connection, prepared

sys.path.insert(0, str(Path(__file__).parent / "peers"))
import object_stores  # noqa: E402

BUCKET = "bench"
# Size in bytes, how many objects each client writes over and over, and how many clients there are.
SIZES = {
    "1 KB": (1_000, 64, [1, 16, 64]),
    "64 KB": (64_000, 16, [1, 16, 64]),
    "1 MB": (1_000_000, 4, [1, 16, 64]),
    "64 MB": (64_000_000, 1, [1, 16]),
    "1 GB": (1_000_000_000, 1, [1]),
}
CASES = [(operation, size, clients) for operation in ("put", "get") for size in SIZES for clients in SIZES[size][2]]
CASES += [(operation, "1 KB", clients) for operation in ("list", "delete") for clients in (1, 16, 64)]
# Objects that are listed, a thousand a page, and deleted.
MANY = 4096
PAGE = 1000
# How often ours and the bounds take turns in a case.
ROUNDS = 2
# What is sent and written at a time.
SEND = 1_000_000
# Boathouse as it is met by clients that look for MD5s.
UNCHECKED = "Boathouse, no checksums sent"
# Boathouse as the peers are, which encrypt nothing.
PLAIN = "Boathouse, not encrypting"
OURS = ("Boathouse", PLAIN, UNCHECKED)


def crc32(body, times):
    """The checksum that today's SDKs send, of a body sent so many times over."""
    checksum = 0
    for _ in range(times):
        checksum = zlib.crc32(body, checksum)
    return base64.b64encode(checksum.to_bytes(4, "big")).decode()


class Server:
    """A target that speaks S3, and its process."""

    def __init__(self, url, process, key="test", secret="test"):
        self.url, self.process = url, process
        self.client = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 5}),
        )
        self.client.create_bucket(Bucket=BUCKET)

    def worker(self, operation, names, size):
        """A function of a number that makes one call."""
        connection = Connection(self.url)
        if operation == "list":
            url = self.client.generate_presigned_url("list_objects_v2", {"Bucket": BUCKET, "Prefix": "many-", "MaxKeys": PAGE})
            request = prepared("GET", url)
            return lambda number: connection.call(request)
        length = size if operation == "put" else 0
        body, times, checksum = b"", 1, None
        if operation == "put":
            body, times = os.urandom(min(size, SEND)), max(1, size // SEND)
            checksum = crc32(body, times)
        requests = [self.request(operation, name, length, checksum) for name in names]
        if operation == "put":
            if size < 10_000:
                # One packet, as clients send small requests.
                requests, body = [request + body for request in requests], b""
        expected = size if operation == "get" else 0

        def call(number):
            length = connection.call(requests[number % len(requests)], body, times)
            assert operation != "get" or length == expected

        return call

    def request(self, operation, name, length, checksum):
        headers = [("x-amz-checksum-crc32", checksum)] if checksum else []
        parameters = {"ChecksumCRC32": checksum} if checksum else {}
        return prepared(operation.upper(), self.presigned(operation, name, **parameters), length, headers)

    def presigned(self, operation, name, **parameters):
        return self.client.generate_presigned_url(f"{operation}_object", {"Bucket": BUCKET, "Key": name} | parameters)


class Unchecked(Server):
    """The same, to which large bodies come without a checksum."""

    def request(self, operation, name, length, checksum):
        return super().request(operation, name, length, None)


class Disk:
    """A target without a server: the same bytes in files."""

    process = None

    def __init__(self, directory):
        self.directory = directory

    def worker(self, operation, names, size):
        paths = [self.directory / name for name in names]
        times = max(1, size // SEND)
        body, buffer = os.urandom(size // times), bytearray(1 << 20)

        def put(number):
            path = paths[number % len(paths)]
            path.unlink(missing_ok=True)
            with open(path, "wb", buffering=0) as file:
                for _ in range(times):
                    file.write(body)
                os.fdatasync(file.fileno())

        def get(number):
            with open(paths[number % len(paths)], "rb", buffering=0) as file:
                while file.readinto(buffer):
                    pass

        def listed(number):
            return sum(1 for _ in zip(range(PAGE), os.scandir(self.directory)))

        def delete(number):
            paths[number].unlink(missing_ok=True)

        return {"put": put, "get": get, "list": listed, "delete": delete}[operation]


class Loopback(Server):
    """A server that does nothing, with a process for each connection."""

    def __init__(self, directory):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.file = os.open(directory / "bytes", os.O_RDWR | os.O_CREAT)
        os.posix_fallocate(self.file, 0, max(size for size, _, _ in SIZES.values()))
        self.process = multiprocessing.get_context("fork").Process(target=self.serve)
        self.process.start()

    def presigned(self, operation, name, **_):
        return f"{self.url}/{name}?"

    def serve(self):
        import signal

        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            connection, _ = self.listener.accept()
            if os.fork() == 0:
                self.connection(connection)
                os._exit(0)

    def connection(self, it):
        it.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        buffer = memoryview(bytearray(1 << 20))
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
        while received := it.recv_into(buffer):
            text = bytes(buffer[: min(received, 4096)])
            end = text.find(b"\r\n\r\n") + 4
            if text.startswith(b"PUT"):
                left = int(re.search(rb"Content-Length: (\d+)", text).group(1)) - (received - end)
                while left > 0:
                    left -= it.recv_into(buffer)
                it.sendall(answer % 0)
                continue
            length = int(re.match(rb"GET /(\d+)-", text).group(1))
            it.sendall(answer % length, socket.MSG_MORE)
            sent = 0
            while sent < length:
                sent += os.sendfile(it.fileno(), self.file, sent, length - sent)

    def stop(self):
        self.process.terminate()
        self.process.join()


def client(target, operation, names, size, seconds, barrier, answers):
    """One client process: calls until the time is over, then hands over how long each call took."""
    call = target.worker(operation, names, size)
    if operation != "delete":
        call(0)
    barrier.wait()
    latencies, begun = [], time.perf_counter()
    before = begun
    # What is deleted is deleted once; all else goes on until the time is over.
    while len(latencies) < len(names) if operation == "delete" else before - begun < seconds:
        call(len(latencies))
        after = time.perf_counter()
        latencies.append(after - before)
        before = after
    answers.put((len(latencies) / (before - begun), latencies))


def fill(target, operation, clients, size, names):
    """Writes what is to be read, listed or deleted, by sixteen at a time."""
    if operation == "get":
        mine = [name for number in range(clients) for name in names(number)]
    elif operation in ("list", "delete"):
        mine = many(range(MANY))
    else:
        return

    def some(part):
        put = target.worker("put", part, size)
        for index in range(len(part)):
            put(index)

    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=some, args=(mine[at::16],)) for at in range(min(16, len(mine)))]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0, "what is to be read can't be written"


def many(numbers):
    return [f"many-{number:06}" for number in numbers]


def measure(target, operation, label, clients, seconds):
    """Calls a second by all clients together, the latencies of all calls, and what the server used for a call."""
    size, count, _ = SIZES[label]
    fork = multiprocessing.get_context("fork")
    barrier, answers = fork.Barrier(clients + 1), fork.Queue()

    def names(number):
        if operation == "delete":
            return many(range(number * MANY // clients, (number + 1) * MANY // clients))
        return [f"{size}-{number}-{index}" for index in range(count)]

    fill(target, operation, clients, size, names)
    processes = [
        fork.Process(target=client, args=(target, operation, names(number), size, seconds, barrier, answers))
        for number in range(clients)
    ]
    for process in processes:
        process.start()
    watch = Watch(target.process.pid) if target.process else None
    barrier.wait()
    begun = time.time()
    results = [answers.get(timeout=300) for _ in processes]
    for process in processes:
        process.join()
        assert process.exitcode == 0, "a client failed"
    latencies = sorted(latency for _, latencies in results for latency in latencies)
    used = None
    if watch:
        watch.stop()
        processor, memory = watch.between(begun, time.time())
        used = (processor / len(latencies), memory)
    return sum(rate for rate, _ in results), latencies, used


def applies(target, operation, label):
    """Whether a case says anything of a target."""
    if isinstance(target, Loopback):
        return operation in ("put", "get")
    return not isinstance(target, Unchecked) or (operation == "put" and SIZES[label][0] >= SEND)


def every_case(targets, cases, seconds, rounds=1):
    """The results by name and case, of several rounds the fastest. The targets take turns in each case, so that a slow moment
    of the machine meets all of them. A case that a target can't do is left out, and why is said."""
    results = {name: {} for name in targets}
    for case in cases:
        for name, target in list(targets.items()) * rounds:
            if not applies(target, *case[:2]):
                continue
            try:
                result = measure(target, *case, seconds)
            except (AssertionError, OSError, multiprocessing.queues.Empty) as error:
                print(name, *case, f"failed: {str(error)[:300]}", flush=True)
                continue
            rate, _, used = result
            print(name, *case, f"{rate:.1f}/s", f"{used[0] * 1e6:.0f} us of processor" if used else "", flush=True)
            if case not in results[name] or rate > results[name][case][0]:
                results[name][case] = result
    return results


def figures(case, rate):
    """Calls a second for small objects, MB a second for others."""
    operation, label, _ = case
    small = operation in ("list", "delete") or label in ("1 KB", "64 KB")
    return f"{rate:,.0f}/s" if small else f"{rate * SIZES[label][0] / 1e6:,.0f} MB/s"


def named(case):
    operation, label, clients = case
    what = {"list": f"LIST, pages of {PAGE}", "delete": "DELETE"}.get(operation, f"{operation.upper()} {label}")
    return f"{what}, {clients} client{'s' if clients > 1 else ''}"


@contextlib.contextmanager
def bounds_and_ours():
    """The targets of every run."""
    with contextlib.ExitStack() as stack:
        loopback = Loopback(stack.enter_context(scratch()))
        stack.callback(loopback.stop)
        targets = {"disk": Disk(stack.enter_context(scratch())), "loopback": loopback}
        ours = [("Boathouse", {}, Server), (PLAIN, {"BOATHOUSE_PLAIN_BUCKETS": "1"}, Server)]
        ours.append((UNCHECKED, {}, Unchecked))
        for name, settings, kind in ours:
            os.environ.update(settings)
            server = stack.enter_context(boathouse(stack.enter_context(scratch())))
            for setting in settings:
                del os.environ[setting]
            targets[name] = kind(server.url, server.process)
        yield targets


def measured(names, cases, seconds):
    """All targets' results by name, and what could not be had. Peers, of which some write their bytes when it suits them, are
    measured alone."""
    missing = {}
    with bounds_and_ours() as targets:
        results = every_case(targets, cases, seconds, ROUNDS)
    for name, (start, _) in object_stores.ALL.items():
        if name not in names:
            continue
        try:
            with scratch() as directory, start(directory) as (url, process, *keys):
                keys = keys or [object_stores.KEY, object_stores.SECRET]
                results |= every_case({name: Server(url, process, *keys)}, cases, seconds)
        except Exception as error:  # noqa: BLE001 A peer that fails is no reason to measure nothing.
            missing[name] = str(error).split("\n")[0][:200]
            print(name, "is left out:", error, flush=True)
    if "Moto" in names:
        with moto() as server:
            results |= every_case({"Moto": Server(server.url, server.process)}, cases, seconds)
    return results, missing


def tables(results):
    peers = [name for name in results if name not in ("disk", "loopback", *OURS)]
    others, bounds = [*OURS, *peers], ["disk", "loopback"]
    throughput, latency, usage = [], [], []
    for case in CASES:
        if case not in results["Boathouse"]:
            continue
        ours = results["Boathouse"][case][0]
        rates = {name: results[name][case][0] for name in results if case in results[name]}
        best = max((rates[name] for name in peers if name in rates), default=None)
        ratio = lambda rate: f"{ours / rate:.2f}" if rate else ""  # noqa: E731
        shown = [figures(case, rates[name]) if name in rates else "–" for name in others + bounds]
        throughput.append([named(case), ratio(best), *(ratio(rates.get(name)) for name in bounds), *shown])
        cells = []
        for name in others:
            taken = results[name].get(case)
            cuts = statistics.quantiles(taken[1] * 2, n=100) if taken else None
            cells.append(f"{cuts[49] * 1000:.2f} / {cuts[98] * 1000:.2f}" if cuts else "–")
        latency.append([named(case), *cells])
        used = [results[name].get(case) for name in others]
        usage.append([named(case), *(f"{it[2][0] * 1e6:,.0f} / {it[2][1]:,.0f}" if it and it[2] else "–" for it in used)])
    yield ["## Throughput", ""]
    yield table(["", "ratio to the best peer", "ratio to disk", "ratio to loopback", *others, *bounds], throughput)
    yield ["## Latency, median / 99th percentile, ms", ""]
    yield table(["", *others], latency)
    yield ["## Processor time of the server for a call, microseconds / its memory at the peak, MB", ""]
    yield table(["", *others], usage)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--peers", default=",".join([*object_stores.ALL, "Moto"]))
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    names = options.peers.split(",")
    cases = [case for case in CASES if named(case).startswith(options.only)]
    results, missing = measured(names, cases, options.seconds)
    if options.only:
        return print(*("\n".join(block) for block in tables(results)), sep="\n\n")
    durable = ", ".join(f"{name}: {says}" for name, (_, says) in object_stores.ALL.items() if name in results)
    absent = "".join(f" {name} is not here: {why}." for name, why in missing.items())
    write(
        "s3",
        "S3: PUT, GET, LIST and DELETE",
        machine("moto"),
        prose(
            "Clients share the machine's cores with the server. They are processes that send presigned requests as "
            f"ready-made bytes over keep-alive sockets, {options.seconds:g} s each case; every client has keys of its own "
            "and writes them over. Boathouse has the bytes on disk (fsync) before it answers and checks every signature. "
            f"What the others make of durability: {durable}; Moto: keeps objects in memory or in unsynced temporary files. "
            "The disk is one file for each object, written and synced (fdatasync), and read from the page cache. The "
            "loopback is a server that does nothing: it drops what it is sent, and sends files from the page cache "
            f"(sendfile). They and Boathouse take turns in each case, {ROUNDS} rounds of which the faster one counts; then the peers, "
            "one after the other. Reads are answered from memory by all. Boathouse encrypts all objects (AES-256-GCM), which no other "
            "does; in a column of its own it does not (BOATHOUSE_PLAIN_BUCKETS=1). Bodies come with their CRC-32, as today's SDKs send "
            "it, which Boathouse computes and compares; of bodies of more than 8 MiB it then computes no MD5 (BOATHOUSE_ENTITY_TAGS), and "
            f"in a column of its own bodies come without, so that their MD5 is the entity tag.{absent}"
        ),
        *tables(results),
        *kept(),
    )


def kept():
    """What somebody wrote by hand at the end of the document stays."""
    document = Path(__file__).parents[2] / "docs/benchmarks/s3.md"
    _, mark, text = document.read_text().partition("## Where the time goes")
    return [[f"{mark}{text}".rstrip(), ""]] if mark else []


with contextlib.suppress(KeyboardInterrupt):
    main()
