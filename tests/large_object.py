"""A 5 GiB object goes in and comes out while the server's memory stays flat. By hand: it moves 20 GiB and needs 6 GiB of disk.

    BOATHOUSE_BINARY=target/release/boathouse python tests/large_object.py [DIRECTORY] [GIB]

No part of the suite: it takes minutes. It ends with an error where the server grows by more than 64 MiB.
"""

import hashlib
import io
import os
import sys
import tempfile
import threading
import time

from boto3.s3.transfer import TransferConfig
from conftest import Server

MEGABYTE = 1024 * 1024
ALLOWED = 64 * MEGABYTE


class Body(io.RawIOBase):
    """So many bytes that nobody holds in memory; the digest of what was read grows with them."""

    BLOCK = os.urandom(8 * MEGABYTE)

    def __init__(self, size):
        self.size, self.at, self.digest = size, 0, hashlib.md5()

    def __len__(self):
        return self.size

    def readable(self):
        return True

    def seekable(self):
        return True

    def tell(self):
        return self.at

    def seek(self, offset, whence=io.SEEK_SET):
        self.at = {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence] + offset
        return self.at

    def read(self, size=-1):
        left = self.size - self.at if size is None or size < 0 else min(size, self.size - self.at)
        pieces = []
        while left > 0:
            start = self.at % len(self.BLOCK)
            pieces.append(self.BLOCK[start : start + left])
            self.at += len(pieces[-1])
            left -= len(pieces[-1])
        return b"".join(pieces)


def expected_digest(size):
    body, digest = Body(size), hashlib.md5()
    while piece := body.read(8 * MEGABYTE):
        digest.update(piece)
    return digest.hexdigest()


def resident(server):
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


class Watch:
    """The server's largest resident memory while something goes on."""

    def __init__(self, server):
        self.server, self.peak, self.ended = server, 0, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.ended.wait(0.1):
            self.peak = max(self.peak, resident(self.server))

    def __enter__(self):
        self.before, self.begun = resident(self.server), time.monotonic()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self.begun
        self.ended.set()
        self.thread.join()


def main(directory, size):
    server = Server(os.path.join(directory, "data"), "--dev")
    s3 = server.client("s3", "test", "test", read_timeout=600)
    s3.create_bucket(Bucket="large")
    digest = expected_digest(size)
    grown = []

    def measure(name, work):
        with Watch(server) as watch:
            work()
        growth = watch.peak - watch.before
        grown.append(growth)
        rate = size / watch.seconds / MEGABYTE
        print(f"{name:<22} {watch.seconds:7.1f} s {rate:7.0f} MiB/s   peak {watch.peak / MEGABYTE:5.0f} MiB, "
              f"{growth / MEGABYTE:+.0f} MiB", flush=True)

    def get():
        read, body = hashlib.md5(), s3.get_object(Bucket="large", Key="k")["Body"]
        for piece in body.iter_chunks(MEGABYTE):
            read.update(piece)
        assert read.hexdigest() == digest, "what came out is not what went in"

    multipart = TransferConfig(multipart_chunksize=64 * MEGABYTE, max_concurrency=4)
    measure("PUT in parts", lambda: s3.upload_fileobj(Body(size), "large", "k", Config=multipart))
    measure("GET of parts", get)
    s3.delete_object(Bucket="large", Key="k")
    measure("PUT in one piece", lambda: s3.put_object(Bucket="large", Key="k", Body=Body(size), ContentLength=size))
    measure("GET of one piece", get)
    server.stop()
    if max(grown) > ALLOWED:
        sys.exit(f"the server grew by {max(grown) / MEGABYTE:.0f} MiB")


if __name__ == "__main__":
    gigabytes = float(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as place:
        main(place, int(gigabytes * 1024) * MEGABYTE)
