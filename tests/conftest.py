"""Starts the real binary on a free port with a temporary data directory, and stops it by process id.

Tests that need a server of their own (restarts, kill -9, other flags) take the fixture `start`; all others share one
server per worker, `shared`, and keep apart by names from `unique`.
"""

import ctypes
import datetime
import itertools
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

BINARY = os.environ["BOATHOUSE_BINARY"]
# Python functions run on the interpreter of the tests, which has boto3 as AWS's runtimes have.
os.environ.setdefault("BOATHOUSE_PYTHON", sys.executable)


PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_the_tests():
    """Runs in the new process: a run of the tests that is killed leaves no server behind."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Server:
    def __init__(self, data_dir, *flags, under=(), listen="127.0.0.1:0"):
        """`under` is a command that starts the server as its own arguments, such as one that mounts a disk first."""
        command = [*under, BINARY, "serve", "--listen", listen, "--data-dir", str(data_dir), *flags]
        self.log = open(f"{data_dir}.log", "w+")
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self.log, text=True, preexec_fn=die_with_the_tests
        )
        self.url = self.process.stdout.readline().removeprefix("listening on ").strip()

    def client(self, service, key, secret, token=None, **options):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"max_attempts": 1}, **options),
        )

    def environment(self, key="test", secret="test"):
        """What clients in processes of their own need to find this server, and nothing of this machine's settings."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return kept | {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
        }

    def latest(self, lines=60):
        """What the server has logged last: what it says of the calls that a client in another process made."""
        return "".join(Path(self.log.name).read_text().splitlines(keepends=True)[-lines:])

    def kill(self):
        """Ends the process as a power cut would: no signal handler runs."""
        self.process.kill()
        self.process.wait(timeout=15)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.kill()
        self.process.stdout.close()
        self.log.close()


def wait_for(condition, what, timeout=30):
    """The first true answer of `condition`, asked again and again until the time is over."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen within {timeout} s")


def code(call, **arguments):
    """The error code and the HTTP status that a call is refused with."""
    with pytest.raises(ClientError) as error:
        call(**arguments)
    answer = error.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def client(server, service, key, **options):
    """A client with the credentials of CreateAccessKey or of one of STS's answers."""
    return server.client(service, key["AccessKeyId"], key["SecretAccessKey"], key.get("SessionToken"), **options)


def own_call(server, service, path, key="test", secret="test", method="GET"):
    """The status and the document at an address of the server's own, signed as a call of a service; unsigned without a key."""
    request = AWSRequest(method, f"{server.url}/_boathouse/{path}")
    if key:
        botocore.auth.SigV4Auth(Credentials(key, secret), service, "us-east-1").add_auth(request)
    sent = urllib.request.Request(request.url, headers=dict(request.headers), method=method)
    try:
        with urllib.request.urlopen(sent) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def document(*statements):
    """A policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def service_role(server, name, *statements, service="glue.amazonaws.com"):
    """A role that `service` may assume and that may do what the statements say; answers its ARN."""
    iam = server.client("iam", "test", "test")
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=policy)
    return arn


def allow(*actions, resource="*"):
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


@pytest.fixture
def start(tmp_path):
    servers = []

    def start_server(*flags, data_dir=tmp_path / "data", **options):
        servers.append(Server(data_dir, *flags, **options))
        return servers[-1]

    yield start_server
    for server in servers:
        server.stop()


class Clock:
    """The time of a server that was started with `flags`, which only goes forward, and of the signatures made here."""

    def __init__(self, file):
        self.file, self.ahead = file, 0
        self.flags = ("--clock-ahead", str(file))
        self.move(0)

    def now(self):
        return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.ahead)

    def move(self, seconds):
        self.ahead += int(seconds)
        other = self.file.with_suffix(".new")
        other.write_text(str(self.ahead))
        other.replace(self.file)
        if seconds:
            # The server looks at the file every 20 ms, and its calls and timers are to see the new time from here on.
            time.sleep(0.5)

    def move_to(self, time):
        """Goes to `time`, such as 2027-03-13T12:00:00Z; a second later rather than earlier."""
        wanted = datetime.datetime.fromisoformat(time)
        assert wanted > self.now()
        self.move((wanted - self.now()).total_seconds() + 1)


@pytest.fixture
def clock(tmp_path, monkeypatch):
    clock = Clock(tmp_path / "clock-ahead")

    def signing_time(remove_tzinfo=True):
        return clock.now().replace(tzinfo=None) if remove_tzinfo else clock.now()

    monkeypatch.setattr(botocore.auth, "get_current_datetime", signing_time)
    return clock


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """One server for all tests of a worker that can live beside each other."""
    server = Server(tmp_path_factory.mktemp("shared") / "data", "--dev")
    yield server
    server.stop()


NUMBERS = itertools.count(1)


@pytest.fixture
def unique():
    """Makes names that no other test of the session has: `unique("raw")` is `raw-17`."""
    return lambda prefix: f"{prefix}-{next(NUMBERS)}"


@pytest.fixture
def client_environment(shared, monkeypatch):
    """Points libraries of this process that make their own clients at the shared server."""
    wanted = shared.environment()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in wanted.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    return wanted
