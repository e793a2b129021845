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
import threading
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
    """A server on a new data directory; should it end by itself, its last words are shown."""
    data = directory / "data"
    server = Server(data, "--dev")
    try:
        yield server
    finally:
        if (code := server.process.poll()) is not None:
            print(f"the server ended with {code}:", Path(f"{data}.log").read_text()[-2000:], file=sys.stderr)
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


def cpu_seconds(pid):
    """The processor time that a process has used."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


class Watch:
    """Looks five times a second at a process and all that descend from it: the processor time that they have used so far,
    and the memory that they hold together. What processes use up that end between two looks, their parents report."""

    def __init__(self, pid):
        self.pid, self.looks, self.over = pid, [], threading.Event()
        self.look()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.over.wait(0.2):
            self.look()

    def stop(self):
        self.look()
        self.over.set()
        self.thread.join()

    def look(self):
        parents, used, held = {}, {}, {}
        for directory in Path("/proc").iterdir():
            if directory.name.isdigit():
                with contextlib.suppress(OSError):
                    fields = (directory / "stat").read_text().rpartition(")")[2].split()
                    pid = int(directory.name)
                    parents[pid] = int(fields[1])
                    used[pid], held[pid] = sum(map(int, fields[11:15])), int(fields[21])
        family = {self.pid}
        while grown := {pid for pid, parent in parents.items() if parent in family} - family:
            family |= grown
        seconds = sum(used.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")
        memory = sum(held.get(pid, 0) for pid in family) * os.sysconf("SC_PAGE_SIZE") / 2**20
        # A process that has just ended is counted nowhere for a moment.
        seconds = max(seconds, self.looks[-1][1]) if self.looks else seconds
        self.looks.append((time.time(), seconds, memory))

    def between(self, begin, end):
        """Processor seconds, and the peak of memory in MB, between two moments of `time.time()`."""
        before = [look for look in self.looks if look[0] <= begin] or self.looks[:1]
        until = [look for look in self.looks if look[0] <= end] or self.looks[:1]
        inside = [memory for at, _, memory in self.looks if begin <= at <= end] or [until[-1][2]]
        return until[-1][1] - before[-1][1], max(inside)


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
