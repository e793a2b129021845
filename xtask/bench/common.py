"""What the benchmarks share: servers on fresh directories, what the machine is, Markdown."""

import contextlib
import importlib.metadata
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from conftest import BINARY, Server  # noqa: E402

WORK = Path(os.environ["BOATHOUSE_BENCH_DIR"])
WORK.mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def scratch():
    """An empty directory on the disk that is measured, removed in the end."""
    directory = Path(tempfile.mkdtemp(dir=WORK))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


@contextlib.contextmanager
def boathouse(directory):
    server = Server(directory / "data", "--dev")
    try:
        yield server
    finally:
        server.stop()


class Moto:
    """Moto's server: the same constructor-is-start and stop() as the tests' Server."""

    def __init__(self):
        command = [sys.executable, "-u", "-m", "moto.server", "--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while not (found := re.search(r"http://\S+", self.process.stderr.readline())):
            pass
        self.url = found.group()
        # Its log goes to a file, lest it stops at a full pipe.
        self.drain = subprocess.Popen(["cat"], stdin=self.process.stderr, stdout=subprocess.DEVNULL)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=15)
        self.drain.wait(timeout=15)
        self.process.stderr.close()


@contextlib.contextmanager
def moto():
    server = Moto()
    try:
        yield server
    finally:
        server.stop()


def memory_mb(process, field="VmRSS"):
    """The process's resident memory: now, or at its peak (`VmHWM`)."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+)", status).group(1)) / 1024


def timed(action):
    """The answer of `action` and how many seconds it took."""
    begun = time.perf_counter()
    answer = action()
    return answer, time.perf_counter() - begun


def milliseconds(seconds):
    return f"{statistics.median(seconds) * 1000:.1f} ms"


def prose(text):
    return [*textwrap.wrap(text, 120), ""]


def table(head, rows):
    """A Markdown table; all columns but the first hold numbers."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return ["| " + " | ".join(map(str, line)) + " |" for line in lines] + [""]


def machine(*peers):
    """The lines that say on what, and with which versions, the figures were measured."""
    model = re.search(r"model name\s+: (.*)", Path("/proc/cpuinfo").read_text())
    ram = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text()).group(1)
    commit = run("git", "-C", ROOT, "rev-parse", "--short", "HEAD")
    versions = [f"{run(BINARY, '--version')} ({commit})", f"Python {platform.python_version()}"]
    versions += [f"{peer} {importlib.metadata.version(peer)}" for peer in peers]
    processor = model.group(1).strip() if model else platform.machine()
    return prose(
        f"Measured {time.strftime('%Y-%m-%d')} on {processor}, {os.cpu_count()} cores, {int(ram) / 2**20:.0f} GiB RAM, "
        f"Linux {platform.release()}; load average before the run {LOAD:.1f}. Versions: {', '.join(versions)}."
    )


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def write(name, title, *parts):
    """Writes docs/benchmarks/NAME.md from lists of lines."""
    lines = [f"# {title}", "", f"Written by `cargo xtask bench {name}`.", ""]
    text = "\n".join(lines + [line for part in parts for line in part])
    (ROOT / "docs/benchmarks" / f"{name}.md").write_text(text)
    print(text)


LOAD = os.getloadavg()[0]
