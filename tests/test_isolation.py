"""What holds user code where the machine offers less, and what every limit ends."""

import io
import os
import shutil
import subprocess
import zipfile

import conftest
import pytest

from conftest import wait_for
from test_lambda import Functions, archive, refused

COVERED = """#!/bin/sh
# A mount namespace in which there are no cgroups, as on machines where the server may not make any.
exec unshare --mount --propagation private sh -c 'umount -a -t cgroup,cgroup2 2>/dev/null; mount -t tmpfs none /sys/fs/cgroup && exec "$0" "$@"' {binary} "$@"
"""
needs_root = pytest.mark.skipif(
    os.getuid() != 0 or shutil.which("unshare") is None, reason="only root can take its cgroups away"
)


@pytest.fixture
def without_cgroups(start, tmp_path, monkeypatch, unique):
    script = tmp_path / "covered"
    script.write_text(COVERED.format(binary=conftest.BINARY))
    script.chmod(0o755)
    monkeypatch.setattr(conftest, "BINARY", str(script))
    server = start("--dev")
    return Functions(server, unique)


MEMORY = "def handler(e, c):\n    grown = []\n    while True:\n        grown.append(bytearray(1 << 20))\n"
FORKS = """
import os
def handler(event, context):
    children = 0
    try:
        while children < 5000:
            if os.fork() == 0:
                os.execv("/bin/sleep", ["sleep", event])
            children += 1
    except OSError as error:
        return children, type(error).__name__
"""
DISK = """
def handler(event, context):
    try:
        with open("/tmp/big", "wb") as file:
            for n in range(event):
                file.write(b"x" * (1 << 20))
    except OSError as error:
        return n, error.strerror
    return n, None
"""


def running(marker):
    return subprocess.run(["pgrep", "-f", f"sleep {marker}"], capture_output=True).stdout.split()


@needs_root
def test_limits_hold_without_cgroups(without_cgroups):
    functions = without_cgroups
    with open(functions.server.log.name) as log:
        warnings = [line for line in log if "cgroup" in line]
    assert warnings, "the log says what is weaker"
    error = functions.error(functions.create(MEMORY, MemorySize=128, Timeout=60))
    assert error["errorType"] == "Runtime.ExitError" and "signal: killed" in error["errorMessage"]
    slow = functions.create("import time\ndef handler(e, c):\n    time.sleep(60)\n", Timeout=1)
    assert functions.error(slow)["errorType"] == "Sandbox.Timedout"
    marker = f"57{os.getpid():06}"
    children, refusal = functions.result(functions.create(FORKS, Timeout=60, MemorySize=1024), marker)
    assert children <= 1024 and refusal == "BlockingIOError"
    written, refusal = functions.result(functions.create(DISK, Timeout=60, MemorySize=1024), 600)
    assert written <= 512 and refusal == "No space left on device"
    functions.server.kill()
    wait_for(lambda: not running(marker), "the end of the children")


def test_scratch_space_is_what_was_asked_for(shared, unique):
    functions = Functions(shared, unique)
    more = functions.create(DISK, EphemeralStorage={"Size": 700}, Timeout=60, MemorySize=1024)
    assert functions.result(more, 600) == [599, None]
    written, refusal = functions.result(more, 800)
    assert 600 <= written <= 700 and refusal == "No space left on device"


def test_what_a_function_leaves_running_ends_with_its_instance(start, unique):
    """Children of an invocation that timed out are gone with it; the next one begins anew."""
    functions = Functions(start("--dev"), unique)
    marker = f"58{os.getpid():06}"
    code = f"""
import subprocess, time
def handler(event, context):
    subprocess.Popen(["/bin/sleep", "{marker}"], start_new_session=True, stdout=subprocess.DEVNULL)
    time.sleep(event)
    return "done"
"""
    name = functions.create(code, Timeout=1)
    assert functions.error(name, 30)["errorType"] == "Sandbox.Timedout"
    wait_for(lambda: not running(marker), "the end of the child")
    assert functions.result(name, 0) == "done"
    # New code ends the instances of the old.
    functions.client.update_function_code(FunctionName=name, ZipFile=archive({"app.py": "def handler(e, c):\n    return 'new'\n"}))
    assert functions.result(name, 0) == "new"
    wait_for(lambda: not running(marker), "the end of the old instance's child")


def test_a_function_can_not_raise_its_limits(shared, unique):
    functions = Functions(shared, unique)
    code = """
import os, resource, signal
def attempt(action):
    try:
        return repr(action())
    except Exception as error:
        return type(error).__name__
def cgroups():
    return [name for name in os.listdir("/sys/fs/cgroup")] if os.path.exists("/sys/fs/cgroup") else []
def handler(event, context):
    return {
        "cgroups": attempt(cgroups),
        "nice": attempt(lambda: os.nice(-5)),
        "limit": attempt(lambda: resource.setrlimit(resource.RLIMIT_NPROC, (100000, 100000))),
        "root": attempt(lambda: os.setuid(0)),
        "others": attempt(lambda: os.kill(-1, 0)),
        "device": attempt(lambda: os.mknod("/tmp/disk", 0o600 | 0o060000, os.makedev(8, 0))),
        "chroot": attempt(lambda: os.chroot("/tmp")),
        "unshare": attempt(lambda: os.unshare(os.CLONE_NEWUSER)) if hasattr(os, "unshare") else "PermissionError",
        "raw": attempt(lambda: __import__("socket").socket(17, 3)),
        "dmesg": attempt(lambda: open("/dev/kmsg").read(1)),
        "env of init": attempt(lambda: open("/proc/1/environ").read()),
    }
"""
    found = functions.result(functions.create(code))
    assert found.pop("cgroups") == "[]"
    assert found.pop("others") in ("None", "ProcessLookupError", "PermissionError")
    assert found.pop("limit") in ("ValueError", "PermissionError")
    for name, value in found.items():
        assert value in ("PermissionError", "FileNotFoundError", "OSError"), (name, value)


@pytest.mark.parametrize(
    "options, code",
    [
        ({"MemorySize": 10241}, "ValidationException"),
        ({"Timeout": 901}, "ValidationException"),
        ({"Environment": {"Variables": {"A": "x" * 4100}}}, "InvalidParameterValueException"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException"),
        ({"Environment": {"Variables": {"1A": "x"}}}, "ValidationException"),
        ({"Layers": [f"arn:aws:lambda:us-east-1:000000000000:layer:l{n}:1" for n in range(6)]}, "InvalidParameterValueException"),
        ({"Runtime": "cobol"}, "InvalidParameterValueException"),
        ({"Code": {"ZipFile": b"no zip"}}, "InvalidParameterValueException"),
        ({"Code": {"ZipFile": archive({"../out.py": "x"})}}, "InvalidParameterValueException"),
        ({"Code": {}}, "InvalidParameterValueException"),
    ],
)
def test_what_a_function_may_not_ask_for(shared, unique, options, code):
    functions = Functions(shared, unique)
    refused(lambda: functions.create("def handler(e, c): pass\n", **options), code)


def test_an_archive_that_grows_too_much_is_refused(shared, unique):
    functions = Functions(shared, unique)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for n in range(9):
            file.writestr(f"zeros{n}", bytes(30 << 20))
    bomb = buffer.getvalue()
    assert len(bomb) < 3_000_000
    message = refused(lambda: functions.create("", Code={"ZipFile": bomb}), "InvalidParameterValueException")
    assert "262144000" in message
