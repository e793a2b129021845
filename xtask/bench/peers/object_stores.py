"""Other object stores that speak S3, for the benchmark of S3: made once from public registries into the benchmarks' own
directory, by the registries' own clients. What can't be made here is left out of the tables, and they say so."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

HOME = Path(os.environ["BOATHOUSE_BENCH_DIR"]) / "peers"
MAKE_SECONDS = 3600
KEY, SECRET = "test", "testtest"


def go(package, name, version):
    """A command of a Go module."""
    environment = os.environ | {"GOBIN": str(HOME), "GOFLAGS": "-buildvcs=false"}
    return made(name, ["go", "install", f"{package}@{version}"], environment)


def crate(name, version, *options):
    """A program of a crate, built with its own lock file."""
    command = ["cargo", "install", "--locked", "--root", str(HOME / "cargo"), name, "--version", version, *options]
    # Not into this project's own build directory.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CARGO_")}
    return made(f"cargo/bin/{name}", command, environment | {"CARGO_TARGET_DIR": str(HOME / "cargo/target")})


def made(name, command, environment):
    program, failed = HOME / name, HOME / f"{Path(name).name}.failed"
    if program.exists():
        return program
    if failed.exists():
        raise Missing(f"{' '.join(command[:3])} failed before; remove {failed} to try again")
    HOME.mkdir(parents=True, exist_ok=True)
    if shutil.which(command[0]) is None:
        raise Missing(f"{command[0]} is not installed")
    print("making", program.name, flush=True)
    # Away from the project, whose settings are its own.
    with tempfile.TemporaryDirectory() as elsewhere:
        log = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True, timeout=MAKE_SECONDS)
    if log.returncode != 0 or not program.exists():
        failed.write_text(log.stdout + log.stderr)
        raise Missing(f"{' '.join(command)} failed: see {failed}")
    return program


class Missing(Exception):
    """A peer that can't be made here."""


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


@contextlib.contextmanager
def running(command, url, directory, environment=None):
    """The process, once it answers at the URL."""
    with open(directory / "peer.log", "w") as log:
        process = subprocess.Popen(
            list(map(str, command)), cwd=directory, env=os.environ | (environment or {}), stdout=log, stderr=log
        )
        try:
            wait(process, url, directory / "peer.log")
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait(process, url, log):
    for _ in range(300):
        if process.poll() is not None:
            raise Missing(f"it ended by itself: {log.read_text()[-500:]}")
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise Missing(f"it does not answer: {log.read_text()[-500:]}")


@contextlib.contextmanager
def versitygw(directory):
    """Files in a directory as S3. It has no setting that syncs what it writes."""
    program = go("github.com/versity/versitygw/cmd/versitygw", "versitygw", "v1.8.0")
    (directory / "root").mkdir()
    url = f"http://127.0.0.1:{free_port()}"
    command = [program, "--access", KEY, "--secret", SECRET, "--port", url.removeprefix("http://"), "posix", "root"]
    with running(command, url, directory) as process:
        yield url, process


@contextlib.contextmanager
def minio(directory):
    """The last of the open releases, one drive."""
    program = go("github.com/minio/minio", "minio", "v0.0.0-20260212201848-7aac2a2c5b7c")
    url = f"http://127.0.0.1:{free_port()}"
    command = [program, "server", "--quiet", "--address", url.removeprefix("http://"), directory / "data"]
    with running(command, url, directory, {"MINIO_ROOT_USER": KEY, "MINIO_ROOT_PASSWORD": SECRET}) as process:
        yield url, process


@contextlib.contextmanager
def s3s_fs(directory):
    """Files in a directory as S3, the demonstration of the codec that Boathouse uses too. It never syncs."""
    program = crate("s3s-fs", "0.14.1", "--features", "binary")
    (directory / "root").mkdir()
    port = free_port()
    command = [program, "--access-key", KEY, "--secret-key", SECRET, "--host", "127.0.0.1", "--port", port, "root"]
    url = f"http://127.0.0.1:{port}"
    with running(command, url, directory) as process:
        yield url, process


@contextlib.contextmanager
def garage(directory):
    """One node; data and metadata are synced, as its settings allow."""
    program = crate("garage", "2.5.0")
    ports = {name: free_port() for name in ("rpc", "s3")}
    config = directory / "garage.toml"
    config.write_text(
        f"""
metadata_dir = "{directory}/meta"
data_dir = "{directory}/data"
db_engine = "lmdb"
metadata_fsync = true
data_fsync = true
replication_factor = 1
rpc_bind_addr = "127.0.0.1:{ports['rpc']}"
rpc_public_addr = "127.0.0.1:{ports['rpc']}"
rpc_secret = "{'1799bccfd7411eddcf9ebd316bc1f5287ad12a68094e1c6ac6abde7e6feae1ec'}"
[s3_api]
s3_region = "us-east-1"
api_bind_addr = "127.0.0.1:{ports['s3']}"
"""
    )
    url = f"http://127.0.0.1:{ports['s3']}"
    keys = {"id": "GK" + "0" * 24, "secret": "0" * 64}
    with running([program, "-c", config, "server"], url, directory) as process:

        def admin(*command):
            done = subprocess.run([program, "-c", config, *command], capture_output=True, text=True, timeout=60)
            if done.returncode != 0:
                raise Missing(f"{' '.join(command)}: {done.stderr[-300:]}")
            return done.stdout

        node = admin("node", "id", "-q").split("@")[0].strip()
        admin("layout", "assign", "-z", "here", "-c", "20G", node)
        admin("layout", "apply", "--version", "1")
        admin("key", "import", "--yes", keys["id"], keys["secret"])
        admin("key", "allow", "--create-bucket", keys["id"])
        yield url, process, keys["id"], keys["secret"]


# Name, how it is started, and what it makes of durability.
ALL = {
    "Garage": (garage, "told to sync data and metadata"),
    "versitygw": (versitygw, "can't be told to sync"),
    "MinIO": (minio, "as it comes"),
    "s3s-fs": (s3s_fs, "never syncs"),
}
