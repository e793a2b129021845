"""Trino's own server beside the benchmarks, over the same Parquet files on the same cores.

The release comes from Maven's repository, once, and is kept beside the benchmarks' data. It needs Maven and a Java that is
new enough; without them the benchmarks say so and go on without Trino.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import trino
from common import WORK, cpu_seconds, memory_mb, scratch, timed

VERSION = "476"
JAVA = 24
ARTIFACT = f"io.trino:trino-server:{VERSION}:tar.gz"
TYPES = {"VARCHAR": "varchar", "TIMESTAMP": "timestamp(3)"}
# What Trino's documentation recommends for its virtual machine, and a heap that leaves the files' cache alone.
OPTIONS = [
    "-Xmx6g",
    "-XX:+UseG1GC",
    "-XX:G1HeapRegionSize=32M",
    "-XX:+ExplicitGCInvokesConcurrent",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-OmitStackTraceInFastThrow",
    "-XX:ReservedCodeCacheSize=512M",
    "-XX:PerMethodRecompilationCutoff=10000",
    "-XX:PerBytecodeRecompilationCutoff=10000",
    "-XX:+EnableDynamicAgentLoading",
    "-Djdk.attach.allowAttachSelf=true",
    "-Dfile.encoding=UTF-8",
    "-Duser.timezone=UTC",
]


class Unavailable(Exception):
    """Why there is no Trino on this machine."""


def java():
    """The first Java that Trino runs on."""
    homes = [os.environ.get("JAVA_HOME", ""), *sorted(map(str, Path("/usr/lib/jvm").glob("*")))]
    for program in [*(f"{home}/bin/java" for home in homes if home), shutil.which("java")]:
        if program and os.access(program, os.X_OK):
            said = subprocess.run([program, "-version"], capture_output=True, text=True).stderr
            if (version := re.search(r'version "(\d+)', said)) and int(version.group(1)) >= JAVA:
                return program
    raise Unavailable(f"it needs Java {JAVA} or later (JAVA_HOME says where)")


def release():
    """The directory of the unpacked release, with the one connector that is needed."""
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
            if plugin.name != "hive":
                shutil.rmtree(plugin)
        unpacked.rename(directory)
    return directory


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Trino:
    """A server with one catalog over a directory, in which every table is a folder."""

    def __init__(self, folder):
        program, home, port = java(), release(), free_port()
        self.folder = folder
        (folder / "lake").mkdir()
        settings = {
            "config": {
                "coordinator": "true",
                "node-scheduler.include-coordinator": "true",
                "http-server.http.port": port,
                "discovery.uri": f"http://127.0.0.1:{port}",
                "catalog.config-dir": folder / "catalog",
                "plugin.dir": home / "plugin",
            },
            "node": {
                "node.environment": "bench",
                "node.id": "bench",
                "node.data-dir": folder / "node",
                "node.internal-address": "127.0.0.1",
                "node.bind-ip": "127.0.0.1",
            },
            "log": {"io.trino": "WARN"},
            "catalog/hive": {
                "connector.name": "hive",
                "hive.metastore": "file",
                "hive.metastore.catalog.dir": "local:///metastore",
                "fs.native-local.enabled": "true",
                "local.location": folder / "lake",
            },
        }
        for name, values in settings.items():
            file = folder / f"{name}.properties"
            file.parent.mkdir(exist_ok=True)
            file.write_text("".join(f"{key}={value}\n" for key, value in values.items()))
        node = [f"-D{key}={value}" for key, value in settings["node"].items()]
        places = [f"-Dconfig={folder}/config.properties", f"-Dlog.levels-file={folder}/log.properties"]
        command = [program, *OPTIONS, *node, *places, "-cp", f"{home}/lib/*", "io.trino.server.TrinoServer"]
        self.log = folder / "server.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        self.connection = trino.dbapi.connect(host="127.0.0.1", port=port, user="bench", catalog="hive", schema="bench")

    def wait(self):
        """Until it answers queries."""
        for _ in range(240):
            if self.process.poll() is not None:
                raise Unavailable(f"its server ended: {self.log.read_text()[-1500:]}")
            with contextlib.suppress(Exception):
                return self.rows("SELECT 1")
            time.sleep(0.5)
        raise Unavailable("its server did not answer within two minutes")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)

    def load(self, directory, duck):
        """Declares the same files as tables, and gathers their statistics, without which its plans would be worse."""
        self.rows("CREATE SCHEMA hive.bench")
        for name in duck.tables:
            table = self.folder / "lake" / name
            table.mkdir()
            os.link(directory / f"{name}.parquet", table / f"{name}.parquet")
            columns = ", ".join(f'"{column}" {TYPES.get(kind, kind.lower())}' for column, kind in duck.described(name))
            properties = f"format = 'PARQUET', external_location = 'local:///{name}'"
            self.rows(f"CREATE TABLE {name} ({columns}) WITH ({properties})")
            self.analyse(name)

    def analyse(self, name):
        """A server that has just started does not know for some seconds that it is a node too."""
        for _ in range(60):
            with contextlib.suppress(trino.exceptions.TrinoQueryError):
                return self.rows(f"ANALYZE {name}")
            time.sleep(0.5)
        return self.rows(f"ANALYZE {name}")

    def rows(self, sql):
        cursor = self.connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall()

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
        running = None
        try:
            running = Trino(folder)
            running.wait()
        except Unavailable as reason:
            print(f"WITHOUT TRINO: {reason}", file=sys.stderr)
            if running:
                running.stop()
            running = None
        try:
            yield running
        finally:
            if running:
                running.stop()
