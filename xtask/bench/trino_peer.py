"""Trino beside the benchmarks, over the same Parquet files on the same cores.

The release comes from Maven's repository, once, and is kept beside the benchmarks' data. Without Maven or without a Java that
is new enough the benchmarks say so and go on without Trino.
"""

import contextlib
import os
import shutil
import subprocess
import sys

from common import WORK, cpu_seconds, memory_mb, scratch, timed
from trino_server import Trino, Unavailable

VERSION = "476"
ARTIFACT = f"io.trino:trino-server:{VERSION}:tar.gz"
PLUGINS = {"hive", "iceberg"}
# A heap that leaves room for the files' cache.
HEAP = "6g"
TYPES = {"VARCHAR": "varchar", "TIMESTAMP": "timestamp(3)"}


def release():
    """The directory of the unpacked release, with the connectors that are needed here and by the tests."""
    directory = WORK / f"trino-server-{VERSION}"
    if directory.exists():
        return directory
    with scratch() as folder:
        fetch = ["mvn", "--quiet", "--batch-mode", f"-Dmaven.repo.local={folder}/repository"]
        try:
            subprocess.run([*fetch, "dependency:get", f"-Dartifact={ARTIFACT}", "-Dtransitive=false"], check=True)
        except (OSError, subprocess.CalledProcessError) as failed:
            raise Unavailable(f"{ARTIFACT} can't be fetched by Maven: {failed}") from failed
        (archive,) = folder.glob("repository/**/*.tar.gz")
        # Files stand in the archive once and are links elsewhere, so all of it has to be unpacked first.
        subprocess.run(["tar", "--extract", "--gzip", "--file", archive, "--directory", folder], check=True)
        unpacked = folder / f"trino-server-{VERSION}"
        for plugin in unpacked.glob("plugin/*"):
            if plugin.name not in PLUGINS:
                shutil.rmtree(plugin)
        unpacked.rename(directory)
    return directory


class Peer(Trino):
    """A server with one catalog over a directory, in which every table is a folder."""

    def __init__(self, folder):
        self.lake = folder / "lake"
        self.lake.mkdir()
        hive = {
            "connector.name": "hive",
            "hive.metastore": "file",
            "hive.metastore.catalog.dir": "local:///metastore",
            "fs.native-local.enabled": "true",
            "local.location": self.lake,
        }
        super().__init__(release(), folder, HEAP, {"hive": hive})

    def load(self, directory, duck):
        """Declares the same files as tables, and gathers their statistics, without which its plans would be worse."""
        self.rows("CREATE SCHEMA hive.bench")
        self.rows("USE hive.bench")
        for name in duck.tables:
            table = self.lake / name
            table.mkdir()
            os.link(directory / f"{name}.parquet", table / f"{name}.parquet")
            columns = ", ".join(f'"{column}" {TYPES.get(kind, kind.lower())}' for column, kind in duck.described(name))
            properties = f"format = 'PARQUET', external_location = 'local:///{name}'"
            self.rows(f"CREATE TABLE {name} ({columns}) WITH ({properties})")
            self.patiently(f"ANALYZE {name}")

    def best(self, sql, rounds):
        """The rows, the seconds of the fastest round, and the processor seconds of one."""
        before = cpu_seconds(self.process.pid)
        answers = [timed(lambda: self.rows(sql)) for _ in range(rounds)]
        cpu = (cpu_seconds(self.process.pid) - before) / rounds
        return answers[-1][0], min(seconds for _, seconds in answers), cpu

    def memory(self):
        return memory_mb(self.process, "VmHWM")


@contextlib.contextmanager
def server():
    """A server that answers, or nothing, with the reason on standard error."""
    with scratch() as folder:
        try:
            peer = Peer(folder)
        except Unavailable as reason:
            print(f"WITHOUT TRINO: {reason}", file=sys.stderr)
            yield None
            return
        try:
            yield peer
        finally:
            peer.stop()
