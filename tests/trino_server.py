"""Trino's own server over catalogs of the caller's choice."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import trino

JAVA = 24
# What Trino's documentation recommends for its virtual machine.
OPTIONS = [
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
    raise Unavailable(f"Trino needs Java {JAVA} or later (JAVA_HOME says where)")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Trino:
    """A server of an unpacked release, with its files in a folder; `stop()` ends it."""

    def __init__(self, release, folder, heap, catalogs):
        program, port = java(), free_port()
        node = {
            "node.environment": "test",
            "node.id": "test",
            "node.data-dir": folder / "node",
            "node.internal-address": "127.0.0.1",
            "node.bind-ip": "127.0.0.1",
        }
        config = {
            "coordinator": "true",
            "node-scheduler.include-coordinator": "true",
            "http-server.http.port": port,
            "discovery.uri": f"http://127.0.0.1:{port}",
            "catalog.config-dir": folder / "catalog",
            "plugin.dir": f"{release}/plugin",
        }
        (folder / "catalog").mkdir()
        write(folder / "config.properties", config)
        write(folder / "log.properties", {"io.trino": "WARN"})
        for name, properties in catalogs.items():
            write(folder / "catalog" / f"{name}.properties", properties)
        settings = {**node, "config": folder / "config.properties", "log.levels-file": folder / "log.properties"}
        settings = [f"-D{key}={value}" for key, value in settings.items()]
        command = [program, f"-Xmx{heap}", *OPTIONS, *settings, "-cp", f"{release}/lib/*", "io.trino.server.TrinoServer"]
        self.log = folder / "server.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        self.connection = trino.dbapi.connect(host="127.0.0.1", port=port, user="test")
        try:
            self.wait()
        except Unavailable:
            self.stop()
            raise

    def wait(self):
        """Until it answers queries, and knows that it is a node too."""
        for _ in range(240):
            if self.process.poll() is not None:
                raise Unavailable(f"Trino's server ended: {self.log.read_text()[-1500:]}")
            with contextlib.suppress(Exception):
                return self.rows("SELECT count(*) FROM system.runtime.nodes")
            time.sleep(0.5)
        raise Unavailable("Trino's server did not answer within two minutes")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)

    def rows(self, sql):
        cursor = self.connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall()

    def patiently(self, sql):
        """The first query that reads a table: a server that has just started does not know for some seconds that it is a
        node that may do so."""
        for _ in range(60):
            with contextlib.suppress(trino.exceptions.TrinoQueryError):
                return self.rows(sql)
            time.sleep(0.5)
        return self.rows(sql)


def write(file, properties):
    file.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
