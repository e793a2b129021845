"""Starts the real binary on a free port with a temporary data directory, and stops it by process id."""

import os
import signal
import subprocess

import boto3
import pytest
from botocore.config import Config

BINARY = os.environ["BOATHOUSE_BINARY"]


class Server:
    def __init__(self, data_dir, *flags):
        command = [BINARY, "serve", "--listen", "127.0.0.1:0", "--data-dir", str(data_dir), *flags]
        self.log = open(f"{data_dir}.log", "w+")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.url = self.process.stdout.readline().removeprefix("listening on ").strip()

    def client(self, service, key, secret, **options):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(retries={"max_attempts": 1}, **options),
        )

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=15)
        self.process.stdout.close()
        self.log.close()


@pytest.fixture
def start(tmp_path):
    servers = []

    def start_server(*flags, data_dir=tmp_path / "data"):
        servers.append(Server(data_dir, *flags))
        return servers[-1]

    yield start_server
    for server in servers:
        server.stop()
