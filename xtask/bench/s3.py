"""PUT and GET of objects, against Moto's server and against the bare disk.

So that the client is not what is measured, requests are signed beforehand (presigned URLs) and go as ready-made bytes
over keep-alive sockets, from one process for each client. The disk writes new files and syncs each (fdatasync), and
reads files that the page cache holds.
"""

import multiprocessing
import os
import re
import socket
import statistics
import time
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from common import boathouse, machine, moto, prose, scratch, table, write

BUCKET = "bench"
CLIENTS = [1, 16]
SECONDS = 4
# Size in bytes, and how many objects each client writes over and over.
SIZES = {"1 KB": (1_000, 64), "1 MB": (1_000_000, 8), "64 MB": (64_000_000, 1)}


class Connection:
    """The least of an HTTP client: sends prepared requests, reads answers into one buffer."""

    def __init__(self, url):
        self.address = (urlsplit(url).hostname, urlsplit(url).port)
        self.socket = None
        self.buffer = memoryview(bytearray(1 << 20))

    def call(self, request, body):
        """The number of bytes in the answer's body."""
        if self.socket is None:
            self.socket = socket.create_connection(self.address)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(request)
        if body:
            self.socket.sendall(body)
        received = self.socket.recv_into(self.buffer)
        while (end := bytes(self.buffer[:received]).find(b"\r\n\r\n")) < 0:
            received += self.socket.recv_into(self.buffer[received:])
        head = bytes(self.buffer[:end]).lower()
        assert head.split(b" ", 2)[1] == b"200", head
        length = int(re.search(rb"content-length: *(\d+)", head).group(1))
        remaining = length - (received - end - 4)
        while remaining > 0:
            read = self.socket.recv_into(self.buffer)
            assert read, "the server closed the connection within a body"
            remaining -= read
        if b"connection: close" in head or head.startswith(b"http/1.0"):
            self.socket.close()
            self.socket = None
        return length


def prepared(method, url, length):
    parts = urlsplit(url)
    head = f"{method} {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {length}\r\n\r\n"
    return head.encode()


class Server:
    """A target that speaks S3."""

    def __init__(self, url):
        self.url = url
        self.client = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )
        self.client.create_bucket(Bucket=BUCKET)

    def worker(self, operation, names, size):
        """A function of a number that makes one call."""
        method = operation.upper()
        body = os.urandom(size) if operation == "put" else b""
        requests = [prepared(method, self.presigned(operation, name), len(body)) for name in names]
        connection = Connection(self.url)
        if operation == "put" and size < 10_000:
            # One packet, as clients send small requests.
            requests, body = [request + body for request in requests], b""
        expected = size if operation == "get" else 0

        def call(number):
            assert connection.call(requests[number % len(requests)], body) == expected

        return call

    def presigned(self, operation, name):
        return self.client.generate_presigned_url(f"{operation}_object", {"Bucket": BUCKET, "Key": name})


class Disk:
    """A target without a server: the same bytes in files."""

    def __init__(self, directory):
        self.directory = directory

    def worker(self, operation, names, size):
        paths = [self.directory / name for name in names]
        body, buffer = os.urandom(size), bytearray(1 << 20)

        def put(number):
            path = paths[number % len(paths)]
            path.unlink(missing_ok=True)
            with open(path, "wb", buffering=0) as file:
                file.write(body)
                os.fdatasync(file.fileno())

        def get(number):
            with open(paths[number % len(paths)], "rb", buffering=0) as file:
                while file.readinto(buffer):
                    pass

        return put if operation == "put" else get


def client(target, operation, names, size, barrier, answers):
    """One client process: calls until the time is over, then hands over how long each call took."""
    call = target.worker(operation, names, size)
    call(0)
    barrier.wait()
    latencies, begun = [], time.perf_counter()
    before = begun
    while before - begun < SECONDS:
        call(len(latencies))
        after = time.perf_counter()
        latencies.append(after - before)
        before = after
    answers.put((len(latencies) / (before - begun), latencies))


def measure(target, operation, label, clients):
    """Calls a second by all clients together, and the latencies of all calls."""
    size, count = SIZES[label]
    fork = multiprocessing.get_context("fork")
    barrier, answers = fork.Barrier(clients), fork.Queue()

    def names(number):
        return [f"{size}-{number}-{index}" for index in range(count)]

    if operation == "get":
        for number in range(clients):
            put = target.worker("put", names(number), size)
            for index in range(count):
                put(index)
    processes = [
        fork.Process(target=client, args=(target, operation, names(number), size, barrier, answers))
        for number in range(clients)
    ]
    for process in processes:
        process.start()
    results = [answers.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
        assert process.exitcode == 0, "a client failed"
    return sum(rate for rate, _ in results), sorted(latency for _, latencies in results for latency in latencies)


CASES = [(operation, label, clients) for operation in ("put", "get") for label in SIZES for clients in CLIENTS]


def every_case(target):
    return {case: measure(target, *case) for case in CASES}


def figures(label, rate):
    """Calls a second for small objects, MB a second for others."""
    return f"{rate:,.0f}/s" if label == "1 KB" else f"{rate * SIZES[label][0] / 1e6:,.0f} MB/s"


def main():
    with scratch() as directory:
        disk = every_case(Disk(directory))
    with scratch() as directory, boathouse(directory) as server:
        ours = every_case(Server(server.url))
    with moto() as server:
        peer = every_case(Server(server.url))

    throughput, latency = [], []
    for case in CASES:
        operation, label, clients = case
        name = f"{operation.upper()} {label}, {clients} client{'s' if clients > 1 else ''}"
        rates = [ours[case][0], peer[case][0], disk[case][0]]
        ratios = [f"{rates[0] / rate:.2f}" for rate in rates[1:]]
        throughput.append([name, *ratios, *(figures(label, rate) for rate in rates)])
        percentiles = [statistics.quantiles(result[case][1] * 2, n=100) for result in (ours, peer, disk)]
        latency.append([name, *(f"{cut[49] * 1000:.2f} / {cut[98] * 1000:.2f}" for cut in percentiles)])

    write(
        "s3",
        "S3: PUT and GET",
        machine("moto"),
        prose(
            "Clients share the machine's cores with the server. They are processes that send presigned requests as "
            f"ready-made bytes over keep-alive sockets, {SECONDS} s each case; every client has keys of its own and "
            "writes them over. Boathouse has the bytes on disk (fsync) before it answers and checks every signature; "
            "Moto does neither: it keeps objects in memory or in unsynced temporary files. The disk is one file for "
            "each object, written and synced (fdatasync). Reads are answered from memory by all three."
        ),
        ["## Throughput", ""],
        table(["", "ratio to Moto", "ratio to disk", "Boathouse", "Moto", "disk"], throughput),
        ["## Latency, median / 99th percentile, ms", ""],
        table(["", "Boathouse", "Moto", "disk"], latency),
    )


main()
